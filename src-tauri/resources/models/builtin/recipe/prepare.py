"""Reads the data folder, trains the tokenizer and writes token files for training and evaluation.

Writes `tokenizer.json`, `train.npz` and `dev.npz`: flat token ids, whether each is learned (answers
and plain texts are, questions are not), document offsets and weights.
"""

import argparse
import random
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import own_rows
from sources import Pair, Text, collect
from tokenizer import ASSISTANT, BOS, EOS, EOT, SYSTEM, USER, train_tokenizer


def wordings(pair: Pair) -> list[str]:
    """The question as given and, for definitions, as a person in a hurry types it."""
    question = pair.question
    if pair.source not in ("medquad", "openstax-glossary", "openstax-grounded", "dolly-open-qa"):
        return [question]
    return [question, question.rstrip("?.").lower()]


def conversation(tokenizer: Tokenizer, turns: list[tuple[str, str]], system: str | None) -> tuple[list[int], list[int]]:
    """Ids of one conversation and which of them are learned: each answer with its end of turn."""
    plain = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    ids, learned = [BOS], [0]
    if system:
        piece = [SYSTEM, *plain(system), EOT]
        ids, learned = ids + piece, learned + [0] * len(piece)
    for question, answer in turns:
        piece = [USER, *plain(question), EOT, ASSISTANT]
        reply = [*plain(answer), EOT]
        ids, learned = ids + piece + reply, learned + [0] * len(piece) + [1] * len(reply)
    return ids, learned


def documents(tokenizer: Tokenizer, pairs: list[Pair], texts: list[Text], chance: random.Random, dev: bool):
    """One document per row and wording; some with a system prompt, some with several turns."""
    found = []
    for pair in pairs:
        for question in [pair.question] if dev else wordings(pair):
            system = chance.choice(own_rows.SYSTEM_PROMPTS) if not dev and chance.random() < 0.08 else None
            turns = [(question, pair.answer)]
            while not dev and chance.random() < 0.1 and len(turns) < 4:
                other = chance.choice(pairs)
                turns.insert(0, (other.question, other.answer))
            ids, learned = conversation(tokenizer, turns, system)
            found.append((ids, learned, pair.weight / (1 if dev else len(wordings(pair))), pair.source))
    for text in texts:
        ids = [BOS, *tokenizer.encode(text.text, add_special_tokens=False).ids, EOS]
        found.append((ids, [0] + [1] * (len(ids) - 1), text.weight, text.source))
    return found


def write(path: Path, found) -> None:
    offsets = np.cumsum([0] + [len(ids) for ids, *_ in found])
    np.savez(
        path,
        ids=np.concatenate([np.array(ids, np.uint16) for ids, *_ in found]),
        learned=np.concatenate([np.array(learned, np.uint8) for _, learned, *_ in found]),
        offsets=offsets.astype(np.int64),
        weights=np.array([weight for *_, weight, _ in found], np.float32),
        sources=np.array([source for *_, source in found]),
    )
    expected = sum(weight * len(ids) for ids, _, weight, _ in found)
    print(f"{path.name}: {len(found)} documents, {offsets[-1]} tokens, {expected:.0f} in one weighted pass")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with qa/ and corpus/")
    parser.add_argument("--out", type=Path, default=Path("build"))
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--keep-tokenizer", action="store_true", help="reuse tokenizer.json in --out")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    chance = random.Random(1)
    pairs, texts = collect(arguments.data)
    own = own_rows.pairs()
    training = [p for p in pairs if p.split == "train"] + own
    prose = [t for t in texts if t.split == "train"]

    file = arguments.out / "tokenizer.json"
    if arguments.keep_tokenizer:
        tokenizer = Tokenizer.from_file(str(file))
    else:
        sample = []
        for row in training:
            for _ in range(int(row.weight) + (chance.random() < row.weight % 1)):
                sample += [row.question, row.answer]
        sample += [text.text for text in prose if chance.random() < text.weight]
        tokenizer = train_tokenizer(sample, arguments.vocabulary)
        tokenizer.save(str(file))
    write(arguments.out / "train.npz", documents(tokenizer, training, prose, chance, dev=False))
    dev_pairs, dev_texts = [p for p in pairs if p.split == "dev"], [t for t in texts if t.split == "dev"]
    write(arguments.out / "dev.npz", documents(tokenizer, dev_pairs, dev_texts, chance, dev=True))


if __name__ == "__main__":
    main()
