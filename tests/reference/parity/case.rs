//! A kept model with what is expected of it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use r3mes_kernels::{Isa, Pool};
use r3mes_model::adapter::Mix;
use r3mes_model::forward::{Outcome, State};
use r3mes_model::load::{CacheUse, LoadOptions, load};
use r3mes_model::model::{KvChoice, Model, ModelOptions};
use r3mes_model::text::Text;
use r3mes_model::weights::{Head, Weights};
use safetensors::SafeTensors;
use serde::Deserialize;

/// The comparison set.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/reference/data")
}

/// One prompt and what `expectations.py` says of it.
#[derive(Deserialize)]
pub struct Prompt {
    pub ids: Vec<u32>,
    pub quiet: bool,
    /// Between the two largest published logits, in σ.
    pub gap: f64,
    /// A position whose logits are kept too.
    pub inner: Option<usize>,
    pub greedy: Vec<u32>,
    pub greedy_gaps: Vec<f64>,
}

/// A kept model with its expectations.
pub struct Case {
    pub name: String,
    pub prompts: Vec<Prompt>,
    /// Published logits of the last position, one row per prompt.
    pub last: Vec<Vec<f32>>,
    /// Published logits of the inner positions, one row per prompt that has one.
    pub inner: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Expected {
    prompts: Vec<Prompt>,
}

impl Case {
    pub fn open(name: &str) -> Self {
        let folder = data().join(name);
        let expected: Expected = read_json(&folder.join("expected.json"));
        let bytes =
            std::fs::read(folder.join("expected.safetensors")).expect("expected.safetensors");
        let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let (last, inner) = (rows(&tensors, "last"), rows(&tensors, "inner"));
        assert_eq!(
            last.len(),
            expected.prompts.len(),
            "rows and prompts of {name}"
        );
        Self {
            name: name.to_owned(),
            prompts: expected.prompts,
            last,
            inner,
        }
    }

    /// The folder or file a person would name.
    pub fn path(&self) -> PathBuf {
        let folder = data().join(&self.name);
        let file = folder.join("model.gguf");
        if file.exists() {
            file
        } else {
            folder.join("model")
        }
    }

    pub fn text(&self) -> Text {
        Text::load(&self.path()).expect("a tokenizer")
    }

    /// The model on all threads and the best instruction set.
    pub fn model(&self) -> Model {
        self.model_on(2, Isa::select().expect("an instruction set"))
    }

    pub fn model_on(&self, threads: usize, isa: Isa) -> Model {
        let pool = Pool::new(threads);
        let weights = self.weights(LoadOptions::new(&pool, CacheUse::Off));
        assert!(weights.head.screen.is_none(), "{}: small head", self.name);
        on(pool, isa, weights)
    }

    /// The model read as if its tables were large: rows stay in the file, the best tokens are found by screening.
    pub fn screened_model(&self) -> Model {
        let pool = Pool::new(2);
        let weights = self.weights(LoadOptions {
            large_table: 0,
            ..LoadOptions::new(&pool, CacheUse::Off)
        });
        let Head {
            table,
            screen,
            bit_linear,
        } = &weights.head;
        assert!(table.matrix().is_none(), "{}: table in memory", self.name);
        assert!(
            screen.is_some() != bit_linear.is_some(),
            "{}: a head is screened unless it is a BitLinear",
            self.name
        );
        on(pool, Isa::select().expect("an instruction set"), weights)
    }

    fn weights(&self, options: LoadOptions<'_>) -> Weights {
        load(&self.path(), &options, &mut |_| ControlFlow::Continue(()))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn on(pool: Pool, isa: Isa, weights: Weights) -> Model {
    let options = ModelOptions {
        pool,
        isa,
        kv: KvChoice::F32,
        context: None,
    };
    Model::new(weights, options)
}

/// Logits after the last of `ids`, from an empty state.
pub fn logits(model: &Model, mix: &Arc<Mix>, ids: &[u32]) -> Vec<f32> {
    let mut state = model.start_with(Arc::clone(mix)).expect("a cache");
    extend(model, &mut state, ids, 512);
    model.logits(&mut state).expect("logits").to_vec()
}

/// Appends `ids` to a state.
pub fn extend(model: &Model, state: &mut State, ids: &[u32], chunk: usize) {
    let outcome = model
        .prefill(state, ids, chunk, &mut |_| true)
        .expect("a prompt that fits");
    assert_eq!(outcome, Outcome::Done);
}

pub fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

/// The rows of an f32 matrix.
fn rows(tensors: &SafeTensors<'_>, name: &str) -> Vec<Vec<f32>> {
    let tensor = tensors.tensor(name).expect(name);
    let floats: Vec<f32> = tensor
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    floats
        .chunks(tensor.shape()[1])
        .map(<[f32]>::to_vec)
        .collect()
}
