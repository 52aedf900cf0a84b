"""The models of the comparison: one `Case` for each published layout and for each shape that could be read wrongly.

Every number below is chosen to make one wrong reading visible: see the comment beside it and `mutations.py`.
"""

from dataclasses import dataclass, field

LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    # The published value is 8192; a small one bends the angles of the very first positions, where our prompts are.
    "original_max_position_embeddings": 16,
}


@dataclass(frozen=True)
class Case:
    """Shape, layout and seed of one tiny model. Field names follow `config.json`."""

    name: str
    about: str
    tokenizer: str
    seed: int
    family: str = "llama"  # "bitnet": sub-norms around o_proj and down_proj
    hidden: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 16
    write_head_dim: bool = False
    intermediate: int = 160
    rows: int = 352  # embedding rows; the tokenizers have fewer tokens
    activation: str = "silu"
    tied: bool = False
    eps: float = 1e-5
    theta: float = 500000.0
    scaling: dict | None = None
    new_rope_field: bool = False  # `rope_parameters` (transformers 5) instead of `rope_theta` + `rope_scaling`
    context: int = 512
    # How the linears are stored: packed | masters | float (no quantization_config) | gguf
    stored: str = "packed"
    linear_class: str | None = None
    mode: str | None = None
    onebit_names: bool = False  # 1bitLLM: inner_attn_ln, ffn_layernorm, weight_bits
    master_dtype: str = "bfloat16"
    inner_norm: bool = False
    inner_eps: float | None = None
    not_converted: list[str] | None = None
    shards: int = 1
    embedding_std: float = 0.2  # small beside what the layers add, so that a tied head does not merely repeat the last token
    gain: float = 1.0  # multiplies the gate and up scales
    gguf: dict = field(default_factory=dict)  # architecture, linears, table, rope_freqs
    long_prompt: bool = False  # adds a prompt of 300 tokens
    text: bool = False  # also holds the tokenisation and chat table

    @property
    def width(self) -> int:
        return self.heads * self.head_dim

    @property
    def permuted(self) -> bool:
        """llama.cpp's converter reorders q and k rows of this architecture."""
        return self.gguf.get("architecture") == "llama"


BITNET = dict(family="bitnet", activation="relu2", tied=True, tokenizer="bitnet", linear_class="autobitlinear")
OFFLINE = dict(stored="packed", mode="offline")
DIVIDE = dict(stored="packed")

CASES = [
    Case("bitnet-packed", "microsoft/bitnet-b1.58-2B-4T: packed, multiply, sub-norms, squared ReLU past 65504",
         seed=1, hidden=128, layers=3, heads=8, kv_heads=2, head_dim=16, intermediate=224, gain=120.0,
         long_prompt=True, text=True, **BITNET, **OFFLINE),
    Case("bitnet-masters", "…-2B-4T-bf16: bf16 masters, online; five query heads per kv head",
         seed=2, hidden=80, heads=5, kv_heads=1, head_dim=16, intermediate=144, stored="masters", mode="online", **BITNET),
    Case("bitnet-small-embedding", "mean square near eps, so that the eps of the config shows; eps 1e-4, untied, new rope field",
         seed=3, hidden=96, heads=6, kv_heads=3, head_dim=16, intermediate=128, eps=1e-4, embedding_std=0.01,
         new_rope_field=True, **{**BITNET, "tied": False}, **OFFLINE),
    Case("bitnet-odd-rows", "out features that are no multiple of 4: hidden 90, intermediate 150, head size 18",
         seed=4, hidden=90, heads=5, kv_heads=1, head_dim=18, intermediate=150, **BITNET, **OFFLINE),
    Case("llama-divide", "HF1BitLLM/Llama3-8B-1.58: divide, untied, head_dim 32 is not hidden/heads, llama3 scaling",
         seed=5, tokenizer="llama3", hidden=96, heads=4, kv_heads=2, head_dim=32, write_head_dim=True, text=True,
         scaling=LLAMA3_SCALING, **DIVIDE),
    Case("llama-tied-shards", "Falcon3-*-1.58bit: head size 64 given, bos = eos = 11, no linear_class; tied, two shards",
         seed=6, tokenizer="falcon3", hidden=64, heads=2, kv_heads=2, head_dim=64, write_head_dim=True, tied=True,
         theta=1000042.0, shards=2, text=True, **DIVIDE),
    Case("falcon-e", "tiiuae/Falcon-E: an RMSNorm with its own weight and eps inside each BitLinear, divide",
         seed=7, tokenizer="falcon3", hidden=80, heads=5, kv_heads=1, head_dim=16, inner_norm=True, inner_eps=1e-2, **DIVIDE),
    Case("llama-auto-inner-norm", "inner norms with linear_class autobitlinear (multiply); eps absent means 1e-6",
         seed=8, tokenizer="llama3", hidden=64, heads=4, kv_heads=4, head_dim=16, inner_norm=True,
         linear_class="autobitlinear", mode="offline", stored="packed", scaling=LLAMA3_SCALING, new_rope_field=True),
    Case("llama-online-inner-norm", "bf16 masters, online, inner norms; a list leaves two linears dense, as they are stored",
         seed=9, tokenizer="llama3", hidden=64, heads=4, kv_heads=1, head_dim=16, inner_norm=True, inner_eps=1e-5,
         linear_class="autobitlinear", mode="online", stored="masters", tied=True,
         not_converted=["lm_head", "model.layers.0.mlp.down_proj", "self_attn.v_proj"]),
    Case("one-bit-llm", "1bitLLM/bitnet_b1_58: f32 masters, BitnetForCausalLM, inner_attn_ln, head size 20",
         seed=10, tokenizer="sentencepiece", family="bitnet", hidden=80, heads=4, kv_heads=4, head_dim=20, intermediate=96,
         theta=10000.0, stored="masters", onebit_names=True, master_dtype="float32", rows=400, text=True),
    Case("llama-some-dense", "modules_to_not_convert leaves single linears dense in bf16",
         seed=11, tokenizer="llama3", hidden=64, heads=4, kv_heads=2, head_dim=16, tied=False,
         not_converted=["lm_head", "model.layers.0.mlp.down_proj", "model.layers.1.self_attn.q_proj"], **DIVIDE),
    Case("llama-ternary-head", "a modules_to_not_convert list without lm_head: the head is a BitLinear too",
         seed=12, tokenizer="llama3", hidden=64, heads=4, kv_heads=2, head_dim=16, tied=False,
         not_converted=["model.layers.0.self_attn.v_proj"], **DIVIDE),
    Case("llama-float", "no quantization_config: dense bf16, no activation quantisation (Falcon-E revision bfloat16)",
         seed=13, tokenizer="llama3", hidden=64, heads=4, kv_heads=2, head_dim=16, stored="float"),
    Case("gguf-i2s-bitnet-b1.58", "bitnet.cpp's 2B-4T file: I2_S, F16 table, no `pre`, placeholder chat template",
         seed=14, stored="gguf", hidden=128, heads=8, kv_heads=2, head_dim=16, intermediate=256, gain=120.0,
         gguf=dict(architecture="bitnet-b1.58", linears="I2_S", table="F16", placeholder=True), text=True, embedding_std=0.06,
         **{**BITNET, "linear_class": None}),
    Case("gguf-i2s-llama", "I2_S of a Llama-family model: q and k rows permuted, untied F16 head, rope_freqs",
         seed=115, tokenizer="llama3", stored="gguf", hidden=128, heads=4, kv_heads=2, head_dim=32, intermediate=256,
         scaling=LLAMA3_SCALING, gguf=dict(architecture="llama", linears="I2_S", table="F16", rope_freqs=True), text=True),
    Case("gguf-tq2-llama", "TQ2_0 with Q6_K table, permuted q and k, head size 64",
         seed=116, tokenizer="llama3", stored="gguf", hidden=256, heads=4, kv_heads=1, head_dim=64, intermediate=256, tied=True,
         embedding_std=0.05, gguf=dict(architecture="llama", linears="TQ2_0", table="Q6_K")),
    Case("gguf-tq1-bitnet", "TQ1_0, architecture `bitnet`: SiLU with sub-norms, rows in Hub order",
         seed=17, tokenizer="llama3", family="bitnet", stored="gguf", hidden=256, heads=8, kv_heads=2, head_dim=32,
         intermediate=256, tied=True, gguf=dict(architecture="bitnet", linears="TQ1_0", table="F16")),
    Case("gguf-tq1-llama", "TQ1_0 with Q6_K table and untied Q6_K head, llama architecture",
         seed=18, tokenizer="llama3", stored="gguf", hidden=256, heads=8, kv_heads=1, head_dim=32, intermediate=256,
         gguf=dict(architecture="llama", linears="TQ1_0", table="Q6_K")),
    Case("gguf-tq2-bitnet-25", "TQ2_0, architecture `bitnet-25`: squared ReLU with sub-norms",
         seed=119, stored="gguf", hidden=256, heads=4, kv_heads=2, head_dim=64, intermediate=256,
         gguf=dict(architecture="bitnet-25", linears="TQ2_0", table="Q6_K"), **{**BITNET, "linear_class": None}),
]
