"""Sets of MNIST's form: from files to tensors, with torchvision's reader."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
from torchvision.datasets import MNIST
from torchvision.datasets.mnist import read_image_file, read_label_file

from ._archives import Source, prepare
from ._download import DataError, Limits


def read(
    dataset: type[MNIST],
    name: str,
    root: str | os.PathLike | None,
    download: bool,
    limits: Limits,
) -> list[torch.Tensor]:
    """Check and repair the files, then read them.

    Args:
        dataset: its `resources` and `mirrors` are used.
        name: the function's name in messages.
        root: the folder that holds `<class name>/raw`.
        download: whether missing or damaged files may be fetched.
        limits: seconds to wait.

    Returns:
        (N, 1, 28, 28) float32 in [0, 1] and (N,) int64 for training, then
        the same for testing.

    Raises:
        DataError: the files are not to be had; says why and what to do.
    """
    base, shown = data_root(root)
    folder = Path(dataset.__name__, "raw")
    shown = f"{shown}/{folder.as_posix()}"
    count = len(dataset.resources)
    source = Source(
        dataset.resources,
        dataset.mirrors,
        base / folder,
        shown,
        f"run data.{name}(download=True) while online, or put its {count}"
        f" .gz files into {shown}",
    )
    parts = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as spare:
        files = prepare(source, Path(spare), download, limits)
        try:
            for split in ("train", "t10k"):
                x = read_image_file(str(files[f"{split}-images-idx3-ubyte"]))
                y = read_label_file(str(files[f"{split}-labels-idx1-ubyte"]))
                parts += [x.unsqueeze(1).to(torch.float32).div_(255), y]
        except (OSError, RuntimeError, ValueError, AssertionError) as error:
            raise DataError(
                f"{shown} could not be read ({type(error).__name__}):"
                f" {source.advice}."
            ) from None
    return parts


def data_root(root: str | os.PathLike | None) -> tuple[Path, str]:
    """The data folder, and how messages call it."""
    if root is not None:
        if not isinstance(root, (str, os.PathLike)):
            raise TypeError(
                f"root: expected a path or None, got {type(root).__name__}"
            )
        return Path(root).expanduser(), "root"
    if os.environ.get("COURSE_DATA"):
        return Path(os.environ["COURSE_DATA"]).expanduser(), "$COURSE_DATA"
    return Path(__file__).resolve().parents[1] / "data", "data"
