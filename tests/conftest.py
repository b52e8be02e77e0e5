"""Options, paths and the tables at the end of the course's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

BUDGETS = pytest.StashKey[list]()
LATENCIES = pytest.StashKey[list]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--lessons=02,11`` restricts the tests that look at lessons."""
    parser.addoption(
        "--lessons",
        default="",
        help="numbers of lessons, with commas between; all without it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make room for what the lessons cost, and how fast they answer."""
    config.stash[BUDGETS] = []
    config.stash[LATENCIES] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``lesson`` runs once for every lesson asked for."""
    if "lesson" in metafunc.fixturenames:
        from notebooks.maker.source import paths

        wanted = [
            name.strip().zfill(2)
            for name in metafunc.config.getoption("--lessons").split(",")
            if name.strip()
        ]
        names = [path.parent.name for path in paths(ROOT)]
        for number in wanted:
            if not any(name[:2] == number for name in names):
                raise pytest.UsageError(f"--lessons: no lesson {number}")
        metafunc.parametrize(
            "lesson",
            [name for name in names if not wanted or name[:2] in wanted],
            scope="module",
        )


@pytest.fixture(scope="session")
def root() -> Path:
    """The course's folder."""
    return ROOT


@pytest.fixture
def budgets(pytestconfig: pytest.Config) -> list:
    """Where a test notes what a lesson costs, for the table at the end."""
    return pytestconfig.stash[BUDGETS]


@pytest.fixture
def latencies(pytestconfig: pytest.Config) -> list:
    """Where a test notes how fast a slider is, for the table at the end."""
    return pytestconfig.stash[LATENCIES]


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print what running each lesson cost, and how fast its sliders are."""
    rows = config.stash[BUDGETS]
    if rows:
        terminalreporter.section("what the lessons cost")
        head = ("CPU s", "of", "memory MB", "file KB", "cells")
        columns = " ".join(f"{title:>9}" for title in head)
        terminalreporter.line(f"{'lesson':28} {columns}")
        for name, *cost in rows:
            columns = " ".join(f"{number:9.0f}" for number in cost)
            terminalreporter.line(f"{name:28} {columns}")
    rows = config.stash[LATENCIES]
    if rows:
        terminalreporter.section("from key to picture, median")
        for name, seconds in rows:
            terminalreporter.line(f"{name:32} {1000 * seconds:4.0f} ms")
