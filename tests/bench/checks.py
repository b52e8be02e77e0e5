"""Seconds until the verdict on a right answer: the slowest ten.

    python course.py bench checks

Exits with 1 if a right answer is not accepted.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from exercises import Exercise, judge  # noqa: E402


def exercises(path: Path) -> dict[str, Exercise]:
    """The exercises of a room's checks, by their name in the course."""
    spec = importlib.util.spec_from_file_location(path.parent.name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    number = path.parent.name[:2]
    found = vars(module).items()
    return {f"{number} {k}": v for k, v in found if isinstance(v, Exercise)}


def main() -> int:
    """Print the table; 1 if a right answer is not accepted."""
    every = {}
    for path in sorted(ROOT.glob("notebooks/src/*/checks.py")):
        every |= exercises(path)
    judge(*next((e, e.answer) for e in every.values()))  # imports, once
    seconds, refused = {}, []
    for name, exercise in every.items():
        start = time.perf_counter()
        verdict = judge(exercise, exercise.answer)
        seconds[name] = time.perf_counter() - start
        if verdict.status != "right":
            refused.append(f"{name}: {verdict.en}")
    for name in sorted(seconds, key=seconds.get, reverse=True)[:10]:
        print(f"{name:<32} {seconds[name]:6.2f} s")
    median = statistics.median(seconds.values())
    print(f"{f'median of {len(seconds)}':<32} {median:6.2f} s")
    print(*refused, sep="\n", end="\n" * bool(refused))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
