"""Compare the training of lesson 11 with loops that students meet elsewhere.

    python course.py bench lenet [--repeats 3] [--data FOLDER]

All contestants read the same MNIST files, run on one core and take turns
epoch by epoch, so that a busy machine slows all of them alike. Each loop is
written anew from its public description; where that has FashionMNIST, MNIST
takes its place:

- ``lesson``: the training of lesson 11, its own code taken from its source;
- ``quickstart``: pytorch.org, "Quickstart" (an MLP, ``ToTensor`` on every
  sample, ``DataLoader``, batch 64, SGD 1e-3; 5 epochs);
- ``d2l``: Dive into Deep Learning, Chinese edition, section "LeNet" (sigmoid,
  average pooling, padding 2, Xavier, batch 256, SGD 0.9; 12 epochs instead
  of 10);
- ``examples``: the MNIST program of pytorch/examples (3 × 3 convolutions
  with 32 and 64 channels, dropout, normalised input, batch 64, Adadelta 1.0
  with a decay of 0.7 an epoch; shuffled, as it is on a GPU; the first 2 of
  its 14 epochs).

A second is a second of training: opening and transforming the training
images one by one, or preparing them all at once, then forward, backward and
step. Unpacking the files, and measuring the test accuracy after each epoch,
are not counted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchvision.datasets.utils import extract_archive

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers import data  # noqa: E402
from notebooks.build import definitions  # noqa: E402

TARGETS = (96, 97, 98, 99)  # test accuracy in percent


@dataclass
class Run:
    """One repeat of one contestant: seconds and accuracy after each epoch."""

    seconds: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    def time_to(self, percent: float) -> float | None:
        """Seconds of training until the test accuracy reached `percent`."""
        for elapsed, accuracy in zip(
            itertools.accumulate(self.seconds), self.accuracy, strict=True
        ):
            if 100 * accuracy >= percent:
                return elapsed
        return None


class Clock:
    """Adds up seconds under a name; `clock("forward")` ends a stretch."""

    def __init__(self) -> None:
        self.total: dict[str, float] = {}
        self.last = time.perf_counter()

    def __call__(self, name: str | None = None) -> None:
        now = time.perf_counter()
        if name is not None:
            self.total[name] = self.total.get(name, 0.0) + now - self.last
        self.last = now


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of right answers; x: (N, 1, 28, 28), y: (N,) class numbers."""
    model.eval()
    right = sum(
        (model(xb).argmax(1) == yb).sum().item()
        for xb, yb in zip(x.split(1000), y.split(1000), strict=True)
    )
    return right / len(y)


# --- the loops that students meet elsewhere ---------------------------------


class Quickstart(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Flatten(),
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        )


class SigmoidLeNet(nn.Sequential):
    """61,706 parameters, Xavier initialisation."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, 10),
        )
        for layer in self:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)


class WideNet(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(9216, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 10),
        )


@dataclass
class Loop:
    """A training loop over a torchvision data set, sample by sample."""

    model: type[nn.Module]
    batch_size: int
    make_optimizer: Callable[..., torch.optim.Optimizer]
    shuffle: bool
    transform: Callable
    epochs: int
    gamma: float = 1.0  # factor on the learning rate after each epoch

    def epoch(self, model, loader, optimizer, clock: Clock, limit=None):
        """One pass; `clock` learns where the time goes."""
        loss_fn = nn.CrossEntropyLoss()
        model.train()
        clock()
        for x, y in itertools.islice(loader, limit):
            clock("reading and transforming")
            loss = loss_fn(model(x), y)
            clock("forward")
            optimizer.zero_grad()
            loss.backward()
            clock("backward")
            optimizer.step()
            clock("step")

    def loader(self, folder: Path) -> DataLoader:
        train = datasets.MNIST(folder, train=True, transform=self.transform)
        return DataLoader(train, self.batch_size, shuffle=self.shuffle)

    def test_images(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 1, 28, 28) in [0, 1] -> as the transform would give it."""
        steps = getattr(self.transform, "transforms", [])
        for step in steps:
            if isinstance(step, transforms.Normalize):
                x = step(x)
        return x

    def run(self, folder: Path, mnist, seed: int) -> Iterator[Run]:
        """Trains; yields its record after every epoch."""
        torch.manual_seed(seed)
        model, loader = self.model(), self.loader(folder)
        optimizer = self.make_optimizer(model.parameters())
        x_test, record = self.test_images(mnist.x_test), Run()
        for _ in range(self.epochs):
            start = time.perf_counter()
            self.epoch(model, loader, optimizer, Clock())
            record.seconds.append(time.perf_counter() - start)
            for group in optimizer.param_groups:
                group["lr"] *= self.gamma
            record.accuracy.append(accuracy(model, x_test, mnist.y_test))
            yield record


LOOPS = {
    "quickstart": Loop(
        Quickstart,
        64,
        lambda p: torch.optim.SGD(p, lr=1e-3),
        False,
        transforms.ToTensor(),
        5,
    ),
    "d2l": Loop(
        SigmoidLeNet,
        256,
        lambda p: torch.optim.SGD(p, lr=0.9),
        True,
        transforms.ToTensor(),
        12,
    ),
    "examples": Loop(
        WideNet,
        64,
        lambda p: torch.optim.Adadelta(p, lr=1.0),
        True,
        transforms.Compose(
            [
                transforms.ToTensor(),
                transforms.Normalize((0.1307,), (0.3081,)),
            ]
        ),
        2,
        gamma=0.7,
    ),
}


# --- the lesson -------------------------------------------------------------


def lesson_code() -> dict:
    """What lesson 11 defines: LeNet, prepare, train, fast_training."""
    scope: dict = {"__name__": "lesson_11"}
    exec(definitions("11"), scope)
    return scope


def lesson_run(mnist, seed: int, epochs: int = 3) -> Iterator[Run]:
    """The training of lesson 11, section 5.

    Preparing the training images counts as reading them; the test images
    are prepared off the clock, as those of the other loops are.
    """
    code = lesson_code()
    torch.manual_seed(seed)
    _, test_set = code["prepare"](mnist, "cpu", torch.float32)
    alone = mnist._replace(x_test=mnist.x_test[:0], y_test=mnist.y_test[:0])
    start = time.perf_counter()
    train_set, _ = code["prepare"](alone, "cpu", torch.float32)
    prepared = time.perf_counter() - start
    loader, model, *rest = code["fast_training"](*train_set, epochs)
    record = Run()
    for epoch in range(epochs):
        start = time.perf_counter()
        code["train"](loader, model, *rest)
        took = time.perf_counter() - start
        record.seconds.append(took + (prepared if epoch == 0 else 0.0))
        record.accuracy.append(accuracy(model, *test_set))
        yield record


def pure_ratio(mnist, repeats: int) -> list[float]:
    """One pass of the lesson over forward, backward and step alone.

    The bare pass meets the same model, optimizer and schedule, and batches
    that were cut and laid in memory beforehand. The two take turns.
    """
    code = lesson_code()
    train_set, _ = code["prepare"](mnist, "cpu", torch.float32)
    ratios = []
    for seed in range(repeats):
        torch.manual_seed(seed)
        loader, model, *rest = code["fast_training"](*train_set, 2)
        start = time.perf_counter()
        code["train"](loader, model, *rest)
        middle = time.perf_counter()
        batches = list(loader)
        ready = time.perf_counter()
        bare_pass(batches, model, *rest, Clock())
        ratios.append((middle - start) / (time.perf_counter() - ready))
    return ratios


def bare_pass(batches, model, loss_fn, optimizer, scheduler, clock) -> None:
    """Forward, backward and step, nothing else; `clock` tells them apart."""
    model.train()
    clock()
    for x, y in batches:
        clock("reading and transforming")
        loss = loss_fn(model(x), y)
        clock("forward")
        optimizer.zero_grad()
        loss.backward()
        clock("backward")
        optimizer.step()
        scheduler.step()
        clock("step")


# --- the report -------------------------------------------------------------


def interleave(runs: dict[str, Iterator[Run]]) -> dict[str, Run]:
    """Lets all contestants train one epoch in turn until all are done."""
    done: dict[str, Run] = {}
    waiting = dict(runs)
    while waiting:
        for name, run in list(waiting.items()):
            record = next(run, None)
            if record is None:
                del waiting[name]
            else:
                done[name] = record
    return done


def spread(values: list[float], digits: int) -> str:
    """'median (smallest to largest)'."""
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{mid:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def ratio(other: list[float | None], ours: list[float | None]) -> str:
    """How many times longer, repeat by repeat: both ran interleaved.

    Repeats in which one of the two never got there are left out, and said.
    """
    pairs = [
        b / a
        for a, b in zip(ours, other, strict=True)
        if a is not None and b is not None
    ]
    if not pairs:
        return "—"
    some = f" in {len(pairs)} of {len(ours)}" if len(pairs) < len(ours) else ""
    return spread(pairs, 1) + " ×" + some


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_table(repeats: list[dict[str, Run]]) -> str:
    """Seconds an epoch and seconds to each accuracy, as ratios too."""
    head = ["loop", "s a pass", "accuracy after the last pass"]
    head += [f"s to {t} %" for t in TARGETS]
    head += [f"× to {t} %" for t in TARGETS]
    rows = []
    for name in repeats[0]:
        runs = [repeat[name] for repeat in repeats]
        ours = [repeat["lesson"] for repeat in repeats]
        passes = len(runs[0].seconds)
        row = [
            name,
            spread([statistics.mean(run.seconds) for run in runs], 1),
            spread([100 * run.accuracy[-1] for run in runs], 1)
            + f" % after {passes}",
        ]
        times = {t: [run.time_to(t) for run in runs] for t in TARGETS}
        for values in times.values():
            reached = [v for v in values if v is not None]
            if len(reached) == len(values):
                row.append(spread(reached, 1))
            else:
                missed = len(values) - len(reached)
                row.append(
                    f"not reached in {passes} epochs"
                    + (f" in {missed} of {len(values)}" if reached else "")
                )
        for target, values in times.items():
            own = [run.time_to(target) for run in ours]
            row.append("1" if name == "lesson" else ratio(values, own))
        rows.append(row)
    return table(head, rows)


def where_the_time_goes(folder: Path, mnist) -> str:
    """Milliseconds for 100 images of a pass.

    Reading is whatever brings a batch to the model besides the transform:
    opening and collating, or indexing and shifting in the lesson.
    """
    names = ["reading", "transforming", "forward", "backward", "step"]
    rows = []
    code = lesson_code()
    images = 6400
    start = time.perf_counter()
    train_set, _ = code["prepare"](mnist, "cpu", torch.float32)
    preparing = (time.perf_counter() - start) / 70000
    loader, model, *rest = code["fast_training"](*train_set, 1)
    steps = images // loader.batch_size
    for clock in (Clock(), Clock()):  # the first time warms up
        part = itertools.islice(loader, steps)
        bare_pass(part, model, *rest, clock)
    spent = {name: clock.total.get(name, 0.0) / images for name in names}
    spent["reading"] = clock.total["reading and transforming"] / images
    spent["transforming"] = preparing
    rows.append(["lesson"] + [f"{1e5 * spent[n]:.2f}" for n in names])
    for name, loop in LOOPS.items():
        loader = loop.loader(folder)
        raw = datasets.MNIST(folder, train=True)
        pictures = [raw[i][0] for i in range(images // 4)]
        start = time.perf_counter()
        for picture in pictures:
            loop.transform(picture)
        transforming = (time.perf_counter() - start) / len(pictures)
        model, steps = loop.model(), images // loop.batch_size
        optimizer = loop.make_optimizer(model.parameters())
        for clock in (Clock(), Clock()):
            loop.epoch(model, loader, optimizer, clock, steps)
        spent = {n: clock.total.get(n, 0.0) / images for n in names}
        both = clock.total["reading and transforming"] / images
        spent["transforming"] = min(transforming, both)
        spent["reading"] = both - spent["transforming"]
        rows.append([name] + [f"{1e5 * spent[n]:.2f}" for n in names])
    return table(["loop", *names], rows)


@contextmanager
def unpacked(root: Path | None) -> Iterator[Path]:
    """A temporary folder in which torchvision finds the same files."""
    source = root or Path(os.environ.get("COURSE_DATA") or ROOT / "data")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "MNIST", "raw")
        raw.mkdir(parents=True)
        for archive in sorted(source.glob("MNIST/raw/*.gz")):
            extract_archive(str(archive), str(raw))
        yield Path(folder)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        help="folder that holds MNIST/raw (default: as the lessons do)",
    )
    return parser.parse_args()


def main() -> int:
    """Prints the tables; returns 1 where the files are missing."""
    given = arguments()
    torch.set_num_threads(1)
    try:
        mnist = data.mnist(given.data)
    except data.DataError as error:
        print(f"bench lenet needs the MNIST files: {error}", file=sys.stderr)
        return 1
    with unpacked(given.data) as folder:
        print("Where the time goes, in ms per 100 images:\n")
        print(where_the_time_goes(folder, mnist), flush=True)
        repeats = []
        for seed in range(given.repeats):
            runs = {"lesson": lesson_run(mnist, seed)}
            runs |= {
                name: loop.run(folder, mnist, seed)
                for name, loop in LOOPS.items()
            }
            repeats.append(interleave(runs))
            print(f"repeat {seed + 1} of {given.repeats} done", flush=True)
    print("\nMedian (smallest to largest) of the repeats, one core:\n")
    print(speed_table(repeats))
    bare = pure_ratio(mnist, given.repeats)
    print(
        "\nOne pass of the lesson over bare forward, backward and step: "
        + spread(bare, 2)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
