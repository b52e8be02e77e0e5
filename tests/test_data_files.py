"""Whatever files and servers do: right tensors, or one clear sentence.

A small set takes MNIST's place. The server hands it out or misbehaves as the
first part of an address says: http://…/good/, http://…/cut/, and so on.
"""

import gzip
import hashlib
import multiprocessing
import os
import struct
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from helpers import data

_random = np.random.RandomState(7)
ARRAYS = [
    _random.randint(0, high, shape).astype(np.uint8)
    for high, shape in (
        *((256, (40, 28, 28)), (10, (40,))),
        *((256, (12, 28, 28)), (10, (12,))),
    )
]
NAMES = [name for name, _ in MNIST.resources]
FILES = {
    name: gzip.compress(
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        + array.tobytes(),
        mtime=0,
    )
    for name, array in zip(NAMES, ARRAYS, strict=True)
}


SUMS = [(name, hashlib.md5(file).hexdigest()) for name, file in FILES.items()]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        self.server.asked.append(name)
        with suppress(OSError):  # the reader may have gone
            getattr(self, behaviour)(FILES[name])

    def send(self, content, length=None):
        self.send_response(200)
        if length:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def good(self, content):
        self.send(content, len(content))

    def absent(self, content):
        self.send_error(404)

    def wrong(self, content):
        self.send(b"<html>Please log in to this network</html>")

    def cut(self, content):
        self.send(content[: len(content) // 2], len(content))

    def silent(self, content):
        self.server.closing.wait(30)

    def silent_in_the_middle(self, content):
        self.send(content[:100], len(content))
        self.wfile.flush()
        self.server.closing.wait(30)

    def slow(self, content):
        self.send(content[:100], len(content))
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"x")

    def endless(self, content):
        self.send(b"")
        while not self.server.closing.is_set():
            self.wfile.write(bytes(10_000))

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads, http.block_on_close = True, False
    http.closing, http.asked = threading.Event(), []
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    yield http
    http.closing.set()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def at(server, monkeypatch):
    """A function that makes mirrors of these behaviours the set's own."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COURSE_LANG", "en")
    monkeypatch.setattr(data, "_STALL", 0.4)
    monkeypatch.setattr(data, "_LARGEST", 200_000)
    host = f"http://127.0.0.1:{server.server_address[1]}"

    def mirrors(*behaviours):
        addresses = (b if ":" in b else f"{host}/{b}/" for b in behaviours)
        monkeypatch.setattr(MNIST, "mirrors", list(addresses))

    mirrors()
    monkeypatch.setattr(MNIST, "resources", SUMS)
    server.asked.clear()
    return mirrors


def put(root):
    """Write the set where `root` says that it lies."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (raw / name).write_bytes(content)
    return raw


def is_right(found):
    """Whether a `Dataset` holds exactly what `ARRAYS` says."""
    for have, array in zip(found[1:5], ARRAYS, strict=True):
        want = torch.from_numpy(array)
        images = want.ndim == 3
        want = want[:, None].float() / 255 if images else want.long()
        if have.dtype != want.dtype or not torch.equal(have, want):
            return False
    return True


def refuse(root, download=True):
    """Load the set, which must fail; returns the sentence."""
    with pytest.raises(data.DataError) as caught:
        data.mnist(root, download=download)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(root) not in sentence
    assert sentence.endswith(
        ": run data.mnist(download=True) while online, or put its four .gz"
        " files into root/MNIST/raw."
    )
    return sentence


def kept(root):
    """The names of the files that lie there."""
    return {path.name for path in root.rglob("*") if path.is_file()}


DAMAGES = [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: c[:-1] + b"!"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_named_and_fetched_again(tmp_path, at, damage):
    path = put(tmp_path) / NAMES[2]
    path.write_bytes(damage(FILES[path.name]))
    told = refuse(tmp_path, download=False)
    assert told.startswith(
        f"root/MNIST/raw/{path.name} is missing or damaged: "
    )
    at("good")
    assert is_right(data.mnist(tmp_path, download=True))
    assert path.read_bytes() == FILES[path.name]
    assert kept(tmp_path) == {*NAMES}


def test_a_missing_folder_is_named_and_not_made(tmp_path, at, server):
    at("good")
    told = refuse(tmp_path / "nowhere", download=False)
    assert f"root/MNIST/raw/{NAMES[0]} is missing or damaged: " in told
    assert not list(tmp_path.iterdir())
    assert not server.asked


def test_download(tmp_path, at, server, capsys):
    at("good")
    assert is_right(data.mnist(tmp_path, download=True))
    assert is_right(data.mnist(tmp_path, download=True))
    assert server.asked == NAMES, "a file was fetched that was there"
    assert kept(tmp_path) == {*NAMES}
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(printed.out.splitlines()) == 4
    assert str(tmp_path) not in printed.out


BAD_SERVERS = {
    "absent": "HTTP Error 404",
    "wrong": "another file came",
    "cut": "cut off",
    "silent": "timed out",
    "silent_in_the_middle": "timed out",
    "slow": "too slow",
    "endless": "too large",
    "http://data.invalid/": "data.invalid: ",
}


@pytest.mark.parametrize(("behaviour", "reason"), BAD_SERVERS.items())
def test_a_bad_server(tmp_path, at, behaviour, reason):
    at(behaviour)
    path = put(tmp_path) / NAMES[2]
    path.write_bytes(b"half")
    told = refuse(tmp_path)
    assert f"{path.name} could not be downloaded (" in told
    assert reason in told
    assert path.read_bytes() == b"half", "a bad file was kept"
    assert kept(tmp_path) == {*NAMES}
    at(behaviour, "good")
    assert is_right(data.mnist(tmp_path, download=True))


def test_a_folder_that_cannot_be_written(tmp_path, at):
    (tmp_path / "MNIST").write_text("not a folder")
    at("good")
    assert "directory" in refuse(tmp_path).lower()


def race(root, mirror, barrier, answers):
    """One of two processes that download at the same moment."""
    MNIST.resources, MNIST.mirrors = SUMS, [mirror]
    for number in range(10):
        barrier.wait(60)
        found = data.mnist(root / str(number), download=True)
        answers.put(is_right(found))


def test_two_processes_at_once(tmp_path, at, server):
    known = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in known else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload([__name__])  # torch is imported once
    barrier, answers = context.Barrier(2), context.Queue()
    mirror = f"http://127.0.0.1:{server.server_address[1]}/good/"
    pair = [
        context.Process(target=race, args=(tmp_path, mirror, barrier, answers))
        for _ in range(2)
    ]
    for process in pair:
        process.start()
    assert [answers.get(timeout=120) for _ in range(20)] == 20 * [True]
    for process in pair:
        process.join(60)
    assert kept(tmp_path) == {*NAMES}
