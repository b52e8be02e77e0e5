"""What a source consists of, and what stops the build."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("zh", "en")
TAGS = ("setup", "exercise", "solution", "nbval-ignore-output")
OPTIONS = ("tags", "alt", "why")
PLACEHOLDER = re.compile(r"^\{\{(\w+)\}\}$", re.MULTILINE)


class Problem(Exception):
    """Something that stops the build, with the place where it stands."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path, self.line, self.reason = Path(path), line, reason
        super().__init__(f"{path}:{line}: {reason}")


@dataclass(frozen=True)
class Cell:
    """One cell of a source; `line` is where it opens, `body` its code."""

    kind: str
    source: str
    line: int
    body: int
    lang: str | None = None
    tags: tuple[str, ...] = ()
    alt: dict[str, str] | None = None
    why: str | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson's front matter and, where they were read, its cells."""

    path: Path
    id: str
    title: dict[str, str]
    lecture: dict[str, str]
    ids: tuple[str, ...]
    minutes: int
    seconds: float
    requires: tuple[str, ...]
    cells: tuple[Cell, ...] = ()

    @property
    def name(self) -> str:
        """The name of the source's folder, as in ``02_tensors``."""
        return self.path.parent.name

    def code(self) -> list[Cell]:
        """The code cells that the editions show: all but the solutions."""
        return [
            cell
            for cell in self.cells
            if cell.kind == "code" and "solution" not in cell.tags
        ]
