"""Keeps accepted answers in my/parts.py, for the lessons that build on them.

Only while a student works in the folder `my`; see `notebooks/own.py`.
"""

import ast
import builtins
import inspect
import linecache
import os
import symtable
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.language import pick

ROOT = Path(__file__).resolve().parents[1]
MY = ROOT / "my"
ROOM = "checks_of_"  # what an earlier lesson's checks are called
HEAD = """\
# Your accepted answers, by name: from parts import NAME

import math

import torch
import torch.nn.functional as F
from torch import nn
"""


def keep(name: str, answer: Any) -> str:
    """Write an accepted answer into my/parts.py, in place of an earlier one.

    Args:
        name: the exercise's name, by which later lessons find the answer.
        answer: the function or class that was accepted.

    Returns:
        What the verdict adds, on a line of its own: that it is kept, or why
        not. Outside of `my` nothing is done and nothing told.
    """
    path = MY / "parts.py"
    try:
        if MY not in Path.cwd().resolve().parents:
            return ""
        old = path.read_text("utf8") if path.exists() else HEAD
        text = merged(old, name, *source(name, answer))
        exec(compile(text, path.name, "exec"), {"__name__": "parts"})
        if text != old:
            _write(path, text)
    except Exception as error:
        zh, en = (
            f"没有存入 my/parts.py：{error}",
            f"Not in my/parts.py: {error}",
        )
    else:
        zh = f"已存入 my/parts.py，以后也能用：from parts import {name}"
        en = f"Kept in my/parts.py for later use: from parts import {name}"
    return "\n  " + pick(zh, en)


def part(lesson: str, name: str) -> Any:
    """What an earlier lesson built; prints whose it is.

    "✓ NAME" is the student's accepted answer, from my/parts.py; "○ NAME" the
    reference of that lesson, as long as there is none.

    Args:
        lesson: the name of its folder, as "17_encoder_block".
        name: the exercise's name, as "Block".

    Returns:
        The function or class.

    Raises:
        ModuleNotFoundError: there is no such lesson.
        AttributeError: it has no exercise of this name.
    """
    own, found = getattr(_own(), name, None), reference(lesson, name)
    mine = getattr(own, "__module__", "") == "parts"  # defined there
    print("✓" if mine else "○", name)
    return own if mine else found


def reference(lesson: str, name: str) -> Any:
    """The right answer of an earlier lesson; see `part`."""
    return getattr(_checks(lesson), name).answer


def _checks(lesson: str) -> ModuleType:
    """The module `checks` of another lesson, under a name of its own."""
    path = ROOT / "notebooks" / "src" / lesson / "checks.py"
    if not path.exists():
        zh = f"没有名为 {lesson} 的课"
        raise ModuleNotFoundError(pick(zh, f"there is no lesson {lesson}"))
    return _load(ROOM + lesson, path)


def _own() -> ModuleType | None:
    """my/parts.py, read anew; only while a student works in `my`."""
    path = MY / "parts.py"
    if MY in Path.cwd().resolve().parents and path.exists():
        return _load("parts", path)
    return None


def _load(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    module = module_from_spec(spec)
    sys.modules[name] = module  # classes in it can find their source
    spec.loader.exec_module(module)
    return module


def source(name: str, answer: Any) -> tuple[str, dict]:
    """The last definition of `name` in the answer's cell; the cell's names.

    Raises:
        LookupError: the cell does not define it by def or class.
    """
    for part in [answer, *vars(answer).values()]:
        function = inspect.unwrap(part)
        if inspect.isfunction(function):
            lines = linecache.getlines(function.__code__.co_filename)
            found = _defined("".join(lines)).get(name)
            if found:
                text = "".join(lines[slice(*found)]).rstrip()
                return text + "\n", function.__globals__
    zh = f"{name} 不是在这个单元格里用 def 或 class 写的"
    raise LookupError(pick(zh, f"{name} is no def or class of this cell"))


def _defined(text: str) -> dict[str, tuple[int, int]]:
    """By name, the lines of a text that define it; the last ones."""
    found: dict[str, tuple[int, int]] = {}
    for node in ast.parse(text).body:
        names = [getattr(node, "name", "")]
        if isinstance(node, ast.Assign):
            names = [getattr(target, "id", "") for target in node.targets]
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [(a.asname or a.name).split(".")[0] for a in node.names]
        above = [n.lineno for n in getattr(node, "decorator_list", [])]
        lines = min([node.lineno, *above]) - 1, node.end_lineno
        found |= dict.fromkeys(names, lines)
    return found


def _used(table: symtable.SymbolTable) -> set[str]:
    """The names that a definition takes from outside of itself."""
    top = table.get_type() == "module"
    return set().union(*map(_used, table.get_children())) | {
        symbol.get_name()
        for symbol in table.get_symbols()
        if (not symbol.is_assigned() if top else symbol.is_global())
    }


def merged(old: str, name: str, source: str, scope: dict) -> str:
    """The file with a definition put in, and the imports that it needs.

    Args:
        old: the text of the file.
        name: what is defined.
        source: its definition.
        scope: the names of the notebook, to find what it uses.

    Raises:
        NameError: it uses something of the notebook's that is not imported.
    """
    have, lines = _defined(old), old.splitlines(keepends=True)
    if name in have:
        lines[slice(*have[name])] = [source]
    else:
        lines += ["\n\n", source]
    used = _used(symtable.symtable(source, "answer", "exec"))
    for word in sorted(used - {name} - have.keys() - vars(builtins).keys()):
        thing = scope.get(word)
        home = sys.modules.get(getattr(thing, "__module__", None) or "")
        its = getattr(thing, "__name__", "")
        room = getattr(home, "__name__", "").removeprefix(ROOM)
        if home and room != home.__name__:  # an earlier lesson's answer
            line = "from exercises.parts import reference\n"
            line += f"{word} = reference({room!r}, {its!r})\n"
        elif inspect.ismodule(thing):
            line = f"import {its} as {word}\n"
        elif home and home.__name__ != "__main__" and (
            getattr(home, its, None) is thing
        ):  # fmt: skip
            line = f"from {home.__name__} import {its} as {word}\n"
        else:
            zh = f"它用到了外面的 {word}；写进 {name} 里面就能存了"
            en = f"it uses {word}, which stands outside; put it into {name}"
            raise NameError(pick(zh, en))
        lines.insert(int(lines[0].startswith("#")), line)
    return "".join(lines)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, "utf8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
