"""Checks of lesson 07: what a graph holds."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake

# --- graph_size -----------------------------------------------------------


def _graph_size(y: Tensor) -> tuple[int, int]:
    leaves, depths = {}, {}

    def depth(fn) -> int:
        if hasattr(fn, "variable"):
            leaves[fn] = True
            return 0
        if fn not in depths:
            found = [depth(f) for f, _ in fn.next_functions if f is not None]
            depths[fn] = 1 + max(found, default=0)
        return depths[fn]

    steps = depth(y.grad_fn)
    return len(leaves), steps


# The case is a text, since a computed tensor cannot be copied. `a` and `b`
# are (2, 3), `c` is (3,), `w` is (3, 4); `k` is constant, (2, 3).
_GRAPHS = (
    "a * 2",
    "a * b + c",
    "(a * a).sum()",
    "(k * a).tanh()",
    "((a + b) * (a - b)).sum() + c.sum()",
    "a + b.exp().exp().exp()",
    "b.sin().cos().sin().cos() * (c + 1)",
    "torch.relu(a @ w).sum()",
    "torch.cat([a, b, a]).mean()",
    "(k + k) * c",
    "skip(a.exp()) * 2",
    "doubled(a, 6).sum() * c.sum()",
)


def _built(text: str) -> Tensor:
    """Compute the text; the order of the numbers does not matter."""

    def doubled(t: Tensor, times: int) -> Tensor:
        for _ in range(times):
            t = t + t
        return t

    def skip(t: Tensor) -> Tensor:
        return t + t.sin().cos()

    shapes = {"a": (2, 3), "b": (2, 3), "c": (3,), "w": (3, 4)}
    made = {n: torch.rand(s, requires_grad=True) for n, s in shapes.items()}
    helpers = {"doubled": doubled, "skip": skip, "torch": torch}
    known = {**made, **helpers, "k": torch.rand(2, 3)}
    return eval(text, {"__builtins__": {}}, known)


def _graph_cases(rng: torch.Generator) -> Iterator[tuple]:
    for i in torch.randperm(len(_GRAPHS), generator=rng).tolist():
        yield (_GRAPHS[i],)
    one, two = torch.randint(2, 7, (2,), generator=rng).tolist()
    yield (f"a{'.sin()' * one} * b{'.exp()' * two}",)


def _walked(
    y: Tensor,
    *,
    leaf_depth: int = 0,
    pick: Callable = max,
    per_path: bool = False,
    constants: bool = False,
) -> tuple[int, int]:
    """As `_graph_size`, with one of several things done wrong."""
    leaves = []

    def depth(fn) -> int:
        if fn is None or hasattr(fn, "variable"):
            if fn is not None or constants:
                leaves.append(fn)
            return leaf_depth
        inputs = [f for f, _ in fn.next_functions if constants or f]
        return 1 + pick([depth(f) for f in inputs])

    steps = depth(y.grad_fn)
    count = len(leaves) if per_path else len(set(leaves))
    return count, steps


def _seen_counts_zero(y: Tensor) -> tuple[int, int]:
    leaves, seen = set(), set()

    def depth(fn) -> int:
        if fn in seen:
            return 0
        if hasattr(fn, "variable"):
            leaves.add(fn)
            return 0
        seen.add(fn)
        return 1 + max([depth(f) for f, _ in fn.next_functions if f])

    steps = depth(y.grad_fn)
    return len(leaves), steps


def _one_step_short(y: Tensor) -> tuple[int, int]:
    leaves, depth = _graph_size(y)
    return leaves, depth - 1


def _all_nodes(y: Tensor) -> tuple[int, int]:
    seen, stack = set(), [y.grad_fn]
    while stack:
        fn = stack.pop()
        if fn is not None and fn not in seen:
            seen.add(fn)
            stack += [f for f, _ in fn.next_functions]
    leaves = [fn for fn in seen if hasattr(fn, "variable")]
    return len(leaves), len(seen) - len(leaves)


def _one_path(y: Tensor) -> tuple[int, int]:
    fn, steps = y.grad_fn, 0
    while not hasattr(fn, "variable"):
        steps += 1
        fn = next(f for f, _ in fn.next_functions if f)
    return 1, steps


graph_size = Exercise(
    reference=_graph_size,
    cases=_graph_cases,
    adapt=lambda answer: lambda text: answer(_built(text)),
    mistakes=(
        Mistake(
            lambda y: _walked(y, per_path=True),
            "叶子按路的条数数了：同一个叶子从几条路到达，也只算一个。把节点放进"
            " set。",
            "Your leaves are counted once for every path: a leaf that several "
            "paths reach counts once. Put the nodes into a set.",
        ),
        Mistake(
            lambda y: _walked(y, leaf_depth=1),
            "depth 把 AccumulateGrad 也算成了一个运算：它只把梯度加进 .grad。",
            "Your depth counts AccumulateGrad as an operation: it only adds "
            "the gradient to .grad.",
        ),
        Mistake(
            lambda y: _walked(y, pick=min),
            "depth 是最短的一条路：要的是最长的一条。",
            "Your depth is that of the shortest path: the longest is asked "
            "for.",
        ),
        Mistake(
            lambda y: _walked(y, pick=lambda found: found[0]),
            "depth 只跟着第一个输入走：next_functions 里的每一个都要看。",
            "Your depth follows the first input only: look at every entry of "
            "next_functions.",
        ),
        Mistake(
            lambda y: _walked(y, pick=lambda found: found[-1]),
            "depth 只留下了最后一个输入的：循环里每次都盖掉了前一个，要取"
            "最大的。",
            "Your depth is that of the last input only: each turn of the loop "
            "overwrites the one before; keep the largest.",
        ),
        Mistake(
            _one_step_short,
            "depth 少了 1：y.grad_fn 自己也是一个运算节点，也要算。",
            "Your depth is 1 too small: y.grad_fn is an operation node "
            "itself, and counts.",
        ),
        Mistake(
            _seen_counts_zero,
            "depth 把去过的节点当成 0 层：第二条路到达它时，它下面的层数还要"
            "算，把算过的深度记下来再用。",
            "Your depth takes a node that was seen before for 0: on a second "
            "path, what lies below it still counts; note its depth and use "
            "it again.",
        ),
        Mistake(
            _one_path,
            "只走了一条路，只到了一个叶子：next_functions 里的每一个都要走。",
            "You walk a single path, to a single leaf: follow every entry of "
            "next_functions.",
        ),
        Mistake(
            lambda y: _graph_size(y)[::-1],
            "次序反了：应返回 (leaves, depth)。",
            "The order is wrong: return (leaves, depth).",
        ),
        Mistake(
            lambda y: _walked(y, constants=True, per_path=True),
            "next_functions 里的 None 也被当成了叶子：那些输入不要梯度，不在"
            "图里。",
            "You count the None entries of next_functions as leaves: those "
            "inputs need no gradient and are not in the graph.",
        ),
        Mistake(
            lambda y: _walked(y, constants=True),
            "set 里放进了 None，它被算成了一个叶子：先跳过 None。",
            "None went into your set and counts as a leaf: skip it first.",
        ),
        Mistake(
            _all_nodes,
            "depth 是全部运算节点的个数：要的是一条路上最多有几个。",
            "Your depth is the number of all operation nodes: asked for is "
            "the largest number on one path.",
        ),
    ),
)
