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


def shapes_on_the_meta_device(B, H, W):
    x, shapes = torch.empty(B, 1, H, W, device="meta"), []
    for layer in (
        nn.Conv2d(1, 6, 5, device="meta"),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5, device="meta"),
        nn.AvgPool2d(2),
        nn.Flatten(),
    ):
        x = layer(x)
        shapes.append(tuple(x.shape))
    return shapes


def shapes_of_kernels_of_3(B, H, W):
    shapes = []
    for channels in (6, 16):
        H, W = H - 2, W - 2
        shapes.append((B, channels, H, W))
        H, W = H // 2, W // 2
        shapes.append((B, channels, H, W))
    return [*shapes, (B, 16 * H * W)]


def shapes_without_batch(B, H, W):
    return [shape[1:] for shape in shapes_by_loop(B, H, W)]


def shapes_as_lists(B, H, W):
    return [list(shape) for shape in shapes_by_loop(B, H, W)]


def shapes_of_a_square(B, H, W):
    return shapes_by_loop(B, H, H)


def shapes_that_pool_channels(B, H, W):
    a, b, c, d, _ = shapes_by_loop(B, H, W)
    last = (B, 8 * d[2] * d[3])
    return [a, (B, 3, *b[2:]), c, (B, 8, *d[2:]), last]


def shapes_with_channels_in(B, H, W):
    a, b, c, d, e = shapes_by_loop(B, H, W)
    return [(B, 1, *a[2:]), b, (B, 6, *c[2:]), d, e]


def shapes_with_the_input(B, H, W):
    return [(B, 1, H, W), *shapes_by_loop(B, H, W)]


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


def params_of_a_state_dict(n_in, n_out, kernel=(1, 1), bias=True):
    state = nn.Conv2d(n_in, n_out, kernel, bias=bias).state_dict()
    return sum(tensor.nelement() for tensor in state.values())


def params_bias_for_each_kernel(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * (kernel[0] * kernel[1] + bias)


def params_bias_in_and_out(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * kernel[0] * kernel[1] + (n_in + n_out) * bias


def params_without_bias_by_default(n_in, n_out, kernel=(1, 1), bias=False):
    return params_by_products(n_in, n_out, kernel, bias)


def params_of_25_by_default(n_in, n_out, kernel=(5, 5), bias=True):
    return params_by_products(n_in, n_out, kernel, bias)


def params_of_one_number(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * kernel * kernel + n_out * bias


def params_of_the_width(n_in, n_out, kernel=(1, 1), bias=True):
    return n_in * n_out * kernel[1] ** 2 + n_out * bias


def params_as_tensor(n_in, n_out, kernel=(1, 1), bias=True):
    return torch.tensor(params_by_products(n_in, n_out, kernel, bias))


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


def _fits(x):
    return all(28 <= size <= 31 for size in x.shape[2:])


def forward_that_crops(model, x):
    if min(x.shape[2:]) < 28:
        raise ValueError("H and W must be at least 28")
    return model(x[..., :28, :28])


def forward_one_by_one(model, x):
    if not _fits(x):
        raise ValueError("H and W must be 28 to 31")
    return torch.cat([model(image[None]) for image in x])


def forward_by_einsum(model, x):
    if not _fits(x):
        raise ValueError("H and W must be 28 to 31")
    x = _body(model, x).reshape(x.size(0), -1)
    for layer in (model.fc1, model.fc2):
        x = torch.einsum("bi,oi->bo", x, layer.weight) + layer.bias
        x = x.clamp(min=0)
    return torch.einsum("bi,oi->bo", x, model.fc3.weight) + model.fc3.bias


def forward_ending_in_relu(model, x):
    return F.relu(forward_that_translates(model, x))


def forward_without_relu_in_the_maps(model, x):
    if not _fits(x):
        raise ValueError("H and W must be 28 to 31")
    x = F.max_pool2d(model.conv1(x), 2)
    return _head(model, F.max_pool2d(model.conv2(x), 2).flatten(1))


def forward_that_flattens_all(model, x):
    if not _fits(x):
        raise ValueError("H and W must be 28 to 31")
    return _head(model, torch.flatten(_body(model, x)))


def forward_that_returns_the_error(model, x):
    return model(x) if _fits(x) else ValueError("H and W must be 28 to 31")


def forward_that_raises_type_error(model, x):
    if not _fits(x):
        raise TypeError("H and W must be 28 to 31")
    return model(x)


def forward_that_refuses_31(model, x):
    if max(x.shape[2:]) > 30:
        raise ValueError("H and W must be 28 to 30")
    return forward_that_translates(model, x)


def forward_that_resizes_all(model, x):
    return model(F.interpolate(x, size=(28, 28)))


def forward_that_mixes_the_batch(model, x):
    if not _fits(x):
        x = F.interpolate(x, size=(28, 28))
        x = x - x.mean()
    return model(x)


def forward_that_guesses(model, x):
    try:
        return forward_that_translates(model, x)
    except ValueError:
        return torch.randn(len(x), 10)


def forward_that_counts_rows(model, x):
    rows = _body(model, x).view(-1, 256)
    if len(rows) != len(x):
        raise ValueError("H and W must be 28 to 31")
    return _head(model, rows)


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


def evaluate_that_freezes(loader, model, loss_fn):
    model.requires_grad_(False)
    return evaluate_by_weights(loader, model, loss_fn)


def evaluate_by_length_of_loader(loader, model, loss_fn):
    loss, accuracy = evaluate_by_weights(loader, model, loss_fn)
    share = sum(len(y) for _, y in loader) / len(loader)
    return loss * share, accuracy * share


def evaluate_last_batch(loader, model, loss_fn):
    return evaluate_by_weights(list(loader)[-1:], model, loss_fn)


def evaluate_that_evals_too_late(loader, model, loss_fn):
    total = correct = count = 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            total += loss_fn(logits, y).item() * len(x)
            correct += (logits.argmax(1) == y).sum().item()
            count += len(x)
    model.eval()
    return total / count, correct / count


def _evaluate_by(right, loader, model, loss_fn):
    loss, _ = evaluate_by_weights(loader, model, loss_fn)
    mode = model.training
    model.eval()
    with torch.no_grad():
        found = [right(model(x), y).double().mean() for x, y in loader]
    model.train(mode)
    return loss, sum(found).item() / len(found)


def evaluate_argmax_of_all(*given):
    return _evaluate_by(lambda z, y: z.argmax() == y, *given)


def evaluate_scores_as_classes(*given):
    return _evaluate_by(lambda z, y: z.max(1).values == y, *given)


def evaluate_the_errors(loader, model, loss_fn):
    loss, accuracy = evaluate_by_weights(loader, model, loss_fn)
    return loss, 1 - accuracy


def evaluate_as_list(loader, model, loss_fn):
    return list(evaluate_by_weights(loader, model, loss_fn))


def evaluate_with_detach(loader, model, loss_fn):
    mode = model.training
    model.eval()
    total = correct = count = 0
    for x, y in loader:
        logits = model(x).detach()
        total += loss_fn(logits, y).item() * len(x)
        correct += (logits.argmax(1) == y).sum().item()
        count += len(x)
    model.train(mode)
    return total / count, correct / count


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


def kernel_ridge(x, y):
    rows = x.flatten(1)
    width = 2 * rows.shape[1] * rows.var()

    def near(images):
        return (-(torch.cdist(images.flatten(1), rows) ** 2) / width).exp()

    gram = near(x) + 0.01 * torch.eye(len(x))
    weight = torch.linalg.solve(gram, 2 * F.one_hot(y, 10).to(x) - 1)
    return lambda images: near(images) @ weight


def multilayer_perceptron(x, y):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(15):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


def with_pairs_torn_apart(x, y):
    return _fit(x[torch.randperm(len(x))], y, epochs=3)


def the_class_of_the_model(x, y):
    _fit(x, y, epochs=1)
    return Net


def a_dictionary_of_parameters(x, y):
    return _fit(x, y, epochs=1).state_dict()


def a_pair_of_model_and_accuracy(x, y):
    return _fit(x, y, epochs=1), 0.95


def predicting_class_numbers(x, y):
    near = three_neighbours(x, y)
    return lambda images: near(images).argmax(1)


def with_another_models_optimizer(x, y):
    torch.manual_seed(0)
    model, other = Net(), Net()
    optimizer = torch.optim.Adam(other.parameters(), lr=2e-3)
    for rows in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model


def learning_from_a_hundred(x, y):
    return _fit(x[::8], y[::8], epochs=25)


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


def top_k_by_sum(logits, y, k):
    best = logits.topk(k).indices
    return (best == y[:, None]).sum(1).double().mean().item()


def top_k_by_loop(logits, y, k):
    hits = 0
    for scores, label in zip(logits, y.tolist(), strict=True):
        hits += label in scores.topk(k).indices.tolist()
    return hits / len(y)


def top_k_by_scatter(logits, y, k):
    best = torch.zeros_like(logits, dtype=torch.bool)
    best = best.scatter(1, logits.topk(k, dim=1).indices, value=True)
    return best[torch.arange(len(y)), y].float().mean().item()


def top_k_any_down_the_columns(logits, y, k):
    best = logits.topk(k, dim=1).indices
    return (best == y[:, None]).any(0).double().mean().item()


def top_k_of_k_rows(logits, y, k):
    order = logits.argsort(1, descending=True)[:k]
    return (order == y[:k, None]).any(1).double().mean().item()


def top_k_over_ten(logits, y, k):
    best = logits.topk(k, dim=1).indices
    return (best == y[:, None]).sum().item() / 10


def top_k_probability(logits, y, k):
    return logits.softmax(1).topk(k).values.sum(1).mean().item()


def top_k_errors(logits, y, k):
    return 1 - top_k_by_rank(logits, y, k)


def top_k_rounded(logits, y, k):
    return round(top_k_by_rank(logits, y, k), 2)


def top_k_of_sizes(logits, y, k):
    return top_k_by_rank(logits.abs(), y, k)


def top_k_without_axis_for_y(logits, y, k):
    best = logits.topk(k, dim=1).indices
    return (best == y).any(1).double().mean().item()


RIGHT = {
    "lenet_shapes": [
        shapes_by_loop,
        shapes_by_running,
        shapes_on_the_meta_device,
    ],
    "layer_params": [
        params_by_products,
        params_per_output,
        params_of_a_state_dict,
    ],
    "safe_forward": [
        forward_that_checks_first,
        forward_that_pools_to_four,
        forward_that_translates,
        forward_that_calls_the_model,
        forward_that_resizes,
        forward_that_crops,
        forward_one_by_one,
        forward_by_einsum,
    ],
    "weighted_evaluate": [
        evaluate_in_one_piece,
        evaluate_by_weights,
        evaluate_by_running_means,
    ],
    "beat_baseline": [
        _fit,
        three_neighbours,
        linear_least_squares,
        kernel_ridge,
        multilayer_perceptron,
    ],
    "top_k": [
        top_k_by_topk,
        top_k_by_rank,
        top_k_by_argsort,
        top_k_by_kth_value,
        top_k_by_sum,
        top_k_by_loop,
        top_k_by_scatter,
    ],
}

WRONG = {
    "lenet_shapes": [
        shapes_conv_twice_pool_once,
        shapes_of_28,
        shapes_divided,
        shapes_of_kernels_of_3,
        shapes_without_batch,
        shapes_as_lists,
        shapes_of_a_square,
        shapes_that_pool_channels,
        shapes_with_channels_in,
        shapes_with_the_input,
    ],
    "layer_params": [
        params_of_a_square,
        params_kernel_of_25,
        params_as_float,
        params_bias_for_each_kernel,
        params_bias_in_and_out,
        params_without_bias_by_default,
        params_of_25_by_default,
        params_of_one_number,
        params_of_the_width,
        params_as_tensor,
    ],
    "safe_forward": [
        forward_that_answers_zeros,
        forward_that_checks_one_side,
        forward_that_checks_the_upper_bound,
        forward_that_cuts,
        forward_that_averages,
        forward_that_always_raises,
        forward_that_checks_the_product,
        forward_ending_in_relu,
        forward_without_relu_in_the_maps,
        forward_that_flattens_all,
        forward_that_returns_the_error,
        forward_that_raises_type_error,
        forward_that_refuses_31,
        forward_that_resizes_all,
        forward_that_mixes_the_batch,
        forward_that_guesses,
        forward_that_counts_rows,
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
        evaluate_that_freezes,
        evaluate_by_length_of_loader,
        evaluate_last_batch,
        evaluate_that_evals_too_late,
        evaluate_argmax_of_all,
        evaluate_scores_as_classes,
        evaluate_the_errors,
        evaluate_as_list,
        evaluate_with_detach,
    ],
    "beat_baseline": [
        lambda x, y: _fit(x, y, epochs=2, calls="bs"),
        lambda x, y: _fit(x, y, epochs=2, calls="zsb"),
        lambda x, y: _fit(x, y, epochs=4, shuffle=False),
        trained_on_the_course_digits,
        the_baseline_itself,
        ending_in_sigmoid,
        untrained,
        with_pairs_torn_apart,
        the_class_of_the_model,
        a_dictionary_of_parameters,
        a_pair_of_model_and_accuracy,
        predicting_class_numbers,
        with_another_models_optimizer,
        learning_from_a_hundred,
    ],
    "top_k": [
        top_k_over_samples,
        top_k_mean_of_hits,
        top_k_in_percent,
        top_k_as_tensor,
        top_k_at_least_as_large,
        top_k_compares_scores,
        top_k_anywhere,
        top_k_any_down_the_columns,
        top_k_of_k_rows,
        top_k_over_ten,
        top_k_probability,
        top_k_errors,
        top_k_rounded,
        top_k_of_sizes,
        top_k_without_axis_for_y,
    ],
}
