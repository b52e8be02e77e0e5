"""Lesson 15: attention by one head, its masks, and a test for causality."""

import math
import warnings

import torch
import torch.nn.functional as F

from exercises import Rejection, draw, exercise, labelled, says, variations
from exercises.properties import (
    finite,
    hides_the_future,
    sees_the_past,
    without,
)

DTYPE = torch.float64  # the lesson's default

CUT = (
    "梯度传不回 q、k、v：输出在半路与计算图断开了。",
    "No gradient flows back to q, k, v: the output is cut off from the graph "
    "on the way.",
)


@says(*CUT)
def learns(f, q, k, v):
    leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
    y = f(*leaves)
    if not y.requires_grad:
        return False
    grads = torch.autograd.grad(y.sum(), leaves, allow_unused=True)
    return not any(g is None for g in grads)


own = without(
    "scaled_dot_product_attention multi_head_attention_forward",
    "你调用了现成的注意力：这里要自己写。",
    "You call an attention that exists already: here, write it yourself.",
)

# --- 1: weights ------------------------------------------------------------


def scores_for(weights, temperature):
    logs = weights.log()  # (N, M)
    return temperature * (logs - logs.mean(dim=-1, keepdim=True))


def weighings(rng):
    for s in variations(rng, "N M", dtypes=(torch.float64,)):
        temperature = 0.25 + 3 * torch.rand((), generator=rng).item()
        yield s.lay(s.normal("N M").softmax(dim=-1)), temperature
    small = torch.tensor([[-27.0, -11, 0], [1, 2, 3]], dtype=torch.float64)
    yield small.softmax(dim=-1), 1.5


@says(
    "softmax(S / T) 不等于 weights。",
    "softmax(S / T) is not equal to weights.",
)
def gives_the_weights(f, weights, temperature):
    scores = f(weights, temperature)
    if scores.shape != weights.shape:
        return None  # told by the comparison
    found = (scores / temperature).softmax(dim=-1)
    return torch.allclose(found, weights, rtol=1e-5, atol=0)


@says(
    "softmax(S / T) 等于 weights，但每行的平均值不是 0。",
    "softmax(S / T) is equal to weights, but the mean of a row is not 0.",
)
def has_mean_0(f, weights, temperature):
    mean = f(weights, temperature).mean(dim=-1)
    return torch.allclose(mean, torch.zeros_like(mean), atol=1e-6)


scores_for = exercise(
    scores_for,
    weighings,
    holds=[gives_the_weights, has_mean_0],
    wrong="""
 - logs.mean(dim=-1, keepdim=True) =>
softmax(S / T) 对了，但每行的平均值不是 0：同一行的分数还可以一起加减一个数。
softmax(S / T) is right, but rows do not have the mean 0: the same number may
still be added to all scores of a row.

mean(dim=-1, keepdim=True) => amax(dim=-1, keepdim=True)
你让每行的最大值成为 0；要的是每行的平均值为 0。
You make the largest score of each row 0; it is the mean of each row that
should be 0.

.mean(dim=-1, keepdim=True) => .mean()
你减去了整个矩阵的平均值：每一行要减它自己的。
You subtract the mean of the whole matrix: each row has its own.

dim=-1 => dim=0
你减去了每一列的平均值：softmax 逐行做，一列的数不能一起加减。
You subtract the mean of each column: softmax works row by row, and a column
must not be shifted.

temperature * => 1 / temperature *
温度用反了：softmax 里分数要除以温度，所以分数本身要大 T 倍。
The temperature is the wrong way round: softmax divides the scores by it, so
the scores themselves are T times larger.

temperature * =>
温度没有用上：你的分数只在 T = 1 时给出这些权重。
The temperature has no effect: your scores give these weights only for T = 1.

weights.log() => weights
没有取对数：softmax 对分数取指数，要倒回去。
The logarithm is missing: softmax takes exponentials of the scores, and that
has to be undone.

weights.log() => weights.log2()
对数的底是 2：softmax 用的是 e 的指数。
Your logarithm has the base 2: softmax uses powers of e.

weights.log() => weights.softmax(dim=-1)
你又做了一次 softmax；要找的是 softmax 的输入。
You applied softmax once more; what is asked for is its input.
""",
)

# --- 2: the future ---------------------------------------------------------


def causal_attention(q, k, v):
    N, d_k = q.shape[-2:]
    mask = torch.ones(N, N, dtype=torch.bool, device=q.device).tril()
    scores = q @ k.mT / math.sqrt(d_k)  # (B, H, N, N)
    scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1) @ v  # (B, H, N, d_k)


@says(
    "位置 0 只看得到自己，输出应等于 v 的第 0 行。",
    "Position 0 sees only itself, so its output is row 0 of v.",
)
def sees_itself(f, q, k, v):
    return torch.allclose(f(q, k, v)[..., 0, :], v[..., 0, :])


@says(
    "v 全是 1 时输出应全是 1：每行权重之和不是 1。",
    "With v all 1 the output should be all 1: the weights of a row do not add "
    "up to 1.",
)
def averages(f, q, k, v):
    ones = torch.ones_like(v)
    return torch.allclose(f(q, k, ones), ones)


@says(
    "未来的分数很高时，前面的输出变了或成了 nan：未来还在 softmax 的分母里。",
    "Where scores of the future are very high, earlier outputs move or become "
    "nan: the future is still in the denominator of softmax.",
)
def hides_high_scores(f, q, k, v):
    before = f(q, k, v)
    for t in range(q.shape[-2] - 1):
        other = k.clone()
        other[..., t + 1 :, :] *= 1e4
        gap = (f(q, other, v) - before)[..., : t + 1, :].abs()
        if not (gap <= 1e-9).all():  # nan is none
            return False
    return True


causal_attention = exercise(
    causal_attention,
    draw("B H N D, B H N D, B H N D", high=6, dtypes=(torch.float64,)),
    part=True,
    oracle=lambda q, k, v: F.scaled_dot_product_attention(
        q, k, v, is_causal=True
    ),
    holds=[
        own,
        finite(
            "输出里有 nan 或 inf：有一行被全部遮掉了吗？",
            "The output holds nan or inf: is a row fully masked?",
        ),
        hides_the_future,
        sees_the_past,
        sees_itself,
        averages,
        hides_high_scores,
        learns,
    ],
    wrong="""
.tril() =>
没有掩码：每个位置都看到了未来。
There is no mask: every position sees the future.

~mask => mask
掩码反了：每个位置只看未来，最后一个谁也看不到，得到 nan。
The mask is the wrong way round: each position sees only the future, the last
one nobody, which is nan.

.tril() => .triu()
你留下的是右上角：每个位置看自己和未来。
You keep the upper right: each position sees itself and the future.

.tril() => .tril(-1)
对角线也被遮掉了：每个位置应当看得到自己，否则第 0 行全遮，得到 nan。
The diagonal is hidden too: each position may see itself, otherwise row 0 is
fully masked and gives nan.

.tril() => .tril(1)
多看了一个：位置 i 还看到了位置 i + 1。
One too many: position i also sees position i + 1.

scores.masked_fill(~mask, -torch.inf) => scores * mask
被遮的分数成了 0，而 e⁰ = 1，未来仍有权重。
The hidden scores became 0, and e⁰ = 1: the future still has weight.

dim=-1 => dim=-2
softmax 的轴错了：每一列之和为 1，后面的查询也进了分母。应让每一行之和为 1。
The wrong axis for softmax: columns add up to 1, and later queries are in the
denominator. It is the rows that should add up to 1.

dim=-1 => dim=1
softmax 沿着头的轴（H）做了：各个头被混在一起。应让每一行之和为 1。
Your softmax runs along the axis of the heads (H) and mixes them. It is the
rows that should add up to 1.

q @ k.mT => k @ q.mT
掩码是对的，但分数里 q 和 k 换了位置：第 i 行应是第 i 个查询与所有键的点积。
The mask is right, but q and k have changed places in the scores: row i should
hold the dot products of query i with all keys.

return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1).tril() @ v
softmax 之后再把权重变成 0 太迟了：未来的分数还在分母里，每行之和也不是 1。
Setting weights to 0 after softmax comes too late: the future's scores are in
the denominator, and rows do not add up to 1.

-torch.inf => -10.0
未来的分数只是降低了，没有遮掉：别的分数也很低时，未来仍有权重。
The future's scores are lowered and not hidden: where the other scores are low
too, the future still has weight.

 / math.sqrt(d_k) =>
掩码是对的，但忘了除以 √d_k。
The mask is right, but the division by √d_k is missing.

math.sqrt(d_k) => d_k
掩码是对的，但你除以了 d_k，应除以 √d_k。
The mask is right, but you divide by d_k; it is √d_k.

math.sqrt(d_k) => math.sqrt(N)
掩码是对的，但你除以了 √N，N 是位置数；应除以 √d_k。
The mask is right, but you divide by √N, the number of positions; it is √d_k.

math.sqrt(d_k) => math.sqrt(q.shape[1])
掩码是对的，但你除以了 √H，H 是头数；应除以 √d_k。
The mask is right, but you divide by √H, the number of heads; it is √d_k.

math.sqrt(d_k) => math.sqrt(2)
掩码是对的，但你除以了 √2，那是手算例子的宽度；应除以 √d_k。
The mask is right, but you divide by √2, the width of the example by hand; it
is √d_k.

@ v => @ k
掩码是对的，但权重乘到了键上：被平均的应是值。
The mask is right, but the weights multiply the keys: what is averaged are the
values.
""",
)

# --- 3: does it peek? ------------------------------------------------------


def is_causal(layer, x):
    y = layer(x)
    for t in range(x.shape[1]):
        other = x.clone()
        other[:, t + 1 :] = torch.randn_like(x[:, t + 1 :])
        if not torch.allclose(layer(other)[:, : t + 1], y[:, : t + 1]):
            return False
    return True


LAST_LEAKS = "causal attention, plus the last position added to the one before"


def layers(x, rng):
    """Layers by name, for inputs of the shape of x; N is at least 4."""
    _, N, d_model = x.shape
    w = torch.randn(3, d_model, d_model, generator=rng, dtype=x.dtype) / 2
    seen = torch.ones(N, N, dtype=torch.bool).tril()
    past = torch.cat([seen[:1], seen[:-1]])  # 0 sees itself, i up to i - 1
    last = (torch.arange(d_model) == d_model - 1).to(x.dtype)

    def attend(x, mask=None):
        q, k, v = x[None] @ w[:, None]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def cut_weights(x):
        q, k, v = x[None] @ w[:, None]
        return (q @ k.mT / math.sqrt(d_model)).softmax(dim=-1) * seen @ v

    def zero_scores(x):
        q, k, v = x[None] @ w[:, None]
        return (q @ k.mT / math.sqrt(d_model) * seen).softmax(dim=-1) @ v

    def passes(source, target, size=1.0):  # one position to another
        one = torch.zeros(N, N, dtype=x.dtype)
        one[target, source] = size
        return lambda x: attend(x, seen) + one @ x

    def one_sample(x):
        one = (torch.arange(len(x)) == 1).view(-1, 1, 1)
        return torch.where(one, attend(x), attend(x, seen))

    def signs(x):
        return attend(x, seen) + x.mean(dim=(1, 2), keepdim=True).sign()

    def ahead(change):  # each position leaks something of the next one
        def layer(x):
            following = F.pad(x[:, 1:], (0, 0, 0, 1))
            return attend(x, seen) + change(following)

        return layer

    def signed(size):  # 1, -1, 1, ...; the last of an odd number is 0
        even = torch.arange(size) < size // 2 * 2
        return even * (-1.0) ** torch.arange(size, dtype=x.dtype)

    return {
        "attention": attend,
        "attention with a causal mask": lambda x: attend(x, seen),
        "attention to the positions before": lambda x: attend(x, past),
        "attention, its weights cut after softmax": cut_weights,
        "attention, its scores times the mask": zero_scores,
        "attention to the future": lambda x: attend(x, seen.T),
        "causal attention, plus position 1 added to 0": passes(1, 0),
        LAST_LEAKS: passes(N - 1, N - 2),
        "causal attention, plus the last position added to 0": (
            passes(N - 1, 0)
        ),
        "causal attention, plus 0.001 times position 2 added to 1": (
            passes(2, 1, 1e-3)
        ),
        "causal attention, plus position 0 added to the last": (
            passes(0, N - 1)
        ),
        "causal attention, in sample 1 without its mask": one_sample,
        "causal attention, plus the sign of the mean of all numbers": signs,
        "relu(x @ w), row by row": lambda x: (x @ w[0]).relu(),
        "running sums": lambda x: x.cumsum(dim=1),
        "running sums from the end": lambda x: x.flip(1).cumsum(dim=1).flip(1),
        "causal attention, plus a sum over the batch": (
            lambda x: attend(x, seen) + x.sum(dim=0)
        ),
        "each row the one before": lambda x: (
            x.roll(1, dims=1) * (torch.arange(N) > 0)[:, None]
        ),
        "zeros": torch.zeros_like,
        "causal attention, with rounding errors from all numbers": lambda x: (
            attend(x, seen) + 1000 * x.mean() - 1000 * x.mean()
        ),
        "causal attention, plus and minus feature 0 of the next position": (
            ahead(lambda following: following[..., :1] * signed(d_model))
        ),
        "causal attention, plus the next position, in sample 1 minus it": (
            ahead(
                lambda following: (
                    following[:1] * signed(len(following))[:, None, None]
                )
            )
        ),
        "causal attention, the last feature plus that of the next": (
            ahead(lambda following: following * last)
        ),
        "causal attention, plus the last feature of the next": (
            ahead(lambda following: following[..., -1:])
        ),
        "causal attention, plus 0.0001 times the next position": (
            ahead(lambda following: 1e-4 * following)
        ),
        "causal attention, plus the absolute values of the next position": (
            ahead(torch.abs)
        ),
        "causal attention, plus the signs of the next position": (
            ahead(torch.sign)
        ),
        "causal attention, plus the softmax of the next position": (
            ahead(lambda following: following.softmax(dim=-1))
        ),
    }


def some_layers(rng):
    # float64, the lesson's type: the leak of 0.001 stands out of rounding.
    options = {"dtypes": (torch.float64,), "low": 4, "high": 6}
    first, *others = variations(rng, "B N F", **options)
    first |= {"B": 3, "N": 6, "F": 4}  # a loop over another axis ends early
    x = first.normal("B N F")
    named = layers(x, rng)
    for name, layer in named.items():
        yield labelled(name, layer), x
    x = x.clone()
    x[:, 2:] = 0  # pads
    for name in ("attention to the positions before", LAST_LEAKS):
        yield labelled(name, named[name]), x
    for s in others:
        s["N"] = max(s.N, 2)  # a single position has no future
        x = s.normal("B N F")
        for name in ("attention", "attention with a causal mask"):
            yield labelled(name, layers_of_two(x, rng)[name]), x


def layers_of_two(x, rng):
    """The two layers that any N has."""
    w = torch.randn(3, *[x.shape[-1]] * 2, generator=rng, dtype=x.dtype)

    def attend(is_causal):
        return lambda x: F.scaled_dot_product_attention(
            *(x[None] @ w[:, None]), is_causal=is_causal
        )

    return {
        "attention": attend(False),
        "attention with a causal mask": attend(True),
    }


is_causal = exercise(
    is_causal,
    some_layers,
    seeds=(0,),  # many calls of many layers
    wrong="""
return True
你对每一层都返回 True，可是有的层偷看未来。真的改动了什么吗？
You return True for every layer, but some peek. Was anything changed?

return False
你对每一层都返回 False，可是有的层不偷看。
You return False for every layer, but some do not peek.

return not right(layer, x)
True 和 False 反了：不偷看的层应得到 True。
True and False are swapped: True is for layers that do not peek.

range(x.shape[1]) => range(x.shape[1] - 2, x.shape[1] - 1)
只改最后一个位置不够：有的层偷看的不是它。
To change the last position alone is not enough: some layers peek at another.

range(x.shape[1]) => [0]
只在 t = 0 检验不够：有的层到后面的位置才偷看。
To test t = 0 alone is not enough: some layers peek only further on.

[:, : t + 1] => [:, :t]
比较差了一个：位置 t 的输出也不许看 t 以后。
The comparison is off by one: the output at t may not see what comes after t
either.

[:, t + 1 :] => [:, t:]
改动差了一个：位置 t 可以看它自己，只改它以后的。
The change is off by one: position t may see itself, so change only what comes
after it.

[:, : t + 1] =>
你比较了全部输出：t 以后的输出本来就可以变。
You compare all outputs: those after t may change.

x.shape[1] => x.shape[0]
[:, t + 1 :] => [t + 1 :]
[:, : t + 1] => [: t + 1]
改动和比较都用错了轴：轴 0 是样本，位置在轴 1。
You change and compare along the wrong axis: axis 0 is the samples, positions
are axis 1.

x.shape[1] => x.shape[2]
[:, t + 1 :] => [..., t + 1 :]
[:, : t + 1] => [..., : t + 1]
改动和比较都用错了轴：最后一个轴是特征，位置在轴 1。
You change and compare along the wrong axis: the last one is the features,
positions are axis 1.

torch.randn_like(x[:, t + 1 :]) => torch.nan
把未来换成 nan，不看未来的层也会出 nan：权重 0 乘以 nan 还是 nan。要换成普
通的随机数。
With nan for the future, layers that do not look at it give nan as well: a
weight of 0 times nan is nan. Take ordinary random numbers.

torch.randn_like(x[:, t + 1 :]) => x[:, t + 1 :].flip(1)
只打乱未来的次序不够：只剩一个位置时等于没改，对未来求和的层也看不出来。要换成新
的数。
Another order of the future is not enough: of a single position it changes
nothing, and layers that sum over the future do not see it. Take new numbers.

torch.randn_like(x[:, t + 1 :]) => x[:, t + 1 :] + 1
给未来的数都加上同一个数不够：有的层看不见，例如对特征做 softmax 的。要换成新的
数。
The same number added to all of the future is not enough: some layers do not
see it, softmax over the features for one. Take new numbers.

torch.randn_like(x[:, t + 1 :]) => 0.0
把未来换成 0 不够：x 里本来就是 0 的位置，例如 pad，等于没改。要换成新的随机
数。
Zeros for the future are not enough: where x is 0 already, at a pad say,
nothing changes. Take new random numbers.

y[:, : t + 1]) => y[:, : t + 1], rtol=0.05, atol=0.05)
容差太大：有的层只泄漏一点点。
The tolerance is too large: some layers leak only a little.

torch.allclose => torch.equal
你要求一位也不差：舍入误差不算偷看，比较要带容差。
You ask for equal digits: rounding is no peeking, so compare with a tolerance.
""",
)

# --- 4: a mask -------------------------------------------------------------


def masked_attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, N, M)
    if mask is None:
        return scores.softmax(dim=-1) @ v
    empty = ~mask.any(dim=-1, keepdim=True)  # (..., 1)
    scores = scores.masked_fill(~(mask | empty), -torch.inf)
    weights = scores.softmax(dim=-1).masked_fill(empty, 0)
    return weights @ v  # (B, N, d_v)


def masks(rng):
    for i, s in enumerate(variations(rng, "B N M D E", high=6)):
        parts = s.normal("B N D"), s.normal("B M D"), s.normal("B M E")
        for n, word in enumerate((None, "N M", "B 1 M")):
            if n == i % 3 or not s.about or "." in s.about:
                mask = word and s.integers(word.replace("1", ""), 0, 2) > 0
                if word:  # the first of several rows is empty, no other
                    last = torch.arange(len(mask)) % s.M
                    mask[torch.arange(len(mask)), last] = True
                    mask[: len(mask) > 1] = False
                    mask = s.lay(mask.view(s.N if n == 1 else s.B, -1, s.M))
                    mask = mask[:, 0] if n == 1 else mask
                yield *parts, mask


def equal_keys(q, k, v, mask, score):
    """Inputs whose keys are all equal, and the mean of the values seen."""
    q, k, v = torch.ones_like(q).double(), torch.ones_like(k), v.double()
    k = k.double() * score / math.sqrt(q.shape[-1])
    seen = k.new_ones(1, 1, k.shape[1]) if mask is None else mask.double()
    mean = seen @ v / seen.sum(dim=-1, keepdim=True).clamp(min=1)
    return (q, k, v, mask), mean.expand(*q.shape[:2], -1)


@says(
    "所有键都相等时，权重应当相等，输出应是可以看的那些值的平均。",
    "When all keys are equal the weights should be equal, and the output the "
    "mean of the values that may be looked at.",
)
def averages_equal_keys(f, *case):
    inputs, mean = equal_keys(*case, score=1)
    y, mask = f(*inputs), case[3]
    if mask is not None:
        empty = ~mask.any(dim=-1, keepdim=True).expand(*y.shape[:2], 1)
        if (y * empty).any():
            raise Rejection(
                "全遮的一行，输出不是 0。",
                "The output of a fully masked row is not 0.",
            )
    return torch.allclose(y, mean)


@says(
    "分数都在 −100 上下时，不许看的位置也有了权重：遮掉它的那个数不够小。",
    "Where all scores are around −100, forbidden positions have weight too: "
    "the number that hides them is not low enough.",
)
def hides_from_low_scores(f, *case):
    (q, k, v, mask), mean = equal_keys(*case, score=-100)
    if (f(q, k, torch.ones_like(v), mask) < 1e-3).all():
        raise Rejection(
            "分数都在 −100 上下时，权重之和远小于 1：加到分母里的数，"
            "或分母的下限，比 e⁻¹⁰⁰ 大得多。",
            "Where all scores are around −100, weights add up to far less "
            "than 1: what was added to the denominator, or its lower limit, "
            "is much larger than e⁻¹⁰⁰.",
        )
    return torch.allclose(f(q, k, v, mask), mean)


@says(
    "不许看的位置分数很高时，输出变了或成了 nan：它还在 softmax 的分母里。",
    "Where the score of a forbidden position is very high, the output moves "
    "or becomes nan: it is still in the denominator of softmax.",
)
def hides_from_high_scores(f, q, k, v, mask):
    if mask is None:
        return True
    before = f(q, k, v, mask)
    for j in range(k.shape[1]):
        other = k.clone()
        other[:, j] *= 1e4
        hidden = ~mask[..., j].expand(before.shape[:2])  # (B, N)
        gap = (f(q, other, v, mask) - before)[hidden].abs()
        if not (gap <= 1e-6).all():  # nan is none
            return False
    return True


@says(
    "反向传播的半路上有 nan：全遮的一行以 nan 的样子进出了 softmax。",
    "There is nan in the middle of the backward pass: a fully masked row went "
    "through softmax as nan.",
)
def no_nan_on_the_way(f, *case):
    if case[3] is None:
        return True  # no row is empty
    leaves = [x.detach().clone().requires_grad_() for x in case[:3]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mode prints where it was
        with torch.autograd.set_detect_anomaly(True):
            try:
                y = f(*leaves, case[3])
                grads = [None]
                if y.requires_grad:
                    grads = torch.autograd.grad(
                        y.sum(), leaves, allow_unused=True
                    )
            except RuntimeError as error:
                if "returned nan values" in str(error):
                    return False
                raise
    if any(g is None for g in grads):
        raise Rejection(*CUT)
    return all(g.isfinite().all() for g in grads)


@says(
    "输出里有 nan 或 inf：有一行的 mask 全是 False。",
    "The output holds nan or inf: one row of the mask is all False.",
)
def finite_rows(f, q, k, v, mask):
    bad = ~f(q, k, v, mask).isfinite().all(dim=-1)  # (B, N)
    empty = torch.tensor(False) if mask is None else ~mask.any(dim=-1)
    if (bad & ~empty).any():
        raise Rejection(
            "输出里有 nan 或 inf，那一行却有位置可以看：掩码反了吗？",
            "The output holds nan or inf in a row that may look somewhere: is "
            "the mask the wrong way round?",
        )
    return not bad.any()


masked_attention = exercise(
    masked_attention,
    masks,
    part=True,
    seeds=(0,),  # each step of the backward pass is watched
    oracle=lambda q, k, v, mask: F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask
    ),
    holds=[
        own,
        finite_rows,
        no_nan_on_the_way,
        averages_equal_keys,
        hides_from_low_scores,
        hides_from_high_scores,
    ],
    wrong="""
 / math.sqrt(q.shape[-1]) =>
你的结果等于没有除以 √d_k 时的结果：分数应是 q·k / √d_k，d_k = q.shape[-1]。
Your result equals what you get without the division by √d_k: a score is
q·k / √d_k, with d_k = q.shape[-1].

math.sqrt(q.shape[-1]) => q.shape[-1]
你除以了 d_k，而不是 √d_k：点积的标准差是 √d_k。
You divide by d_k and not by √d_k: the standard deviation of a dot product is
√d_k.

k.mT / => k.mT *
你乘以了 √d_k，应该除以它。
You multiply by √d_k; divide by it.

math.sqrt(q.shape[-1]) => math.sqrt(v.shape[-1])
√d_k 里的 d_k 取成了值的宽度。点积在 q 与 k 之间，d_k 是它们最后一个轴的大小。
Your d_k is the width of the values. The dot product is between q and k, so d_k
is the size of their last axis.

math.sqrt(q.shape[-1]) => math.sqrt(q.shape[1])
你除以了 √N，N 是查询的个数：点积有 d_k 项，要除的是 √d_k。
You divide by √N, the number of queries: a dot product has d_k terms, and it is
√d_k.

math.sqrt(q.shape[-1]) => math.sqrt(k.shape[1])
你除以了 √M，M 是键的个数：点积有 d_k 项，要除的是 √d_k。
You divide by √M, the number of keys: a dot product has d_k terms, and it is
√d_k.

 / math.sqrt(q.shape[-1]) =>
 @ v => / q.shape[-1] ** 0.5 @ v
softmax 之后才除以 √d_k：缩放的应是分数，权重每行之和要是 1。
The division by √d_k comes after softmax: it is the scores that are scaled, and
the weights of a row should add up to 1.

softmax(dim=-1) => softmax(dim=-2)
softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）之和为 1。
The wrong axis for softmax: your columns add up to 1; it is the rows (one for
each query) that should.

softmax(dim=-1) => softmax(dim=0)
softmax 沿着批次的轴做了：不同的句子被混在一起。
Your softmax runs along the batch and mixes sentences.

~(mask | empty) => mask & ~empty
掩码反了：这里 True 表示可以看，你遮掉的正是可以看的。
The mask is the wrong way round: True means may be looked at, and that is what
you hide.

~(mask | empty) => mask
.masked_fill(empty, 0) =>
掩码反了，可以看的被遮掉了；全是 True 的一行就成了 nan。
The mask is the wrong way round and hides what may be looked at; a row that is
all True then gives nan.

return right(q, k, v, None if mask is None else ~mask)
掩码从头到尾都反了：你把 True 当成了不许看。
The mask is the wrong way round from start to end: you take True for hidden.

~(mask | empty), -torch.inf => mask, -1e9
掩码反了：True 表示可以看，你给可以看的位置填了很小的数。
The mask is the wrong way round: True means may be looked at, and there you
fill in a very low score.

scores.masked_fill(~(mask | empty), -torch.inf) => scores * mask
你用乘法把分数变成了 0，或填了 0，但 e⁰ = 1，不许看的位置仍有权重。
You turned scores into 0, but e⁰ = 1, so the forbidden positions still have
weight.

scores.masked_fill(~(mask | empty), -torch.inf) => scores + mask
掩码被加到了分数上：可以看的只多了 1，谁也没有被遮住。
The mask was added to the scores: what may be looked at got 1 more, and nobody
is hidden.

weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
return (weights if mask is None else weights * mask) @ v
你在 softmax 之后才把权重变成 0：每行之和小于 1，被遮的分数还在分母里。
You set weights to 0 after softmax: rows add up to less than 1, and hidden
scores are still in the denominator.

softmax(dim=-1) => softmax(dim=-1).softmax(dim=-1)
softmax 做了两次：第二次把权重又拉平了。
softmax was applied twice, and the second time evens the weights out.

weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
return (weights if mask is None else weights * mask).softmax(dim=-1) @ v
你对权重又做了一次 softmax：0 的权重变成了 e⁰ / …，又看得见了。
You applied softmax to the weights again: a weight of 0 becomes e⁰ / … and is
visible again.

return right(q, k, v, None)
掩码没有用上：结果与 mask=None 时相同。
The mask has no effect: your result is that of mask=None.

softmax(dim=-1) => log_softmax(dim=-1)
你用了 log_softmax：被平均的该乘权重，不是权重的对数。
You use log_softmax: values are multiplied by weights, not by their logarithms.

-torch.inf => torch.inf
不许看的位置填了 +inf：应让它的权重成为 0，你让它盖过了一切。
+inf was filled in where looking is forbidden: the weight there should be 0,
and you made it overrule everything.

scores = q @ k.mT / math.sqrt(q.shape[-1])
scores = scores if mask is None else scores * mask
return scores / scores.sum(dim=-1, keepdim=True) @ v
没有取指数：分数有正有负，直接除以总和得不到权重。
The exponential is missing: scores of both signs divided by their sum are no
weights.

@ v => @ k
权重乘到了键上：被平均的应是值。
The weights multiply the keys: what is averaged are the values.

 | empty =>
.masked_fill(empty, 0) =>
全遮的一行得到了 nan：它的权重是 0 除以 0，输出应是 0。
A fully masked row gives nan: its weights are 0 divided by 0, and its output
should be 0.

 | empty =>
.masked_fill(empty, 0) => .nan_to_num()
nan 到 softmax 之后才换成 0：反向传播时它仍流过 softmax。全遮的行要在它之前
处理。
The nan is replaced only after softmax, and in the backward pass it still goes
through softmax. Fully masked rows must be handled before it.

.masked_fill(empty, 0) =>
全遮的一行输出不是 0：softmax 不知道它全被遮掉，给出了平均。
The output of a fully masked row is not 0: softmax does not know that it is
fully masked and gives a mean.

 | empty =>
-torch.inf => -1e9
.masked_fill(empty, 0) =>
全遮的一行输出不是 0：它的分数都成了 −1e9，彼此相等，softmax 给出了普通平均。
The output of a fully masked row is not 0: its scores are all −1e9 and equal,
so softmax gives the plain mean.
""",
)

# --- 5: pads ---------------------------------------------------------------


def padded_attention(q, k, v, lengths):
    places = torch.arange(q.shape[1], device=q.device)
    mask = (places < lengths[:, None])[:, None, :]  # (B, 1, N)
    empty = ~mask.any(dim=-1, keepdim=True)  # (B, 1, 1)
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, N, N)
    scores = scores.masked_fill(~(mask | empty), -torch.inf)
    return scores.softmax(dim=-1).masked_fill(empty, 0) @ v


def sentences(rng):
    for s in variations(rng, "B N D"):
        parts = [s.normal("B N D") for _ in range(3)]
        lengths = s.integers("B", 1, max(s.N, 2))
        if s.B > 1:
            lengths[torch.randperm(s.B, generator=rng)[:2]] = torch.tensor(
                [0, s.N]
            )
        yield *parts, lengths


@says(
    "改掉 pad 的内容，输出变了。",
    "What stands in the pads was changed, and the output moved.",
)
def ignores_pads(f, q, k, v, lengths):
    q, k, v = 1e3 * q.double(), k.double(), v.double()  # to lower is not
    pad = torch.arange(q.shape[1]) >= lengths[:, None]  # to hide
    before = f(q, k, v, lengths)
    other = [
        torch.where(pad[..., None], size * torch.randn_like(x), x)
        for x, size in ((k, 3), (v, 100))
    ]
    return torch.allclose(f(q, *other, lengths), before)


@says(
    "q、k、v 的梯度里有 nan 或 inf：nan 进了 weights @ v，反向时又回来了。",
    "The gradients of q, k, v hold nan or inf: a nan went into weights @ v "
    "and comes back in the backward pass.",
)
def finite_gradients(f, q, k, v, lengths):
    leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
    y = f(*leaves, lengths)
    grads = [None]
    if not y.requires_grad and not y.any():
        return True  # no sentence was seen: the values tell it
    if y.requires_grad:
        grads = torch.autograd.grad(y.sum(), leaves, allow_unused=True)
    if any(g is None for g in grads):
        raise Rejection(*CUT)
    return all(g.isfinite().all() for g in grads)


padded_attention = exercise(
    padded_attention,
    sentences,
    holds=[finite(), ignores_pads, finite_gradients],
    wrong="""
 | empty =>
.masked_fill(empty, 0) =>
长度为 0 的句子得到了 nan：一行全被遮掉，权重就是 0 除以 0。这些权重应是 0。
The sentence of length 0 gives nan: where a whole row is hidden the weights are
0 divided by 0. They should be 0.

 | empty =>
scores.softmax(dim=-1) => (scores.softmax(dim=-1)
.masked_fill(empty, 0) @ v =>  @ v).nan_to_num()
输出里的 nan 去掉了，但它已经进过 weights @ v，反向传播时梯度里仍有 nan。
The nan is gone from the output, but it has been in weights @ v and is still in
the gradients.

[:, None, :] => [:, :, None]
遮掉的是 pad 的行（查询），不是 pad 的列（键）：真的词仍然看得到 pad。
You hide the pads' rows (queries) and not their columns (keys): real words
still see the pads.

[:, None, :] =>
掩码的形状是 (B, N)，与 (B, N, N) 的分数对齐时，B 落在了查询的轴上：每一句要用
自己的那一行。
The mask has shape (B, N); against scores of (B, N, N) its B stands at the axis
of the queries. Each sentence needs its own row of it.

places < lengths[:, None] => places >= lengths[:, None]
掩码反了：每个词只看 pad。
The mask is the wrong way round: every word sees only pads.

places < => places <=
差了一个：第一个 pad 也被看到了。位置从 0 数起。
Off by one: the first pad is seen too. Positions count from 0.

lengths[:, None] => lengths[:, None] - 1
差了一个：最后一个真的词也被遮掉了。
Off by one: the last real word is hidden too.

scores.masked_fill(~(mask | empty), -torch.inf) => scores * mask
pad 的分数变成了 0，而 e⁰ = 1，pad 仍有权重。
The pads' scores became 0, and e⁰ = 1: pads still have weight.

scores.masked_fill(~(mask | empty), -torch.inf) => scores * mask
.masked_fill(empty, 0) =>
pad 的分数变成了 0，可是 e⁰ = 1：pad 仍有权重，长度为 0 的句子也得到了平均。
The pads' scores became 0, but e⁰ = 1: pads have weight, and the sentence of
length 0 gets a mean, too.

return F.scaled_dot_product_attention(
    q, k, v, (torch.arange(q.shape[1]) < lengths[:, None, None]).to(q.dtype)
)
浮点的掩码在 SDPA 里是加到分数上的：真的词多了 1 分，谁也没有被遮住。
SDPA adds a mask of floats to the scores: real words get 1 more, and nobody is
hidden.

    scores = scores.masked_fill(~(mask | empty), -torch.inf) =>
.masked_fill(empty, 0) =>  * mask
你在 softmax 之后才去掉 pad 的权重或值，剩下的权重之和小于 1，pad 仍在分母里。
You drop the pads' weights or values after softmax: the weights left add up to
less than 1, and the pads are still in the denominator.

real = (torch.arange(q.shape[1]) < lengths[:, None])[..., None]
return F.scaled_dot_product_attention(q, k * real, v * real)
pad 的键和值变成了 0，分数也就是 0，而 e⁰ = 1：pad 仍在分母里。
The pads' keys and values became 0, so their scores are 0, and e⁰ = 1: pads are
still in the denominator.

.masked_fill(empty, 0) =>
长度为 0 的句子输出不是 0：所有分数都同样对待时，softmax 给出的是全句的平均。
The sentence of length 0 does not give 0: where all scores are treated alike,
softmax gives a mean of the sentence.

 | empty =>
-torch.inf => -1e9
.masked_fill(empty, 0) =>
长度为 0 的句子输出不是 0：分数都成了 −1e9，彼此相等，softmax 给出普通平均。
The sentence of length 0 does not give 0: its scores are all −1e9 and equal, so
softmax gives the plain mean.

lengths[:, None] => lengths.clamp(min=1)[:, None]
长度为 0 的句子看到了它的第一个 pad，输出应全是 0。
The sentence of length 0 sees its first pad; its output should be all 0.

 / math.sqrt(q.shape[-1]) =>
掩码是对的，但忘了除以 √d_k。
The mask is right, but the division by √d_k is missing.

math.sqrt(q.shape[-1]) => q.shape[-1]
掩码是对的，但你除以了 d_k，应除以 √d_k。
The mask is right, but you divide by d_k; it is √d_k.

scores.softmax(dim=-1) => scores.softmax(dim=-2)
softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）之和为 1。
The wrong axis for softmax: your columns add up to 1; it is the rows (one for
each query) that should.

return F.scaled_dot_product_attention(q, k, v)
lengths 没有用上：pad 与真的词一样被看到了。
lengths has no effect: pads are seen like real words.

[:, None, :] => [:, None, :] & (places <= places[:, None])
你还遮掉了未来：每个查询都看得到本句所有真的位置。
You hide the future too: every query sees all real positions of its sentence.

masked_fill(empty, 0) @ v => masked_fill(empty, 0) @ v * mask.mT
pad 位置上的输出被换成了 0：题目要求 pad 位置上的查询也照常计算，只是不看 pad。
You made the output at the pads 0: a query at a pad is to be computed like any
other, it only does not see pads.
""",
)
