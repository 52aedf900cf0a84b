//! `adapter_model.safetensors`: which tensors there are, whether they fit the model, and their numbers.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::Dtype;

use super::config::{AdapterConfig, AdapterForm};
use super::error::AdapterError;
use super::linear::LinearName;
use crate::config::ModelConfig;
use crate::element::Element;
use crate::load::LoadError;
use crate::load::header::read_header;
use crate::load::source::Source;

/// The file's name.
pub const TENSOR_FILE: &str = "adapter_model.safetensors";

/// What a tensor is to its linear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    A,
    B,
    Magnitude,
}

/// A stored tensor of floats.
#[derive(Debug)]
struct Stored {
    name: String,
    element: Element,
    shape: Vec<usize>,
    offset: u64,
    bytes: u64,
}

/// The tensors of one linear, of the right shapes.
#[derive(Debug)]
pub(super) struct LinearTensors {
    pub rank: usize,
    a: Stored,
    b: Stored,
    magnitude: Option<Stored>,
}

/// The numbers of one linear.
pub(super) struct LinearNumbers {
    /// `[rank, in]`
    pub a: Vec<f32>,
    /// `[out, rank]`
    pub b: Vec<f32>,
    /// `[out]`
    pub magnitude: Option<Vec<f32>>,
}

/// An opened adapter whose shapes fit the model.
#[derive(Debug)]
pub(super) struct AdapterFile {
    source: Source,
    pub linears: BTreeMap<(usize, LinearName), LinearTensors>,
}

impl AdapterFile {
    /// Reads the header and compares it with configuration and model.
    ///
    /// # Errors
    /// If the file is malformed, a tensor is unknown, missing, of another type or shape.
    pub(super) fn open(
        folder: &Path,
        adapter: &str,
        config: &AdapterConfig,
        model: &ModelConfig,
    ) -> Result<Self, AdapterError> {
        let path = folder.join(TENSOR_FILE);
        let source = Source::open(&path)?;
        let (metadata, data_offset) = read_header(&source)?;
        let mut found: BTreeMap<(usize, LinearName), BTreeMap<Role, Stored>> = BTreeMap::new();
        // In the order of names, so that the first error is always the same one.
        let tensors: BTreeMap<_, _> = metadata.tensors().into_iter().collect();
        for (name, info) in tensors {
            let Some((layer, linear, role)) = place(&name, config.form) else {
                return Err(AdapterError::Unsupported {
                    path,
                    field: name,
                    found: "a tensor of no linear of a block".to_owned(),
                    reason: "the head, the embedding and other modules are not adapted".to_owned(),
                });
            };
            let (start, end) = info.data_offsets;
            let stored = Stored {
                element: element(&path, &name, info.dtype)?,
                shape: info.shape.clone(),
                offset: data_offset + start as u64,
                bytes: (end - start) as u64,
                name,
            };
            let place = (layer, linear);
            let wrong = |found: String, expected: String| AdapterError::Linear {
                adapter: adapter.to_owned(),
                layer,
                linear: linear.as_str(),
                found,
                expected,
            };
            if layer >= model.layers {
                let expected = format!(
                    "a layer below {}: it was made for another model",
                    model.layers
                );
                return Err(wrong("tensors".to_owned(), expected));
            }
            if !config.targets.contain(layer, linear) {
                let expected = "it among `target_modules`".to_owned();
                return Err(wrong("tensors".to_owned(), expected));
            }
            if let Some(first) = found.entry(place).or_default().insert(role, stored) {
                return Err(wrong(
                    format!("two tensors, one of them `{}`", first.name),
                    "one".to_owned(),
                ));
            }
        }
        let linears = complete(adapter, config, model, found)?;
        Ok(Self { source, linears })
    }

    /// Reads the numbers of one linear; all are finite.
    ///
    /// # Errors
    /// If the file cannot be read or holds a number that is none.
    pub(super) fn read(
        &self,
        adapter: &str,
        place: (usize, LinearName),
    ) -> Result<LinearNumbers, AdapterError> {
        let tensors = &self.linears[&place];
        let numbers = |name: &str, stored: &Stored| {
            let values = self.values(stored)?;
            match values.iter().position(|value| !value.is_finite()) {
                None => Ok(values),
                Some(index) => Err(AdapterError::Linear {
                    adapter: adapter.to_owned(),
                    layer: place.0,
                    linear: place.1.as_str(),
                    found: format!("value {index} of {name} is {}", values[index]),
                    expected: "a finite number".to_owned(),
                }),
            }
        };
        let magnitude = tensors.magnitude.as_ref();
        Ok(LinearNumbers {
            a: numbers("A", &tensors.a)?,
            b: numbers("B", &tensors.b)?,
            magnitude: magnitude
                .map(|stored| numbers("the magnitude", stored))
                .transpose()?,
        })
    }

    /// Refuses a file that was written while it was read.
    ///
    /// # Errors
    /// If its length or time is another than when it was opened.
    pub(super) fn check_unchanged(&self) -> Result<(), AdapterError> {
        let now = Source::open(self.source.path())?;
        match (now.bytes(), now.modified_ns()) == (self.source.bytes(), self.source.modified_ns()) {
            true => Ok(()),
            false => Err(AdapterError::File(LoadError::malformed(
                self.source.path(),
                "file",
                "another content than when it was opened",
                "it unchanged while it is read; load it again",
            ))),
        }
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn values(&self, stored: &Stored) -> Result<Vec<f32>, LoadError> {
        let bytes = self.source.read_vec(stored.offset, stored.bytes)?;
        let mut out = vec![0.0; stored.shape.iter().product()];
        stored.element.decode(&bytes, &mut out);
        Ok(out)
    }
}

/// Layer, linear and role of a tensor's name.
fn place(name: &str, form: AdapterForm) -> Option<(usize, LinearName, Role)> {
    let name = name.strip_prefix("base_model.model.").unwrap_or(name);
    let (module, rest) = name.split_once("_proj.")?;
    let (layer, linear) = LinearName::parse(&format!("{module}_proj"))?;
    let role = match form {
        AdapterForm::Additive => match rest {
            "direction_A" => Role::A,
            "direction_B" => Role::B,
            "magnitude" => Role::Magnitude,
            _ => return None,
        },
        AdapterForm::WeightDecomposed | AdapterForm::LowRank => {
            let mut words = rest.split('.');
            let role = match words.next()? {
                "lora_A" => Role::A,
                "lora_B" => Role::B,
                "lora_magnitude_vector" => Role::Magnitude,
                _ => return None,
            };
            // `lora_A.weight`, or `lora_A.<adapter>.weight` where the adapter's name was left in; the magnitude may lack `weight`.
            let rest: Vec<&str> = words.collect();
            let named = matches!(rest.as_slice(), ["weight"] | [_, "weight"]);
            let bare = role == Role::Magnitude && rest.len() <= 1;
            if !named && !bare {
                return None;
            }
            role
        }
    };
    Some((layer, linear, role))
}

fn element(path: &Path, name: &str, dtype: Dtype) -> Result<Element, LoadError> {
    match dtype {
        Dtype::F32 => Ok(Element::F32),
        Dtype::F16 => Ok(Element::F16),
        Dtype::BF16 => Ok(Element::Bf16),
        other => Err(LoadError::malformed(
            path,
            format!("tensor `{name}`"),
            format!("{other:?}"),
            "F32, F16 or BF16",
        )),
    }
}

/// Every linear that the configuration names, with all its tensors in the right shapes.
fn complete(
    adapter: &str,
    config: &AdapterConfig,
    model: &ModelConfig,
    mut found: BTreeMap<(usize, LinearName), BTreeMap<Role, Stored>>,
) -> Result<BTreeMap<(usize, LinearName), LinearTensors>, AdapterError> {
    let mut linears = BTreeMap::new();
    let targets = (0..model.layers)
        .flat_map(|layer| LinearName::ALL.map(|linear| (layer, linear)))
        .filter(|(layer, linear)| config.targets.contain(*layer, *linear));
    for (layer, linear) in targets {
        let wrong = |found: String, expected: String| AdapterError::Linear {
            adapter: adapter.to_owned(),
            layer,
            linear: linear.as_str(),
            found,
            expected,
        };
        let mut tensors = found.remove(&(layer, linear)).unwrap_or_default();
        let mut take = |role: Role, word: &str| {
            tensors.remove(&role).ok_or_else(|| {
                wrong(
                    format!("no {word}"),
                    "one, as `target_modules` says".to_owned(),
                )
            })
        };
        let (a, b) = (take(Role::A, "A")?, take(Role::B, "B")?);
        let magnitude = match config.form {
            AdapterForm::LowRank => None,
            AdapterForm::WeightDecomposed | AdapterForm::Additive => {
                Some(take(Role::Magnitude, "magnitude")?)
            }
        };
        if let Some(stored) = tensors.into_values().next() {
            return Err(wrong(
                format!("`{}`", stored.name),
                "no magnitude: `use_dora` is false".to_owned(),
            ));
        }
        let rank = config.rank(&linear.module(layer));
        let (rows, columns) = linear.shape(model);
        let shape = |name: &str, stored: &Stored, expected: [usize; 2], words: [&str; 2]| {
            match stored.shape == expected {
                true => Ok(()),
                false => Err(wrong(
                    format!("{name} has the shape {:?}", stored.shape),
                    format!("{expected:?}, {} by {} of the weight", words[0], words[1]),
                )),
            }
        };
        shape("A", &a, [rank, columns], ["rank", "input features"])?;
        shape("B", &b, [rows, rank], ["output features", "rank"])?;
        if let Some(magnitude) = &magnitude {
            let values = magnitude.shape.iter().product::<usize>();
            let flat = magnitude.shape.iter().filter(|size| **size != 1).count() <= 1;
            if !flat || values != rows {
                return Err(wrong(
                    format!("magnitude has {values} values"),
                    format!("{rows}, the output features of the weight"),
                ));
            }
        }
        let tensors = LinearTensors {
            rank,
            a,
            b,
            magnitude,
        };
        linears.insert((layer, linear), tensors);
    }
    match linears.is_empty() {
        false => Ok(linears),
        true => Err(AdapterError::Whole {
            adapter: adapter.to_owned(),
            found: "no linear of this model among `target_modules`".to_owned(),
            expected: "at least one".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tensors_are_understood() {
        let peft = |name: &str| place(name, AdapterForm::WeightDecomposed);
        let prefix = "base_model.model.model.layers.3.mlp.up_proj";
        let up = |role| Some((3, LinearName::Up, role));
        assert_eq!(peft(&format!("{prefix}.lora_A.weight")), up(Role::A));
        assert_eq!(
            peft(&format!("{prefix}.lora_B.default.weight")),
            up(Role::B)
        );
        for ending in ["", ".weight", ".default", ".default.weight"] {
            let name = format!("{prefix}.lora_magnitude_vector{ending}");
            assert_eq!(peft(&name), up(Role::Magnitude), "{name}");
        }
        assert_eq!(peft(&format!("{prefix}.lora_A")), None);
        assert_eq!(peft("base_model.model.lm_head.lora_A.weight"), None);
        let ours = |name: &str| place(name, AdapterForm::Additive);
        let name = "model.layers.0.self_attn.q_proj.direction_A";
        assert_eq!(ours(name), Some((0, LinearName::Q, Role::A)));
        assert_eq!(ours("model.layers.0.self_attn.q_proj.lora_A.weight"), None);
    }
}
