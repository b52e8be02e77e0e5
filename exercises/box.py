"""Runs a student's code so that it neither stops nor changes the notebook."""

import contextlib
import ctypes
import io
import linecache
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .compare import Sentence, shorten


@dataclass
class Outcome:
    """A value or an error, and the arguments that were changed in place."""

    value: Any = None
    error: BaseException | None = None
    changed: dict[int, Any] = field(default_factory=dict)


_LIBRARIES = (
    os.path.dirname(__file__),
    os.path.dirname(os.__file__),
    os.path.dirname(os.path.dirname(torch.__file__)),
)


class TimeUp(BaseException):
    """The answer ran past its time."""


class Box:
    """Calls functions one after another within one time limit.

    Each call runs in a thread of its own. A new thread starts with PyTorch's
    own settings (gradients on, no inference mode, no autocast, no default
    device), whatever the notebook set, and takes with it what an interrupted
    `with` leaves behind. What belongs to the whole process (random numbers,
    default dtype, anomaly mode, warnings, working folder, ...) is set for the
    call and put back. Memory that nobody wrote (`torch.empty`) holds NaN: a
    verdict must not change from run to run.

    Args:
        seconds: the time for all calls together; on a busy machine, which
            gives the process less of it, up to four times as long.
        dtype: the default dtype during the calls.

    Attributes:
        ended: why nothing more is called, in a sentence, or None.
    """

    def __init__(
        self, seconds: float, dtype: torch.dtype = torch.float32
    ) -> None:
        self.seconds = self.left = seconds
        self.dtype = dtype
        self.ended: Sentence | None = None
        self._out = io.StringIO()

    @property
    def printed(self) -> str:
        """What the calls printed."""
        return self._out.getvalue()[:100_000]

    def call(self, fn: Callable[[], Any], seed: int) -> Outcome:
        """Call `fn`; the random numbers start from `seed`."""
        got = Outcome()

        def target() -> None:
            torch.set_num_threads(1)  # a thread does not take over `settings`
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    got.value = fn()
            except BaseException as error:
                got.error = error

        thread = threading.Thread(target=target, daemon=True)
        start, spent = time.monotonic(), time.process_time()

        def used() -> float:
            wall = time.monotonic() - start
            return min(wall, max(time.process_time() - spent, wall / 4))

        with settings(seed, self.dtype), _captured(self._out):
            thread.start()
            try:
                left = max(self.left, 0.01)
                while thread.is_alive() and used() < left:
                    thread.join(max(left - used(), 0.01))
                if thread.is_alive():
                    self.ended = self._stopped(thread)
            except KeyboardInterrupt:
                self.ended = (
                    "运行被中断，没有判完。",
                    "The run was interrupted.",
                )
            if self.ended and not _stop(thread):
                self.ended = (
                    self.ended[0] + "它停不下来，请重启内核。",
                    self.ended[1] + " It cannot be stopped: restart the "
                    "kernel.",
                )  # fmt: skip
        self.left -= used()
        return got

    def _stopped(self, thread: threading.Thread) -> Sentence:
        """The sentence on the line at which the time was up."""
        frame = sys._current_frames().get(thread.ident)
        line, files = "", []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            if not line and not files[-1].startswith(_LIBRARIES):
                text = linecache.getline(files[-1], frame.f_lineno).strip()
                line = shorten(text, 80)
            frame = frame.f_back
        if any(f.endswith("convert_frame.py") for f in files):
            return (
                "torch.compile 还在编译，已被停止：这里请不要用它。",
                "torch.compile was still compiling and was stopped: leave it "
                "out here.",
            )
        n = f"{self.seconds:g}"
        zh, en = (
            (f"停在 `{line}`。", f" It was at `{line}`.")
            if line
            else ("",) * 2
        )
        return (
            f"代码在 {n} 秒内没有结束，已被停止：循环会结束吗？{zh}",
            f"Your code did not end within {n} s and was stopped: does its "
            f"loop end?{en}",
        )


def _stop(thread: threading.Thread) -> bool:
    """Interrupt a thread once, then wait: it leaves its `with` blocks.

    Only where it goes on (its code catches every exception) it is struck
    again, so fast that one strike falls outside its `try`.
    """

    end, hooks = (
        time.monotonic() + 4.0,
        (sys.unraisablehook, threading.excepthook),
    )

    def strike() -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp)
        )

    def strikes() -> None:
        while thread.is_alive() and time.monotonic() < end:
            strike()
            time.sleep(0)

    def tell(what: Any) -> None:  # a strike in a destructor is none's business
        if what.exc_type is not TimeUp:
            hooks[0](what)

    sys.unraisablehook = threading.excepthook = tell
    strike()
    thread.join(2.0)
    if thread.is_alive() and sys.version_info >= (3, 12):
        _stop_at_a_line(thread)
    elif thread.is_alive():
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        others = [threading.Thread(target=strikes) for _ in range(8)]
        for other in others:
            other.start()
        for other in others:
            other.join()
        sys.setswitchinterval(interval)
    sys.unraisablehook, threading.excepthook = hooks
    return not thread.is_alive()


def _stop_at_a_line(thread: threading.Thread) -> None:
    """Raise TimeUp at every line of the thread, in `except` blocks too."""
    watch = sys.monitoring
    line = watch.events.LINE

    def at_line(code: Any, number: int) -> None:
        if threading.get_ident() == thread.ident:
            raise TimeUp

    watch.use_tool_id(4, "course")
    watch.register_callback(4, line, at_line)
    watch.set_events(4, line)
    thread.join(2.0)
    watch.set_events(4, 0)
    watch.register_callback(4, line, None)
    watch.free_tool_id(4)


# What is read before a call, set for it (where a value stands) and put back.
_STATE: tuple[tuple[Callable, Callable, Any], ...] = (
    (torch.get_rng_state, torch.set_rng_state, None),
    (random.getstate, random.setstate, None),
    (np.random.get_state, np.random.set_state, None),
    (torch.get_default_dtype, torch.set_default_dtype, None),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled, False),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode,
     1),  # warn
    (os.getcwd, os.chdir, None),
    (sys.getrecursionlimit, sys.setrecursionlimit, None),
    (torch.get_num_threads, torch.set_num_threads, 1),
)  # fmt: skip


@contextlib.contextmanager
def settings(seed: int, dtype: torch.dtype = torch.float32) -> Iterator[None]:
    """The judge's own global state; the student's comes back at the end."""
    saved = [(read, write, read()) for read, write, _ in _STATE]
    stance = contextlib.nullcontext()
    if "torch._dynamo" in sys.modules:  # a compiled answer runs as written
        stance = torch.compiler.set_stance("force_eager")
    with stance, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read, write, value in _STATE:
            if value is not None and read() != value:
                write(value)
        torch.set_default_dtype(dtype)
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            for read, write, value in saved:
                if write in _CHEAP or read() != value:
                    write(value)


_CHEAP = {torch.set_rng_state, random.setstate, np.random.set_state}


@contextlib.contextmanager
def _captured(stream: io.StringIO) -> Iterator[None]:
    with (
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        yield
