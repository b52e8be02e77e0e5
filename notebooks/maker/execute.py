"""Run a lesson once, in a fresh kernel, as a reader would."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat.v4 import new_code_cell, new_notebook

from .judge import last_statement
from .parts import Cell, Lesson, Problem

CELL_SECONDS = 300

# Runs a reference answer and its check in a copy of the notebook's names,
# and leaves names, random numbers and open figures as they were.
_TRY = """
import contextlib, io, linecache, random, sys
def attempt(scope, answer, verdict):
    name = "<reference answer>"
    linecache.cache[name] = len(answer), None, answer.splitlines(True), name
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    state = random.getstate()
    drawn = numpy.random.get_state() if numpy else None
    fork = torch.random.fork_rng() if torch else contextlib.nullcontext()
    try:
        with fork:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(answer, name, "exec"), scope)
            exec(compile(verdict, "<check>", "exec"), scope)
    finally:
        random.setstate(state)
        if numpy:
            numpy.random.set_state(drawn)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
attempt(scope, answer, verdict)
"""


@dataclass(frozen=True)
class Run:
    """What came of a run: outputs per shown code cell, CPU seconds."""

    outputs: list[list[dict]]
    seconds: float


class _ThisPython(KernelSpecManager):
    """Starts kernels with the Python that runs the build."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def environment(root: Path) -> dict[str, str]:
    """The environment of kernels: one thread, fixed hashes, local data."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    env.pop("MPLBACKEND", None)
    shared = root.parent / "shared" / "data"
    if "COURSE_DATA" not in env and shared.is_dir():
        env["COURSE_DATA"] = str(shared)
    return env


@contextlib.contextmanager
def kernel(
    root: Path, cells: list, folder: Path | None = None
) -> Iterator[NotebookClient]:
    """A fresh kernel in the folder of the zh edition, for `cells`."""
    folder = folder or root / "notebooks" / "zh"
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        new_notebook(cells=cells),
        km=AsyncKernelManager(kernel_spec_manager=_ThisPython()),
        timeout=CELL_SECONDS,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory() as profile:
        env = {**environment(root), "IPYTHONDIR": profile}
        with client.setup_kernel(env=env):
            yield client


def run(lesson: Lesson, root: Path, setup: str) -> Run:
    """Run every code cell of a lesson, and each solution on the side."""
    cells = [cell for cell in lesson.cells if cell.kind == "code"]
    nodes = [
        new_code_cell(_source(cells, i, setup)) for i in range(len(cells))
    ]
    outputs: list[list[dict]] = []
    aside = 0.0
    with kernel(root, nodes) as client:
        for index, (cell, node) in enumerate(zip(cells, nodes, strict=True)):
            hidden = "solution" in cell.tags
            before = cpu_seconds(client)
            _execute(client, lesson, cell, node, index, hidden)
            if hidden:
                aside += cpu_seconds(client) - before
                _judge_verdict(lesson, cell, node, "✓", "the solution")
                continue
            if "exercise" in cell.tags:
                _judge_verdict(lesson, cell, node, "○", "the untouched stub")
            outputs.append([dict(output) for output in node.outputs])
        seconds = cpu_seconds(client) - aside
    return Run(outputs, seconds)


def cpu_seconds(client: NotebookClient) -> float:
    """CPU seconds that the kernel of `client` has used so far."""
    times = psutil.Process(client.km.provisioner.pid).cpu_times()
    return times.user + times.system


def attempt(answer: str, exercise: str) -> str:
    """Code that tries `answer` on the check of `exercise`, on the side."""
    verdict = last_statement(exercise)
    return (
        f"exec({_TRY!r}, {{'scope': dict(globals()), "
        f"'answer': {answer!r}, 'verdict': {verdict!r}}})"
    )


def printed(node) -> str:
    """What a cell wrote to standard output."""
    return "".join(
        output.text
        for output in node.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def _source(cells: list[Cell], index: int, setup: str) -> str:
    cell = cells[index]
    if "setup" in cell.tags:
        return setup
    if "solution" in cell.tags:
        return attempt(cell.source, cells[index - 1].source)
    return cell.source


def _execute(
    client: NotebookClient,
    lesson: Lesson,
    cell: Cell,
    node: nbformat.NotebookNode,
    index: int,
    hidden: bool,
) -> None:
    what = "the solution" if hidden else "the cell"
    first = cell.source.split("\n")[0]
    try:
        client.execute_cell(node, index, store_history=not hidden)
    except CellExecutionError as error:
        at = _failing_line(cell, error.traceback, hidden)
        line = cell.source.split("\n")[at].strip()
        raise Problem(
            lesson.path,
            cell.body + at,
            f"{what} fails (`{line}`): {error.ename}: {error.evalue}",
        ) from None
    except CellTimeoutError:
        raise Problem(
            lesson.path,
            cell.body,
            f"{what} takes more than {CELL_SECONDS} s (`{first}`)",
        ) from None
    except DeadKernelError:
        raise Problem(
            lesson.path, cell.body, f"{what} ends the kernel (`{first}`)"
        ) from None
    for output in node.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            raise Problem(
                lesson.path,
                cell.body,
                f"{what} writes to standard error: {output.text.strip()}",
            )


def _failing_line(cell: Cell, traceback: str, hidden: bool) -> int:
    """Which of a cell's lines failed, from 0; 0 where that is not told."""
    told = (
        r"<reference answer>:(\d+)"
        if hidden
        else r"Cell In\[\d+\], line (\d+)"
    )
    found = re.search(told, re.sub(r"\x1b\[[\d;]*m", "", traceback))
    at = int(found[1]) - 1 if found and "setup" not in cell.tags else 0
    return at if at <= cell.source.count("\n") else 0


def _judge_verdict(
    lesson: Lesson, cell: Cell, node, sign: str, what: str
) -> None:
    verdict = printed(node)
    lines = verdict.splitlines()[: 1 if sign == "✓" else None]
    if not any(line.startswith(sign) for line in lines):
        raise Problem(
            lesson.path,
            cell.body,
            f"the check of {what} does not say {sign}: {verdict.strip()}",
        )
