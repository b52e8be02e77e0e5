"""Both languages say the same: blocks, formulas, code, numbers, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from . import text
from .book import Book

_NUMBER = re.compile(
    r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(?: ?(万|亿|千|thousand|million|billion))?"
)
_TIMES = {
    "千": 1e3,
    "thousand": 1e3,
    "万": 1e4,
    "million": 1e6,
    "亿": 1e8,
    "billion": 1e9,
}


def same_blocks(book: Book) -> list[str]:
    """The same number of paragraphs, list items, table rows, formulas …"""
    wrong = []
    for line, zh, en in _pairs(book):
        a, b = text.blocks(zh), text.blocks(en)
        wrong += [
            f"line {line}: {kind}: zh {a.get(kind, 0)}, en {b.get(kind, 0)}"
            for kind in sorted({*a, *b})
            if a.get(kind) != b.get(kind)
        ]
    return wrong


def same_formulas(book: Book) -> list[str]:
    """The same formulas, up to words inside them."""
    return _differ(book, "formula", lambda t: set(text.formulas(t)))


def same_code_words(book: Book) -> list[str]:
    """The same names and shapes in inline code, the same fenced code."""
    return _differ(book, "code", lambda t: {*text.code(t), *text.fences(t)})


def same_numbers(book: Book) -> list[str]:
    """The same numbers of two digits and more, and decimals, in prose."""
    return _differ(book, "number", lambda t: set(_numbers(t)))


def same_links(book: Book) -> list[str]:
    """As many links, and all to the same places or their translations."""
    wrong = []
    for line, zh, en in _pairs(book):
        a, b = text.links(zh), text.links(en)
        if len(a) != len(b):
            wrong.append(f"line {line}: {len(a)} links in zh, {len(b)} in en")
    return wrong


def _pairs(book: Book) -> Iterator[tuple[int, str, str]]:
    cells = book.lesson.cells
    for zh, en in pairwise(cells):
        if zh.lang == "zh":
            yield zh.line, zh.source, en.source


def _differ(book: Book, what: str, parts) -> list[str]:
    wrong = []
    for line, zh, en in _pairs(book):
        a, b = parts(zh), parts(en)
        wrong += [f"line {line}: only zh has the {what} {x}" for x in a - b]
        wrong += [f"line {line}: only en has the {what} {x}" for x in b - a]
    return sorted(wrong)


def _numbers(source: str) -> Iterator[float]:
    bare = re.sub(r"^#+ .*$", "", text.prose(source), flags=re.MULTILINE)
    for hit in _NUMBER.finditer(bare):
        digits = hit[1].replace(",", "")
        value = float(digits) * _TIMES.get(hit[2], 1)
        if value >= 10 or "." in digits:
            yield value


RULES = (
    same_blocks,
    same_formulas,
    same_code_words,
    same_numbers,
    same_links,
)
