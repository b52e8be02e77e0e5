"""Runs the cells of one notebook that count, and judges its answers.

The course's own cells that are unchanged run only where something of the
student's uses, perhaps through other cells, what they define or change.
"""

import importlib
import json
import os
import re
import symtable
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cage

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers import room  # noqa: E402

ENTER = room.enter
CALL = re.compile(r"^check\.(\w+)\(\s*(\w+)", re.M)
OURS = ("exercises", "checks", "figures", "parts")
# What verdicts rest on, beside the judge itself; put back before each one.
TRUSTED = (
    "ast builtins contextlib copy dis inspect io itertools linecache math "
    "numpy os random re threading time torch torch.nn torch.nn.functional "
    "torch.overrides torch.testing traceback warnings"
)
KEPT_ENV = (
    "PATH LANG LC_ALL SYSTEMROOT PYTHONPATH PYTHONHASHSEED OMP_NUM_THREADS "
    "MPLBACKEND CUDA_VISIBLE_DEVICES"
)


# Which cells run


def outline(source: str) -> tuple[set[str], set[str], set[str]]:
    """The names that a cell mentions, binds, and binds to things.

    Things are modules, functions and classes: to mention one is not to
    change it.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        source = TransformerManager().transform_cell(source)
        table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set(), set()
    names, bound, things = set(), set(), set()
    if "get_ipython()" in source:  # a magic's code is only a string
        names |= {*re.findall(r"[^\W\d]\w*", source)}
    tables = [table]
    for one in tables:
        tables += one.get_children()
        for symbol in one.get_symbols():
            if one is not table and not symbol.is_global():
                continue
            names.add(symbol.get_name())
            if symbol.is_assigned() or symbol.is_imported():
                bound.add(symbol.get_name())
            if symbol.is_imported() or symbol.is_namespace():
                things.add(symbol.get_name())
    return names, bound, things


def chosen(cells: Sequence[str], course: set[str]) -> list[bool]:
    """Which of a notebook's cells must run.

    Args:
        cells: the code cells.
        course: those of the editions, without spaces around them.
    """
    read = [outline(cell) for cell in cells]
    bound = set().union(*(bound - things for _, bound, things in read))
    # What CONSTANT and Class name does not change.
    variables = {n for n in bound if n[0].islower() or len(n) == 1}
    needed: set[str] = set()
    runs = []
    for cell, (names, bound, _) in zip(cells[::-1], read[::-1], strict=True):
        own = cell.strip() not in course
        runs.append(own or bool(needed & (bound | (names & variables))))
        needed |= names if runs[-1] else set()
    return runs[::-1]


# The judge


class Guard:
    """Functions and classes that a verdict rests on, as the course has them.

    It keeps an accident apart (`torch.equal = ...`), not a notebook that is
    made to deceive: that one shares a process with its judge.
    """

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        owners: list[Any] = [*modules, sys.modules["torch"].Tensor]
        for module in modules:
            if module.__name__.split(".")[0] in OURS:
                owners += [v for v in vars(module).values()
                           if isinstance(v, type)
                           and v.__module__ == module.__name__]  # fmt: skip
        self.kept = [
            (owner, {k: v for k, v in vars(owner).items()
                     if callable(v) and k != "Storage"})  # of default dtype
            for owner in owners
        ]  # fmt: skip

    def restore(self) -> str:
        """Put back what was replaced; the name of the last such, or ""."""
        name = ""
        for owner, kept in self.kept:
            now = vars(owner)
            for key, value in kept.items():
                if now.get(key) is not value:
                    setattr(owner, key, value)
                    name = f"{owner.__name__}.{key}"
        return name


class Room:
    """A lesson's checks, for notebooks to import and to judge with.

    Called by a notebook they only write down in `handed` what is handed in.
    """

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        for name in [*sys.modules]:
            if name.split(".")[0] in OURS:
                del sys.modules[name]
        ENTER(lesson)
        room.enter = lambda lesson: None  # set-up cells need not
        sys.path[:] = [p for p in sys.path if p != str(ROOT / "my")]
        checks = importlib.import_module("checks")
        package = sys.modules["exercises"]
        self.judge = package.judge
        self.exercises = {
            name: value
            for name, value in vars(checks).items()
            if isinstance(value, package.Exercise)
        }
        self.own = [m for n, m in sys.modules.items()
                    if n.split(".")[0] in OURS]  # fmt: skip
        names = {id(e): name for name, e in self.exercises.items()}
        self.handed: list[tuple[str, Any]] = []
        package.Exercise.__call__ = lambda exercise, answer: (
            self.handed.append((names.get(id(exercise), ""), answer))
        )


@cache
def warm() -> None:
    """Load what the lessons import: once, before notebooks fork."""
    os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="agg")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    for name in ("torch", "torchvision", "matplotlib.pyplot", "psutil",
                 "sklearn.datasets", "IPython.core.interactiveshell",
                 "helpers.plots", "helpers.graphs", "helpers.widgets",
                 "helpers.data"):  # fmt: skip
        importlib.import_module(name)


def shell() -> Any:
    """An IPython that shows nothing and keeps nothing."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    HistoryManager.enabled = False
    found = InteractiveShell.instance()
    nothing = lambda *args, **options: None  # noqa: E731
    found.enable_gui = found.showtraceback = nothing
    found.system = found.system_raw  # there are no terminals
    return found


# One notebook


def sit(job: dict, lesson: Room | None = None) -> None:
    """Run a notebook and write down, line by line, what comes of it.

    A line is the job's token, then a JSON object: `{"cell": n}` before a cell
    runs, `{"error": [zh, en]}` where it fails, `{"name": …, "told": [status,
    zh, en]}` for a verdict, `{"end": true}` at the end.

    Args:
        job: `lesson`, `lang`, `cells`, `course` (the editions' cells),
            `arguments` (by exercise, what the lesson hands in), `folder` to
            run in, `out` (path or descriptor), `enclosed`, `seconds`,
            `memory` in MiB, `token`.
        lesson: the room, where it is loaded already.
    """
    warm()
    lesson = lesson or Room(job["lesson"])
    cage.settle(job["enclosed"], job["seconds"], job["memory"])
    out = open(job["out"], "a", encoding="utf8", buffering=1)  # noqa: SIM115
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    env = {k: v for k, v in os.environ.items() if k in KEPT_ENV.split()}
    os.environ.clear()
    os.environ.update(env, COURSE_LANG=job["lang"], COURSE_DATA=job["data"])
    for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "IPYTHONDIR"):
        os.environ[name] = job["folder"]
    os.chdir(job["folder"])

    token = job.pop("token")

    def write(**what: Any) -> None:
        out.write(f"\n{token}{json.dumps(what)}\n")

    python = shell()
    trusted = map(importlib.import_module, TRUSTED.split())
    guard = Guard([*lesson.own, *trusted])

    def judge(name: str, answer: Any) -> None:
        guard.restore()
        if answer is lesson.exercises[name].answer:  # check.NAME.answer
            answer = None
        try:
            found = lesson.judge(lesson.exercises[name], answer)
            told = found.status, found.zh, found.en
        except Exception as error:  # of the judge: the answer broke it
            told = "error", *fault(error, lesson.own)
        if changed := guard.restore():
            zh = f"答案改掉了 {changed}，因此没有判。"
            en = f"The answer replaces {changed}: it was not judged."
            told = "error", zh, en
        write(name=name, told=told)

    cells, course = job["cells"], set(job["course"])
    runs = chosen(cells, course)
    for at, cell in enumerate(cells):
        if not runs[at]:
            continue
        write(cell=at + 1)
        lesson.handed.clear()
        done = python.run_cell(cell)
        failed = done.error_before_exec or done.error_in_exec
        told = failed and fault(failed, lesson.own)
        if failed:
            write(error=told)
        handed = [(n, a) for n, a in lesson.handed if n in job["arguments"]]
        for name, answer in handed:
            judge(name, answer)
        if cell.strip() in course:
            continue
        bound = outline(cell)[1]
        called = {name for name, _ in CALL.findall(cell)}
        for name, argument in job["arguments"].items():
            if name in dict(handed):
                continue
            if failed and (name in called or argument in bound):
                write(name=name, told=["error", *told])
            elif argument in bound and argument in python.user_ns:
                judge(name, python.user_ns[argument])
    write(end=True)
    os._exit(0)


def fault(failed: BaseException, own: Sequence[ModuleType]) -> tuple:
    """What a cell that fails is said to do, in both languages."""
    if isinstance(failed, SyntaxError):
        said = f"{type(failed).__name__}: {failed.msg}"
        line = failed.lineno
        return f"{said}（第 {line} 行）", f"{said} (line {line})"
    [reading] = [m for m in own if m.__name__ == "exercises.reading"]
    return reading.error_sentence(failed, None)
