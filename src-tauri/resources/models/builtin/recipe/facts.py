"""Everyday facts written for this project: capitals and short definitions, English and Turkish."""

from pathlib import Path

# English name, Turkish name in the genitive, capital in English, capital in Turkish.
CAPITALS = [
    ("Turkey", "Türkiye'nin", "Ankara", "Ankara"), ("France", "Fransa'nın", "Paris", "Paris"),
    ("Germany", "Almanya'nın", "Berlin", "Berlin"), ("Italy", "İtalya'nın", "Rome", "Roma"),
    ("Spain", "İspanya'nın", "Madrid", "Madrid"), ("Japan", "Japonya'nın", "Tokyo", "Tokyo"),
    ("Greece", "Yunanistan'ın", "Athens", "Atina"), ("Russia", "Rusya'nın", "Moscow", "Moskova"),
    ("Egypt", "Mısır'ın", "Cairo", "Kahire"), ("China", "Çin'in", "Beijing", "Pekin"),
    ("England", "İngiltere'nin", "London", "Londra"), ("Canada", "Kanada'nın", "Ottawa", "Ottawa"),
    ("Portugal", "Portekiz'in", "Lisbon", "Lizbon"), ("Austria", "Avusturya'nın", "Vienna", "Viyana"),
    ("Bulgaria", "Bulgaristan'ın", "Sofia", "Sofya"), ("Iran", "İran'ın", "Tehran", "Tahran"),
    ("Azerbaijan", "Azerbaycan'ın", "Baku", "Bakü"), ("the United States", "Amerika Birleşik Devletleri'nin", "Washington, D.C.", "Washington"),
]

HERE = Path(__file__).parent


def definitions(language: str) -> list[list[str]]:
    """Lines `term|definition` of `definitions_{language}.txt`."""
    return [line.split("|") for line in (HERE / f"definitions_{language}.txt").read_text("utf-8").splitlines()]


def facts() -> list[tuple[str, str]]:
    found = []
    for country, genitive, capital, capital_tr in CAPITALS:
        answer = f"The capital of {country} is {capital}"
        answer += "" if answer.endswith(".") else "."
        found += [(f"What is the capital of {country}?", answer), (f"what is the capital of {country.lower()}", answer)]
        found += [(f"{genitive} başkenti neresidir?", f"{genitive} başkenti {capital_tr}'{_locative(capital_tr)}.")]
    for term, answer in definitions("en"):
        found += [(f"What is {term}?", answer), (f"what is {term.lower()}", answer), (f"Explain {term}.", answer)]
    for term, answer in definitions("tr"):
        found += [(f"{term} nedir?", answer), (f"{term} ne demektir?", answer), (f"{term[0].translate(_LOWER)}{term[1:]} nedir", answer)]
    return found


_LOWER = str.maketrans("ABCÇDEFGĞHIİJKLMNOÖPRSŞTUÜVYZ", "abcçdefgğhıijklmnoöprsştuüvyz")


def _locative(name: str) -> str:
    """The copula that follows a Turkish proper name, by vowel harmony and final consonant."""
    vowel = [letter for letter in name.translate(_LOWER) if letter in "aeıioöuü"][-1]
    ending = {"a": "ı", "ı": "ı", "e": "i", "i": "i", "o": "u", "u": "u", "ö": "ü", "ü": "ü"}[vowel]
    return ("t" if name[-1] in "fstkçşhp" else "d") + ending + "r"
