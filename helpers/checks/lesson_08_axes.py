"""Checks of lesson 08: axes made to fit, to standardise and to compare."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F

from .engine import Exercise, Mistake, Property, Rejection
from .lesson_08 import calls_of, works_in_one_go

# --- standardise_channels -------------------------------------------------


def _with(dim, correction=0, divide=True):
    """Standardise over the given axes."""

    def answer(x):
        shifted = x - x.mean(dim=dim, keepdim=True)
        if not divide:
            return shifted
        return shifted / x.std(dim=dim, keepdim=True, correction=correction)

    return answer


def _standardise_channels(x: torch.Tensor) -> torch.Tensor:
    return _with((0, 2, 3))(x)


def _images(rng: torch.Generator, N: int, C: int, H: int, W: int):
    """Images whose channels differ in mean and in spread."""
    x = torch.rand(N, C, H, W, generator=rng, dtype=torch.float64)
    spread = 1 + 3 * torch.rand(C, 1, 1, generator=rng, dtype=torch.float64)
    shift = torch.randn(C, 1, 1, generator=rng, dtype=torch.float64)
    return spread * x + 5 * shift


def _image_cases(rng: torch.Generator) -> Iterator[tuple]:
    for shape in ((2, 3, 4, 5), (6, 2, 3, 4), (3, 5, 2, 7)):
        yield (_images(rng, *shape),)


def _without_keepdim(x):
    dim = (0, 2, 3)
    return (x - x.mean(dim=dim)) / x.std(dim=dim, correction=0)


def _by_variance(x):
    dim = (0, 2, 3)
    shifted = x - x.mean(dim=dim, keepdim=True)
    return shifted / x.var(dim=dim, keepdim=True, correction=0)


def _reshaped(x):
    rows = x.reshape(x.shape[1], -1)
    rows = rows - rows.mean(dim=1, keepdim=True)
    return (rows / rows.std(dim=1, keepdim=True, correction=0)).view_as(x)


def _not_turned_back(x):
    rows = x.transpose(0, 1).flatten(1)
    rows = rows - rows.mean(dim=1, keepdim=True)
    return (rows / rows.std(dim=1, keepdim=True, correction=0)).view_as(x)


def _without_mean(x):
    return x / x.std(dim=(0, 2, 3), keepdim=True, correction=0)


def _moment(dim, power, value, zh, en):
    def test(answer, rng):
        y = answer(_images(rng, 4, 3, 2, 6))
        found = (y**power).mean(dim=dim)
        if not torch.allclose(found, torch.full_like(found, value)):
            raise Rejection(zh, en)
        return True

    return test


standardise_channels = Exercise(
    reference=_standardise_channels,
    cases=_image_cases,
    mistakes=(
        Mistake(
            _without_keepdim,
            "均值和标准差的形状是 (C,)，它与最后一个轴 W 对齐："
            "大小不同就报错，"
            "碰巧相同就悄悄算错。用 keepdim=True 留下 (1, C, 1, 1)。",
            "Mean and standard deviation have shape (C,), which lines up with "
            "the last axis, W: an error where the sizes differ, silently "
            "wrong where they agree. Keep (1, C, 1, 1) with keepdim=True.",
        ),
        Mistake(
            _with((2, 3)),
            "你的结果等于对每张图的每个通道分别标准化的结果："
            "一个通道的均值要在"
            "整个批次上取，dim=(0, 2, 3)。",
            "Your result equals what you get for each channel of each image: "
            "a channel's mean is taken over the whole batch, dim=(0, 2, 3).",
        ),
        Mistake(
            _with((0, 1, 2, 3)),
            "你的结果等于用全体元素的一个均值、一个标准差的结果："
            "每个通道要有自己"
            "的，轴 1 不在求均值之列。",
            "Your result equals what you get with one mean and one standard "
            "deviation of everything: every channel has its own, so axis 1 "
            "is not averaged over.",
        ),
        Mistake(
            _with(0),
            "你的结果等于只沿批次轴取均值的结果（每个像素各算各的）："
            "还要沿两个"
            "图像轴，dim=(0, 2, 3)。",
            "Your result equals what you get with means over the batch alone, "
            "pixel by pixel: average over both image axes too, "
            "dim=(0, 2, 3).",
        ),
        Mistake(
            _with((1, 2, 3)),
            "你的结果等于对每张图标准化的结果：平均掉的应是批次和两个图像轴，"
            "留下"
            "的是通道。",
            "Your result equals what you get for each image: average over "
            "the batch and both image axes, and keep the channels.",
        ),
        Mistake(
            _with(1),
            "你的结果等于沿通道轴取均值的结果：dim "
            "里写的是要平均掉的轴，不是要留下的轴。应是 dim=(0, 2, 3)。",
            "Your result equals what you get with means over the channels: "
            "dim names the axes that are averaged away, not the one that is "
            "kept. Use dim=(0, 2, 3).",
        ),
        Mistake(
            lambda x: F.batch_norm(x, None, None, training=True),
            "你的结果等于批归一化的结果：它在方差上加了一个小数 "
            "eps（默认 1e-5）再开方。这一题只除以标准差。",
            "Your result equals that of batch normalisation, which adds a "
            "small eps, by default 1e-5, to the variance before the root. "
            "Here divide by the standard deviation alone.",
        ),
        Mistake(
            _with((0, 2, 3), correction=1),
            "你的结果等于除以 n - 1 的标准差的结果（torch.std 的默认值）："
            "这一题"
            "除以 n，写 correction=0。",
            "Your result equals what you get with a standard deviation that "
            "divides by n - 1, the default of torch.std: here divide by n, "
            "with correction=0.",
        ),
        Mistake(
            _by_variance,
            "你除以了方差：要除以标准差，即方差的平方根。",
            "You divided by the variance: divide by the standard deviation, "
            "its square root.",
        ),
        Mistake(
            _reshaped,
            "x.reshape(C, -1) 没有把通道轴挪到前面，只是按内存的次序切成 C "
            "段：每段里混着几个通道。先 transpose(0, 1)，或用 dim=(0, 2, 3)。",
            "x.reshape(C, -1) does not move the channels to the front, it "
            "cuts memory into C pieces that mix channels. Use transpose(0, 1) "
            "first, or dim=(0, 2, 3).",
        ),
        Mistake(
            _not_turned_back,
            "每个通道都标准化了，但轴没有换回来：现在的次序是 (C, N, H, W)，"
            "view 不会换轴，要再 transpose(0, 1)。",
            "Every channel is standardised, but the axes are not turned back: "
            "they are in the order (C, N, H, W), and view does not swap axes; "
            "use transpose(0, 1) again.",
        ),
        Mistake(
            _without_mean,
            "除以了标准差，但没有先减去均值。",
            "Divided by the standard deviation, but the mean is not "
            "subtracted first.",
        ),
        Mistake(
            _with((0, 2, 3), divide=False),
            "均值已经减掉，还没有除以标准差。",
            "The mean is subtracted, but not yet divided by the standard "
            "deviation.",
        ),
    ),
    properties=(
        Property(
            _moment(
                (0, 2, 3),
                1,
                0.0,
                "每个通道的均值应为 0。",
                "The mean of every channel should be 0.",
            ),
            "每个通道的均值不是 0。",
            "The mean of a channel is not 0.",
        ),
        Property(
            _moment(
                (0, 2, 3),
                2,
                1.0,
                "每个通道的方差应为 1。",
                "The variance of every channel should be 1.",
            ),
            "每个通道的方差不是 1。",
            "The variance of a channel is not 1.",
        ),
    ),
)

# --- pairwise_distances ---------------------------------------------------


def _pairwise_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x[:, None] - y).norm(dim=-1)


def _point_cases(rng: torch.Generator) -> Iterator[tuple]:
    for M, N, D in ((5, 3, 2), (2, 7, 4), (6, 4, 3)):
        yield tuple(
            torch.randn(shape, generator=rng, dtype=torch.float64)
            for shape in ((M, D), (N, D))
        )


def _squares(x, y):
    return (x[:, None] - y) ** 2  # (M, N, D)


def _agrees_with_cdist(answer, rng):
    x, y = (
        torch.randn(count, 5, generator=rng, dtype=torch.float64)
        for count in (7, 3)
    )
    exact = "donot_use_mm_for_euclid_dist"
    wanted = torch.cdist(x, y, compute_mode=exact)
    return torch.allclose(answer(x, y), wanted)


def _zero_to_itself(answer, rng):
    # So many points that rounding leaves some |x|² + |y|² - 2xy below 0.
    x = torch.randn(120, 5, generator=rng, dtype=torch.float64)
    return bool((answer(x, x.clone()).diagonal().abs() < 1e-6).all())


def _own_work(answer, rng):
    small, large = (
        tuple(
            torch.randn(shape, generator=rng, dtype=torch.float64)
            for shape in ((M, D), (N, D))
        )
        for M, N, D in ((3, 5, 4), (7, 11, 6))
    )
    if {"cdist", "pairwise_distance", "pdist"} & {*calls_of(answer, *small)}:
        raise Rejection(
            "结果是对的，但这一题请用广播自己做，不用 torch.cdist "
            "一类现成的函数。",
            "The result is right, but build it yourself by broadcasting, "
            "without a ready-made function such as torch.cdist.",
        )
    return works_in_one_go(answer, small, large)


pairwise_distances = Exercise(
    reference=_pairwise_distances,
    cases=_point_cases,
    mistakes=(
        Mistake(
            lambda x, y: (x - y).norm(dim=1),
            "x - y 直接相减时，M 与 N 对齐：大小不同就报错，相同就只算了"
            "编号相同的点对。先把 x 变成 (M, 1, D)。",
            "In x - y the axes M and N line up: an error where they differ, "
            "and only pairs of the same number where they agree. Turn x into "
            "(M, 1, D) first.",
        ),
        Mistake(
            lambda x, y: _squares(x, y).sum(dim=-1),
            "你的结果是距离的平方：最后还要开方。",
            "Your result is the squared distance: take the square root.",
        ),
        Mistake(
            lambda x, y: (x[:, None] - y).abs().sum(dim=-1),
            "你的结果是各坐标差的绝对值之和：先对平方求和，再开方（"
            "每个平方各自"
            "开方，得到的又是绝对值）。",
            "Your result is the sum of the absolute differences: add up the "
            "squares first, then take the root (the root of each square by "
            "itself is the absolute value again).",
        ),
        Mistake(
            lambda x, y: _pairwise_distances(y, x),
            "行与列反了：你的结果是 (N, M)，应为 (M, N)，第 i 行属于 x[i]。",
            "Rows and columns are swapped: you got (N, M) in place of "
            "(M, N), where row i belongs to x[i].",
        ),
        Mistake(
            lambda x, y: _squares(x, y).mean(dim=-1).sqrt(),
            "你对坐标取了平均：距离是平方和的平方根，不除以 D。",
            "You averaged over the coordinates: the distance is the root of "
            "the sum of squares, not divided by D.",
        ),
        Mistake(
            lambda x, y: _squares(x, y).sum(dim=-1, keepdim=True).sqrt(),
            "值都对，但多了一个大小为 1 的轴：这里求和之后坐标轴不再需要。",
            "The values are right, but there is an axis of size 1 too many: "
            "after the sum the axis of the coordinates is not needed.",
        ),
        Mistake(
            lambda x, y: (x[:, None] - y).sum(dim=-1).abs(),
            "你先把各坐标的差加了起来，正负会抵消：先平方，再求和，最后开方。",
            "You added up the differences of the coordinates first, where "
            "signs cancel: square first, then add up, then take the root.",
        ),
        Mistake(
            lambda x, y: (
                ((x**2).sum(dim=1)[:, None] + (y**2).sum(dim=1) - x @ y.T)
                .clamp(min=0)
                .sqrt()
            ),
            "展开式少了系数 2：|x - y|² = |x|² + |y|² - 2xy。",
            "The factor 2 is missing in |x - y|² = |x|² + |y|² - 2xy.",
        ),
        Mistake(
            lambda x, y: (x[:, None] - y).abs(),
            "你得到每一对点在每个坐标上的差 (M, N, D)：还要沿坐标轴合成一个"
            "距离。",
            "You have the difference of every pair in every coordinate, "
            "(M, N, D): join the coordinates into one distance.",
        ),
    ),
    properties=(
        Property(
            _agrees_with_cdist,
            "你的结果与 torch.cdist 的结果不同。",
            "Your result differs from that of torch.cdist.",
        ),
        Property(
            _zero_to_itself,
            "一个点到它自己的距离应为 0。看看：开方之前是否多加了小数；"
            "用 |x|² + |y|² - 2xy 展开时，舍入误差可能使它略小于 0，"
            "开方得 nan，先用 clamp(min=0)。",
            "The distance of a point to itself should be 0. See whether a "
            "small number is added before the root; with "
            "|x|² + |y|² - 2xy, rounding can leave a little less than 0, "
            "whose root is nan: use clamp(min=0) first.",
        ),
        Property(
            _own_work,
            "要用广播，不写循环。",
            "Use broadcasting, without a loop.",
        ),
    ),
)
