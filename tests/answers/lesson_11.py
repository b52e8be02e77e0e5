"""Other right answers and further wrong ones to the exercises of lesson 11."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


# --- lenet_shapes -----------------------------------------------------------
def shapes_by_loop(B, H, W):
    shapes = []
    for channels in (6, 16):
        H, W = H - 4, W - 4
        shapes.append((B, channels, H, W))
        H, W = H // 2, W // 2
        shapes.append((B, channels, H, W))
    shapes.append((B, 16 * H * W))
    return shapes


def shapes_by_running(B, H, W):
    x = torch.zeros(B, 1, H, W)
    a = nn.Conv2d(1, 6, 5, dtype=x.dtype)(x)
    b = F.max_pool2d(a, 2)
    c = nn.Conv2d(6, 16, 5, dtype=x.dtype)(b)
    d = F.max_pool2d(c, 2)
    return [t.shape for t in (a, b, c, d, d.flatten(1))]


def shapes_conv_twice_pool_once(B, H, W):
    h, w = H - 4, W - 4
    g, v = h - 4, w - 4
    return [
        (B, 6, h, w),
        (B, 6, h // 2, w // 2),
        (B, 16, g, v),
        (B, 16, g // 2, v // 2),
        (B, 16 * (g // 2) * (v // 2)),
    ]


def shapes_of_28(B, H, W):
    return [
        (B, 6, 24, 24),
        (B, 6, 12, 12),
        (B, 16, 8, 8),
        (B, 16, 4, 4),
        (B, 256),
    ]


def shapes_divided(B, H, W):
    shapes = shapes_by_loop(B, H, W)
    return [tuple(size / 1 for size in shape) for shape in shapes]


# --- layer_params -----------------------------------------------------------
def params_by_products(n_in, n_out, kernel=(1, 1), bias=True):
    weights = n_out * n_in
    for side in kernel:
        weights *= side
    return weights + n_out if bias else weights


def params_per_output(n_in, n_out, kernel=(1, 1), bias=True):
    one = sum(kernel[0] * kernel[1] for _ in range(n_in)) + int(bias)
    return sum(one for _ in range(n_out))


def params_of_a_square(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * max(kernel) ** 2 + n_out * bias


def params_kernel_of_25(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * 25 + n_out * bias


def params_as_float(n_in, n_out, kernel=(1, 1), bias=True):
    return float(params_by_products(n_in, n_out, kernel, bias))


# --- safe_forward -----------------------------------------------------------
def _body(model, x):
    x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    return F.max_pool2d(F.relu(model.conv2(x)), 2)


def _head(model, x):
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


def forward_that_checks_first(model, x):
    if not all(28 <= size <= 31 for size in x.shape[-2:]):
        raise ValueError(f"H and W must be 28 to 31, got {tuple(x.shape)}")
    return _head(model, _body(model, x).flatten(1))


def forward_that_pools_to_four(model, x):
    if min(x.shape[2:]) < 16:
        raise ValueError("too small")
    x = F.adaptive_max_pool2d(_body(model, x), 4)
    return _head(model, x.reshape(len(x), 256))


def forward_that_translates(model, x):
    try:
        return _head(model, torch.flatten(_body(model, x), 1))
    except RuntimeError as error:
        raise ValueError(f"no images of 28 to 31 pixels: {error}") from error


def forward_that_calls_the_model(model, x):
    if not all(28 <= size <= 31 for size in x.shape[2:]):
        raise ValueError("H and W must be 28 to 31")
    return model(x)


def forward_that_resizes(model, x):
    if not all(28 <= size <= 31 for size in x.shape[2:]):
        x = F.interpolate(x, size=(28, 28))
    return _head(model, _body(model, x).flatten(1))


def forward_that_answers_zeros(model, x):
    try:
        return forward_that_translates(model, x)
    except ValueError:
        return torch.zeros(len(x), 10)


def forward_that_checks_one_side(model, x):
    if not any(28 <= size <= 31 for size in x.shape[2:]):
        raise ValueError("H and W must be 28 to 31")
    return _head(model, _body(model, x).view(-1, 256))


def forward_that_checks_the_upper_bound(model, x):
    if max(x.shape[2:]) > 31:
        raise ValueError("H and W must be at most 31")
    return model(x)


def forward_that_cuts(model, x):
    features = _body(model, x).reshape(-1, 256)
    return _head(model, features[: len(x)])


def forward_that_averages(model, x):
    x = F.adaptive_avg_pool2d(_body(model, x), 4)
    return _head(model, x.flatten(1))


def forward_that_always_raises(model, x):
    raise ValueError("not today")


def forward_that_checks_the_product(model, x):
    x = _body(model, x)
    if x.numel() % 256:
        raise ValueError("not a multiple of 256")
    return _head(model, x.view(-1, 256))


# --- weighted_evaluate ------------------------------------------------------
def evaluate_in_one_piece(loader, model, loss_fn):
    before = model.training
    x, y = (torch.cat(part) for part in zip(*loader, strict=True))
    model.eval()
    with torch.inference_mode():
        logits = model(x)
        loss = loss_fn(logits, y)
    model.train(before)
    return float(loss), float((logits.argmax(1) == y).double().mean())


@torch.no_grad()
def evaluate_by_weights(loader, model, loss_fn):
    mode = model.training
    model.train(False)
    losses, rights, sizes = [], [], []
    for x, y in loader:
        logits = model(x)
        losses.append(loss_fn(logits, y).item())
        rights.append((logits.argmax(dim=1) == y).sum().item())
        sizes.append(len(y))
    model.train(mode)
    loss = float(np.average(losses, weights=sizes))
    return loss, sum(rights) / sum(sizes)


def evaluate_that_switches_to_train(loader, model, loss_fn):
    result = evaluate_by_weights(loader, model, loss_fn)
    model.train()
    return result


def evaluate_by_dataset(loader, model, loss_fn):
    mode = model.training
    model.eval()
    total = correct = 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            total += loss_fn(logits, y).item() * len(x)
            correct += (logits.argmax(1) == y).sum().item()
    model.train(mode)
    size = len(loader.dataset)
    return total / size, correct / size


def evaluate_as_the_lecture(loader, model, loss_fn):
    model.eval()
    test_loss = correct = 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            test_loss += loss_fn(logits, y).item()
            correct += (logits.argmax(1) == y).sum().item()
    return test_loss / len(loader), correct / len(loader.dataset)


def evaluate_without_last_batch(loader, model, loss_fn):
    return evaluate_in_one_piece(list(loader)[:-1], model, loss_fn)


def evaluate_as_tensors(loader, model, loss_fn):
    loss, accuracy = evaluate_in_one_piece(loader, model, loss_fn)
    return torch.tensor(loss), torch.tensor(accuracy)


def evaluate_swapped(loader, model, loss_fn):
    return evaluate_in_one_piece(loader, model, loss_fn)[::-1]


def evaluate_in_percent(loader, model, loss_fn):
    loss, accuracy = evaluate_in_one_piece(loader, model, loss_fn)
    return loss, 100 * accuracy


def evaluate_mean_of_accuracies(loader, model, loss_fn):
    loss, _ = evaluate_in_one_piece(loader, model, loss_fn)
    each = [evaluate_in_one_piece([b], model, loss_fn)[1] for b in loader]
    return loss, sum(each) / len(each)


# --- beat_baseline ----------------------------------------------------------
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        return _head(self, _body(self, x).flatten(1))


def _fit(x, y, epochs=12, lr=2e-3, calls="zbs", shuffle=True, batch_size=32):
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        n = len(x)
        order = torch.randperm(n) if shuffle else torch.arange(n)
        for rows in order.split(batch_size):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            for call in calls:
                {
                    "z": optimizer.zero_grad,
                    "b": loss.backward,
                    "s": optimizer.step,
                }[call]()
    return model


def three_neighbours(x, y):
    def model(images):
        apart = torch.cdist(images.flatten(1), x.flatten(1))
        near, which = apart.topk(3, largest=False)
        votes = F.one_hot(y[which], 10).to(x.dtype)
        return (votes / (near[..., None] + 1)).sum(1) - 1

    return model


def linear_least_squares(x, y):
    rows = torch.cat([x.flatten(1), torch.ones(len(x), 1)], 1)
    gram = rows.T @ rows + 10 * torch.eye(rows.shape[1])
    weight = torch.linalg.solve(gram, rows.T @ F.one_hot(y, 10).to(x))

    def model(images):
        ones = torch.ones(len(images), 1)
        return torch.cat([images.flatten(1), ones], 1) @ weight

    return model


def the_baseline_itself(x, y):
    means = torch.stack([x[y == c].mean(0).flatten() for c in range(10)])
    return lambda images: -torch.cdist(images.flatten(1), means)


def ending_in_sigmoid(x, y):
    model = nn.Sequential(Net(), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(4):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


def trained_on_the_course_digits(x, y):
    from helpers import data

    digits = data.digits()
    return _fit(digits.x_train.to(x.dtype), digits.y_train, epochs=3)


def untrained(x, y):
    torch.manual_seed(0)
    return Net()


# --- top_k ------------------------------------------------------------------
def top_k_by_topk(logits, y, k):
    best = logits.topk(k, dim=1).indices
    return (best == y[:, None]).any(1).double().mean().item()


def top_k_by_rank(logits, y, k):
    right = logits.gather(1, y.unsqueeze(1))
    return float(((logits > right).sum(1) < k).double().mean())


def top_k_by_argsort(logits, y, k):
    order = logits.numpy().argsort(1)[:, ::-1][:, :k]
    return float(np.mean([t in row for t, row in zip(y.numpy(), order)]))  # noqa: B905


def top_k_by_kth_value(logits, y, k):
    least = logits.kthvalue(logits.shape[1] - k + 1).values
    right = logits.gather(1, y[:, None])[:, 0]
    return (right >= least).float().mean().item()


def top_k_over_samples(logits, y, k):
    k = min(k, len(logits))
    best = logits.topk(k, dim=0).indices
    return (best.T[y] == y[:, None]).any(1).double().mean().item()


def top_k_mean_of_hits(logits, y, k):
    best = logits.topk(k, dim=1).indices
    return (best == y[:, None]).double().mean().item()


def top_k_in_percent(logits, y, k):
    return 100 * top_k_by_rank(logits, y, k)


def top_k_as_tensor(logits, y, k):
    return torch.tensor(top_k_by_rank(logits, y, k))


def top_k_at_least_as_large(logits, y, k):
    right = logits.gather(1, y.unsqueeze(1))
    return float(((logits >= right).sum(1) < k).double().mean())


def top_k_compares_scores(logits, y, k):
    best = logits.topk(k).values
    return (best == y[:, None]).any(1).double().mean().item()


def top_k_anywhere(logits, y, k):
    best = logits.topk(k).indices
    return torch.isin(y, best).double().mean().item()


RIGHT = {
    "lenet_shapes": [shapes_by_loop, shapes_by_running],
    "layer_params": [params_by_products, params_per_output],
    "safe_forward": [
        forward_that_checks_first,
        forward_that_pools_to_four,
        forward_that_translates,
        forward_that_calls_the_model,
        forward_that_resizes,
    ],
    "weighted_evaluate": [evaluate_in_one_piece, evaluate_by_weights],
    "beat_baseline": [_fit, three_neighbours, linear_least_squares],
    "top_k": [
        top_k_by_topk,
        top_k_by_rank,
        top_k_by_argsort,
        top_k_by_kth_value,
    ],
}

WRONG = {
    "lenet_shapes": [
        shapes_conv_twice_pool_once,
        shapes_of_28,
        shapes_divided,
    ],
    "layer_params": [
        params_of_a_square,
        params_kernel_of_25,
        params_as_float,
    ],
    "safe_forward": [
        forward_that_answers_zeros,
        forward_that_checks_one_side,
        forward_that_checks_the_upper_bound,
        forward_that_cuts,
        forward_that_averages,
        forward_that_always_raises,
        forward_that_checks_the_product,
    ],
    "weighted_evaluate": [
        evaluate_that_switches_to_train,
        evaluate_by_dataset,
        evaluate_as_the_lecture,
        evaluate_swapped,
        evaluate_without_last_batch,
        evaluate_as_tensors,
        evaluate_in_percent,
        evaluate_mean_of_accuracies,
    ],
    "beat_baseline": [
        lambda x, y: _fit(x, y, epochs=2, calls="bs"),
        lambda x, y: _fit(x, y, epochs=2, calls="zsb"),
        lambda x, y: _fit(x, y, epochs=4, shuffle=False),
        trained_on_the_course_digits,
        the_baseline_itself,
        ending_in_sigmoid,
        untrained,
    ],
    "top_k": [
        top_k_over_samples,
        top_k_mean_of_hits,
        top_k_in_percent,
        top_k_as_tensor,
        top_k_at_least_as_large,
        top_k_compares_scores,
        top_k_anywhere,
    ],
}
