"""The built files: cells, rhythm, counts, size, tags, metadata."""

from __future__ import annotations

import json
import re
from statistics import median

from notebooks.maker import editions

from .book import Book, first_line, shown


def cell_count(book: Book) -> list[str]:
    """At most 60 cells."""
    count = len(book.cells("zh"))
    return [f"{count} cells, more than 60"] if count > 60 else []


def alternation(book: Book) -> list[str]:
    """At most two code cells in a row."""
    wrong = []
    row = 0
    for cell in book.cells("zh"):
        row = row + 1 if cell["cell_type"] == "code" else 0
        if row == 3:
            wrong.append(f"a third code cell in a row: {first_line(cell)!r}")
    return wrong


def text_per_code(book: Book) -> list[str]:
    """Between 1.0 and 1.8 text cells per code cell."""
    code = len(book.code())
    ratio = (len(book.cells("zh")) - code) / code
    if 1.0 <= ratio <= 1.8:
        return []
    return [f"{ratio:.2f} text cells per code cell, not 1.0 to 1.8"]


def code_length(book: Book) -> list[str]:
    """Lines: median at most 6, nine in ten at most 15, never above 30."""
    lines = sorted(cell["source"].count("\n") + 1 for cell in book.code())
    wrong = []
    if median(lines) > 6:
        wrong.append(f"half of the code cells exceed 6 lines: {lines}")
    if sum(n > 15 for n in lines) > len(lines) / 10:
        wrong.append(f"more than one in ten exceeds 15 lines: {lines}")
    wrong += [
        f"{n} lines, more than 30: {first_line(cell)!r}"
        for cell in book.code()
        if (n := cell["source"].count("\n") + 1) > 30
    ]
    return wrong


def output_length(book: Book) -> list[str]:
    """At most 20 printed lines a cell."""
    wrong = []
    for cell in book.code():
        text = "".join(
            shown(output).rstrip("\n") + "\n"
            for output in cell["outputs"]
            if shown(output).strip()
        )
        if text.count("\n") > 20:
            wrong.append(f"more than 20 lines after {first_line(cell)!r}")
    return wrong


def file_size(book: Book) -> list[str]:
    """At most 400 KB a file."""
    return [
        f"{lang}: {len(text.encode()) // 1000} KB, more than 400"
        for lang, text in book.texts.items()
        if len(text.encode()) > 400_000
    ]


def setup_cell(book: Book) -> list[str]:
    """One set-up cell, the first, at most 8 lines, the same everywhere."""
    wrong = []
    for lang in book.texts:
        code = book.code(lang)
        tagged = [c for c in code if "setup" in c["metadata"].get("tags", [])]
        if tagged != code[:1]:
            wrong.append(f"{lang}: the first code cell alone is the set-up")
            continue
        if code[0]["source"] != editions.setup_cell(book.root):
            wrong.append(f"{lang}: the set-up cell is not the course's")
        if code[0]["source"].count("\n") + 1 > 8:
            wrong.append(f"{lang}: the set-up cell exceeds 8 lines")
    return wrong


def counts(book: Book) -> list[str]:
    """Execution counts 1..n; without them nbval compares nothing."""
    return [
        f"{lang}: execution counts are not 1..n"
        for lang in book.texts
        if [c["execution_count"] for c in book.code(lang)]
        != list(range(1, len(book.code(lang)) + 1))
    ]


def kernelspec(book: Book) -> list[str]:
    """Kernel ``python3``, no version, no widget state, valid format."""
    wanted = {
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    return [
        f"{lang}: metadata {json.loads(text)['metadata']}"
        for lang, text in book.texts.items()
        if json.loads(text)["metadata"] != wanted
        or (json.loads(text)["nbformat"], json.loads(text)["nbformat_minor"])
        != (4, 5)
    ]


def tags(book: Book) -> list[str]:
    """Only the course's tags; nothing skips or is allowed to raise."""
    allowed = {"setup", "exercise", "solution", "nbval-ignore-output"}
    wrong = []
    for lang in book.texts:
        for cell in book.cells(lang):
            unknown = set(cell["metadata"].get("tags", [])) - allowed
            if unknown:
                wrong.append(f"{lang}: tag {', '.join(sorted(unknown))}")
            if re.search(r"nbval[-_]skip|raises[-_]exc", cell["source"], re.I):
                wrong.append(f"{lang}: a skip mark in {first_line(cell)!r}")
    return wrong


def same_code(book: Book) -> list[str]:
    """Code, ids and counts are equal in both editions."""
    parts = [
        [(c["id"], c["source"], c["execution_count"]) for c in book.code(lang)]
        for lang in ("zh", "en")
    ]
    return [] if parts[0] == parts[1] else ["the editions' code differs"]


RULES = (
    cell_count,
    alternation,
    text_per_code,
    code_length,
    output_length,
    file_size,
    setup_cell,
    counts,
    kernelspec,
    tags,
    same_code,
)
