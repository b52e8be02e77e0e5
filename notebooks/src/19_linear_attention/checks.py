"""Checks of lesson 19: orders of products, feature maps, a state, deltas."""

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from exercises import Property, Rejection, draw, exercise, says, variations
from exercises.properties import same_gradients


class Produced(TorchDispatchMode):
    """Adds up how many numbers all torch operations bring forth."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for x in out if isinstance(out, tuple | list) else [out]:
            self.numbers += x.numel() if isinstance(x, torch.Tensor) else 0
        return out


# --- 1: the cheaper order --------------------------------------------------


def cheaper_product(q, k, v):
    (N, D), (M, E) = q.shape, v.shape
    if N * M * (D + E) < D * E * (M + N):
        return (q @ k.T) @ v  # (N, M) @ (M, E) -> (N, E)
    return q @ (k.T @ v)  # (N, D) @ (D, E) -> (N, E)


def share(f, N, D, M, E):
    """The multiply–adds that are counted, over the fewest that do."""
    q, k, v = torch.ones(N, D), torch.ones(M, D), torch.ones(M, E)
    with FlopCounterMode(display=False) as counter:
        f(q, k, v)
    least = min(N * M * (D + E), D * E * (M + N))
    return counter.get_total_flops() / (2 * least)


def takes_the_cheaper(*sizes):
    """Whether the fewest multiply–adds are used for these sizes."""
    named = "N = {}, d_k = {}, M = {}, d_v = {}".format(*sizes)
    return Property(
        lambda f, rng: share(f, *sizes) <= 1,
        f"{named} 时，另一种次序的乘加更少。",
        f"With {named}, the other order takes fewer multiply–adds.",
    )


only_one = Property(
    lambda f, rng: share(f, 4, 4, 4, 4) <= 1,
    "两种次序的乘加一样多时，你的更多：还算了别的。",
    "Where both orders take as many multiply–adds, yours takes more.",
)
is_counted = Property(
    lambda f, rng: share(f, 4, 4, 4, 4) >= 1,
    "没有数到 torch 的两次矩阵乘：乘加要用 `@` 这样的函数来做。",
    "Two matrix products of torch, by `@` or the like, were not counted.",
)

# Each rule of thumb chooses badly for one of them.
SIZES = (9, 2, 9, 2), (2, 9, 2, 9), (3, 4, 40, 2), (2, 6, 40, 6), (6, 2, 6, 8)
SIZES += (20, 9, 4, 6), (4, 8, 6, 3)

cheaper_product = exercise(
    cheaper_product,
    draw("N D, M D, M E"),
    oracle=lambda q, k, v: torch.linalg.multi_dot([q, k.T, v]),
    holds=[is_counted, only_one, *(takes_the_cheaper(*s) for s in SIZES)],
    wrong="""
if N * M * (D + E) < D * E * (M + N): => if True:
你总是先算 q @ k.T：序列很长时，先算 k.T @ v 更便宜。
You always start with q @ k.T: for long sequences k.T @ v is cheaper.

if N * M * (D + E) < D * E * (M + N): => if False:
你总是先算 k.T @ v：序列很短时，先算 q @ k.T 更便宜。
You always start with k.T @ v: for short sequences q @ k.T is cheaper.

if N * M * (D + E) < D * E * (M + N): => if N < D:
你只比较了 N 和 d_k：乘加的个数里还有 M 和 d_v。
You compare N and d_k only: M and d_v are in the multiply–adds, too.

if N * M * (D + E) < D * E * (M + N): => if N * M < D * E:
你比较的是中间结果的大小，N × M 和 d_k × d_v；要比较的是乘加的个数。
You compare N × M and d_k × d_v, the sizes in between, not multiply–adds.

if N * M * (D + E) < D * E * (M + N): => if N * M * D < D * M * E:
你只比较了第一个乘法；第二个乘法也要算进去。
You compare the first product only; the second one costs something, too.

< D * E * (M + N): => < D * E * M:
右边少算了一项：k.T @ v 以后，还要乘 q，这也要乘加。
A term is missing on one side: k.T @ v is still to be multiplied by q.

first, second = (q @ k.T) @ v, q @ (k.T @ v)
N, M, D, E = len(q), len(k), q.shape[1], v.shape[1]
return first if N * M * (D + E) < D * E * (M + N) else second
你把两种次序都算了：先选，只算选中的一种。
You compute both orders: choose first, and compute that one only.

< D * => > D *
次序选反了：你总是选了较贵的。
The choice is the wrong way round: you always take the dearer order.
""",
)

# --- 2: features of (x · y)² -----------------------------------------------


def square_features(x):
    # (N, D) -> (N, D, D) -> (N, D * D): all products of two features
    return (x[:, :, None] * x[:, None, :]).flatten(1)


def squared_dots(x, y):
    return (x @ y.T) ** 2


def as_kernel(answer):
    if answer is squared_dots:
        return answer

    def kernel(x, y):
        return answer(x) @ answer(y).mT  # (N, E) @ (E, M) -> (N, M)

    return kernel


square_features = exercise(
    square_features,
    draw("N D, M D"),
    oracle=squared_dots,
    adapt=as_kernel,
    wrong="""
return x * x
只有平方 x_i²，还缺混合的乘积 x_i x_j：(x·y)² 展开后有它们。
Only the squares x_i² are there: (x·y)² has mixed products x_i x_j, too.

D = x.shape[1]
i, j = torch.triu_indices(D, D)
return x[:, i] * x[:, j]
每对 i < j 只出现一次，权重却应是 2：混合的乘积缺一个因子 √2。
Each pair i < j should count twice: the mixed products lack a factor √2.

D = x.shape[1]
i, j = torch.triu_indices(D, D)
return x[:, i] * x[:, j] * torch.where(i == j, 1.0, 2.0).to(x)
混合的乘积乘了 2：x 和 y 各乘一次，得到 4，而不是 2。
The mixed products are times 2, from x and from y, which makes 4, not 2.

.flatten(1) =>
结果的形状是 (N, D, D)：每一行的特征要排成一个向量，(N, E)。
Your shape is (N, D, D): the features of a row lie in one vector, (N, E).

return (x @ x.T) ** 2
这是 x 的各行两两相乘；φ 只看一行，不知道别的行是什么。
This multiplies the rows of x with one another; φ sees a single row only.

return torch.cat([x * x, 2**0.5 * x[:, :1] * x[:, 1:2]], dim=1)
这只对 D = 2 成立：别的 D 有 D (D - 1) / 2 个混合的乘积。
This holds for D = 2 only: other D have D (D - 1) / 2 mixed products.

i, j = torch.triu_indices(x.shape[1], x.shape[1])
return 2**0.5 * x[:, i] * x[:, j]
平方 x_i² 也乘了 √2：它在 (x·y)² 里只出现一次。
The squares x_i² are times √2 as well: (x·y)² has each of them once.
""",
)

# --- 3: linear attention ---------------------------------------------------


def linear_attention(q, k, v):
    q, k = F.elu(q) + 1, F.elu(k) + 1
    state = k.mT @ v  # (*, d_k, M) @ (*, M, d_v) -> (*, d_k, d_v)
    total = k.sum(dim=-2, keepdim=True)  # (*, 1, d_k)
    return (q @ state) / (q @ total.mT)  # (*, N, d_v) / (*, N, 1)


def by_weights(q, k, v):
    weights = (F.elu(q) + 1) @ (F.elu(k) + 1).mT  # (*, N, M)
    return weights / weights.sum(dim=-1, keepdim=True) @ v


@says(
    "v 全是 1 时输出应全是 1：权重之和不是 1，缺归一化，或者除错了数。",
    "With v all 1 the output should be all 1: the weights do not add up to 1. "
    "The normaliser is missing, or is not the right number.",
)
def averages(f, q, k, v):
    return bool(((f(q, k, torch.ones_like(v)) - 1).abs() < 1e-5).all())


def is_linear(f, rng):
    numbers = []
    for N in (100, 200):
        with Produced() as produced:
            f(torch.ones(N, 2), torch.ones(N, 2), torch.ones(N, 3))
        numbers.append(produced.numbers)
    return numbers[1] < 2.5 * numbers[0]


linear = Property(
    is_linear,
    "N 和 M 加倍时，工作量不止加倍：里面还有 N × M 个权重。",
    "When N and M double, the work more than doubles: N × M weights are still "
    "in it.",
)


linear_attention = exercise(
    linear_attention,
    draw("* N D, * M D, * M E"),
    oracle=by_weights,
    holds=[averages, same_gradients(linear_attention), linear],
    wrong="""
 / (q @ total.mT) =>
没有归一化：要除以每个查询的权重之和。
The normaliser is missing: divide by the sum of the weights of each query.

q, k = F.elu(q) + 1, F.elu(k) + 1 => q, k = F.elu(q), F.elu(k)
缺了“+ 1”：elu 本身会取到负数，权重就不再全是正的。
The + 1 is missing: elu alone is negative at times, and so would be weights.

q, k = F.elu(q) + 1, F.elu(k) + 1 => q, k = F.relu(q) + 1, F.relu(k) + 1
你用了 relu：这里的 φ 是 elu(x) + 1，负数处是 eˣ。
You use relu: φ is elu(x) + 1 here, which is eˣ for negative numbers.

q, k = F.elu(q) + 1, F.elu(k) + 1 =>
没有用 φ：查询和键先经过 elu(x) + 1。
φ is missing: queries and keys first go through elu(x) + 1.

q, k = F.elu(q) + 1 => q, k = F.elu(q * q.shape[-1] ** -0.5) + 1
你做了缩放：这里不除以 √d_k。
You scale: there is no division by √d_k here.

q, k = F.elu(q) + 1, F.elu(k) + 1 => k = F.elu(k) + 1
φ 只用在了键上：查询也要经过 φ。
φ is applied to the keys only: the queries go through it as well.

q, k = F.elu(q) + 1, F.elu(k) + 1 => q = F.elu(q) + 1
φ 只用在了查询上：键也要经过 φ。
φ is applied to the queries only: the keys go through it as well.

(q @ total.mT) => q.sum(dim=-1, keepdim=True)
你除以了查询的特征之和；要除的是权重之和，键也在其中。
You divide by the sum of the query's features; the weights hold keys, too.

(q @ total.mT) => k.shape[-2]
你除以了键的个数 M：各个权重的和并不是 M。
You divide by the number of keys, M: the weights do not add up to M.
""",
)
# --- 4: one token ----------------------------------------------------------


def step(state, total, q, k, v):
    q, k = F.elu(q) + 1, F.elu(k) + 1
    state = state + k[:, :, None] * v[:, None, :]  # (B, d_k, d_v)
    total = total + k  # (B, d_k)
    y = (q[:, None, :] @ state)[:, 0]  # (B, 1, d_k) @ -> (B, d_v)
    return y / (q * total).sum(dim=-1, keepdim=True), state, total


def states(rng):
    for s in variations(rng, "B D E"):
        total = s.normal("B D").abs() + 1
        yield s.normal("B D E"), total, *map(s.normal, ("B D", "B D", "B E"))
    zeros = torch.zeros(2, 3, 4), torch.zeros(2, 3)  # the first token
    yield *zeros, *(torch.randn(2, n, generator=rng) for n in (3, 3, 4))


@says(
    "从全 0 的状态走三步，与带掩码的平行形式不相等。",
    "Three steps from a state of zeros differ from the parallel, masked form.",
)
def equals_the_parallel(f, state, total, q, k, v):
    (B, D, E), N = state.shape, 3
    q, k = torch.randn(2, B, N, D, dtype=state.dtype)
    v = torch.randn(B, N, E, dtype=state.dtype)
    state, total = torch.zeros_like(state), torch.zeros_like(total)
    phi = F.elu(k) + 1
    weights = ((F.elu(q) + 1) @ phi.mT).tril()
    due = weights / weights.sum(dim=-1, keepdim=True) @ v
    for t in range(N):
        y, state, total = f(state, total, q[:, t], k[:, t], v[:, t])
        S, z = phi[:, : t + 1].mT @ v[:, : t + 1], phi[:, : t + 1].sum(dim=1)
        pairs = {"state": (state, S), "total": (total, z), "y": (y, due[:, t])}
        for name, (got, want) in pairs.items():
            if not torch.allclose(got, want, 1e-4, 1e-5):
                raise Rejection(
                    f"从全 0 的状态走到第 {t + 1} 步，{name} 不对。",
                    f"At step {t + 1} from a state of zeros, {name} is wrong.",
                )


step = exercise(
    step,
    states,
    holds=[equals_the_parallel],
    wrong="""
phi = F.elu(q) + 1
y = (phi[:, None, :] @ state)[:, 0] / (phi * total).sum(-1, keepdim=True)
return y, *right(state, total, q, k, v)[1:]
你先读后写：位置 t 的输出也包括位置 t 自己，先写入，再读出。
You read before you write: the output at t includes t itself, so write first.

q, k = F.elu(q) + 1, F.elu(k) + 1 =>
没有用 φ：查询和键先经过 elu(x) + 1。
φ is missing: queries and keys first go through elu(x) + 1.

 / (q * total).sum(dim=-1, keepdim=True) =>
没有归一化：要除以 φ(q) 与 total 的点积。
The normaliser is missing: divide by the dot product of φ(q) and total.

q, k = F.elu(q) + 1, F.elu(k) + 1 => k = F.elu(k) + 1
φ 只用在了 k 上：q 也要经过 elu(x) + 1。
φ is applied to k only: q goes through elu(x) + 1 as well.

(q * total).sum( => total.sum(
你除以了 total 之和：要除的是 φ(q) 与 total 的点积，q 也在其中。
You divide by the sum of total; it is the dot product with φ(q) that counts.

state = state + => state =
新的状态里没有旧的：以前的 token 都丢了。
The old state is not in the new one: all earlier tokens are lost.

total = total + k => total = total + 1
total 里加的是 1：它是各个 φ(k) 之和，不是个数。
You add 1 to total: it is the sum of all φ(k), not their number.

total = total + k => pass
total 没有更新：分母里少了这个 token。
total is not updated: this token is missing in the denominator.
""",
)

# --- 5: the delta rule -----------------------------------------------------


def delta_step(state, k, v, beta):
    found = (k[:, None, :] @ state)[:, 0]  # (B, 1, d_k) @ -> (B, d_v)
    return state + beta * k[:, :, None] * (v - found)[:, None, :]


def writings(rng):
    for s in variations(rng, "B D E"):
        k = F.normalize(s.normal("B D"), dim=-1)
        beta = 0.25 + torch.rand((), generator=rng).item() / 2
        yield s.normal("B D E"), k, s.normal("B E"), beta
    k = F.normalize(torch.randn(2, 3, generator=rng), dim=-1)
    state = torch.randn(2, 3, 4, generator=rng)
    yield state, k, torch.randn(2, 4, generator=rng), 1.0


@says(
    "beta = 1 时写入以后立即用 k 读，应正好读出 v。",
    "With beta = 1, reading with k right after writing should give v exactly.",
)
def reads_back(f, state, k, v, beta):
    found = (k[:, None, :] @ f(state, k, v, 1.0))[:, 0]
    return torch.allclose(found, v, 1e-4, 1e-5)


delta_step = exercise(
    delta_step,
    writings,
    holds=[reads_back],
    wrong="""
(v - found) => v
旧的内容没有减去：这是加法的记忆，同一个键写两次，读出的是和。
What was there is not subtracted: a key written twice reads the sum.

(v - found) => (found - v)
符号反了：写入的应是 v 减去读出的。
The sign is the wrong way round: write v minus what was read.

beta * =>
没有用 beta：每次都整个改写了。
beta is not used: everything is overwritten each time.

state + beta * => (1 - beta) * state + beta *
(v - found) => v
你把整个状态都乘了 1 - beta：别的键的内容也跟着变小了。
You multiply the whole state by 1 - beta: what other keys hold shrinks, too.

(v - found) => (v / beta - found)
写入的 v 没有乘 beta：v 和读出的都要乘。
The v that is written is not times beta: both v and what was read are.

(v - found) => (v - found / beta)
减去的读出没有乘 beta：v 和读出的都要乘。
What is subtracted is not times beta: both v and what was read are.
""",
)
