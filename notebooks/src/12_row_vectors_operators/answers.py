"""Lesson 12: right answers written otherwise, wrong ones that may not pass."""

import math

import torch
import torch.nn.functional as F

# --- row_leaks ---------------------------------------------------------------


def leaks_by(change, touched=lambda step: (step.abs() > 1e-9).any(dim=1)):
    """An answer that replaces row j of X by change(X, j)."""

    def answer(f, X):
        before, columns = f(X), []
        for j in range(len(X)):
            other = X.clone()
            other[j] = change(X, j)
            columns.append(touched(f(other) - before))
        return torch.stack(columns, dim=1)

    return answer


def new_row(X, j):
    return torch.rand_like(X[j]) - 3


def leaks_pairs(f, X):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for i in range(N):
        for j in range(N):
            other = X.clone()
            other[j] = new_row(X, j)
            out[i, j] = (f(other)[i] - f(X)[i]).abs().max() > 1e-9
    return out


def leaks_put_back(f, X):
    X = X.clone()
    base, columns = f(X), []
    for j in range(len(X)):
        old = X[j].clone()
        X[j] = torch.randn_like(old)
        columns.append((f(X) - base).abs().amax(dim=1) > 1e-9)
        X[j] = old
    return torch.stack(columns, 1)


def leaks_by_mixing(f, X):
    rows = []
    for keep in 1 - torch.eye(len(X)):
        other = X * keep[:, None] + torch.randn_like(X) * (1 - keep[:, None])
        rows.append((f(other) - f(X)).norm(dim=1) > 1e-9)
    return torch.stack(rows).T


def leaks_alone(f, X):  # one row at a time: places are forgotten
    alone = torch.cat([f(row) for row in X.split(1)])
    same = torch.isclose(alone, f(X)).all(dim=1)
    return torch.eye(len(X), dtype=torch.bool) | ~same[:, None]


def leaks_by_derivative(f, X):
    J = torch.autograd.functional.jacobian(f, X, vectorize=True)
    return J.ne(0).any(dim=3).any(dim=1)


# --- is_linear ---------------------------------------------------------------


def linear_by(a, b, close=torch.allclose, scale=1.0):
    """An answer that tests f(au + bv) = a f(u) + b f(v)."""

    def answer(f, shape):
        u, v = scale * torch.randn((2, *shape), dtype=torch.float64)
        return close(f(a * u + b * v), a * f(u) + b * f(v))

    return answer


def linear_two_tests(f, shape):
    u, v = torch.randn(shape), torch.randn(shape)
    additive = torch.allclose(f(u + v), f(u) + f(v))
    return additive and torch.allclose(f(-3 * u), -3 * f(u))


def linear_by_basis(f, shape):  # known from the images of a basis
    n = math.prod(shape)
    images = torch.stack([f(e.view(shape)) for e in torch.eye(n)])
    u = torch.randn(shape)
    return torch.allclose(f(u), torch.tensordot(u.flatten(), images, dims=1))


def linear_by_assertion(f, shape):
    try:
        u, v = torch.randn((2, *shape))
        torch.testing.assert_close(f(u - 2 * v), f(u) - 2 * f(v))
    except AssertionError:
        return False
    return True


def linear_either(f, shape):
    return linear_by(1, 1)(f, shape) or linear_by(2, 0)(f, shape)


def linear_on_one_row(f, shape):
    u, v = torch.zeros(2, *shape)
    u[0], v[0] = torch.randn(2, shape[1])
    return torch.allclose(f(u - 2 * v), f(u) - 2 * f(v))


def linear_by_derivative(f, shape):
    u, v = torch.randn(2, *shape)
    same = torch.autograd.functional.jacobian(f, u)
    other = torch.autograd.functional.jacobian(f, v)
    zero = f(torch.zeros(shape))
    return torch.allclose(same, other) and not zero.any().item()


def linear_on_equal_rows(f, shape):
    u, v = torch.randn(2, 1, shape[1]).expand(2, *shape)
    return torch.allclose(f(u - 2 * v), f(u) - 2 * f(v))


# --- rotate ------------------------------------------------------------------


def rotate_by_parts(X, alpha):
    x, y = X.unbind(1)
    c, s = math.cos(alpha), math.sin(alpha)
    return torch.stack((x * c - y * s, x * s + y * c), dim=-1)


def rotate_default(X, alpha):  # float64 is the lesson's default
    c, s = math.cos(alpha), math.sin(alpha)
    return X @ torch.tensor([[c, s], [-s, c]])


def rotate_complex(X, alpha):
    z = torch.view_as_complex(X.contiguous())
    return torch.view_as_real(z * complex(math.cos(alpha), math.sin(alpha)))


def rotate_paper(X, alpha):
    c, s = math.cos(alpha), math.sin(alpha)
    M = X.new_tensor([[c, -s], [s, c]])
    return torch.einsum("ef,nf->ne", M, X)


def rotate_polar(X, alpha):
    radius = X.norm(dim=1)
    angle = torch.atan2(X[:, 1], X[:, 0]) + alpha
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


# --- rotate_pairs ------------------------------------------------------------


def rotation(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, s], [-s, c]])


def pairs_block_diag(X, angles):
    return X @ torch.block_diag(*[rotation(a) for a in angles.tolist()])


def pairs_loop(X, angles):
    out = X.clone()
    for k, angle in enumerate(angles.tolist()):
        out[:, 2 * k : 2 * k + 2] = X[:, 2 * k : 2 * k + 2] @ rotation(angle)
    return out


def pairs_complex(X, angles):
    z = torch.view_as_complex(X.reshape(len(X), -1, 2).contiguous())
    z = z * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(z).flatten(1)


def pairs_interleaved(X, angles):  # x cos + (-y, x) sin
    c = angles.cos().repeat_interleave(2)
    s = angles.sin().repeat_interleave(2)
    swapped = torch.stack([-X[:, 1::2], X[:, ::2]], dim=2).flatten(1)
    return X * c + swapped * s


def pairs_repeat(X, angles):  # the angles 0 1 2 0 1 2 in place of 0 0 1 1 2 2
    c, s = angles.cos().repeat(2), angles.sin().repeat(2)
    swapped = torch.stack([-X[:, 1::2], X[:, ::2]], dim=2).flatten(1)
    return X * c + swapped * s


def pairs_mirrored(X, angles):
    x, y = X[:, ::2], X[:, 1::2]
    c, s = angles.cos(), angles.sin()
    return torch.stack([x * c + y * s, x * s - y * c], dim=2).flatten(1)


def pairs_exchanged(X, angles):
    return pairs_loop(X, angles).unflatten(1, (-1, 2)).flip(2).flatten(1)


def pairs_of_exchanged(X, angles):
    return pairs_loop(X.unflatten(1, (-1, 2)).flip(2).flatten(1), angles)


def pairs_in_place(X, angles):
    return X.copy_(pairs_loop(X, angles))


# --- to_rows -----------------------------------------------------------------


def rows_flattened(M1, c1, M2, c2):
    return M1.mT @ M2.mT, c1.flatten() @ M2.T + c2.flatten()


def rows_by_layers(M1, c1, M2, c2):
    def layers(x):
        return F.linear(F.linear(x, M1, c1.view(-1)), M2, c2.view(-1))

    b = layers(torch.zeros(M1.size(1)))
    return layers(torch.eye(M1.size(1))) - b, b


def rows_by_number(M1, c1, M2, c2):
    A = torch.zeros(M1.shape[1], M2.shape[0])
    b = c2.clone().reshape(-1)
    for e in range(M2.shape[0]):
        for g in range(M2.shape[1]):
            b[e] += M2[e, g] * c1[g, 0]
            for f in range(M1.shape[1]):
                A[f, e] += M1[g, f] * M2[e, g]
    return A, b


def rows_squeezed_biases(M1, c1, M2, c2):  # with G = 1 no axis is left
    return M1.T @ M2.T, c1.squeeze() @ M2.T + c2.squeeze()


def rows_reshaped(M1, c1, M2, c2):  # reshape in place of a transpose
    A, b = rows_flattened(M1, c1, M2, c2)
    return (M2 @ M1).reshape(A.shape), b


def rows_right_for_squares(M1, c1, M2, c2):
    A, b = rows_flattened(M1, c1, M2, c2)
    return (M2 @ M1 if M1.shape == M2.shape else A), b


# --- shuffle_and_back --------------------------------------------------------


def shuffle_loop(order):
    N = len(order)
    P, Q = torch.zeros(2, N, N)
    for i, j in enumerate(order.tolist()):
        P[i, j] = Q[j, i] = 1.0
    return P, Q


def shuffle_one_hot(order):
    P = F.one_hot(order, len(order)).double()
    return P, torch.linalg.inv(P)


def shuffle_argsort(order):
    eye = torch.eye(len(order))
    return eye[order], eye[order.argsort()]


def shuffle_sorts_input(order):
    out = shuffle_loop(order)
    order.copy_(order.sort().values)
    return out


RIGHT = {
    "row_leaks": [
        leaks_by(new_row),
        leaks_pairs,
        leaks_put_back,
        leaks_by_mixing,
    ],
    "is_linear": [
        linear_two_tests,
        linear_by(1, 1),
        linear_by_basis,
        linear_by_assertion,
    ],
    "rotate": [
        rotate_by_parts,
        rotate_default,
        rotate_complex,
        rotate_paper,
        rotate_polar,
    ],
    "rotate_pairs": [
        pairs_block_diag,
        pairs_loop,
        pairs_complex,
        pairs_interleaved,
    ],
    "to_rows": [rows_flattened, rows_by_layers, rows_by_number],
    "shuffle_and_back": [shuffle_loop, shuffle_one_hot, shuffle_argsort],
}

WRONG = {
    "row_leaks": [
        leaks_alone,
        leaks_by(lambda X, j: X[j] + 1e-10),
        leaks_by(lambda X, j: X[j - 1]),
        leaks_by(lambda X, j: X[j].flip(0)),
        leaks_by(new_row, lambda step: (step.abs() > 1e-6).any(dim=1)),
        leaks_by(new_row, lambda step: (step.abs() > 1e-8).any(dim=1)),
        leaks_by(new_row, lambda step: (step.abs() > 3e-9).any(dim=1)),
        lambda f, X: leaks_pairs(f, X).diag().diag(),
        leaks_by(new_row, lambda step: step.abs().mean(dim=1) > 1e-9),
        leaks_by(new_row, lambda step: step.mean(dim=1).abs() > 1e-9),
        leaks_by(new_row, lambda step: step.abs().median(1).values > 1e-9),
        leaks_by(lambda X, j: X[j] + 1e-3 * torch.randn_like(X[j])),
        leaks_by(lambda X, j: X[j] * torch.randn(())),
        leaks_by(lambda X, j: X[j] + torch.randn(())),
        leaks_by_derivative,
        lambda f, X: leaks_pairs(f, X).double(),
        lambda f, X: leaks_pairs(f, X) | leaks_pairs(f, X).T,
        lambda f, X: leaks_pairs(f, X).squeeze(),
        lambda f, X: bool(leaks_pairs(f, X).any()),
    ],
    "is_linear": [
        linear_either,
        linear_on_equal_rows,
        linear_on_one_row,
        linear_by_derivative,
        linear_by(1, 1, scale=0.05),  # all is rounded to 0
        linear_by(1, 1, scale=1e-6),  # all smooth functions look linear
        linear_by(0.5, 0.5),
        linear_by(2, -3, lambda a, b: bool((a - b).abs().max() < 1e-3)),
        linear_by(2, -3, lambda a, b: bool((a - b).abs().max() < 1e-5)),
        linear_by(1, 1, lambda a, b: torch.isclose(a, b).all()),
        linear_by(1, 1, lambda a, b: bool(torch.isclose(a, b).any())),
        linear_by(1, 1, lambda a, b: torch.allclose(a.norm(), b.norm())),
        linear_by(-1, 0),
    ],
    "rotate": [
        lambda X, alpha: rotate_by_parts(X, alpha).T,
        lambda X, alpha: rotate_by_parts(X, alpha).squeeze(),
        lambda X, alpha: rotate_by_parts(X, alpha).float(),
        lambda X, alpha: rotate_by_parts(X, 2 * alpha),
        lambda X, alpha: rotate_by_parts(X, alpha % math.pi),
        lambda X, alpha: rotate_by_parts(X.flip(1), alpha),
        lambda X, alpha: F.normalize(rotate_by_parts(X, alpha)),
        lambda X, alpha: X.copy_(rotate_by_parts(X, alpha)),
        lambda X, alpha: torch.cat([rotate_by_parts(X[:1], alpha), X[1:]]),
        lambda X, alpha: rotate_by_parts(X, alpha)[:, [1, 0]],
        lambda X, alpha: torch.cat(rotate_by_parts(X, alpha).unbind(1)),
    ],
    "rotate_pairs": [
        pairs_repeat,
        pairs_mirrored,
        pairs_exchanged,
        pairs_of_exchanged,
        pairs_in_place,
        lambda X, angles: pairs_loop(X, angles[:1]),
        lambda X, angles: pairs_loop(X, angles.cumsum(0)),
        lambda X, angles: pairs_loop(X, angles.mean().expand_as(angles)),
        lambda X, angles: pairs_loop(X.roll(-1, 1), angles).roll(1, 1),
        lambda X, angles: pairs_loop(X, angles).squeeze(),
        lambda X, angles: pairs_loop(X, angles).unflatten(1, (-1, 2)),
        lambda X, angles: pairs_loop(X, angles).float(),
    ],
    "to_rows": [
        rows_squeezed_biases,
        rows_reshaped,
        rows_right_for_squares,
        lambda M1, c1, M2, c2: (
            (M2 @ M1).T.squeeze(),
            (M2 @ c1 + c2).squeeze(1),
        ),
        lambda M1, c1, M2, c2: (M1.T, M2.T),
        lambda M1, c1, M2, c2: (M1.T @ M2.T, (M2 @ c1)[:, 0] + c2),
        lambda M1, c1, M2, c2: (M1.T @ M2.T, (c1.T @ M2.T + c2)[0]),
        lambda M1, c1, M2, c2: (M1.T @ M2.T, (M2 * c1.T + c2)[:, 0]),
        lambda M1, c1, M2, c2: list(rows_flattened(M1, c1, M2, c2)),
        lambda M1, c1, M2, c2: rows_flattened(M1, c1, M2, 0 * c2),
        lambda M1, c1, M2, c2: lambda x: x @ M1.T @ M2.T,
    ],
    "shuffle_and_back": [
        shuffle_sorts_input,
        lambda order: (order, order.argsort()),
        lambda order: (torch.eye(len(order)),) * 2,
        lambda order: (torch.diag(order.double()),) * 2,
        lambda order: list(shuffle_loop(order)),
        lambda order: torch.stack(shuffle_loop(order)),
        lambda order: tuple(x.float() for x in shuffle_loop(order)),
        lambda order: tuple(x.squeeze() for x in shuffle_loop(order)),
        lambda order: tuple(x > 0 for x in shuffle_loop(order)),
        lambda order: shuffle_loop(order - 1),
        lambda order: (shuffle_loop(order)[0], -shuffle_loop(order)[1]),
    ],
}
