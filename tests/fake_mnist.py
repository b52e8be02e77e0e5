"""A small set of MNIST's form, and a server that hands it out or misbehaves.

The first part of an address says how the server behaves: http://…/good/ is
a mirror that works, http://…/cut/ one that breaks off, and so on.
"""

import gzip
import hashlib
import struct
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import torch
from torchvision.datasets import MNIST

SIZES = {"train": 40, "t10k": 12}
TRAIN_IMAGES = "train-images-idx3-ubyte"


def make_files():
    """Arrays by their unpacked name: uint8 (N, 28, 28) and (N,)."""
    random = np.random.RandomState(7)
    arrays = {}
    for split, count in SIZES.items():
        arrays[f"{split}-images-idx3-ubyte"] = random.randint(
            0, 256, (count, 28, 28)
        ).astype(np.uint8)
        arrays[f"{split}-labels-idx1-ubyte"] = random.randint(
            0, 10, count
        ).astype(np.uint8)
    return arrays


def idx(array):
    """The bytes of an idx file: magic number, sizes, then the pixels."""
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim)
    return (
        head + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    )


ARRAYS = make_files()
UNPACKED = {name: idx(array) for name, array in ARRAYS.items()}
ARCHIVES = {
    f"{name}.gz": gzip.compress(content, mtime=0)
    for name, content in UNPACKED.items()
}


def tiny(*mirrors):
    """A class as torchvision has them, with files and mirrors of its own."""
    resources = [
        (name, hashlib.md5(content, usedforsecurity=False).hexdigest())
        for name, content in ARCHIVES.items()
    ]
    return type(
        "Tiny", (MNIST,), {"resources": resources, "mirrors": list(mirrors)}
    )


def is_right(dataset):
    """Whether a `Dataset` holds exactly what `ARRAYS` says."""
    parts = []
    for split in ("train", "t10k"):
        images = torch.from_numpy(ARRAYS[f"{split}-images-idx3-ubyte"])
        labels = torch.from_numpy(ARRAYS[f"{split}-labels-idx1-ubyte"])
        parts += [images.float().div(255).unsqueeze(1), labels.long()]
    return all(
        have.dtype == want.dtype and torch.equal(have, want)
        for have, want in zip(dataset[1:5], parts, strict=True)
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        with self.server.counting:
            self.server.asked[name] += 1
        with suppress(OSError):  # the reader may have gone
            getattr(self, behaviour)(name)

    def head(self, length=None):
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send(self, content):
        self.head(len(content))
        self.wfile.write(content)

    def good(self, name):
        self.send(ARCHIVES[name])

    def unmeasured(self, name):
        self.head()
        self.wfile.write(ARCHIVES[name])

    def moved(self, name):
        self.send_response(302)
        self.send_header("Location", f"/good/{name}")
        self.end_headers()

    def absent(self, name):
        self.send_error(404)

    def broken(self, name):
        self.send_error(503)

    def wrong(self, name):
        self.send(b"<html>Please log in to this network</html>")

    def other(self, name):
        self.send(gzip.compress(UNPACKED[name.removesuffix(".gz")][::-1]))

    def empty(self, name):
        self.send(b"")

    def cut(self, name):
        self.head(len(ARCHIVES[name]))
        self.wfile.write(ARCHIVES[name][: len(ARCHIVES[name]) // 2])

    def cut_unmeasured(self, name):
        self.head()
        self.wfile.write(ARCHIVES[name][: len(ARCHIVES[name]) // 2])

    def silent(self, name):
        self.server.closing.wait(30)

    def silent_in_the_middle(self, name):
        self.head(len(ARCHIVES[name]))
        self.wfile.write(ARCHIVES[name][:100])
        self.wfile.flush()
        self.server.closing.wait(30)

    def drip(self, name):
        self.head(len(ARCHIVES[name]))
        for byte in ARCHIVES[name]:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(0.02):
                return

    def drip_in_the_header(self, name):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"x")

    def endless(self, name):
        self.head()
        while not self.server.closing.wait(0.01):
            self.wfile.write(b"x" * 10_000)

    def not_http(self, name):
        self.wfile.write(b"220 welcome to something else\r\n")

    def log_message(self, *args):
        pass


class Server:
    """The address of each behaviour, and how often a file was asked for."""

    def __init__(self, http):
        self._http = http
        self.asked = http.asked

    def __getattr__(self, behaviour):
        host, port = self._http.server_address
        return f"http://{host}:{port}/{behaviour}/"


@contextmanager
def serve():
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    http.block_on_close = False
    http.closing = threading.Event()
    http.counting = threading.Lock()
    http.asked = Counter()
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Server(http)
    finally:
        http.closing.set()
        http.shutdown()
        thread.join()
        http.server_close()


def put(root, archives=True, unpacked=False):
    """Write the set under `root` as torchvision lays it out."""
    raw = root / "Tiny" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in {
        **(ARCHIVES if archives else {}),
        **(UNPACKED if unpacked else {}),
    }.items():
        (raw / name).write_bytes(content)
    return raw


def race(barrier, answers, jobs):
    """One of two processes: load every job's set, both at the same moment.

    Args:
        barrier: of the two processes.
        answers: queue for one (job's number, what came) per job.
        jobs: list of (root, mirrors).
    """
    from helpers import data

    torch.set_num_threads(1)
    for number, (root, mirrors) in enumerate(jobs):
        barrier.wait(60)
        try:
            found = data.of_mnist_form(
                tiny(*mirrors), "tiny", root, download=bool(mirrors)
            )
            answers.put((number, "right" if is_right(found) else "wrong"))
        except Exception as error:  # whatever it is, the test must see it
            answers.put((number, f"{type(error).__name__}: {error}"))


def hold(lock_file, held, seconds):
    """Take a lock, say so, and keep it."""
    import filelock

    with filelock.FileLock(lock_file):
        held.set()
        time.sleep(seconds)
