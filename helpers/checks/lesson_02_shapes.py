"""Checks of lesson 02: new shapes for old, and picking elements."""

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

# --- true_scores ----------------------------------------------------------


def _true_scores(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return scores.gather(1, labels[:, None]).squeeze(1)


def _true_cases(rng: torch.Generator) -> Iterator[tuple]:
    for N, C, dtype in (
        (5, 3, torch.float64),
        (7, 4, torch.float32),
        (3, 8, torch.float64),
        (1, 6, torch.float64),  # squeeze() would drop this axis too
    ):
        scores = torch.randn(N, C, generator=rng, dtype=dtype)
        yield scores, torch.randint(C, (N,), generator=rng)


def _one_hot(scores, labels):
    return torch.nn.functional.one_hot(labels, scores.shape[1])


true_scores = Exercise(
    reference=_true_scores,
    cases=_true_cases,
    mistakes=(
        Mistake(
            lambda scores, labels: scores[:, labels],
            "你的结果等于 scores[:, labels]，形状 (N, N)：它对每一行都取出所有"
            "标签的列。每一行只取自己的一列：给行也配上下标 torch.arange(N)，"
            "或用 gather。",
            "Your result equals scores[:, labels], of shape (N, N): it takes "
            "the columns of all labels from every row. Take one column from "
            "each row: index the rows with torch.arange(N) too, or use "
            "gather.",
        ),
        Mistake(
            lambda scores, labels: scores.gather(1, labels[:, None]),
            "值对了，但形状是 (N, 1)：gather 的结果与下标同"
            "形，再去掉最后一个轴。"
            "留着它，之后与 (N,) 相减会广播成 (N, N)。",
            "The values are right, but the shape is (N, 1): the result of "
            "gather has the shape of its index, so drop the last axis. Left "
            "in, a later difference with (N,) broadcasts to (N, N).",
        ),
        Mistake(
            lambda scores, labels: scores.gather(1, labels[:, None]).squeeze(),
            "N = 1 时你的结果是标量，形状 () 而不是 (1,)：不写轴号的 "
            "squeeze() 去掉所有大小为 1 的轴。写 squeeze(1)。",
            "With N = 1 your result is a scalar, of shape () in place of "
            "(1,): squeeze() without an axis drops every axis of size 1. "
            "Write squeeze(1).",
        ),
        Mistake(
            lambda scores, labels: scores.max(1).values,
            "你取的是每一行的最高分，即预测类别的分数：要的"
            "是 labels 给出的真实"
            "类别的分数。",
            "You took the highest score of each row, that of the predicted "
            "class: what is asked for is the score of the true class, given "
            "by labels.",
        ),
        Mistake(
            lambda scores, labels: scores.softmax(1).gather(
                1, labels[:, None]
            )[:, 0],
            "你的结果等于先做 softmax 再取的结果：那是概"
            "率。这里要的是分数本身。",
            "Your result equals what you get after a softmax: those are "
            "probabilities. The scores themselves are asked for.",
        ),
        Mistake(
            lambda scores, labels: (scores * _one_hot(scores, labels)).sum(0),
            "one-hot 相乘是对的，但求和沿错了轴：你对行求"
            "和，得到 (C,)。每一行留"
            "一个数，要沿类别轴（dim=1）求和。",
            "The product with one-hot is right, but the sum runs along the "
            "wrong axis: you summed over the rows and got (C,). To keep one "
            "number for each row, sum over the classes (dim=1).",
        ),
        Mistake(
            lambda scores, labels: scores * _one_hot(scores, labels),
            "one-hot 相乘之后还差一步：结果是 (N, C)，每行"
            "只有一个不为零。沿类别轴"
            "（dim=1）求和。",
            "One step is missing after the product with one-hot: the result "
            "is (N, C) with one non-zero value in each row. Sum over the "
            "classes (dim=1).",
        ),
        Mistake(
            lambda scores, labels: scores[labels],
            "你的结果等于 scores[labels]：labels 被用来选行了。labels 是类别，"
            "要用在第二个轴上。",
            "Your result equals scores[labels]: there labels choose rows. "
            "They are classes, so they belong on the second axis.",
        ),
        Mistake(
            lambda scores, labels: scores[torch.arange(len(labels)), 0],
            "你总是取第 0 列：列号应是这一行的标签 labels[i]。",
            "You always take column 0: the column is the label of the row, "
            "labels[i].",
        ),
    ),
)
