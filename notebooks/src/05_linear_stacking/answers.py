"""Lesson 05: right answers written otherwise, wrong ones that may not pass."""

import copy
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

import checks

# --- fits --------------------------------------------------------------------

FITS = checks.fits.answer


def but(n, value):
    """The right answers but for case n, counted from 1."""
    return FITS | {[*FITS][n - 1]: value}


# --- collapse ----------------------------------------------------------------


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


def collapse_copied_layer(m1, m2):
    one = copy.deepcopy(m2)
    one.in_features = m1.in_features
    one.weight = nn.Parameter((m2.weight @ m1.weight).detach())
    with torch.no_grad():
        one.bias += m2.weight @ m1.bias
    return one


def collapse_wrong_sizes(m1, m2):
    one = nn.Linear(m2.out_features, m1.in_features)
    one.weight = nn.Parameter((m2.weight @ m1.weight).detach())
    one.bias = nn.Parameter(m2(m1.bias).detach())
    return one


def collapse_in_place(m1, m2):
    one = collapse_formula(m1, m2)
    m1.weight, m1.bias, m1.out_features = one.weight, one.bias, m2.out_features
    return m1


def collapse_changes_m2(m1, m2):
    with torch.no_grad():
        m2.bias += m2.weight @ m1.bias
    one = nn.Linear(m1.in_features, m2.out_features)
    one.weight = nn.Parameter(m2.weight @ m1.weight)
    one.bias = nn.Parameter(m2.bias)
    return one


def collapse_freezes(m1, m2):
    for layer in (m1, m2):  # in place of no_grad
        layer.requires_grad_(False)
    return collapse_formula(m1, m2)


LAYERS = {}


def collapse_cached(m1, m2):
    key = m1.in_features, m2.out_features
    one = LAYERS.setdefault(key, nn.Linear(*key))
    one.load_state_dict(collapse_state_dict(m1, m2).state_dict())
    return one


# --- mlp ---------------------------------------------------------------------


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


def mlp_shared_relu(widths):
    relu = nn.ReLU()
    layers = []
    for D, E in itertools.pairwise(widths):
        layers += [relu, nn.Linear(D, E)]
    return nn.Sequential(*layers[1:])


class MlpClass(nn.Sequential):
    def __init__(self, widths):
        super().__init__()
        for i, (D, E) in enumerate(itertools.pairwise(widths)):
            if i:
                self.append(nn.ReLU())
            self.append(nn.Linear(in_features=D, out_features=E))


def mlp_by_index(widths):  # a width that comes twice is found once
    layers = []
    for D in widths[:-1]:
        layers += [nn.Linear(D, widths[widths.index(D) + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_pops(widths):
    last = widths.pop()
    return nn.Sequential(*mlp_last_apart([*widths, last]))


KEPT = {}


def mlp_cached(widths):
    key = tuple(widths)
    if key not in KEPT:
        KEPT[key] = mlp_last_apart(widths)
    return KEPT[key]


def mlp_with(*more):
    def answer(widths):
        layers = []
        for D, E in itertools.pairwise(widths):
            layers += [nn.Linear(D, E), *(make() for make in more)]
        return nn.Sequential(*layers[: -len(more)])

    return answer


def mlp_one_layer_for_equal_sizes(widths):
    made = {pair: nn.Linear(*pair) for pair in itertools.pairwise(widths)}
    layers = []
    for pair in itertools.pairwise(widths):
        layers += [made[pair], nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp_seeded(widths):
    torch.manual_seed(0)
    return mlp_last_apart(widths)


def mlp_changed(change):
    def answer(widths):
        model = mlp_last_apart(widths)
        for p in model.parameters():
            change(p)
        return model

    return answer


# --- model_size --------------------------------------------------------------


def size_loop(model):
    numbers = nbytes = 0
    for p in model.parameters():
        numbers += p.numel()
        nbytes += p.nbytes
    return numbers, nbytes


def size_named(model):
    found = [
        (math.prod(p.shape), p.dtype.itemsize)
        for _, p in model.named_parameters()
    ]
    return sum(n for n, _ in found), sum(n * size for n, size in found)


def size_unique(model):
    found = {
        id(p): p for m in model.modules() for p in m.parameters(recurse=False)
    }.values()
    return sum(p.nelement() for p in found), sum(p.nbytes for p in found)


def size_by_value(model):  # takes equal parameters for a shared one
    kept = {tuple(p.flatten().tolist()): p for p in model.parameters()}
    return checks.total(kept.values())


def size_one_level(model):
    parts = [model, *model.children()]
    return checks.total(p for m in parts for p in m.parameters(recurse=False))


def size_by_address(model):
    kept = {p.data_ptr(): p for p in model.parameters()}
    return checks.total(kept.values())


def size_by_numpy(model):
    arrays = [p.detach().numpy() for p in model.parameters()]
    return sum(a.size for a in arrays), sum(a.nbytes for a in arrays)


def size_of_storages(model):
    numbers, _ = size_loop(model)
    storages = [p.untyped_storage() for p in model.parameters()]
    return numbers, sum(s.nbytes() for s in storages)


def size_thaws(model):
    model.requires_grad_(True).double()
    return size_loop(model)


RIGHT = {
    "fits": [
        {
            case: told if told == "error" else list(told)
            for case, told in FITS.items()
        },
        {
            case: told.upper() if told == "error" else torch.Size(told)
            for case, told in FITS.items()
        },
    ],
    "collapse": [
        collapse_formula,
        collapse_by_probing,
        collapse_state_dict,
        collapse_copied_layer,
    ],
    "mlp": [mlp_last_apart, mlp_nested, mlp_shared_relu, MlpClass],
    "model_size": [
        size_loop,
        size_named,
        size_unique,
        lambda model: checks.total(set(model.parameters())),
    ],
}

WRONG = {
    "fits": [
        {case: FITS[case] for case in [*FITS][:9]},
        [*FITS.values()],
        torch.zeros(10),
        dict.fromkeys(FITS, True),
        but(1, 30),
        but(2, "(5, 30)"),
        but(3, (20, 30)),
        but(6, (30,)),
        but(7, ()),
        but(8, (20, 30)),
        but(8, ...),
        but(9, (2, 20, 30)),
        but(9, None),
        but(10, (2, 9, 30)),
    ],
    "collapse": [
        lambda m1, m2: nn.Sequential(m1, m2),
        lambda m1, m2: m2.weight @ m1.weight,
        lambda m1, m2: collapse_formula(m1, m2).double(),
        collapse_wrong_sizes,
        collapse_in_place,
        collapse_changes_m2,
        collapse_freezes,
        collapse_cached,
    ],
    "mlp": [
        lambda widths: nn.ModuleList(mlp_last_apart(widths)),
        lambda widths: mlp_last_apart(widths[::-1]),
        mlp_by_index,
        mlp_pops,
        mlp_cached,
        mlp_one_layer_for_equal_sizes,
        mlp_seeded,
        mlp_changed(nn.init.zeros_),
        mlp_changed(nn.init.normal_),
        mlp_changed(lambda p: p.requires_grad_(False)),
        lambda widths: mlp_last_apart(widths).double(),
        mlp_with(nn.GELU),
        mlp_with(nn.ReLU, nn.Dropout),
        mlp_with(nn.ReLU, nn.ReLU),
    ],
    "model_size": [
        lambda model: list(size_loop(model)),
        lambda model: tuple(map(torch.tensor, size_loop(model))),
        lambda model: (size_loop(model)[0], 8 * size_loop(model)[1]),
        size_one_level,
        size_by_value,
        size_by_address,
        size_by_numpy,
        size_of_storages,
        size_thaws,
    ],
}
