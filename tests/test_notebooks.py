"""Run every lesson as a student who solves it, then once more untouched.

Both runs share one kernel. In the first, the reference answers stand in the
place of the stubs: every verdict is ``✓`` and nothing after an exercise
breaks. The second is Run All on the lesson as committed, in a kernel that has
already seen it: what it prints is what is committed, and its figures look
like those committed.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from lint.book import shown
from nbformat.v4 import new_code_cell
from PIL import Image

from notebooks.maker import course, editions, execute
from notebooks.maker.judge import last_statement
from notebooks.maker.parts import Lesson
from notebooks.maker.source import read

SECONDS = 90
MARGIN = 2  # a shared machine may need so many times the seconds stated
MEGABYTES = 2000
KILOBYTES = 400
CELLS = 60
DIFFERENCE = 4

_MEMORY = """
def peak():
    import sys
    if sys.platform == "linux":  # ru_maxrss counts the parent's memory too
        with open("/proc/self/status") as status:
            line = next(row for row in status if row.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    try:
        import resource
    except ImportError:
        import psutil
        return psutil.Process().memory_info().peak_wset / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1e6 if sys.platform == "darwin" else 1e3)
print(peak())
"""


def solved(lesson: Lesson) -> list[str]:
    """The code of a lesson whose exercises are done, cell by cell."""
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    done = []
    for cell, after in zip(code, (*code[1:], None), strict=True):
        if "exercise" in cell.tags:
            done.append(f"{after.source}\n\n\n{last_statement(cell.source)}")
        elif "solution" not in cell.tags:
            done.append(cell.source)
    return done


def replay(root: Path, name: str) -> tuple[list, list, float, float]:
    """Run a lesson solved, then as committed, in one kernel.

    Returns:
        The cells of both runs, and CPU seconds and peak megabytes of the
        first.
    """
    lesson = read(course.find(root, name))
    setup = editions.setup_cell(root)
    first, second = [
        [
            new_code_cell(setup if "setup" in cell.tags else source)
            for cell, source in zip(lesson.code(), sources, strict=True)
        ]
        for sources in (
            solved(lesson),
            [cell.source for cell in lesson.code()],
        )
    ]
    memory = new_code_cell(f"exec({_MEMORY!r}, {{}})")
    cells = [*first, memory, *second]
    with execute.kernel(root, cells) as client:
        for index, cell in enumerate(cells):
            client.execute_cell(cell, index)
            if cell is memory:
                seconds = execute.cpu_seconds(client)
    return first, second, seconds, float(execute.printed(memory))


def judge(root: Path, name: str, first: list, second: list) -> list[str]:
    """What the two runs of a lesson show to be wrong, in sentences."""
    path = editions.edition_path(root, name, "zh")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    committed = [cell for cell in cells if cell["cell_type"] == "code"]
    wrong = []
    for old, done, again in zip(committed, first, second, strict=True):
        tags = old["metadata"].get("tags", [])
        where = f"{old['id']} ({''.join(old['source']).split(chr(10))[0]})"
        if "exercise" in tags:
            verdict = execute.printed(done).strip()
            if not any(line.startswith("✓") for line in verdict.splitlines()):
                wrong.append(f"{where}: the solution gets {verdict!r}")
        if "nbval-ignore-output" not in tags:
            was, now = _texts(old["outputs"]), _texts(again["outputs"])
            if was != now:
                wrong.append(f"{where}: committed {was!r}, run again {now!r}")
        pairs = (_pictures(old["outputs"]), _pictures(again["outputs"]))
        if len(pairs[0]) != len(pairs[1]):
            wrong.append(f"{where}: another number of figures")
            continue
        for was, now in zip(*pairs, strict=True):
            if was[1] == now[1] and difference(was[0], now[0]) >= DIFFERENCE:
                apart = difference(was[0], now[0])
                wrong.append(f"{where}: the figure differs by {apart:.1f}")
    return wrong


def difference(one: str, other: str) -> float:
    """Mean difference of two PNGs as 32 × 32 pixels of 256 greys."""
    return float(np.abs(_thumbnail(one) - _thumbnail(other)).mean())


def _thumbnail(png: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    grey = Image.alpha_composite(white, picture).convert("L")
    small = grey.resize((32, 32), Image.Resampling.BOX)
    return np.asarray(small, dtype=float)


def _texts(outputs: list[dict]) -> str:
    return "".join(shown(output) for output in outputs)


def _pictures(outputs: list[dict]) -> list[tuple[str, object]]:
    """The pictures among outputs, each with who drew it."""
    return [
        (
            output["data"]["image/png"],
            output["metadata"].get("image/png", {}).get("renderer"),
        )
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def test_lesson_solved_and_run_twice(
    lesson: str, root: Path, budgets: list
) -> None:
    first, second, seconds, megabytes = replay(root, lesson)
    paths = [
        editions.edition_path(root, lesson, lang) for lang in ("zh", "en")
    ]
    cells = [len(json.loads(p.read_text("utf-8"))["cells"]) for p in paths]
    size = max(path.stat().st_size for path in paths) / 1000
    stated = read(course.find(root, lesson)).seconds
    budgets.append((lesson, seconds, stated, megabytes, size, max(cells)))
    assert not judge(root, lesson, first, second)
    assert seconds <= min(SECONDS, MARGIN * stated)
    assert megabytes <= MEGABYTES
    assert size <= KILOBYTES
    assert max(cells) <= CELLS


# The judge itself, on the fixture course.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("replay") / "course"
    fixture = Path(__file__).parent / "fixtures" / "course"
    shutil.copytree(fixture, root)
    course.build(root, [], say=lambda text: None)
    return root


def test_valid_lesson_passes(tiny: Path) -> None:
    first, second, seconds, megabytes = replay(tiny, "07_tiny")
    assert judge(tiny, "07_tiny", first, second) == []
    assert 0 < seconds < 30
    assert 10 < megabytes < 500


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param(
            "    return a + b\n",
            "    return a * b\n",
            "the solution gets",
            id="wrong solution",
        ),
        pytest.param(
            "10 + 2\n```",
            'globals().setdefault("n", []).append(1) or len(n)\n```',
            "run again '2'",
            id="second run differs",
        ),
        pytest.param(
            'b"\\x80"', 'b"\\x90"', "the figure differs by 16.0", id="figure"
        ),
        pytest.param(
            "Image(b", "None and Image(b", "number of figures", id="no figure"
        ),
    ],
)
def test_judge_finds(tiny: Path, old: str, new: str, reason: str) -> None:
    path = tiny / "notebooks" / "src" / "07_tiny.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    try:
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        first, second, *_ = replay(tiny, "07_tiny")
    finally:
        path.write_text(text, encoding="utf-8")
    found = judge(tiny, "07_tiny", first, second)
    assert any(reason in sentence for sentence in found), found


def test_drawing_by_another_renderer_is_not_compared(tiny: Path) -> None:
    first, second, *_ = replay(tiny, "07_tiny")
    (drawn,) = [
        output
        for cell in second
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    black = Image.new("L", (40, 40))
    with io.BytesIO() as file:
        black.save(file, "PNG")
        drawn["data"]["image/png"] = base64.b64encode(file.getvalue()).decode()
    assert judge(tiny, "07_tiny", first, second)
    drawn["metadata"].setdefault("image/png", {})["renderer"] = "dot"
    assert judge(tiny, "07_tiny", first, second) == []
