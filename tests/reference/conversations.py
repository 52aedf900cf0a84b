"""What transformers makes of the text table and the conversations with a case's tokenizer."""

import json
from pathlib import Path

from transformers import AutoTokenizer

from cases import Case
from texts import CHATS, TEXTS


def compute(case: Case, folder: Path) -> dict:
    """`folder` holds the tokenizer files. `ids` have the special tokens the tokenizer adds, `plain` have not."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    table = []
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        plain = tokenizer(text, add_special_tokens=False)["input_ids"]
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        table.append({"text": text, "ids": ids, "plain": plain, "decoded": decoded})
    chats = []
    for messages in CHATS if tokenizer.chat_template else []:
        rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        # A template with the BOS inside must not get another; one without it gets the tokenizer's.
        bos_inside = rendered.startswith(tokenizer.bos_token)
        ids = tokenizer(rendered, add_special_tokens=not bos_inside)["input_ids"]
        chats.append({"messages": messages, "rendered": rendered, "ids": ids})
    return {"texts": table, "chats": chats}


def write(case: Case, folder: Path, path: Path) -> None:
    lines = compute(case, folder)
    text = "{" + ",\n".join(
        f'"{key}": [\n' + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]" for key, entries in lines.items()
    )
    path.write_text(text + "}\n", encoding="utf-8")
