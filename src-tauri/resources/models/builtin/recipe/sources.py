"""From the rows of the data folder to short question-answer pairs and plain texts.

Each function reads one kind of source and yields `Pair`s; the weight says how often a row is
seen per pass. Only rows with a short, clean answer are kept.
"""

import json
import lzma
import random
import re
from dataclasses import dataclass
from pathlib import Path

from text import first_sentences, is_clean, plain, sentence_with, sentences

ANSWER_CHARACTERS = 260
DOMAINS = ("medical", "legal", "science", "finance", "general", "turkish")


@dataclass
class Pair:
    source: str
    language: str
    split: str
    question: str
    answer: str
    weight: float = 1.0


@dataclass
class Text:
    source: str
    language: str
    split: str
    text: str
    weight: float = 1.0


def rows(path: Path):
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _medquad_question(prompt: str) -> tuple[str, float] | None:
    prompt = re.sub(r"\s*\([^)]*\)", "", plain(prompt)).replace(" ?", "?")
    if re.search(r"What I|Medicare|Key Points", prompt):
        return None
    kinds = ("What causes", "What are the symptoms", "What are the treatments", "Who is at risk", "How to prevent")
    if prompt.startswith(kinds):
        return prompt, 0.07
    if re.match(r"What are the |What is the |Is .* inherited", prompt):
        return None
    if re.match(r"What (is|are) ", prompt):
        return prompt, 0.8
    return None


def _medquad_answer(text: str) -> str | None:
    text = re.sub(r"^(Summary|Espaol|Overview|Definition)\s*:?\s*", "", text.strip())
    text = re.sub(r"\s*\([^)]*\)", "", text)
    return first_sentences(text, ANSWER_CHARACTERS)


_BOILERPLATE = re.compile(
    r"^See |signs and symptoms of|provides the following list|These resources|On this Page|Frequently Asked|Key Points|following summary|See the |https?:|www\.|\[|What is|What are",
)


def _sentence_from_definition(question: str, answer: str) -> str:
    """`Define X.` + `A thing that …` → `X is a thing that …`; other fragments stay as the book has them."""
    term = re.match(r'(?:Define|Explain the term|What is|What does) "?(.+?)"?(?: mean)?[.?]$', question)
    article = re.match(r"(A|An|The) [a-z]", answer)
    if not term or not article:
        return answer
    name = term.group(1)
    return f"{name[0].upper()}{name[1:]} is {answer[0].lower()}{answer[1:]}"


def pairs_of(row: dict) -> list[Pair]:
    source, prompt, response = row["source"], plain(row["prompt"]), row["response"]
    weight, answer, question = 1.0, None, prompt
    if source == "medquad":
        kept = _medquad_question(prompt)
        if not kept:
            return []
        question, weight = kept
        answer = _medquad_answer(response)
    elif source in ("openstax-glossary", "openstax-grounded"):
        if not re.match(r"What (is|are|does) |Define |Explain the term ", prompt):
            return []
        answer, weight = first_sentences(re.sub(r"^\([^)]*\)\s*", "", plain(response)), ANSWER_CHARACTERS, most=1), 0.2
        if answer:
            answer = _sentence_from_definition(question, answer[0].upper() + answer[1:])
    elif source == "dolly-open-qa":
        answer, weight = first_sentences(response, ANSWER_CHARACTERS), 0.6
    elif source in ("thquad", "tquad"):
        answer, weight = sentence_with(row.get("context") or "", response, 190), 0.2
        answer = re.sub(r"^Ayrıca (.)", lambda first: first.group(1).upper(), answer or "")
    elif source == "chatterbot":
        answer, weight = plain(response)[:ANSWER_CHARACTERS], 1.0
    elif source == "tatoeba-tr":
        answer, weight = plain(response), 0.35
    if not answer or not is_clean(question) or not is_clean(answer) or _BOILERPLATE.search(answer):
        return []
    if len(question) > 180 or len(answer) < 2 or answer[0].islower():
        return []
    return [Pair(source, row["lang"], row["split"], question, answer, weight)]


_INTRODUCED = re.compile(
    r"^((?:The |A |An )?[A-Z][A-Za-z0-9 .'-]{2,40}?)(?: \([^)]*\))?,? (is|was|are|were) ((?:a|an|the|one) .+)$"
)


def introductions(row: dict) -> list[Pair]:
    """Encyclopaedic first sentences (`X is a …`) as the answer to `What is X?` or `Who was X?`."""
    opening = first_sentences(re.sub(r"\s*\([^)]*\)", "", row["text"]), 200, most=1)
    if not opening or not is_clean(opening):
        return []
    match = _INTRODUCED.match(opening)
    if not match or re.match(r"(He|She|It|They|This|In|The following|There)\b", opening):
        return []
    name, verb, rest = match.groups()
    person = re.search(r"\b(born|politician|player|actor|actress|singer|writer|footballer|author|king|queen|artist|composer|scientist|director|musician|poet|painter|engineer|officer|journalist)\b", rest[:80])
    lowered = name[0].lower() + name[1:] if re.match(r"(The|A|An) ", name) else name
    question = f"{'Who' if person else 'What'} {verb} {lowered}?"
    return [Pair(row["source"], row["lang"], row["split"], question, opening, 0.5)]


def texts_of(row: dict) -> list[Text]:
    """Simple prose in pieces of a few sentences."""
    weights = {"storybooks": 0.1}
    if row["source"] not in weights:
        return []
    weight = weights[row["source"]] * (3.0 if row["lang"] == "tr" else 1.0)
    pieces, piece = [], ""
    for sentence in sentences(plain(row["text"])):
        if not is_clean(sentence):
            piece = ""
            continue
        if piece and len(piece) + len(sentence) > 420:
            pieces.append(piece)
            piece = ""
        piece = f"{piece} {sentence}".strip()
    if len(piece) > 80:
        pieces.append(piece)
    return [Text(row["source"], row["lang"], row["split"], p, weight) for p in pieces if len(p) <= 520]


def collect(data: Path) -> tuple[list[Pair], list[Text]]:
    """Everything usable in the data folder, without repeats."""
    pairs, texts = [], []
    for domain in DOMAINS:
        for row in rows(data / "qa" / f"{domain}.jsonl.xz"):
            pairs += pairs_of(row)
    for domain in ("general", "turkish"):
        for row in rows(data / "corpus" / f"{domain}.jsonl.xz"):
            if row["source"] in ("wikihop-passages", "dbpedia-abstracts"):
                pairs += introductions(row)
            else:
                texts += texts_of(row)
    seen, unique = set(), []
    for pair in pairs:
        key = (pair.question.casefold(), pair.answer[:60].casefold())
        if key not in seen:
            seen.add(key)
            unique.append(pair)
    per_question, kept = {}, []
    random.Random(0).shuffle(unique)
    for pair in unique:
        count = per_question.get(pair.question.casefold(), 0)
        if count < 2:
            per_question[pair.question.casefold()] = count + 1
            kept.append(pair)
    return kept, texts
