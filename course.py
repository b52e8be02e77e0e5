#!/usr/bin/env python3
"""The doorway of the course: sets it up in .venv and starts its commands.

    python course.py lab              JupyterLab, in your own copies (my/)
    python course.py lab 11 --lang en at lesson 11, English edition
    python course.py test             every test; "test 02 11": of two lessons
    python course.py build 02         notebooks/src/02_* -> both editions
    python course.py bench lenet      a measurement from tests/bench
    python course.py site             static pages of both editions
    python course.py class FOLDER     judges the notebooks of a class

Every step prints the plain command that it runs, so nobody depends on this
file. Standard library only; its syntax is that of Python 3.6, so that an old
Python can still say that it is too old.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

WINDOWS = os.name == "nt"
ROOT = Path(os.path.abspath(__file__)).parent
# Relative to ROOT, where every command runs: short and portable to read.
VENV = Path(".venv")
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
OLDEST = (3, 11)
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CALM = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
# Settings of pip that would put packages elsewhere than into .venv. Those that
# say where packages come from (index, proxy, constraints) hold.
ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON")
ANEW = "delete the folder .venv and run the same command again."
FAILED = (
    "The last command failed: put right what it says above and run the same "
    "command again (README: When something goes wrong). If .venv itself is "
    "broken, " + ANEW
)


class Stop(Exception):
    """The end, with one sentence that says what to do."""


def plain(command: list, env: dict) -> str:
    """The command as one would type it here, variables in front."""
    words = [str(word) for word in command]
    if not WINDOWS:
        settings = ["{}={} ".format(*item) for item in env.items()]
        return "".join(settings) + " ".join(map(shlex.quote, words))
    # PowerShell: a bare > writes to a file, a bare comma makes a list.
    safe = re.compile(r"[\w.:=/\\-]+")
    words = [
        w if safe.fullmatch(w) else "'" + w.replace("'", "''") + "'"
        for w in words
    ]
    settings = ["$env:{}='{}'; ".format(*item) for item in env.items()]
    call = "& " if words[0].startswith("'") else ""
    return "".join(settings) + call + " ".join(words)


def run(command: list, calm: bool = False, quiet: bool = False) -> int:
    """Show a command, run it to its end, and return its exit status."""
    env = {k: v for k, v in CALM.items() if calm and k not in os.environ}
    if not quiet:
        print("$ " + plain(command, env), flush=True)
    words = [str(word) for word in command]
    env.update((k, v) for k, v in os.environ.items() if k not in ELSEWHERE)
    env["PIP_USER"] = "0"
    silent = subprocess.DEVNULL if quiet else None
    try:
        process = subprocess.Popen(words, env=env, stderr=silent)
    except OSError as error:
        raise Stop(
            f"{words[0]} does not start ({error.strerror}): {ANEW}"
        ) from None
    stopped = False
    while True:
        try:
            status = process.wait()
            break
        except KeyboardInterrupt:
            stopped = True  # it was told, too, and ends as it sees fit
    if stopped:
        raise KeyboardInterrupt
    return status


def set_up(dev: bool, cpu: bool) -> None:
    """Make .venv what pyproject.toml asks for, unless it is."""
    import tomllib

    asked = tomllib.loads(Path("pyproject.toml").read_text("utf8"))
    asked["project"] = asked["project"].get("dependencies")
    asked["tool"] = asked.get("tool", {}).get("setuptools")
    due = repr(asked) + os.path.realpath(ROOT)  # where "-e ." points
    due = hashlib.sha256(due.encode()).hexdigest()
    stamp = VENV / "course.stamp"
    have = stamp.read_text().split() if stamp.exists() else []
    if PYTHON.exists() and due in have and (not dev or "dev" in have):
        return
    if not PYTHON.exists():
        if VENV.exists():
            raise Stop("The .venv here has no Python that works: " + ANEW)
        if sys.platform == "linux" and not (cpu or shutil.which("nvidia-smi")):
            print(
                "No NVIDIA card seen, and PyTorch brings 6 GB for it: to take "
                "its small CPU build, press Ctrl-C and add --cpu."
            )
        must([sys.executable, "-m", "venv", VENV])
    if run([PYTHON, "-c", "import pip"], quiet=True):
        must([PYTHON, "-m", "ensurepip"])  # made by uv, say
    group = ["--group", "dev"] if dev else []
    index = ["--extra-index-url", CPU_INDEX] if cpu else []
    # The first pip that goes on with a download that was cut off.
    must([PYTHON, "-m", "pip", "install", "pip>=25.2"])
    must([PYTHON, "-m", "pip", "install", *index, "-e", ".", *group])
    # JupyterLab asks for no news and shows Markdown as it reads.
    folder = VENV / "etc/jupyter/labconfig"
    folder.mkdir(parents=True, exist_ok=True)
    part = "@jupyterlab/{}-extension:{}".format
    news = {"disabledExtensions": {part("apputils", "announcements"): True}}
    (folder / "page_config.json").write_text(json.dumps(news))
    view = {"defaultViewers": {"markdown": "Markdown Preview"}}
    view = json.dumps({part("docmanager", "plugin"): view})
    (folder / "default_setting_overrides.json").write_text(view)
    stamp.write_text(due + " dev" * dev)


def must(command: list) -> None:
    """Run a step of the installation; a failure is the end."""
    if run(command):
        raise Stop(FAILED)


def lessons(words: list) -> list:
    """The lessons meant by words such as 02, 2 or 02_tensors."""
    names = sorted(
        p.parent.name for p in Path("notebooks/src").glob("*/lesson.md")
    )
    chosen = []
    for word in words:
        match = [n for n in names if word.zfill(2) in (n, n.split("_")[0])]
        if not match:
            have = ", ".join(names)
            raise Stop(f'There is no lesson "{word}"; there are: {have}.')
        chosen += match
    return chosen


def lab(args: argparse.Namespace) -> int:
    """Open JupyterLab on this machine only, with its token."""
    name = lessons([args.lesson])[0] if args.lesson else ""
    if args.fresh and not name:
        raise Stop("--fresh needs a lesson, as in: lab 02 --fresh")
    set_up(False, args.cpu)
    sys.path.insert(0, "notebooks")
    import own

    folder, page = own.place(args.lang, name, args.fresh).split("/", 1)
    command = [PYTHON, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.extension_manager=readonly"]
    command += ["--LabApp.workspaces_dir=.lab/workspaces"]
    command += [f"--LabApp.default_url=/lab/tree/{page}"]
    if args.port is not None:
        command += [f"--ServerApp.port={args.port}"]
        command += ["--ServerApp.port_retries=0"]
    if args.no_browser:
        command += ["--no-browser"]
    if not WINDOWS and os.geteuid() == 0:  # a container
        command += ["--allow-root"]
    return run(command)


def test(args: argparse.Namespace) -> int:
    """Sources against editions, style, then every test."""
    chosen = lessons(args.names)
    set_up(True, args.cpu)
    numbers = [name.split("_")[0] for name in chosen]
    editions = [f"notebooks/{lang}" for lang in ("zh", "en")]
    books = [f"{e}/{name}.ipynb" for name in chosen for e in editions]
    steps = (
        ["notebooks/build.py", "--check", *numbers],
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
    )
    failed = [step for step in steps if run([PYTHON, *step], calm=True)]
    pytest = [PYTHON, "-m", "pytest", "--nbval", "--nbval-current-env"]
    pytest += ["--nbval-cell-timeout=300", "-n2", "--dist=loadfile"]
    pytest += ["tests", *(books or editions)]
    pytest += ["--lessons=" + ",".join(numbers)] if numbers else []
    status = run(pytest + args.extra, calm=True)
    for step in failed:
        print("failed above:", *step)
    return status or int(bool(failed))


def build(args: argparse.Namespace) -> int:
    """Write the editions from their sources, or only compare them."""
    numbers = [name.split("_")[0] for name in lessons(args.names)]
    set_up(True, args.cpu)
    check = ["--check"] if args.check else []
    return run([PYTHON, "notebooks/build.py", *numbers, *check], calm=True)


def bench(args: argparse.Namespace) -> int:
    """Run one measurement; what follows its name is passed on."""
    path = Path("tests", "bench", args.name + ".py")
    if not path.exists():
        have = ", ".join(sorted(p.stem for p in path.parent.glob("[!_]*.py")))
        raise Stop(f'There is no bench "{args.name}"; there are: {have}.')
    set_up(True, args.cpu)
    return run([PYTHON, path, *args.extra], calm=True)


def site(args: argparse.Namespace) -> int:
    """Write both editions as static pages into build/site."""
    set_up(True, args.cpu)
    return run([PYTHON, "notebooks/site/make.py"], calm=True)


def class_(args: argparse.Namespace) -> int:
    """Judge students' notebooks, each run on its own; docs/class.md."""
    set_up(False, args.cpu)
    words = [args.folder, "--lang", args.lang, *args.extra]
    return run([PYTHON, "notebooks/classroom/run.py", *words], calm=True)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='What follows "--" goes on to what is run: pytest, say.',
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    for action in (lab, test, build, bench, site, class_):
        text, name = action.__doc__, action.__name__.rstrip("_")
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(action=action)
        note = "install PyTorch's small CPU build (Linux)"
        sub.add_argument("--cpu", action="store_true", help=note)
        if action is lab:
            sub.add_argument("lesson", nargs="?", help="as 02")
            sub.add_argument("--lang", choices=["zh", "en"], default="zh")
            note = "start the lesson again; the copy so far is kept"
            sub.add_argument("--fresh", action="store_true", help=note)
            sub.add_argument("--port", type=int, help="default: a free one")
            sub.add_argument("--no-browser", action="store_true")
        if action is class_:
            # Made absolute here: the commands run in ROOT.
            sub.add_argument("folder", type=os.path.abspath)
            sub.add_argument("--lang", choices=["zh", "en"], default="zh")
        if action in (test, build):
            sub.add_argument("names", nargs="*", help="lessons, as 02 11")
        if action is build:
            sub.add_argument("--check", action="store_true")
        if action is bench:
            sub.add_argument("name", help="such as lenet")
            sub.add_argument("extra", nargs=argparse.REMAINDER)
    return top


def main(words: list) -> int:
    """Run one command; 0 if all is well."""
    if sys.version_info < OLDEST:
        raise Stop(
            "This is Python {}.{}, and the course needs 3.11 to 3.14: install "
            "one from https://www.python.org/downloads/ and run the same "
            "command with it.".format(*sys.version_info)
        )
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console without Chinese
    cut = words.index("--") if "--" in words else len(words)
    args = parser().parse_args(words[:cut])
    args.extra = getattr(args, "extra", []) + words[cut + 1 :]
    if args.extra and args.action not in (test, bench, class_):
        raise Stop(f'{args.command} takes nothing after "--".')
    if Path.cwd() != ROOT:
        print("$ " + plain(["cd", ROOT], {}), flush=True)
        os.chdir(str(ROOT))
    return args.action(args)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"course.py: {stop}")
    except KeyboardInterrupt:
        sys.exit(130)
