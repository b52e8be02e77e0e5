"""Lesson 16: several heads, as a function, as a class, from a memory."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from exercises import (
    Property,
    Rejection,
    exercise,
    labelled,
    says,
    variations,
)
from exercises.properties import finite, no_loop, same_gradients, without


@says(
    "同样的输入连着调用两次，结果不同：里面有随机的东西，例如每次新建的层。",
    "Two calls in a row with the same inputs differ: there is something "
    "random inside, such as a layer that is made anew in every call.",
)
def repeats(f, *case):
    return alike(f(*case), f(*case))


def alike(y, z):
    """Whether two results are equal; NaN equals NaN."""
    return torch.allclose(y, z, rtol=0, atol=0, equal_nan=True)


# --- 1: heads --------------------------------------------------------------


def attend_in_heads(q, k, v, num_heads):
    B, N, d_model = q.shape

    def split(x):  # (B, N, d_model) -> (B, H, N, d_k)
        return x.reshape(B, N, num_heads, -1).transpose(1, 2)

    y = F.scaled_dot_product_attention(split(q), split(k), split(v))
    return y.transpose(1, 2).reshape(B, N, d_model)  # -> (B, N, d_model)


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
    # Always contiguous: a split by view alone would end in an error of view.
    cases = variations(rng, "B N H D", layouts=False)
    yield from map(in_heads, cases)


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
        finite(),
        repeats,
        same_gradients(one_by_one),
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
拆头时少了 transpose：view(B, H, N, d_k) 把 token 混在了一起。
The transpose is missing where you split: view(B, H, N, d_k) mixes the tokens.

y.transpose(1, 2) => y
拆对了，合并时少了 transpose：reshape 之前，N 应回到 H 的前面。
Split rightly, but the transpose is missing where you merge: before reshape, N
belongs in front of H again.

num_heads, -1).transpose(1, 2) => -1, num_heads).permute(0, 3, 1, 2)
y.transpose(1, 2) => y.permute(0, 2, 3, 1)
你的第 h 个头隔 H 列取一列。每个头应是连续的 d_k 列。
Your head h takes every H-th column. A head is d_k columns side by side.

y.transpose(1, 2) => y.permute(0, 2, 3, 1)
拆对了，合并时 d_k 和 H 的次序反了，各头的特征交错在一起。
Split rightly, but merged with d_k and H in the wrong order, so that the
features of the heads alternate.

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
你除以了 √d_model，应除以 √d_k：点积只在一个头的 d_k 个特征上求和。
You divide by √d_model; it is √d_k, since a dot product runs over the d_k
features of one head.

split(v)) => split(v), scale=num_heads**-0.5)
你除以了 √H，H 是头数；应除以一个头的 √d_k。
You divide by √H, the number of heads; it is the root of a head's width, √d_k.

split(v)) => split(v), scale=num_heads / d_model)
你除以了 d_k，应除以它的平方根。
You divide by d_k; it is the root of it.

split(q), split(k) => split(k), split(q)
q 和 k 反了：分数的行是查询，列是键。
q and k are swapped: in the scores rows are queries and columns are keys.

.transpose(1, 2) => .transpose(0, 2)
你让不同的句子互相看了：换轴以后，倒数第二个轴是 B，应是 N。
You let different sentences look at each other: after your change of axes the
last axis but one is B, and it should be N.

split(v)) => split(v), scale=1.0)
没有除以 √d_k。
The division by √d_k is missing.

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
各个头没有合并：结果还是 (B, H, N, d_k)。
The heads are not merged: the result is still (B, H, N, d_k).

split(v) => split(k)
值取成了 k：每个头里被平均的应是 v。
The values are taken from k: what is averaged in each head is v.

""",
)

# --- 2: the class ----------------------------------------------------------


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x, mask=None):
        B, N, d_model = x.shape
        qkv = self.qkv(x).view(B, N, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, N, d_k) each
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = y.transpose(1, 2).reshape(B, N, d_model)  # heads side by side
        return self.out(y)


class Theirs(nn.Module):
    """`nn.MultiheadAttention` with the parameters of this lesson's class."""

    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x, mask=None):
        B, N, d_model = x.shape
        theirs = nn.MultiheadAttention(
            d_model, self.num_heads, batch_first=True, dtype=x.dtype
        )
        inside = {f"in_proj_{k}": p for k, p in self.qkv.state_dict().items()}
        out = {f"out_proj.{k}": p for k, p in self.out.state_dict().items()}
        theirs.load_state_dict(inside | out)
        if mask is not None:  # in theirs True means may not attend
            mask = ~mask.expand(B, self.num_heads, N, N).flatten(0, 1)
        return theirs(x, x, x, attn_mask=mask, need_weights=False)[0]


def some_masks(rng):
    for i, s in enumerate(variations(rng, "B N H D")):
        d_model = s.H * s.D
        s["F"] = d_model
        x = s.normal("B N F")
        causal = torch.ones(s.N, s.N, dtype=torch.bool).tril()
        real = torch.arange(s.N) < s.integers("B", 1, s.N + 1)[:, None]
        real = real[:, None, None]  # (B, 1, 1, N)
        masks = None, causal, real, causal & real
        for n, mask in enumerate(masks):
            if n == i % 4 or i == 0:  # all of them once
                yield d_model, s.H, x, mask


def made(answer, d_model, num_heads, dtype):
    """A model whose layers are those that were asked for, filled anew."""
    model = answer(d_model, num_heads)
    if not isinstance(model, nn.Module):
        kind = type(model).__name__
        raise Rejection(
            f"应是 nn.Module 的子类，得到 {kind}。",
            f"A subclass of nn.Module is asked for, got {kind}.",
        )
    for name, width in (("qkv", 3 * d_model), ("out", d_model)):
        layer = getattr(model, name, None)
        if not isinstance(layer, nn.Linear):
            kind = type(layer).__name__
            raise Rejection(
                f"self.{name} 应是一个 nn.Linear，得到 {kind}。",
                f"self.{name} should be an nn.Linear, got {kind}.",
            )
        if (got := tuple(layer.weight.shape)) != (width, d_model):
            raise Rejection(
                f"d_model = {d_model} 时 self.{name} 的权重形状是 {got}，"
                f"应为 {(width, d_model)}。",
                f"With d_model = {d_model} the weight of self.{name} has "
                f"shape {got}, it should be {(width, d_model)}.",
            )
        if layer.bias is None:
            raise Rejection(
                f"self.{name} 没有偏置：nn.MultiheadAttention 的两层都有。",
                f"self.{name} has no bias: both layers of "
                "nn.MultiheadAttention have one.",
            )
    due = {f"{a}.{b}" for a in ("qkv", "out") for b in ("weight", "bias")}
    if more := {name for name, _ in model.named_parameters()} - due:
        names = ", ".join(sorted(more))
        raise Rejection(
            f"除了 qkv 和 out，还多出参数 {names}。",
            f"There are parameters beside those of qkv and out: {names}.",
        )
    rng = torch.Generator().manual_seed(num_heads)
    with torch.no_grad():
        for name in sorted(due):
            p = model.get_parameter(name)
            p.copy_(torch.randn(p.shape, generator=rng) * d_model**-0.3)
    return model.to(dtype)


def loaded(answer):
    """Its output, with parameters that are the same for every answer."""

    def run(d_model, num_heads, x, mask):
        model = made(answer, d_model, num_heads, x.dtype)
        y = model(x) if mask is None else model(x, mask)
        if isinstance(y, tuple):
            raise Rejection(
                f"forward 返回了 {len(y)} 个值的元组：这里只返回 y。",
                f"forward returns a tuple of {len(y)}: here it returns y "
                "alone.",
            )
        return y

    return run


@says(
    "输出在半路与计算图断开了：梯度传不回去。",
    "The output is cut off from the graph on the way: no gradient flows back.",
)
def learns(f, d_model, num_heads, x, mask):
    model = made(f, d_model, num_heads, x.dtype)
    x = x.detach().clone().requires_grad_()
    y = model(x, mask)
    if not y.requires_grad:
        return False
    leaves = {"x": x} | dict(model.named_parameters())
    found = torch.autograd.grad(
        (y * torch.arange(y.numel()).view(y.shape)).sum(),
        [*leaves.values()],
        allow_unused=True,
    )
    for name, gradient in zip(leaves, found, strict=True):
        if gradient is None:
            raise Rejection(
                f"{name} 得不到梯度：是没有用上它，还是在半路断开了？",
                f"{name} gets no gradient: is it not used, or cut off on the "
                "way?",
            )
    return True


@says(
    "结果里有 NaN：softmax 的某一行（或列）全被遮住了，或者算了 0 乘 inf。掩码"
    "是不是反了，softmax 是不是沿着键的轴？",
    "The result holds NaN: a row (or a column) of softmax is fully masked, or "
    "0 was multiplied by inf. Is the mask the wrong way round, and does "
    "softmax run along the keys?",
)
def has_no_nan(f, d_model, num_heads, x, mask):
    model = made(f, d_model, num_heads, x.dtype)
    return not model(x, mask).isnan().any()


@says(
    "同样的输入，两次 forward 的结果不同：里面有随机的东西（每次新建的层、"
    "dropout），或者有东西从前一次留了下来（.eval() 以后也应相同）。",
    "Two calls of forward with the same input differ: there is something "
    "random inside (a layer that is made anew in every call, dropout), or "
    "something is left over from an earlier call (after .eval() the result "
    "should be the same, too).",
)
def forward_repeats(f, d_model, num_heads, x, mask):
    new = [made(f, d_model, num_heads, x.dtype) for _ in range(3)]
    model, fresh, plain = new[0], new[1](x, mask), new[2](x)
    causal = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    try:
        model(x, causal)
        model(x[:1, :1])
        same = alike(model(x), plain) and alike(model(x, mask), fresh)
        return same and alike(model.eval()(x, mask), fresh)
    except RuntimeError:  # a shape that was kept
        return False


@says(
    "没有掩码时是对的；有掩码时，换掉遮住的 token，输出还是变了：遮得不彻底。",
    "Right without a mask; with one, other tokens at masked positions still "
    "change the output: they are not fully hidden.",
)
def hides_what_is_masked(f, d_model, num_heads, x, mask):
    model, theirs = (
        made(answer, d_model, num_heads, x.dtype) for answer in (f, Theirs)
    )
    if mask is None or not torch.allclose(model(x), theirs(x), atol=1e-4):
        return True
    B, N, _ = x.shape
    other = x.clone()
    other[:, -1] = torch.randn_like(x[:, -1])
    hidden = ~mask.expand(B, num_heads, N, N)[:, 0, :-1, -1]  # (B, N - 1)
    moved = (model(other, mask) - model(x, mask)).abs().amax(dim=-1) > 1e-4
    return not (moved[:, :-1] & hidden).any()


def many_heads(s):
    return s.H * s.D, s.H, torch.zeros(s.B, s.N, s.H * s.D), None


calls = no_loop("B N H D", cases=many_heads)
heads_at_once = Property(
    lambda answer, rng: calls.test(loaded(answer), rng),
    "有循环：头或句子多了，对 torch 函数的调用也多了；这里要所有的头"
    "一次算完。",
    "There is a loop: with more heads or sentences it calls more torch "
    "functions; here all heads are computed at once.",
)
MultiHeadAttention = exercise(
    MultiHeadAttention,
    some_masks,
    part=True,
    seeds=(0,),  # each case makes several models
    adapt=loaded,
    oracle=Theirs,
    holds=[
        without(
            "multi_head_attention_forward",
            "你调用了现成的多头注意力：这里要自己拆头、合并。",
            "You call a multi-head attention that exists already: here, split "
            "and merge by yourself.",
            run=lambda f, *case: loaded(f)(*case),
        ),
        has_no_nan,
        forward_repeats,
        learns,
        hides_what_is_masked,
        heads_at_once,
    ],
    wrong="""
attn_mask=mask => attn_mask=None
mask 没有用上：结果与 mask=None 时相同。
mask has no effect: your result is that of mask=None.

attn_mask=mask => attn_mask=None if mask is None else ~mask
掩码反了：True 表示可以看，你遮掉的正是可以看的。
The mask is the wrong way round: True means may be looked at, and that is what
you hide.

attn_mask=mask => attn_mask=None if mask is None else mask.to(x.dtype)
掩码被加到了分数上：可以看的只多了 1，没有一个位置被遮住。
The mask was added to the scores: what may be looked at got 1 more, and no
position is hidden.

attn_mask=mask => is_causal=True
你总是遮掉未来：应只按给的 mask 遮。
You always hide the future: hide only what the given mask hides.

.view(B, N, 3, self.num_heads, -1) => .view(B, N, self.num_heads, 3, -1)
permute(2, 0, 3, 1, 4) => permute(3, 0, 2, 1, 4)
qkv 的列排错了：你把每个头的 q、k、v 放在一起。依次应是所有头的 Q、所有头的 K、
所有头的 V，与 in_proj_weight 相同。
The columns of qkv are in another order: you put the q, k, v of each head
together. First come the Q of all heads, then their K, then their V, as in
in_proj_weight.

.view(B, N, 3, self.num_heads, -1) => .view(B, N, 3, -1, self.num_heads)
permute(2, 0, 3, 1, 4) => permute(2, 0, 4, 1, 3)
你的第 h 个头隔 H 列取一列。每个头应是连续的 d_k 列。
Your head h takes every H-th column. A head is d_k columns side by side.

.view(B, N, 3, self.num_heads, -1) => .chunk(3, dim=-1)
qkv.permute(2, 0, 3, 1, 4) => (SPLIT for p in qkv)
SPLIT => p.reshape(B, self.num_heads, N, -1)
拆头时 token 混在了一起：每个“头”装的是几个 token 的全部特征。
The split mixes the tokens: each “head” holds all features of some tokens.

qkv = self.qkv(x).view(B, N, 3, self.num_heads, -1) => qkv = self.qkv(x)
qkv.permute(2, 0, 3, 1, 4) => qkv.reshape(3, B, self.num_heads, N, -1)
qkv 的 3 在最后一个轴上：你把批次切成了三份，Q、K、V 各混着不同的 token。
The 3 of qkv is on the last axis: you cut the batch in three, and Q, K, V each
mix different tokens.

y.transpose(1, 2) => y
拆对了，合并时各头的 token 混在了一起：合并前后，第 n 行都应是第 n 个 token。
Split rightly, but the merge mixes the tokens of the heads: row n belongs to
token n before and after it.

y.transpose(1, 2) => y.permute(0, 2, 3, 1)
拆对了，合并时 d_k 和 H 的次序反了，各头的特征交错在一起。
Split rightly, but merged with d_k and H in the wrong order, so that the
features of the heads alternate.

return self.out(y) => return y
合并之后没有经过 out：它就是 W_O。
The merged heads do not pass through out, which is W_O.

return self.out(y) => return self.out(self.out(y))
out 用了两次：合并以后只经过它一次。
out is used twice: after the merge comes a single one.

attn_mask=mask) => attn_mask=mask, is_causal=mask is None)
没有 mask 时你也遮掉了未来：mask=None 表示每个位置都可以看。
Without a mask you hide the future as well: mask=None means that every position
may be looked at.

attn_mask=mask => attn_mask=None if mask is None else mask.mT
你把掩码转置了：它的行是查询，列是键，与分数相同。
You transpose the mask: its rows are queries and its columns keys, as in the
scores.

.view(B, N, 3, self.num_heads, -1) => .view(B, N, self.num_heads, -1, 3)
permute(2, 0, 3, 1, 4) => permute(4, 0, 2, 1, 3)
qkv 的列排错了：你每隔 3 列取一列。依次应是所有头的 Q、所有头的 K、所有头的 V。
The columns of qkv are in another order: you take every third one. First come
the Q of all heads, then their K, then their V.

return self.out(y) => return x + self.out(y)
你还把 x 加到了输出上：这里没有残差连接。
You add x to the output: there is no residual connection here.

attn_mask=mask) => attn_mask=mask, scale=d_model**-0.5)
你除以了 √d_model，应除以一个头的 √d_k。
You divide by √d_model; it is √d_k of one head.

attn_mask=mask) => attn_mask=mask, scale=self.num_heads**-0.5)
你除以了 √H，H 是头数；应除以一个头的 √d_k。
You divide by √H, the number of heads; it is √d_k of one head.

attn_mask=mask) => attn_mask=mask, scale=1.0)
没有除以 √d_k：每个头的分数要除以它自己宽度的平方根。
There is no division by √d_k: the scores of a head are divided by the square
root of its width.

view(B, N, 3, self.num_heads, -1) => view(B, N, 3, 1, -1)
没有拆头：这是一个宽 d_model 的头的结果。
Nothing was split: this is the result of a single head of width d_model.

self.num_heads = num_heads => self.num_heads = d_model // num_heads
头数和头宽弄反了：应有 num_heads 个头，每个宽 d_model / num_heads。
The number of heads and their width are swapped: there are num_heads heads,
each d_model / num_heads wide.

q, k, v = qkv => k, q, v = qkv
Q 和 K 反了：前 d_model 列是 Q，接着是 K，最后是 V。
Q and K are swapped: the first d_model columns are Q, then K, and V comes last.

q, k, v = qkv => v, k, q = qkv
Q 和 V 反了：前 d_model 列是 Q，接着是 K，最后是 V。
Q and V are swapped: the first d_model columns are Q, then K, and V comes last.

q, k, v = qkv => q, v, k = qkv
K 和 V 反了：前 d_model 列是 Q，接着是 K，最后是 V。
K and V are swapped: the first d_model columns are Q, then K, and V comes last.

self.qkv(x) => self.qkv(self.out(x))
return self.out(y) => return y
out 用在了最前面：W_O 在合并之后。
out comes first in yours: W_O comes after the merge.

(q, k, v, attn_mask=mask) => (q, k, k, attn_mask=mask)
值取成了 k：每个头里被平均的应是 v。
The values are taken from k: what is averaged in each head is v.

permute(2, 0, 3, 1, 4) => permute(2, 0, 1, 3, 4)
y.transpose(1, 2) => y
你让一个 token 的各个头互相看了：注意力应在 N 个位置之间。
You let the heads of one token look at each other: attention runs over the N
positions.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s.where(mask, -1e9)
LAST => y = s.softmax(dim=-2) @ v
softmax 的轴错了：每个头里每个查询（行）的权重之和应为 1。
The wrong axis for softmax: in every head the weights of each query (row)
should add up to 1.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s.masked_fill(~mask, -torch.inf)
LAST => y = s.softmax(dim=-2) @ v
softmax 的轴错了：你沿着查询的轴做，全被遮住的那一列成了 NaN。每个头里每个查询
（行）的权重之和应为 1。
The wrong axis for softmax: yours runs along the queries, and a column that is
fully masked becomes NaN. In every head the weights of each query (row) should
add up to 1.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s.masked_fill(mask, -torch.inf)
LAST => y = s.softmax(dim=-1) @ v
掩码反了：masked_fill 填的是 True 的地方，而这里 True 表示可以看。全被遮住的那
一行成了 NaN。
The mask is the wrong way round: masked_fill fills where it is True, and here
True means may be looked at. A row that is fully masked becomes NaN.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s.masked_fill(~mask, 0.0)
LAST => y = s.softmax(dim=-1) @ v
你把要遮的分数变成了 0（填成 0，或乘了掩码）：exp(0) = 1，softmax 以后它们仍有
权重。
You turn the scores to be masked into 0 (filled in, or multiplied by the mask):
exp(0) = 1, and after softmax they still have weights.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s + (~mask) * -torch.inf
LAST => y = s.softmax(dim=-1) @ v
(~mask) * -torch.inf 在可以看的地方是 0 乘 inf，那是 NaN。
Where you may look, (~mask) * -torch.inf is 0 times inf, which is NaN.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => SCORES
SCORES => s = q @ k.mT / math.sqrt(q.shape[-1])\\n        MASKED
MASKED => if mask is not None:\\n            LOW\\n        LAST
LOW => s = s.masked_fill(~mask, -torch.inf)
LAST => y = s.softmax(dim=-1).softmax(dim=-1) @ v
softmax 做了两次：遮住的权重是 0，第二次又有了 exp(0) 的份。
Softmax is done twice: masked weights are 0, and the second one gives them a
share of exp(0) again.

y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask) => WEIGHTS
WEIGHTS => w = q @ k.mT / math.sqrt(q.shape[-1])\\n        LAST
LAST => w = w.softmax(dim=-1)\\n        y = (w if MASKED
MASKED => mask is None else w * mask) @ v
你在 softmax 以后才乘掩码：剩下的权重加起来不到 1。应在 softmax 之前遮。
You multiply by the mask after softmax: the weights that are left add up to
less than 1. Mask before softmax.
""",
)

# --- 3: order --------------------------------------------------------------


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
    first = x[:, :1, :1].clone()

    def attend(x, mask=None):
        q, k, v = x[None] @ w[:, None]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def adds(part):  # attention, and 1 more at some positions
        one = torch.zeros(N, 1, dtype=x.dtype)
        one[part] = 1
        return lambda x: attend(x) + one

    signs = torch.zeros(len(x), 1, 1, dtype=x.dtype)
    signs[:1], signs[1:2] = 1, -1
    middle = torch.zeros(d_model, dtype=x.dtype)
    middle[d_model // 2] = 1
    small = torch.zeros_like(x)
    small[-1, 0, -1] = 3e-4
    at_start = torch.zeros(N, 1, dtype=x.dtype)
    at_start[0] = 5e-4

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
        "attention, plus 1 at position 1": adds(1 % N),
        "attention, plus the row before": (
            lambda x: attend(x) + x.roll(1, dims=1)
        ),
        "attention, plus 1 while row 0 is at its place": (
            lambda z: attend(z) + (z[:, :1, :1] == first)
        ),
        "attention, minus 1 while row 0 is at its place": (
            lambda z: attend(z) - (z[:, :1, :1] == first).to(z.dtype)
        ),
        "attention, plus 0.001 times positions": (
            lambda x: attend(x) + 1e-3 * place
        ),
        "attention, with positions in sample 1 only": one_sample,
        "attention, plus positions in one sample, minus in another": (
            lambda x: attend(x) + signs * place
        ),
        "attention, plus positions in one feature": (
            lambda x: attend(x) + middle * place
        ),
        "attention, plus 0.0005 at the first position": (
            lambda x: attend(x) + at_start
        ),
        "attention, plus 0.0003 in one number": lambda x: attend(x) + small,
        "100 plus attention plus 0.1 times positions": (
            lambda x: 100 + attend(x) + 0.1 * place
        ),
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
    seeds=(0,),  # many calls of many layers
    wrong="""
return True
你对每一层都返回 True，可是对有的层次序要紧。真的打乱了吗？
You return True for every layer, but for some order matters. Does your shuffle
shuffle anything?

return False
你对每一层都返回 False，可是有的层与次序无关。
You return False for every layer, but for some order does not matter.

return not right(layer, x)
True 和 False 反了：与次序无关的层应得到 True。
True and False are swapped: True is for layers to which order does not matter.

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

y[:, shuffle]) => y[:, shuffle], rtol=0.05, atol=1e-8)
相对容差太大：输出的值大时，与次序的关系就看不见了。
The relative tolerance is too large: where the output is large, what order does
is not seen.

y[:, shuffle]) => y[:, shuffle], atol=1e-3)
容差太大：误差大于 0.0001 就算不等。
The tolerance is too large: a difference above 0.0001 is a difference.

layer(x[:, shuffle]), y[:, shuffle] => A, B
A, B => layer(x[:, shuffle])[..., 0], y[:, shuffle, 0]
你只比较了第 0 个特征：别的特征也要比较。
You compare feature 0 only: compare the others, too.

layer(x[:, shuffle]), y[:, shuffle] => A, B
A, B => layer(x[:, shuffle]).mean(0), y[:, shuffle].mean(0)
你比较的是各个样本的平均：每个样本都要比较，有正有负会互相抵消。
You compare means over the samples: compare each sample, since positive and
negative differences cancel.

y[:, shuffle]) => y[:, shuffle], rtol=0.05, atol=0.05)
容差太大：有的层与次序只有一点点关系。
The tolerance is too large: with some layers order makes only a small
difference.

not torch.allclose(layer => MORE(layer
MORE(layer(x[:, shuffle]), y[:, shuffle]) => (layer(x[:, shuffle]) - LATER
LATER => y[:, shuffle]).max() > 1e-4
两边相减以后没有取绝对值：差全是负数时，最大的差并不大于 0。
The difference of the two sides lacks the absolute value: where all differences
are negative the largest is not above 0.

not torch.allclose(layer => MORE(layer
MORE(layer(x[:, shuffle]), y[:, shuffle]) => (y[:, shuffle] - LATER
LATER => layer(x[:, shuffle])).max() > 1e-4
两边相减以后没有取绝对值：差全是负数时，最大的差不大于 0。
The difference of the two sides lacks the absolute value: where all differences
are negative, the largest is not above 0.

torch.allclose => torch.equal
浮点数不要用 torch.equal 比较：次序一变，舍入误差就不同。
Do not compare floats with torch.equal: with another order the rounding
differs.
""",
)

# --- 4: another sequence ---------------------------------------------------


def multi_head(x, memory, w_q, w_k, w_v, w_o, num_heads):
    def split(rows):  # (B, N, d_model) -> (B, H, N, d_k)
        return rows.unflatten(-1, (num_heads, -1)).transpose(1, 2)

    q, k, v = split(x @ w_q), split(memory @ w_k), split(memory @ w_v)
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (B, H, N, M)
    y = scores.softmax(dim=-1) @ v  # (B, H, N, d_k)
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
    "打乱 memory 的次序，输出变了：注意力的结果应与键和值的次序无关。多半是拆"
    "头时只用了 view。",
    "memory was shuffled and the output changed: for attention the order of "
    "keys and values does not matter. Probably the heads are split with view "
    "alone.",
)
def ignores_order_of_memory(f, x, memory, *rest):
    other = memory[:, torch.randperm(memory.shape[1])]
    y, z = f(x, memory, *rest), f(x, other, *rest)
    return torch.allclose(y, z, rtol=1e-4, atol=1e-5, equal_nan=True)


def agrees(answer, x, memory, *rest):
    """Whether an answer gives what `library` gives; False on an error."""
    try:
        y = answer(x, memory, *rest)
    except RuntimeError:
        return False
    return torch.allclose(y, library(x, memory, *rest), atol=1e-4)


def explained(answer):
    """The answer; an error of shapes is told with what it comes from."""

    def run(x, memory, w_q, w_k, w_v, w_o, num_heads):
        case = x, memory, w_q, w_k, w_v, w_o, num_heads
        try:
            return answer(*case)
        except RuntimeError:
            cause(answer, x, w_q, w_o, num_heads)
            raise

    def cause(answer, x, w_q, w_o, num_heads):
        weights = w_q, w_q + w_o, w_q - w_o, w_o, num_heads
        same, longer = x.flip(-1) + 1, torch.cat([x, 2 * x], dim=1)
        if agrees(answer, x, same, *weights):
            if not agrees(answer, x, longer, *weights):
                raise Rejection(
                    "memory 与 x 一样长时是对的，不一样长就报错：memory 有 M "
                    "个位置，有一处用了 x 的 N。",
                    "Right where memory is as long as x, an error where it is "
                    "not: memory has M positions, and somewhere the N of x is "
                    "used for it.",
                )
            raise Rejection(
                "d_memory = d_model 时是对的，不相等就报错：投影之前，memory "
                "的特征数是 d_memory。",
                "Right where d_memory = d_model, an error where they differ: "
                "before its projection memory has d_memory features.",
            )
        if agrees(lambda x, m, *rest: answer(m, x, *rest), x, same, *weights):
            raise Rejection(
                "x 和 memory 用反了：查询取自 x，键和值取自 memory。",
                "x and memory have changed places: queries come from x, keys "
                "and values from memory.",
            )

    return run


multi_head = exercise(
    multi_head,
    two_sequences,
    part=True,
    adapt=explained,
    oracle=library,
    holds=[
        finite(),
        repeats,
        same_gradients(multi_head),
        ignores_order_of_memory,
    ],
    wrong="""
 @ w_o =>
忘了最后乘以 w_o。
The product with w_o at the end is missing.

q.shape[-1] => x.shape[-1]
你除以了 √d_model，应除以一个头的 √d_k。
You divide by √d_model; it is √d_k of one head.

q.shape[-1] => memory.shape[-1]
你除以了 √d_memory，应除以一个头的 √d_k。
You divide by √d_memory; it is √d_k of one head.

q.shape[-1] => memory.shape[-1] / num_heads
你把 d_memory / H 当成了一个头的宽度：投影之后，宽度是 d_model / H。
You take d_memory / H for the width of a head: after the projections it is
d_model / H.

scores.softmax(dim=-1) => scores
少了 softmax：分数还不是权重。
The softmax is missing: scores are not weights yet.

q.shape[-1] => num_heads
你除以了 √H，H 是头数；应除以一个头的 √d_k。
You divide by √H, the number of heads; it is √d_k of one head.

 / math.sqrt(q.shape[-1]) =>
没有除以 √d_k：每个头的分数要除以它自己宽度的平方根。
There is no division by √d_k: the scores of a head are divided by the square
root of its width.

x @ w_q => x @ w_q.T
w_o  # => w_o.T  #
w_q 和 w_o 转置了：题目约定 x @ w_q，不是 nn.Linear 的存法。
w_q and w_o are transposed: here it is x @ w_q, and not as nn.Linear keeps its
weight.

return rows => B, N, _ = rows.shape\\n        return rows
unflatten(-1, (num_heads, -1)).transpose(1, 2) => reshape(B, num_heads, N, -1)
y.transpose(1, 2).flatten(2) => y.reshape(x.shape)
你只用 view 拆头，也只用 view 合并：形状对，token 混在了一起。
You split and merge with view alone: the shape is right and the tokens are
mixed.

return rows => B, N, _ = rows.shape\\n        return rows
unflatten(-1, (num_heads, -1)).transpose(1, 2) => reshape(B, num_heads, N, -1)
拆头只用了 view(B, H, N, d_k)：形状对，token 混在了一起。
You split with view(B, H, N, d_k) alone: the shape is right and the tokens are
mixed.

y.transpose(1, 2).flatten(2) => y.reshape(x.shape)
合并时少了 transpose：reshape 之前，N 应回到 H 的前面。
The transpose is missing where you merge: before reshape, N belongs in front of
H again.

(num_heads, -1)).transpose(1, 2) => (-1, num_heads)).permute(0, 3, 1, 2)
y.transpose(1, 2) => y.permute(0, 2, 3, 1)
每个头应是投影后连续的 d_k 列，你隔 H 列取了一列。
A head is d_k columns side by side of the projection; you take every H-th
column.

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
合并时 d_k 和 H 的次序反了，各头的特征交错在一起。
Merged with d_k and H in the wrong order, so that the features of the heads
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

return x + right(x, memory, w_q, w_k, w_v, w_o, num_heads)
你还把 x 加到了输出上：这里没有残差连接。
You add x to the output: there is no residual connection here.

scores.softmax => (scores + (0 * scores - torch.inf).triu(1)).softmax
你用了因果掩码：这里每个查询都看得到整个 memory。
You use a causal mask: here every query sees all of memory.
""",
)
