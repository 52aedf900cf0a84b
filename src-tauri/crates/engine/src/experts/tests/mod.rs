//! Random adapters for the built-in model, and the tests on them.

mod hostile;
mod installing;
mod packs;
mod places;

use super::base::Base;
use super::install::install;
use super::shelf::Shelf;
use crate::Home;
use crate::api::ExpertImport;
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::tiers::Dice;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A data folder whose path has spaces and letters beyond ASCII, as people's folders do.
struct House {
    folder: TempDir,
    shelf: Shelf,
    base: Arc<Base>,
}

fn home(folder: &Path) -> Home {
    Home {
        path: folder.join("veri"),
        reason: "a test",
    }
}

impl House {
    fn new() -> House {
        let folder = TempDir::with_prefix("Şükrü Öğüt ").expect("a temporary folder");
        House {
            shelf: Shelf::new(home(folder.path())),
            base: Arc::new(builtin()),
            folder,
        }
    }

    /// A place outside the data folder.
    fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn import(&self, path: &Path, id: Option<&str>) -> Result<String, EngineError> {
        let request = ExpertImport {
            path: path.to_owned(),
            id: id.map(str::to_owned),
            ..ExpertImport::default()
        };
        let installed = install(&self.shelf, &request, &self.base, &Cancel::new());
        installed.map(|id| id.expect("nobody cancels"))
    }

    /// The version of an installed expert.
    fn generation(&self, id: &str) -> String {
        let found = self.shelf.look(id, &self.base);
        found.expect("installed").generation
    }

    /// Why an import is refused; nothing may be left of it.
    fn refused(&self, path: &Path) -> String {
        let error = self.import(path, Some("mine")).expect_err("refused");
        let left: Vec<_> = std::fs::read_dir(self.shelf.folder())
            .expect("the folder of experts")
            .flatten()
            .map(|entry| entry.file_name())
            .filter(|name| name != ".lock")
            .collect();
        assert!(left.is_empty(), "{left:?}");
        error.report()
    }
}

fn builtin() -> Base {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../resources/models/builtin");
    Base {
        name: crate::BUILTIN.into(),
        config: r3mes_model::inspect::config(&path).expect("the built-in model"),
        hash: Some("sha256:builtin".into()),
    }
}

/// Linears of a layer with input and output features, for a model of this width and feed-forward width.
fn linears(hidden: usize, intermediate: usize) -> [(&'static str, usize, usize); 3] {
    [
        ("self_attn.q_proj", hidden, hidden),
        ("mlp.gate_proj", hidden, intermediate),
        ("mlp.down_proj", intermediate, hidden),
    ]
}

/// A DoRA adapter in PEFT's layout for a model of this width; the same seed gives the same bytes.
fn write_peft(folder: &Path, rank: usize, hidden: usize, seed: u64) {
    std::fs::create_dir_all(folder).expect("a new folder");
    let mut dice = Dice::new(seed);
    let mut tensors: Vec<(String, Vec<usize>)> = Vec::new();
    for layer in 0..4 {
        for (linear, input, output) in linears(hidden, hidden * 512 / 192) {
            let name = format!("base_model.model.model.layers.{layer}.{linear}");
            tensors.push((format!("{name}.lora_A.weight"), vec![rank, input]));
            tensors.push((format!("{name}.lora_B.weight"), vec![output, rank]));
            tensors.push((format!("{name}.lora_magnitude_vector"), vec![output]));
        }
    }
    let mut numbers = Vec::new();
    let mut header = Map::new();
    for (name, shape) in tensors {
        let start = numbers.len();
        for _ in 0..shape.iter().product::<usize>() {
            let number = dice.below(2000) as f32 / 1e5 + 0.01;
            numbers.extend_from_slice(&number.to_le_bytes());
        }
        let tensor =
            json!({"dtype": "F32", "shape": shape, "data_offsets": [start, numbers.len()]});
        header.insert(name, tensor);
    }
    write_safetensors(folder, &Value::Object(header), &numbers);
    let config = json!({
        "peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "use_dora": true,
        "target_modules": ["q_proj", "gate_proj", "down_proj"],
        "base_model_name_or_path": "r3mes/builtin",
    });
    std::fs::write(folder.join("adapter_config.json"), config.to_string()).expect("a new file");
}

fn write_safetensors(folder: &Path, header: &Value, numbers: &[u8]) {
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(numbers);
    std::fs::write(folder.join("adapter_model.safetensors"), bytes).expect("a new file");
}

/// A whole expert in a folder: adapter, examples, licence, evaluation, description.
fn write_expert(folder: &Path, seed: u64) {
    write_peft(folder, 4, 192, seed);
    for (name, text) in [
        (
            "examples.jsonl",
            "{\"text\": \"Kira sözleşmem bitti\"}\n{\"text\": \"my lease\"}\n",
        ),
        ("LICENSE", "CC-BY-4.0\n"),
        (
            "evaluation.json",
            r#"{"figures": [{"name": "perplexity", "base": 20.0, "expert": 12.5, "lower_is_better": true}]}"#,
        ),
        (
            "expert.json",
            r#"{"schema": 1, "id": "tenancy", "name": "Kiracılık", "domain": "legal", "description": "Kira hukuku", "licence": "CC-BY-4.0"}"#,
        ),
    ] {
        std::fs::write(folder.join(name), text).expect("a new file");
    }
}
