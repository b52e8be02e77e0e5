"""Lesson 15: attention with masks, in heads, from another sequence."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, draw, exercise, labelled, says, variations
from exercises.properties import (
    finite,
    hides_the_future,
    no_loop,
    sees_the_past,
    without,
)

DTYPE = torch.float64  # the lesson's default

# --- 1: a mask -------------------------------------------------------------


def masked_attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, N, M)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1) @ v  # (B, N, D_v)


def masks(rng):
    for i, s in enumerate(variations(rng, "B N M D E")):
        parts = s.normal("B N D"), s.normal("B M D"), s.normal("B M E")
        for n, word in enumerate((None, "N M", "B 1 M")):
            if n == i % 3 or not s.about or "." in s.about:
                mask = word and s.integers(word.replace("1", ""), 0, 2) > 0
                if word:  # every row has at least one True
                    last = torch.arange(len(mask)) % s.M
                    mask[torch.arange(len(mask)), last] = True
                    mask = s.lay(mask.view(s.N if n == 1 else s.B, -1, s.M))
                    mask = mask[:, 0] if n == 1 else mask
                yield *parts, mask


def equal_keys(q, k, v, mask, score):
    """Inputs whose keys are all equal, and the mean of the values seen."""
    q, k, v = torch.ones_like(q).double(), torch.ones_like(k), v.double()
    k = k.double() * score / math.sqrt(q.shape[-1])
    seen = k.new_ones(1, 1, k.shape[1]) if mask is None else mask.double()
    mean = seen @ v / seen.sum(dim=-1, keepdim=True)
    return (q, k, v, mask), mean.expand(*q.shape[:2], -1)


@says(
    "所有键都相等时，权重应当相等，输出应是可以看的那些值的平均。",
    "When all keys are equal the weights should be equal, and the output the "
    "mean of the values that may be looked at.",
)
def averages_equal_keys(f, *case):
    inputs, mean = equal_keys(*case, score=1)
    return torch.allclose(f(*inputs), mean)


@says(
    "分数都在 −100 上下时，不许看的位置也有了权重：遮掉它的那个数不够小。",
    "Where all scores are around −100, forbidden positions have weight too: "
    "the number that hides them is not low enough.",
)
def hides_from_low_scores(f, *case):
    inputs, mean = equal_keys(*case, score=-100)
    return torch.allclose(f(*inputs), mean)


masked_attention = exercise(
    masked_attention,
    masks,
    part=True,
    oracle=lambda q, k, v, mask: F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask
    ),
    holds=[
        without(
            "scaled_dot_product_attention multi_head_attention_forward",
            "你调用了现成的注意力：这里要自己写。",
            "You call an attention that exists already: here, write it "
            "yourself.",
        ),
        averages_equal_keys,
        hides_from_low_scores,
    ],
    wrong="""
 / math.sqrt(q.shape[-1]) =>
你的结果等于没有除以 √D 时的结果：分数应是 q·k / √D，D = q.shape[-1]。
Your result equals what you get without the division by √D: a score is
q·k / √D, with D = q.shape[-1].

math.sqrt(q.shape[-1]) => q.shape[-1]
你除以了 D，而不是 √D：点积的标准差是 √D。
You divide by D and not by √D: the standard deviation of a dot product is √D.

k.mT / => k.mT *
你乘以了 √D，应该除以它。
You multiply by √D; divide by it.

math.sqrt(q.shape[-1]) => math.sqrt(v.shape[-1])
√D 里的 D 取成了值的宽度。点积在 q 与 k 之间，D 是 q（和 k）最后一个轴的大小。
Your D is the width of the values. The dot product is between q and k, so D is
the size of their last axis.

math.sqrt(q.shape[-1]) => math.sqrt(q.shape[1])
你除以了 √N，N 是查询的个数：点积有 D 项，要除的是 √D。
You divide by √N, the number of queries: a dot product has D terms, and it is
√D.

math.sqrt(q.shape[-1]) => math.sqrt(k.shape[1])
你除以了 √M，M 是键的个数：点积有 D 项，要除的是 √D。
You divide by √M, the number of keys: a dot product has D terms, and it is √D.

 / math.sqrt(q.shape[-1]) =>
 @ v => / q.shape[-1] ** 0.5 @ v
softmax 之后才除以 √D：缩放的应是分数，权重每行之和要是 1。
The division by √D comes after softmax: it is the scores that are scaled, and
the weights of a row should add up to 1.

dim=-1 => dim=-2
softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）之和为 1。
The wrong axis for softmax: your columns add up to 1; it is the rows (one for
each query) that should.

dim=-1 => dim=0
softmax 沿着批次的轴做了：不同的句子被混在一起。
Your softmax runs along the batch and mixes sentences.

~mask => mask
掩码反了：这里 True 表示可以看，你遮掉的正是可以看的。
The mask is the wrong way round: True means may be looked at, and that is what
you hide.

~mask, -torch.inf => mask, -1e9
掩码反了：True 表示可以看，你给可以看的位置填了很小的数。
The mask is the wrong way round: True means may be looked at, and there you
fill in a very low score.

scores.masked_fill(~mask, -torch.inf) => scores * mask
你用乘法把分数变成了 0，或填了 0，但 e⁰ = 1，不许看的位置仍有权重。
You turned scores into 0, but e⁰ = 1, so the forbidden positions still have
weight.

scores.masked_fill(~mask, -torch.inf) => scores + mask
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
""",
)

# --- 2: the future ---------------------------------------------------------


def causal_attention(q, k, v):
    N, D = q.shape[-2:]
    mask = torch.ones(N, N, dtype=torch.bool, device=q.device).tril()
    scores = q @ k.mT / math.sqrt(D)  # (B, H, N, N)
    scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1) @ v  # (B, H, N, D)


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


causal_attention = exercise(
    causal_attention,
    draw("B H N D, B H N D, B H N D", high=6),
    part=True,
    oracle=lambda q, k, v: F.scaled_dot_product_attention(
        q, k, v, is_causal=True
    ),
    holds=[
        finite(
            "输出里有 nan 或 inf：有一行被全部遮掉了吗？",
            "The output holds nan or inf: is a row hidden completely?",
        ),
        hides_the_future,
        sees_the_past,
        sees_itself,
        averages,
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
hidden completely and gives nan.

.tril() => .tril(1)
多看了一个：位置 i 还看到了位置 i + 1。
One too many: position i also sees position i + 1.

scores.masked_fill(~mask, -torch.inf) => scores * mask
分数乘以 0 只是把分数变成 0，e⁰ = 1，未来仍有权重。
A score times 0 is the score 0, and e⁰ = 1: the future still has weight.

dim=-1 => dim=-2
softmax 的轴错了：每一列之和为 1，后面的查询也进了分母。应让每一行之和为 1。
The wrong axis for softmax: columns add up to 1, and later queries are in the
denominator. It is the rows that should add up to 1.

return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1).tril() @ v
softmax 之后再把权重变成 0 太迟了：未来的分数还在分母里，每行之和也不是 1。
Setting weights to 0 after softmax comes too late: the future's scores are in
the denominator, and rows do not add up to 1.

-torch.inf => -10.0
未来的分数只是降低了，没有遮掉：别的分数也很低时，未来仍有权重。
The future's scores are lowered and not hidden: where the other scores are low
too, the future still has weight.

 / math.sqrt(D) =>
掩码是对的，但忘了除以 √D。
The mask is right, but the division by √D is missing.

math.sqrt(D) => D
掩码是对的，但你除以了 D，应除以 √D。
The mask is right, but you divide by D; it is √D.

math.sqrt(D) => math.sqrt(N)
掩码是对的，但你除以了 √N，N 是位置数；应除以 √D。
The mask is right, but you divide by √N, the number of positions; it is √D.

@ v => @ k
掩码是对的，但权重乘到了键上：被平均的应是值。
The mask is right, but the weights multiply the keys: what is averaged are the
values.
""",
)

# --- 3: pads ---------------------------------------------------------------


def padded_attention(q, k, v, lengths):
    N, D = q.shape[-2:]
    places = torch.arange(N, device=q.device)
    mask = (places < lengths[:, None])[:, None, :]  # (B, 1, N)
    scores = (q @ k.mT / math.sqrt(D)).masked_fill(~mask, -torch.inf)
    return scores.softmax(dim=-1).nan_to_num() @ v  # (B, N, D)


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
    q, k, v = 20 * q.double(), k.double(), v.double()  # to lower is not to
    pad = torch.arange(q.shape[1]) >= lengths[:, None]  # hide
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
        raise Rejection(
            "梯度传不回 q、k、v：输出在半路与计算图断开了。",
            "No gradient flows back to q, k, v: the output is cut off from "
            "the graph on the way.",
        )
    return all(g.isfinite().all() for g in grads)


padded_attention = exercise(
    padded_attention,
    sentences,
    holds=[finite(), ignores_pads, finite_gradients],
    wrong="""
.nan_to_num() =>
长度为 0 的句子得到了 nan：一行全被遮掉，权重就是 0 除以 0。这些权重应是 0。
The sentence of length 0 gives nan: where a whole row is hidden the weights are
0 divided by 0. They should be 0.

.nan_to_num() @ v =>  @ v
scores.softmax(dim=-1) @ v => (scores.softmax(dim=-1) @ v).nan_to_num()
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

~mask => mask
掩码反了：每个词只看 pad。
The mask is the wrong way round: every word sees only pads.

places < => places <=
差了一个：第一个 pad 也被看到了。位置从 0 数起。
Off by one: the first pad is seen too. Positions count from 0.

lengths[:, None] => lengths[:, None] - 1
差了一个：最后一个真的词也被遮掉了。
Off by one: the last real word is hidden too.

.masked_fill(~mask, -torch.inf) =>  * mask
pad 的分数变成了 0，而 e⁰ = 1，pad 仍有权重。
The pads' scores became 0, and e⁰ = 1: pads still have weight.

.masked_fill(~mask, -torch.inf) =>
.nan_to_num() =>  * mask
你在 softmax 之后才去掉 pad 的权重或值，剩下的权重之和小于 1，pad 仍在分母里。
You drop the pads' weights or values after softmax: the weights left add up to
less than 1, and the pads are still in the denominator.

real = (torch.arange(q.shape[1]) < lengths[:, None])[..., None]
return F.scaled_dot_product_attention(q, k * real, v * real)
pad 的键和值变成了 0，分数也就是 0，而 e⁰ = 1：pad 仍在分母里。
The pads' keys and values became 0, so their scores are 0, and e⁰ = 1: pads are
still in the denominator.

-torch.inf => -1e9
长度为 0 的句子输出不是 0：所有分数都同样小时，softmax 给出的是普通平均。
The sentence of length 0 does not give 0: when all scores are equally small,
softmax gives the plain mean.

lengths[:, None] => lengths.clamp(min=1)[:, None]
长度为 0 的句子看到了它的第一个 pad，输出应全是 0。
The sentence of length 0 sees its first pad; its output should be all 0.

 / math.sqrt(D) =>
掩码是对的，但忘了除以 √D。
The mask is right, but the division by √D is missing.

math.sqrt(D) => D
掩码是对的，但你除以了 D，应除以 √D。
The mask is right, but you divide by D; it is √D.

dim=-1 => dim=-2
softmax 的轴错了：你让每一列之和为 1，应让每一行（每个查询）之和为 1。
The wrong axis for softmax: your columns add up to 1; it is the rows (one for
each query) that should.

.masked_fill(~mask, -torch.inf) =>
lengths 没有用上：pad 与真的词一样被看到了。
lengths has no effect: pads are seen like real words.

[:, None, :] => [:, None, :] & (places <= places[:, None])
你还遮掉了未来：每个查询都看得到本句所有真的位置。
You hide the future too: every query sees all real positions of its sentence.

@ v => @ v * mask.mT
pad 位置上的输出被换成了 0：题目要求 pad 位置上的查询也照常计算，只是不看 pad。
You made the output at the pads 0: a query at a pad is to be computed like any
other, it only does not see pads.
""",
)

# --- 4: heads --------------------------------------------------------------


def attend_in_heads(q, k, v, num_heads):
    B, N, d_model = q.shape

    def split(x):  # (B, N, d_model) -> (B, H, N, D)
        return x.reshape(B, N, num_heads, -1).transpose(1, 2)

    y = F.scaled_dot_product_attention(split(q), split(k), split(v))
    return y.transpose(1, 2).reshape(B, N, d_model)  # (B, H, N, D) ->


def one_by_one(q, k, v, num_heads):
    parts = [x.chunk(num_heads, dim=-1) for x in (q, k, v)]
    heads = [
        F.scaled_dot_product_attention(*p) for p in zip(*parts, strict=True)
    ]
    return torch.cat(heads, dim=-1)


def in_heads(s):
    s["F"] = s.H * s.D
    return *(s.normal("B N F") for _ in range(3)), s.H


def some_heads(rng):
    yield from map(in_heads, variations(rng, "B N H D"))


@says(
    "改动一个头的输入，别的头的输出变了（或它自己的没有变）。",
    "The input of one head was changed, and other heads moved (or its own did "
    "not).",
)
def keeps_heads_apart(f, q, k, v, num_heads):
    D = q.shape[-1] // num_heads
    h = int(torch.randint(num_heads, ()))
    mine = torch.arange(q.shape[-1]) // D == h
    before = f(q, k, v, num_heads)
    after = f(*(x + mine * torch.randn_like(x) for x in (q, k, v)), num_heads)
    moved = (after - before).abs().amax(dim=(0, 1)) > 1e-9
    return torch.equal(moved, mine)


attend_in_heads = exercise(
    attend_in_heads,
    some_heads,
    part=True,
    oracle=one_by_one,
    holds=[
        keeps_heads_apart,
        no_loop(
            "B N H D",
            "函数里有循环：头或句子多了，对 torch 函数的调用也多了；这里要所有"
            "的头一次算完。",
            "There is a loop in it: with more heads or sentences it calls "
            "more torch functions; here all heads are computed at once.",
            cases=in_heads,
        ),
    ],
    wrong="""
(B, N, num_heads, -1).transpose(1, 2) => (B, num_heads, N, -1)
.transpose(1, 2) =>
你只用 view 拆头，也只用 view 合并：形状对，但每个“头”装的是几个 token 的全部
特征。
You split and merge with view alone: the shape is right, but each “head” holds
all features of some tokens.

(B, N, num_heads, -1).transpose(1, 2) => (B, num_heads, N, -1)
拆头时少了 transpose：view(B, H, N, D) 把 token 混在了一起。
The transpose is missing where you split: view(B, H, N, D) mixes the tokens.

y.transpose(1, 2) => y
拆对了，合并时少了 transpose：reshape 之前，N 应回到 H 的前面。
Split rightly, but the transpose is missing where you merge: before reshape, N
belongs in front of H again.

num_heads, -1).transpose(1, 2) => -1, num_heads).permute(0, 3, 1, 2)
y.transpose(1, 2) => y.permute(0, 2, 3, 1)
你的第 h 个头隔 H 列取一列。每个头应是连续的 D 列。
Your head h takes every H-th column. A head is D columns side by side.

y.transpose(1, 2) => y.permute(0, 2, 3, 1)
拆对了，合并时 D 和 H 的次序反了，各头的特征交错在一起。
Split rightly, but merged with D and H in the wrong order, so that the features
of the heads alternate.

return right(q, k, v, q.shape[-1] // num_heads)
头数和头宽弄反了：应有 num_heads 个头，每个宽 d_model / num_heads。
The number of heads and their width are swapped: there are num_heads heads,
each d_model / num_heads wide.

q, k, v = (x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (q, k, v))
y = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-2) @ v
return y.transpose(1, 2).flatten(2)
softmax 的轴错了：每个头里每个查询（行）的权重之和应为 1。
The wrong axis for softmax: in every head the weights of each query (row)
should add up to 1.

q, k, v = (x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (q, k, v))
y = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=1) @ v
return y.transpose(1, 2).flatten(2)
softmax 沿着头的轴做了：各个头应各算各的。
Your softmax runs along the axis of the heads; each head is by itself.

split(v)) => split(v), scale=d_model**-0.5)
你除以了 √d_model，应除以 √D：点积只在一个头的 D 个特征上求和。
You divide by √d_model; it is √D, since a dot product runs over the D features
of one head.

split(v)) => split(v), scale=num_heads**-0.5)
你除以了 √H，H 是头数；应除以一个头的宽度 D 的平方根。
You divide by √H, the number of heads; it is the root of a head's width, √D.

split(v)) => split(v), scale=1.0)
忘了除以 √D。
The division by √D is missing.

split(v)) => split(v), is_causal=True)
你遮掉了未来：这里没有掩码。
You hide the future: there is no mask here.

return F.scaled_dot_product_attention(q, k, v)
没有拆头：这是一个宽 d_model 的头的结果。
Nothing was split: this is the result of a single head of width d_model.

.transpose(1, 2) =>
你让一个 token 的各个头互相看了：注意力应在 N 个位置之间，N 应是倒数第二个轴。
You let the heads of one token look at each other: attention runs over the N
positions, which should be the last axis but one.

return y.transpose(1, 2).reshape(B, N, d_model) => return y
各个头没有合并：结果还是 (B, H, N, D)。
The heads are not merged: the result is still (B, H, N, D).

split(v) => split(k)
值取成了 k：每个头里被平均的应是 v。
The values are taken from k: what is averaged in each head is v.

""",
)

# --- 5: another sequence ---------------------------------------------------


def multi_head(x, memory, w_q, w_k, w_v, w_o, num_heads):
    def split(rows):  # (B, N, d_model) -> (B, H, N, D)
        return rows.unflatten(-1, (num_heads, -1)).transpose(1, 2)

    q, k, v = split(x @ w_q), split(memory @ w_k), split(memory @ w_v)
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, H, N, M)
    y = scores.softmax(dim=-1) @ v  # (B, H, N, D)
    return y.transpose(1, 2).flatten(2) @ w_o  # (B, N, d_model)


def library(x, memory, w_q, w_k, w_v, w_o, num_heads):
    """`nn.MultiheadAttention` with these weights."""
    d_memory, d_model = w_k.shape
    sizes = {"kdim": d_memory, "vdim": d_memory}
    theirs = nn.MultiheadAttention(
        d_model, num_heads, False, False, batch_first=True, **sizes
    )
    parts = [w.T for w in (w_q, w_k, w_v)]
    state = {"out_proj.weight": w_o.T, "in_proj_weight": torch.cat(parts[:1])}
    if d_memory == d_model:
        state["in_proj_weight"] = torch.cat(parts)
    else:
        del state["in_proj_weight"]
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        state |= dict(zip(names, parts, strict=True))
    theirs.to(x.dtype).load_state_dict(state)
    return theirs(x, memory, memory, need_weights=False)[0].detach()


def two_sequences(rng):
    for s in variations(rng, "B N M H D F"):
        s["E"] = s.H * s.D  # d_model; F is d_memory
        if s.about in ("torch.float64", "equal sizes"):
            s["F"] = s.E
        weights = (
            s.normal(word) * (1.3 / math.sqrt(s[word[0]]))
            for word in ("E E", "F E", "F E", "E E")
        )
        yield s.normal("B N E"), s.normal("B M F"), *weights, s.H


@says(
    "打乱 memory 的次序，输出变了：注意力不在乎键和值的次序。",
    "memory was shuffled and the output moved: attention does not care about "
    "the order of keys and values.",
)
def ignores_order_of_memory(f, x, memory, *rest):
    other = memory[:, torch.randperm(memory.shape[1])]
    y, z = f(x, memory, *rest), f(x, other, *rest)
    return torch.allclose(y, z, rtol=1e-4, atol=1e-5, equal_nan=True)


multi_head = exercise(
    multi_head,
    two_sequences,
    part=True,
    oracle=library,
    holds=[ignores_order_of_memory],
    wrong="""
 @ w_o =>
忘了最后乘以 w_o。
The product with w_o at the end is missing.

q.shape[-1] => x.shape[-1]
你除以了 √d_model，应除以一个头的 √D。
You divide by √d_model; it is √D of one head.

q.shape[-1] => memory.shape[-1]
你除以了 √d_memory，应除以一个头的 √D。
You divide by √d_memory; it is √D of one head.

q.shape[-1] => memory.shape[-1] / num_heads
你把 d_memory / H 当成了一个头的宽度：投影之后，宽度是 d_model / H。
You take d_memory / H for the width of a head: after the projections it is
d_model / H.

scores.softmax(dim=-1) => scores
少了 softmax：分数还不是权重。
The softmax is missing: scores are not weights yet.

q.shape[-1] => num_heads
你除以了 √H，H 是头数；应除以一个头的 √D。
You divide by √H, the number of heads; it is √D of one head.

 / math.sqrt(q.shape[-1]) =>
没有除以 √D：每个头的分数要除以它自己宽度的平方根。
There is no division by √D: the scores of a head are divided by the square root
of its width.

return rows => B, N, _ = rows.shape\\n        return rows
unflatten(-1, (num_heads, -1)).transpose(1, 2) => reshape(B, num_heads, N, -1)
拆头只用了 view(B, H, N, D)：形状对，token 混在了一起。
You split with view(B, H, N, D) alone: the shape is right and the tokens are
mixed.

y.transpose(1, 2).flatten(2) => y.reshape(x.shape)
合并时少了 transpose：reshape 之前，N 应回到 H 的前面。
The transpose is missing where you merge: before reshape, N belongs in front of
H again.

(num_heads, -1)).transpose(1, 2) => (-1, num_heads)).permute(0, 3, 1, 2)
y.transpose(1, 2) => y.permute(0, 2, 3, 1)
每个头应是投影后连续的 D 列，你隔 H 列取了一列。
A head is D columns side by side of the projection; you take every H-th column.

dim=-1 => dim=-2
softmax 的轴错了：每个查询（行）的权重之和应为 1。
The wrong axis for softmax: the weights of each query (row) should add up to 1.

q, k, v = x @ w_q, memory @ w_k, memory @ w_v
return F.scaled_dot_product_attention(q, k, v) @ w_o
没有拆头：这是一个宽 d_model 的头。
Nothing was split: this is one head of width d_model.

memory @ w_k => memory @ W
memory @ w_v => memory @ w_k
memory @ W => memory @ w_v
w_k 和 w_v 用反了：键用 w_k，值用 w_v。
w_k and w_v are swapped: keys take w_k, values take w_v.

split(memory @ w_v) => split(memory @ w_k)
键和值用了同一个矩阵：值用 w_v。
Keys and values are made by the same matrix: values take w_v.

return right(x, memory, w_q.T, w_k.T, w_v.T, w_o.T, num_heads)
四个矩阵都转置了：F.linear(x, w) 乘的是 w 的转置，而这里的矩阵要直接右乘。
All four matrices are transposed: F.linear(x, w) multiplies by the transpose of
w, and these are to be multiplied as they are.

y.transpose(1, 2) => y.permute(0, 2, 3, 1)
合并时 D 和 H 的次序反了，各头的特征交错在一起。
Merged with D and H in the wrong order, so that the features of the heads
alternate.

w_o  # => w_o.T  #
w_o 转置了：按行向量约定直接右乘。
w_o is transposed: multiply from the right by it as it is.

x @ w_q => x @ w_q.T
w_q 转置了：按行向量约定直接右乘。
w_q is transposed: multiply from the right by it as it is.

return right(x, memory, w_o, w_k, w_v, w_q, num_heads)
w_q 和 w_o 用反了：w_q 造查询，w_o 在合并之后。
w_q and w_o are swapped: w_q makes the queries, w_o comes after the merge.

return right(x, x, w_q, w_k, w_v, w_o, num_heads)
键和值取自了 x：应取自 memory。
Keys and values come from x; they should come from memory.

return right(memory, x, w_q, w_k, w_v, w_o, num_heads)
x 和 memory 反了：查询取自 x，键和值取自 memory。
x and memory are swapped: queries come from x, keys and values from memory.

return right(memory, memory, w_q, w_k, w_v, w_o, num_heads)
查询也取自了 memory：查询应取自 x。
Queries come from memory too; they should come from x.

unflatten(-1, (num_heads, -1)) => reshape(*x.shape[:2], num_heads, -1)
拆 k 和 v 时用了 x 的长度 N：memory 有 M 个位置。
k and v are split with x's length N: memory has M positions.

(-1, (num_heads, -1)) => (*x.shape[:2], num_heads, len(w_q) // num_heads)
unflatten => reshape
拆 k 和 v 时，形状里写的是 x 的长度 N；memory 有 M 个位置。
Where k and v are split, the shape holds x's length N; memory has M positions.

return x + right(x, memory, w_q, w_k, w_v, w_o, num_heads)
你还把 x 加到了输出上：这里没有残差连接。
You add x to the output: there is no residual connection here.

scores.softmax => (scores + (0 * scores - torch.inf).triu(1)).softmax
你用了因果掩码：这里每个查询都看得到整个 memory。
You use a causal mask: here every query sees all of memory.
""",
)

# --- 6: order --------------------------------------------------------------


def is_equivariant(layer, x):
    y = layer(x)
    for _ in range(20):
        shuffle = torch.randperm(x.shape[1])
        if not torch.allclose(layer(x[:, shuffle]), y[:, shuffle]):
            return False
    return True


def layers(x, rng):
    """Layers by name, for inputs of the shape of x."""
    _, N, d_model = x.shape
    size = (3, d_model, d_model)
    w = torch.randn(size, generator=rng, dtype=x.dtype) / 2
    place = torch.randn(N, d_model, generator=rng, dtype=x.dtype)
    seen = torch.ones(N, N, dtype=torch.bool).tril()

    def attend(x, mask=None):
        q, k, v = x[None] @ w[:, None]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def adds(part):  # attention, and 1 more at some positions
        one = torch.zeros(N, 1, dtype=x.dtype)
        one[part] = 1
        return lambda x: attend(x) + one

    def one_sample(x):
        one = torch.arange(len(x)).view(-1, 1, 1) == 1
        return attend(x + one * place)

    def mixes_samples(x):
        order = torch.arange(1, len(x) + 1, dtype=x.dtype).view(-1, 1, 1)
        return attend(x) + (order * x).sum(dim=0) * order

    def window(x):
        wide = F.pad(x, (0, 0, 1, 1))
        return wide[:, :-2] + x + wide[:, 2:]

    return {
        "attention": attend,
        "attention with a causal mask": lambda x: attend(x, seen),
        "attention with positions": lambda x: attend(x + place),
        "attention, plus 1 at the last position": adds(-1),
        "attention, plus 1 at the first position": adds(0),
        "attention, plus 1 at a middle position": adds(N // 2),
        "attention, plus 0.001 times positions": (
            lambda x: attend(x) + 1e-3 * place
        ),
        "attention, with positions in sample 1 only": one_sample,
        "relu(x @ w), row by row": lambda x: (x @ w[0]).relu(),
        "the mean of all rows": lambda x: x.mean(1, True).expand_as(x),
        "attention, plus a sum over the batch": mixes_samples,
        "the sum of each row and its two neighbours, in a ring": (
            lambda x: x + x.roll(1, dims=1) + x.roll(-1, dims=1)
        ),
        "the sum of each row and its two neighbours": window,
        "each feature sorted": lambda x: x.sort(dim=1).values,
        "the sign of attention": lambda x: attend(x).sign(),
        "the sign of x plus positions": lambda x: (x + place).sign(),
        "zeros": torch.zeros_like,
    }


def some_layers(rng):
    # float64, as the text says; N up to 6, so that all orders can be tried.
    options = {"dtypes": (torch.float64,), "low": 4, "high": 6}
    first, *others = variations(rng, "B N F", **options)
    x = first.normal("B N F")
    for name, layer in layers(x, rng).items():
        yield labelled(name, layer), x
    for s in others:
        x = s.normal("B N F")
        for name in ("attention", "attention with positions"):
            yield labelled(name, layers(x, rng)[name]), x


is_equivariant = exercise(
    is_equivariant,
    some_layers,
    wrong="""
return True
你对每一层都返回 True，可是有的层在乎次序。真的打乱了吗？
You return True for every layer, but some do care about order. Does your
shuffle shuffle anything?

return False
你对每一层都返回 False，可是有的层不在乎次序。
You return False for every layer, but some do not care about order.

return not right(layer, x)
True 和 False 反了：不在乎次序的层应得到 True。
True and False are swapped: True is for layers that do not care about order.

y[:, shuffle] => y
你检验的是“打乱输入，输出不变”，那是不变性。这里要的是输出跟着同样打乱。
You test that the output stays as it was, which is invariance. Here the output
should be shuffled the same way.

x.shape[1] => len(x)
[:, shuffle] => [shuffle]
你打乱的是批次（第 0 个轴），应打乱 N 个位置（第 1 个轴）。
You shuffle the batch (axis 0); shuffle the N positions (axis 1).

x.shape[1] => x.shape[2]
[:, shuffle] => [..., shuffle]
你打乱的是特征（最后一个轴），应打乱 N 个位置（第 1 个轴）。
You shuffle the features (the last axis); shuffle the N positions (axis 1).

torch.randperm(x.shape[1]) => torch.arange(x.shape[1]).flip(0)
只把次序倒过来不够：左右对称的层倒过来也一样。
To reverse the order is not enough: a layer that is symmetric passes it.

range(20) => range(x.shape[1])
torch.randperm(x.shape[1]) => torch.arange(x.shape[1]).roll(_)
只循环移位不够：只看左右邻居的层也通得过。
To roll the positions is not enough: a layer that only looks at its neighbours
passes.

torch.randperm(x.shape[1]) => torch.arange(x.shape[1])
if not => shuffle[:2] = shuffle[:2].flip(0)\\n        if not
只交换最前面两个位置不够：有的层只在别的位置上不同。
To swap the first two positions is not enough: some layers differ at other
positions only.

torch.randperm(x.shape[1]) => torch.arange(x.shape[1])
if not => shuffle[[0, -1]] = shuffle[[-1, 0]]\\n        if not
只交换首尾两个位置不够：有的层只在中间的位置上不同。
To swap the first and the last position is not enough: some layers differ at
positions between them only.

y[:, shuffle] => y[:, shuffle.argsort()]
两边打乱得不一样：是各抽了一次打乱，还是一边用了打乱、另一边用了它的逆？
The two sides are not shuffled alike: were two shuffles drawn, or does one side
take the inverse of the other's?

y[:, shuffle]) => y[:, shuffle], rtol=0.05, atol=0.05)
容差太大：有的层只在乎一点点次序。
The tolerance is too large: some layers care about order only a little.

torch.allclose => torch.equal
浮点数不要用 torch.equal 比较：次序一变，舍入误差就不同。
Do not compare floats with torch.equal: with another order the rounding
differs.
""",
)
