"""Every lesson as Colab opens it: the notebook alone, in an empty folder.

A local bare repository stands in the place of the course's address. The
kernel is this Python, or, where ``COURSE_COLAB_PYTHON`` names one, a Python
with the versions of ``colab.txt``:

    python3.13 -m venv .lab/colab
    .lab/colab/bin/python -m pip install -r tests/colab.txt
    COURSE_COLAB_PYTHON=.lab/colab/bin/python python course.py test

``.ci/run`` does this where it finds a Python 3.13.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lab
import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from lint.book import shown
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from notebooks.maker import editions

PYTHON = Path(os.environ.get("COURSE_COLAB_PYTHON", sys.executable)).absolute()
GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="needs git")


class _Colab(KernelSpecManager):
    """Starts kernels with the Python that stands in for Colab's."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        launch = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=[str(PYTHON), *launch], language="python")


def git(*words: str, folder: Path) -> None:
    """Run git quietly, as somebody without settings."""
    environment = os.environ | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }
    subprocess.run(
        [GIT, *words], cwd=folder, env=environment, check=True, text=True
    )


@pytest.fixture(scope="module")
def remote(root: Path, tmp_path_factory) -> Path:
    """A bare repository that holds the course as it is now."""
    base = tmp_path_factory.mktemp("remote")
    course = lab.copy_course(root, base / "course")
    git("init", "-q", "-b", "main", folder=course)
    git("add", "-A", folder=course)
    git("commit", "-q", "-m", "the course", folder=course)
    git("clone", "-q", "--bare", str(course), "bare.git", folder=base)
    return base / "bare.git"


@pytest.fixture
def colab(root: Path, remote: Path, tmp_path: Path, monkeypatch) -> Path:
    """An empty folder; the course's address leads to the local copy."""
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[url "{remote.as_uri()}"]\n'
        f"  insteadOf = {editions.repository(root)}\n"
        "[safe]\n  directory = *\n",
        encoding="utf-8",
    )
    folder = tmp_path / "content"
    folder.mkdir()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "no data"))
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    return folder


@contextlib.contextmanager
def kernel(folder: Path, cells: list) -> Iterator[NotebookClient]:
    """A kernel of the stand-in, in `folder`."""
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        km=AsyncKernelManager(kernel_spec_manager=_Colab()),
        timeout=300,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel(env=dict(os.environ)):
        yield client


def words(cell: dict) -> str:
    """All the text that a cell's outputs show, however it was sent."""
    return "".join(
        shown(output)
        for output in cell.outputs
        if output.output_type != "update_display_data"
    )


def test_lesson_alone(root, lesson, colab):
    """It runs unchanged, and prints what is committed."""
    path = editions.edition_path(root, lesson, "zh")
    book = nbformat.read(path, as_version=4)
    committed = [cell for cell in book.cells if cell.cell_type == "code"]
    fresh = [
        new_code_cell(cell.source, metadata=cell.metadata)
        for cell in committed
    ]
    where = new_code_cell("import helpers; print(helpers.__file__)")
    with kernel(colab, [*fresh, where]) as client:
        for index, cell in enumerate(client.nb.cells):
            client.execute_cell(cell, index)
    found = Path("".join(o.text for o in where.outputs).strip())
    assert found.is_relative_to(colab / "course")
    for before, after in zip(committed, fresh, strict=True):
        assert [
            output.text
            for output in after.outputs
            if output.get("name") == "stderr"
        ] == []
        if "nbval-ignore-output" not in before.metadata.get("tags", []):
            assert words(after) == words(before), before.source
    assert sorted(entry.name for entry in colab.iterdir()) == ["course"]


def test_second_run_does_not_fetch_again(root, colab, remote):
    setup = new_code_cell(editions.setup_cell(root))
    again = new_code_cell(editions.setup_cell(root))
    with kernel(colab, [setup]) as client:
        client.execute_cell(setup, 0)
    (colab / "course" / "mine.txt").write_text("kept")
    hidden = remote.rename(remote.with_name("away.git"))
    try:
        with kernel(colab, [again]) as client:
            client.execute_cell(again, 0)
    finally:
        hidden.rename(remote)
    assert (colab / "course" / "mine.txt").read_text() == "kept"


def test_without_a_network_one_sentence(root, colab, monkeypatch):
    config = colab.parent / "gitconfig"
    config.write_text(
        '[url "http://127.0.0.1:9/"]\n'
        f"  insteadOf = {editions.repository(root)}\n",
        encoding="utf-8",
    )
    setup = new_code_cell(editions.setup_cell(root))
    with (
        kernel(colab, [setup]) as client,
        pytest.raises(CellExecutionError),
    ):
        client.execute_cell(setup, 0)
    errors = [o for o in setup.outputs if o.output_type == "error"]
    assert [error.ename for error in errors] == ["SystemExit"]
    assert "联网" in errors[0].evalue
    assert "online" in errors[0].evalue
    assert list(colab.iterdir()) == []


def test_nothing_that_colab_ships_was_changed(root):
    """After all lessons the stand-in has the versions it began with."""
    if "COURSE_COLAB_PYTHON" not in os.environ:
        pytest.skip("needs COURSE_COLAB_PYTHON: see the head of this file")
    lines = (root / "tests" / "colab.txt").read_text("utf-8").splitlines()
    shipped = [line for line in lines if not line.startswith("#")]
    ask = (
        "import sys; from importlib.metadata import version;"
        "print(*(f'{n}=={version(n)}' for n in sys.argv[1:]), sep='\\n')"
    )
    names = [line.split("==")[0] for line in shipped]
    run = subprocess.run(
        [PYTHON, "-c", ask, *names],
        check=True,
        capture_output=True,
        text=True,
    )
    found = [line.split("+")[0] for line in run.stdout.splitlines()]
    assert found == shipped  # "+cpu" is left out
