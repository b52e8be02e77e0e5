"""Lesson 16's attention against PyTorch's own: values and gradients.

The function and the loop over heads are taken from the lesson's source as
students see them, the class that they write is the room's reference answer.
All in float64, 5 random sizes each, with and without masks.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import rooms
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from notebooks import build

SEEDS = range(5)
MASKS = ("none", "causal", "padding", "both")


@pytest.fixture(scope="module")
def made() -> SimpleNamespace:
    """The imports, functions and classes of the lesson, as one namespace."""
    scope = {"__name__": "lesson_16"}
    exec(build.definitions("16"), scope)
    asked = rooms.exercises(build.find(build.ROOT, "16").parent)
    scope["MultiHeadAttention"] = asked["MultiHeadAttention"].answer
    return SimpleNamespace(**scope)


@pytest.fixture(autouse=True)
def float64():
    """Compute in float64, and leave the default as it was."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def sizes(seed: int) -> tuple[int, int, int, int]:
    """B, N, H, D, all different, none 1; seeds the random numbers."""
    torch.manual_seed(seed)
    B, N, H, D = (2 + torch.randperm(7)[:4]).tolist()
    return B, N, H, D


def keep_mask(kind: str, B: int, N: int) -> Tensor | None:
    """(B, N, N) bool, True: may attend; no row without any. None for none."""
    causal = torch.ones(N, N, dtype=torch.bool).tril()
    lengths = torch.randint(1, N + 1, (B, 1, 1))
    real = torch.arange(N) < lengths  # (B, 1, N)
    return {
        "none": None,
        "causal": causal.expand(B, N, N),
        "padding": real.expand(B, N, N),
        "both": causal & real,
    }[kind]


def agree(ours: Tensor, theirs: Tensor, leaves: list, others: list) -> None:
    """Values agree, and the gradients with respect to pairs of leaves.

    The gradient that flows back is random, so that no sum hides an error.
    """
    assert_close(ours, theirs)
    upstream = torch.randn_like(ours)
    mine = torch.autograd.grad(ours, leaves, upstream)
    expected = torch.autograd.grad(theirs, others, upstream)
    for a, b in zip(mine, expected, strict=True):
        assert b.abs().max() > 0
        assert_close(a, b)


def stacked(head_parts: list, part: str) -> Tensor:
    """The rows of all heads' projections in the order of `in_proj`."""
    return torch.cat(
        [
            head.get_parameter(f"{kind}.{part}")
            for kind in ("query", "key", "value")
            for head in head_parts
        ]
    )


def names(module: nn.Module) -> list[str]:
    """The names of x and of the module's parameters, in their order."""
    return ["x", *(name for name, _ in module.named_parameters())]


def same_weights(made, d_model: int, H: int) -> tuple:
    """A loop, a fused module and PyTorch's, all with the loop's weights."""
    loop = made.MultiHeadLoop(d_model, H)
    for parameter in loop.parameters():
        nn.init.normal_(parameter, std=0.5)  # PyTorch's biases start at 0
    fused = made.MultiHeadAttention(d_model, H)
    theirs = nn.MultiheadAttention(d_model, H, batch_first=True)
    weight, bias = (stacked(loop.heads, p) for p in ("weight", "bias"))
    out = {f"out.{k}": v for k, v in loop.out.state_dict().items()}
    fused.load_state_dict({"qkv.weight": weight, "qkv.bias": bias, **out})
    out = {f"out_proj.{k}": v for k, v in loop.out.state_dict().items()}
    theirs.load_state_dict(
        {"in_proj_weight": weight, "in_proj_bias": bias, **out}
    )
    return loop, fused, theirs


def library(theirs: nn.Module, x: Tensor, keep: Tensor | None, H: int):
    """PyTorch's module; in its mask True means may not attend."""
    hidden = None if keep is None else ~keep.repeat_interleave(H, dim=0)
    return theirs(x, x, x, attn_mask=hidden, average_attn_weights=False)


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_attention_is_sdpa(made, seed, kind):
    B, N, H, D = sizes(seed)
    leaves = [torch.randn(B, H, N, D, requires_grad=True) for _ in range(3)]
    keep = keep_mask(kind, B, N)
    if keep is not None:
        keep = keep[:, None]  # (B, 1, N, N)
    ours, weights = made.attention(*leaves, keep)
    theirs = F.scaled_dot_product_attention(*leaves, attn_mask=keep)
    agree(ours, theirs, leaves, leaves)
    assert_close(weights.sum(-1), torch.ones(B, H, N))
    if keep is not None:
        assert (weights[~keep.expand(B, H, N, N)] == 0).all()


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_one_product_is_multihead_attention(made, seed, kind):
    B, N, H, D = sizes(seed)
    _, fused, theirs = same_weights(made, H * D, H)
    x = torch.randn(B, N, H * D, requires_grad=True)
    keep = keep_mask(kind, B, N)
    y, _ = library(theirs, x, keep, H)
    ours = fused(x, keep if keep is None else keep[:, None])
    agree(ours, y, [x, *fused.parameters()], [x, *theirs.parameters()])


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_loop_is_multihead_attention(made, seed, kind):
    B, N, H, D = sizes(seed)
    loop, _, theirs = same_weights(made, H * D, H)
    x = torch.randn(B, N, H * D, requires_grad=True)
    keep = keep_mask(kind, B, N)
    y, weights = library(theirs, x, keep, H)
    ours, maps = loop(x, keep)
    assert_close((ours, maps), (y, weights))
    upstream = torch.randn_like(y)
    mine, expected = (
        torch.autograd.grad(out, [x, *module.parameters()], upstream)
        for out, module in ((ours, loop), (y, theirs))
    )
    given = dict(zip(names(loop), mine, strict=True))
    due = dict(zip(names(theirs), expected, strict=True))
    assert_close(given["x"], due["x"])
    for part in ("weight", "bias"):
        rows = [
            given[f"heads.{h}.{kind}.{part}"]
            for kind in ("query", "key", "value")
            for h in range(H)
        ]
        assert_close(torch.cat(rows), due[f"in_proj_{part}"])
        assert_close(given[f"out.{part}"], due[f"out_proj.{part}"])


@pytest.mark.parametrize("seed", SEEDS)
def test_padding_as_key_padding_mask(made, seed):
    """The masks (B, 1, 1, N) and (B, 1, N) are theirs (B, N), inverted."""
    B, N, H, D = sizes(seed)
    loop, fused, theirs = same_weights(made, H * D, H)
    x = torch.randn(B, N, H * D)
    real = torch.arange(N) < torch.randint(1, N + 1, (B, 1))  # (B, N)
    y, weights = theirs(
        x, x, x, key_padding_mask=~real, average_attn_weights=False
    )
    assert_close(fused(x, real[:, None, None]), y)
    assert_close(loop(x, real[:, None]), (y, weights))


@pytest.mark.parametrize("seed", SEEDS)
def test_future_edits_leave_the_past(made, seed):
    B, N, H, D = sizes(seed)
    loop, fused, _ = same_weights(made, H * D, H)
    causal = torch.ones(N, N, dtype=torch.bool).tril()
    x = torch.randn(B, N, H * D)
    for t in range(1, N):
        other = x.clone()
        other[:, t:] = torch.randn(B, N - t, H * D)
        for run in (fused, lambda *given: loop(*given)[0]):
            before, after = run(x, causal), run(other, causal)
            assert_close(after[:, :t], before[:, :t])
            assert (after[:, t:] - before[:, t:]).abs().amin() > 0


def test_a_wrong_answer_would_be_found(made):
    """The comparison fails for heads that are mixed, and for other scales."""
    B, N, H, D = sizes(0)
    leaves = [torch.randn(B, H, N, D, requires_grad=True) for _ in range(3)]
    theirs = F.scaled_dot_product_attention(*leaves)
    q, k, v = leaves
    for wrong in (
        made.attention(2 * q, k, v)[0],
        made.attention(q, k, v, torch.ones(N, N).tril().bool())[0],
        made.attention(q, k, q)[0],
        made.attention(q.view(B, N, H, D).transpose(1, 2), k, v)[0],
    ):
        with pytest.raises(AssertionError):
            agree(wrong, theirs, leaves, leaves)
    detached = made.attention(q, k, v)[0] + 0 * q
    with pytest.raises(AssertionError):
        agree(detached.detach() + (q - q.detach()), theirs, [q], [q])
