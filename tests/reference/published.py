"""The published implementation: transformers' models and BitLinear modules, in f32 on the CPU.

Where transformers can read the folder, it reads it. Otherwise (GGUF, 1bitLLM's architecture, rows that are no multiple of
four) its modules are built from the config and given the same ternary values.
"""

import os

os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")  # the decorated helpers run as written; no compiler is needed

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitNetConfig, BitNetForCausalLM, BitNetQuantConfig, LlamaConfig, LlamaForCausalLM
from transformers.integrations.bitnet import AutoBitLinear, replace_with_bitnet_linear
from transformers.utils import logging

from cases import Case
from weights import Linear, Weights

logging.set_verbosity_error()
logging.disable_progress_bar()


def reads_folder(case: Case) -> bool:
    return case.stored != "gguf" and not case.onebit_names and case.intermediate % 4 == 0


def load(case: Case, weights: Weights, folder: Path) -> torch.nn.Module:
    if reads_folder(case):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    else:
        model = assemble(case, weights)
    # transformers 5.23 keeps an offline AutoBitLinear model in the file's bf16 whatever `dtype` says; each stored value is exact in both.
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.float() if tensor.dtype == torch.bfloat16 else tensor.data
    return model.eval()


def assemble(case: Case, weights: Weights) -> torch.nn.Module:
    """transformers' architecture with AutoBitLinear, filled by hand."""
    configured, architecture = (BitNetConfig, BitNetForCausalLM) if case.family == "bitnet" else (LlamaConfig, LlamaForCausalLM)
    config = configured(
        vocab_size=case.rows, hidden_size=case.hidden, intermediate_size=case.intermediate, num_hidden_layers=case.layers,
        num_attention_heads=case.heads, num_key_value_heads=case.kv_heads, head_dim=case.head_dim, hidden_act=case.activation,
        max_position_embeddings=case.context, rms_norm_eps=case.eps, tie_word_embeddings=case.tied,
        rope_parameters={"rope_type": "default", **(case.scaling or {}), "rope_theta": case.theta},
        attn_implementation="eager", pad_token_id=None, bos_token_id=None, eos_token_id=None,
    )
    model = architecture(config)
    online = case.stored == "masters"
    quantised = BitNetQuantConfig(linear_class="autobitlinear", quantization_mode="online" if online else "offline")
    replace_with_bitnet_linear(model, ["lm_head"], quantised)
    for name, linear in weights.linears.items():
        module = AutoBitLinear(linear.weight.shape[1], linear.weight.shape[0], bias=False, online_quant=online)
        module.weight = torch.nn.Parameter(linear.weight.float(), requires_grad=False)
        if not online:
            module.weight_scale = torch.nn.Buffer(torch.tensor([linear.scale]))
        model.set_submodule(name, module)
    state = {f"{name}.weight": norm for name, norm in weights.norms.items()}
    state["model.embed_tokens.weight"] = weights.embedding
    state["lm_head.weight"] = weights.embedding if weights.head is None else weights.head
    assert not isinstance(weights.head, Linear)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("_proj." in name for name in missing), (missing, unexpected)
    return model


@torch.no_grad()
def logits(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    """All logits of a prompt, `[tokens, rows]`."""
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


@torch.no_grad()
def logits_disturbed(model: torch.nn.Module, ids: list[int], size: float, seed: int) -> torch.Tensor:
    """As `logits`, with each embedding component multiplied by `1 + size·n`, n standard normal."""
    embedded = model.get_input_embeddings()(torch.tensor([ids]))
    noise = torch.randn(embedded.shape, generator=torch.Generator().manual_seed(seed))
    return model(inputs_embeds=embedded * (1 + size * noise), use_cache=False).logits[0]
