"""In a lesson's kernel: what its sliders show, as pictures of a coarse grid.

`record(folder)` makes every `widgets.explore` that follows leave there, under
its number, one picture for each point of the grid, and `told.json`: its
controls, and the pictures in words.
"""

from __future__ import annotations

import io
import itertools
import json
import math
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image

from helpers import graphs, plots, widgets

MOST = 60  # pictures of one widget
COLORS = 256  # of one picture


def record(folder: str) -> None:
    """From now on `widgets.explore` leaves its pictures in `folder`."""
    explore, number = widgets.explore, itertools.count()

    def recorded(draw, *, panel=(), **controls):
        explorer = explore(draw, panel=panel, **controls)
        shoot(explorer, Path(folder, str(next(number))))
        return explorer

    widgets.explore = recorded


def shoot(explorer: widgets.Explorer, folder: Path) -> None:
    """Write the pictures of one explorer; none where text is typed."""
    folder.mkdir(parents=True)
    shown, start = explorer.controls, explorer.values
    grid = {name: values(control) for name, control in shown.items()}
    typed = any(isinstance(c, ipywidgets.Text) for c in shown.values())
    stored = [] if typed else points(grid, start, explorer.settings)
    alts: dict[str, list[str]] = {"zh": [], "en": []}
    for number, point in enumerate(stored):
        for name, control in shown.items():
            control.value = point[name]
        if explorer.error:
            raise explorer.error
        with Image.open(io.BytesIO(explorer.image.value)) as picture:
            small = picture.quantize(COLORS, dither=Image.Dither.NONE)
        small.save(folder / f"{number}.png", optimize=True)
        said = ", ".join(
            f"{control.description} = {written(control, point[name])}"
            for name, control in shown.items()
        )
        figure = explorer.figure
        graph = isinstance(figure, graphs.Drawing)
        alt = figure.alt if graph else plots.describe(figure)
        zh, en = alt.split("。 / ", 1)
        alts["zh"].append(f"{said}。{zh}。")
        alts["en"].append(f"{said}. {en}")
    whole = len(stored) == math.prod(map(len, grid.values()))
    if stored:
        grid = {
            name: [v for v in found if any(v == p[name] for p in stored)]
            for name, found in grid.items()
        }
    told = {
        "controls": [
            {
                "name": control.description,
                "kind": type(control).__name__,
                "values": [written(control, value) for value in grid[name]],
                "at": grid[name].index(nearest(start[name], grid[name])),
            }
            for name, control in shown.items()
        ],
        "points": [
            [grid[name].index(value) for name, value in point.items()]
            for point in stored
        ],
        "alts": alts,
        "whole": whole,
    }
    text = json.dumps(told, ensure_ascii=False)
    (folder / "told.json").write_text(text, encoding="utf-8")


def written(control: ipywidgets.Widget, value: Any) -> str:
    """A value as its control shows it."""
    return format(value, getattr(control, "readout_format", ""))


def values(control: ipywidgets.Widget) -> list:
    """All values that a control can take; of a text, the one it has."""
    if isinstance(control, ipywidgets.Text):
        return [control.value]
    if isinstance(control, ipywidgets.Checkbox):
        return [False, True]
    if isinstance(control, ipywidgets.Dropdown):
        return [*control.options]
    steps = math.floor((control.max - control.min) / control.step + 1e-9)
    kind = type(control.value)
    return [kind(control.min + k * control.step) for k in range(steps + 1)]


def points(grid: dict, start: dict, settings: list[dict]) -> list[dict]:
    """At most `MOST` points of the grid; the start and the panel are kept.

    All combinations of some values of each control, if that leaves three of
    each; otherwise each control alone runs through its values.
    """

    def few(total, most):
        counts = {name: len(found) for name, found in grid.items()}
        while total(counts.values()) > most:
            counts[max(counts, key=counts.get)] -= 1
        return {
            name: thin(
                found,
                [start[name], *(s[name] for s in settings if name in s)],
                counts[name],
            )
            for name, found in grid.items()
        }

    start = {name: nearest(start[name], grid[name]) for name in grid}
    some = few(math.prod, MOST)
    if all(len(some[name]) >= min(3, len(grid[name])) for name in grid):
        return [
            dict(zip(some, point, strict=True))
            for point in itertools.product(*some.values())
        ]
    some = few(sum, MOST - len(settings))
    found = [start | {name: v} for name in some for v in some[name]]
    for setting in settings:
        near = {n: nearest(v, grid[n]) for n, v in setting.items()}
        found.append(start | near)
    return [point for k, point in enumerate(found) if point not in found[:k]]


def thin(found: list, wanted: list, count: int) -> list:
    """`count` of the values, evenly, each wanted one for its neighbour."""
    last = len(found) - 1
    kept = {round(last * k / max(count - 1, 1)) for k in range(count)}
    fixed: set[int] = set()
    for value in wanted:
        at = found.index(nearest(value, found))
        if at not in kept and kept - fixed:
            kept.remove(min(kept - fixed, key=lambda k: abs(k - at)))
            kept.add(at)
        fixed.add(at)
    return [found[k] for k in sorted(kept)]


def nearest(value: Any, found: list) -> Any:
    """The value itself, or the number that is nearest to it."""
    if value in found:
        return value
    return min(found, key=lambda other: abs(other - value))
