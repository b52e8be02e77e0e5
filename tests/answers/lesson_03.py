"""Lesson 03: right answers that differ, and wrong ones that must not pass."""

import contextlib
import itertools

import numpy as np
import torch

# --- matmul_loops ---------------------------------------------------------


def matmul_three_loops(x, w):
    B, D = x.shape
    E = w.shape[1]
    y = torch.zeros(B, E, dtype=x.dtype)
    for i in range(B):
        for j in range(E):
            for k in range(D):
                y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_other_order(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for k, i, j in itertools.product(
        range(len(w)), range(len(x)), range(w.size(1))
    ):
        y[i, j] += w[k, j] * x[i, k]
    return y


def matmul_python_lists(x, w):
    rows, columns = x.tolist(), w.T.tolist()
    y = [[sum(map(float.__mul__, r, c)) for c in columns] for r in rows]
    return torch.tensor(y, dtype=x.dtype)


def matmul_outer_products(x, w):
    return sum(torch.outer(x[:, k], w[k]) for k in range(len(w)))


def matmul_einsum(x, w):
    return torch.einsum("bd,de->be", x, w)


def matmul_broadcast(x, w):
    return (x[:, :, None] * w).sum(1)


def matmul_zeros(x, w):
    return x.new_zeros(len(x), w.size(1))


def matmul_elementwise(x, w):
    return x * w


def matmul_w_transposed(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, x.size(1)))):
        y[i, j] += x[i, k] * w[j, k]
    return y


def matmul_square_loops(x, w):
    # One size for all three loops.
    y = x.new_zeros(len(x), len(x))
    for i, j, k in itertools.product(range(len(x)), repeat=3):
        y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_returns_early(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i in range(len(x)):
        for j in range(w.size(1)):
            for k in range(len(w)):
                y[i, j] += x[i, k] * w[k, j]
        return y
    return y


def matmul_numpy(x, w):
    return x.numpy() @ w.numpy()


def matmul_integers(x, w):
    return (x.long() @ w.long()).to(x.dtype)


def matmul_on_input(x, w):
    x *= 1 + 0 * x
    x += 1
    return (x - 1) @ w


def matmul_mean(x, w):
    return x @ w / len(w)


def matmul_absolute(x, w):
    return x.abs() @ w.abs()


def matmul_sums(x, w):
    # Sum of a row times sum of a column.
    return x.sum(1, keepdim=True) * w.sum(0)


def matmul_default_dtype(x, w):
    return matmul_three_loops(x.half(), w.half()).to(x.dtype)


def matmul_appends(x, w):
    rows = []
    for i in range(x.shape[0]):
        row = []
        for j in range(w.shape[1]):
            row.append(sum(x[i, k] * w[k, j] for k in range(x.shape[1])))
        rows.append(torch.stack(row))
    return torch.stack(rows)


def matmul_view_with_grad(x, w):
    return (w.T @ x.clone().requires_grad_().T).T


def matmul_always_double(x, w):
    return matmul_three_loops(x.double(), w.double())


def matmul_starts_from_ones(x, w):
    return 1 + matmul_three_loops(x, w)


def matmul_sizes_of_the_text(x, w):
    return x.new_zeros(2, 4)


def matmul_dots(x, w):
    y = torch.empty(len(x), w.shape[1], dtype=x.dtype)
    for i, row in enumerate(x):
        for j, column in enumerate(w.unbind(1)):
            y[i, j] = torch.dot(row, column).item()
    return y


def matmul_adds_outer_products(x, w):
    y = torch.zeros(x.size(0), w.size(1)).type_as(x)
    for k in range(x.size(1)):
        y.addr_(x[:, k], w[k])
    return y


class MatmulModule(torch.nn.Module):
    def forward(self, x, w):
        return torch.nn.functional.linear(x, w.T)


def matmul_first_term_only(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]
        return y


def matmul_k_over_samples(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, len(x)))):
        y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_counts_in_integers(x, w):
    y = torch.zeros(len(x), w.size(1), dtype=torch.int64)
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_without_return(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]


def matmul_rounded(x, w):
    return torch.round(x @ w, decimals=4)


# --- equations ------------------------------------------------------------

EQUATIONS = {
    "outer": "i,j->ij",
    "trace": "ii->",
    "bmm": "bik,bkj->bij",
    "QK^T": "bqd,bkd->bqk",
    "weight [E, D]": "nd,ed->ne",
    "heads": "bmhd,mde->bmhe",
}

EQUATIONS_ELLIPSIS = EQUATIONS | {
    "bmm": "...ik,...kj->...ij",
    "QK^T": "...qd,...kd->...qk",
    "weight [E, D]": "...d,ed->...e",
}

EQUATIONS_MORE_DOTS = EQUATIONS | {
    "outer": "...d,e->...de",
    "weight [E, D]": "bd,ed",
    "heads": "...hd,...de->...he",
}

EQUATIONS_IMPLICIT = {
    "outer": "x,y",
    "trace": "kk",
    "bmm": "...ik,...kj",
    "QK^T": "b q d, b k d -> b q k",
    "weight [E, D]": "ad,bd",
    "heads": "BMHD,MDE->BMHE",
}


def equations_but(name, equation):
    return EQUATIONS | {name: equation}


# --- shape_table ----------------------------------------------------------

SHAPES = {
    "(3, 4) @ (4, 5)": (3, 5),
    "(3, 4) * (4, 5)": "error",
    "(3, 4) @ (4,)": (3,),
    "(4,) @ (4,)": (),
    "(2, 3, 4) * (3, 4)": (2, 3, 4),
    "(2, 3, 4) @ (4, 5)": (2, 3, 5),
    "(2, 3, 4) @ (3, 4)": "error",
    "(2, 3, 4) @ (2, 4, 5)": (2, 3, 5),
    "(2, 3, 4) @ (5, 4, 6)": "error",
    "bmm((2, 3, 4), (4, 5))": "error",
}

SHAPES_LISTS = {
    row: list(told) if isinstance(told, tuple) else told
    for row, told in SHAPES.items()
}

SHAPES_SIZES = {
    row: torch.Size(told) if isinstance(told, tuple) else told
    for row, told in SHAPES.items()
}


def shapes_but(row, told):
    return SHAPES | {row: told}


# --- bilinear -------------------------------------------------------------


def bilinear_other_letters(x, w, y):
    return torch.einsum("ni,ij,nj->n", x, w, y)


def bilinear_two_steps(x, w, y):
    return ((x @ w) * y).sum(1)


def bilinear_loop(x, w, y):
    return torch.stack([a @ w @ c for a, c in zip(x, y, strict=True)])


def bilinear_diagonal(x, w, y):
    return (x @ w @ y.T).diagonal()


def bilinear_torch(x, w, y):
    return torch.nn.functional.bilinear(x, y, w[None]).squeeze(1)


def bilinear_implicit(x, w, y):
    # Keeps nothing but n, which is what is wanted only with an arrow.
    return torch.einsum("ni,ij,nj", x, w, y)


def bilinear_w_transposed(x, w, y):
    return torch.einsum("bd,ed,be->b", x, w, y)


def bilinear_swapped(x, w, y):
    return torch.einsum("bd,de,be->b", y, w, x)


def bilinear_first_row(x, w, y):
    return (x @ w) @ y[0]


def bilinear_all_pairs(x, w, y):
    return x @ w @ y.T


def bilinear_row_of_pairs(x, w, y):
    return (x @ w @ y.T)[0]


def bilinear_zeros(x, w, y):
    return x.new_zeros(len(x))


def bilinear_trace(x, w, y):
    return (x @ w @ y.T).trace()


def bilinear_without_w(x, w, y):
    return x.sum(1) * y.sum(1)


def bilinear_list(x, w, y):
    return bilinear_two_steps(x, w, y).tolist()


def bilinear_float32(x, w, y):
    return bilinear_two_steps(x, w, y).float()


def bilinear_mean(x, w, y):
    return ((x @ w) * y).mean(1)


def bilinear_three_loops(x, w, y):
    s = x.new_zeros(len(x))
    sizes = (*x.shape, y.shape[1])
    for b, d, e in itertools.product(*map(range, sizes)):
        s[b] += x[b, d] * w[d, e] * y[b, e]
    return s


def bilinear_bmm(x, w, y):
    return torch.bmm((x @ w)[:, None], y[..., None]).flatten()


def bilinear_dots(x, w, y):
    # The batch stands in the ellipsis, which the implicit output keeps.
    return torch.einsum("...d,de,...e", x, w, y)


def bilinear_sums_batch(x, w, y):
    return ((x @ w) * y).sum(0)


def bilinear_x_twice(x, w, y):
    return torch.einsum("bd,de,bd->b", x, w, x)


def bilinear_expanded(x, w, y):
    return torch.einsum("bd,de,be->", x, w, y).expand(len(x))


def bilinear_only_xw(x, w, y):
    return torch.einsum("bd,de->be", x, w)


def bilinear_equation(x, w, y):
    return "bd,de,be->b"


def bilinear_scaled(x, w, y):
    return torch.einsum("bd,de,be->b", x, w, y) / w.shape[1] ** 0.5


def bilinear_first_x(x, w, y):
    return torch.stack([x[0] @ w @ row for row in y])


def bilinear_keepdim(x, w, y):
    return ((x @ w) * y).sum(1, keepdim=True).T


# --- find_wrong -----------------------------------------------------------


def find_by_loop(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            torch.testing.assert_close(torch.einsum(equation, x, w), x @ w)
        except (RuntimeError, AssertionError):
            return i
    return None


def find_by_shape(equations):
    x, w = torch.ones(4, 5), torch.ones(5, 7)
    for i in range(4):
        try:
            if torch.einsum(equations[i], x, w).shape != (4, 7):
                return i
        except RuntimeError:
            return i
    return None


def find_by_values_on_square(equations):
    # Square, but neither symmetric nor the same matrix twice.
    x, w = torch.arange(9.0).view(3, 3), torch.arange(9.0, 0, -1).view(3, 3)
    good = [torch.equal(torch.einsum(e, x, w), x @ w) for e in equations]
    return good.index(False)


def find_by_numpy(equations):
    x, w = np.ones((2, 3)), np.ones((3, 4))
    for i, equation in enumerate(equations):
        try:
            if np.einsum(equation, x, w).shape != (2, 4):
                return i
        except ValueError:
            return i
    return None


def find_by_letters(equations):
    for i, equation in enumerate(equations):
        left, _, right = equation.replace("...", ".").partition("->")
        first, second = left.split(",")
        right = right or "".join(sorted(first[0] + second[1]))
        if first[1] != second[0] or right != first[0] + second[1]:
            return i
    return None


def find_odd_one(equations):
    x, w = torch.randn(4, 3), torch.randn(3, 5)
    seen = []
    for equation in equations:
        try:
            seen.append(tuple(torch.einsum(equation, x, w).shape))
        except RuntimeError:
            seen.append(None)
    return next(i for i, shape in enumerate(seen) if seen.count(shape) == 1)


def find_allclose_inside_try(equations):
    # allclose raises RuntimeError too where shapes do not fit.
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            if not torch.allclose(torch.einsum(equation, x, w), x @ w):
                return i
        except RuntimeError:
            return i
    return None


def find_allclose_uncaught(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        if not torch.allclose(torch.einsum(equation, x, w), x @ w):
            return i
    return None


def find_same_b_and_e(equations):
    # The transposed result has the same shape.
    x, w = torch.randn(2, 3), torch.randn(3, 2)
    for i, equation in enumerate(equations):
        try:
            if torch.einsum(equation, x, w).shape != (2, 2):
                return i
        except RuntimeError:
            return i
    return None


def find_factors_swapped(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            torch.einsum(equation, w, x)
        except RuntimeError:
            return i
    return None


def find_goes_on_after_error(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    y = x @ w
    for i, equation in enumerate(equations):
        with contextlib.suppress(RuntimeError):
            y = torch.einsum(equation, x, w)
        if y.shape != (2, 4):
            return i
    return None


def find_dots(equations):
    return next((i for i, e in enumerate(equations) if "..." in e), 0)


def find_last_right(equations):
    last = 0
    for i, equation in enumerate(equations):
        if find_by_letters([equation]) is None:
            last = i
    return last


def find_looks_at_first_only(equations):
    for i, equation in enumerate(equations):
        return i if find_by_letters([equation]) == 0 else None


def find_as_numpy_integer(equations):
    return np.int64(find_by_letters(equations))


def find_on_symmetric(equations):
    s = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    for i, equation in enumerate(equations):
        if not torch.equal(torch.einsum(equation, s, s), s @ s):
            return i
    return 0


def find_on_ones(equations):
    x = torch.ones(3, 3)
    want = x @ x
    found = [not torch.equal(torch.einsum(e, x, x), want) for e in equations]
    return found.index(True) if any(found) else -1


def find_by_text(equations):
    return next((i for i, e in enumerate(equations) if e != "bd,de->be"), 0)


def find_last(equations):
    return len(equations) - 1


def find_longest(equations):
    return equations.index(max(equations, key=len))


def find_odd_length(equations):
    lengths = [len(e) for e in equations]
    return min(range(4), key=lambda i: lengths.count(lengths[i]))


def find_as_list(equations):
    return [find_by_loop(equations)]


def find_as_tensor(equations):
    return torch.tensor(find_by_loop(equations))


def find_as_text(equations):
    return str(find_by_loop(equations))


def find_all_flags(equations):
    wrong = find_by_loop(equations)
    return [i == wrong for i in range(len(equations))]


def find_counts_from_end(equations):
    return find_by_loop(equations) - len(equations)


def find_square_w_only(equations):
    # X is not square, W is.
    x, w = torch.randn(2, 3), torch.randn(3, 3)
    for i, equation in enumerate(equations):
        try:
            if torch.einsum(equation, x, w).shape != (2, 3):
                return i
        except RuntimeError:
            return i
    return 0


RIGHT = {
    "matmul_loops": [
        matmul_three_loops,
        matmul_other_order,
        matmul_python_lists,
        matmul_outer_products,
        matmul_einsum,
        matmul_broadcast,
        matmul_appends,
        matmul_view_with_grad,
        matmul_dots,
        matmul_adds_outer_products,
        MatmulModule(),
    ],
    "equations": [
        EQUATIONS,
        EQUATIONS_ELLIPSIS,
        EQUATIONS_MORE_DOTS,
        EQUATIONS_IMPLICIT,
    ],
    "shape_table": [SHAPES, SHAPES_LISTS, SHAPES_SIZES],
    "bilinear": [
        bilinear_other_letters,
        bilinear_two_steps,
        bilinear_loop,
        bilinear_diagonal,
        bilinear_torch,
        bilinear_three_loops,
        bilinear_bmm,
        bilinear_dots,
    ],
    "find_wrong": [
        find_by_loop,
        find_by_shape,
        find_by_values_on_square,
        find_by_numpy,
        find_by_letters,
        find_odd_one,
        find_allclose_inside_try,
    ],
}

WRONG = {
    "matmul_loops": [
        matmul_zeros,
        matmul_elementwise,
        matmul_w_transposed,
        matmul_square_loops,
        matmul_returns_early,
        matmul_numpy,
        matmul_integers,
        matmul_on_input,
        matmul_mean,
        matmul_absolute,
        matmul_sums,
        matmul_default_dtype,
        matmul_always_double,
        matmul_starts_from_ones,
        matmul_sizes_of_the_text,
        matmul_first_term_only,
        matmul_k_over_samples,
        matmul_counts_in_integers,
        matmul_without_return,
        matmul_rounded,
    ],
    "equations": [
        {"outer": "i,j->ij"},
        list(EQUATIONS.values()),
        "bd,de->be",
        dict.fromkeys(EQUATIONS, "bd,de->be"),
        EQUATIONS | {"trace": 3},
        EQUATIONS | {"trace": ...},
        equations_but("outer", "i,i->i"),
        equations_but("outer", "ij->ij"),
        equations_but("outer", "j,i"),
        equations_but("trace", "ii->i"),
        equations_but("trace", "ij->ji"),
        equations_but("bmm", "bik,bkj->bji"),
        equations_but("bmm", "bik,kj->bij"),
        equations_but("bmm", "bik,bkj->bijk"),
        equations_but("QK^T", "bqd,bkd->bqkd"),
        equations_but("QK^T", "bqd,bkd->qk"),
        equations_but("QK^T", "bqd,bke->bqk"),
        equations_but("weight [E, D]", "nd,ed->en"),
        equations_but("weight [E, D]", "nd,ed"),
        equations_but("weight [E, D]", "nd,de->ne"),
        equations_but("heads", "bmhd,mde->bhme"),
        equations_but("heads", "bmhd,de->bmhe"),
        equations_but("heads", "bmhd,mde"),
        equations_but("heads", "bd，de->be"),
        equations_but("outer", "d,d->d"),
        equations_but("outer", "d,e→de"),
        equations_but("trace", "ii->ii"),
        equations_but("bmm", "bhd,bed->bhe"),
        equations_but("bmm", "hd,de->he"),
        equations_but("QK^T", "bhd,bnd"),
        equations_but("QK^T", None),
        equations_but("weight [E, D]", "bd,ed->bd"),
        equations_but("heads", "bmhd,mde->bmh"),
        equations_but("heads", ("bmhd,mde", "bmhe")),
    ],
    "shape_table": [
        dict.fromkeys(SHAPES, "error"),
        dict.fromkeys(SHAPES, (2, 3, 5)),
        list(SHAPES.values()),
        {row: str(told) for row, told in SHAPES.items()},
        {"(3, 4) @ (4, 5)": (3, 5)},
        shapes_but("(3, 4) @ (4, 5)", (4, 4)),
        shapes_but("(3, 4) @ (4, 5)", "error"),
        shapes_but("(3, 4) @ (4, 5)", 15),
        shapes_but("(3, 4) * (4, 5)", (3, 4)),
        shapes_but("(3, 4) @ (4,)", "error"),
        shapes_but("(4,) @ (4,)", "error"),
        shapes_but("(4,) @ (4,)", 1),
        shapes_but("(3, 4) @ (4, 5)", (3.0, 5.0)),
        shapes_but("(2, 3, 4) @ (4, 5)", (2, 3, 4, 5)),
        shapes_but("(2, 3, 4) @ (4, 5)", (2, 3, 4)),
        shapes_but("(2, 3, 4) @ (3, 4)", (2, 3, 3)),
        shapes_but("(2, 3, 4) @ (5, 4, 6)", (10, 3, 6)),
        shapes_but("(4,) @ (4,)", (4, 4)),
        shapes_but("(2, 3, 4) * (3, 4)", (3, 4)),
        shapes_but("(2, 3, 4) @ (3, 4)", (2, 3, 4, 4)),
        shapes_but("(2, 3, 4) @ (2, 4, 5)", "error"),
        shapes_but("(2, 3, 4) @ (5, 4, 6)", (5, 3, 6)),
        shapes_but("bmm((2, 3, 4), (4, 5))", ...),
        shapes_but("(3, 4) * (4, 5)", None),
        shapes_but("(3, 4) * (4, 5)", (3, 4, 5)),
        shapes_but("(3, 4) @ (4,)", 3),
        shapes_but("(3, 4) @ (4,)", (4,)),
        shapes_but("(4,) @ (4,)", (0,)),
        shapes_but("(4,) @ (4,)", "scalar"),
        shapes_but("(2, 3, 4) * (3, 4)", (2, 3, 4, 4)),
        shapes_but("(2, 3, 4) @ (2, 4, 5)", (4, 3, 5)),
        shapes_but("(2, 3, 4) @ (5, 4, 6)", (2, 5, 3, 6)),
        shapes_but("bmm((2, 3, 4), (4, 5))", "Error"),
    ],
    "bilinear": [
        bilinear_implicit,
        bilinear_w_transposed,
        bilinear_swapped,
        bilinear_first_row,
        bilinear_all_pairs,
        bilinear_row_of_pairs,
        bilinear_zeros,
        bilinear_trace,
        bilinear_without_w,
        bilinear_list,
        bilinear_float32,
        bilinear_mean,
        bilinear_keepdim,
        bilinear_sums_batch,
        bilinear_x_twice,
        bilinear_expanded,
        bilinear_only_xw,
        bilinear_equation,
        bilinear_scaled,
        bilinear_first_x,
    ],
    "find_wrong": [
        find_on_symmetric,
        find_on_ones,
        find_by_text,
        find_last,
        find_longest,
        find_odd_length,
        find_as_list,
        find_as_tensor,
        find_as_text,
        find_all_flags,
        find_counts_from_end,
        find_square_w_only,
        find_allclose_uncaught,
        find_same_b_and_e,
        find_factors_swapped,
        find_goes_on_after_error,
        find_dots,
        find_last_right,
        find_looks_at_first_only,
        find_as_numpy_integer,
    ],
}
