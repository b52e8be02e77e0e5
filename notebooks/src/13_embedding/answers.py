"""Other answers to the exercises of lesson 13, right ones and wrong ones."""

import torch
import torch.nn.functional as F
from torch import nn


class ByOneHot(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.weight = nn.Parameter(torch.empty(num_embeddings, d_model))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, ids):
        return F.one_hot(ids, self.num_embeddings).float() @ self.weight


class ByIndexSelect(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(num_embeddings, d_model))

    def forward(self, ids):
        rows = self.weight.index_select(0, ids.flatten())
        return rows.view(*ids.shape, -1)


class ByLoop(ByIndexSelect):
    def forward(self, ids):
        rows = [self.weight[i] for i in ids.flatten().tolist()]
        return (
            torch.stack(rows)
            .unflatten(0, ids.shape or (1,))
            .view(*ids.shape, self.weight.shape[1])
        )


class Wrapped(nn.Module):
    def __init__(self, num_embeddings, d_model):
        super().__init__()
        self.table = nn.Embedding(num_embeddings, d_model)

    def forward(self, ids):
        return self.table(ids)


class Flat(ByIndexSelect):
    def forward(self, ids):
        return self.weight[ids.flatten()]


class NewEachTime(ByIndexSelect):
    def forward(self, ids):
        return torch.randn_like(self.weight)[ids]


class Columns(ByIndexSelect):
    def forward(self, ids):
        return self.weight[:, ids.clamp(max=self.weight.shape[1] - 1)]


class Constant(ByIndexSelect):
    def __init__(self, num_embeddings, d_model):
        super().__init__(num_embeddings, d_model)
        self.weight = nn.Parameter(torch.ones(num_embeddings, d_model))


class Detached(ByIndexSelect):
    @torch.no_grad()
    def forward(self, ids):
        return self.weight[ids]


class NoModule:
    def __init__(self, num_embeddings, d_model):
        self.weight = torch.randn(num_embeddings, d_model)

    def __call__(self, ids):
        return self.weight[ids]


RIGHT = {"Embedding": [ByOneHot, ByIndexSelect, ByLoop]}

WRONG = {
    "Embedding": [
        Wrapped,
        Flat,
        NewEachTime,
        Columns,
        Constant,
        Detached,
        NoModule,
    ]
}
