"""Whatever files and servers do: right tensors, or one clear sentence."""

import gzip
import hashlib
import multiprocessing
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from fake_mnist import (
    ARCHIVES,
    TRAIN_IMAGES,
    UNPACKED,
    hold,
    is_right,
    put,
    race,
    serve,
    tiny,
)

from helpers import _download, data
from helpers._download import Limits

FAST = Limits(stall=0.4, total=1.0, lock=0.5)
TRAIN_ARCHIVE = f"{TRAIN_IMAGES}.gz"


@pytest.fixture(scope="module")
def server():
    with serve() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def load(root, *mirrors, download=False, limits=FAST):
    """Load the set; what comes is right, or a `DataError` is raised."""
    begin = time.monotonic()
    try:
        found = data.of_mnist_form(
            tiny(*mirrors), "tiny", root, download, limits
        )
    finally:
        assert time.monotonic() - begin < 6
    assert is_right(found), "wrong data"
    return found


def refuse(root, *mirrors, download=False, limits=FAST):
    """Load the set, which must fail; returns the sentence."""
    with pytest.raises(data.DataError) as caught:
        load(root, *mirrors, download=download, limits=limits)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert str(root) not in sentence
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or not caught.value.__context__
    return sentence


def leftovers(root):
    """Files that are neither archives nor unpacked files nor the lock."""
    return [
        str(p.relative_to(root))
        for p in root.rglob("*")
        if p.is_file()
        and p.name not in ARCHIVES
        and p.name not in UNPACKED
        and p.name != ".lock"
    ]


def flip(path):
    """Damage one byte in the middle; the length stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\0\0")


DAMAGES = [flip, truncate, empty, lengthen]


# Files that lie there


def test_archives_are_unpacked_once(tmp_path):
    raw = put(tmp_path)
    load(tmp_path)
    assert {p.name for p in raw.iterdir()} == {*ARCHIVES, *UNPACKED, ".lock"}
    times = {p.name: p.stat().st_mtime_ns for p in raw.iterdir()}
    load(tmp_path)
    assert {p.name: p.stat().st_mtime_ns for p in raw.iterdir()} == times


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", UNPACKED)
def test_a_damaged_unpacked_file_is_repaired(tmp_path, name, damage):
    raw = put(tmp_path, unpacked=True)
    damage(raw / name)
    load(tmp_path)
    assert (raw / name).read_bytes() == UNPACKED[name]
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_named(tmp_path, damage):
    raw = put(tmp_path, unpacked=True)
    damage(raw / TRAIN_ARCHIVE)
    size = (raw / TRAIN_ARCHIVE).stat().st_size
    assert refuse(tmp_path) == (
        f"root/Tiny/raw/{TRAIN_ARCHIVE} is damaged ({size:,} bytes, wrong"
        " md5): run data.tiny(download=True) while online, or put its 4 .gz"
        " files into root/Tiny/raw."
    )


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_fetched_again(tmp_path, server, damage):
    raw = put(tmp_path)
    damage(raw / TRAIN_ARCHIVE)
    load(tmp_path, server.good, download=True)
    assert (raw / TRAIN_ARCHIVE).read_bytes() == ARCHIVES[TRAIN_ARCHIVE]
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_missing_archive_is_named(tmp_path, unpacked):
    raw = put(tmp_path, unpacked=unpacked)
    (raw / TRAIN_ARCHIVE).unlink()
    sentence = refuse(tmp_path)
    assert f"{TRAIN_ARCHIVE} is missing" in sentence
    assert ("the unpacked file is not trusted" in sentence) == unpacked


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    root = tmp_path / "nowhere"
    assert f"{TRAIN_ARCHIVE} is missing" in refuse(root)
    assert not root.exists()


def test_a_file_in_place_of_a_folder(tmp_path, server):
    (tmp_path / "Tiny").write_text("not a folder")
    assert "is missing" in refuse(tmp_path)
    assert "cannot be used" in refuse(tmp_path, server.good, download=True)


def test_a_folder_in_place_of_a_file(tmp_path):
    raw = put(tmp_path)
    (raw / TRAIN_IMAGES).mkdir()
    load(tmp_path)  # unpacked elsewhere


def test_an_archive_that_is_no_gzip(tmp_path):
    """The md5 is right, the content is not: a class with a wrong table."""
    put(tmp_path)
    broken = tiny()
    name, _ = broken.resources[0]
    content = ARCHIVES[name][:-200]
    broken.resources[0] = (
        name,
        hashlib.md5(content, usedforsecurity=False).hexdigest(),
    )
    (tmp_path / "Tiny/raw" / name).write_bytes(content)
    with pytest.raises(data.DataError, match="is not a gzip file"):
        data.of_mnist_form(broken, "tiny", tmp_path, limits=FAST)
    assert not leftovers(tmp_path)


def test_old_processed_files_are_not_believed(tmp_path):
    """torchvision itself would read these instead of the archives."""
    put(tmp_path)
    processed = tmp_path / "Tiny" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        (processed / name).write_bytes(b"something else")
    load(tmp_path)


def test_parts_left_by_a_killed_process_are_removed(tmp_path):
    raw = put(tmp_path)
    (raw / f"{TRAIN_IMAGES}.4711.part").write_bytes(b"half")
    load(tmp_path)
    assert not leftovers(tmp_path)


# Folders that cannot be written


@pytest.fixture
def seal(tmp_path):
    """A function that makes tmp_path/"root" read-only, root or not."""
    mounted = []

    def make(*options):
        root = tmp_path / "root"
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            done = subprocess.run(
                ["mount", "--bind", "-o", "ro", root, root],
                capture_output=True,
            )
            if done.returncode:
                pytest.skip("chmod does not bind root, and mount is refused")
            mounted.append(root)
        elif os.name == "nt":
            pytest.skip("Windows has no read-only folders")
        else:
            for folder in [root, *root.rglob("*")]:
                if folder.is_dir():
                    folder.chmod(0o555)
                    mounted.append(folder)
        with pytest.raises(OSError, match=r"Read-only|Permission"):
            (root / "Tiny" / "raw" / "probe").write_text("")
        return root

    yield make
    for folder in mounted:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            subprocess.run(["umount", folder], check=True)
        else:
            folder.chmod(0o755)


@pytest.mark.parametrize("download", [False, True])
@pytest.mark.parametrize("unpacked", [False, True])
def test_a_read_only_folder_is_read(
    tmp_path, server, seal, unpacked, download
):
    put(tmp_path / "root", unpacked=unpacked)
    load(seal(), server.good, download=download)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_read_only_folder_with_a_damaged_unpacked_file(
    tmp_path, seal, damage
):
    raw = put(tmp_path / "root", unpacked=True)
    damage(raw / TRAIN_IMAGES)
    load(seal())


def test_a_read_only_folder_without_archives(tmp_path, server, seal):
    put(tmp_path / "root", archives=False)
    root = seal()
    assert "is missing" in refuse(root)
    sentence = refuse(root, server.good, download=True)
    assert re.search(r"cannot be used \((Read-only|Permission)", sentence)
    assert "COURSE_DATA" in sentence


def test_a_full_disk(tmp_path, server):
    """A file system of 32 kB: the archives do not fit."""
    root = tmp_path / "small"
    root.mkdir()
    done = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", root],
            capture_output=True,
        )
        if hasattr(os, "geteuid") and os.geteuid() == 0
        else None
    )
    if done is None or done.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        sentence = refuse(root, server.good, download=True)
        assert "cannot be used (No space left on device)" in sentence
        assert not leftovers(root)
    finally:
        subprocess.run(["umount", root], check=True)


def test_unpacking_elsewhere_when_the_folder_refuses(tmp_path, monkeypatch):
    """As on a read-only or full disk, wherever the tests run."""
    raw = put(tmp_path)
    real = os.replace

    def refusing(source, target):
        if os.path.dirname(target) == str(raw):
            raise OSError(30, "Read-only file system", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    load(tmp_path)
    assert not {p.name for p in raw.iterdir()} & {*UNPACKED}
    assert not leftovers(tmp_path)


# Servers


@pytest.mark.parametrize("mirror", ["good", "unmeasured", "moved"])
def test_download(tmp_path, server, mirror, capsys):
    load(tmp_path, getattr(server, mirror), download=True)
    raw = tmp_path / "Tiny" / "raw"
    assert {p.name for p in raw.iterdir()} == {*ARCHIVES, *UNPACKED, ".lock"}
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(printed.out.splitlines()) == 4
    assert str(tmp_path) not in printed.out


BAD_SERVERS = {
    "absent": "HTTP 404",
    "broken": "HTTP 503",
    "wrong": "another file came, 42 bytes with md5",
    "other": "another file came",
    "empty": "another file came, 0 bytes",
    "cut": "cut off after",
    "cut_unmeasured": "another file came",
    "silent": "no answer in 0.4 s",
    "silent_in_the_middle": "too slow, 100 bytes and then under 1 kB/s",
    "drip": "too slow",
    "drip_in_the_header": "no answer in 0.4 s",
    "endless": "not finished after 1 s",
    "not_http": "no connection, BadStatusLine",
}


@pytest.mark.parametrize(("mirror", "reason"), BAD_SERVERS.items())
def test_a_bad_server_gives_one_sentence(tmp_path, server, mirror, reason):
    sentence = refuse(tmp_path, getattr(server, mirror), download=True)
    assert sentence.startswith(f"{TRAIN_ARCHIVE} could not be downloaded (")
    assert reason in sentence
    assert "data.tiny(download=True)" in sentence
    assert "put its 4 .gz files into root/Tiny/raw" in sentence
    assert not leftovers(tmp_path)
    assert not list(tmp_path.rglob("*.gz")), "a bad file was kept"


@pytest.mark.parametrize("mirror", BAD_SERVERS)
def test_a_good_mirror_after_a_bad_one(tmp_path, server, mirror):
    raw = put(tmp_path)
    (raw / TRAIN_ARCHIVE).unlink()
    load(tmp_path, getattr(server, mirror), server.good, download=True)
    assert not leftovers(tmp_path)


def test_every_mirror_is_named_with_its_reason(tmp_path, server):
    sentence = refuse(tmp_path, server.absent, server.cut, download=True)
    assert re.search(r"\(127\S+: HTTP 404; 127\S+: cut off", sentence)


def test_a_bad_download_leaves_the_old_archive(tmp_path, server):
    raw = put(tmp_path)
    truncate(raw / TRAIN_ARCHIVE)
    before = (raw / TRAIN_ARCHIVE).read_bytes()
    refuse(tmp_path, server.cut, download=True)
    assert (raw / TRAIN_ARCHIVE).read_bytes() == before


def test_nothing_is_fetched_that_is_there(tmp_path, server):
    server.asked.clear()
    put(tmp_path)
    load(tmp_path, server.good, download=True)
    assert not server.asked
    (tmp_path / "Tiny/raw" / TRAIN_ARCHIVE).unlink()
    load(tmp_path, server.good, download=True)
    assert server.asked == {TRAIN_ARCHIVE: 1}


def test_nothing_is_fetched_unasked(tmp_path, server):
    server.asked.clear()
    refuse(tmp_path, server.good)
    assert not server.asked


# No network


def test_a_closed_port(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    patient = Limits(stall=5, total=5)  # Windows tries for two seconds
    sentence = refuse(tmp_path, address, download=True, limits=patient)
    assert "connection refused" in sentence


def test_a_name_that_is_not_known(tmp_path, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    sentence = refuse(tmp_path, "http://data.invalid/", download=True)
    assert "data.invalid: no network, or the name is not known" in sentence


def test_a_server_that_would_fill_the_disk(tmp_path, server, monkeypatch):
    monkeypatch.setattr(_download, "_LARGEST", 50_000)
    sentence = refuse(tmp_path, server.endless, download=True)
    assert "another file came, over 50,000 bytes" in sentence
    assert not leftovers(tmp_path)


def test_a_certificate_that_cannot_be_verified(tmp_path, monkeypatch):
    """As with Python from python.org on a new Mac."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")

    def refused(*args, **kwargs):
        raise urllib.error.URLError(error)

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    sentence = refuse(tmp_path, "https://data.invalid/", download=True)
    assert "its certificate cannot be verified" in sentence
    assert "Install Certificates.command" in sentence


def test_a_name_server_that_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(3))
    sentence = refuse(tmp_path, "http://data.invalid/", download=True)
    assert "no answer in 0.4 s" in sentence


def test_an_address_that_is_none(tmp_path):
    sentence = refuse(tmp_path, "nonsense://x/", download=True)
    assert "no connection" in sentence


# Several processes


def processes():
    """A way to start processes that need not import torch each time.

    A fork server imports it once and is clean of this process's threads.
    Where there is none (Windows), processes start from nothing.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["torch", "torchvision", "fake_mnist"])
        return context
    return multiprocessing.get_context("spawn")


def test_two_processes_at_once(tmp_path, server):
    """Twenty times: ten unpack at once, ten download at once."""
    server.asked.clear()
    jobs = []
    for number in range(20):
        root = tmp_path / str(number)
        if number % 2:
            jobs.append((root, [server.good]))
        else:
            put(root)
            jobs.append((root, []))
    context = processes()
    barrier, answers = context.Barrier(2), context.Queue()
    pair = [
        context.Process(target=race, args=(barrier, answers, jobs))
        for _ in range(2)
    ]
    for process in pair:
        process.start()
    came = sorted(answers.get(timeout=120) for _ in range(40))
    for process in pair:
        process.join(60)
    assert came == sorted((n, "right") for n in range(20) for _ in range(2))
    assert [p.exitcode for p in pair] == [0, 0]
    assert set(server.asked.values()) == {10}, "a file was fetched twice"
    assert not leftovers(tmp_path)


@pytest.fixture
def held(tmp_path):
    """The set, packed, and another process that keeps its lock."""
    raw = put(tmp_path)
    context = processes()
    event = context.Event()
    process = context.Process(target=hold, args=(raw / ".lock", event, 60))
    process.start()
    assert event.wait(60)
    yield process
    process.kill()
    process.join(60)


def test_another_process_keeps_the_lock(tmp_path, held):
    assert refuse(tmp_path) == (
        "root/Tiny/raw has been in use by another process for 0.5 s: wait"
        " until that one is done or stop it, then run this again."
    )
    held.kill()
    held.join(60)
    load(tmp_path)  # the lock file is still there, its owner is not


def test_a_sound_set_needs_no_lock(tmp_path, held):
    for name, content in UNPACKED.items():
        (tmp_path / "Tiny/raw" / name).write_bytes(content)
    load(tmp_path)


def test_a_stale_lock_file_is_no_obstacle(tmp_path):
    raw = put(tmp_path)
    (raw / ".lock").write_text("4711")
    load(tmp_path)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    import filelock

    def none(self, *args, **kwargs):
        raise NotImplementedError("FileSystem does not appear to support it")

    put(tmp_path)
    monkeypatch.setattr(filelock.FileLock, "acquire", none)
    load(tmp_path)


def test_the_fake_set_is_of_mnists_form(tmp_path):
    """torchvision's own class reads it: the tests above mean something."""
    put(tmp_path, unpacked=True)
    found = tiny()(tmp_path, train=True)
    assert found.data.shape == (40, 28, 28)
    assert gzip.decompress(ARCHIVES[TRAIN_ARCHIVE]) == UNPACKED[TRAIN_IMAGES]
