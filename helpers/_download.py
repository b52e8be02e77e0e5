"""Fetch one file over HTTP: never a hang, never a half-written file."""

from __future__ import annotations

import hashlib
import os
import queue
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

_CHUNK = 1 << 16
_SLOWEST = 1000  # bytes per second; slower than this counts as no answer
_LARGEST = 100 << 20  # bytes; a server that sends more would fill the disk


class DataError(RuntimeError):
    """A data set is not to be had; the message says why and what to do."""


class Limits(NamedTuple):
    """How long to wait, in seconds.

    Attributes:
        stall: without 1 kB/s on average, before a server is given up.
        total: for one file from one server.
        lock: for another process that prepares the same files.
    """

    stall: float = 15.0
    total: float = 600.0
    lock: float = 120.0


class _FailedError(Exception):
    """One attempt failed; the message is a few words."""


def fetch(
    name: str,
    md5: str,
    mirrors: Sequence[str],
    folder: Path,
    limits: Limits,
) -> None:
    """Download `name` into `folder` from the first mirror that has it.

    The file appears under its name only when it is complete and its
    checksum is right; what was there before stays until then.

    Args:
        name: file name, appended to each mirror.
        md5: expected checksum, hexadecimal.
        mirrors: addresses that end in a slash, tried in turn.
        folder: an existing folder.
        limits: seconds to wait.

    Raises:
        DataError: no mirror gave the file; names each and its reason.
        OSError: the folder cannot be written.
    """
    reasons = []
    for mirror in mirrors:
        host = urlsplit(mirror).netloc
        part = folder / f"{name}.{os.getpid()}.part"
        print(f"{name} from {host} ", end="", flush=True)
        try:
            with open(part, "wb") as file:
                size, found = _receive(mirror + name, file, limits)
            if found != md5:
                raise _FailedError(
                    f"another file came, {size:,} bytes with md5 {found}"
                )
            os.replace(part, folder / name)
            print(f" {size / 1e6:.1f} MB", flush=True)
            return
        except _FailedError as error:
            print(f" {error}", flush=True)
            reasons.append(f"{host}: {error}")
        finally:
            part.unlink(missing_ok=True)
    raise DataError(f"{name} could not be downloaded ({'; '.join(reasons)})")


def _receive(url: str, file: BinaryIO, limits: Limits) -> tuple[int, str]:
    """Copy what `url` sends into `file`; returns its size and md5.

    A thread of its own waits for the network, because a name look-up and
    a header sent byte by byte know no time limit. This function only
    watches the clock; the thread it leaves behind ends by itself.
    """
    chunks: queue.SimpleQueue = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(
        target=_send_on, args=(url, chunks, stop, limits), daemon=True
    ).start()
    md5 = hashlib.md5(usedforsecurity=False)
    size = fresh = 0
    begin = since = time.monotonic()
    try:
        while True:
            now = time.monotonic()
            if now - begin > limits.total:
                raise _FailedError(f"not finished after {limits.total:g} s")
            if now - since > limits.stall:
                raise _FailedError(_no_answer(limits, size))
            try:  # in short waits, so that an interrupt gets through
                chunk = chunks.get(timeout=min(0.2, limits.stall / 4))
            except queue.Empty:
                continue
            if isinstance(chunk, _FailedError):
                raise chunk
            if not chunk:
                return size, md5.hexdigest()
            file.write(chunk)
            md5.update(chunk)
            if (size + len(chunk)) // 1_000_000 > size // 1_000_000:
                print(".", end="", flush=True)  # one dot a megabyte
            size += len(chunk)
            if size > _LARGEST:
                raise _FailedError(
                    f"another file came, over {_LARGEST:,} bytes"
                )
            fresh += len(chunk)
            if fresh >= _SLOWEST * limits.stall:
                fresh, since = 0, now
    finally:
        stop.set()


def _send_on(
    url: str,
    chunks: queue.SimpleQueue,
    stop: threading.Event,
    limits: Limits,
) -> None:
    """Put the bytes of `url` into `chunks`, then b"" or the failure."""
    size = 0
    request = urllib.request.Request(
        url, headers={"User-Agent": "tensor-to-transformer"}
    )
    try:
        with urllib.request.urlopen(request, timeout=limits.stall) as answer:
            expected = answer.length
            while chunk := answer.read1(_CHUNK):
                if stop.is_set():
                    return
                size += len(chunk)
                chunks.put(chunk)
        if expected is not None and size < expected:
            raise _FailedError(f"cut off after {size:,} of {expected:,} bytes")
        chunks.put(b"")
    except _FailedError as error:
        chunks.put(error)
    except urllib.error.HTTPError as error:
        error.close()
        chunks.put(_FailedError(f"HTTP {error.code}"))
    except Exception as error:  # whatever it is, the reader must hear of it
        chunks.put(_FailedError(_in_words(error, limits, size)))


def _in_words(error: Exception, limits: Limits, size: int) -> str:
    """A network error in a few words, without addresses or paths."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return _no_answer(limits, size)
    if isinstance(cause, socket.gaierror):
        return "no network, or the name is not known"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            "its certificate cannot be verified; with Python from python.org"
            " on macOS, run Install Certificates.command once"
        )
    if size:
        return f"cut off after {size:,} bytes"
    words = getattr(cause, "strerror", None) or type(cause).__name__
    return f"no connection, {words}"


def _no_answer(limits: Limits, size: int) -> str:
    if size:
        return f"too slow, {size:,} bytes and then under 1 kB/s"
    return f"no answer in {limits.stall:g} s"
