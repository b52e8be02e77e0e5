"""The build: what it makes, what stops it, what its check finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import psutil
import pytest
import tiny
from jupytext import TextFileContentsManager

from notebooks import build


def source(root: Path) -> Path:
    """Where the lesson's source stands."""
    return root / "notebooks" / "src" / "07_tiny" / "lesson.md"


def change(root: Path, old: str, new: str, name: str = "lesson.md") -> None:
    """Replace a text of the room, which must be there."""
    path = source(root).with_name(name)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def built(root: Path) -> dict[str, bytes]:
    """Every file that a build writes."""
    kinds = "notebooks/*/*.ipynb", "README*", "docs/*"
    found = [path for kind in kinds for path in root.glob(kind)]
    return {str(p.relative_to(root)): p.read_bytes() for p in found}


def cells(root: Path, lang: str = "zh", tag: str = "") -> list[dict]:
    """The cells of an edition, or those with a tag."""
    path = build.edition_path("07_tiny", lang, root)
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in found:
        cell["source"] = "".join(cell["source"])
    return [
        c for c in found if not tag or tag in c["metadata"].get("tags", [])
    ]


def code(root: Path, lang: str = "zh") -> list[dict]:
    """The code cells of an edition."""
    return [c for c in cells(root, lang) if c["cell_type"] == "code"]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small course, built once; to be read only."""
    root = tiny.course(tmp_path_factory.mktemp("once") / "course")
    assert build.build([], root) == []
    return root


@pytest.fixture
def root(once: Path, tmp_path: Path) -> Path:
    """A copy of the built course, to be changed."""
    return Path(shutil.copytree(once, tmp_path / "a course 课"))


# What it makes.


def test_second_build_changes_no_byte(root: Path) -> None:
    before = built(root)
    build.build(["07"], root)
    assert built(root) == before
    assert len(before) == 7
    assert build.main(["--check"], root) == 0


def test_editions_share_code_and_outputs(once: Path) -> None:
    zh, en = code(once, "zh"), code(once, "en")
    assert [c["execution_count"] for c in zh] == list(range(1, len(zh) + 1))
    for cell in (*zh, *en):
        if {"setup", "spoken"} & set(cell["metadata"].get("tags", [])):
            cell["source"], cell["outputs"] = "", []
        for output in cell["outputs"]:
            output["metadata"] = {}
    assert zh == en
    assert len({cell["id"] for cell in cells(once)}) == len(cells(once))


def test_texts_follow_the_language(once: Path) -> None:
    for lang, title, other in (("zh", "加法", "en"), ("en", "Addition", "zh")):
        first = cells(once, lang)[0]["source"]
        assert first.startswith(f"# 07 · {title}\n")
        place = f"someone/tiny-course/blob/main/notebooks/{lang}/07_tiny.ipynb"
        assert f"(https://colab.research.google.com/github/{place})" in first
        assert f"(../{other}/07_tiny.ipynb)" in first
        assert "30" in first
        hidden = code(once, lang)[0]["metadata"]["jupyter"]["source_hidden"]
        assert hidden  # the set-up is one line until it is clicked
        assert "$$a + b = b + a$$" in [c["source"] for c in cells(once, lang)]
    assert "跟随：第 2 讲，加法" in cells(once)[0]["source"]
    text = (once / "README.md").read_text(encoding="utf-8")
    told = text.split("\n\n")[1:5]
    assert told[0] == "<!-- lessons -->\n### 1 · Adding"
    assert told[1:3] == ["![a patch of grey](docs/07.png)", "A story of sums."]
    goal = "you will have written three functions that add."
    assert told[3].startswith(
        f"- [07 · Addition](notebooks/en/07_tiny.ipynb) (35 min): {goal}\n"
    )
    [patch] = cells(once, tag="cover")
    [data] = [output["data"] for output in patch["outputs"]]
    cover = (once / "docs" / "07.png").read_bytes()
    assert b64decode(data["image/png"]) == cover
    assert text.startswith("# Tiny\n")
    assert text.endswith("<!-- /lessons -->\n\nEnd.\n")


def test_lecturers_page_is_made_of_lesson_and_checks(root: Path) -> None:
    change(root, "project: []", "project: [1]")
    page = build.plan(build.read(source(root)))["en"]
    title, aim, table, notes = page.split("\n\n")
    assert title == "## [07 · Addition](../notebooks/en/07_tiny.ipynb)"
    assert aim.startswith("At the end you will have written")
    place = "../notebooks/en/07_tiny.ipynb"
    assert table.split("\n")[2:] == [
        "| Opening | 2 | 2 | |  |",
        f"| [1. Two numbers](<{place}#1.-Two-numbers>) | 10 | 14 | | "
        "Poll 2 · Poll 3 · Exercise 1 |",
        f"| [2. Draw a patch](<{place}#2.-Draw-a-patch>) | 11 | | 1 | "
        "Figure 1 |",
        f"| [3. A slider](<{place}#3.-A-slider>) | 11 | | 11 | Exercise 3 |",
        "| Sum | 34 | 16 | 12 | |",
    ]
    assert notes.split("\n") == [
        "- **Poll 2** · What is 1 plus 1? ✓ The figure shows 44 points. "
        "✗ 11, with the digits joined.",
        "- **Poll 3** · What is 2 plus 1? ✓ 3 · The figure shows 44 points. "
        "✗ 21",
        "- **Exercise 1** · The sum of two numbers",
        "- **Figure 1** · a patch of grey",
        "- **Exercise 3** · The last sum ✗ You subtract: b\\*-1 + \\<a>. "
        "✗ You do not add a.",
    ]


def test_one_line_brings_badge_and_address(root: Path) -> None:
    before, line = built(root), root / "pyproject.toml"
    text = line.read_text(encoding="utf-8")
    line.write_text(text.replace("someone", "OWNER"), encoding="utf-8")
    build.build(["07"], root)
    assert "colab.research" not in cells(root)[0]["source"]
    assert code(root)[0]["source"].count("地址还没有设好") == 2
    line.write_text(text, encoding="utf-8")
    build.build(["07"], root)
    assert built(root) == before


def test_solution_is_the_right_answer_folded(once: Path) -> None:
    shown = [
        "@functools.cache\ndef add(a, b):\n    return a + b",
        "add_again = operator.add",
        "def add_last(a, b):\n    return b + a",
    ]
    for lang, summary in (("zh", "参考答案"), ("en", "Reference answer")):
        every = cells(once, lang)
        exercises = cells(once, lang, "exercise")
        for exercise, body in zip(exercises, shown, strict=True):
            text = every[every.index(exercise) + 1]["source"]
            assert text.startswith(f"<details><summary>{summary}</summary>\n")
            assert text.endswith(f"{body}\n```\n\n</details>")


def test_outputs_are_put_in_one_form(once: Path) -> None:
    for lang, alt in (("zh", "一块灰色"), ("en", "a patch of grey")):
        [spoken] = cells(once, lang, "spoken")
        assert spoken["outputs"][0]["text"] == [f"{lang}\n"]
        [cell] = [c for c in code(once, lang) if "alt" in c["metadata"]]
        [output] = cell["outputs"]
        assert output["metadata"] == {"image/png": {"alt": alt}}
        assert "\n" not in output["data"]["image/png"]
    data = [o.get("data") for c in code(once) for o in c["outputs"]]
    assert {"text/plain": ["IntSlider(value=3)"]} in data


def test_kernel_ends_with_its_block(tmp_path: Path) -> None:
    with build.kernel([], tmp_path) as client:
        number = client.km.provisioner.pid
        assert psutil.pid_exists(number)
    assert not psutil.pid_exists(number)


def test_ids_survive_a_new_cell(root: Path) -> None:
    before = {c["source"]: c["id"] for c in cells(root)}
    mark = '+++ {"lang": "zh"}\n\n## 2. '
    change(root, mark, f"```{{code-cell}}\n10 + 2\n```\n\n{mark}")
    build.build(["07"], root)
    after = [(c["id"], c["source"]) for c in cells(root)]
    assert len(after) == len(before) + 1
    for name, text in after:
        assert name.removesuffix("-2") == before[text]


def test_ignored_output_is_kept_until_code_changes(root: Path) -> None:
    def process() -> list:
        return cells(root, tag="nbval-ignore-output")[0]["outputs"]

    first = process()
    change(root, "图里有 44 个点。", "图里共有 44 个点。")
    build.build(["07"], root)
    assert process() == first
    change(root, "10 + 2\n```", "2 + 10\n```")
    build.build(["07"], root)
    assert process() != first


def test_new_lesson_renews_its_neighbours_links(root: Path) -> None:
    more = source(root).parent.with_name("08_more")
    shutil.copytree(source(root).parent, more)
    text = source(root).read_text(encoding="utf-8")
    text = text.replace('id: "07"', 'id: "08"')
    (more / "lesson.md").write_text(text, encoding="utf-8")
    build.build(["8"], root)
    assert "(08_more.ipynb)" in cells(root)[-1]["source"]
    assert build.build([], root, check=True) == []


def test_sources_survive_being_saved_in_jupyterlab(tmp_path: Path) -> None:
    """JupyterLab opens and saves them through jupytext's contents manager."""
    shutil.copy(build.ROOT / "pyproject.toml", tmp_path)
    manager = TextFileContentsManager(root_dir=str(tmp_path))
    for path in [tiny.SOURCE, *build.sources()]:
        copy = tmp_path / path.parent.name / "lesson.md"
        shutil.copytree(path.parent, copy.parent)
        name = f"{path.parent.name}/lesson.md"
        model = manager.get(name, type="notebook")
        manager.save({**model, "path": name}, name)
        before, after = build.read(path), build.read(copy)
        for was, now in zip(before.cells, after.cells, strict=True):
            now.path, now.line = was.path, was.line
        after.path = before.path
        assert after == before


# What stops it.

HIDE = "```{code-cell}\n:tags: [hide]\n\n10 + 2"
TRANSLATION = '+++ {"lang": "en"}\n\n## 2. Draw a patch\n\nThe figure'
SETUP = "```{code-cell}\n:tags: [setup]"
WARN = 'import warnings\n\nwarnings.warn("old")\n```'
RATIO = "def ratio(a, b):\n    return a / b\n\n\n[\n    ratio(1, 0),\n]\n```"
# What stands in the source, what is put there, the line that is named (the
# reason that is given.
STOPS = [
    (TRANSLATION, "+++\n\nThe figure", "## 2. 画一块", "stand in pairs"),
    ("```{code-cell}\n10 + 2", HIDE, "10 + 2", "unknown: hide"),
    (":why: the", ":wy: the", "os.getpid()", "unexpected keyword"),
    (":why: the number of the process\n", "", "os.getpid()", "needs `why`"),
    ("zh: 一块灰色,", "zh: [一,", "```{code-cell}", "Invalid YAML"),
    ("zh: 一块灰色,", "", "from io import BytesIO", "`alt` needs zh"),
    ("(add_again)", "(new)", "add_again = None", "no answer called `new`"),
    ("check.add(add)", "add", "def add(a, b):", "ends on check.NAME(NAME)"),
    (SETUP, f"```{{code-cell}}\n1\n```\n\n{SETUP}", "---", "`setup` is not"),
    ("The figure shows 44", "````\n44", "## 2. Draw a patch", "fence open?"),
    ("  seconds: 30\n", "", "---", "argument: 'seconds'"),
    ('id: "07"', 'id: "08"', "---", "cannot be '08'"),
    (", en: Addition}", "}", "---", "need zh and en"),
    ("10 + 2\n```", RATIO, "    ratio(1, 0),", "ZeroDivisionError"),
    ("10 + 2\n```", WARN, "import warnings", "to standard error"),
    ("return None", "return a + b", "def add(a, b):", "does not say ○: ✓"),
    ("\nalt: {zh", "\n# {zh", "from io import BytesIO", "no `alt`"),
    ("Image(file", "None and Image(file", "from io import BytesIO", "no fig"),
    ("seconds: 30", "seconds: 0.01", "---", "CPU s of 0.01"),
    ("  project: []\n", "", "---", "argument: 'project'"),
    ("project: []", "project: [2]", "---", "is chosen is there"),
    ("    en: 21\n", "", "---", "'en'"),
    ("●●● 10", "●●● 60", "---", "classes of 17 and 61 minutes"),
]


@pytest.mark.parametrize(("old", "new", "named", "reason"), STOPS)
def test_build_stops(
    root: Path, old: str, new: str, named: str, reason: str
) -> None:
    before = built(root)
    change(root, old, new)
    with pytest.raises(build.Problem) as stopped:
        build.build(["07"], root)
    path, line, said = str(stopped.value).split(":", 2)
    assert reason in said
    assert Path(path) == source(root)
    lines = source(root).read_text(encoding="utf-8").split("\n")
    assert lines[int(line) - 1] == named
    assert built(root) == before


def test_command_line_names_file_and_line(root: Path, capsys) -> None:
    change(root, "10 + 2\n```", "10 +\n```")
    assert build.main([], root) == 1
    said = capsys.readouterr().err
    place = r"notebooks.src.07_tiny.lesson\.md:(\d+): SyntaxError: .+\n"
    lines = source(root).read_text(encoding="utf-8").split("\n")
    assert lines[int(re.fullmatch(place, said)[1]) - 1] == "10 +"
    assert build.main(["31"], root) == 1
    assert capsys.readouterr().err == "no lesson is called '31'\n"


def test_minutes_are_of_the_main_path(root: Path) -> None:
    assert build.read(source(root)).spent("zh") == pytest.approx(33, abs=1.5)
    before = [build.read(source(root)).spent(n) for n in build.LANGUAGES]
    change(root, "## 小结", f"## 选读 · 更多\n\n{'文' * 2000}\n\n## 小结")
    change(root, "换个次序。", "文" * 2000)  # in a hint
    assert build.read(source(root)).spent("zh") == before[0]
    change(root, "44 个点", "文" * 2000)
    change(root, "44 points", "word " * 1200)
    after = [build.read(source(root)).spent(n) for n in build.LANGUAGES]
    assert after == pytest.approx([n + 10 for n in before], abs=0.1)


# What its check finds.


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("zh/07_tiny.ipynb", "一块", "两块", "zh/07_tiny"),
        ("en/07_tiny.ipynb", "10 + 2", "10 + 3", "en/07_tiny"),
        ("en/07_tiny.ipynb", '"12"', '"13"', "en/07_tiny"),
        ("zh/07_tiny.ipynb", '_count": 3', '_count": 4', "zh/07_tiny"),
        ("zh/07_tiny.ipynb", "{", "<<<<<<< HEAD\n{", "07_tiny is not built"),
        ("src/07_tiny/lesson.md", "44 个", "两个", "zh/07_tiny"),
        ("src/07_tiny/lesson.md", "10 + 2\n`", "1\n`", "07_tiny is not built"),
        ("src/07_tiny/checks.py", "b + a", "a + b", "zh/07_tiny"),
        ("src/07_tiny/lesson.md", "○ 5 分", "○ 15 分", "README.md"),
        ("src/07_tiny/lesson.md", "story of", "tale of", "README.md"),
        ("src/07_tiny/lesson.md", "en: 11,", "en: 12,", "teach.md"),
        ("src/07_tiny/checks.py", "加 a", "减 a", "teach.zh.md"),
    ],
)
def test_check_finds(
    root: Path, file: str, old: str, new: str, sentence: str
) -> None:
    path = root / "notebooks" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert sentence in "\n".join(build.build([], root, check=True))


# The set-up cell.

PLACE = """
exec(SETUP)
import checks, helpers
print(os.environ["COURSE_LANG"], checks.__file__, helpers.__file__, sep="|")
"""


def setup(
    folder: Path, code: str = PLACE, lang: str = "zh", url="", **env: str
) -> subprocess.CompletedProcess:
    """Run code in which SETUP is the cell."""
    project = f'[project.urls]\nRepository = "{url or tiny.URL}"\n'
    (folder.parent / "pyproject.toml").write_text(project)
    cell = build.setup_cell("07_tiny", lang, folder.parent)
    return subprocess.run(
        [sys.executable, "-c", f"SETUP = {cell!r}\n{code}"],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def alone(tmp_path: Path, monkeypatch) -> Path:
    """An empty folder, and a git that finds the course's address here."""
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    tiny.remote(tiny.course(tmp_path / "remote"), tiny.URL, config)
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_setup_fetches_once(alone: Path) -> None:
    for _ in range(2):
        done = setup(alone)
        room = alone / "course" / "notebooks" / "src" / "07_tiny"
        assert done.stdout.startswith(f"zh|{room / 'checks.py'}|{alone}")
        shutil.rmtree(alone.parent / "remote", ignore_errors=True)


@pytest.mark.parametrize("place", [".", "notebooks/en", "my/deep folder"])
def test_setup_finds_the_course_around_it(root: Path, place: str) -> None:
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "helpers.py").write_text("mine = 1")
    done = setup(folder, f"import helpers\n{PLACE}", "en")
    room = source(root).parent
    helpers = root / "helpers" / "__init__.py"
    assert done.stdout == f"en|{room / 'checks.py'}|{helpers}\n", done.stderr


def test_setup_again_adds_nothing_and_finds_the_next_room(root: Path) -> None:
    more = source(root).parent.with_name("08_more")
    shutil.copytree(source(root).parent, more)
    again = """
before = list(sys.path)
os.chdir("/")
exec(SETUP)
print(before == sys.path)
SETUP = SETUP.replace("07_tiny", "08_more")
"""
    said = setup(root, PLACE + again + PLACE).stdout.split("\n")
    assert said[1] == "True"
    assert said[2] == said[0].replace("07_tiny", "08_more")


def test_setup_says_what_is_missing(alone: Path) -> None:
    (alone / "course").mkdir()
    said = [setup(alone).stderr]
    (alone / "course").rmdir()
    said += [setup(alone, PATH="").stderr]
    shutil.rmtree(alone.parent / "remote")
    said += [setup(alone).stderr, setup(alone, lang="en").stderr]
    url = "https://github.com/OWNER/tiny"
    said += [setup(alone, url=url, PATH="").stderr]
    words = ["改名", "git-scm.com", "联网", "go online", "地址还没有设好"]
    for text, word in zip(said, words, strict=True):
        assert word in text.strip().split("\n")[-1]
        assert "Traceback" not in text
    assert list(alone.iterdir()) == []


def test_setup_on_colab_adds_two_packages(root: Path) -> None:
    colab = """
import subprocess, sys, importlib.util
sys.modules["google.colab"] = sys
subprocess.run = lambda words, **rest: print(*words[1:])
real = importlib.util.find_spec
importlib.util.find_spec = lambda name: name != "pygraphviz" and real(name)
exec(SETUP)
"""
    done = setup(root, colab)
    added = "-m pip install -q torchviz pygraphviz>=2.0\n"
    assert done.stdout == added, done.stderr
