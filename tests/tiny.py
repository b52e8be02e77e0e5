"""A course of one lesson in which everything occurs, to test the build."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent
README = "# Tiny\n\n<!-- lessons -->\n<!-- /lessons -->\n\nEnd.\n"
URL = "https://github.com/someone/tiny-course"
SOURCE = HERE / "fixtures" / "07_tiny" / "lesson.md"


def course(root: Path) -> Path:
    """Put the course into `root`, which must not exist yet."""
    room = root / "notebooks" / "src" / "07_tiny"
    shutil.copytree(SOURCE.parent, room)
    (root / "helpers").mkdir()
    for name in ("__init__.py", "room.py"):
        shutil.copy(HERE.parent / "helpers" / name, root / "helpers")
    for name in ("README.md", "README.zh.md"):
        (root / name).write_text(README, encoding="utf-8")
    urls = f'[project.urls]\nRepository = "{URL}"\n'
    (root / "pyproject.toml").write_text(urls, encoding="utf-8")
    return root
