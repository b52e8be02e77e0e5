"""Build and check the whole course: which lessons, which files, in step."""

from __future__ import annotations

import ast
import contextlib
import json
import os
from pathlib import Path

from . import editions, execute, judge, readme
from .outputs import normalise
from .parts import LANGUAGES, Lesson, Problem
from .source import paths, read, read_head


def heads(root: Path, strict: bool = True) -> list[Lesson]:
    """The front matter of all lessons, by number.

    Args:
        root: The course's folder.
        strict: Whether a bad front matter is a `Problem` or left out.
    """
    found: dict[str, Lesson] = {}
    for path in paths(root):
        try:
            head = read_head(path)
        except Problem:
            if strict:
                raise
            continue
        if head.id in found:
            other = found[head.id].name
            raise Problem(path, 1, f"number {head.id} is taken by {other}")
        found[head.id] = head
    return [found[number] for number in sorted(found)]


def find(root: Path, name: str) -> Path:
    """The source of the lesson ``02``, ``2``, ``02_tensors`` or of a path."""
    stem = Path(name.removesuffix("/lesson.md")).stem
    wanted = stem.zfill(2) if stem.isdigit() else stem
    for path in paths(root):
        if wanted in (path.parent.name, path.parent.name[:2]):
            return path
    have = ", ".join(path.parent.name for path in paths(root))
    raise Problem(
        root / "notebooks" / "src",
        1,
        f"no lesson is called {name!r}; there are: {have}",
    )


def build(root: Path, names: list[str], say=print) -> None:
    """Build the named lessons, or all, and what links to them."""
    chosen = [find(root, name) for name in names] or paths(root)
    series = heads(root, strict=not names)
    setup = editions.setup_cell(root)
    for path in chosen:
        lesson = read(path)
        run = execute.run(lesson, root, setup)
        if run.seconds > lesson.seconds:
            text = path.read_text(encoding="utf-8")
            raise Problem(
                path,
                judge.line_of(text, "seconds"),
                f"Run All took {run.seconds:.1f} CPU seconds, the front "
                f"matter promises `seconds: {lesson.seconds}`",
            )
        outputs = _normal(lesson, run.outputs)
        _keep_ignored(root, lesson, outputs, setup)
        changed = _write(root, lesson, outputs, series)
        say(
            f"{lesson.name}: {run.seconds:.1f} CPU seconds of "
            f"{lesson.seconds}, {'written' if changed else 'unchanged'}"
        )
    for path in paths(root):
        if path not in chosen:
            with contextlib.suppress(Problem):
                lesson = read(path)
                outputs = _committed(root, lesson, setup)
                if outputs and _write(root, lesson, outputs, series):
                    say(f"{lesson.name}: texts and links renewed")
    for path, text in readme.tables(root, series):
        if path.read_text(encoding="utf-8") != text:
            _replace({path: text})
            say(f"{path.name}: table of lessons renewed")


def check(root: Path, names: list[str]) -> list[str]:
    """What differs between the sources and the editions, in sentences.

    With `names`, only these lessons are compared.
    """
    found = []
    series = heads(root)
    setup = editions.setup_cell(root)
    chosen = [find(root, name) for name in names]
    for head in series:
        if names and head.path not in chosen:
            continue
        try:
            found += _differences(root, read(head.path), series, setup)
        except Problem as problem:
            found.append(str(problem))
    if names:
        return found
    known = {head.name for head in series}
    for lang in LANGUAGES:
        for path in sorted((root / "notebooks" / lang).glob("*.ipynb")):
            if path.stem not in known:
                found.append(f"{path}: no source; delete it")
    for path, text in readme.tables(root, series):
        if path.read_text(encoding="utf-8") != text:
            found.append(
                f"{path}: the table of lessons is old; "
                "run: python course.py build"
            )
    return found


def definitions(root: Path, name: str) -> str:
    """The imports, functions and classes of a lesson, as one module.

    Exercises, solutions and the set-up cell are left out.
    """
    parts = []
    for cell in read(find(root, name)).code():
        if {"setup", "exercise"} & set(cell.tags):
            continue
        lines = cell.source.split("\n")
        for node in ast.parse(cell.source).body:
            if isinstance(
                node,
                ast.Import
                | ast.ImportFrom
                | ast.FunctionDef
                | ast.AsyncFunctionDef
                | ast.ClassDef,
            ):
                above = [d.lineno for d in getattr(node, "decorator_list", [])]
                start = min([node.lineno, *above])
                parts.append("\n".join(lines[start - 1 : node.end_lineno]))
    return "\n\n\n".join(parts) + "\n"


def _normal(lesson: Lesson, outputs: list[list[dict]]) -> list[list[dict]]:
    return [
        normalise(given, lesson, cell)
        for given, cell in zip(outputs, lesson.code(), strict=True)
    ]


def _code_cells(root: Path, lesson: Lesson, lang: str) -> list[dict]:
    path = editions.edition_path(root, lesson.name, lang)
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [cell for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _sources(lesson: Lesson, setup: str) -> list[str]:
    return [
        setup if "setup" in cell.tags else cell.source
        for cell in lesson.code()
    ]


def _committed(
    root: Path, lesson: Lesson, setup: str
) -> list[list[dict]] | None:
    """The zh edition's outputs, if its code is the source's code."""
    cells = _code_cells(root, lesson, "zh")
    old = ["".join(cell["source"]) for cell in cells]
    if old != _sources(lesson, setup):
        return None
    return _normal(lesson, [cell["outputs"] for cell in cells])


def _keep_ignored(
    root: Path, lesson: Lesson, outputs: list[list[dict]], setup: str
) -> None:
    """Keep the old output where it may differ in every run.

    Only while all code up to that cell is unchanged, so that a second build
    changes no byte and a change is never hidden.
    """
    cells = _code_cells(root, lesson, "zh")
    old = ["".join(cell["source"]) for cell in cells]
    new = _sources(lesson, setup)
    for at, cell in enumerate(lesson.code()):
        if "nbval-ignore-output" not in cell.tags:
            continue
        if old[: at + 1] == new[: at + 1]:
            with contextlib.suppress(Problem):
                outputs[at] = normalise(cells[at]["outputs"], lesson, cell)


def _write(
    root: Path, lesson: Lesson, outputs: list[list[dict]], series: list[Lesson]
) -> bool:
    """Write both editions, or none; whether a byte changed."""
    texts = {
        editions.edition_path(root, lesson.name, lang): editions.notebook(
            lesson, lang, outputs, series, root
        )
        for lang in LANGUAGES
    }
    if all(
        path.exists() and path.read_text(encoding="utf-8") == text
        for path, text in texts.items()
    ):
        return False
    _replace(texts)
    return True


def _replace(texts: dict[Path, str]) -> None:
    temporary = {}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary[path] = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            temporary[path].write_text(text, encoding="utf-8", newline="\n")
        for path, ready in temporary.items():
            os.replace(ready, path)
    finally:
        for ready in temporary.values():
            ready.unlink(missing_ok=True)


def _differences(
    root: Path, lesson: Lesson, series: list[Lesson], setup: str
) -> list[str]:
    advice = f"run: python course.py build {lesson.id}"
    files = {
        lang: editions.edition_path(root, lesson.name, lang)
        for lang in LANGUAGES
    }
    missing = [path for path in files.values() if not path.exists()]
    if missing:
        return [f"{path}: not built; {advice}" for path in missing]
    cells = _code_cells(root, lesson, "zh")
    if len(cells) != len(lesson.code()):
        return [
            f"{files['zh']}: {len(cells)} code cells, the source has "
            f"{len(lesson.code())}; {advice}"
        ]
    try:
        outputs = _normal(lesson, [cell["outputs"] for cell in cells])
    except Problem as problem:
        return [f"{problem} ({files['zh']}); {advice}"]
    found = []
    for lang, path in files.items():
        expected = editions.notebook(lesson, lang, outputs, series, root)
        actual = path.read_text(encoding="utf-8")
        if actual != expected:
            place = _first_difference(json.loads(expected), actual)
            found.append(f"{path}: {place} differs from the source; {advice}")
    return found


def _first_difference(expected: dict, text: str) -> str:
    try:
        actual = json.loads(text)
    except ValueError:
        return "the file is not JSON and"
    cells = actual.get("cells", [])
    if len(cells) != len(expected["cells"]):
        return (
            f"the number of cells ({len(cells)}, "
            f"expected {len(expected['cells'])})"
        )
    for number, (cell, wanted) in enumerate(
        zip(cells, expected["cells"], strict=True), start=1
    ):
        for part in sorted({*cell, *wanted}):
            if cell.get(part) != wanted.get(part):
                return f"cell {number} ({wanted['id']}), its {part},"
    return "the notebook's metadata or layout"
