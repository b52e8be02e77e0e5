"""Checks of lesson 18: parameters, FLOPs and bytes, counted beforehand."""

import copy
import functools
from dataclasses import make_dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from exercises import Rejection, exercise, says
from exercises.compare import type_name

NAMES = "num_layers d_model num_heads num_kv_heads d_k d_ff vocab_size"
Config = make_dataclass("Config", f"{NAMES} tied qk_norm".split(), frozen=True)


def some_configs(rng):
    limits = (1, 5), (1, 4), (2, 5), (5, 12), (20, 40), (41, 90), (101, 300)
    for n in range(8):
        kv, group, L, d_k, d_model, d_ff, V = (
            torch.randint(*pair, (), generator=rng).item() for pair in limits
        )
        heads, norm = kv * group, n % 4 < 2
        yield Config(L, d_model, heads, kv, d_k, d_ff, V, n % 2 < 1, norm)


def an_integer(answer):
    if type(answer) is int:
        return answer
    raise Rejection(
        f"应返回 Python 整数，得到 {type_name(answer)}。",
        f"A Python integer is asked for, got {type_name(answer)}.",
    )


def count_of(parts):
    """Options of an exercise whose answer is a sum of named parts."""

    def adapt(answer):
        @functools.wraps(parts)
        def run(*case):
            return {"count": answer(*case), "parts": parts(*case)}

        return run

    def compare(got, due):
        told, want = an_integer(got["count"]), due["count"]
        if told == want:
            return
        off, lists = told - want, ([], [])
        much = "多" if off > 0 else "少", "many" if off > 0 else "few"
        for (zh, en, n), size in due["parts"].items():
            if size and abs(off) in (size, size // n):
                raise Rejection(
                    f"应为 {want:,}，{much[0]}了 {abs(off):,}，"
                    f"正好是“{zh}”{'之一' * (abs(off) < size)}。",
                    f"It should be {want:,}; {abs(off):,} too {much[1]}, "
                    f"exactly {'one of ' * (abs(off) < size)}{en}.",
                )
            lists[0].append(f"{zh} {size:,}")
            lists[1].append(f"{en} {size:,}")
        raise Rejection(
            f"应为 {want:,}，得到 {told:,}。各部分：{'，'.join(lists[0])}。",
            f"It should be {want:,}, got {told:,}. The parts: "
            f"{', '.join(lists[1])}.",
        )

    return {"adapt": adapt, "compare": compare}


def numbers(*modules):
    return sum(p.numel() for m in modules for p in m.parameters())


# --- 1: GPT-2 ----------------------------------------------------------------


def gpt_params(num_layers, d_model, vocab_size, positions):
    block = 12 * d_model**2 + 13 * d_model
    tables = (vocab_size + positions) * d_model
    return num_layers * block + tables + 2 * d_model  # and the last norm


def gpt_built(num_layers, d_model, vocab_size, positions):
    ends = nn.Embedding(vocab_size, d_model), nn.LayerNorm(d_model)
    layer = nn.TransformerEncoderLayer(d_model, 1, 4 * d_model)
    table = nn.Embedding(positions, d_model)
    return num_layers * numbers(layer) + numbers(table, *ends)


def gpt_parts(num_layers, d_model, vocab_size, positions):
    every = num_layers * d_model
    return {
        ("token 的表", "the table of tokens", 1): vocab_size * d_model,
        ("位置的表", "the table of positions", 1): positions * d_model,
        ("最后的归一化", "the last norm", 1): 2 * d_model,
        ("各块的归一化", "the norms of the blocks", 2): 4 * every,
        ("各块的偏置", "the biases of the blocks", 1): 9 * every,
        ("各块的矩阵", "the matrices", 1): 12 * every * d_model,
    }


gpt_params = exercise(
    gpt_params,
    lambda rng: (
        (c.num_layers, c.d_model, c.vocab_size, c.d_ff)
        for c in some_configs(rng)
    ),
    oracle=gpt_built,
    **count_of(gpt_parts),
    wrong="""
(vocab_size + positions) => (2 * vocab_size + positions)
输出层的矩阵你又数了一遍：它和 token 的表是同一个参数。
The head is counted again: it is the same parameter as the table of tokens.

+ 13 * d_model =>
只数了矩阵：每个块还有偏置和两个归一化。
Only the matrices are counted: each block also has biases and two norms.

(vocab_size + positions) => vocab_size
位置也有一张表，每个位置一行。
Positions have a table, too, with a row for each.

return 12 * num_layers * d_model**2 + vocab_size * d_model
这是文章的估计：还有偏置、归一化和位置的表。
That is the estimate: biases, norms and the table of positions are missing.
""",
)

# --- 2: a listing ------------------------------------------------------------


def gated_params(c):
    q = c.d_model * c.num_heads * c.d_k  # out has as many
    k = c.d_model * c.num_kv_heads * c.d_k  # v has as many
    block = 2 * q + 2 * k + 3 * c.d_model * c.d_ff + 2 * c.d_model
    if c.qk_norm:
        block += 2 * c.d_k
    tables = 1 if c.tied else 2
    return c.num_layers * block + (tables * c.vocab_size + 1) * c.d_model


def matrices(c):
    """The shapes of a block's matrices, in and out."""
    q, k, d = c.num_heads * c.d_k, c.num_kv_heads * c.d_k, c.d_model
    feed_forward = [(d, c.d_ff), (d, c.d_ff), (c.d_ff, d)]
    return [(d, q), (d, k), (d, k), (q, d), *feed_forward]


def gated_built(c):
    layers = [nn.Linear(*shape, bias=False) for shape in matrices(c)]
    layers += [
        nn.RMSNorm(n) for n in [c.d_model] * 2 + [c.d_k] * 2 * c.qk_norm
    ]
    head = nn.Linear(c.d_model, c.vocab_size, bias=False)
    ends = [nn.RMSNorm(c.d_model)] + [head] * (2 - c.tied)
    return c.num_layers * numbers(*layers) + numbers(*ends)


def gated_parts(c):
    every, tables = c.num_layers * c.d_model, 2 - c.tied
    q, k = every * c.num_heads * c.d_k, every * c.num_kv_heads * c.d_k
    norms = 2 * c.num_layers * c.d_k * c.qk_norm
    table = ("token 的表、输出层", "table, head", tables)
    return {
        table: tables * c.vocab_size * c.d_model,
        ("gate、up、down 三层", "gate, up, down", 3): 3 * every * c.d_ff,
        ("q、out 两层", "q, out of the blocks", 2): 2 * q,
        ("k、v 两层", "k, v of the blocks", 2): 2 * k,
        ("最后的归一化", "the last norm", 1): c.d_model,
        ("norm1、norm2 两层", "norm1, norm2", 2): 2 * every,
        ("q_norm、k_norm 两层", "q_norm, k_norm", 2): norms,
    }


gated_params = exercise(
    gated_params,
    lambda rng: ((c,) for c in some_configs(rng)),
    oracle=gated_built,
    **count_of(gated_parts),
    wrong="""
tables = 1 if c.tied else 2 => tables = 2
tied 为 True 时，输入的表和输出层是同一个参数，只算一次。
Where tied is True, table and head are one parameter, which counts once.

c.d_model * c.num_heads * c.d_k => c.d_model * c.d_model
q 和 out 的宽度是 num_heads * d_k，不一定等于 d_model。
The width of q and out is num_heads * d_k, which need not be d_model.

c.num_kv_heads * c.d_k => c.num_heads * c.d_k
k 和 v 只有 num_kv_heads 个头。
k and v have only num_kv_heads heads.

2 * c.d_k => (c.num_heads + c.num_kv_heads) * c.d_k
q_norm 和 k_norm 各只有 d_k 个数，所有的头共用。
q_norm and k_norm have only d_k numbers each; all heads share them.
""",
)

# --- 3: FLOPs ----------------------------------------------------------------


def gated_flops(c, B, N):
    q = c.d_model * c.num_heads * c.d_k
    k = c.d_model * c.num_kv_heads * c.d_k
    weights = 2 * q + 2 * k + 3 * c.d_model * c.d_ff
    maps = 2 * N * c.num_heads * c.d_k  # multiply-adds of one token
    token = c.num_layers * (weights + maps) + c.d_model * c.vocab_size
    return 2 * B * N * token


def some_batches(rng):
    for n, c in enumerate(some_configs(rng)):
        yield c, (3, 1, 2)[n % 3], (5, 13, 1, 8)[n % 4]


def flops_counted(c, B, N):
    q = torch.empty(B, c.num_heads, N, c.d_k)
    with FlopCounterMode(display=False) as block:
        for D, E in matrices(c):
            torch.empty(B * N, D) @ torch.empty(D, E)
        (q @ q.mT) @ q
    with FlopCounterMode(display=False) as head:
        torch.empty(B * N, c.d_model) @ torch.empty(c.d_model, c.vocab_size)
    return c.num_layers * block.get_total_flops() + head.get_total_flops()


def flop_parts(c, B, N):
    tokens = 2 * B * N
    parts = {
        names: tokens * size
        for names, size in gated_parts(c).items()
        if "norm" not in names[1] and "table" not in names[1]
    }
    product = tokens * N * c.num_layers * c.num_heads * c.d_k
    return parts | {
        ("输出层", "the head", 1): tokens * c.d_model * c.vocab_size,
        ("图的两个乘积", "the two products of the maps", 2): 2 * product,
    }


gated_flops = exercise(
    gated_flops,
    some_batches,
    oracle=flops_counted,
    **count_of(flop_parts),
    wrong="""
return 2 * B * N * token => return B * N * token
你数的是乘加：一次乘加是两次浮点运算。
You count multiply–adds: each is two floating-point operations.

+ c.d_model * c.vocab_size => + (0 if c.tied else c.d_model * c.vocab_size)
共用的参数只存一份，输出层的矩阵乘却照样要算。
A tied parameter is stored once, but the head's product is still computed.

maps = 2 * N * c.num_heads => maps = 2 * N * c.num_kv_heads
几个查询的头共用一组键和值，但每个查询的头仍有自己的一张图。
Query heads share keys and values, but each still has a map of its own.

maps = 2 * N * c.num_heads * c.d_k => maps = 2 * N * c.num_heads * c.d_model
每个头的宽度是 d_k：拆成多个头，运算量不会乘以头数。
A head is d_k wide: splitting into heads does not multiply the FLOPs.

maps = 2 * N * c.num_heads * c.d_k => maps = 2 * N * c.d_model
图的所有的头合起来宽 num_heads * d_k，不一定是 d_model。
All heads of the maps together are num_heads * d_k wide, not always d_model.
""",
)

# --- 4: training -------------------------------------------------------------


def training_bytes(model):
    weights = gradients = 0
    for p in model.parameters():
        weights += p.nbytes
        if p.requires_grad:
            gradients += p.nbytes
    return weights, gradients, 2 * gradients


def some_models(rng):
    """Different dtypes; tied, frozen, with buffers, without parameters."""
    tied = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 9, bias=False))
    tied[1].weight = tied[0].weight
    adapted = nn.Sequential(nn.Linear(9, 9).bfloat16(), nn.Linear(9, 1))
    adapted[0].requires_grad_(False)
    buffers = nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3))
    yield from ((nn.Linear(7, 5),), (nn.Linear(5, 3).bfloat16(),), (tied,))
    yield from ((nn.Linear(2, 3).double(),), (adapted,), (buffers,))
    yield from ((nn.Linear(4, 4).requires_grad_(False),), (nn.ReLU(),))


def by_a_step(model):
    parameters, states = list(copy.deepcopy(model).parameters()), []
    for p in parameters:
        if p.requires_grad:
            p.grad = torch.zeros_like(p)
            optimizer = torch.optim.AdamW([p])
            optimizer.step()
            states += [t for t in optimizer.state[p].values() if t.ndim]
    grads = [p.grad for p in parameters if p.grad is not None]
    return tuple(sum(t.nbytes for t in g) for g in (parameters, grads, states))


@says("你改动了 model 的 .grad。", "The .grad of model is changed.")
def keeps_gradients(answer, model):
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    answer(model)
    return all(p.grad is not None for p in model.parameters())


training_bytes = exercise(
    training_bytes,
    some_models,
    oracle=by_a_step,
    holds=[keeps_gradients],
    seeds=(0,),
    wrong="""
if p.requires_grad: => if True:
冻结的参数（requires_grad=False）没有梯度，AdamW 也不为它存什么。
A frozen parameter has no gradient, and AdamW keeps nothing for it.

p.nbytes => 4 * p.numel()
一个数占几个字节要看 dtype：bf16 的一个数是 2 字节。
The bytes of a number depend on its dtype: a bf16 number has 2.

p.nbytes => p.numel()
你数的是个数，不是字节。
You counted numbers, not bytes.

2 * gradients => gradients
AdamW 为每个参数存两个平均：梯度的，和梯度平方的。
AdamW keeps two averages of each parameter: of the gradient and of its square.

model.parameters() => model.state_dict(keep_vars=True).values()
state_dict() 里有缓冲区，共用的参数也会出现两次。
state_dict() holds buffers, and a tied parameter twice.
""",
)

# --- 5: the cache ------------------------------------------------------------


def tokens_that_fit(c, memory, weights, batch):
    numbers = 2 * c.num_layers * c.num_kv_heads * c.d_k  # keys and values
    return max(0, (memory - weights) // (2 * numbers * batch))


def some_memories(rng):
    for n, c in enumerate(some_configs(rng)):
        each = 4 * c.num_layers * c.num_kv_heads * c.d_k * (n % 3 + 1)
        spare = (7 * each, 12 * each - 1, 3 * each + 1, each - 1, -5 * each)
        yield c, 10**6 + spare[n % 5], 10**6, n % 3 + 1


def with_need(answer):
    def run(c, memory, weights, batch):
        each = 4 * c.num_layers * c.num_kv_heads * c.d_k * batch
        given = memory, weights, each
        return {"tokens": answer(c, memory, weights, batch), "given": given}

    return run


def fits(got, due):
    told, (memory, weights, each) = an_integer(got["tokens"]), due["given"]
    if told == due["tokens"]:
        return
    need = weights + told * each
    zh, en = "还放得下更多", "leaves room for more"
    if need > memory:
        zh, en = "放不下", "does not fit"
    raise Rejection(
        f"{told} 个 token 时，权重加缓存是 {need:,} 字节，内存是 {memory:,}"
        f"：{zh}。",
        f"With {told} tokens, weights and cache take {need:,} bytes of "
        f"{memory:,}: that {en}.",
    )


tokens_that_fit = exercise(
    tokens_that_fit,
    some_memories,
    adapt=with_need,
    compare=fits,
    wrong="""
numbers = 2 * c.num_layers => numbers = c.num_layers
键和值你只数了其中一样；或者每个数只算了 1 个字节，应为 2。
Keys or values are left out; or you take 1 byte a number, and not 2.

(2 * numbers * batch) => (2 * numbers)
batch 条序列各有自己的缓存。
Each of the batch sequences has a cache of its own.

c.num_kv_heads * c.d_k => c.num_heads * c.d_k
缓存里只有 num_kv_heads 个头的键和值。
The cache holds keys and values of num_kv_heads heads only.

c.num_kv_heads * c.d_k => c.d_model
每层每个 token 存的键是 num_kv_heads * d_k 个数，不是 d_model 个。
The keys of a token in a layer are num_kv_heads * d_k numbers, and not d_model.

max(0, => max(-(10**9),
权重已经放不下时应返回 0，不是负数。
Where the weights alone do not fit, 0 is asked for, not a negative number.
""",
)
