"""Makes the embedder: `python make.py DATA_FOLDER CACHE_FOLDER [OUT_FOLDER]`. The cache keeps the teacher's embeddings.

The same data and package versions give the same vocabulary; the vectors agree up to the order of sums on other CPUs.
"""

import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import export
import sources
import teacher
import training
import vocabulary

VERSION = "1"
QUESTIONS_PER_SOURCE = 1_500
SENTENCES_PER_SOURCE = 700
PAIRS_PER_KIND = 4_000


def teacher_words() -> list[str]:
    """Whole words of the teacher's vocabulary."""
    lines = (teacher.folder() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return [word for word in lines if word.isascii() and word.isalpha() and len(word) >= 3]


def main(data: Path, cache: Path, out: Path):
    cache.mkdir(parents=True, exist_ok=True)
    tokenizer, share = vocabulary.build(sources.documents(data), teacher_words(), [])
    names = [tokenizer.id_to_token(token) for token in range(tokenizer.get_vocab_size())]
    tokens = teacher.embed([name.removeprefix("##") for name in names], cache / "tokens.npy")
    questions = list(sources.questions(data, QUESTIONS_PER_SOURCE))
    sentences = list(sources.sentences(data, SENTENCES_PER_SOURCE))
    translations = sources.translations(data)
    of_questions = teacher.embed([text for _, _, text in questions], cache / "questions.npy")
    of_english = teacher.embed([english for _, english in translations], cache / "trans.npy")
    of_sentences = teacher.embed([text for _, _, text in sentences], cache / "sent.npy")
    texts, targets = [], []
    for rows, embeddings in ((questions, of_questions), (sentences, of_sentences)):
        for (_, language, text), embedding in zip(rows, embeddings):
            # The teacher reads English only.
            if language == "en":
                texts.append(text)
                targets.append(embedding)
    # A Turkish sentence is taught by the embedding of its translation.
    texts += [turkish for turkish, _ in translations] + [english for _, english in translations[::2]] + names
    targets = np.concatenate([np.array(targets), of_english, of_english[::2], tokens])
    rotation = training.project(targets[:80_000], training.DIMENSION)
    targets = targets.astype(np.float32) @ rotation
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    vectors = training.first_vectors(tokens, np.array([share[name] for name in names]), rotation)
    pairs = list(sources.pairs(data, PAIRS_PER_KIND))
    lefts = [left for _, left, _ in pairs] + [turkish for turkish, _ in translations[::4]]
    rights = [right for _, _, right in pairs] + [english for _, english in translations[::4]]
    bags = [training.TokenBags(tokenizer, which) for which in (texts, lefts, rights)]
    vectors = training.train(vectors, bags[0], targets, (bags[1], bags[2]))
    export.write(out, tokenizer, vectors.numpy(), VERSION)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3] if len(sys.argv) == 4 else "."))
