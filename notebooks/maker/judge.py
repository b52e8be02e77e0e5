"""Judge a source's form: what can be wrong without running a line of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .parts import LANGUAGES, PLACEHOLDER, Cell, Problem

FIELDS = ("id", "title", "lecture", "ids", "minutes", "seconds", "requires")


def line_of(text: str, field: str) -> int:
    """The line on which a field of the front matter stands; 1 if nowhere."""
    found = re.search(rf"^ *{field}:", text, re.MULTILINE)
    return text[: found.start()].count("\n") + 1 if found else 1


def fields(path: Path, text: str, course: dict, number: str) -> None:
    """Every field of the front matter, and nothing else, well formed."""

    def fail(field: str, reason: str) -> None:
        raise Problem(path, line_of(text, field), f"front matter: {reason}")

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


def languages(path: Path, cells: tuple[Cell, ...]) -> None:
    """Each zh text has its en text directly after it."""
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


def placeholders(path: Path, cells: tuple[Cell, ...]) -> None:
    """``{{badges}}`` in the first text, ``{{nav}}`` in the last."""
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


def code(path: Path, cells: tuple[Cell, ...]) -> None:
    """Set-up first, plain Python, every exercise with its solution."""
    cells_of_code = [cell for cell in cells if cell.kind == "code"]
    setups = [cell for cell in cells_of_code if "setup" in cell.tags]
    if len(setups) != 1 or setups[0] is not cells_of_code[0]:
        line = setups[-1].line if setups else 1
        raise Problem(
            path, line, "exactly one cell is tagged setup, the first one"
        )
    for cell in cells_of_code:
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
