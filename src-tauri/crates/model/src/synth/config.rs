//! `config.json` and `generation_config.json`, with the fields of the published 2B-4T.

use serde_json::{Value, json};

use super::shape::Dimensions;

pub(super) fn model(dimensions: &Dimensions) -> Value {
    let mut config = json!({
        "architectures": ["BitNetForCausalLM"],
        "bos_token_id": dimensions.bos(),
        "eos_token_id": dimensions.eos(),
        "hidden_act": "relu2",
        "hidden_size": dimensions.hidden,
        "initializer_range": 0.02,
        "intermediate_size": dimensions.intermediate,
        "max_position_embeddings": dimensions.context,
        "model_type": "bitnet",
        "rms_norm_eps": 1e-5,
        "num_attention_heads": dimensions.heads,
        "num_hidden_layers": dimensions.layers,
        "num_key_value_heads": dimensions.kv_heads,
        "rope_theta": dimensions.rope_theta,
        "tie_word_embeddings": true,
        "torch_dtype": "bfloat16",
        "use_cache": true,
        "vocab_size": dimensions.vocab,
        "quantization_config": {
            "quant_method": "bitnet",
            "linear_class": "autobitlinear",
            "quantization_mode": "offline",
        },
    });
    if dimensions.head_dim * dimensions.heads != dimensions.hidden {
        config["head_dim"] = json!(dimensions.head_dim);
    }
    config
}

pub(super) fn generation(dimensions: &Dimensions) -> Value {
    json!({
        "_from_model_config": true,
        "bos_token_id": dimensions.bos(),
        "eos_token_id": [dimensions.eos(), dimensions.eot()],
        "do_sample": true,
        "temperature": 0.6,
        "top_p": 0.9,
        "max_length": dimensions.context,
    })
}
