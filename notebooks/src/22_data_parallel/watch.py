"""Runs a command until it ends, its time is up or the notebook is gone.

    python watch.py SECONDS COMMAND ... SCRIPT

The notebook holds the other end of standard input: when that is closed, on
purpose or because the kernel was stopped, all processes of the command end,
those in sessions of their own, too, and those whose parent has died.
"""

import contextlib
import os
import signal
import sys
import threading
import time

import psutil

LATE = 124  # the exit status when the time is up


def watch(command: list[str], seconds: float) -> int:
    """Run a command; leave none of its processes behind.

    Args:
        command: a program and its arguments; the last of them, a script, is
            also in the commands of the processes that it starts.
        seconds: after this time its processes are ended.

    Returns:
        The command's exit status; LATE if it was ended.
    """
    gone, end = threading.Event(), time.monotonic() + seconds

    def listen() -> None:
        sys.stdin.read()
        gone.set()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=listen, daemon=True).start()
    child, family = psutil.Popen(command), set()
    try:
        while child.poll() is None and time.monotonic() < end:
            family |= {*psutil.Process().children(recursive=True)}
            if gone.wait(0.2):
                break
    finally:
        status = child.poll()
        with contextlib.suppress(psutil.NoSuchProcess):
            child.suspend()  # it starts no more of them
        family |= {*psutil.Process().children(recursive=True)}
        family |= {*running(command[-1])}
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
    return LATE if status is None else status


def running(words: str) -> list[psutil.Process]:
    """The other processes in whose commands some words occur."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if words in " ".join(process.info["cmdline"] or ())
        and process.pid != os.getpid()
    ]


if __name__ == "__main__":
    sys.exit(watch(sys.argv[2:], float(sys.argv[1])) & 0xFF)
