"""Answers that fill in a table: a dict with a value for each question."""

from collections.abc import Callable, Mapping
from typing import Any

from .compare import Sentence, shorten
from .judge import Rejection


def table(
    right: Mapping[str, Any],
    oracle: Callable[[str], Any],
    hints: Mapping[str, Sentence],
) -> dict[str, Any]:
    """The options of `exercise` for an answer that is a dict.

    A list or a `torch.Size` counts as the tuple of its numbers; a word, as
    "error", may be written in capitals.

    Args:
        right: the right answer; its keys are the questions.
        oracle: computes the value of a question.
        hints: what to look at where the value of a question is wrong.

    Returns:
        `cases`, `oracle`, `adapt`, `compare` and `seeds`.
    """

    words = sorted(
        {v for v in right.values() if isinstance(v, str) and v.isalpha()}
    )

    def computed(question: str) -> tuple[str, Any]:
        return question, oracle(question)

    def adapt(answer: Any) -> Callable:
        if answer is computed:
            return computed

        def look_up(question: str) -> tuple[str, Any]:
            if not isinstance(answer, Mapping):
                kind = type(answer).__name__
                raise Rejection(
                    f"应交一个字典，得到 {kind}。",
                    f"A dict is asked for, got {kind}.",
                )
            told = answer.get(question, ...)
            if told is ...:
                done = sum(answer.get(k, ...) is not ... for k in right)
                raise Rejection(
                    f"{question} 还没有填（已填 {done} 项，"
                    f"共 {len(right)} 项）。",
                    f"{question} is not filled in yet ({done} of "
                    f"{len(right)} are).",
                )
            if isinstance(told, tuple | list):
                told = tuple(told)
            if right[question] in words and isinstance(told, str | None):
                was, told = told, str(told).strip().lower()
                if told not in words:
                    known = "、".join(words), ", ".join(words)
                    raise Rejection(
                        f"{question}：{was!r} 不是可填的词：{known[0]}。",
                        f"{question}: {was!r} is none of the words: "
                        f"{known[1]}.",
                    )
            return question, told

        return look_up

    def compare(got: tuple[str, Any], due: tuple[str, Any]) -> bool:
        (question, told), (_, want) = got, due
        if type(told) is type(want) and told == want:
            return True
        zh, en = hints[question]
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
