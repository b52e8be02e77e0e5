"""Lesson 05: right answers that differ, and wrong ones that must not pass."""

import copy
import itertools
import math
import sys
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

# --- fits -----------------------------------------------------------------

fits_by_hand = [
    (30,),
    (5, 30),
    None,
    (4, 7, 30),
    None,
    (0, 30),
    None,
    None,
    (2, 20, 40),
    None,
]


def _but(k, value):
    """The right answers but for case k, counted from 1."""
    return [*fits_by_hand[: k - 1], value, *fits_by_hand[k:]]


fits_as_sizes = [s if s is None else torch.Size(s) for s in fits_by_hand]
fits_as_tuple = tuple(fits_by_hand)


# --- collapse -------------------------------------------------------------


def collapse_formula(m1, m2):
    W1, W2 = m1.weight.T, m2.weight.T
    one = nn.Linear(W1.shape[0], W2.shape[1])
    one.weight = nn.Parameter((W1 @ W2).T)
    one.bias = nn.Parameter(m1.bias @ W2 + m2.bias)
    return one


def collapse_by_probing(m1, m2):
    # The images of 0 and of the unit vectors say all about an affine map.
    D = m1.in_features
    with torch.no_grad():
        b = m2(m1(torch.zeros(D)))
        W = m2(m1(torch.eye(D))) - b
        one = nn.Linear(D, m2.out_features)
        one.weight.copy_(W.T)
        one.bias.copy_(b)
    return one


def collapse_state_dict(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    weight = torch.einsum("em,md->ed", m2.weight, m1.weight)
    bias = F.linear(m1.bias, m2.weight, m2.bias)
    one.load_state_dict({"weight": weight, "bias": bias})
    return one


def collapse_data(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    one.weight.data = m2.weight.data.mm(m1.weight.data)
    one.bias.data = m2.weight.data.mv(m1.bias.data) + m2.bias.data
    return one


def collapse_sequential(m1, m2):
    return nn.Sequential(m1, m2)


def collapse_lambda(m1, m2):
    return lambda x: m2(m1(x))


def collapse_pair(m1, m2):
    one = collapse_formula(m1, m2)
    return one.weight, one.bias


def collapse_in_place(m1, m2):
    one = collapse_formula(m1, m2)
    m1.weight, m1.bias, m1.out_features = one.weight, one.bias, m2.out_features
    return m1


def collapse_wrong_sizes_patched(m1, m2):
    one = nn.Linear(m2.out_features, m1.in_features)
    one.weight = nn.Parameter((m2.weight @ m1.weight).detach())
    one.bias = nn.Parameter(m2(m1.bias).detach())
    return one


def collapse_bad_but_unused_weight(m1, m2):
    # forward is overridden, the parameters are not the collapsed ones.
    one = nn.Linear(m1.in_features, m2.out_features)
    one.forward = lambda x: m2(m1(x))
    return one


def collapse_adds_biases(m1, m2):
    one = collapse_formula(m1, m2)
    with torch.no_grad():
        one.bias.copy_(m1.bias.sum() + m2.bias)
    return one


def collapse_fixed_size(m1, m2):
    one = nn.Linear(20, 40)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)
    return one


def collapse_element_wise(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight * m1.weight)
    return one


def collapse_double(m1, m2):
    return collapse_formula(m1, m2).double()


def collapse_copied_layer(m1, m2):
    one = copy.deepcopy(m2)
    one.in_features = m1.in_features
    one.weight = nn.Parameter((m2.weight @ m1.weight).detach())
    with torch.no_grad():
        one.bias += m2.weight @ m1.bias
    return one


def collapse_loops(m1, m2):
    D, E = m1.in_features, m2.out_features
    one = nn.Linear(in_features=D, out_features=E, bias=True)
    with torch.no_grad():
        for e in range(E):
            one.bias[e] = m2.bias[e] + sum(m2.weight[e] * m1.bias)
            for d in range(D):
                one.weight[e, d] = sum(m2.weight[e] * m1.weight[:, d])
    return one


def collapse_into_state(m1, m2):
    one = nn.utils.skip_init(nn.Linear, m1.in_features, m2.out_features)
    state = one.state_dict()
    state["weight"].copy_(m2.weight @ m1.weight)
    state["bias"].copy_(m2(m1(torch.zeros(1, m1.in_features)))[0])
    return one


def collapse_bias_sum(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)
        one.bias.copy_(m1.bias + m2.bias)
    return one


def collapse_sides_swapped(m1, m2):
    one = nn.Linear(m2.out_features, m1.in_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)
        one.bias.copy_(m2(m1.bias))
    return one


def collapse_to_the_middle(m1, m2):
    one = nn.Linear(m1.in_features, m1.out_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)
        one.bias.copy_(m2(m1.bias))
    return one


def collapse_bias_not_transposed(m1, m2):
    one = nn.Linear(m1.in_features, m2.out_features)
    with torch.no_grad():
        one.weight.copy_(m2.weight @ m1.weight)
        one.bias.copy_(m1.bias @ m2.weight + m2.bias)
    return one


def collapse_without_return(m1, m2):
    collapse_formula(m1, m2)


def collapse_changes_m2(m1, m2):
    with torch.no_grad():
        m2.bias += m2.weight @ m1.bias
    one = nn.Linear(m1.in_features, m2.out_features)
    one.weight = nn.Parameter(m2.weight @ m1.weight)
    one.bias = nn.Parameter(m2.bias)
    return one


def collapse_freezes(m1, m2):
    # In place of no_grad.
    for layer in (m1, m2):
        layer.requires_grad_(False)
    return collapse_formula(m1, m2)


def collapse_tensor(m1, m2):
    return m2.weight @ m1.weight


def collapse_with_relu(m1, m2):
    one = collapse_formula(m1, m2)
    with torch.no_grad():
        one.bias.copy_(m2(m1.bias.relu()))
    return one


# --- mlp ------------------------------------------------------------------


def mlp_last_apart(widths):
    layers = []
    for i in range(len(widths) - 2):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        layers.append(nn.ReLU())
    layers.append(nn.Linear(widths[-2], widths[-1]))
    return nn.Sequential(*layers)


def mlp_nested(widths):
    hidden = [
        nn.Sequential(nn.Linear(D, E), nn.ReLU(inplace=True))
        for D, E in itertools.pairwise(widths[:-1])
    ]
    return nn.Sequential(*hidden, nn.Linear(*widths[-2:]))


def mlp_named(widths):
    model = nn.Sequential(OrderedDict())
    last = len(widths) - 2
    for i, (D, E) in enumerate(itertools.pairwise(widths)):
        model.add_module(f"linear{i}", nn.Linear(D, E))
        if i < last:
            model.add_module(f"relu{i}", nn.ReLU())
    return model


def mlp_shared_relu(widths):
    relu = nn.ReLU()
    layers = []
    for D, E in itertools.pairwise(widths):
        layers += [relu, nn.Linear(D, E)]
    return nn.Sequential(*layers[1:])


def mlp_only_list(widths):
    return list(mlp_last_apart(widths))


def mlp_module_list(widths):
    return nn.ModuleList(mlp_last_apart(widths))


def mlp_two_layers(widths):
    return nn.Sequential(
        nn.Linear(widths[0], widths[1]),
        nn.ReLU(),
        nn.Linear(widths[1], widths[2]),
    )


def mlp_fixed(widths):
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 40))


def mlp_reversed(widths):
    return mlp_last_apart(widths[::-1])


def mlp_changes_widths(widths):
    last = widths.pop()
    layers = []
    for D, E in itertools.pairwise(widths):
        layers += [nn.Linear(D, E), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], last))


def mlp_gelu(widths):
    model = mlp_last_apart(widths)
    parts = [nn.GELU() if isinstance(m, nn.ReLU) else m for m in model]
    return nn.Sequential(*parts)


def mlp_leaky(widths):
    model = mlp_last_apart(widths)
    parts = [nn.LeakyReLU() if isinstance(m, nn.ReLU) else m for m in model]
    return nn.Sequential(*parts)


def mlp_all_from_first(widths):
    layers = [nn.Linear(widths[0], E) for E in widths[1:]]
    return nn.Sequential(*layers)


def mlp_relu_twice_last_missing(widths):
    layers = []
    for D, E in itertools.pairwise(widths):
        layers += [nn.Linear(D, E), nn.ReLU(), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


_KEPT = {}


def mlp_cached(widths):
    key = tuple(widths)
    if key not in _KEPT:
        _KEPT[key] = mlp_last_apart(widths)
    return _KEPT[key]


class MlpClass(nn.Sequential):
    def __init__(self, widths):
        super().__init__()
        for i, (D, E) in enumerate(itertools.pairwise(widths)):
            if i:
                self.append(nn.ReLU())
            self.append(nn.Linear(in_features=D, out_features=E))


def mlp_inserts(widths):
    model = nn.Sequential(*itertools.starmap(nn.Linear, _pairs(widths)))
    for i in range(len(model) - 1, 0, -1):
        model.insert(i, nn.ReLU())
    return model


def mlp_recursive(widths):
    first = nn.Linear(*widths[:2])
    if len(widths) == 2:
        return nn.Sequential(first)
    return nn.Sequential(first, nn.ReLU(), *mlp_recursive(widths[1:]))


def _pairs(widths):
    return list(itertools.pairwise(widths))


def _every(widths, *between):
    """The layers of each pair, and after each of them what `between` make."""
    return [
        part
        for D, E in _pairs(widths)
        for part in (nn.Linear(D, E), *(make() for make in between))
    ]


def mlp_one_index_too_far(widths):
    layers = []
    for i in range(len(widths)):
        layers += [nn.Linear(widths[i], widths[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_dropout(widths):
    return nn.Sequential(*_every(widths, nn.ReLU, nn.Dropout)[:-2])


def mlp_softmax(widths):
    return nn.Sequential(*mlp_last_apart(widths), nn.Softmax(-1))


def mlp_relu6(widths):
    return nn.Sequential(*_every(widths, nn.ReLU6)[:-1])


def mlp_tanh(widths):
    return nn.Sequential(*_every(widths, nn.Tanh)[:-1])


def mlp_relu_before_last_only(widths):
    layers = _every(widths)
    return nn.Sequential(*layers[:-1], nn.ReLU(), layers[-1])


def mlp_skips_first(widths):
    return mlp_last_apart(widths[1:])


def mlp_every_second(widths):
    layers = []
    for i in range(0, len(widths) - 1, 2):
        layers += [nn.Linear(widths[i], widths[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_returns_early(widths):
    layers = []
    for D, E in _pairs(widths):
        layers += [nn.Linear(D, E), nn.ReLU()]
        return nn.Sequential(*layers[:-1])


def mlp_starts_anew(widths):
    for D, E in _pairs(widths):
        layers = [nn.Linear(D, E), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_cuts_two(widths):
    return nn.Sequential(*_every(widths, nn.ReLU)[:-2])


class MlpModule(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = mlp_last_apart(widths)

    def forward(self, x):
        return self.layers(x)


def mlp_bare_linear(widths):
    # Right for two widths only.
    return nn.Sequential(nn.Linear(widths[0], widths[-1]))


# --- model_size -----------------------------------------------------------


def size_loop(model):
    numbers = nbytes = 0
    for p in model.parameters():
        numbers += p.numel()
        nbytes += p.nbytes
    return numbers, nbytes


def size_named(model):
    shapes = [
        (math.prod(p.shape), p.dtype.itemsize)
        for _, p in model.named_parameters()
    ]
    return sum(n for n, _ in shapes), sum(n * size for n, size in shapes)


def size_unique(model):
    found = {
        id(p): p
        for m in model.modules()
        for p in m._parameters.values()
        if p is not None
    }.values()
    return sum(p.nelement() for p in found), sum(p.nbytes for p in found)


def size_list(model):
    return list(size_loop(model))


def size_dict(model):
    numbers, nbytes = size_loop(model)
    return {"numbers": numbers, "bytes": nbytes}


def size_only_numbers(model):
    return size_loop(model)[0]


def size_first_dtype(model):
    # Takes the size of the first parameter's elements for all.
    numbers = size_loop(model)[0]
    sizes = [p.element_size() for p in model.parameters()]
    return numbers, numbers * (sizes[0] if sizes else 0)


def size_one_level(model):
    parts = [model, *model.children()]
    found = [p for m in parts for p in m.parameters(recurse=False)]
    return sum(p.numel() for p in found), sum(p.nbytes for p in found)


def size_bits(model):
    numbers, nbytes = size_loop(model)
    return numbers, nbytes * 8


def size_tensor(model):
    numbers, nbytes = size_loop(model)
    return torch.tensor(numbers), torch.tensor(nbytes)


def size_float(model):
    numbers, nbytes = size_loop(model)
    return numbers, nbytes / 1


def size_in_features(model):
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    numbers = sum((m.in_features + 1) * m.out_features for m in layers)
    return numbers, numbers * 4


def size_saved(model):
    found = list(model.state_dict().values())
    return sum(t.numel() for t in found), size_loop(model)[1]


def size_storages(model):
    found = list(model.parameters())
    nbytes = sum(p.untyped_storage().nbytes() for p in found)
    return sum(p.shape.numel() for p in found), nbytes


def size_set(model):
    found = set(model.parameters())
    return sum(map(torch.numel, found)), sum(
        torch.finfo(p.dtype).bits // 8 * p.numel() for p in found
    )


def size_numpy(model):
    found = [p.detach().numpy() for p in model.parameters()]
    return sum(a.size for a in found), sum(a.nbytes for a in found)


def size_children(model):
    found = [p for m in model.children() for p in m.parameters()]
    return sum(p.numel() for p in found), sum(p.nbytes for p in found)


def size_rows(model):
    return sum(map(len, model.parameters())), size_loop(model)[1]


def size_two_axes(model):
    numbers = sum(p.shape[0] * p.shape[1] for p in model.parameters())
    return numbers, 4 * numbers


def size_matrices(model):
    found = [p for p in model.parameters() if p.ndim == 2]
    return sum(p.numel() for p in found), sum(p.nbytes for p in found)


def size_last_one(model):
    for p in model.parameters():
        numbers, nbytes = p.numel(), p.nbytes
    return numbers, nbytes


def size_bytes_twice(model):
    nbytes = size_loop(model)[1]
    return nbytes, nbytes


def size_generator(model):
    return (p.numel() for p in model.parameters())


def size_of_objects(model):
    numbers = size_loop(model)[0]
    return numbers, sum(map(sys.getsizeof, model.parameters()))


def size_thaws(model):
    model.requires_grad_(True).double()
    return size_loop(model)


# --- ManualLinear ---------------------------------------------------------


class ManualEinsum(nn.Module):
    def __init__(self, D, E):
        super().__init__()
        W = nn.init.xavier_uniform_(torch.empty(D, E))
        self.register_parameter("W", nn.Parameter(W))
        self.register_parameter("b", nn.Parameter(torch.zeros(E)))

    def forward(self, x):
        return torch.einsum("...d,de->...e", x, self.W) + self.b


class ManualFunctional(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.b = nn.Parameter(torch.zeros(out_features))
        bound = math.sqrt(6 / (in_features + out_features))
        W = torch.rand(in_features, out_features) * 2 * bound - bound
        self.W = nn.Parameter(W)

    def forward(self, x):
        return F.linear(x, self.W.T, self.b)


class ManualFold(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(in_features, out_features))
        self.b = nn.Parameter(torch.empty(out_features))
        nn.init.xavier_uniform_(self.W)
        nn.init.zeros_(self.b)

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        y = torch.addmm(self.b, rows, self.W)
        return y.reshape(*x.shape[:-1], -1)


class ManualTensordot(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        W = nn.init.xavier_uniform_(torch.empty(out_features, in_features))
        self.W = nn.Parameter(W.T)  # not contiguous
        self.b = nn.Parameter(torch.zeros(out_features))

    def forward(self, x):
        y = torch.tensordot(x, self.W, dims=1)
        y += self.b
        return y


class ManualColumns(ManualTensordot):
    def forward(self, x):
        columns = zip(self.W.unbind(1), self.b, strict=True)
        return torch.stack([(x * w).sum(-1) + b for w, b in columns], dim=-1)


class ManualBroadcast(ManualTensordot):
    def forward(self, x):
        return (x.unsqueeze(-1) * self.W).sum(-2) + self.b


class ManualNoInit(nn.Module):
    # The memory may hold the first values of an earlier layer.
    def __init__(self, D, E):
        super().__init__()
        self.W = nn.Parameter(torch.empty(D, E))
        self.b = nn.Parameter(torch.zeros(E))

    def forward(self, x):
        return x @ self.W + self.b


class ManualEmptyBias(ManualNoInit):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.xavier_uniform_(self.W)
        self.b = nn.Parameter(torch.empty(E))


class ManualWrapped(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.inner = nn.Linear(in_features, out_features)

    def forward(self, x):
        return self.inner(x)


class ManualSubclass(nn.Linear):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)


class ManualNoModule:
    def __init__(self, in_features, out_features):
        self.W = nn.Parameter(torch.randn(in_features, out_features))
        self.b = nn.Parameter(torch.zeros(out_features))

    def __call__(self, x):
        return x @ self.W + self.b


class ManualNoSuper(nn.Module):
    def __init__(self, in_features, out_features):
        self.W = nn.Parameter(torch.empty(in_features, out_features))


class ManualOtherNames(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        self.weight, self.bias = self.W, self.b
        del self.W, self.b

    def forward(self, x):
        return x @ self.weight + self.bias


class ManualExtraParameter(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        self.scale = nn.Parameter(torch.ones(E))


class ManualSubtracts(ManualEinsum):
    def forward(self, x):
        return x @ self.W - self.b


class ManualData(ManualEinsum):
    def forward(self, x):
        return x @ self.W.data + self.b.data


class ManualNoGrad(ManualEinsum):
    @torch.no_grad()
    def forward(self, x):
        return x @ self.W + self.b


class ManualBuffer(nn.Module):
    def __init__(self, D, E):
        super().__init__()
        self.register_buffer("W", nn.init.xavier_uniform_(torch.empty(D, E)))
        self.b = nn.Parameter(torch.zeros(E))

    def forward(self, x):
        return x @ self.W + self.b


class ManualFrozen(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        self.W.requires_grad_(False)


class ManualKaiming(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.kaiming_uniform_(self.W)


class ManualGain(ManualEinsum):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        nn.init.xavier_uniform_(self.W, gain=2**0.5)


class ManualViews(ManualEinsum):
    def forward(self, x):
        rows = x.view(-1, x.shape[-1])  # raises unless x is contiguous
        return (rows @ self.W + self.b).view(*x.shape[:-1], -1)


class ManualXavierNormal(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.xavier_normal_(self.W)


class ManualOnes(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.constant_(self.W, math.sqrt(6 / (D + E)))


class ManualSeeded(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        torch.manual_seed(0)
        nn.init.xavier_uniform_(self.W)


class ManualOneBias(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.ones_(self.b)


class ManualBmm(ManualEinsum):
    def forward(self, x):
        # Three axes only.
        return torch.bmm(x, self.W.expand(len(x), -1, -1)) + self.b


class ManualLeft(ManualEinsum):
    def forward(self, x):
        return self.W @ x + self.b


class ManualLeftTransposed(ManualEinsum):
    # Right for a single row only.
    def forward(self, x):
        return self.W.T @ x + self.b


class ManualWithoutReturn(ManualEinsum):
    def forward(self, x):
        super().forward(x)


class ManualBiasTwice(ManualEinsum):
    def forward(self, x):
        return super().forward(x) + self.b


class ManualThreeAxes(ManualEinsum):
    def forward(self, x):
        B, H, D = x.shape
        rows = x.reshape(B * H, D) @ self.W + self.b
        return rows.reshape(B, H, -1)


class ManualMadeInForward(nn.Module):
    def __init__(self, D, E):
        super().__init__()
        self.sizes = D, E

    def forward(self, x):
        W = nn.Parameter(torch.empty(self.sizes))
        return x @ nn.init.xavier_uniform_(W)


class ManualXavierBias(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.xavier_uniform_(self.b)


class ManualBoundTooSmall(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        bound = math.sqrt(6) / (D + E)
        nn.init.uniform_(self.W, -bound, bound)


class ManualBoundTooLarge(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        bound = math.sqrt(6 / D + E)
        nn.init.uniform_(self.W, -bound, bound)


class ManualOnlyPositive(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(D, E)
        nn.init.uniform_(self.W, 0, math.sqrt(6 / (D + E)))


class ManualSwappedSizes(ManualEinsum):
    def __init__(self, D, E):
        super().__init__(E, D)


class ManualInList(nn.Module):
    def __init__(self, D, E):
        super().__init__()
        self.kept = [
            nn.Parameter(torch.rand(D, E)),
            nn.Parameter(torch.rand(E)),
        ]

    def forward(self, x):
        return x @ self.kept[0] + self.kept[1]


class ManualWritesInput(ManualEinsum):
    def forward(self, x):
        y = super().forward(x)
        x.zero_()
        return y


RIGHT = {
    "fits": [fits_by_hand, fits_as_sizes, fits_as_tuple],
    "collapse": [
        collapse_formula,
        collapse_by_probing,
        collapse_state_dict,
        collapse_data,
        collapse_copied_layer,
        collapse_loops,
        collapse_into_state,
    ],
    "mlp": [
        mlp_last_apart,
        mlp_nested,
        mlp_named,
        mlp_shared_relu,
        MlpClass,
        mlp_inserts,
        mlp_recursive,
    ],
    "model_size": [
        size_loop,
        size_named,
        size_unique,
        size_storages,
        size_set,
        size_numpy,
    ],
    "ManualLinear": [
        ManualEinsum,
        ManualFunctional,
        ManualFold,
        ManualTensordot,
        ManualColumns,
        ManualBroadcast,
    ],
}

WRONG = {
    "fits": [
        fits_by_hand[:9],
        [*fits_by_hand, None],
        dict(enumerate(fits_by_hand)),
        _but(1, 30),
        _but(1, (1, 30)),
        _but(2, [5, 30]),
        _but(2, (5, 20)),
        _but(3, "error"),
        _but(4, (28, 30)),
        _but(5, (2, 3, 30, 10)),
        _but(6, None),
        _but(7, ()),
        _but(8, ...),
        _but(9, (2, 40, 20)),
        _but(9, (2, 20, 30)),
        _but(10, (2, 9, 40)),
        [(30,)] * 10,
        _but(3, (30, 5)),
        _but(3, False),
        _but(5, (2, 3, 20, 30)),
        _but(6, (30,)),
        _but(7, (30,)),
        _but(8, (30,)),
        _but(8, (20, 30)),
        _but(10, (2, 9, 30)),
        _but(2, "(5, 30)"),
        fits_by_hand[::-1],
        [True] * 10,
        torch.zeros(10),
    ],
    "collapse": [
        collapse_sequential,
        collapse_lambda,
        collapse_pair,
        collapse_in_place,
        collapse_wrong_sizes_patched,
        collapse_bad_but_unused_weight,
        collapse_adds_biases,
        collapse_fixed_size,
        collapse_element_wise,
        collapse_double,
        collapse_with_relu,
        collapse_bias_sum,
        collapse_sides_swapped,
        collapse_to_the_middle,
        collapse_bias_not_transposed,
        collapse_without_return,
        collapse_changes_m2,
        collapse_freezes,
        collapse_tensor,
    ],
    "mlp": [
        mlp_only_list,
        mlp_module_list,
        mlp_two_layers,
        mlp_fixed,
        mlp_reversed,
        mlp_changes_widths,
        mlp_gelu,
        mlp_leaky,
        mlp_all_from_first,
        mlp_relu_twice_last_missing,
        mlp_cached,
        mlp_bare_linear,
        mlp_one_index_too_far,
        mlp_dropout,
        mlp_softmax,
        mlp_relu6,
        mlp_tanh,
        mlp_relu_before_last_only,
        mlp_skips_first,
        mlp_every_second,
        mlp_returns_early,
        mlp_starts_anew,
        mlp_cuts_two,
        MlpModule,
    ],
    "model_size": [
        size_list,
        size_dict,
        size_only_numbers,
        size_first_dtype,
        size_one_level,
        size_bits,
        size_tensor,
        size_float,
        size_in_features,
        size_saved,
        size_thaws,
        size_children,
        size_rows,
        size_two_axes,
        size_matrices,
        size_last_one,
        size_bytes_twice,
        size_generator,
        size_of_objects,
    ],
    "ManualLinear": [
        ManualWrapped,
        ManualSubclass,
        ManualNoModule,
        ManualNoSuper,
        ManualOtherNames,
        ManualExtraParameter,
        ManualSubtracts,
        ManualData,
        ManualNoGrad,
        ManualBuffer,
        ManualFrozen,
        ManualKaiming,
        ManualGain,
        ManualViews,
        ManualXavierNormal,
        ManualOnes,
        ManualSeeded,
        ManualOneBias,
        ManualBmm,
        ManualWritesInput,
        ManualNoInit,
        ManualEmptyBias,
        ManualLeft,
        ManualLeftTransposed,
        ManualWithoutReturn,
        ManualBiasTwice,
        ManualThreeAxes,
        ManualMadeInForward,
        ManualXavierBias,
        ManualBoundTooSmall,
        ManualBoundTooLarge,
        ManualOnlyPositive,
        ManualSwappedSizes,
        ManualInList,
    ],
}
