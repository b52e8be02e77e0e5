"""Checks of lesson 15, several heads: split and merge, cross-attention."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .engine import Exercise, Mistake, Property
from .lesson_15 import _normal

_sdpa = F.scaled_dot_product_attention


# --- exercise 4: split, attend, merge ---------------------------------------


def _one_by_one(q: Tensor, k: Tensor, v: Tensor, num_heads: int) -> Tensor:
    parts = [part.chunk(num_heads, dim=-1) for part in (q, k, v)]
    heads = [_sdpa(*one) for one in zip(*parts, strict=True)]
    return torch.cat(heads, dim=-1)


def _split(x: Tensor, H: int) -> Tensor:
    B, N, d_model = x.shape
    return x.reshape(B, N, H, d_model // H).transpose(1, 2)


def _merge(y: Tensor) -> Tensor:
    B, H, N, D = y.shape
    return y.transpose(1, 2).reshape(B, N, H * D)


def _view_only(x: Tensor, H: int) -> Tensor:
    B, N, d_model = x.shape
    return x.reshape(B, H, N, d_model // H)


def _interleaved(x: Tensor, H: int) -> Tensor:
    B, N, d_model = x.shape
    return x.reshape(B, N, d_model // H, H).permute(0, 3, 1, 2)


def _merge_interleaved(y: Tensor) -> Tensor:
    B, H, N, D = y.shape
    return y.permute(0, 2, 3, 1).reshape(B, N, D * H)


def _columns(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return scores.softmax(dim=-2) @ v


def _mixed(split: Callable, merge: Callable, attend: Callable = _sdpa):
    def answer(q, k, v, num_heads):
        heads = [split(part, num_heads) for part in (q, k, v)]
        return merge(attend(*heads)).reshape(q.shape)

    return answer


def _full_scale(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return _sdpa(q, k, v, scale=1 / math.sqrt(q.shape[1] * q.shape[-1]))


def _unscaled(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return _sdpa(q, k, v, scale=1.0)


def _heads_as_tokens(q, k, v, num_heads):
    """Attends over the heads of each token."""
    split = [_split(part, num_heads).transpose(1, 2) for part in (q, k, v)]
    return _sdpa(*split).reshape(q.shape)


def _head_cases(rng: torch.Generator) -> Iterator[tuple]:
    for B, N, H, D in ((2, 5, 4, 3), (3, 4, 2, 5), (5, 6, 3, 4)):
        yield (*(_normal(rng, B, N, H * D) for _ in range(3)), H)


def _heads_are_apart(answer, rng):
    for q, k, v, H in _head_cases(rng):
        D = q.shape[-1] // H
        h = int(torch.randint(H, (), generator=rng))
        mine = slice(h * D, (h + 1) * D)
        before = answer(q.clone(), k.clone(), v.clone(), H)
        for part in (q, k, v):
            part[..., mine] += _normal(rng, *part[..., mine].shape)
        moved = (answer(q, k, v, H) - before).abs().amax(dim=(0, 1)) > 1e-9
        expected = torch.zeros_like(moved)
        expected[mine] = True
        if not torch.equal(moved, expected):
            return False
    return True


attend_in_heads = Exercise(
    reference=_one_by_one,
    cases=_head_cases,
    mistakes=(
        Mistake(
            _mixed(_view_only, lambda y: y),
            "你只用 view 拆头，也只用 view 合并，没有 transpose：形状对，但"
            "每个“头”装的是几个 token 的全部特征。先 view 成 (B, N, H, D)，再 "
            "transpose(1, 2)。",
            "You split and merge with view alone, without transpose: the "
            "shape is right, but each “head” holds all features of some "
            "tokens. First view as (B, N, H, D), then transpose(1, 2).",
        ),
        Mistake(
            _mixed(_view_only, _merge),
            "拆头时少了 transpose：view(B, H, N, D) 把 token 混在了一起。先 "
            "view 成 (B, N, H, D)，再 transpose(1, 2)。",
            "The transpose is missing where you split: view(B, H, N, D) mixes "
            "the tokens. First view as (B, N, H, D), then transpose(1, 2).",
        ),
        Mistake(
            _mixed(_split, lambda y: y),
            "拆对了，合并时少了 transpose：(B, H, N, D) 要先换回 "
            "(B, N, H, D)，再 reshape。",
            "Split rightly, but the transpose is missing where you merge: "
            "turn (B, H, N, D) back into (B, N, H, D), then reshape.",
        ),
        Mistake(
            _mixed(_interleaved, _merge_interleaved),
            "你的第 h 个头隔 H 列取一列。每个头应是连续的 D 列：view 成 "
            "(B, N, H, D)，不是 (B, N, D, H)。",
            "Your head h takes every H-th column. A head is D columns side "
            "by side: view as (B, N, H, D), not (B, N, D, H).",
        ),
        Mistake(
            _mixed(_split, _merge_interleaved),
            "拆对了，合并时 D 和 H 的次序反了，各头的特征交错在一起：换成 "
            "(B, N, H, D) 再 reshape，不是 (B, N, D, H)。",
            "Split rightly, but merged with D and H in the wrong order, so "
            "that the features of the heads alternate: turn it into "
            "(B, N, H, D) and then reshape, not (B, N, D, H).",
        ),
        Mistake(
            lambda q, k, v, num_heads: _one_by_one(
                q, k, v, q.shape[-1] // num_heads
            ),
            "头数和头宽弄反了：应有 num_heads 个头，每个宽 "
            "d_model / num_heads。chunk(num_heads) 按个数切，"
            "split(num_heads) 是按宽度切。",
            "The number of heads and their width are swapped: there are "
            "num_heads heads, each d_model / num_heads wide. "
            "chunk(num_heads) cuts by number, split(num_heads) by width.",
        ),
        Mistake(
            _mixed(_split, _merge, _columns),
            "softmax 的轴错了：每个头里每个查询（行）的权重之和应为 1，"
            "dim=-1。",
            "The wrong axis for softmax: in every head the weights of each "
            "query (row) should add up to 1, dim=-1.",
        ),
        Mistake(
            _mixed(_split, _merge, _full_scale),
            "你除以了 √d_model，应除以 √D：点积只在一个头的 D 个特征上求和。",
            "You divide by √d_model; it is √D, since a dot product runs over "
            "the D features of one head.",
        ),
        Mistake(
            _mixed(_split, _merge, _unscaled),
            "忘了除以 √D。",
            "The division by √D is missing.",
        ),
        Mistake(
            lambda q, k, v, num_heads: _sdpa(q, k, v),
            "没有拆头：这是一个宽 d_model 的头的结果。",
            "Nothing was split: this is the result of a single head of width "
            "d_model.",
        ),
        Mistake(
            _heads_as_tokens,
            "你让一个 token 的各个头互相看了：transpose(1, 2) 漏了，"
            "注意力应在倒数第二个轴的 N 个位置之间。",
            "You let the heads of one token look at each other: "
            "transpose(1, 2) is missing; attention runs over the N positions, "
            "the last axis but one.",
        ),
        Mistake(
            lambda q, k, v, num_heads: v,
            "你只是拆开又合上，没有做注意力。",
            "You only split and merged; there is no attention.",
        ),
    ),
    properties=(
        Property(
            _heads_are_apart,
            "改动一个头的输入，别的头的输出变了（或它自己的没有变）。",
            "The input of one head was changed, and other heads moved (or "
            "its own did not).",
        ),
    ),
)

# --- exercise 5: cross-attention --------------------------------------------


def _library(
    x: Tensor,
    memory: Tensor,
    w_q: Tensor,
    w_k: Tensor,
    w_v: Tensor,
    w_o: Tensor,
    num_heads: int,
) -> Tensor:
    """`nn.MultiheadAttention` with these weights."""
    d_memory, d_model = w_k.shape
    theirs = nn.MultiheadAttention(
        d_model,
        num_heads,
        bias=False,
        kdim=d_memory,
        vdim=d_memory,
        batch_first=True,
        dtype=x.dtype,
    )
    parts = [w.T for w in (w_q, w_k, w_v)]
    state = {"out_proj.weight": w_o.T}
    if d_memory == d_model:
        state["in_proj_weight"] = torch.cat(parts)
    else:
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        state |= dict(zip(names, parts, strict=True))
    theirs.load_state_dict(state)
    y, _ = theirs(x, memory, memory, need_weights=False)
    return y.detach()


def _cross(
    split: Callable = _split,
    merge: Callable = _merge,
    attend: Callable = _sdpa,
    out: Callable[[Tensor, Tensor], Tensor] = lambda y, w_o: y @ w_o,
    project: Callable[[Tensor, Tensor], Tensor] = lambda x, w: x @ w,
):
    def answer(x, memory, w_q, w_k, w_v, w_o, num_heads):
        pairs = ((x, w_q), (memory, w_k), (memory, w_v))
        q, k, v = (split(project(a, w), num_heads) for a, w in pairs)
        y = merge(attend(q, k, v))
        return out(y.reshape(*x.shape[:2], -1), w_o)

    return answer


def _single(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return _sdpa(x @ w_q, memory @ w_k, memory @ w_v) @ w_o


def _swapped(x, memory, w_q, w_k, w_v, w_o, num_heads):
    answer = _cross()
    return answer(x, memory, w_q, w_v, w_k, w_o, num_heads)


def _own_memory(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return _cross()(x, x, w_q, w_k, w_v, w_o, num_heads)


def _from_memory(x, memory, w_q, w_k, w_v, w_o, num_heads):
    return _cross()(memory, x, w_q, w_k, w_v, w_o, num_heads)


def _cross_cases(rng: torch.Generator) -> Iterator[tuple]:
    for B, N, M, H, D, d_memory in (
        (2, 5, 7, 3, 4, 12),
        (3, 4, 6, 2, 5, 8),
        (4, 7, 3, 5, 2, 6),
    ):
        d_model = H * D
        weights = (
            _normal(rng, rows, d_model) / math.sqrt(rows) * 1.3
            for rows in (d_model, d_memory, d_memory, d_model)
        )
        x, memory = _normal(rng, B, N, d_model), _normal(rng, B, M, d_memory)
        yield (x, memory, *weights, H)


def _memory_order_is_free(answer, rng):
    for x, memory, *rest in _cross_cases(rng):
        before = answer(x.clone(), memory.clone(), *rest)
        shuffle = torch.randperm(memory.shape[1], generator=rng)
        if not torch.allclose(answer(x, memory[:, shuffle], *rest), before):
            return False
    return True


multi_head = Exercise(
    reference=_library,
    cases=_cross_cases,
    mistakes=(
        Mistake(
            _cross(out=lambda y, w_o: y),
            "忘了最后乘以 w_o。",
            "The product with w_o at the end is missing.",
        ),
        Mistake(
            _cross(attend=_full_scale),
            "你除以了 √d_model，应除以一个头的 √D。",
            "You divide by √d_model; it is √D of one head.",
        ),
        Mistake(
            _cross(attend=_unscaled),
            "没有除以 √D：每个头的分数要除以它自己宽度的平方根。",
            "There is no division by √D: the scores of a head are divided by "
            "the square root of its width.",
        ),
        Mistake(
            _cross(split=_view_only),
            "拆头只用了 view(B, H, N, D)：形状对，token 混在了一起。先 view "
            "成 (B, N, H, D)，再 transpose(1, 2)。",
            "You split with view(B, H, N, D) alone: the shape is right and "
            "the tokens are mixed. First view as (B, N, H, D), then "
            "transpose(1, 2).",
        ),
        Mistake(
            _cross(merge=lambda y: y),
            "合并时少了 transpose：先换回 (B, N, H, D)，再 reshape。",
            "The transpose is missing where you merge: turn back to "
            "(B, N, H, D), then reshape.",
        ),
        Mistake(
            _cross(split=_interleaved, merge=_merge_interleaved),
            "每个头应是投影后连续的 D 列，你隔 H 列取了一列。",
            "A head is D columns side by side of the projection; you take "
            "every H-th column.",
        ),
        Mistake(
            _cross(attend=_columns),
            "softmax 的轴错了：每个查询（行）的权重之和应为 1，dim=-1。",
            "The wrong axis for softmax: the weights of each query (row) "
            "should add up to 1, dim=-1.",
        ),
        Mistake(
            _single,
            "没有拆头：这是一个宽 d_model 的头。",
            "Nothing was split: this is one head of width d_model.",
        ),
        Mistake(
            _swapped,
            "w_k 和 w_v 用反了：键用 w_k，值用 w_v。",
            "w_k and w_v are swapped: keys take w_k, values take w_v.",
        ),
        Mistake(
            _cross(
                project=lambda x, w: x @ (w.T if len(w) == len(w.T) else w)
            ),
            "方阵被转置了：这里的矩阵按行向量约定，x @ w_q；"
            "nn.Linear 的 weight 才是转置的。",
            "The square matrices are transposed: here they are meant for row "
            "vectors, x @ w_q; it is nn.Linear's weight that is transposed.",
        ),
        Mistake(
            _cross(project=lambda x, w: x @ w.T, out=lambda y, w_o: y @ w_o.T),
            "四个矩阵都转置了：F.linear(x, w) 就是 x @ w.T，而这里的矩阵要直接"
            "右乘，x @ w_q。",
            "All four matrices are transposed: F.linear(x, w) is x @ w.T, "
            "and these are to be multiplied as they are, x @ w_q.",
        ),
        Mistake(
            _cross(merge=_merge_interleaved),
            "合并时 D 和 H 的次序反了，各头的特征交错在一起：换成 "
            "(B, N, H, D) 再 reshape。",
            "Merged with D and H in the wrong order, so that the features of "
            "the heads alternate: turn it into (B, N, H, D), then reshape.",
        ),
        Mistake(
            _cross(out=lambda y, w_o: y @ w_o.T),
            "w_o 转置了：按行向量约定直接右乘，y @ w_o。",
            "w_o is transposed: multiply by it as it is, y @ w_o.",
        ),
        Mistake(
            _own_memory,
            "键和值取自了 x：应取自 memory。",
            "Keys and values come from x; they should come from memory.",
        ),
        Mistake(
            _from_memory,
            "x 和 memory 反了：查询取自 x，键和值取自 memory。",
            "x and memory are swapped: queries come from x, keys and values "
            "from memory.",
        ),
    ),
    properties=(
        Property(
            _memory_order_is_free,
            "打乱 memory 的次序，输出变了：注意力不在乎键和值的次序。",
            "memory was shuffled and the output moved: attention does not "
            "care about the order of keys and values.",
        ),
    ),
    equal_sizes="w_q and w_o are square, as in nn.MultiheadAttention",
)
