"""Read a lesson's source, a MyST Markdown notebook, and judge its form.

Everything that can be wrong without running a line of it is found here and
raised as a `Problem`, which names the file, the line and the reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook

from . import judge
from .parts import LANGUAGES, OPTIONS, TAGS, Cell, Lesson, Problem

_NAME = re.compile(r"(\d\d)_[a-z0-9_]+")


def paths(root: Path) -> list[Path]:
    """The sources under `root`, in the order of their numbers."""
    return sorted((root / "notebooks" / "src").glob("*/lesson.md"))


def read_head(path: Path) -> Lesson:
    """Read only the front matter of a source."""
    named = _NAME.fullmatch(path.parent.name)
    if named is None:
        raise Problem(
            path, 1, "a source's folder is named NN_topic, two digits and a-z0-9_"
        )
    text = _text(path)
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
    judge.fields(path, text, course, named[1])
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
    text = _text(path)
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except MystMetadataParsingError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else 1
        raise Problem(path, line, str(error)) from None
    except yaml.YAMLError as error:
        raise Problem(path, 1, f"a cell's options: {error}") from None
    lines = text.split("\n")
    cells = tuple(
        _cell(path, lines, cell, line)
        for cell, line in zip(
            notebook.cells, notebook.metadata["source_map"], strict=True
        )
    )
    judge.languages(path, cells)
    judge.placeholders(path, cells)
    judge.code(path, cells)
    return Lesson(**{**vars(head), "cells": cells})


def _text(path: Path) -> str:
    """A source's text, unless an editor saved it in another encoding."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Problem(path, line, "not UTF-8: save it as UTF-8") from None
    if text.startswith("\ufeff"):
        raise Problem(
            path, 1, "a byte order mark: save it as UTF-8 without one"
        )
    return text


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
        body = _body(lines, node.source.split("\n"), line)
        lost = re.search(r"^(\+\+\+|```\{)", node.source, re.MULTILINE)
        if lost:
            at = body + node.source[: lost.start()].count("\n")
            raise Problem(
                path, at, f"`{lost[0]}` inside a text: is a fence left open?"
            )
        return Cell("text", node.source, line, body, lang)
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
