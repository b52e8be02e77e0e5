"""Badges and links lead where they should."""

from __future__ import annotations

import re

from notebooks.maker import editions

from . import text
from .book import Book

_VAGUE = {"", "here", "link", "this", "click here", "这里", "链接", "点击"}


def badges(book: Book) -> list[str]:
    """The first cell links Colab (owner, branch, path), the other edition,
    and says lecture and times."""
    wrong = []
    place = editions.repository(book.root).split("github.com/")[-1]
    name = f"{book.lesson.name}.ipynb"
    for lang, other in (("zh", "en"), ("en", "zh")):
        cell = book.cells(lang)[0]["source"]
        targets = [target for _, target in text.links(cell)]
        wanted = [
            f"https://colab.research.google.com/github/{place}/blob/main"
            f"/notebooks/{lang}/{name}",
            f"../{other}/{name}",
        ]
        wrong += [
            f"{lang}: no link to {target}"
            for target in wanted
            if target not in targets
        ]
        for part in (
            book.lesson.lecture[lang],
            f" {book.lesson.minutes} ",
            f" {book.lesson.seconds} ",
        ):
            if part not in cell:
                wrong.append(f"{lang}: {part!r} is not in the first cell")
    return wrong


def neighbours(book: Book) -> list[str]:
    """The last cell links the lessons before and after."""
    wrong = []
    names = [head.name for head in book.heads]
    at = names.index(book.lesson.name)
    wanted = [
        f"{name}.ipynb"
        for name in (*names[max(0, at - 1) : at], *names[at + 1 : at + 2])
    ]
    for lang in book.texts:
        found = text.links(book.cells(lang)[-1]["source"])
        local = [target for _, target in found if "://" not in target]
        if local[-len(wanted) :] != wanted and wanted:
            wrong.append(f"{lang}: the last cell links {local}, not {wanted}")
    return wrong


def links_resolve(book: Book) -> list[str]:
    """Relative links lead to files, others are https, all say to what."""
    wrong = []
    for lang in book.texts:
        folder = book.root / "notebooks" / lang
        for cell in book.cells(lang):
            if cell["cell_type"] != "markdown":
                continue
            for words, target in text.links(cell["source"]):
                if words.strip().lower() in _VAGUE:
                    wrong.append(f"{lang}: a link says only {words!r}")
                if target.startswith("#"):
                    continue
                if re.match(r"\w+:", target):
                    if not target.startswith("https://"):
                        wrong.append(f"{lang}: not https: {target}")
                elif not (folder / target.partition("#")[0]).exists():
                    wrong.append(f"{lang}: leads nowhere: {target}")
    return wrong


RULES = (badges, neighbours, links_resolve)
