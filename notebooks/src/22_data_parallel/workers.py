"""Starts torchrun from a notebook, and says how it ended."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
from watch import LATE, running

from exercises.parts import MY, ROOT, merged, source
from helpers.language import pick

HEAD = "import torch\nimport torch.distributed as dist\n"
TAIL = '\n\nif __name__ == "__main__":\n    {}()\n'
# What a worker says that ended because another one did.
VICTIM = re.compile("closed by peer|reset by peer|Broken pipe|Signal 15", re.I)


class WorkerDied(RuntimeError):
    """How torchrun failed, in a sentence; a notebook shows no more of it."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def torchrun(
    main: Callable, *used: Callable, nproc: int = 2, seconds: float = 280
) -> Path:
    """Run a function in several processes; print what each of them printed.

    A file is written that defines what is used, then `main`, and calls it;
    torchrun starts it `nproc` times. The processes meet on this machine's own
    address, at a port that the system finds free: no network is needed, and
    two students on one machine do not collide.

    Args:
        main: a function of the notebook, without arguments.
        *used: the notebook's functions and classes that it uses. What is
            imported or comes from `part` needs no mention.
        nproc: how many processes.
        seconds: when this time is up all of them are ended.

    Returns:
        The folder of the file, in which the processes may save something. It
        is removed when Python ends, unless that is killed.

    Raises:
        WorkerDied: a process failed, the time was up, or this is Windows.
    """
    if sys.platform == "win32":
        zh = "在 Windows 上，请用 WSL 或 Colab 运行这一课"
        raise WorkerDied(pick(zh, "on Windows, run this in WSL or Colab"))
    folder = Path(tempfile.mkdtemp(prefix=_mark()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path, text = folder / f"{main.__name__}.py", HEAD
    for part in (*used, main):
        text = merged(text, part.__name__, *source(part.__name__, part))
    path.write_text(text + TAIL.format(main.__name__), encoding="utf-8")
    options = ["--standalone", f"--nproc-per-node={nproc}"]
    print("$ torchrun", *options, path.name)
    options += ["--local-addr=127.0.0.1", "--redirects=3"]
    options += [f"--log-dir={folder}", str(path)]
    status, said = _run(options, seconds, folder / "torchrun.log")
    for rank in range(nproc):
        for line in _log(folder, rank, "stdout").splitlines():
            print(f"[rank {rank}] {line}")
    if status:
        raise WorkerDied(_reason(folder, status, said, seconds))
    return folder


def left_over() -> int:
    """How many processes of this kernel's runs are still there."""
    return len(running(_mark()))


def _mark() -> str:
    """What the commands of all processes of this kernel's runs hold."""
    return f"torchrun-{os.getpid()}-"


def _run(options: list[str], seconds: float, log: Path) -> tuple[int, str]:
    """Run torchrun under `watch.py`; its exit status, what it said."""
    addresses = psutil.net_if_addrs().items()
    own = [n for n, found in addresses if "127.0.0.1" in {a[1] for a in found}]
    if not own:
        zh = "这台机器没有地址 127.0.0.1，几个进程没法通信"
        en = "there is no address 127.0.0.1, by which processes communicate"
        raise WorkerDied(pick(zh, en))
    path = [str(ROOT), str(MY), *filter(None, [os.getenv("PYTHONPATH")])]
    env = os.environ | {
        "GLOO_SOCKET_IFNAME": own[0],  # lo; lo0 on a Mac
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONSAFEPATH": "1",  # a script random.py hides no library
        "PYTHONUTF8": "1",
    }
    watch = [sys.executable, str(Path(__file__).with_name("watch.py"))]
    command = [sys.executable, "-m", "torch.distributed.run", *options]
    with log.open("wb") as said, subprocess.Popen(
        [*watch, str(seconds), *command],
        env=env, stdin=subprocess.PIPE, stdout=said,
        stderr=subprocess.STDOUT, start_new_session=True,
    ) as watcher:  # fmt: skip
        try:
            watcher.wait()  # its stdin stays open
        finally:  # interrupted: it ends all of them
            watcher.stdin.close()
            watcher.wait()
    return watcher.returncode, log.read_text("utf-8", "replace")


def _log(folder: Path, rank: int, stream: str) -> str:
    """What a worker printed."""
    found = sorted(folder.glob(f"*/attempt_*/{rank}/{stream}.log"))
    return found[-1].read_text("utf-8", "replace") if found else ""


def _reason(folder: Path, status: int, said: str, seconds: float) -> str:
    """Which worker failed first, and why: a sentence."""
    if status == LATE:
        zh = f"{seconds:g} 秒还没有结束：所有进程都已停止"
        return pick(zh, f"not done in {seconds:g} s: all processes were ended")
    pattern = r"rank +: (\d+) .*\n +exitcode +: (-?\d+)"
    failed = re.findall(pattern, said)  # the root cause comes last
    if not failed:
        return said.strip().rpartition("\n")[2] or f"torchrun: exit {status}"
    errors = {rank: _log(folder, int(rank), "stderr") for rank, _ in failed}
    causes = [
        (rank, code)
        for rank, code in failed
        if code != "-15" and not VICTIM.search(errors[rank])
    ]
    rank, code = (causes or failed)[-1]
    if not causes:
        zh = f"rank {rank} 还在等，别的进程已经结束：每个进程的步数相同吗？"
        en = f"rank {rank} still waited when another process had ended: "
        return pick(zh, en + "do all of them take equally many steps?")
    lines = re.sub(r"(?m)^\[rank\d+\]: ?", "", errors[rank]).splitlines()
    noise = "[", "terminate called"  # of torch, of the C++ it runs on
    lines = [line for line in lines if line and not line.startswith(noise)]
    why = f"exit {code}".replace("exit -", "signal ")
    if "Traceback (most recent call last):" in lines:
        why = lines[-1]
    zh = f"rank {rank} 出错（{why}），其余进程已停止"
    return pick(zh, f"rank {rank} failed ({why}), the others were ended")
