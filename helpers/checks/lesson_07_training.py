"""Checks of lesson 07: where gradients end up, and where they do not."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .engine import Exercise, Mistake

# --- grad_after -----------------------------------------------------------

_CLEAR = ("never", "before", "after", "zeros")


def _grad_after(g: Tensor, k: int, clear: str) -> Tensor | None:
    w = torch.zeros_like(g, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    for _ in range(k):
        if clear == "before":
            optimizer.zero_grad()
        (w * g).sum().backward()
        if clear in ("after", "zeros"):
            optimizer.zero_grad(set_to_none=clear == "after")
    return w.grad


def _grad_cases(rng: torch.Generator) -> Iterator[tuple]:
    for clear in _CLEAR:
        for k in (0, 1, 2 + int(torch.randint(5, (), generator=rng))):
            dtype = torch.float64 if k else torch.float32
            yield torch.randn(2, 3, generator=rng, dtype=dtype), k, clear


def _zeros_for_none(g, k, clear):
    grad = _grad_after(g, k, clear)
    return torch.zeros_like(g) if grad is None else grad


def _replaced(g, k, clear):
    return _grad_after(g, min(k, 1), clear)


def _never_cleared(g, k, clear):
    return _grad_after(g, k, "never")


def _zeros_as_none(g, k, clear):
    return _grad_after(g, k, "after" if clear == "zeros" else clear)


def _none_as_zeros(g, k, clear):
    return _grad_after(g, k, "zeros" if clear == "after" else clear)


def _cleared_at_once(g, k, clear):
    return (
        torch.zeros_like(g) if clear == "zeros" else _grad_after(g, k, clear)
    )


def _zero_rounds_as_sum(g, k, clear):
    if k == 0 and clear == "never":
        return 0 * g
    return _grad_after(g, k, clear)


def _one_round_at_least(g, k, clear):
    return _grad_after(g, max(k, 1), clear)


def _no_zero_rounds(g, k, clear):
    if clear == "never":
        return k * g
    return _grad_after(g, max(k, 1), clear)


def _before_without_rounds(g, k, clear):
    return _grad_after(g, max(k, 1) if clear == "before" else k, clear)


def _exchanged(g, k, clear):
    other = {"before": "after", "after": "before"}
    return _grad_after(g, k, other.get(clear, clear))


def _after_is_before(g, k, clear):
    return _grad_after(g, k, "before" if clear == "after" else clear)


def _before_adds(g, k, clear):
    return _grad_after(g, k, "never" if clear == "before" else clear)


def _before_is_after(g, k, clear):
    return _grad_after(g, k, "after" if clear == "before" else clear)


grad_after = Exercise(
    reference=_grad_after,
    cases=_grad_cases,
    mistakes=(
        Mistake(
            _zeros_for_none,
            "应为 None 的地方你返回了 0：从没收到梯度，或被 zero_grad() 清掉，"
            "都是 None。",
            "You return zeros where None is due: a gradient that never came, "
            "or that zero_grad() cleared, is None.",
        ),
        Mistake(
            _replaced,
            "不清零时，k 次 backward() 应加成 k * g，不是只留最后一次的 g。",
            "Without clearing, k backward passes add up to k * g; the last g "
            "does not replace the others.",
        ),
        Mistake(
            _never_cleared,
            "没有理会 clear：每种情况你都返回了不清零的结果。",
            "You ignore clear: in every case you return what comes without "
            "clearing.",
        ),
        Mistake(
            _zeros_as_none,
            "set_to_none=False 清成的是 0，不是 None。",
            "set_to_none=False clears to zeros, not to None.",
        ),
        Mistake(
            _none_as_zeros,
            "zero_grad() 默认清成 None，不是 0。",
            "By default, zero_grad() clears to None, not to zeros.",
        ),
        Mistake(
            _cleared_at_once,
            "k 是 0 时一轮都没跑，zero_grad(set_to_none=False) 也没被调用过："
            "仍是 None。",
            "With k = 0 no round is run, so zero_grad(set_to_none=False) was "
            "never called: it is still None.",
        ),
        Mistake(
            _zero_rounds_as_sum,
            "k 是 0 时没有 backward()，也就没有梯度：是 None，不是 0 * g。",
            "With k = 0 there is no backward pass and so no gradient: None, "
            "not 0 * g.",
        ),
        Mistake(
            _one_round_at_least,
            "k 是 0 时你也当作跑了一轮：一轮都没跑，.grad 还是 None。",
            "With k = 0 you act as if one round was run: none was, and .grad "
            "is still None.",
        ),
        Mistake(
            _no_zero_rounds,
            "只差 k = 0：一轮都没跑，四种情况下 .grad 都还是 None。",
            "Only k = 0 is missing: no round was run, and with all four "
            ".grad is still None.",
        ),
        Mistake(
            _before_without_rounds,
            "“before”在 k = 0 时也返回了 g：一次 backward() 都没有，是 None。",
            "With “before” you return g for k = 0 as well: there was no "
            "backward(), so None.",
        ),
        Mistake(
            _exchanged,
            "“before”和“after”弄反了：在 backward() 之后清，最后什么也不剩；"
            "在它之前清，剩下最后一份 g。",
            "“before” and “after” are exchanged: clearing after backward() "
            "leaves nothing, clearing before it leaves the last g.",
        ),
        Mistake(
            _after_is_before,
            "“after”在最后一次 backward() 之后也清：是 None，不是 g。",
            "With “after”, the last backward() is followed by clearing too: "
            "None, not g.",
        ),
        Mistake(
            _before_adds,
            "“before”每轮都先清掉上一轮的：最后只剩一份 g，不是 k * g。",
            "With “before”, each round first clears what the last one left: "
            "one g remains, not k * g.",
        ),
        Mistake(
            _before_is_after,
            "“before”在 backward() 之前清，最后一次的梯度还在：是 g，不是"
            " None。",
            "With “before”, clearing comes before backward(), so the last "
            "gradient is still there: g, not None.",
        ),
    ),
)

# --- distill_loss ---------------------------------------------------------


def _distill_loss(x: Tensor, w_student: Tensor, w_teacher: Tensor) -> Tensor:
    with torch.no_grad():
        goal = x @ w_teacher
    return torch.mean((x @ w_student - goal) ** 2)


def _gradients(answer: Callable) -> Callable:
    """The loss, and the gradients that it leaves after one backward."""

    def run(x: Tensor, w_student: Tensor, w_teacher: Tensor) -> dict:
        loss = answer(x, w_student, w_teacher)
        if isinstance(loss, Tensor) and loss.ndim == 0:
            loss.backward()
        return {
            "loss": loss,
            "w_student.grad": w_student.grad,
            "w_teacher.grad": w_teacher.grad,
            "x.grad": x.grad,
        }

    return run


def _calls_backward(x: Tensor, w_student: Tensor, w_teacher: Tensor):
    loss = _distill_loss(x, w_student, w_teacher)
    loss.backward()
    return loss


def _new_leaf(x: Tensor, w_student: Tensor, w_teacher: Tensor) -> Tensor:
    loss = _distill_loss(x, w_student, w_teacher)
    return loss.detach().requires_grad_()


def _distill_cases(rng: torch.Generator) -> Iterator[tuple]:
    N, D, E = (2 + torch.randperm(6, generator=rng)[:3]).tolist()
    yield tuple(
        torch.randn(shape, generator=rng, dtype=torch.float64).requires_grad_()
        for shape in ((N, D), (D, E), (D, E))
    )


distill_loss = Exercise(
    reference=_distill_loss,
    cases=_distill_cases,
    adapt=_gradients,
    mistakes=(
        Mistake(
            lambda x, s, t: ((x @ s - x @ t) ** 2).mean(),
            "老师那一支没有截断：w_teacher 也收到了梯度。",
            "The teacher's branch is not cut: w_teacher gets a gradient too.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - x @ t.detach()) ** 2).mean(),
            "只截断了 w_teacher：x 仍从老师那一支收到梯度。截断整个输出"
            " x @ w_teacher。",
            "Only w_teacher is detached: x still gets a gradient through the "
            "teacher. Detach the whole output x @ w_teacher.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - x.detach() @ t) ** 2).mean(),
            "老师那一支只截断了 x：w_teacher 仍收到梯度。",
            "In the teacher's branch only x is detached: w_teacher still "
            "gets a gradient.",
        ),
        Mistake(
            lambda x, s, t: (((x @ s).detach() - x @ t) ** 2).mean(),
            "截错了一支：学生冻住了，老师在学。",
            "The wrong branch is cut: the student is frozen and the teacher "
            "learns.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - x @ t) ** 2).mean().detach(),
            "整个损失都被截断了：没有图，就不能 backward()。",
            "The whole loss is detached: without a graph there is no "
            "backward().",
        ),
        Mistake(
            lambda x, s, t: ((x.detach() @ (s - t.detach())) ** 2).mean(),
            "学生那一支的 x 也被截断了：x.grad 应从学生那一支来。",
            "x is detached in the student's branch as well: x.grad should "
            "come through the student.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s.detach() - (x @ t).detach()) ** 2).mean(),
            "w_student 也被截断了，收不到梯度：只截断老师那一支。",
            "w_student is detached too and gets no gradient: cut the "
            "teacher's branch only.",
        ),
        Mistake(
            _new_leaf,
            "损失的值对，但它与 x、w_student 之间的图断了（例如新建了张量），"
            "两者都收不到梯度。",
            "The loss has the right value, but its graph does not reach x and "
            "w_student (was a new tensor made?), and neither gets a gradient.",
        ),
        Mistake(
            _calls_backward,
            "函数里已经调用了 backward()：只返回损失，反向留给调用它的人。",
            "backward() is called inside the function: only return the loss, "
            "and leave the backward pass to the caller.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - (x @ t).detach()) ** 2).sum() / len(x),
            "损失除以了行数 N：要对所有 N·E 个差取平均。",
            "The loss is divided by the number of rows N: average over all "
            "N·E differences.",
        ),
        Mistake(
            lambda x, s, t: (x @ s - (x @ t).detach()) ** 2,
            "没有取平均：每个差的平方都还在，形状是 (N, E)。损失是一个数。",
            "The mean is missing: all squared differences are still there, in "
            "shape (N, E). A loss is one number.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - (x @ t).detach()) ** 2).sum(),
            "损失是求和，题目要的是平均。",
            "The loss is a sum; the mean is asked for.",
        ),
        Mistake(
            lambda x, s, t: ((x @ s - (x @ t).detach()) ** 2).mean().item(),
            "返回的是 Python 数：.item() 之后没有图了，返回张量。",
            "You return a Python number: after .item() there is no graph; "
            "return the tensor.",
        ),
    ),
)
