"""Every lesson of both editions in JupyterLab, in a real browser.

Screenshots of each lesson's first screen and first slider are written to
``build/screenshots`` for a person to look at.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import lab
import pytest

from notebooks.maker import course
from notebooks.maker.judge import check_call, last_statement
from notebooks.maker.source import read

pytest.importorskip(
    "playwright", reason="needs Playwright: pip install playwright"
)
if lab.browser_path() is None:
    pytest.skip(
        "needs Chromium from the system's packages",
        allow_module_level=True,
    )

LATENCY = 0.15  # seconds from key to picture, median
KEYS = 12
MACHINE = 4  # a shared machine may be so many times slower
# Whether a cell's first slider stands at the end to which a key moves it.
END = """([i, key]) => {
  const handle = window.jupyterapp.shell.currentWidget.content.widgets[i].node
    .querySelector('.noUi-handle');
  const end = key === 'ArrowRight' ? 'aria-valuemax' : 'aria-valuemin';
  return +handle.getAttribute('aria-valuenow') === +handle.getAttribute(end);
}"""


@pytest.fixture(scope="module")
def address(root: Path, tmp_path_factory) -> Iterator[str]:
    """JupyterLab on a copy, in a folder whose name needs quoting."""
    base = tmp_path_factory.mktemp("browser")
    folder = lab.copy_course(root, base / "我的 course")
    with lab.server(folder, base / "state") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=lab.browser_path(), args=lab.SWITCHES
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser) -> Iterator:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    yield page
    page.evaluate(
        "() => window.jupyterapp?.commands.execute("
        "'kernelmenu:shutdown').catch(() => {})"
    )
    context.close()


def picture(page, index: int) -> str | None:
    """The source of the live picture in a cell's output."""
    return page.evaluate(
        """i => window.jupyterapp.shell.currentWidget.content.widgets[i]
          .node.querySelector('.jp-OutputArea .widget-image')?.src ?? null""",
        index,
    )


def scrolled(page) -> float:
    return page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.node
          .querySelector('.jp-WindowedPanel-outer')?.scrollTop ?? 0"""
    )


def sliders(page, cells: list[dict]) -> list[dict]:
    """The code cells that show a slider with a live picture."""
    return [
        cell
        for cell in cells
        if page.evaluate(
            """i => { const n = window.jupyterapp.shell.currentWidget.content
              .widgets[i].node.querySelector('.jp-OutputArea');
              return !!(n?.querySelector('.widget-image')
                && n.querySelector('.noUi-handle, .widget-text input')); }""",
            cell["index"],
        )
    ]


def press(page, index: int, key: str) -> float:
    """Seconds from a key to the cell's next picture."""
    old, start = picture(page, index), time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_function(
        """([i, old]) => window.jupyterapp.shell.currentWidget.content
          .widgets[i].node.querySelector('.widget-image').src !== old""",
        arg=[index, old],
        timeout=10_000,
        polling=5,
    )
    return time.perf_counter() - start


def write(page, index: int) -> tuple[list[float], float]:
    """Type into a cell's first text field; as `move` otherwise."""
    page.evaluate(
        """i => window.jupyterapp.shell.currentWidget.content
          .widgets[i].node.querySelector('.widget-text input').focus()""",
        index,
    )
    page.wait_for_timeout(300)
    before, times = scrolled(page), []
    for text in ("1", "3", "1", "3"):
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.insert_text(text)
        times.append(press(page, index, "Enter"))
    return times, abs(scrolled(page) - before)


def move(page, index: int) -> tuple[list[float], float]:
    """Move a cell's first slider by keyboard.

    Returns:
        Seconds from each key to its new picture, and by how many pixels
        the page moved meanwhile.
    """
    page.evaluate(
        """i => window.jupyterapp.shell.currentWidget.content
          .widgets[i].node.querySelector('.noUi-handle').focus()""",
        index,
    )
    page.wait_for_timeout(300)
    before, times, key = scrolled(page), [], "ArrowRight"
    for _ in range(KEYS):
        if page.evaluate(END, [index, key]):
            key = "ArrowLeft" if key == "ArrowRight" else "ArrowRight"
        times.append(press(page, index, key))
    return times, abs(scrolled(page) - before)


def first_exercise(root: Path, lesson: str) -> tuple[str, str, str]:
    """The name, stub and reference answer of a lesson's first exercise."""
    cells = read(course.find(root, lesson)).cells
    code = [cell for cell in cells if cell.kind == "code"]
    for cell, after in itertools.pairwise(code):
        if "exercise" in cell.tags:
            return check_call(cell.source), cell.source, after.source
    raise AssertionError(f"{lesson} has no exercise")


def answer(page, index: int, source: str) -> str:
    """Type an answer into a cell as a student does; what the check says."""
    page.evaluate(
        """i => { const c = window.jupyterapp.shell.currentWidget.content;
          c.activeCellIndex = i; c.mode = 'edit';
          c.widgets[i].editor.focus(); }""",
        index,
    )
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(source)
    page.evaluate(
        "() => window.jupyterapp.commands.execute('notebook:run-cell')"
    )
    page.wait_for_function(lab.READY)
    cells = page.evaluate(lab.CELLS)
    return next(c["printed"] for c in cells if c["index"] == index)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_lesson_in_jupyterlab(page, address, root, lesson, lang, latencies):
    watch = lab.Watch(page)
    lab.open_lesson(page, address, f"notebooks/{lang}/{lesson}.ipynb")
    pictures = root / "build" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / f"{lesson}_{lang}_first.png")

    cells = lab.run_all(page)
    assert [cell["count"] for cell in cells] == [*range(1, len(cells) + 1)], (
        "not every cell ran"
    )
    assert [e for cell in cells for e in cell["errors"]] == []

    live = sliders(page, cells)
    expected = [c for c in cells if "widgets.explore(" in c["source"]]
    assert len(live) >= min(len(expected), 1), "a slider did not appear"
    for number, cell in enumerate(live):
        slides = page.evaluate(
            """i => !!window.jupyterapp.shell.currentWidget.content
              .widgets[i].node.querySelector('.noUi-handle')""",
            cell["index"],
        )
        times, jump = (move if slides else write)(page, cell["index"])
        assert jump < 2, f"the page jumped by {jump} pixels"
        median = statistics.median(times)
        latencies.append((f"{lesson} {lang}", median))
        assert median <= LATENCY * MACHINE
        if number == 0:
            page.screenshot(path=pictures / f"{lesson}_{lang}_slider.png")

    name, stub, solution = first_exercise(root, lesson)
    check = last_statement(stub)
    index = next(c["index"] for c in cells if check in c["source"])
    assert answer(page, index, f"{name} = print\n{check}").startswith("✗")
    right = answer(page, index, f"{solution}\n\n\n{check}")
    assert right.startswith("✓"), right
    assert watch.faults == []
