"""BitNet b1.58 in plain PyTorch, as transformers' BitNetForCausalLM computes it, trainable.

Linear layers: `y = (round(x·s) · ternary(W)) · m / s` with `s = 127 / max|x|` per token and
`m = mean|W|`; the straight-through estimator passes gradients as if nothing had been rounded.
Source: Ma et al. 2024, "The Era of 1-bit LLMs"; transformers `integrations/bitnet.py`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Shape:
    vocabulary: int
    hidden: int = 192
    layers: int = 4
    heads: int = 3
    kv_heads: int = 1
    head_dim: int = 64
    intermediate: int = 512
    context: int = 1024
    rope_theta: float = 10000.0
    eps: float = 1e-5


def weight_scale(weight: torch.Tensor, rounded: bool) -> torch.Tensor:
    """`mean|W|`; rounded to bf16 when evaluating, since that is how the scale is stored."""
    scale = weight.abs().mean().clamp(min=1e-5)
    return scale.bfloat16().float() if rounded else scale


def ternary(weight: torch.Tensor) -> torch.Tensor:
    """Codes in {-1, 0, 1}, by the unrounded scale (as the published export does)."""
    return (weight / weight.abs().mean().clamp(min=1e-5)).round().clamp(-1, 1)


class BitLinearFunction(torch.autograd.Function):
    """`x [tokens, in]`, several `weights [out_i, in]` that read it → `[tokens, Σ out_i]`."""

    @staticmethod
    def forward(context, x, rounded, *weights):
        s = 127.0 / x.abs().amax(-1, keepdim=True).clamp_(min=1e-5)
        values = torch.cat([ternary(w) * weight_scale(w, rounded) for w in weights])
        dequantised = (x * s).round_().clamp_(-128, 127).div_(s)
        context.save_for_backward(dequantised, values)
        context.sizes = [w.shape[0] for w in weights]
        return dequantised @ values.t()

    @staticmethod
    def backward(context, gradient):
        dequantised, values = context.saved_tensors
        return gradient @ values, None, *(gradient.t() @ dequantised).split(context.sizes)


class Attention(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(shape.hidden, n, bias=False) for n in (queries, keys, keys))
        self.o_proj = nn.Linear(queries, shape.hidden, bias=False)
        self.attn_sub_norm = nn.RMSNorm(queries, shape.eps)

    def forward(self, x, cos, sin, mask, batch, rounded):
        shape, tokens = self.shape, x.shape[0] // batch
        joined = BitLinearFunction.apply(x, rounded, self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)
        heads = joined.view(batch, tokens, -1, shape.head_dim).transpose(1, 2)
        q, k, v = heads.split([shape.heads, shape.kv_heads, shape.kv_heads], 1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        repeats = shape.heads // shape.kv_heads
        k, v = k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch * tokens, -1)
        return BitLinearFunction.apply(self.attn_sub_norm(mixed), rounded, self.o_proj.weight)


def rotate(x, cos, sin):
    """RoPE over pairs `(i, i + d/2)`; `x [batch, heads, tokens, d]`, `cos, sin [tokens, d/2]`."""
    low, high = x.chunk(2, -1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


class FeedForward(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(shape.hidden, shape.intermediate, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(shape.intermediate, shape.hidden, bias=False)
        self.ffn_sub_norm = nn.RMSNorm(shape.intermediate, shape.eps)

    def forward(self, x, rounded):
        gate, up = BitLinearFunction.apply(x, rounded, self.gate_proj.weight, self.up_proj.weight).chunk(2, -1)
        return BitLinearFunction.apply(self.ffn_sub_norm(F.relu(gate).square() * up), rounded, self.down_proj.weight)


class Layer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden, shape.eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden, shape.eps)
        self.mlp = FeedForward(shape)

    def forward(self, x, cos, sin, mask, batch, rounded):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask, batch, rounded)
        return x + self.mlp(self.post_attention_layernorm(x), rounded)


class Model(nn.Module):
    """Parameter names are those of the published checkpoints, below `model.`."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape, self.rounded = shape, False
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, shape.eps)
        nn.init.normal_(self.embed_tokens.weight, std=0.02)
        for name, parameter in self.named_parameters():
            if name.endswith("_proj.weight"):
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)

    def hidden(self, ids, documents):
        """`ids [batch, tokens]`, `documents` the number of each token's document: no attention across."""
        batch, tokens = ids.shape
        frequencies = self.shape.rope_theta ** -(torch.arange(0, self.shape.head_dim, 2).float() / self.shape.head_dim)
        angles = torch.arange(tokens).float()[:, None] * frequencies
        mask = (documents[:, None, :, None] == documents[:, None, None, :]) & torch.ones(tokens, tokens, dtype=torch.bool).tril()
        x = self.embed_tokens(ids).view(batch * tokens, -1)
        for layer in self.layers:
            x = layer(x, angles.cos(), angles.sin(), mask, batch, self.rounded)
        return self.norm(x)

    def loss(self, ids, documents, targets, reduction="mean"):
        """Cross-entropy in nats over the positions whose target is not negative."""
        positions = (targets.view(-1) >= 0).nonzero().squeeze(1)
        chosen = self.hidden(ids, documents).index_select(0, positions)
        return F.cross_entropy(chosen @ self.embed_tokens.weight.t(), targets.view(-1)[positions], reduction=reduction)

    @torch.no_grad()
    def greedy(self, ids: list[int], stop: set[int], most: int) -> list[int]:
        start = len(ids)
        while len(ids) - start < most:
            row = torch.tensor([ids])
            last = self.hidden(row, torch.zeros_like(row))[-1]
            ids = [*ids, int((self.embed_tokens.weight @ last).argmax())]
            if ids[-1] in stop:
                break
        return ids[start:]


def as_exported(model: Model) -> Model:
    """The same model with every stored float rounded to bf16, as the exported files hold it."""
    copy = Model(model.shape)
    copy.load_state_dict(model.state_dict())
    copy.rounded = True
    with torch.no_grad():
        for name, parameter in copy.named_parameters():
            if not name.endswith("_proj.weight"):
                parameter.copy_(parameter.bfloat16().float())
    return copy
