"""Writes a checkpoint in the published BitNet b1.58 layout (packed uint8 linears, multiply convention).

Packing: code `value + 1` in two bits; lane `i` of packed row `r` holds output row `i·⌈out/4⌉ + r`.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import Model, Shape, ternary, weight_scale
from tokenizer import BOS, CHAT_TEMPLATE, EOS, EOT, PAD, SPECIAL

NAME = "r3mes-builtin"


def pack(codes: torch.Tensor) -> torch.Tensor:
    """`codes [out, in]` in {-1, 0, 1} → uint8 `[⌈out/4⌉, in]`; surplus lanes hold zeros."""
    rows = -(-codes.shape[0] // 4)
    padded = torch.zeros(rows * 4, codes.shape[1], dtype=torch.uint8)
    padded[: codes.shape[0]] = (codes + 1).to(torch.uint8)
    padded[codes.shape[0] :] = 1
    packed = torch.zeros(rows, codes.shape[1], dtype=torch.uint8)
    for lane, part in enumerate(padded.split(rows)):
        packed |= part << (2 * lane)
    return packed


def tensors(model: Model) -> dict[str, torch.Tensor]:
    stored = {}
    for name, parameter in model.state_dict().items():
        if name.endswith("_proj.weight"):
            stored[f"model.{name}"] = pack(ternary(parameter))
            stored[f"model.{name}_scale"] = weight_scale(parameter, rounded=False).bfloat16().reshape(1)
        else:
            stored[f"model.{name}"] = parameter.bfloat16().contiguous()
    return stored


def config(shape: Shape) -> dict:
    return {
        "architectures": ["BitNetForCausalLM"],
        "model_type": "bitnet",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "relu2",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.eps,
        "rope_theta": shape.rope_theta,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": True,
        "use_cache": True,
        "pad_token_id": PAD,
        "bos_token_id": BOS,
        "eos_token_id": EOT,
        "torch_dtype": "bfloat16",
        "quantization_config": {
            "quant_method": "bitnet",
            "linear_class": "autobitlinear",
            "quantization_mode": "offline",
            "modules_to_not_convert": None,
        },
    }


GENERATION = {
    "bos_token_id": BOS, "eos_token_id": [EOT, EOS], "pad_token_id": PAD, "max_new_tokens": 96,
    "do_sample": True, "temperature": 0.2, "top_k": 20, "top_p": 0.9, "repetition_penalty": 1.15,
}


def tokenizer_config(shape: Shape) -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.context,
        "clean_up_tokenization_spaces": False,
        "pad_token": SPECIAL[PAD], "bos_token": SPECIAL[BOS], "eos_token": SPECIAL[EOT],
        "additional_special_tokens": SPECIAL[EOS:],
        "chat_template": CHAT_TEMPLATE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent)
    arguments = parser.parse_args()
    state = torch.load(arguments.build / "checkpoint.pt", map_location="cpu")
    shape = Shape(**state["shape"])
    model = Model(shape)
    model.load_state_dict(state["model"])
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors(model), arguments.out / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(arguments.build / "tokenizer.json", arguments.out / "tokenizer.json")
    for name, content in {
        "config.json": config(shape), "generation_config.json": GENERATION, "tokenizer_config.json": tokenizer_config(shape),
    }.items():
        (arguments.out / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    parameters = sum(p.numel() for p in model.parameters())
    size = sum(f.stat().st_size for f in arguments.out.iterdir() if f.is_file())
    print(f"{NAME}: {parameters} parameters, step {state['step']}, {state['seen']} tokens seen, {size} bytes in the folder")


if __name__ == "__main__":
    main()
