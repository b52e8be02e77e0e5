"""Every lesson as a student who solves it runs it, then each cell again.

Both runs share one kernel, in which a warning is an error. In the first, the
right answers stand in the place of the stubs: every verdict is ``✓``, and what
is not a verdict is printed and drawn as committed. In the second each cell
runs once more by itself, last to first, but for those that train long.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest
import tiny
import torch
from lint import shown
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from PIL import Image

from helpers import data
from notebooks import build

SECONDS = {"21": 120}  # of Run All, the longest; 90 for the others
LONG = 3  # CPU seconds of a cell that is not run again
MARGIN = 2  # a shared machine may need so many times the seconds stated
MEGABYTES = 2000
DIFFERENCE = 4
STRICT = "exec('import warnings; warnings.simplefilter(\"error\")', {})"


def solved(lesson: build.Lesson, lang: str, root: Path) -> list[str]:
    """The code of a lesson whose exercises are done, cell by cell."""
    done = [build.setup_cell(lesson.name, lang, root)]
    for cell in lesson.code()[1:]:
        verdict = cell.source[cell.source.rfind("\ncheck.") :]
        done.append(cell.answer + verdict if cell.answer else cell.source)
    return done


def replay(
    root: Path, name: str, lang: str = "zh"
) -> tuple[list[str], float, float]:
    """Run a lesson solved, then cell by cell from its end.

    Returns:
        What is wrong, in sentences; CPU seconds and peak megabytes of the
        first run.
    """
    lesson = build.read(build.find(root, name))
    book = nbformat.read(build.edition_path(name, lang, root), as_version=4)
    committed = [cell for cell in book.cells if cell.cell_type == "code"]
    cells = [new_code_cell(code) for code in solved(lesson, lang, root)]
    again = [new_code_cell(cell.source) for cell in lesson.code()]
    wrong, long, seconds = [], set(), 0.0
    every = [new_code_cell(STRICT), *cells, *again[:0:-1]]
    with build.kernel(every, root / "notebooks" / lang) as client:
        for at, cell in enumerate(every):
            if cell.source in long:
                continue
            try:
                client.execute_cell(cell, at)
            except CellExecutionError as error:
                line = cell.source.splitlines()[0]
                said = f"{line}: {error.ename}: {error.evalue}"
                wrong.append(said + " (again)" * (at > len(cells)))
            if at <= len(cells):
                before, seconds = seconds, build.cpu_seconds(client)
                long |= {cell.source} if seconds - before > LONG else set()
            if cell is cells[-1]:
                peak = memory(client)
    for old, new in zip(committed, cells, strict=True):
        wrong += [f"{new.source}\n{what}" for what in differences(old, new)]
    return wrong, seconds, peak


def memory(client) -> float:
    """Peak megabytes of a kernel; 0 where the system does not tell."""
    status = Path(f"/proc/{client.km.provisioner.pid}/status")
    if not status.exists():
        return 0
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1e3


def differences(old, new) -> list[str]:
    """What a solved cell shows that its committed one does not."""
    tags = old.metadata.get("tags", [])
    said = "".join(map(shown, new.outputs))
    if "exercise" in tags:
        right = any(line.startswith("✓") for line in said.split("\n"))
        return [] if right else [f"the right answer gets {said!r}"]
    was = "".join(map(shown, old.outputs))
    said = re.sub(r"(?m)^✓(?= \w+$)", "○", said)  # the student's own is used
    if was != said and "nbval-ignore-output" not in tags:
        return [f"committed {was!r}, now {said!r}"]
    before, after = (
        [
            o.data["image/png"]
            for o in c.outputs
            if "image/png" in o.get("data", {})
        ]
        for c in (old, new)
    )
    if not after and "if minilm:" in new.source and not data.minilm()[0]:
        return []  # it needs files that not everyone has
    if len(before) != len(after):
        return ["another number of figures"]
    apart = map(difference, before, after)
    return [f"the figure differs by {d:.1f}" for d in apart if d >= DIFFERENCE]


def difference(one: str, other: str) -> float:
    """Mean difference of two PNGs as 32 × 32 pixels of 256 greys."""
    return float(np.abs(_thumbnail(one) - _thumbnail(other)).mean())


def _thumbnail(png: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    grey = Image.alpha_composite(white, picture).convert("L")
    small = grey.resize((32, 32), Image.Resampling.BOX)
    return np.asarray(small, dtype=float)


def test_lesson_solved_and_each_cell_again(
    lesson: str, lang: str, root: Path, record_property: Callable
) -> None:
    wrong, seconds, peak = replay(root, lesson, lang)
    path = build.edition_path(lesson, lang, root)
    stated = build.read(build.find(root, lesson)).seconds
    size = path.stat().st_size / 1000
    cells = len(nbformat.read(path, as_version=4).cells)
    record_property("cost", (lesson, seconds, stated, peak, size, cells))
    assert not wrong, "\n\n".join(wrong)
    assert seconds <= min(SECONDS.get(lesson[:2], 90), MARGIN * stated)
    assert peak <= MEGABYTES


# The comparison itself, on the small course.


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tiny.course(tmp_path_factory.mktemp("replay") / "course")
    build.build([], root)
    return root


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("10 + 2\n```", "10 + 3\n```", "committed '12', now '13'"),
        ("    return b + a", "    return b * a", "the right answer gets"),
        (", 128)", ", 144)", "the figure differs by 16.0"),
        ("Image(file", "None and Image(file", "number of figures"),
        ("10 + 2\n", "import warnings\n\nwarnings.warn('')\n", "UserWarning"),
        ("10 + 2\n", "n = 1 / (2 - In.count(In[-1]))\n", "(again)"),
    ],
)
def test_replay_finds(small: Path, old: str, new: str, reason: str) -> None:
    room = small / "notebooks" / "src" / "07_tiny"
    path = room / ("checks.py" if "return" in old else "lesson.md")
    text = path.read_text(encoding="utf-8")
    assert old in text
    try:
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        wrong, *_ = replay(small, "07_tiny")
    finally:
        path.write_text(text, encoding="utf-8")
    assert any(reason in sentence for sentence in wrong), wrong


def test_save_leaves_a_whole_file(monkeypatch, tmp_path: Path) -> None:
    """Lesson 11: stopped while it saves, it leaves the file as it was."""

    def stopped(state: dict, part: Path) -> None:
        part.write_bytes(b"half")
        raise KeyboardInterrupt

    scope = {"__name__": "lesson"}
    code = build.definitions("11")
    for name in ("import checks as check", "import figures"):
        code = code.replace(name, "")
    exec(code, scope)
    path, model = tmp_path / "lenet.pt", scope["LeNet"]()
    scope["save"](model, path)
    monkeypatch.setattr(torch, "save", stopped)
    with pytest.raises(KeyboardInterrupt):
        scope["save"](model, path)
    model.load_state_dict(torch.load(path, weights_only=True))
