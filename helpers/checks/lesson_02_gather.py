"""Checks of lesson 02: picking an element from every row."""

from collections.abc import Iterator

import torch

from .engine import Exercise, Mistake


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
            lambda scores, labels: scores[0, labels],
            "你的结果都取自第 0 行：torch.take(scores, labels)、"
            "scores.gather(1, labels[None]) 都是这样。第 i 个数要取自第 i 行，"
            "所以下标要竖着排：labels[:, None]。",
            "All your numbers come from row 0, as with torch.take(scores, "
            "labels) and scores.gather(1, labels[None]). Number i comes from "
            "row i, so the index must be a column: labels[:, None].",
        ),
        Mistake(
            lambda scores, labels: (
                (scores * _one_hot(scores, labels)).max(1).values
            ),
            "one-hot 相乘是对的，但接着取了最大值：真实类别的分数为负时，"
            "最大的是别处的 0。沿类别轴求和。",
            "The product with one-hot is right, but then you took the "
            "maximum: where the score of the true class is negative, that is "
            "one of the zeros. Sum over the classes.",
        ),
        Mistake(
            lambda scores, labels: -_true_scores(scores, labels),
            "符号反了：F.nll_loss 给出的是分数的相反数。",
            "The sign is wrong: F.nll_loss gives the negative of the score.",
        ),
        Mistake(
            lambda scores, labels: _true_scores(scores.log_softmax(1), labels),
            "你的结果等于先做 log_softmax 再取的结果（-F.cross_entropy 也是"
            "它）：那是概率的对数。这里要的是分数本身。",
            "Your result equals what you get after a log_softmax (as "
            "-F.cross_entropy does it): those are logarithms of "
            "probabilities. The scores themselves are asked for.",
        ),
        Mistake(
            lambda scores, labels: scores[torch.arange(len(labels)), 0],
            "你总是取第 0 列：列号应是这一行的标签 labels[i]。",
            "You always take column 0: the column is the label of the row, "
            "labels[i].",
        ),
    ),
)
