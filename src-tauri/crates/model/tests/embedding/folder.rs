//! Embedder folders in memory, whole or damaged.

use r3mes_model::embedding::{Embedder, EmbeddingError};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

/// The files of an embedder by name.
#[derive(Clone)]
pub struct Folder(pub Vec<(String, Vec<u8>)>);

impl Folder {
    #[expect(clippy::result_large_err, reason = "one call in a test")]
    pub fn open(&self) -> Result<Embedder, EmbeddingError> {
        let files: Vec<(&str, &[u8])> = self
            .0
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        Embedder::from_memory("fixture", &files)
    }

    pub fn write(&self, folder: &std::path::Path) {
        for (name, bytes) in &self.0 {
            std::fs::write(folder.join(name), bytes).expect("a writable folder");
        }
    }

    pub fn get(&self, name: &str) -> &[u8] {
        let found = self.0.iter().find(|(file, _)| file == name);
        &found.expect("a file of the folder").1
    }

    pub fn with(mut self, name: &str, bytes: Vec<u8>) -> Folder {
        self.0.retain(|(file, _)| file != name);
        self.0.push((name.to_owned(), bytes));
        self
    }

    pub fn without(mut self, name: &str) -> Folder {
        self.0.retain(|(file, _)| file != name);
        self
    }

    /// The folder with one field of a JSON file set.
    pub fn with_field(self, name: &str, field: &str, value: Value) -> Folder {
        let mut json: Value = serde_json::from_slice(self.get(name)).expect("JSON");
        json[field] = value;
        self.with(name, json.to_string().into_bytes())
    }

    /// The folder with these tensors as its weights.
    pub fn with_tensors(self, tensors: &[Tensor]) -> Folder {
        self.with("model.safetensors", safetensors_of(tensors))
    }
}

/// A tensor to be written.
pub struct Tensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn int8(name: &str, shape: &[usize], codes: &[i8]) -> Tensor {
        Tensor {
            name: name.to_owned(),
            dtype: Dtype::I8,
            shape: shape.to_vec(),
            bytes: codes.iter().map(|&code| code as u8).collect(),
        }
    }

    pub fn float(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
        Tensor {
            name: name.to_owned(),
            dtype: Dtype::F32,
            shape: shape.to_vec(),
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }
}

pub fn safetensors_of(tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|tensor| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes);
        (tensor.name.as_str(), view.expect("bytes of that shape"))
    });
    safetensors::serialize(views, None).expect("a small file")
}

/// A word-level tokenizer with these words; ids are their places, the first is the unknown one.
pub fn words(words: &[&str]) -> Vec<u8> {
    let vocab: serde_json::Map<String, Value> = words
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), id.into()))
        .collect();
    let file = json!({
        "version": "1.0",
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": words[0]},
    });
    file.to_string().into_bytes()
}

/// The error and all its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Opens a folder that must be refused, with each of `parts` in the message.
pub fn refused(folder: &Folder, parts: &[&str]) {
    let error = match folder.open() {
        Ok(_) => panic!("opened; expected an error with {parts:?}"),
        Err(error) => chain(&error),
    };
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}
