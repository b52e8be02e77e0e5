"""Checks of lesson 15, padding: pads do not matter, nothing is nan."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake, Property, Rejection
from .lesson_15 import _hide, _normal, _scores


def _real(lengths: Tensor, N: int) -> Tensor:
    """lengths: (B,) -> (B, 1, N), True where a position is real."""
    return (torch.arange(N) < lengths[:, None])[:, None, :]


def _padded_reference(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor
) -> Tensor:
    mask = _real(lengths, k.shape[-2])
    weights = _hide(_scores(q, k), mask).softmax(dim=-1)
    return weights.nan_to_num() @ v


def _padded(
    mask: Callable[[Tensor, int], Tensor] = _real,
    hide: Callable[[Tensor, Tensor], Tensor] = _hide,
    finish: Callable[[Tensor, Tensor], Tensor] = lambda w, m: w.nan_to_num(),
    score: Callable[[Tensor, Tensor], Tensor] = _scores,
    dim: int = -1,
) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    def answer(q, k, v, lengths):
        real = mask(lengths, k.shape[-2])
        weights = hide(score(q, k), real).softmax(dim=dim)
        return finish(weights, real) @ v

    return answer


def _output_cleaned(q, k, v, lengths):
    weights = _hide(_scores(q, k), _real(lengths, k.shape[-2])).softmax(-1)
    return (weights @ v).nan_to_num()


def _pad_queries_too(q, k, v, lengths):
    real = _real(lengths, k.shape[-2])
    return _padded_reference(q, k, v, lengths) * real.mT


def _padded_cases(rng: torch.Generator) -> Iterator[tuple]:
    for shape in ((3, 5, 4), (4, 7, 2), (5, 6, 3)):
        B, N, D = shape
        lengths = torch.randint(1, N, (B,), generator=rng)
        lengths[0], lengths[-1] = 0, N
        order = torch.randperm(B, generator=rng)
        yield (*(_normal(rng, B, N, D) for _ in range(3)), lengths[order])


def _pads_do_not_matter(answer, rng):
    for q, k, v, lengths in _padded_cases(rng):
        q *= 20  # scores far below 0: a pad must be hidden, not only lowered
        pad = ~_real(lengths, k.shape[-2]).mT  # (B, N, 1)
        before = answer(q.clone(), k.clone(), v.clone(), lengths.clone())
        k2 = torch.where(pad, 3 * _normal(rng, *k.shape), k)
        v2 = torch.where(pad, 100 * _normal(rng, *v.shape), v)
        if not torch.allclose(answer(q, k2, v2, lengths), before):
            return False
    return True


def _gradients_are_finite(answer, rng):
    for *inputs, lengths in _padded_cases(rng):
        leaves = [part.clone().requires_grad_() for part in inputs]
        with torch.enable_grad():
            y = answer(*leaves, lengths)
            if not y.requires_grad:
                raise Rejection(
                    "输出没有连着计算图，梯度传不回去：不要用 detach、"
                    "no_grad 或 .item()。",
                    "The output is cut off from the graph and no gradient "
                    "flows back: do not use detach, no_grad or .item().",
                )
            grads = torch.autograd.grad(y.sum(), leaves, allow_unused=True)
        if any(g is None or not g.isfinite().all() for g in grads):
            return False
    return True


padded_attention = Exercise(
    reference=_padded_reference,
    cases=_padded_cases,
    mistakes=(
        Mistake(
            _padded(finish=lambda w, m: w),
            "长度为 0 的句子得到了 nan：一行全被遮掉，权重就是 0 除以 0。"
            "把这些权重换成 0，例如 weights.nan_to_num()。",
            "The sentence of length 0 gives nan: where a whole row is hidden "
            "the weights are 0 divided by 0. Make them 0, for example with "
            "weights.nan_to_num().",
        ),
        Mistake(
            _output_cleaned,
            "输出里的 nan 去掉了，但它已经进过 weights @ v，反向传播时梯度里"
            "仍有 nan。在乘 v 之前就去掉。",
            "The nan is gone from the output, but it has been in weights @ v "
            "and is still in the gradients. Remove it before you multiply "
            "by v.",
        ),
        Mistake(
            _padded(mask=lambda n, N: _real(n, N).mT),
            "遮掉的是 pad 的行（查询），不是 pad 的列（键）：真的词仍然看得到 "
            "pad。掩码的形状应是 (B, 1, N)。",
            "You hide the pads' rows (queries) and not their columns (keys): "
            "real words still see the pads. The mask has shape (B, 1, N).",
        ),
        Mistake(
            _padded(mask=lambda n, N: ~_real(n, N)),
            "掩码反了：每个词只看 pad。",
            "The mask is the wrong way round: every word sees only pads.",
        ),
        Mistake(
            _padded(mask=lambda n, N: _real(n + 1, N)),
            "差了一个：第一个 pad 也被看到了。位置从 0 数起，应是 < lengths。",
            "Off by one: the first pad is seen too. Positions count from 0, "
            "so it is < lengths.",
        ),
        Mistake(
            _padded(mask=lambda n, N: _real(n - 1, N)),
            "差了一个：最后一个真的词也被遮掉了。",
            "Off by one: the last real word is hidden too.",
        ),
        Mistake(
            _padded(hide=lambda s, m: s * m),
            "pad 的分数变成了 0，而 e⁰ = 1，pad 仍有权重。"
            "在 softmax 之前填 -inf。",
            "The pads' scores became 0, and e⁰ = 1: pads still have weight. "
            "Fill in -inf before softmax.",
        ),
        Mistake(
            _padded(hide=lambda s, m: s, finish=lambda w, m: w * m),
            "你在 softmax 之后才去掉 pad 的权重，每行之和小于 1，pad 的内容"
            "仍在分母里。",
            "You drop the pads' weights after softmax: rows add up to less "
            "than 1, and the pads are still in the denominator.",
        ),
        Mistake(
            _padded(hide=lambda s, m: s.masked_fill(~m, -1e9)),
            "长度为 0 的句子输出不是 0：所有分数都同样小时，softmax 给出的是"
            "普通平均。还要把权重乘以掩码。",
            "The sentence of length 0 does not give 0: when all scores are "
            "equally small, softmax gives the plain mean. Multiply the "
            "weights by the mask as well.",
        ),
        Mistake(
            _padded(score=lambda q, k: q @ k.mT),
            "掩码是对的，但忘了除以 √D。",
            "The mask is right, but the division by √D is missing.",
        ),
        Mistake(
            _padded(dim=-2),
            "softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）之和"
            "为 1，dim=-1。",
            "The wrong axis for softmax: your columns add up to 1; it is the "
            "rows (one for each query) that should, dim=-1.",
        ),
        Mistake(
            _padded(hide=lambda s, m: s),
            "lengths 没有用上：pad 与真的词一样被看到了。",
            "lengths has no effect: pads are seen like real words.",
        ),
        Mistake(
            _pad_queries_too,
            "pad 位置上的输出被换成了 0：题目要求 pad 位置上的查询也照常计算，"
            "只是不看 pad。",
            "You made the output at the pads 0: a query at a pad is to be "
            "computed like any other, it only does not see pads.",
        ),
    ),
    properties=(
        Property(
            _pads_do_not_matter,
            "改掉 pad 的内容，输出变了。",
            "What stands in the pads was changed, and the output moved.",
        ),
        Property(
            _gradients_are_finite,
            "q、k、v 的梯度里有 nan 或 inf：在乘 v 之前就要去掉 nan。",
            "The gradients of q, k, v hold nan or inf: remove the nan before "
            "you multiply by v.",
        ),
    ),
)
