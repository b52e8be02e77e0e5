"""Every lesson once in JupyterLab, in a real browser; the editions alternate.

Screenshots of each lesson's first screen and first slider are written to
``build/screenshots`` for a person to look at.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lab
import pytest

LATENCY = 0.15  # seconds from key to picture, median
KEYS = 12
MACHINE = 4  # a shared machine may be so many times slower
# What a script sees of a cell.
CELL = "window.jupyterapp.shell.currentWidget.content.widgets[i].node"
PICTURE = f"{CELL}.querySelector('.jp-OutputArea .widget-image')?.src"
HANDLE = f"{CELL}.querySelector('.jp-OutputArea .noUi-handle')"
FIELD = f"{CELL}.querySelector('.jp-OutputArea .widget-text input')"
CHOICE = f"{CELL}.querySelector('.jp-OutputArea .widget-dropdown select')"
LIVE = f"!!({PICTURE} && ({HANDLE} || {FIELD} || {CHOICE}))"
SCROLLED = """() => window.jupyterapp.shell.currentWidget.content.node
  .querySelector('.jp-WindowedPanel-outer')?.scrollTop ?? 0"""
# JupyterLab keeps the arrow keys from a choice: it is made as the mouse does.
CHOOSE = f"""([i, number]) => {{
  const choice = {CHOICE};
  choice.selectedIndex = number;
  choice.dispatchEvent(new Event('change', {{bubbles: true}}));
}}"""
# Whether a cell's first slider stands at the end to which a key moves it.
END = f"""([i, key]) => {{
  const end = key === 'ArrowRight' ? 'aria-valuemax' : 'aria-valuemin';
  const at = {HANDLE};
  return +at.getAttribute('aria-valuenow') === +at.getAttribute(end);
}}"""


@pytest.fixture(scope="module")
def address(root: Path, tmp_path_factory) -> Iterator[str]:
    """JupyterLab on a copy, in a folder whose name needs quoting."""
    base = tmp_path_factory.mktemp("browser")
    folder = lab.copy_course(root, base / "我的 course")
    with lab.server(folder, base / "state") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with lab.browser() as browser:
        yield browser


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


def redrawn(page, index: int, act: Callable[..., None], *args) -> float:
    """Seconds from an act to the cell's next picture."""
    old, start = page.evaluate(f"i => {PICTURE}", index), time.perf_counter()
    act(*args)
    page.wait_for_function(
        f"([i, old]) => {PICTURE} !== old",
        arg=[index, old],
        timeout=10_000,
        polling=5,
    )
    return time.perf_counter() - start


def at_rest(page) -> float:
    """Where the page stands once what is above it has been drawn."""
    here = page.evaluate(SCROLLED)
    for _ in range(30):
        page.wait_for_timeout(300)
        before, here = here, page.evaluate(SCROLLED)
        if here == before:
            break
    return here


def move(page, index: int) -> list[float]:
    """Move a cell's first slider by keyboard, else its field or choice.

    Returns:
        Seconds from each move to its new picture.
    """
    control = next(
        control
        for control in (HANDLE, FIELD, CHOICE)
        if page.evaluate(f"i => !!{control}", index)
    )
    page.evaluate(f"i => {control}.focus()", index)
    before, times, key = at_rest(page), [], "ArrowRight"
    for number in range(KEYS if control == HANDLE else 4):
        act, args = page.keyboard.press, ["Enter"]
        if control == HANDLE:
            if page.evaluate(END, [index, key]):
                key = "ArrowLeft" if key == "ArrowRight" else "ArrowRight"
            args = [key]
        elif control == FIELD:
            page.keyboard.press("ControlOrMeta+A")
            page.keyboard.insert_text("13"[number % 2])
        else:
            act, args = page.evaluate, [CHOOSE, [index, 1 - number % 2]]
        times.append(redrawn(page, index, act, *args))
    assert abs(page.evaluate(SCROLLED) - before) < 2, "the page jumped"
    return times


def first_exercise(book: Path) -> tuple[str, str, str]:
    """Of a notebook's first exercise: name, last line, reference answer."""
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    at = next(
        number
        for number, cell in enumerate(cells)
        if "exercise" in cell["metadata"].get("tags", [])
    )
    check = "".join(cells[at]["source"]).splitlines()[-1]
    texts = ("".join(cell["source"]) for cell in cells[at + 1 :])
    answer = next(text for text in texts if text.startswith("<details>"))
    answer = re.search(r"```python\n(.*?)\n```", answer, re.S).group(1)
    return re.match(r"check\.(\w+)\(", check).group(1), check, answer


def test_lesson_in_jupyterlab(
    page, address, root, lesson, lang, record_property
):
    watch = lab.Watch(page)
    path = f"notebooks/{lang}/{lesson}.ipynb"
    lab.open_lesson(page, address, path)
    pictures = root / "build" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / f"{lesson}_{lang}_first.png")

    cells = lab.execute(page, "run-all-cells")
    assert [cell["count"] for cell in cells] == [*range(1, len(cells) + 1)], (
        "not every cell ran"
    )
    assert [e for cell in cells for e in cell["errors"]] == []

    expected = [c for c in cells if "widgets.explore(" in c["source"]]
    if expected:  # JupyterLab draws a control after the cell has run
        page.wait_for_function(
            f"cells => cells.some(i => {LIVE})",
            arg=[cell["index"] for cell in expected],
            timeout=60_000,
        )
    live = [
        cell["index"]
        for cell in cells
        if page.evaluate(f"i => {LIVE}", cell["index"])
    ]
    for index in live:
        median = statistics.median(move(page, index))
        record_property("latency", (f"{lesson} {lang}", median))
        assert median <= LATENCY * MACHINE
        if index == live[0]:
            page.screenshot(path=pictures / f"{lesson}_{lang}_slider.png")

    name, check, solution = first_exercise(root / path)
    index = next(c["index"] for c in cells if check in c["source"])
    assert lab.answer(page, index, f"{name} = print\n{check}").startswith("✗")
    right = lab.answer(page, index, f"{solution}\n\n\n{check}")
    assert right.startswith("✓"), right
    assert watch.faults == []
