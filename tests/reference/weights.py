"""Seeded random weights of a case, before any file layout: ternary values with a scale, masters, or plain floats."""

from dataclasses import dataclass

import numpy as np
import torch

import q6k
from cases import Case


@dataclass
class Linear:
    """`kind` is "ternary" (int8 values, `scale` multiplies), "master" (ternarised by the reader) or "dense"."""

    kind: str
    weight: torch.Tensor  # [out, in]
    scale: float = 1.0
    stored_scale: torch.Tensor | None = None  # what the file holds (bf16 [1]); its reciprocal for the dividing class
    inner_norm: torch.Tensor | None = None  # [in]


@dataclass
class Weights:
    embedding: torch.Tensor  # [rows, hidden] f32
    head: torch.Tensor | Linear | None  # None: tied
    norms: dict[str, torch.Tensor]  # Hub names without ".weight"
    linears: dict[str, Linear]  # Hub names without ".weight"


def linear_shapes(case: Case) -> dict[str, tuple[int, int]]:
    """`[out, in]` of every linear of one layer, by Hub name inside the layer."""
    kv = case.kv_heads * case.head_dim
    return {
        "self_attn.q_proj": (case.width, case.hidden),
        "self_attn.k_proj": (kv, case.hidden),
        "self_attn.v_proj": (kv, case.hidden),
        "self_attn.o_proj": (case.hidden, case.width),
        "mlp.gate_proj": (case.intermediate, case.hidden),
        "mlp.up_proj": (case.intermediate, case.hidden),
        "mlp.down_proj": (case.hidden, case.intermediate),
    }


def make(case: Case) -> Weights:
    """All weights of `case`, drawn in one fixed order from PCG64(case.seed)."""
    random = np.random.Generator(np.random.PCG64(case.seed))
    embedding = _table(case, _normal(random, (case.rows, case.hidden)) * case.embedding_std)
    norms, linears = {}, {}
    for layer in range(case.layers):
        prefix = f"model.layers.{layer}"
        norms[f"{prefix}.input_layernorm"] = _norm(random, case.hidden)
        norms[f"{prefix}.post_attention_layernorm"] = _norm(random, case.hidden)
        if case.family == "bitnet":
            norms[f"{prefix}.self_attn.attn_sub_norm"] = _norm(random, case.hidden)
            norms[f"{prefix}.mlp.ffn_sub_norm"] = _norm(random, case.intermediate)
        for name, (rows, columns) in linear_shapes(case).items():
            full = f"{prefix}.{name}"
            linears[full] = _linear(case, random, full, rows, columns)
    norms["model.norm"] = _norm(random, case.hidden)
    head = None
    if not case.tied:
        if case.stored == "packed" and case.not_converted is not None and "lm_head" not in case.not_converted:
            head = _linear(case, random, "lm_head", case.rows, case.hidden)
        else:
            head = _table(case, _normal(random, (case.rows, case.hidden)))
    return Weights(embedding, head, norms, linears)


def ternarise(master: torch.Tensor) -> tuple[torch.Tensor, float]:
    """`m = max(mean|W|, 1e-5)`, `Wq = clamp(round(W / m), -1, 1)`. Returns int8 values and `m`."""
    mean = master.float().abs().mean().clamp(min=1e-5)
    return (master.float() / mean).round().clamp(-1, 1).to(torch.int8), mean.item()


def _linear(case: Case, random: np.random.Generator, name: str, rows: int, columns: int) -> Linear:
    # Query, key, value, … get different scales: a scale used for its neighbour must show.
    size = float(random.uniform(0.4, 1.6)) / columns**0.5
    # Keys and queries are kept large enough for attention that is far from uniform.
    if name.endswith(("q_proj", "k_proj")):
        size *= 2.5
    if name.endswith(("gate_proj", "up_proj")):
        size *= case.gain
    if case.embedding_std < 0.1 and name.endswith(("o_proj", "down_proj")):
        size *= 0.05
    master = _normal(random, (rows, columns)) * size
    inner = _norm(random, columns) if case.inner_norm else None
    dense = case.stored == "float" or name.endswith(tuple(case.not_converted or ()))
    if dense:
        return Linear("dense", _bf16(master), inner_norm=None)
    if case.stored == "masters":
        dtype = getattr(torch, case.master_dtype)
        return Linear("master", master.to(dtype), inner_norm=inner)
    values, scale = ternarise(master)
    if case.stored == "gguf":
        if case.gguf["linears"] == "I2_S":
            return Linear("ternary", values, float(np.float32(scale)))
        if name.endswith("layers.0.mlp.up_proj"):
            values[3, :256] = 0  # an all-zero block, which the quantiser gives scale 0
        return Linear("ternary", values, float(np.float16(scale)))
    multiplies = case.linear_class == "autobitlinear"
    stored = torch.tensor([scale if multiplies else 1.0 / scale]).to(torch.bfloat16)
    scale = stored.float().item() if multiplies else 1.0 / stored.float().item()
    return Linear("ternary", values, scale, stored, inner)


def _table(case: Case, rows: torch.Tensor) -> torch.Tensor:
    """The values that the layout's table type can hold."""
    kind = case.gguf.get("table", "BF16")
    if kind == "Q6_K":
        return torch.from_numpy(q6k.stored(rows.numpy()))
    return rows.half().float() if kind == "F16" else _bf16(rows)


def _normal(random: np.random.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(random.standard_normal(shape, dtype=np.float64).astype(np.float32))


def _norm(random: np.random.Generator, length: int) -> torch.Tensor:
    # Far from 1, with some negative: a norm left out, or its weight, must show.
    values = random.uniform(0.3, 1.7, length) * np.where(random.random(length) < 0.1, -1.0, 1.0)
    return _bf16(torch.from_numpy(values.astype(np.float32)))


def _bf16(values: torch.Tensor) -> torch.Tensor:
    return values.to(torch.bfloat16).float()
