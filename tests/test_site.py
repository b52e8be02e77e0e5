"""The static pages: complete, and without a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lab
import pytest

MATHS = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$", re.S)


def make(root: Path) -> Path:
    """Both editions, made as `course.py site` makes them."""
    run = subprocess.run(
        [sys.executable, str(root / "notebooks" / "site" / "make.py")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return root / "build" / "site"


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    return make(root)


@pytest.fixture(scope="module")
def context() -> Iterator:
    """A browser without a network."""
    with lab.browser() as browser:
        yield browser.new_context(offline=True)


def visit(context, path: Path):
    """Open a page from its folder; the page and what is wrong with it."""
    page = context.new_page()
    watch = lab.Watch(page)
    page.on("requestfailed", lambda r: watch.faults.append(r.url))
    page.goto(path.as_uri())
    return page, watch.faults


def test_page_of_a_lesson(context, site, root, lesson, lang):
    page, faults = visit(context, site / lang / f"{lesson}.html")
    book = root / "notebooks" / lang / f"{lesson}.ipynb"
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    pictures = page.evaluate(
        """() => [...document.querySelectorAll('article img')]
          .map(i => [i.complete && i.naturalWidth > 0, i.alt])"""
    )
    outputs = [o for cell in cells for o in cell.get("outputs", [])]
    figures = ["image/png" in output.get("data", {}) for output in outputs]
    assert len(pictures) == sum(figures)
    assert all(seen and alt for seen, alt in pictures)
    assert not any("_images" in alt for _, alt in pictures)
    text = "\n".join(
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "markdown"
    )
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('article math')]
          .filter(m => m.getBoundingClientRect().width > 0
            || m.closest('details')).length"""
    )
    assert drawn == len(MATHS.findall(text))
    other = "en" if lang == "zh" else "zh"
    link = page.locator("article a.edition").first.get_attribute("href")
    assert link == f"../{other}/{lesson}.html"
    assert faults == []
    page.close()


@pytest.mark.parametrize(("lang", "word"), [("zh", "张量"), ("en", "tensor")])
def test_search_finds_lessons(context, site, lang, word):
    page, faults = visit(context, site / "index.html")
    page.click(f"a[lang={lang}]")
    page.wait_for_url(f"**/{lang}/index.html")
    page.goto((site / lang / "search.html").as_uri() + f"?q={word}")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any("02" in title for title in titles), titles
    assert faults == []
    page.close()


def test_what_a_student_adds_does_no_harm(root, tmp_path):
    """A copy of a lesson is no lesson; a line for the shell is shown."""
    notebooks = tmp_path / "notebooks"
    shutil.copytree(root / "notebooks" / "site", notebooks / "site")
    (notebooks / "src" / "02_tiny").mkdir(parents=True)
    (notebooks / "src" / "02_tiny" / "lesson.md").touch()
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 02 · Tiny"]},
        {
            "cell_type": "code",
            "metadata": {},
            "source": ["!ls\n", "x = 1"],
            "execution_count": 1,
            "outputs": [],
        },
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    for lang in ("zh", "en"):
        (notebooks / lang).mkdir()
        for name in ("02_tiny", "02_tiny-Copy1"):
            path = notebooks / lang / f"{name}.ipynb"
            path.write_text(json.dumps(book), encoding="utf-8")
    pages = make(tmp_path) / "en"
    assert "ls" in (pages / "02_tiny.html").read_text(encoding="utf-8")
    assert not (pages / "02_tiny-Copy1.html").exists()
