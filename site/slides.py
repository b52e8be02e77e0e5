"""Write a lesson as slides for a projector, in one file.

    python course.py slides 03            into build/slides
    python course.py slides 03 --lang en

A slide begins at every heading; a figure gets a slide of its own, as large
as the screen allows; long code is folded and opens with a click; letters
become smaller where a slide would not fit the screen. The file needs no
network. Keys: → and ← (or Page Down, Page Up, space), Home, End.
"""

from __future__ import annotations

import argparse
import base64
import sys
from html import escape
from pathlib import Path

import make
from bs4 import BeautifulSoup, Tag

from helpers.widgets import TEXT

TARGET = make.ROOT / "build" / "slides"
SHOWN = 8  # lines of code that a projector can show
FULL = 900  # Latin letters of text on a slide; a Chinese one counts two
SKIPPED = {"zh": ("延伸阅读",), "en": ("Further reading",)}
CODE = {"zh": "代码，{} 行", "en": "code, {} lines"}

STYLE = """
* { box-sizing: border-box; }
html { scroll-snap-type: y mandatory; font: 2.1vw/1.5 sans-serif; }
body { margin: 0; color: #111; background: #fff; }
section { min-height: 100vh; padding: 4vh 6vw; scroll-snap-align: start;
  display: flex; flex-direction: column; justify-content: center; }
h1 { font-size: 2.2em; } h2 { font-size: 1.6em; } h3 { font-size: 1.3em; }
h1, h2, h3 { margin: 0 0 .4em; line-height: 1.25; }
.again { color: #666; font-size: 1em; }
img { display: block; width: 88vw; height: 76vh; object-fit: contain; }
pre { font-size: .78em; line-height: 1.35; background: #f3f3f3; margin: .3em 0;
  padding: .5em .8em; overflow: auto; max-height: 74vh; }
.output pre { background: none; border-left: .3em solid #0072b2; }
code { font-size: .9em; background: #f3f3f3; } pre code { background: none; }
details { margin: .3em 0; } summary { cursor: pointer; color: #0072b2; }
table { border-collapse: collapse; font-size: .8em; margin: .5em 0; }
td, th { border: 1px solid #999; padding: .2em .6em; text-align: left; }
.formula { font-size: 1.2em; margin: .5em 0; } p { margin: .4em 0; }
a { color: #0072b2; }
@media print { section { page-break-after: always; } }
"""
SCRIPT = """
const slides = [...document.querySelectorAll('section')];
const here = () => slides.reduce((best, s, i) =>
  Math.abs(s.getBoundingClientRect().top) <
  Math.abs(slides[best].getBoundingClientRect().top) ? i : best, 0);
const fit = () => slides.forEach(s => {
  for (let size = 100; size >= 50; size -= 5) {
    s.style.fontSize = size + '%';
    if (s.scrollHeight < innerHeight + 2 && s.scrollWidth < innerWidth + 2)
      return;
  }
});
const go = i => {
  const n = Math.max(0, Math.min(slides.length - 1, i));
  slides[n].scrollIntoView(); history.replaceState(null, '', '#' + (n + 1));
};
addEventListener('keydown', e => {
  if (e.target.closest('summary') && e.key === ' ') return;
  const step = {ArrowRight: 1, PageDown: 1, ' ': 1, ArrowLeft: -1,
    PageUp: -1}[e.key];
  if (step) { e.preventDefault(); go(here() + step); }
  if (e.key === 'Home') { e.preventDefault(); go(0); }
  if (e.key === 'End') { e.preventDefault(); go(slides.length - 1); }
});
addEventListener('resize', fit);
fit();
if (+location.hash.slice(1)) go(+location.hash.slice(1) - 1);
"""


class Deck:
    """Slides in the making: blocks are added, headings open a slide."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.slides: list[list[str]] = []
        self.heading = self.section = ""
        self.size = 0
        self.skip = False

    def open(self, heading: Tag | None = None) -> None:
        """Begin a slide, under a new heading or again under the last."""
        if heading is None:
            self.slides.append([f'<h3 class="again">{self.heading}</h3>'])
        else:
            words = heading.decode_contents().strip()  # with its formulas
            self.heading = words
            self.slides.append([f"<{heading.name}>{words}</{heading.name}>"])
            self.skip = heading.get_text().strip() in SKIPPED[self.lang]
            if heading.name != "h3":
                self.section = words
        self.size = 0

    def add(self, block: str, size: int) -> None:
        """Put a block on the slide, or on a new one where it is full."""
        if self.skip:
            return
        if self.size and self.size + size > FULL:
            self.open()
        self.slides[-1].append(block)
        self.size += size

    def figure(self, block: str) -> None:
        """A slide for one picture."""
        if self.size:
            self.open()
        self.add(block, FULL)


def weight(node: Tag) -> int:
    """How much room a text takes, in Latin letters."""
    text = node.get_text().strip()
    wide = sum(letter > "\u2e7f" for letter in text)
    formulas = node.select('math[display="block"], math[display="block"] mtr')
    room = max(len(text) + wide, 90 * len(node.select("tr, li")))
    return room + 90 * len(formulas)


def block(deck: Deck, node: Tag, source: Path) -> None:
    """Put one block of a lesson's page on the slides."""
    classes = node.get("class") or []
    if node.name in ("h1", "h2", "h3"):
        deck.open(node)
    elif "tag_setup" in classes:
        return  # nobody sets a course up on a projector
    elif node.name == "section" or "cell" in classes:
        for child in node.find_all(recursive=False):
            block(deck, child, source)
    elif "cell_input" in classes:
        text = node.get_text().strip("\n")
        lines = text.count("\n") + 1
        label = CODE[deck.lang].format(lines)
        code = f"<pre><code>{escape(text)}</code></pre>"
        if lines > SHOWN:
            code = f"<details><summary>{label}</summary>{code}</details>"
        deck.add(code, 60 if lines > SHOWN else 40 * lines)
    elif "cell_output" in classes:
        for child in node.find_all(recursive=False):
            output(deck, child, source)
    elif node.name == "details":
        deck.add(str(node), FULL)
        deck.heading = deck.section  # the exercise ends with its answer
    else:
        deck.add(str(node), weight(node))


def output(deck: Deck, node: Tag, source: Path) -> None:
    """A result: pictures large, text as it was printed."""
    picture = node if node.name == "img" else node.find("img")
    if picture is not None:
        data = (source.parent / picture["src"]).read_bytes()
        code = base64.b64encode(data).decode("ascii")
        alt = escape(picture.get("alt", ""), quote=True)
        deck.figure(f'<img alt="{alt}" src="data:image/png;base64,{code}">')
        return
    text = node.get_text().strip("\n")
    if text and text != TEXT:  # the still pictures stand for a slider
        inner = f'<div class="output"><pre>{escape(text)}</pre></div>'
        deck.add(inner, 40 * (text.count("\n") + 1))


def slides(page: Path, lang: str) -> str:
    """The slides of one page of the site, as HTML."""
    html = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    article = html.select_one("article")
    for link in article.select("a.headerlink"):
        link.decompose()
    deck = Deck(lang)
    top = article.find("section")
    for child in (top or article).find_all(recursive=False):
        block(deck, child, page)
    body = "".join(
        f"<section>{''.join(parts)}</section>"
        for parts in deck.slides
        if len(parts) > 1 or parts[0].startswith("<h1")
    )
    title = escape(article.find("h1").get_text().strip())
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style>{body}"
        f"<script>{SCRIPT}</script></html>\n"
    )


def main() -> int:
    """Write the slides of the lessons asked for; 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", help="lessons such as 03")
    parser.add_argument("--lang", choices=["zh", "en"], default="zh")
    args = parser.parse_args()
    if make.edition(args.lang, strict=False):
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        pages = sorted((make.TARGET / args.lang).glob(f"{name[:2]}_*.html"))
        if not pages:
            print(f"slides: there is no lesson {name}", file=sys.stderr)
            return 1
        target = TARGET / f"{pages[0].stem}_{args.lang}.html"
        target.write_text(slides(pages[0], args.lang), encoding="utf-8")
        print(f"slides: open {target.relative_to(make.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
