"""Options, paths and the tables at the end of the course's tests."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

LESSONS = sorted(
    path.parent.name for path in ROOT.glob("notebooks/src/*/lesson.md")
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--lessons=02,11`` restricts the tests that look at lessons."""
    parser.addoption(
        "--lessons",
        default="",
        help="numbers of lessons, with commas between; all without it",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``lesson`` runs once for every lesson asked for."""
    if "lesson" in metafunc.fixturenames:
        numbers = metafunc.config.getoption("--lessons").split(",")
        wanted = {number.zfill(2) for number in numbers if number}
        if missing := wanted - {name[:2] for name in LESSONS}:
            raise pytest.UsageError(f"--lessons: no lesson {min(missing)}")
        chosen = [n for n in LESSONS if not wanted or n[:2] in wanted]
        metafunc.parametrize("lesson", chosen, scope="module")


@pytest.fixture(scope="session")
def root() -> Path:
    """The course's folder."""
    return ROOT


@pytest.fixture
def lang(lesson: str) -> str:
    """An edition for tests that run a lesson once: they alternate."""
    return ("zh", "en")[LESSONS.index(lesson) % 2]


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the seconds of each part and lesson, its cost, its sliders."""
    parts, lessons, noted = Counter(), Counter(), defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            name = getattr(report, "nodeid", "")
            seconds = getattr(report, "duration", 0)
            for key, row in getattr(report, "user_properties", []):
                if report.when == "call":
                    noted[key].append(row)
            parts[re.sub(r"/\w+\.ipynb", "", name.split("::")[0])] += seconds
            for lesson in re.findall("|".join(LESSONS), name)[:1]:
                lessons[lesson] += seconds
    for title, spent in (("part", parts), ("lesson", lessons)):
        rows = [row for row in spent.most_common() if row[1] >= 1]
        if rows:
            terminalreporter.section(f"seconds of each {title}")
        for name, seconds in rows:
            terminalreporter.line(f"{name:32} {seconds:6.0f} s")
    if noted["cost"]:
        terminalreporter.section("what the lessons cost")
        head = ("CPU s", "of", "memory MB", "file KB", "cells")
        columns = " ".join(f"{title:>9}" for title in head)
        terminalreporter.line(f"{'lesson':28} {columns}")
        for name, *cost in sorted(noted["cost"]):
            columns = " ".join(f"{number:9.0f}" for number in cost)
            terminalreporter.line(f"{name:28} {columns}")
    if noted["latency"]:
        terminalreporter.section("from key to picture, median")
        for name, seconds in sorted(noted["latency"]):
            terminalreporter.line(f"{name:32} {1000 * seconds:4.0f} ms")
