"""Lesson 06: right answers written otherwise, wrong ones that may not pass."""

import torch

import checks

FATES = checks.fates.answer


# --- numeric_gradient --------------------------------------------------------


def by_rows(f, theta, h):
    steps = h * torch.eye(len(theta), dtype=theta.dtype)
    return torch.stack(
        [(f(theta + s) - f(theta - s)) / (2 * h) for s in steps]
    )


def by_copies(f, theta, h):
    found = []
    for d in range(theta.shape[0]):
        up, down = theta.clone(), theta.clone()
        up[d] += h
        down[d] -= h
        found.append((f(up) - f(down)) / h / 2)
    return torch.tensor(found, dtype=theta.dtype)


def moved_in_place(f, theta, h):
    gradient = torch.zeros_like(theta)
    for d in range(len(theta)):
        theta[d] += h
        up = f(theta)
        theta[d] -= 2 * h
        gradient[d] = (up - f(theta)) / (2 * h)
    return gradient


def moved_and_put_back(f, theta, h):
    gradient = torch.zeros_like(theta)
    for d in range(len(theta)):
        theta[d] += h
        up = f(theta)
        theta[d] -= 2 * h
        gradient[d] = (up - f(theta)) / (2 * h)
        theta[d] += h
    return gradient


def always_double(f, theta, h):
    return torch.tensor(by_rows(f, theta, h).tolist())


def exact(f, theta, h):
    theta = theta.clone().requires_grad_()
    f(theta).backward()
    return theta.grad


def three_calls(f, theta, h):
    f(theta)
    return by_rows(f, theta, h)


def fixed_h(f, theta, h):
    return by_rows(f, theta, 1e-6)


# --- sgd_epoch ---------------------------------------------------------------


def epoch_by_samples(X, y, w, lr, batches):
    for rows in batches:
        total = torch.zeros_like(w)
        for n in rows:
            total = total + 2 * (X[n] @ w - y[n]) * X[n]
        w = w - lr * total / len(rows)
    return w


def epoch_autograd(X, y, w, lr, batches):
    for rows in batches:
        w = w.detach().requires_grad_()
        ((X[rows] @ w - y[rows]) ** 2).mean().backward()
        w = w.detach() - lr * w.grad
    return w


def epoch_in_place(X, y, w, lr, batches):
    for rows in batches:
        w -= lr * 2 / len(rows) * (X[rows].T @ (X[rows] @ w - y[rows]))
    return w


def epoch_in_order(X, y, w, lr, batches):
    at = 0
    for rows in batches:
        x, t = X[at : at + len(rows)], y[at : at + len(rows)]
        w, at = w - lr * 2 / len(rows) * (x.T @ (x @ w - t)), at + len(rows)
    return w


def epoch_path(X, y, w, lr, batches):
    return torch.stack([epoch_by_samples(X, y, w, lr, batches)])


RIGHT = {
    "numeric_gradient": [by_rows, by_copies],
    "fates": [
        dict(FATES),
        {question: word.upper() for question, word in FATES.items()},
    ],
    "mse_gradient": [
        lambda X, y, w: 2 * ((X @ w - y)[:, None] * X).mean(dim=0),
        lambda X, y, w: 2 * (X.T @ X @ w - X.T @ y) / X.shape[0],
        lambda X, y, w: 2 * torch.einsum("bd,b->d", X, X @ w - y) / len(y),
        lambda X, y, w: (X @ w - y) @ X * (2 / len(X)),
    ],
    "largest_lr": [
        lambda X: len(X) / torch.linalg.matrix_norm(X, 2) ** 2,
        lambda X: len(X) / torch.linalg.eigvalsh(X @ X.T)[-1],
        lambda X: 2 / torch.linalg.matrix_norm(2 * X.T @ X / len(X), 2),
        lambda X: 2 / torch.linalg.eigvals(2 * X.T @ X / len(X)).real.max(),
    ],
    "sgd_epoch": [epoch_by_samples, epoch_autograd],
}

WRONG = {
    "numeric_gradient": [
        moved_in_place,
        moved_and_put_back,
        always_double,
        exact,
        three_calls,
        fixed_h,
        lambda f, theta, h: by_rows(f, theta, h).tolist(),
        lambda f, theta, h: by_rows(f, theta, h).float(),
        lambda f, theta, h: by_rows(f, theta, h).abs(),
    ],
    "fates": [
        dict.fromkeys(FATES, "direct"),
        list(FATES.values()),
        {"lr = 0.01": "direct"},
        FATES | {"lr = 0.01": "converges"},
        FATES | {"lr = 0.01": "one"},
    ],
    "mse_gradient": [
        lambda X, y, w: 2 * X.T @ (X @ w - y) / 5,
        lambda X, y, w: (2 * X.T @ (X @ w - y) / len(X)).double().float(),
        lambda X, y, w: 2 * X.T @ (X @ w) / len(X),
        lambda X, y, w: -2 * X.T @ (X @ w - y) / len(X),
        lambda X, y, w: ((X @ w - y) ** 2).mean(),
        lambda X, y, w: (2 * X.T @ (X @ w - y) / len(X)).squeeze(),
    ],
    "largest_lr": [
        lambda X: (len(X) / torch.linalg.matrix_norm(X, 2) ** 2).item(),
        lambda X: (len(X) / torch.linalg.matrix_norm(X, 2) ** 2)[None],
        lambda X: X.shape[1] / torch.linalg.matrix_norm(X, 2) ** 2,
        lambda X: len(X) / (X**2).sum(),
        lambda X: (2 / torch.linalg.eigvalsh(2 / len(X) * X.T @ X)).min(),
        lambda X: 0.9 * len(X) / torch.linalg.matrix_norm(X, 2) ** 2,
    ],
    "sgd_epoch": [
        epoch_in_place,
        epoch_in_order,
        epoch_path,
        lambda X, y, w, lr, batches: epoch_by_samples(
            X, y, w, lr, batches[::-1]
        ),
        lambda X, y, w, lr, batches: epoch_by_samples(
            X, y, w, lr, [torch.arange(len(X))]
        ),
        lambda X, y, w, lr, batches: w,
    ],
}
