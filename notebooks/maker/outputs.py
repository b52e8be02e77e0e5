"""Outputs in the one form in which they are committed."""

from __future__ import annotations

import copy
import re

import nbformat

from .parts import Cell, Lesson, Problem

_ADDRESS = re.compile(r"[^\s<]*(?: object)? at 0x[0-9a-fA-F]{6,}")
_WIDGET = "application/vnd.jupyter.widget-view+json"


def normalise(outputs: list[dict], lesson: Lesson, cell: Cell) -> list[dict]:
    """A cell's outputs in the one form in which they are committed.

    Streams are joined, widgets leave only their text, pictures stand in one
    line of base64, and nothing names a language.
    """
    kept: list[dict] = []
    for output in copy.deepcopy(outputs):
        kind = output["output_type"]
        if kind == "error":
            raise Problem(lesson.path, cell.body, "an error in an output")
        if kind == "stream":
            if output["name"] == "stderr":
                raise Problem(lesson.path, cell.body, "text on standard error")
            text = _joined(output["text"])
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1]["text"] += text
            else:
                kept.append(
                    {"output_type": kind, "name": "stdout", "text": text}
                )
            continue
        data = {
            mime: _value(mime, value)
            for mime, value in sorted(output["data"].items())
            if mime != _WIDGET
        }
        meta = dict(output.get("metadata", {}))
        if "image/png" in data:
            if cell.alt is None:
                raise Problem(
                    lesson.path, cell.line, "this cell's figure has no `alt`"
                )
            picture = dict(meta.get("image/png", {}))
            picture.pop("alt", None)
            meta["image/png"] = picture
        if data:
            kept.append({"output_type": kind, "data": data, "metadata": meta})
    if "nbval-ignore-output" not in cell.tags:
        for output in kept:
            _judge_stable(output, lesson, cell)
    shown = any("image/png" in output.get("data", {}) for output in kept)
    if cell.alt is not None and not shown:
        raise Problem(
            lesson.path, cell.line, "`alt` on a cell that shows no figure"
        )
    return kept


def _judge_stable(output: dict, lesson: Lesson, cell: Cell) -> None:
    texts = [output.get("text", "")]
    texts += [
        value
        for mime, value in output.get("data", {}).items()
        if mime.startswith("text/")
    ]
    for text in texts:
        address = _ADDRESS.search(text)
        if address:
            raise Problem(
                lesson.path,
                cell.body,
                f"the output holds a memory address, which differs in every "
                f"run: {address[0]}",
            )


def _value(mime: str, value):
    if mime == "image/png":
        return re.sub(r"\s", "", _joined(value))
    text = mime.startswith("text/") or mime == "image/svg+xml"
    return _joined(value) if text else value


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def spoken(
    outputs: list[dict], cell: Cell, lang: str, count: int
) -> list[nbformat.NotebookNode]:
    """Normal outputs with the count and the figure's words put in."""
    outputs = copy.deepcopy(outputs)
    for output in outputs:
        if "image/png" in output.get("data", {}):
            output["metadata"]["image/png"]["alt"] = cell.alt[lang]
        if output["output_type"] == "execute_result":
            output["execution_count"] = count
    return nbformat.from_dict(outputs)
