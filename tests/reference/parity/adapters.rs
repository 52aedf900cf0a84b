//! Adapters against PEFT and against the definition of the additive form and of mixes; expectations by `tests/reference/adapters.py`.

use std::path::PathBuf;
use std::sync::Arc;

use r3mes_kernels::Isa;
use r3mes_model::adapter::{Adapter, AdapterOptions, Mix, Precision, load};
use r3mes_model::model::Model;
use serde::Deserialize;

use crate::bars::distance;
use crate::case::{Case, data, extend, read_json};
use crate::logits::{check_greedy_with, check_with};

/// `data/adapters/expected/<mix>`.
struct MixCase {
    /// Prompts and published logits.
    expected: Case,
    base: Case,
    adapters: Vec<(String, f32)>,
}

#[derive(Deserialize)]
struct Described {
    base: String,
    adapters: Vec<(String, f32)>,
}

impl MixCase {
    fn open(name: &str) -> Self {
        let place = format!("adapters/expected/{name}");
        let described: Described = read_json(&data().join(&place).join("expected.json"));
        Self {
            expected: Case::open(&place),
            base: Case::open(&described.base),
            adapters: described.adapters,
        }
    }

    fn mix(&self, model: &Model, precision: Precision) -> Arc<Mix> {
        let adapters: Vec<(Arc<Adapter>, f32)> = self
            .adapters
            .iter()
            .map(|(name, weight)| (Arc::new(loaded(model, name, precision)), *weight))
            .collect();
        Arc::new(Mix::compile(model.config(), &adapters).expect("adapters of this model"))
    }
}

fn folder(name: &str) -> PathBuf {
    data().join("adapters").join(name)
}

fn loaded(model: &Model, name: &str, precision: Precision) -> Adapter {
    let options = AdapterOptions {
        isa: model.isa(),
        pool: model.pool(),
        precision,
        kept: None,
    };
    load(&folder(name), name, &model.weights(), options, &mut || true)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn logits(model: &Model, mix: &Arc<Mix>, ids: &[u32], chunk: usize) -> Vec<f32> {
    let mut state = model.start_with(Arc::clone(mix)).expect("a cache");
    extend(model, &mut state, ids, chunk);
    model.logits(&mut state).expect("logits").to_vec()
}

fn check(name: &str) {
    let case = MixCase::open(name);
    let model = case.base.model();
    let mix = case.mix(&model, Precision::F32);
    check_with(&case.expected, &model, &mix);
    check_greedy_with(&case.expected, &model, &mix);
}

macro_rules! mixes {
    ($($module:ident = $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $module() {
                check($name);
            }
        )*
    };
}

mixes! {
    dora_on_every_linear_is_that_of_peft = "dora-all",
    patterns_of_rank_alpha_and_layers_are_those_of_peft = "dora-patterns",
    lora_in_bf16_is_that_of_peft = "lora-bf16",
    the_additive_form_is_its_definition = "additive",
    dora_on_ternarised_masters_is_that_of_peft = "dora-masters",
    dora_beside_inner_norms_is_that_of_peft = "dora-inner-norm",
    dora_beside_dense_linears_is_that_of_peft = "dora-some-dense",
    two_adapters_are_their_blend = "mix-of-two",
    three_adapters_are_their_blend = "mix-of-three",
    two_gains_are_their_blend = "mix-of-two-gains",
}

#[test]
fn the_same_mix_gives_the_same_bits_however_the_work_is_split() {
    let case = MixCase::open("mix-of-three");
    let longest = case.expected.prompts.iter().map(|prompt| &prompt.ids);
    let ids = longest.max_by_key(|ids| ids.len()).expect("prompts");
    let bits = |row: Vec<f32>| row.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    for precision in [Precision::F32, Precision::Int8] {
        let best = Isa::select().expect("an instruction set");
        let model = case.base.model_on(1, best);
        let expected = bits(logits(&model, &case.mix(&model, precision), ids, 512));
        for isa in Isa::available() {
            let model = case.base.model_on(2, isa);
            let mix = case.mix(&model, precision);
            for chunk in [1, 7, 512] {
                let found = bits(logits(&model, &mix, ids, chunk));
                assert!(found == expected, "{isa}, chunk {chunk}, {precision:?}");
            }
        }
    }
}

#[test]
fn int8_numbers_stay_near_the_exact_ones() {
    // Changes here are a quarter as long as the weights, far more than a training makes, so this is the bad case.
    for name in ["dora-all", "additive", "mix-of-three"] {
        let case = MixCase::open(name);
        let model = case.base.model();
        let (exact, small) = (
            case.mix(&model, Precision::F32),
            case.mix(&model, Precision::Int8),
        );
        assert!(small.traffic() * 2 < exact.traffic(), "{name}");
        let row = |mix, ids: &[u32]| logits(&model, mix, ids, 512);
        let prompts = case.expected.prompts.iter().map(|prompt| &prompt.ids);
        let mut far: Vec<f64> = prompts
            .map(|ids| distance(&row(&small, ids), &row(&exact, ids)).sigma)
            .collect();
        far.sort_by(f64::total_cmp);
        // One step of an activation more or less moves a tiny model's logits by some tenths of σ, so the middle says more than the end.
        assert!(
            far[far.len() / 2] <= 0.2 && far[far.len() - 1] <= 0.6,
            "{name}: {far:.3?} σ"
        );
    }
}

#[test]
fn a_share_of_zero_and_no_adapter_are_the_base_model_bit_for_bit() {
    let case = MixCase::open("dora-all");
    let model = case.base.model();
    let adapter = Arc::new(loaded(&model, "dora-all", Precision::Auto));
    let none = Arc::new(Mix::compile(model.config(), &[(adapter, 0.0)]).expect("a mix"));
    assert!(none.is_base());
    for prompt in &case.base.prompts {
        let base = logits(&model, &Arc::new(Mix::base()), &prompt.ids, 512);
        assert_eq!(logits(&model, &none, &prompt.ids, 512), base);
    }
}
