"""Checks of lesson 07: an autograd, clearing, a layer's gradients."""

import math

import torch

from exercises import Rejection, draw, exercise, says, variations
from exercises.compare import type_name
from exercises.properties import limited, without

DTYPE = torch.float64  # the lesson's default


# --- 1. an autograd ---------------------------------------------------------


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
        for node in order:
            if node.inputs:  # a leaf keeps what it has
                node.grad = 0.0
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
        self.x.backward(retain_graph=True)

    @property
    def data(self):
        return self.x.item()

    @property
    def grad(self):
        return 0.0 if self.x.grad is None else self.x.grad.item()


def grown(kind, leaves, steps):
    """All values by name, before anything goes back; the last is the last.

    The leaves are numbers, or values already.
    """
    values = {
        name: leaf if isinstance(leaf, kind) else kind(leaf)
        for name, leaf in leaves.items()
    }
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
    yield {"a": 400.0}, "b = a.tanh()"  # where exp overflows
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


@says(
    "再调用一次 backward()，叶子收到的不是原来的一份：中间的值还留着上一次的"
    "梯度，又送了一遍。",
    "A second backward() does not bring the leaves the same once more: values "
    "in between still hold what came the first time, and send it again.",
)
def adds_at_leaves(kind, leaves, steps):
    """Of what is in between, then twice of the result."""
    first, *_, last = [step.split(" = ")[0] for step in steps.split("; ")] * 2
    got, want = ({}, {})
    for own, found in ((kind, got), (ByTorch, want)):
        values = grown(own, leaves, steps)
        for name in (first, last, last):
            values[name].backward()
            for leaf in leaves:
                now = found.setdefault(leaf, [])
                now.append(float(values[leaf].grad))
    for leaf in leaves:
        if all(map(close, got[leaf], want[leaf])):
            continue
        if not close(got[leaf][0], want[leaf][0]):
            return True  # a single backward is wrong: values tell it
        values = grown(kind, leaves, steps)
        values[last].backward()
        values[leaf].grad = 100.0
        values[last].backward()
        if close(values[leaf].grad, want[leaf][-1] - want[leaf][-2]):
            raise Rejection(
                "第二次 backward() 换掉了叶子的梯度：应加在原来的上面。",
                "A second backward() replaces the gradients of the leaves: "
                "it should add to them.",
            )
        # Nothing sent is another mistake than too much.
        assert not close(values[leaf].grad, 100.0)
        return False
    return True


@says(
    "叶子已有 grad 时，用它造新的结果，grad 就变了：只有 backward() 改 grad。",
    "Where a leaf has a grad, making a new result of it changes that grad: "
    "only backward() does.",
)
def builds_without_clearing(kind, leaves, steps):
    values = grown(kind, leaves, steps)
    list(values.values())[-1].backward()
    before = {name: values[name].grad for name in leaves}
    grown(kind, {name: values[name] for name in leaves}, steps)
    return all(values[name].grad == before[name] for name in leaves)


def close(one, other):
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


Value = exercise(
    Value,
    value_cases,
    part=True,
    oracle=ByTorch,
    adapt=there_and_back,
    compare=same_numbers,
    holds=[
        sends_once,
        keeps_graphs_apart,
        adds_at_leaves,
        builds_without_clearing,
    ],
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

slopes = [(self, 1.0), (other, 1.0)] => slopes = [(self, 1.0)]
加法只记下了一个输入：a + b 里的 b 也要收到梯度。
The sum remembers one input only: in a + b, b receives a gradient, too.

(self, other.data), (other, self.data) => (self, other.data)
乘法只记下了一个输入：a * b 里的 b 也要收到梯度。
The product remembers one input only: in a * b, b receives a gradient, too.

[(self, 1 - t * t)] => ((self, 1 - t * t))
tanh 的 inputs 不是“若干对”：((a, d)) 就是 (a, d)。只有一对时写 [(a, d)]，或
((a, d),)，逗号不能少。
The inputs of tanh are no pairs: ((a, d)) is just (a, d). For a single pair
write [(a, d)], or ((a, d),) with its comma.

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

node.grad = 0.0 => pass
第二次 backward()：中间的值没有从 0 开始，上一次的梯度又送了一遍。
In a second backward() the values in between do not start from 0, so what they
got the first time is sent again.

node.grad * slope => node.grad * slope\n            node.inputs = ()
第二次 backward() 什么也没送到叶子：去过的记号还留着，或者图用完就拆了。
每次都要从头走一遍。
A second backward() sends nothing to the leaves: marks of the first visit are
still there, or the graph was taken apart. Every pass goes through all of it.

self.data, self.inputs, self.grad = data, inputs, 0.0 => SELF
SELF => self.data, self.inputs, self.grad = data, inputs, 0.0\n        RESET
RESET => for i, _ in inputs:\n            i.grad = 0.0
造新的 Value 时，你把输入的 grad 设成了 0：叶子的 grad 只由 backward() 改变。
When a new Value is made you set the grad of its inputs to 0: the grad of a
leaf is changed by backward() alone.

if node.inputs: => if True:
第二次 backward() 之前，叶子的梯度也被清掉了：叶子的应累加。
Before a second backward() the gradients of the leaves are cleared, too: those
add up.

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

if node in seen: => if False:
去过的节点没有跳过：用了几次的节点在次序里出现几次，也就送了几次。
Nodes that were visited are not skipped: a node that is used several times
stands in the order several times, and sends as often.

if node in seen: => if node.data in seen:
seen.add(node) => seen.add(node.data)
你按 data 认节点：两个不同的节点，数可以相同。记下节点本身。
You tell nodes apart by their data: two nodes may hold the same number. Keep
the nodes themselves.

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

for node in reversed(order): => def send(node):
node.grad * slope => node.grad * slope\n                send(i)END
END => \n\n        send(self)
一个节点送了不止一次，每次都把累计的梯度又送一遍：收齐以后只送一次。
A node sends more than once, and each time all that it has so far is sent
again: it should send only once, when everything has come.

for node in reversed(order): => def send(node):
node.grad * slope => node.grad * slope\n            AGAIN
AGAIN => for i, _ in node.inputs:\n                send(i)END
END => \n\n        send(self)
递归每到一个节点，它就把累计的梯度又送一遍：收齐以后只送一次。
Whenever the recursion comes to a node, all that it has so far is sent again:
it should send only once, when everything has come.

for node in reversed(order): => order = [self]\n        for node in order:
node.grad * slope => node.grad * slope\n                order.append(i)
同一个节点几次进入队列，每次都把累计的梯度又送一遍：收齐以后只送一次。
A node enters the queue several times, and each time all that it has so far is
sent again: it should send only once, when everything has come.

node.grad * slope => slope
局部导数没有乘以送出它的那个节点的 grad（不是 self.grad）：链式法则要一环
乘一环。
The local derivative is not multiplied by the grad of the node that sends it
(which is not self.grad): the chain rule multiplies link by link.
""",
)

# --- 2. where gradients end up ----------------------------------------------


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
    time_limit=20.0,  # a session's first optimizer imports torch._dynamo
    wrong=r"""
return None => return torch.zeros_like(g)
应为 None 的地方你返回了 0：从没收到梯度，或被 zero_grad() 清掉，都是 None。
You return zeros where None is due: a gradient that never came, or that
zero_grad() cleared, is None.

else k * g => else g
不清零时，k 次 backward() 的梯度会累加，不是只留最后一次的。
Without clearing, the gradients of k backward passes add up; the last one does
not replace the others.

else k * g => else k * (k + 1) / 2 * g
每一轮加上一份 g，k 轮是 k 份：你加成了 1 + 2 + … + k 份。
Every round adds one g, and k rounds make k of them: you added 1 + 2 + … + k.

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

if k == 0 and clear != "after":
    return torch.zeros_like(g)
return right(g, k, clear)
k 是 0 时你返回了 0：一轮都没跑，.grad 不是从 0 开始，而是 None。
For k = 0 you return zeros: no round was run, and .grad does not start from
zeros but from None.

return right(g, k, clear) if k else torch.zeros_like(g)
k 是 0 时你总是返回 0：一轮都没跑，四种情况下 .grad 都是 None。
For k = 0 you always return zeros: no round was run, and with all four .grad is
None.

return right(g, k, clear) if k else 0
k 是 0 时你返回了一个数 0：一轮都没跑，.grad 是 None。
For k = 0 you return the number 0: no round was run, and .grad is None.

k == 0 or => k == 0 and clear == "zeros" or
“never”和“before”漏了 k = 0：一轮都没跑，.grad 还是 None。
With "never" and "before" k = 0 is missing: no round was run, and .grad is
still None.

k == 0 or => k == 0 and clear == "before" or
“never”和“zeros”漏了 k = 0：一轮都没跑，.grad 还是 None。
With "never" and "zeros" k = 0 is missing: no round was run, and .grad is still
None.

k == 0 or => k == 0 and clear == "never" or
“before”和“zeros”漏了 k = 0：一轮都没跑，.grad 还是 None。
With "before" and "zeros" k = 0 is missing: no round was run, and .grad is
still None.

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
结果的 dtype 是默认的 float64，应与 g 的相同。
Results have the default dtype, float64: they should have that of g.
""",
)

# --- 3. a layer's gradients -------------------------------------------------

by_hand = without(
    "requires_grad grad backward vjp jvp jacfwd jacrev linearize make_dual",
    "这里要自己推公式：你的代码让 autograd 求了导。",
    "Derive the formulas here: your code lets autograd differentiate.",
)


def linear_backward(x, w, g):
    dx = g @ w.T  # (B, N, E) @ (E, D) -> (B, N, D)
    dw = torch.einsum("bnd,bne->de", x, g)
    db = g.sum((0, 1))  # (B, N, E) -> (E,)
    return dx, dw, db


def layer_by_autograd(x, w, g):
    leaves = [x, w, g.new_zeros(g.shape[-1])]
    x, w, b = (t.detach().clone().requires_grad_() for t in leaves)
    return torch.autograd.grad(x @ w + b, (x, w, b), g)


linear_backward = exercise(
    linear_backward,
    draw("B N D, D E, B N E"),
    oracle=layer_by_autograd,
    holds=[by_hand],
    wrong=r"""
g @ w.T => g @ w
dx 用了 g @ w，没有转置：先看形状，(B, N, E) 乘不了 (D, E)；D 与 E 相等时不
报错，数却是错的。
Your dx is g @ w, without a transpose. Look at the shapes: (B, N, E) does not
fit (D, E); where D equals E there is no error, and the numbers are wrong.

dx = => g = torch.ones_like(g)\n    dx =
没有用到上游梯度 g。
The upstream gradient g is not used.

torch.einsum("bnd,bne->de", x, g) => x.reshape(len(w), -1) @ g.flatten(0, 1)
dw：x 只是换了形状（view、reshape），没有转置，数被打乱了。
dw: x only gets another shape (view, reshape) and is not transposed, so the
numbers are scrambled.

"bnd,bne->de" => "bnd,bne->bde"
dw 还留着 B 轴：每个样本都用了同一个 w，它们的梯度要相加。
Your dw still has the axis B: every sample used the same w, and their gradients
add up.

"bnd,bne->de" => "bnd,bne->nde"
dw 还留着 N 轴：每个位置都用了同一个 w，它们的梯度要相加。
Your dw still has the axis N: every position used the same w, and their
gradients add up.

torch.einsum("bnd,bne->de", x, g) => x[-1].T @ g[-1]
g.sum((0, 1)) => g[-1].sum(0)
dw 和 db 只来自最后一个样本：循环里每次都盖掉了前一个？
Your dw and db come from the last sample alone: does each turn of a loop
overwrite the one before?

"bnd,bne->de" => "bnd,bne->ed"
dw 转置了，形状是 (E, D)：梯度与 w 同形状。
Your dw is transposed, of shape (E, D): a gradient has the shape of w.

"bnd,bne->de" => "bnd,fce->de"
dw 是 x 的和与 g 的和的外积：相乘要在每个位置上进行，然后才求和。
Your dw is the outer product of two sums: multiply at every position first,
then add.

(0, 1) => 0
db 只对 B 求了和：每个位置也都加了同一个 b。
Your db is summed over B only: every position adds the same b as well.

(0, 1) => 1
db 只对 N 求了和：每个样本也都加了同一个 b。
Your db is summed over N only: every sample adds the same b as well.

.sum((0, 1)) =>
db 就是 g，没有求和：b 的形状是 (E)，它的梯度也是。
Your db is g, without a sum: b has shape (E), and so has its gradient.

x, g) => x, g) / (len(x) * x.shape[1])
.sum((0, 1)) => .mean((0, 1))
dw 和 db 除以了 B·N：损失若取平均，那已经在 g 里了，这里只求和。
You divide dw and db by B·N: if the loss takes a mean, it is in g already; here
there are sums only.

x, g) => x, g) / (len(x) * x.shape[1])
dw 取了平均：每一份梯度都要加上，不除。
Your dw is a mean: the gradients of all positions are added, and not divided.

x, g) => x, g) / len(x)
dw 除以了 B：每个样本的梯度都要加上，不除。
Your dw is divided by B: the gradients of all samples are added, and not
divided.

g.sum((0, 1)) => g.new_full(g.shape[2:], len(g) * g.shape[1])
db 没有用到 g，只数了有几个位置：b 加在每个位置上，收到的是各处的 g 之和。
Your db does not use g, it counts positions: b is added at every position and
receives the sum of all g.

.sum((0, 1)) => .mean((0, 1))
db 取了平均：每一份梯度都要加上，不除。
Your db is a mean: the gradients of all positions are added, and not divided.

x, g) => x[:1], g[:1])
dw 只用了第一个样本：每个样本都用了同一个 w。
Your dw uses the first sample only: every sample used the same w.
""",
)
