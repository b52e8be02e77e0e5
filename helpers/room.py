"""The room of a lesson: the folder with its checks and figures."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ADDED = ("torchviz", "pygraphviz>=2.0")


def enter(lesson: str) -> None:
    """Put a lesson's room, then the course, first on Python's path.

    Last comes `my`, with the student's accepted answers in `parts.py`.

    `checks` and `figures` of a lesson before it in the same kernel are
    forgotten. On Colab the two packages that it lacks are added; without a
    network the lesson goes on without them.

    Args:
        lesson: the name of its folder, as "02_tensors".
    """
    root = Path(__file__).parents[1]
    places = [str(root / "notebooks" / "src" / lesson), str(root)]
    my = str(root / "my")
    others = [p for p in sys.path if p not in (*places, my)]
    sys.path[:] = [*places, *others, my]
    for name in ("checks", "figures"):
        sys.modules.pop(name, None)
    if "google.colab" in sys.modules and not find_spec("pygraphviz"):
        pip = [sys.executable, "-m", "pip", "install", "-q", *ADDED]
        subprocess.run(pip, capture_output=True, check=False)
