"""Checks of lesson 22: gradients averaged, samples shared, a ring."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations

# --- 1: gradients of unequal shares ------------------------------------------


def average_gradients(gradients, sizes):
    n = sum(sizes)
    return [
        sum(g * (size / n) for g, size in zip(parts, sizes, strict=True))
        for parts in zip(*gradients, strict=True)
    ]


def some_gradients(rng):
    plans = (3, 1), (2, 5, 1), (4,), (2, 2), (1, 3, 4, 2)
    cases = variations(rng, "D E", layouts=False)
    for i, s in enumerate(cases):
        sizes = [*plans[i % len(plans)]]
        shapes = ("D E", "E")[: 1 + (i != 3)]
        yield [[s.normal(shape) for shape in shapes] for _ in sizes], sizes


@says(
    "对一个真的模型，结果不是整个批次的梯度。",
    "For a real model the result is not the gradient of the whole batch.",
)
def equals_the_big_batch(f, gradients, sizes):
    model, x = nn.Linear(3, 4).double(), torch.randn(sum(sizes), 3).double()
    y = torch.randint(4, (sum(sizes),))

    def gradient(x, y):
        loss = F.cross_entropy(model(x), y)
        return [*torch.autograd.grad(loss, [*model.parameters()])]

    pairs = zip(x.split(sizes), y.split(sizes), strict=True)
    got = f([gradient(*pair) for pair in pairs], sizes)
    return all(map(torch.allclose, got, gradient(x, y)))


average_gradients = exercise(
    average_gradients,
    some_gradients,
    holds=[equals_the_big_batch],
    part=True,
    wrong="""
(size / n) => (1 / len(sizes))
每份同样重：一份里的样本越少，每个样本就被算得越重。
Every share weighs the same: the fewer samples a share has, the more each of
them counts.

(size / n) => size
乘了每份的样本数，还没有除以总数。
The sizes are multiplied by, but the sum is not divided by their total.

(size / n) => 1.0
这是各份梯度之和：每份已是它自己的平均，还要按样本数加权平均。
That is the sum of the shares' gradients: each is a mean already, and they are
to be averaged by their numbers of samples.

n = sum(sizes) => n = max(sizes)
权重之和大于 1：要除以样本的总数，不是最大的一份。
The weights add up to more than 1: divide by all samples, not by the largest
share.

(size / n) => (size / n / len(sizes))
权重 size / n 的和已经是 1，不用再除以份数。
The weights size / n add up to 1 already: do not divide by the number of
shares again.
""",
)

# --- 2: which samples a worker takes -----------------------------------------


def shard(n, rank, num_workers, epoch):
    rng = torch.Generator().manual_seed(epoch)
    return torch.randperm(n, generator=rng)[rank::num_workers]


def some_shards(rng):
    for n, p in ((12, 3), (10, 4), (7, 2), (5, 1), (3, 4), (40, 8)):
        for rank in range(min(p, 4)):
            yield n, rank, p, rank + n % 3


@says(
    "分给各个 rank 的编号合起来，不是每个样本正好一次。",
    "Over all ranks together, not every sample is taken exactly once.",
)
def shares_all(f, n, rank, num_workers, epoch):
    parts = [f(n, r, num_workers, epoch) for r in range(num_workers)]
    return sorted(torch.cat(parts).tolist()) == [*range(n)]


@says(
    "它动了全局的随机数：用一个自己的 torch.Generator。",
    "It touches the global random numbers: use a torch.Generator of its own.",
)
def leaves_the_seed_alone(f, *case):
    torch.manual_seed(1234)
    before = torch.get_rng_state()
    f(*case)
    return torch.equal(torch.get_rng_state(), before)


shard = exercise(
    shard,
    some_shards,
    holds=[shares_all, leaves_the_seed_alone],
    part=True,
    wrong="""
[rank::num_workers] => .split(max(n // num_workers, 1))[rank]
你分了相连的几段，除不尽时最后几个样本谁也没有：从 rank 起，每 num_workers 个取
一个。
You cut contiguous pieces, and where it does not divide nobody takes the last
samples: begin at rank and take every num_workers-th.

[rank::num_workers] => [: n // num_workers * num_workers][rank::num_workers]
除不尽时你丢了几个样本：这里全都要分出去。
Where it does not divide you drop samples: here all of them are shared out.

manual_seed(epoch) => manual_seed(epoch + rank)
每个 rank 打乱得不一样，于是有的样本分给了两个 rank，有的没有人要：种子只能依赖
epoch。
Every rank shuffles differently, so some samples go to two ranks and some to
none: the seed depends on the epoch alone.

manual_seed(epoch) => manual_seed(0)
每轮的次序都一样：种子应是 epoch。
The order is the same in every epoch: the seed should be epoch.

return torch.arange(n)[rank::num_workers]
没有打乱。
Nothing is shuffled.

return torch.arange(rank, n, num_workers)[torch.randperm(
    len(range(rank, n, num_workers)),
    generator=torch.Generator().manual_seed(epoch))]
你先分再打乱：每个 rank 每轮都是同样的样本。先打乱全部，再分。
You share out first and shuffle then: a rank has the same samples in every
epoch. Shuffle all of them first.
""",
)

# --- 3: a ring ---------------------------------------------------------------


def ring_all_reduce(chunks, rank, exchange):
    chunks, p = list(chunks), len(chunks)
    for step in range(p - 1):  # add up
        received = exchange(chunks[(rank - step) % p])
        place = (rank - step - 1) % p
        chunks[place] = chunks[place] + received
    for step in range(p - 1):  # pass on what is finished
        received = exchange(chunks[(rank - step + 1) % p])
        chunks[(rank - step) % p] = received
    return chunks


class Waits(BaseException):
    """A worker has sent, and what it waits for is not there yet."""


def together(f, inputs):
    """Run `f` as len(inputs) workers, without any process.

    A worker that waits is left; in the next turn all of them run again from
    the start, and receive one chunk more.

    Returns:
        What each worker returned, and what each sent.
    """
    p = len(inputs)
    received = [[] for _ in range(p)]
    while True:
        results, sent = [None] * p, [[] for _ in range(p)]
        waiting = []
        for rank in range(p):

            def exchange(chunk, out=sent[rank], back=received[rank]):
                out.append(chunk.clone())
                if len(out) > len(back):
                    raise Waits
                return back[len(out) - 1].clone()

            try:
                mine = [chunk.clone() for chunk in inputs[rank]]
                results[rank] = f(mine, rank, exchange)
            except Waits:
                waiting.append(rank)
        if not waiting:
            return results, sent
        for rank in waiting:
            turn = len(received[rank])
            if turn > 4 * p:
                zh = f"已经 {turn} 次 exchange，还没有完。"
                raise Rejection(zh, f"{turn} exchanges, and no end of them.")
            if turn == len(sent[rank - 1]):
                raise Rejection(
                    f"rank {rank} 在第 {turn + 1} 次 exchange 里一直等：左边"
                    f"的只有 {turn} 次。各个 rank 的次数应相同。",
                    f"Rank {rank} waits for ever in its exchange {turn + 1}: "
                    f"its left neighbour has only {turn}. All ranks need the "
                    "same number.",
                )
            received[rank].append(sent[rank - 1][turn])


def some_rings(rng):
    cases = variations(rng, "N", layouts=False)
    for p, s in zip((3, 4, 1, 2, 5), [*cases] * 2, strict=False):
        yield ([[s.normal("N") for _ in range(p)] for _ in range(p)],)


@says("有的块加得不对。", "Some chunks are not added up right.")
def adds_each_once(f, inputs):
    """Chunk c of rank r is the only one that is not 0 in place r p + c."""
    p = 4
    marks = torch.eye(p * p).unflatten(0, (p, p))
    results, _ = together(f, [[*mine] for mine in marks])
    for rank, found in enumerate(results):
        for c, chunk in enumerate(found):
            counts = chunk.reshape(p, p)  # (rank, chunk): how often
            due = torch.zeros(p, p)
            due[:, c] = 1
            if not torch.equal(counts, due):
                times = counts[:, c].int().tolist()
                other = ((counts != due).sum(dim=0) > 0).nonzero().flatten()
                zh = f"p = 4 时，rank {rank} 返回的第 {c} 块里，rank 0 到 3 的"
                zh += f"第 {c} 块各加了 {times} 次，应各 1 次"
                en = f"With p = 4, chunk {c} returned by rank {rank} holds "
                en += f"chunk {c} of ranks 0 to 3 {times} times, not once each"
                if other.tolist() != [c]:
                    zh += f"；或者混进了别的块（{other.tolist()}）"
                    en += f", or others are mixed in ({other.tolist()})"
                raise Rejection(f"{zh}。", f"{en}.")


@says(
    "次数不对：p 个进程时，每个 rank 应正好调用 exchange 2(p − 1) 次。",
    "The number is wrong: with p processes each rank should call exchange "
    "exactly 2(p − 1) times.",
)
def few_rounds(f, inputs):
    _, sent = together(f, inputs)
    return all(len(mine) == 2 * (len(inputs) - 1) for mine in sent)


@says(
    "有一次送的不是一块，而是更多或更少：每次只送一块。",
    "Once it is not one chunk that is sent, but more or less: send a single "
    "chunk each time.",
)
def small_chunks(f, inputs):
    _, sent = together(f, inputs)
    size = inputs[0][0].shape
    return all(chunk.shape == size for mine in sent for chunk in mine)


ring_all_reduce = exercise(
    ring_all_reduce,
    some_rings,
    adapt=lambda f: lambda inputs: together(f, inputs)[0],
    holds=[small_chunks, few_rounds, adds_each_once],
    part=True,
    wrong="""
(rank - step + 1) % p => (rank - step) % p
第二圈从哪一块开始？第一圈以后，rank 手里加完了的是第 rank + 1 块，不是第 rank
块。
Where does the second round begin? After the first one the chunk that is
finished at a rank is number rank + 1, not number rank.

chunks[(rank - step) % p] = received => chunks[(rank - step) % p] += received
第二圈收到的已是总和：换掉自己的，不要再加。
What comes in the second round is the total already: put it in the place of
your own, do not add it.

return chunks => return [c / p for c in chunks]
你除以了 p：这里要的是和，平均在外面做。
You divided by p: here the sum is asked for, the mean is taken outside.

chunks[place] = chunks[place] + received => chunks[place] = received
每一块到最后只是一个 rank 的数：第一圈收到的要加上去，不是换掉；第二圈要从加完
了的那一块传起，它是第 rank + 1 块。
In the end every chunk is that of a single rank: what comes in the first round
is added, it does not replace; and the second round begins with the chunk that
is finished, number rank + 1.

place = (rank - step - 1) % p => place = (rank - step) % p
加错了块：左边的 rank − 1 这一步送来的是第 rank − 1 − step 块。
The wrong chunk is added to: in this step your left neighbour, rank − 1, sends
chunk number rank − 1 − step.

chunks, p = list(chunks), len(chunks)
for step in range(p - 1):
    received = exchange(chunks[(rank - step) % p])
    place = (rank - step - 1) % p
    chunks[place] = chunks[place] + received
return chunks
只走了第一圈：每个 rank 只有一块加完了，还要把它们传给大家。
Only the first round is there: at each rank a single chunk is finished, and
they still have to be passed on to all.

whole = passing = torch.stack(list(chunks))
for _ in range(len(chunks) - 1):
    passing = exchange(passing)
    whole = whole + passing
return list(whole)
和是对的，但每次都送了全部的块：一次只送一块。
The sums are right, but every time all chunks are sent: send one at a time.
""",
)

# --- 4: bytes ----------------------------------------------------------------


def ring_bytes(num_numbers, num_workers, bytes_each=4):
    chunk = -(-num_numbers // num_workers)  # rounded up
    return 2 * (num_workers - 1) * chunk * bytes_each


def some_counts(rng):
    yield from ((12, 4), (10, 4), (1000, 1), (7, 2, 2), (9, 8, 8), (3, 5))
    yield from ((124_439_808, 8), (7, 7, 1), (100, 6, 2), (41, 3))


@says("字节数不对。", "The number of bytes is wrong.")
def in_chunks(f, num_numbers, num_workers, bytes_each=4):
    size = -(-num_numbers // num_workers) * bytes_each
    got = f(num_numbers, num_workers, bytes_each)
    if got != 2 * (num_workers - 1) * size:
        raise Rejection(
            f"p = {num_workers} 时一块有 {size} 字节，你的结果相当于 "
            f"{got / size:.4g} 块：数一数图中有几步，每步送一块。",
            f"With p = {num_workers} a chunk has {size} bytes, and yours is "
            f"as much as {got / size:.4g} chunks: count the steps of the "
            "figure, each sends one.",
        )


ring_bytes = exercise(
    ring_bytes,
    some_counts,
    holds=[in_chunks],
    part=True,
    wrong="""
2 * (num_workers - 1) => (num_workers - 1)
只数了一圈：先加，再传，一共两圈。
Only one round is counted: first adding up, then passing on, two in all.

(num_workers - 1) => num_workers
每圈 p − 1 步，不是 p 步：自己的那一份不用送。
A round has p − 1 steps, not p: what is your own need not be sent.

-(-num_numbers // num_workers) => num_numbers // num_workers
除不尽时，一块是往上取整的个数。
Where it does not divide, a chunk has the number rounded up.

chunk * bytes_each => chunk * bytes_each * num_workers
这是所有 rank 一共送的：这里问的是一个。
That is what all ranks send together: one of them is asked for.

chunk * bytes_each => num_numbers * bytes_each
每步送的是一块，不是整个梯度。
A step sends a chunk, not the whole gradient.

chunk * bytes_each => chunk
这是多少个数，还不是多少字节。
That is how many numbers, not how many bytes.
""",
)
