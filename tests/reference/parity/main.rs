//! The engine against the published implementation, for every layout: expectations made by `tests/reference/make.py`.
//!
//! `cargo test -p r3mes-model --test parity`; one module per layout, so that a failure names it. The bars are those of
//! `tests/reference/README.md`.

mod adapters;
mod bars;
mod bitlinear;
mod case;
mod logits;
mod same_bits;
mod screened;
mod text;

/// The tests of one layout, for the folder `tests/reference/data/<name>`.
macro_rules! layouts {
    ($($module:ident = $name:literal),* $(,)?) => {
        /// Folders with a model.
        const LAYOUTS: &[&str] = &[$($name),*];
        $(
            mod $module {
                use crate::case::Case;

                #[test]
                fn gives_the_published_logits() {
                    let case = Case::open($name);
                    crate::logits::check(&case, &case.model());
                }

                #[test]
                fn continues_as_published() {
                    let case = Case::open($name);
                    crate::logits::check_greedy(&case, &case.model());
                }

                #[test]
                fn finds_the_published_best_with_tables_read_as_large() {
                    crate::screened::check(&Case::open($name));
                }

                #[test]
                fn has_the_same_bits_however_the_work_is_split() {
                    crate::same_bits::check(&Case::open($name));
                }
            }
        )*
    };
}

layouts! {
    bitnet_packed = "bitnet-packed",
    bitnet_masters = "bitnet-masters",
    bitnet_small_embedding = "bitnet-small-embedding",
    bitnet_odd_rows = "bitnet-odd-rows",
    llama_divide = "llama-divide",
    llama_tied_shards = "llama-tied-shards",
    falcon_e = "falcon-e",
    llama_auto_inner_norm = "llama-auto-inner-norm",
    llama_online_inner_norm = "llama-online-inner-norm",
    one_bit_llm = "one-bit-llm",
    llama_some_dense = "llama-some-dense",
    llama_ternary_head = "llama-ternary-head",
    llama_float = "llama-float",
    gguf_i2s_bitnet_b158 = "gguf-i2s-bitnet-b1.58",
    gguf_i2s_llama = "gguf-i2s-llama",
    gguf_tq2_llama = "gguf-tq2-llama",
    gguf_tq1_bitnet = "gguf-tq1-bitnet",
    gguf_tq1_llama = "gguf-tq1-llama",
    gguf_tq2_bitnet_25 = "gguf-tq2-bitnet-25",
}

#[test]
fn every_kept_model_is_tested() {
    let mut kept: Vec<String> = std::fs::read_dir(case::data())
        .expect("the comparison set is part of the repository")
        .map(|entry| entry.expect("a readable folder"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a plain name"))
        .filter(|name| name != "adapters")
        .collect();
    kept.sort();
    let mut tested = LAYOUTS.to_vec();
    tested.sort_unstable();
    assert_eq!(kept, tested);
}
