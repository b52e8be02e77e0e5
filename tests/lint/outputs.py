"""What is committed as output: stable, clean, and told in words."""

from __future__ import annotations

import ast
import getpass
import re

from .book import Book, first_line, shown

_NEVER = {
    "an address": re.compile(r"\b0x[0-9a-fA-F]{6,}"),
    "a path": re.compile(
        r"(?<![\w/])/(home|Users|root|tmp|usr|var|opt|private)/"
        r"|\b[A-Z]:\\"
    ),
}
_RARELY = {
    "a time": re.compile(
        r"\d ?(ms|µs|μs|us|ns|seconds?|minutes?)\b|\bit/s|\bs/it"
    ),
    "a version": re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])|\+cpu\b"),
}
_WIDGET = "application/vnd.jupyter.widget"


def no_errors(book: Book) -> list[str]:
    """Nothing on standard error, no error, in any committed output."""
    return [
        f"{lang}: {output.get('name', 'error')} after {first_line(cell)!r}"
        for lang in book.texts
        for cell, output in book.outputs(lang)
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]


def stable_text(book: Book) -> list[str]:
    """No addresses, paths, user names; times and versions only where ignored.

    A set is printed in an order that nothing promises.
    """
    wrong = []
    user = getpass.getuser()
    for cell, output in book.outputs():
        ignored = "nbval-ignore-output" in cell["metadata"].get("tags", [])
        text = shown(output)
        found = [
            what
            for what, pattern in {
                **_NEVER,
                **({} if ignored else _RARELY),
            }.items()
            if pattern.search(text)
        ]
        if len(user) > 4 and re.search(rf"\b{re.escape(user)}\b", text):
            found.append("the user's name")
        if _is_set(text):
            found.append("a set")
        wrong += [f"{what} after {first_line(cell)!r}" for what in found]
    return wrong


def alternative_text(book: Book) -> list[str]:
    """Every figure says in both languages what it shows."""
    wrong = []
    for lang in ("zh", "en"):
        for cell, output in book.outputs(lang):
            if "image/png" not in output.get("data", {}):
                continue
            alt = cell["metadata"].get("alt", {})
            given = output["metadata"].get("image/png", {}).get("alt")
            name = first_line(cell)
            if set(alt) != {"zh", "en"} or not all(alt.values()):
                wrong.append(f"{lang}: no `alt` in both languages: {name!r}")
            elif given != alt[lang]:
                wrong.append(f"{lang}: the figure says {given!r}: {name!r}")
            elif not re.search("[一-鿿]", alt["zh"]) or re.search(
                "[一-鿿]", alt["en"]
            ):
                wrong.append(f"`alt` in the wrong language: {name!r}")
    return wrong


def pictures_only_png(book: Book) -> list[str]:
    """PNG is the one picture, and no widget is saved."""
    return [
        f"{lang}: {mime} after {first_line(cell)!r}"
        for lang in book.texts
        for cell, output in book.outputs(lang)
        for mime in output.get("data", {})
        if mime.startswith(_WIDGET)
        or (mime.startswith("image/") and mime != "image/png")
    ]


def same_outputs(book: Book) -> list[str]:
    """Both editions show the same outputs but for the figure's words."""

    def bare(lang: str) -> list:
        for _, output in (pairs := list(book.outputs(lang))):
            output.get("metadata", {}).get("image/png", {}).pop("alt", None)
        return [output for _, output in pairs]

    return [] if bare("zh") == bare("en") else ["the outputs differ"]


def _is_set(text: str) -> bool:
    if not text.strip().startswith("{"):
        return False
    try:
        value = ast.literal_eval(text.strip())
    except (SyntaxError, ValueError):
        return False
    return isinstance(value, set) and len(value) > 1


RULES = (
    no_errors,
    stable_text,
    alternative_text,
    pictures_only_png,
    same_outputs,
)
