"""Writes a case as a Hub folder: config.json, generation_config.json, safetensors (one file or shards) and its index."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from cases import Case
from weights import Linear, Weights

ONE_BIT_NAMES = {"self_attn.attn_sub_norm": "self_attn.inner_attn_ln", "mlp.ffn_sub_norm": "mlp.ffn_layernorm"}


def write(case: Case, weights: Weights, tokens: dict, folder: Path) -> None:
    """`tokens` gives bos and eos ids of the case's tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "config.json", config(case, tokens))
    _json(folder / "generation_config.json", {"bos_token_id": tokens["bos"], "eos_token_id": tokens["generation_eos"]})
    _save(tensors(case, weights), case.shards, folder)


def config(case: Case, tokens: dict) -> dict:
    bitnet = case.family == "bitnet" and not case.onebit_names
    architecture = "BitNetForCausalLM" if bitnet else "BitnetForCausalLM" if case.onebit_names else "LlamaForCausalLM"
    written = {
        "architectures": [architecture],
        "model_type": "bitnet" if bitnet else "llama",
        "hidden_size": case.hidden,
        "num_hidden_layers": case.layers,
        "num_attention_heads": case.heads,
        "num_key_value_heads": case.kv_heads,
        "intermediate_size": case.intermediate,
        "vocab_size": case.rows,
        "max_position_embeddings": case.context,
        "hidden_act": case.activation,
        "rms_norm_eps": case.eps,
        "tie_word_embeddings": case.tied,
        "bos_token_id": tokens["bos"],
        "eos_token_id": tokens["eos"],
        "torch_dtype": "float32" if case.master_dtype == "float32" else "bfloat16",
    }
    if case.write_head_dim:
        written["head_dim"] = case.head_dim
    if case.new_rope_field:
        written["rope_parameters"] = {"rope_type": "default", **(case.scaling or {}), "rope_theta": case.theta}
    else:
        written["rope_theta"] = case.theta
        written["rope_scaling"] = case.scaling
    if case.onebit_names:
        written |= {"weight_bits": 1, "input_bits": 8}
    elif case.stored != "float":
        written["quantization_config"] = quantization(case)
    return written


def quantization(case: Case) -> dict:
    section = {"quant_method": "bitnet", "modules_to_not_convert": case.not_converted}
    if case.linear_class:
        section |= {"linear_class": case.linear_class, "quantization_mode": case.mode}
    if case.inner_norm:
        section["use_rms_norm"] = True
    if case.inner_eps is not None:
        section["rms_norm_eps"] = case.inner_eps
    return section


def tensors(case: Case, weights: Weights) -> dict[str, torch.Tensor]:
    """Everything under its Hub name in the dtype of the layout."""
    wide = torch.float32 if case.onebit_names else torch.bfloat16
    named = {"model.embed_tokens.weight": weights.embedding.to(wide)}
    for name, norm in weights.norms.items():
        if case.onebit_names:
            for ours, theirs in ONE_BIT_NAMES.items():
                name = name.replace(ours, theirs)
        named[f"{name}.weight"] = norm.to(wide)
    for name, linear in weights.linears.items():
        named |= _linear(name, linear, wide)
    if isinstance(weights.head, Linear):
        named |= _linear("lm_head", weights.head, wide)
    elif weights.head is not None:
        named["lm_head.weight"] = weights.head.to(wide)
    return named


def pack(values: torch.Tensor) -> torch.Tensor:
    """Ternary `[out, in]` to uint8 `[⌈out/4⌉, in]`: lane `i` of packed row `r` is output row `i·⌈out/4⌉ + r`."""
    out, columns = values.shape
    packed_rows = (out + 3) // 4
    codes = torch.zeros(packed_rows * 4, columns, dtype=torch.uint8)
    codes[:out] = (values + 1).to(torch.uint8)
    lanes = codes.view(4, packed_rows, columns)
    return lanes[0] | lanes[1] << 2 | lanes[2] << 4 | lanes[3] << 6


def _linear(name: str, linear: Linear, wide: torch.dtype) -> dict[str, torch.Tensor]:
    if linear.kind == "ternary":
        named = {f"{name}.weight": pack(linear.weight), f"{name}.weight_scale": linear.stored_scale}
    elif linear.kind == "master":
        named = {f"{name}.weight": linear.weight}
    else:
        named = {f"{name}.weight": linear.weight.to(wide)}
    if linear.inner_norm is not None:
        named[f"{name}.rms_norm.weight"] = linear.inner_norm.to(wide)
    return named


def _save(named: dict[str, torch.Tensor], shards: int, folder: Path) -> None:
    named = {name: tensor.contiguous() for name, tensor in named.items()}
    if shards == 1:
        save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map, names = {}, list(named)
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        chosen = names[shard::shards]  # interleaved: a weight and its scale lie in different files
        save_file({name: named[name] for name in chosen}, folder / file, metadata={"format": "pt"})
        weight_map |= {name: file for name in chosen}
    size = sum(tensor.nbytes for tensor in named.values())
    _json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": weight_map})


def _json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
