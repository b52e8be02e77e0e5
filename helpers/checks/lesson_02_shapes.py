"""Checks of lesson 02: new shapes for old."""

from collections.abc import Iterator

import torch

from .engine import Exercise, Mistake, Property

# --- merge_and_back -------------------------------------------------------


def _merge_and_back(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    B, H, D = x.shape
    rows = x.view(B * H, D)
    return rows, rows.view(B, H, D)


def _merge_cases(rng: torch.Generator) -> Iterator[tuple]:
    for shape in ((2, 3, 5), (4, 2, 3), (3, 7, 2)):
        yield (torch.randn(shape, generator=rng, dtype=torch.float64),)


def _shares(which: int):
    def test(answer, rng):
        x = torch.randn(3, 2, 5, generator=rng)
        view = answer(x)[which]
        home = x.untyped_storage().data_ptr()
        return view.untyped_storage().data_ptr() == home

    return test


def _merged_with(shape):
    """Merge rightly, go back through another shape."""

    def answer(x):
        B, H, D = x.shape
        rows = x.view(B * H, D)
        return rows, shape(rows, B, H, D)

    return answer


def _merge_features(x):
    B, H, D = x.shape
    rows = x.view(B, H * D)
    return rows, rows.view(B, H, D)


def _merge_across(x):
    B, H, D = x.shape
    rows = x.transpose(0, 1).reshape(B * H, D)
    return rows, rows.view(H, B, D).transpose(0, 1)


def _merge_scrambled(x):
    B, H, D = x.shape
    rows = x.transpose(0, 1).reshape(B * H, D)
    return rows, rows.view(B, H, D)


def _merge_copy(x):
    B, H, D = x.shape
    rows = x.view(B * H, D).clone()
    return rows, rows.view(B, H, D)


merge_and_back = Exercise(
    reference=_merge_and_back,
    cases=_merge_cases,
    mistakes=(
        Mistake(
            _merge_copy,
            "值都对，但 rows 与 back 都没有与 x 共用内存，某一步复制了数据："
            "clone()、torch.cat、torch.stack 会复制；view "
            "只换形状，不动数据。",
            "The values are right, but neither rows nor back shares the "
            "memory of x, so a step copied the data: clone(), torch.cat and "
            "torch.stack copy; view changes the shape and moves no data.",
        ),
        Mistake(
            _merged_with(lambda rows, B, H, D: rows.view(B, H, D).clone()),
            "rows 与 x 共用内存，back 却是一份副本：回来的一步也用 view。",
            "rows shares the memory of x, but back is a copy: use view on "
            "the way back too.",
        ),
        Mistake(
            _merge_features,
            "你合并的是后两个轴，得到 (B, H·D)：要合并的是"
            "前两个轴，每一行仍是 "
            "D 个特征。",
            "You merged the last two axes into (B, H·D): merge the first "
            "two, so that every row keeps its D features.",
        ),
        Mistake(
            _merge_across,
            "rows 的行序不对：你的行按 H 在外、B 在内排列（像是先转置了）。"
            "在内存里 x 的行本来就是 B 在外、H 在内，不需要转置。",
            "The rows stand in the wrong order: yours go H by H, as after a "
            "transpose. In the memory of x they already go B by B, so no "
            "transpose is needed.",
        ),
        Mistake(
            _merge_scrambled,
            "你先转置再合并，回来时却没有转置回去，行被打乱"
            "了：形状对，值不对。"
            "两步都不需要转置。",
            "You transposed before merging and did not transpose on the way "
            "back, so the rows are scrambled: right shape, wrong values. "
            "Neither step needs a transpose.",
        ),
        Mistake(
            _merged_with(lambda rows, B, H, D: rows.view(H, B, D)),
            "back 的前两个轴反了：形状是 (H, B, D)，应为 (B, H, D)。",
            "The first two axes of back are swapped: its shape is (H, B, D) "
            "in place of (B, H, D).",
        ),
        Mistake(
            _merged_with(
                lambda rows, B, H, D: rows.view(H, B, D).transpose(0, 1)
            ),
            "back 的形状对，值不对：view(H, B, D) 把行按错"
            "误的大小分了组，之后的"
            "转置换不回来。直接 view(B, H, D)。",
            "back has the right shape and wrong values: view(H, B, D) groups "
            "the rows by the wrong size, and the transpose after it does not "
            "undo that. Use view(B, H, D) directly.",
        ),
    ),
    properties=(
        Property(
            _shares(0),
            "值都对，但 rows 是一份副本，没有与 x 共用内存：用 view。",
            "The values are right, but rows is a copy that does not share "
            "the memory of x: use view.",
        ),
        Property(
            _shares(1),
            "值都对，但 back 是一份副本，没有与 x 共用内存：用 view。",
            "The values are right, but back is a copy that does not share "
            "the memory of x: use view.",
        ),
    ),
)

# --- split_heads ----------------------------------------------------------


def _split_heads(x: torch.Tensor, num_heads: int) -> torch.Tensor:
    B, S, h = x.shape
    return x.view(B, S, num_heads, h // num_heads).transpose(1, 2)


def _split_cases(rng: torch.Generator) -> Iterator[tuple]:
    for (B, S, h), num_heads in (
        ((2, 3, 20), 5),
        ((4, 5, 21), 3),
        ((3, 2, 28), 4),
    ):
        values = torch.randperm(B * S * h, generator=rng).double()
        yield values.view(B, S, h), num_heads
    values = torch.randperm(2 * 7 * 15, generator=rng).float()
    yield values.view(2, 15, 7).transpose(1, 2), 3  # not contiguous


def _heads_first(x, num_heads):
    B, S, h = x.shape
    return x.reshape(B, num_heads, S, h // num_heads)


def _heads_first_view(x, num_heads):
    B, S, h = x.shape
    return x.view(B, num_heads, S, h // num_heads)


def _heads_after_transpose(x, num_heads):
    B, S, h = x.shape
    return x.transpose(1, 2).reshape(B, num_heads, S, h // num_heads)


def _heads_cut_from_positions(x, num_heads):
    B, S, h = x.shape
    return x.reshape(B, num_heads, h // num_heads, S).transpose(2, 3)


def _heads_too_long(x, num_heads):
    B, S, h = x.shape
    return x.reshape(B, S, h // num_heads, num_heads).transpose(1, 2)


def _heads_one_apart(x, num_heads):
    hd = x.shape[2] // num_heads
    return torch.stack([x[..., m : m + hd] for m in range(num_heads)], dim=1)


def _heads_interleaved(x, num_heads):
    B, S, h = x.shape
    return x.view(B, S, h // num_heads, num_heads).permute(0, 3, 1, 2)


split_heads = Exercise(
    reference=_split_heads,
    cases=_split_cases,
    mistakes=(
        Mistake(
            _heads_first,
            "你的结果等于直接 reshape 成 (B, num_heads, S, "
            "hd) 的结果：形状对，"
            "但不同位置的特征混到了一个头里。先把最后一"
            "个轴拆成 (num_heads, "
            "hd)，再交换 S 与 num_heads 两个轴。",
            "Your result equals a plain reshape to (B, num_heads, S, hd): the "
            "shape is right, but features of different positions end up in "
            "one head. Split the last axis into (num_heads, hd) first, then "
            "swap the axes S and num_heads.",
        ),
        Mistake(
            _heads_first_view,
            "你的结果等于直接 view 成 (B, num_heads, S, hd) 的结果：形状对，但"
            "不同位置的特征混到了一个头里；x 不连续时 "
            "view 还会报错。先拆最后"
            "一个轴，再交换 S 与 num_heads 两个轴。",
            "Your result equals a plain view as (B, num_heads, S, hd): the "
            "shape is right, but features of different positions end up in "
            "one head, and where x is not contiguous the view fails. Split "
            "the last axis first, then swap the axes S and num_heads.",
        ),
        Mistake(
            _heads_interleaved,
            "你的结果等于把最后一个轴拆成 (hd, num_heads) 的结果：每个头隔 "
            "num_heads 个取一个特征。每个头应取连续的一段，"
            "所以拆成 (num_heads, "
            "hd)。",
            "Your result equals what you get when the last axis is split into "
            "(hd, num_heads): each head takes every num_heads-th feature. A "
            "head takes one unbroken block, so split into (num_heads, hd).",
        ),
        Mistake(
            _heads_cut_from_positions,
            "你的结果等于先 reshape 成 (B, num_heads, hd, S)、再换后两个轴的"
            "结果：这一刀跨过了位置，不同位置的特征混到了一个头里。先把最后"
            "一个轴拆成 (num_heads, hd)，再换轴。",
            "Your result equals a reshape to (B, num_heads, hd, S) with the "
            "last two axes swapped after it: the cut runs across positions, "
            "so features of different ones end up in one head. Split the "
            "last axis into (num_heads, hd) first, then reorder.",
        ),
        Mistake(
            _heads_too_long,
            "头数和每个头的长度对调了：得到 (B, hd, S, num_heads)。x.split(n) "
            "的 n 是每段的长度，x.chunk(n) 的 n 才是段数；reshape 要拆成 "
            "(num_heads, hd)。",
            "The number of heads and their length are swapped: you got (B, "
            "hd, S, num_heads). In x.split(n) the n is the length of a "
            "piece, in x.chunk(n) the number of pieces; a reshape splits "
            "into (num_heads, hd).",
        ),
        Mistake(
            _heads_one_apart,
            "第 m 个头从第 m 个特征开始，所以各个头互相重叠：应从第 m * hd 个"
            "开始。",
            "Head m begins at feature m, so the heads overlap: it should "
            "begin at feature m * hd.",
        ),
        Mistake(
            _heads_after_transpose,
            "你先换轴、再用 reshape 切分：换轴之后读的次序变了，切出来的不再是"
            "同一位置的特征。先把最后一个轴拆成 (num_heads, hd)，再换轴。",
            "You reordered the axes first and cut with reshape afterwards: "
            "the reading order had changed by then, so the pieces are no "
            "longer features of one position. Split the last axis into "
            "(num_heads, hd) first, then reorder.",
        ),
        Mistake(
            lambda x, num_heads: _split_heads(x, num_heads).transpose(1, 2),
            "最后一个轴拆对了，但还没有交换轴：得到 (B, S, "
            "num_heads, hd)，应为 "
            "(B, num_heads, S, hd)。",
            "The last axis is split rightly, but the axes are not swapped "
            "yet: you got (B, S, num_heads, hd) in place of (B, num_heads, "
            "S, hd).",
        ),
        Mistake(
            lambda x, num_heads: _split_heads(x, num_heads).transpose(0, 1),
            "头轴跑到了最前面：得到 (num_heads, B, S, hd)，"
            "应为 (B, num_heads, "
            "S, hd)，批次轴留在最前。",
            "The axis of the heads came first: you got (num_heads, B, S, hd) "
            "in place of (B, num_heads, S, hd); the batch stays in front.",
        ),
        Mistake(
            lambda x, num_heads: _split_heads(x, num_heads).transpose(2, 3),
            "后两个轴反了：得到 (B, num_heads, hd, S)，应为 (B, num_heads, S, "
            "hd)。",
            "The last two axes are swapped: you got (B, num_heads, hd, S) in "
            "place of (B, num_heads, S, hd).",
        ),
    ),
)
