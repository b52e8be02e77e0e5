"""Compare the trainings of lesson 21 with small GPTs that students meet.

    python course.py bench gpt [--repeats 3] [--seconds 60]

One core; the contestants take turns, so that a busy machine slows all of them
alike. Each peer is written anew from its public description:

- ``minGPT``: its sort demo (six digits of 0 to 2, ``gpt-nano``: 3 layers, 3
  heads, width 48, dropout 0.1; samples drawn one by one through a
  ``DataLoader``, batch 64; AdamW 5e-4, betas 0.9 and 0.95, decay 0.1 on
  matrices, gradients clipped at norm 1; attention with an explicit softmax),
  against the lesson's classes and loop on the same task (2 layers, 2 heads,
  width 32, AdamW 0.01, in a straight line to 0.001 after 90 steps), until all
  held-out sequences come out sorted;
- ``nanoGPT``: its advice for a CPU (4 layers, 4 heads, width 128, context 64,
  batch 12, no dropout, no biases, tied head; AdamW 1e-3, betas 0.9 and 0.99,
  decay 0.1 on matrices, warm-up of 100 steps, then cosine to 1e-4, clipped at
  1), against the lesson's model and settings, on the lesson's split of
  Python's documentation and by its measure (of windows of 64 characters the
  last 32 count). Both learning rates reach their ends when the time is over.

A second is a CPU second of training; tests in between are not counted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset, RandomSampler

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from exercises.parts import reference  # noqa: E402
from notebooks.build import definitions  # noqa: E402

DIGITS, LENGTH = 3, 6
EVERY = 5  # steps between two tests of the sorters
MOST = 3000  # steps of a sorter
TURN = 5.0  # seconds of training on the text between two tests
PARTS = {
    "13_embedding": ["Embedding"],
    "17_encoder_block": ["Block", "LayerNorm"],
    "21_mini_gpt": ["prompt_targets"],
}


def lesson() -> dict:
    """The names of lesson 21, with the references of its parts."""
    scope: dict = {"__name__": "lesson_21", "device": "cpu"}
    exec(definitions("21"), scope)
    for room, names in PARTS.items():
        scope |= {name: reference(room, name) for name in names}
    return scope


# The peers' model.


class Layer(nn.Module):
    """Pre-LN, causal; with an explicit softmax, or PyTorch's function."""

    def __init__(self, width, heads, dropout, bias, explicit) -> None:
        super().__init__()
        self.heads, self.explicit, self.rate = heads, explicit, dropout
        self.first = nn.LayerNorm(width, bias=bias)
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.second = nn.LayerNorm(width, bias=bias)
        self.wide = nn.Linear(width, 4 * width, bias=bias)
        self.narrow = nn.Linear(4 * width, width, bias=bias)
        self.drop = nn.Dropout(dropout)

    def attend(self, x):
        N = x.shape[1]
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (
            p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts
        )
        if self.explicit:
            scores = q @ k.mT / math.sqrt(q.shape[-1])
            mask = torch.ones(N, N).tril() == 0
            weights = scores.masked_fill(mask, -torch.inf).softmax(dim=-1)
            y = self.drop(weights) @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.drop(self.out(y.transpose(1, 2).flatten(2)))

    def forward(self, x):
        x = x + self.attend(self.first(x))
        y = self.wide(self.second(x))
        if self.explicit:  # GELU's tanh form, spelled out
            inner = math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)
            y = 0.5 * y * (1 + torch.tanh(inner))
        else:
            y = F.gelu(y)
        return x + self.drop(self.narrow(y))


class Peer(nn.Module):
    """GPT-2 in small, initialised as GPT-2 is."""

    def __init__(
        self, vocab_size, context, width, heads, layers, *,
        dropout=0.0, bias=True, tied=False, explicit=False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.token = nn.Embedding(vocab_size, width)
        self.place = nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.Sequential(
            *(
                Layer(width, heads, dropout, bias, explicit)
                for _ in range(layers)
            )
        )
        self.norm = nn.LayerNorm(width, bias=bias)
        self.head = nn.Linear(width, vocab_size, bias=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                last = name.endswith(("out.weight", "narrow.weight"))
                scale = math.sqrt(2 * layers) if last else 1
                nn.init.normal_(p, std=0.02 / scale)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
        if tied:
            self.head.weight = self.token.weight

    def forward(self, ids):
        x = self.token(ids) + self.place(torch.arange(ids.shape[1]))
        return self.head(self.norm(self.layers(self.drop(x))))


def peer_optimizer(model, lr, betas, decayed) -> torch.optim.Optimizer:
    """AdamW, decay 0.1 on the parameters that `decayed(name, p)` chooses."""
    groups: dict[bool, list] = {True: [], False: []}
    for name, p in model.named_parameters():
        groups[decayed(name, p)].append(p)
    return AdamW(
        [
            {"params": groups[True], "weight_decay": 0.1},
            {"params": groups[False], "weight_decay": 0.0},
        ],
        lr=lr,
        betas=betas,
    )


def peer_step(model, optimizer, x, y) -> None:
    logits = model(x)
    loss = F.cross_entropy(
        logits.view(-1, logits.shape[-1]), y.reshape(-1), ignore_index=-1
    )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


# Sorting.


class Sequences(Dataset):
    """Sequences drawn one by one; half of those of many kinds are redrawn."""

    def __init__(self, held: set) -> None:
        self.held = held

    def __len__(self) -> int:
        return 10000

    def __getitem__(self, index):
        while True:
            digits = torch.randint(DIGITS, (LENGTH,))
            if torch.rand(1).item() < 0.5 and (
                digits.unique().nelement() > LENGTH // 2
            ):
                continue
            if tuple(digits.tolist()) not in self.held:
                break
        ids = torch.cat([digits, digits.sort().values])
        y = ids[1:].clone()
        y[: LENGTH - 1] = -1
        return ids[:-1], y


@torch.no_grad()
def all_sorted(model: nn.Module, held: torch.Tensor) -> bool:
    """Whether every held-out sequence (B, LENGTH) comes out sorted."""
    model.eval()
    ids = held
    for _ in range(LENGTH):
        ids = torch.cat([ids, model(ids)[:, -1:].argmax(dim=-1)], dim=1)
    model.train()
    return torch.equal(ids[:, LENGTH:], held.sort(dim=1).values)


Turn = tuple[float, bool]  # seconds of training so far, whether at the end


def their_sorter(held: torch.Tensor, seed: int) -> Iterator[Turn]:
    torch.manual_seed(seed)
    data = Sequences({*map(tuple, held.tolist())})
    sampler = RandomSampler(data, replacement=True, num_samples=10**10)
    loader = iter(DataLoader(data, 64, sampler=sampler))
    model = Peer(DIGITS, 2 * LENGTH - 1, 48, 3, 3, dropout=0.1, explicit=True)
    optimizer = peer_optimizer(
        model,
        5e-4,
        (0.9, 0.95),
        lambda name, p: p.ndim == 2 and name.split(".")[0] not in TABLES,
    )

    def some() -> None:
        for x, y in itertools.islice(loader, EVERY):
            peer_step(model, optimizer, x, y)

    yield from turns(some, lambda: all_sorted(model, held))


TABLES = ("token", "place")


def our_sorter(held: torch.Tensor, seed: int) -> Iterator[Turn]:
    code = lesson()
    torch.manual_seed(seed)
    every = torch.cartesian_prod(*[torch.arange(DIGITS)] * LENGTH)
    known = {*map(tuple, held.tolist())}
    rest = [
        i for i, row in enumerate(every.tolist()) if tuple(row) not in known
    ]
    rest = every[rest]
    model = code["MiniGPT"](DIGITS, 2 * LENGTH - 1, 32, 2, 2)
    parameters = model.parameters()
    optimizer = AdamW(parameters, lr=0.01, betas=(0.9, 0.95), fused=True)
    scheduler = LambdaLR(optimizer, lambda step: max(0.1, 1 - step / 100))

    def batch():
        digits = rest[torch.randint(len(rest), (64,))]
        return code["prompt_targets"](digits, digits.sort(dim=1).values)

    yield from turns(
        lambda: code["train"](model, optimizer, batch, EVERY, scheduler),
        lambda: all_sorted(model, held),
    )


def turns(some: Callable, done: Callable[[], bool]) -> Iterator[Turn]:
    """Trains in turns until it is done; the tests are off the clock."""
    seconds = 0.0
    for _ in range(MOST // EVERY):
        start = time.process_time()
        some()
        seconds += time.process_time() - start
        end = done()
        yield seconds, end
        if end:
            return


# Text.


def lesson_text(code: dict) -> tuple[torch.Tensor, torch.Tensor, int]:
    """The lesson's split: ids to learn from, ids held out, how many kinds."""
    manual = "\n\n".join(code["topics"].values())
    once = [*dict.fromkeys(manual.split("\n\n"))]
    blocks = ["\n\n".join(once[i : i + 8]) for i in range(0, len(once), 8)]
    code["characters"] = sorted({*manual})
    texts = code["split"](blocks)
    ids = [code["encode"](text)[0] for text in texts]
    return *ids, len(code["characters"])


def our_text(code: dict, ids: torch.Tensor, size: int, seed: int):
    """Its model, and a step at a share of the time."""
    torch.manual_seed(seed)
    code["train_ids"] = ids
    model = code["MiniGPT"](size, 64, 96, 4, 2)
    optimizer, scheduler = code["recipe"](model, steps=1)
    [peak] = scheduler.base_lrs
    steps = itertools.count(1)

    def step(share: float) -> None:
        rate = peak * min(1, next(steps) / 50) * (1 - share)
        optimizer.param_groups[0]["lr"] = rate
        code["train"](model, optimizer, code["batch"], 1)

    return model, step


def their_text(code: dict, ids: torch.Tensor, size: int, seed: int):
    torch.manual_seed(seed)
    model = Peer(size, 64, 128, 4, 4, bias=False, tied=True)
    optimizer = peer_optimizer(
        model, 1e-3, (0.9, 0.99), lambda name, p: p.ndim == 2
    )
    steps = itertools.count(1)

    def step(share: float) -> None:
        warm = next(steps)
        cosine = 1e-4 + 9e-4 * 0.5 * (1 + math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = min(1e-3 * warm / 100, cosine)
        starts = torch.randint(len(ids) - 64, (12,)).tolist()
        x = torch.stack([ids[i : i + 64] for i in starts])
        y = torch.stack([ids[i + 1 : i + 65] for i in starts])
        peer_step(model, optimizer, x, y)

    return model, step


def text_run(make: Callable, seed: int, limit: float) -> Iterator[tuple]:
    """Trains for so many seconds; yields seconds, steps, held-out loss."""
    code = lesson()
    ids, code["held_ids"], size = lesson_text(code)
    model, step = make(code, ids, size, seed)
    seconds, steps = 0.0, 0
    while seconds < limit:
        start, before = time.process_time(), seconds
        while seconds < min(before + TURN, limit):
            step(seconds / limit)
            steps += 1
            seconds = before + time.process_time() - start
        yield seconds, steps, code["held_loss"](model)


# The report.


def interleave(runs: dict[str, Iterator]) -> dict[str, list]:
    """Lets all contestants take turns until all are done."""
    done: dict[str, list] = {name: [] for name in runs}
    for turn in itertools.zip_longest(*runs.values()):
        for name, record in zip(runs, turn, strict=True):
            done[name] += [] if record is None else [record]
    return done


def spread(values: list[float], digits: int) -> str:
    """'median (smallest to largest)'."""
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{mid:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> int:
    """Prints the tables; returns 1 where a sorter does not come to its end."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    every = torch.cartesian_prod(*[torch.arange(DIGITS)] * LENGTH)
    sorts, texts = [], []
    for seed in range(given.repeats):
        order = torch.randperm(
            len(every), generator=torch.Generator().manual_seed(seed)
        )
        held = every[order[: len(every) // 4]]
        sorts.append(
            interleave(
                {
                    "lesson": our_sorter(held, seed),
                    "minGPT": their_sorter(held, seed),
                }
            )
        )
        texts.append(
            interleave(
                {
                    "lesson": text_run(our_text, seed, given.seconds),
                    "nanoGPT": text_run(their_text, seed, given.seconds),
                }
            )
        )
        print(f"repeat {seed + 1} of {given.repeats} done", flush=True)
    print("\nMedian (smallest to largest), one core, CPU seconds\n")
    print(f"Six digits sorted, all of {len(held)} held-out sequences right:\n")
    print("| training | s | steps | × |\n| --- | --- | --- | --- |")
    missed = False
    for name in ("lesson", "minGPT"):
        ends = [repeat[name][-1] for repeat in sorts]
        missed = missed or not all(end for _, end in ends)
        ratios = [r[name][-1][0] / r["lesson"][-1][0] for r in sorts]
        steps = [float(EVERY * len(repeat[name])) for repeat in sorts]
        print(
            f"| {name} | {spread([s for s, _ in ends], 1)} "
            f"| {spread(steps, 0)} | {spread(ratios, 1)} |"
        )
    print(f"\nText, held-out nats a character after {given.seconds:.0f} s:\n")
    print("| training | nats | steps | s to the other's last |")
    print("| --- | --- | --- | --- |")
    for name, other in (("lesson", "nanoGPT"), ("nanoGPT", "lesson")):
        times = [
            next(
                (s for s, _, loss in r[name] if loss <= r[other][-1][2]), None
            )
            for r in texts
        ]
        told = "not reached" if None in times else spread(times, 0)
        losses = [repeat[name][-1][2] for repeat in texts]
        steps = [float(repeat[name][-1][1]) for repeat in texts]
        print(
            f"| {name} | {spread(losses, 3)} | {spread(steps, 0)} | {told} |"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
