"""Cleaning of text: punctuation, character filter, first sentences.

Useful for: turning long web answers into short ones made of whole sentences.
"""

import re
import unicodedata

_PLAIN = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2212": "-",
    "\u00a0": " ", "\u2026": "...", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u00b4": "'", "\u200b": "",
})
_ALLOWED = re.compile(r"[ -~çÇğĞıİöÖşŞüÜâîûÂÎÛéèáíóñëäïôêàåø°²³½€£×]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-ZÇĞİÖŞÜa-z]|Dr|Mr|Mrs|Ms|Prof|St|No|Jr|Sr|Inc|Ltd|Co|vs|etc|approx|Doç|yy|bkz|vb|vs|Hz|Av|Art|Sec|[IVX]+|\d+)\.|e\.g\.|i\.e\.|U\.S\.)$"
)
_BOUNDARY = re.compile(r"[.!?][\"')]?(?=\s+[\"'(]?[A-ZÇĞİÖŞÜ0-9])|[.!?][\"')]?$")


def plain(text: str) -> str:
    """NFC, straight quotes and hyphens, one space between words."""
    text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return re.sub(r"\s+", " ", text).strip()


def is_clean(text: str) -> bool:
    """Whether every character is one the tokenizer is trained to know well."""
    return bool(text) and _ALLOWED.fullmatch(text) is not None


def sentences(text: str) -> list[str]:
    """Splits at sentence ends; an unfinished last piece is dropped."""
    found, start = [], 0
    for match in _BOUNDARY.finditer(text):
        head = text[start : match.end()]
        if _ABBREVIATION.search(head):
            continue
        found.append(head.strip())
        start = match.end()
    return [s for s in found if s]


def first_sentences(text: str, max_characters: int, most: int = 2) -> str | None:
    """The first one or two sentences that fit, or nothing when even the first does not."""
    answer = ""
    for sentence in sentences(plain(text))[:most]:
        joined = f"{answer} {sentence}".strip()
        if len(joined) > max_characters:
            break
        answer = joined
    return answer or None


def sentence_with(context: str, span: str, max_characters: int) -> str | None:
    """The sentence of `context` that holds `span`: a full-sentence answer for an extractive question."""
    wanted = plain(span).rstrip(".").casefold()
    if len(wanted) < 3:
        return None
    for sentence in sentences(plain(context)):
        if wanted in sentence.casefold() and len(sentence) <= max_characters:
            return sentence
    return None
