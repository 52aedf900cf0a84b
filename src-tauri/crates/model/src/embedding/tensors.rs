//! The tensors of `model.safetensors`, looked up by name with their shape checked.

use std::borrow::Cow;

use safetensors::{Dtype, SafeTensors};

use super::EmbeddingError;
use super::files::Files;
use crate::element::Element;

const NAME: &str = "model.safetensors";
/// Largest file of weights read, in bytes: a large BERT in f32 has 1.3 GB.
const MOST_BYTES: u64 = 4 << 30;

/// The bytes of the file of weights.
pub(super) struct TensorFile<'a> {
    bytes: Cow<'a, [u8]>,
    place: String,
}

impl<'a> TensorFile<'a> {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is missing, too large or unreadable.
    pub(super) fn read(files: &'a Files<'_>) -> Result<TensorFile<'a>, EmbeddingError> {
        Ok(TensorFile {
            bytes: files.require(NAME, MOST_BYTES)?,
            place: files.place(NAME),
        })
    }

    /// Reads its header.
    ///
    /// # Errors
    /// If the header is malformed, or does not describe exactly the bytes of the file.
    pub(super) fn tensors(&self) -> Result<Tensors<'_>, EmbeddingError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| {
            EmbeddingError::malformed(
                &self.place,
                "header",
                format!("{error} in a file of {} bytes", self.bytes.len()),
                "a whole safetensors file",
            )
        })?;
        Ok(Tensors {
            tensors,
            place: &self.place,
        })
    }
}

/// Tensors by name.
pub(super) struct Tensors<'a> {
    tensors: SafeTensors<'a>,
    place: &'a str,
}

impl Tensors<'_> {
    /// Whether there is a tensor of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The length of the first axis of a tensor.
    ///
    /// # Errors
    /// If it is missing or has no axis.
    pub(super) fn rows(&self, name: &str) -> Result<usize, EmbeddingError> {
        match self
            .tensors
            .tensor(name)
            .map(|view| view.shape().first().copied())
        {
            Ok(Some(rows)) => Ok(rows),
            Ok(None) => Err(self.refuse(name, "a single number", "a tensor with rows")),
            Err(_) => Err(self.missing(name)),
        }
    }

    /// The codes of an int8 tensor.
    ///
    /// # Errors
    /// If it is missing or has another type or shape.
    pub(super) fn int8(&self, name: &str, shape: &[usize]) -> Result<Vec<i8>, EmbeddingError> {
        let (dtype, bytes) = self.bytes(name, shape)?;
        match dtype {
            Dtype::I8 => Ok(bytes.iter().map(|&byte| byte as i8).collect()),
            other => Err(self.refuse(name, format!("{other:?}"), "I8")),
        }
    }

    /// The numbers of a float tensor, all of them finite and at most `largest` in size.
    ///
    /// # Errors
    /// If it is missing, has another type or shape, or holds a number that is not finite or too large.
    pub(super) fn floats(
        &self,
        name: &str,
        shape: &[usize],
        largest: f32,
    ) -> Result<Vec<f32>, EmbeddingError> {
        let (dtype, bytes) = self.bytes(name, shape)?;
        let element = match dtype {
            Dtype::F32 => Element::F32,
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            other => return Err(self.refuse(name, format!("{other:?}"), "F32, F16 or BF16")),
        };
        let mut values = vec![0.0; shape.iter().product()];
        element.decode(bytes, &mut values);
        match values
            .iter()
            .position(|value| value.is_nan() || value.abs() > largest)
        {
            None => Ok(values),
            Some(at) => Err(self.refuse(
                name,
                format!("{} at place {at}", values[at]),
                format!("finite numbers up to {largest}"),
            )),
        }
    }

    /// The refusal of a tensor.
    pub(super) fn refuse(
        &self,
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> EmbeddingError {
        EmbeddingError::malformed(self.place, format!("tensor `{name}`"), found, expected)
    }

    fn missing(&self, name: &str) -> EmbeddingError {
        self.refuse(name, "no such tensor", "it in the file")
    }

    /// Type and bytes of a tensor; the reader has checked that there are as many bytes as its shape has.
    fn bytes(&self, name: &str, shape: &[usize]) -> Result<(Dtype, &[u8]), EmbeddingError> {
        let Ok(view) = self.tensors.tensor(name) else {
            return Err(self.missing(name));
        };
        if view.shape() != shape {
            return Err(self.refuse(
                name,
                format!("shape {:?}", view.shape()),
                format!("shape {shape:?}"),
            ));
        }
        Ok((view.dtype(), view.data()))
    }
}
