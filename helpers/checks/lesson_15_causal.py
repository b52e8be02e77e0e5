"""Checks of lesson 15, causality: the property itself is tested."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .compare import difference
from .engine import Exercise, Mistake, Property, Rejection
from .lesson_15 import _hide, _normal, _scores, _sizes


def _causal_reference(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def _triangle(N: int, diagonal: int = 0) -> Tensor:
    return torch.ones(N, N, dtype=torch.bool).tril(diagonal)


def _causal(
    mask: Callable[[int], Tensor],
    hide: Callable[[Tensor, Tensor], Tensor] = _hide,
    scale: Callable[[Tensor], float] = lambda q: q.shape[-1] ** 0.5,
    dim: int = -1,
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def answer(q, k, v):
        scores = q @ k.mT / scale(q)
        return hide(scores, mask(q.shape[-2])).softmax(dim=dim) @ v

    return answer


def _zeroed(q, k, v):
    return _scores(q, k).softmax(dim=-1).tril() @ v


def _causal_cases(rng: torch.Generator) -> Iterator[tuple]:
    for _ in range(2):
        shape = _sizes(rng, 2, 8, 4)
        yield tuple(_normal(rng, *shape) for _ in range(3))


def _only_form(got, expected) -> None:
    """Type, shape and dtype; the properties judge the values."""
    if isinstance(got, Tensor) and (got.shape, got.dtype) == (
        expected.shape,
        expected.dtype,
    ):
        return
    zh, en = difference(got, expected)
    raise Rejection(f"{zh}。", f"{en[0].upper()}{en[1:]}.")


def _edited(rng: torch.Generator, later: bool) -> Iterator[tuple]:
    """(t, inputs, inputs changed after t or before t), a few times."""
    B, H, D = _sizes(rng, 2, 5, 3)
    N = 6
    for t in (0, 2, N - 2) if later else (1, 3, N - 1):
        inputs = [_normal(rng, B, H, N, D) for _ in range(3)]
        if later:  # scores far below 0: to lower the future is not enough
            inputs[0] *= 60
        edited = [part.clone() for part in inputs]
        part = slice(t + 1, None) if later else slice(t)
        for one in edited:
            one[..., part, :] = _normal(rng, *one[..., part, :].shape)
        yield t, inputs, edited


def _finite(answer, rng):
    inputs = [_normal(rng, 2, 3, 6, 4) for _ in range(3)]
    return bool(answer(*inputs).isfinite().all())


def _future_is_hidden(answer, rng):
    for t, inputs, edited in _edited(rng, later=True):
        moved = answer(*edited) - answer(*inputs)
        moved = moved.abs().amax(dim=(0, 1, 3))
        rows = (moved[: t + 1] > 1e-9).nonzero().flatten().tolist()
        if rows:
            raise Rejection(
                f"未来泄漏了：只改动位置 {t} 以后的 q、k、v，位置 {rows[0]} "
                f"的输出变了 {moved[rows[0]]:.2g}。",
                f"The future leaks: q, k, v were changed after position {t} "
                f"only, and the output at position {rows[0]} moved by "
                f"{moved[rows[0]]:.2g}.",
            )


def _past_is_seen(answer, rng):
    for t, inputs, edited in _edited(rng, later=False):
        edited[0] = inputs[0]  # the queries stay, keys and values change
        moved = answer(*edited) - answer(*inputs)
        moved = moved.abs().amax(dim=(0, 1, 3))
        rows = (moved[t:] < 1e-9).nonzero().flatten().tolist()
        if rows:
            raise Rejection(
                f"看不到过去：改动了位置 {t} 以前的 k 和 v，位置 "
                f"{t + rows[0]} 的输出却没有变。",
                f"The past is not seen: k and v were changed before position "
                f"{t}, but the output at position {t + rows[0]} did not move.",
            )


def _sees_itself(answer, rng):
    q, k, v = (_normal(rng, 2, 3, 6, 4) for _ in range(3))
    return torch.allclose(answer(q, k, v)[..., 0, :], v[..., 0, :])


def _is_an_average(answer, rng):
    q, k = _normal(rng, 2, 3, 6, 4), _normal(rng, 2, 3, 6, 4)
    ones = torch.ones(2, 3, 6, 4, dtype=torch.float64)
    return torch.allclose(answer(q, k, ones), ones)


def _has_the_values(answer, rng):
    inputs = [_normal(rng, 2, 3, 6, 4) for _ in range(3)]
    return torch.allclose(answer(*inputs), _causal_reference(*inputs))


causal_attention = Exercise(
    reference=_causal_reference,
    cases=_causal_cases,
    compare=_only_form,
    mistakes=(
        Mistake(
            _causal(lambda N: torch.ones(N, N, dtype=torch.bool)),
            "没有掩码：每个位置都看到了未来。",
            "There is no mask: every position sees the future.",
        ),
        Mistake(
            _causal(lambda N: ~_triangle(N)),
            "掩码反了：每个位置只看未来，最后一个谁也看不到，得到 nan。"
            "遮掉的应是右上角。",
            "The mask is the wrong way round: each position sees only the "
            "future, the last one nobody, which is nan. Hide the upper right.",
        ),
        Mistake(
            _causal(lambda N: _triangle(N).T),
            "你留下的是右上角（triu）：每个位置看自己和未来。应留下左下角"
            "（tril）。",
            "You keep the upper right (triu): each position sees itself and "
            "the future. Keep the lower left (tril).",
        ),
        Mistake(
            _causal(lambda N: _triangle(N, -1)),
            "对角线也被遮掉了：每个位置应当看得到自己，否则第 0 行全遮，"
            "得到 nan。",
            "The diagonal is hidden too: each position may see itself, "
            "otherwise row 0 is hidden completely and gives nan.",
        ),
        Mistake(
            _causal(lambda N: _triangle(N, 1)),
            "多看了一个：位置 i 还看到了位置 i + 1。",
            "One too many: position i also sees position i + 1.",
        ),
        Mistake(
            _causal(_triangle, hide=lambda s, m: s * m),
            "分数乘以 0 只是把分数变成 0，e⁰ = 1，未来仍有权重。"
            "在 softmax 之前填 -inf。",
            "A score times 0 is the score 0, and e⁰ = 1: the future still "
            "has weight. Fill in -inf before softmax.",
        ),
        Mistake(
            _causal(_triangle, dim=-2),
            "softmax 的轴错了：每一列之和为 1，后面的查询也进了分母。应让"
            "每一行之和为 1，dim=-1。",
            "The wrong axis for softmax: columns add up to 1, and later "
            "queries are in the denominator. It is the rows that should add "
            "up to 1, dim=-1.",
        ),
        Mistake(
            _zeroed,
            "softmax 之后再把权重变成 0 太迟了：未来的分数还在分母里，"
            "每行之和也不是 1。",
            "Setting weights to 0 after softmax comes too late: the future's "
            "scores are in the denominator, and rows do not add up to 1.",
        ),
        Mistake(
            _causal(_triangle, scale=lambda q: 1.0),
            "掩码是对的，但忘了除以 √D。",
            "The mask is right, but the division by √D is missing.",
        ),
    ),
    properties=(
        Property(
            _finite,
            "输出里有 nan 或 inf：有一行被全部遮掉了吗？",
            "The output holds nan or inf: is a row hidden completely?",
        ),
        Property(
            _future_is_hidden,
            "改动未来，过去的输出变了。",
            "The future was changed and the past moved.",
        ),
        Property(
            _past_is_seen,
            "改动过去，后面的输出没有变。",
            "The past was changed and what follows did not move.",
        ),
        Property(
            _sees_itself,
            "位置 0 只看得到自己，输出应等于 v 的第 0 行。",
            "Position 0 sees only itself, so its output is row 0 of v.",
        ),
        Property(
            _is_an_average,
            "v 全是 1 时输出应全是 1：每行权重之和不是 1。",
            "With v all 1 the output should be all 1: the weights of a row "
            "do not add up to 1.",
        ),
        Property(
            _has_the_values,
            "没有偷看未来，但数值与 softmax(q kᵀ / √D) v 不同。",
            "The future is hidden, but the values are not those of "
            "softmax(q kᵀ / √D) v.",
        ),
    ),
)
