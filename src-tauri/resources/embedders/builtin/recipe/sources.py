"""Texts and pairs the embedder learns from: train rows of the data folder, never a dev row.

A *text* is a (source, language, text) triple. A *pair* is two texts that belong together: question and answer, question and
context, title and text, sentence and translation.
"""

import hashlib
import json
import lzma
import random
import re
from pathlib import Path

DOMAINS = ("medical", "legal", "coding", "finance", "turkish", "science", "general")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Longer sides of a pair are cut: a mean over more words says little.
MOST_CHARS = 700


def rows(path: Path):
    """Rows of one xz-compressed JSON Lines file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def train_rows(path: Path):
    """Rows of a file with a `split` column that belong to training."""
    return (row for row in rows(path) if row["split"] == "train")


def seeded(*what) -> random.Random:
    """A generator whose seed is the name of what it is for."""
    return random.Random(hashlib.sha256(repr(what).encode()).digest())


def documents(data: Path):
    """Every text of training, for counting words: (source, language, text)."""
    for domain in DOMAINS:
        for row in train_rows(data / "qa" / f"{domain}.jsonl.xz"):
            yield row["source"], row["lang"], f"{row['prompt']} {row['response']}"
        for row in train_rows(data / "corpus" / f"{domain}.jsonl.xz"):
            yield row["source"], row["lang"], f"{row.get('title') or ''} {row['text']}"
    for row in rows(data / "router" / "train.jsonl.xz"):
        yield f"router/{row['source']}", row["lang"], row["text"]
    for name in ("scifact", "fin10k", "medquad", "boolq", "wiki-en", "wiki-tr"):
        language = "tr" if name == "wiki-tr" else "en"
        for row in rows(data / "retrieval" / name / "corpus.jsonl.xz"):
            yield f"retrieval/{name}", language, f"{row['title']} {row['text']}"


def translations(data: Path):
    """(Turkish, English) sentences of Tatoeba."""
    found = []
    for row in train_rows(data / "corpus" / "turkish.jsonl.xz"):
        if row["source"] != "tatoeba-pairs":
            continue
        for line in row["text"].split("\n"):
            left, equals, right = line.partition(" = ")
            if equals:
                # Either side may be the Turkish one.
                found.append((right, left) if is_turkish(right) and not is_turkish(left) else (left, right))
    return found


TURKISH_LETTERS = set("çğıöşüÇĞİÖŞÜ")
ENGLISH_WORDS = set(
    "the a an is are was were i you he she it we they this that of to in on for and not do does did have has had my your his "
    "her what who where when why how can could will would be been with at from".split()
)


def is_turkish(text: str) -> bool:
    """Whether a short text is Turkish rather than English."""
    words = re.findall(r"\w+", text.lower())
    english = sum(word in ENGLISH_WORDS for word in words)
    return any(c in TURKISH_LETTERS for c in text) or english == 0


def sentences(data: Path, most_per_source: int):
    """Sentences of the corpora, the same number from each source: (source, language, text)."""
    by_source = {}
    for domain in DOMAINS:
        for row in train_rows(data / "corpus" / f"{domain}.jsonl.xz"):
            if row["source"] == "tatoeba-pairs":
                continue
            for sentence in SENTENCE_END.split(row["text"]):
                if 20 <= len(sentence) <= 300:
                    by_source.setdefault((row["source"], row["lang"]), []).append(sentence)
    for row in rows(data / "retrieval" / "scifact" / "corpus.jsonl.xz"):
        by_source.setdefault(("scifact", "en"), []).append(row["title"])
    for (source, language), texts in sorted(by_source.items()):
        seeded("sentences", source, language).shuffle(texts)
        for text in texts[:most_per_source]:
            yield source, language, text


def questions(data: Path, most_per_source: int):
    """Questions of the router's and the question–answer train rows, at most so many from each source and domain."""
    by_source = {}
    for row in rows(data / "router" / "train.jsonl.xz"):
        by_source.setdefault((row["source"], row["domain"], row["lang"]), []).append(row["text"])
    for domain in DOMAINS:
        for row in train_rows(data / "qa" / f"{domain}.jsonl.xz"):
            by_source.setdefault((row["source"], domain, row["lang"]), []).append(row["prompt"])
    for (source, domain, language), texts in sorted(by_source.items()):
        texts = sorted(set(texts))
        seeded("questions", source, domain).shuffle(texts)
        for text in texts[:most_per_source]:
            yield source, language, text[:MOST_CHARS]


def pairs(data: Path, most_per_source: int):
    """Pairs of texts that belong together, at most so many of each kind from each source: (kind, left, right)."""
    by_kind = {}

    def add(kind, left, right):
        if left and right and left != right:
            by_kind.setdefault(kind, []).append((left[:MOST_CHARS], right[:MOST_CHARS]))

    for domain in DOMAINS:
        for row in train_rows(data / "qa" / f"{domain}.jsonl.xz"):
            # A translation task names no topic; its two sides are pairs of their own.
            if row["source"] == "tatoeba-tr":
                continue
            if len(row["response"]) >= 25:
                add(f"{row['source']} answer", row["prompt"], row["response"])
            if row.get("context"):
                add(f"{row['source']} context", row["prompt"], row["context"])
        for row in train_rows(data / "corpus" / f"{domain}.jsonl.xz"):
            if row["source"] == "tatoeba-pairs":
                continue
            text = row["text"]
            title = row.get("title") or ""
            if len(title) >= 8:
                add(f"{row['source']} title", title, text)
            # Two neighbouring passages of one document.
            for start in range(0, min(len(text), 20_000) - 2 * MOST_CHARS, 4 * MOST_CHARS):
                add(f"{row['source']} neighbour", text[start : start + MOST_CHARS], text[start + MOST_CHARS :])
    for row in rows(data / "retrieval" / "scifact" / "corpus.jsonl.xz"):
        add("scifact title", row["title"], row["text"])
    for kind, found in sorted(by_kind.items()):
        seeded("pairs", kind).shuffle(found)
        for left, right in found[:most_per_source]:
            yield kind, left, right
