"""Checks of lesson 07: an autograd for scalars."""

import math
import sys
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake, Property, Rejection

# --- Value ----------------------------------------------------------------


class _TorchValue:
    """What `Value` has to do, done by PyTorch."""

    def __init__(self, data: float, inputs: tuple = ()) -> None:
        dtype = torch.float64
        self.tensor = torch.tensor(data, dtype=dtype, requires_grad=True)

    @classmethod
    def _wrap(cls, tensor: Tensor) -> "_TorchValue":
        value = cls(0.0)
        value.tensor = tensor
        tensor.retain_grad()
        return value

    def __add__(self, other):
        return self._wrap(self.tensor + other.tensor)

    def __mul__(self, other):
        return self._wrap(self.tensor * other.tensor)

    def tanh(self):
        return self._wrap(self.tensor.tanh())

    def backward(self) -> None:
        self.tensor.backward()

    @property
    def data(self) -> float:
        return self.tensor.item()

    @property
    def grad(self) -> float:
        grad = self.tensor.grad
        return 0.0 if grad is None else grad.item()


class _Value:
    """A right answer in Python, whose parts the mistakes replace."""

    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other):
        return type(self)(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        slopes = [(self, other.data), (other, self.data)]
        return type(self)(self.data * other.data, slopes)

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, [(self, 1 - t * t)])

    def order(self) -> list:
        found, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for i, _ in node.inputs:
                    visit(i)
                found.append(node)

        visit(self)
        return found[::-1]

    def backward(self):
        self.grad = 1.0
        for node in self.order():
            for i, slope in node.inputs:
                i.grad += node.grad * slope


class _Overwrites(_Value):
    def backward(self):
        self.grad = 1.0
        for node in self.order():
            for i, slope in node.inputs:
                i.grad = node.grad * slope


class _OwnSlope(_Value):
    def __mul__(self, other):
        slopes = [(self, self.data), (other, other.data)]
        return type(self)(self.data * other.data, slopes)


class _TanhOfInput(_Value):
    def tanh(self):
        slope = 1 - self.data**2
        return type(self)(math.tanh(self.data), [(self, slope)])


class _TanhAsSlope(_Value):
    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, [(self, t)])


class _NoSeed(_Value):
    def backward(self):
        for node in self.order():
            for i, slope in node.inputs:
                i.grad += node.grad * slope


class _OneLevel(_Value):
    def backward(self):
        self.grad = 1.0
        for i, slope in self.inputs:
            i.grad += slope


class _CallsBackward(_Value):
    def backward(self):
        self.grad = 1.0
        for i, slope in self.inputs:
            i.grad += self.grad * slope
            i.backward()


class _BreadthFirst(_Value):
    def order(self):
        found = {self: True}
        todo = [self]
        for node in todo:
            new = {i: True for i, _ in node.inputs if i not in found}
            found |= new
            todo += new
        return todo


class _DepthFirst(_Value):
    def order(self):
        found = []

        def visit(node):
            if node not in found:
                found.append(node)
                for i, _ in node.inputs:
                    visit(i)

        visit(self)
        return found


class _DropsSlope(_Value):
    def backward(self):
        self.grad = 1.0
        for node in self.order():
            for i, slope in node.inputs:
                i.grad += slope


def _run(kind: type) -> Callable:
    """Build what the case says, go back once, return data and grads."""

    def run(leaves: tuple, steps: tuple) -> dict[str, list[float]]:
        values = [kind(number) for number in leaves]
        for operation, *numbers in steps:
            inputs = [values[i] for i in numbers]
            if operation == "+":
                values.append(inputs[0] + inputs[1])
            elif operation == "*":
                values.append(inputs[0] * inputs[1])
            else:
                values.append(inputs[0].tanh())
        values[-1].backward()
        return {
            "data": [float(v.data) for v in values],
            "grad": [float(v.grad) for v in values],
        }

    return run


def _expressions(rng: torch.Generator) -> Iterator[tuple]:
    """Leaves as numbers, then steps: an operation and which values."""
    yield (2.0, -3.0), (("+", 0, 1),)
    yield (2.0, -3.0), (("*", 0, 1),)
    yield (0.6,), (("tanh", 0),)
    yield (0.7,), (("*", 0, 0),)
    yield (-0.4,), (("+", 0, 0),)
    # Equal numbers in different nodes.
    yield (0.7, 0.7), (("tanh", 0), ("tanh", 1), ("+", 2, 3))
    # 3 is used early and late: it may send only when both have come.
    late = ("*", 0, 1), ("tanh", 2), ("*", 3, 2), ("+", 3, 4), ("*", 5, 2)
    yield (0.5, 0.8), late
    yield (0.5, 0.8), (*late[:3], ("+", 4, 3), ("*", 2, 5))
    for _ in range(3):
        leaves = (torch.rand(3, generator=rng) + 0.2).tolist()
        steps = []
        for n in range(3, 11):
            kind = int(torch.randint(3, (), generator=rng))
            i = int(torch.randint(n, (), generator=rng))
            both = (n - 1, i)  # each step is used by the next
            steps.append((("+", *both), ("*", *both), ("tanh", n - 1))[kind])
        yield tuple(leaves), tuple(steps)


def _limited(run: Callable, lines: int = 300_000) -> None:
    """Run; Rejection once more than `lines` lines of Python have passed."""
    left = lines

    def count(frame, event, arg):
        nonlocal left
        left -= 1
        if left < 0:
            raise Rejection(
                "每条路都单独走了一遍：60 次翻倍有 2 的 60 次方条路，走不完。"
                "等一个节点收齐上游梯度，再让它送一次。",
                "Every path is walked on its own: after 60 doublings there "
                "are 2 to the power of 60 of them. Wait until a node has all "
                "its upstream gradients, then let it send once.",
            )
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)


def _sends_once(kind: type, rng: torch.Generator) -> bool:
    first = last = kind(0.5)
    for _ in range(60):
        last = last + last
    _limited(last.backward)
    return math.isclose(first.grad, 2.0**60)


Value = Exercise(
    reference=_TorchValue,
    cases=_expressions,
    adapt=_run,
    mistakes=(
        Mistake(
            _Overwrites,
            "梯度被替换，而不是加上去：用了几次就有几份梯度，要用 +=。",
            "Gradients are replaced, not added: a value that is used several "
            "times receives several gradients; use +=.",
        ),
        Mistake(
            _OwnSlope,
            "乘法的局部导数弄反了：a * b 对 a 的导数是 b.data，不是 a.data。",
            "The local derivatives of the product are swapped: that of a * b "
            "with respect to a is b.data, not a.data.",
        ),
        Mistake(
            _TanhOfInput,
            "tanh 的导数用了输入：1 − t² 里的 t 是输出 tanh(x)。",
            "The derivative of tanh uses the input: the t in 1 − t² is the "
            "output, tanh(x).",
        ),
        Mistake(
            _TanhAsSlope,
            "tanh 记下的局部导数是 tanh 本身：应是 1 − t²。",
            "The local derivative noted for tanh is tanh itself: it should "
            "be 1 − t².",
        ),
        Mistake(
            _NoSeed,
            "backward 没有从 1 开始：先设 self.grad = 1.0。",
            "backward does not start from 1: set self.grad = 1.0 first.",
        ),
        Mistake(
            _OneLevel,
            "梯度只送到了直接的输入：要一直送到叶子。若已排好次序，看看是否忘了"
            "倒过来走。",
            "Gradients reach the direct inputs only: they have to go on to "
            "the leaves. If you made an order, do you go through it in "
            "reverse?",
        ),
        Mistake(
            _CallsBackward,
            "每个输入又调用了自己的 backward()，它把自己的 grad 重设为 1："
            "只有结果从 1 开始，其余的只加。",
            "Every input calls its own backward(), which sets its grad to 1 "
            "again: only the result starts from 1, the others only add.",
        ),
        Mistake(
            _BreadthFirst,
            "次序不对（从结果一层层往回）：有的节点还没收齐上游梯度就送出去了。"
            "先访问所有输入，再把自己放进列表，最后倒过来。",
            "The order is wrong (layer by layer from the result): some nodes "
            "send before all their upstream gradients have come. Visit all "
            "inputs first, then append the node, then go in reverse.",
        ),
        Mistake(
            _DepthFirst,
            "次序不对（先放自己，再访问输入）：要先访问所有输入，再把自己放进"
            "列表，最后倒过来。",
            "The order is wrong (the node first, then its inputs): visit all "
            "inputs, then append the node, then go in reverse.",
        ),
        Mistake(
            _DropsSlope,
            "局部导数没有乘以送出它的那个节点的 grad（不是 self.grad）：链式"
            "法则要一环乘一环。",
            "The local derivative is not multiplied by the grad of the node "
            "that sends it (which is not self.grad): the chain rule "
            "multiplies link by link.",
        ),
    ),
    properties=(
        Property(
            _sends_once,
            "60 次翻倍之后，第一个值的梯度应是 2 的 60 次方。",
            "After 60 doublings the gradient of the first value should be 2 "
            "to the power of 60.",
        ),
    ),
)
