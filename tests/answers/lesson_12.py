"""Right and wrong answers to the exercises of lesson 12."""

import math

import torch
import torch.nn.functional as F

# --- row_leaks ------------------------------------------------------------


def leaks_pairs(f, X):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    base = f(X)
    for i in range(N):
        for j in range(N):
            other = X.clone()
            other[j] = torch.rand_like(X[j]) - 3
            moved = (f(other)[i] - base[i]).abs().max().item()
            out[i, j] = moved > 1e-9
    return out


def leaks_rows_then_transpose(f, X):
    base = f(X)
    out = []
    for j in range(X.shape[0]):
        mask = torch.arange(X.shape[0]) == j
        other = torch.where(mask[:, None], torch.randn_like(X), X)
        out.append((f(other) - base).norm(dim=1) > 1e-9)
    return torch.stack(out).T.contiguous()


def leaks_own_copy(f, X):
    X = X.clone()
    base, columns = f(X), []
    for j in range(len(X)):
        old = X[j].clone()
        X[j] = torch.randn_like(old)
        columns.append((f(X) - base).abs().amax(dim=1) > 1e-9)
        X[j] = old
    return torch.stack(columns, 1)


def leaks_jacobian(f, X):
    # Derivatives in place of changes.
    J = torch.autograd.functional.jacobian(f, X)  # (N, E, N, F)
    return (J.abs() > 1e-9).any(dim=3).any(dim=1)


def leaks_all_true(f, X):
    return torch.ones(len(X), len(X), dtype=torch.bool)


def leaks_diagonal(f, X):
    return torch.eye(len(X), dtype=torch.bool)


def leaks_only_first_row(f, X):
    out = leaks_diagonal(f, X)
    out[:, 0] = leaks_pairs(f, X)[:, 0]
    return out


def leaks_one_feature(f, X):
    def change(row):
        row = row.clone()
        row[-1] += 1
        return row

    return _leaks_with(f, X, change)


def leaks_tiny(f, X):
    return _leaks_with(f, X, lambda row: row + 1e-10)


def _leaks_with(f, X, change):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        other = X.clone()
        other[j] = change(X[j])
        out[:, j] = ((f(other) - f(X)).abs() > 1e-9).any(dim=1)
    return out


def leaks_first_feature(f, X):
    def change(row):
        row = row.clone()
        row[0] = torch.randn((), dtype=row.dtype)
        return row

    return _leaks_with(f, X, change)


def leaks_as_float(f, X):
    return leaks_pairs(f, X).double()


def leaks_symmetric(f, X):
    out = leaks_pairs(f, X)
    return out | out.T


def leaks_by_single_rows(f, X):
    # Row-wise means the same as one row at a time; places are forgotten.
    N = len(X)
    alone = torch.cat([f(row) for row in X.split(1)])
    same = torch.isclose(alone, f(X)).all(dim=1)
    return torch.eye(N, dtype=torch.bool) | ~same[:, None]


def leaks_against_input(f, X):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        other = X.clone()
        other[j] = torch.randn_like(X[j])
        out[:, j] = (other != X).any(dim=1)
    return out


def leaks_one_bool(f, X):
    return bool(leaks_pairs(f, X).fill_diagonal_(False).any())


def leaks_by_index_copy(f, X):
    places = torch.arange(len(X))

    def moved(j):
        noise = 1 + 10 * torch.rand(1, X.shape[1], dtype=X.dtype)
        other = X.index_copy(0, places[j : j + 1], noise)
        return (f(other) - f(X)).abs().sum(dim=1) > 1e-9

    return torch.stack([moved(j) for j in range(len(X))]).mT


def leaks_by_mixing(f, X):
    N = X.size(0)
    out = [[False] * N for _ in range(N)]
    for j in range(N):
        keep = (torch.arange(N) != j)[:, None].to(X.dtype)
        step = f(X * keep + torch.randn_like(X) * (1 - keep)) - f(X)
        for i in range(N):
            out[i][j] = bool((step[i].abs() > 1e-9).sum())
    return torch.tensor(out)


def leaks_large_limit(f, X):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        other = X.clone()
        other[j] = torch.randn_like(X[j])
        out[:, j] = ((f(other) - f(X)).abs() > 1e-6).any(dim=1)
    return out


def leaks_allclose_rows(f, X):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        other = X.clone()
        other[j] = torch.rand_like(X[j])
        pairs = zip(f(other), f(X), strict=True)
        for i, (row, old) in enumerate(pairs):
            out[i, j] = not torch.allclose(row, old)
    return out


def _leaks_from_row(f, X, other):
    N = len(X)
    out = torch.zeros(N, N, dtype=torch.bool)
    for j in range(N):
        changed = X.clone()
        changed[j] = X[other(j) % N]
        out[:, j] = ((f(changed) - f(X)).abs() > 1e-9).any(dim=1)
    return out


def leaks_next_row(f, X):
    return _leaks_from_row(f, X, lambda j: j + 1)


def leaks_row_before(f, X):
    return _leaks_from_row(f, X, lambda j: j - 1)


def leaks_small_noise(f, X):
    return _leaks_with(f, X, lambda row: row + 1e-3 * torch.randn_like(row))


def leaks_one_number(f, X):
    return _leaks_with(f, X, lambda row: torch.randn(1).to(row).expand_as(row))


def leaks_shuffled_features(f, X):
    return _leaks_with(f, X, lambda row: row.flip(0))


def leaks_all_rows_at_once(f, X):
    moved = ((f(torch.randn_like(X)) - f(X)).abs() > 1e-9).any(dim=1)
    return moved[:, None].expand(len(X), len(X)).clone()


def leaks_columns_of_input(f, X):
    columns = []
    for j in range(X.shape[1]):
        other = X.clone()
        other[:, j] = torch.randn(len(X), dtype=X.dtype)
        columns.append(((f(other) - f(X)).abs() > 1e-9).any(dim=1))
    return torch.stack(columns, dim=1)


# --- is_linear ------------------------------------------------------------


def linear_two_tests(f, shape):
    u = torch.randn(shape, dtype=torch.float64)
    v = torch.randn(shape, dtype=torch.float64)
    additive = torch.allclose(f(u + v), f(u) + f(v))
    return additive and torch.allclose(f(-3 * u), -3 * f(u))


def linear_sum_only(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f(u + v), f(u) + f(v))


def linear_many_trials(f, shape):
    for _ in range(5):
        u = torch.randn(shape, dtype=torch.float64)
        v = torch.randn(shape, dtype=torch.float64)
        a, b = torch.randn(2, dtype=torch.float64)
        if (f(a * u + b * v) - a * f(u) - b * f(v)).abs().max() > 1e-8:
            return False
    return True


def linear_by_matrix(f, shape):
    # A linear function is known from the images of a basis.
    n = math.prod(shape)
    basis = torch.eye(n, dtype=torch.float64).view(n, *shape)
    images = torch.stack([f(e) for e in basis])
    u = torch.randn(shape, dtype=torch.float64)
    return torch.allclose(
        f(u), torch.tensordot(u.flatten(), images, dims=1), atol=1e-9
    )


def linear_always(f, shape):
    return True


def linear_never(f, shape):
    return False


def linear_on_ones(f, shape):
    one = torch.ones(shape, dtype=torch.float64)
    return torch.allclose(f(one + one), f(one) + f(one))


def linear_doubled(f, shape):
    u = torch.randn(shape, dtype=torch.float64)
    return torch.allclose(f(u + u), f(u) + f(u))


def linear_half_and_half(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f((u + v) / 2), (f(u) + f(v)) / 2)


def linear_as_tensor(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.isclose(f(u + v), f(u) + f(v)).all()


def linear_small_input(f, shape):
    # Every smooth function looks linear near zero.
    u, v = 1e-6 * torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f(u + v), f(u) + f(v), atol=1e-6)


def linear_any_element(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return bool(torch.isclose(f(u + v), f(u) + f(v)).any())


def linear_first_row(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f(u + v)[0], f(u)[0] + f(v)[0])


def linear_opposite(f, shape):
    # f(-u) = -f(u): tanh is odd and passes.
    u = torch.randn(shape, dtype=torch.float64)
    return torch.allclose(f(-u), -f(u))


def linear_same_shape(f, shape):
    return f(torch.zeros(shape, dtype=torch.float64)).shape == shape


def linear_by_derivative(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    _, slope = torch.autograd.functional.jvp(f, u, v)
    return torch.allclose(f(v), slope) and torch.allclose(
        f(-3 * v), -3 * slope
    )


def linear_on_integers(f, shape):
    u, v = (torch.randint(-9, 10, shape).double() for _ in range(2))
    return torch.allclose(f(u + v), f(u) + f(v))


def linear_by_assertion(f, shape):
    try:
        for _ in range(4):
            u, v = torch.randn((2, *shape), dtype=torch.float64)
            torch.testing.assert_close(f(u - 2 * v), f(u) - 2 * f(v))
    except AssertionError:
        return False
    return True


def linear_one_sided(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return bool((f(u) + f(v) - f(u + v)).max() < 1e-8)


def linear_sums(f, shape):
    # Sorting keeps the sum.
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f(u + v).sum(), (f(u) + f(v)).sum())


def linear_lengths(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return torch.allclose(f(u + v).norm(), (f(u) + f(v)).norm())


def linear_either(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    additive = torch.allclose(f(u + v), f(u) + f(v))
    return additive or torch.allclose(f(2 * u), 2 * f(u))


def linear_numpy_bool(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    return (f(u + v) - f(u) - f(v)).abs().max().numpy() < 1e-8


def linear_raises(f, shape):
    u, v = torch.randn((2, *shape), dtype=torch.float64)
    torch.testing.assert_close(f(u + v), f(u) + f(v))
    return True


# --- rotate ---------------------------------------------------------------


def rotate_by_parts(X, theta):
    x, y = X.unbind(1)
    c, s = math.cos(theta), math.sin(theta)
    return torch.stack((x * c - y * s, x * s + y * c), dim=-1)


def rotate_complex(X, theta):
    z = torch.view_as_complex(X.clone())
    turn = complex(math.cos(theta), math.sin(theta))
    return torch.view_as_real(z * turn)


def rotate_paper(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    M = X.new_tensor([[c, -s], [s, c]])
    return torch.einsum("ef,nf->ne", M, X)


def rotate_polar(X, theta):
    radius = X.norm(dim=1)
    angle = torch.atan2(X[:, 1], X[:, 0]) + theta
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


def rotate_loop(X, theta):
    out = torch.empty_like(X)
    t = torch.tensor(theta, dtype=X.dtype)
    for i, (x, y) in enumerate(X):
        out[i, 0] = x * t.cos() - y * t.sin()
        out[i, 1] = x * t.sin() + y * t.cos()
    return out


def rotate_columns(X, theta):
    return rotate_by_parts(X, theta).T


def rotate_nothing(X, theta):
    return X


def rotate_quarter(X, theta):
    return rotate_by_parts(X, math.pi / 2)


def rotate_back(X, theta):
    return rotate_by_parts(X, -theta)


def rotate_small_angle(X, theta):
    return X + theta * torch.stack([-X[:, 1], X[:, 0]], dim=1)


def rotate_sign_of_cosine(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    return X @ torch.tensor([[-c, s], [-s, -c]], dtype=X.dtype)


def rotate_adds_angle(X, theta):
    return X + theta


def rotate_in_place(X, theta):
    X.copy_(rotate_by_parts(X, theta))
    return X


def rotate_float32(X, theta):
    return rotate_by_parts(X, theta).float()


def rotate_swapped_axes(X, theta):
    return rotate_by_parts(X.flip(1), theta)


def rotate_normalised(X, theta):
    return F.normalize(rotate_by_parts(X, theta))


def rotate_matrix_only(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    return torch.tensor([[c, s], [-s, c]], dtype=X.dtype)


def rotate_list(X, theta):
    return rotate_by_parts(X, theta).tolist()


def rotate_exponential(X, theta):
    turn = torch.tensor([[0.0, theta], [-theta, 0.0]], dtype=X.dtype)
    return X @ torch.linalg.matrix_exp(turn)


def rotate_by_basis(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    return X[:, :1] * X.new_tensor([c, s]) + X[:, 1:] * X.new_tensor([-s, c])


def rotate_as_layer(X, theta):
    c, s = math.cos(theta), math.sin(theta)
    return F.linear(weight=X.new_tensor([[c, -s], [s, c]]), input=X)


def rotate_elementwise(X, theta):
    return X * X.new_tensor([math.cos(theta), math.sin(theta)])


def rotate_to_theta(X, theta):
    radius = X.norm(dim=1)
    parts = radius * math.cos(theta), radius * math.sin(theta)
    return torch.stack(parts, dim=1)


def rotate_half_circle(X, theta):
    return rotate_by_parts(X, theta % math.pi)


def rotate_twice(X, theta):
    return rotate_by_parts(X, 2 * theta)


def rotate_first_point(X, theta):
    return torch.cat([rotate_by_parts(X[:1], theta), X[1:]])


def rotate_flipped_result(X, theta):
    return rotate_by_parts(X, theta).flip(1)


# --- rotate_pairs ---------------------------------------------------------


def _rotation(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, s], [-s, c]], dtype=torch.float64)


def pairs_block_diag(X, angles):
    return X @ torch.block_diag(*[_rotation(a) for a in angles.tolist()])


def pairs_loop(X, angles):
    out = X.clone()
    for k, angle in enumerate(angles.tolist()):
        out[:, 2 * k : 2 * k + 2] = X[:, 2 * k : 2 * k + 2] @ _rotation(angle)
    return out


def pairs_einsum(X, angles):
    R = torch.stack([_rotation(a) for a in angles.tolist()])
    pairs = X.reshape(len(X), -1, 2)
    return torch.einsum("nkf,kfe->nke", pairs, R).reshape(X.shape)


def pairs_complex(X, angles):
    z = torch.view_as_complex(X.reshape(len(X), -1, 2).contiguous())
    z = z * torch.polar(torch.ones_like(angles), angles)
    return torch.view_as_real(z).flatten(1)


def pairs_half_turn_trick(X, angles):
    # x cos + (-y, x) sin, as position codes are often written.
    c = angles.cos().repeat_interleave(2)
    s = angles.sin().repeat_interleave(2)
    swapped = torch.stack([-X[:, 1::2], X[:, ::2]], dim=2).flatten(1)
    return X * c + swapped * s


def pairs_repeat(X, angles):
    # The angles in the order 0 1 2 0 1 2 in place of 0 0 1 1 2 2.
    c, s = angles.cos().repeat(2), angles.sin().repeat(2)
    swapped = torch.stack([-X[:, 1::2], X[:, ::2]], dim=2).flatten(1)
    return X * c + swapped * s


def pairs_no_sign(X, angles):
    c = angles.cos().repeat_interleave(2)
    s = angles.sin().repeat_interleave(2)
    swapped = torch.stack([X[:, 1::2], X[:, ::2]], dim=2).flatten(1)
    return X * c + swapped * s


def pairs_first_only(X, angles):
    out = X.clone()
    out[:, :2] = X[:, :2] @ _rotation(angles[0].item())
    return out


def pairs_three(X, angles):
    return pairs_loop(X, angles[:3]) if X.shape[1] == 6 else X


def pairs_transposed_blocks(X, angles):
    blocks = [_rotation(a).T for a in angles.tolist()]
    return X @ torch.block_diag(*blocks)


def pairs_three_axes(X, angles):
    return pairs_einsum(X, angles).reshape(len(X), -1, 2)


def pairs_in_place(X, angles):
    X.copy_(pairs_loop(X, angles))
    return X


def pairs_one_big_turn(X, angles):
    total = X
    for angle in angles.tolist():
        total = pairs_block_diag(total, torch.full_like(angles, angle))
    return total


def pairs_rows(X, angles):
    # Rows are paired in place of features.
    return X.T.contiguous().T


def pairs_stacked_wrong(X, angles):
    x, y = X[:, ::2], X[:, 1::2]
    c, s = angles.cos(), angles.sin()
    turned = torch.stack([x * c - y * s, x * s + y * c], dim=1)
    return turned.reshape(X.shape)


def pairs_shifted(X, angles):
    return pairs_loop(X.roll(-1, 1), angles).roll(1, 1)


def pairs_by_number(X, angles):
    out = torch.empty_like(X)
    for n in range(X.shape[0]):
        for k, angle in enumerate(angles):
            x, y = X[n, 2 * k], X[n, 2 * k + 1]
            out[n, 2 * k] = x * angle.cos() - y * angle.sin()
            out[n, 2 * k + 1] = x * angle.sin() + y * angle.cos()
    return out


def pairs_bmm(X, angles):
    c, s = angles.cos(), angles.sin()
    R = torch.stack([c, s, -s, c], dim=-1).view(-1, 2, 2)
    pairs = X.unflatten(1, (-1, 2)).transpose(0, 1)  # (K, N, 2)
    return torch.bmm(pairs, R).transpose(0, 1).flatten(1)


def pairs_steps(X, angles):
    out = torch.zeros_like(X)
    c, s = torch.cos(angles), torch.sin(angles)
    out[:, 0::2] = X[:, 0::2] * c - X[:, 1::2] * s
    out[:, 1::2] = X[:, 0::2] * s + X[:, 1::2] * c
    return out


def pairs_running_windows(X, angles):
    out = X.clone()
    for k, angle in enumerate(angles.tolist()):
        out[:, k : k + 2] = out[:, k : k + 2] @ _rotation(angle)
    return out


def pairs_summed_angles(X, angles):
    return pairs_loop(X, angles.cumsum(0))


def pairs_mean_angle(X, angles):
    return pairs_loop(X, angles.mean().expand_as(angles))


def pairs_last_angle(X, angles):
    return pairs_loop(X, angles[-1:].expand_as(angles))


def pairs_next_angle(X, angles):
    return pairs_loop(X, angles.roll(-1))


def pairs_mirrored(X, angles):
    x, y = X[:, ::2], X[:, 1::2]
    c, s = angles.cos(), angles.sin()
    return torch.stack([x * c + y * s, x * s - y * c], dim=2).flatten(1)


def pairs_swapped(X, angles):
    turned = pairs_einsum(X, angles).view(len(X), -1, 2)
    return turned.flip(2).flatten(1)


def pairs_joined_below(X, angles):
    parts = zip(X.split(2, dim=1), angles.tolist(), strict=True)
    return torch.cat([part @ _rotation(angle) for part, angle in parts])


# --- to_rows --------------------------------------------------------------


def rows_transposed_product(M1, c1, M2, c2):
    return (M2 @ M1).T, (c1.T @ M2.T + c2.T)[0]


def rows_flattened(M1, c1, M2, c2):
    return M1.mT @ M2.mT, c1.flatten() @ M2.T + c2.flatten()


def rows_einsum(M1, c1, M2, c2):
    A = torch.einsum("gf,eg->fe", M1, M2)
    return A, torch.einsum("eg,gi->e", M2, c1) + c2[:, 0]


def rows_by_basis(M1, c1, M2, c2):
    def paper(x):
        return M2 @ (M1 @ x + c1) + c2

    d_model = M1.shape[1]
    b = paper(torch.zeros(d_model, 1, dtype=M1.dtype))
    basis = torch.eye(d_model, dtype=M1.dtype)
    A = torch.stack([(paper(e[:, None]) - b)[:, 0] for e in basis])
    return A, b[:, 0]


def rows_squeezed(M1, c1, M2, c2):
    return (M2 @ M1).T.squeeze(), (M2 @ c1 + c2).squeeze(1)


def rows_first_layer(M1, c1, M2, c2):
    return M1.T, c1[:, 0]


def rows_swapped_pair(M1, c1, M2, c2):
    A, b = rows_flattened(M1, c1, M2, c2)
    return b, A


def rows_list(M1, c1, M2, c2):
    return list(rows_flattened(M1, c1, M2, c2))


def rows_zeros(M1, c1, M2, c2):
    return torch.zeros_like(M1.T @ M2.T), torch.zeros_like(c2[:, 0])


def rows_no_transpose(M1, c1, M2, c2):
    return M2 @ M1, (M2 @ c1 + c2)[:, 0]


def rows_square_only(M1, c1, M2, c2):
    if M1.shape == M2.shape:
        return M2 @ M1, (M2 @ c1 + c2)[:, 0]
    return rows_flattened(M1, c1, M2, c2)


def rows_minus(M1, c1, M2, c2):
    return M1.T @ M2.T, (M2 @ c1 - c2)[:, 0]


def rows_reshaped(M1, c1, M2, c2):
    # reshape in place of a transpose
    E, d_model = M2.shape[0], M1.shape[1]
    return (M2 @ M1).reshape(d_model, E), (M2 @ c1 + c2)[:, 0]


def rows_wrong_inner_bias(M1, c1, M2, c2):
    return M1.T @ M2.T, (c1.T @ M2.T).sum(0) + c2.sum()


def rows_only_matrix(M1, c1, M2, c2):
    return M1.T @ M2.T


def rows_float32(M1, c1, M2, c2):
    A, b = rows_flattened(M1, c1, M2, c2)
    return A.float(), b.float()


def rows_augmented(M1, c1, M2, c2):
    # A 1 is added to every row, as for a shift.
    last = torch.zeros(1, M1.shape[1] + 1, dtype=M1.dtype)
    last[0, -1] = 1
    inner = torch.cat([torch.cat([M1, c1], dim=1), last])
    T = (torch.cat([M2, c2], dim=1) @ inner).T
    return T[:-1], T[-1]


def rows_two_layers(M1, c1, M2, c2):
    def layers(x):
        return F.linear(F.linear(x, M1, c1.view(-1)), M2, c2.view(-1))

    b = layers(M1.new_zeros(M1.size(1)))
    return layers(torch.eye(M1.size(1), dtype=M1.dtype)) - b, b


def rows_by_number(M1, c1, M2, c2):
    A = M1.new_zeros(M1.shape[1], M2.shape[0])
    b = c2.clone().reshape(-1)
    for e in range(M2.shape[0]):
        for g in range(M2.shape[1]):
            b[e] += M2[e, g] * c1[g, 0]
            for f in range(M1.shape[1]):
                A[f, e] += M1[g, f] * M2[e, g]
    return A, b


def rows_squeezed_biases(M1, c1, M2, c2):
    # With G = 1 there is no axis left to multiply over.
    return M1.T @ M2.T, c1.squeeze() @ M2.T + c2.squeeze()


def rows_first_of_bias(M1, c1, M2, c2):
    return M1.T @ M2.T, (M2 @ c1 + c2)[0]


def rows_no_bias(M1, c1, M2, c2):
    return M1.T @ M2.T, torch.zeros_like(c2[:, 0])


def rows_outer_bias(M1, c1, M2, c2):
    return M1.T @ M2.T, c1.squeeze(1)


def rows_multiplied_bias(M1, c1, M2, c2):
    return M1.T @ M2.T, (M2 @ c1 * c2)[:, 0]


def rows_two_matrices(M1, c1, M2, c2):
    return M1.T, M2.T


def rows_one_tensor(M1, c1, M2, c2):
    return torch.cat([M1.T @ M2.T, (M2 @ c1 + c2).T])


def rows_a_function(M1, c1, M2, c2):
    return lambda x: x @ M1.T @ M2.T


# --- shuffle_and_back -----------------------------------------------------


def shuffle_loop(order):
    N = len(order)
    P = torch.zeros(N, N, dtype=torch.float64)
    Q = torch.zeros(N, N, dtype=torch.float64)
    for i, j in enumerate(order.tolist()):
        P[i, j] = 1.0
        Q[j, i] = 1.0
    return P, Q


def shuffle_one_hot(order):
    P = F.one_hot(order, len(order)).double()
    return P, torch.linalg.inv(P)


def shuffle_argsort(order):
    eye = torch.eye(len(order)).double()
    return eye[order], eye[order.argsort()]


def shuffle_scatter(order):
    N = len(order)
    P = torch.zeros(N, N, dtype=torch.float64)
    P = P.scatter(1, order[:, None], 1.0)
    return P, P.mT


def shuffle_compare(order):
    P = (order[:, None] == torch.arange(len(order))).double()
    return P, P.T


def shuffle_select(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    return eye.index_select(0, order), eye.index_select(1, order)


def shuffle_put(order):
    N = len(order)
    P = torch.zeros(N, N, dtype=torch.float64)
    P[torch.arange(N), order] = 1
    return P, P.transpose(0, 1)


def shuffle_solve(order):
    N = len(order)
    places = torch.stack([torch.arange(N), order])
    P = torch.sparse_coo_tensor(places, torch.ones(N).double()).to_dense()
    return P, torch.linalg.solve(P, torch.eye(N, dtype=torch.float64))


def shuffle_sorted(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    return eye[order], eye[order.sort().values]


def shuffle_other_axis(order):
    P = torch.zeros(len(order), len(order), dtype=torch.float64)
    P.scatter_(0, order[None], 1.0)
    return P, P.T


def shuffle_from_one(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    return eye[order - 1], eye[order - 1].T


def shuffle_half_turn(order):
    P = shuffle_loop(order)[0]
    return P, P.flip(0, 1)


def shuffle_minus(order):
    P = shuffle_loop(order)[0]
    return P, -P.T


def shuffle_stacked(order):
    return torch.stack(shuffle_loop(order))


def shuffle_integers(order):
    eye = torch.eye(len(order), dtype=torch.int64)
    return eye[order], eye[order].T


def shuffle_identity(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    return eye, eye


def shuffle_columns(order):
    eye = torch.eye(len(order), dtype=torch.float64)
    return eye[:, order], eye[order]


def shuffle_negated(order):
    P, Q = shuffle_loop(order)
    return -P, -Q


def shuffle_bool(order):
    P = order[:, None] == torch.arange(len(order))
    return P, P.T


def shuffle_indices(order):
    return order, order.argsort()


def shuffle_squared(order):
    P = shuffle_loop(order)[0]
    return P, P @ P


def shuffle_one_only(order):
    return shuffle_loop(order)[0]


def shuffle_list(order):
    return list(shuffle_loop(order))


def shuffle_functions(order):
    return (lambda X: X[order]), (lambda X: X[order.argsort()])


def shuffle_sorts_input(order):
    out = shuffle_loop(order)
    order.copy_(order.sort().values)
    return out


def shuffle_reversed(order):
    P, _ = shuffle_loop(order)
    return P, P.flip(0)


def shuffle_four(order):
    order = torch.cat([order[:4], torch.arange(4, len(order))])
    return shuffle_loop(order)


RIGHT = {
    "row_leaks": [
        leaks_pairs,
        leaks_rows_then_transpose,
        leaks_own_copy,
        leaks_jacobian,
        leaks_by_index_copy,
        leaks_by_mixing,
    ],
    "is_linear": [
        linear_two_tests,
        linear_sum_only,
        linear_many_trials,
        linear_by_matrix,
        linear_by_derivative,
        linear_on_integers,
        linear_by_assertion,
    ],
    "rotate": [
        rotate_by_parts,
        rotate_complex,
        rotate_paper,
        rotate_polar,
        rotate_loop,
        rotate_exponential,
        rotate_by_basis,
        rotate_as_layer,
    ],
    "rotate_pairs": [
        pairs_block_diag,
        pairs_loop,
        pairs_einsum,
        pairs_complex,
        pairs_half_turn_trick,
        pairs_by_number,
        pairs_bmm,
        pairs_steps,
    ],
    "to_rows": [
        rows_transposed_product,
        rows_flattened,
        rows_einsum,
        rows_by_basis,
        rows_augmented,
        rows_two_layers,
        rows_by_number,
    ],
    "shuffle_and_back": [
        shuffle_loop,
        shuffle_one_hot,
        shuffle_argsort,
        shuffle_scatter,
        shuffle_compare,
        shuffle_select,
        shuffle_put,
        shuffle_solve,
    ],
}

WRONG = {
    "row_leaks": [
        leaks_all_true,
        leaks_diagonal,
        leaks_only_first_row,
        leaks_one_feature,
        leaks_first_feature,
        leaks_tiny,
        leaks_as_float,
        leaks_symmetric,
        leaks_by_single_rows,
        leaks_against_input,
        leaks_one_bool,
        leaks_large_limit,
        leaks_allclose_rows,
        leaks_next_row,
        leaks_row_before,
        leaks_small_noise,
        leaks_one_number,
        leaks_shuffled_features,
        leaks_all_rows_at_once,
        leaks_columns_of_input,
    ],
    "is_linear": [
        linear_always,
        linear_never,
        linear_on_ones,
        linear_doubled,
        linear_half_and_half,
        linear_as_tensor,
        linear_small_input,
        linear_any_element,
        linear_first_row,
        linear_opposite,
        linear_same_shape,
        linear_one_sided,
        linear_sums,
        linear_lengths,
        linear_either,
        linear_numpy_bool,
        linear_raises,
    ],
    "rotate": [
        rotate_columns,
        rotate_nothing,
        rotate_quarter,
        rotate_back,
        rotate_small_angle,
        rotate_sign_of_cosine,
        rotate_adds_angle,
        rotate_in_place,
        rotate_float32,
        rotate_swapped_axes,
        rotate_normalised,
        rotate_matrix_only,
        rotate_list,
        rotate_elementwise,
        rotate_to_theta,
        rotate_half_circle,
        rotate_twice,
        rotate_first_point,
        rotate_flipped_result,
    ],
    "rotate_pairs": [
        pairs_repeat,
        pairs_no_sign,
        pairs_first_only,
        pairs_three,
        pairs_transposed_blocks,
        pairs_three_axes,
        pairs_in_place,
        pairs_one_big_turn,
        pairs_rows,
        pairs_stacked_wrong,
        pairs_shifted,
        pairs_running_windows,
        pairs_summed_angles,
        pairs_mean_angle,
        pairs_last_angle,
        pairs_next_angle,
        pairs_mirrored,
        pairs_swapped,
        pairs_joined_below,
    ],
    "to_rows": [
        rows_first_layer,
        rows_squeezed,
        rows_swapped_pair,
        rows_list,
        rows_zeros,
        rows_no_transpose,
        rows_square_only,
        rows_minus,
        rows_reshaped,
        rows_wrong_inner_bias,
        rows_only_matrix,
        rows_float32,
        rows_squeezed_biases,
        rows_first_of_bias,
        rows_no_bias,
        rows_outer_bias,
        rows_multiplied_bias,
        rows_two_matrices,
        rows_one_tensor,
        rows_a_function,
    ],
    "shuffle_and_back": [
        shuffle_identity,
        shuffle_columns,
        shuffle_negated,
        shuffle_bool,
        shuffle_indices,
        shuffle_squared,
        shuffle_one_only,
        shuffle_list,
        shuffle_functions,
        shuffle_sorts_input,
        shuffle_reversed,
        shuffle_four,
        shuffle_sorted,
        shuffle_other_axis,
        shuffle_from_one,
        shuffle_half_turn,
        shuffle_minus,
        shuffle_stacked,
        shuffle_integers,
    ],
}
