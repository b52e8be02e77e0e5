"""Checks of lesson 04: operations, loads and what a machine can attain."""

import math
from functools import cache
from itertools import pairwise

import torch
from torch.utils.flop_counter import FlopCounterMode

from exercises import Property, Rejection, exercise, variations
from exercises.compare import difference, form
from exercises.judge import finish


def hinted(zh, en):
    """Compares as usual; where only a number is wrong, adds what to count."""

    def compare(got, due):
        if found := difference(got, due):
            told = finish(found)
            if form(got) == form(due):
                told = told[0] + zh, f"{told[1]} {en}"
            raise Rejection(*told)

    return compare


# --- 1. two orders of three matrices -----------------------------------------


def two_orders(p, q, r, s):
    left = p * q * r + p * r * s
    right = q * r * s + p * q * s
    return left, right


def four_sizes(rng):
    # Sizes, not tensors: data types and layouts do not exist here.
    for s in variations(
        rng, "P Q R S", high=12, dtypes=(torch.float32,), layouts=False
    ):
        yield s.P, s.Q, s.R, s.S
        yield s.P, 10 * s.Q, s.R, 7 * s.S
    yield 2000, 2000, 2000, 2000  # more than 32 bits hold


def counted_orders(p, q, r, s):
    A, B, C = (
        torch.empty(shape, device="meta") for shape in ((p, q), (q, r), (r, s))
    )
    with FlopCounterMode(display=False) as left:
        (A @ B) @ C
    with FlopCounterMode(display=False) as right:
        A @ (B @ C)
    return left.get_total_flops() // 2, right.get_total_flops() // 2


two_orders = exercise(
    two_orders,
    four_sizes,
    oracle=counted_orders,
    compare=hinted(
        "一次矩阵乘的乘加次数，是三个大小的乘积。(AM)C 的第二次是 AM 乘 C，"
        "A(MC) 的第二次是 A 乘 MC；两次的要相加。",
        "A matrix product takes as many multiply–adds as its three sizes "
        "multiplied. The second one of (AM)C is AM times C, that of A(MC) is "
        "A times MC; the counts of the two are added.",
    ),
    wrong="""
left, right => right, left
你把两个数的次序写反了：先是 (AM)C，再是 A(MC)。
The two numbers are in the wrong order: first (AM)C, then A(MC).

p * q * r + p * r * s => p * q * r + q * r * s
q * r * s + p * q * s => q * r * s + p * q * r
每种次序的第二次乘法，你用的还是原来的矩阵：它的一个因子是第一次乘法的结果，
形状已经变了。
For the second product of each order you use the matrices as they were: one of
its factors is the result of the first product, with another shape.

p * q * r + p * r * s => p * q * r
q * r * s + p * q * s => q * r * s
你只数了每种次序的第一次乘法：它的结果还要乘第三个矩阵。
You count only the first product of each order: its result is still to be
multiplied by the third matrix.

return left, right => return 2 * left, 2 * right
你数的是浮点运算，正好是两倍：这里要的是乘加的次数。
You count floating-point operations, exactly twice as many: multiply–adds are
asked for here.

p * q * r + p * r * s => p * q * r * s
q * r * s + p * q * s => p * q * r * s
四个大小全乘了起来：那样三个矩阵就要一次乘完。实际上是先后两次乘法，各数各的，
再加起来。
You multiply all four sizes. There are two products, one after the other: count
each of them, then add.
""",
)

# --- 2. the product in tiles -------------------------------------------------


class SlowMatrix:
    """A matrix in slow memory; what is fetched from it is counted."""

    def __init__(self, values, log=None):
        self.numbers = values
        self.values = torch.full_like(values, 1e4)  # to use only load
        self.shape, self.dtype = values.shape, values.dtype
        self.loads, self.side, self.log = 0, 0, log

    def load(self, rows, cols):
        if not isinstance(rows, slice) or not isinstance(cols, slice):
            raise Rejection(
                "load 的 rows 和 cols 都应是 slice。",
                "Both rows and cols of load should be a slice.",
            )
        block = self.numbers[rows, cols].clone()
        self.loads += block.numel()
        self.side = max(self.side, *block.shape)
        if self.log is not None and block.numel():
            at = map(slice.indices, (rows, cols), self.shape)
            self.log.append((self, *(start for start, _, _ in at)))
        return block


def blocked_matmul(x, w, t):
    (B, D), E = x.shape, w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    for i in range(0, B, t):
        for j in range(0, E, t):
            for k in range(0, D, t):
                rows, cols = slice(i, i + t), slice(j, j + t)
                inner = slice(k, k + t)
                y[rows, cols] += x.load(rows, inner) @ w.load(inner, cols)
    return y


def matrices_and_tiles(rng):
    s = next(variations(rng, "B D E"))
    s.update(B=4, D=8, E=12)  # first: strips along D are larger than tiles
    yield s.normal("B D"), s.normal("D E"), 4
    for n, s in enumerate(variations(rng, "B D E", high=9)):
        x, w = s.normal("B D"), s.normal("D E")
        yield x, w, (2, 3, 4)[n % 3]
        yield x, w, (1, 5, 20)[n % 3]
    s.update(B=8, D=12, E=4)
    yield s.normal("B D"), s.normal("D E"), 4


def with_slow_memory(answer):
    """The product, what was fetched for it, and in which order."""

    def run(x, w, t):
        log = []
        slow_x, slow_w = SlowMatrix(x, log), SlowMatrix(w, log)
        y = answer(slow_x, slow_w, t)
        steps, pairs = [], True
        for a, b in zip(log[::2], log[1::2], strict=False):
            a, b = (a, b) if a[0] is slow_x else (b, a)
            pairs &= a[0] is slow_x and b[0] is slow_w and a[2] == b[1]
            steps.append((a[1], b[2]))  # where its tile of y begins
        tiles = 1 + sum(a != b for a, b in pairwise(steps))
        got = {
            "y": y,
            "x": slow_x.loads,
            "w": slow_w.loads,
            "tiles": max(slow_x.side, slow_w.side) <= t,
            "pairs": pairs,
            "finished": tiles == len(set(steps)),
            "again": True,
        }
        if len(steps) < 9 and isinstance(y, torch.Tensor):  # it is cheap
            got["y"] = y.clone()
            again = answer(SlowMatrix(x), SlowMatrix(w), t)
            got["again"] = not difference(again, got["y"])
        return got

    return run


def product_and_loads(got, due):
    """The result first, then how it was fetched."""
    if not got["again"]:
        raise Rejection(
            "同样的输入，第二次调用的结果变了：上一次调用的 y 留了下来。",
            "The same input gives another result the second time: the y of "
            "the call before was kept.",
        )
    if found := difference(got["y"], due["y"]):
        raise Rejection(*finish(found))
    if not got["tiles"]:
        raise Rejection(
            "结果对了，但一次取来的块超过了 t×t：快内存放不下。",
            "The result is right, but a block that was loaded is larger than "
            "t×t: there is no room for it in fast memory.",
        )
    for name in ("x", "w"):
        mine, right = got[name], due[name]
        if mine < right:
            raise Rejection(
                f"结果对了，但从 {name} 只取了 {mine} 个数，应取 {right} 个："
                "快内存只放得下三块，用别的块时，先前那一块已经不在了。",
                f"The result is right, but only {mine} numbers were loaded "
                f"from {name}, and it should be {right}: fast memory has "
                "room for three tiles, and an earlier one is gone when others "
                "are used.",
            )
        if mine > right:
            raise Rejection(
                f"结果对了，但从 {name} 取了 {mine} 个数，{right} 个就够："
                "有的块取来以后没有用足。",
                f"The result is right, but {mine} numbers were loaded from "
                f"{name} where {right} do: some of the tiles are not used to "
                "the full.",
            )
    if not got["pairs"]:
        raise Rejection(
            "结果对了，取数的总数也对，但不是每一步只取一块 x 和一块 w："
            "取得太早的块，要占快内存的位置。",
            "The result is right, and so is the number of loads, but not each "
            "step loads one tile of x and one of w: tiles that are loaded too "
            "early take up fast memory.",
        )
    if not got["finished"]:
        raise Rejection(
            "结果对了，取数的总数也对，但 y 的块没有算完就换了下一块，加了一半"
            "的和也要在慢内存里存取。",
            "The result is right, and so is the number of loads, but tiles of "
            "y are left unfinished for others, and half-made sums go to slow "
            "memory and back as well.",
        )


blocked_matmul = exercise(
    blocked_matmul,
    matrices_and_tiles,
    adapt=with_slow_memory,
    compare=product_and_loads,
    wrong="""
y[rows, cols] += => y[rows, cols] =
每一次都覆盖了上一次的结果：沿 D 的各段要加起来，你只剩最后一段。
Each step overwrites the one before: the parts along D are to be added up, and
only the last of them is left.

+= x.load(rows, inner) @ => += x.load(rows, inner) *
你把两块逐元素相乘了：块与块之间也是矩阵乘。
You multiply two tiles element by element: between tiles, too, it is a matrix
product.

w.load(inner, cols) => w.load(cols, inner)
从 w 取错了块：w 的行是 D 那个轴，列是 E 那个轴。
The wrong tile of w: the rows of w are the axis D, its columns the axis E.

for k in range(0, D, t): => for k in range(0, 1):
inner = slice(k, k + t) => inner = slice(0, D)
结果对了，但 D 这个轴没有分块：一次取来了一整条。
The result is right, but the axis D is not cut into tiles: whole strips are
loaded at once.

return x.values @ w.values
没有用 load 取过一个数：values 在慢内存里，不能直接拿来算。
Nothing was fetched by load: values lie in slow memory and cannot be used
directly.

slice(i, i + t), slice(j, j + t) => slice(i, t), slice(j, t)
slice(k, k + t) => slice(k, t)
slice 的第二个数是末尾，不是长度：你只算了第一块。
The second number of a slice is its end and not its length: only the first tile
is computed.

range(0, B, t) => range(0, B // t * t, t)
range(0, E, t) => range(0, E // t * t, t)
range(0, D, t) => range(0, D // t * t, t)
大小不能被 t 整除时，末尾不满 t 的块漏了。
Where t does not divide a size, the smaller tiles at the end are missing.

range(0, B, t) => range(0, B // t)
range(0, E, t) => range(0, E // t)
range(0, D, t) => range(0, D // t)
slice(i, i + t), slice(j, j + t) => slice(i, i + 1), slice(j, j + 1)
你数了块的编号，切片时却没有乘 t：只算了左上角的一部分。
You count tiles but do not multiply by t in the slices: only a part at the
upper left is computed.

range(0, B, t) => range(B)
range(0, E, t) => range(E)
range(0, D, t) => range(D)
步长是 1 而不是 t，块与块重叠，许多乘积加了好几次。
The steps are 1 and not t: tiles overlap, and many products are added several
times.

y = torch.zeros(x.shape[0], w.shape[1], dtype=x.dtype)
for i in range(0, x.shape[0], t):
    for k in range(0, x.shape[1], t):
        tile = x.load(slice(i, i + t), slice(k, k + t))
        for j in range(0, w.shape[1], t):
            part = tile @ w.load(slice(k, k + t), slice(j, j + t))
            y[i : i + t, j : j + t] += part
return y
结果对了，x 的每一块也只取了一次；但是 y 的块没有算完就换了下一块，加了一半的
和也要在慢内存里存取。按题目说的，算完 y 的一块再算下一块。
The result is right, and each tile of x is loaded only once; but you leave each
tile of y unfinished for the next, and half-made sums go to slow memory and
back as well. As the text says, finish one tile of y before the next.
""",
)

# --- 3. loads without running ------------------------------------------------


def predict_loads(B, D, E, t):
    from_x = B * D * math.ceil(E / t)
    from_w = D * E * math.ceil(B / t)
    return from_x + from_w


def sizes_and_tiles(rng):
    # Sizes, not tensors: data types and layouts do not exist here.
    for s in variations(
        rng, "B D E", high=15, dtypes=(torch.float32,), layouts=False
    ):
        yield s.B, s.D, s.E, 1
        yield s.B, s.D, s.E, 2
        yield s.B, s.D, s.E, 3 + s.D % 5
        yield 4 * s.B, 4 * s.D, 4 * s.E, 4
    yield 5, 6, 7, 100


@cache
def simulated(B, D, E, t):
    x, w = SlowMatrix(torch.zeros(B, D)), SlowMatrix(torch.zeros(D, E))
    blocked_matmul.answer(x, w, t)
    return x.loads + w.loads


predict_loads = exercise(
    predict_loads,
    sizes_and_tiles,
    oracle=simulated,
    compare=hinted(
        "分开数：x 的每个数取几次，w 的每个数取几次？块数要向上取整。",
        "Count separately: how often is each number of x loaded, and how "
        "often each number of w? Numbers of tiles are rounded up.",
    ),
    seeds=(0,),
    wrong="""
return 2 * math.ceil(B / t) * math.ceil(D / t) * math.ceil(E / t)
你数的是 load 被调用几次：这里问的是取了几个数。
You count the calls of load: how many numbers are loaded is asked for here.

math.ceil(E / t) => (E // t)
math.ceil(B / t) => (B // t)
末尾不满 t 的块你没有算：块数要向上取整。
The smaller tiles at the end are not counted: round the number of tiles up.

return 2 * B * D * E // t
这只在 t 整除各个大小时成立：不整除时，块的个数是整数，要向上取整。
That holds only where t divides the sizes: otherwise the number of tiles, an
integer, is rounded up.

return 2 * B * D * E / t
2BDE/t 只在 t 整除各个大小时成立，而且结果应是 int。
2BDE/t holds only where t divides the sizes, and the result should be an int.

return B * D * math.ceil(B / t) + D * E * math.ceil(E / t)
你的两个次数对不上：x 的一块要为 y 的每一列块取一次，w 的一块要为每一行块取
一次。
Your two numbers of times do not fit: a tile of x is loaded once for every
column of tiles in y, a tile of w once for every row of tiles.

math.ceil(E / t) => math.ceil(D / t)
math.ceil(B / t) => math.ceil(D / t)
你乘的是 D 切成的块数：沿 D 走，每一步用的都是另一块，没有哪一块因此再取一次。
You multiply by the number of parts of D: along D each step uses another tile,
and none is loaded again for it.

tiles = math.ceil(B / t) * math.ceil(D / t) * math.ceil(E / t)
return 2 * t * t * tiles
你把每一块都当成满的 t×t：末尾的块更小，取的数也更少。
You take every tile for a full t×t: those at the end are smaller, and fewer
numbers are loaded.

return 2 * B * D * E
这是 t = 1 时的次数，与 t 无关了：取来的一块里，每个数要用 t 次。
That is the number for t = 1, whatever t is: each number of a tile that has
been loaded is used t times.

return 2 * B * D * E // (t * t)
你除以了 t²：一块有 t² 个数，但每个数只用 t 次。
You divide by t²: a tile holds t² numbers, but each of them is used t times.

math.ceil(E / t) => (E // t + 1)
math.ceil(B / t) => (B // t + 1)
t 整除大小时你多算了一块。
Where t divides a size, you count one tile too many.
""",
)

# --- 4. what can be attained -------------------------------------------------


def attainable(B, D, E, peak, bandwidth):
    flops = 2 * B * D * E
    nbytes = 4 * (B * D + D * E + B * E)
    return min(peak, bandwidth * flops / nbytes)


def machines(rng):
    # Sizes, not tensors: data types and layouts do not exist here.
    for s in variations(
        rng, "B D E", high=30, dtypes=(torch.float32,), layouts=False
    ):
        for peak, bandwidth in (
            *((100.0, 10.0), (5e10, 2e11), (3.0, 0.5)),
            (1e15, 10.0),  # limited by memory, whatever the sizes
        ):
            yield s.B, s.D, s.E, peak, bandwidth
            yield s.B, 40 * s.D, 30 * s.E, peak, bandwidth
            yield 40 * s.B, 40 * s.D, 30 * s.E, peak, bandwidth


attainable = exercise(
    attainable,
    machines,
    compare=hinted(
        "先看三样：浮点运算有几次，三个矩阵有几个字节，两条上限哪条更低。",
        "Look at three things: the operations, the bytes of three matrices, "
        "and which of the two limits is lower.",
    ),
    seeds=(0,),
    wrong="""
min(peak, => max(peak,
你取了两条上限中较高的一条：两条都不能超过，所以是较低的那条。
You take the higher of the two limits: neither can be passed, so it is the
lower one.

return bandwidth * 2 * B * D * E / (4 * (B * D + D * E + B * E))
你只用了内存的上限：强度高时，算术的上限 peak 更低。
You use the memory's limit alone: where the intensity is high, peak, the limit
of arithmetic, is lower.

return peak
你只用了算术的上限：强度低时，内存的上限更低。
You use the limit of arithmetic alone: where the intensity is low, that of the
memory is lower.

2 * B * D * E => B * D * E
你的强度只有一半：一次乘加是两次浮点运算，float32 的每个数是 4 字节，看看哪一样
不对。
Your intensity is one half: a multiply–add is two floating-point operations, a
number in float32 takes 4 bytes; see which of the two is wrong.

flops / nbytes => flops / 4 * (B * D + D * E + B * E)
你除以 4，又乘上了个数的和：强度的分母是全部字节数，即整个乘积。
You divide by 4 and then multiply by the sum: below the division stand all of
the bytes, which are the whole product.

min(peak, bandwidth * flops / nbytes) => 1 / (1 / peak + 1 / bandwidth
1 / bandwidth => nbytes / flops / bandwidth)
取数和运算同时进行，时间不相加：两条上限取低的那条。
Memory and arithmetic work at the same time, and their times do not add up: of
the two limits, the lower one counts.

4 * (B * D + D * E + B * E) => (B * D + D * E + B * E)
你数的是有几个数：float32 的每个数占 4 字节。
You count the numbers: in float32 each of them takes 4 bytes.

(B * D + D * E + B * E) => (B * D + D * E)
结果 Y 也要写进内存，你没有算它的字节。
The result Y is written to memory, too, and its bytes are missing.

bandwidth * flops / nbytes => bandwidth * nbytes / flops
强度写反了：它是每字节做几次运算，不是每次运算要几字节。
The intensity is upside down: it is operations for each byte and not bytes for
each operation.

bandwidth * flops / nbytes => flops / nbytes
你拿强度直接与 peak 比：强度要先乘带宽，才是每秒的运算次数。
You compare the intensity itself with peak: only times the bandwidth does it
become operations a second.
""",
)

# --- 5. the best order of a chain --------------------------------------------


def chain_cost(sizes):
    def cheapest(i, j):  # from the size number i to the size number j
        orders = []
        for k in range(i + 1, j):
            last = sizes[i] * sizes[k] * sizes[j]
            orders.append(cheapest(i, k) + cheapest(k, j) + last)
        return min(orders, default=0)

    return cheapest(0, len(sizes) - 1)


def chains(rng):
    for length in (2, 3, 4, 4, 5, 5, 5, 6, 6, 7):
        yield (torch.randint(1, 30, (length,), generator=rng).tolist(),)
    yield ([10, 100, 5, 50],)
    yield ([1000, 1000, 1000, 1],)
    yield ([7, 7, 7, 7, 7],)
    yield ([30, 35, 15, 5, 10, 20, 25],)


def by_table(sizes):
    """The cost of every stretch of the chain, the short ones first."""
    n = len(sizes)
    best = {(i, i + 1): 0 for i in range(n - 1)}
    for long in range(2, n):
        for i in range(n - long):
            j = i + long
            best[i, j] = min(
                best[i, k] + best[k, j] + sizes[i] * sizes[k] * sizes[j]
                for k in range(i + 1, j)
            )
    return best[0, n - 1]


def other_chain(answer, rng):
    one, other = answer([2, 3, 4, 5]), answer([7, 5, 3, 2])
    return one != other or one == 0


forgets = Property(
    other_chain,
    "两串不同的大小得到同一个数：上一次调用记下的结果，这一次还在用。",
    "Two different chains get the same number: what one call has kept is "
    "still used in the next.",
)


chain_cost = exercise(
    chain_cost,
    chains,
    oracle=by_table,
    holds=[forgets],
    wrong="""
p, total = sizes[0], 0
for q, r in zip(sizes[1:], sizes[2:]):
    total += p * q * r
return total
这是从左到右依次乘的代价：别的次序可能更省。
That is the cost from left to right: another order may be cheaper.

left, total = list(sizes), 0
while len(left) > 2:
    k = max(range(1, len(left) - 1), key=left.__getitem__)
    total += left[k - 1] * left[k] * left[k + 1]
    del left[k]
return total
你每次先消去最大的中间大小：常常不错，但不总是最省。
You remove the largest inner size first: often good, not always the cheapest.

left, total = list(sizes), 0
while len(left) > 2:
    cost = [a * b * c for a, b, c in zip(left, left[1:], left[2:])]
    k = cost.index(min(cost))
    total += cost[k]
    del left[k + 1]
return total
你每次都做眼前最便宜的乘法：后面的乘法可能因此更贵。
You always do the product that is the cheapest now: later ones may cost more
for it.

n = len(sizes)
left = sum(sizes[0] * sizes[k] * sizes[k + 1] for k in range(1, n - 1))
right = sum(sizes[k - 1] * sizes[k] * sizes[-1] for k in range(1, n - 1))
return min(left, right)
你只试了从一端依次乘到另一端：也可以从中间断开。
You only go from one end to the other: the chain can be split in the middle,
too.

sizes[i] * sizes[k] * sizes[j] => sizes[k - 1] * sizes[k] * sizes[k + 1]
最后一次乘法的大小取错了：左段和右段各已乘成一个矩阵，中间的大小只剩断点那一个。
The sizes of the last product are wrong: the left part and the right part are
each a single matrix by then, and of the inner sizes only that at the split is
left.

cheapest(k, j) => cheapest(k + 1, j)
右段少了断点处的大小：它的第一个矩阵没有算进去。
The right part lacks the size at the split, and with it its first matrix.

cheapest(k, j) + last => cheapest(k, j)
两部分的结果还要相乘，这一次的乘加没有算。
The results of the two parts are still to be multiplied, and that product is
not counted.

cheapest(i, k) + cheapest(k, j) + last => last
两部分自己内部的乘法没有算：每一部分也是一串矩阵。
The products inside the two parts are not counted: each part is a chain as
well.
""",
)
