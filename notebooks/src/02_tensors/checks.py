"""Checks of lesson 02: what a tensor is, and where its elements lie."""

import torch
import torch.nn.functional as F

from exercises import exercise, normal, says, table, variations
from exercises.properties import same_gradients

# --- 1. describe a tensor ----------------------------------------------------


def describe(t):
    numel = t.numel()
    return {"ndim": t.ndim, "numel": numel, "bytes": numel * t.element_size()}


def all_kinds(rng):
    """Tensors of any shape, dtype and layout, and parts of others."""
    for s in variations(rng, "A B *"):
        yield (s.normal("A B *"),)
    for dtype in (
        torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int16,
        torch.int64, torch.complex64,
    ):  # fmt: skip
        yield (torch.randint(0, 2, (3, 5), generator=rng).to(dtype),)
    rows = normal(rng, 7, 5)
    yield (rows[1:4, ::2],)
    yield (rows[:0],)
    yield (rows[1, 2],)
    yield (rows.float().requires_grad_(),)


describe = exercise(
    describe,
    all_kinds,
    wrong="""
numel * t.element_size() => numel * 4
bytes 等于“每个元素都占 4 字节”时的结果：4 字节只是 float32 的大小，bool 占 1
字节，float64 占 8 字节。每个元素几个字节，张量自己知道。
Your bytes are what you get when every element takes 4 bytes: that is the size
of float32 only; bool takes 1, float64 takes 8. The tensor itself knows how
many.

numel * t.element_size() => t.element_size()
bytes 是一个元素的字节数，而不是全部元素的：还要乘以元素个数。
Your bytes are those of one element, not of all: multiply by the number of
elements.

numel * t.element_size() => t.untyped_storage().nbytes()
bytes 是整块存储的大小：视图只用到其中一部分元素（例如切片）。用元素个数来算。
Your bytes are those of the whole storage: a view, such as a slice, uses only
some of its elements. Compute them from the number of elements.

numel * t.element_size() => __import__("sys").getsizeof(t)
bytes 等于 sys.getsizeof(t)：它量的是 Python 对象，不是里面的数据。用元素个数来
算。
Your bytes are sys.getsizeof(t), the size of the Python object around the data
and not of the data. Compute them from the number of elements.

numel = t.numel() => numel = len(t)
numel 等于 len(t)，也就是第一个轴的大小：元素个数是所有轴大小的乘积。
Your numel is len(t), the size of the first axis: the number of elements is the
product of all sizes.

numel = t.numel() => numel = sum(t.shape)
numel 等于各轴大小之和：元素个数是它们的乘积。
Your numel is the sum of the sizes: the number of elements is their product.

t.ndim => len(t)
ndim 等于 len(t)，即第一个轴的大小：要的是轴的个数。
Your ndim is len(t), the size of the first axis: the number of axes is asked
for.

return {"ndim": t.ndim, "numel": t.numel(), "bytes": t.numpy().nbytes}
numpy() 在 dtype 是 bfloat16、或者 requires_grad=True 的张量上报错：数据类型任
意，只用张量自己的属性就够了。
numpy() fails for bfloat16, and for a tensor with requires_grad=True: any data
type may come, and the tensor's own attributes are enough.
""",
)

# --- 2. in which cell an element lies ----------------------------------------


def flat_offset(index, stride, storage_offset):
    steps = [i * s for i, s in zip(index, stride, strict=True)]
    return storage_offset + sum(steps)


def places(rng):
    """An index, the strides and the offset of real tensors of 0 to 6 axes."""
    whole = torch.empty(4, 3, 5, 2, 3, 6)
    for n in (2, 3, 1, 4, 0, 5, 6):
        t = whole[1:, :, ::2].permute(
            torch.randperm(6, generator=rng).tolist()
        )
        t = t[(1,) * (6 - n)]
        index = [torch.randint(k, (), generator=rng).item() for k in t.shape]
        yield tuple(index), t.stride(), t.storage_offset()
    t = torch.empty(3, 4)
    yield (2, 1), t.stride(), 0
    yield (1, 3), t.T[1:].stride(), t.T[1:].storage_offset()
    yield (4, 2), t[1].expand(5, 4).stride(), 4  # one row, five times
    yield (2, 2), t[1].unfold(0, 3, 1).stride(), 4  # windows that overlap


def in_memory(index, stride, storage_offset):
    sizes = [i + 1 for i in index]
    cells = torch.arange(9999).as_strided(sizes, stride, storage_offset)
    return cells[index].item()


flat_offset = exercise(
    flat_offset,
    places,
    oracle=in_memory,
    wrong="""
return storage_offset + sum(steps) => return sum(steps)
你的结果等于漏掉 storage_offset 时的结果：视图的第一个元素不一定在内存的开头，
例如 t[1:]。
Your result equals what you get without storage_offset: the first element of a
view need not lie at the start of the memory, as in t[1:].

i * s for => i * s + storage_offset for
storage_offset + sum => sum
你的结果等于每个轴都加一次 storage_offset 的结果：它是起点，总共只加一次。
Your result equals what you get when storage_offset is added for every axis: it
is the starting point, added once in all.

for i, s in zip(index, stride, strict=True):
    return storage_offset + i * s
你的结果只算了第一个轴，没有轴时是 None：return 在循环里面，第一圈就结束了。
Your result counts the first axis only, and is None where there is no axis:
return stands inside the loop and ends it in the first round.

sum(steps) => sum(index)
你的结果等于把各下标直接相加的结果：沿一个轴走一步，在内存中要跨过这个轴的
stride 个元素。
Your result equals the plain sum of the indices: one step along an axis passes
over as many elements as the stride of that axis.

zip(index, stride, => zip(index, stride[::-1],
你的结果等于把 stride 倒过来用的结果：第 k 个下标配第 k 个 stride。
Your result equals what you get with the strides in reverse: index number k
goes with stride number k.

zip(index, stride, => zip(index, (*stride[:-1], 1)[: len(index)],
你的结果等于假定最后一个轴的 stride 是 1 的结果：转置或带步长的切片之后不再如
此。
Your result equals what you get when the last axis has stride 1: after a
transpose or a slice with a step it has not.

return right(index, stride, storage_offset) * 4
你的结果是正确结果的 4 倍，像是按字节在数：PyTorch 的 stride 和 storage_offset
数的是元素，不是字节。
Your result is 4 times the right one, as if it counted bytes: stride and
storage_offset count elements in PyTorch.

storage_offset + sum => storage_offset * sum
你的结果等于用 storage_offset 去乘的结果：它是起点，只加一次。
Your result equals what you get when you multiply by storage_offset: it is the
starting point, added once.

storage_offset + sum => -storage_offset + sum
你减去了 storage_offset：它是起点的格号，从那里往后数。
You subtract storage_offset: it is the cell of the start, and you count on from
there.

storage_offset + sum(steps) => (storage_offset + steps[-1] if steps else 0)
你的结果只算了最后一个轴：循环里后一个轴的值覆盖了前一个。
Your result counts the last axis only: in the loop each axis replaces the one
before.

sum(steps) => sum(steps[1:])
你的结果漏掉了第 0 个轴：轴从 0 数起。
Axis 0 is missing from your result: axes are counted from 0.

sum(steps) => sum(steps[:-1])
你的结果漏掉了最后一个轴。
The last axis is missing from your result.

i * s for => (i + 1) * s for
你把每个下标多数了 1：下标从 0 数起，0 就是一步也不走。
You count every index one too many: they start from 0, which is no step at all.

i * s for => i + s for
你把下标和 stride 相加了：走 i 步，每步跨 stride 格，要用乘法。
You add index and stride: i steps of stride cells each are a product.

sum(steps) => sum(index) * sum(stride)
你先分别求和再相乘：每个下标先乘自己的 stride，再相加。
You add first and multiply then: each index goes with its own stride, and the
products are added.
""",
)

# --- drill: view, copy or error ----------------------------------------------

views = {
    "t[1:]": "view",
    "t.T": "view",
    "t.T.view(12)": "error",
    "t.T.reshape(12)": "copy",
    "t.reshape(12)": "view",
    "t[:, 1:3].reshape(6)": "copy",
    "t.T.contiguous().view(12)": "copy",
    "t[torch.tensor([0, 2])]": "copy",
}


def computed(question, **names):
    """The value of a question that is a line of code; "error" if it fails."""
    try:
        return eval(question, {"torch": torch, **names})
    except RuntimeError:
        return "error"


def what_came(question):
    t = torch.arange(12).view(3, 4)
    result = computed(question, t=t)
    if isinstance(result, str):
        return result
    return "view" if shared(result, t) else "copy"


def shared(x, y):
    return x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()


VIEW_HINTS = {
    "t[1:]": ("切片只换起点和大小。", "A slice changes start and sizes."),
    "t.T": ("转置只对调步幅。", "A transpose swaps strides."),
    "t.T.view(12)": (
        "view 从不复制。t.T 读出的格号是 0, 4, 8, 1, …，能用一个步幅描述吗？",
        "view never copies. t.T reads the cells 0, 4, 8, 1, …: does one "
        "stride describe that?",
    ),
    "t.T.reshape(12)": (
        "reshape 不会因为存储不连续而报错。t.T 读出的格号能用一个步幅描述吗？",
        "reshape does not fail for the sake of the storage. Does one stride "
        "describe the cells that t.T reads?",
    ),
    "t.reshape(12)": (
        "t 是连续的，reshape 能不复制就不复制。",
        "t is contiguous, and reshape does not copy where it need not.",
    ),
    "t[:, 1:3].reshape(6)": (
        "切出来的格号是 1, 2, 5, 6, 9, 10：步子一样大吗？",
        "The cells of the slice are 1, 2, 5, 6, 9, 10: are the steps equal?",
    ),
    "t.T.contiguous().view(12)": (
        "先看 contiguous()：t.T 不连续，它做什么？",
        "Look at contiguous() first: t.T is not contiguous, so what does it "
        "do?",
    ),
    "t[torch.tensor([0, 2])]": (
        "下标是张量，不是切片：第 5 节表的最后一行。",
        "The index is a tensor and not a slice: see the last row of the "
        "table in section 5.",
    ),
}

views = exercise(
    views,
    **table(views, what_came, VIEW_HINTS),
    name="views",
    wrong="""
view(12)": "error" => view(12)": "copy"
t.T.view(12)：view 从不复制，做不到就报错。
t.T.view(12): view never copies; where it cannot do without, it raises an
error.

"t.T.reshape(12)": "copy" => "t.T.reshape(12)": "error"
t.T.reshape(12)：报错的是 view；reshape 会复制。
t.T.reshape(12): it is view that raises an error; reshape makes a copy.

"t.reshape(12)": "view" => "t.reshape(12)": "copy"
t.reshape(12)：t 是连续的，reshape 用不着复制。
t.reshape(12): t is contiguous, so reshape need not copy.

"t[torch.tensor([0, 2])]": "copy" => "t[torch.tensor([0, 2])]": "view"
用张量作下标和切片不同：得到的总是副本。
Indexing with a tensor is no slice: it always gives a copy.
""",
)

# --- 3. merge two axes, then split them --------------------------------------


def merge_and_back(x):
    B, N, D = x.shape
    rows = x.view(B * N, D)  # (B, N, D) -> (B*N, D)
    return rows, rows.view(B, N, D)  # (B*N, D) -> (B, N, D)


def contiguous(rng):
    for s in variations(rng, "B N D"):
        if s.about != "not contiguous":  # as the text says
            yield (s.normal("B N D"),)


@says(
    "back 就是输入 x 本身：它要由 rows 变回来。",
    "What you return as back is the input x itself: it is to be made from "
    "rows.",
)
def back_is_made(f, x):
    return f(x)[1] is not x


def of_its_memory(y, x):  # a view by way of NumPy has a storage of its own
    return shared(y, x) or y.data_ptr() == x.data_ptr()


@says(
    "rows 没有与 x 共用内存：某一步复制了数据。",
    "rows does not share the memory of x: some step copied the data.",
)
def rows_shared(f, x):
    return of_its_memory(f(x)[0], x)


@says(
    "back 没有与 x 共用内存：某一步复制了数据。",
    "back does not share the memory of x: some step copied the data.",
)
def back_shared(f, x):
    return of_its_memory(f(x)[1], x)


@says(
    "求导的记录断了：从 rows 和 back 都应回得到 x。",
    "The record for derivatives is cut: rows and back should both lead to x.",
)
def recorded(f, x):
    return all(y.grad_fn for y in f(x.clone().requires_grad_()))


merge_and_back = exercise(
    merge_and_back,
    contiguous,
    holds=[back_is_made, rows_shared, back_shared, recorded],
    wrong="""
x.view(B * N, D) => x.view(B * N, D).clone()
值都对，但 rows 与 back 都没有与 x 共用内存，某一步复制了数据：clone()、
torch.cat、torch.stack 都会复制。
The values are right, but neither rows nor back shares the memory of x, so a
step copied the data: clone(), torch.cat and torch.stack all do.

rows.view(B, N, D) => rows.view(B, N, D).clone()
rows 与 x 共用内存，back 却是一份副本：回来的一步也不能复制。
rows shares the memory of x, but back is a copy: the way back must not copy
either.

x.view(B * N, D) => x.view(B * N, D).clone()
return rows, rows.view(B, N, D) => return rows, x.view(B, N, D)
back 与 x 共用内存，rows 却是一份副本。
back shares the memory of x, but rows is a copy.

x.view(B * N, D) => x.view(B, N * D)
你合并的是后两个轴，得到 (B, N·D)：要合并的是前两个轴，每一行仍是 D 个特征。
You merged the last two axes into (B, N·D): merge the first two, so that every
row keeps its D features.

x.view(B * N, D) => x.transpose(0, 1).reshape(B * N, D)
rows.view(B, N, D) => rows.view(N, B, D).transpose(0, 1)
rows 的行序不对：你的行按 N 在外、B 在内排列（像是先转置了）。在内存里 x 的行本
来就是 B 在外、N 在内。
The rows stand in the wrong order: yours go N by N, as after a transpose. In
the memory of x they already go B by B.

x.view(B * N, D) => x.transpose(0, 1).reshape(B * N, D)
你先转置再合并，回来时却没有转置回去，行被打乱了：形状对，值不对。两步都不需要
转置。
You transposed before merging and did not transpose on the way back, so the
rows are scrambled: right shape, wrong values. Neither step needs a transpose.

rows.view(B, N, D) => rows.view(N, B, D)
back 的前两个轴反了：形状是 (N, B, D)，应为 (B, N, D)。
The first two axes of back are swapped: its shape is (N, B, D) in place of (B,
N, D).

rows.view(B, N, D) => rows.view(N, B, D).transpose(0, 1)
back 的形状对，值不对：view(N, B, D) 把行按错误的大小分了组，之后的转置换不回
来。
back has the right shape and wrong values: view(N, B, D) groups the rows by the
wrong size, and the transpose after it does not undo that.

return rows, rows.view(B, N, D) => return rows.view(B, N, D), rows
次序反了：先是 rows，再是 back。
The order is reversed: first rows, then back.

x.view(B * N, D) => x.view(B * N, D).squeeze()
大小为 1 的轴不见了：不写轴号的 squeeze() 去掉所有这样的轴，这里不该去掉。
Axes of size 1 are gone: squeeze() without an axis drops all of them, and none
should go here.

x.view(B * N, D) => x.detach().view(B * N, D)
值和内存都对，但求导的记录断了（detach、.data 或 no_grad 会这样）：从 rows 和
back 回不到 x。
Values and memory are right, but the record for derivatives is cut (as by
detach, .data or no_grad): nothing leads from rows and back to x.
""",
)

# --- 4. split into heads -----------------------------------------------------


def split_heads(x, num_heads):
    B, N, d_model = x.shape
    heads = x.reshape(B, N, num_heads, d_model // num_heads)
    return heads.transpose(1, 2)  # (B, N, H, d_k) -> (B, H, N, d_k)


def tokens(rng):
    for s in variations(rng, "B N M D"):
        s["E"] = s.M * s.D
        yield s.normal("B N E"), s.M


split_heads = exercise(
    split_heads,
    tokens,
    part=True,
    holds=[same_gradients(split_heads)],
    wrong="""
x.reshape => x.detach().reshape
值都对，但求导的记录断了（detach、.data、NumPy 或 no_grad 会这样）：从结果回不
到 x。
The values are right, but the record for derivatives is cut (as by detach,
.data, NumPy or no_grad): nothing leads from the result back to x.

heads.transpose(1, 2) => x.reshape(B, num_heads, N, d_model // num_heads)
你的结果等于直接 reshape 成 (B, num_heads, N, d_k) 的结果：形状对，但不同位置的
特征混到了一个头里。要切开的只是最后一个轴。
Your result equals a plain reshape to (B, num_heads, N, d_k): the shape is
right, but features of different positions end up in one head. Only the last
axis is to be cut.

heads.transpose(1, 2) => x.view(B, num_heads, N, d_model // num_heads)
你的结果等于直接 view 成 (B, num_heads, N, d_k) 的结果：形状对，但不同位置的
特征混到了一个头里；x 不连续时 view 还会报错。要切开的只是最后一个轴。
Your result equals a plain view as (B, num_heads, N, d_k): the shape is right,
but features of different positions end up in one head, and where x is not
contiguous the view fails. Only the last axis is to be cut.

num_heads, d_model // num_heads) => d_model // num_heads, num_heads)
heads.transpose(1, 2) => heads.permute(0, 3, 1, 2)
你的结果等于把最后一个轴拆成 (d_k, num_heads) 的结果：每个头隔 num_heads 个取一
个特征。每个头应取连续的一段。
Your result equals what you get when the last axis is split into (d_k,
num_heads): each head takes every num_heads-th feature. A head takes one
unbroken block.

N, num_heads, d_model // num_heads) => num_heads, d_model // num_heads, N)
heads.transpose(1, 2) => heads.transpose(2, 3)
你的结果等于先 reshape 成 (B, num_heads, d_k, N)、再换后两个轴的结果：这一刀跨
过了位置，不同位置的特征混到了一个头里。
Your result equals a reshape to (B, num_heads, d_k, N) with the last two axes
swapped after it: the cut runs across positions, so features of different ones
end up in one head.

num_heads, d_model // num_heads) => d_model // num_heads, num_heads)
头数和每个头的长度对调了：得到 (B, d_k, N, num_heads)。x.split(n) 的 n 是每段的
长度，x.chunk(n) 的 n 才是段数。
The number of heads and their length are swapped: you got (B, d_k, N,
num_heads). In x.split(n) the n is the length of a piece, in x.chunk(n) the
number of pieces.

d_k = x.shape[-1] // num_heads
return torch.stack([x[..., m : m + d_k] for m in range(num_heads)], dim=1)
第 m 个头从第 m 个特征开始，所以各个头互相重叠：第 0 个头用掉 d_k 个特征，第 1
个头从哪里开始？
Head m begins at feature m, so the heads overlap: head 0 takes d_k features, so
where does head 1 begin?

x.reshape(B, N, num_heads, => x.transpose(1, 2).reshape(B, num_heads, N,
heads.transpose(1, 2) => heads
你先换轴、再用 reshape 切分：换轴之后读的次序变了，切出来的不再是同一位置的特
征。
You reordered the axes first and cut with reshape afterwards: the reading order
had changed by then, so the pieces are no longer features of one position.

heads.transpose(1, 2) => heads
最后一个轴拆对了，但还没有交换轴：得到 (B, N, num_heads, d_k)，应为 (B,
num_heads, N, d_k)。
The last axis is split rightly, but the axes are not swapped yet: you got (B,
N, num_heads, d_k) in place of (B, num_heads, N, d_k).

heads.transpose(1, 2) => heads.transpose(1, 2).transpose(0, 1)
头轴跑到了最前面：得到 (num_heads, B, N, d_k)，应为 (B, num_heads, N, d_k)，批
次轴留在最前。
The axis of the heads came first: you got (num_heads, B, N, d_k) in place of
(B, num_heads, N, d_k); the batch stays in front.

heads.transpose(1, 2) => heads.transpose(1, 2).transpose(2, 3)
后两个轴反了：得到 (B, num_heads, d_k, N)，应为 (B, num_heads, N, d_k)。
The last two axes are swapped: you got (B, num_heads, d_k, N) in place of (B,
num_heads, N, d_k).
""",
)

# --- drill: fill in the shapes -----------------------------------------------

shapes_of = {
    "x.squeeze()": (2, 3, 4),
    "x.squeeze(0)": (2, 1, 3, 4),
    "x.unsqueeze(-1)": (2, 1, 3, 4, 1),
    "x.mT": (2, 1, 4, 3),
    "x.permute(0, 2, 3, 1)": (2, 3, 4, 1),
    "x.view(6, -1)": (6, 4),
    "x.view(5, -1)": "error",
    "x[:, 0, 1]": (2, 4),
}


def shape_of(question):
    result = computed(question, x=torch.zeros(2, 1, 3, 4))
    return result if isinstance(result, str) else tuple(result.shape)


SHAPE_HINTS = {
    "x.squeeze()": ("哪些轴的大小是 1？", "Which axes have size 1?"),
    "x.squeeze(0)": (
        "轴 0 的大小是 2，不是 1。",
        "Axis 0 has size 2, not 1.",
    ),
    "x.unsqueeze(-1)": (
        "-1 是最后一个位置：新的轴在末尾。",
        "-1 is the last place: the new axis comes at the end.",
    ),
    "x.mT": ("只换最后两个轴。", "Only the last two axes are swapped."),
    "x.permute(0, 2, 3, 1)": (
        "新的第 1 个轴是原来的第 2 个，依此类推。",
        "The new axis 1 is the old axis 2, and so on.",
    ),
    "x.view(6, -1)": (
        "一共 24 个元素；-1 是由此算出来的那个大小。",
        "There are 24 elements; -1 is the size that follows from it.",
    ),
    "x.view(5, -1)": (
        "一共 24 个元素：5 整除 24 吗？",
        "There are 24 elements: does 5 divide 24?",
    ),
    "x[:, 0, 1]": (
        "整数下标去掉它那个轴；没有写到的轴都留下。",
        "An integer drops its axis; axes that are not named stay.",
    ),
}

shapes_of = exercise(
    shapes_of,
    **table(shapes_of, shape_of, SHAPE_HINTS),
    name="shapes_of",
    wrong="""
"x.squeeze(0)": (2, 1, 3, 4) => "x.squeeze(0)": (1, 3, 4)
x.squeeze(0)：轴 0 的大小不是 1，squeeze 什么也不做。
x.squeeze(0): axis 0 does not have size 1, and squeeze does nothing.

"x.squeeze(0)": (2, 1, 3, 4) => "x.squeeze(0)": "error"
x.squeeze(0)：轴 0 的大小不是 1，但 squeeze 不报错。
x.squeeze(0): axis 0 does not have size 1, but squeeze raises no error.

"x.mT": (2, 1, 4, 3) => "x.mT": (4, 3, 1, 2)
x.mT：你把所有轴都倒过来了，那是 .T。
x.mT: you reverse all axes, which is .T.

"x.unsqueeze(-1)": (2, 1, 3, 4, 1) => "x.unsqueeze(-1)": (2, 1, 3, 1, 4)
x.unsqueeze(-1)：-1 数的是新形状里的位置，新的轴在最后。
x.unsqueeze(-1): -1 counts places of the new shape, so the new axis comes last.

"x.view(5, -1)": "error" => "x.view(5, -1)": (5, 4)
x.view(5, -1)：24 个元素排不成 5 行。
x.view(5, -1): 24 elements cannot be put into 5 rows.
""",
)

# --- 5. the score of the true class ------------------------------------------


def true_scores(scores, labels):
    picked = scores.gather(1, labels.unsqueeze(1))  # (B, K) -> (B, 1)
    return picked.squeeze(1)  # (B, 1) -> (B,)


def scores_and_labels(rng):
    for s in variations(rng, "B K"):
        yield s.normal("B K"), s.integers("B", 0, s.K)
    s["B"], s["K"] = 5, 4  # a score may be 0
    yield s.normal("B K").relu(), s.integers("B", 0, s.K)


def by_nll_loss(scores, labels):
    return -F.nll_loss(scores, labels, reduction="none")


true_scores = exercise(
    true_scores,
    scores_and_labels,
    oracle=by_nll_loss,
    wrong="""
return scores[:, labels]
你的结果等于 scores[:, labels]，形状 (B, B)：它对每一行都取出所有标签的列。每一
行只取自己的一列。
Your result equals scores[:, labels], of shape (B, B): it takes the columns of
all labels from every row. Take one column from each row.

return scores[:, labels].mean(1)
scores[:, labels] 从每一行取出了所有标签的列，求平均掩盖了它：每一行只取自己的
一列，用不着平均。
scores[:, labels] takes the columns of all labels from every row, and the mean
hides that: take one column from each row, without a mean.

return scores[:, labels].mean(0)
scores[:, labels] 从每一行取出了所有标签的列，你又对行求了平均：第 i 个数只来自
第 i 行。
scores[:, labels] takes the columns of all labels from every row, and you
average over the rows: number i comes from row i alone.

return scores[range(len(labels)), labels - 1]
你取的是 labels − 1 那一列：类别从 0 数起，标签就是列号。
You take column labels − 1: classes are counted from 0, so the label is the
number of the column.

return scores.argmax(1)
你返回的是预测类别的编号，一个整数：要的是真实类别的分数。
You return the number of the predicted class, an integer: what is asked for is
the score of the true class.

scores.gather => (-scores.log_softmax(1)).gather
你的结果是 F.cross_entropy 给出的损失，即真实类别概率的对数的相反数：这里要的是
分数本身。
Your result is the loss of F.cross_entropy, minus the logarithm of the true
class's probability: the scores themselves are asked for.

return picked.squeeze(1) => return picked
值对了，但形状是 (B, 1)：gather 的结果与下标同形，多出的轴还要去掉。留着它，之
后与 (B,) 相减会广播成 (B, B)。
The values are right, but the shape is (B, 1): the result of gather has the
shape of its index, and one axis is too many. Left in, a later difference with
(B,) broadcasts to (B, B).

picked.squeeze(1) => picked.squeeze()
B = 1 时你的结果是标量，形状 () 而不是 (1,)：大小为 1 的轴也要留着（不写轴号的
squeeze() 会去掉它）。
With B = 1 your result is a scalar, of shape () in place of (1,): an axis of
size 1 must stay (squeeze() without an axis drops it).

return scores.max(1).values
你取的是每一行的最高分，即预测类别的分数：要的是 labels 给出的真实类别的分数。
You took the highest score of each row, that of the predicted class: what is
asked for is the score of the true class, given by labels.

scores.gather => scores.softmax(1).gather
你的结果等于先做 softmax 再取的结果：那是概率。这里要的是分数本身。
Your result equals what you get after a softmax: those are probabilities. The
scores themselves are asked for.

return (scores * F.one_hot(labels, scores.shape[1])).sum(0)
one-hot 相乘是对的，但求和沿错了轴：你对行求和，得到 (K,)。每一行要留下一个数。
The product with one-hot is right, but the sum runs along the wrong axis: you
summed over the rows and got (K,). Keep one number for each row.

return scores * F.one_hot(labels, scores.shape[1])
one-hot 相乘之后还差一步：结果是 (B, K)，每行只有一个不为零。每一行要留下一个
数。
One step is missing after the product with one-hot: the result is (B, K) with
one non-zero value in each row. Keep one number for each row.

return scores[labels]
你的结果等于 scores[labels]：labels 被用来选行了。labels 是类别，要用在第二个轴
上。
Your result equals scores[labels]: there labels choose rows. They are classes,
so they belong on the second axis.

return scores[0, labels]
你的结果都取自第 0 行：torch.take(scores, labels)、scores.gather(1,
labels[None]) 都是这样。第 i 个数要取自第 i 行。
All your numbers come from row 0, as with torch.take(scores, labels) and
scores.gather(1, labels[None]). Number i comes from row i.

return (scores * F.one_hot(labels, scores.shape[1])).max(1).values
one-hot 相乘是对的，但接着取了最大值：真实类别的分数为负时，最大的是别处的 0。
The product with one-hot is right, but then you took the maximum: where the
score of the true class is negative, that is one of the zeros.

picked.squeeze(1) => -picked.squeeze(1)
符号反了：F.nll_loss 给出的是分数的相反数。
The sign is wrong: F.nll_loss gives the negative of the score.

scores.gather => scores.log_softmax(1).gather
你的结果等于先做 log_softmax 再取的结果（-F.cross_entropy 也是它）：那是概率的
对数。这里要的是分数本身。
Your result equals what you get after a log_softmax (as -F.cross_entropy does
it): those are logarithms of probabilities. The scores themselves are asked
for.

return scores.min(1).values
你取的是每一行的最低分：要的是 labels 给出的真实类别的分数。
You took the lowest score of each row: what is asked for is the score of the
true class, given by labels.

return scores[:, labels[0]]
你对每一行都用了第一个标签：第 i 行用 labels[i]。
You used the first label for every row: row i uses labels[i].

return scores[:, 0]
你总是取第 0 列：列号应是这一行的标签。
You always take column 0: the column is the label of the row.

return (scores * F.one_hot(labels)).sum(1)
你按 labels 里出现过的最大类别定了 one-hot 的宽度：列数要与 scores 的一样。
Your one-hot is as wide as the largest class that occurs among the labels: it
needs as many columns as scores.
""",
)
