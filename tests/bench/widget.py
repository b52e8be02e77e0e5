"""Time of one slider step, for every widget of the lessons.

    python course.py bench widget [02 11 ...] [--steps 100]

Runs the code of each lesson in this process, takes every explorer that it
makes and moves each control. A step is what the kernel does between a
slider's message and its answer: `draw`, and the picture as PNG. `cpu` is
the time that the kernel computes; `clock` is more where other programs
want the same core. Exits with 1 if the median of a widget's `cpu` is above
50 ms, with 2 if a lesson fails.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 50.0  # ms

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    sys.path.insert(0, str(ROOT))


def explorers(path: Path) -> list:
    """Run a lesson's code cells; return the explorers they made."""
    import jupytext

    from helpers import widgets

    made = []

    class Recorded(widgets.Explorer):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    notebook = jupytext.read(path)
    namespace = {"__name__": "__main__"}
    original, widgets.Explorer = widgets.Explorer, Recorded
    try:
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            code = compile(cell.source, f"{path.name}, cell {index}", "exec")
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, namespace)
    finally:
        widgets.Explorer = original
    return made


def positions(explorer, name: str) -> tuple[str, list]:
    """Return the trait that moves a control, and the values to visit."""
    control = explorer.controls[name]
    if hasattr(control, "min") and hasattr(control, "step"):
        count = round((control.max - control.min) / (control.step or 1))
        stops = [control.min + i * control.step for i in range(count + 1)]
        return "value", [*stops, *stops[-2:0:-1]]  # there and back
    if isinstance(getattr(control, "index", None), int):
        return "index", list(range(len(control.options)))
    if isinstance(control.value, bool):
        return "value", [False, True]
    # Typed: what the lesson itself shows.
    known = [s[name] for s in explorer.settings if name in s]
    return "value", list(dict.fromkeys([*known, control.value]))


def measure(explorer, steps: int) -> dict[str, list[tuple[float, float]]]:
    """Move each control; return (cpu, clock) of its steps in ms."""
    times = {}
    for name, control in explorer.controls.items():
        start = control.value
        trait, stops = positions(explorer, name)
        taken = []
        for stop in itertools.islice(itertools.cycle(stops), 4 * steps):
            if stop == getattr(control, trait) or len(taken) == steps:
                continue
            cpu, clock = time.process_time(), time.perf_counter()
            setattr(control, trait, stop)
            cpu = 1e3 * (time.process_time() - cpu)
            taken.append((cpu, 1e3 * (time.perf_counter() - clock)))
            if explorer.error is not None:
                raise explorer.error
        control.value = start
        if taken:
            times[name] = taken
    return times


def row(lesson: str, number: int, name: str, times: list) -> str:
    """Write one line of the table."""
    cells = [f"{lesson:<24} {number:>6}  {name:<16} {len(times):>5} "]
    for kind in zip(*times, strict=True):
        high = sorted(kind)[int(0.9 * (len(kind) - 1))]
        cells.append(f"{statistics.median(kind):>9.1f} {high:>7.1f}")
    return " ".join(cells)


def main(arguments: list[str], sources: Path) -> int:
    """Measure the lessons in `sources`; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench widget")
    parser.add_argument("lessons", nargs="*", help="numbers, such as 02")
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args(arguments)
    paths = sorted(sources.glob("[0-9][0-9]_*.md"))
    if options.lessons:
        known = {path.name[:2] for path in paths}
        if missing := sorted(set(options.lessons) - known):
            print(f"no lesson {', '.join(missing)} in {sources.name}")
            return 2
        paths = [p for p in paths if p.name[:2] in options.lessons]
    print(
        f"{'lesson':<24} {'widget':>6}  {'control':<16} {'steps':>5} "
        f"{'cpu ms':>10} {'90 %':>7} {'clock ms':>9} {'90 %':>7}"
    )
    slow = []
    for path in paths:
        try:
            found = [measure(e, options.steps) for e in explorers(path)]
        except Exception as error:
            print(f"{path.stem}: {type(error).__name__}: {error}")
            return 2
        for number, times in enumerate(found, 1):
            for name, taken in times.items():
                print(row(path.stem, number, name, taken), flush=True)
            every = [cpu for taken in times.values() for cpu, _ in taken]
            if every and statistics.median(every) > LIMIT:
                slow.append(f"{path.stem} widget {number}")
    if slow:
        print(f"median above {LIMIT:.0f} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROOT / "notebooks" / "src"))
