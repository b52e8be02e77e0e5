"""Data sets: the embedded digits, MNIST itself, arguments, the fallback.

What can go wrong with files and servers is in test_data_files.py.
"""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import data

ZEROS_TO_NINES = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
IN_THE_TEST_SET = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(scope="module")
def raw(root):
    """The folder of MNIST's archives."""
    for place in (os.environ.get("COURSE_DATA"), root / "data"):
        folder = Path(place or "nowhere", "MNIST", "raw")
        if (folder / "train-images-idx3-ubyte.gz").is_file():
            return folder
    pytest.skip("MNIST is not at hand in $COURSE_DATA or data")


@pytest.fixture(scope="module")
def real(raw):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(raw.parents[1]))
        return data.load("mnist")


def test_digits_are_the_same_bits_everywhere():
    torch.set_default_dtype(torch.float64)
    try:
        found = data.digits()
    finally:
        torch.set_default_dtype(torch.float32)
    assert repr(found) == (
        "Dataset(digits: train (1438, 1, 28, 28), test (359, 1, 28, 28),"
        " 10 classes)"
    )
    assert found.x_train.dtype == torch.float32
    content = hashlib.sha256(found.x_train.numpy().tobytes())
    content.update(found.x_test.numpy().tobytes())
    content.update(found.y_train.numpy().astype("<i8").tobytes())
    assert content.hexdigest() == (
        "b03da75e3a86c20d0892a773632da91155889635fa172ad7172cda23bff4944f"
    )


def test_split_is_stratified_and_has_its_own_seed():
    state = torch.get_rng_state()
    found = data.digits()
    assert torch.equal(state, torch.get_rng_state())
    held_out = torch.bincount(found.y_test)
    share = held_out / (held_out + torch.bincount(found.y_train))
    assert (share - 0.2).abs().max() < 0.003
    assert not torch.equal(found.x_test, data.digits(seed=1).x_test)


def test_digits_need_no_network_and_do_not_import_scikit_learn(root):
    """A socket, or scikit-learn with its second OpenMP, would fail this."""
    code = (
        "import socket, sys\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "from helpers import data\n"
        "data.digits()\n"
        "assert not {'sklearn', 'torchvision'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mnist_is_what_its_archives_hold(raw, real):
    assert (real.name, real.classes) == ("mnist", tuple("0123456789"))
    assert torch.bincount(real.y_train).tolist() == ZEROS_TO_NINES
    assert torch.bincount(real.y_test).tolist() == IN_THE_TEST_SET
    for split, x, y in (
        ("train", real.x_train, real.y_train),
        ("t10k", real.x_test, real.y_test),
    ):
        images = (raw / f"{split}-images-idx3-ubyte.gz").read_bytes()
        pixels = np.frombuffer(gzip.decompress(images), np.uint8, offset=16)
        labels = (raw / f"{split}-labels-idx1-ubyte.gz").read_bytes()
        labels = np.frombuffer(gzip.decompress(labels), np.uint8, offset=8)
        assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
        assert np.array_equal(labels, y.numpy())
        expected = torch.from_numpy(pixels.reshape(-1, 1, 28, 28).copy())
        assert torch.equal(x, expected.float() / 255)
    assert len(list(raw.iterdir())) == 4, "something was unpacked"


@pytest.mark.parametrize(
    ("lang", "said"), [("zh", "改用内置的 digits"), ("en", "are taken")]
)
def test_load_falls_back_and_says_so(
    tmp_path, monkeypatch, capsys, lang, said
):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_LANG", lang)
    assert data.load("fashion_mnist", fallback="digits").name == "digits"
    printed = capsys.readouterr()
    assert printed.err == ""
    [line] = printed.out.splitlines()
    assert said in line
    assert "data.fashion_mnist(download=True)" in line
    assert "$COURSE_DATA/FashionMNIST/raw/train-images" in line
    assert not list(tmp_path.iterdir()), "an empty folder was left"
    assert data.load("digits", fallback="digits").name == "digits"
    assert capsys.readouterr().out == ""


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"test_fraction: expected .* got 1"):
        data.digits(1)
    with pytest.raises(ValueError, match=r"name: expected .* got 'MNIST'"):
        data.load("MNIST")
    with pytest.raises(ValueError, match="fallback: expected None or"):
        data.load("mnist", fallback="mnist")
