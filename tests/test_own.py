"""The student's own copies, from a small course, and in JupyterLab."""

import errno
import importlib
import json
import subprocess
import sys
from pathlib import Path

import lab
import pytest
import rooms
import torch

from exercises import draw, exercise, parts
from exercises.forms import compiled, source_of
from notebooks import own

ROOT = Path(__file__).resolve().parents[1]
FIRST, NAME = "00_start_here", "02_tensors"


def cell(source: str, said: str, *tags: str) -> dict:
    """A code cell, with what it printed."""
    output = {"output_type": "stream", "name": "stdout", "text": [said]}
    cell = {"cell_type": "code", "metadata": {"tags": tags}, "source": source}
    return cell | {"outputs": [output], "execution_count": 1}


def pull(course: Path, name: str, text: str) -> None:
    """A lesson comes, with this text in a code cell."""
    for lang in ("zh", "en"):
        head = {"cell_type": "markdown", "metadata": {}}
        cells = [head | {"source": [f"# {name} {lang}"]}, cell(text, "2\n")]
        for f in ("double", "half"):
            cells.append(cell(f"...\ncheck.{f}({f})", f"○ {f}\n", "exercise"))
        book = json.dumps({"cells": cells, "metadata": {}})
        (course / f"notebooks/{lang}/{name}.ipynb").write_text(book, "utf8")


def edit(path: Path, text: str, said: str = "") -> None:
    """A student writes into a copy's last cell, and saves what it printed."""
    book = json.loads(path.read_bytes())
    book["cells"][-1] |= cell(text, said)
    path.write_text(json.dumps(book), "utf8")


def text(path: Path) -> str:
    """All that stands in a copy's cells."""
    cells = json.loads(path.read_bytes())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Two lessons in two editions, and the copies of a first start."""
    for name in (FIRST, NAME):
        for folder in (f"src/{name}", "zh", "en"):
            folder = tmp_path / "notebooks" / folder
            folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"notebooks/src/{name}/lesson.md").touch()
        pull(tmp_path, name, "1 + 1")
    source = Path(own.__file__).read_bytes()
    (tmp_path / "notebooks/own.py").write_bytes(source)
    own.place("en", root=tmp_path)
    return tmp_path


@pytest.fixture
def mine(course: Path) -> Path:
    """The copy of a lesson, in which a student has written."""
    path = course / f"my/en/{NAME}.ipynb"
    edit(path, "my answer")
    return path


def test_copies_are_the_lessons_without_outputs(course):
    assert own.place("en", root=course) == f"my/en/{FIRST}.ipynb"
    assert (course / f"my/zh/{NAME}.ipynb").exists()  # where its links lead
    for path in ROOT.glob("notebooks/??/*.ipynb"):
        book, old = own.Book(path), json.loads(path.read_bytes())
        for one in old["cells"]:
            if one["cell_type"] == "code":
                one.update(outputs=[], execution_count=None)
        old["metadata"]["course"] = {"made_from": book.digest}
        assert json.loads(book.blank()) == old


def test_a_pull_under_an_edited_and_an_untouched_copy(course, mine, capsys):
    def start(version: str) -> str:
        for name in (FIRST, NAME):
            pull(course, name, version)
        own.place("en", root=course)
        return capsys.readouterr().out

    before, new = mine.read_bytes(), mine.with_stem(f"{NAME} (new)")
    told = start("2 + 2")
    assert "2 + 2" in text(mine.with_stem(FIRST))
    assert "2 + 2" in text(new)
    assert new.name in told
    assert FIRST not in told
    page = mine.with_name("index.md").read_text("utf8")
    assert f"[ (new)]({NAME}%20%28new%29.ipynb)" in page
    new.unlink()  # not wanted: once for each change
    start("2 + 2")
    assert not new.exists()
    start("3 + 3")
    start("4 + 4")  # nobody used the one before
    assert "4 + 4" in text(new)
    edit(new, "my second answer")
    start("5 + 5")
    assert "my second answer" in text(new)
    assert "5 + 5" in text(mine.with_stem(f"{NAME} (new 2)"))
    assert mine.read_bytes() == before


def test_fresh_keeps_the_old_copy(course, mine, capsys):
    for number in (1, 2):
        edit(mine, f"answer {number}")
        own.place("en", NAME, fresh=True, root=course)
        old = mine.with_stem(f"{NAME} (old {number})")
        assert f"answer {number}" in text(old)
        assert not own.Book(mine).edited
        assert old.name in capsys.readouterr().out


@pytest.mark.parametrize("left", ["", '{"cells": [{"cell_ty', "[]", "\xff"])
def test_a_broken_copy_is_kept(course, mine, capsys, left):
    mine.write_text(left, "latin1")
    own.place("en", root=course)
    aside = mine.with_stem(f"{NAME} (broken 1)")
    assert aside.read_text("latin1") == left
    assert not own.Book(mine).edited
    assert aside.name in capsys.readouterr().out


def full(path: Path, mode: str, **options):
    """`open` on a disk that is full after ten characters."""
    path.write_bytes(b"0123456789")
    raise OSError(errno.ENOSPC, "No space left on device")


def read_only(path: Path, mode: str, **options):
    """`open` in a folder that is read-only."""
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("opens", [full, read_only])
@pytest.mark.parametrize("fresh", [False, True])
def test_where_nothing_can_be_written(
    course, mine, capsys, monkeypatch, opens, fresh
):
    mine.with_stem(FIRST).unlink()
    pull(course, NAME, "2 + 2")
    before = {path: path.read_bytes() for path in course.rglob("*.*")}
    monkeypatch.setattr(own, "open", opens, raising=False)
    capsys.readouterr()
    page = own.place("en", NAME, fresh, root=course)
    assert page == f"my/en/{NAME}.ipynb"
    page = own.place("en", root=course)  # it has no copy
    assert page == f"notebooks/en/{FIRST}.ipynb"
    assert {p: p.read_bytes() for p in course.rglob("*.*")} == before
    lines = capsys.readouterr().out.splitlines()
    assert ["not kept" in line for line in lines] == [True, True]


def test_two_starts_at_once(course, mine):
    call = f"import own; own.place('en', {NAME!r}, fresh=True)"
    call, at = [sys.executable, "-c", call], course / "notebooks"
    started = [subprocess.Popen(call, cwd=at) for _ in range(6)]
    assert [process.wait(60) for process in started] == [0] * 6
    assert not own.Book(mine).edited
    old = mine.parent.glob("*(old *).ipynb")
    assert "my answer" in "".join(map(text, old))
    read = own.Book(mine)
    edit(mine, "saved meanwhile")
    own.write(mine, "other", read.text)
    assert "saved meanwhile" in text(mine)


def test_the_first_page_counts_what_is_solved(course, mine):
    edit(mine, "my answer", "noise\n✓ half: Correct.\n")
    assert own.place("en", root=course) == "my/en/index.md"
    page = mine.with_name("index.md").read_text("utf8")
    assert f"]({NAME}.ipynb) | ○✓ 1/2 |" in page
    assert f"]({FIRST}.ipynb) | ○○ 0/2 |" in page
    assert own.place("zh", root=course) == f"my/zh/{FIRST}.ipynb"


# Accepted answers


@pytest.fixture
def my(tmp_path: Path, monkeypatch) -> Path:
    """The folder `my`, in which the test runs, as a student does."""
    (tmp_path / "my/en").mkdir(parents=True)
    monkeypatch.setattr(parts, "MY", tmp_path / "my")
    monkeypatch.setenv("COURSE_LANG", "en")
    monkeypatch.chdir(tmp_path / "my/en")
    monkeypatch.syspath_prepend(tmp_path / "my")
    return tmp_path / "my"


def kept() -> dict:
    """What a later lesson finds."""
    sys.modules.pop("parts", None)
    importlib.invalidate_caches()
    return vars(importlib.import_module("parts"))


def test_an_accepted_answer_is_kept_and_replaced(my, monkeypatch, capsys):
    def double(x):
        return 2 * x

    check, file = exercise(double, draw("B D"), part=True), my / "parts.py"

    def accept(source: str) -> list[str]:
        scope = {"half": lambda x: x / 2}
        exec("import itertools as it\nfrom torch import Tensor", scope)
        check(compiled("double", scope, source))
        return capsys.readouterr().out.splitlines()

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "✗" in accept("def double(x):\n    return x\n")[0]
    assert not file.exists()
    right, line = accept("# a\ndef double(x):\n    return x + x  # ✓\n")
    assert right.startswith("✓ double: ")
    assert line == (
        "  Kept in my/parts.py for later use: from parts import double"
    )
    assert kept()["double"](3) == 6
    file.write_text(file.read_text("utf8") + "\n\nmine = 7\n", "utf8")
    longer = "def double(x: Tensor):\n    return list(it.chain([x]))[0] * 2\n"
    assert "Kept" in accept(longer)[1]
    assert kept()["double"](4) == 8
    assert kept()["mine"] == 7
    assert file.read_text("utf8").count("def double") == 1
    before = file.read_bytes()
    # It would fail where the notebook's other names are missing.
    right, line = accept("def double(x):\n    return 4 * half(x)\n")
    assert "uses half" in line
    assert file.read_bytes() == before
    file.write_text("def broken(:", "utf8")
    right, line = accept(longer)
    assert right.startswith("✓")
    assert line.startswith("  Not in my/parts.py: invalid syntax")
    assert file.read_text("utf8") == "def broken(:"
    monkeypatch.chdir(my.parent)
    assert len(accept(longer)) == 1  # no copy: nothing is kept


def test_a_later_lesson_takes_the_own_part_else_the_reference(my, capsys):
    def split() -> object:
        return parts.part("02_tensors", "split_heads")

    reference = split()
    assert capsys.readouterr().out == "○ split_heads\n"
    assert reference(torch.ones(2, 3, 8), 4).shape == (2, 4, 3, 2)
    file = my / "parts.py"
    file.write_text("def split_heads(x, num_heads):\n    return 'mine'\n")
    assert split()(0, 1) == "mine"
    assert capsys.readouterr().out == "✓ split_heads\n"
    # An answer that builds on the reference keeps it, until one's own comes.
    file.unlink()
    scope = {"split_heads": reference}
    source = "def both(x):\n    return split_heads(x, 2)\n"
    assert "Kept" in parts.keep("both", compiled("both", scope, source))
    assert kept()["both"](torch.ones(2, 3, 8)).shape == (2, 2, 3, 4)
    assert split() is not kept()["split_heads"]
    assert capsys.readouterr().out == "○ split_heads\n"
    source = "def split_heads(x, num_heads):\n    return 'mine'\n"
    parts.keep("split_heads", compiled("split_heads", {}, source))
    assert kept()["both"](0) == "mine"
    assert split()(0, 1) == "mine"
    capsys.readouterr()
    with pytest.raises(ModuleNotFoundError, match="no lesson 99_none"):
        parts.part("99_none", "split_heads")
    with pytest.raises(AttributeError, match="split_tails"):
        parts.part("02_tensors", "split_tails")


def test_every_part_of_the_course_can_be_kept(my):
    names = []
    for room in rooms.ROOMS:
        scope = vars(rooms.modules(room)[0])
        for name, check in rooms.exercises(room).items():
            if check.part:
                source = source_of(scope["__file__"], name)
                said = parts.keep(name, compiled(name, scope, source))
                assert "Kept" in said, said
                names.append(name)
    assert names
    assert set(names) <= kept().keys()


# In JupyterLab


def test_a_session_in_jupyterlab_writes_only_into_my(tmp_path):
    course = lab.copy_course(ROOT, tmp_path / "我的 course")
    (course / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    git = ["git", "-C", str(course), "-c", "user.name=a", "-c", "user.email=a"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "course"]):
        subprocess.run([*git, *words], check=True)
    folder, _, page = own.place("en", NAME, root=course).partition("/")
    server = lab.server(course / folder, tmp_path / "state")
    source = str(course / f"notebooks/src/{NAME}/checks.py")
    source = source_of(source, "split_heads")
    with server as address, lab.browser() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        lab.open_lesson(tab, address, page)
        cells = lab.execute(tab, "run-all-cells")
        assert [e for one in cells for e in one["errors"]] == []
        check = "check.split_heads(split_heads)"
        at = next(one["index"] for one in cells if check in one["source"])
        said = lab.answer(tab, at, f"{source}\n\n{check}")
        assert "Kept in my/parts.py" in said
        save = "() => window.jupyterapp.commands.execute('docmanager:save')"
        tab.evaluate(save)
        later = "from parts import split_heads as f\nprint(f.__module__)"
        assert lab.answer(tab, at, later) == "parts\n"
    status = [*git, "status", "--porcelain"]
    assert subprocess.check_output(status) == b""
    copy = own.Book(course / folder / page)
    assert copy.edited  # the next pull will not touch it
    assert source in text(copy.path)
    assert own.place("en", root=course) == "my/en/index.md"
    assert "○○○○✓○○ 1/7" in (course / "my/en/index.md").read_text("utf8")
