"""Judges a class: runs every notebook of a folder, each on its own.

    python course.py class FOLDER [--lang en]

Writes class.csv and class.html into build/class/NAME; changes nothing in
FOLDER. A run that was stopped goes on; a notebook that changed runs again.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
import stat
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import cage
import judging
import psutil
import report

ROOT = judging.ROOT
sys.path.insert(0, str(ROOT / "notebooks"))

import own  # noqa: E402

BUILD = ROOT / "build" / "class"
LARGEST = 30  # MiB of a notebook
MOST = 50  # processes that one notebook may have
SETUP = re.compile(r'"(\w+)", "(zh|en)"\n')
RANK = {"untouched": 0, "error": 1, "wrong": 2, "right": 3}
WHY = {
    "file": ("不是普通文件，或者读不了", "not a plain file, or not readable"),
    "large": (f"大于 {LARGEST} MiB", f"larger than {LARGEST} MiB"),
    "format": ("不是 notebook（第 4 版格式的 JSON）",
               "not a notebook (JSON of format 4)"),
    "lesson": ("认不出是本课程的哪一课",
               "no lesson of this course is recognised in it"),
    "time": ("{} 秒内没有结束，停在第 {} 个代码单元格",
             "not at its end within {} s; stopped in code cell {}"),
    "memory": ("内存超过 {} MiB，停在第 {} 个代码单元格",
               "more than {} MiB of memory; stopped in code cell {}"),
    "many": ("进程多于 {} 个，停在第 {} 个代码单元格",
             "more than {} processes; stopped in code cell {}"),
    "ended": ("进程自己结束了（{}），在第 {} 个代码单元格",
              "its process ended ({}) in code cell {}"),
}  # fmt: skip


@dataclass
class Lesson:
    """An edition's exercises, and what its unchanged cells look like."""

    name: str
    title: dict[str, str]
    arguments: dict[str, str]  # by exercise: what is handed in
    course: list[str]


@dataclass
class Notebook:
    """A student's notebook; `why` is told where it did not run to its end."""

    student: str
    path: str  # below the folder
    number: int = 0  # in place of a name
    text: bytes = b""
    cells: list[str] = field(default_factory=list)
    lesson: Lesson | None = None
    lang: str = "zh"
    key: str = ""
    why: tuple[str, str] | None = None
    verdicts: dict[str, dict] = field(default_factory=dict)
    errors: list[tuple[int, list[str]]] = field(default_factory=list)


def why(word: str, *values: Any) -> tuple[str, str]:
    """A reason in both languages."""
    zh, en = WHY[word]
    return zh.format(*values), en.format(*values)


# What lies in the folder


def lessons() -> dict[str, Lesson]:
    """The lessons of this clone by name."""
    found = {}
    for path in sorted((ROOT / "notebooks/src").glob("*/lesson.md")):
        name, title, course = path.parent.name, {}, []
        for lang in ("zh", "en"):
            book = own.Book(ROOT / "notebooks" / lang / f"{name}.ipynb")
            title[lang] = "".join(book.cells[0]["source"]).split("\n")[0][2:]
            course += [c.strip() for c in code(book.cells)]
        calls = [judging.CALL.findall(c) for c in code(book.cells)]
        asked = dict(call for found in calls for call in found)
        kept = {n: asked[n] for n in book.exercises()}
        found[name] = Lesson(name, title, kept, sorted({*course}))
    return found


def code(cells: list[dict]) -> list[str]:
    """The sources of the code cells."""
    code = [c for c in cells if c["cell_type"] == "code"]
    return ["".join(c["source"]) for c in code]


def notebooks(
    folder: Path, known: dict[str, Lesson]
) -> tuple[list[Notebook], list[str]]:
    """Every notebook below the folder, read, and what else lies there.

    The student is the first folder on the way to it, or the file's name.
    """
    found, others = [], []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if os.path.isdir(path) or any(p.startswith(".") for p in parts):
            continue
        name = printable("/".join(parts))
        if path.suffix.lower() != ".ipynb":
            others.append(name)
            continue
        student = parts[0] if len(parts) > 1 else path.stem
        found.append(Notebook(printable(student), name))
        read(path, found[-1], known)
    found.sort(key=lambda one: one.path)
    for number, one in enumerate(found, start=1):
        one.number = number
    return found, sorted(others)


def printable(text: str) -> str:
    """A name that every file and terminal can take."""
    text = text.encode("utf8", "replace").decode()
    return "".join(c if c.isprintable() else "�" for c in text)


def read(path: Path, one: Notebook, known: dict[str, Lesson]) -> None:
    """Fill in what a file holds, or why it cannot run."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise OSError
        if info.st_size > LARGEST * cage.MIB:
            one.why = why("large")
            return
        book = own.Book(path)
        one.text, one.cells = book.text, code(book.cells)
    except (OSError, *own.LOST, RecursionError) as error:
        lost = isinstance(error, OSError)
        one.why = why("file" if lost else "format")
        return
    text = "\n".join(one.cells)
    name, lang = (SETUP.findall(text) or [("", "")])[0]
    called = {name for name, _ in judging.CALL.findall(text)}
    shared = {n: len(called & {*x.arguments}) for n, x in known.items()}
    if name not in known:
        name = max(shared, key=lambda n: (shared[n], n in one.path))
    one.lesson, one.lang = known[name], lang or "zh"
    if not shared[name] and not lang:
        one.lesson, one.why = None, why("lesson")


@cache
def state_of(lesson: str) -> bytes:
    """A digest of everything in this clone that a verdict hangs on."""
    names = (
        f"notebooks/src/{lesson}/*.py", f"notebooks/??/{lesson}.ipynb",
        "exercises/*.py", "helpers/*.py", "notebooks/classroom/*.py",
    )  # fmt: skip
    paths = sorted(path for name in names for path in ROOT.glob(name))
    return b"".join(hashlib.sha256(p.read_bytes()).digest() for p in paths)


# Running


class Running:
    """A notebook that runs, in a process of a process of its own."""

    def __init__(self, one: Notebook, options: dict, room: Any) -> None:
        self.one, self.options = one, options
        self.place = tempfile.TemporaryDirectory(
            prefix="class", ignore_cleanup_errors=True
        )
        self.out = Path(self.place.name, "out")
        self.out.touch()
        folder = Path(self.place.name, "work")
        folder.mkdir()
        self.start = time.monotonic()
        self.seen: set[psutil.Process] = set()
        self.token = secrets.token_hex(16)
        job = options | {
            "lesson": one.lesson.name, "lang": one.lang, "cells": one.cells,
            "course": one.lesson.course, "arguments": one.lesson.arguments,
            "folder": str(folder), "out": str(self.out), "token": self.token,
            "data": os.environ.get("COURSE_DATA", str(ROOT / "data")),
        }  # fmt: skip
        args = (job, room)
        self.process = cage.CONTEXT.Process(target=between, args=args)
        self.process.start()
        self.top = psutil.Process(self.process.pid)

    def over(self) -> tuple[str, int] | None:
        """Why it must be stopped, if it must.

        Its seconds are of CPU time, or twice as many on the clock.
        """
        memory, limit = 0, self.options["memory"]
        seconds = self.options["seconds"]
        spent = (time.monotonic() - self.start) / 2
        with contextlib.suppress(psutil.Error):
            self.seen |= {*self.top.children(recursive=True)}
        alive = [p for p in self.seen if p.is_running()]
        for process in alive[:MOST]:
            with contextlib.suppress(psutil.Error):
                info = process.memory_info()
                spent = max(spent, sum(process.cpu_times()[:2]))
                memory += info.rss - getattr(info, "shared", 0)
        if spent > seconds:
            return "time", seconds
        if len(alive) > MOST:
            return "many", MOST
        if memory > (limit + 600) * cage.MIB:  # 600: torch and its friends
            return "memory", limit
        return None

    def results(self) -> tuple[int, bool]:
        """Take over what was written; the cell it is at, and if at its end."""
        one, at, ended = self.one, 0, False
        one.verdicts, one.errors = {}, []
        with open(self.out, "rb") as file:
            lines = file.read(cage.MIB).split(b"\n")
        token = self.token.encode()
        for line in lines:
            if not line.startswith(token):
                continue
            with contextlib.suppress(Exception):  # a notebook may write it
                line = json.loads(line.removeprefix(token))
                ended |= line.get("end") is True
                at = int(line.get("cell", at))
                if "error" in line:
                    zh, en = (str(text)[:900] for text in line["error"])
                    one.errors.append((at, [zh, en]))
                if line.get("name") in one.lesson.arguments:
                    status, zh, en = (str(t)[:900] for t in line["told"])
                    before = one.verdicts.get(line["name"], {"status": ""})
                    if RANK[status] >= RANK.get(before["status"], 0):
                        told = dict(status=status, zh=zh, en=en)
                        one.verdicts[line["name"]] = told
        return at, ended

    def finish(self, reason: tuple[str, int] | None) -> None:
        """End everything that it started; the last results."""
        for process in [self.top, *self.seen]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.join()
        code = self.process.exitcode
        at, ended = self.results()
        if not reason and not ended:
            told = f"exit status {code}"
            with contextlib.suppress(ValueError):
                if not 0 <= code <= 128:
                    told = signal.Signals(abs(code) % 128).name
            reason = "ended", told
            if told == "SIGXCPU":
                reason = "time", self.options["seconds"]
        self.one.why = why(*reason, at) if reason else None
        self.place.cleanup()


def between(job: dict, room: Any) -> None:
    """The parent that a notebook may kill: encloses it and waits for it."""
    if hasattr(os, "setsid"):
        os.setsid()
    if sys.platform == "linux":
        cage.call("prctl", cage.DIE_WITH_PARENT, signal.SIGKILL)
        cage.call("prctl", cage.ADOPT_ORPHANS, 1)
    if job["enclosed"]:
        job["out"] = os.open(job["out"], os.O_WRONLY | os.O_APPEND)
        cage.enclose(job["folder"], [str(ROOT), sys.prefix, sys.base_prefix])
    args = (job, room)
    process = cage.CONTEXT.Process(target=judging.sit, args=args)
    process.start()
    process.join()
    code = process.exitcode
    orphans = [] if job["enclosed"] else psutil.Process().children(True)
    for left in orphans:  # enclosed, they have ended with their system
        with contextlib.suppress(psutil.Error):
            left.kill()
    os._exit(code if code >= 0 else 128 - code)


def run_all(
    books: list[Notebook], options: dict, jobs: int, kept: Path
) -> None:
    """Run what has no result yet, `jobs` at a time; show how it goes on.

    Args:
        books: the notebooks.
        options: those of a job that are the same for all; see `judging.sit`.
        jobs: how many run at a time.
        kept: the folder of the results.
    """
    kept.mkdir(parents=True, exist_ok=True)
    waiting = [one for one in books if one.lesson and not known(one, kept)]
    waiting.sort(key=lambda one: one.lesson.name)
    total, done = len(books), len(books) - len(waiting)
    if done:
        print(f"{done}/{total}: known, or not to be run")
    forks = cage.CONTEXT.get_start_method() == "fork"
    room, running = None, []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                one = waiting.pop(0)
                if forks and (room is None or room.lesson != one.lesson.name):
                    judging.warm()
                    room = judging.Room(one.lesson.name)
                running.append(Running(one, options, room))
            wait([run.process.sentinel for run in running], timeout=0.25)
            for run in [*running]:
                reason = run.over() if run.process.is_alive() else None
                if run.process.is_alive() and not reason:
                    continue
                run.finish(reason)
                running.remove(run)
                one, done = run.one, done + 1
                told = [one.why, one.verdicts, one.errors]
                own.write(kept / f"{one.key}.json", json.dumps(told))
                print(f"{done}/{total} {one.path}: {shown(one)}", flush=True)
    finally:
        for run in running:
            run.finish(None)


def known(one: Notebook, kept: Path) -> bool:
    """Whether there is a result, which the notebook then has."""
    try:
        told = json.loads((kept / f"{one.key}.json").read_text("utf8"))
        one.why, one.verdicts, one.errors = told
    except own.LOST:
        return False
    return True


def shown(one: Notebook) -> str:
    """A notebook's verdicts in one line."""
    found = [report.verdict(one, name) for name in one.lesson.arguments]
    marks = "".join(report.MARKS[v["status"]] for v in found)
    return marks + (f" {one.why[1]}" if one.why else "")


def main(words: list[str] | None = None) -> int:
    """Run the command line; 0 if the pages were written."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    note = "for one notebook (default: %(default)s)"
    parser.add_argument("--seconds", type=int, default=60, help=note)
    parser.add_argument("--memory", type=int, default=3000, help="MiB " + note)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    note = "where results and pages go (default: build/class)"
    parser.add_argument("--out", type=Path, default=BUILD, help=note)
    args = parser.parse_args(words)
    sys.stdout.reconfigure(errors="replace")  # a console without ✓
    folder = args.folder.resolve()
    if not folder.is_dir():
        sys.exit(f"{args.folder} is no folder")
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:6]
    out = args.out.resolve() / f"{printable(folder.name)}-{digest}"
    if out.is_relative_to(folder):
        sys.exit(f"{out} would lie in {folder}: give a folder of its own")
    books, others = notebooks(folder, lessons())
    if not books:
        sys.exit(f"{args.folder} holds no notebooks (.ipynb)")
    with tempfile.TemporaryDirectory() as place:
        open_because = cage.possible(place)
    notes, words = ["", ""], report.spoken(args.lang)
    if open_because:
        notes[0] = words["open"].format(open_because)
    if others:
        named = ", ".join(others[:9]) + ", …" * (len(others) > 9)
        notes[1] = words["others"].format(len(others), named)
    for note in filter(None, notes):
        print(note, flush=True)
    options = {"seconds": args.seconds, "memory": args.memory}
    options["enclosed"] = not open_because
    how = json.dumps(options).encode()
    for one in books:
        if one.lesson:
            text = state_of(one.lesson.name) + how + one.text
            one.key = hashlib.sha256(text).hexdigest()
    try:
        run_all(books, options, max(1, args.jobs), out.parent / ".results")
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here")
        return 130
    out.mkdir(parents=True, exist_ok=True)
    page = report.page(folder.name, books, args.lang, notes)
    own.write(out / "class.html", page)
    own.write(out / "class.csv", report.table(books, args.lang))
    for name in ("class.csv", "class.html"):
        print(out / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
