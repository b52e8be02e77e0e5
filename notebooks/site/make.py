"""Write both editions as static pages that need no network.

    python course.py site                 into build/site
    python notebooks/site/make.py 03 08   only these lessons' sliders move

The pages are made from the committed notebooks. For the sliders a lesson is
run once, and what they show is stored (`frames.py`); `build/frames` keeps it
until the lesson changes. Formulas become MathML, the search runs in the page,
and opening ``build/site/index.html`` from a folder works as well as a web
server.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TARGET = ROOT / "build" / "site"
FRAMES = ROOT / "build" / "frames"
sys.path.insert(0, str(ROOT))

from notebooks import build  # noqa: E402

WORDS = {
    "zh": {
        "title": "从一个张量到会训练的 Transformer",
        "intro": "一门动手的课：{count} 课，每课 {least} 到 {most} 分钟，"
        "用 PyTorch 从一个张量一直写到自己训练的 GPT。在这些网页上可以读、"
        "可以移动滑块；要改代码、做练习，请在课程的文件夹里运行 "
        "`python course.py lab`。",
        "first": "先做这一件事：",
        "setup": "准备单元",
        "frames": "这里存了 {} 张图；在 notebook 里，滑块能取更多的值。",
        "whole": "这里存了全部 {} 张图。",
        "language": "zh_CN",
    },
    "en": {
        "title": "From a tensor to a transformer that trains",
        "intro": "A course to work through, in PyTorch: {count} lessons of "
        "{least} to {most} minutes, from a single tensor to a GPT that you "
        "train yourself. On these pages you can read, and move the sliders; "
        "to change code and to do the exercises, run "
        "`python course.py lab` in the course's folder.",
        "first": "Do this first:",
        "setup": "Set-up",
        "frames": "{} pictures are stored here; in the notebook the sliders "
        "take more values.",
        "whole": "All {} pictures are stored here.",
        "language": "en",
    },
}
OTHER = re.compile(r"\[([^\]]+)\]\(\.\./(zh|en)/(\w+)\.ipynb\)")


# The sliders.


def frames(lesson: build.Lesson) -> None:
    """Put beside the pages what a lesson's sliders show.

    It is run if it was not since it changed.
    """
    if not any("widgets.explore(" in cell.source for cell in lesson.code()):
        return
    folder, digest = FRAMES / lesson.name, hashlib.sha256()
    code = [HERE / "frames.py", *sorted(ROOT.glob("helpers/*.py"))]
    code += [*sorted(lesson.path.parent.glob("*.py")), lesson.path]
    for path in code:
        digest.update(path.read_bytes())
    key = folder / "key"
    if not key.exists() or key.read_text() != digest.hexdigest():
        shutil.rmtree(folder, ignore_errors=True)
        shoot(lesson, folder)
        key.write_text(digest.hexdigest())
    shutil.copytree(folder, TARGET / "frames" / lesson.name)
    for path in lesson.path.parent.glob("figures.js"):
        shutil.copy(path, TARGET / "frames" / lesson.name)


def shoot(lesson: build.Lesson, folder: Path) -> None:
    """Run a lesson once; its sliders' pictures go into `folder`."""
    print(f"site: running {lesson.name}", flush=True)
    first, *others = [cell.source for cell in lesson.code()]
    first = build.setup_cell(lesson.name, "zh", ROOT) + (
        "\n\nfrom notebooks.site import frames"
        f"\n\nframes.record({str(folder)!r})"
    )
    cells = [new_code_cell(source) for source in (first, *others)]
    with build.kernel(cells, ROOT / "notebooks" / "zh") as client:
        for at, cell in enumerate(cells):
            client.execute_cell(cell, at)


def moving(name: str, number: int, lang: str) -> str | None:
    """The sliders of a lesson as HTML, if they were stored."""
    path = TARGET / "frames" / name / str(number) / "told.json"
    if not path.exists():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    told["alts"] = told["alts"][lang]
    told["folder"] = f"../frames/{name}/{number}"
    if not told["alts"]:  # what is typed is drawn by a script of the lesson
        first = f'<script src="../frames/{name}/figures.js"></script>'
        note = ""
    else:
        at = told["points"].index([c["at"] for c in told["controls"]])
        alt, source = escape(told["alts"][at]), f"{told['folder']}/{at}.png"
        first = f'<img src="{source}" alt="{alt}">'
        words = WORDS[lang]["whole" if told["whole"] else "frames"]
        note = f"<p>{words.format(len(told['alts']))}</p>"
    del told["whole"]
    text = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div class="explore">{first}{note}'
        f'<script type="application/json">{text}</script></div>'
    )


# The pages.


def alternative(cell: dict) -> str | None:
    """The alternative text of a cell's figure."""
    for output in cell.get("outputs", []):
        about = output.get("metadata", {}).get("image/png", {})
        if "alt" in about:
            return about["alt"]
    return None


def page(lang: str, name: str, target: Path) -> None:
    """Copy a notebook for Sphinx.

    Links to the other edition become page links, figures get their
    alternative text where MyST-NB looks for it, sliders move, and the set-up
    cell is folded. Cells are coloured as IPython's, which may hold lines such
    as ``!ls``.
    """
    path = build.edition_path(name, lang, ROOT)
    book = json.loads(path.read_text(encoding="utf-8"))
    language = book["metadata"].setdefault("language_info", {"name": "python"})
    language["pygments_lexer"] = "ipython3"
    sliders = 0
    for cell in book["cells"]:
        if cell["metadata"].get("jupyter", {}).get("source_hidden"):
            cell["metadata"]["tags"] = ["hide-input"]
        if alt := alternative(cell):
            cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "↔" in "".join(data.get("text/plain", ""))[:1]:
                if html := moving(name, sliders, lang):
                    data["text/html"] = html
                sliders += 1
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            cell["source"] = OTHER.sub(
                r'<a class="edition" href="../\2/\3.html">\1</a>', text
            )
    text = json.dumps(book, ensure_ascii=False)
    (target / path.name).write_text(text, encoding="utf-8")


def front(lang: str, series: list[build.Lesson]) -> str:
    """The first page of an edition: what to do first, then the way."""
    words, other = WORDS[lang], build.LANGUAGES[lang == "zh"]
    minutes = [lesson.minutes for lesson in series]
    intro = words["intro"].format(
        count=len(series), least=min(minutes), most=max(minutes)
    )
    parts = [
        part.replace(f"(notebooks/{lang}/", "(").replace("### ", "## ")
        for part in build.way(series, lang)
    ]
    first, goal = re.search(r"^- (.*?)[：:] ?(.*)", parts[0], re.M).groups()
    goal = f"{build.WORDS[lang]['goal']}{'，' if lang == 'zh' else ' '}{goal}"
    text = [
        f"# {words['title']}",
        f'<a class="edition" href="../{other}/index.html">'
        f"{WORDS[other]['title']}</a>",
        intro,
        f"> **{words['first']}** {first}\\\n> {goal}",
    ]
    for part in parts:
        title = re.match(r"## (.*)", part)
        caption = f":caption: {title[1]}\n" if title else ""
        names = "\n".join(re.findall(r"^- .*\((\w+)\.ipynb\)", part, re.M))
        text += [part, f"```{{toctree}}\n:hidden:\n{caption}\n{names}\n```"]
    return "\n\n".join(text) + "\n"


def edition(
    lang: str, series: list[build.Lesson], folder: Path
) -> subprocess.Popen:
    """Start Sphinx on one edition.

    A process of its own: Sphinx keeps the language that it spoke first. A
    warning, such as a link that leads nowhere, fails.
    """
    source, words = folder / lang, WORDS[lang]
    shutil.copytree(HERE / "locales", source / "locales")
    (source / "docs").mkdir()
    for path in (ROOT / "docs").glob("[0-9]*.png"):
        shutil.copy(path, source / "docs")
    for lesson in series:
        page(lang, lesson.name, source)
    (source / "index.md").write_text(front(lang, series), encoding="utf-8")
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "sphinx"),
            *("-b", "html", "-q", "-W", "--keep-going"),
            *("-c", HERE, "-d", folder / f"{lang}.doctrees"),
            *("-D", f"language={words['language']}"),
            *("-D", f"project={words['title']}"),
            *("-D", f"html_title={words['title']}"),
            *("-D", f"nb_code_prompt_show={words['setup']}"),
            *("-D", f"nb_code_prompt_hide={words['setup']}"),
            *(source, TARGET / lang),
        ]
    )


def door() -> str:
    """The page that leads to the two editions."""
    links = "".join(
        f'<p><a href="{lang}/index.html" lang="{lang}">'
        f"{escape(words['title'])}</a></p>"
        for lang, words in WORDS.items()
    )
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(WORDS['zh']['title'])}</title>"
        "<style>body{font:1.3rem sans-serif;margin:15vh auto;width:80vw;"
        "max-width:40rem}</style>" + links + "</html>\n"
    )


def main(names: list[str]) -> int:
    """Build both editions; 0 if every page was made without a warning."""
    # A lesson is what has a source; other notebooks are the student's.
    series = [build.read(path) for path in build.sources(ROOT)]
    shutil.rmtree(TARGET, ignore_errors=True)
    for lesson in series:
        if not names or lesson.id in names:
            try:
                frames(lesson)
            except CellExecutionError as error:
                why = f"{error.ename}: {error.evalue}"
                print(
                    f"site: {lesson.name} stays still: {why}", file=sys.stderr
                )
    with tempfile.TemporaryDirectory() as folder:
        running = {n: edition(n, series, Path(folder)) for n in WORDS}
        failed = [lang for lang, process in running.items() if process.wait()]
    if failed:
        print(f"site: {', '.join(failed)} failed", file=sys.stderr)
        return 1
    (TARGET / "index.html").write_text(door(), encoding="utf-8")
    print(f"site: open {(TARGET / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
