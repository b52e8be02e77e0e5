"""Write both editions as static pages that need no network.

    python course.py site            into build/site

The pages are made from the committed notebooks; nothing is executed.
Formulas become MathML, the search runs in the page, and opening
``build/site/index.html`` from a folder works as well as a web server.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path

from sphinx.cmd.build import main as sphinx

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TARGET = ROOT / "build" / "site"

TITLE = {
    "zh": "从一个张量到会训练的 Transformer",
    "en": "From a tensor to a transformer that trains",
}
INTRO = {
    "zh": "这些页面是课程的只读版：文字、代码、结果和图都在，滑块和练习需要"
    "运行 notebook（每页开头有 Colab 链接，或运行 `python course.py lab`）。",
    "en": "These pages are the course to read: text, code, results and "
    "figures. For the sliders and the exercises, run the notebooks (each page "
    "begins with a link to Colab; or run `python course.py lab`).",
}
LANGUAGE = {"zh": "zh_CN", "en": "en"}
OTHER = re.compile(r"\[([^\]]+)\]\(\.\./(zh|en)/(\w+)\.ipynb\)")


def alternative(cell: dict) -> str | None:
    """The alternative text of a cell's figure."""
    for output in cell.get("outputs", []):
        about = output.get("metadata", {}).get("image/png", {})
        if "alt" in about:
            return about["alt"]
    return None


def page(path: Path, target: Path) -> None:
    """Copy a notebook for Sphinx.

    Links to the other edition become page links, and figures get their
    alternative text where MyST-NB looks for it. Cells are coloured as
    IPython's, which may hold lines such as ``!ls``.
    """
    book = json.loads(path.read_text(encoding="utf-8"))
    language = book["metadata"].setdefault("language_info", {"name": "python"})
    language["pygments_lexer"] = "ipython3"
    for cell in book["cells"]:
        if alt := alternative(cell):
            cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            cell["source"] = OTHER.sub(
                r'<a class="edition" href="../\2/\3.html">\1</a>', text
            )
    text = json.dumps(book, ensure_ascii=False)
    (target / path.name).write_text(text, encoding="utf-8")


def contents(lang: str, names: list[str]) -> str:
    """The first page of an edition."""
    entries = "\n".join(names)
    other = "en" if lang == "zh" else "zh"
    return (
        f"# {TITLE[lang]}\n\n{INTRO[lang]}\n\n"
        f'<a class="edition" href="../{other}/index.html">'
        f"{TITLE[other]}</a>\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
    )


def edition(lang: str) -> int:
    """Build the pages of one edition; Sphinx's exit code.

    A warning, such as a link that leads nowhere, fails.
    """
    # A lesson is what has a source; other notebooks are the student's.
    sources = (ROOT / "notebooks" / "src").glob("*/lesson.md")
    names = sorted(source.parent.name for source in sources)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, lang)
        source.mkdir()
        for name in names:
            page(ROOT / "notebooks" / lang / f"{name}.ipynb", source)
        first = contents(lang, names)
        (source / "index.md").write_text(first, encoding="utf-8")
        return sphinx(
            [
                *("-b", "html", "-q", "-W", "--keep-going"),
                *("-c", str(HERE), "-d", str(Path(folder, "doctrees"))),
                *("-D", f"language={LANGUAGE[lang]}"),
                *("-D", f"project={TITLE[lang]}"),
                *("-D", f"html_title={TITLE[lang]}"),
                *(str(source), str(TARGET / lang)),
            ]
        )


def door() -> str:
    """The page that leads to the two editions."""
    links = "".join(
        f'<p><a href="{lang}/index.html" lang="{lang}">'
        f"{escape(TITLE[lang])}</a></p>"
        for lang in ("zh", "en")
    )
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(TITLE['zh'])}</title>"
        "<style>body{font:1.3rem sans-serif;margin:15vh auto;width:80vw;"
        "max-width:40rem}</style>" + links + "</html>\n"
    )


def main() -> int:
    """Build both editions; 0 if every page was made without a warning."""
    shutil.rmtree(TARGET, ignore_errors=True)
    failed = [lang for lang in ("zh", "en") if edition(lang)]
    if failed:
        print(f"site: {', '.join(failed)} failed", file=sys.stderr)
        return 1
    (TARGET / "index.html").write_text(door(), encoding="utf-8")
    print(f"site: open {(TARGET / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
