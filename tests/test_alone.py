"""Every lesson alone, as Colab opens it, where everything is missing.

One run a lesson: the notebook in an empty folder, with the versions that Colab
ships, other hashes than the committed outputs had, two threads where it runs
at most half a minute (on a busy machine the second makes a training slower),
and, once its set-up cell has fetched the course from a local copy, without a
network, data sets, Chinese fonts and the right to write. What it prints must
be what is committed.

The kernel is this Python, or, where ``COURSE_COLAB_PYTHON`` names one, one
with the versions of ``colab.txt`` (``.ci/run`` makes it). Where Linux's
``unshare`` is missing, the network stays.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import tiny  # noqa: E402
from lint import shown  # noqa: E402

from notebooks import build  # noqa: E402

PYTHON = os.path.abspath(os.environ.get("COURSE_COLAB_PYTHON", sys.executable))
LONG = 30  # seconds that a lesson states: beyond them one thread
pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")

# A network and mounts of its own: no address but its own is reached, the
# system's fonts are gone, the folder is one that can be made read-only.
ENCLOSE = """
set -e
ip link set lo up
for fonts in /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts"; do
  [ ! -d "$fonts" ] || mount -t tmpfs none "$fonts"
done
mount --bind "$1" "$1"
shift
exec "$@"
"""
LOCK = ["mount", "-o", "remount,ro,bind"]
# The course that this Python has installed must not be found.
FORGET = """import sys
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f)]
"""


def enclosure() -> list[str]:
    """The command that encloses another one; none where it cannot be."""
    command = ["unshare", "--map-root-user", "--mount", "--net"]
    if not (shutil.which("unshare") and shutil.which("ip")):
        return []
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        return []
    return [*command, "sh", "-c", ENCLOSE, "sh"]


def run(path: Path, folder: Path, locked: bool, seconds: int) -> list[str]:
    """Run an edition in `folder`; what it shows that is not committed.

    Args:
        path: the edition.
        folder: where its kernel runs.
        locked: whether the folder becomes read-only after the set-up cell.
        seconds: what the lesson states that it takes.
    """
    book = nbformat.read(path, as_version=4)
    committed = [cell for cell in book.cells if cell.cell_type == "code"]
    fresh = [new_code_cell(cell.source) for cell in committed]
    wrong = []
    threads = "2" if seconds <= LONG else "1"
    env = {"OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}
    env["PYTHONHASHSEED"] = "1"  # a set is printed in another order
    with build.kernel(fresh, folder, PYTHON, **env) as client:
        for at, (old, new) in enumerate(zip(committed, fresh, strict=True)):
            client.execute_cell(new, at)
            if at == 0 and locked:
                subprocess.run([*LOCK, str(folder)], check=True)
                assert not os.access(folder, os.W_OK)
            said, was = ("".join(map(shown, c.outputs)) for c in (new, old))
            ignored = "nbval-ignore-output" in old.metadata.get("tags", [])
            errors = [o for o in new.outputs if o.get("name") == "stderr"]
            if errors or (said != was and not ignored):
                wrong.append(f"{new.source}\ncommitted {was!r}, now {said!r}")
    return wrong


@pytest.fixture(scope="module")
def remote(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git configuration in which the course's address is a local copy."""
    base = tmp_path_factory.mktemp("remote")
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "zh")
    for name in ("helpers", "exercises", "notebooks"):
        shutil.copytree(root / name, base / "course" / name, ignore=skip)
    config = base / "gitconfig"
    tiny.remote(base / "course", build.repository(root), config)
    return config


def test_lesson_alone(
    root: Path, lesson: str, lang: str, remote: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "content 内容"
    folder.mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FORGET)
    enclose = [*enclosure(), str(folder)] if enclosure() else []
    env = os.environ | {
        "GIT_CONFIG_GLOBAL": str(remote),
        "COURSE_DATA": str(tmp_path / "no data"),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "XDG_DATA_HOME": str(tmp_path / "no fonts"),
        "PYTHONPATH": str(tmp_path / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    path = build.edition_path(lesson, lang, root)
    done = subprocess.run(
        [*enclose, sys.executable, __file__, str(path), str(folder)]
        + [str(build.read(build.find(root, lesson)).seconds)]
        + ["locked"] * bool(enclose),
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    wrong = json.loads(done.stdout)
    assert not wrong, "\n\n".join(wrong)
    assert [entry.name for entry in folder.iterdir()] == ["course"]


if __name__ == "__main__":
    notebook, place, stated, *rest = sys.argv[1:]
    wrong = run(Path(notebook), Path(place), bool(rest), int(stated))
    print(json.dumps(wrong))
