"""Other right answers to lesson 07, and wrong ones that must be rejected."""

import math
from collections import deque

import torch
import torch.nn.functional as F


# --- graph_size ------------------------------------------------------------
def size_by_levels(y):
    level, leaves, depth = {y.grad_fn}, set(), 0
    while level:
        operations = {fn for fn in level if not hasattr(fn, "variable")}
        leaves |= level - operations
        depth += bool(operations)
        level = {f for fn in operations for f, _ in fn.next_functions if f}
    return len(leaves), depth


def size_of_all_paths(y):
    def paths(fn, steps):
        if not fn.next_functions:
            yield fn, steps
        for f, _ in fn.next_functions:
            if f is not None:
                yield from paths(f, steps + 1)

    ends = list(paths(y.grad_fn, 0))
    return len({fn for fn, _ in ends}), max(steps for _, steps in ends)


def size_counts_next(y):
    return len(y.grad_fn.next_functions), 1


def size_at_first_sight(y):
    seen, queue, deepest, leaves = set(), deque([(y.grad_fn, 1)]), 0, 0
    while queue:
        fn, depth = queue.popleft()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        if hasattr(fn, "variable"):
            leaves += 1
            continue
        deepest = max(deepest, depth)
        queue += [(f, depth + 1) for f, _ in fn.next_functions]
    return leaves, deepest


def size_at_last_sight(y):
    seen, stack, deepest, leaves = set(), [(y.grad_fn, 1)], 0, 0
    while stack:
        fn, depth = stack.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        if hasattr(fn, "variable"):
            leaves += 1
            continue
        deepest = max(deepest, depth)
        stack += [(f, depth + 1) for f, _ in fn.next_functions]
    return leaves, deepest


def size_by_shapes(y):
    shapes = set()

    def visit(fn):
        if hasattr(fn, "variable"):
            shapes.add(fn.variable.shape)
        for f, _ in fn.next_functions:
            if f is not None:
                visit(f)

    visit(y.grad_fn)
    return len(shapes), size_by_levels(y)[1]


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
    dx = (g[..., None, :] * w).sum(-1)  # (B, H, 1, E) * (D, E)
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


def linear_squeezed(x, w, g):
    return tuple(t.squeeze() for t in linear_by_library(x, w, g))


def linear_in_float64(x, w, g):
    return linear_by_library(x.double(), w.double(), g.double())


def linear_adds_in_place(x, w, g):
    dx = x.zero_().add_(g @ w.T)
    return dx, linear_by_library(x, w, g)[1], g.sum((0, 1))


# --- local_grad ------------------------------------------------------------
def local_by_match(name, x, other):
    match name:
        case "relu":
            return torch.where(x > 0, other, 0)
        case "sigmoid":
            e = torch.exp(-x)
            return other * e / (1 + e) ** 2
        case "mse":
            return 2 / x.numel() * (x - other)
        case "bce":
            return (1 / (1 + torch.exp(-x)) - other) / x.numel()
        case "ce":
            p = torch.exp(x - x.logsumexp(1, keepdim=True))
            p[torch.arange(len(x)), other] -= 1
            return p / len(x)


def local_by_loops(name, x, other):
    N, C = x.shape
    out = torch.empty_like(x)
    for i in range(N):
        below = sum(math.exp(v) for v in x[i].tolist())
        for c in range(C):
            v = x[i, c].item()
            s = 1 / (1 + math.exp(-v))
            t = other[i].item() if name == "ce" else other[i, c].item()
            out[i, c] = {
                "relu": t if v > 0 else 0.0,
                "sigmoid": t * s * (1 - s),
                "mse": 2 * (v - t) / (N * C),
                "bce": (s - t) / (N * C),
                "ce": (math.exp(v) / below - (t == c)) / N,
            }[name]
    return out


def local_by_autograd(name, x, other):
    x = x.detach().requires_grad_()
    if name == "relu":
        y = (x.clamp(min=0) * other).sum()
    elif name == "sigmoid":
        y = (x.sigmoid() * other).sum()
    elif name == "mse":
        y = ((x - other) ** 2).mean()
    elif name == "bce":
        y = (F.softplus(x) - other * x).mean()
    else:
        y = F.nll_loss(x.log_softmax(1), other)
    y.backward()
    return x.grad


def local_squeezed(name, x, other):
    return local_by_match(name, x, other).squeeze()


def local_overwrites(name, x, other):
    if name == "relu":
        other[x <= 0] = 0
        return other
    return local_by_match(name, x, other)


def local_bce_as_ce(name, x, other):
    if name == "bce":
        return (x.softmax(1) - other) / len(x)
    return local_by_match(name, x, other)


def local_of_the_right_class(name, x, other):
    found = local_by_match(name, x, other)
    return found.gather(1, other[:, None]) if name == "ce" else found


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
        slope = 1 / math.cosh(self.data) ** 2
        return type(self)(math.tanh(self.data), ((self, slope),))

    def backward(self):
        uses, stack, seen = {}, [self], {self}
        while stack:
            for i, _ in stack.pop().inputs:
                uses[i] = uses.get(i, 0) + 1
                if i not in seen:
                    seen.add(i)
                    stack.append(i)
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
        self.grad = 1
        for node in sorted(found, key=lambda v: -v.number):
            node.send()


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


# --- distill_loss ----------------------------------------------------------
def distill_functional(x, w_student, w_teacher):
    return F.mse_loss(x @ w_student, torch.mm(x, w_teacher).detach())


def distill_in_inference_mode(x, w_student, w_teacher):
    with torch.inference_mode():
        goal = x @ w_teacher
    return (x @ w_student - goal.clone()).square().mean()


def distill_in_numpy(x, w_student, w_teacher):
    goal = torch.from_numpy(x.detach().numpy() @ w_teacher.detach().numpy())
    return torch.nn.MSELoss()(target=goal, input=x @ w_student)


def distill_by_loops(x, w_student, w_teacher):
    total = 0.0
    for row in x @ w_student - (x @ w_teacher).detach():
        for gap in row:
            total = total + gap * gap
    return total / (len(x) * w_student.shape[1])


def distill_freezes_the_teacher(x, w_student, w_teacher):
    w_teacher.requires_grad_(False)
    return F.mse_loss(x @ w_student, (x @ w_teacher).detach())


def distill_unfreezes_later(x, w_student, w_teacher):
    w_teacher.requires_grad_(False)
    loss = F.mse_loss(x @ w_student, x @ w_teacher)
    w_teacher.requires_grad_(True)
    return loss


def distill_clears_afterwards(x, w_student, w_teacher):
    w_teacher.grad = torch.zeros_like(w_teacher)
    return F.mse_loss(x @ w_student, (x @ w_teacher).detach())


def distill_detach_forgotten(x, w_student, w_teacher):
    goal = x @ w_teacher
    goal.detach()
    return F.mse_loss(x @ w_student, goal)


def distill_squares_the_mean(x, w_student, w_teacher):
    return (x @ w_student - (x @ w_teacher).detach()).mean() ** 2


def distill_one_element_axis(x, w_student, w_teacher):
    return distill_functional(x, w_student, w_teacher)[None]


RIGHT = {
    "graph_size": [size_by_levels, size_of_all_paths],
    "linear_backward": [
        linear_by_loops,
        linear_by_broadcasting,
        linear_by_library,
    ],
    "local_grad": [local_by_match, local_by_loops],
    "Value": [ValueByCounting, ValueWithClosures, ValueClearsFirst],
    "grad_after": [grad_by_adding, grad_by_optimizer, grad_from_a_table],
    "distill_loss": [
        distill_functional,
        distill_in_inference_mode,
        distill_in_numpy,
        distill_by_loops,
    ],
}
WRONG = {
    "graph_size": [
        size_counts_next,
        size_at_first_sight,
        size_at_last_sight,
        size_by_shapes,
    ],
    "linear_backward": [
        linear_by_autograd,
        linear_by_vjp,
        linear_squeezed,
        linear_in_float64,
        linear_adds_in_place,
    ],
    "local_grad": [
        local_by_autograd,
        local_squeezed,
        local_overwrites,
        local_bce_as_ce,
        local_of_the_right_class,
    ],
    "Value": [
        ValueWithOneTape,
        ValueWithClearedTape,
        ValueEqualByNumber,
        ValueOfTensors,
        value(backward=_down_every_path),
        value(backward=_sends_what_came_so_far),
        value(backward=_clears_inner),
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
    "distill_loss": [
        distill_freezes_the_teacher,
        distill_unfreezes_later,
        distill_clears_afterwards,
        distill_detach_forgotten,
        distill_squares_the_mean,
        distill_one_element_axis,
    ],
}
