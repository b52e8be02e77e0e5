"""Answers that fill in a table: a dict with a value for each question."""

from collections.abc import Callable, Mapping
from typing import Any

from .compare import Sentence, shorten
from .judge import Rejection

Amiss = Callable[[str, Any, Any], Sentence]


def entry(answer: Any, question: str, questions: Any) -> Any:
    """What a dict holds for a question; a Rejection where it holds nothing."""
    if not isinstance(answer, Mapping):
        kind = type(answer).__name__
        raise Rejection(
            f"应交一个字典，得到 {kind}。", f"A dict is asked for, got {kind}."
        )
    if answer.get(question, ...) is ...:
        done = sum(answer.get(k, ...) is not ... for k in questions)
        raise Rejection(
            f"{question} 还没有填（已填 {done} 项，共 {len(questions)} 项）。",
            f"{question} is not filled in yet ({done} of {len(questions)} "
            "are).",
        )
    told = answer[question]
    return tuple(told) if isinstance(told, tuple | list) else told


def table(
    right: Mapping[str, Any],
    oracle: Callable[[str], Any] | None,
    amiss: Amiss | Mapping[str, Sentence],
    same: Callable[[Any, Any], bool] = lambda told, due: (
        repr(told) == repr(due)  # True is not 1
    ),
) -> dict[str, Any]:
    """The options of `exercise` for an answer that is a dict.

    A list or a `torch.Size` counts as the tuple of its numbers; a word, as
    "error", may be written in capitals.

    Args:
        right: the right answer; its keys are the questions.
        oracle: computes the value of a question; None takes `right`.
        amiss: what to look at where a value is wrong: a sentence for each
            question, or `amiss(question, told, due)` gives it.
        same: whether a value is the one that is due.

    Returns:
        `cases`, `oracle`, `adapt`, `compare` and `seeds`.
    """
    words = sorted(
        {v for v in right.values() if isinstance(v, str) and v.isalpha()}
    )

    def computed(question: str) -> tuple[str, Any]:
        return question, (oracle or right.__getitem__)(question)

    def adapt(answer: Any) -> Callable:
        if answer is computed:
            return computed

        def look_up(question: str) -> tuple[str, Any]:
            told = entry(answer, question, right)
            if isinstance(told, str) and told.strip().lower() in words:
                told = told.strip().lower()
            return question, told

        return look_up

    def compare(got: tuple[str, Any], due: tuple[str, Any]) -> bool:
        (question, told), (_, want) = got, due
        if same(told, want):
            return True
        if isinstance(amiss, Mapping):
            zh, en = amiss[question]
        else:
            zh, en = amiss(question, told, want)
        shape = isinstance(told, tuple)
        if want in words and told not in words and not shape:
            zh = f"可填的词：{'、'.join(words)}。"
            en = f"The words are: {', '.join(words)}."
        told = shorten(repr(told), 40)
        raise Rejection(
            f"{question}：{told} 不对。{zh}",
            f"{question}: {told} is not right. {en}",
        )

    return {
        "cases": lambda rng: ((question,) for question in right),
        "oracle": computed,
        "adapt": adapt,
        "compare": compare,
        "seeds": (0,),
    }


def about_shapes(
    fails: Sentence, runs: Sentence, axes: Sentence, sizes: Sentence
) -> Amiss:
    """What to look at where a shape is wrong, for `table`.

    Args:
        fails: the line raises an error, and a shape was given.
        runs: the line runs, and "error" was given.
        axes: the number of axes is wrong.
        sizes: the number of axes is right, a size is wrong.
    """

    def amiss(question: str, told: Any, due: Any) -> Sentence:
        if told == "error":
            return runs
        if not isinstance(told, tuple) or not all(
            type(n) is int for n in told
        ):
            return (
                "要一个整数的元组，如 (3, 5)，只有一个轴时如 (7,)。",
                "A tuple of ints such as (3, 5) is asked for, with one axis "
                "such as (7,).",
            )
        if due == "error":
            return fails
        return sizes if len(told) == len(due) else axes

    return amiss
