"""Other right answers to lesson 07, and wrong ones that must be rejected."""

import math

import torch
import torch.nn.functional as F
from torch.autograd import forward_ad


# --- linear_backward -------------------------------------------------------
def linear_by_loops(x, w, g):
    dx, dw = torch.zeros_like(x), torch.zeros_like(w)
    db = g.new_zeros(g.shape[-1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dx[i, j] = w @ g[i, j]
            dw += torch.outer(x[i, j], g[i, j])
            db += g[i, j]
    return dx, dw, db


def linear_by_broadcasting(x, w, g):
    dx = (g[..., None, :] * w).sum(-1)  # (B, N, 1, E) * (D, E)
    dw = (x[..., None] * g[..., None, :]).sum((0, 1))
    return dx, dw, g.sum(0).sum(0)


def linear_by_library(x, w, g):
    dw = torch.tensordot(x, g, dims=([0, 1], [0, 1]))
    return F.linear(g, w), dw, g.flatten(0, 1).sum(0)


def linear_by_autograd(x, w, g):
    x = x.detach().requires_grad_()
    w = w.detach().requires_grad_()
    b = torch.zeros(g.shape[-1], dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(x @ w + b, (x, w, b), g)


def linear_by_vjp(x, w, g):
    def layer(x, w, b):
        return x @ w + b

    pull = torch.func.vjp(layer, x, w, g.new_zeros(g.shape[-1]))[1]
    return pull(g)


def linear_by_jvp(x, w, g):
    dw = torch.zeros_like(w)
    for i, j in torch.cartesian_prod(*map(torch.arange, w.shape)).tolist():
        step = torch.zeros_like(w)
        step[i, j] = 1
        moved = torch.func.jvp(lambda w: x @ w, (w,), (step,))[1]
        dw[i, j] = (moved * g).sum()
    return g @ w.T, dw, g.sum((0, 1))


def linear_by_duals(x, w, g):
    dw = torch.zeros_like(w)
    with forward_ad.dual_level():
        for i, j in torch.cartesian_prod(*map(torch.arange, w.shape)).tolist():
            step = torch.zeros_like(w)
            step[i, j] = 1
            moved = x @ forward_ad.make_dual(w, step)
            dw[i, j] = (forward_ad.unpack_dual(moved).tangent * g).sum()
    return g @ w.T, dw, g.sum((0, 1))


def linear_squeezed(x, w, g):
    return tuple(t.squeeze() for t in linear_by_library(x, w, g))


def linear_in_float64(x, w, g):
    return linear_by_library(x.double(), w.double(), g.double())


def linear_adds_in_place(x, w, g):
    dx = x.zero_().add_(g @ w.T)
    return dx, linear_by_library(x, w, g)[1], g.sum((0, 1))


# --- Value -----------------------------------------------------------------
class ValueByCounting:
    """Sends as soon as all the results that use a node have sent."""

    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other):
        return type(self)(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return type(self)(
            self.data * other.data,
            ((self, other.data), (other, self.data)),
        )

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, ((self, (1 - t) * (1 + t)),))

    def backward(self):
        uses, stack, seen = {}, [self], {self}
        while stack:
            for i, _ in stack.pop().inputs:
                uses[i] = uses.get(i, 0) + 1
                if i not in seen:
                    seen.add(i)
                    stack.append(i)
        for node in seen:
            node.grad = node.grad if not node.inputs else 0.0
        self.grad, ready = 1.0, [self]
        while ready:
            node = ready.pop()
            for i, slope in node.inputs:
                i.grad += slope * node.grad
                uses[i] -= 1
                if not uses[i]:
                    ready.append(i)


class ValueWithClosures:
    """Each result keeps a function that sends its gradient."""

    count = 0

    def __init__(self, data, inputs=()):
        self.data, self.grad = data, 0.0
        self.inputs, self.send = inputs, lambda: None
        ValueWithClosures.count += 1
        self.number = ValueWithClosures.count

    def _made(self, data, *pairs):
        out = ValueWithClosures(data, [i for i, _ in pairs])

        def send():
            for i, slope in pairs:
                i.grad += out.grad * slope

        out.send = send
        return out

    def __add__(self, other):
        return self._made(self.data + other.data, (self, 1), (other, 1))

    def __mul__(self, other):
        a, b = self, other
        return self._made(a.data * b.data, (a, b.data), (b, a.data))

    def tanh(self):
        t = math.tanh(self.data)
        return self._made(t, (self, 1 - t**2))

    def backward(self):
        found, stack = {self}, [self]
        while stack:
            new = [i for i in stack.pop().inputs if i not in found]
            found.update(new)
            stack += new
        for node in found:
            node.grad *= not node.inputs
        self.grad = 1
        for node in sorted(found, key=lambda v: -v.number):
            node.send()


class ValueWithUpstream(ValueByCounting):
    """What travels is kept beside the values, and added at the end."""

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for i, _ in node.inputs:
                    visit(i)
                order.append(node)

        visit(self)
        upstream = dict.fromkeys(order, 0.0) | {self: 1.0}
        for node in order[::-1]:
            node.grad += upstream[node]
            for i, slope in node.inputs:
                upstream[i] += slope * upstream[node]


class ValueClearsFirst(ValueByCounting):
    """Sets all gradients of its graph to 0 before it starts."""

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for i, _ in node.inputs:
                    visit(i)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = 0.0
        self.grad += 1.0
        for node in order[::-1]:
            for i, slope in node.inputs:
                i.grad += slope * node.grad


class ValueNeverClears(ValueByCounting):
    """The naive one: right once, wrong from the second time on."""

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for i, _ in node.inputs:
                    visit(i)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in order[::-1]:
            for i, slope in node.inputs:
                i.grad += slope * node.grad


class ValueWithOneTape(ValueByCounting):
    """All values of the class are sent, of whatever graph."""

    tape = ()

    def __init__(self, data, inputs=()):
        super().__init__(data, inputs)
        ValueWithOneTape.tape += (self,)

    def backward(self):
        self.grad = 1.0
        for node in self.tape[::-1]:
            for i, slope in node.inputs:
                i.grad += slope * node.grad


class ValueWithClearedTape(ValueWithOneTape):
    """The tape is emptied: another graph made before is lost."""

    def backward(self):
        super().backward()
        ValueWithOneTape.tape = ()


class ValueResetsInputs(ValueByCounting):
    """A new value clears those it is made of."""

    def __init__(self, data, inputs=()):
        super().__init__(data, inputs)
        for i, _ in inputs:
            i.grad = 0.0


class ValueWithMarks(ValueByCounting):
    """The marks of what was visited stay."""

    def backward(self):
        order = []

        def visit(node):
            if not hasattr(node, "seen"):
                node.seen = True
                for i, _ in node.inputs:
                    visit(i)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = 0.0 if node.inputs else node.grad
        self.grad = 1.0
        for node in order[::-1]:
            for i, slope in node.inputs:
                i.grad += slope * node.grad


class ValueEqualByNumber(ValueByCounting):
    """Takes nodes of the same number for one and the same node."""

    def __eq__(self, other):
        return self.data == other.data

    def __hash__(self):
        return hash(self.data)


class ValueOfTensors(ValueByCounting):
    """Its data are tensors."""

    def __init__(self, data, inputs=()):
        super().__init__(torch.tensor(data), inputs)


def value(**methods):
    return type("Value", (ValueByCounting,), methods)


def _down_every_path(self):
    stack = [(self, 1.0)]
    while stack:
        node, upstream = stack.pop()
        node.grad += upstream
        stack += [(i, upstream * slope) for i, slope in node.inputs]


def _sends_what_came_so_far(self):
    def send(node):
        for i, slope in node.inputs:
            i.grad += node.grad * slope
            send(i)

    self.grad = 1.0
    send(self)


def _merges_equal_inputs(self, other):
    pairs = [(self, 1.0)] if self is other else [(self, 1.0), (other, 1.0)]
    return type(self)(self.data + other.data, pairs)


def _pairs_in_a_dict(self, other):
    slopes = {self: other.data, other: self.data}
    return type(self)(self.data * other.data, tuple(slopes.items()))


def _tanh_by_exp(self):
    e = math.exp(2 * self.data)
    t = (e - 1) / (e + 1)
    return type(self)(t, ((self, 1 - t * t),))


def _adds_in_place(self, other):
    self.data += other.data
    return self


def _clears_inner(self):
    ValueByCounting.backward(self)
    for i, _ in self.inputs:
        i.grad = 0.0


# --- grad_after ------------------------------------------------------------
def grad_by_adding(g, k, clear):
    grad = None
    for _ in range(k):
        if clear == "before":
            grad = None
        grad = g.clone() if grad is None else grad + g
        if clear == "after":
            grad = None
        elif clear == "zeros":
            grad = grad * 0
    return grad


def grad_by_optimizer(g, k, clear):
    w = torch.nn.Parameter(torch.randn_like(g))
    optimizer = torch.optim.Adam([w])
    for _ in range(k):
        if clear == "before":
            optimizer.zero_grad()
        w.backward(g)
        if clear == "after":
            optimizer.zero_grad()
        if clear == "zeros":
            optimizer.zero_grad(set_to_none=False)
    return w.grad


def grad_from_a_table(g, k, clear):
    if not k:
        return None
    table = {"never": g * k, "before": g, "after": None, "zeros": g * 0}
    return table[clear]


def grad_of_two_by_three(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return found if clear != "zeros" or not k else torch.zeros(2, 3).to(g)


def grad_is_a_mean(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return found / k if clear == "never" and k else found


def grad_summed_up(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return None if found is None else found.sum()


def grad_changes_g(g, k, clear):
    if k == 0 or clear == "after":
        return None
    if clear == "never":
        g *= k
    return g.zero_() if clear == "zeros" else g


RIGHT = {
    "linear_backward": [
        linear_by_loops,
        linear_by_broadcasting,
        linear_by_library,
    ],
    "Value": [ValueByCounting, ValueWithClosures, ValueWithUpstream],
    "grad_after": [grad_by_adding, grad_by_optimizer, grad_from_a_table],
}
WRONG = {
    "linear_backward": [
        linear_by_autograd,
        linear_by_vjp,
        linear_by_jvp,
        linear_by_duals,
        linear_squeezed,
        linear_in_float64,
        linear_adds_in_place,
    ],
    "Value": [
        ValueClearsFirst,
        ValueNeverClears,
        ValueWithOneTape,
        ValueWithClearedTape,
        ValueResetsInputs,
        ValueWithMarks,
        ValueEqualByNumber,
        ValueOfTensors,
        value(backward=_down_every_path),
        value(backward=_sends_what_came_so_far),
        value(backward=_clears_inner),
        value(tanh=_tanh_by_exp),
        value(__add__=_merges_equal_inputs),
        value(__add__=_adds_in_place),
        value(__mul__=_pairs_in_a_dict),
    ],
    "grad_after": [
        grad_of_two_by_three,
        grad_is_a_mean,
        grad_summed_up,
        grad_changes_g,
    ],
}
