"""Checks of lesson 13: a table of vectors, and what is done with it."""

import torch
import torch.nn.functional as F
from torch import nn

from exercises import Rejection, exercise, says, variations
from exercises.compare import type_name
from exercises.properties import without

# --- 1: the table ----------------------------------------------------------


class Embedding(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_embeddings, d_model))

    def forward(self, ids):
        return self.weight[ids]  # (*) -> (*, d_model)


def some_ids(rng):
    """Float32 alone: one_hot(...).float() is a right answer, too."""
    cases = variations(rng, "V D B N *", dtypes=(torch.float32,))
    for s in cases:
        yield s.normal("V D"), s.integers("* B N", 0, s.V)
    yield torch.eye(3), torch.tensor(2)


def made(answer, V, d_model):
    """A model that has the one parameter which was asked for."""
    model = answer(V, d_model)
    if not isinstance(model, nn.Module):
        raise Rejection(
            f"应是 nn.Module 的子类，得到 {type_name(model)}。",
            f"A subclass of nn.Module is asked for, got {type_name(model)}.",
        )
    found = {name: tuple(p.shape) for name, p in model.named_parameters()}
    if found == {"weight": (V, d_model)}:
        return model
    if isinstance(getattr(model, "weight", None), torch.Tensor) and not found:
        raise Rejection(
            "weight 只是一个张量，不是参数：优化器看不到它。",
            "weight is only a tensor and no parameter: an optimizer does not "
            "see it.",
        )
    told = ", ".join(f"{name} {shape}" for name, shape in found.items())
    raise Rejection(
        f"应只有一个参数 weight，形状 {(V, d_model)}，得到 {told or '没有'}。",
        f"There should be one parameter, weight, of shape {(V, d_model)}; "
        f"got {told or 'none'}.",
    )


def loaded(answer):
    """Its vectors, from the table of the case."""

    def run(weight, ids):
        model = made(answer, *weight.shape)
        with torch.no_grad():
            model.weight.copy_(weight)
        return model(ids)

    return run


@says(
    "各行一开始应是不同的随机数。",
    "In the beginning the rows should be random and differ.",
)
def starts_random(f, weight, ids):
    one, other = (made(f, 5, 4).weight.detach() for _ in range(2))
    rows = torch.cat([one, other]).unique(dim=0)
    return bool(one.isfinite().all()) and len(rows) == 10


@says(
    "结果与 weight 断开了：训练改不了这张表。",
    "The result is cut off from weight: training cannot change the table.",
)
def trains_its_rows(f, weight, ids):
    model = made(f, *weight.shape)
    y = model(ids)
    if not y.requires_grad:
        return False
    r = torch.arange(1.0, y.numel() + 1).view(y.shape)
    leaf = model.weight.detach().clone().requires_grad_()
    want = torch.autograd.grad((F.embedding(ids, leaf) * r).sum(), leaf)[0]
    (y * r).sum().backward()
    if not torch.allclose(F.embedding(ids, leaf), y):
        return True  # told as a value
    return model.weight.grad is not None and torch.allclose(
        model.weight.grad, want
    )


def call(answer, weight, ids):
    return loaded(answer)(weight, ids)


Embedding = exercise(
    Embedding,
    some_ids,
    part=True,
    adapt=loaded,
    oracle=nn.Embedding,
    seeds=(0,),
    holds=[
        without(
            "embedding",
            "你调用了现成的嵌入层：这里要自己查表。",
            "You call the embedding layer that exists: here, look the rows "
            "up by yourself.",
            run=call,
        ),
        starts_random,
        trains_its_rows,
    ],
    wrong="""
nn.Parameter( => (
weight 只是一个张量，不是参数：优化器看不到它。
weight is only a tensor and no parameter: an optimizer does not see it.

num_embeddings, d_model)) => d_model, num_embeddings))
self.weight[ids] => self.weight.T[ids]
表的两个轴反了：一行是一个 id 的向量，形状应为 (num_embeddings, d_model)。
The axes of the table are swapped: a row is the vector of an id, and the shape
should be (num_embeddings, d_model).

torch.randn => torch.zeros
表的各行都相同：一开始应是不同的随机数，否则所有的词都一样。
All rows of the table are the same: in the beginning they should be random and
differ, otherwise all words are alike.

self.weight[ids] => self.weight.data[ids]
结果与 weight 断开了（.data、.detach() 或 no_grad）：训练改不了这张表。
The result is cut off from weight (.data, .detach() or no_grad): training
cannot change the table.

self.weight[ids] => self.weight[ids - 1]
id 从 0 数起：id 为 k 的词在第 k 行，你取了它上面的一行。
Ids count from 0: the word with id k has row k, and you took the row above it.
""",
)
