"""Take a text block apart: code, formulas, links, prose."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^(`{3,}).*?^\1`*[ \t]*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\\$])\$(?!\$)(.+?)(?<![\\$])\$(?!\$)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
_WORDS = re.compile(r"\\(?:text|mathrm|textbf)\{[^{}]*\}")


def fences(text: str) -> list[str]:
    """The fenced blocks of a text."""
    return [hit[0] for hit in _FENCE.finditer(text)]


def code(text: str) -> list[str]:
    """The inline code of a text."""
    return [hit[2].strip() for hit in _CODE.finditer(_FENCE.sub("", text))]


def formulas(text: str) -> list[str]:
    """The formulas of a text, without spaces and words inside them."""
    text = _CODE.sub("", _FENCE.sub("", text))
    found = [hit[1] for hit in _DISPLAY.finditer(text)]
    found += [hit[1] for hit in _INLINE.finditer(_DISPLAY.sub("", text))]
    return [re.sub(r"\s", "", _WORDS.sub("", formula)) for formula in found]


def links(text: str) -> list[tuple[str, str]]:
    """The words and the target of each link."""
    return [
        (hit[1], hit[2])
        for hit in _LINK.finditer(_CODE.sub("`", _FENCE.sub("", text)))
    ]


def prose(text: str) -> str:
    """The text as a reader speaks it.

    Fenced blocks and HTML tags are gone, a link leaves its words, inline code
    and formulas leave a letter, since they are spaced like Latin words.
    """
    text = _FENCE.sub("", text)
    text = _CODE.sub("X", text)
    text = _DISPLAY.sub("\n", text)
    text = _INLINE.sub("X", text)
    text = _LINK.sub(r"\1", text)
    text = re.sub(r"\{\{\w+\}\}|<[^>\n]+>", "", text)
    return re.sub(r"\*\*|(?<!\w)_|_(?!\w)|\*", "", text)


def blocks(text: str) -> dict[str, int]:
    """How many of each kind of block a text holds."""
    kinds: dict[str, int] = {}

    def count(kind: str) -> None:
        kinds[kind] = kinds.get(kind, 0) + 1

    for _ in fences(text):
        count("fenced block")
    bare = _FENCE.sub("\n", text)
    for _ in _DISPLAY.findall(bare):
        count("displayed formula")
    for part in re.split(r"\n\s*\n", _DISPLAY.sub("\n\n", bare)):
        paragraph = False
        for line in part.strip("\n").split("\n"):
            line = line.strip()
            heading = re.match(r"(#+) ", line)
            if heading:
                count(f"heading {len(heading[1])}")
            elif re.match(r"([-*+]|\d+\.) ", line):
                count("list item")
            elif line.startswith("|"):
                count("table row")
            elif line.startswith(">"):
                count("quoted line")
            elif line:
                paragraph = True
                continue
            else:
                continue
            paragraph = False
        if paragraph:
            count("paragraph")
    return kinds
