"""Other right answers and further wrong ones to the exercises of lesson 07."""

import math
from collections import deque

import numpy as np
import torch
import torch.nn.functional as F


# --- graph_size -------------------------------------------------------------
def size_by_levels(y):
    level, leaves, depth = {y.grad_fn}, set(), 0
    while level:
        operations = {fn for fn in level if not hasattr(fn, "variable")}
        leaves |= level - operations
        depth += bool(operations)
        level = {f for fn in operations for f, _ in fn.next_functions if f}
    return len(leaves), depth


def size_by_tensors(y):
    found = {}

    def walk(fn, above):
        if type(fn).__name__ == "AccumulateGrad":
            found[id(fn.variable)] = fn.variable
            return above
        return max(
            [walk(f, above + 1) for f, _ in fn.next_functions if f is not None]
        )

    return (lambda depth: (len(found), depth))(walk(y.grad_fn, 0))


def size_with_a_stack(y):
    leaves, deepest, stack = set(), 0, [(y.grad_fn, 1)]
    while stack:
        fn, depth = stack.pop()
        deepest = max(deepest, depth)
        for f, _ in fn.next_functions:
            if f is None:
                continue
            if hasattr(f, "variable"):
                leaves.add(f.variable)
            else:
                stack.append((f, depth + 1))
    return len(leaves), deepest


def size_of_the_chain(y):
    depth, fn = 0, y.grad_fn
    while fn.next_functions:
        depth, fn = depth + 1, fn.next_functions[0][0]
    return 1, depth


def size_counts_next(y):
    return len(y.grad_fn.next_functions), 1


def size_breadth_first_sight(y):
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


def size_depth_first_sight(y):
    seen, leaves, depths = set(), set(), []

    def visit(fn, depth):
        if fn is None or fn in seen:
            return
        if hasattr(fn, "variable"):
            leaves.add(fn)
            return
        seen.add(fn)
        depths.append(depth)
        for f, _ in fn.next_functions:
            visit(f, depth + 1)

    visit(y.grad_fn, 1)
    return len(leaves), max(depths)


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


def size_swapped(y):
    return size_by_levels(y)[::-1]


def size_as_list(y):
    return list(size_by_levels(y))


def size_by_longest_paths(y):
    found, longest, todo = [], {y.grad_fn: 1}, [y.grad_fn]
    while todo:
        fn = todo.pop()
        for f, _ in fn.next_functions:
            if f is None:
                continue
            if f.name().endswith("AccumulateGrad"):
                if f not in found:
                    found.append(f)
            elif longest.get(f, 0) <= longest[fn]:
                longest[f] = longest[fn] + 1
                todo.append(f)
    return len(found), max(longest.values())


def size_of_all_paths(y):
    def paths(fn, steps):
        if not fn.next_functions:
            yield fn, steps
        for f, _ in fn.next_functions:
            if f is not None:
                yield from paths(f, steps + 1)

    ends = list(paths(y.grad_fn, 0))
    return len({fn for fn, _ in ends}), max(steps for _, steps in ends)


def size_without_own_node(y):
    leaves, depth = size_by_levels(y)
    return leaves, depth - 1


def size_adds_depths(y):
    def depth(fn):
        if hasattr(fn, "variable"):
            return 0
        return 1 + sum(depth(f) for f, _ in fn.next_functions if f)

    return size_by_levels(y)[0], depth(y.grad_fn)


def size_seen_is_zero(y):
    seen = set()

    def depth(fn):
        if fn in seen or hasattr(fn, "variable"):
            return 0
        seen.add(fn)
        return 1 + max(depth(f) for f, _ in fn.next_functions if f)

    return size_by_levels(y)[0], depth(y.grad_fn)


def size_overwrites(y):
    def depth(fn):
        steps = 0
        for f, _ in fn.next_functions:
            if f is not None:
                steps = depth(f)
        return 0 if hasattr(fn, "variable") else steps + 1

    return size_by_levels(y)[0], depth(y.grad_fn)


def size_with_none(y):
    leaves = set()

    def depth(fn):
        if fn is None or hasattr(fn, "variable"):
            leaves.add(fn)
            return 0
        return 1 + max(depth(f) for f, _ in fn.next_functions)

    depth_found = depth(y.grad_fn)
    return len(leaves), depth_found


def size_by_names(y):
    names = set()

    def visit(fn):
        names.add(fn.name())
        for f, _ in fn.next_functions:
            if f is not None:
                visit(f)

    visit(y.grad_fn)
    return 1, len(names) - 1


def size_without_none_check(y):
    def depth(fn):
        if hasattr(fn, "variable"):
            return 0
        return 1 + max(depth(f) for f, _ in fn.next_functions)

    return size_by_levels(y)[0], depth(y.grad_fn)


# --- linear_backward --------------------------------------------------------
def linear_by_einsum(x, w, g):
    return (
        torch.einsum("bhe,de->bhd", g, w),
        torch.einsum("bhd,bhe->de", x, g),
        torch.einsum("bhe->e", g),
    )


def linear_by_autograd(x, w, g):
    x = x.detach().requires_grad_()
    w = w.detach().requires_grad_()
    b = torch.zeros(g.shape[-1], dtype=g.dtype, requires_grad=True)
    return torch.autograd.grad(x @ w + b, (x, w, b), g)


def linear_by_library(x, w, g):
    dw = torch.tensordot(x, g, dims=([0, 1], [0, 1]))
    return F.linear(g, w), dw, g.flatten(0, 1).sum(0)


def linear_leaves_gradients(x, w, g):
    b = torch.zeros(g.shape[-1], dtype=g.dtype, requires_grad=True)
    (x.requires_grad_() @ w.requires_grad_() + b).backward(g)
    return x.grad, w.grad, b.grad


def linear_sums_each(x, w, g):
    return g @ w.T, torch.outer(x.sum((0, 1)), g.sum((0, 1))), g.sum((0, 1))


def linear_by_loops(x, w, g):
    dx, dw = torch.zeros_like(x), torch.zeros_like(w)
    db = g.new_zeros(g.shape[-1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dx[i, j] = w @ g[i, j]
            dw += torch.outer(x[i, j], g[i, j])
            db += g[i, j]
    return dx, dw, db


def linear_sums_batches(x, w, g):
    return g @ w.T, (x.transpose(1, 2) @ g).sum(0), g.sum((0, 1))


def linear_reshaped_wrongly(x, w, g):
    flat = x.reshape(x.shape[-1], -1)
    return g @ w.T, flat @ g.reshape(-1, g.shape[-1]), g.sum((0, 1))


def linear_ignores_g(x, w, g):
    ones = torch.ones_like(g)
    return linear_by_einsum(x, w, ones)


def linear_db_keeps_axes(x, w, g):
    dx, dw, db = linear_by_einsum(x, w, g)
    return dx, dw, db[None]


def linear_in_float32(x, w, g):
    return tuple(t.float() for t in linear_by_einsum(x, w, g))


def linear_zero_x(x, w, g):
    dx, dw, db = linear_by_einsum(x, w, g)
    return torch.zeros_like(dx), dw, db


def linear_of_the_seed(x, w, g):
    return g * w, g * x, g


def linear_adds_in_place(x, w, g):
    dx = x.zero_().add_(g @ w.T)
    return dx, linear_by_einsum(x, w, g)[1], g.sum((0, 1))


def linear_by_vjp(x, w, g):
    def layer(x, w, b):
        return x @ w + b

    pull = torch.func.vjp(layer, x, w, g.new_zeros(g.shape[-1]))[1]
    return pull(g)


def linear_by_broadcasting(x, w, g):
    dx = (g[..., None, :] * w).sum(-1)  # (B, H, 1, E) * (D, E)
    dw = (x[..., None] * g[..., None, :]).sum((0, 1))
    return dx, dw, g.sum(0).sum(0)


def linear_into_own_tensors(x, w, g):
    dw, db = torch.zeros_like(w), g[0].clone().sum(0)
    for one_x, one_g in zip(x.unbind(), g.unbind(), strict=True):
        dw.addmm_(one_x.T, one_g)
    db += g[1:].sum((0, 1))
    return torch.matmul(g, w.t()), dw, db


def _linear_with(i, part):
    def answer(x, w, g):
        parts = list(linear_by_einsum(x, w, g))
        parts[i] = part(x, w, g)
        return tuple(parts)

    return answer


def linear_per_sample(x, w, g):
    dx, dw, db = linear_by_einsum(x, w, g)
    return dx, dw / len(x), db / len(x)


def linear_as_list(x, w, g):
    return list(linear_by_einsum(x, w, g))


def linear_without_db(x, w, g):
    return linear_by_einsum(x, w, g)[:2]


# --- local_grad -------------------------------------------------------------
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


def local_without_upstream(name, x, other):
    if name == "relu":
        return torch.ones_like(x) * (x > 0)
    if name == "sigmoid":
        return x.sigmoid() * (1 - x.sigmoid())
    return local_by_match(name, x, other)


def local_bce_as_ce(name, x, other):
    if name == "bce":
        return (x.softmax(1) - other) / len(x)
    return local_by_match(name, x, other)


def local_bce_over_rows(name, x, other):
    found = local_by_match(name, x, other)
    return found * x.shape[1] if name == "bce" else found


def local_sign_turned(name, x, other):
    return -local_by_match(name, x, other)


def local_relu_of_the_gradient(name, x, other):
    if name == "relu":
        return other.clamp(min=0)
    return local_by_match(name, x, other)


def local_ce_squeezed(name, x, other):
    if name == "ce":
        return local_by_match(name, x, other)[torch.arange(len(x)), other]
    return local_by_match(name, x, other)


def local_without_ce(name, x, other):
    return None if name == "ce" else local_by_match(name, x, other)


def local_one_hot_first(name, x, other):
    if name == "ce":
        return (F.one_hot(other, x.shape[1]) - x.softmax(1)) / len(x)
    return local_by_match(name, x, other)


def local_by_table(name, x, other):
    rows, size = x.shape[0], x.numel()
    table = {
        "relu": lambda: torch.heaviside(x, x.new_zeros(())) * other,
        "sigmoid": lambda: other / (2 + x.exp() + (-x).exp()),
        "mse": lambda: (x - other) * (2.0 / size),
        "bce": lambda: torch.special.expit(x).sub(other).div(size),
        "ce": lambda: (
            x.softmax(-1)
            .scatter_add(1, other[:, None], x.new_full((rows, 1), -1.0))
            .div(rows)
        ),
    }
    return table[name]()


def local_on_a_copy(name, x, other):
    out = x.clone()
    if name == "relu":
        out = other.clone()
        out[x <= 0] = 0
        return out
    if name == "mse":
        out -= other
        out *= 2 / x.numel()
        return out
    if name == "ce":
        odds = out.exp_()
        chances = odds / odds.sum(1, keepdim=True)
        hot = torch.eye(x.shape[1], dtype=x.dtype)[other]
        return (chances - hot) / x.shape[0]
    s = (1 + torch.tanh(x / 2)) / 2
    if name == "bce":
        return (s - other) / s.numel()
    return (s - s**2) * other


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


def _local_with(which, part):
    def answer(name, x, other):
        if name == which:
            return part(x, other)
        return local_by_match(name, x, other)

    return answer


def _relu_overwrites_x(x, g):
    x[x < 0] = 0
    return g * (x > 0)


def _relu_overwrites_g(x, g):
    g[x <= 0] = 0
    return g


def _ce_all_columns(x, t):
    p = x.softmax(1)
    p[:, t] -= 1
    return p / len(x)


def _ce_changes_logits(x, t):
    x = x.clone()
    x[torch.arange(len(x)), t] -= 1
    return x.softmax(1) / len(x)


def _hot(x, t):
    return F.one_hot(t, x.shape[1]).to(x)


LOCAL_WRONG = [
    _local_with("relu", lambda x, g: x.clamp(min=0)),
    _local_with("relu", lambda x, g: torch.where(x > 0, g, x)),
    _local_with("relu", lambda x, g: g * (x < 0)),
    _local_with("relu", lambda x, g: x > 0),
    _local_with("relu", _relu_overwrites_x),
    _local_with("relu", _relu_overwrites_g),
    _local_with("sigmoid", lambda x, g: g * (1 - g)),
    _local_with("sigmoid", lambda x, g: g * (1 - x.sigmoid() ** 2)),
    _local_with("sigmoid", lambda x, g: g * (1 - x.sigmoid())),
    _local_with("mse", lambda x, t: 2 * (t - x) / x.numel()),
    _local_with("mse", lambda x, t: 2 * (x - t) / x.shape[1]),
    _local_with("mse", lambda x, t: (2 * (x - t)).mean()),
    _local_with("bce", lambda x, t: (x - t) / (x * (1 - x)) / x.numel()),
    _local_with("bce", lambda x, t: (t - x.sigmoid()) / x.numel()),
    _local_with("bce", lambda x, t: (x.sigmoid() - t) / x.shape[1]),
    _local_with("bce", lambda x, t: x.sigmoid() / x.numel()),
    _local_with("ce", _ce_all_columns),
    _local_with("ce", _ce_changes_logits),
    _local_with("ce", lambda x, t: -_hot(x, t) / len(x)),
    _local_with("ce", lambda x, t: (x.softmax(1) - _hot(x, t)) / x.shape[1]),
    _local_with("ce", lambda x, t: (x.sigmoid() - _hot(x, t)) / len(x)),
    _local_with("ce", lambda x, t: (x.exp() - _hot(x, t)) / len(x)),
    _local_with("ce", lambda x, t: (x.log_softmax(1) - _hot(x, t)) / len(x)),
    _local_with("ce", lambda x, t: (x.softmax(1) - t[:, None]) / len(x)),
]


# --- Value ------------------------------------------------------------------
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
        t = np.tanh(self.data)
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


class ValueOfNodes:
    """`inputs` holds nodes alone; each result knows how to send."""

    def __init__(self, data, inputs=()):
        self.data, self.grad, self.inputs = data, 0.0, set(inputs)
        self.send = lambda: None

    def __add__(self, other):
        out = ValueOfNodes(self.data + other.data, (self, other))

        def send():
            self.grad += out.grad
            other.grad += out.grad

        out.send = send
        return out

    def __mul__(self, other):
        out = ValueOfNodes(self.data * other.data, (self, other))

        def send():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.send = send
        return out

    def tanh(self):
        out = ValueOfNodes(math.tanh(self.data), (self,))

        def send():
            self.grad += (1 - out.data**2) * out.grad

        out.send = send
        return out

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for i in node.inputs:
                    visit(i)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.send()


class ValueByDepth(ValueByCounting):
    """The deepest results send first."""

    def __init__(self, data, inputs=()):
        super().__init__(data, inputs)
        self.depth = 1 + max([i.depth for i, _ in inputs], default=0)

    def backward(self):
        found, todo = {self}, [self]
        while todo:
            new = {i for i, _ in todo.pop().inputs} - found
            found |= new
            todo += new
        self.grad = 1.0
        for node in sorted(found, key=lambda v: v.depth, reverse=True):
            for i, slope in node.inputs:
                i.grad = i.grad + slope * node.grad


class ValueClearsFirst(ValueByCounting):
    """Sets all gradients to 0 before it starts."""

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


class ValueEqualByNumber(ValueByCounting):
    """Takes nodes of the same number for one and the same node."""

    def __eq__(self, other):
        return self.data == other.data

    def __hash__(self):
        return hash(self.data)


def _value(**methods):
    return type("Value", (ValueByCounting,), methods)


def _push(node, upstream):
    node.grad += upstream
    for i, slope in node.inputs:
        _push(i, upstream * slope)


def _recursive(self):
    _push(self, 1.0)


def _recursive_with_grad(self):
    def send(node):
        for i, slope in node.inputs:
            i.grad += node.grad * slope
            send(i)

    self.grad = 1.0
    send(self)


def _with_a_stack(self):
    stack = [(self, 1.0)]
    while stack:
        node, upstream = stack.pop()
        node.grad += upstream
        stack += [(i, upstream * slope) for i, slope in node.inputs]


def _merges_equal_inputs(self, other):
    pairs = [(self, 1.0)] if self is other else [(self, 1.0), (other, 1.0)]
    return type(self)(self.data + other.data, pairs)


def _nothing(self):
    self.grad = 1.0


def _gradient_of_two(self):
    ValueByCounting.backward(self)
    self.grad = 2.0


def _adds_data(self, other):
    slopes = ((self, self.data), (other, other.data))
    return ValueByCounting(self.data + other.data, slopes)


def _forgets_second(self, other):
    return ValueByCounting(self.data * other.data, ((self, other.data),))


def _sech(self):
    slope = 1 / math.cosh(self.data)
    return ValueByCounting(math.tanh(self.data), ((self, slope),))


def _linear_tanh(self):
    return ValueByCounting(math.tanh(self.data), ((self, 1.0),))


def _returns_float(self, other):
    return self.data + other.data


def _calls_backward(self):
    self.grad = 1.0
    for i, slope in self.inputs:
        i.grad += self.grad * slope
        i.backward()


def _clears_inner(self):
    ValueByCounting.backward(self)
    for i, _ in self.inputs:
        i.grad = 0.0


def _seed_of_data(self):
    ValueByCounting.backward(self)
    self.grad = self.data


def _adds_in_place(self, other):
    self.data += other.data
    return self


def _pairs_in_a_dict(self, other):
    slopes = {self: other.data, other: self.data}
    return type(self)(self.data * other.data, tuple(slopes.items()))


def _slopes_of_a_sum(self, other):
    pairs = ((self, 1.0), (other, 1.0))
    return type(self)(self.data * other.data, pairs)


def _not_squared(self):
    t = math.tanh(self.data)
    return type(self)(t, ((self, 1 - t),))


def _not_remembered(self):
    return type(self)(math.tanh(self.data))


# --- grad_after -------------------------------------------------------------
def grad_by_running(g, k, clear):
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


def grad_one_round_short(g, k, clear):
    return grad_by_adding(g, max(k - 1, 0), clear)


def grad_one_round_more(g, k, clear):
    return grad_by_adding(g, k + 1, clear)


def grad_is_a_mean(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return found / k if clear == "never" and k else found


def grad_always_sum(g, k, clear):
    return k * g


def grad_powers(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return g * 2**k if clear == "never" and k else found


def grad_summed_up(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return None if found is None else found.sum()


def grad_in_default_dtype(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return torch.zeros(g.shape) if clear == "zeros" and k else found


def grad_without_clone(g, k, clear):
    if not k:
        return None
    table = {"never": g * k, "before": g, "after": None, "zeros": g * 0}
    return table[clear]


def grad_stacked(g, k, clear):
    if k == 0:
        return None
    match clear:
        case "never":
            return torch.stack([g] * k).sum(0)
        case "before":
            return +g
        case "zeros":
            return torch.full_like(g, 0)


def grad_without_zero_rounds(g, k, clear):
    if clear == "after":
        return None
    if clear == "zeros":
        return torch.zeros_like(g)
    return g.clone() if clear == "before" else k * g


def grad_exchanged(g, k, clear):
    other = {"before": "after", "after": "before"}
    return grad_by_adding(g, k, other.get(clear, clear))


def grad_after_is_before(g, k, clear):
    return grad_by_adding(g, k, "before" if clear == "after" else clear)


def grad_before_always_g(g, k, clear):
    return g.clone() if clear == "before" else grad_by_adding(g, k, clear)


def grad_zeros_is_before(g, k, clear):
    return grad_by_adding(g, k, "before" if clear == "zeros" else clear)


def grad_zero_as_number(g, k, clear):
    found = grad_by_adding(g, k, clear)
    return 0.0 if clear == "zeros" and k else found


def grad_changes_g(g, k, clear):
    if k == 0 or clear == "after":
        return None
    if clear == "never":
        g *= k
    return g.zero_() if clear == "zeros" else g


# --- distill_loss -----------------------------------------------------------
def distill_functional(x, w_student, w_teacher):
    return F.mse_loss(x @ w_student, torch.mm(x, w_teacher).detach())


def distill_both_inputs_detached(x, w_student, w_teacher):
    goal = x.detach() @ w_teacher.detach()
    difference = torch.einsum("nd,de->ne", x, w_student) - goal
    return difference.pow(2).sum() / difference.numel()


def distill_without_inference(x, w_student, w_teacher):
    with torch.set_grad_enabled(False):
        goal = F.linear(x, w_teacher.T)
    return (x @ w_student).sub(goal).square().mean()


def distill_through_data(x, w_student, w_teacher):
    return F.mse_loss(x @ w_student, (x @ w_teacher).data)


def distill_in_inference_mode(x, w_student, w_teacher):
    with torch.inference_mode():
        goal = x @ w_teacher
    return (x @ w_student - goal.clone()).square().mean()


def distill_by_keywords(x, w_student, w_teacher):
    goal = torch.from_numpy(x.detach().numpy() @ w_teacher.detach().numpy())
    return torch.nn.MSELoss()(target=goal, input=x @ w_student)


def distill_by_loops(x, w_student, w_teacher):
    total = 0.0
    for row in x @ w_student - (x @ w_teacher).detach():
        for gap in row:
            total = total + gap * gap
    return total / (len(x) * w_student.shape[1])


def distill_decorated(x, w_student, w_teacher):
    @torch.no_grad()
    def teach():
        return torch.einsum("nd,de->ne", x, w_teacher)

    gap = torch.einsum("nd,de->ne", x, w_student) - teach()
    return torch.einsum("ne,ne->", gap, gap) / gap.numel()


def distill_clones(x, w_student, w_teacher):
    return F.mse_loss(x @ w_student, (x @ w_teacher).clone())


def distill_calls_backward(x, w_student, w_teacher):
    loss = distill_functional(x, w_student, w_teacher)
    loss.backward(retain_graph=True)
    return loss


def distill_freezes_student_too(x, w_student, w_teacher):
    goal = (x @ w_teacher).detach()
    return F.mse_loss(x @ w_student.detach(), goal)


def distill_root(x, w_student, w_teacher):
    return distill_functional(x, w_student, w_teacher).sqrt()


def distill_half(x, w_student, w_teacher):
    return distill_functional(x, w_student, w_teacher) / 2


def distill_unfreezes_later(x, w_student, w_teacher):
    w_teacher.requires_grad_(False)
    loss = F.mse_loss(x @ w_student, x @ w_teacher)
    w_teacher.requires_grad_(True)
    return loss


def distill_detaches_the_gap(x, w_student, w_teacher):
    gap = (x @ w_student - x @ w_teacher).detach()
    return (gap**2).mean()


def distill_sets_requires_grad(x, w_student, w_teacher):
    w_teacher.requires_grad_(False)
    return F.mse_loss(x @ w_student, (x @ w_teacher).detach())


def distill_squares_the_mean(x, w_student, w_teacher):
    return (x @ w_student - (x @ w_teacher).detach()).mean() ** 2


def distill_all_in_no_grad(x, w_student, w_teacher):
    with torch.no_grad():
        return F.mse_loss(x @ w_student, x @ w_teacher)


def distill_freezes_the_input(x, w_student, w_teacher):
    w_teacher.requires_grad_(False)
    return F.mse_loss(x @ w_student, (x @ w_teacher).detach())


def distill_new_tensor(x, w_student, w_teacher):
    loss = F.mse_loss(x @ w_student, x @ w_teacher)
    return torch.tensor(loss.item(), requires_grad=True)


def distill_by_rows(x, w_student, w_teacher):
    goal = (x @ w_teacher).detach()
    return ((x @ w_student - goal) ** 2).mean(1)


def distill_one_element_axis(x, w_student, w_teacher):
    return distill_functional(x, w_student, w_teacher)[None]


def distill_absolute(x, w_student, w_teacher):
    return (x @ w_student - (x @ w_teacher).detach()).abs().mean()


def distill_clears_afterwards(x, w_student, w_teacher):
    w_teacher.grad = torch.zeros_like(w_teacher)
    return F.mse_loss(x @ w_student, (x @ w_teacher).detach())


def distill_detach_forgotten(x, w_student, w_teacher):
    goal = x @ w_teacher
    goal.detach()
    return F.mse_loss(x @ w_student, goal)


def distill_mean_of_rows(x, w_student, w_teacher):
    goal = (x @ w_teacher).detach()
    return ((x @ w_student - goal) ** 2).sum(1).mean()


RIGHT = {
    "graph_size": [
        size_by_levels,
        size_by_tensors,
        size_with_a_stack,
        size_by_longest_paths,
        size_of_all_paths,
    ],
    "linear_backward": [
        linear_by_einsum,
        linear_by_autograd,
        linear_by_library,
        linear_by_loops,
        linear_sums_batches,
        linear_by_vjp,
        linear_by_broadcasting,
        linear_into_own_tensors,
    ],
    "local_grad": [
        local_by_match,
        local_by_loops,
        local_by_table,
        local_on_a_copy,
        local_by_autograd,
    ],
    "Value": [
        ValueByCounting,
        ValueWithClosures,
        ValueOfNodes,
        ValueByDepth,
        ValueClearsFirst,
    ],
    "grad_after": [
        grad_by_running,
        grad_by_adding,
        grad_without_clone,
        grad_stacked,
    ],
    "distill_loss": [
        distill_functional,
        distill_both_inputs_detached,
        distill_without_inference,
        distill_through_data,
        distill_in_inference_mode,
        distill_by_keywords,
        distill_by_loops,
        distill_decorated,
    ],
}

WRONG = {
    "graph_size": [
        size_of_the_chain,
        size_counts_next,
        size_breadth_first_sight,
        size_depth_first_sight,
        size_by_shapes,
        size_swapped,
        size_as_list,
        lambda y: (2, 3),
        size_without_own_node,
        size_adds_depths,
        size_seen_is_zero,
        size_overwrites,
        size_with_none,
        size_by_names,
        size_without_none_check,
    ],
    "linear_backward": [
        linear_reshaped_wrongly,
        linear_ignores_g,
        linear_db_keeps_axes,
        linear_in_float32,
        linear_zero_x,
        linear_of_the_seed,
        linear_adds_in_place,
        linear_leaves_gradients,
        linear_sums_each,
        linear_per_sample,
        linear_as_list,
        linear_without_db,
        _linear_with(2, lambda x, w, g: g.sum((0, 1), keepdim=True)),
        _linear_with(2, lambda x, w, g: g.sum(1)),
        _linear_with(2, lambda x, w, g: g.mean((0, 1))),
        _linear_with(1, lambda x, w, g: (x.transpose(1, 2) @ g).mean(0)),
        _linear_with(1, lambda x, w, g: torch.einsum("bhd,bhe->hde", x, g)),
        _linear_with(0, lambda x, w, g: g.flatten(0, 1) @ w.T),
        _linear_with(0, lambda x, w, g: w @ g.transpose(1, 2)),
    ],
    "local_grad": [
        local_without_upstream,
        local_bce_as_ce,
        local_bce_over_rows,
        local_sign_turned,
        local_relu_of_the_gradient,
        local_ce_squeezed,
        local_without_ce,
        local_one_hot_first,
        *LOCAL_WRONG,
    ],
    "Value": [
        _value(backward=_recursive),  # right, but walks every path
        _value(backward=_recursive_with_grad),
        _value(backward=_with_a_stack),
        _value(backward=_nothing),
        _value(__add__=_merges_equal_inputs),
        _value(backward=_gradient_of_two),
        _value(__add__=_adds_data),
        _value(__add__=_returns_float),
        _value(__mul__=_forgets_second),
        _value(tanh=_sech),
        _value(tanh=_linear_tanh),
        ValueEqualByNumber,
        _value(backward=_calls_backward),
        _value(backward=_clears_inner),
        _value(backward=_seed_of_data),
        _value(__add__=_adds_in_place),
        _value(__mul__=_pairs_in_a_dict),
        _value(__mul__=_slopes_of_a_sum),
        _value(tanh=_not_squared),
        _value(tanh=_not_remembered),
    ],
    "grad_after": [
        grad_one_round_short,
        grad_one_round_more,
        grad_is_a_mean,
        grad_always_sum,
        grad_powers,
        grad_summed_up,
        grad_in_default_dtype,
        lambda g, k, clear: g,
        lambda g, k, clear: g if k else None,
        grad_without_zero_rounds,
        grad_exchanged,
        grad_after_is_before,
        grad_before_always_g,
        grad_zeros_is_before,
        grad_zero_as_number,
        grad_changes_g,
    ],
    "distill_loss": [
        distill_all_in_no_grad,
        distill_sets_requires_grad,
        distill_squares_the_mean,
        distill_freezes_the_input,
        distill_new_tensor,
        distill_by_rows,
        distill_one_element_axis,
        distill_absolute,
        distill_clears_afterwards,
        distill_detach_forgotten,
        distill_mean_of_rows,
        distill_clones,
        distill_calls_backward,
        distill_freezes_student_too,
        distill_root,
        distill_half,
        distill_unfreezes_later,
        distill_detaches_the_gap,
    ],
}
