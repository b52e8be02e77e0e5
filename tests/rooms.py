"""Where the tests find the rooms of the lessons and what is in them."""

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exercises import Exercise

SRC = Path(__file__).resolve().parents[1] / "notebooks" / "src"
ROOMS = sorted(path.parent for path in SRC.glob("*/checks.py"))


@cache
def modules(room: Path) -> tuple[ModuleType, ModuleType]:
    """A room's `checks` and `answers`, imported as a lesson imports them."""
    names = "checks", "answers", "figures"
    sys.path.insert(0, str(room))
    try:
        for name in names:
            sys.modules.pop(name, None)
        return tuple(map(importlib.import_module, names[:2]))
    finally:
        sys.path.remove(str(room))
        for name in names:
            sys.modules.pop(name, None)


def exercises(room: Path) -> dict[str, Exercise]:
    """A room's exercises by name."""
    checks, _ = modules(room)
    found = {k: v for k, v in vars(checks).items() if isinstance(v, Exercise)}
    assert all(name == v.name for name, v in found.items())
    return found


def wanted(config: pytest.Config) -> list[Path]:
    """The rooms of the lessons that `--lessons` asks for."""
    asked = [n.strip().zfill(2) for n in config.getoption("--lessons").split(
        ",") if n.strip()]  # fmt: skip
    return [r for r in ROOMS if not asked or r.name[:2] in asked]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each room (`room`), or exercise (`room` and `name`).

    Without the exercises that the module names in LEFT_OUT.
    """
    rooms = wanted(metafunc.config)
    left_out = getattr(metafunc.module, "LEFT_OUT", ())
    rows: list[Any] = [
        pytest.param(room, name, id=f"{room.name[:2]}-{name}")
        for room in rooms
        for name in exercises(room)
        if name not in left_out
    ]
    if "name" in metafunc.fixturenames:
        metafunc.parametrize(("room", "name"), rows)
    elif "room" in metafunc.fixturenames:
        metafunc.parametrize("room", rooms, ids=lambda room: room.name[:2])
