"""Lesson 03: right answers written otherwise, wrong ones that may not pass."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from numpy import inner

import checks

# --- matmul_loops ------------------------------------------------------------


def matmul_other_order(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for k, i, j in itertools.product(*map(range, (len(w), *y.shape))):
        y[i, j] += w[k, j] * x[i, k]
    return y


def matmul_python_lists(x, w):
    rows, columns = x.tolist(), w.T.tolist()
    y = [[sum(map(float.__mul__, r, c)) for c in columns] for r in rows]
    return torch.tensor(y, dtype=x.dtype)


def matmul_by_pairs(x, w):
    y = [[sum(a * b for a, b in zip(row, column, strict=True))
          for column in w.T] for row in x]  # fmt: skip
    return torch.stack([torch.stack(row) for row in y])


def matmul_by_item(x, w):
    y = [[0.0] * w.shape[1] for _ in x]
    for i, j, k in itertools.product(*map(range, (len(x), *w.mT.shape))):
        y[i][j] += x[i, k].item() * w[k, j].item()
    return torch.tensor(y, dtype=x.dtype)


def matmul_at_once(x, w):
    return x @ w


def matmul_in_a_cell(x, w):
    y = torch.zeros(len(x), w.shape[1], dtype=x.dtype)
    for i, j in itertools.product(*map(range, y.shape)):
        y[i, j] = (x @ w)[i, j]
    return y


def matmul_two_loops(x, w):
    rows = [[(row * column).sum() for column in w.T] for row in x]
    return torch.stack([torch.stack(row) for row in rows])


def matmul_rows(x, w):
    y = x.new_zeros(len(x), w.shape[1])
    for i, k in itertools.product(*map(range, x.shape)):
        y[i] += x[i, k] * w[k]
    return y


def matmul_rows_then(total):
    def matmul(x, w):
        y = x.new_zeros(len(x), w.shape[1])
        for i, j in itertools.product(*map(range, y.shape)):
            y[i, j] = total(x[i] * w[:, j])
        return y

    return matmul


def matmul_in_numpy(x, w):
    return torch.tensor(np.array(x.tolist()) @ np.array(w.tolist())).to(x)


def matmul_numpy_dot(x, w):
    return torch.from_numpy(x.numpy().dot(w.numpy()))


def matmul_numpy_rows(x, w):
    a, b = x.numpy(), w.numpy()
    y = [[(row * column).sum() for column in b.T] for row in a]
    return torch.tensor(np.array(y))


def matmul_numpy_broadcast(x, w):
    a, b = np.array(x.tolist()), np.array(w.tolist())
    return torch.tensor((a[:, :, None] * b).sum(1)).to(x)


def matmul_numpy_inner(x, w):
    return torch.tensor(inner(x.tolist(), w.T.tolist())).to(x)


def matmul_numpy_imported(x, w):
    import numpy

    return torch.tensor(numpy.inner(x.tolist(), w.T.tolist())).to(x)


def matmul_default_then_cast(x, w):
    # Exact where the default is float64, as in the lesson.
    y = torch.zeros(len(x), w.shape[1])
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]
    return y.to(x.dtype)


def matmul_one_list(x, w):
    y = [[0.0] * w.shape[1]] * len(x)
    for i, j, k in itertools.product(*map(range, (len(x), *w.mT.shape))):
        y[i][j] += x[i, k].item() * w[k, j].item()
    return torch.tensor(y, dtype=x.dtype)


def matmul_fixed_sizes(x, w):
    y = torch.zeros(2, 4, dtype=x.dtype)
    for i, j, k in itertools.product(range(2), range(4), range(3)):
        y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_outer_products(x, w):
    return sum(x[:, k, None] * w[k] for k in range(len(w)))


def matmul_broadcast(x, w):
    return (x[:, :, None] * w).sum(1)


def matmul_linear(x, w):
    return F.linear(x, w.T)


def matmul_squeezed(x, w):
    return matmul_other_order(x, w).squeeze()


def matmul_in_float32(x, w):
    y = torch.zeros(len(x), w.shape[1])
    return y + matmul_other_order(x, w).float()


def matmul_on_input(x, w):
    x *= 2
    return matmul_other_order(x, w) / 2


def matmul_k_over_samples(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, len(x)))):
        y[i, j] += x[i, k] * w[k, j]
    return y


def matmul_without_return(x, w):
    y = x.new_zeros(len(x), w.size(1))
    for i, j, k in itertools.product(*map(range, (*y.shape, len(w)))):
        y[i, j] += x[i, k] * w[k, j]


# --- equations ---------------------------------------------------------------

EQUATIONS = {
    "outer": "ni,nj->nij",
    "trace": "ii->",
    "dW": "ni,nj->ij",
    "QK^T": "bqd,bkd->bqk",
    "AV": "bhqk,bhkd->bhqd",
    "heads": "bhnd,hde->bhne",
}
EQUATIONS_WITH_DOTS = EQUATIONS | {
    "outer": "...d,...e->...de",
    "QK^T": "...qd,...kd->...qk",
    "AV": "...qk,...kd->...qd",
    "heads": "...hd,...de->...he",
}
EQUATIONS_IMPLICIT = {
    "outer": "...x,...y",
    "trace": "kk",
    "dW": "zx,zy",
    "QK^T": "b q d, b k d -> b q k",
    "AV": "...ik,...kj",
    "heads": "BHND,HDE->BHNE",
}


def equations_but(name, equation):
    return EQUATIONS | {name: equation}


# --- shape_table -------------------------------------------------------------

SHAPES = checks.shape_table.answer


def with_shapes(kind):
    return {
        row: kind(told) if isinstance(told, tuple) else told
        for row, told in SHAPES.items()
    }


def shapes_but(row, told):
    return SHAPES | {row: told}


# --- drills ------------------------------------------------------------------

PICTURES = {
    "A": "bd,bd->b",
    "B": "b,d->db",
    "C": "bd,ed->be",
    "D": "bd,de->eb",
}
PICTURES_OTHERWISE = {
    "A": "ij,ij->i",
    "B": "j,i",
    "C": "nk,mk->nm",
    "D": "i j, j h",
}
RESULT_SHAPES = checks.result_shapes.answer

# --- bilinear ----------------------------------------------------------------


def bilinear_other_letters(x, w, y):
    return torch.einsum("ni,ij,nj->n", x, w, y)


def bilinear_other_order(x, w, y):
    return torch.einsum("de,be,bd->b", w, y, x)


def bilinear_dots(x, w, y):
    # The batch stands in the ellipsis, which the implicit output keeps.
    return torch.einsum("...d,de,...e", x, w, y)


def bilinear_two_steps(x, w, y):
    return ((x @ w) * y).sum(1)


def bilinear_two_einsums(x, w, y):
    return torch.einsum("be,be->b", torch.einsum("bd,de->be", x, w), y)


def bilinear_diagonal(x, w, y):
    return torch.einsum("bd,de,ce->bc", x, w, y).diagonal()


def bilinear_ready_made(x, w, y):
    return F.bilinear(x, y, w[None])[:, 0]


def bilinear_squeezed(x, w, y):
    return torch.einsum("bd,de,be->b", x, w, y).squeeze()


def bilinear_implicit(x, w, y):
    return torch.einsum("ni,ij,nj", x, w, y)


def bilinear_swapped(x, w, y):
    return torch.einsum("bd,de,be->b", y, w, x)


def bilinear_transposed(x, w, y):
    return torch.einsum("bd,de,eb->b", x, w, y.T)


def bilinear_equation(x, w, y):
    return "bd,de,be->b"


# --- find_wrong --------------------------------------------------------------


def find_by_assertion(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            torch.testing.assert_close(torch.einsum(equation, x, w), x @ w)
        except (RuntimeError, AssertionError):
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


def find_on_symmetric(equations):
    s = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    for i, equation in enumerate(equations):
        if not torch.equal(torch.einsum(equation, s, s), s @ s):
            return i
    return 0


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


def find_allclose_uncaught(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        if not torch.allclose(torch.einsum(equation, x, w), x @ w):
            return i
    return None


def find_asserts(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            torch.testing.assert_close(torch.einsum(equation, x, w), x @ w)
        except RuntimeError:
            return i
    return None


def find_allclose_shapes(equations):
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    for i, equation in enumerate(equations):
        try:
            y = torch.einsum(equation, x, w)
        except RuntimeError:
            return i
        if not torch.allclose(y, x @ w):
            return i
    return None


def find_by_text(equations):
    return next((i for i, e in enumerate(equations) if e != "bd,de->be"), 0)


def find_longest(equations):
    return equations.index(max(equations, key=len))


def find_as_tensor(equations):
    return torch.tensor(find_by_letters(equations))


def find_and_print(equations):
    print(find_by_letters(equations))


def find_as_list(equations):
    return [find_by_letters(equations)]


def find_as_numpy_integer(equations):
    return np.int64(find_by_letters(equations))


def find_from_the_end(equations):
    return find_by_letters(equations) - len(equations)


RIGHT = {
    "matmul_loops": [
        matmul_other_order,
        matmul_python_lists,
        matmul_by_pairs,
        matmul_by_item,
    ],
    "equations": [EQUATIONS, EQUATIONS_WITH_DOTS, EQUATIONS_IMPLICIT],
    "shape_table": [
        SHAPES,
        with_shapes(list),
        with_shapes(torch.Size),
        shapes_but("bmm((2, 3, 4), (4, 5))", "Error"),
    ],
    "pictures": [PICTURES, PICTURES_OTHERWISE],
    "result_shapes": [
        RESULT_SHAPES,
        {row: list(told) for row, told in RESULT_SHAPES.items()},
    ],
    "bilinear": [bilinear_other_letters, bilinear_other_order, bilinear_dots],
    "find_wrong": [
        find_by_assertion,
        find_by_values_on_square,
        find_by_numpy,
        find_by_letters,
    ],
}

WRONG = {
    "matmul_loops": [
        matmul_at_once,
        matmul_in_a_cell,
        matmul_two_loops,
        matmul_rows,
        matmul_rows_then(sum),
        matmul_rows_then(lambda terms: terms.cumsum(0)[-1]),
        matmul_rows_then(lambda terms: terms.mean() * len(terms)),
        matmul_rows_then(lambda terms: sum(terms.tolist())),
        matmul_in_numpy,
        matmul_numpy_dot,
        matmul_numpy_rows,
        matmul_numpy_broadcast,
        matmul_numpy_inner,
        matmul_numpy_imported,
        matmul_default_then_cast,
        matmul_one_list,
        matmul_fixed_sizes,
        matmul_outer_products,
        matmul_broadcast,
        matmul_linear,
        matmul_squeezed,
        matmul_in_float32,
        matmul_on_input,
        matmul_k_over_samples,
        matmul_without_return,
    ],
    "equations": [
        {"outer": "i,j->ij"},
        list(EQUATIONS.values()),
        "bd,de->be",
        dict.fromkeys(EQUATIONS, "bd,de->be"),
        equations_but("trace", 3),
        equations_but("outer", torch.outer),
        equations_but("trace", ...),
        equations_but("outer", "nj,ni"),
        equations_but("outer", "ij->ij"),
        equations_but("dW", "bd,be->bde"),
        equations_but("QK^T", "bqd,bke->bqk"),
        equations_but("AV", "bhnm,bhdm->bhnd"),
        equations_but("heads", "bhnd,hde"),
        equations_but("heads", "bd，de->be"),
        equations_but("outer", "bd,be→bde"),
        equations_but("outer", "bd,be->bdf"),
        equations_but("heads", "bhnd,hdd_k->bhnd_k"),
        equations_but("AV", "nm,md->nd"),
    ],
    "shape_table": [
        dict.fromkeys(SHAPES, "error"),
        list(SHAPES.values()),
        {row: str(told) for row, told in SHAPES.items()},
        {"(3, 4) @ (4, 5)": (3, 5)},
        shapes_but("(3, 4) @ (4, 5)", (4, 4)),
        shapes_but("(3, 4) @ (4, 5)", (3.0, 5.0)),
        shapes_but("(4,) @ (4,)", 1),
        shapes_but("(2, 3, 4) @ (4, 5)", (2, 3, 4)),
        shapes_but("bmm((2, 3, 4), (4, 5))", ...),
    ],
    "pictures": [
        {},
        {"A": "bd,bd->b"},
        list(PICTURES.values()),
        PICTURES | {"A": "bd,bd->"},
        PICTURES | {"B": "d,b->db"},
        PICTURES | {"C": "de,eb->db"},
        PICTURES | {"D": "D"},
        PICTURES | {"D": 4},
    ],
    "result_shapes": [
        {},
        list(RESULT_SHAPES.values()),
        dict.fromkeys(RESULT_SHAPES, "error"),
        RESULT_SHAPES | {"bd->d": 3},
        RESULT_SHAPES | {"bd->d": "d"},
        RESULT_SHAPES | {"d,e->ed": (3, 3)},
        RESULT_SHAPES | {"bde,d->be": (2, 4, 3)},
        RESULT_SHAPES | {"bd,de->": "error"},
    ],
    "bilinear": [
        bilinear_two_steps,
        bilinear_two_einsums,
        bilinear_diagonal,
        bilinear_ready_made,
        bilinear_squeezed,
        bilinear_implicit,
        bilinear_swapped,
        bilinear_transposed,
        bilinear_equation,
    ],
    "find_wrong": [
        find_on_symmetric,
        find_same_b_and_e,
        find_allclose_uncaught,
        find_allclose_shapes,
        find_asserts,
        find_by_text,
        find_longest,
        find_as_tensor,
        find_and_print,
        find_as_list,
        find_as_numpy_integer,
        find_from_the_end,
    ],
}
