"""Errors that a lesson makes on purpose."""

import re
from types import TracebackType

# What differs from torch 2.11 to 2.15 and teaches nothing: the operator named
# first ("mm: mat1 and mat2 shapes cannot be multiplied"), and "output 0 of
# ExpBackward0", now "of Exp". Without it all versions print the same.
_VARYING = re.compile(r"^(?:add|b|badd)?mm: |(?<=\w)Backward\d+(?=, is at)")


class expect_error:
    """Run lines that must fail and print the first line of the message.

    What differs between versions of torch and teaches nothing is left out.

    Args:
        kinds: the exceptions that may come.

    Raises:
        AssertionError: no error came, or one of another kind.
        TypeError: `kinds` are not exception classes.
    """

    def __init__(self, *kinds: type[BaseException]) -> None:
        if not kinds or not all(
            isinstance(k, type) and issubclass(k, BaseException) for k in kinds
        ):
            raise TypeError(
                "expect_error: exception classes expected, for example "
                f"RuntimeError, got {kinds!r}"
            )
        self.kinds = kinds

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        due = " or ".join(k.__name__ for k in self.kinds)
        if error is None:
            raise AssertionError(f"{due} was expected, but no error came")
        line = _VARYING.sub("", str(error)).strip().partition("\n")[0]
        line = re.sub(r"(?<!\d)0x[0-9a-fA-F]+", "0x…", line)  # an address
        text = f"{type(error).__name__}: {line}"
        if not isinstance(error, self.kinds):
            if not isinstance(error, Exception):
                return False  # somebody stopped the cell
            raise AssertionError(f"{due} was expected, got {text}") from error
        print(text)
        return True
