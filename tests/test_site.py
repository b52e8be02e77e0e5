"""The static pages: complete, and without a network."""

from __future__ import annotations

import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlparse

import lab
import pytest
import tiny
from matplotlib.colors import to_hex
from test_einsum import random_case

from notebooks import build
from notebooks.site import frames

MOVING = ("03", "08", "12")  # lessons whose sliders move in these tests
LARGEST = 3_000_000  # bytes of a page with all that it loads
STEP = 50  # milliseconds from event to picture, median
MATHS = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$", re.S)


def make(root: Path, *names: str) -> tuple[Path, str]:
    """Both editions, made as `course.py site` makes them; what it said.

    Of the lessons only those named are run for their sliders, or all.
    """
    script = root / "notebooks" / "site" / "make.py"
    run = subprocess.run(
        [sys.executable, str(script), *names],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return root / "build" / "site", run.stderr


@pytest.fixture(scope="module")
def site(root: Path) -> Path:
    return make(root, *MOVING)[0]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with lab.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def context(browser):
    """A browser without a network."""
    return browser.new_context(offline=True)


def visit(context, path: Path):
    """Open a page from its folder; the page and what is wrong with it.

    What it loads lies in the folder, 3 MB at most.
    """
    page, loaded = context.new_page(), set()
    watch = lab.Watch(page)
    page.on("requestfailed", lambda r: watch.faults.append(r.url))
    page.on("request", lambda r: loaded.add(r.url.split("?")[0]))
    page.goto(path.as_uri())
    if page.locator(".explore").count():  # its pictures come after the page
        page.wait_for_load_state("networkidle")
    files = [Path(unquote(urlparse(url).path)) for url in loaded]
    assert all(path.parents[1] in file.parents for file in files)
    assert sum(file.stat().st_size for file in files) <= LARGEST
    return page, watch.faults


def test_page_of_a_lesson(context, site, root, lesson, lang):
    page, faults = visit(context, site / lang / f"{lesson}.html")
    book = root / "notebooks" / lang / f"{lesson}.ipynb"
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    pictures = page.evaluate(
        """() => [...document.querySelectorAll(
          'article img')].filter(i => !i.closest('.explore'))
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


@pytest.mark.parametrize("lang", build.LANGUAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_first_page(browser, site, root, lang, width):
    """A way: what to do first, the parts with picture, minutes and goals."""
    view = {"width": width, "height": 800}
    context = browser.new_context(offline=True, viewport=view)
    page, faults = visit(context, site / lang / "index.html")
    first = page.locator("article blockquote")
    assert first.bounding_box()["y"] < view["height"]
    link = first.locator("a").first.get_attribute("href")
    assert link == "00_start_here.html"
    lessons = [build.read(path) for path in build.sources(root)]
    parts = [lesson.part[lang].split("\n")[0] for lesson in lessons
             if lesson.part]  # fmt: skip
    assert [
        text.removesuffix("#")
        for text in page.locator("article h2").all_inner_texts()
    ] == parts
    pictures = page.evaluate(
        """() => [...document.querySelectorAll('h2 + p > img')]
          .map(i => [i.naturalWidth > 0, i.alt, i.clientWidth])"""
    )
    assert len(pictures) == len(parts)
    assert all(seen and alt and w < width for seen, alt, w in pictures)
    minutes = {"zh": "分钟）", "en": " min)"}[lang]
    told = page.locator("article section li").all_inner_texts()
    assert len(told) == len(lessons)
    assert all(minutes in text for text in told)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    search = page.get_attribute(".sidebar-search", "placeholder")
    assert search == {"zh": "搜索", "en": "Search"}[lang]
    foot = page.inner_text("footer")
    assert "©" not in foot
    assert {"zh": "下一页", "en": "Next"}[lang] in foot
    assert faults == []
    context.close()


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


@pytest.fixture(scope="module")
def touch(browser):
    """A telephone without a network."""
    size = {"width": 390, "height": 844}
    return browser.new_context(offline=True, viewport=size, has_touch=True)


# The milliseconds of each step, from the event to the picture drawn.
CLOCK = """() => {
  window.steps = [];
  document.addEventListener('input', async event => {
    const picture = event.target.closest('.explore').querySelector('img');
    await picture.decode().catch(() => {}); // another one came
    requestAnimationFrame(
      () => steps.push(performance.now() - event.timeStamp));
  });
}"""


def settings(box) -> str:
    """What the controls of a widget say, as in the alternative text."""
    return box.evaluate(
        """box => [...box.querySelectorAll('label')].map(l =>
          l.querySelector('span').textContent + ' = ' +
          (l.querySelector('select')?.value ??
            l.querySelector('output').textContent)).join(', ')"""
    )


def follows(box) -> str:
    """The picture's text, which tells what the controls say, as is spoken."""
    alt = box.locator("img").get_attribute("alt")
    assert alt.startswith(settings(box))
    assert box.locator("[role=status]").text_content() == alt
    return alt


@pytest.mark.parametrize(("name", "lang"), [("03", "zh"), ("12", "en")])
def test_slider_moves_by_keyboard_and_mouse(
    context, site, root, name, lang, record_property
):
    lesson = build.find(root, name).parent.name
    page, faults = visit(context, site / lang / f"{lesson}.html")
    page.evaluate(CLOCK)
    box = page.locator(".explore").first
    seen = {box.locator("img").get_attribute("alt")}
    for slider in box.locator("input[type=range]").all():
        slider.focus()
        page.keyboard.press("Home")
        for _ in range(12):
            page.keyboard.press("ArrowRight")
            seen.add(follows(box))
        place = slider.bounding_box()
        middle = place["y"] + place["height"] / 2
        for part in (0.02, 0.5, 0.98):
            page.mouse.click(place["x"] + part * place["width"], middle)
            seen.add(follows(box))
    for choice in box.locator("select").all():
        for number in range(choice.locator("option").count()):
            choice.select_option(index=number)
            seen.add(follows(box))
    page.wait_for_timeout(200)
    steps = page.evaluate("steps")
    assert len(steps) > 8
    assert len(seen) > 4
    record_property("latency", (f"site {name}", median(steps) / 1000))
    assert median(steps) <= STEP
    told = json.loads(box.locator("script").text_content())
    assert len(told["points"]) <= 60
    assert faults == []
    page.close()


def test_slider_moves_by_touch(touch, site):
    page, faults = visit(touch, site / "zh" / "03_matmul_einsum.html")
    box = page.locator(".explore").first
    seen = set()
    for slider in box.locator("input[type=range]").all():
        slider.scroll_into_view_if_needed()
        place = slider.bounding_box()
        for part in (0.02, 0.98):
            page.touchscreen.tap(
                place["x"] + part * place["width"],
                place["y"] + place["height"] / 2,
            )
            seen.add(follows(box))
    assert len(seen) == 3  # both ends of either slider
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert faults == []
    page.close()


# What is typed: the lesson's Python and the page's script say the same, of
# half of the inputs in each language.


def figures(root: Path, name: str):
    """The drawings of a lesson."""
    path = build.find(root, name).with_name("figures.py")
    spec = importlib.util.spec_from_file_location(f"figures_{name}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Of each input: what is said, the texts drawn, how many cells are coloured.
TYPED = """([inputs, zh]) => inputs.map(values => {
  try {
    const { html, text } = typed.draw(values, zh);
    const drawn = new DOMParser().parseFromString(html, 'text/html');
    return [text,
      [...drawn.querySelectorAll('text, td')].map(t => t.textContent),
      ['#A9CCE3', '#D55E00', '#E6E6E6'].map(colour =>
        drawn.querySelectorAll(`rect[fill='${colour}']`).length)];
  } catch (error) {
    return [error.message];
  }
})"""


def equations() -> list[dict]:
    """200 equations with shapes as a student types them, right and wrong."""
    rng, inputs = random.Random(1), []
    while len(inputs) < 200:
        equation, shapes = random_case(rng)
        text = ", ".join(map(str, shapes))
        for _ in range(rng.random() < 0.3):
            old, new = rng.choice(
                ["()", ("(", "（"), (",", "，"), (")", ",)"), (",", ""),
                 ("2", "x"), ("3", "2.5"), (")", ""), (" ", "  "), ("(", "[")]
            )  # fmt: skip
            text = text.replace(old, new)
        inputs.append(
            {
                "equation": equation,
                "shapes": text,
                "element": rng.randrange(60),
                "term": rng.randrange(12),
            }
        )
    return inputs


def read_by_lesson(room, typed: dict) -> list:
    """What the Python of lesson 03 says and draws."""
    try:
        shapes = room.shapes(typed["shapes"])
        reading = room.read(typed["equation"], *shapes)
    except ValueError as error:
        return [str(error)]
    fig = room.draw(reading, element=typed["element"], term=typed["term"])
    *texts, last = [t.get_text() for t in fig.axes[0].texts]
    outlined = "; outlined: " in last
    texts = [*texts, *([] if outlined else [last])]
    drawn = [
        re.sub(r"^\$(\w+)\$  ", r"\1 ", text)
        for text in texts
        if not text.startswith(("$Y_{", "Error"))
    ]
    colours = [
        to_hex(colour).upper()
        for cells in fig.axes[0].collections
        for colour in cells.get_facecolors()
    ]
    counts = [colours.count(c) for c in (room.USED, room.NOW, room.PLAIN)]
    return [last if outlined else str(reading), sorted(drawn), counts]


@pytest.mark.parametrize("lang", build.LANGUAGES)
def test_equation_reader_agrees(context, site, root, lang, monkeypatch):
    monkeypatch.setenv("COURSE_LANG", lang)
    page, faults = visit(context, site / lang / "03_matmul_einsum.html")
    inputs = equations()[lang == "en" :: 2]
    room = figures(root, "03")
    found = page.evaluate(TYPED, [inputs, lang == "zh"])
    wrong = 0
    for typed, (said, *drawn) in zip(inputs, found, strict=True):
        texts = [sorted(drawn[0]), drawn[1]] if drawn else []
        assert [said, *texts] == read_by_lesson(room, typed), typed
        wrong += not drawn or said.startswith("error")
    assert 20 < wrong < 80
    assert faults == []
    page.close()


def pairs() -> list[dict]:
    """200 pairs of shapes as a student types them, right and wrong."""
    rng, inputs = random.Random(2), []
    for _ in range(200):
        pair = {}
        for name in "ab":
            sizes = rng.choices([1, 1, 2, 3, 0, 12], k=rng.randint(0, 4))
            text = rng.choice([", ", "，", " "]).join(map(str, sizes))
            if rng.random() < 0.3:
                text = rng.choice(["({})", "[{}]", "（{}）", "({},)"]).format(
                    text
                )
            if rng.random() < 0.1:
                text += rng.choice(
                    ["x", " -1", " 2.5", " 2 3", " 12345", "２"]
                )
            pair[name] = text
        inputs.append(pair)
    return inputs


@pytest.mark.parametrize("lang", build.LANGUAGES)
def test_aligner_agrees(context, site, root, lang, monkeypatch):
    monkeypatch.setenv("COURSE_LANG", lang)
    page, faults = visit(context, site / lang / "08_broadcasting.html")
    inputs = pairs()[lang == "en" :: 2]
    align = figures(root, "08").aligner()
    found = page.evaluate(TYPED, [inputs, lang == "zh"])
    said = set()
    for typed, (text, *drawn) in zip(inputs, found, strict=True):
        try:
            ax = align(**typed).axes[0]
            wanted = [ax.get_title(), *(t.get_text() for t in ax.texts)]
        except ValueError as error:
            wanted = [str(error)]
        cells = drawn[0][:15] if drawn else []
        assert [text, *cells] == wanted, typed
        if not drawn:
            said.add("illegal")
            continue
        said.add(text.split(": ")[1].split(",")[0])
    assert said == {"illegal", "fits", "error"}
    assert faults == []
    page.close()


def test_what_is_typed_is_drawn_on_enter(context, site):
    page, faults = visit(context, site / "zh" / "08_broadcasting.html")
    box = page.locator(".explore").first
    field, said = box.locator("input").first, box.locator("[role=status]")
    field.fill("2, 2")
    page.keyboard.press("Enter")
    assert said.inner_text() == "(2, 2) with (3,): error"
    field.fill("a")
    page.keyboard.press("Enter")
    assert said.inner_text().startswith("⚠ 最多写 5 个大小")
    assert faults == []
    page.close()


# Which pictures are stored.


def test_points_combine_a_few_values_of_each_control():
    grid = {"a": list(range(41)), "b": list(range(-20, 21)), "c": [0, 1]}
    start, panel = {"a": 7, "b": 0, "c": 1}, [{"b": -13}, {"a": 40, "c": 0}]
    found = frames.points(grid, start, panel)
    assert len(found) <= frames.MOST
    some = [{point[name] for point in found} for name in "abc"]
    assert len(found) == len(some[0]) * len(some[1]) * len(some[2])
    assert {7, 40} <= some[0]
    assert {0, -13} <= some[1]
    assert min(map(len, some[:2])) > 4


def test_points_of_many_controls_move_each_alone():
    grid = {name: [0.5 * k for k in range(9)] for name in "abcde"}
    start, panel = dict.fromkeys("abcde", 1.0), [{"a": 4.0, "b": 0.5}]
    found = frames.points(grid, start, panel)
    assert len(found) <= frames.MOST
    assert start in found
    assert start | panel[0] in found
    for name in grid:
        alone = [p for p in found if start | {name: p[name]} == p]
        assert sorted(p[name] for p in alone) == grid[name]


def test_what_a_student_adds_does_no_harm(root, tmp_path):
    """A copy of a lesson is no lesson; a line for the shell is shown.

    A lesson that does not run is shown as it is, without sliders.
    """
    notebooks = tiny.course(tmp_path / "course") / "notebooks"
    shutil.copytree(root / "notebooks" / "site", notebooks / "site")
    for name in ("build.py", "teach.py"):
        shutil.copy(root / "notebooks" / name, notebooks)
    shutil.copy(root / "docs/03.png", tmp_path / "course" / "docs" / "07.png")
    with (notebooks / "src" / "07_tiny" / "lesson.md").open("a") as source:
        source.write("\n```{code-cell}\nwidgets.explore(no_such)\n```\n")
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 07 · Tiny"]},
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
        for name in ("07_tiny", "07_tiny-Copy1"):
            path = notebooks / lang / f"{name}.ipynb"
            path.write_text(json.dumps(book), encoding="utf-8")
    pages, said = make(tmp_path / "course")
    assert "07_tiny stays still" in said
    assert "ls" in (pages / "en" / "07_tiny.html").read_text(encoding="utf-8")
    assert not (pages / "en" / "07_tiny-Copy1.html").exists()
