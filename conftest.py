"""The environment of every kernel that a test starts, nbval's included."""

import os
from pathlib import Path


def pytest_configure() -> None:
    """One thread, fixed hashes, and the data that lie beside the course."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("PYTHONHASHSEED", "0")
    shared = Path(__file__).resolve().parent.parent / "shared" / "data"
    if shared.is_dir():
        os.environ.setdefault("COURSE_DATA", str(shared))
