"""Print the oldest versions that pyproject.toml allows, as constraints.

    python .ci/oldest.py > oldest.txt
    PIP_CONSTRAINT=oldest.txt python course.py test

setuptools is left out: building the course asks for a newer one than running
it does.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def constraints(root: Path = ROOT) -> list[str]:
    """One line ``name==oldest`` for each dependency of the course."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf8"))
    return [
        line.replace(">=", "==")
        for line in project["project"]["dependencies"]
        if not line.startswith("setuptools")
    ]


if __name__ == "__main__":
    print("\n".join(constraints()))
