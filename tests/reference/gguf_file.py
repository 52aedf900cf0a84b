"""Writes a case as one GGUF file, as llama.cpp's and bitnet.cpp's converters do.

Containers, TQ1_0, TQ2_0 and the reading of Q6_K come from the `gguf` package; I2_S and the writing of Q6_K are ours.
"""

import math
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

import q6k
from cases import Case
from weights import Weights

I2_S = 36  # bitnet.cpp's type id; llama.cpp has retired the number
# What bitnet.cpp's converter writes into the 2B-4T file in place of the model's template.
PLACEHOLDER = (
    "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}{% if message['role'] == 'user' %}"
    "{{ 'Human: ' + message['content'] + '\n\nBITNETAssistant: ' + eos_token }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.attn_sub_norm": "attn_sub_norm", "mlp.ffn_sub_norm": "ffn_sub_norm",
}


def write(case: Case, weights: Weights, tokens: dict, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    architecture = case.gguf["architecture"]
    writer = GGUFWriter(path, architecture)
    writer.add_name(case.name)
    writer.add_block_count(case.layers)
    writer.add_context_length(case.context)
    writer.add_embedding_length(case.hidden)
    writer.add_feed_forward_length(case.intermediate)
    writer.add_head_count(case.heads)
    writer.add_head_count_kv(case.kv_heads)
    writer.add_layer_norm_rms_eps(case.eps)
    writer.add_rope_freq_base(case.theta)
    writer.add_rope_dimension_count(case.head_dim)
    if case.head_dim * case.heads != case.hidden:
        writer.add_key_length(case.head_dim)
        writer.add_value_length(case.head_dim)
    writer.add_vocab_size(case.rows)
    _tokenizer(writer, case, tokens)
    for name, (data, kind) in tensors(case, weights).items():
        if kind == I2_S:
            # The package knows no type 36: declare bytes, then correct shape and type in the header entry.
            values, raw = data
            writer.add_tensor(name, raw, raw_dtype=GGMLQuantizationType.I8)
            info = writer.tensors[-1][name]
            info.shape, info.dtype = values.shape, I2_S
        else:
            writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors(case: Case, weights: Weights) -> dict:
    """GGUF name → (data, type)."""
    named = {"token_embd.weight": _table(case, weights.embedding)}
    if weights.head is not None:
        named["output.weight"] = _table(case, weights.head)
    named["output_norm.weight"] = (weights.norms["model.norm"].numpy(), GGMLQuantizationType.F32)
    if case.gguf.get("rope_freqs"):
        named["rope_freqs.weight"] = (rope_factors(case), GGMLQuantizationType.F32)
    for layer in range(case.layers):
        prefix = f"model.layers.{layer}."
        for hub, ours in NAMES.items():
            if (norm := weights.norms.get(prefix + hub)) is not None:
                named[f"blk.{layer}.{ours}.weight"] = (norm.numpy(), GGMLQuantizationType.F32)
            if (linear := weights.linears.get(prefix + hub)) is not None:
                values = linear.weight
                if case.permuted and hub.endswith(("q_proj", "k_proj")):
                    values = permute(values, case.heads if hub.endswith("q_proj") else case.kv_heads)
                named[f"blk.{layer}.{ours}.weight"] = _ternary(case, values.numpy(), linear.scale)
    return named


def permute(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """llama.cpp's order for its interleaved rotation: within each head, halves become neighbours."""
    out, columns = rows.shape
    return rows.reshape(heads, 2, out // heads // 2, columns).swapaxes(1, 2).reshape(out, columns)


def i2_s(values: np.ndarray, scale: float) -> np.ndarray:
    """Blocks of 128 values over the flattened tensor; byte p holds values p, 32+p, 64+p, 96+p from the high bits down."""
    codes = (values.reshape(-1, 4, 32) + 1).astype(np.uint8)
    packed = codes[:, 0] << 6 | codes[:, 1] << 4 | codes[:, 2] << 2 | codes[:, 3]
    tail = np.zeros(8, dtype=np.float32)
    tail[0] = scale
    return np.concatenate([packed.reshape(-1), tail.view(np.uint8)])


def rope_factors(case: Case) -> np.ndarray:
    """What llama.cpp's converter writes for llama3 scaling: divisors of the inverse frequencies, `[head_dim/2]`."""
    scaling, factors = case.scaling, []
    for i in range(0, case.head_dim, 2):
        wavelength = 2 * math.pi * case.theta ** (i / case.head_dim)
        turns = scaling["original_max_position_embeddings"] / wavelength
        low, high, factor = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["factor"]
        smooth = min(max((turns - low) / (high - low), 0.0), 1.0)
        factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, dtype=np.float32)


def _table(case: Case, table: torch.Tensor):
    if case.gguf["table"] == "F16":
        return table.numpy().astype(np.float16), GGMLQuantizationType.F16
    return q6k.quantise(table.numpy()), GGMLQuantizationType.Q6_K


def _ternary(case: Case, values: np.ndarray, scale: float):
    if case.gguf["linears"] == "I2_S":
        return (values, i2_s(values, scale)), I2_S
    kind = GGMLQuantizationType[case.gguf["linears"]]
    return quantize(values.astype(np.float32) * np.float32(scale), kind), kind


def _tokenizer(writer: GGUFWriter, case: Case, tokens: dict) -> None:
    # Models have more rows than tokens; converters fill the list with padding tokens of type 5 (unused).
    listed = tokens["list"] + [f"[PAD{i}]" for i in range(len(tokens["list"]), case.rows)]
    types = [3 if token in tokens["special"] else 1 for token in tokens["list"]]
    writer.add_tokenizer_model("gpt2")
    if case.gguf.get("placeholder"):
        writer.add_add_bos_token(True)
    else:
        writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(listed)
    writer.add_token_types(types + [5] * (case.rows - len(types)))
    writer.add_token_merges(tokens["merges"])
    writer.add_bos_token_id(tokens["bos"])
    writer.add_eos_token_id(tokens["eos"] if isinstance(tokens["eos"], int) else tokens["eos"][0])
    writer.add_chat_template(PLACEHOLDER if case.gguf.get("placeholder") else tokens["template"])
