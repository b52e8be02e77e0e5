"""The rules of ``style.md`` and ``design.md``, one function each.

A rule takes a `Book` (a lesson's source and its two editions) and returns
what is wrong in sentences; nothing is wrong when the list is empty.
"""

from . import chinese, code, form, links, notebook, outputs, twins
from .book import Book, load
from .course import COURSE_RULES

RULES = {
    function.__name__: function
    for module in (form, notebook, code, outputs, twins, chinese, links)
    for function in module.RULES
}

__all__ = ["COURSE_RULES", "RULES", "Book", "load"]
