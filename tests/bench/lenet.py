"""Compare the training of lesson 11 with loops that students meet elsewhere.

    python course.py bench lenet [--repeats 3]

All contestants read the same MNIST files, run on one core and take turns
epoch by epoch, so that a busy machine slows all of them alike. Each loop is
written anew from its public description; where that has FashionMNIST, MNIST
takes its place:

- ``lesson``: the training of lesson 11, its own code taken from its source
  (2 epochs instead of 3, which its rate falls over);
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
from collections import Counter
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
STAGES = ("reading", "transforming", "forward", "backward", "step")
IMAGES = 6400  # where the time goes is measured on so many
NORMAL = transforms.Normalize((0.1307,), (0.3081,))


@dataclass
class Run:
    """One repeat of one contestant: seconds and accuracy after each epoch."""

    seconds: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    def time_to(self, percent: float) -> float | None:
        """Seconds of training until the test accuracy reached `percent`."""
        elapsed = itertools.accumulate(self.seconds)
        reached = zip(elapsed, self.accuracy, strict=True)
        return next((s for s, a in reached if 100 * a >= percent), None)


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of right answers; x: (N, 1, 28, 28), y: (N,) class numbers."""
    model.eval()
    labels = torch.cat([model(part).argmax(1) for part in x.split(1000)])
    return (labels == y).float().mean().item()


def one_pass(batches, model, loss_fn, optimizer, scheduler=None) -> Counter:
    """Train on some batches; seconds of each stage."""
    spent, last = Counter(), time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[stage] += now - last
        last = now

    model.train()
    for x, y in batches:
        lap("reading")
        loss = loss_fn(model(x), y)
        lap("forward")
        optimizer.zero_grad()
        loss.backward()
        lap("backward")
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        lap("step")
    return spent


# The loops that students meet elsewhere.


def quickstart() -> nn.Module:
    return nn.Sequential(
        *(nn.Flatten(), nn.Linear(28 * 28, 512), nn.ReLU()),
        *(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
    )


def sigmoid_lenet() -> nn.Module:
    """61,706 parameters, Xavier initialisation."""
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    for layer in model:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
    return model


def wide_net() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(128, 10),
    )


@dataclass
class Loop:
    """A training loop over a torchvision data set, sample by sample."""

    model: Callable[[], nn.Module]
    batch_size: int
    optimizer: Callable[..., torch.optim.Optimizer]
    lr: float
    epochs: int
    normal: bool = False  # the input
    shuffle: bool = True
    gamma: float = 1.0  # factor on the learning rate after each epoch

    def make(self, folder: Path) -> tuple:
        """A loader, and what `one_pass` asks for beside its batches."""
        steps = [transforms.ToTensor(), *([NORMAL] if self.normal else [])]
        train = datasets.MNIST(folder, transform=transforms.Compose(steps))
        model = self.model()
        optimizer = self.optimizer(model.parameters(), lr=self.lr)
        loader = DataLoader(train, self.batch_size, shuffle=self.shuffle)
        return loader, model, nn.CrossEntropyLoss(), optimizer

    def run(self, folder: Path, mnist, seed: int) -> Iterator[Run]:
        """Trains; yields its record after every epoch."""
        torch.manual_seed(seed)
        loader, model, loss_fn, optimizer = self.make(folder)
        x_test = NORMAL(mnist.x_test) if self.normal else mnist.x_test
        record = Run()
        for _ in range(self.epochs):
            start = time.perf_counter()
            one_pass(loader, model, loss_fn, optimizer)
            record.seconds.append(time.perf_counter() - start)
            for group in optimizer.param_groups:
                group["lr"] *= self.gamma
            record.accuracy.append(accuracy(model, x_test, mnist.y_test))
            yield record

    def stages(self, folder: Path) -> Counter:
        """Seconds of each stage for `IMAGES` images."""
        for _ in range(2):  # the first time warms up
            loader, *rest = self.make(folder)
            part = itertools.islice(loader, IMAGES // self.batch_size)
            spent = one_pass(part, *rest)
        some = range(IMAGES // 4)
        plain = datasets.MNIST(folder)
        pictures = [plain[i][0] for i in some]
        start = time.perf_counter()
        for picture in pictures:
            loader.dataset.transform(picture)
        taken = 4 * (time.perf_counter() - start)
        spent["transforming"] = min(taken, spent["reading"])
        spent["reading"] -= spent["transforming"]
        return spent


SGD = torch.optim.SGD
LOOPS = {
    "quickstart": Loop(quickstart, 64, SGD, 1e-3, 5, shuffle=False),
    "d2l": Loop(sigmoid_lenet, 256, SGD, 0.9, 12),
    "examples": Loop(
        wide_net, 64, torch.optim.Adadelta, 1.0, 2, normal=True, gamma=0.7
    ),
}


# The lesson: its own LeNet, prepare, train, fast_training.


def lesson_code() -> dict:
    scope: dict = {"__name__": "lesson_11"}
    exec(definitions("11"), scope)
    return scope


def lesson_run(mnist, seed: int, epochs: int = 2) -> Iterator[Run]:
    """The training of lesson 11, section 5.

    Preparing the training images counts as reading them; the test images
    are prepared off the clock, as those of the other loops are.
    """
    code, record = lesson_code(), Run()
    torch.manual_seed(seed)
    _, test_set = code["prepare"](mnist, "cpu", torch.float32)
    alone = mnist._replace(x_test=mnist.x_test[:0], y_test=mnist.y_test[:0])
    start = time.perf_counter()
    train_set, _ = code["prepare"](alone, "cpu", torch.float32)
    prepared = time.perf_counter() - start
    training = code["fast_training"](*train_set, epochs)
    for epoch in range(epochs):
        start = time.perf_counter()
        code["train"](*training)
        took = time.perf_counter() - start
        record.seconds.append(took + (prepared if epoch == 0 else 0.0))
        record.accuracy.append(accuracy(training[1], *test_set))
        yield record


def lesson_stages(mnist) -> Counter:
    """Seconds of each stage for `IMAGES` images."""
    code = lesson_code()
    start = time.perf_counter()
    train_set, _ = code["prepare"](mnist, "cpu", torch.float32)
    share = IMAGES / (len(mnist.y_train) + len(mnist.y_test))
    prepared = (time.perf_counter() - start) * share
    loader, *rest = code["fast_training"](*train_set, 1)
    for _ in range(2):  # the first time warms up
        part = itertools.islice(loader, IMAGES // loader.batch_size)
        spent = one_pass(part, *rest)
    return spent + Counter(transforming=prepared)


def bare_ratio(mnist, seed: int) -> float:
    """A pass of the lesson over forward, backward and step alone.

    The bare pass meets the same model, optimizer and schedule, and batches
    that were cut and laid in memory beforehand.
    """
    code = lesson_code()
    train_set, _ = code["prepare"](mnist, "cpu", torch.float32)
    torch.manual_seed(seed)
    loader, *rest = code["fast_training"](*train_set, 2)
    start = time.perf_counter()
    code["train"](loader, *rest)
    middle = time.perf_counter()
    batches = list(loader)
    ready = time.perf_counter()
    one_pass(batches, *rest)
    return (middle - start) / (time.perf_counter() - ready)


# The report.


def interleave(runs: dict[str, Iterator[Run]]) -> dict[str, Run]:
    """Lets all contestants train one epoch in turn until all are done."""
    done: dict[str, Run] = {}
    for epoch in itertools.zip_longest(*runs.values()):
        for name, record in zip(runs, epoch, strict=True):
            done[name] = record or done[name]
    return done


def spread(values: list[float], digits: int) -> str:
    """'median (smallest to largest)'."""
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{mid:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def reached(values: list[float | None], passes: int) -> str:
    """Seconds to an accuracy, or in how many repeats it was not reached."""
    missed = values.count(None)
    if not missed:
        return spread(values, 1)
    part = f" in {missed} of {len(values)}" * (missed < len(values))
    return f"not reached in {passes} epochs{part}"


def ratio(other: list[float | None], ours: list[float | None]) -> str:
    """How many times longer, repeat by repeat: both ran interleaved."""
    pairs = zip(other, ours, strict=True)
    times = [b / a for b, a in pairs if a and b]
    if not times:
        return "—"
    part = f" in {len(times)} of {len(ours)}" * (len(times) < len(ours))
    return spread(times, 1) + " ×" + part


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_table(repeats: list[dict[str, Run]]) -> str:
    """Seconds an epoch and seconds to each accuracy, as ratios too."""
    head = ["loop", "s a pass", "accuracy after the last pass"]
    head += [f"s to {t} %" for t in TARGETS] + [f"× to {t} %" for t in TARGETS]
    rows = []
    for name in repeats[0]:
        runs = [repeat[name] for repeat in repeats]
        last = spread([100 * run.accuracy[-1] for run in runs], 1)
        row = [name, spread([statistics.mean(r.seconds) for r in runs], 1)]
        passes = len(runs[0].seconds)
        row += [f"{last} % after {passes}"]
        row += [
            reached([run.time_to(t) for run in runs], passes) for t in TARGETS
        ]
        for target in TARGETS:
            ours = [repeat["lesson"].time_to(target) for repeat in repeats]
            theirs = [run.time_to(target) for run in runs]
            row += ["1" if name == "lesson" else ratio(theirs, ours)]
        rows.append(row)
    return table(head, rows)


@contextmanager
def unpacked() -> Iterator[Path]:
    """A temporary folder in which torchvision finds the same files."""
    source = Path(os.environ.get("COURSE_DATA") or ROOT / "data")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "MNIST", "raw")
        raw.mkdir(parents=True)
        for archive in source.glob("MNIST/raw/*.gz"):
            extract_archive(str(archive), str(raw))
        yield Path(folder)


def main() -> int:
    """Prints the tables; returns 1 where the files are missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    seeds = range(parser.parse_args().repeats)
    torch.set_num_threads(1)
    try:
        mnist = data.mnist()
    except data.DataError as error:
        print(f"bench lenet needs the MNIST files: {error}", file=sys.stderr)
        return 1
    with unpacked() as folder:
        stages = {"lesson": lesson_stages(mnist)}
        stages |= {name: loop.stages(folder) for name, loop in LOOPS.items()}
        rows = [
            [name, *(f"{1e5 * spent[s] / IMAGES:.2f}" for s in STAGES)]
            for name, spent in stages.items()
        ]
        print("Where the time goes, in ms per 100 images:\n")
        print(table(["loop", *STAGES], rows), flush=True)
        repeats = []
        for seed in seeds:
            runs = {"lesson": lesson_run(mnist, seed)}
            for name, loop in LOOPS.items():
                runs[name] = loop.run(folder, mnist, seed)
            repeats.append(interleave(runs))
            print(f"repeat {seed + 1} of {len(seeds)} done", flush=True)
    print("\nMedian (smallest to largest) of the repeats, one core:\n")
    print(speed_table(repeats))
    bare = spread([bare_ratio(mnist, seed) for seed in seeds], 2)
    print(
        f"\nOne pass of the lesson over bare forward, backward, step: {bare}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
