"""Checks of lesson 22: gradients averaged, samples shared, a ring."""

import math

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
        shapes = ("D E", "E", "E D E", "")[: (2, 4, 3, 1, 4)[i % 5]]
        yield [[s.normal(shape) for shape in shapes] for _ in sizes], sizes


@says("权重不对。", "The weights are wrong.")
def weighs_by_samples(f, gradients, sizes):
    """Where gradient r is 1 in place r alone, the result is the weights."""
    one_hot = torch.eye(len(sizes), dtype=torch.float64)
    (found,) = f([[row] for row in one_hot], [*sizes])
    due = [size / sum(sizes) for size in sizes]
    if not torch.allclose(found, torch.tensor(due).double()):
        mine, due = (
            str([round(weight, 4) for weight in weights])
            for weights in (found.tolist(), due)
        )
        raise Rejection(
            f"sizes 是 {sizes} 时，各份梯度在你的结果里乘了 {mine}，"
            f"应为 {due}。",
            f"With sizes {sizes} the gradients of the shares are multiplied "
            f"by {mine} in your result, not by {due}.",
        )


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
    holds=[weighs_by_samples, equals_the_big_batch],
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

# --- 2: which samples a process takes ----------------------------------------


def shard(n, rank, world_size, epoch):
    rng = torch.Generator().manual_seed(epoch)
    return torch.randperm(n, generator=rng)[rank::world_size]


def some_shards(rng):
    for n, p in ((12, 3), (10, 4), (7, 2), (5, 1), (3, 4), (40, 8)):
        for rank in range(min(p, 4)):
            yield n, rank, p, rank + n % 3


@says(
    "分给各个 rank 的编号合起来，不是每个样本正好一次。",
    "Over all ranks together, not every sample is taken exactly once.",
)
def shares_all(f, n, rank, world_size, epoch):
    parts = [f(n, r, world_size, epoch) for r in range(world_size)]
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
    holds=[leaves_the_seed_alone, shares_all],
    part=True,
    wrong="""
[rank::world_size] => .split(max(n // world_size, 1))[rank]
你分了相连的几段，除不尽时最后几个样本谁也没有：从 rank 起，每 world_size 个取
一个。
You cut contiguous pieces, and where it does not divide nobody takes the last
samples: begin at rank and take every world_size-th.

[rank::world_size] => .chunk(world_size)[rank]
chunk 分出相连的几段，有时还不足 world_size 段：从 rank 起，每 world_size 个取
一个。
chunk cuts contiguous pieces, at times fewer than world_size: begin at rank and
take every world_size-th.

[rank::world_size] => .tensor_split(world_size)[rank]
个数是对的，但你取的是连续的一段：进程 r 取第 r、r + p、r + 2p……个。
The numbers of samples are right, but you take a single block: process r takes
those in places r, r + p, r + 2p and so on.

order = torch.randperm(n, generator=torch.Generator().manual_seed(epoch))
size = -(-n // world_size)
return order[rank * size : (rank + 1) * size]
你取的是连续的一段，长度往上取整，最后的 rank 就少了：进程 r 取第 r、r + p、
r + 2p……个。
You take a single block of a size that is rounded up, so the last ranks have
less: process r takes those in places r, r + p, r + 2p and so on.

order = torch.randperm(n, generator=torch.Generator().manual_seed(epoch))
order = torch.cat([order, order[: -n % world_size]])
return order[rank::world_size]
除不尽时你重复了几个样本，像 DistributedSampler 那样：这里每个样本正好一次。
Where it does not divide you repeat samples, as DistributedSampler does: here
every sample is taken exactly once.

[rank::world_size] => [rank + 1 :: world_size]
rank 从 0 数起：从第 rank 个取起，不是第 rank + 1 个。
Ranks are counted from 0: begin in place rank, not in place rank + 1.

.manual_seed(epoch) =>
次序不随 epoch 变：你的生成器没有设种子。
The order does not follow epoch: no seed is set in your generator.

[rank::world_size] => [: n // world_size * world_size][rank::world_size]
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

return torch.arange(n)[rank::world_size]
没有打乱。
Nothing is shuffled.

return torch.arange(rank, n, world_size)[torch.randperm(
    len(range(rank, n, world_size)),
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
    """A process has sent, and what it waits for is not there yet."""


def together(f, inputs):
    """Run `f` as in len(inputs) processes, one after the other.

    One that waits is left; in the next turn all of them run again from the
    start, and receive one chunk more.

    Returns:
        What each returned, and what each sent.
    """
    p = len(inputs)
    received = [[] for _ in range(p)]
    while True:
        results, sent = [None] * p, [[] for _ in range(p)]
        waiting = []
        for rank in range(p):

            def exchange(chunk, out=sent[rank], back=received[rank]):
                if not isinstance(chunk, torch.Tensor):
                    kind = type(chunk).__name__
                    raise Rejection(
                        f"exchange 送一块，一个张量；你交给它的是 {kind}。",
                        "exchange sends one chunk, a tensor; what you hand "
                        f"to it is of type {kind}.",
                    )
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
    for p in (4, 3):
        marks = torch.eye(p * p).unflatten(0, (p, p))
        results, _ = together(f, [[*mine] for mine in marks])
        for rank, found in enumerate(results):
            for c, chunk in enumerate(found):
                counts = chunk.reshape(p, p)  # (rank, chunk): how often
                due = torch.zeros(p, p)
                due[:, c] = 1
                if not torch.equal(counts, due):
                    raise Rejection(*miscounted(rank, c, counts, due))


def miscounted(rank, c, counts, due):
    """What is wrong with chunk c of a rank: two sentences."""
    p, wrong = len(counts), counts != due
    times = ", ".join(f"{times:.4g}" for times in counts[:, c].tolist())
    zh = f"p = {p} 时，rank {rank} 返回的第 {c} 块里，rank 0 到 {p - 1} 的"
    zh += f"第 {c} 块各加了 [{times}] 次"
    en = f"With p = {p}, chunk {c} returned by rank {rank} holds "
    en += f"chunk {c} of ranks 0 to {p - 1} [{times}] times"
    if wrong[:, c].any():
        zh, en = f"{zh}，应各 1 次", f"{en}, not once each"
    if others := [k for k in range(p) if k != c and wrong[:, k].any()]:
        zh += f"，还混进了第 {others} 块"
        en += f", and something of chunks {others}, too"
    if others or not counts[:, c].all():
        zh += "。收到的是左边送出的那一块，编号比你这一步送的少 1"
        zh += "（对 p 取余数）"
        en += ". What you receive is the chunk that the left one sent: its "
        en += "number is one less than that of yours (modulo p)"
    return f"{zh}。", f"{en}."


@says("exchange 的次数不对。", "The number of exchanges is wrong.")
def few_rounds(f, inputs):
    p, (_, sent) = len(inputs), together(f, inputs)
    for rank, mine in enumerate(sent):
        if len(mine) != 2 * (p - 1):
            raise Rejection(
                f"p = {p} 时，rank {rank} 调用了 exchange {len(mine)} 次，"
                f"应为 2(p − 1) = {2 * (p - 1)} 次。",
                f"With p = {p}, rank {rank} calls exchange {len(mine)} times, "
                f"not 2(p − 1) = {2 * (p - 1)} times.",
            )


@says(
    "有一次送的不是一块，而是更多或更少：每次只送一块。",
    "Once it is not one chunk that is sent, but more or less: send a single "
    "chunk each time.",
)
def small_chunks(f, inputs):
    own = inputs[0][0]
    due = f"{tuple(own.shape)}, {own.dtype}"
    for mine in together(f, inputs)[1]:
        for chunk in mine:
            if chunk.numel() != own.numel():
                return False
            told = f"{tuple(chunk.shape)}, {chunk.dtype}"
            if told != due:
                raise Rejection(
                    f"有一次送的是 {told}，应与 chunks 里的相同：{due}。",
                    f"Once {told} is sent; it should be as in chunks: {due}.",
                )
    return True


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


def ring_bytes(num_numbers, world_size, bytes_each=4):
    chunk = -(-num_numbers // world_size)  # rounded up
    return 2 * (world_size - 1) * chunk * bytes_each


def some_counts(rng):
    yield from ((7, 2, 2), (12, 4), (10, 4), (1000, 1), (9, 8, 8), (3, 5))
    yield from ((124_439_808, 8), (7, 7, 1), (100, 6, 2), (41, 3))
    yield 100_000_001, 2  # more digits than float32 has


@says("字节数不对。", "The number of bytes is wrong.")
def in_chunks(f, num_numbers, world_size, bytes_each=4):
    size = -(-num_numbers // world_size) * bytes_each
    steps, got = 2 * (world_size - 1), f(num_numbers, world_size, bytes_each)
    if got == steps * size:
        return
    whole = steps * num_numbers
    unrounded = whole * bytes_each / world_size
    cut = whole // world_size * bytes_each
    if got in (math.floor(unrounded), math.ceil(unrounded), cut):
        raise Rejection(
            "步数对，块的大小不对：先把一块的个数往上取整，再乘步数和字节数。",
            "The steps are right, the size of a chunk is not: round the "
            "numbers in one chunk up first, then multiply by steps and bytes.",
        )
    raise Rejection(
        f"{num_numbers} 个数，每个 {bytes_each} 字节，p = {world_size} 时，"
        f"一块有 {size} 字节，你的结果相当于 {got / size:.9g} 块。数一数图中"
        "有几步，每步送一块；再看一块有多少字节。",
        f"With {num_numbers} numbers of {bytes_each} bytes and p = "
        f"{world_size} a chunk has {size} bytes, and yours is as much as "
        f"{got / size:.9g} chunks. Count the steps of the figure, each sends "
        "one; then see how many bytes a chunk has.",
    )


ring_bytes = exercise(
    ring_bytes,
    some_counts,
    holds=[in_chunks],
    part=True,
    wrong="""
2 * (world_size - 1) => (world_size - 1)
只数了一圈：先加，再传，一共两圈。
Only one round is counted: first adding up, then passing on, two in all.

(world_size - 1) => world_size
每圈 p − 1 步，不是 p 步：自己的那一份不用送。
A round has p − 1 steps, not p: what is your own need not be sent.

-(-num_numbers // world_size) => num_numbers // world_size
除不尽时，一块是往上取整的个数。
Where it does not divide, a chunk has the number rounded up.

-(-num_numbers // world_size) => num_numbers // world_size + 1
除得尽时也加了 1：一块是往上取整的个数。
1 is added even where it divides: a chunk has the number rounded up.

-(-num_numbers // world_size) => round(num_numbers / world_size)
除不尽时，一块是往上取整的个数，不是四舍五入的。
Where it does not divide, a chunk has the number rounded up, not the nearest
one.

chunk * bytes_each => chunk * 4
一个数有 bytes_each 字节，不总是 4 字节。
A number has bytes_each bytes, not always 4.

chunk * bytes_each => chunk * bytes_each * world_size
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
