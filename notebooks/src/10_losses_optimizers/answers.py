"""Other right answers to lesson 10, and wrong ones that must be rejected."""

import torch
import torch.nn.functional as F


# --- accumulate --------------------------------------------------------------
def accumulate_by_grad(model, loss_fn, parts):
    params = list(model.parameters())
    total, count = [torch.zeros_like(p) for p in params], 0
    loss_sum = 0.0
    for p in params:
        p.grad = None
    for x, y in parts:
        loss = loss_fn(model(x), y) * len(x)
        for t, g in zip(total, torch.autograd.grad(loss, params), strict=True):
            t += g
        for p, t in zip(params, total, strict=True):
            p.grad = t.clone()
        loss_sum += loss.item()
        count += len(x)
    for p, t in zip(params, total, strict=True):
        p.grad = t / count
    return loss_sum / count


def accumulate_at_the_end(model, loss_fn, parts):
    params = list(model.parameters())
    num_samples = sum(len(x) for x, _ in parts)
    total, sums = 0.0, [torch.zeros_like(p) for p in params]
    for x, y in parts:
        loss = loss_fn(model(x), y) * len(x) / num_samples
        grads = torch.autograd.grad(loss, params)
        sums = [a + b for a, b in zip(sums, grads, strict=True)]
        total += loss.item()
    for p, g in zip(params, sums, strict=True):
        p.grad = g
    return total


def accumulate_sample_by_sample(model, loss_fn, parts):
    singles = [
        one
        for x, y in parts
        for one in zip(x.split(1), y.split(1), strict=True)
    ]
    return accumulate_zero_grad(model, loss_fn, singles)


def accumulate_zero_grad(model, loss_fn, parts):
    model.zero_grad(set_to_none=False)
    sizes = [y.shape[0] for _, y in parts]
    losses = []
    for (x, y), size in zip(parts, sizes, strict=True):
        share = size / sum(sizes)
        loss = loss_fn(model(x), y)
        (share * loss).backward()
        losses.append(share * loss.item())
    return sum(losses)


def accumulate_rescaled(model, loss_fn, parts):
    model.zero_grad()
    n, s = 0, 0.0
    for x, y in parts:
        loss = len(y) * loss_fn(model(x), y)
        loss.backward()
        n, s = n + len(y), s + float(loss.detach())
    with torch.no_grad():
        for p in model.parameters():
            p.grad /= n
    return s / n


def accumulate_steps(model, loss_fn, parts):
    told = accumulate_zero_grad(model, loss_fn, parts)
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad
    return told


def accumulate_joined(model, loss_fn, parts):
    x, y = (torch.cat(part) for part in zip(*parts, strict=True))
    model.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    return loss.item()


def accumulate_tensor(model, loss_fn, parts):
    return torch.tensor(accumulate_zero_grad(model, loss_fn, parts))


def accumulate_clears_last(model, loss_fn, parts):
    told = accumulate_zero_grad(model, loss_fn, parts)
    model.zero_grad()
    return told


def accumulate_mean_of_means(model, loss_fn, parts):
    told = accumulate_zero_grad(model, loss_fn, parts)
    with torch.no_grad():
        return told * 0 + sum(
            loss_fn(model(x), y).item() for x, y in parts
        ) / len(parts)


# --- cross_entropy -----------------------------------------------------------
def cross_entropy_one_hot(logits, target, ignore_index=-100):
    C = logits.shape[-1]
    z, t = logits.reshape(-1, C), target.reshape(-1)
    z = z - z.max(-1, keepdim=True).values.detach()
    log_p = z - z.exp().sum(-1, keepdim=True).log()
    counts = (t != ignore_index).to(z.dtype)
    safe = torch.where(t == ignore_index, 0, t)
    hot = F.one_hot(safe, C).to(z.dtype)
    return -((log_p * hot).sum(-1) * counts).sum() / counts.sum()


def cross_entropy_by_index(logits, target, ignore_index=-100):
    z, t = logits.flatten(0, -2) if logits.ndim > 1 else logits[None], target
    t = t.flatten()
    keep = (t != ignore_index).nonzero()[:, 0]
    z, t = z[keep], t[keep]
    return (z.logsumexp(-1) - z[torch.arange(len(t)), t]).mean()


def cross_entropy_in_a_loop(logits, target, ignore_index=-100):
    losses = []
    rows = logits.reshape(-1, logits.shape[-1])
    for z, t in zip(rows, target.reshape(-1).tolist(), strict=True):
        if t != ignore_index:
            losses.append(z.logsumexp(0) - z[t])
    return torch.stack(losses).mean()


def cross_entropy_naive(logits, target, ignore_index=-100):
    keep = target != ignore_index
    p = logits[keep].exp() / logits[keep].exp().sum(-1, keepdim=True)
    return -p.gather(1, target[keep][:, None]).log().mean()


def cross_entropy_softmax_log(logits, target, ignore_index=-100):
    keep = target != ignore_index
    p = logits[keep].softmax(-1)
    return -p.gather(1, target[keep][:, None]).log().mean()


def cross_entropy_library(logits, target, ignore_index=-100):
    return F.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        target.reshape(-1),
        ignore_index=ignore_index,
    )


def cross_entropy_eps(logits, target, ignore_index=-100):
    keep = target != ignore_index
    p = logits[keep].softmax(-1)
    return -(p.gather(1, target[keep][:, None]) + 1e-9).log().mean()


def cross_entropy_no_ignore(logits, target, ignore_index=-100):
    z = logits.reshape(-1, logits.shape[-1])
    t = target.reshape(-1, 1)
    return (z.logsumexp(1, keepdim=True) - z.gather(1, t)).mean()


def cross_entropy_special(logits, target, ignore_index=-100):
    keep = target != ignore_index
    log_p = torch.special.log_softmax(logits[keep], -1)
    return -log_p.gather(1, target[keep][:, None]).mean()


def cross_entropy_no_gradient(logits, target, ignore_index=-100):
    value = cross_entropy_by_index(logits, target, ignore_index)
    return value.detach() + 0 * logits.sum()


# --- AdamW -------------------------------------------------------------------
class AdamWInPlace:
    """State in a dict by number, all in place."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    ):
        self.params = [*params]
        self.options = lr, *betas, eps, weight_decay
        self.state = {}

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        lr, b1, b2, eps, decay = self.options
        with torch.no_grad():
            for p in self.params:
                if p.grad is not None:
                    zeros = torch.zeros_like(p)
                    t, m, v = self.state.get(p, (0, zeros, zeros.clone()))
                    m.lerp_(p.grad, 1 - b1)
                    v.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                    t += 1
                    self.state[p] = t, m, v
                    p.mul_(1 - lr * decay)
                    root = (v / (1 - b2**t)).sqrt_().add_(eps)
                    p.addcdiv_(m, root, value=-lr / (1 - b1**t))


class AdamWByData:
    """Through .data, and with decay by subtraction."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    ):
        self.params = list(params)
        self.lr, self.b, self.eps, self.wd = lr, betas, eps, weight_decay
        self.t = [0 for _ in self.params]
        self.m = [0.0 for _ in self.params]
        self.v = [0.0 for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        b1, b2 = self.b
        for i in range(len(self.params)):
            p = self.params[i]
            if p.grad is None:
                continue
            g = p.grad.detach()
            self.t[i] += 1
            self.m[i] = self.m[i] * b1 + g * (1 - b1)
            self.v[i] = self.v[i] * b2 + g * g * (1 - b2)
            m = self.m[i] / (1 - b1 ** self.t[i])
            v = self.v[i] / (1 - b2 ** self.t[i])
            p.data.sub_(self.lr * self.wd * p.data)
            p.data.sub_(self.lr * m / (torch.sqrt(v) + self.eps))


SHARED = {}


class AdamWShared(AdamWInPlace):
    """State that all optimizers share."""

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.shared = SHARED
        self.numbers = {p: i for i, p in enumerate(self.params)}

    def step(self):
        real, mine = self.params, {}
        for p in real:
            if self.numbers[p] in self.shared:
                mine[p] = self.shared[self.numbers[p]]
        self.state = mine
        super().step()
        for p, s in self.state.items():
            self.shared[self.numbers[p]] = s


class AdamWChangesGrad(AdamWInPlace):
    """Writes the decay into .grad."""

    def step(self):
        super().step()
        for p in self.params:
            if p.grad is not None:
                p.grad.mul_(0.5)


class AdamWReadsOnce(AdamWInPlace):
    """Keeps the generator."""

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.params = iter(self.params)


class AdamWNoDecayOfBias(AdamWInPlace):
    """Does not decay parameters with one axis."""

    def step(self):
        lr, *_, decay = self.options
        for p in self.params:
            if p.ndim < 2 and p.grad is not None:
                p.data /= 1 - lr * decay
        super().step()


BY_TENSOR = {}


class AdamWByTensor(AdamWInPlace):
    """Keeps the state of a tensor for all optimizers."""

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.state = BY_TENSOR


class AdamWOff(AdamWInPlace):
    """Leaves gradients switched off."""

    def step(self):
        torch.set_grad_enabled(False)
        super().step()
        torch.set_grad_enabled(False)


class AdamWNewData(AdamWInPlace):
    """Other memory for each parameter."""

    def step(self):
        super().step()
        for p in self.params:
            p.data = p.data.clone()


class AdamWNewTensors(AdamWInPlace):
    """Puts new tensors into its list."""

    def step(self):
        old = self.params
        self.params = [p.detach().clone() for p in old]
        for p, q in zip(self.params, old, strict=True):
            p.grad = q.grad
        super().step()


class AdamWWrongDefaults(AdamWInPlace):
    """Other default values."""

    def __init__(
        self, params, lr=1e-3, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0
    ):
        super().__init__(params, lr, betas, eps, weight_decay)


RIGHT = {
    "accumulate": [
        accumulate_by_grad,
        accumulate_at_the_end,
        accumulate_zero_grad,
        accumulate_rescaled,
    ],
    "cross_entropy": [
        cross_entropy_one_hot,
        cross_entropy_by_index,
        cross_entropy_in_a_loop,
    ],
    "choices": [
        {
            "digit": "CROSS_ENTROPY".lower(),
            "letter": "nll_loss",
            "tags": "binary_cross_entropy_with_logits",
            "spam": "binary_cross_entropy",
            "teacher": "kl_div",
            "mean": "mse_loss",
            "price": "l1_loss",
        },
        dict(
            price="l1_loss",
            mean="mse_loss",
            teacher="kl_div",
            spam="binary_cross_entropy",
            tags="binary_cross_entropy_with_logits",
            letter="nll_loss",
            digit="cross_entropy",
        ),
    ],
    "AdamW": [AdamWInPlace, AdamWByData],
}
ALL_CE = dict.fromkeys(
    ["digit", "letter", "tags", "spam", "teacher", "mean", "price"],
    "cross_entropy",
)
WRONG = {
    "accumulate": [
        accumulate_steps,
        accumulate_joined,
        accumulate_tensor,
        accumulate_clears_last,
        accumulate_mean_of_means,
        accumulate_sample_by_sample,
    ],
    "cross_entropy": [
        cross_entropy_naive,
        cross_entropy_softmax_log,
        cross_entropy_library,
        cross_entropy_eps,
        cross_entropy_no_ignore,
        cross_entropy_special,
        cross_entropy_no_gradient,
    ],
    "choices": [ALL_CE, ALL_CE | {"digit": "softmax"}, {"digit": "mse_loss"}],
    "AdamW": [
        AdamWShared,
        AdamWChangesGrad,
        AdamWReadsOnce,
        AdamWNoDecayOfBias,
        AdamWWrongDefaults,
        AdamWByTensor,
        AdamWOff,
        AdamWNewData,
        AdamWNewTensors,
        torch.optim.Adam,
        torch.optim.AdamW,
    ],
}
