"""Every lesson where things are missing, and where things go wrong.

One run a lesson takes away everything that may be missing: the network, the
data sets, Graphviz, the right to write into the course's folder, a font
with Chinese glyphs for matplotlib; and it has two threads where the
committed outputs were made with one. What the lesson prints must still be
what is committed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import lab
import pytest
import torch
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from notebooks.maker import course, editions, execute
from notebooks.maker.source import read

# A network and mounts of its own: no address but its own is reached, the
# course's folder cannot be written, and the system's fonts are gone.
ENCLOSE = """
set -e
ip link set lo up
for fonts in /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts"; do
  [ ! -d "$fonts" ] || mount -t tmpfs none "$fonts"
done
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
cd "$1"
! touch written 2>/dev/null
shift
exec "$@"
"""


def enclosure() -> list[str] | None:
    """The command that runs another one enclosed, or None."""
    unshare = shutil.which("unshare")
    if not (unshare and shutil.which("ip")):
        return None
    command = [unshare, "--map-root-user", "--mount", "--net"]
    probe = subprocess.run([*command, "true"], capture_output=True)
    if probe.returncode:
        return None
    return [*command, "sh", "-c", ENCLOSE, "sh"]


ENCLOSED = enclosure()


def bare_path(tmp_path: Path) -> str:
    """A PATH on which there is what a shell needs, but no ``dot``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "ip", "mount", "touch", "env", "uname"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.skipif(
    ENCLOSED is None,
    reason="needs Linux with unshare (util-linux) and ip (iproute2)",
)
def test_lesson_with_nothing_at_hand(root, lesson, tmp_path):
    folder = lab.copy_course(root, tmp_path / "只读 course")
    shutil.copy2(root / "conftest.py", folder)
    environment = os.environ | {
        "PATH": bare_path(tmp_path),
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
        "COURSE_DATA": str(tmp_path / "no data"),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "XDG_DATA_HOME": str(tmp_path / "no fonts"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    assert shutil.which("dot", path=environment["PATH"]) is None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300"]
    command += [f"notebooks/zh/{lesson}.ipynb"]
    run = subprocess.run(
        [*ENCLOSED, str(folder), *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


def test_every_cell_runs_again(root, lesson, tmp_path, monkeypatch):
    """After Run All each cell runs once more by itself, last to first."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))  # the small data: fast
    made = read(course.find(root, lesson))
    setup = editions.setup_cell(root)
    cells = [
        new_code_cell(setup if "setup" in cell.tags else cell.source)
        for cell in made.code()
    ]
    again = [new_code_cell(cell.source) for cell in reversed(cells)]
    failed = []
    with execute.kernel(root, [*cells, *again]) as client:
        for index, cell in enumerate(client.nb.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                line = cell.source.splitlines()[0]
                failed.append(f"{line}: {error.ename}: {error.evalue}")
    assert failed == []


SAVE_FOR_EVER = """
import sys
from pathlib import Path
import torch
sys.path[:0] = [{root!r}, {notebooks!r}]
from build import definitions
scope = {{"__name__": "lesson"}}
exec(definitions("11"), scope)
model = scope["LeNet"]()
print("ready", flush=True)
while True:
    with torch.no_grad():
        for p in model.parameters():
            p.normal_()
    scope["save"](model, Path({path!r}))
"""


def test_checkpoint_of_a_killed_kernel_loads(root, tmp_path):
    """Killed while it saves, a kernel leaves a whole file, or none."""
    path = tmp_path / "lenet.pt"
    code = SAVE_FOR_EVER.format(
        root=str(root), notebooks=str(root / "notebooks"), path=str(path)
    )
    left = 0
    for delay in (0.004, 0.02, 0.1):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE
        )
        assert process.stdout.readline().strip() == b"ready"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL if os.name == "posix" else 15)
        process.wait()
        process.stdout.close()
        if path.exists():
            left += 1
            state = torch.load(path, weights_only=True)
            assert sum(p.numel() for p in state.values()) == 44_426
    assert left, "no file was ever written: the test saw nothing"
