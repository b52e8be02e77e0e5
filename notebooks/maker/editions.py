"""Put a lesson's texts, code and outputs together: one notebook an edition."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .outputs import spoken
from .parts import LANGUAGES, PLACEHOLDER, Cell, Lesson

BRANCH = "main"

# The one cell that makes a lesson run everywhere. Where the course is at hand
# it only finds it; a lone notebook, as on Colab, fetches it once.
SETUP = """\
import sys
from os import path, system

url = "URL"
root = "../.." if path.exists("../../helpers/checks") else "course"
if not path.exists(root) and system(f"git clone -q --depth 1 {url} {root}"):
    sys.exit("请联网后再运行本单元格 / Go online, then run this cell again")
sys.path.insert(0, path.abspath(root))"""

_WORDS = {
    "zh": {
        "colab": "在 Colab 中打开",
        "other": "English edition",
        "follows": "跟随：{lecture}",
        "times": "约 {minutes} 分钟 · "
        "全部运行：单核 CPU 实测少于 {seconds} 秒",
        "before": "上一课",
        "after": "下一课",
        "answer": "参考答案",
        "colon": "：",
    },
    "en": {
        "colab": "Open in Colab",
        "other": "中文版",
        "follows": "Follows: {lecture}",
        "times": "About {minutes} minutes · Run All: under {seconds} s on one "
        "CPU core, measured",
        "before": "Previous lesson",
        "after": "Next lesson",
        "answer": "Reference answer",
        "colon": ": ",
    },
}


def repository(root: Path) -> str:
    """The course's address, from ``pyproject.toml``."""
    with open(root / "pyproject.toml", "rb") as file:
        urls = tomllib.load(file)["project"]["urls"]
    return urls["Repository"].removesuffix("/").removesuffix(".git")


def setup_cell(root: Path) -> str:
    """The code of the set-up cell, with the course's address in it."""
    return SETUP.replace("URL", repository(root))


def edition_path(root: Path, name: str, lang: str) -> Path:
    """Where the edition of a lesson stands."""
    return root / "notebooks" / lang / f"{name}.ipynb"


def badges(lesson: Lesson, lang: str, root: Path) -> str:
    """The links, the lecture and the times under a lesson's title."""
    words = _WORDS[lang]
    other = next(other for other in LANGUAGES if other != lang)
    place = repository(root).split("github.com/")[-1]
    file = f"{lesson.name}.ipynb"
    colab = (
        f"https://colab.research.google.com/github/{place}/blob/{BRANCH}"
        f"/notebooks/{lang}/{file}"
    )
    times = words["times"].format(
        minutes=lesson.minutes, seconds=lesson.seconds
    )
    return (
        f"**[{words['colab']}]({colab})** · "
        f"**[{words['other']}](../{other}/{file})**\n\n"
        f"{words['follows'].format(lecture=lesson.lecture[lang])}\n\n{times}"
    )


def nav(lesson: Lesson, lang: str, heads: list[Lesson]) -> str:
    """The links to the lessons before and after."""
    words = _WORDS[lang]
    heads = sorted(heads, key=lambda head: head.id)
    before = [head for head in heads if head.id < lesson.id][-1:]
    after = [head for head in heads if head.id > lesson.id][:1]
    links = [
        f"{words[word]}{words['colon']}"
        f"[{head.id} · {head.title[lang]}]({head.name}.ipynb)"
        for word, found in (("before", before), ("after", after))
        for head in found
    ]
    return " · ".join(links)


def notebook(
    lesson: Lesson,
    lang: str,
    outputs: list[list[dict]],
    heads: list[Lesson],
    root: Path,
) -> str:
    """One edition of a lesson as the text of its file.

    Args:
        lesson: The lesson, cells included.
        lang: ``"zh"`` or ``"en"``.
        outputs: The outputs of each shown code cell, in order.
        heads: All lessons of the course, for the links at the end.
        root: The course's folder.
    """
    seen: dict[str, int] = {}
    cells = []
    results = iter(outputs)
    count = 0
    first = ""
    for cell in lesson.cells:
        if cell.lang != "en":
            first = cell.source
        if cell.lang not in (None, lang):
            continue
        shown = cell.kind == "code" and "solution" not in cell.tags
        kind = "code" if shown else "text"
        name = _identity(lesson, kind, cell.source if shown else first, seen)
        if not shown:
            node = new_markdown_cell(_text(cell, lang, lesson, heads, root))
        else:
            count += 1
            setup = "setup" in cell.tags
            node = new_code_cell(
                setup_cell(root) if setup else cell.source,
                execution_count=count,
                outputs=spoken(next(results), cell, lang, count),
            )
        node.id = name
        node.metadata = _metadata(cell)
        cells.append(node)
    made = new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
    )
    made.nbformat_minor = 5
    nbformat.validate(made)
    return nbformat.writes(made).rstrip("\n") + "\n"


def _identity(
    lesson: Lesson, kind: str, source: str, seen: dict[str, int]
) -> str:
    digest = hashlib.sha256(f"{kind}\0{source}".encode()).hexdigest()[:12]
    name = f"{lesson.id}-{kind}-{digest}"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def _metadata(cell: Cell) -> nbformat.NotebookNode:
    meta: dict = {}
    if cell.tags:
        meta["tags"] = list(cell.tags)
    if cell.alt:
        meta["alt"] = cell.alt
    if cell.why:
        meta["why"] = cell.why
    return nbformat.from_dict(meta)


def _text(
    cell: Cell, lang: str, lesson: Lesson, heads: list[Lesson], root: Path
) -> str:
    if cell.kind == "code":
        summary = _WORDS[lang]["answer"]
        return (
            f"<details><summary>{summary}</summary>\n\n"
            f"```python\n{cell.source}\n```\n\n</details>"
        )
    filled = {
        "badges": lambda: badges(lesson, lang, root),
        "nav": lambda: nav(lesson, lang, heads),
    }
    return PLACEHOLDER.sub(lambda hit: filled[hit[1]](), cell.source)
