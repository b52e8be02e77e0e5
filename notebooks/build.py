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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
import yaml
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("zh", "en")
TAGS = ("setup", "exercise", "spoken", "nbval-ignore-output")
FIELDS = {
    "id": str,
    "title": dict,
    "lecture": dict,
    "ids": list,
    "minutes": int,
    "seconds": (int, float),
    "requires": list,
}
PLACEHOLDER = re.compile(r"^\{\{(\w+)\}\}$", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
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
        "badges": "**[在 Colab 中打开]({colab})** · "
        "**[English edition]({other})**\n\n跟随：{lecture}\n\n"
        "约 {minutes} 分钟 · 全部运行：单核 CPU 实测少于 {seconds} 秒",
        "before": "上一课：",
        "after": "下一课：",
        "answer": "参考答案",
        "readme": "README.zh.md",
        "head": "| 课 | 学生用时 | 讲 |",
        "minutes": "{} 分钟",
        "taken": "这里的文件夹 course 不是本课程（或已过时）：改名后再运行",
        "git": "找不到 git：先装上它（git-scm.com），再运行本单元格",
        "offline": "没有下载到课程：请联网后再运行本单元格",
        "unset": "课程的下载地址还没有设好：请在课程的文件夹里打开本课",
    },
    "en": {
        "badges": "**[Open in Colab]({colab})** · **[中文版]({other})**\n\n"
        "Follows: {lecture}\n\nAbout {minutes} minutes · "
        "Run All: under {seconds} s on one CPU core, measured",
        "before": "Previous lesson: ",
        "after": "Next lesson: ",
        "answer": "Reference answer",
        "readme": "README.md",
        "head": "| lesson | a student's time | lecture |",
        "minutes": "{} min",
        "taken": "The folder course is not this course, or old: rename it",
        "git": "git is missing: install it (git-scm.com), then run this again",
        "offline": "The course did not come: go online, then run this again",
        "unset": "The course has no address yet: open this in its folder",
    },
}

# Runs a reference answer and its check in a copy of the notebook's names,
# and leaves names, random numbers and open figures as they were.
TRY = """
import contextlib, io, random, sys
def attempt(scope, answer, verdict):
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    drawn = random.getstate(), numpy and numpy.random.get_state()
    fork = torch.random.fork_rng() if torch else contextlib.nullcontext()
    try:
        with fork:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(answer, "<reference answer>", "exec"), scope)
            exec(verdict, scope)
    finally:
        random.setstate(drawn[0])
        if numpy:
            numpy.random.set_state(drawn[1])
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
attempt(scope, answer, verdict)
"""


class Problem(Exception):
    """Something that stops the build: file, line and reason."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        super().__init__(f"{path}:{line}: {reason}")


@dataclass(frozen=True)
class Cell:
    """One cell of a source; `line` is where it opens, `body` its text."""

    path: Path
    kind: str
    source: str
    line: int
    body: int
    lang: str | None = None
    tags: tuple[str, ...] = ()
    alt: dict[str, str] | None = None
    why: str | None = None

    def problem(self, reason: str, offset: int = 0) -> Problem:
        """What is wrong with the cell, on one of its lines."""
        return Problem(self.path, self.body + offset, reason)


@dataclass(frozen=True)
class Lesson:
    """A lesson's front matter and cells."""

    path: Path
    id: str
    title: dict[str, str]
    lecture: dict[str, str]
    ids: list[str]
    minutes: int
    seconds: float
    requires: list[str]
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The name of its folder, as in ``02_tensors``."""
        return self.path.parent.name

    def code(self) -> list[Cell]:
        """The code cells that the editions show: all but the solutions."""
        code = (cell for cell in self.cells if cell.kind == "code")
        return [cell for cell in code if "solution" not in cell.tags]


# Reading.


def sources(root: Path = ROOT) -> list[Path]:
    """The sources of all lessons, by number."""
    return sorted(root.glob("notebooks/src/*/lesson.md"))


def lessons(root: Path = ROOT) -> list[Lesson]:
    """All lessons, by number."""
    return [read(path) for path in sources(root)]


def find(root: Path, name: str) -> Path:
    """The source of lesson ``02``, ``2`` or ``02_tensors``."""
    for path in sources(root):
        number = path.parent.name[:2]
        if name.zfill(2) in (number, path.parent.name):
            return path
    have = ", ".join(path.parent.name for path in sources(root))
    reason = f"no lesson is called {name!r}; there are: {have}"
    raise Problem(root / "notebooks" / "src", 1, reason)


def read(path: Path) -> Lesson:
    """Read a source and judge its form."""
    text = path.read_text(encoding="utf-8")
    try:
        book = myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        told = re.search(r"at line (\d+)", str(error))
        line = mark.line + 2 if mark else int(told[1]) if told else 1
        raise Problem(path, line, str(error)) from None
    course = book.metadata.get("course", {})
    for field in {**FIELDS, **course}:
        value = course.get(field)
        good = isinstance(value, FIELDS.get(field, ())) and bool(value)
        if isinstance(value, dict):
            good = good and set(value) == set(LANGUAGES)
        if field == "id":
            good = value == path.parent.name[:2]
        if field == "requires":
            good = isinstance(value, list)
        if not good:
            reason = f"front matter: `{field}` cannot be {value!r}"
            raise Problem(path, _line_of(text, field), reason)
    lines = text.split("\n")
    places = zip(book.cells, book.metadata["source_map"], strict=True)
    cells = [_cell(path, lines, node, line) for node, line in places]
    _judge(path, cells)
    checks, every = path.with_name("checks.py"), []
    for cell in cells:
        every += [cell]
        if "exercise" in cell.tags:  # its solution is folded under it
            every += [answer(checks, cell)]
    return Lesson(path, **course, cells=tuple(every))


def _line_of(text: str, field: str) -> int:
    hit = re.search(rf"^ *{field}:", text, re.MULTILINE)
    return text[: hit.start()].count("\n") + 1 if hit else 1


def _cell(path: Path, lines: list[str], node, line: int) -> Cell:
    code, source = node.cell_type == "code", node.source.rstrip("\n")
    size, line = source.count("\n") + 1, max(line, 1)
    text = source.split("\n")
    body = next(
        (n for n in range(line, len(lines)) if lines[n : n + size] == text),
        line,
    )
    meta = dict(node.metadata)
    rest = {k: meta[k] for k in ("lang", "alt", "why") if k in meta}
    rest["tags"] = tuple(meta.get("tags", []))
    kind = "code" if code else "text"
    cell = Cell(path, kind, source, line, body + 1, **rest)
    wrong = set(meta) - ({"tags", "alt", "why"} if code else {"lang"})
    wrong |= set(cell.tags) - set(TAGS)
    wrong |= {cell.lang} - {None, *LANGUAGES}
    if wrong:
        raise Problem(path, line, f"unknown: {', '.join(sorted(wrong))}")
    if ("nbval-ignore-output" in cell.tags) != bool(cell.why):
        reason = "`nbval-ignore-output` and `why` belong together"
        raise Problem(path, line, reason)
    if cell.alt is not None and set(cell.alt) != set(LANGUAGES):
        raise Problem(path, line, "`alt` needs text for zh and for en")
    lost = not code and re.search(r"^(\+\+\+|```\{)", source, re.MULTILINE)
    if lost:
        at = source[: lost.start()].count("\n")
        raise cell.problem(f"`{lost[0]}` in a text: is a fence open?", at)
    for hit in PLACEHOLDER.finditer("" if code else source):
        if hit[1] not in ("badges", "nav"):
            raise cell.problem(f"unknown {hit[0]}: badges, nav")
    return cell


def _judge(path: Path, cells: list[Cell]) -> None:
    """Languages in pairs, set-up first, plain Python, checks at the end."""
    code = [cell for cell in cells if cell.kind == "code"]
    setups = [cell for cell in code if "setup" in cell.tags]
    if len(setups) != 1 or setups != code[:1]:
        reason = "exactly one cell is tagged setup, the first one"
        raise Problem(path, setups[-1].line if setups else 1, reason)
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        pair = after is not None and after.lang == "en"
        if (cell.lang == "zh") != pair:
            reason = "a zh text and its en text belong together"
            raise Problem(path, cell.line, reason)
    for cell in code:
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            at = (error.lineno or 1) - 1
            raise cell.problem(f"not plain Python: {error.msg}", at) from None
        if "exercise" in cell.tags and checked(cell) is None:
            reason = "an exercise's last line is check.NAME(NAME)"
            raise cell.problem(reason, cell.source.count("\n"))


def checked(cell: Cell) -> str | None:
    """The name that a cell's last line hands to its check, if it does."""
    match (ast.parse(cell.source).body or [None])[-1]:
        case ast.Expr(
            ast.Call(ast.Attribute(ast.Name("check"), _), [ast.Name(name), *_])
        ):
            return name
    return None


def last_statement(cell: Cell) -> str:
    """The text of a cell's last statement."""
    return ast.get_source_segment(cell.source, ast.parse(cell.source).body[-1])


def answer(checks: Path, exercise: Cell) -> Cell:
    """The right answer of an exercise: the first that bears its name."""
    name, found = checked(exercise), None
    text = checks.read_text(encoding="utf-8") if checks.exists() else ""
    for node in ast.parse(text).body:
        names = [getattr(node, "name", None)]
        if isinstance(node, ast.Assign):
            names = [t.id for t in node.targets if isinstance(t, ast.Name)]
        if name in names:
            found = node
            break
    if found is None:
        where = f"{checks.parent.name}/checks.py"
        reason = f"no answer called `{name}` in {where}"
        raise exercise.problem(reason, exercise.source.count("\n"))
    start = min(n.lineno for n in [found, *_decorators(found)])
    lines = text.split("\n")[start - 1 : found.end_lineno]
    source = "\n".join(re.sub(r" *# fmt: \w+$", "", line) for line in lines)
    return Cell(checks, "code", source, start, start, tags=("solution",))


def _decorators(node: ast.AST) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def definitions(name: str, root: Path = ROOT) -> str:
    """The imports, functions and classes of a lesson, as one module.

    Exercises, solutions and the set-up cell are left out.
    """
    parts = []
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    for cell in read(find(root, name)).code():
        lines = cell.source.split("\n")
        for node in ast.parse(cell.source).body:
            if isinstance(node, kinds) and not {"setup", "exercise"} & set(
                cell.tags
            ):
                start = min(n.lineno for n in [node, *_decorators(node)])
                parts.append("\n".join(lines[start - 1 : node.end_lineno]))
    return "\n\n\n".join(parts) + "\n"


# Running.


def repository(root: Path = ROOT) -> str:
    """The course's address, from ``pyproject.toml``."""
    with open(root / "pyproject.toml", "rb") as file:
        urls = tomllib.load(file)["project"]["urls"]
    return urls["Repository"].removesuffix("/").removesuffix(".git")


def setup_cell(name: str, lang: str, root: Path = ROOT) -> str:
    """The code of a lesson's set-up cell in one edition."""
    url, words = repository(root), WORDS[lang]
    if "/OWNER/" in url:  # a course without an address cannot be fetched
        words = {**words, "git": words["unset"], "offline": words["unset"]}
    return SETUP.format(name=name, lang=lang, url=url, **words)


class _Kernels(KernelSpecManager):
    """Starts kernels with one Python, whatever is registered."""

    python = sys.executable

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        words = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=[self.python, *words], language="python")


@contextlib.contextmanager
def kernel(
    cells: list, folder: Path, python: str = sys.executable, **env: str
) -> Iterator[NotebookClient]:
    """A fresh kernel in `folder` for `cells`: one thread, fixed hashes."""
    folder.mkdir(parents=True, exist_ok=True)
    kernels = _Kernels()
    kernels.python = python
    client = NotebookClient(
        new_notebook(cells=cells),
        km=AsyncKernelManager(kernel_spec_manager=kernels),
        timeout=300,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory() as profile:
        env = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "IPYTHONDIR": profile,
            **env,
        }
        env.pop("MPLBACKEND", None)
        with client.setup_kernel(env=env):
            yield client


def cpu_seconds(client: NotebookClient) -> float:
    """CPU seconds that the kernel of `client` has used so far."""
    return sum(psutil.Process(client.km.provisioner.pid).cpu_times()[:2])


def printed(node) -> str:
    """What a cell wrote to standard output."""
    streams = [o for o in node.outputs if o.get("name") == "stdout"]
    return "".join(output.text for output in streams)


def run(lesson: Lesson, root: Path = ROOT) -> tuple[list[dict], float]:
    """Run a lesson once in a fresh kernel, and each solution on the side.

    Returns:
        Per shown code cell its outputs in each language, and CPU seconds.
    """
    cells = [cell for cell in lesson.cells if cell.kind == "code"]
    nodes = [new_code_cell(cell.source) for cell in cells]
    nodes[0].source = setup_cell(lesson.name, "zh", root)
    outputs, aside = [], 0.0
    with kernel(nodes, root / "notebooks" / "zh") as client:
        for at, (cell, node) in enumerate(zip(cells, nodes, strict=True)):
            before = cpu_seconds(client)
            if "solution" in cell.tags:
                scope = f"'answer': {cell.source!r}, 'verdict': "
                scope += repr(last_statement(cells[at - 1]))
                node.source = f"exec({TRY!r}, {{'scope': {{**globals()}}, "
                node.source += f"{scope}}})"
            _execute(client, cell, node, at)
            due = {"solution": "✓", "exercise": "○"}
            for sign in [due[tag] for tag in cell.tags if tag in due]:
                if not re.search(f"^{sign}", printed(node), re.MULTILINE):
                    said = printed(node).strip()
                    raise cell.problem(
                        f"the check does not say {sign}: {said}"
                    )
            if "solution" in cell.tags:
                aside += cpu_seconds(client) - before
                continue
            outputs.append(dict.fromkeys(LANGUAGES, node.outputs))
            if "spoken" in cell.tags:
                english = new_code_cell(cell.source)
                _switch(client, "en", at)
                _execute(client, cell, english, at, history=False)
                _switch(client, "zh", at)
                outputs[-1]["en"] = english.outputs
        return outputs, cpu_seconds(client) - aside


def _switch(client: NotebookClient, lang: str, at: int) -> None:
    code = f"exec(\"import os; os.environ['COURSE_LANG'] = '{lang}'\", {{}})"
    client.execute_cell(new_code_cell(code), at, store_history=False)


def _execute(
    client: NotebookClient, cell: Cell, node, at: int, history: bool = True
) -> None:
    hidden, line = "solution" in cell.tags, 0
    try:
        client.execute_cell(node, at, store_history=history and not hidden)
    except CellExecutionError as error:
        plain = re.sub(r"\x1b\[[\d;]*m", "", error.traceback)
        found = re.search(r"Cell In\[\d+\], line (\d+)", plain)
        if found and not hidden and "setup" not in cell.tags:
            line = int(found[1]) - 1
        text = [*cell.source.split("\n"), ""][line].strip()
        reason = f"fails (`{text}`): {error.ename}: {error.evalue}"
        raise cell.problem(reason, line) from None
    except (TimeoutError, DeadKernelError) as error:
        raise cell.problem(f"stops the kernel: {error}") from None
    for output in node.outputs:
        if output.get("name") == "stderr":
            raise cell.problem(f"writes to standard error: {output.text}")


# Writing.


def normal(outputs: list, cell: Cell) -> list[dict]:
    """Outputs as they are committed but for what an edition adds.

    Streams are joined, widgets leave only their text, pictures stand in one
    line of base64.
    """
    kept: list = []
    for output in copy.deepcopy(outputs):
        if output["output_type"] == "stream":
            text = "".join(output["text"])
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1]["text"] += text
            else:
                kept.append({**output, "text": text})
            continue
        data = dict(sorted(output["data"].items()))
        data.pop(WIDGET, None)
        meta = dict(output.get("metadata", {}))
        for mime, value in data.items():
            data[mime] = "".join(value) if mime != "image/png" else value
        if "image/png" in data:
            if cell.alt is None:
                raise cell.problem("this cell's figure has no `alt`")
            data["image/png"] = "".join("".join(data["image/png"]).split())
            meta["image/png"] = dict(meta.get("image/png", {}))
            meta["image/png"].pop("alt", None)
        if data:
            kind = output["output_type"]
            kept.append({"output_type": kind, "data": data, "metadata": meta})
    if cell.alt and not any("image/png" in o.get("data", {}) for o in kept):
        raise cell.problem("`alt` on a cell that shows no figure")
    return kept


def edition(
    lesson: Lesson,
    lang: str,
    outputs: list[dict],
    series: list[Lesson],
    root: Path = ROOT,
) -> str:
    """One edition of a lesson as the text of its file."""
    cells: list = []
    seen: dict[str, int] = {}
    results, count, shared = iter(outputs), 0, ""
    for cell in lesson.cells:
        if cell.lang != "en":
            shared = cell.source  # a text has one id in both languages
        if cell.lang not in (None, lang):
            continue
        if cell.kind == "code" and "solution" not in cell.tags:
            count += 1
            source = cell.source
            if "setup" in cell.tags:
                source = setup_cell(lesson.name, lang, root)
            node = new_code_cell(source, execution_count=count)
            given = normal(next(results)[lang], cell)
            node.outputs = nbformat.from_dict(given)
            for output in node.outputs:
                if "image/png" in output.get("data", {}):
                    output.metadata["image/png"]["alt"] = cell.alt[lang]
                if output.output_type == "execute_result":
                    output.execution_count = count
        else:
            node = new_markdown_cell(_text(cell, lang, lesson, series, root))
        kind = "code" if node.cell_type == "code" else "text"
        digest = hashlib.sha256(f"{kind}\0{shared}".encode()).hexdigest()
        node.id = f"{lesson.id}-{kind}-{digest[:12]}"
        seen[node.id] = seen.get(node.id, 0) + 1
        if seen[node.id] > 1:
            node.id += f"-{seen[node.id]}"
        meta = {"tags": list(cell.tags), "alt": cell.alt, "why": cell.why}
        meta = {key: value for key, value in meta.items() if value}
        node.metadata = nbformat.from_dict(meta)
        cells.append(node)
    book = new_notebook(cells=cells, metadata=METADATA)
    book.nbformat_minor = 5
    nbformat.validate(book)
    return nbformat.writes(book).rstrip("\n") + "\n"


def _text(
    cell: Cell, lang: str, lesson: Lesson, series: list[Lesson], root: Path
) -> str:
    if cell.kind == "code":
        summary = f"<details><summary>{WORDS[lang]['answer']}</summary>"
        return f"{summary}\n\n```python\n{cell.source}\n```\n\n</details>"
    at = [one.id for one in series].index(lesson.id)
    near = {"before": series[:at][-1:], "after": series[at + 1 :][:1]}
    links = [
        f"{WORDS[lang][word]}[{one.id} · {one.title[lang]}]({one.name}.ipynb)"
        for word, found in near.items()
        for one in found
    ]
    fill = {"badges": _badges(lesson, lang, root), "nav": " · ".join(links)}
    return PLACEHOLDER.sub(lambda hit: fill[hit[1]], cell.source)


def _badges(lesson: Lesson, lang: str, root: Path) -> str:
    """The links, the lecture and the times under a lesson's title."""
    place, file = repository(root).split("github.com/")[-1], lesson.name
    colab = "https://colab.research.google.com/github/"
    text = WORDS[lang]["badges"].format(
        colab=f"{colab}{place}/blob/main/notebooks/{lang}/{file}.ipynb",
        other=f"../{'en' if lang == 'zh' else 'zh'}/{file}.ipynb",
        lecture=lesson.lecture[lang],
        minutes=lesson.minutes,
        seconds=lesson.seconds,
    )
    # A course without an address is not to be found on Colab.
    return text.partition(" · ")[2] if place.startswith("OWNER/") else text


def edition_path(name: str, lang: str, root: Path = ROOT) -> Path:
    """Where the edition of a lesson stands."""
    return root / "notebooks" / lang / f"{name}.ipynb"


def committed(lesson: Lesson, root: Path = ROOT) -> tuple[list, list]:
    """The code that stands in the editions, and its outputs."""
    books = {}
    for lang in LANGUAGES:
        path = edition_path(lesson.name, lang, root)
        try:
            cells = nbformat.read(path, as_version=4).cells
        except (OSError, ValueError, AttributeError):  # none, or not whole
            return [], []
        books[lang] = [cell for cell in cells if cell.cell_type == "code"]
    if len(books["zh"]) != len(books["en"]):
        return [], []
    outputs = [
        {"zh": zh.outputs, "en": en.outputs}
        for zh, en in zip(*books.values(), strict=True)
    ]
    for cell, output in zip(lesson.code(), outputs, strict=False):
        if "spoken" not in cell.tags:
            output["en"] = output["zh"]
    return [cell.source for cell in books["zh"][1:]], outputs


def tables(series: list[Lesson], root: Path = ROOT) -> dict[Path, str]:
    """The READMEs with their tables of lessons."""
    found = {}
    for lang, words in WORDS.items():
        path = root / words["readme"]
        rows = [
            f"| [{one.id} · {one.title[lang]}]"
            f"(notebooks/{lang}/{one.name}.ipynb) "
            f"| {words['minutes'].format(one.minutes)} | {one.lecture[lang]} |"
            for one in series
        ]
        table = "\n".join([words["head"], "|---|---|---|", *rows])
        text = path.read_text(encoding="utf-8")
        mark = "<!-- lessons -->\n", "\n<!-- /lessons -->"
        before, after = text.split(mark[0])[0], text.split(mark[1])[-1]
        found[path] = f"{before}{mark[0]}{table}{mark[1]}{after}"
    return found


def build(names: list[str], root: Path = ROOT, check: bool = False) -> list:
    """Build the lessons named, or all; with `check` only compare.

    Returns:
        What differs, in sentences: nothing after a build.
    """
    chosen = [find(root, name) for name in names] or sources(root)
    series, wrong = lessons(root), []
    for lesson in series:
        code = [cell.source for cell in lesson.code()[1:]]
        old, outputs = committed(lesson, root)
        if lesson.path in chosen and not check:
            kept, (outputs, seconds) = outputs, run(lesson, root)
            if seconds > lesson.seconds:
                text = lesson.path.read_text(encoding="utf-8")
                reason = f"takes {seconds:.1f} CPU s, not {lesson.seconds}"
                raise Problem(lesson.path, _line_of(text, "seconds"), reason)
            for at, cell in enumerate(lesson.code()):
                same = old[:at] == code[:at]  # no code up to there changed
                if same and "nbval-ignore-output" in cell.tags:
                    outputs[at] = kept[at]
            print(f"{lesson.name}: {seconds:.1f} CPU s of {lesson.seconds}")
        elif old != code:
            if lesson.path in chosen:
                wrong.append(f"{lesson.name} is not built from its source")
            continue
        if lesson.path in chosen or not check:
            for lang in LANGUAGES:
                path = edition_path(lesson.name, lang, root)
                text = edition(lesson, lang, outputs, series, root)
                wrong += put(path, text, root, check)
    for path, text in tables(series, root).items():
        wrong += put(path, text, root, check)
    return wrong


def put(path: Path, text: str, root: Path, check: bool) -> list[str]:
    """Write a file, or with `check` say that it is not what it should be."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return []
    if check:
        return [f"{path.relative_to(root)} differs from its source"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return []


def main(words: list[str] | None = None) -> int:
    """Run the command line; 0 if all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="lessons: 02, 11, …")
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--root", type=Path, default=ROOT, help="the course")
    options = parser.parse_args(words)
    root = options.root.resolve()
    try:
        found = build(options.names, root, options.check)
        found = [f"{one}; run: python course.py build" for one in found]
    except Problem as problem:
        found = [str(problem).replace(f"{root}{os.sep}", "")]
    print(*found, sep="\n", end="\n" * bool(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
