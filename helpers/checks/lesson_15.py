"""Checks of lesson 15, the formula: attention with a mask."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .engine import Exercise, Mistake, Property


def _normal(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def _sizes(rng: torch.Generator, low: int, high: int, n: int) -> list[int]:
    """n different integers from low to high, both included."""
    picked = torch.randperm(high - low + 1, generator=rng)[:n]
    return [low + int(i) for i in picked]


def _hide(scores: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return scores
    return scores.masked_fill(~mask, -torch.inf)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT / math.sqrt(q.shape[-1])


def _reference(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def _masked(
    scale: Callable[[Tensor, Tensor], float] = lambda q, v: q.shape[-1] ** 0.5,
    hide: Callable[[Tensor, Tensor], Tensor] = _hide,
    dim: int = -1,
) -> Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]:
    """Attention whose scale, way to mask and axis of softmax are given."""

    def answer(q, k, v, mask):
        scores = q @ k.mT / scale(q, v)
        if mask is not None:
            scores = hide(scores, mask)
        return scores.softmax(dim=dim) @ v

    return answer


def _hidden_afterwards(renormalise: bool):
    def answer(q, k, v, mask):
        weights = _scores(q, k).softmax(dim=-1)
        if mask is not None:
            weights = weights * mask
        if renormalise:
            weights = weights.softmax(dim=-1)
        return weights @ v

    return answer


def _no_softmax(q, k, v, mask):
    scores = _scores(q, k)
    if mask is not None:
        scores = scores * mask
    return scores / scores.sum(dim=-1, keepdim=True) @ v


def _keys_for_values(q, k, v, mask):
    return _hide(_scores(q, k), mask).softmax(dim=-1) @ k


def _masked_cases(rng: torch.Generator) -> Iterator[tuple]:
    for kind in ("none", "queries", "sentences", "half"):
        B, N, M, D, D_v = _sizes(rng, 2, 8, 5)
        mask = None
        if kind in ("queries", "half"):
            mask = torch.rand(N, M, generator=rng) < 0.6
            mask[torch.arange(N), torch.arange(N) % M] = True
        if kind == "sentences":
            mask = torch.rand(B, 1, M, generator=rng) < 0.6
            mask[torch.arange(B), 0, torch.arange(B) % M] = True
        parts = (_normal(rng, *s) for s in ((B, N, D), (B, M, D), (B, M, D_v)))
        dtype = torch.float32 if kind == "half" else torch.float64
        yield (*(part.to(dtype) for part in parts), mask)


def _equal_keys_average(answer, rng):
    B, N, M, D, D_v = _sizes(rng, 2, 8, 5)
    q, v = _normal(rng, B, N, D), _normal(rng, B, M, D_v)
    k = _normal(rng, B, 1, D).expand(B, M, D).contiguous()
    mask = torch.arange(M).expand(N, M) < torch.arange(N)[:, None] % M + 1
    mean = mask.double() @ v / mask.sum(dim=-1, keepdim=True)
    low = -40 * torch.ones(B, M, D, dtype=torch.float64)
    return torch.allclose(
        answer(q, k, v.clone(), mask.clone()), mean
    ) and torch.allclose(answer(torch.ones_like(q), low, v, mask), mean)


masked_attention = Exercise(
    reference=_reference,
    cases=_masked_cases,
    mistakes=(
        Mistake(
            _masked(scale=lambda q, v: 1.0),
            "你的结果等于没有除以 √D 时的结果：分数应是 q·k / √D，"
            "D = q.shape[-1]。",
            "Your result equals what you get without the division by √D: "
            "a score is q·k / √D, with D = q.shape[-1].",
        ),
        Mistake(
            _masked(scale=lambda q, v: float(q.shape[-1])),
            "你除以了 D，而不是 √D：点积的标准差是 √D。",
            "You divide by D and not by √D: the standard deviation of a dot "
            "product is √D.",
        ),
        Mistake(
            _masked(scale=lambda q, v: q.shape[-1] ** -0.5),
            "你乘以了 √D，应该除以它。",
            "You multiply by √D; divide by it.",
        ),
        Mistake(
            _masked(scale=lambda q, v: v.shape[-1] ** 0.5),
            "√D 里的 D 取成了值的宽度。点积在 q 与 k 之间，D 是 q（和 k）"
            "最后一个轴的大小。",
            "Your D is the width of the values. The dot product is between q "
            "and k, so D is the size of their last axis.",
        ),
        Mistake(
            _masked(dim=-2),
            "softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）"
            "之和为 1，即 dim=-1。",
            "The wrong axis for softmax: your columns add up to 1; it is the "
            "rows (one for each query) that should, dim=-1.",
        ),
        Mistake(
            _masked(dim=0),
            "softmax 沿着批次的轴做了：不同的句子被混在一起。应是 dim=-1。",
            "Your softmax runs along the batch and mixes sentences. It is "
            "dim=-1.",
        ),
        Mistake(
            _masked(hide=lambda s, m: s.masked_fill(m, -torch.inf)),
            "掩码反了：这里 True 表示可以看，你遮掉的正是可以看的。"
            "用 masked_fill(~mask, ...)。",
            "The mask is the wrong way round: True means may be looked at, "
            "and that is what you hide. Use masked_fill(~mask, ...).",
        ),
        Mistake(
            _masked(hide=lambda s, m: s.masked_fill(m, -1e9)),
            "掩码反了：True 表示可以看，你给可以看的位置填了很小的数。"
            "用 masked_fill(~mask, ...)。",
            "The mask is the wrong way round: True means may be looked at, "
            "and there you fill in a very low score. Use "
            "masked_fill(~mask, ...).",
        ),
        Mistake(
            _masked(hide=lambda s, m: s * m),
            "你用乘法把分数变成了 0，或填了 0，但 e⁰ = 1，不许看的位置仍有"
            "权重。在 softmax 之前填 -inf。",
            "You turned scores into 0, but e⁰ = 1, so the forbidden "
            "positions still have weight. Fill in -inf before softmax.",
        ),
        Mistake(
            _masked(hide=lambda s, m: s + m),
            "掩码被加到了分数上：可以看的只多了 1，谁也没有被遮住。",
            "The mask was added to the scores: what may be looked at got 1 "
            "more, and nobody is hidden.",
        ),
        Mistake(
            _hidden_afterwards(renormalise=False),
            "你在 softmax 之后才把权重变成 0：每行之和小于 1，被遮的分数还在"
            "分母里。先遮，再做 softmax。",
            "You set weights to 0 after softmax: rows add up to less than 1, "
            "and hidden scores are still in the denominator. Mask first.",
        ),
        Mistake(
            lambda q, k, v, mask: (
                _hide(_scores(q, k), mask).softmax(dim=-1).softmax(dim=-1) @ v
            ),
            "softmax 做了两次：第二次把权重又拉平了。只对分数做一次。",
            "softmax was applied twice, and the second time evens the weights "
            "out: apply it once, to the scores.",
        ),
        Mistake(
            _hidden_afterwards(renormalise=True),
            "你对权重又做了一次 softmax：0 的权重变成了 e⁰ / …，又看得见了。"
            "先遮分数，只做一次 softmax。",
            "You applied softmax to the weights again: a weight of 0 becomes "
            "e⁰ / … and is visible again. Mask the scores, one softmax.",
        ),
        Mistake(
            _masked(hide=lambda s, m: s),
            "掩码没有用上：结果与 mask=None 时相同。",
            "The mask has no effect: your result is that of mask=None.",
        ),
        Mistake(
            _no_softmax,
            "没有取指数：分数有正有负，直接除以总和得不到权重。用 softmax。",
            "The exponential is missing: scores of both signs divided by "
            "their sum are no weights. Use softmax.",
        ),
        Mistake(
            _keys_for_values,
            "权重乘到了键上：被平均的应是值，weights @ v。",
            "The weights multiply the keys: what is averaged are the values, "
            "weights @ v.",
        ),
    ),
    properties=(
        Property(
            _equal_keys_average,
            "所有键都相等时，权重应当相等，输出应是可以看的那些值的平均，"
            "分数再小也一样：遮掉要用 -inf，不是 -30 这样的数。",
            "When all keys are equal the weights should be equal, and the "
            "output the mean of the values that may be looked at, however "
            "small the scores: hide with -inf, not with a number like -30.",
        ),
    ),
)
