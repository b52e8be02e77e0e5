"""Data sets as tensors in memory: digits, MNIST, FashionMNIST."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ._digits import embedded, enlarge
from ._download import DataError, Limits

if TYPE_CHECKING:
    from torchvision.datasets import MNIST

__all__ = [
    "DataError",
    "Dataset",
    "digits",
    "fashion_mnist",
    "load",
    "mnist",
    "of_mnist_form",
]

_FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}


class Dataset(NamedTuple):
    """Images and labels in memory, split for training and testing.

    Attributes:
        name: short name.
        x_train: (N, 1, 28, 28) float32 in [0, 1], 0 is the background.
        y_train: (N,) int64, index into `classes`.
        x_test: (M, 1, 28, 28) float32 in [0, 1].
        y_test: (M,) int64.
        classes: the names of the classes.
    """

    name: str
    x_train: torch.Tensor
    y_train: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    classes: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name}: train {tuple(self.x_train.shape)},"
            f" test {tuple(self.x_test.shape)},"
            f" {len(self.classes)} classes)"
        )


def digits(test_fraction: float = 0.2, seed: int = 0) -> Dataset:
    """The handwritten digits that come with scikit-learn, at 28×28.

    1,797 scans of 8×8 pixels with 17 grey levels (UCI, Alpaydin and
    Kaynak 1998), enlarged 2.5 times with Catmull-Rom weights, so that a
    digit fills the middle 20×20 pixels as in MNIST. The arithmetic is in
    integers and the split has its own random numbers: the same bits on
    every machine, whatever torch's seed.

    Args:
        test_fraction: share of each class that is held out, in (0, 1).
        seed: of the split.

    Returns:
        `Dataset`; by default 1,438 images to train on and 359 to test on.

    Raises:
        ValueError: `test_fraction` leaves a class without images.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(
            "test_fraction: expected a number between 0 and 1,"
            f" got {test_fraction!r}"
        )
    small, labels = embedded()
    random = np.random.RandomState(seed)  # its numbers never change
    held_out = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = random.permutation(np.flatnonzero(labels == label))
        count = round(len(members) * test_fraction)
        if not 0 < count < len(members):
            raise ValueError(
                "test_fraction: expected some of each class on both sides,"
                f" got {test_fraction!r}: {count} of {len(members)} held out"
            )
        held_out[members[:count]] = True
    x = torch.from_numpy(enlarge(small)).unsqueeze(1)
    y = torch.from_numpy(labels)
    test = torch.from_numpy(held_out)
    return Dataset(
        "digits", x[~test], y[~test], x[test], y[test], tuple("0123456789")
    )


def mnist(
    root: str | os.PathLike | None = None, download: bool = False
) -> Dataset:
    """MNIST: 60,000 images to train on, 10,000 to test on.

    As float32 the images take 220 MB.

    Args:
        root: the folder that holds `MNIST/raw`; by default the one named
            by the environment variable COURSE_DATA, else the course's
            `data`.
        download: whether missing or damaged files may be fetched (12 MB).

    Returns:
        `Dataset` in the original order.

    Raises:
        DataError: the files are not to be had; says why and what to do.
    """
    data = _from_torchvision("mnist", root, download)
    return data._replace(classes=tuple("0123456789"))


def fashion_mnist(
    root: str | os.PathLike | None = None, download: bool = False
) -> Dataset:
    """FashionMNIST: ten kinds of clothing, sizes as MNIST.

    Args:
        root: the folder that holds `FashionMNIST/raw`; default as `mnist`.
        download: whether missing or damaged files may be fetched (31 MB).

    Returns:
        `Dataset` in the original order.

    Raises:
        DataError: the files are not to be had; says why and what to do.
    """
    return _from_torchvision("fashion_mnist", root, download)


def load(
    name: str,
    fallback: str | None = None,
    download: bool = False,
    root: str | os.PathLike | None = None,
) -> Dataset:
    """A data set by its name, or the embedded digits in its place.

    Args:
        name: "digits", "mnist" or "fashion_mnist".
        fallback: "digits": where `name` is not to be had, say so in one
            line in each language and return the digits. None: raise.
        download: whether missing or damaged files may be fetched.
        root: as for `mnist`.

    Returns:
        `Dataset`; its `name` tells which one it is.

    Raises:
        DataError: the set is not to be had and there is no fallback.
        ValueError: an unknown name.
    """
    if name not in ("digits", *_FOLDERS):
        raise ValueError(
            "name: expected 'digits', 'mnist' or 'fashion_mnist',"
            f" got {name!r}"
        )
    if fallback not in (None, "digits"):
        raise ValueError(
            f"fallback: expected None or 'digits', got {fallback!r}"
        )
    if name == "digits":
        return digits()
    try:
        return {"mnist": mnist, "fashion_mnist": fashion_mnist}[name](
            root, download
        )
    except DataError as error:
        if fallback is None:
            raise
        from ._mnist import data_root

        place = f"{data_root(root)[1]}/{_FOLDERS[name]}/raw"
        print(
            f"没有可用的 {name}，改用内置的 digits。要用 {name}：运行"
            f" data.{name}(download=True)，或把四个 .gz 文件放进 {place}。\n"
            f"No usable {name}, so the embedded digits are taken: {error}"
        )
        return digits()


def of_mnist_form(
    dataset: type[MNIST],
    name: str,
    root: str | os.PathLike | None = None,
    download: bool = False,
    limits: Limits | None = None,
) -> Dataset:
    """A data set of MNIST's form, read with torchvision's reader.

    The files are checked and repaired first (see `helpers._archives`).

    Args:
        dataset: `torchvision.datasets.MNIST` or a class derived from it;
            its `resources`, `mirrors` and `classes` are used.
        name: the result's name, and the function's name in messages.
        root: the folder that holds `<class name>/raw`.
        download: whether missing or damaged files may be fetched.
        limits: seconds to wait; by default `Limits()`.

    Returns:
        `Dataset` in the original order.

    Raises:
        DataError: the files are not to be had; says why and what to do.
    """
    from ._mnist import read

    tensors = read(dataset, name, root, download, limits or Limits())
    return Dataset(name, *tensors, tuple(dataset.classes))


def _from_torchvision(
    name: str, root: str | os.PathLike | None, download: bool
) -> Dataset:
    from torchvision import datasets

    return of_mnist_form(
        getattr(datasets, _FOLDERS[name]), name, root, download
    )
