"""Checks of lesson 23: merges, shared heads, few bits, adapters, rewards."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations
from exercises.properties import same_gradients

# --- 1: symbols merged in the learned order ----------------------------------


def bpe_encode(symbols, merges):
    for pair in merges:
        merged = []
        for symbol in symbols:
            if merged and (merged[-1], symbol) == pair:
                merged[-1] += symbol
            else:
                merged.append(symbol)
        symbols = merged
    return [*symbols]


def some_words(rng):
    yield [*"abcd"], [("b", "c"), ("a", "b"), ("c", "d")]
    yield ["a", "b", "c", "a", "b"], [("a", "b"), ("ab", "c"), ("b", "c")]
    yield ["a"] * 7, [("a", "a")]
    yield ["a"] * 7, [("a", "a"), ("aa", "aa")]
    yield ["ab", "c", "a", "bc"], [("a", "bc"), ("b", "c"), ("ab", "c")]
    yield ["x"], [("x", "y")]
    yield ["y", "x"], [("x", "y")]
    yield ["b", "a"], []
    some = ("a", "a"), (".", "b"), (" ", "a"), ("-", "-"), (" a", "a")
    yield [*" -.(a  a.b--aab"], [*some]
    some = ("a", "b"), (" ", "c"), ("(", "a"), ("-", "b")
    yield [*"a.(a-b|aab c"], [*some]
    for letters in ("ab", "abc", "aab", "abcd"):
        known, merges = [*letters], []
        for _ in range(8):
            i, j = torch.randint(len(known), (2,), generator=rng).tolist()
            pair = known[i], known[j]
            if "".join(pair) not in known:
                merges.append(pair)
                known.append("".join(pair))
        picked = torch.randint(len(letters), (30,), generator=rng)
        yield [letters[i] for i in picked.tolist()], merges


@says(
    "结果连起来应是原来的文字。",
    "Joined together, the result should be the text that came in.",
)
def loses_nothing(f, symbols, merges):
    return "".join(f(symbols, merges)) == "".join(symbols)


bpe_encode = exercise(
    bpe_encode,
    some_words,
    holds=[loses_nothing],
    wrong="""
text, known, out = "".join(symbols), {*symbols}, []
known |= {"".join(pair) for pair in merges}
while text:
    size = max(n for n in range(1, len(text) + 1) if text[:n] in known)
    out.append(text[:size])
    text = text[size:]
return out
你每次取词表里最长的一段：应按 merges 的次序合并，先学到的先合并。
You take the longest piece that is known each time: merge in the order of
merges, what was learned first comes first.

out = []
for symbol in symbols:
    if out and (out[-1], symbol) in merges:
        out[-1] += symbol
    else:
        out.append(symbol)
return out
你从左往右，遇到哪一对就合并哪一对：先学到的一对要先在全文合并完，再轮到下一对。
From the left you merge whatever pair comes first: the pair learned first is
merged everywhere before the next one's turn.

text = " ".join(symbols)
for pair in merges:
    text = text.replace(" ".join(pair), "".join(pair))
return text.split(" ")
连成一段文字再替换，符号的边界就丢了："aa b" 里也找得到 "a b"。
Replacing in the joined text loses where a symbol ends: "a b" is found in
"aa b", too.

import re
text = " ".join(symbols)
for pair in merges:
    both = re.escape(" ".join(pair))
    text = re.sub(f"(?<![^ ]){both}(?![^ ])", "".join(pair), text)
return text.split()
你用空格隔开符号，可是空格自己也可能是符号：直接合并列表里的项。
Symbols are told apart by blanks here, but a blank may be a symbol: merge the
items of the list.

for pair in merges: => for pair in reversed(merges):
次序反了：merges 里先学到的在前，先合并它。
The order is reversed: what was learned first stands first in merges, and is
merged first.

merged and (merged[-1], symbol) == pair => DONE
DONE => merged and (merged[-1], symbol) == pair and "".join(pair) not in merged
一对在一个词里出现几次时，你只合并了第一次。
Where a pair occurs several times in a word, only the first one is merged.

(merged[-1], symbol) == pair => merged[-1] + symbol == "".join(pair)
你只比较了连起来的文字：("a", "bc") 和 ("ab", "c") 是不同的两对。
Only the joined text is compared: ("a", "bc") and ("ab", "c") are different
pairs.

for symbol in symbols: => for symbol in reversed(symbols):
(merged[-1], symbol) == pair => (symbol, merged[-1]) == pair
merged[-1] += symbol => merged[-1] = symbol + merged[-1]
symbols = merged => symbols = merged[::-1]
你从右往左合并：a a a 应成为 aa 和 a，从左起。
You merge from the right: of a a a, starting at the left, come aa and a.

symbols = merged => return merged
你只用了 merges 里的第一对。
Only the first pair of merges is used.

return [*symbols] => return "".join(symbols)
你返回了连起来的文字：要的是符号的列表。
You return the joined text: a list of symbols is asked for.
""",
)

# --- 2: few heads of keys and values, kept -----------------------------------


def grouped_attention(q, k, v, past=None):
    if past is not None:
        k = torch.cat([past[0], k], dim=2)  # (B, G, M + n, d_k)
        v = torch.cat([past[1], v], dim=2)
    H, G, n, length = q.shape[1], k.shape[1], q.shape[2], k.shape[2]
    mask = torch.ones(n, length, dtype=torch.bool, device=q.device)
    mask = mask.tril(length - n)  # all old ones, and up to itself
    keys, values = (x.repeat_interleave(H // G, dim=1) for x in (k, v))
    y = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
    return y, (k, v)


def one_query_at_a_time(q, k, v, past=None):
    """Every head and position by itself: no mask, nothing repeated."""
    if past is not None:
        k, v = (torch.cat(pair, dim=2) for pair in zip(past, (k, v)))  # noqa: B905
    (_, H, n, d_k), G, length = q.shape, k.shape[1], k.shape[2]
    y = torch.empty_like(q)
    for h in range(H):
        g = h * G // H
        for t in range(n):
            end = length - n + t + 1
            scores = k[:, g, :end] @ q[:, h, t, :, None] / d_k**0.5
            weights = scores.softmax(dim=1)  # (B, end, 1)
            y[:, h, t] = (weights * v[:, g, :end]).sum(dim=1)
    return y, (k, v)


def some_groups(rng):
    for i, s in enumerate(variations(rng, "B G R n M D", high=7)):
        s["H"] = s.G * s.R
        new = s.normal("B H n D"), s.normal("B G n D"), s.normal("B G n D")
        past = s.normal("B G M D"), s.normal("B G M D")
        yield (*new, past if i % 3 != 1 else None)


@says(
    "缓存里应是 G 个头的 k 和 v，旧的在前。",
    "The cache should hold k and v of G heads, the old ones first.",
)
def keeps_few_heads(f, q, k, v, past=None):
    due = one_query_at_a_time(q, k, v, past)[1]
    _, kept = f(q, k, v, past)
    if any(x.shape[1] != k.shape[1] for x in kept):
        raise Rejection(
            "缓存里是复制过的头：先存 G 个头的 k 和 v，再复制；否则什么也没有"
            "省下。",
            "The cache holds repeated heads: keep k and v of G heads first, "
            "and repeat after that; otherwise nothing is saved.",
        )
    return all(map(torch.equal, kept, due))


grouped_attention = exercise(
    grouped_attention,
    some_groups,
    seeds=(0,),
    oracle=one_query_at_a_time,
    holds=[keeps_few_heads, same_gradients(grouped_attention)],
    wrong="""
repeat_interleave(H // G, dim=1) => repeat(1, H // G, 1, 1)
头的次序不对：查询的头 0 到 H/G − 1 用第 0 组，接下来的用第 1 组；你让它们
轮流用。
The heads are in another order: query heads 0 to H/G − 1 use group 0, the next
ones group 1; yours take turns.

return y, (k, v) => return y, (keys, values)
你存的是复制以后的：缓存大了 H/G 倍，什么也没有省下。
What you keep is the repeated ones: the cache is H/G times as large, and
nothing is saved.

return y, (k, v) => return y, (k / q.shape[3] ** 0.5, v)
y 对了，可是存的键已经除过 √d_k：下一步会再除一次。
y is right, but the keys are kept divided by √d_k: the next step would divide
them again.

return y, (k, v) => return y, (v, k)
缓存里应先是 k，再是 v。
In the cache k comes first, then v.

attn_mask=mask) => attn_mask=mask, scale=1 / q.shape[3])
分数应除以 √d_k，你除以了 d_k。
The scores are divided by √d_k; you divide by d_k.

attn_mask=mask) => attn_mask=mask, scale=1.0)
分数没有除以 √d_k。
The scores are not divided by √d_k.

attn_mask=mask) => attn_mask=mask, scale=(H * q.shape[3]) ** -0.5)
分数应除以 √d_k，你除以了模型宽度 H·d_k 的平方根。
The scores are divided by √d_k; you divide by the root of the model's width,
H·d_k.

attn_mask=mask) => attn_mask=mask, scale=(G * q.shape[3]) ** -0.5)
分数应除以一个头的 √d_k，与有几组无关。
The scores are divided by √d_k of a head, however many groups there are.

.tril(length - n) => .tril()
掩码没有算上旧的位置：新的第 i 个看得到全部旧的，和新的 0 到 i。
The mask forgets the old positions: new position i sees all of them, and the
new ones 0 to i.

.tril(length - n) => .tril(length - n + 1)
每个新位置都看到了它后面的一个。
Each new position sees the one behind it.

.tril(length - n) => .tril(length - n - 1)
新位置看不到它自己。
A new position does not see itself.

attn_mask=mask => attn_mask=None
没有掩码：一次交来几个新位置时，前面的看到了后面的。
There is no mask: where several new positions come at once, earlier ones see
later ones.

[past[0], k] => [k, past[0]]
[past[1], v] => [v, past[1]]
旧的应在前，新的在后。
The old ones come first, then the new.

past[1], v] => past[0], v]
旧的值取成了旧的键：past 里先是 k，再是 v。
The old values are taken from the old keys: past holds k, then v.

return y, (k, v) => return y, (k[:, :, -n:], v[:, :, -n:])
你只留下了新的 k 和 v：下一步还要旧的。
You keep the new k and v alone: the next step needs the old ones, too.
""",
)

# --- 3: few bits -------------------------------------------------------------


def quantize_rows(weight, bits):
    largest = 2 ** (bits - 1) - 1
    scale = weight.abs().amax(dim=1, keepdim=True) / largest  # (E, 1)
    return (weight / scale).round().to(torch.int8), scale


def some_weights(rng):
    for i, s in enumerate(variations(rng, "E D")):
        sizes = 10.0 ** s.integers("E", -2, 2)[:, None].to(s.dtype)
        yield s.lay(s.normal("E D") * sizes), (8, 2, 4, 3, 6, 5, 7)[i % 7]
    yield torch.tensor([[-4.0, 1.0, 2.6], [0.3, -0.2, 0.1]]), 4


@says(
    "整数乘回 scale，应与 weight 相差不到半步。",
    "The integers times scale should be less than half a step from weight.",
)
def is_near(f, weight, bits):
    integers, scale = f(weight, bits)
    largest = 2 ** (bits - 1) - 1
    if (integers.int().abs() > largest).any():
        raise Rejection(
            f"{bits} 个比特时，整数应在 −{largest} 到 {largest} 之间，你的最小"
            f"是 {integers.min()}，最大是 {integers.max()}。",
            f"With {bits} bits the integers should lie between −{largest} and "
            f"{largest}; yours go from {integers.min()} to {integers.max()}.",
        )
    apart = (integers * scale - weight).abs()
    return bool((apart <= scale.abs() * 0.5001).all())


quantize_rows = exercise(
    quantize_rows,
    some_weights,
    holds=[is_near],
    wrong="""
amax(dim=1, keepdim=True) => max()
你给整个矩阵一个 scale：每行要有自己的。
You have one scale for the whole matrix: each row has its own.

weight.abs().amax(dim=1, keepdim=True) => MAX
MAX => weight.abs().max().expand(len(weight), 1)
每行的 scale 都一样，是整个矩阵的：每行要有自己的。
The scale is the same for all rows, that of the whole matrix: each row has its
own.

dim=1 => dim=0
你给每一列一个 scale：应给每一行，形状 (E, 1)。
You have a scale for each column: it is one for each row, of shape (E, 1).

dim=1 => dim=(0, 1)
你的 scale 只有一个数，形状 (1, 1)：每行要有自己的。
Your scale is a single number, of shape (1, 1): each row has its own.

2 ** (bits - 1) - 1 => 2 ** (bits - 1)
最大的整数应是 2^(bits − 1) − 1：8 个比特时是 127，你的是 128，int8 装不下。
The largest integer is 2^(bits − 1) − 1: with 8 bits it is 127, and yours is
128, which int8 cannot hold.

2 ** (bits - 1) - 1 => 2**bits - 1
少了符号的那个比特：最大的整数是 2^(bits − 1) − 1。
One bit is for the sign: the largest integer is 2^(bits − 1) − 1.

.round().to => .to
你截掉了小数：应取最近的整数。
You cut off the fraction: take the nearest integer.

.round() => .floor()
floor 总是向下：应取最近的整数。
floor always goes down: take the nearest integer.

weight.abs().amax => weight.amax
最大的绝对值可能是负数的：先取 abs。
The largest absolute value may be that of a negative number: take abs first.

, scale => , 1 / scale
scale 是一步有多大：整数乘它得到权重，你给的是它的倒数。
scale is the size of a step: integers times scale give weights; yours is one
over it.

.to(torch.int8) =>
整数还存在浮点数里：要 int8。
The integers are still kept as floating-point numbers: int8 is asked for.

return (weight / scale).round().to(torch.int8), scale => BACK
BACK => return (weight / scale).round() * scale, scale
你已经乘回去了：先返回整数。
You have multiplied back already: return the integers.
""",
)

# --- 4: an adapter -----------------------------------------------------------


class LoRALinear(nn.Module):
    def __init__(self, linear, rank, alpha):
        super().__init__()
        self.linear = linear.requires_grad_(False)
        D, E = linear.in_features, linear.out_features
        self.A = nn.Parameter(torch.randn(D, rank) / D**0.5)
        self.B = nn.Parameter(torch.zeros(rank, E))
        self.scale = alpha / rank

    def forward(self, x):  # (*, D) -> (*, E)
        return self.linear(x) + self.scale * (x @ self.A @ self.B)


def frozen_layer(weight, bias):
    """An nn.Linear with these numbers."""
    E, D = weight.shape
    linear = nn.Linear(D, E)
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear


def filled(answer):
    """The output of a new layer whose A and B hold a case's numbers."""

    def run(weight, bias, alpha, A, B, x):
        layer = answer(frozen_layer(weight, bias), A.shape[1], alpha)
        for name, value in (("A", A), ("B", B)):
            p = getattr(layer, name, None)
            if not isinstance(p, nn.Parameter):
                raise Rejection(
                    f"层里没有名为 {name} 的 nn.Parameter。",
                    f"The layer has no nn.Parameter called {name}.",
                )
            if p.shape != value.shape:
                raise Rejection(
                    f"{name} 的形状是 {tuple(p.shape)}，应为 "
                    f"{tuple(value.shape)}。",
                    f"{name} has shape {tuple(p.shape)}, and should have "
                    f"{tuple(value.shape)}.",
                )
        layer(x)  # as in training, this is not the only call
        layer.A.data.copy_(A)
        layer.B.data.copy_(B)
        return layer(x)

    return run


def some_layers(rng):
    cases = variations(rng, "* D E R", dtypes=(torch.float32,), layouts=False)
    for i, s in enumerate(cases):
        weights = s.normal("E D"), s.normal("E")
        numbers = s.normal("D R"), s.normal("R E"), s.normal("* D")
        yield (*weights, (8, 1, 4)[i % 3], *numbers)


@says(
    "刚造好时，输出应与原来的线性层相同。",
    "In the beginning the output should be that of the linear layer.",
)
def starts_as_the_layer(answer, weight, bias, alpha, A, B, x):
    linear = frozen_layer(weight, bias)
    due = linear(x).detach()
    layer = answer(linear, A.shape[1], alpha)
    if layer.B.any():
        raise Rejection("B 应从 0 开始。", "B should start from 0.")
    return torch.allclose(layer(x), due, atol=1e-5)


@says(
    "A 应是随机数，标准差约 1/√D。",
    "A should be random, with a standard deviation of about 1/√D.",
)
def starts_random(answer, weight, bias, alpha, A, B, x):
    A = answer(nn.Linear(400, 3), 50, 1).A.detach() * 20
    if not A.any():
        raise Rejection(
            "A 从 0 开始：它应是随机数。",
            "A starts from 0: it should be random.",
        )
    return all(0.5 < A.std(dim=axis).mean() < 2 for axis in (0, 1))


@says(
    "原来的层还没有冻结。",
    "The layer itself is not frozen.",
)
def trains_two(answer, weight, bias, alpha, A, B, x):
    linear = frozen_layer(weight, bias)
    layer = answer(linear, A.shape[1], alpha)
    trained = {n for n, p in layer.named_parameters() if p.requires_grad}
    if any(p.requires_grad for p in linear.parameters()):
        return False
    if trained != {"A", "B"}:
        raise Rejection(
            f"要训练的参数是 {sorted(trained)}：应正好是 A 和 B。",
            f"The parameters to be trained are {sorted(trained)}: exactly A "
            "and B should be.",
        )


@says("原来的权重被改动了。", "The layer's own weight was changed.")
def uses_what_it_names(answer, weight, bias, alpha, A, B, x):
    linear = frozen_layer(weight, bias)
    layer = answer(linear, A.shape[1], alpha)
    if getattr(layer, "linear", None) is not linear:
        raise Rejection(
            "属性 linear 应是交来的那个层。",
            "The attribute linear should be the layer that was given.",
        )
    scale = getattr(layer, "scale", None)
    if not isinstance(scale, int | float) or (
        abs(scale - alpha / A.shape[1]) > 1e-6
    ):
        raise Rejection(
            "属性 scale 应是一个数，alpha / rank。",
            "The attribute scale should be a number, alpha / rank.",
        )
    layer.A.data, layer.B.data, layer.scale = A.clone(), B.clone(), 0
    if not torch.equal(layer(x), F.linear(x, weight, bias)):
        raise Rejection(
            "scale 改成 0 以后，输出应与原来的线性层相同：forward 里要用 "
            "self.scale。",
            "With scale set to 0 the output should be that of the linear "
            "layer: use self.scale in forward.",
        )
    layer.scale = 1.0
    layer(x)
    return torch.equal(linear.weight, weight)


@says(
    "梯度没有传到 A、B 和 x：有一部分与计算图断开了（detach、.data、"
    "no_grad），或者没有用上。",
    "The gradients of A, B and x are wrong: a part is cut off from the graph "
    "(detach, .data, no_grad), or is not used.",
)
def passes_gradients(answer, weight, bias, alpha, A, B, x):
    found = []
    for kind in (answer, LAYER):
        layer = kind(frozen_layer(weight, bias), A.shape[1], alpha)
        layer.A.data, layer.B.data = A.clone(), B.clone()
        z = x.clone().requires_grad_()
        y = layer(z)
        found.append((y, torch.autograd.grad(
            y.square().sum(), [layer.A, layer.B, z], materialize_grads=True
        )))  # fmt: skip
    (y, mine), (due, theirs) = found
    if not torch.allclose(y, due, rtol=1e-3, atol=1e-3):
        return True  # values are told by themselves
    return all(
        torch.allclose(g, h, rtol=1e-2, atol=1e-2 * float(h.abs().max()))
        for g, h in zip(mine, theirs, strict=True)
    )


LAYER = LoRALinear

LoRALinear = exercise(
    LoRALinear,
    some_layers,
    seeds=(0,),
    adapt=filled,
    holds=[
        starts_as_the_layer,
        starts_random,
        trains_two,
        uses_what_it_names,
        passes_gradients,
    ],
    wrong="""
torch.zeros(rank, E) => torch.randn(rank, E)
B 从随机数开始：这样一装上适配器，模型就变了，应从 0 开始。
B starts from random numbers, so putting the adapter in changes the model: it
starts from 0.

torch.randn(D, rank) => torch.zeros(D, rank)
A 和 B 都从 0 开始：A 的梯度里有 B，B 的梯度里有 A，谁也动不了。
A and B both start from 0: A's gradient contains B and B's contains A, so
neither can move.

linear.requires_grad_(False) => linear
原来的层没有冻结：它的 weight 和 bias 都不训练。
The layer itself is not frozen: neither its weight nor its bias is trained.

alpha / rank => alpha
适配器乘的是 alpha / rank：你没有除以 rank。
The adapter is multiplied by alpha / rank: you do not divide by rank.

self.linear(x) + =>
只有适配器：还要加上原来的层的输出。
That is the adapter alone: the output of the layer itself is added.

+ self.scale * (x => + (x
scale 没有用上。
scale is not used.

alpha / rank => rank / alpha
应是 alpha / rank，你的是它的倒数。
It should be alpha / rank, and yours is one over it.

nn.Parameter(torch.randn(D, rank) / D**0.5) => AAA
AAA => nn.Parameter(torch.randn(D, rank) / D**0.5, requires_grad=False)
A 被冻结了：A 和 B 都要训练。
A is frozen: both A and B are to be trained.
""",
)

# --- 5: rewards within a group -----------------------------------------------


def group_loss(log_probs, rewards):
    mean = rewards.mean(dim=1, keepdim=True)
    std = rewards.std(dim=1, keepdim=True, correction=0)
    advantages = (rewards - mean) / (std + 1e-4)  # (P, R)
    return -(advantages[:, :, None] * log_probs).mean()


def some_rewards(rng):
    dtypes = torch.float64, torch.float32
    cases = variations(rng, "P R T", dtypes=dtypes)
    for i, s in enumerate(cases):
        log_probs = s.lay(-s.normal("P R T").abs())
        rewards = s.integers("P R", 0, 2).to(s.dtype)
        if i % 3 == 1:  # not only 0 and 1
            rewards = s.normal("P R")
        if i % 4 == 2:
            rewards[0] = 1
        yield log_probs, rewards


@says("梯度不对。", "The gradients are wrong.")
def pushes_by_advantage(f, log_probs, rewards):
    """What goes back to each token; not told where the value is wrong."""
    leaf = log_probs.detach().clone().requires_grad_()
    loss, due = f(leaf, rewards), LOSS(log_probs, rewards)
    if not torch.allclose(loss, due, rtol=1e-4, atol=1e-6):
        return True
    if not loss.requires_grad:
        raise Rejection(
            "损失与 log_probs 断开了：它没有 grad_fn，什么也学不到。",
            "The loss is cut off from log_probs: it has no grad_fn, and "
            "nothing can be learned.",
        )
    (got,) = torch.autograd.grad(loss, leaf)
    again = log_probs.detach().clone().requires_grad_()
    (want,) = torch.autograd.grad(LOSS(again, rewards), again)
    return torch.allclose(got, want, rtol=1e-3, atol=1e-6)


LOSS = group_loss

group_loss = exercise(
    group_loss,
    some_rewards,
    holds=[pushes_by_advantage],
    wrong="""
return -( => return (
符号反了：这样奖励高的回答会越来越少。
The sign is wrong: answers with high rewards would become rarer.

dim=1 => dim=0
你在不同的题之间比较：平均和标准差属于一组，也就是同一道题的 R 个回答。
You compare different prompts: mean and deviation belong to a group, the R
answers to one prompt.

rewards.mean(dim=1, keepdim=True) => rewards.mean()
平均是一组的，不是整个批次的：题有难有易。
The mean is that of a group, not of the whole batch: some prompts are easier
than others.

rewards.mean(dim=1, keepdim=True) => rewards.mean()
rewards.std(dim=1, keepdim=True, correction=0) => rewards.std(correction=0)
平均和标准差都是一组的，不是整个批次的。
Mean and deviation are those of a group, not of the whole batch.

(std + 1e-4) => (std / rewards.shape[1] + 1e-4)
标准差求好以后不再除以 R：R 是求它时的分母（correction=0）。
The deviation itself is not divided by R: it is the squares within it that are
(correction=0).

advantages[:, :, None] => rewards[:, :, None]
你乘的是奖励：应乘优势，与本组的平均相比。
You multiply by rewards: it should be advantages, compared with the group.

/ (std + 1e-4) =>
没有除以标准差。
The deviation is not divided by.

(rewards - mean) => rewards
没有减去一组的平均：奖励只有 0 和 1 时，错的回答就没有用了。
The mean of the group is not subtracted: where rewards are 0 and 1, wrong
answers would not count.

correction=0 => correction=1
求标准差时你的分母是 R − 1：这里是 R（correction=0）。
The squares in your deviation are divided by R − 1: here by R (correction=0).

.std( => .var(
你除以了方差：应除以标准差。
You divide by the variance: it should be the standard deviation.

(std + 1e-4) => std
一组的奖励都相同时，标准差是 0，0/0 成了 nan：要加上 1e-4。
Where all rewards of a group are equal the deviation is 0, and 0/0 becomes nan:
1e-4 is added.

(std + 1e-4) => (std + 1e-8)
标准差上加的应是 1e-4。
What is added to the deviation should be 1e-4.

* log_probs => * log_probs.exp()
这里乘的是概率的对数，不是概率。
It is the logarithm of the probability that is multiplied, not the probability.

.mean() => .sum(dim=2).mean()
你把一个回答的 token 加了起来：这里对所有的 token 取平均。
You sum over the tokens of an answer: here the mean is over all tokens.

.mean() => .sum() / len(rewards)
你只除以了题数：这里对所有的 token 取平均。
You divide by the number of prompts alone: here the mean is over all tokens.

.mean() => .sum()
你给的是总和：这里对所有的 token 取平均。
That is the sum: here the mean is over all tokens.
""",
)
