"""Tiny tokenizers built like the published ones, with their chat templates.

- `bitnet`, `llama3`: byte-level BPE, Llama 3 splitter, BOS added by the post-processor. The 2B-4T template has no BOS, Llama 3's has it.
- `falcon3`: byte-level BPE, GPT-2 splitter with single digits, no BOS added, bos = eos = 11.
- `sentencepiece`: BPE with byte fallback and `▁`, as in 1bitLLM's files; no chat template.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from cases import Case
from texts import TRAINING

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_SPECIAL = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|reserved_special_token_0|>",
]
FALCON3_SPECIAL = [f">>UNUSED_{i}<<" for i in range(8)] + ["<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>"]

TEMPLATES = {
    "bitnet": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = message['role'] | capitalize + ': '"
    " + message['content'] | trim + '<|eot_id|>' %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>'"
    " + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
    "falcon3": "{%- for message in messages %}\n    {%- if message.role == 'system' %}\n        {{- '<|system|>\n' + message.content + '\n' }}"
    "\n    {%- elif message.role == 'user' %}\n        {{- '<|user|>\n' + message['content'].strip() + '\n' }}\n    {%- else %}"
    "\n        {{- '<|assistant|>\n' + message['content'] + eos_token + ('' if loop.last else '\n') }}\n    {%- endif %}\n"
    "    {%- if loop.last and add_generation_prompt %}\n        {{- '<|assistant|>\n' }}\n    {%- endif %}\n{%- endfor %}",
    "sentencepiece": None,
}
BOS = {"bitnet": "<|begin_of_text|>", "llama3": "<|begin_of_text|>", "falcon3": "<|endoftext|>", "sentencepiece": "<s>"}
EOS = {"bitnet": "<|end_of_text|>", "llama3": "<|eot_id|>", "falcon3": "<|endoftext|>", "sentencepiece": "</s>"}


def build(name: str) -> Tokenizer:
    return {"bitnet": _llama3, "llama3": _llama3, "falcon3": _falcon3, "sentencepiece": _sentencepiece}[name]()


def facts(case: Case) -> dict:
    """Ids and lists that the checkpoint writers need."""
    tokenizer = build(case.tokenizer)
    layout = json.loads(tokenizer.to_str())
    by_id = {id: token for token, id in tokenizer.get_vocab(with_added_tokens=True).items()}
    eos = tokenizer.token_to_id(EOS[case.tokenizer])
    stops = [eos, tokenizer.token_to_id("<|eot_id|>")] if case.tokenizer == "bitnet" else eos
    return {
        "bos": tokenizer.token_to_id(BOS[case.tokenizer]),
        "eos": eos,
        "generation_eos": stops,
        "list": [by_id[id] for id in range(len(by_id))],
        "special": [added["content"] for added in layout["added_tokens"]],
        "merges": [" ".join(pair) for pair in layout["model"]["merges"]],
        "template": TEMPLATES[case.tokenizer],
    }


def write(case: Case, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = case.tokenizer
    # One merge or token a line keeps the file reviewable and small.
    text = json.dumps(json.loads(build(name).to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS[name], "eos_token": EOS[name],
              "clean_up_tokenization_spaces": False, "model_max_length": case.context}
    if TEMPLATES[name] and name != "falcon3":
        config["chat_template"] = TEMPLATES[name]
    elif TEMPLATES[name]:
        (folder / "chat_template.jinja").write_text(TEMPLATES[name], encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _llama3() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    _train(tokenizer, 334, [])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in LLAMA3_SPECIAL])
    bos = LLAMA3_SPECIAL[0]
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B:1", special_tokens=[(bos, tokenizer.token_to_id(bos))]),
    ])
    return tokenizer


def _falcon3() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        pre_tokenizers.Digits(individual_digits=True),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    _train(tokenizer, 340, FALCON3_SPECIAL)
    return tokenizer


def _sentencepiece() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
    ])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=390, special_tokens=special, show_progress=False, limit_alphabet=60)
    tokenizer.train_from_iterator(TRAINING, trainer)
    layout = json.loads(tokenizer.to_str())
    # Byte tokens are ordinary vocabulary, only the first three are special.
    layout["added_tokens"] = layout["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(layout))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def _train(tokenizer: Tokenizer, size: int, special: list[str]) -> None:
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
