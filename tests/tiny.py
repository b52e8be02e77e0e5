"""A course of one lesson in which everything occurs, to test the build."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PAGE = "# Tiny\n\n<!-- lessons -->\n<!-- /lessons -->\n\nEnd.\n"
PAGES = ("README.md", "README.zh.md", "docs/teach.md", "docs/teach.zh.md")
URL = "https://github.com/someone/tiny-course"
SOURCE = HERE / "fixtures" / "07_tiny" / "lesson.md"


def course(root: Path) -> Path:
    """Put the course into `root`, which must not exist yet."""
    room = root / "notebooks" / "src" / "07_tiny"
    shutil.copytree(SOURCE.parent, room)
    (root / "helpers").mkdir()
    for name in ("__init__.py", "room.py"):
        shutil.copy(HERE.parent / "helpers" / name, root / "helpers")
    (root / "docs").mkdir()
    for name in PAGES:
        (root / name).write_text(PAGE, encoding="utf-8")
    urls = f'[project.urls]\nRepository = "{URL}"\n'
    (root / "pyproject.toml").write_text(urls, encoding="utf-8")
    return root


def remote(course: Path, url: str, config: Path) -> None:
    """Make `course` a repository, which git finds at `url` by `config`."""
    config.write_text(
        "[user]\n  name = a\n  email = a@b\n[safe]\n  directory = *\n"
        f'[url "{course.as_uri()}"]\n  insteadOf = {url}\n'
    )
    env = os.environ | {"GIT_CONFIG_GLOBAL": str(config)}
    for words in ("init -q", "add -A", "commit -q -m all"):
        subprocess.run(
            ["git", *words.split()], cwd=course, env=env, check=True
        )
