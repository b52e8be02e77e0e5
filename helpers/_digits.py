"""The digits that come with scikit-learn, and how they reach 28×28."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from ._download import DataError


def embedded() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits: (1797, 8, 8) int64 in 0..16, (1797,) int64.

    The file is read where scikit-learn keeps it: to import scikit-learn
    for it takes a second, and brings a second OpenMP into the process.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "the embedded digits are part of scikit-learn, which is not"
            " installed: run pip install scikit-learn."
        )
    file = Path(spec.submodule_search_locations[0])
    file = file / "datasets" / "data" / "digits.csv.gz"
    if file.is_file():
        with gzip.open(file, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.int64)
        return table[:, :64].reshape(-1, 8, 8), table[:, 64].copy()
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images.astype(np.int64), found.target.astype(np.int64)


def enlarge(small: np.ndarray) -> np.ndarray:
    """(N, 8, 8) int64 in 0..16 -> (N, 28, 28) float32 in [0, 1].

    Cubic convolution (Keys 1981, a = -1/2) at 2.5 output pixels per input
    pixel, black outside; along columns, then along rows, each clipped to
    the range of grey. Distances are multiples of 1/10, so weights are
    multiples of 1/2000 and every sum is exact in integers.
    """
    at = 4 * np.arange(28)[:, None] - 19  # tenths of an input pixel
    t = abs(at - 10 * np.arange(8))  # (28, 8)
    near = 3 * t**3 - 50 * t**2 + 2000
    far = -(t**3) + 50 * t**2 - 800 * t + 4000
    weight = np.where(t <= 10, near, np.where(t < 20, far, 0))
    white = 16 * 2000
    tall = (weight @ small).clip(0, white)  # (N, 28, 8)
    large = (tall @ weight.T).clip(0, white * 2000)
    return (large / (white * 2000)).astype(np.float32)
