"""The texts of lesson 23: documentation (lesson 21), names of colours (13)."""

import random
from pydoc_data.topics import topics

import torch
from matplotlib.colors import XKCD_COLORS
from torch import Tensor


def _split(parts: list[str], glue: str) -> tuple[str, str]:
    """The training text and the held-out text, a tenth of the parts."""
    parts, n = random.Random(0).sample(parts, len(parts)), len(parts) // 10
    return glue.join(parts[n:]), glue.join(parts[:n])


# Each paragraph once, and eight neighbours together, as in lesson 21.
_once = [*dict.fromkeys("\n\n".join(topics.values()).split("\n\n"))]
_eight = ["\n\n".join(_once[i : i + 8]) for i in range(0, len(_once), 8)]
docs = _split(_eight, "\n\n")
colors = _split([name.removeprefix("xkcd:") for name in XKCD_COLORS], "\n")
characters = sorted({*"".join(docs + colors)})


def encode(text: str) -> Tensor:
    """A text as the numbers of its characters, (N,) int64."""
    number = {c: i for i, c in enumerate(characters)}
    return torch.tensor([number[c] for c in text])
