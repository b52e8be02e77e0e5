"""Lesson 21: targets behind a prompt, counting, sampling, a cache, GPT-2."""

import math
from collections import Counter, defaultdict

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations
from exercises.parts import reference

# --- 1: targets behind a prompt ----------------------------------------------


def prompt_targets(prompt, answer):
    ids = torch.cat([prompt, answer], dim=1)  # (B, P + A)
    x, y = ids[:, :-1], ids[:, 1:].clone()
    y[:, : prompt.shape[1] - 1] = -100  # the prompt is given
    return x, y


def prompts(rng):
    for s in variations(rng, "B P A", dtypes=(torch.float32,)):
        yield s.integers("B P", 0, 50), s.integers("B A", 0, 50)


@says(
    "y 每行应正好有 P − 1 个 −100，x 一个也没有。",
    "Each row of y should hold exactly P − 1 times −100, and x none.",
)
def hides_the_prompt(f, prompt, answer):
    x, y = f(prompt, answer)
    hidden = (y == -100).sum(dim=1) == prompt.shape[1] - 1
    return bool(hidden.all()) and not (x == -100).any()


prompt_targets = exercise(
    prompt_targets,
    prompts,
    holds=[hides_the_prompt],
    wrong="""
ids[:, 1:].clone() => ids[:, :-1].clone()
y 没有移动：位置 t 的目标应是第 t + 1 个 token，你给的是它自己。
y is not shifted: the target of position t is token t + 1, and yours is token t
itself.

ids[:, 1:].clone() => ids[:, :-1].clone()
prompt.shape[1] - 1 => prompt.shape[1]
y 没有移动一位：遮住的地方是提示自己，留下的目标是 x 自己的 token。
y is not shifted by one: what is hidden is the prompt itself, and the targets
that are left are x's own tokens.

ids[:, 1:].clone() => ids[:, 1:]
x 里也有了 −100：x 和 y 是同一块内存的两个视图，改 y 也就改了 x（第 02 课）。
There are −100 in x, too: x and y are two views of the same memory, and what is
written into y stands in x as well (lesson 02).

ids[:, 1:].clone() => ids.roll(1, dims=1)[:, :-1].clone()
y 移反了：你给的是前一个 token，目标是后一个。
y is shifted the wrong way: you give the token before, the target is the next.

prompt.shape[1] - 1 => prompt.shape[1]
多遮了一个：提示的最后一个位置要预测答案的第一个 token。
One too many is hidden: the last position of the prompt predicts the first
token of the answer.

y[:, : prompt.shape[1] - 1] = -100 => pass
提示里的 token 还在 y 中：那里应是 −100。
Tokens of the prompt are still in y: there it should be −100.

x, y = ids[:, :-1] => x, y = ids
x 多了最后一个 token：它后面没有要预测的。
x has one token too many: nothing is to be predicted after the last one.
""",
)

# --- 2: counting -------------------------------------------------------------


def ngram_losses(train, held, max_order, vocab_size):
    p = [1 / vocab_size] * len(held)
    losses = []
    for n in range(1, max_order + 1):
        follow = defaultdict(Counter)
        for i in range(n - 1, len(train)):
            follow[train[i - n + 1 : i]][train[i]] += 1
        for i in range(n - 1, len(held)):
            counts = follow.get(held[i - n + 1 : i])
            if counts:
                s, u = counts.total(), len(counts)
                p[i] = (counts[held[i]] + u * p[i]) / (s + u)
        losses.append(-sum(map(math.log, p)) / len(p))
    return losses


def texts(rng):
    """Short texts of few letters, so that contexts come again."""
    for n, letters in enumerate(("ab", "aA.", "a\n(de", "a \nc", "abcd")):
        sizes = (12, 5) if n == 0 else (60, 20)
        train, held = (
            "".join(
                letters[i]
                for i in torch.randint(len(letters), (size,), generator=rng)
            )
            for size in sizes
        )
        yield train, held + "z" * (n == 3), n % 4 + 1, len(letters) + n
    yield "", "ab", 2, 4
    yield "aba", "ba", 4, 3
    if rng.initial_seed() == 0:  # a pass for each character takes too long
        train, held = (
            "".join(map(chr, torch.randint(97, 101, (n,), generator=rng)))
            for n in (15_000, 1_000)
        )
        yield train, held, 2, 4


@says(
    "1 阶的结果就不对：上文是空串，s 是 train 的长度，u 是其中不同字符的个数，"
    "低一阶的 p 是 1/V；再对 held 的每个字符取 −ln p 的平均。",
    "The result of order 1 is wrong already: its context is the empty string, "
    "s the length of train, u the number of different characters in it, the p "
    "below is 1/V; then comes the mean of −ln p over each character of held.",
)
def counts_characters(f, train, held, max_order, vocab_size):
    s, u = len(train), len({*train})
    if not train:  # nothing to count
        return True
    p = [(train.count(c) + u / vocab_size) / (s + u) for c in held]
    due = -sum(map(math.log, p)) / len(p)
    return abs(f(train, held, 1, vocab_size)[0] - due) < 1e-5 * due


ngram_losses = exercise(
    ngram_losses,
    texts,
    holds=[counts_characters],
    wrong="""
(n - 1, len(train)) => (n - 1, len(train + held))
follow[train[i - n + 1 : i]][train[i]] => follow[both[i - n + 1 : i]][both[i]]
losses = [] => both, losses = train + held, []
你把留出的文本也数进去了：它只用来考。
You count in the held-out text, too: it is for the exam alone.

/ (s + u) => / s
分母少了 u：这样概率之和大于 1。
The denominator lacks u: the probabilities add up to more than 1.

u * p[i]) / => u / vocab_size) /
分子里应是低一阶的 p，不是 1/V。
In the numerator stands the p of the order below, not 1/V.

math.log => math.log2
这是以 2 为底的对数：这里要自然对数。
That is the logarithm to base 2: here it is the natural one.

s, u = counts.total() => s, u = train.count(held[i - n + 1 : i])
s 是上文后面跟着字符的次数：str.count 跳过重叠的，还数到结尾的那一次。
s is how often a character follows the context: str.count skips those that
overlap, and counts the one at the very end, too.

p[i] = ( => p[i] = counts[held[i]] and (
这个上文后面没有出现过的字符，概率成了 0：它还有低一阶的那一份。
A character that never followed this context gets 0: it still has its share
from the order below.

losses.append( => losses.append(math.exp(
len(p)) => len(p)))
这是困惑度：这里要的是平均的 −ln p。
That is the perplexity: here the mean of −ln p is asked for.

held[i - n + 1 : i]) => held[max(0, i - n + 1) : i])
train[i - n + 1 : i] => train[max(0, i - n + 1) : i]
range(n - 1, len => range(len
开头不足 n − 1 个字符的地方不数，那里 p_n = p_{n−1}。
Where fewer than n − 1 characters come before, nothing is counted: there p_n
is p_{n−1}.

/ len(p)) => / len(p[n - 1 :] or p))
map(math.log, p) => map(math.log, p[n - 1 :] or p)
平均是对 held 的每个字符，开头的几个也算（那里 p_n = p_{n−1}）。
The mean is over every character of held, the first few, too (there p_n is
p_{n−1}).

for i in range(n - 1, len(train)): => for i in range(len(train)):
follow[train[i - n + 1 : i]][train[i]] += 1 => pass
counts = follow.get( => h = (
if counts: => counts = COUNTED\\n            if counts:
COUNTED => +Counter({c: train.count(h + c) for c in set(train)})
str.count 跳过重叠的（re.findall 也是）：要在每个位置数一次。
str.count leaves out those that overlap (so does re.findall): count at every
position.

-sum => sum
符号反了：这里要的是平均的 −ln p。
The sign is wrong: the mean of −ln p is asked for.

/ len(p)) => )
你给的是总和：要除以 held 的字符数。
That is the sum: divide by the number of characters of held.

losses.append(-sum(map(math.log, p)) / len(p)) => MEAN
MEAN => losses.append(-math.log(sum(p) / len(p)))
你先平均再取对数：要的是 −ln p 的平均。
You take the mean first and then the logarithm: the mean of −ln p is asked for.

losses = [] => losses = [math.log(vocab_size)]
return losses => return losses[:-1]
第一个数应是 1 阶的，你从 p_0 = 1/V 开始。
The first number belongs to order 1; yours starts at p_0 = 1/V.

for n in range(1, max_order + 1) => for n in range(2, max_order + 2)
n 阶看前面 n − 1 个字符，你看了 n 个。
Order n looks at the n − 1 characters before; you look at n.

follow.get(held[i - n + 1 : i]) => follow[held[i - n + 1 : i]]
if counts: => if True:
上文没有见过时 s + u 是 0，不能除：那里 p_n = p_{n−1}。
Where the context has not been seen s + u is 0 and cannot divide: there p_n is
p_{n−1}.

p[i] = (counts[held[i]] + u * p[i]) / (s + u) => BOTH
BOTH => p[i] = (counts[held[i]] + u * p[i]) / (s + u)\\n            ELSE
ELSE => else:\\n                p[i] = 1 / vocab_size
没有见过的上文：p_n = p_{n−1}，不是 1/V。
Where the context has not been seen p_n is p_{n−1}, not 1/V.

return losses => return losses[-1]
你只返回了最高一阶的：要一个列表，每阶一个数。
You return the highest order alone: a list is asked for, a number for each.
""",
)

# --- 3: sampling -------------------------------------------------------------


def probabilities(logits, temperature=1.0, top_k=None):
    logits = logits / temperature
    if top_k is not None:
        smallest = logits.topk(top_k).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    return logits.softmax(dim=-1)


def some_logits(rng):
    for i, s in enumerate(variations(rng, "* N V", low=3, equal=False)):
        logits = 3 * s.normal("* N V")
        if i == 2:
            logits = logits * (1000 / logits.abs().max())
        options = ((2.0, 2), (1.0, 2), (0.5,), (0.7, 1), (1.0, 3), ())
        yield logits, *options[i]
    yield torch.tensor([[0.3, 0.1, 0.2], [0.2, 0.5, 0.7]]), 2.0, 1
    yield torch.tensor([[1000.0, 998, 997], [2, 0, 1]]), 2.0, 2
    yield torch.tensor([[1000.0, 0, -1000], [0, -1000, 500]]), 1000.0
    yield torch.tensor([-930.0, -930.1, -929.9, -930.2]).double(), 0.05, 3


@says(
    "有一行不是概率：要都不小于 0，和为 1。",
    "A row is no distribution: all at least 0, and 1 in all.",
)
def adds_up(f, *case):
    p = f(*case)
    ones = torch.ones(p.shape[:-1], dtype=p.dtype)
    return bool((p >= 0).all()) and torch.allclose(p.sum(-1), ones)


@says(
    "每行应正好有 top_k 个数不是 0（没有 top_k 时全部都不是），其余正好是 0。",
    "Each row should hold exactly top_k numbers that are not 0 (without top_k "
    "all of them), and the others exactly 0.",
)
def keeps_k(f, logits, temperature=1.0, top_k=None):
    logits = logits / logits.abs().max()  # small: no exp underflows to 0
    k = top_k or logits.shape[-1]
    p = f(logits, temperature, top_k)
    return bool(((p != 0).sum(dim=-1) == k).all())


probabilities = exercise(
    probabilities,
    some_logits,
    holds=[adds_up, keeps_k],
    wrong="""
logits / temperature => logits * temperature
你乘了温度：应除以它。
You multiply by the temperature: divide by it.

logits = logits / temperature => pass
temperature 没有用上。
temperature is not used.

return logits.softmax(dim=-1) => return logits.softmax(dim=-1) / temperature
logits = logits / temperature => pass
你在 softmax 之后才除以温度：应除 logits。
You divide by the temperature after softmax: it is the logits that are divided.

if top_k is not None => if False
top_k 没有用上。
top_k is not used.

logits.topk(top_k) => logits.topk(top_k, largest=False)
logits < smallest => logits > smallest
你留下了最小的 top_k 个。
You keep the top_k smallest.

logits = logits / temperature => T = 1 if top_k else temperature\\n    HEATED
HEATED => logits = logits / T
有 top_k 时，temperature 没有用上。
With top_k, temperature is not used.

logits < smallest, -torch.inf => logits < smallest, 0.0
没有选中的填了 0：exp(0) = 1，它们还有概率。
What is not chosen is filled with 0: exp(0) = 1, so it still has probability.

logits < smallest, -torch.inf => logits < smallest, -100.0
没有选中的概率很小，却不是 0：logits 再小一些，它们甚至比选中的还大。
What is not chosen has a small probability, not 0; where the logits are smaller
still it even gets the largest.

topk(top_k) => topk(1)
top_k 是几都一样：你只留了最大的一个。
Whatever top_k is: you keep the largest alone.

logits = logits / temperature => logits = logits / temperature**2
logits 除以了两次温度：只除一次。
The logits are divided by the temperature twice; once is right.

logits < smallest => logits <= smallest
你只留了 top_k − 1 个：第 k 大的也该留下。
You keep top_k − 1 only: the k-th largest stays, too.

logits = logits.masked_fill( => p = logits.softmax(dim=-1)\\n        KEPT
KEPTlogits < smallest, -torch.inf) => return p * (logits >= smallest)
剩下的概率之和不到 1：去掉其余的以后，要重新归一。
What is left adds up to less than 1: after the others are gone it has to be
normalised again.

return logits.softmax(dim=-1) => e = logits.exp()\\n    DIVIDED
DIVIDED => return e / e.sum(dim=-1, keepdim=True)
logits 很大时 exp 成了 inf，结果是 NaN。
For large logits exp becomes inf, and the result NaN.
""",
)

# --- 4: a cache --------------------------------------------------------------


class Layer(nn.Module):
    """What the exercise needs of a MultiHeadAttention."""

    def __init__(self, d_model):
        super().__init__()
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)


def cached_attention(layer, x, past, num_heads):
    B, n, d_model = x.shape
    qkv = layer.qkv(x).view(B, n, 3, num_heads, -1)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, n, d_k) each
    if past is not None:
        k = torch.cat([past[0], k], dim=2)  # (B, H, M + n, d_k)
        v = torch.cat([past[1], v], dim=2)
    M = k.shape[2] - n
    mask = torch.ones(n, M + n, dtype=torch.bool, device=x.device).tril(M)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    y = y.transpose(1, 2).reshape(B, n, d_model)
    return layer.out(y), (k, v)


def one_at_a_time(layer, x, past, num_heads):
    """Every new position by itself, against all before it: no mask."""
    parts = layer.qkv(x).chunk(3, dim=-1)
    heads = [torch.stack(p.chunk(num_heads, dim=-1), dim=1) for p in parts]
    q, *kept = heads
    if past is not None:
        pairs = zip(past, kept, strict=True)
        kept = [torch.cat(pair, dim=2) for pair in pairs]
    k, v = kept
    n, length = x.shape[1], k.shape[2]
    rows = []
    for t in range(n):
        end = length - n + t + 1
        scores = q[:, :, t : t + 1] @ k[:, :, :end].mT / q.shape[-1] ** 0.5
        rows.append((scores.softmax(dim=-1) @ v[:, :, :end]).flatten(1))
    return layer.out(torch.stack(rows, dim=1)), (k, v)


def some_pasts(rng):
    cases = variations(rng, "B n M H D", high=6)
    for i, s in enumerate(cases):
        s["F"] = s.H * s.D
        layer = Layer(s.F).to(s.dtype)
        for p in layer.parameters():
            p.data = torch.randn(p.shape, generator=rng, dtype=s.dtype) / 2
        past = s.normal("B H M D"), s.normal("B H M D")
        yield layer, s.normal("B n F"), past if i % 3 != 1 else None, s.H
    yield layer, s.normal("B n F")[:, :1], None, s.H


@says(
    "分两段交给它，与一次全交，结果不同：past 的部分不对。",
    "Given in two pieces, the results differ from those of one piece: what "
    "concerns past is wrong.",
)
@torch.no_grad()
def same_in_pieces(f, layer, x, past, num_heads):
    x = torch.cat([x, x.flip(1), -x], dim=1)
    whole, _ = f(layer, x, None, num_heads)
    due, _ = one_at_a_time(layer, x, None, num_heads)
    if not torch.allclose(whole, due, rtol=1e-4, atol=1e-4):
        raise Rejection(
            "past 是 None 时，y 就与第 16 课的因果注意力不同：错不在缓存。",
            "Even where past is None, y differs from the causal attention of "
            "lesson 16: the fault is not in the cache.",
        )
    first, kept = f(layer, x[:, :2], None, num_heads)
    copies = [part.clone() for part in kept]
    rest, _ = f(layer, x[:, 2:], kept, num_heads)
    for now, was in zip(kept, copies, strict=True):
        if not torch.equal(now, was):
            raise Rejection(
                "past 被改动了：应返回新的一对，原来的不动。",
                "past was changed: return a new pair and leave it alone.",
            )
    both = torch.cat([first, rest], dim=1)
    return torch.allclose(both, whole, rtol=1e-4, atol=1e-4)


cached_attention = exercise(
    cached_attention,
    some_pasts,
    seeds=(0,),
    oracle=one_at_a_time,
    holds=[same_in_pieces],
    wrong="""
return layer.out(y), => return y,
还少最后一步：layer.out。
The last step is missing: layer.out.

attn_mask=mask) => attn_mask=mask, scale=1.0)
分数没有除以 √d_k。
The scores are not divided by √d_k.

attn_mask=mask) => attn_mask=mask, scale=d_model**-0.5)
分数应除以 √d_k，你除以了 √d_model。
The scores are divided by √d_k; you divide by √d_model.

q, k, v = qkv => k, q, v = qkv
次序不对：qkv 的列先是 Q，再是 K，再是 V。
The columns of qkv are first Q, then K, then V.

q, k, v = qkv => q, v, k = qkv
K 和 V 反了：qkv 的列里 K 在前。
K and V are swapped: in the columns of qkv K comes first.

.view(B, n, 3, num_heads, -1) => .view(B, n, num_heads, 3, -1)
(2, 0, 3, 1, 4) => (3, 0, 2, 1, 4)
先分 Q、K、V，再分头：你先分了头。
First come Q, K, V, then the heads: you split the heads first.

y.transpose(1, 2).reshape => y.reshape
合并头之前要先交换两个轴，否则位置和头混在一起。
Before the heads are joined the axes must be swapped: positions and heads are
mixed up.

.tril(M) => .tril()
掩码错位了：新的第 i 个位置看得到全部 M 个旧的，和新的 0 到 i。（is_causal=True
也把两边从头对齐。）
The mask is out of place: new position i sees all M old ones and the new ones 0
to i. (is_causal=True, too, lines both up at their beginnings.)

.tril(M) => .tril(M + 1)
掩码多看了一个：每个新位置都看到了它后面的一个。
The mask lets too much through: each new position sees the one behind it.

.tril(M) => .tril(M - 1)
掩码少看了一个：新位置看不到它自己。
The mask hides too much: a new position does not see itself.

attn_mask=mask => attn_mask=~mask
掩码反了：在 F.scaled_dot_product_attention 里 True 是可以看。
The mask is inverted: True means may attend in F.scaled_dot_product_attention.

attn_mask=mask => attn_mask=mask.to(x.dtype)
浮点数的掩码是加到分数上的：0 和 1 什么也遮不住，要用 bool。
A mask of floats is added to the scores: 0 and 1 hide nothing, it has to be
bool.

attn_mask=mask => attn_mask=None
没有掩码：一次交来几个新的 token 时，前面的看到了后面的。
There is no mask: where several new tokens come at once, earlier ones see later
ones.

[past[0], k] => [k, past[0]]
[past[1], v] => [v, past[1]]
次序反了：旧的在前，新的在后。
The order is wrong: the old ones come first.

return layer.out(y), (k, v) => return layer.out(y), (k[:, :, M:], v[:, :, M:])
你只返回了新的 k 和 v：下一步还要旧的。
You return the new k and v alone: the next step needs the old ones, too.

v = torch.cat([past[1], v], dim=2) => v = torch.cat([past[0], v], dim=2)
旧的值取成了旧的键：past 里先是 k，再是 v。
The old values are taken from the old keys: past holds k, then v.
""",
)

# --- 5: GPT-2's weights ------------------------------------------------------


class MiniGPT(nn.Module):
    """The lesson's model, of the reference's parts."""

    def __init__(self, vocab_size, context, d_model, num_heads, num_layers):
        super().__init__()
        Embedding = reference("13_embedding", "Embedding")
        Block = reference("17_encoder_block", "Block")
        self.token = Embedding(vocab_size, d_model)
        self.place = Embedding(context, d_model)
        blocks = [Block(d_model, num_heads) for _ in range(num_layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = reference("17_encoder_block", "LayerNorm")(d_model)
        self.head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, ids):
        N = ids.shape[1]
        causal = torch.ones(N, N).tril() > 0
        x = self.token(ids) + self.place(torch.arange(N))
        for block in self.blocks:
            x = block(x, causal)
        return self.head(self.norm(x))


@torch.no_grad()
def load_gpt2(model, state):
    state = {k.removeprefix("transformer."): v for k, v in state.items()}
    layers = {"wte": model.token, "wpe": model.place, "ln_f": model.norm}
    for i, block in enumerate(model.blocks):
        linears = [m for m in block.ffn.modules() if isinstance(m, nn.Linear)]
        layers[f"h.{i}.ln_1"], layers[f"h.{i}.ln_2"] = block.norm1, block.norm2
        layers[f"h.{i}.attn.c_attn"] = block.attention.qkv
        layers[f"h.{i}.attn.c_proj"] = block.attention.out
        layers[f"h.{i}.mlp.c_fc"], layers[f"h.{i}.mlp.c_proj"] = linears
    for name, layer in layers.items():
        weight = state[f"{name}.weight"]
        linear = isinstance(layer, nn.Linear)
        layer.weight.copy_(weight.T if linear else weight)
        if f"{name}.bias" in state:
            layer.bias.copy_(state[f"{name}.bias"])
    model.head.weight.copy_(state["wte.weight"])
    for layer in model.modules():
        if isinstance(layer, nn.GELU):
            layer.approximate = "tanh"
    return model


class GPT2(nn.Module):
    """GPT-2's forward pass, written from its description."""

    def __init__(self, model, state):
        super().__init__()
        self.num_heads = model.blocks[0].attention.num_heads
        self.layers = len(model.blocks)
        self.state = {
            k.removeprefix("transformer."): v for k, v in state.items()
        }

    def linear(self, x, name):
        return x @ self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def norm(self, x, name):
        pair = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], *pair)

    def forward(self, ids):  # (B, N) -> (B, N, V)
        table = self.state["wte.weight"]
        x = table[ids] + self.state["wpe.weight"][: ids.shape[1]]
        for h in (f"h.{i}" for i in range(self.layers)):
            y = self.linear(self.norm(x, f"{h}.ln_1"), f"{h}.attn.c_attn")
            y = y.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(*y, is_causal=True)
            y = y.transpose(1, 2).flatten(2)
            x = x + self.linear(y, f"{h}.attn.c_proj")
            y = self.linear(self.norm(x, f"{h}.ln_2"), f"{h}.mlp.c_fc")
            y = F.gelu(y, approximate="tanh")
            x = x + self.linear(y, f"{h}.mlp.c_proj")
        return self.norm(x, "ln_f") @ table.T


def small_gpt2s(rng):
    """Random numbers of GPT-2's names and shapes, in small."""
    for prefix, sizes in (
        ("", (30, 8, 12, 3, 2)),
        ("transformer.", (20, 6, 16, 2, 1)),
        ("", (9, 4, 4, 1, 12)),  # h.10 after h.9
    ):
        V, context, D, _, num_layers = sizes
        shapes = {"wte.weight": (V, D), "wpe.weight": (context, D)}
        for i in range(num_layers):
            for name, shape in (
                ("ln_1", (D,)), ("attn.c_attn", (D, 3 * D)),
                ("attn.c_proj", (D, D)), ("ln_2", (D,)),
                ("mlp.c_fc", (D, 4 * D)), ("mlp.c_proj", (4 * D, D)),
            ):  # fmt: skip
                shapes[f"h.{i}.{name}.weight"] = shape
                shapes[f"h.{i}.{name}.bias"] = shape[-1:]
            shapes[f"h.{i}.attn.bias"] = 1, 1, context, context
        shapes |= {"ln_f.weight": (D,), "ln_f.bias": (D,)}
        state = {
            prefix + name: torch.randn(shape, generator=rng) * 0.7
            for name, shape in shapes.items()
        }
        yield sizes, state, torch.randint(V, (2, context), generator=rng)


def filled(answer):
    """The logits of a new model, filled by the answer."""

    def run(sizes, state, ids):
        model = answer(MiniGPT(*sizes), state)
        if not isinstance(model, nn.Module):
            raise Rejection(
                f"应返回模型，得到 {type(model).__name__}。",
                f"The model should be returned, got {type(model).__name__}.",
            )
        return model(ids)

    return run


copy_weights = load_gpt2


@says("参数不对。", "A parameter is wrong.")
def fills_the_parameters(f, sizes, state, ids):
    model = MiniGPT(*sizes)
    if f(model, state) is not model:
        raise Rejection(
            "应把数值抄进交来的 model，并返回它本身。",
            "Copy the values into the model that came in, and return it.",
        )
    due = copy_weights(MiniGPT(*sizes), state).state_dict()
    for name, value in model.state_dict().items():
        if not torch.equal(value, due[name]):
            raise Rejection(
                f"{name} 的数值不对。", f"The values of {name} are wrong."
            )
    theirs = {value.untyped_storage().data_ptr() for value in state.values()}
    for name, p in model.named_parameters():
        if p.untyped_storage().data_ptr() in theirs:
            raise Rejection(
                f"{name} 就是 state 里的那个张量，没有抄：训练会改动 state。",
                f"{name} is the very tensor of state, not a copy: training "
                "would change state.",
            )
        if not p.requires_grad:
            raise Rejection(
                f"{name} 不再需要梯度。", f"{name} no longer requires grad."
            )
    gelus = [m for m in model.modules() if isinstance(m, nn.GELU)]
    if any(gelu.approximate != "tanh" for gelu in gelus):
        raise Rejection(
            "有的 nn.GELU 还不是 tanh 的近似。",
            "Some nn.GELU is not yet the approximation by tanh.",
        )
    return True


load_gpt2 = exercise(
    load_gpt2,
    small_gpt2s,
    seeds=(0,),
    adapt=filled,
    oracle=GPT2,
    holds=[fills_the_parameters],
    wrong="""
weight.T if linear => weight.T if linear and weight.shape[0] != weight.shape[1]
方的矩阵没有转置（attn.c_proj）：形状对得上，不报错，数值却错了。
The square matrices are not transposed (attn.c_proj): the shapes fit and
nothing is raised, but the numbers are wrong.

if isinstance(layer, nn.GELU) => if False
GELU 还是精确的：GPT-2 用 tanh 的近似。
GELU is still the exact one: GPT-2 has the approximation by tanh.

model.head.weight.copy_(state["wte.weight"]) => pass
head 还是原来的随机数：它与 wte 是同一个矩阵。
head still has its own random numbers: it is the same matrix as wte.

= block.norm1, block.norm2 => = block.norm2, block.norm1
两个归一化反了：ln_1 在注意力之前。
The two norms are swapped: ln_1 comes before attention.

"wte": model.token, =>
token 的表没有抄。
The table of tokens is not copied.
""",
)
