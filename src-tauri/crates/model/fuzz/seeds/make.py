"""Writes the seeds: one tiny model in each form, with the tokenizers of `../../tests/text`.

    python make.py            (standard library only)
"""

import json
import random
import struct
from pathlib import Path

HERE = Path(__file__).parent
HIDDEN, HEADS, KV_HEADS, INTERMEDIATE, VOCAB = 32, 2, 1, 64, 8
HEAD_DIM = HIDDEN // HEADS
RANDOM = random.Random(7)

CONFIG = {
    "architectures": ["BitNetForCausalLM"],
    "model_type": "bitnet",
    "hidden_size": HIDDEN,
    "num_hidden_layers": 1,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "intermediate_size": INTERMEDIATE,
    "vocab_size": VOCAB,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "relu2",
    "tie_word_embeddings": True,
    "bos_token_id": 1,
    "eos_token_id": [2, 3],
    "quantization_config": {
        "quant_method": "bitnet",
        "linear_class": "autobitlinear",
        "quantization_mode": "offline",
    },
}
LLAMA = {
    **CONFIG,
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "head_dim": HEAD_DIM,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    },
    "quantization_config": {"quant_method": "bitnet", "modules_to_not_convert": ["lm_head"]},
}
LINEARS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
    "self_attn.v_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INTERMEDIATE, HIDDEN),
    "mlp.up_proj": (INTERMEDIATE, HIDDEN),
    "mlp.down_proj": (HIDDEN, INTERMEDIATE),
}
NORMS = {
    "input_layernorm": HIDDEN,
    "post_attention_layernorm": HIDDEN,
    "self_attn.attn_sub_norm": HIDDEN,
    "mlp.ffn_sub_norm": INTERMEDIATE,
}


def codes(count, per_byte_codes):
    """Bytes of four random codes 0, 1, 2 each."""
    return bytes(sum(RANDOM.randrange(3) << 2 * lane for lane in range(per_byte_codes)) for _ in range(count))


def floats(count):
    return struct.pack(f"<{count}f", *(RANDOM.uniform(-1, 1) for _ in range(count)))


def hub_tensors():
    tensors = {"model.embed_tokens.weight": ("F32", [VOCAB, HIDDEN], floats(VOCAB * HIDDEN))}
    for name, (rows, cols) in LINEARS.items():
        tensors[f"model.layers.0.{name}.weight"] = ("U8", [rows // 4, cols], codes(rows // 4 * cols, 4))
        tensors[f"model.layers.0.{name}.weight_scale"] = ("BF16", [1], struct.pack("<H", 0x3F80))
    for name, size in NORMS.items():
        tensors[f"model.layers.0.{name}.weight"] = ("F32", [size], floats(size))
    tensors["model.norm.weight"] = ("F32", [HIDDEN], floats(HIDDEN))
    return tensors


def safetensors(tensors):
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    header = json.dumps(header, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data


def string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def field(key, value):
    if isinstance(value, str):
        return string(key) + struct.pack("<I", 8) + string(value)
    if isinstance(value, bool):
        return string(key) + struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return string(key) + struct.pack("<II", 4, value)
    if isinstance(value, float):
        return string(key) + struct.pack("<If", 6, value)
    if isinstance(value[0], str):
        return string(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(string, value))
    if isinstance(value[0], float):
        return string(key) + struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)
    return string(key) + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def i2_s(rows, cols):
    return codes(rows * cols // 4, 4) + struct.pack("<f28x", 0.5)


def gguf(architecture, model):
    names = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        "self_attn.attn_sub_norm": "attn_sub_norm", "mlp.ffn_sub_norm": "ffn_sub_norm",
    }
    fields = {
        "general.architecture": architecture,
        f"{architecture}.embedding_length": HIDDEN,
        f"{architecture}.block_count": 1,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.head_count_kv": KV_HEADS,
        f"{architecture}.feed_forward_length": INTERMEDIATE,
        f"{architecture}.context_length": 64,
        f"{architecture}.vocab_size": VOCAB,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.freq_base": 10000.0,
        f"{architecture}.rope.dimension_count": HEAD_DIM,
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "a", "b", "ab", "▁", "<0x0A>"],
        "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1, 1, 6],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}",
    }
    if model == "llama":
        fields["tokenizer.ggml.scores"] = [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -4.0, 0.0]
    else:
        fields["tokenizer.ggml.pre"] = "llama-bpe"
        fields["tokenizer.ggml.merges"] = ["a b"]
    tensors = [("token_embd.weight", [HIDDEN, VOCAB], 0, floats(VOCAB * HIDDEN))]
    tensors.append(("output_norm.weight", [HIDDEN], 0, floats(HIDDEN)))
    for name, (rows, cols) in LINEARS.items():
        tensors.append((f"blk.0.{names[name]}.weight", [cols, rows], 36, i2_s(rows, cols)))
    for name, size in NORMS.items():
        if architecture == "llama" and "sub_norm" in name:
            continue
        tensors.append((f"blk.0.{names[name]}.weight", [size], 0, floats(size)))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    head += b"".join(field(key, value) for key, value in fields.items())
    data = b""
    for name, shape, kind, content in tensors:
        head += string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data))
        data += content + bytes(-len(content) % 32)
    return head + bytes(-len(head) % 32) + data


def write(target, name, content):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def main():
    write("gguf", "bitnet_gpt2", gguf("bitnet-b1.58", "gpt2"))
    write("gguf", "llama_llama", gguf("llama", "llama"))
    tensors = hub_tensors()
    write("safetensors", "packed", safetensors(tensors))
    names = sorted(tensors)
    halves = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    index = {"metadata": {"total_size": 1}, "weight_map": {name: halves[at % 2] for at, name in enumerate(names)}}
    write("index", "two_shards", json.dumps(index))
    for shard, half in enumerate(halves):
        write("shards", half, safetensors({name: tensors[name] for name in names[shard::2]}))
    write("config", "bitnet", json.dumps(CONFIG))
    write("config", "llama", json.dumps(LLAMA))
    texts = HERE / "../../tests/text"
    for name in ("byte_level", "sentence_piece"):
        write("tokenizer", name, (texts / f"{name}.json").read_bytes())
    templates = json.loads((texts / "expected.json").read_text())["templates"]
    for name in ("bitnet 2b-4t", "blocks on their own lines", "methods and filters", "macros and loops", "tojson"):
        write("template", name.replace(" ", "_"), templates[name])


main()
