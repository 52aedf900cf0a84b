//! Adapters as files: what is wrong with one is said with layer, found and expected, and nothing wrong is ever applied.

mod fixture;

use std::path::Path;
use std::sync::Arc;

use fixture::{BITNET, prompt};
use r3mes_kernels::Pool;
use r3mes_model::adapter::{
    Adapter, AdapterError, AdapterForm, AdapterOptions, Kept, Mix, Precision, inspect, load,
};
use r3mes_model::forward::Outcome;
use r3mes_model::model::{KvChoice, Model};
use r3mes_model::synth::{SynthAdapter, write_adapter};
use safetensors::tensor::{SafeTensors, TensorView};
use serde_json::{Value, json};

const FORMS: [AdapterForm; 3] = [
    AdapterForm::WeightDecomposed,
    AdapterForm::Additive,
    AdapterForm::LowRank,
];

fn model() -> Model {
    BITNET.model(1, 2, KvChoice::F32)
}

fn written(model: &Model, form: AdapterForm, seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let what = SynthAdapter {
        form,
        rank: 4,
        seed,
    };
    let machine = (model.isa(), model.pool());
    write_adapter(&model.weights(), machine, what, folder.path()).unwrap();
    folder
}

fn options<'a>(pool: &'a Pool, kept: Option<Kept<'a>>) -> AdapterOptions<'a> {
    AdapterOptions {
        isa: r3mes_kernels::Isa::select().unwrap(),
        pool,
        precision: Precision::Auto,
        kept,
    }
}

fn brought(model: &Model, folder: &Path) -> Result<Adapter, AdapterError> {
    let options = options(model.pool(), None);
    load(folder, "some", &model.weights(), options, &mut || true)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Changes the configuration of a good adapter and says what loading makes of it.
fn with_config(change: impl Fn(&mut Value)) -> Result<(), String> {
    let model = model();
    let folder = written(&model, AdapterForm::WeightDecomposed, 1);
    let path = folder.path().join("adapter_config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    std::fs::write(&path, config.to_string()).unwrap();
    let inspected = inspect(folder.path(), "some", model.config(), Precision::Auto);
    let loaded = brought(&model, folder.path());
    if let (Err(one), Err(other)) = (&inspected, &loaded) {
        assert_eq!(one.to_string(), other.to_string(), "both say the same");
    }
    loaded.map(drop).map_err(|error| chain(&error))
}

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Changes the tensors of a good adapter (all become f32) and says what loading makes of it.
fn with_tensors(change: impl Fn(&mut Tensors)) -> Result<(), String> {
    let model = model();
    let folder = written(&model, AdapterForm::WeightDecomposed, 1);
    let path = folder.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Tensors = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view.shape().to_vec(), floats(&view)))
        .collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    change(&mut tensors);
    write(&path, &tensors);
    brought(&model, folder.path())
        .map(drop)
        .map_err(|error| chain(&error))
}

fn floats(view: &TensorView<'_>) -> Vec<f32> {
    match view.dtype() {
        safetensors::Dtype::F32 => {
            let chunks = view.data().as_chunks::<4>().0.iter();
            chunks.map(|bytes| f32::from_le_bytes(*bytes)).collect()
        }
        _ => {
            let chunks = view.data().as_chunks::<2>().0.iter();
            let wide = chunks.map(|bytes| u32::from(u16::from_le_bytes(*bytes)) << 16);
            wide.map(f32::from_bits).collect()
        }
    }
}

fn write(path: &Path, tensors: &Tensors) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn find<'a>(tensors: &'a mut Tensors, end: &str) -> &'a mut (String, Vec<usize>, Vec<f32>) {
    let place = tensors.iter().position(|(name, ..)| name.ends_with(end));
    &mut tensors[place.expect("a tensor of that name")]
}

fn says(found: Result<(), String>, words: &[&str]) {
    let message = found.expect_err("a bad adapter was taken");
    for word in words {
        assert!(message.contains(word), "{message}\nlacks {word}");
    }
}

#[test]
fn a_random_adapter_of_every_form_loads_and_changes_the_logits() {
    let model = model();
    let tokens = prompt(3, 40);
    let logits = |mix: Mix| {
        let mut state = model.start_with(Arc::new(mix)).unwrap();
        let done = model
            .prefill(&mut state, &tokens, 16, &mut |_| true)
            .unwrap();
        assert_eq!(done, Outcome::Done);
        model.logits(&mut state).unwrap().to_vec()
    };
    let base = logits(Mix::base());
    for form in FORMS {
        let folder = written(&model, form, 7);
        let info = inspect(folder.path(), "some", model.config(), Precision::Auto).unwrap();
        let adapter = brought(&model, folder.path()).unwrap();
        assert_eq!((info.form, info.rank, info.alpha), (form, 4, 8.0));
        assert_eq!(
            (info.resident_bytes, &info),
            (adapter.bytes(), adapter.info())
        );
        let mix = Mix::compile(model.config(), &[(Arc::new(adapter), 1.0)]).unwrap();
        let moved = logits(mix)
            .iter()
            .zip(&base)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(moved > 0.05, "{form:?} moved logits by {moved}");
    }
}

#[test]
fn an_adapter_of_another_model_is_refused_with_its_layer() {
    let model = model();
    let folder = written(&model, AdapterForm::WeightDecomposed, 1);
    let wider = fixture::Shape {
        head_dim: 32,
        ..BITNET
    };
    let other = wider.model(1, 1, KvChoice::F32);
    let error = brought(&other, folder.path()).unwrap_err().to_string();
    assert!(
        error.starts_with("adapter `some`, layer 0 `q_proj`: B has the shape [96, 4]"),
        "{error}"
    );
    let adapter = Arc::new(brought(&model, folder.path()).unwrap());
    let error = Mix::compile(other.config(), &[(adapter, 1.0)]).unwrap_err();
    assert!(
        error.to_string().contains("shapes of another model"),
        "{error}"
    );
}

#[test]
fn a_bad_configuration_is_refused_with_its_field() {
    let set = |field: &'static str, value: Value| {
        with_config(move |config| config[field] = value.clone())
    };
    says(set("r", json!(0)), &["`r`: 0, expected", "1 to 4096"]);
    says(set("r", json!(1_000_000)), &["`r`: 1000000, expected"]);
    says(set("r", json!(2.5)), &["`r`: 2.5, expected a whole number"]);
    says(
        set("r", json!(5)),
        &["layer 0 `q_proj`: A has the shape [4, 80], expected [5, 80]"],
    );
    says(set("lora_alpha", json!("x")), &["`lora_alpha`: \"x\""]);
    says(
        set("peft_type", json!("IA3")),
        &["IA3; LoRA and DoRA adapters are applied"],
    );
    says(
        set("bias", json!("lora_only")),
        &["`bias`", "trained biases are not applied"],
    );
    says(
        set("modules_to_save", json!(["lm_head"])),
        &["`modules_to_save`", "lm_head"],
    );
    says(
        set("init_lora_weights", json!("pissa_niter_4")),
        &["base weights were changed"],
    );
    says(
        set("target_modules", json!("(((")),
        &["`target_modules`", "a pattern"],
    );
    says(
        set("target_modules", json!(["q_proj"])),
        &["expected it among `target_modules`"],
    );
    says(
        set("target_modules", json!(["nothing"])),
        &["`target_modules`"],
    );
    says(
        set("use_dora", json!(false)),
        &["expected no magnitude: `use_dora` is false"],
    );
    says(
        set("adapter_type", json!("other")),
        &["`adapter_type`: other"],
    );
    let long = "x".repeat(100_000);
    says(set("peft_type", json!(long)), &["xxx…"]);
}

#[test]
fn bad_tensors_are_refused_with_layer_and_numbers() {
    let up = "layers.1.mlp.up_proj";
    says(
        with_tensors(|all| {
            let magnitude = find(all, "layers.1.mlp.up_proj.lora_magnitude_vector");
            magnitude.1 = vec![100];
            magnitude.2.truncate(100);
        }),
        &["adapter `some`, layer 1 `up_proj`: magnitude has 100 values, expected 152"],
    );
    says(
        with_tensors(|all| {
            all.retain(|(name, ..)| !name.ends_with("layers.1.mlp.up_proj.lora_magnitude_vector"))
        }),
        &["layer 1 `up_proj`: no magnitude, expected one"],
    );
    says(
        with_tensors(|all| all.retain(|(name, ..)| !name.contains(up) || !name.contains("lora_A"))),
        &["layer 1 `up_proj`: no A"],
    );
    for (value, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        says(
            with_tensors(|all| find(all, "layers.1.mlp.up_proj.lora_B.weight").2[17] = value),
            &[
                "layer 1 `up_proj`: value 17 of B is",
                word,
                "expected a finite number",
            ],
        );
    }
    says(
        with_tensors(|all| {
            let head = (
                "base_model.model.lm_head.lora_A.weight".into(),
                vec![1],
                vec![0.0],
            );
            all.push(head);
        }),
        &["lm_head.lora_A.weight", "not adapted"],
    );
    says(
        with_tensors(|all| {
            for tensor in all.iter_mut() {
                tensor.0 = tensor.0.replace("layers.1.", "layers.11.");
            }
        }),
        &["layer 11", "another model"],
    );
}

#[test]
fn magnitudes_of_another_base_are_refused() {
    says(
        with_tensors(|all| {
            for (name, _, values) in all.iter_mut() {
                if name.contains("magnitude") {
                    values.iter_mut().for_each(|value| *value *= 1.52);
                }
            }
        }),
        &["magnitudes about 1.5", "needs rebasing"],
    );
}

#[test]
fn a_cut_or_flipped_file_is_refused_or_loads_and_never_panics() {
    let model = model();
    let folder = written(&model, AdapterForm::WeightDecomposed, 1);
    let path = folder.path().join("adapter_model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(brought(&model, folder.path()).is_err(), "cut at {cut}");
    }
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for step in 0..200 {
        let mut damaged = whole.clone();
        damaged[step * 37 % header] ^= 1 << (step % 8);
        std::fs::write(&path, &damaged).unwrap();
        // Either answer is right: a flip in a name or a shape is noticed, one in a space is not.
        let _either = brought(&model, folder.path());
    }
}

#[test]
fn the_kept_form_is_the_same_adapter_and_damage_to_it_is_mended() {
    let model = model();
    let folder = written(&model, AdapterForm::WeightDecomposed, 1);
    let file = folder.path().join("resident");
    let kept = |content: &'static [u8]| {
        let kept = Kept {
            file: &file,
            content,
        };
        let weights = model.weights();
        let options = options(model.pool(), Some(kept));
        load(folder.path(), "some", &weights, options, &mut || true).unwrap()
    };
    let tokens = prompt(3, 20);
    let logits = |adapter: Adapter| {
        let mix = Mix::compile(model.config(), &[(Arc::new(adapter), 0.7)]).unwrap();
        let mut state = model.start_with(Arc::new(mix)).unwrap();
        let done = model
            .prefill(&mut state, &tokens, 16, &mut |_| true)
            .unwrap();
        assert_eq!(done, Outcome::Done);
        model.logits(&mut state).unwrap().to_vec()
    };
    let first = logits(kept(b"one"));
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(logits(kept(b"one")), first);
    assert_eq!(
        std::fs::read(&file).unwrap(),
        bytes,
        "it was read, not made anew"
    );
    for place in [0, 20, 45, 60, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 4;
        std::fs::write(&file, &damaged).unwrap();
        assert_eq!(logits(kept(b"one")), first, "damaged at {place}");
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "mended at {place}");
    }
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(logits(kept(b"one")), first);
    kept(b"two");
    assert_ne!(
        std::fs::read(&file).unwrap(),
        bytes,
        "another content has another key"
    );
}

#[test]
fn a_load_can_be_cancelled_and_a_mix_bounds_its_shares() {
    let model = model();
    let folder = written(&model, AdapterForm::LowRank, 1);
    let options = options(model.pool(), None);
    let mut left = 3;
    let mut going = || {
        left -= 1;
        left > 0
    };
    let loaded = load(folder.path(), "some", &model.weights(), options, &mut going);
    assert!(matches!(loaded, Err(AdapterError::Cancelled)));
    let adapter = Arc::new(brought(&model, folder.path()).unwrap());
    let mix = |shares: &[f32]| {
        let all: Vec<_> = shares
            .iter()
            .map(|share| (Arc::clone(&adapter), *share))
            .collect();
        Mix::compile(model.config(), &all).map_err(|error| error.to_string())
    };
    assert!(
        mix(&[f32::NAN])
            .unwrap_err()
            .contains("share NaN of `some`")
    );
    assert!(
        mix(&[0.1; 9])
            .unwrap_err()
            .contains("9 adapters, expected at most 8")
    );
    assert_eq!(mix(&[0.5, 0.0, 0.25]).unwrap().adapters().len(), 2);
}
