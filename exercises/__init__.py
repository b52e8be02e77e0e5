"""What judges an answer: `check.NAME(answer)` says right, or wrong and why."""

from .forms import draw, exercise, labelled, normal, says, variations
from .judge import Exercise, Mistake, Property, Rejection, Verdict, judge
from .parts import part
from .tables import about_shapes, entry, table

__all__ = [
    "Exercise",
    "Mistake",
    "Property",
    "Rejection",
    "Verdict",
    "about_shapes",
    "draw",
    "entry",
    "exercise",
    "judge",
    "labelled",
    "normal",
    "part",
    "says",
    "table",
    "variations",
]
