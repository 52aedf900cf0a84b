"""The tokenizer: whole words where we can, pieces where we must.

A static embedder adds up token vectors, so a word in one piece keeps its meaning and a word in five loses it. The vocabulary is
therefore not learned by merging: the most useful whole words of either language come first, then the endings that are left when
the longest known beginning of an unknown word is taken away (WordPiece), then single characters.

Case and diacritics are folded as the conversation search of the engine folds them: `İ I ı i` are one letter, `ş` is `s`.
"""

import json
import unicodedata
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"
ENGLISH_WORDS = 18_400
TURKISH_WORDS = 6_200
ENDINGS = 2_400
LONGEST_WORD = 40
# One large source must not decide alone: the words of each source count as if it had at most this many.
MOST_WORDS_PER_SOURCE = 400_000
FOLDED_BY_HAND = [("ı", "i"), ("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("đ", "d"), ("ł", "l"), ("’", "'")]


def normalizer():
    """Case and diacritics folded, control characters gone, runs of one digit kept apart from letters by nobody."""
    return normalizers.Sequence(
        [normalizers.Replace(a, b) for a, b in FOLDED_BY_HAND]
        + [normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)]
    )


def pre_tokenizer():
    """Letters, digits and each other sign apart; what follows an apostrophe (`Ankara'nın`, `don't`) is a word of its own."""
    return pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex(r"_|\d+"), "isolated")]
    )


def count(documents):
    """How often each folded word occurs, by language; every source has one voice."""
    fold, split = normalizer(), pre_tokenizer()
    by_source: dict[tuple[str, str], Counter] = {}
    for source, language, text in documents:
        words = split.pre_tokenize_str(fold.normalize_str(text[:20_000]))
        by_source.setdefault((source, language), Counter()).update(word for word, _ in words)
    totals = {"en": Counter(), "tr": Counter()}
    for (_, language), counter in sorted(by_source.items()):
        share = min(1.0, MOST_WORDS_PER_SOURCE / sum(counter.values()))
        for word, found in counter.items():
            totals[language][word] += found * share
    return totals


def is_word(word: str) -> bool:
    return 2 <= len(word) <= LONGEST_WORD and all(c.isalpha() for c in word)


def ranked(counter: Counter) -> list[str]:
    return [word for word, _ in sorted(counter.items(), key=lambda item: (-item[1], item[0]))]


def build(documents, english_first: list[str], own_words: list[str]) -> tuple[Tokenizer, dict[str, float]]:
    """The tokenizer and how often each of its tokens is expected, as a share.

    `english_first` are words that count as if seen a few times more (the teacher's own vocabulary: the words of the open web);
    `own_words` are in the vocabulary whatever the counts say.
    """
    totals = count(documents)
    english = Counter({w: c for w, c in totals["en"].items() if is_word(w)})
    for word in english_first:
        if is_word(word):
            english[word] += 25
    turkish = Counter({w: c for w, c in totals["tr"].items() if is_word(w)})
    fold, split = normalizer(), pre_tokenizer()
    own = [word for text in own_words for word, _ in split.pre_tokenize_str(fold.normalize_str(text)) if is_word(word)]
    tokens = dict.fromkeys(own)
    for word in ranked(english):
        if len(tokens) >= ENGLISH_WORDS:
            break
        tokens.setdefault(word)
    for word in ranked(turkish):
        if len(tokens) >= ENGLISH_WORDS + TURKISH_WORDS:
            break
        tokens.setdefault(word)
    both = Counter()
    for language in ("en", "tr"):
        for word, found in totals[language].items():
            both[word] += found
    characters = [c for c, n in sorted(chars(both).items(), key=lambda item: (-item[1], item[0])) if n >= 50][:300]
    for c in characters:
        tokens.setdefault(c)
    known = set(tokens)
    endings = Counter()
    for word, found in both.items():
        if word in known or not is_word(word):
            continue
        end = next((e for e in range(len(word) - 1, 1, -1) if word[:e] in known), 0)
        if end:
            endings[word[end:]] += found
    letters = [c for c in characters if c.isalnum()]
    pieces = dict.fromkeys(f"##{c}" for c in letters)
    for ending in ranked(endings):
        if len(pieces) >= ENDINGS:
            break
        pieces.setdefault(f"##{ending}")
    vocabulary = {UNKNOWN: 0}
    for token in [*sorted(tokens), *sorted(pieces)]:
        vocabulary[token] = len(vocabulary)
    tokenizer = Tokenizer(
        models.WordPiece(vocab=vocabulary, unk_token=UNKNOWN, continuing_subword_prefix="##", max_input_chars_per_word=64)
    )
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizer()
    return tokenizer, shares(tokenizer, both)


def chars(counter: Counter) -> Counter:
    found = Counter()
    for word, n in counter.items():
        for c in word:
            if not unicodedata.category(c).startswith("C"):
                found[c] += n
    return found


def shares(tokenizer: Tokenizer, words: Counter) -> dict[str, float]:
    """Share of each token among all tokens of the counted words."""
    names = sorted(words)
    found = Counter()
    for word, encoding in zip(names, tokenizer.encode_batch(names)):
        for token in encoding.tokens:
            found[token] += words[word]
    total = sum(found.values())
    return {token: found[token] / total for token in tokenizer.get_vocab()}


def save(tokenizer: Tokenizer, path: Path):
    """The file without indentation: it is shipped."""
    path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
