"""Time of one slider step, for every widget of the lessons.

    python course.py bench widget [02 11 ...] [--steps 100]

Runs the code of each lesson in this process, takes every explorer that it
makes and moves each control. A step is what the kernel does between a
slider's message and its answer: `draw`, and the picture as PNG. `cpu` is
the time that the kernel computes; `clock` is more where other programs
want the same core. Exits with 1 if the median of a widget's `cpu` is above
50 ms.
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


def explorers(source: Path) -> list:
    """Run a lesson's code cells; return the explorers they made."""
    import jupytext

    from helpers import widgets

    made = []

    class Recorded(widgets.Explorer):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    namespace = {"__name__": "__main__"}
    original, widgets.Explorer = widgets.Explorer, Recorded
    for name in ("checks", "figures"):  # of the room before
        sys.modules.pop(name, None)
    sys.path.insert(0, str(source.parent))
    try:
        for cell in jupytext.read(source).cells:
            if cell.cell_type == "code":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(cell.source, namespace)
    finally:
        sys.path.remove(str(source.parent))
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


def measure(explorer, name: str, steps: int) -> list[tuple[float, float]]:
    """Move a control; return (cpu, clock) of its steps in ms."""
    control, taken = explorer.controls[name], []
    start, (trait, stops) = control.value, positions(explorer, name)
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
    return taken


def main() -> int:
    """Measure the lessons asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench widget")
    parser.add_argument("lessons", nargs="*", help="numbers, such as 02")
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    print(
        f"{'lesson':<24} {'widget':>6}  {'control':<16} {'steps':>5} "
        f"{'cpu ms':>9} {'90 %':>7} {'clock ms':>9} {'90 %':>7}"
    )
    slow = []
    for source in sorted(ROOT.glob("notebooks/src/*/lesson.md")):
        lesson = source.parent.name
        if given.lessons and lesson[:2] not in given.lessons:
            continue
        for number, explorer in enumerate(explorers(source), 1):
            every = []
            for name in explorer.controls:
                times = measure(explorer, name, given.steps)
                if not times:
                    continue
                line = f"{lesson:<24} {number:>6}  {name:<16} {len(times):>5}"
                for kind in zip(*times, strict=True):
                    high = sorted(kind)[int(0.9 * (len(kind) - 1))]
                    line += f" {statistics.median(kind):>9.1f} {high:>7.1f}"
                print(line, flush=True)
                every += [cpu for cpu, _ in times]
            if every and statistics.median(every) > LIMIT:
                slow.append(f"{lesson} widget {number}")
    if slow:
        print(f"median above {LIMIT:.0f} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    os.environ["MPLBACKEND"] = "agg"
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
