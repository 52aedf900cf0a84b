"""Writes the tokenizers and expected outputs that `text.rs` compares with, as transformers and tokenizers give them.

    python make.py            (needs transformers 5.x with tokenizers and jinja2; no torch, no network)

`byte_level.json`, `sentence_piece.json`: tiny tokenizers trained on the sentences below, in the layout of Llama 3 and
Llama 2. `expected.json`: ids and texts of both, and chat templates rendered by `apply_chat_template`.
"""

import json
import tempfile
from pathlib import Path

import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = Path(__file__).parent
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TRAINING = [
    "Diabetes is a disease in which the level of sugar in the blood is too high.",
    "Şeker hastalığı, kandaki şeker düzeyinin çok yüksek olduğu bir hastalıktır.",
    "The doctor asked the patient how often she measured the level of sugar in her blood.",
    "Doktor hastaya kandaki şeker düzeyini ne sıklıkta ölçtüğünü sordu.",
    "İstanbul'da yağmur yağıyor; it's raining in Istanbul. 1234 5678, 3.14!",
    "fn main() {\n    println!(\"Hello\");\n}\n\n\tindented\r\n",
] * 4
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
TEXTS = [
    "",
    " ",
    "Hello",
    " Hello  world ",
    "The level of sugar in the blood is too high.",
    "Şeker hastalığı nedir? İIıi ğüşöç",
    "it's IT'S we'll WE'LL don't 'S",
    "12345678 1 22 333 4444 ١٢٣٤",
    "a\n\n\nb\r\n\r\n  c\t\td   \n   ",
    "    indented\n        twice",
    "日本語のテキスト 🙂👩‍👩‍👧‍👦 é e\u0301",
    "<|eot_id|>x<|begin_of_text|> y <|not_special|>",
    "…—“quoted”‘single’ €₺",
    "\u0000\u0001\u007f\u00a0\u200b\ufeff",
    "ſſ 'ſ K",
    "!!!???...,,,;;;:::((()))[[[]]]{{{}}}",
]

BITNET_2B4T = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = message['role'] | capitalize"
    " + ': '+ message['content'] | trim + '<|eot_id|>' %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"
)
LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
TEMPLATES = {
    "bitnet 2b-4t": BITNET_2B4T,
    "llama 3": LLAMA_3,
    "chatml": (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
        "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "strict roles": (
        "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% endif %}{% endfor %}"
    ),
    "blocks on their own lines": """
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0].content %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set system = "Today is " + strftime_now("%Y")[:2] + "xx." %}
    {%- set rest = messages %}
{%- endif %}
<|system|>
{{ system }}
  {% for message in rest %}
    {% if message.role not in ["user", "assistant"] %}
      {% continue %}
    {% endif %}
    {# a comment #}
<|{{ message.role }}|>
    {{ message.content.strip() }}
  {% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}
""",
    "methods and filters": (
        "{% set ns = namespace(n=0, seen=[]) %}{% for m in messages %}{% set ns.n = ns.n + m.content|length %}"
        "{{ loop.index }}/{{ loop.length }} {{ m.role.upper() }} {{ m['content'].split(' ')[0] }}|"
        "{{ m.content.replace('a', 'A').title() }}|{{ m.content.startswith('Ş') }}|{{ 'x' in m.content }}|"
        "{{ m.get('name', 'none') }}|{{ m.content.lstrip().rstrip('.?') }}|{{ m.items() | length }}\n"
        "{% endfor %}{{ ns.n }} {{ tools is none }} {{ tools is defined }} {{ nothing is defined }} {{ [1, 2.0, true, none, 'q'] }}"
        " {{ messages | map(attribute='role') | join(', ') }} {{ (messages | last).role }} {{ messages[-1]['role'] }}"
        " {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ 7 // 2 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ 'a' ~ 1 }}"
    ),
    "tojson": (
        "{{ messages | tojson }}\n{{ messages[0] | tojson(indent=2) }}\n"
        "{{ {'b': [1, 2.5, true, none, []], 'a': {}, 'ş': '<&>\"\\\\\\u0007'} | tojson(sort_keys=true) }} {{ 'é' | tojson(ensure_ascii=true) }}"
    ),
    "generation marks": (
        "{% for message in messages %}{% if message.role == 'assistant' %}{%- generation -%} {{ message.content }} "
        "{%- endgeneration -%} {% else %}{% generation %}{{ message.content }}\n{% endgeneration %}{% endif %}{% endfor %}"
    ),
    "macros and loops": (
        "{% macro turn(m, mark='#') %}{{ mark }}{{ m.role }}: {{ m.content }}{% endmacro %}"
        "{% for m in messages if m.role != 'system' %}{% if loop.index > 2 %}{% break %}{% endif %}"
        "{{ turn(m) if loop.first else turn(m, mark='##') }}{{ loop.previtem.role if loop.previtem is defined }}"
        "{% else %}nobody spoke{% endfor %}{% for a, b in {'x': 1, 'y': 2}.items() %}{{ a }}{{ b }}{% endfor %}"
    ),
    "trailing newline": "{{ messages[0].content }}\n",
    "two trailing newlines": "{{ messages[0].content }}\n\n",
    "syntax error": "{% for message in messages %}{{ message.content }",
    "unknown filter": "{{ messages | no_such_filter }}",
    "unknown method": "{{ messages[0].content.no_such_method() }}",
    "attribute of nothing": "{{ nothing.at_all }}",
}
CHATS = {
    "one": [{"role": "user", "content": " What is diabetes? "}],
    "system": [
        {"role": "system", "content": "You answer briefly."},
        {"role": "user", "content": "Şeker hastalığı nedir?\n"},
        {"role": "assistant", "content": "Kandaki şekerin yüksek olmasıdır."},
        {"role": "user", "content": "it's <|eot_id|> 'quoted' & \"double\""},
    ],
    "two assistants": [
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": ""},
    ],
}


def byte_level():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    split = pre_tokenizers.Split(Regex(SPLIT), behavior="isolated", invert=False)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        TRAINING, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])
    bos = SPECIAL[0]
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        ),
    ])
    return tokenizer


def sentence_piece():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=450, special_tokens=["<unk>", "<s>", "</s>", *fallback], max_token_length=8, show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    saved = json.loads(tokenizer.to_str())
    saved["added_tokens"] = saved["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(saved))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def cases(tokenizer):
    found = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        found.append({"text": text, "ids": ids, "plain": plain, "decoded": tokenizer.decode(ids)})
    return found


def rendered(folder):
    found = []
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for name, template in TEMPLATES.items():
        for chat, messages in CHATS.items():
            for prompt in (True, False):
                try:
                    text = tokenizer.apply_chat_template(
                        messages, chat_template=template, add_generation_prompt=prompt, tokenize=False
                    )
                    ids = tokenizer(text, add_special_tokens=False).input_ids
                except Exception:
                    text, ids = None, None
                found.append({
                    "template": name, "chat": chat, "generation_prompt": prompt, "rendered": text, "plain": ids
                })
    return found


def main():
    first, second = byte_level(), sentence_piece()
    first.save(str(HERE / "byte_level.json"), pretty=False)
    second.save(str(HERE / "sentence_piece.json"), pretty=False)
    with tempfile.TemporaryDirectory() as folder:
        first.save(folder + "/tokenizer.json")
        config = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], "tokenizer_class": "PreTrainedTokenizerFast"}
        Path(folder, "tokenizer_config.json").write_text(json.dumps(config))
        chats = rendered(folder)
    expected = {
        "made_by": f"make.py with transformers {transformers.__version__}, tokenizers {tokenizers.__version__}",
        "byte_level": cases(first),
        "sentence_piece": cases(second),
        "templates": TEMPLATES,
        "chats": CHATS,
        "rendered": chats,
    }
    lines = []
    for key, value in expected.items():
        if isinstance(value, list):
            value = "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in value) + "\n]"
        else:
            value = json.dumps(value, ensure_ascii=False)
        lines.append(f"{json.dumps(key)}: {value}")
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
