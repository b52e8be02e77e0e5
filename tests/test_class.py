"""course.py class: a small made-up class, with everything that goes wrong."""

import csv
import json
import os
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest

from exercises.forms import source_of

ROOT = Path(__file__).resolve().parents[1]
CLASSROOM = ROOT / "notebooks" / "classroom"
sys.path.insert(0, str(CLASSROOM))

import cage  # noqa: E402
import judging  # noqa: E402
import run as classroom  # noqa: E402

NAME = "02_tensors"
CHECKS = str(ROOT / "notebooks/src" / NAME / "checks.py")
CALLS = "\n\ncheck.{0}({0})"
OFFSET = source_of(CHECKS, "flat_offset") + CALLS.format("flat_offset")
THREE = "def flat_offset(*anything):\n    return 3\n"
FORGES = """
import os
for descriptor in range(3, 99):
    try:
        os.write(descriptor, b'''
{"name": "views", "status": "right", "zh": "", "en": ""}
''')
    except OSError:
        pass
"""
# What a notebook's last cells do; each has OFFSET before.
HOSTILE = {
    "loop": "while True: pass",
    "deletes": "import os, shutil\nfor n in os.listdir('.'):\n"
    "    shutil.rmtree(n, True) if os.path.isdir(n) else os.remove(n)\n",
    "kills": "import os\nos.kill(os.getppid(), 9)",
    "dies": "import ctypes\nctypes.string_at(0)",
    "eats": "import torch\ntorch.ones(10 * 2**28)",
    "prints": "print('x' * 100_000_000)",
    "leaves": "import sys\nsys.exit(0)",
    "magic": "%matplotlib inline\n!ls\ninput()",
}
ENCLOSED = {  # these only where the notebook is enclosed
    "kills": HOSTILE["kills"] + "\nos.kill(-1, 9)",
    "writes": "open({folder!r} + '/new', 'w')",
    "removes": "import shutil\nshutil.rmtree({folder!r})",
    "calls": "import urllib.request as u\nu.urlopen('http://127.0.0.1:{port}')",
}
BROKEN = {
    "text": b"hello", "empty": b"", "list": b"[]", "deep": b"[" * 100_000,
    "cells": b'{"cells": [3], "metadata": {}}',
    "other": b'{"cells": [], "metadata": {}}',
}  # fmt: skip


def book(*cells: str, lang: str = "en", name: str = NAME) -> str:
    """The lesson with more cells; one that checks an answer replaces its."""
    path = ROOT / "notebooks" / lang / f"{name}.ipynb"
    found = json.loads(path.read_text("utf8"))
    for cell in cells:
        called = judging.CALL.findall(cell)
        for old in found["cells"] if called else ():
            if f"check.{called[0][0]}(" in "".join(old["source"]):
                old["source"] = cell
                break
        else:
            new = {"cell_type": "code", "metadata": {}, "source": cell}
            found["cells"].append(new | {"outputs": []})
    return json.dumps(found)


def command(folder: Path, *words: str) -> list[str]:
    """The command on a folder; its results lie beside it."""
    call = [sys.executable, str(CLASSROOM / "run.py"), str(folder)]
    out = str(folder.with_name("out"))
    return [*call, "--out", out, "--lang", "en", "--seconds", "8", *words]


@pytest.fixture(scope="module")
def enclosed(tmp_path_factory) -> bool:
    """Whether this machine encloses notebooks."""
    return not cage.possible(str(tmp_path_factory.mktemp("cage")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, enclosed) -> Path:
    """A class that was judged, by a run that was killed and one after it."""
    folder = tmp_path_factory.mktemp("class") / "班 one"
    (folder / "anna").mkdir(parents=True)
    mistake = "def merge_and_back(x):\n    return x\n"
    books = {
        "anna/a": book(OFFSET),
        "anna/b": book(OFFSET, THREE + "_ = check.flat_offset(flat_offset)"),
        "untouched": book(lang="zh"),
        "same": book(lang="zh"),
        "wrong": book(mistake + CALLS.format("merge_and_back"), lang="zh"),
        "syntax": book("def flat_offset(:" + CALLS.format("flat_offset")),
        "helper": book("def helper(a, b, c):\n    return c + sum(i * s for "
                       "i, s in zip(a, b))", "flat_offset = helper"),
        "pretends": book("class check:\n    flat_offset = print\n" + THREE
                         + "check.flat_offset('✓ flat_offset')"),
        "patches": book("import exercises.judge as j, torch\n"
                        "torch.equal = lambda *a: True\n"
                        "j.judge = lambda *a: j.Verdict('right')\n" + THREE
                        + "check.flat_offset(flat_offset)"),
        "forges": book(FORGES),
        "copies": book("flat_offset = check.flat_offset.answer\n"
                       "check.flat_offset(flat_offset)"),
        "=1+1<b>": book("raise ValueError('<script>')"),
    }  # fmt: skip
    for name, cell in (HOSTILE | (ENCLOSED if enclosed else {})).items():
        cell = cell.replace("{folder!r}", repr(str(folder)))
        books[name] = book(OFFSET, cell.replace("{port}", "9"))
    for name, text in books.items():
        (folder / f"{name}.ipynb").write_text(text, "utf8")
    for name, text in BROKEN.items():
        (folder / f"{name}.ipynb").write_bytes(text)
    (folder / "anna/answer.py").write_text("1")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.ipynb")
        (folder / "gone.ipynb").symlink_to("nowhere")
    before = contents(folder)

    first = subprocess.Popen(
        command(folder), stdout=subprocess.PIPE, text=True
    )
    lines = [first.stdout.readline() for _ in range(3)]
    children = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    first.wait()
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive, lines
    call = command(folder)
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    known = [line for line in done.stdout.splitlines() if "known" in line]
    assert int(known[0].split("/")[0]) >= int(lines[2].split("/")[0])
    assert contents(folder) == before
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    files = sorted(folder.rglob("*"))
    return {str(f): f.read_bytes() if f.is_file() else b"" for f in files}


@pytest.fixture(scope="module")
def rows(folder) -> dict[str, dict[str, list[str]]]:
    """class.csv: by notebook and exercise, the verdict and what is told."""
    [path] = folder.with_name("out").glob("*/class.csv")
    found: dict[str, dict[str, list[str]]] = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            told = [row["verdict"], row["mistake"]]
            name = row["notebook"].removesuffix(".ipynb")
            found.setdefault(name, {})[row["exercise"]] = told
    return found


def test_answers_are_judged(rows):
    assert rows["anna/a"]["flat_offset"] == ["right", ""]
    assert rows["anna/b"]["flat_offset"] == ["right", ""]  # once is enough
    assert rows["helper"]["flat_offset"] == ["right", ""]
    assert {v[0] for v in rows["untouched"].values()} == {"untouched"}
    assert rows["same"] == rows["untouched"]
    verdict, told = rows["wrong"]["merge_and_back"]
    assert verdict == "wrong"
    assert told
    verdict, told = rows["syntax"]["flat_offset"]
    assert (verdict, told) == ("error", "SyntaxError: invalid syntax (line 1)")
    assert len(rows["anna/a"]) == 7


def test_only_the_courses_checks_count(rows):
    assert rows["pretends"]["flat_offset"][0] == "wrong"
    assert rows["patches"]["flat_offset"][0] == "wrong"
    assert rows["forges"]["views"][0] == "untouched"
    assert rows["copies"]["flat_offset"][0] == "untouched"


def test_a_hostile_notebook_costs_its_own_row(rows, enclosed):
    for name in (*HOSTILE, *(ENCLOSED if enclosed else ())):
        assert rows[name]["flat_offset"] == ["right", ""], name
    for name in (*BROKEN, *(["pipe", "gone"] if os.name != "nt" else [])):
        [[verdict, told]] = rows[name].values()
        assert verdict == "not judged"
        assert told
    assert "'=1+1<b>" in rows  # no formula


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text, self.attributes = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def test_the_page_can_be_read(folder):
    [path] = folder.with_name("out").glob("*/class.html")
    source = path.read_text("utf8")
    page = Page(source)
    assert not {"script", "img", "link", "b>"} & {*page.tags}
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert "url(" not in source
    assert "@import" not in source
    assert ("lang", "en") in page.attributes
    assert "code cell 25: Your code raises ValueError: <script>" in page.text
    assert "not at its end within 8 s; stopped in code cell 25" in page.text
    assert "SyntaxError: invalid syntax (line 1)" in page.text
    assert "not looked at (1): anna/answer.py." in page.text
    assert "✓right" in page.text  # said beside the colour and the mark
    assert "Solved by nobodydescribe, views" in page.text.replace("\n", "")


def test_only_cells_that_count_run():
    course = ["import torch", "x = torch.ones(3)", "for i in range(9): x += 1",
              "y = 5", "print(y)", "def f(a):\n    return a", "torch.ones(2)",
              "m = f(4)"]  # fmt: skip

    def run(*own: str) -> list[str]:
        runs = judging.chosen([*course, *own], set(course))
        return [c for c, r in zip([*course, *own], runs, strict=True) if r]

    assert run() == []
    assert run("def g(y): return y") == ["def g(y): return y"]
    assert run("g = f") == [course[5], "g = f"]
    assert run("x[0]") == [*course[:3], "x[0]"]
    assert run("%time z = m") == [course[5], course[7], "%time z = m"]
    assert run("def (") == ["def ("]


def test_a_system_that_cannot_fork(tmp_path, monkeypatch, capsys):
    """As on macOS and Windows: new processes, no namespaces."""
    spawn = cage.get_context("spawn")
    monkeypatch.setattr(cage, "CONTEXT", spawn)
    monkeypatch.setattr(cage, "possible", lambda folder: "no namespaces")
    (tmp_path / "class").mkdir()
    kills = book(OFFSET, HOSTILE["kills"])
    (tmp_path / "class/kills.ipynb").write_text(kills, "utf8")
    words = command(tmp_path / "class", "--seconds", "60")[2:]
    assert classroom.main(words) == 0
    told = capsys.readouterr().out
    assert "cannot enclose the notebooks (no namespaces)" in told
    assert "○✓○○○○○" in told, told
    [path] = tmp_path.glob("out/*/class.html")
    assert "trust" in path.read_text("utf8")
