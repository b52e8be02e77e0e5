"""Other right answers to the exercises of lesson 11, and wrong ones."""

import copy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checks
from helpers import data

shapes = checks.lenet_shapes.answer
evaluated = checks.weighted_evaluate.answer
top_k = checks.top_k.answer


# --- lenet_shapes ------------------------------------------------------------
def shapes_by_loop(B, h, w):
    shapes = []
    for channels in (6, 16):
        h, w = h - 4, w - 4
        shapes.append((B, channels, h, w))
        h, w = h // 2, w // 2
        shapes.append((B, channels, h, w))
    return [*shapes, (B, 16 * h * w)]


def shapes_from_the_end(B, h, w):
    sides = [[n - 4, n // 2 - 2, n // 2 - 6, n // 4 - 3] for n in (h, w)]
    maps = zip((6, 6, 16, 16), *sides, strict=True)
    return [*((B, *m) for m in maps), (B, 16 * sides[0][3] * sides[1][3])]


def shapes_by_running(B, h, w):
    x = torch.zeros(B, 1, h, w)
    a = nn.Conv2d(1, 6, 5)(x)
    b = F.max_pool2d(a, 2)
    c = nn.Conv2d(6, 16, 5)(b)
    d = F.max_pool2d(c, 2)
    return [t.shape for t in (a, b, c, d, d.flatten(1))]


# --- safe_forward ------------------------------------------------------------
def _fits(x):
    return all(28 <= size <= 31 for size in x.shape[2:])


def _maps(model, x):
    x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    return F.max_pool2d(F.relu(model.conv2(x)), 2)


def _head(model, x):
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


def forward_that_pools_to_four(model, x):
    if min(x.shape[2:]) < 16:
        raise ValueError("too small")
    x = F.adaptive_max_pool2d(_maps(model, x), 4)
    return _head(model, x.reshape(len(x), 256))


def forward_that_translates(model, x):
    try:
        return _head(model, torch.flatten(_maps(model, x), 1))
    except RuntimeError as error:
        raise ValueError(f"no images of 28 to 31 pixels: {error}") from error


def forward_that_resizes(model, x):
    return model(x if _fits(x) else F.interpolate(x, size=(28, 28)))


def forward_that_crops(model, x):
    if min(x.shape[2:]) < 28:
        raise ValueError("sides must be at least 28")
    return model(x[..., :28, :28])


def forward_one_by_one(model, x):
    if not _fits(x):
        raise ValueError("sides must be 28 to 31")
    return torch.cat([model(image[None]) for image in x])


def forward_that_squeezes(model, x):
    if not _fits(x):
        raise ValueError("sides must be 28 to 31")
    return _head(model, _maps(model, x).flatten(1)).squeeze()


def forward_that_squeezes_odd_sizes(model, x):
    if min(x.shape[2:]) < 28:
        raise ValueError("sides must be at least 28")
    return model(x) if _fits(x) else model(x[..., :28, :28]).squeeze()


def forward_with_a_new_layer(model, x):
    if min(x.shape[2:]) < 16:
        raise ValueError("too small")
    x = _maps(model, x).flatten(1)
    if x.shape[1] != model.fc1.in_features:
        model.fc1 = nn.Linear(x.shape[1], 120, dtype=x.dtype)
    return _head(model, x)


def forward_that_asserts(model, x):
    assert _fits(x)
    return model(x)


@torch.no_grad()
def forward_without_a_graph(model, x):
    return forward_that_crops(model, x)


def forward_of_a_copy(model, x):
    return forward_that_crops(copy.deepcopy(model), x)


def forward_cut_in_the_middle(model, x):
    if not _fits(x):
        raise ValueError("sides must be 28 to 31")
    with torch.no_grad():
        x = F.max_pool2d(F.relu(model.conv1(x)), 2)
    x = torch.flatten(F.max_pool2d(F.relu(model.conv2(x)), 2), 1)
    return model.fc3(F.relu(model.fc2(F.relu(model.fc1(x)))))


def forward_that_returns_the_error(model, x):
    return model(x) if _fits(x) else ValueError("sides must be 28 to 31")


def forward_that_answers_zeros(model, x):
    return model(x) if _fits(x) else torch.zeros(len(x), 10)


def forward_that_guesses(model, x):
    return model(x) if _fits(x) else torch.randn(len(x), 10)


def forward_that_resizes_all(model, x):
    return model(F.interpolate(x, size=(28, 28)))


# --- weighted_evaluate -------------------------------------------------------
def evaluate_in_one_piece(loader, model, loss_fn):
    before = model.training
    x, y = (torch.cat(part) for part in zip(*loader, strict=True))
    model.eval()
    with torch.inference_mode():
        logits = model(x)
        loss = loss_fn(logits, y)
    model.train(before)
    return float(loss), float((logits.argmax(1) == y).double().mean())


def evaluate_by_running_means(loader, model, loss_fn):
    mode = model.training
    loss = accuracy = count = 0
    try:
        model.eval()
        with torch.inference_mode():
            for x, y in loader:
                logits = model(x)
                count += len(y)
                share = len(y) / count
                right = logits.max(1)[1].eq(y).sum().item() / len(y)
                loss += (loss_fn(logits, y).item() - loss) * share
                accuracy += (right - accuracy) * share
    finally:
        model.train(mode)
    return loss, accuracy


def _without_no_grad(logits_of, loader, model, loss_fn):
    mode = model.training
    model.eval()
    losses, rights, sizes = [], [], []
    for x, y in loader:
        logits = logits_of(model, x)
        losses.append(loss_fn(logits, y).item())
        rights.append((logits.argmax(dim=1) == y).sum().item())
        sizes.append(len(y))
    model.train(mode)
    return float(np.average(losses, weights=sizes)), sum(rights) / sum(sizes)


def evaluate_with_detach(*given):
    return _without_no_grad(lambda model, x: model(x).detach(), *given)


def evaluate_with_frozen_parameters(loader, model, loss_fn):
    learned = [p for p in model.parameters() if p.requires_grad]
    model.requires_grad_(False)
    result = _without_no_grad(lambda m, x: m(x), loader, model, loss_fn)
    for p in learned:
        p.requires_grad_()
    return result


def evaluate_that_thaws(loader, model, loss_fn):
    model.requires_grad_(False)
    result = _without_no_grad(lambda m, x: m(x), loader, model, loss_fn)
    model.requires_grad_(True)
    return result


def evaluate_with_detached_parameters(*given):
    def logits(model, x):
        state = {n: p.detach() for n, p in model.named_parameters()}
        return torch.func.functional_call(model, state, (x,))

    return _without_no_grad(logits, *given)


def evaluate_that_squeezes(*given):
    return _without_no_grad(lambda m, x: m(x).detach().squeeze(), *given)


def evaluate_that_clears_gradients(loader, model, loss_fn):
    model.zero_grad()
    return evaluated(loader, model, loss_fn)


def evaluate_that_freezes(loader, model, loss_fn):
    model.requires_grad_(False)
    return evaluated(loader, model, loss_fn)


def evaluate_that_ends_without_gradients(*given):
    torch.set_grad_enabled(False)
    return evaluated(*given)


def evaluate_with_graph(*given):
    return _without_no_grad(lambda model, x: model(x), *given)


def evaluate_that_switches_only_the_top(loader, model, loss_fn):
    result = evaluated(loader, model.eval(), loss_fn)
    model.training = True
    return result


def evaluate_that_reads_twice(loader, model, loss_fn):
    loss, accuracy = evaluated(loader, model, loss_fn)
    count = sum(len(y) for _, y in loader)
    return loss * count / count, accuracy


def evaluate_that_counts_batches(loader, model, loss_fn):
    loss, accuracy = evaluated(loader, model, loss_fn)
    return torch.tensor(loss).div(len(loader)).item(), accuracy


def evaluate_as_tensors(*given):
    return tuple(torch.tensor(number) for number in evaluated(*given))


# --- beat_baseline -----------------------------------------------------------
def _small():
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(288, 10)),
    )


def _fit(x, y, model=None, epochs=8, order="zbs", shuffle=True):
    torch.manual_seed(0)
    model = model or _small()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        for images, classes in checks.Batches(x, y, 32, shuffle):
            loss = F.cross_entropy(model(images), classes)
            for call in order:
                if call == "z":
                    optimizer.zero_grad()
                elif call == "b":
                    loss.backward()
                else:
                    optimizer.step()
    return model


def one_convolution(x, y):
    return _fit(x, y)


def perceptron_of_coarse_pixels(x, y):
    layers = nn.Linear(49, 64), nn.ReLU(), nn.Linear(64, 10)
    return _fit(
        x, y, nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), *layers), 16
    )


def too_large(x, y):
    return _fit(x, y, nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 2)


def ending_in_sigmoid(x, y):
    return _fit(x, y, nn.Sequential(_small(), nn.Sigmoid()), epochs=4)


def trained_on_the_course_digits(x, y):
    digits = data.digits()
    return _fit(digits.x_train, digits.y_train, epochs=3)


def that_squeezes(x, y):
    model = _fit(x, y, epochs=4)
    return checks.Without(lambda images: model(images).squeeze())


# --- top_k -------------------------------------------------------------------
def top_k_by_rank(logits, y, k):
    right = logits.gather(1, y.unsqueeze(1))
    return float(((logits > right).sum(1) < k).double().mean())


def top_k_by_argsort(logits, y, k):
    order = logits.numpy().argsort(1)[:, ::-1][:, :k]
    hits = [t in row for t, row in zip(y.numpy(), order, strict=True)]
    return float(np.mean(hits))


def top_k_by_kth_value(logits, y, k):
    least = logits.kthvalue(logits.shape[1] - k + 1).values
    right = logits.gather(1, y[:, None])[:, 0]
    return (right >= least).float().mean().item()


def top_k_anywhere(logits, y, k):
    return torch.isin(y, logits.topk(k).indices).double().mean().item()


def top_k_of_k_rows(logits, y, k):
    order = logits.argsort(1, descending=True)[:k]
    return (order == y[:k, None]).any(1).double().mean().item()


def top_k_that_squeezes(logits, y, k):
    best = logits.squeeze().topk(k, dim=-1).indices
    return (best == y[:, None]).any(-1).double().mean().item()


RIGHT = {
    "lenet_shapes": [shapes_by_loop, shapes_from_the_end],
    "safe_forward": [
        forward_that_pools_to_four,
        forward_that_translates,
        forward_that_resizes,
        forward_that_crops,
        forward_one_by_one,
    ],
    "causes": [
        {"C": 4, "B": 2, "A": 3},
        {"A": 3, "B": 2, "C": 4, "D": 1},
    ],
    "weighted_evaluate": [
        evaluate_in_one_piece,
        evaluate_by_running_means,
        evaluate_with_detach,
        evaluate_with_frozen_parameters,
        evaluate_with_detached_parameters,
    ],
    "beat_baseline": [
        one_convolution,
        perceptron_of_coarse_pixels,
    ],
    "top_k": [
        top_k_by_rank,
        top_k_by_argsort,
        top_k_by_kth_value,
    ],
}

WRONG = {
    "lenet_shapes": [
        shapes_by_running,
        lambda B, h, w: list(map(list, shapes(B, h, w))),
        lambda B, h, w: [tuple(n / 1 for n in s) for s in shapes(B, h, w)],
    ],
    "safe_forward": [
        forward_that_squeezes,
        forward_that_squeezes_odd_sizes,
        forward_with_a_new_layer,
        forward_without_a_graph,
        forward_of_a_copy,
        forward_cut_in_the_middle,
        lambda model, x: forward_that_crops(model, x[:64]),
        forward_that_asserts,
        forward_that_returns_the_error,
        forward_that_answers_zeros,
        forward_that_guesses,
        forward_that_resizes_all,
    ],
    "causes": [
        {"A": 4, "B": 4, "C": 4},
        {"A": 3, "B": 6, "C": 4},
        {"A": 3, "B": 2},
        {"A": "3", "B": "2", "C": "4"},
        [3, 2, 4],
    ],
    "weighted_evaluate": [
        evaluate_that_squeezes,
        evaluate_that_clears_gradients,
        evaluate_that_freezes,
        evaluate_that_thaws,
        evaluate_that_ends_without_gradients,
        evaluate_with_graph,
        evaluate_that_switches_only_the_top,
        evaluate_that_reads_twice,
        evaluate_that_counts_batches,
        evaluate_as_tensors,
    ],
    "beat_baseline": [
        lambda x, y: _fit(x, y, epochs=2, order="bs"),
        lambda x, y: _fit(x, y, epochs=1, order="zsb"),
        lambda x, y: _fit(x, y, epochs=3, shuffle=False),
        lambda x, y: _fit(x, y, epochs=1).state_dict(),
        too_large,
        ending_in_sigmoid,
        trained_on_the_course_digits,
        that_squeezes,
    ],
    "top_k": [
        top_k_anywhere,
        top_k_of_k_rows,
        top_k_that_squeezes,
        lambda logits, y, k: torch.tensor(top_k(logits, y, k)),
        lambda logits, y, k: top_k(logits, y, min(k, 5)),
    ],
}
