"""Read a lesson's source, a MyST Markdown notebook, and judge its form.

Everything that can be wrong without running a line of it is found here and
raised as a `Problem`, which names the file, the line and the reason.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook

LANGUAGES = ("zh", "en")
TAGS = ("setup", "exercise", "solution", "nbval-ignore-output")
OPTIONS = ("tags", "alt", "why")
FIELDS = ("id", "title", "lecture", "ids", "minutes", "seconds", "requires")
PLACEHOLDER = re.compile(r"^\{\{(\w+)\}\}$", re.MULTILINE)
_NAME = re.compile(r"(\d\d)_[a-z0-9_]+\.md")


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
        """The file's name without its suffix, as in ``02_tensors``."""
        return self.path.stem

    def code(self) -> list[Cell]:
        """The code cells that the editions show: all but the solutions."""
        return [
            cell
            for cell in self.cells
            if cell.kind == "code" and "solution" not in cell.tags
        ]


def paths(root: Path) -> list[Path]:
    """The sources under `root`, in the order of their numbers."""
    return sorted((root / "notebooks" / "src").glob("*.md"))


def read_head(path: Path) -> Lesson:
    """Read only the front matter of a source."""
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise Problem(
            path, 1, "a source is named NN_topic.md, two digits and a-z0-9_"
        )
    text = path.read_text(encoding="utf-8")
    parts = re.match(r"---\n(.*?\n)---\n", text, re.DOTALL)
    if parts is None:
        raise Problem(path, 1, "the file does not open with front matter")
    try:
        head = yaml.safe_load(parts[1]) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise Problem(path, line, f"front matter: {error}") from None
    course = head.get("course") if isinstance(head, dict) else None
    if not isinstance(course, dict):
        raise Problem(path, 1, "front matter has no `course:`")
    _judge_fields(path, text, course, named[1])
    return Lesson(
        path=path,
        id=course["id"],
        title=course["title"],
        lecture=course["lecture"],
        ids=tuple(course["ids"]),
        minutes=course["minutes"],
        seconds=course["seconds"],
        requires=tuple(course["requires"]),
    )


def read(path: Path) -> Lesson:
    """Read a source and judge its form."""
    head = read_head(path)
    text = path.read_text(encoding="utf-8")
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except MystMetadataParsingError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else 1
        raise Problem(path, line, str(error)) from None
    except yaml.YAMLError as error:
        raise Problem(path, 1, f"a cell's options: {error}") from None
    lines = text.splitlines()
    cells = tuple(
        _cell(path, lines, cell, line)
        for cell, line in zip(
            notebook.cells, notebook.metadata["source_map"], strict=True
        )
    )
    _judge_languages(path, cells)
    _judge_placeholders(path, cells)
    _judge_code(path, cells)
    return Lesson(**{**vars(head), "cells": cells})


def check_call(source: str) -> str | None:
    """The exercise that a cell's last line checks, if it checks one."""
    body = ast.parse(source).body
    if not body or not isinstance(body[-1], ast.Expr):
        return None
    call = body[-1].value
    if not isinstance(call, ast.Call) or not call.args:
        return None
    func = call.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        return func.attr if func.value.id == "check" else None
    return None


def last_statement(source: str) -> str:
    """The text of the last statement of a cell."""
    return ast.get_source_segment(source, ast.parse(source).body[-1])


def _judge_fields(path: Path, text: str, course: dict, number: str) -> None:
    def fail(field: str, reason: str) -> None:
        found = re.search(rf"^ +{field}:", text, re.MULTILINE)
        line = text[: found.start()].count("\n") + 1 if found else 1
        raise Problem(path, line, f"front matter: {reason}")

    for field in FIELDS:
        if field not in course:
            fail("course", f"`{field}` is missing under `course:`")
    for field in course:
        if field not in FIELDS:
            fail(field, f"unknown field `{field}`")
    if course["id"] != number:
        fail(
            "id",
            f"`id` is {course['id']!r}, the file's number is "
            f'"{number}" (in quotes)',
        )
    for field in ("title", "lecture"):
        value = course[field]
        if not isinstance(value, dict) or any(
            not isinstance(value.get(lang), str) or not value[lang].strip()
            for lang in LANGUAGES
        ):
            fail(field, f"`{field}` needs text for zh and for en")
    for field in ("ids", "requires"):
        value = course[field]
        if not isinstance(value, list) or any(
            not isinstance(item, str) for item in value
        ):
            fail(field, f"`{field}` is a list of strings (quote numbers)")
    for field in ("minutes", "seconds"):
        value = course[field]
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value <= 0
        ):
            fail(field, f"`{field}` is a positive number")


def _cell(path: Path, lines: list[str], node, line: int) -> Cell:
    meta = dict(node.metadata)
    if node.cell_type == "markdown":
        line = max(line, 1)
        for key in meta:
            if key != "lang":
                raise Problem(path, line, f"unknown option `{key}`: only lang")
        lang = meta.get("lang")
        if lang is not None and lang not in LANGUAGES:
            raise Problem(path, line, f"unknown language {lang!r}: zh or en")
        return Cell("text", node.source, line, line + 1, lang)
    if node.cell_type != "code":
        raise Problem(path, line, f"unknown kind of cell: {node.cell_type}")
    for key in meta:
        if key not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise Problem(path, line, f"unknown option `{key}`: {known}")
    tags = meta.get("tags", [])
    if not isinstance(tags, list):
        raise Problem(path, line, "`tags` is a list")
    for tag in tags:
        if tag not in TAGS:
            raise Problem(
                path, line, f"unknown tag {tag!r}: {', '.join(TAGS)}"
            )
    if ("nbval-ignore-output" in tags) != bool(meta.get("why")):
        raise Problem(
            path, line, "`nbval-ignore-output` and `why` belong together"
        )
    alt = meta.get("alt")
    if alt is not None and (
        not isinstance(alt, dict)
        or set(alt) != set(LANGUAGES)
        or not all(isinstance(v, str) and v.strip() for v in alt.values())
    ):
        raise Problem(path, line, "`alt` needs text for zh and for en")
    source = node.source.rstrip("\n")
    return Cell(
        "code",
        source,
        line,
        _body(lines, source.split("\n"), line),
        tags=tuple(tags),
        alt=dict(alt) if alt else None,
        why=meta.get("why"),
    )


def _body(lines: list[str], code: list[str], fence: int) -> int:
    for start in range(fence, len(lines) - len(code) + 1):
        if lines[start : start + len(code)] == code:
            return start + 1
    return fence + 1


def _judge_languages(path: Path, cells: tuple[Cell, ...]) -> None:
    waiting = None
    for cell in cells:
        if waiting is not None and cell.lang != "en":
            raise Problem(
                path, waiting.line, "this zh text has no en text after it"
            )
        if waiting is None and cell.lang == "en":
            raise Problem(
                path, cell.line, "this en text has no zh text before it"
            )
        waiting = cell if cell.lang == "zh" else None
    if waiting is not None:
        raise Problem(
            path, waiting.line, "this zh text has no en text after it"
        )


def _judge_placeholders(path: Path, cells: tuple[Cell, ...]) -> None:
    texts = [cell for cell in cells if cell.kind == "text"]
    for cell in texts:
        for name in PLACEHOLDER.findall(cell.source):
            if name not in ("badges", "nav"):
                raise Problem(
                    path, cell.line, f"unknown {{{{{name}}}}}: badges, nav"
                )
    for lang in LANGUAGES:
        shown = [cell for cell in texts if cell.lang in (None, lang)]
        for name, at in (("badges", 0), ("nav", -1)):
            found = [
                cell
                for cell in shown
                for hit in PLACEHOLDER.findall(cell.source)
                if hit == name
            ]
            if found != [shown[at]] if shown else True:
                where = "first" if at == 0 else "last"
                line = found[-1].line if found else 1
                raise Problem(
                    path,
                    line,
                    f"{{{{{name}}}}} stands once, in the {where} text "
                    f"({lang})",
                )


def _judge_code(path: Path, cells: tuple[Cell, ...]) -> None:
    code = [cell for cell in cells if cell.kind == "code"]
    setups = [cell for cell in code if "setup" in cell.tags]
    if len(setups) != 1 or setups[0] is not code[0]:
        line = setups[-1].line if setups else 1
        raise Problem(
            path, line, "exactly one cell is tagged setup, the first one"
        )
    for cell in code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            line = cell.body + (error.lineno or 1) - 1
            raise Problem(
                path, line, f"not plain Python: {error.msg}"
            ) from None
        if not cell.source.strip():
            raise Problem(path, cell.line, "an empty code cell")
    for cell, after in zip(cells, (*cells[1:], None), strict=True):
        solved = after is not None and "solution" in after.tags
        if "exercise" in cell.tags and not solved:
            raise Problem(
                path, cell.line, "no solution directly after this exercise"
            )
        if solved and "exercise" not in cell.tags:
            raise Problem(
                path, after.line, "no exercise directly before this solution"
            )
        if "exercise" in cell.tags and check_call(cell.source) is None:
            raise Problem(
                path,
                cell.body + cell.source.count("\n"),
                "an exercise's last line is check.NAME(NAME)",
            )
