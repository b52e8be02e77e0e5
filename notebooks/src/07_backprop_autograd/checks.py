"""Checks of lesson 07: graphs, gradients by hand, and an autograd."""

import math

import torch
import torch.nn.functional as F

from exercises import Rejection, draw, exercise, says, variations
from exercises.compare import type_name
from exercises.properties import limited, without

DTYPE = torch.float64  # the lesson's default

# --- 1. what a graph holds -------------------------------------------------


def graph_size(y):
    leaves, depths = set(), {}

    def depth(fn):
        if hasattr(fn, "variable"):
            leaves.add(fn)
            return 0
        if fn not in depths:  # a node that several paths reach
            inputs = [f for f, _ in fn.next_functions if f is not None]
            depths[fn] = 1 + max(depth(f) for f in inputs)
        return depths[fn]

    steps = depth(y.grad_fn)
    return len(leaves), steps


# `a` and `b` are (2, 3), `c` is (3,), `w` is (3, 4); `k` is constant, (2, 3).
GRAPHS = (
    "a * 2",
    "a * b + c",
    "(a * a).sum()",
    "(k * a).tanh()",
    "((a + b) * (a - b)).sum() + c.sum()",
    "a + b.exp().exp().exp()",
    "b.sin().cos().sin().cos() * (c + 1)",
    "torch.relu(a @ w).sum()",
    "torch.cat([a, b, a]).mean()",
    "a.unbind()[0] * a.unbind()[1] + c",
    "(k + k) * c",
    "skip(a.exp()) * 2",
    "doubled(a, 6).sum() * c.sum()",
)


def built(text):
    """Compute the text; the order of the numbers does not matter."""

    def doubled(t, times):
        for _ in range(times):
            t = t + t
        return t

    shapes = {"a": (2, 3), "b": (2, 3), "c": (3,), "w": (3, 4)}
    names = {n: torch.rand(s, requires_grad=True) for n, s in shapes.items()}
    names |= {"k": torch.rand(2, 3), "torch": torch, "doubled": doubled}
    return eval(text, names | {"skip": lambda t: t + t.sin().cos() + t})


def graph_cases(rng):
    for i in torch.randperm(len(GRAPHS), generator=rng).tolist():
        yield (GRAPHS[i],)
    one, two = torch.randint(2, 7, (2,), generator=rng).tolist()
    yield (f"a{'.sin()' * one} * b{'.exp()' * two}",)


graph_size = exercise(
    graph_size,
    graph_cases,
    adapt=lambda answer: lambda y: answer(built(y)),
    wrong=r"""
set(), {} => [], {}
leaves.add => leaves.append
if fn not in depths: => if True:
叶子按路的条数数了：同一个叶子从几条路到达，也只算一个。
Your leaves are counted once for every path: a leaf that several paths reach
counts once.

return 0 => return 1
depth 把 AccumulateGrad 也算成了一个运算：它只把梯度加进 .grad。
Your depth counts AccumulateGrad as an operation: it only adds the gradient to
.grad.

max(depth(f) for f in inputs) => min(depth(f) for f in inputs)
depth 是最短的一条路：要的是最长的一条。
Your depth is that of the shortest path: the longest is asked for.

max(depth(f) for f in inputs) => [depth(f) for f in inputs][0]
depth 只跟着第一个输入走：next_functions 里的每一个都要看。
Your depth follows the first input only: look at every entry of next_functions.

max(depth(f) for f in inputs) => [depth(f) for f in inputs][-1]
depth 是最后一个输入的：循环里每次都盖掉了前一个？
Your depth is that of the last input: does each turn of a loop overwrite the
one before?

max(depth(f) for f in inputs) => sum(depth(f) for f in inputs)
depth 把几个输入的深度加在了一起：一条路只经过其中一个。
Your depth adds up the depths of all inputs: a path passes only one of them.

len(leaves), steps => len(leaves), steps - 1
depth 少了 1：y.grad_fn 自己也是一个运算节点。
Your depth is 1 too small: y.grad_fn is an operation node itself.

        if fn not in depths: =>         if fn in depths:\n            return 0
            inputs =>         depths[fn] = 0\n        inputs
            depths[fn] = 1 + =>         return 1 +
        return depths[fn] =>
depth 把去过的节点当成 0 层：第二条路到达它时，它下面的层数还要算。
Your depth takes a node that was seen before for 0: on a second path, what lies
below it still counts.

fn, steps = y.grad_fn, 0
while not hasattr(fn, "variable"):
    steps += 1
    fn = next(f for f, _ in fn.next_functions if f)
return 1, steps
只走了一条路，只到了一个叶子：next_functions 里的每一个都要走。
You walk a single path, to a single leaf: follow every entry of next_functions.

if hasattr(fn, "variable") => if fn is None or hasattr(fn, "variable")
 if f is not None] => ]
next_functions 里的 None 也被算成了叶子：那些输入不要梯度，不在图里。
The None entries of next_functions count as leaves: those inputs need no
gradient and are not in the graph.

len(leaves), steps => len(leaves), len(depths)
depth 是全部运算节点的个数：要的是一条路上最多有几个。
Your depth is the number of all operation nodes: asked for is the largest
number on one path.
""",
)

# --- 2 and 3. gradients by hand --------------------------------------------

by_hand = without(
    "requires_grad grad backward",
    "这里要自己推公式：你的代码让 autograd 求了导。",
    "Derive the formulas here: your code lets autograd differentiate.",
)


def linear_backward(x, w, g):
    dx = g @ w.T  # (B, H, E) @ (E, D) -> (B, H, D)
    dw = torch.einsum("bhd,bhe->de", x, g)
    db = g.sum((0, 1))  # (B, H, E) -> (E,)
    return dx, dw, db


def layer_by_autograd(x, w, g):
    leaves = [x, w, g.new_zeros(g.shape[-1])]
    x, w, b = (t.detach().clone().requires_grad_() for t in leaves)
    return torch.autograd.grad(x @ w + b, (x, w, b), g)


linear_backward = exercise(
    linear_backward,
    draw("B H D, D E, B H E"),
    oracle=layer_by_autograd,
    holds=[by_hand],
    wrong=r"""
g @ w.T => g @ w
dx 用了 g @ w，没有转置：先看形状，(B, H, E) 乘不了 (D, E)；D 与 E 相等时不
报错，数却是错的。
Your dx is g @ w, without a transpose. Look at the shapes: (B, H, E) does not
fit (D, E); where D equals E there is no error, and the numbers are wrong.

dx = => g = torch.ones_like(g)\n    dx =
没有用到上游梯度 g。
The upstream gradient g is not used.

torch.einsum("bhd,bhe->de", x, g) => x.reshape(len(w), -1) @ g.flatten(0, 1)
dw：x 只是换了形状（view、reshape），没有转置，数被打乱了。
dw: x only gets another shape (view, reshape) and is not transposed, so the
numbers are scrambled.

"bhd,bhe->de" => "bhd,bhe->bde"
dw 还留着 B 轴：每个样本都用了同一个 w，它们的梯度要相加。
Your dw still has the axis B: every sample used the same w, and their gradients
add up.

"bhd,bhe->de" => "bhd,bhe->hde"
dw 还留着 H 轴：每个位置都用了同一个 w，它们的梯度要相加。
Your dw still has the axis H: every position used the same w, and their
gradients add up.

torch.einsum("bhd,bhe->de", x, g) => x[-1].T @ g[-1]
g.sum((0, 1)) => g[-1].sum(0)
dw 和 db 只来自最后一个样本：循环里每次都盖掉了前一个？
Your dw and db come from the last sample alone: does each turn of a loop
overwrite the one before?

"bhd,bhe->de" => "bhd,bhe->ed"
dw 转置了，形状是 (E, D)：梯度与 w 同形状。
Your dw is transposed, of shape (E, D): a gradient has the shape of w.

"bhd,bhe->de" => "bhd,fce->de"
dw 是 x 的和与 g 的和的外积：相乘要在每个位置上进行，然后才求和。
Your dw is the outer product of two sums: multiply at every position first,
then add.

(0, 1) => 0
db 只对 B 求了和：每个位置也都加了同一个 b。
Your db is summed over B only: every position adds the same b as well.

(0, 1) => 1
db 只对 H 求了和：每个样本也都加了同一个 b。
Your db is summed over H only: every sample adds the same b as well.

.sum((0, 1)) =>
db 就是 g，没有求和：b 的形状是 (E)，它的梯度也是。
Your db is g, without a sum: b has shape (E), and so has its gradient.

x, g) => x, g) / (len(x) * x.shape[1])
.sum((0, 1)) => .mean((0, 1))
dw 和 db 除以了 B·H：损失若取平均，那已经在 g 里了，这里只求和。
You divide dw and db by B·H: if the loss takes a mean, it is in g already; here
there are sums only.

x, g) => x[:1], g[:1])
dw 只用了第一个样本：每个样本都用了同一个 w。
Your dw uses the first sample only: every sample used the same w.
""",
)


def local_grad(name, x, other):
    N = x.shape[0]
    if name == "relu":
        return other * (x > 0)
    if name == "sigmoid":
        s = torch.sigmoid(x)
        return other * s * (1 - s)
    if name == "mse":
        return 2 * (x - other) / x.numel()
    if name == "bce":
        return (torch.sigmoid(x) - other) / x.numel()
    one_hot = F.one_hot(other, x.shape[1])  # (N,) -> (N, C)
    return (torch.softmax(x, dim=1) - one_hot) / N


FORWARD = {
    "relu": lambda x, g: (F.relu(x) * g).sum(),
    "sigmoid": lambda x, g: (torch.sigmoid(x) * g).sum(),
    "mse": F.mse_loss,
    "bce": F.binary_cross_entropy_with_logits,
    "ce": F.cross_entropy,
}


def forward_by_autograd(name, x, other):
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(FORWARD[name](leaf, other), leaf)[0]


def local_cases(rng):
    for name in FORWARD:
        for s in variations(rng, "N C"):
            other = s.normal("N C")
            if name == "bce":
                other = s.lay(other.sigmoid())
            if name == "ce":
                other = s.integers("N", 0, s.C)
            yield name, s.normal("N C"), other


local_grad = exercise(
    local_grad,
    local_cases,
    oracle=forward_by_autograd,
    holds=[by_hand],
    wrong=r"""
other * (x > 0) => (x > 0).to(x.dtype)
relu：没有乘上游梯度。局部导数只是 0 或 1。
relu: the upstream gradient is missing. The local derivative alone is 0 or 1.

other * (x > 0) => other * x.clamp(min=0)
relu：乘的是 relu(x) 本身，不是它的导数：x 从 2 挪到 2.1，relu(x) 变多少？
relu: you multiply by relu(x), not by its derivative: by how much does relu(x)
change when x goes from 2 to 2.1?

x > 0 => x < 0
relu：方向反了：前向时 x > 0 的通过了，x < 0 的被挡住。
relu: the wrong way round: in the forward pass x > 0 passed and x < 0 did not.

other * (x > 0) => (x > 0).to(x.dtype)
other * s => s
relu 和 sigmoid 都没有乘上游梯度 other。
relu and sigmoid: the upstream gradient, other, is missing in both.

x > 0 => other > 0
relu：看的是上游梯度的正负：前向时是 x 决定谁通过。
relu: you look at the sign of the upstream gradient: in the forward pass it was
x that decided what passes.

other * s => s
sigmoid：没有乘上游梯度 other。
sigmoid: the upstream gradient, other, is missing.

other * s * (1 - s) => other * (1 - other)
sigmoid：你把 other 当成了输出：它是上游梯度。
sigmoid: you take other for the output: it is the upstream gradient.

s = torch.sigmoid(x) => s = x
sigmoid：公式对，代入的却是输入：s 是输出。
sigmoid: the formula is right, but you put the input into it: s is the output.

other * s * (1 - s) => other * s
sigmoid：乘的是 σ(x) 本身，不是它的导数：x 很大时曲线是平的，导数应接近 0。
sigmoid: you multiply by σ(x), not by its derivative: for large x the curve is
flat, and the derivative close to 0.

s * (1 - s) => (1 - s)
sigmoid：少了一个因子：x 很小（很负）时曲线也是平的，导数也应接近 0。
sigmoid: one factor is missing: for very negative x the curve is flat as well,
and the derivative close to 0.

s * (1 - s) => (1 - s * s)
sigmoid：1 − s² 是 tanh 的导数里的；σ 在 x = 0 处的斜率是 1/4。
sigmoid: 1 − s² belongs to tanh; the slope of σ at x = 0 is 1/4.

(torch.sigmoid(x) - other) / x.numel() => torch.sigmoid(x) / x.numel()
bce：少了 −t·x 这一项的导数。
bce: the derivative of the term −t·x is missing.

(torch.sigmoid(x) - other) => (x - other)
bce：log(1 + eˣ) 的导数不是 x：再求一次。
bce: the derivative of log(1 + eˣ) is not x: work it out again.

(torch.sigmoid(x) - other) => (x - other) / (x * (1 - x))
bce：你把 x 当成了概率：它是原始输出（logits），可以小于 0 或大于 1。
bce: you take x for a probability: it holds logits, which may be below 0 or
above 1.

if name == "bce": => s = torch.sigmoid(x)\n    if name == "bce":
(torch.sigmoid(x) - other) => (s - other) * s * (1 - s)
bce：多乘了一次 σ′：表中的前向里，x 没有再经过一次 sigmoid。
bce: one factor σ′ too many: in the table's forward, x goes through no other
sigmoid.

(torch.sigmoid(x) - other) => (torch.softmax(x, 1) - other)
bce：用了 softmax，那是 ce 的：这里每个元素自成一体，与同一行的其他元素无关。
bce: softmax belongs to ce: here each element stands by itself, without the
others of its row.

(x - other) => (other - x)
(torch.sigmoid(x) - other) => (other - torch.sigmoid(x))
softmax(x, dim=1) - one_hot => softmax(x, dim=1) * -1 + one_hot
mse、bce、ce 的符号都反了：预测偏大时，梯度应是正的。
mse, bce and ce have the wrong sign: where the prediction is too large, the
gradient is positive.

dim=1 => dim=0
ce：softmax 沿错了轴：每一行的概率之和才是 1。
ce: softmax over the wrong axis: probabilities add up to 1 in each row.

softmax(x, dim=1) - one_hot => softmax(x, dim=1)
ce：少了 −xₜ 这一项的导数：正确类别的梯度应是负的。
ce: the derivative of the term −xₜ is missing: at the right class the gradient
is negative.

(torch.softmax(x, dim=1) - one_hot) => -one_hot.to(x.dtype)
ce：少了 log Σ eˣ 这一项的导数。
ce: the derivative of the term log Σ eˣ is missing.

torch.softmax(x, dim=1) - one_hot => torch.sigmoid(x) - one_hot
ce：用了 sigmoid，那是 bce 的：这里同一行的各个类别要一起归一化。
ce: the sigmoid belongs to bce: here the classes of a row are normalised
together.

torch.softmax(x, dim=1) - one_hot => torch.log_softmax(x, dim=1) - one_hot
ce：用了 log_softmax：它是损失里的，不是它的导数。
ce: log_softmax stands in the loss, not in its derivative.

torch.softmax(x, dim=1) => torch.exp(x)
ce：eˣ 没有归一化：每一行的概率之和应是 1。
ce: eˣ is not normalised: the probabilities of a row add up to 1.

 - one_hot =>  - other[:, None]
ce：减去的是类别的编号：它只说哪一列是对的，不是一个量。
ce: you subtract the number of the class: it only says which column is right,
and is no amount.

one_hot = => p = torch.softmax(x, dim=1)\n    p[:, other] -= 1\n    one_hot =
(torch.softmax(x, dim=1) - one_hot) / N => p / N
ce：p[:, other] 选中的是整列，每一行都被减了：每行只动自己的类别。
ce: p[:, other] picks whole columns, so every row is changed: in each row only
its own class counts.
""",
)

# --- 4. an autograd --------------------------------------------------------


class Value:
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other):
        slopes = [(self, 1.0), (other, 1.0)]
        return Value(self.data + other.data, slopes)

    def __mul__(self, other):
        slopes = [(self, other.data), (other, self.data)]
        return Value(self.data * other.data, slopes)

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, [(self, 1 - t * t)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node in seen:
                return
            seen.add(node)
            for i, _ in node.inputs:
                visit(i)
            order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for i, slope in node.inputs:
                i.grad += node.grad * slope


class ByTorch:
    """What `Value` has to do, done by PyTorch."""

    def __init__(self, data):
        self.x = torch.as_tensor(data, dtype=torch.float64)
        if not self.x.requires_grad:
            self.x.requires_grad_()
        self.x.retain_grad()

    def __add__(self, other):
        return ByTorch(self.x + other.x)

    def __mul__(self, other):
        return ByTorch(self.x * other.x)

    def tanh(self):
        return ByTorch(self.x.tanh())

    def backward(self):
        self.x.backward()

    @property
    def data(self):
        return self.x.item()

    @property
    def grad(self):
        return 0.0 if self.x.grad is None else self.x.grad.item()


def grown(kind, leaves, steps):
    """All values by name, before anything goes back; the last is the last."""
    values = {name: kind(number) for name, number in leaves.items()}
    for step in steps.split("; "):
        name, expression = step.split(" = ")
        value = eval(expression, {}, values)
        if not isinstance(value, kind):
            raise Rejection(
                f"{expression} 应得到新的 Value，却得到 "
                f"{type(value).__name__}。",
                f"{expression} should give a new Value, but gives "
                f"{type(value).__name__}.",
            )
        if not isinstance(value.data, (int, float)):
            raise Rejection(
                f"data 应是 float，得到 {type_name(value.data)}。",
                f"data should be a float, and is {type_name(value.data)}.",
            )
        if any(value is other for other in values.values()):
            raise Rejection(
                f"{expression} 应得到新的 Value，你返回的是原来的那一个。",
                f"{expression} should give a new Value; you return one that "
                "was there before.",
            )
        values[name] = value
    return values


def numbers(values):
    return {
        f"{name}.{part}": float(getattr(value, part))
        for part in ("data", "grad")
        for name, value in values.items()
    }


def there_and_back(kind):
    def run(leaves, steps):
        values = grown(kind, leaves, steps)
        values[steps.split("; ")[-1].split(" = ")[0]].backward()
        return numbers(values)

    return run


def same_numbers(got, want):
    """Tells the first value that is wrong, else the last gradient."""
    wrong = [n for n in want
             if not math.isclose(got[n], want[n], abs_tol=1e-9)]  # fmt: skip
    if not wrong:
        return
    name, zh, en = wrong[0], "", ""
    if name.endswith("grad"):
        name, zh, en = wrong[-1], "data 都对；", "All data are right, but "
    raise Rejection(
        f"{zh}{name} 应为 {want[name]:.4g}，得到 {got[name]:.4g}。",
        f"{en}{name} should be {want[name]:.4g}, not {got[name]:.4g}.",
    )


def value_cases(rng):
    """Leaves as numbers, then steps; the last goes back."""
    yield {"a": 2.0, "b": -3.0}, "c = a + b"
    yield {"a": 2.0, "b": -3.0}, "c = a * b"
    yield {"a": 0.6, "b": 0.3}, "c = a.tanh()"
    yield {"a": 0.7}, "b = a * a"
    yield {"a": -0.4}, "b = a + a"
    # Equal numbers in different nodes.
    yield {"a": 0.7, "b": 0.7}, "c = a.tanh(); d = b.tanh(); e = c + d"
    # d is used early and late: it may send only when both have come.
    late = "c = a * b; d = c.tanh(); e = d * c"
    yield {"a": 0.5, "b": 0.8}, late + "; f = d + e; g = f * c"
    yield {"a": 0.5, "b": 0.8}, late + "; f = e + d; g = c * f"
    for _ in range(3):
        names = "abcdefghijk"
        leaves = (torch.rand(3, generator=rng) + 0.2).tolist()
        steps = []
        for n in range(3, 11):  # each step is used by the next
            kind, i = (int(torch.randint(m, (), generator=rng))
                       for m in (3, n))  # fmt: skip
            last, other = names[n - 1], names[i]
            step = (f"{last} + {other}", f"{last} * {other}", f"{last}.tanh()")
            steps.append(f"{names[n]} = {step[kind]}")
        yield dict(zip("abc", leaves, strict=True)), "; ".join(steps)


@says(
    "60 次翻倍之后，第一个值的梯度应是 2 的 60 次方。",
    "After 60 doublings the gradient of the first value should be 2 to the "
    "power of 60.",
)
def sends_once(kind, leaves, steps):
    first = last = kind(0.5)
    for _ in range(60):
        last = last + last
    if not limited(last.backward, 30_000):
        raise Rejection(
            "每条路都单独走了一遍：60 次翻倍有 2 的 60 次方条路，走不完。"
            "等一个节点收齐上游梯度，再让它送一次。",
            "Every path is walked on its own: after 60 doublings there "
            "are 2 to the power of 60 of them. Wait until a node has all "
            "its upstream gradients, then let it send once.",
        )
    return math.isclose(first.grad, 2.0**60)


@says(
    "两张互不相干的图，一张的 backward() 影响了另一张：图里应只有结果的输入，"
    "和输入的输入。",
    "Of two graphs that have nothing to do with each other, the backward() of "
    "one affects the other: a graph is a result's inputs, their inputs.",
)
def keeps_graphs_apart(kind, leaves, steps):
    both = [grown(kind, leaves, steps) for _ in range(2)]
    for values in both:
        list(values.values())[-1].backward()
    return (
        numbers(both[0])
        == numbers(both[1])
        == there_and_back(kind)(leaves, steps)
    )


Value = exercise(
    Value,
    value_cases,
    part=True,
    oracle=ByTorch,
    adapt=there_and_back,
    compare=same_numbers,
    holds=[sends_once, keeps_graphs_apart],
    wrong=r"""
i.grad += => i.grad =
梯度被替换了：用了几次的值会收到几份梯度，它们要相加。
Gradients are replaced: a value that is used several times receives several
gradients, and they add up.

other.data), (other, self.data) => self.data), (other, other.data)
乘法的局部导数弄反了：b 不变时，a 挪动一点，a * b 变多少？
The local derivatives of the product are swapped: with b fixed, by how much
does a * b change when a moves a little?

(self, other.data), (other, self.data) => (self, 1.0), (other, 1.0)
乘法记下的局部导数是加法的。
The local derivatives noted for the product are those of a sum.

1.0), (other, 1.0) => self.data), (other, other.data)
加法记下的局部导数不对：a 挪动 0.1，a + b 变多少？
The local derivatives noted for the sum are wrong: by how much does a + b
change when a moves by 0.1?

1 - t * t => 1 - self.data**2
tanh 的导数用了输入：1 − tanh² 要代入输出。
The derivative of tanh uses the input: 1 − tanh² takes the output.

1 - t * t => t
tanh 记下的局部导数是 tanh 本身。
The local derivative noted for tanh is tanh itself.

1 - t * t => 1 - t
tanh 的局部导数少了平方：1 − tanh²。
The square is missing in the local derivative of tanh, 1 − tanh².

, [(self, 1 - t * t)] =>
tanh 没有记下输入：梯度到这里就断了。
tanh remembers no input: gradients stop there.

self.grad = 1.0 => pass
backward 没有起点：结果对自己的导数是 1。
backward has no start: the derivative of the result with respect to itself is
1.

reversed(order) => [self]
梯度只送到了直接的输入：要一直送到叶子。若已排好次序，想想哪一头先送。
Gradients reach the direct inputs only: they have to go on to the leaves. If
you made an order, think which end sends first.

reversed(order) => [self]
node.grad * slope => node.grad * slope\n                i.backward()
每个输入又调用了自己的 backward()，它把自己的 grad 重设为 1：只有结果从 1 开
始。
Every input calls its own backward(), which sets its grad to 1 again: only the
result starts from 1.

visit(self) => order.append(self)
reversed(order) => order
i.grad += => (i in order) or order.append(i)\n                i.grad +=
次序不对（从结果一层层往回）：有的节点还没收齐上游梯度就送出去了。
The order is wrong (layer by layer from the result): some nodes send before all
their upstream gradients have come.

            order.append(node) =>
seen.add(node) => seen.add(node)\n            order.append(node)
reversed(order) => order
次序不对（先放自己，再访问输入）：有的节点还没收齐上游梯度就送出去了。
The order is wrong (the node first, then its inputs): some nodes send before
all their upstream gradients have come.

node.grad * slope => slope
局部导数没有乘以送出它的那个节点的 grad（不是 self.grad）：链式法则要一环
乘一环。
The local derivative is not multiplied by the grad of the node that sends it
(which is not self.grad): the chain rule multiplies link by link.
""",
)

# --- 5 and 6. where gradients end up ---------------------------------------


def grad_after(g, k, clear):
    if k == 0 or clear == "after":
        return None
    if clear == "zeros":
        return torch.zeros_like(g)
    return g.clone() if clear == "before" else k * g


def grad_by_running(g, k, clear):
    w = torch.zeros_like(g, requires_grad=True)
    for _ in range(k):
        if clear == "before":
            w.grad = None
        w.backward(g)
        if clear == "after":
            w.grad = None
        if clear == "zeros":
            w.grad = torch.zeros_like(g)
    return w.grad


def grad_cases(rng):
    for j, clear in enumerate(("never", "before", "after", "zeros")):
        some = 2 + int(torch.randint(5, (), generator=rng))
        for i, s in enumerate(variations(rng, "N *")):
            yield s.normal("N *"), (1, some, 0)[(i + j) % 3], clear


grad_after = exercise(
    grad_after,
    grad_cases,
    oracle=grad_by_running,
    wrong=r"""
return None => return torch.zeros_like(g)
应为 None 的地方你返回了 0：从没收到梯度，或被 zero_grad() 清掉，都是 None。
You return zeros where None is due: a gradient that never came, or that
zero_grad() cleared, is None.

else k * g => else g
不清零时，k 次 backward() 的梯度会累加，不是只留最后一次的。
Without clearing, the gradients of k backward passes add up; the last one does
not replace the others.

return k * g if k else None
没有理会 clear：每种情况你都返回了不清零的结果。
You ignore clear: in every case you return what comes without clearing.

return torch.zeros_like(g) => return None
set_to_none=False 清成的是 0，不是 None。
set_to_none=False clears to zeros, not to None.

return None => return torch.zeros_like(g) if k else None
zero_grad() 默认清成 None，不是 0。
By default, zero_grad() clears to None, not to zeros.

k == 0 or => k == 0 and clear != "zeros" or
k 是 0 时一轮都没跑，zero_grad(set_to_none=False) 也没被调用过：仍是 None。
With k = 0 no round is run, so zero_grad(set_to_none=False) was never called:
it is still None.

k == 0 or => k == 0 and clear != "never" or
k 是 0 时没有 backward()，也就没有梯度：是 None，不是 0 * g。
With k = 0 there is no backward pass and so no gradient: None, not 0 * g.

k == 0 or clear => clear
else k * g => else max(k, 1) * g
k 是 0 时你也当作跑了一轮：一轮都没跑，.grad 还是 None。
With k = 0 you act as if one round was run: none was, and .grad is still None.

k == 0 or =>
只差 k = 0：一轮都没跑，四种情况下 .grad 都还是 None。
Only k = 0 is missing: no round was run, and with all four .grad is still None.

k == 0 or => k == 0 and clear != "before" or
“before”在 k = 0 时也返回了 g：一次 backward() 都没有，是 None。
With "before" you return g for k = 0 as well: there was no backward(), so None.

"after" => "last"
"before" => "after"
"last" => "before"
“before”和“after”弄反了：清零之后再 backward()，与 backward() 之后再清零，剩
下的不同。
"before" and "after" are exchanged: clearing and then backward() does not leave
what backward() and then clearing leaves.

clear == "after" => False
clear == "before" => clear != "never"
“after”在最后一次 backward() 之后也清：g 不会留下。
With "after", the last backward() is followed by clearing too: g does not stay.

g.clone() if clear == "before" else k * g => k * g
“before”每轮都先清掉上一轮的：不会累加成 k * g。
With "before", each round first clears what the last one left: it does not add
up to k * g.

clear == "after" => clear in ("after", "before")
“before”在 backward() 之前清，最后一次 backward() 送来的还在：不是 None。
With "before", clearing comes before backward(), so what the last backward()
delivered is still there: not None.

torch.zeros_like(g) => torch.zeros(g.shape)
0 的 dtype 是默认的 dtype：应与 g 相同。
The zeros have the default dtype: they should have that of g.
""",
)


def distill_loss(x, w_student, w_teacher):
    goal = (x @ w_teacher).detach()  # (N, D) @ (D, E) -> (N, E)
    return ((x @ w_student - goal) ** 2).mean()


def with_gradients(answer):
    """The loss, and the gradients that it leaves after one backward."""

    def run(x, w_student, w_teacher):
        leaves = {"x": x, "w_student": w_student, "w_teacher": w_teacher}
        for leaf in leaves.values():
            leaf.grad = None
        loss = answer(*leaves.values())
        if isinstance(loss, torch.Tensor) and loss.ndim == 0:
            loss.backward()
        grads = {f"{name}.grad": t.grad for name, t in leaves.items()}
        return {"loss": loss} | grads

    return run


def distill_cases(rng):
    for s in variations(rng, "N D E"):
        shapes = "N D", "D E", "D E"
        yield tuple(s.normal(shape).requires_grad_() for shape in shapes)


distill_loss = exercise(
    distill_loss,
    distill_cases,
    adapt=with_gradients,
    wrong=r"""
.detach() =>
老师那一支没有截断：w_teacher 也收到了梯度。
The teacher's branch is not cut: w_teacher gets a gradient too.

(x @ w_teacher).detach() => x @ w_teacher.detach()
只截断了 w_teacher：x 仍从老师那一支收到梯度。
Only w_teacher is detached: x still gets a gradient through the teacher.

(x @ w_teacher).detach() => x.detach() @ w_teacher
老师那一支只截断了 x：w_teacher 仍收到梯度。
In the teacher's branch only x is detached: w_teacher still gets a gradient.

.detach() =>
(x @ w_student => ((x @ w_student).detach()
截错了一支：学生冻住了，老师在学。
The wrong branch is cut: the student is frozen and the teacher learns.

.mean() => .mean().detach()
整个损失都被截断了：没有图，就不能 backward()。
The whole loss is detached: without a graph there is no backward().

x @ w_student => x.detach() @ w_student
学生那一支的 x 也被截断了：x.grad 应从学生那一支来。
x is detached in the student's branch as well: x.grad should come through the
student.

x @ w_student => x @ w_student.detach()
w_student 也被截断了，收不到梯度：它是要学的那一个。
w_student is detached too and gets no gradient: it is the one that learns.

.mean() => .mean().detach().requires_grad_()
损失的值对，但它与 x、w_student 之间的图断了（例如新建了张量），两者都收不到
梯度。
The loss has the right value, but its graph does not reach x and w_student (was
a new tensor made?), and neither gets a gradient.

return ( => loss = (
.mean() => .mean()\n    loss.backward()\n    return loss
函数里已经调用了 backward()，图也就释放了：反向留给调用它的人。
backward() is called inside the function, which frees the graph: leave the
backward pass to the caller.

return ( => loss = (
.mean() => .mean()\n    loss.backward(retain_graph=True)\n    return loss
函数里已经调用了 backward()，梯度于是加了两份：反向留给调用它的人。
backward() is called inside the function, so gradients come twice: leave the
backward pass to the caller.

.mean() => .sum()
损失是求和，题目要的是平均。
The loss is a sum; the mean is asked for.

 ** 2).mean() => .abs()).mean()
差没有平方，取的是绝对值。
You take the absolute values of the differences, not their squares.
""",
)
