"""Properties that several exercises share."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .forms import Holds, says, variations
from .judge import Property, Rejection


def finite(
    zh: str = "输出里有 nan 或 inf。", en: str = "The output holds nan or inf."
) -> Holds:
    """The output holds neither nan nor inf."""
    return Holds(lambda f, *x: bool(f(*x).isfinite().all()), zh, en)


# --- attention -------------------------------------------------------------


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """How far each position of an output moves, (N,); axis -2 is N."""
    moved = (after - before).abs()
    return moved.transpose(-2, -1).flatten(0, -2).amax(dim=0)


def _renewed(inputs: list, part: slice, which: slice = slice(None)) -> list:
    """Copies of the inputs, with other numbers at the positions `part`."""
    new = [x.clone() for x in inputs]
    for x in new[which]:
        x[..., part, :] = torch.randn_like(x[..., part, :])
    return new


@says("未来泄漏了。", "The future leaks.")
def hides_the_future(f: Callable, *inputs: Tensor) -> None:
    """What comes after t does not move the outputs up to t."""
    q, *others = (x.double() for x in inputs)
    inputs = [60 * q, *others]  # to lower the future is not to hide it
    before = f(*inputs)
    for t in range(inputs[0].shape[-2] - 1):
        moved = _moved(before, f(*_renewed(inputs, slice(t + 1, None))))
        for row in (moved[: t + 1] > 1e-9).nonzero().flatten().tolist():
            raise Rejection(
                f"未来泄漏了：只改动位置 {t} 以后的输入，位置 {row} "
                f"的输出变了 {moved[row]:.2g}。",
                f"The future leaks: inputs were changed after position {t} "
                f"only, and the output at position {row} moved by "
                f"{moved[row]:.2g}.",
            )


@says("看不到过去。", "The past is not seen.")
def sees_the_past(f: Callable, *inputs: Tensor) -> None:
    """What came before t moves every output from t on; queries stay."""
    before = f(*inputs)
    for t in range(1, inputs[0].shape[-2]):
        after = f(*_renewed(inputs, slice(t), slice(1, None)))
        moved = _moved(before, after)
        for row in (moved[t:] < 1e-9).nonzero().flatten().tolist():
            raise Rejection(
                f"看不到过去：改动了位置 {t} 以前的输入，位置 {t + row} "
                "的输出却没有变。",
                "The past is not seen: inputs were changed before position "
                f"{t}, but the output at position {t + row} did not move.",
            )


# --- gradients -------------------------------------------------------------


def same_gradients(right: Callable) -> Holds:
    """Gradients of the (first) result are those of the right answer.

    With respect to every floating input, of a weighted sum of the result.
    Nothing is said of results that are wrong themselves.

    Args:
        right: the right answer, or PyTorch's own function.
    """

    def test(f: Callable, *inputs: Any) -> bool:
        y, got = _gradients(f, inputs)
        due, want = _gradients(right, inputs)
        near = 1e-2 if y.dtype == torch.float32 else 1e-6
        if y.shape != due.shape or not _near([y], [due], near / 10):
            return True  # values are told by themselves
        return _near(got, want, near)

    return Holds(
        test,
        "输出对了，传回去的梯度不对：有一部分与计算图断开了（detach、.data、"
        "numpy、no_grad），或者梯度里有 nan。",
        "The output is right, the gradients that go back are not: a part is "
        "cut off from the graph (detach, .data, numpy, no_grad), or they hold "
        "nan.",
    )


def _gradients(f: Callable, inputs: tuple) -> tuple[Tensor, list[Tensor]]:
    """The (first) result, and what goes back to every floating input."""
    inputs = tuple(
        x.detach().clone().requires_grad_()
        if isinstance(x, Tensor) and x.is_floating_point() else x
        for x in inputs
    )  # fmt: skip
    y = f(*inputs)
    y = y[0] if isinstance(y, (tuple, list)) else y
    if not (isinstance(y, Tensor) and y.requires_grad):
        raise Rejection(
            "结果与计算图断开了：输入需要梯度，结果却没有 grad_fn。",
            "The result is cut off from the graph: an input requires "
            "gradients, but the result has no grad_fn.",
        )
    leaves = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    factors = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)
    try:
        return y, list(
            torch.autograd.grad(
                (y * factors).sum(), leaves, materialize_grads=True
            )
        )
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise Rejection(
            "能算出结果，反向传播却出错：求梯度要用的张量被原地改动了。每次写进"
            "新的张量；各行先收进列表，最后 torch.stack。",
            "The result is computed, but backward fails: a tensor that "
            "gradients need was changed in place. Write into a new one each "
            "time; collect rows in a list, and torch.stack them at the end.",
        ) from None


def _near(got: list[Tensor], want: list[Tensor], share: float) -> bool:
    """Whether they differ by a share of the largest number at most."""
    sizes = (x.detach().nan_to_num(0, 0, 0).abs() for x in want if x.numel())
    most = max((x.max().item() for x in sizes), default=0)
    return all(
        torch.allclose(x, y.to(x.dtype), share, share * most, True)
        for x, y in zip(got, want, strict=True)
    )


# --- the form that a text demands ------------------------------------------


class _Calls(TorchFunctionMode):
    """Notes the names of the torch functions called: matmul, sum, ..."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name == "__get__" and function.__self__.__name__ in ("T", "mT"):
            name = "T"
        if name not in ("__get__", "dim", "size", "stride"):
            self.names.append(name)
        return function(*args, **(kwargs or {}))


def called(function: Callable, *args) -> list[str]:
    """The names of the torch functions that a call uses, in their order.

    `x @ w` is matmul, `x[0]` is __getitem__, `for row in x` is unbind,
    `nn.Linear` is linear; see `torch.overrides`.
    """
    with _Calls() as calls:
        function(*args)
    return calls.names


def without(
    names: str, zh: str, en: str, run: Callable | None = None
) -> Holds:
    """The answer calls none of the named torch functions.

    Args:
        names: with spaces between; a name stands for `name`, `__name__`,
            `__rname__` and `name_`.
        zh: the sentence in Chinese.
        en: the same in English.
        run: `run(answer, *case)` in place of calling the answer.
    """
    banned = set(names.split())

    def test(f: Callable, *case) -> bool:
        used = called(run, f, *case) if run else called(f, *case)
        bare = {n.strip("_") for n in used}
        return not banned & (bare | {n.removeprefix("r") for n in bare})

    return Holds(test, zh, en)


def no_loop(
    shapes: str,
    zh: str = "函数里有循环：输入变大，对 torch 函数的调用也变多了。",
    en: str = "There is a loop in it: with larger inputs it calls more torch "
    "functions.",
    cases: Callable | None = None,
) -> Property:
    """Larger inputs take as many calls of torch functions as small ones.

    Args:
        shapes: as for `draw`; every letter grows by itself.
        zh: the sentence in Chinese.
        en: the same in English.
        cases: `cases(sizes)` makes the arguments for a `Sizes`, where normal
            tensors of `shapes` do not do.
    """
    words = shapes.split(",")

    def test(f: Callable, rng: torch.Generator) -> bool:
        s = next(variations(rng, " ".join(words), low=3, high=9))

        def count() -> int:
            case = cases(s) if cases else [s.normal(word) for word in words]
            return len(called(f, *case))

        few = count()
        for letter in list(s):
            small, s[letter] = s[letter], 3 * s[letter]
            if count() != few:
                return False
            s[letter] = small
        return True

    return Property(test, zh, en)


def limited(run: Callable, lines: int = 300_000) -> bool:
    """Whether `run()` ends before it has passed that many lines of Python."""
    left = iter(range(lines))

    class Over(Exception):
        pass

    def count(frame, event, arg):
        if next(left, None) is None:
            raise Over
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    except Over:
        return False
    finally:
        sys.settrace(before)
    return True
