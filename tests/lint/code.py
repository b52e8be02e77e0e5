"""The code of lessons: layout, names, what it may not do."""

from __future__ import annotations

import ast
import builtins
import io
import json
import re
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

from .book import Book, first_line

_RUFF = ("E", "F", "W", "I", "B", "UP")


def _cells(book: Book) -> list:
    """The code cells of the source, solutions included, set-up left out."""
    return [
        cell
        for cell in book.lesson.cells
        if cell.kind == "code" and "setup" not in cell.tags
    ]


def ruff(book: Book) -> list[str]:
    """Formatted by ruff, 79 columns, double quotes, and clean."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"line-{cell.body}",
            "metadata": {},
            "outputs": [],
            "source": cell.source,
        }
        for cell in _cells(book)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.ipynb"
        path.write_text(json.dumps({**notebook, "nbformat_minor": 5}))
        call = [sys.executable, "-m", "ruff"]
        common = ["--isolated", "--no-cache", "--line-length=79", str(path)]
        runs = [
            [
                "check",
                f"--select={','.join(_RUFF)}",
                "--ignore=B905",
                "--output-format=concise",
            ],
            ["format", "--diff"],
        ]
        wrong = []
        for run in runs:
            done = subprocess.run(
                [*call, *run, *common],
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
            )
            if done.returncode:
                said = done.stdout.replace(str(path), book.lesson.name)
                wrong += [
                    line
                    for line in said.splitlines() or [done.stderr]
                    if line.strip() and not line.startswith(("--- ", "+++ "))
                ]
    return wrong


def no_type_hints(book: Book) -> list[str]:
    """Lesson code carries comments with shapes, not type hints."""
    wrong = []
    for cell in _cells(book):
        for node in ast.walk(ast.parse(cell.source)):
            hinted = (
                isinstance(node, ast.AnnAssign)
                or (isinstance(node, ast.arg) and node.annotation)
                or (
                    isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                    and node.returns
                )
            )
            if hinted:
                line = cell.body + node.lineno - 1
                wrong.append(f"line {line}: a type hint")
    return wrong


def no_shadowing(book: Book) -> list[str]:
    """No builtin is given another meaning, and ``F`` stays the module."""
    wrong = []
    for cell in _cells(book):
        for name, line in _bindings(ast.parse(cell.source)):
            if name == "F" or (hasattr(builtins, name) and name != "_"):
                wrong.append(f"line {cell.body + line - 1}: shadows `{name}`")
    return wrong


def no_magics(book: Book) -> list[str]:
    """No ``!`` and no ``%`` lines, and no cell that ends with ``;``."""
    wrong = []
    for cell in book.code():
        if any(
            line.lstrip().startswith(("!", "%"))
            for line in cell["source"].split("\n")
        ):
            wrong.append(f"a magic or shell line in {first_line(cell)!r}")
        if cell["source"].rstrip().endswith(";"):
            wrong.append(f"`;` ends the cell {first_line(cell)!r}")
    return wrong


def english_comments(book: Book) -> list[str]:
    """Comments are English or symbols: one source serves both editions."""
    wrong = []
    for cell in _cells(book):
        lines = io.StringIO(cell.source).readline
        for token in tokenize.generate_tokens(lines):
            if token.type == tokenize.COMMENT and re.search(
                "[一-鿿]", token.string
            ):
                line = cell.body + token.start[0] - 1
                wrong.append(f"line {line}: a comment in Chinese")
    return wrong


def _bindings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every name that a piece of code binds, with its line."""
    methods = {
        id(item)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for item in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ):
            if id(node) not in methods:
                yield node.name, node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if (alias.name, name) != ("torch.nn.functional", "F"):
                    yield name, node.lineno


RULES = (ruff, no_type_hints, no_shadowing, no_magics, english_comments)
