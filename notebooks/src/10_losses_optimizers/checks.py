"""Checks of lesson 10: accumulating, cross-entropy, choosing, AdamW."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from exercises import Rejection, exercise, says, table, variations
from exercises.compare import type_name
from exercises.properties import finite, same_gradients, without

DTYPE = torch.float64  # the lesson's default


# --- 1. a batch in parts -----------------------------------------------------


def accumulate(model, loss_fn, parts):
    for p in model.parameters():
        p.grad = None
    num_samples = sum(len(x) for x, _ in parts)
    total = 0.0
    for x, y in parts:
        loss = loss_fn(model(x), y) * len(x) / num_samples
        loss.backward()
        total += loss.item()
    return total


def whole_batch(model, loss_fn, parts):
    x, y = (torch.cat(column) for column in zip(*parts, strict=True))
    model.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    return loss.item()


def parts_of_batches(rng):
    plan = [
        (nn.Linear(4, 1), F.mse_loss, [5, 2]),
        (nn.Linear(3, 2), F.mse_loss, [1, 4, 4]),
        (nn.Linear(5, 3), F.cross_entropy, [6, 3, 1, 7]),
        (nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)),
         F.cross_entropy, [3, 3, 2]),
        (nn.Linear(4, 2), F.l1_loss, [8]),
    ]  # fmt: skip
    for model, loss_fn, sizes in plan:
        first, *_, last = model.parameters()
        D, E, parts = first.shape[1], len(last), []
        for p in model.parameters():
            p.data = torch.randn(p.shape, generator=rng, dtype=torch.float64)
        for size in sizes:
            x = torch.randn(size, D, generator=rng, dtype=torch.float64)
            y = torch.randn(size, E, generator=rng, dtype=torch.float64)
            if loss_fn is F.cross_entropy:
                y = torch.randint(E, (size,), generator=rng)
            parts.append((x, y))
        yield model, loss_fn, parts


def loss_and_grads(answer):
    def run(model, loss_fn, parts):
        before = [p.detach().clone() for p in model.parameters()]
        for p in model.parameters():
            p.grad = torch.ones_like(p)  # from before
        told = answer(model, loss_fn, parts)
        for p, old in zip(model.parameters(), before, strict=True):
            if not torch.equal(p.detach(), old):
                raise Rejection(
                    "参数变了：这里只求梯度，不走步。",
                    "Parameters changed: here gradients are computed, and no "
                    "step is taken.",
                )
            if p.grad is None:
                raise Rejection(
                    "运行之后 .grad 是 None：没有反向，或最后又清掉了。",
                    "Afterwards .grad is None: nothing went backward, or it "
                    "was cleared at the end.",
                )
        if not isinstance(told, float):
            raise Rejection(
                f"返回的应是 Python float，得到 {type_name(told)}。",
                f"A Python float should be returned, got {type_name(told)}.",
            )
        return told, [p.grad for p in model.parameters()]

    return run


def same_loss_and_grads(got, want):
    (loss, grads), (right_loss, right_grads) = got, want
    pairs = [*zip(grads, right_grads, strict=True)]
    if all(torch.allclose(a, b, atol=1e-9) for a, b in pairs):
        if abs(loss - right_loss) < 1e-9:
            return
        raise Rejection(
            f"梯度都对，返回的损失应为 {right_loss:.4g}，得到 {loss:.4g}。",
            f"All gradients are right; the loss returned should be "
            f"{right_loss:.4g}, not {loss:.4g}.",
        )
    if all(torch.allclose(a, b + 1, atol=1e-9) for a, b in pairs):
        raise Rejection(
            "运行之前的 .grad 还留着，新的梯度加在了它上面。",
            "The .grad of before is still there; the new gradients are added "
            "to it.",
        )
    ratio = (pairs[0][0] / pairs[0][1]).flatten()
    if torch.allclose(ratio, ratio[0].expand_as(ratio)):
        large = ratio[0] > 1.5
        raise Rejection(
            f"每个梯度都是应有的 {ratio[0]:.4g} 倍"
            f"{'：除以样本总数了吗？' if large else '。'}",
            f"Every gradient is {ratio[0]:.4g} times what it should be"
            f"{': did you divide by all samples?' if large else '.'}",
        )
    raise Rejection(
        "梯度与整批的不同，也不是同一个倍数：各份的权重不对？",
        "The gradients are not those of the whole batch, nor off by one "
        "factor: are the parts weighted rightly?",
    )


@says(
    "每份应单独前向，并在下一份前向之前反向。",
    "Each part should go forward by itself, and backward before the next one "
    "goes forward.",
)
def one_part_at_a_time(f, model, loss_fn, parts):
    if len(parts) == 1:
        return True
    sizes, made, done, late = [], [], set(), []

    def note(module, inputs):
        sizes.append(len(inputs[0]))
        if len(done) < len(made):
            late.append(True)

    def noted(*args):
        loss, number = loss_fn(*args), len(made)
        if loss.requires_grad:
            made.append(number)
            loss.register_hook(lambda grad: done.add(number))
        return loss

    with_hook = model.register_forward_pre_hook(note)
    try:
        f(model, noted, parts)
    finally:
        with_hook.remove()
    if sum(len(x) for x, _ in parts) in sizes:
        raise Rejection(
            "你把各份拼成了一批送进模型：显存放不下，才要分份。",
            "You join the parts into one batch for the model: they are parts "
            "because one batch does not fit into memory.",
        )
    if sorted(sizes) != sorted(len(x) for x, _ in parts):
        raise Rejection(
            "每份应整份送进模型，恰好一次：你又拆开了，或送了几次。",
            "Each part should go through the model whole and just once: you "
            "divide it further, or send it several times.",
        )
    return not late


accumulate = exercise(
    accumulate,
    parts_of_batches,
    oracle=whole_batch,
    adapt=loss_and_grads,
    compare=same_loss_and_grads,
    holds=[one_part_at_a_time],
    wrong="""
 * len(x) / num_samples =>
各份的平均损失直接相加了：每份应按它的样本数加权。
The parts' mean losses are added as they are: each should be weighted by its
number of samples.

 * len(x) / num_samples => / len(parts)
每份都除以了份数：各份大小不同，样本的权重就不一样了。
Every part is divided by the number of parts: they differ in size, so samples
do not weigh the same.

 * len(x) / num_samples => * len(x)
每份乘以了样本数，还没有除以样本总数：得到的是和，不是平均。
Every part is multiplied by its number of samples, but not divided by the
number of all: this is a sum, not a mean.

 * len(x) / num_samples => / num_samples
每份除以了样本总数，但没有先乘以自己的样本数：loss_fn 已经取过平均。
Every part is divided by the number of all samples, but not multiplied by its
own: loss_fn has taken a mean already.

p.grad = None => pass
没有清零：运行之前的 .grad 混了进来。
Nothing is cleared: the .grad of before is mixed in.

        loss.backward() =>         model.zero_grad()\\n        loss.backward()
每份之前都清了零，只剩最后一份的梯度。
Gradients are cleared before every part, so only the last part's are left.

total += loss.item() => total = loss.item()
返回的只是最后一份的损失：各份要累加。
What you return is the last part's loss alone: the parts add up.

total += loss.item() => MEAN
MEAN => total += loss.item() * num_samples / len(x) / len(parts)
返回的损失给了各份同样的权重；梯度是对的。
The loss returned gives all parts the same weight; the gradients are right.

total += loss.item() => total += loss.item() * len(parts) / 2
返回的损失没有按样本数加权，或多乘了一个数；梯度是对的。
The loss returned is not weighted by the numbers of samples, or multiplied by
something; the gradients are right.

model.zero_grad()
n = sum(len(x) for x, _ in parts)
loss = sum(loss_fn(model(x), y) * len(x) / n for x, y in parts)
loss.backward()
return loss.item()
先把各份都前向，最后才一起反向：所有的计算图同时占着内存。
All parts go forward first and backward together at the end: all their graphs
are in memory at once.
""",
)


# --- 2. cross-entropy --------------------------------------------------------


def cross_entropy(logits, target, ignore_index=-100):
    keep = target != ignore_index
    z, t = logits[keep], target[keep]  # (M, C), (M,)
    right = z.gather(1, t[:, None])[:, 0]
    return (z.logsumexp(1) - right).mean()


def by_torch(logits, target, ignore_index=-100):
    return F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        target.reshape(-1),
        ignore_index=ignore_index,
    )


def classified(rng):
    for s in variations(rng, "* N C", ones="N", equal=False):
        target = s.integers("* N", 0, s.C)
        yield s.normal("* N C"), target
        if target.numel() > 1:
            flat = target.flatten().clone()
            flat[::2] = -100
            yield 3 * s.normal("* N C"), flat.view(target.shape)
            flat = target.flatten().clone()  # here 0 does not count
            flat[0] = 1
            yield s.normal("* N C"), flat.view(target.shape), 0
            flat = target.flatten().clone()
            flat[1::2] = -1
            yield s.normal("* N C"), flat.view(target.shape), -1
    for s in variations(rng, "C", equal=False, layouts=False, ones=""):
        target = torch.randint(s.C, (), generator=rng)
        yield s.normal("C"), target  # no leading axis
        yield 1000 * s.normal("C")[None], target[None]
    yield (  # a row's largest logit is far below that of another
        torch.tensor([[1e3, 0, 5], [0, 1, 2]], dtype=torch.float64),
        torch.tensor([0, 0]),
    )
    yield (
        torch.tensor(
            [[900.0, 0.0, -900.0], [0.0, 1.0, 0.5], [0.0, 400.0, 0.0]],
            dtype=torch.float64,
        ),
        torch.tensor([2, 1, 0]),
    )


class Largest(TorchFunctionMode):
    """The most numbers that one result held."""

    most = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.most = max(self.most, result.numel())
        return result


@says(
    "(M) 减 (M, 1) 广播成了 (M, M)：值碰巧对，内存是 M²。取出的一列要去掉"
    "最后的轴。",
    "(M) minus (M, 1) is broadcast to (M, M): the value is right by chance, "
    "the memory is M². The column that was looked up has an axis too many.",
)
def no_square(f, logits, *others):
    logits, target = torch.zeros(60, 3), torch.arange(60) % 3
    with Largest() as largest:
        f(logits, target)
    return largest.most <= 4 * logits.numel()


cross_entropy = exercise(
    cross_entropy,
    classified,
    oracle=by_torch,
    part=True,
    holds=[
        without(
            "cross_entropy nll_loss log_softmax special_log_softmax",
            "cross_entropy、nll_loss、log_softmax 不许用：要自己写。",
            "A function is used that is not allowed: cross_entropy, nll_loss "
            "and log_softmax are to be written.",
        ),
        finite(
            "损失里有 nan 或 inf：logits 很大时 exp 溢出，或概率成了 0。",
            "The loss is nan or inf: with large logits exp overflows, or a "
            "probability becomes 0.",
        ),
        same_gradients(by_torch),
        no_square,
    ],
    wrong="""
.mean() => .sum()
取了和：损失是平均。
You take a sum: the loss is a mean.

return (z.logsumexp(1) - right).mean() => LAST
LAST => return (z.logsumexp(1) - right).sum() / target.numel()
除以了全部位置的个数：不算的位置也不该数进去。
You divide by the number of all positions: those that do not count should not
be counted either.

z.logsumexp(1) - right => right - z.logsumexp(1)
符号反了：这是正确类别的对数概率，损失是它的相反数。
The sign is wrong: this is the log-probability of the right class, and the
loss is its negative.

z.logsumexp(1) => z.logsumexp(0)
logsumexp 沿样本的轴取了：每个样本要对类别求。
The logsumexp runs over the samples: for each sample it should run over the
classes.

z.logsumexp(1) - right => z.softmax(1).logsumexp(1) - right.exp()
多做了一次 softmax。
There is a softmax too many.

z.logsumexp(1) - right => -right
只取了 -logit，没有归一化：那是 nll_loss 做的事。
You take -logit only and do not normalise: that is what nll_loss does.

keep = target != ignore_index => keep = target != -100
ignore_index 写死成了 -100。
The ignore_index is always -100 in your code.

z.logsumexp(1) - right => -((right - z.logsumexp(1)).exp() + 1e-9).log()
概率上加了一个很小的数再取对数：损失变了，logits 很大时封了顶。用 logsumexp 就
不需要它。
A small number is added to the probability before its logarithm: the loss
changes, and with large logits it is capped. With logsumexp none is needed.

z.logsumexp(1) - right => -((right - z.logsumexp(1)).exp() + 1e-12).log()
概率上加了一个小数再取对数：logits 很大时损失封了顶。用 logsumexp 就不需要它。
With a small number added to the probability, the loss of large logits is
capped. With logsumexp none is needed.

z, t = logits[keep], target[keep] => z, t = logits[keep], target[keep]; CLAMP
CLAMP => z = z.clamp(-100, 100)
logits 被截断了：它们多大都要算得出。
The logits are clamped: the loss should be right for any size.

keep = target != ignore_index => keep = target >= 0
你跳过了所有负的编号：不算的是等于 ignore_index 的，它也可以是 0。
You skip all negative ids: what does not count is what equals ignore_index,
and that may be 0.

z.logsumexp(1) - right => z.logsumexp(1) - z.max(1).values
减去的是最大的 logit，不是正确类别的。
What you subtract is the largest logit, not that of the right class.

(z.logsumexp(1) - right) => (z.exp().sum(1) - right)
少了对数：公式是 ln Σ exp。
The logarithm is missing: the formula is ln Σ exp.

return right(logits, target.clamp(min=0), -10**9)
不算的位置被当成了某个类别。
Positions that do not count are taken for some class.

z.logsumexp(1) => z.logsumexp(1).detach()
值对，梯度不对：公式里有一项与计算图断开了。
The value is right, the gradient is not: a term of the formula is cut off from
the graph.

[:, None])[:, 0] => [:, None])
取出的一列是 (M, 1)：(M) 减它广播成了 (M, M)，值碰巧对，内存是 M²。
The column that was looked up is (M, 1): (M) minus it is broadcast to (M, M),
whose mean is right by chance, and the memory is M².

z.gather(1, t[:, None])[:, 0] => z[:, t]
z[:, t] 对每一行都取了所有的编号：每行只取自己的那一个。
z[:, t] looks up all ids in every row: each row should give its own only.

t[:, None])[:, 0] => t)
gather 的两个张量要有同样多的轴：t 少一个。
gather wants as many axes in both tensors: t has one too few.

logits[keep], target[keep] => logits.flatten(0, -2), target.flatten()
logits.flatten(0, -2) => logits.reshape(-1, logits.shape[-1])
不算的位置也拿去取了：先挑出要算的位置。
Positions that do not count are looked up as well: pick those that count first.

z.logsumexp(1) => (z - z.max()).exp().sum(1).log() + z.max()
减去的是所有行里最大的 logit：别的行的指数都成了 0。每行应减自己的最大值。
You subtract the largest logit of all rows, and the exponentials of other rows
become 0. Each row should subtract its own largest.

z, t = logits[keep], target[keep] => z, t = logits, target.where(keep, P)
P => torch.zeros_like(target)
z.gather(1, t[:, None])[:, 0] => z.gather(-1, t[..., None])[..., 0]
z.logsumexp(1) => z.logsumexp(-1)
(z.logsumexp(-1) - right).mean() => (LOSS.sum(-1) / keep.sum(-1)).mean()
LOSS => ((z.logsumexp(-1) - right) * keep)
先对每行平均，再平均各行：各行要算的位置不一样多。
You average each row, then the rows: rows differ in how many positions count.

return right(logits, target, ignore_index).detach()
结果与计算图断开了。
The result is cut off from the graph.

return torch.tensor(right(logits, target, ignore_index).item())
.item() 取出的只是一个数：新造的张量没有计算图。
.item() gives a mere number: the tensor made of it has no graph.

return right(logits, target, ignore_index)[None]
值对了，形状是 (1,)：损失应是标量。
The value is right, the shape is (1,): a loss is a scalar.
""",
)


# --- 3. choose a loss --------------------------------------------------------

choices = {
    "digit": "cross_entropy",
    "letter": "nll_loss",
    "tags": "binary_cross_entropy_with_logits",
    "spam": "binary_cross_entropy",
    "teacher": "kl_div",
    "mean": "mse_loss",
    "price": "l1_loss",
}
LOOK = {
    "digit": ("线性层给出的是 logits，十类里恰好一类对。",
              "A linear layer gives logits, and one of ten classes is right."),
    "letter": ("log_softmax 已经做过了：输入是对数概率，答案是编号。",
               "log_softmax is done: the input holds log-probabilities, and "
               "the answer is an id."),
    "tags": ("二十个互不相干的“有没有”，输入是 logits。",
             "These are twenty separate questions of yes or no, and the "
             "input holds logits."),
    "spam": ("sigmoid 已经做过了：输入是一个概率。",
             "The sigmoid is done: the input is a probability."),
    "teacher": ("答案不是编号，是一整行概率；输入是对数概率。",
                "The answer is no id but a row of probabilities; the input "
                "holds log-probabilities."),
    "mean": ("哪个损失的平衡处是平均数？",
             "Which loss balances at the mean?"),
    "price": ("错得离谱的几个不许左右结果：哪个损失只看误差的符号？",
              "A few absurd prices should not decide: which loss sees only "
              "the sign of an error?"),
}  # fmt: skip
LOSSES = set(choices.values())


def amiss(question, told, due):
    if told not in LOSSES:
        return (
            "只能填表里七个函数的名字，写成字符串。",
            "It should be the name of one of the table's seven functions, as "
            "a string.",
        )
    if (question, told) == ("letter", "cross_entropy"):
        return (
            "算出的值一样，但 softmax 白做了一次；每个名字只用一次，这里该用"
            "只收对数概率的。",
            "The value is the same, but a softmax is done for nothing; each "
            "name is used once, and this one is for log-probabilities.",
        )
    return LOOK[question]


choices = exercise(
    choices,
    name="choices",
    **table(choices, None, amiss),
    wrong="""
"nll_loss" => "cross_entropy"
"digit": "cross_entropy" => "digit": "nll_loss"
digit 和 letter 换了：nll_loss 收的是 log_softmax 之后的数，cross_entropy 自己
做 softmax。
You swapped digit and letter: nll_loss takes what comes from log_softmax, while
cross_entropy does the softmax itself.

"binary_cross_entropy" => "X"
"binary_cross_entropy_with_logits" => "binary_cross_entropy"
"X" => "binary_cross_entropy_with_logits"
tags 和 spam 换了：sigmoid 做过没有？名字里的 with_logits 表示还没有。
You swapped tags and spam: is the sigmoid done? with_logits in a name says that
it is not.

"mse_loss" => "X"
"l1_loss" => "mse_loss"
"X" => "l1_loss"
mean 和 price 换了：MSE 平衡在平均数，L1 平衡在中位数，不理会离谱的几个。
You swapped mean and price: MSE balances at the mean, L1 at the median, which a
few absurd ones do not move.

"kl_div" => "X"
"nll_loss" => "kl_div"
"X" => "nll_loss"
letter 和 teacher 换了：答案是一个编号，还是一整行概率？
You swapped letter and teacher: is the answer one id or a row of probabilities?

"cross_entropy" => "X"
"binary_cross_entropy_with_logits" => "cross_entropy"
"X" => "binary_cross_entropy_with_logits"
digit 和 tags 换了：恰好一类对，用 softmax 让各类竞争；可以有几种，每种各用一个
sigmoid。
You swapped digit and tags: where just one class is right, softmax makes them
compete; where several may be, each has a sigmoid of its own.
""",
)


# --- 4. AdamW ----------------------------------------------------------------


class AdamW:
    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    ):
        self.params, self.lr, self.betas = list(params), lr, betas
        self.eps, self.weight_decay = eps, weight_decay
        self.steps = [0] * len(self.params)
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            self.steps[i] += 1
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * p.grad
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * p.grad**2
            m = self.m[i] / (1 - beta1 ** self.steps[i])
            v = self.v[i] / (1 - beta2 ** self.steps[i])
            p *= 1 - self.lr * self.weight_decay
            p -= self.lr * m / (v.sqrt() + self.eps)


def ten_rounds(rng):
    """Start values; by round, a gradient or None for each; options."""
    plan = [
        {},
        {"lr": 0.1, "weight_decay": 0.0},
        {"lr": 0.05, "weight_decay": 0.3},
        {"lr": 0.02, "betas": (0.7, 0.95), "eps": 0.1, "weight_decay": 0.5},
        {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1},
    ]
    for n, options in enumerate(plan):
        starts = [
            torch.randn(shape, generator=rng, dtype=torch.float64) + 3
            for shape in ((3, 2), (4,), ())[: 1 + n % 3]
        ]
        rounds = []
        for k in range(10):
            grads = [
                torch.randn(p.shape, generator=rng, dtype=torch.float64)
                * 10.0 ** (2 * j - 2)
                for j, p in enumerate(starts)
            ]
            if k == 3:
                grads[0] = torch.zeros_like(starts[0])  # 0 is not None
            if n > 1 and k in (0, 1, 5):
                grads[-1] = None
            rounds.append(grads)
        yield starts, rounds, options


def leaves(starts):
    return [p.clone().requires_grad_() for p in starts]


class Once:
    """A generator that notes whether it is read again at its end."""

    def __init__(self, params):
        self.rest, self.ends = iter(params), 0

    def __iter__(self):
        return self

    def __next__(self):
        for p in self.rest:
            return p
        self.ends += 1
        raise StopIteration

    def judge(self):
        if self.ends > 1:
            raise Rejection(
                "params 可能是只能读一遍的生成器，你的代码读了几遍：先存成"
                "列表。",
                "params may be a generator that can be read only once, and "
                "your code reads it again: keep a list.",
            )


Once.__name__ = "generator"  # errors call it so


def one_step(optimizer, params, grads):
    """Put the gradients, take a step, and look at what else it did."""
    before = [p.detach().clone() for p in params]
    places = [p.data_ptr() for p in params]
    for p, g in zip(params, grads, strict=True):
        p.grad = None if g is None else g.clone()
    optimizer.step()
    if not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        raise Rejection(
            "step() 关掉了求导，没有再打开：以后的 backward() 会报错。",
            "step() switches gradients off and leaves them off: a later "
            "backward() will fail.",
        )
    for p, g in zip(params, grads, strict=True):
        if (p.grad is None) != (g is None) or (
            g is not None and not torch.equal(p.grad, g)
        ):
            raise Rejection(
                "step() 改动了 .grad：它只读梯度。",
                "step() changes .grad: it only reads gradients.",
            )
    if [p.data_ptr() for p in params] != places:
        raise Rejection(
            "p.data = … 让参数换了一块内存：要原地修改。",
            "p.data = … gives the parameter other memory: change it in place.",
        )
    return before


def ten_steps(kind, starts, rounds, options):
    params, seen = leaves(starts), []
    optimizer = kind(once := Once(params), **options)
    for grads in rounds:
        optimizer.zero_grad()
        once.judge()
        left = [p.grad for p in params if p.grad is not None]
        if left and not any(g.any() for g in left):
            raise Rejection(
                "zero_grad() 把 .grad 清成了 0：应设成 None。",
                "Your zero_grad() sets .grad to 0: it should be None.",
            )
        if left:
            raise Rejection(
                "zero_grad() 之后 .grad 还在。",
                "After zero_grad() the .grad are still there.",
            )
        before = one_step(optimizer, params, grads)
        once.judge()
        if any(g is not None and g.any() for g in grads) and all(
            torch.equal(p, q) for p, q in zip(params, before, strict=True)
        ):
            raise Rejection(
                "step() 之后参数一点没变：要原地修改（p -= …，不是 "
                "p = p - …）。",
                "After step() no parameter has changed: change them in place "
                "(p -= …, not p = p - …).",
            )
        seen.append([p.detach().clone() for p in params])
    return seen


def rounds_of(kind):
    def run(starts, rounds, options):
        seen = ten_steps(kind, starts, rounds, options)
        again = ten_steps(kind, starts, rounds[:2], options)
        for one, other in zip(seen[:2], again, strict=True):
            for p, q in zip(one, other, strict=True):
                if not torch.allclose(p, q, equal_nan=True):
                    raise Rejection(*TWO)
        return seen, bool(options)

    return run


def digits(a, b):
    """Both numbers, with so many digits that they differ."""
    n = 6
    while f"{a:.{n}g}" == f"{b:.{n}g}" and n < 16:
        n += 1
    return f"{a:.{n}g}", f"{b:.{n}g}"


def same_places(got, want):
    (got, special), (want, _) = got, want
    for k, (mine, due) in enumerate(zip(got, want, strict=True), 1):
        for i, (a, b) in enumerate(zip(mine, due, strict=True)):
            if not torch.allclose(a, b, rtol=1e-7, atol=1e-9):
                j = (a - b).abs().argmax()
                told, other = digits(a.flatten()[j], b.flatten()[j])
                zh = en = ""
                if not special:
                    zh = "默认值与题目的相同吗？"
                    en = " Are the defaults those of the text?"
                raise Rejection(
                    f"第 {k} 步之后参数 {i} 不对：有一个数应为 {other}，"
                    f"得到 {told}。{zh}",
                    f"After step {k} parameter {i} is wrong: a number "
                    f"should be {other}, not {told}.{en}",
                )


TWO = (
    "两个优化器互相影响：记录应放在 self 里，在 __init__ 里造出来。",
    "Two optimizers affect each other: records belong to self and are made in "
    "__init__.",
)


def one_after_the_other(kind, starts, rounds, options):
    """Two optimizers on the same tensors; the second starts afresh."""
    params = leaves(starts)
    for half in (rounds[:2], rounds[2:4]):
        optimizer = kind(params, **options)
        for grads in half:
            for p, g in zip(params, grads, strict=True):
                p.grad = None if g is None else g.clone()
            optimizer.step()
    return [p.detach() for p in params]


@says(*TWO)
def keeps_to_itself(kind, starts, rounds, options):
    alone = ten_steps(kind, starts, rounds, options)
    both = [leaves(starts), leaves([-p for p in starts])]
    pair = [kind(params, **options) for params in both]
    for grads in rounds:
        for params, optimizer in zip(both, pair, strict=True):
            for p, g in zip(params, grads, strict=True):
                p.grad = None if g is None else g.clone()
            optimizer.step()
    case = starts, rounds, options
    pairs = [*zip(both[0], alone[-1], strict=True)]
    pairs += zip(
        one_after_the_other(kind, *case),
        one_after_the_other(torch.optim.AdamW, *case),
        strict=True,
    )
    return all(torch.allclose(p.detach(), q) for p, q in pairs)


@says(
    "不许用 torch.optim：这一步要自己写。",
    "torch.optim is not allowed: write the step yourself.",
)
def by_hand(kind, starts, rounds, options):
    optimizer = kind(leaves(starts), **options)
    held = [optimizer, *vars(optimizer).values()]
    return not any(isinstance(part, torch.optim.Optimizer) for part in held)


AdamW = exercise(
    AdamW,
    ten_rounds,
    part=True,
    oracle=torch.optim.AdamW,
    adapt=rounds_of,
    compare=same_places,
    holds=[by_hand, keeps_to_itself],
    wrong=r"""
self.m[i] / (1 - beta1 ** self.steps[i]) => self.m[i]
self.v[i] / (1 - beta2 ** self.steps[i]) => self.v[i]
没有修正：m 和 v 从 0 开始，前几步偏小，要除以 1 − βⁿ。
Nothing is corrected: m and v start at 0 and are too small at first; they are
divided by 1 − βⁿ.

self.v[i] / (1 - beta2 ** self.steps[i]) => self.v[i]
只修正了 m，没有修正 v。
You correct m only, and not v.

self.m[i] / (1 - beta1 ** self.steps[i]) => self.m[i]
只修正了 v，没有修正 m。
You correct v only, and not m.

m = self.m[i] / => m = self.m[i] = self.m[i] /
v = self.v[i] / => v = self.v[i] = self.v[i] /
修正后的平均存回了 m 和 v：下一步就在修正过的数上接着平均。
The corrected means are stored back into m and v, so the next step goes on
averaging corrected numbers.

(v.sqrt() + self.eps) => (v + self.eps).sqrt()
ε 加在了根号里面：它应加在开方之后。
The ε is inside the square root: it is added after it.

(v.sqrt() + self.eps) => v.sqrt()
少了 ε：梯度是 0 时会除以 0。
The ε is missing: a gradient of 0 would give a division by 0.

(v.sqrt() + self.eps) => (v + self.eps)
分母没有开方：v 是梯度平方的平均。
The square root is missing below: v is a mean of squares.

p *= 1 - self.lr * self.weight_decay => pass
没有权重衰减。
There is no weight decay.

1 - self.lr * self.weight_decay => 1 - self.weight_decay
衰减没有乘以学习率。
The decay is not multiplied by the learning rate.

p *= 1 - self.lr * self.weight_decay => pass
(1 - beta1) * p.grad => (1 - beta1) * (p.grad + self.weight_decay * p)
(1 - beta2) * p.grad**2 => (1 - beta2) * (p.grad + self.weight_decay * p)**2
衰减加进了梯度：那是带 weight_decay 的 Adam，衰减的大小又被除掉了。
The decay is added to the gradient: that is Adam with weight_decay, where the
size of the decay is divided out again.

p *= 1 - self.lr * self.weight_decay => pass
(v.sqrt() + self.eps) => (v.sqrt() + self.eps)\n            DECAY
DECAY => p *= 1 - self.lr * self.weight_decay
先更新、后衰减了：刚走的一步也被缩小。应先衰减。
The update comes before the decay, which then shrinks the new step as well:
decay first.

beta1, beta2 = self.betas => beta2, beta1 = self.betas
两个 β 用反了：β₁ 管 m，β₂ 管 v。
The two β are swapped: β₁ belongs to m, β₂ to v.

(1 - beta2) * p.grad**2 => (1 - beta2) * p.grad
v 平均的是梯度，应是梯度的平方。
Your v averages the gradient; it should be its square.

(1 - beta1) * p.grad => p.grad
m 累加了整个梯度，没有乘以 1 − β₁：这是动量，不是平均。
Your m adds the whole gradient, not 1 − β₁ of it: this is momentum and no
mean.

(1 - beta2) * p.grad**2 => p.grad**2
v 累加了整个平方，没有乘以 1 − β₂。
Your v adds the whole square, not 1 − β₂ of it.

self.steps[i] += 1 => self.steps[i] = max(self.steps) + (i == 0)
所有参数共用一个步数：被跳过的参数不该加。每个参数数自己的步。
All parameters share one count of steps: one that is skipped should not be
counted. Each parameter counts its own.

continue => p.grad = torch.zeros_like(p)
.grad 是 None 的参数被当成梯度 0：它应完全跳过，不衰减，也不更新 m 和 v。
A parameter whose .grad is None is treated as if its gradient were 0: it should
be skipped altogether, without decay and with m and v unchanged.

if p.grad is None: => if p.grad is None:\n                p *= SHRINK
SHRINK => 1 - self.lr * self.weight_decay
.grad 是 None 的参数仍然衰减了：它应完全跳过。
A parameter whose .grad is None still decays: it should be skipped altogether.

if p.grad is None: => if p.grad is None:\n                self.steps[i] += 1
.grad 是 None 时步数仍然加了 1。
The count of steps goes on where .grad is None.

p -= self.lr * m => p += self.lr * m
符号反了：要往梯度的反方向走。
The sign is wrong: steps go against the gradient.

1 ** self.steps[i] => 1 ** (self.steps[i] + 1)
2 ** self.steps[i] => 2 ** (self.steps[i] + 1)
步数多数了一步：第一步 n = 1。
The count is one too high: n = 1 in the first step.

self.m[i] = beta1 * self.m[i] => self.m[i] = self.m[i]
m 没有乘以 β₁：旧的梯度永远不减。
Your m is not multiplied by β₁: old gradients never fade.

p *= 1 - self.lr => p = p - p * self.lr
参数一点没变：p = p * … 造了新的张量，后面的修改落在它上面。要原地修改。
No parameter changes: p = p * … makes a new tensor, and later changes go to
that. Change it in place.

p.grad = None => pass
zero_grad() 之后 .grad 还在：它什么也没做。
After zero_grad() the .grad are still there: it does nothing.

@torch.no_grad() => @torch.enable_grad()
step() 要在 torch.no_grad() 里修改参数。
step() should change parameters under torch.no_grad().

continue => pass
(1 - beta1) * p.grad => (1 - beta1) * (0 if p.grad is None else p.grad)
(1 - beta2) * p.grad**2 => (1 - beta2) * (0 if p.grad is None else p.grad**2)
.grad 是 None 的参数也被修改了：应完全跳过。
A parameter whose .grad is None is changed as well: it should be skipped
altogether.

if p.grad is None: => if p.grad is None or not p.grad.any():
梯度是 0 的参数不能跳过：0 不是 None。
A gradient of 0 is not skipped: 0 is not None.

self.steps[i] += 1 => pass
(v.sqrt() + self.eps) => (v.sqrt() + self.eps)\n            self.steps[i] += 1
步数要先加 1 再用：n 从 1 数起。
The count is raised before it is used: n begins with 1.

p *= 1 - self.lr => if p.dim() > 1:\n                p *= 1 - self.lr
只有轴多于一个的参数才衰减了：每个参数都要衰减。
Only parameters with more than one axis decay: every parameter should.

(1 - beta1) * p.grad => (1 - beta1) * p.grad if self.steps[i] > 1 else p.grad
m 从第一个梯度开始了：它应从 0 开始。
Your m starts at the first gradient: it should start at 0.

p.grad**2 => p.grad.norm() ** 2
v 用了整个梯度的长度：平方是逐项的。
Your v takes the length of the whole gradient: the square is term by term.

self.v = [torch.zeros_like(p) for p in self.params] => self.v = self.m
m 和 v 是同一些张量，互相覆盖。
Your m and v are the same tensors and overwrite each other.
""",
)
