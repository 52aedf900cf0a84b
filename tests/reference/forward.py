"""The network once more, from the published definitions alone, with plain tensors and exact integer products.

Every stored model is computed twice: by transformers' own modules (`published.py`) and by this page. `make.py` refuses to
write expectations on which the two disagree. Source: Ma et al. 2024 (b1.58), the model cards, and the rules in README.md.
"""

import math

import torch

from cases import Case
from weights import Linear, Weights, ternarise


def logits(case: Case, weights: Weights, ids: list[int]) -> torch.Tensor:
    """All logits of a prompt, `[tokens, rows]` f32."""
    x = weights.embedding[torch.tensor(ids)]
    cos, sin = rotation(case, len(ids))
    for layer in range(case.layers):
        prefix = f"model.layers.{layer}."
        x = x + attention(case, weights, prefix, rms(x, weights.norms[prefix + "input_layernorm"], case.eps), cos, sin)
        x = x + feed_forward(case, weights, prefix, rms(x, weights.norms[prefix + "post_attention_layernorm"], case.eps))
    x = rms(x, weights.norms["model.norm"], case.eps)
    if isinstance(weights.head, Linear):
        return linear(case, weights.head, x)
    return x @ (weights.embedding if weights.head is None else weights.head).T


def rms(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def quantise(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Per token: `s = 127 / max(|x|, 1e-5)`, integers `clamp(rint(x·s), -128, 127)`. Returns both."""
    s = 127.0 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
    return (x * s).round().clamp(-128, 127), s


def linear(case: Case, layer: Linear, x: torch.Tensor) -> torch.Tensor:
    if layer.inner_norm is not None:
        x = rms(x, layer.inner_norm, 1e-6 if case.inner_eps is None else case.inner_eps)
    if layer.kind == "dense":
        return x @ layer.weight.T
    values, scale = ternarise(layer.weight) if layer.kind == "master" else (layer.weight, layer.scale)
    codes, s = quantise(x)
    sums = (codes.double() @ values.double().T).float()  # exact: below 2^24
    return sums * scale / s


def rotation(case: Case, tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    frequencies = []
    for i in range(0, case.head_dim, 2):
        frequency = case.theta ** (-i / case.head_dim)
        if case.scaling:
            # Llama 3.1: long waves are slowed by `factor`, short ones kept, a linear blend between.
            turns = case.scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
            low, high = case.scaling["low_freq_factor"], case.scaling["high_freq_factor"]
            blend = min(max((turns - low) / (high - low), 0.0), 1.0)
            frequency *= blend + (1 - blend) / case.scaling["factor"]
        frequencies.append(frequency)
    angles = torch.arange(tokens)[:, None].double() * torch.tensor(frequencies, dtype=torch.float64)
    return angles.cos().float(), angles.sin().float()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """`x` `[tokens, heads, head_dim]`; pairs are (i, i + head_dim/2)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = cos[:, None], sin[:, None]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def attention(case: Case, weights: Weights, prefix: str, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    tokens = x.shape[0]

    def project(name: str, heads: int) -> torch.Tensor:
        return linear(case, weights.linears[f"{prefix}self_attn.{name}_proj"], x).view(tokens, heads, case.head_dim)

    q = rotate(project("q", case.heads), cos, sin)
    k = rotate(project("k", case.kv_heads), cos, sin)
    v = project("v", case.kv_heads)
    out = torch.empty_like(q)
    future = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    for head in range(case.heads):
        group = head * case.kv_heads // case.heads
        scores = (q[:, head] @ k[:, group].T / math.sqrt(case.head_dim)).masked_fill(future, -math.inf)
        out[:, head] = scores.softmax(-1) @ v[:, group]
    out = out.reshape(tokens, case.width)
    if case.family == "bitnet":
        out = rms(out, weights.norms[prefix + "self_attn.attn_sub_norm"], case.eps)
    return linear(case, weights.linears[prefix + "self_attn.o_proj"], out)


def feed_forward(case: Case, weights: Weights, prefix: str, x: torch.Tensor) -> torch.Tensor:
    gate = linear(case, weights.linears[prefix + "mlp.gate_proj"], x)
    up = linear(case, weights.linears[prefix + "mlp.up_proj"], x)
    gate = gate.relu().square() if case.activation == "relu2" else torch.nn.functional.silu(gate)
    inner = gate * up
    if case.family == "bitnet":
        inner = rms(inner, weights.norms[prefix + "mlp.ffn_sub_norm"], case.eps)
    return linear(case, weights.linears[prefix + "mlp.down_proj"], inner)
