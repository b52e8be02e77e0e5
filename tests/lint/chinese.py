"""How Chinese and English are set: punctuation, spaces, the glossary."""

from __future__ import annotations

import re

from . import text
from .book import Book

_HAN = "[一-鿿]"
_ZH = {
    "ASCII punctuation": re.compile(
        rf"(?:{_HAN}|[）”])[,;:!?](?!\w*://)|{_HAN}\.(?!\w)|[,;!?] *{_HAN}"
    ),
    "ASCII brackets": re.compile(rf"{_HAN}\(|\([^()]*{_HAN}[^()]*\)|\){_HAN}"),
    "no space": re.compile(rf"{_HAN}[A-Za-z0-9]|[A-Za-z0-9]{_HAN}"),
    "not in the glossary": re.compile("变压器|變壓器|张量流"),
}
_EN = {"full-width punctuation": re.compile("[，。：；！？（）、]")}


def chinese_prose(book: Book) -> list[str]:
    """Full-width punctuation, a space beside Latin, terms of the glossary."""
    return _search(book, "zh", _ZH)


def english_prose(book: Book) -> list[str]:
    """No full-width punctuation in English."""
    return _search(book, "en", _EN)


def right_language(book: Book) -> list[str]:
    """A zh text is Chinese; a text for both editions is not."""
    wrong = []
    for cell in book.lesson.cells:
        if cell.kind != "text":
            continue
        bare = text.prose(cell.source)
        han = len(re.findall(_HAN, bare))
        latin = len(re.findall(r"[A-Za-z]{2,}", bare))
        if cell.lang is None and han:
            wrong.append(f"line {cell.line}: Chinese in a text without `lang`")
        if cell.lang == "en" and han > latin:
            wrong.append(f"line {cell.line}: the en text is Chinese")
        if cell.lang == "zh" and latin > 5 and not han:
            wrong.append(f"line {cell.line}: the zh text is not Chinese")
    return wrong


def _search(book: Book, lang: str, patterns: dict) -> list[str]:
    wrong = []
    for cell in book.lesson.cells:
        if cell.lang != lang:
            continue
        for line in text.prose(cell.source).split("\n"):
            for what, pattern in patterns.items():
                hit = pattern.search(line)
                if hit:
                    near = line[max(0, hit.start() - 12) : hit.end() + 12]
                    wrong.append(f"line {cell.line} on: {what}: …{near}…")
    return wrong


RULES = (chinese_prose, english_prose, right_language)
