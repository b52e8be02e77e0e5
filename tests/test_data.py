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
from sklearn.datasets import load_digits

from helpers import data

COURSE = Path(__file__).resolve().parents[1]
ZEROS_TO_NINES = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
IN_THE_TEST_SET = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def mnist_root():
    """The folder with MNIST's archives, or a skip that says what is not."""
    places = [COURSE.parent / "shared" / "data", COURSE / "data"]
    if os.environ.get("COURSE_DATA"):
        places.insert(0, Path(os.environ["COURSE_DATA"]))
    for place in places:
        if (place / "MNIST/raw/train-images-idx3-ubyte.gz").is_file():
            return place
    pytest.skip("MNIST is not at hand in $COURSE_DATA, ../shared/data or data")


@pytest.fixture(scope="module")
def real():
    root = mnist_root()
    before = {p.name: p.stat().st_mtime for p in root.glob("MNIST/raw/*")}
    found = data.mnist(root)
    after = {p.name: p.stat().st_mtime for p in root.glob("MNIST/raw/*")}
    return root, found, before, after


def test_digits_have_the_promised_form():
    found = data.digits()
    assert found.name == "digits"
    assert found.x_train.shape == (1438, 1, 28, 28)
    assert found.x_test.shape == (359, 1, 28, 28)
    assert found.y_train.shape == (1438,)
    assert found.y_test.shape == (359,)
    assert found.classes == tuple("0123456789")
    for x, y in ((found.x_train, found.y_train), (found.x_test, found.y_test)):
        assert x.dtype == torch.float32
        assert y.dtype == torch.int64
        assert x.is_contiguous()
        assert x.min() == 0
        assert x.max() == 1
        assert set(y.tolist()) == set(range(10))
        assert (x[:, :, [0, 1, 2, -3, -2, -1]] == 0).all()
        assert (x[..., [0, 1, 2, -3, -2, -1]] == 0).all()


def test_digits_are_the_same_bits_everywhere():
    found = data.digits()
    content = hashlib.sha256(found.x_train.numpy().tobytes())
    content.update(found.x_test.numpy().tobytes())
    content.update(found.y_train.numpy().astype("<i8").tobytes())
    assert content.hexdigest() == (
        "b03da75e3a86c20d0892a773632da91155889635fa172ad7172cda23bff4944f"
    )


def test_digits_are_scikit_learns_each_once_enlarged():
    """Against cubic convolution as published, in floats, by matching."""
    source = load_digits()
    at = (np.arange(28) - 13.5) / 2.5 + 3.5
    t = abs(at[:, None] - np.arange(8))
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    weight = np.where(t <= 1, near, np.where(t < 2, far, 0))
    tall = np.clip(weight @ source.images / 16, 0, 1)
    expected = torch.from_numpy(np.clip(tall @ weight.T, 0, 1)).flatten(1)

    found = data.digits()
    x = torch.cat([found.x_train, found.x_test]).double().flatten(1)
    y = torch.cat([found.y_train, found.y_test])
    order = torch.cdist(x, expected).argmin(1)
    assert sorted(order.tolist()) == list(range(1797))
    assert (x - expected[order]).abs().max() < 1e-7
    assert torch.equal(y, torch.from_numpy(source.target)[order].long())


def test_split_is_stratified_and_has_its_own_seed():
    torch.manual_seed(1)
    one = data.digits()
    state = torch.get_rng_state()
    np.random.seed(3)
    two = data.digits()
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(one.x_test, two.x_test)
    counts = torch.bincount(one.y_test) / (
        torch.bincount(one.y_test) + torch.bincount(one.y_train)
    )
    assert (counts - 0.2).abs().max() < 0.003
    other = data.digits(seed=1)
    assert not torch.equal(one.x_test, other.x_test)
    half = data.digits(test_fraction=0.5)
    assert abs(len(half.y_test) - len(half.y_train)) <= 10


def test_digits_do_not_depend_on_torchs_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        assert data.digits().x_train.dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, 0.0001, 0.9999])
def test_digits_refuse_a_fraction_that_empties_a_class(fraction):
    with pytest.raises(ValueError, match=r"test_fraction: expected .* got"):
        data.digits(fraction)


def test_digits_when_scikit_learn_keeps_its_file_elsewhere(monkeypatch):
    """Then they come through scikit-learn's own function."""
    expected = data.digits()
    real = Path.is_file
    monkeypatch.setattr(
        Path,
        "is_file",
        lambda p: p.name != "digits.csv.gz" and real(p),
    )
    found = data.digits()
    assert torch.equal(found.x_train, expected.x_train)
    assert torch.equal(found.y_test, expected.y_test)


def test_digits_need_no_network_and_do_not_import_scikit_learn():
    """A socket, or scikit-learn with its second OpenMP, would fail this."""
    code = (
        "import socket, sys\n"
        "def no(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "from helpers import data\n"
        "data.digits()\n"
        "assert 'sklearn' not in sys.modules\n"
        "assert 'torchvision' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=COURSE,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_dataset_prints_in_one_short_line():
    assert repr(data.digits()) == (
        "Dataset(digits: train (1438, 1, 28, 28), test (359, 1, 28, 28),"
        " 10 classes)"
    )


def test_mnist_has_the_public_counts(real):
    _, found, _, _ = real
    assert found.name == "mnist"
    assert found.classes == tuple("0123456789")
    assert found.x_train.shape == (60000, 1, 28, 28)
    assert found.x_test.shape == (10000, 1, 28, 28)
    assert found.x_train.dtype == found.x_test.dtype == torch.float32
    assert found.y_train.dtype == found.y_test.dtype == torch.int64
    assert found.x_train.min() == 0
    assert found.x_train.max() == 1
    assert torch.bincount(found.y_train).tolist() == ZEROS_TO_NINES
    assert torch.bincount(found.y_test).tolist() == IN_THE_TEST_SET


def test_mnist_equals_the_archives_read_without_torchvision(real):
    root, found, _, _ = real
    for split, x, y in (
        ("train", found.x_train, found.y_train),
        ("t10k", found.x_test, found.y_test),
    ):
        raw = root / "MNIST" / "raw"
        pixels = np.frombuffer(
            gzip.decompress(
                (raw / f"{split}-images-idx3-ubyte.gz").read_bytes()
            ),
            np.uint8,
            offset=16,
        ).reshape(-1, 784)
        labels = np.frombuffer(
            gzip.decompress(
                (raw / f"{split}-labels-idx1-ubyte.gz").read_bytes()
            ),
            np.uint8,
            offset=8,
        )
        assert np.array_equal(labels, y.numpy())
        whole = x.flatten(1).mul(255).round().byte().numpy()
        assert np.array_equal(whole, pixels)
        some = torch.from_numpy(pixels[::50].copy()).float() / 255
        assert torch.equal(x[::50].flatten(1), some)


def test_reading_mnist_changes_nothing_that_was_there(real):
    _, _, before, after = real
    assert {n: t for n, t in after.items() if n in before} == before


def test_mnist_unpacked_without_its_archives(real, tmp_path):
    """Its digests are known, so the unpacked files alone are enough."""
    root, found, _, _ = real
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for archive in (root / "MNIST" / "raw").glob("*.gz"):
        content = gzip.decompress(archive.read_bytes())
        (raw / archive.name.removesuffix(".gz")).write_bytes(content)
    again = data.mnist(tmp_path)
    assert torch.equal(again.x_test, found.x_test)
    assert torch.equal(again.y_train, found.y_train)
    assert len(list(raw.iterdir())) == 4

    damaged = raw / "t10k-labels-idx1-ubyte"
    content = bytearray(damaged.read_bytes())
    content[100] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(data.DataError, match=r"labels-idx1-ubyte\.gz is m"):
        data.mnist(tmp_path)


def test_load_by_name_and_from_the_environment(real, monkeypatch):
    root, found, _, _ = real
    monkeypatch.setenv("COURSE_DATA", str(root))
    assert torch.equal(data.load("mnist").y_test, found.y_test)


def test_load_falls_back_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    found = data.load("fashion_mnist", fallback="digits")
    assert found.name == "digits"
    printed = capsys.readouterr()
    assert printed.err == ""
    assert str(tmp_path) not in printed.out
    zh, en = printed.out.splitlines()
    for line in (zh, en):
        assert "data.fashion_mnist(download=True)" in line
        assert "$COURSE_DATA/FashionMNIST/raw" in line
    assert "改用内置的 digits" in zh
    assert "train-images-idx3-ubyte.gz is missing" in en
    assert not list(tmp_path.iterdir()), "an empty folder was left"


def test_load_without_fallback_raises(tmp_path):
    with pytest.raises(data.DataError, match="is missing: run data"):
        data.load("mnist", root=tmp_path)


def test_the_default_folder_is_the_courses(monkeypatch):
    from helpers._mnist import data_root

    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert data_root(None) == (COURSE / "data", "data")
    monkeypatch.setenv("COURSE_DATA", "")
    assert data_root(None) == (COURSE / "data", "data")


def test_load_digits_prints_nothing(capsys):
    assert data.load("digits", fallback="digits").name == "digits"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["MNIST", "", None, 3, ["mnist"]])
def test_load_refuses_an_unknown_name(name):
    with pytest.raises(ValueError, match="name: expected 'digits', 'mnist'"):
        data.load(name)


def test_load_refuses_an_unknown_fallback():
    with pytest.raises(ValueError, match="fallback: expected None or"):
        data.load("mnist", fallback="mnist")


def test_root_must_be_a_path():
    with pytest.raises(TypeError, match="root: expected a path or None"):
        data.mnist(3)
