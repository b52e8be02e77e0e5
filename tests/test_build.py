"""The build: what it makes, what stops it, what its check finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from notebooks import build as doorway
from notebooks.maker import course, editions
from notebooks.maker.parts import Problem

HERE = Path(__file__).parent
MIME = "application/vnd.jupyter.widget-view+json"


def quiet(text: str) -> None:
    """Say nothing."""


def source(root: Path, name: str = "07_tiny") -> Path:
    """Where a lesson's source stands."""
    return root / "notebooks" / "src" / f"{name}.md"


def change(root: Path, old: str, new: str) -> None:
    """Replace a text of the source, which must be there."""
    text = source(root).read_text(encoding="utf-8")
    assert old in text
    source(root).write_text(text.replace(old, new, 1), encoding="utf-8")


def built(root: Path) -> dict[str, bytes]:
    """Every file that a build writes."""
    found = [*root.glob("notebooks/*/*.ipynb"), root / "README.md"]
    return {str(p.relative_to(root)): p.read_bytes() for p in found}


def load(root: Path, lang: str = "zh", name: str = "07_tiny") -> list[dict]:
    """The cells of an edition."""
    path = editions.edition_path(root, name, lang)
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(cells: list[dict]) -> list[dict]:
    """The code cells among `cells`."""
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture course, built once; to be read only."""
    root = tmp_path_factory.mktemp("once") / "course"
    shutil.copytree(HERE / "fixtures" / "course", root)
    course.build(root, [], say=quiet)
    return root


@pytest.fixture
def tiny(once: Path, tmp_path: Path) -> Path:
    """A copy of the built course, to be changed."""
    root = tmp_path / "a course 课"
    shutil.copytree(once, root)
    return root


# What it makes.


def test_second_build_changes_no_byte(tiny: Path) -> None:
    before = built(tiny)
    said = []
    course.build(tiny, ["07"], say=said.append)
    assert built(tiny) == before
    assert len(before) == 3
    assert said[0].endswith("unchanged")


def test_editions_share_code_and_outputs(once: Path) -> None:
    zh, en = code(load(once, "zh")), code(load(once, "en"))
    assert [c["execution_count"] for c in zh] == list(range(1, len(zh) + 1))
    for cell in (*zh, *en):
        for output in cell["outputs"]:
            output["metadata"] = {} if "metadata" in output else None
    assert zh == en
    assert len({cell["id"] for cell in load(once)}) == len(load(once))


def test_texts_follow_the_language(once: Path) -> None:
    first = {
        lang: "".join(load(once, lang)[0]["source"]) for lang in ["zh", "en"]
    }
    assert first["zh"].startswith("# 07 · 加法\n")
    assert first["en"].startswith("# 07 · Addition\n")
    colab = "https://colab.research.google.com/github/someone/tiny-course"
    for lang, other in (("zh", "en"), ("en", "zh")):
        address = f"{colab}/blob/main/notebooks/{lang}/07_tiny.ipynb"
        assert f"({address})" in first[lang]
        assert f"(../{other}/07_tiny.ipynb)" in first[lang]
        assert "30" in first[lang]
    assert "第 2 讲，加法" in first["zh"]
    assert "Lecture 2, addition" in first["en"]


def test_shared_text_goes_to_both(once: Path) -> None:
    for lang in ("zh", "en"):
        assert ["$$a + b = b + a$$"] in [c["source"] for c in load(once, lang)]


def test_solution_is_folded_under_its_exercise(once: Path) -> None:
    for lang, summary in (("zh", "参考答案"), ("en", "Reference answer")):
        cells = load(once, lang)
        at = next(
            i
            for i, cell in enumerate(cells)
            if "exercise" in cell["metadata"].get("tags", [])
        )
        text = "".join(cells[at + 1]["source"])
        assert text.startswith(f"<details><summary>{summary}</summary>\n\n```")
        assert "return a + b\n```\n\n</details>" in text
        assert cells[at]["outputs"][0]["text"] == ["○ not attempted\n"]


def test_figure_speaks_the_editions_language(once: Path) -> None:
    for lang, alt in (("zh", "一块灰色"), ("en", "a patch of grey")):
        (cell,) = [c for c in load(once, lang) if "alt" in c["metadata"]]
        (output,) = cell["outputs"]
        assert output["metadata"] == {"image/png": {"alt": alt}}
        assert set(cell["metadata"]["alt"]) == {"zh", "en"}
        assert isinstance(output["data"]["image/png"], str)
        assert "\n" not in output["data"]["image/png"]


def test_widget_leaves_only_its_text(once: Path) -> None:
    outputs = [o for c in code(load(once)) for o in c["outputs"]]
    data = [output.get("data", {}) for output in outputs]
    assert not any(MIME in one for one in data)
    assert {"text/plain": ["IntSlider(value=3)"]} in data


def test_table_of_lessons_is_filled(once: Path) -> None:
    text = (once / "README.md").read_text(encoding="utf-8")
    row = (
        "| [07 · Addition](notebooks/en/07_tiny.ipynb) | 40 min "
        "| Lecture 2, addition |"
    )
    assert row in text.split("\n")
    assert text.startswith("# A tiny course\n")
    assert text.endswith("\nEnd.\n")


def test_ids_survive_a_new_cell(tiny: Path) -> None:
    before = {"".join(c["source"]): c["id"] for c in load(tiny)}
    mark = '+++ {"lang": "zh"}\n\n## 2. '
    change(tiny, mark, f"```{{code-cell}}\n10 + 2\n```\n\n{mark}")
    course.build(tiny, ["07"], say=quiet)
    after = [(c["id"], "".join(c["source"])) for c in load(tiny)]
    assert len({name for name, _ in after}) == len(before) + 1
    for name, text in after:
        assert name == before[text] or name == before[text] + "-2"


def test_ignored_output_is_kept_until_code_changes(tiny: Path) -> None:
    def process() -> list:
        (cell,) = [c for c in load(tiny) if "why" in c["metadata"]]
        return cell["outputs"]

    first = process()
    change(tiny, "图里有 2 个点。", "图里有两个点。")
    course.build(tiny, ["07"], say=quiet)
    assert process() == first
    change(tiny, "10 + 2\n```", "2 + 10\n```")
    course.build(tiny, ["07"], say=quiet)
    assert process() != first


@pytest.mark.parametrize(
    ("seed", "draw"),
    [
        ("import random\n\nrandom.seed(0)", "random.random()"),
        ("import numpy\n\nnumpy.random.seed(0)", "numpy.random.rand()"),
        ("import torch\n\nrng = torch.manual_seed(0)", "torch.rand(2)"),
    ],
)
def test_solution_leaves_names_and_random_numbers_alone(
    tiny: Path, seed: str, draw: str
) -> None:
    names: dict = {}
    exec(seed, names)
    expected = f"False {eval(draw, names)}\n"
    change(tiny, "import os\n", f"import os\n{seed}\n")
    change(tiny, "class Adder:", f"{draw}\n\n\nclass Adder:")
    shown = f'print("Adder" in globals(), {draw})'
    change(tiny, "view = {", f"{shown}\nview = {{")
    course.build(tiny, ["07"], say=quiet)
    texts = [
        "".join(output["text"])
        for cell in code(load(tiny))
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    ]
    assert expected in texts


def test_new_lesson_renews_its_neighbours_links(tiny: Path) -> None:
    text = source(tiny).read_text(encoding="utf-8")
    text = text.replace('id: "07"', 'id: "08"').replace("# 07 ·", "# 08 ·")
    source(tiny, "08_more").write_text(text, encoding="utf-8")
    ids = [cell["id"] for cell in load(tiny)]
    course.build(tiny, ["8"], say=quiet)
    assert "08_more.ipynb" in "".join(load(tiny)[-1]["source"])
    assert "07_tiny.ipynb" in "".join(load(tiny, name="08_more")[-1]["source"])
    assert [cell["id"] for cell in load(tiny)] == ids
    assert course.check(tiny, []) == []


def test_definitions_are_a_module_of_the_lesson(once: Path) -> None:
    text = doorway.definitions("07", root=once)
    names: dict = {}
    exec(compile(text.replace("from helpers", "# "), "m", "exec"), names)
    assert names["chunk"](b"IHDR", b"")[4:8] == b"IHDR"
    assert "def add" not in text
    assert [head.id for head in doorway.lessons(root=once)] == ["07"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nbval_is_strictly_content(once: Path, lang: str) -> None:
    path = editions.edition_path(once, "07_tiny", lang)
    done = _nbval(path)
    assert done.returncode == 0, done.stdout
    assert "9 passed" in done.stdout


def test_nbval_finds_a_changed_output(tiny: Path) -> None:
    path = editions.edition_path(tiny, "07_tiny", "zh")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"12"', '"13"'), encoding="utf-8")
    assert _nbval(path).returncode == 1


def _nbval(path: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-c", os.devnull),
            *("--nbval", "--nbval-current-env", "-p", "no:cacheprovider"),
            *(f"--rootdir={path.parent}", str(path)),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
    )


# What stops it.

STOPS: list[tuple[str, str, str, str, str]] = [
    # name, what stands in the source, what is put there,
    # the line that is named, the reason that is given
    (
        "no translation",
        '+++ {"lang": "en"}\n\n## 2. Draw a line\n\n'
        "The figure shows 2 points.\n",
        "",
        '+++ {"lang": "zh"}',
        "no en text after it",
    ),
    (
        "wrong order",
        '+++ {"lang": "zh"}\n\n## 2. ',
        '+++ {"lang": "en"}\n\nFirst.\n\n+++ {"lang": "zh"}\n\n## 2. ',
        '+++ {"lang": "en"}',
        "no zh text before it",
    ),
    (
        "unknown language",
        '+++ {"lang": "en"}\n\n## 2',
        '+++ {"lang": "fr"}\n\n## 2',
        '+++ {"lang": "fr"}',
        "unknown language 'fr'",
    ),
    (
        "unknown text option",
        '+++ {"lang": "en"}\n\n## 2',
        '+++ {"tags": [], "lang": "en"}\n\n## 2',
        '+++ {"tags": [], "lang": "en"}',
        "unknown option `tags`",
    ),
    (
        "block is not JSON",
        '+++ {"lang": "en"}\n\n## 2',
        "+++ {lang: en}\n\n## 2",
        "+++ {lang: en}",
        "could not be read",
    ),
    (
        "unknown tag",
        "```{code-cell}\n10 + 2",
        "```{code-cell}\n:tags: [hide]\n\n10 + 2",
        "```{code-cell}",
        "unknown tag 'hide'",
    ),
    (
        "unknown option",
        "alt: {zh",
        "name: a\nalt: {zh",
        "```{code-cell}",
        "unknown option `name`",
    ),
    (
        "option is not YAML",
        "alt: {zh: 一块灰色",
        "alt: {zh: [一块灰色",
        "```{code-cell}",
        "Invalid YAML",
    ),
    (
        "alt in one language",
        "{zh: 一块灰色, en: a patch of grey}",
        "{zh: 一块灰色}",
        "```{code-cell}",
        "`alt` needs text for zh and for en",
    ),
    (
        "ignored without why",
        ":why: the number of the process\n",
        "",
        "```{code-cell}",
        "`why` belong together",
    ),
    (
        "no solution",
        ":tags: [solution]\n\nclass Adder",
        "class Adder",
        "```{code-cell}",
        "no solution directly after",
    ),
    (
        "text before the solution",
        "```{code-cell}\n:tags: [solution]\n\nclass",
        "+++\n\n$a$\n\n```{code-cell}\n:tags: [solution]\n\nclass",
        "```{code-cell}",
        "no solution directly after",
    ),
    (
        "no exercise",
        ":tags: [exercise]\n\ndef add_again",
        "\n\ndef add_again",
        "```{code-cell}",
        "no exercise directly before",
    ),
    (
        "no check",
        "check.add_again(add_again)\n",
        "add_again\n",
        "add_again",
        "last line is check.NAME(NAME)",
    ),
    (
        "no set-up",
        ":tags: [setup]\n",
        "",
        "---",
        "exactly one cell is tagged setup",
    ),
    (
        "set-up too late",
        "```{code-cell}\n:tags: [setup]",
        "```{code-cell}\n1\n```\n\n```{code-cell}\n:tags: [setup]",
        "```{code-cell}",
        "exactly one cell is tagged setup",
    ),
    (
        "empty cell",
        "```{code-cell}\n10 + 2\n",
        "```{code-cell}\n",
        "```{code-cell}",
        "empty code cell",
    ),
    (
        "not Python",
        "10 + 2\n```",
        "1 + 1\n%timeit 1\n```",
        "%timeit 1",
        "not plain Python",
    ),
    (
        "open fence",
        "The figure shows 2 points.",
        "````\nThe figure shows 2 points.",
        "```{code-cell}",
        "is a fence left open?",
    ),
    (
        "unknown placeholder",
        "The figure shows 2 points.",
        "{{figure}}",
        '+++ {"lang": "en"}',
        "unknown {{figure}}",
    ),
    (
        "no badges",
        "三个加法函数。\n\n{{badges}}",
        "三个加法函数。",
        "---",
        "{{badges}} stands once, in the first text (zh)",
    ),
    (
        "nav too early",
        "The figure shows 2 points.",
        "{{nav}}",
        '+++ {"lang": "en"}',
        "{{nav}} stands once, in the last text (en)",
    ),
    ("no field", "  minutes: 40\n", "", "course:", "`minutes` is missing"),
    (
        "unknown field",
        "  minutes: 40\n",
        "  minutes: 40\n  level: 1\n",
        "  level: 1",
        "unknown field `level`",
    ),
    ("number as a number", 'id: "07"', "id: 7", "  id: 7", "(in quotes)"),
    ("another number", 'id: "07"', 'id: "08"', '  id: "08"', "number is"),
    ("one title", ", en: Addition}", "}", "  title: {zh: 加法}", "`title`"),
    ("no time", "minutes: 40", "minutes: 0", "  minutes: 0", "positive"),
    (
        "requires a number",
        'requires: ["01"]',
        "requires: [1]",
        "  requires: [1]",
        "list of strings",
    ),
    (
        "front matter",
        "minutes: 40",
        "minutes: [",
        '  requires: ["01"]',
        "front matter: ",
    ),
    (
        "cell fails",
        "10 + 2\n```",
        "10 / 0\n```",
        "10 / 0",
        "the cell fails (`10 / 0`): ZeroDivisionError: division by zero",
    ),
    (
        "cell fails below its first line",
        "10 + 2\n```",
        "def ratio(a, b):\n    return a / b\n\n\n[\n    ratio(1, 0),\n]\n```",
        "    ratio(1, 0),",
        "the cell fails (`ratio(1, 0),`): ZeroDivisionError",
    ),
    (
        "standard error",
        "10 + 2\n```",
        'import warnings\n\nwarnings.warn("old")\n```',
        "import warnings",
        "writes to standard error",
    ),
    (
        "kernel ends",
        "10 + 2\n```",
        "os._exit(1)\n```",
        "os._exit(1)",
        "ends the kernel",
    ),
    (
        "solution is wrong",
        "return sum((a, b))",
        "return a * b",
        "class Adder:",
        "✗ add_again gives 6",
    ),
    (
        "solution fails",
        "return sum((a, b))",
        "return a + c",
        "        return a + c",
        "the solution fails (`return a + c`): NameError",
    ),
    (
        "stub is an answer",
        "def add_again(a, b):\n    return None",
        "def add_again(a, b):\n    return a + b",
        "def add_again(a, b):",
        "the check of the untouched stub does not say ○: ✓",
    ),
    (
        "figure without alt",
        "---\nalt: {zh: 一块灰色, en: a patch of grey}\n---\n",
        "",
        "```{code-cell}",
        "no `alt`",
    ),
    (
        "alt without figure",
        "```{code-cell}\n10 + 2",
        "```{code-cell}\n:alt: {zh: 一, en: one}\n\n10 + 2",
        "```{code-cell}",
        "shows no figure",
    ),
    (
        "address",
        "10 + 2\n```",
        "object()\n```",
        "object()",
        "a memory address",
    ),
    (
        "too slow",
        "seconds: 30",
        "seconds: 0.01",
        "  seconds: 0.01",
        "front matter promises `seconds: 0.01`",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "named", "reason"),
    [pytest.param(*rest, id=name) for name, *rest in STOPS],
)
def test_build_stops(
    tiny: Path, old: str, new: str, named: str, reason: str
) -> None:
    before = built(tiny)
    change(tiny, old, new)
    with pytest.raises(Problem) as stopped:
        course.build(tiny, ["07"], say=quiet)
    assert reason in stopped.value.reason
    assert stopped.value.path == source(tiny)
    lines = source(tiny).read_text(encoding="utf-8").split("\n")
    assert lines[stopped.value.line - 1] == named
    assert built(tiny) == before
    assert not list(tiny.glob("notebooks/*/.*"))


def test_line_is_the_right_one_of_several(tiny: Path) -> None:
    change(tiny, "check.add_last(add_last)\n", "add_last\n")
    with pytest.raises(Problem) as stopped:
        course.build(tiny, ["07"], say=quiet)
    text = source(tiny).read_text(encoding="utf-8")
    before = text[: text.index("\nadd_last\n```") + 1]
    assert stopped.value.line == before.count("\n") + 1


def test_number_used_twice_stops_the_build(tiny: Path) -> None:
    shutil.copy(source(tiny), source(tiny, "07_again"))
    with pytest.raises(Problem, match=r"number 07 is taken by 07_again\.md"):
        course.build(tiny, [], say=quiet)


def test_unknown_name_stops_the_build(tiny: Path) -> None:
    with pytest.raises(Problem, match="called '31'; there are: 07_tiny"):
        course.build(tiny, ["31"], say=quiet)


def test_source_in_another_encoding_stops_the_build(tiny: Path) -> None:
    text = source(tiny).read_text(encoding="utf-8")
    source(tiny).write_text(text, encoding="gb18030")
    with pytest.raises(Problem, match="save it as UTF-8") as stopped:
        course.build(tiny, ["07"], say=quiet)
    line = text.split("\n")[stopped.value.line - 1]
    assert line == "  title: {zh: 加法, en: Addition}"
    source(tiny).write_text(text, encoding="utf-8-sig")
    with pytest.raises(Problem, match="1: a byte order mark"):
        course.build(tiny, ["07"], say=quiet)


def test_full_disk_is_said_in_one_sentence(
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = editions.edition_path(tiny, "07_tiny", "zh")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(course, "_replace", full_disk)
    change(tiny, "图里有 2 个点。", "图里有两个点。")
    assert doorway.main(["--root", str(tiny), "07"]) == 1
    place = path.relative_to(tiny.resolve())
    said = capsys.readouterr().err
    assert said.startswith(f"{place}: No space left on device; ")
    assert said.count("\n") == 1


def test_half_a_lesson_is_never_written(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built(tiny)
    change(tiny, "图里有 2 个点。", "图里有两个点。")
    write = Path.write_text

    def full_disk(path: Path, text: str, **rest: object) -> int:
        if path.parent.name == "en":
            raise OSError(28, "No space left on device")
        return write(path, text, **rest)

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        course.build(tiny, ["07"], say=quiet)
    assert built(tiny) == before
    assert not list(tiny.glob("notebooks/*/.*"))


def test_command_line_names_file_and_line(tiny: Path) -> None:
    change(tiny, "10 + 2\n```", "10 +\n```")
    done = _command(tiny, "07")
    assert done.returncode == 1
    place = re.fullmatch(
        r"notebooks/src/07_tiny\.md:(\d+): not plain Python: .+\n", done.stderr
    )
    lines = source(tiny).read_text(encoding="utf-8").split("\n")
    assert lines[int(place[1]) - 1] == "10 +"


def _command(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, str(HERE.parent / "notebooks" / "build.py")),
            *("--root", str(root), *arguments),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
    )


# What its check finds.


def test_check_passes_after_a_build(tiny: Path) -> None:
    done = _command(tiny, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _edit(lang: str, edit: Callable[[list[dict]], object]) -> Callable:
    def apply(root: Path) -> None:
        path = editions.edition_path(root, "07_tiny", lang)
        notebook = json.loads(path.read_text(encoding="utf-8"))
        edit(notebook["cells"])
        text = json.dumps(
            notebook, ensure_ascii=False, indent=1, sort_keys=True
        )
        path.write_text(text + "\n", encoding="utf-8")

    return apply


def _remove(name: str) -> Callable:
    return lambda root: (root / name).unlink()


def _picture(cells: list[dict]) -> dict:
    (cell,) = [cell for cell in cells if "alt" in cell["metadata"]]
    return cell["outputs"][0]


EDITS: list[tuple[str, Callable, str]] = [
    (
        "text of an edition",
        _edit("zh", lambda cells: cells[0]["source"].append("x")),
        r"notebooks/zh/07_tiny.ipynb: cell 1 \(07-text-\w+\), its source,",
    ),
    (
        "code of the zh edition",
        _edit("zh", lambda cells: code(cells)[2].update(source=["10 + 3"])),
        r"notebooks/zh/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its source,",
    ),
    (
        "code of the en edition",
        _edit("en", lambda cells: code(cells)[2].update(source=["10 + 3"])),
        r"notebooks/en/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its source,",
    ),
    (
        "set-up cell",
        _edit("en", lambda cells: code(cells)[0].update(source=["pass"])),
        r"notebooks/en/07_tiny.ipynb: cell 3 \(07-code-\w+\), its source,",
    ),
    (
        "an output of one edition",
        _edit("en", lambda cells: code(cells)[2].update(outputs=[])),
        r"notebooks/en/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its outputs,",
    ),
    (
        "a count",
        _edit("zh", lambda c: code(c)[3].update(execution_count=None)),
        r"zh/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its execution_count,",
    ),
    (
        "an id",
        _edit("zh", lambda cells: cells[2].update(id="a")),
        r"zh/07_tiny.ipynb: cell 3 \(07-code-\w+\), its id,",
    ),
    (
        "a tag",
        _edit("en", lambda c: code(c)[3].update(metadata={})),
        r"en/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its metadata,",
    ),
    (
        "a figure's words",
        _edit("zh", lambda c: _picture(c).update(metadata={})),
        r"zh/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its outputs,",
    ),
    (
        "standard error",
        _edit(
            "zh",
            lambda c: code(c)[2].update(
                outputs=[
                    {"output_type": "stream", "name": "stderr", "text": "a"}
                ]
            ),
        ),
        r"07_tiny\.md:\d+: text on standard error",
    ),
    (
        "a cell more",
        _edit("en", lambda cells: cells.append({**cells[0], "id": "new"})),
        r"en/07_tiny.ipynb: the number of cells \(23, expected 22\)",
    ),
    (
        "a code cell less",
        _edit("zh", lambda cells: cells.remove(code(cells)[2])),
        r"zh/07_tiny.ipynb: 8 code cells, the source has 9",
    ),
    (
        "layout",
        lambda root: editions.edition_path(root, "07_tiny", "zh").write_text(
            json.dumps({"cells": load(root)}), encoding="utf-8"
        ),
        r"zh/07_tiny.ipynb: the notebook's metadata or layout",
    ),
    (
        "no notebook at all",
        lambda root: editions.edition_path(root, "07_tiny", "zh").write_text(
            "[]", encoding="utf-8"
        ),
        r"zh/07_tiny.ipynb: 0 code cells, the source has 9",
    ),
    (
        "text of the source",
        lambda root: change(root, "图里有 2 个点。", "图里有两个点。"),
        r"zh/07_tiny.ipynb: cell \d+ \(07-text-\w+\), its id,",
    ),
    (
        "code of the source",
        lambda root: change(root, "10 + 2\n```", "10 + 3\n```"),
        r"zh/07_tiny.ipynb: cell \d+ \(07-code-\w+\), its id,",
    ),
    (
        "minutes of the source",
        lambda root: change(root, "minutes: 40", "minutes: 41"),
        r"zh/07_tiny.ipynb: cell 1 \(07-text-\w+\), its source,",
    ),
    (
        "address of the course",
        lambda root: (root / "pyproject.toml").write_text(
            '[project.urls]\nRepository = "https://github.com/me/fork"\n'
        ),
        r"zh/07_tiny.ipynb: cell 1 \(07-text-\w+\), its source,",
    ),
    (
        "no edition",
        _remove("notebooks/en/07_tiny.ipynb"),
        r"notebooks/en/07_tiny.ipynb: not built; run: python course.py",
    ),
    (
        "no source",
        _remove("notebooks/src/07_tiny.md"),
        r"notebooks/zh/07_tiny.ipynb: no source; delete it",
    ),
    (
        "bad source",
        lambda root: change(root, '"lang": "en"', '"lang": "fr"'),
        r"notebooks/src/07_tiny\.md:\d+: unknown language 'fr'",
    ),
    (
        "table of lessons",
        lambda root: (root / "README.md").write_text(
            "<!-- lessons -->\n<!-- /lessons -->\n"
        ),
        r"README.md: the table of lessons is old",
    ),
]


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [pytest.param(*rest, id=name) for name, *rest in EDITS],
)
def test_check_finds(tiny: Path, edit: Callable, sentence: str) -> None:
    edit(tiny)
    found = "\n".join(course.check(tiny, []))
    assert re.search(sentence, found), found
    if "differs" in found:
        assert "run: python course.py build 07" in found


def test_check_command_fails(tiny: Path) -> None:
    change(tiny, "minutes: 40", "minutes: 41")
    done = _command(tiny, "--check", "07")
    assert done.returncode == 1
    assert done.stderr.startswith("notebooks/zh/07_tiny.ipynb: cell 1 ")


# The set-up cell, as on Colab: only the notebook is there.


@pytest.fixture
def alone(once: Path, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """An empty folder, and a git that finds the course's address here."""
    copy, remote = tmp_path / "copy", tmp_path / "remote.git"
    shutil.copytree(once, copy)
    calm = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": ""}

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(
            ["git", *who, *arguments], check=True, env=calm, cwd=copy
        )

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    git("clone", "-q", "--bare", ".", str(remote))
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[url "{remote.as_uri()}"]\n'
        "\tinsteadOf = https://github.com/someone/tiny-course\n"
    )
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder, {**calm, "GIT_CONFIG_GLOBAL": str(config)}


def _setup(
    root: Path, folder: Path, env: dict[str, str], after: str = ""
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", f"{editions.setup_cell(root)}\n{after}"],
        cwd=folder,
        env={**env, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


WHERE = "import helpers; print(helpers.__file__)"


def test_setup_fetches_once(once: Path, alone: tuple) -> None:
    folder, env = alone
    for _ in range(2):
        done = _setup(once, folder, env, WHERE)
        assert done.stderr == ""
        found = Path(done.stdout.strip())
        assert found == folder / "course" / "helpers" / "__init__.py"
        shutil.rmtree(folder.parent / "remote.git", ignore_errors=True)


def test_setup_fetches_nothing_at_home(once: Path) -> None:
    folder = once / "notebooks" / "zh"
    env = {**os.environ, "PATH": ""}
    done = _setup(once, folder, env, WHERE)
    assert done.stderr == ""
    assert Path(done.stdout.strip()) == once / "helpers" / "__init__.py"
    assert not (folder / "course").exists()


def test_setup_without_network_says_what_to_do(
    once: Path, alone: tuple
) -> None:
    folder, env = alone
    shutil.rmtree(folder.parent / "remote.git")
    done = _setup(once, folder, env, "print('went on')")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().split("\n")[-1]
    assert last.startswith("请联网后再运行本单元格 / Go online")
    assert done.stdout == ""
    assert list(folder.iterdir()) == []


def test_setup_is_short_and_formatted(once: Path, tmp_path: Path) -> None:
    cell = editions.setup_cell(once)
    assert cell.count("\n") + 1 <= 8
    path = tmp_path / "setup.py"
    path.write_text(f"{cell}\n", encoding="utf-8")
    for job in (["check", "--select=E,F,W,I"], ["format", "--check"]):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *job, "--isolated"),
                *("--no-cache", "--line-length=79", str(path)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
