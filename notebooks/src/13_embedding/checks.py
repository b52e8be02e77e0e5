"""Checks of lesson 13: a table of vectors, and what is done with it."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations
from exercises.compare import type_name
from exercises.properties import finite, same_gradients, without

# --- 1: the table ----------------------------------------------------------


class Embedding(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_embeddings, d_model))

    def forward(self, ids):
        return self.weight[ids]  # (*) -> (*, d_model)


def some_ids(rng):
    """Float32 alone: one_hot(...).float() is a right answer, too."""
    cases = variations(rng, "V D B N *", dtypes=(torch.float32,))
    for s in cases:
        yield s.normal("V D"), s.integers("* B N", 0, s.V)
    yield torch.eye(3), torch.tensor(2)
    yield torch.eye(4), torch.tensor([1, 0])


def made(answer, V, d_model):
    """A model that has the one parameter which was asked for."""
    model = answer(V, d_model)
    if not isinstance(model, nn.Module):
        raise Rejection(
            f"应是 nn.Module 的子类，得到 {type_name(model)}。",
            f"A subclass of nn.Module is asked for, got {type_name(model)}.",
        )
    found = {name: tuple(p.shape) for name, p in model.named_parameters()}
    if found == {"weight": (V, d_model)}:
        return model
    if isinstance(getattr(model, "weight", None), torch.Tensor) and not found:
        raise Rejection(
            "weight 只是一个张量，不是参数：优化器看不到它。",
            "weight is only a tensor and no parameter: an optimizer does not "
            "see it.",
        )
    told = ", ".join(f"{name} {shape}" for name, shape in found.items())
    raise Rejection(
        f"应只有一个参数 weight，形状 {(V, d_model)}，得到 {told or '没有'}。",
        f"There should be one parameter, weight, of shape {(V, d_model)}; "
        f"got {told or 'none'}.",
    )


def loaded(answer):
    """Its vectors, from the table of the case."""

    def run(weight, ids):
        model = made(answer, *weight.shape)
        with torch.no_grad():
            model.weight.copy_(weight)
        return model(ids)

    return run


@says(
    "各行一开始应是不同的随机数。",
    "In the beginning the rows should be random and differ.",
)
def starts_random(f, weight, ids):
    one, other = (made(f, 5, 4).weight.detach() for _ in range(2))
    rows = torch.cat([one, other]).unique(dim=0)
    return bool(one.isfinite().all()) and len(rows) == 10


@says(
    "结果与 weight 断开了：训练改不了这张表。",
    "The result is cut off from weight: training cannot change the table.",
)
def trains_its_rows(f, weight, ids):
    model = made(f, *weight.shape)
    y = model(ids)
    if not y.requires_grad:
        return False
    r = torch.arange(1.0, y.numel() + 1).view(y.shape)
    leaf = model.weight.detach().clone().requires_grad_()
    want = torch.autograd.grad((F.embedding(ids, leaf) * r).sum(), leaf)[0]
    (y * r).sum().backward()
    if not torch.allclose(F.embedding(ids, leaf), y):
        return True  # told as a value
    return model.weight.grad is not None and torch.allclose(
        model.weight.grad, want
    )


def call(answer, weight, ids):
    return loaded(answer)(weight, ids)


Embedding = exercise(
    Embedding,
    some_ids,
    part=True,
    adapt=loaded,
    oracle=nn.Embedding,
    seeds=(0,),
    holds=[
        without(
            "embedding",
            "你调用了现成的嵌入层：这里要自己查表。",
            "You call the embedding layer that exists: here, look the rows "
            "up by yourself.",
            run=call,
        ),
        starts_random,
        trains_its_rows,
    ],
    wrong="""
nn.Parameter( => (
weight 只是一个张量，不是参数：优化器看不到它。
weight is only a tensor and no parameter: an optimizer does not see it.

num_embeddings, d_model)) => d_model, num_embeddings))
self.weight[ids] => self.weight.T[ids]
表的两个轴反了：一行是一个 id 的向量，形状应为 (num_embeddings, d_model)。
The axes of the table are swapped: a row is the vector of an id, and the shape
should be (num_embeddings, d_model).

torch.randn => torch.zeros
一开始各行应是不同的随机数，每次新建也不同：你的表里有相同的行，或两次新建有相同的行。
In the beginning the rows should be random and differ, in each new table, too:
yours has rows that are the same, or two new tables share rows.

self.weight[ids] => self.weight.data[ids]
结果与 weight 断开了（.data、.detach() 或 no_grad）：训练改不了这张表。
The result is cut off from weight (.data, .detach() or no_grad): training
cannot change the table.

self.weight[ids] => self.weight[ids] * (ids != 0)[..., None]
你把 id 0 的行换成了 0：这里 id 0 是普通的一行。
You put zeros in place of the row of id 0: here it is a row like any other.

self.weight[ids] => self.weight[ids - 1]
id 从 0 数起：id 为 k 的词在第 k 行，你取了它上面的一行。
Ids count from 0: the word with id k has row k, and you took the row above it.
""",
)

# --- 2: from texts to ids --------------------------------------------------


def encode(texts, vocab):
    rows = [[vocab.get(w, 1) for w in text.split()] for text in texts]
    N = max(len(row) for row in rows)
    return torch.tensor([row + [0] * (N - len(row)) for row in rows])


WORDS = ["light", "dark", "red", "green", "blue", "very", "sea", "night"]


def some_texts(rng):
    for s in variations(rng, "B N V", low=2, high=7, layouts=False):
        order = torch.randperm(len(WORDS), generator=rng).tolist()
        known = [WORDS[i] for i in order[: s.V]]
        vocab = {w: i for i, w in enumerate(["<pad>", "<unk>", *known])}
        texts = []
        for n in s.integers("B", 1, s.N + 1).tolist():
            which = torch.randint(len(WORDS), (n,), generator=rng).tolist()
            texts.append(" ".join(WORDS[i] for i in which))
        yield texts, vocab
    yield ["red mauve", "red"], {"<pad>": 0, "<unk>": 1, "red": 2}
    more = {"<pad>": 0, "<unk>": 1, "blue/green": 2, "red": 3, "robin's": 4}
    yield (
        ["robin's blue/green", "red re Red red.", "robin's-ultraviolet"],
        more,
    )


encode = exercise(
    encode,
    some_texts,
    seeds=(0,),
    wrong="""
[0] * (N - len(row)) => [-1] * (N - len(row))
你用 −1 补齐：补齐用 0，即 <pad>。
You pad with -1: pads are 0, which is <pad>.

[0] * (N - len(row)) => [1] * (N - len(row))
你用 1 补齐：1 是 <unk>，补齐用 0。
You pad with 1, which is <unk>: pads are 0.

row + [0] * (N - len(row)) => [0] * (N - len(row)) + row
你补在了前面：0 应补在后面。
You pad in front: the zeros go behind the words.

vocab.get(w, 1) => vocab.get(w, 0)
你把不认识的词编成了 0，与补齐混在了一起：应编成 1，即 <unk>。
You give unknown words the id 0, and they look like pads: it should be 1, which
is <unk>.

for w in text.split()] => for w in text.split() if w in vocab]
你丢掉了不认识的词：它应占一个位置，编成 1。
You drop unknown words: each keeps its place, with id 1.

vocab.get(w, 1) for w in text.split() => vocab.get(w, 1) for w in text
你把文本拆成了字符：这里按空格拆成词。
You split the text into characters: here it is split into words, at spaces.

text.split() => text.translate({39: 32, 45: 32, 47: 32}).split()
你还按标点切开了词：这里只按空格切。
You also split at punctuation: here only spaces separate words.
""",
)

# --- 3: the gradient of a table --------------------------------------------


def table_gradient(ids, upstream, vocab_size):
    d_model = upstream.shape[-1]
    total = upstream.new_zeros(vocab_size, d_model)
    rows = upstream.reshape(-1, d_model)  # (*, d_model) -> (M, d_model)
    return total.index_add(0, ids.flatten(), rows)


def lookups(rng):
    for s in variations(rng, "V D B N *", high=6):
        yield s.integers("* B N", 0, s.V), s.normal("* B N D"), s.V
    yield torch.tensor([1, 0, 1]), torch.eye(3), 4


def by_autograd(ids, upstream, vocab_size):
    shape = vocab_size, upstream.shape[-1]
    leaf = torch.zeros(shape, dtype=upstream.dtype, requires_grad=True)
    return torch.autograd.grad(F.embedding(ids, leaf), leaf, upstream)[0]


table_gradient = exercise(
    table_gradient,
    lookups,
    oracle=by_autograd,
    seeds=(0,),
    holds=[
        without(
            "backward grad",
            "结果是对的，但这一题自己加：不用自动求导。",
            "The result is right, but add it up yourself here, without "
            "autograd.",
        )
    ],
    wrong="""
total = upstream.new_zeros(vocab_size, upstream.shape[-1])
total[ids] += upstream
return total
total[ids] += … 对重复的 id 只留下一次：同一个 id 的各份梯度要加起来。
total[ids] += … keeps only one of the gradients of a repeated id: they are
added up.

total = right(ids, upstream, vocab_size)
count = ids.flatten().bincount(minlength=vocab_size)
return total / count.clamp(min=1)[:, None]
你除以了出现的次数：各份梯度相加，不平均。
You divide by how often an id occurs: its gradients are added, not averaged.

ids.flatten(), rows => ids.flatten(), torch.ones_like(rows)
你只数了次数，没有用上游梯度 upstream。
You only count the ids; the upstream gradient is not used.

total = right(ids, upstream, vocab_size)
total[0] = 0
return total
第 0 行也要算：id 0 在这里是普通的行，没有 padding_idx。
Row 0 counts, too: here id 0 is an ordinary row, there is no padding_idx.

rows = upstream.reshape(-1, d_model) => rows = upstream.reshape(d_model, -1).T
reshape 把数按次序切开：每一份应是最后一个轴上的 d_model 个数。
Your reshape cuts the numbers in their order: each piece should be the d_model
numbers along the last axis.

ids.flatten(), rows) => ids.flatten(), rows)[ids]
你返回的是每个位置的梯度：应是整张表的，形状 (vocab_size, d_model)。
You return a gradient for each position: it should be that of the whole table,
of shape (vocab_size, d_model).
""",
)

# --- 4: a mean without pads ------------------------------------------------


def masked_mean(x, mask):
    mask = mask.unsqueeze(-1)  # (B, N) -> (B, N, 1)
    return (x * mask).sum(dim=1) / mask.sum(dim=1)


def padded_rows(rng):
    for s in variations(rng, "B N D"):
        mask = s.integers("B N", 0, 2).bool()
        mask[torch.arange(s.B), s.integers("B", 0, s.N)] = True
        yield s.normal("B N D"), mask
    yield torch.ones(1, 4, 2), torch.tensor([[True, True, False, False]])
    yield torch.tensor([[[0.0, 0], [2, 4]]]), torch.tensor([[True, True]])


@says(
    "改动 mask 为 False 的行，结果变了：补齐还在起作用。",
    "Other numbers in rows where mask is False change the result: pads still "
    "count.",
)
def ignores_pads(f, x, mask):
    other = torch.where(mask[..., None], x, 1e9 * torch.randn_like(x))
    y, z = f(x, mask), f(other, mask)
    return y.shape != z.shape or torch.allclose(y, z, 1e-4, 1e-5)


masked_mean = exercise(
    masked_mean,
    padded_rows,
    holds=[same_gradients(masked_mean), finite(), ignores_pads],
    seeds=(0,),
    wrong="""
return x.mean(dim=1)
mask 没有用上：补齐的行也平均进去了。
mask is not used: rows of pads are averaged, too.

/ mask.sum(dim=1) => / x.shape[1]
补齐的行去掉了，却仍除以 N：应除以每个样本自己的词数。
Rows of pads are out, but you still divide by N: each sample is divided by the
number of its own words.

/ mask.sum(dim=1) =>
你求的是和：还要除以每个样本的词数。
You took the sum: divide it by the number of words in each sample.

/ mask.sum(dim=1) => / mask.sum()
你除以了整批的词数：每个样本要除以它自己的。
You divide by the words of the whole batch: each sample has its own number.

return torch.stack([r[:n].mean(dim=0) for r, n in zip(x, mask.sum(dim=1))])
你取了前几行：词不一定在前面，看 mask 的 True 在哪里。
You took the first rows: words are not always in front, see mask.

mask = mask.unsqueeze(-1) => mask = ~mask.unsqueeze(-1)
mask 反了：True 处是词，False 处是补齐。
The mask is the wrong way round: True is a word, False is a pad.

return x[mask].mean(dim=0)
x[mask] 把整批的词排成一列，样本分不开了：每个样本要有自己的平均。
x[mask] puts the words of the whole batch into one list: each sample has a
mean of its own.
""",
)

# --- 5: from counts to PPMI ------------------------------------------------


def ppmi(counts):
    rows = counts.sum(dim=1, keepdim=True)  # (M, N) -> (M, 1)
    columns = counts.sum(dim=0, keepdim=True)  # (M, N) -> (1, N)
    ratio = counts * counts.sum() / (rows * columns)
    return ratio.log().clamp(min=0).nan_to_num(0)


def some_counts(rng):
    for s in variations(rng, "M N", low=3):
        counts = s.integers("M N", -4, 7).clamp(min=0)
        counts[0, 0] = 5
        yield (counts.to(s.dtype),)
    empty = counts.clone()
    empty[1], empty[:, 2] = 0, 0
    yield (empty.double(),)
    yield (empty.double() / 8,)


ppmi = exercise(
    ppmi,
    some_counts,
    seeds=(0, 1),
    holds=[
        finite(
            "输出里有 nan 或 inf：次数、整行或整列为 0 处，应得 0。",
            "The output holds nan or inf: where a count is 0, or a whole row "
            "or column is, the result is 0.",
        )
    ],
    wrong="""
return torch.zeros_like(counts)
结果全是 0：没有比值大于 1。看看 S、行和、列和是否都在式里，写对没有。
All is 0, no ratio is above 1: check S and the sums of rows and columns.

ratio.log() => ratio.log2()
你用了以 2 为底的对数：这里用自然对数 ln，即 torch.log。
You took the logarithm to base 2: here it is the natural one, torch.log.

counts * counts.sum() / (rows * columns) => counts / columns * counts.shape[0]
没有除以行和：常见的人的整行都大，这一点也要除掉。
You do not divide by the sums of the rows.

.clamp(min=0).nan_to_num(0) => .nan_to_num(0, neginf=0)
负数没有换成 0：比偶然还少的也算 0。
Negative numbers are still there: less often than by chance counts as 0, too.

counts * counts.sum() / (rows * columns) => counts / (rows * columns)
少乘了总数 S：没有它，比值就不是“偶然的几倍”。
The total S is missing: without it the ratio is not “how many times chance”.

ratio.log() => ratio
没有取对数。
The logarithm is missing.

counts * counts.sum() / (rows * columns) => counts / rows * counts.shape[1]
没有除以列和：常见的人和谁都常在一起，这一点要除掉。
You do not divide by the sums of the columns: whoever appears often is often
with anybody, and that has to be divided out.

ratio.log() => (ratio + 1).log()
你取了 log(1 + 比值)：比值恰是 1（与偶然相同）时应得 0。
You took log(1 + ratio): where the ratio is 1, as by chance, the result is 0.
""",
)
