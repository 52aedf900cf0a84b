//! The published all-MiniLM-L6-v2, whose weights are not kept here: `R3MES_MINILM` names its folder.
//!
//! Not among the tests that `cargo test` runs by itself, because it needs that folder; `npm test` fetches it where it can.

mod bars;

use std::path::PathBuf;

use r3mes_model::embedding::{Embedder, EmbedderKind};

#[test]
fn minilm_gives_the_published_vectors() {
    let folder = std::env::var_os("R3MES_MINILM").expect("R3MES_MINILM names the model's folder");
    let embedder = Embedder::open(&PathBuf::from(folder)).expect("the published folder opens");
    assert_eq!(embedder.kind(), EmbedderKind::Bert);
    assert_eq!((embedder.dimension(), embedder.max_tokens()), (384, 256));
    bars::check(&embedder, &bars::published("minilm.safetensors"));
}
