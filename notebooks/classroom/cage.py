"""Encloses the process in which a student's notebook runs.

On Linux, where the kernel lets this user make namespaces: no network, no
other processes, no file that can be written outside of the notebook's own
folder, no devices. Elsewhere only time, memory and processes are limited.
"""

import ctypes
import os
import signal
import struct
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

# A fork starts with torch loaded, but only Linux's libraries allow for one.
CONTEXT = get_context("fork" if sys.platform == "linux" else "spawn")
MIB = 2**20
DISK = 256  # MiB that a notebook may write
# From <sched.h>, <sys/mount.h>, <linux/mount.h> and <sys/prctl.h>.
NEW_USER, NEW_REST = 0x10000000, 0x20000 | 0x8000000 | 0x20000000 | 0x40000000
BIND_ALL, PRIVATE_ALL, SEALED = 0x1000 | 0x4000, 0x40000 | 0x4000, 1 | 2 | 4
MOUNT_SETATTR, HERE, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1 | 2
DIE_WITH_PARENT, ADOPT_ORPHANS, NO_NEW_PRIVILEGES = 1, 36, 38


def call(name: str, *args: int | bytes | None) -> None:
    """Call a function of the C library; OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    longs = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    if getattr(libc, name)(*longs) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str, flags: int, data: str) -> None:
    """The system call `mount`."""
    words = [w.encode() if w else None for w in (source, target, kind)]
    call("mount", *words, flags, data.encode())


def enclose(folder: str, needed: list[str]) -> None:
    """Give the processes that this one starts a system of their own.

    Args:
        folder: the only one in which they may write; comes out empty.
        needed: the paths that must stay readable.

    Raises:
        OSError: the kernel does not let this user, or is older than 5.12.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        call("unshare", NEW_USER | NEW_REST)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    except OSError:
        if uid:
            raise
        call("unshare", NEW_REST)  # root in a container may do this much
    mount("none", "/", "", PRIVATE_ALL, "")
    sealed = struct.pack("4Q", READ_ONLY, 0, 0, 0)
    call("syscall", MOUNT_SETATTR, HERE, b"/", RECURSIVE, sealed, len(sealed))
    mount("tmpfs", folder, "tmpfs", SEALED ^ 1, f"size={DISK}m,mode=700")
    for name in ("null", "zero", "full", "random", "urandom"):
        device = Path(folder, ".dev", name)
        device.parent.mkdir(exist_ok=True)
        device.touch()
        mount(f"/dev/{name}", str(device), "", BIND_ALL, "")
    Path(folder, ".dev/shm").mkdir()
    mount(f"{folder}/.dev", "/dev", "", BIND_ALL, "")
    # Sockets of the system's services, such as Docker's, can be connected to
    # on a read-only mount, too.
    if Path("/run").is_dir() and not any(p.startswith("/run") for p in needed):
        mount("tmpfs", "/run", "tmpfs", SEALED, "size=1m")


def settle(enclosed: bool, seconds: float, memory: int) -> None:
    """Limit this process and what it starts; it cannot undo it.

    Args:
        enclosed: whether `enclose` was called in the process before it.
        seconds: of CPU time for one process.
        memory: MiB more than this process has now.
    """
    if hasattr(os, "setsid"):
        os.setsid()
        import resource

        limits = {"CPU": int(seconds) + 2, "FSIZE": DISK * MIB, "CORE": 0}
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limits["AS"] = pages * resource.getpagesize() + memory * MIB
        if enclosed:
            limits["NPROC"] = 256  # elsewhere it counts the lecturer's own
        for name, value in limits.items():
            kind = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(kind, (value, value))
    if enclosed:
        call("prctl", DIE_WITH_PARENT, signal.SIGKILL)
        with suppress(OSError):  # in some containers the old one stays
            mount("proc", "/proc", "proc", SEALED | 8 | 1, "")
        call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        version = struct.pack("Ii", 0x20080522, 0)
        call("capset", version, bytes(24))  # no capability is left


def possible(folder: str) -> str:
    """Why notebooks cannot be enclosed here; empty where they can be."""
    if sys.platform != "linux":
        return f"{sys.platform} has no namespaces"
    try:
        with CONTEXT.Pool(1) as pool:
            pool.apply(enclose, (folder, []))
    except (OSError, AttributeError) as error:
        return str(error)
    return ""
