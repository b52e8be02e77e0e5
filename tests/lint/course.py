"""Rules that look at all lessons at once."""

from __future__ import annotations

import ast

from notebooks.maker.judge import check_call

from .book import Book


def classes_identical(books: list[Book]) -> list[str]:
    """A class that several lessons show is the same in all of them."""
    first: dict[str, tuple[str, str]] = {}
    wrong = []
    for book in books:
        for cell in book.lesson.code():
            if "exercise" in cell.tags:
                continue
            for node in ast.parse(cell.source).body:
                if not isinstance(node, ast.ClassDef):
                    continue
                name, shape = book.lesson.name, ast.dump(node)
                seen, known = first.setdefault(node.name, (name, shape))
                if shape != known and seen != name:
                    wrong.append(
                        f"class {node.name} of {name} differs from {seen}"
                    )
    return wrong


def exercise_names_unique(books: list[Book]) -> list[str]:
    """An exercise's name is unique in the course."""
    owner: dict[str, str] = {}
    wrong = []
    for book in books:
        for cell in book.lesson.code():
            if "exercise" in cell.tags:
                name = check_call(cell.source)
                if name in owner:
                    wrong.append(
                        f"exercise {name}: {owner[name]}, {book.lesson.name}"
                    )
                owner[name] = book.lesson.name
    return wrong


COURSE_RULES = {
    "classes_identical": classes_identical,
    "exercise_names_unique": exercise_names_unique,
}
