"""Runs a student's code so that it can neither stop nor change the notebook.

What holds: an exception of any kind is kept, printed text is captured and
cut, global state (random numbers, default dtype, grad mode, working folder,
...) is put back, and code that does not return is stopped.

What does not hold: this is a safety net for honest code, no prison. One call
into C (a single huge matrix product) ends only when it returns by itself;
on Windows and outside the main thread that is also true of `time.sleep`, and
a loop there that catches every exception while it sleeps is not stopped.
"""

import contextlib
import ctypes
import io
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

SHOWN_LINES = 3
SHOWN_COLUMNS = 100

# What is read before a call and written back after it.
_STATE: tuple[tuple[Callable, Callable], ...] = (
    (torch.get_rng_state, torch.set_rng_state),
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    (
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
    ),
    (os.getcwd, os.chdir),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)
# Written back only when it changed, since writing it has side effects.
_COSTLY: tuple[tuple[Callable, Callable], ...] = (
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_default_device, torch.set_default_device),
)


class TimeUp(BaseException):
    """The student's code ran past its time."""


class Capture(io.TextIOBase):
    """A text stream that keeps the first lines and counts the others."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self.count = 0
        self._open = False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for i, part in enumerate(text.split("\n")):
            if i:
                self.count += 1
                if len(self.lines) <= SHOWN_LINES:
                    self.lines.append("")
            if self.count < SHOWN_LINES:
                room = SHOWN_COLUMNS - len(self.lines[-1])
                self.lines[-1] += part[: max(room, 0)]
            self._open = bool(part) or (self._open and not i)
        return len(text)

    def shown(self) -> list[str]:
        """The first lines, and a dash of dots for those left out."""
        count = self.count + self._open
        shown = self.lines[: min(count, SHOWN_LINES)]
        return [*shown, "…"] if count > SHOWN_LINES else shown


@dataclass
class Result:
    """What a call gave: a value, or the exception that ended it."""

    value: Any = None
    error: BaseException | None = None


class Sandbox:
    """Calls functions one after another within one time limit.

    Args:
        seconds: the time for all calls together.

    Attributes:
        left: seconds that are left.
        expired: whether a call was stopped at the end of the time.
        interrupted: whether a call ended with KeyboardInterrupt.
        capture: what the calls printed.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.expired = False
        self.interrupted = False
        self.capture = Capture()

    def call(self, fn: Callable[[], Any], seed: int) -> Result:
        """Call `fn`, a function without arguments of another file.

        Args:
            fn: what to run. It must not be defined in this file: the alarm
                strikes only code that stands elsewhere.
            seed: the state of the CPU's random numbers when `fn` starts.
        """
        start = time.monotonic()
        alarm = _has_alarm()
        timed = _with_alarm if alarm else _with_async_exception
        fired: list[bool] = []
        result = Result()
        with _kept(seed), _captured(self.capture), _lost_strikes():
            try:
                result.value = timed(fn, max(self.left, 0.01), fired)
            except BaseException as error:
                result.error = error
        self.left -= time.monotonic() - start
        if fired or isinstance(result.error, TimeUp):
            self.expired = True
        self.interrupted |= isinstance(result.error, KeyboardInterrupt)
        return result


def _has_alarm() -> bool:
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
    )


def _with_alarm(fn: Callable, seconds: float, fired: list[bool]) -> Any:
    """Run `fn`; from `seconds` on, raise TimeUp in it until it ends.

    After the first strike the next ones follow at uneven, very short
    intervals, so that one falls outside the `try` of code that catches
    everything and goes on.
    """
    armed = True

    def strike(_signum: int, frame: Any) -> None:
        if not armed:
            return
        fired.append(True)
        pause = 3e-6 * 2 ** (len(fired) % 7)
        signal.setitimer(signal.ITIMER_REAL, pause)
        if frame is not None and frame.f_code.co_filename != __file__:
            raise TimeUp

    before = signal.signal(signal.SIGALRM, strike)
    pending = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return fn()
    finally:
        armed = False  # first: a strike still on its way sets no new timer
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *pending)


def _with_async_exception(
    fn: Callable, seconds: float, fired: list[bool]
) -> Any:
    """The same for Windows and for threads, where no alarm can be set."""
    target = ctypes.c_ulong(threading.get_ident())
    throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
    stop, lock = threading.Event(), threading.Lock()

    def strike() -> None:
        stop.wait(seconds)
        while not stop.is_set():
            with lock:
                if not stop.is_set():
                    fired.append(True)
                    throw(target, ctypes.py_object(TimeUp))
            stop.wait(0.02)

    thread = threading.Thread(target=strike, daemon=True)
    thread.start()
    try:
        return fn()
    finally:
        while True:
            try:
                stop.set()
                thread.join()
                throw(target, None)
                break
            except TimeUp:
                continue


@contextlib.contextmanager
def _kept(seed: int) -> Iterator[None]:
    """Put every global state of `_STATE` back at the end.

    Meanwhile memory that nobody has written yet (`torch.empty`) holds NaN,
    not what was left there: a verdict must not change from run to run.
    """
    saved = [(write, read()) for read, write in _STATE]
    costly = [(read, write, read()) for read, write in _COSTLY]
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.set_deterministic_debug_mode("warn")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for write, value in saved:
            write(value)
        for read, write, value in costly:
            if read() != value:
                write(value)


@contextlib.contextmanager
def _captured(stream: Capture) -> Iterator[None]:
    with (
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        yield


@contextlib.contextmanager
def _lost_strikes() -> Iterator[None]:
    """Say nothing of a TimeUp in a destructor, where nothing can be raised.

    The next strike follows at once.
    """
    before = sys.unraisablehook

    def tell(unraisable: Any) -> None:
        if unraisable.exc_type is not TimeUp:
            before(unraisable)

    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = before
