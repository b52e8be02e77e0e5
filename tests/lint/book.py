"""What a rule looks at: a lesson's source and both editions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from notebooks.maker import course, editions
from notebooks.maker.parts import LANGUAGES, Cell, Lesson
from notebooks.maker.source import read


@dataclass(repr=False)
class Book:
    """A lesson as its readers get it.

    Attributes:
        root: The course's folder.
        lesson: The source, read.
        heads: The front matter of all lessons.
        curriculum: Per lesson number, the ids that it has to cover.
        texts: Per language, the edition's file as text.
    """

    root: Path
    lesson: Lesson
    heads: list[Lesson]
    curriculum: dict[str, dict]
    texts: dict[str, str]

    def cells(self, lang: str) -> list[dict]:
        """The cells of one edition, each source as one string."""
        cells = json.loads(self.texts[lang])["cells"]
        for cell in cells:
            cell["source"] = "".join(cell["source"])
        return cells

    def code(self, lang: str = "zh") -> list[dict]:
        """The code cells of one edition."""
        return [c for c in self.cells(lang) if c["cell_type"] == "code"]

    def prose(self, lang: str) -> list[Cell]:
        """The text blocks of the source that one edition shows."""
        return [
            cell
            for cell in self.lesson.cells
            if cell.kind == "text" and cell.lang in (None, lang)
        ]

    def outputs(self, lang: str = "zh") -> Iterator[tuple[dict, dict]]:
        """Each output with its cell."""
        for cell in self.code(lang):
            for output in cell["outputs"]:
                yield cell, output


def load(root: Path, name: str, curriculum: dict[str, dict]) -> Book:
    """The lesson `name`, with the editions that stand in the course."""
    lesson = read(course.find(root, name))
    return Book(
        root=root,
        lesson=lesson,
        heads=course.heads(root, strict=False),
        curriculum=curriculum,
        texts={
            lang: editions.edition_path(root, lesson.name, lang).read_text(
                encoding="utf-8"
            )
            for lang in LANGUAGES
        },
    )


def shown(output: dict) -> str:
    """The text that an output shows; a picture shows none."""
    if output["output_type"] == "stream":
        return "".join(output["text"])
    data = output.get("data", {})
    if any(mime.startswith("image/") for mime in data):
        return ""
    return "".join(data.get("text/plain", ""))


def first_line(cell: dict) -> str:
    """A cell's first line, to name it by."""
    return cell["source"].split("\n")[0]
