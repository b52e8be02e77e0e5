"""The files of a data set of MNIST's form: checked, unpacked, repaired.

The .gz archives are the truth, checked against the md5 that torchvision
carries for each. An unpacked file counts only if it has the length and the
CRC-32 that its archive states; otherwise it is unpacked again. Files appear
under their names by a rename, so that nobody ever reads half of one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import struct
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import filelock
from torchvision.datasets.utils import check_integrity

from ._download import DataError, Limits, fetch

# MNIST's unpacked files can be checked without their archives:
# md5 of the archive -> sha256 of its content.
_CONTENT = {
    "f68b3c2dcbeaaa9fbdd348bbdeb94873": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "d53e105ee54ea40749a09fcbcd1e9432": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "9fb629c4189551a2d022fa330f9573f3": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "ec29112dd5afa0611ce80d1b7f02629c": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}


class Source(NamedTuple):
    """Where the files of a data set lie and come from.

    Attributes:
        resources: (archive's name, its md5) of each file.
        mirrors: addresses that have the archives.
        folder: where the archives lie, unpacked files beside them.
        shown: how messages call that folder: never a path of the machine.
        advice: half a sentence, what the reader can do.
    """

    resources: Sequence[tuple[str, str]]
    mirrors: Sequence[str]
    folder: Path
    shown: str
    advice: str


def prepare(
    source: Source, spare: Path, download: bool, limits: Limits
) -> dict[str, Path]:
    """Make sure that every file of the set lies there unpacked and sound.

    Args:
        source: the data set.
        spare: an empty folder of our own; takes the unpacked files where
            the set's folder cannot be written.
        download: whether a missing or damaged archive may be fetched.
        limits: seconds to wait.

    Returns:
        Name without ".gz" -> path of the unpacked file.

    Raises:
        DataError: with one sentence that names the file and what to do.
    """
    try:
        lacking = [r for r in source.resources if not _is_sound(source, *r)]
        if lacking and not download:
            for name, md5 in lacking:
                _demand(source, name, md5)
        if not lacking:
            return {
                _stem(n): source.folder / _stem(n) for n, _ in source.resources
            }
        if download:
            source.folder.mkdir(parents=True, exist_ok=True)
        with _alone(source, limits):
            return {
                _stem(name): _settle(
                    source, name, md5, spare, download, limits
                )
                for name, md5 in source.resources
            }
    except OSError as error:
        raise DataError(
            f"{source.shown} cannot be used"
            f" ({error.strerror or type(error).__name__}): name a folder that"
            " can be read and written, and has 100 MB free, with root=... or"
            " the environment variable COURSE_DATA."
        ) from None


@contextmanager
def _alone(source: Source, limits: Limits):
    """One process at a time; without a lock where none can be had.

    The lock saves work (two processes do not both download), it does not
    make reading safe: that the renames do.
    """
    lock = filelock.FileLock(source.folder / ".lock", timeout=limits.lock)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise DataError(
            f"{source.shown} has been in use by another process for"
            f" {limits.lock:g} s: wait until that one is done or stop it,"
            " then run this again."
        ) from None
    except (OSError, NotImplementedError):
        yield  # a read-only folder, or a file system without locks
        return
    try:
        for part in source.folder.glob("*.part"):
            part.unlink(missing_ok=True)  # of a process that was killed
        yield
    finally:
        lock.release()


def _settle(
    source: Source,
    name: str,
    md5: str,
    spare: Path,
    download: bool,
    limits: Limits,
) -> Path:
    """Bring one file to its unpacked, sound form; returns where it lies."""
    if _is_sound(source, name, md5):
        return source.folder / _stem(name)
    if download and not check_integrity(source.folder / name, md5):
        try:
            fetch(name, md5, source.mirrors, source.folder, limits)
        except DataError as error:
            raise DataError(f"{error}: {source.advice}.") from None
    _demand(source, name, md5)
    try:
        return _unpack(source.folder / name, source.folder)
    except OSError:  # read-only, or full
        return _unpack(source.folder / name, spare)


def _unpack(archive: Path, folder: Path) -> Path:
    target = folder / _stem(archive.name)
    part = folder / f"{target.name}.{os.getpid()}.part"
    try:
        with gzip.open(archive) as packed, open(part, "wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
        os.replace(part, target)
    except (EOFError, zlib.error):  # the checksum was right, the gzip not
        raise OSError(0, f"{archive.name} is not a gzip file") from None
    finally:
        part.unlink(missing_ok=True)
    return target


def _demand(source: Source, name: str, md5: str) -> None:
    """Raise a `DataError` unless the archive is there and intact."""
    archive = source.folder / name
    if check_integrity(archive, md5):
        return
    if archive.exists():
        trouble = f"is damaged ({archive.stat().st_size:,} bytes, wrong md5)"
    elif (source.folder / _stem(name)).exists():
        trouble = "is missing, and without it the unpacked file is not trusted"
    else:
        trouble = "is missing"
    raise DataError(f"{source.shown}/{name} {trouble}: {source.advice}.")


def _is_sound(source: Source, name: str, md5: str) -> bool:
    """Whether the unpacked file is there and is what the archive holds."""
    archive = source.folder / name
    unpacked = source.folder / _stem(name)
    if not unpacked.is_file():
        return False
    if not check_integrity(archive, md5):
        with open(unpacked, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return content == _CONTENT.get(md5)
    with open(archive, "rb") as file:
        file.seek(-8, os.SEEK_END)  # RFC 1952: CRC-32 and length, at the end
        crc, length = struct.unpack("<II", file.read(8))
    return unpacked.stat().st_size == length and _crc32(unpacked) == crc


def _crc32(path: Path) -> int:
    crc = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
    return crc


def _stem(name: str) -> str:
    return name.removesuffix(".gz")
