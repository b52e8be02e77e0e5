"""The static pages and the slides: complete, and without a network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lab
import pytest
from bs4 import BeautifulSoup

from notebooks.maker.source import paths

WIDE = {"width": 1280, "height": 720}
MATHS = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$", re.S)


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    """Both editions, made as `course.py site` makes them."""
    run = subprocess.run(
        [sys.executable, str(root / "site" / "make.py")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return root / "build" / "site"


@pytest.fixture(scope="module")
def decks(root: Path, site: Path) -> list[Path]:
    """The slides of every lesson, in Chinese (made from the pages)."""
    names = [path.stem for path in paths(root)]
    run = subprocess.run(
        [sys.executable, str(root / "site" / "slides.py"), *names],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return [root / "build" / "slides" / f"{name}_zh.html" for name in names]


@pytest.fixture(scope="module")
def context() -> Iterator:
    """A browser without a network."""
    pytest.importorskip("playwright", reason="needs Playwright")
    if lab.browser_path() is None:
        pytest.skip("needs Chromium from the system's packages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=lab.browser_path(), args=lab.SWITCHES
        )
        context = browser.new_context(offline=True)
        yield context
        browser.close()


def visit(context, path: Path):
    """Open a page from its folder; the page and what it asked for in vain."""
    page, failed = context.new_page(), []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:", "blob:"))
            else failed.append(request.url)
        ),
    )
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(path.as_uri())
    return page, failed


def formulas(book: Path) -> int:
    """How many formulas the text of a notebook holds, code left out."""
    count = 0
    for cell in json.loads(book.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
            count += len(MATHS.findall(text))
    return count


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_of_a_lesson(context, site, root, lesson, lang):
    page, failed = visit(context, site / lang / f"{lesson}.html")
    book = root / "notebooks" / lang / f"{lesson}.ipynb"
    pictures = page.evaluate(
        """() => [...document.querySelectorAll('article img')]
          .map(i => [i.complete && i.naturalWidth > 0, i.alt])"""
    )
    shown = json.loads(book.read_text(encoding="utf-8"))["cells"]
    expected = sum(
        "image/png" in output.get("data", {})
        for cell in shown
        for output in cell.get("outputs", [])
    )
    assert len(pictures) == expected
    assert all(seen for seen, _ in pictures)
    assert all(alt and "_images" not in alt for _, alt in pictures)
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('article math')]
          .filter(m => m.getBoundingClientRect().width > 0
            || m.closest('details')).length"""
    )
    assert drawn == formulas(book)
    colab = page.locator("article a[href*='colab.research.google.com']")
    assert colab.count() >= 1
    other = "en" if lang == "zh" else "zh"
    link = page.locator("article a.edition").first.get_attribute("href")
    assert link == f"../{other}/{lesson}.html"
    assert failed == []
    page.close()


@pytest.mark.parametrize(("lang", "word"), [("zh", "张量"), ("en", "tensor")])
def test_search_finds_lessons(context, site, lang, word):
    page, failed = visit(context, site / lang / "search.html")
    page.goto((site / lang / "search.html").as_uri() + f"?q={word}")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any("02" in title for title in titles), titles
    assert failed == []
    page.close()


def test_front_door_leads_to_both_editions(context, site):
    page, failed = visit(context, site / "index.html")
    for lang in ("zh", "en"):
        page.goto((site / "index.html").as_uri())
        page.click(f"a[lang={lang}]")
        page.wait_for_url(f"**/{lang}/index.html")
        assert page.locator("article a[href$='.html']").count() > 1
    assert failed == []
    page.close()


def test_slides_turn_by_keyboard_and_show_figures(context, decks):
    page, failed = visit(context, decks[1])
    page.set_viewport_size(WIDE)
    count = page.locator("section").count()
    assert count > 10
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.hash === '#3'")
    page.keyboard.press("End")
    page.wait_for_function(f"() => location.hash === '#{count}'")
    figures = page.evaluate(
        """() => [...document.querySelectorAll('section img')].map(i =>
          [i.naturalWidth > 0, i.getBoundingClientRect().height
            / innerHeight, i.closest('section').querySelectorAll('img')
            .length])"""
    )
    assert figures
    for loaded, share, together in figures:
        assert loaded
        assert 0.5 < share < 0.9
        assert together == 1
    assert failed == []
    page.close()


def test_slides_fit_the_screen(context, decks):
    """Also after the window has changed, and in letters one can read."""
    for deck in decks:
        page, failed = visit(context, deck)
        for size in ({"width": 1024, "height": 768}, WIDE):
            page.set_viewport_size(size)
            page.evaluate("() => new Promise(requestAnimationFrame)")
            large = page.evaluate(
                """() => [...document.querySelectorAll('section')].filter(s =>
                  s.getBoundingClientRect().height > innerHeight + 2
                  || s.scrollWidth > innerWidth + 2
                  || parseFloat(s.style.fontSize) < 65)  // of the usual
                  .map(s => s.innerText.slice(0, 60))"""
            )
            assert large == [], deck.name
        assert failed == []
        page.close()


def test_slides_keep_formulas_in_headings_and_drop_what_only_runs(decks):
    pages = [
        BeautifulSoup(deck.read_text("utf-8"), "html.parser") for deck in decks
    ]
    for page in pages:
        assert "path.exists(" not in page.get_text()
        assert "run this cell to move" not in page.get_text()
    headings = pages[-1].select("h2")
    again = pages[-1].select("h3.again")
    for found in (headings, again):
        assert any(heading.find("math") for heading in found)
