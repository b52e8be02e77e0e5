"""Build the two editions of the lessons from their sources.

    python notebooks/build.py            all lessons
    python notebooks/build.py 02 11      these
    python notebooks/build.py --check    run nothing, only compare

A source that is wrong stops the build with file, line and reason, and leaves
the editions as they were.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import os
import re
import sys
import tempfile
import tomllib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from pathlib import Path

import nbformat
import psutil
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "notebooks"))

import teach  # noqa: E402

LANGUAGES = ("zh", "en")
TAGS = {"setup", "exercise", "spoken", "cover", "nbval-ignore-output"}
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
PREDICT = {"zh": "**先猜**", "en": "**Predict**"}
SENTENCE = {"zh": r".+?(?:。|$)", "en": r".+?(?:\.(?= )|$)"}
OPTIONAL = ("## 选读", "## Optional")
OWN_TIME = re.compile(r"### (.*?) · (.*) [●○]{3} (\d+) (?:分钟|min)")
WIDGET = "application/vnd.jupyter.widget-view+json"
PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA = {
    "kernelspec": PYTHON,
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}

# The one cell that differs between the editions: it finds the course around
# the notebook, or where Python finds it, and otherwise fetches it once.
SETUP = """\
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

lesson, os.environ["COURSE_LANG"] = "{name}", "{lang}"
url = "{url}"
here, spec = Path.cwd(), find_spec("helpers")
known = [Path(spec.origin).parents[1]] if spec and spec.origin else []
places = [here, *here.parents, *known, here / "course"]
found = [p for p in places if (p / "notebooks/src" / lesson).exists()]
if not found and (here / "course").exists():
    sys.exit("{taken}")
if not found and not which("git"):
    sys.exit("{git}")
if not found and os.system(f"git clone -q --depth 1 {{url}} course"):
    sys.exit("{offline}")
sys.path.insert(0, str([*found, here / "course"][0]))
sys.modules.pop("helpers", None)  # a file of yours by that name
from helpers.room import enter

enter(lesson)"""
WORDS = {
    "zh": {
        "colab": "**[在 Colab 中打开]({url})** · ",
        "badges": "**[English edition](../en/{one.name}.ipynb)**\n\n"
        "跟随：{one.lecture[zh]}\n\n约 {one.minutes} 分钟 · "
        "全部运行：单核 CPU 实测少于 {one.seconds} 秒",
        "before": "上一课：",
        "after": "下一课：",
        "answer": "参考答案",
        "readme": "README.zh.md",
        "minutes": "（{} 分钟）：",
        "goal": "学完这一课",
        "teach": "docs/teach.zh.md",
        "opening": "开头",
        "taken": "这里的文件夹 course 不是本课程（或已过时）：改名后再运行",
        "git": "找不到 git：先装上它（git-scm.com），再运行本单元格",
        "offline": "没有下载到课程：请联网后再运行本单元格",
        "unset": "课程的下载地址还没有设好：请在课程的文件夹里打开本课",
    },
    "en": {
        "colab": "**[Open in Colab]({url})** · ",
        "badges": "**[中文版](../zh/{one.name}.ipynb)**\n\n"
        "Follows: {one.lecture[en]}\n\nAbout {one.minutes} minutes · "
        "Run All: under {one.seconds} s on one CPU core, measured",
        "before": "Previous lesson: ",
        "after": "Next lesson: ",
        "answer": "Reference answer",
        "readme": "README.md",
        "minutes": " ({} min): ",
        "goal": "At the end",
        "teach": "docs/teach.md",
        "opening": "Opening",
        "taken": "The folder course is not this course, or old: rename it",
        "git": "git is missing: install it (git-scm.com), then run this again",
        "offline": "The course did not come: go online, then run this again",
        "unset": "The course has no address yet: open this in its folder",
    },
}


class Problem(Exception):
    """Something that stops the build: file, line and reason."""


@dataclass
class Cell:
    """One cell of a source; `line` is where its text begins."""

    path: Path
    kind: str
    source: str
    line: int
    lang: str | None = None
    tags: tuple[str, ...] = ()
    alt: dict[str, str] | None = None
    why: str | None = None
    answer: str | None = None

    def problem(self, reason: str, offset: int = 0) -> Problem:
        """What is wrong with the cell, on one of its lines."""
        return Problem(f"{self.path}:{self.line + offset}: {reason}")


@dataclass
class Section:
    """A section of the main path; minutes of what is read, not solved."""

    title: str
    minutes: float = 0
    polls: list[tuple[str, str]] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    exercises: list[list] = field(default_factory=list)


@dataclass
class Lesson:
    """A lesson's cells and front matter."""

    path: Path
    name: str
    cells: list[Cell]
    id: str
    title: dict[str, str]
    lecture: dict[str, str]
    ids: list[str]
    seconds: float
    requires: list[str]
    # For the lecturer, by their numbers: the questions worth a poll and the
    # likely wrong answers, figures to project, exercises to set in class.
    polls: list[dict]
    project: list[int]
    classwork: list[int]
    part: dict[str, str] | None = None  # title and story: one begins here

    @property
    def minutes(self) -> int:
        """A student's time for the main path, rounded up to five minutes."""
        return max(5 * ceil(self.spent(lang) / 5) for lang in LANGUAGES)

    def spent(self, lang: str) -> float:
        """Minutes of one edition, optional sections and folded parts left out.

        Its texts, 6 s for a line of code, a minute for a question, and for an
        exercise the minutes that its heading states.
        """
        return sum(
            part.minutes + sum(own for _, _, own, *_ in part.exercises)
            for part in self.sections(lang)
        )

    def sections(self, lang: str) -> list[Section]:
        """Its main path: the opening and the numbered sections."""
        parts = [Section(WORDS[lang]["opening"])]
        optional = solving = False
        for at, cell in enumerate(self.cells):
            if cell.kind == "code":
                if solving and "exercise" in cell.tags:
                    parts[-1].exercises[-1].append(cell)
                    solving = False
                if not ({"setup", "exercise"} & {*cell.tags} or optional):
                    lines = filter(str.strip, cell.source.split("\n"))
                    parts[-1].minutes += len([*lines]) / 10
                if cell.alt and not optional:
                    parts[-1].figures.append(cell.alt[lang])
            elif cell.lang in (None, lang):
                for line in FOLDED.sub("", cell.source).split("\n"):
                    if line.startswith("## "):
                        optional = line.startswith(OPTIONAL)
                    if optional:
                        continue
                    if re.match(r"## \d", line):
                        parts.append(Section(line[3:]))
                    if own := OWN_TIME.match(line):
                        exercise = [own[1], own[2], int(own[3])]
                        parts[-1].exercises.append(exercise)
                        solving = True
                    if not solving:
                        parts[-1].minutes += reading(line, lang)
                        parts[-1].minutes += line.count(PREDICT[lang])
                        if PREDICT[lang] in line:
                            asked = line.split(PREDICT[lang])[1][1:].strip()
                            told = self._explained(at, lang)
                            parts[-1].polls.append((asked, told))
        return parts

    def _explained(self, at: int, lang: str) -> str:
        """The first sentence of the texts after a cell."""
        texts = [c.source for c in self.cells[at + 1 :] if c.lang == lang]
        plain = re.sub("(?m)^#.*$", "", FOLDED.sub("", "\n\n".join(texts)))
        return re.match(SENTENCE[lang], plain.lstrip().split("\n\n")[0])[0]

    def goal(self, lang: str) -> str:
        """The sentence below its title."""
        first = next(c.source for c in self.cells if c.lang == lang)
        return first.split("\n\n")[1]

    def code(self) -> list[Cell]:
        """Its code cells."""
        return [cell for cell in self.cells if cell.kind == "code"]


# Reading.


def reading(text: str, lang: str) -> float:
    """Minutes: 200 Chinese characters in one, or 120 words in letters."""
    words = re.findall(
        r"[A-Za-z]+", re.sub(r"\]\(\S+?\)|\{\{\w+\}\}", "]", text)
    )
    han = re.findall("[一-鿿]", text) if lang == "zh" else ()
    return len(han) / 200 + len(words) / 120


def sources(root: Path = ROOT) -> list[Path]:
    """The sources of all lessons, by number."""
    return sorted(root.glob("notebooks/src/*/lesson.md"))


def find(root: Path, name: str) -> Path:
    """The source of lesson ``02``, ``2`` or ``02_tensors``."""
    for path in sources(root):
        if name.zfill(2) in (path.parent.name, path.parent.name[:2]):
            return path
    raise Problem(f"no lesson is called {name!r}")


def read(path: Path) -> Lesson:
    """Read a source and judge its form."""
    text = path.read_text(encoding="utf-8")
    lines, cells, name, at = text.split("\n"), [], path.parent.name, 1
    try:
        book = myst_to_notebook(text, add_source_map=True)
        starts = book.metadata["source_map"]
        for node, start in zip(book.cells, starts, strict=True):
            source, kind = node.source.rstrip("\n"), node.cell_type
            at = lines.index(source.split("\n")[0], start) + 1
            cells.append(Cell(path, kind, source, at, **node.metadata))
        at = 1
        lesson = Lesson(path, name, cells, **book.metadata.get("course", {}))
    except (MystMetadataParsingError, TypeError) as error:
        told = re.search(r"line (\d+)", str(error))
        raise Problem(f"{path}:{told[1] if told else at}: {error}") from None
    _judge(lesson)
    return lesson


def _judge(lesson: Lesson) -> None:
    """Number, languages in pairs, set-up first, options, answers."""
    both, words = set(LANGUAGES), {*lesson.title} & {*lesson.lecture}
    for wrong, reason in (
        (lesson.id != lesson.name[:2], f"`id` cannot be {lesson.id!r}"),
        (words != both, "`title` and `lecture` need zh and en"),
        ("setup" not in lesson.code()[0].tags, "`setup` is not the first"),
    ):
        if wrong:
            raise Problem(f"{lesson.path}:1: {reason}")
    for cell, after in pairwise([*lesson.cells, None]):
        pair = after is not None and after.lang == "en"
        unknown = {*cell.tags, cell.lang} - {*TAGS, *LANGUAGES, None}
        ignored = "nbval-ignore-output" in cell.tags
        inside = re.search(r"^(\+\+\+|```\{)", cell.source, re.MULTILINE)
        for wrong, reason in (
            (unknown, f"unknown: {', '.join(unknown)}"),
            (inside, "a cell in a cell: is a fence open?"),
            ((cell.lang == "zh") != pair, "zh and en texts stand in pairs"),
            (cell.alt and set(cell.alt) != both, "`alt` needs zh and en"),
            (ignored != bool(cell.why), "an ignored output needs `why`"),
        ):
            if wrong:
                raise cell.problem(reason)
        if "exercise" in cell.tags:
            cell.answer = answer(cell)


def answer(exercise: Cell) -> str:
    """The right answer of an exercise: the first in its room by that name."""
    names = re.findall(r"^check\.\w+\(\s*(\w+)", exercise.source, re.MULTILINE)
    if not names:
        raise exercise.problem("an exercise ends on check.NAME(NAME)")
    path = exercise.path.with_name("checks.py")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for node in ast.parse(text, str(path)).body:
        bound = [node, *getattr(node, "targets", [])]
        called = [getattr(n, "name", getattr(n, "id", "")) for n in bound]
        if names[-1] in called:
            parts = [node, *getattr(node, "decorator_list", [])]
            start = min(part.lineno for part in parts)
            lines = text.split("\n")[start - 1 : node.end_lineno]
            return re.sub(r"(?m) *# fmt: \w+$", "", "\n".join(lines))
    raise exercise.problem(f"no answer called `{names[-1]}` in {path.name}")


def definitions(name: str, root: Path = ROOT) -> str:
    """The imports, functions and classes that a lesson shows, as a module.

    Its own room's modules are not imported.
    """
    room = {path.stem for path in find(root, name).parent.glob("*.py")}
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    nodes = [
        node
        for cell in read(find(root, name)).code()
        for node in ast.parse(cell.source).body
        if isinstance(node, kinds) and not {"setup", "exercise"} & {*cell.tags}
        if room.isdisjoint(a.name for a in getattr(node, "names", ()))
    ]
    return ast.unparse(ast.Module(nodes, []))


# Running.


def repository(root: Path = ROOT) -> str:
    """The course's address, from ``pyproject.toml``."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["urls"]["Repository"]


def setup_cell(name: str, lang: str, root: Path = ROOT) -> str:
    """The code of a lesson's set-up cell in one edition."""
    url, words = repository(root), WORDS[lang]
    if "/OWNER/" in url:  # a course without an address cannot be fetched
        words = {**words, "git": words["unset"], "offline": words["unset"]}
    return SETUP.format(name=name, lang=lang, url=url, **words)


@contextlib.contextmanager
def kernel(
    cells: list, folder: Path, python: str = sys.executable, **env: str
) -> Iterator[NotebookClient]:
    """A fresh kernel in `folder` for `cells`: one thread, fixed hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specs = KernelSpecManager()  # this Python, whatever is registered
    specs.get_kernel_spec = lambda _: KernelSpec(argv=argv, language="python")
    client = NotebookClient(
        new_notebook(cells=cells),
        km=AsyncKernelManager(kernel_spec_manager=specs),
        timeout=300,
        shutdown_kernel="immediate",
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    fixed = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": ""}
    with tempfile.TemporaryDirectory() as profile:
        env = os.environ | fixed | {"IPYTHONDIR": profile} | env
        with client.setup_kernel(env=env, cleanup_kc=True):
            yield client


def cpu_seconds(client: NotebookClient) -> float:
    """CPU seconds of the kernel of `client` and of what it has started.

    On Windows without what it has started.
    """
    return sum(psutil.Process(client.km.provisioner.pid).cpu_times()[:4])


def run(lesson: Lesson, root: Path = ROOT) -> tuple[list[dict], float]:
    """Run a lesson once in a fresh kernel, a spoken cell in each language.

    Returns:
        Per code cell its outputs in each language, and CPU seconds.
    """
    code, outputs = lesson.code(), []
    cells, folder = [new_code_cell() for _ in code], root / "notebooks" / "zh"
    with kernel(cells, folder) as client:
        for at, cell in enumerate(code):
            said, source = {}, cell.source
            if "setup" in cell.tags:
                source = setup_cell(lesson.name, "zh", root)
            for lang in ("en", "zh") if "spoken" in cell.tags else ("zh",):
                if "spoken" in cell.tags:
                    speak = f'os.environ["COURSE_LANG"] = "{lang}"'
                    client.execute_cell(new_code_cell(speak), at)
                said[lang] = _execute(client, cell, source, at)
            outputs.append({"en": said["zh"], **said})
        return outputs, cpu_seconds(client)


def _execute(client: NotebookClient, cell: Cell, source: str, at: int) -> list:
    node = client.nb.cells[at] = new_code_cell(source)
    try:
        client.execute_cell(node, at)
    except CellExecutionError as error:
        plain = re.sub(r"\x1b\[[\d;]*m", "", error.traceback)
        found = re.search(r"Cell In\[\d+\], line (\d+)", plain)
        line = int(found[1]) - 1 if found and "setup" not in cell.tags else 0
        reason = f"{error.ename}: {error.evalue}"
        raise cell.problem(reason, line) from None
    said = "".join(output.get("text", "") for output in node.outputs)
    if any(output.get("name") == "stderr" for output in node.outputs):
        raise cell.problem(f"writes to standard error: {said}")
    if "exercise" in cell.tags and not re.search("^○", said, re.MULTILINE):
        raise cell.problem(f"the check of a stub does not say ○: {said}")
    return node.outputs


# Writing.


def stored(outputs: list, cell: Cell, lang: str, count: int) -> list[dict]:
    """Outputs as committed: whole streams, no widgets, pictures with `alt`."""
    kept: list = []
    for output in copy.deepcopy(outputs):
        kind, data = output.output_type, output.get("data", {})
        if kind == "stream" and kept and kept[-1].output_type == kind:
            kept[-1].text += output.text
            continue
        data.pop(WIDGET, None)
        if "image/png" in data:
            if cell.alt is None:
                raise cell.problem("this cell's figure has no `alt`")
            data["image/png"] = "".join(data["image/png"].split())
            about = output.metadata.setdefault("image/png", {})
            about["alt"] = cell.alt[lang]
        if kind == "execute_result":
            output.execution_count = count
        if data or kind == "stream":
            kept.append(output)
    return kept


def edition(
    lesson: Lesson, lang: str, outputs: list, series: list, root: Path = ROOT
) -> str:
    """One edition of a lesson as the text of its file."""
    found, results, count, shared = [], iter(outputs), 0, ""
    for cell in lesson.cells:
        if cell.lang != "en":
            shared = cell.source  # a text has one id in both languages
        if cell.lang not in (None, lang):
            continue
        if cell.kind == "code":
            node, count = new_code_cell(cell.source), count + 1
            if "setup" in cell.tags:
                node.source = setup_cell(lesson.name, lang, root)
            node.execution_count = count
            node.outputs = stored(next(results)[lang], cell, lang, count)
        else:
            text = _filled(cell.source, lesson, lang, series, root)
            node = new_markdown_cell(text)
        meta = {"tags": list(cell.tags), "alt": cell.alt, "why": cell.why}
        if "setup" in cell.tags:  # a line with dots until it is clicked
            meta["jupyter"] = {"source_hidden": True}
        found.append((node, shared, meta))
        if cell.answer:
            text = f"```python\n{cell.answer}\n```\n\n</details>"
            title = f"<details><summary>{WORDS[lang]['answer']}</summary>"
            node = new_markdown_cell(f"{title}\n\n{text}")
            found.append((node, cell.answer, {"tags": ["solution"]}))
    seen: Counter = Counter()
    for node, text, meta in found:
        kind = "code" if node.cell_type == "code" else "text"
        digest = hashlib.sha256(f"{kind}\0{text}".encode()).hexdigest()[:12]
        seen[digest] += 1
        again = f"-{seen[digest]}" if seen[digest] > 1 else ""
        node.id = f"{lesson.id}-{kind}-{digest}{again}"
        node.metadata = {key: value for key, value in meta.items() if value}
    book = new_notebook(cells=[n for n, *_ in found], metadata=METADATA)
    return nbformat.writes(book).rstrip("\n") + "\n"


def _filled(
    text: str, lesson: Lesson, lang: str, series: list, root: Path
) -> str:
    """A text with its badges and its links to the lessons beside it."""
    words, place = WORDS[lang], repository(root).split("github.com/")[-1]
    file = f"{place}/blob/main/notebooks/{lang}/{lesson.name}.ipynb"
    url = f"https://colab.research.google.com/github/{file}"
    # A course without an address is not to be found on Colab.
    colab = "" if place.startswith("OWNER/") else words["colab"]
    badges = colab.format(url=url) + words["badges"].format(one=lesson)
    at = [one.id for one in series].index(lesson.id)
    near = {"before": series[:at][-1:], "after": series[at + 1 :][:1]}
    links = [
        f"{words[word]}[{one.id} · {one.title[lang]}]({one.name}.ipynb)"
        for word, found in near.items()
        for one in found
    ]
    text = text.replace("{{badges}}", badges)
    return text.replace("{{nav}}", " · ".join(links))


def edition_path(name: str, lang: str, root: Path = ROOT) -> Path:
    """Where the edition of a lesson stands."""
    return root / "notebooks" / lang / f"{name}.ipynb"


def committed(lesson: Lesson, root: Path = ROOT) -> tuple[list, list]:
    """The code that stands in the editions, and its outputs."""
    books = []
    for lang in LANGUAGES:
        try:
            book = nbformat.read(edition_path(lesson.name, lang, root), 4)
        except (OSError, ValueError):  # none, or one with a conflict in it
            return [], []
        books.append([c for c in book.cells if c.cell_type == "code"])
    pairs = list(zip(*books))  # noqa: B905
    outputs = [
        {"zh": zh.outputs, "en": (en if "spoken" in tags else zh).outputs}
        for zh, en in pairs
        for tags in [zh.metadata.get("tags", [])]
    ]
    return [zh.source for zh, _ in pairs], outputs


def way(series: list[Lesson], lang: str) -> Iterator[str]:
    """What a README tells of each part: title, picture, story, lessons."""
    words, parts = WORDS[lang], []
    for lesson in series:
        if lesson.part or not parts:
            told = f"### {lesson.part[lang]}" if lesson.part else ""
            parts.append((told.split("\n\n"), []))
        told, lessons = parts[-1]
        for cell in lesson.code():
            if "cover" in cell.tags:
                told.insert(1, f"![{cell.alt[lang]}](docs/{lesson.id}.png)")
        lessons.append(
            f"- [{lesson.id} · {lesson.title[lang]}]"
            f"(notebooks/{lang}/{lesson.name}.ipynb)"
            + words["minutes"].format(lesson.minutes)
            + lesson.goal(lang).removeprefix(words["goal"]).lstrip(" ,，")
        )
    for told, lessons in parts:
        yield "\n\n".join(filter(None, [*told, "\n".join(lessons)]))


def plan(lesson: Lesson) -> dict[str, str]:
    """Its part of the lecturer's page, in each language."""
    try:
        return {lang: teach.plan(lesson, lang) for lang in LANGUAGES}
    except (KeyError, ValueError) as error:
        raise Problem(f"{lesson.path}:1: {error}") from None


def pages(
    series: list[Lesson], plans: list[dict], root: Path
) -> Iterator[tuple[Path, str]]:
    """The READMEs and the lecturer's pages, with what they say of lessons."""
    for lang, words in WORDS.items():
        found = {
            words["readme"]: way(series, lang),
            words["teach"]: [both[lang] for both in plans],
        }
        for name, told in found.items():
            text = (root / name).read_text(encoding="utf-8")
            mark = "<!-- lessons -->\n", "\n<!-- /lessons -->"
            before, after = text.split(mark[0])[0], text.split(mark[1])[-1]
            told = mark[0] + "\n\n".join(told) + mark[1]
            yield root / name, before + told + after


def pictures(lesson: Lesson, outputs: list) -> Iterator[bytes]:
    """The pictures of its cells tagged `cover`, as PNG."""
    for cell, found in zip(lesson.code(), outputs, strict=True):
        for output in found["en"] if "cover" in cell.tags else ():
            if png := output.get("data", {}).get("image/png"):
                yield b64decode(png)


def build(names: list[str], root: Path = ROOT, check: bool = False) -> list:
    """Build the lessons named, or all; with `check`, say what differs."""
    chosen = [find(root, name) for name in names] or sources(root)
    series, wrong = [read(path) for path in sources(root)], []
    plans = [plan(lesson) for lesson in series]
    for lesson in series:
        mine, old, outputs = lesson.path in chosen, *committed(lesson, root)
        code = [cell.source for cell in lesson.code()]
        code[0] = old[0] if old else ""  # the set-up is the build's
        if mine and not check:
            kept, (outputs, seconds) = outputs, run(lesson, root)
            took = f"{seconds:.1f} CPU s of {lesson.seconds}"
            if seconds > lesson.seconds:
                raise Problem(f"{lesson.path}:1: takes {took}")
            for at, cell in enumerate(lesson.code()):
                same = old[: at + 1] == code[: at + 1]  # no code changed
                if same and "nbval-ignore-output" in cell.tags:
                    outputs[at] = kept[at]
                shown = [o.get("data", {}) for o in outputs[at]["zh"]]
                if cell.alt and not any("image/png" in o for o in shown):
                    raise cell.problem("no figure: is a file missing?")
            print(f"{lesson.name}: {took}")
        elif old != code:
            wrong += [f"{lesson.name} is not built from its source"] * mine
            continue
        for lang in LANGUAGES if mine or not check else ():
            path = edition_path(lesson.name, lang, root)
            text = edition(lesson, lang, outputs, series, root)
            wrong += put(path, text, check)
        for png in pictures(lesson, outputs):
            wrong += put(root / "docs" / f"{lesson.id}.png", png, check)
    for path, text in pages(series, plans, root):
        wrong += put(path, text, check)
    return wrong


def put(path: Path, text: str | bytes, check: bool) -> list[str]:
    """Write a file, or with `check` say that it is not what it should be."""
    whole = text.encode() if isinstance(text, str) else text
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole)
    elif not path.exists() or path.read_bytes() != whole:
        return [f"{path} differs from its source"]
    return []


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="lessons: 02, 11; else all")
    parser.add_argument("--check", action="store_true", help="only compare")
    options = parser.parse_args(words)
    try:
        found = build(options.names, root, options.check)
        found = [f"{one}; run: python course.py build" for one in found]
    except Problem as problem:
        found = [str(problem)]
    for sentence in found:
        print(sentence.replace(f"{root}{os.sep}", ""), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
