#!/usr/bin/env python3
"""The doorway of the course: sets it up in .venv and starts its commands.

    python course.py lab              JupyterLab at the first lesson
    python course.py test             every test; "test 02 11": of two lessons
    python course.py build 02         notebooks/src/02_*.md -> both editions
    python course.py bench lenet      a measurement from bench/
    python course.py slides 02        a lesson for the projector
    python course.py site             static pages of both editions

Every step prints the plain command that it runs, so nobody depends on this
file. Standard library only; its syntax is that of Python 3.6, so that an old
Python can still say that it is too old.
"""

import argparse
import contextlib
import csv
import errno
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

WINDOWS = os.name == "nt"
ROOT = Path(os.path.abspath(__file__)).parent
# Relative to ROOT, where every command runs: short and portable to read.
VENV = Path(".venv")
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
STAMP = VENV / "course.json"
STATE = Path(".lab")
SOURCES = Path("notebooks", "src")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CALM = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
OLDEST = (3, 11)

# Run by the .venv's own Python: its version, its packages, and what is
# missing: a package that was asked for, or a folder that one should have.
PROBE = """
import csv, importlib.metadata, json, sys, sysconfig
site = sysconfig.get_path("purelib")
missing = []
for name in sys.argv[1:]:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        missing.append(name)
for found in importlib.metadata.distributions(path=[site]):
    try:
        rows = csv.reader((found.read_text("RECORD") or "").splitlines())
        tops = {name.split("/")[0] for name, _, size in rows if size}
        missing += [top for top in tops if not found.locate_file(top).exists()]
    except (ValueError, csv.Error):
        missing.append("RECORD")  # it holds rubbish
print(json.dumps({"version": list(sys.version_info[:2]),
                  "site": site, "missing": missing}))
"""

# What pip says when something outside the course is wrong, and what to do.
TROUBLES = (
    (
        r"Errno 28\b|No space left|WinError 112\b|Errno 122\b|quota exceeded",
        "The disk is full ({free} free here): free some space (pip's "
        "temporary folder, {temp}, counts too) and run the same command "
        "again.",
    ),
    (
        r"Errno 30\b|Read-only file system|Errno 13\b|WinError (5|32)\b",
        "A file in {root} cannot be written: copy the course to a folder of "
        "your own, close what still runs from its .venv, and run the same "
        "command again.",
    ),
    (
        r"establish a new connection|Max retries exceeded|NameResolution"
        r"|Connection(Reset|Refused)?Error|Connect(ion)? ?[Tt]imeout"
        r"|[Rr]ead ?[Tt]ime|timed out|ProxyError|SSLError|CERTIFICATE_VERIFY"
        r"|Network is unreachable|IncompleteRead|Connection broken"
        # Every index has these two; one that does not was not reached.
        r"|No matching distribution found for (pip|setuptools)\b",
        "No network, or the package index does not answer: check the "
        "connection, or use a mirror (README, section on trouble), and run "
        "the same command again.",
    ),
    (
        r"No matching distribution found",
        "The package index has no {package} for this machine ({python}): use "
        "a 64-bit Python 3.11 to 3.14 from https://www.python.org/downloads/, "
        "delete .venv and run the same command again; on a Mac with an Intel "
        "processor, for which PyTorch has stopped, open the lessons in Colab "
        "(README, below the table of lessons).",
    ),
)


class Stop(Exception):
    """The end, with one sentence that says what to do."""


def say(text: str) -> None:
    """Print a line now, before whatever a command prints next."""
    print(text, flush=True)


def plain(command: list, env: "dict | None" = None) -> str:
    """The command as one would type it here, variables in front."""
    words = [str(word) for word in command]
    if WINDOWS:  # PowerShell, where a bare > writes to a file
        settings = [f'$env:{k}="{v}"; ' for k, v in (env or {}).items()]
        safe = re.compile(r"[\w.:=/\\-]+")
        words = [w if safe.fullmatch(w) else f'"{w}"' for w in words]
        call = "& " if words[0].startswith('"') else ""
        return "".join(settings) + call + " ".join(words)
    settings = [f"{k}={shlex.quote(v)} " for k, v in (env or {}).items()]
    return "".join(settings) + " ".join(map(shlex.quote, words))


def run(command: list, env: "dict | None" = None) -> int:
    """Show a command, run it, and return its exit status."""
    env = {k: v for k, v in (env or {}).items() if k not in os.environ}
    say("$ " + plain(command, env))
    words = [str(word) for word in command]
    process = subprocess.Popen(words, env={**os.environ, **env})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # it was told, too, and ends as it sees fit


def watch(command: list, held: int) -> "tuple[int, str]":
    """Run a command in full view and keep what it says on standard error.

    The child holds the set-up lock, too: should this process be killed, no
    other one starts while pip is still at work.
    """
    say("$ " + plain(command))
    keep = {} if WINDOWS else {"pass_fds": (held,)}
    words = [str(word) for word in command]
    # As text: pip writes it in the system's encoding, whatever that is.
    keep.update(stderr=subprocess.PIPE, text=True, errors="replace")
    process = subprocess.Popen(words, **keep)
    heard = []

    def listen() -> None:
        for line in process.stderr:
            heard.append(line)
            sys.stderr.write(line)
            sys.stderr.flush()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise
    finally:
        listener.join()
    return status, "".join(heard)


def advice(heard: str) -> "str | None":
    """The sentence for what a command or the system complained about."""
    package = re.search(r"No matching distribution found for (\S+)", heard)
    bits = 64 if sys.maxsize > 2**32 else 32
    for pattern, sentence in TROUBLES:
        if re.search(pattern, heard):
            return sentence.format(
                free=f"{free_space() / 1e9:.1f} GB",
                temp=tempfile.gettempdir(),
                root=ROOT,
                package=package.group(1) if package else "package",
                python=f"Python {sys.version.split()[0]}, {bits} bit, "
                + platform.machine(),
            )
    return None


def free_space() -> int:
    """Bytes that are free for .venv and for pip's temporary files."""
    places = (str(ROOT), tempfile.gettempdir())
    return min(shutil.disk_usage(place).free for place in places)


def must(command: list, held: int) -> None:
    """Run a step of the installation; a failure ends with a sentence."""
    status, heard = watch(command, held)
    if status == 0:
        return
    if free_space() < 50e6:  # venv hides what its own pip complains about
        heard = "No space left"
    raise Stop(
        advice(heard)
        or f"The last command failed (exit status {status}): put right what "
        "it says above and run the same command again."
    )


def requirements(dev: bool) -> "list[str]":
    """What pyproject.toml asks for."""
    import tomllib

    project = tomllib.loads(Path("pyproject.toml").read_text("utf8"))
    asked = list(project["project"].get("dependencies", []))
    if dev:
        asked += project.get("dependency-groups", {}).get("dev", [])
    return asked


def fingerprint(dev: bool) -> str:
    """Changes when another installation is due, or the folder moved."""
    parts = [*requirements(dev), os.path.realpath(ROOT)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def probe(names: "list[str]" = ()) -> "dict | None":
    """Ask the .venv's Python what it has; None if it does not start."""
    command = [str(PYTHON), "-I", "-c", PROBE, *names]
    try:
        done = subprocess.run(command, stdout=-1, stderr=-1, timeout=60)
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return found if found and tuple(found["version"]) >= OLDEST else None


def stamp() -> dict:
    """What was installed to the end; empty after a broken installation."""
    try:
        return json.loads(STAMP.read_text("utf8"))
    except (OSError, ValueError):
        return {}


def ready(dev: bool) -> bool:
    """Whether nothing needs to be installed; asks no network, no pip."""
    if stamp().get("dev" if dev else "course") != fingerprint(dev):
        return False
    # A requirement with a marker (";") may rightly be absent.
    asked = [line for line in requirements(dev) if ";" not in line]
    found = probe([re.match(r"[\w.-]+", line).group() for line in asked])
    return found is not None and not found["missing"]


@contextlib.contextmanager
def alone() -> "Iterator[int]":
    """Hold the set-up lock; the system frees it when its holders have ended.

    A file that a killed process left behind therefore stops nobody.
    """
    STATE.mkdir(exist_ok=True)
    with open(str(STATE / "setup.lock"), "a") as file:
        told = False
        while not take(file.fileno()):
            if not told:
                say("Another course.py is setting up .venv: waiting for it.")
                told = True
            time.sleep(0.2)
        yield file.fileno()


def take(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        if WINDOWS:
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other error: a network folder without locks; go on without.
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True


def drop_halves(site: Path) -> None:
    """Forget packages of which a file is missing or cut, so that pip acts."""
    for info in site.glob("*.dist-info"):
        try:
            with open(str(info / "RECORD"), newline="", encoding="utf8") as f:
                files = [(name, size) for name, _, size in csv.reader(f)]
            whole = all(
                not size or (site / name).stat().st_size == int(size)
                for name, size in files
            )
        except (OSError, ValueError, csv.Error):
            whole = False
        if not whole:
            say("  not whole: " + info.name.replace(".dist-info", ""))
            shutil.rmtree(str(info))
    for leftover in site.glob("~*"):  # pip renames so what it replaces
        shutil.rmtree(str(leftover), ignore_errors=True)


def set_up(dev: bool = False, cpu: bool = False) -> None:
    """Make .venv what pyproject.toml asks for, unless it is."""
    if ready(dev):
        return
    with alone() as held:
        if not ready(dev):  # another process may have done it meanwhile
            install(dev, cpu, held)


def install(dev: bool, cpu: bool, held: int) -> None:
    """Make or mend .venv, then write the stamp."""
    found = probe()
    pip = [PYTHON, "-m", "pip"]
    if found:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.call([*map(str, pip), "--version"], **quiet):
            found = None
    if found:
        say(
            "Installing what is missing or has changed."
            if stamp()
            else "The .venv has no mark of a finished installation: mending "
            "it."
        )
        drop_halves(Path(found["site"]))
    else:
        if VENV.exists():
            say("The .venv has no working Python or pip: making it anew.")
        make_venv(held)
        nvidia = cpu or shutil.which("nvidia-smi")
        if sys.platform == "linux" and not nvidia:
            say(
                "No NVIDIA card seen, and PyTorch brings 6 GB for it: to take "
                "its small CPU build, press Ctrl-C and add --cpu."
            )
    with contextlib.suppress(FileNotFoundError):
        STAMP.unlink()
    group = ["--group", "dev"] if dev else []
    index = ["--extra-index-url", CPU_INDEX] if cpu else []
    # The first pip that goes on with a download that was cut off.
    must([*pip, "install", "pip>=25.2"], held)
    must([*pip, "install", *index, "-e", ".", *group], held)
    calm_jupyter()
    done = {"course": fingerprint(False), "dev": dev and fingerprint(True)}
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(done), "utf8")
    os.replace(str(fresh), str(STAMP))


def make_venv(held: int) -> None:
    """Make .venv with the Python that runs this, from nothing."""
    from importlib.util import find_spec

    if not find_spec("venv") or not find_spec("ensurepip"):
        major, minor = sys.version_info[:2]
        raise Stop(
            "This Python cannot make an environment (venv or ensurepip is "
            "missing): on Debian or Ubuntu install the package "
            f"python{major}.{minor}-venv, then run the same command again."
        )
    # The base one: .venv cannot be made anew by the Python inside it.
    python = getattr(sys, "_base_executable", None) or sys.executable
    for name in ("python3", "python"):
        found = shutil.which(name)
        if found and os.path.realpath(found) == os.path.realpath(python):
            python = name
            break
    clear = ["--clear"] if VENV.exists() else []
    must([python, "-m", "venv", *clear, VENV], held)


def calm_jupyter() -> None:
    """Switch off JupyterLab's news and update requests, in .venv only."""
    folder = VENV / "etc" / "jupyter" / "labconfig"
    folder.mkdir(parents=True, exist_ok=True)
    news = "@jupyterlab/apputils-extension:announcements"
    (folder / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {news: True}}), "utf8"
    )


def pick(words: "list[str]", names: "list[str]") -> "list[str]":
    """The lessons meant by words such as 02, 2, 02_tensor or a path."""
    chosen = []
    for word in words:
        stem = Path(word).stem
        number = stem.zfill(2) if stem.isdigit() else stem
        match = [n for n in names if number in (n, n.split("_")[0])]
        if not match:
            have = ", ".join(names) or "none yet"
            raise Stop(f'There is no lesson "{word}"; there are: {have}.')
        chosen += match
    return chosen


def sources() -> "list[str]":
    """The names of the lessons that have a source."""
    return sorted(p.stem for p in SOURCES.glob("[0-9]*.md"))


def check_port(port: int) -> None:
    """Stop if nobody can listen on the port."""
    if not 1 <= port <= 65535:
        raise Stop(f"--port {port}: use a number from 1024 to 65535.")
    with socket.socket() as trial:
        if not WINDOWS:  # a port that was just left is free
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise Stop(
                f"Port {port} cannot be used ({error.strerror}): name another "
                "one, or leave out --port to get a free one."
            ) from None


def lab(args: argparse.Namespace) -> int:
    """Open JupyterLab on this machine only, with its token."""
    if args.port is not None:
        check_port(args.port)
    edition = Path("notebooks", args.lang)
    names = sorted(p.stem for p in edition.glob("[0-9]*.ipynb"))
    first = pick([args.lesson], names) if args.lesson else names[:1]
    set_up(cpu=args.cpu)
    command = [PYTHON, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.root_dir=."]
    command += ["--LabApp.extension_manager=readonly"]
    command += [f"--LabApp.workspaces_dir={STATE / 'workspaces'}"]
    for name in first:
        url = f"/lab/tree/{edition.as_posix()}/{name}.ipynb"
        command += [f"--LabApp.default_url={url}"]
    if args.port is not None:
        command += [f"--ServerApp.port={args.port}"]
        command += ["--ServerApp.port_retries=0"]
    if args.no_browser:
        command += ["--no-browser"]
    if not WINDOWS and os.geteuid() == 0:  # a container
        command += ["--allow-root"]
    if WINDOWS:
        return run(command)
    say("$ " + plain(command))
    words = [str(word) for word in command]
    os.execv(words[0], words)


def test(args: argparse.Namespace) -> int:
    """Sources against editions, style, then every test."""
    chosen = pick(args.names, sources())
    editions = [Path("notebooks", lang) for lang in ("zh", "en")]
    books = [e / (n + ".ipynb") for n in chosen for e in editions]
    for book in books:
        if not book.exists():
            number = book.stem.split("_")[0]
            raise Stop(
                f"{book} is not there: run python course.py build {number}."
            )
    set_up(dev=True, cpu=args.cpu)
    numbers = [name.split("_")[0] for name in chosen]
    steps = [
        ("build --check", ["notebooks/build.py", "--check", *numbers]),
        ("ruff check", ["-m", "ruff", "check", "."]),
        ("ruff format", ["-m", "ruff", "format", "--check", "."]),
    ]
    failed = [name for name, step in steps if run([PYTHON, *step], CALM)]
    pytest = [PYTHON, "-m", "pytest", "--nbval", "--nbval-current-env"]
    pytest += ["--nbval-cell-timeout=120", "tests"]
    pytest += books or [e for e in editions if e.is_dir()]
    pytest += ["--lessons=" + ",".join(numbers)] if numbers else []
    status = run(pytest + args.extra, CALM)
    if not failed:
        return status
    failed += ["pytest"] if status else []
    passed = len(steps) + 1 - len(failed)
    say(f"{passed} passed, {len(failed)} failed: {', '.join(failed)}")
    return status or 1


def build(args: argparse.Namespace) -> int:
    """Write the editions from their sources, or only compare them."""
    chosen = pick(args.names, sources())
    set_up(dev=True, cpu=args.cpu)
    numbers = [name.split("_")[0] for name in chosen]
    check = ["--check"] if args.check else []
    return run([PYTHON, "notebooks/build.py", *numbers, *check], CALM)


def bench(args: argparse.Namespace) -> int:
    """Run one measurement; everything after its name is passed on."""
    names = sorted(p.stem for p in Path("bench").glob("[!_]*.py"))
    if args.name not in names:
        have = ", ".join(names) or "none yet"
        raise Stop(f'There is no bench "{args.name}"; there are: {have}.')
    set_up(dev=True, cpu=args.cpu)
    return run([PYTHON, "-m", f"bench.{args.name}", *args.extra], CALM)


def site(args: argparse.Namespace) -> int:
    """Write both editions as static pages into build/site."""
    set_up(dev=True, cpu=args.cpu)
    return run([PYTHON, "site/make.py"], CALM)


def slides(args: argparse.Namespace) -> int:
    """Write lessons as slides for a projector into build/slides."""
    chosen = pick(args.names, sources()) or sources()
    set_up(dev=True, cpu=args.cpu)
    command = [PYTHON, "site/slides.py", *chosen, "--lang", args.lang]
    return run(command, CALM)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> None:
        raise Stop(f"{message}; see python course.py --help.")


def parser() -> Parser:
    """The command line."""
    shape = argparse.RawDescriptionHelpFormatter
    top = Parser(prog="course.py", description=__doc__, formatter_class=shape)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for action in (lab, test, build, bench, site, slides):
        text = action.__doc__.splitlines()[0]
        sub = commands.add_parser(action.__name__, help=text, description=text)
        sub.set_defaults(action=action)
        sub.add_argument(
            "--cpu",
            action="store_true",
            help="install PyTorch's small CPU build (Linux)",
        )
        if action is lab:
            sub.add_argument("lesson", nargs="?", help="such as 02")
            sub.add_argument("--lang", choices=["zh", "en"], default="zh")
            sub.add_argument("--port", type=int, help="default: a free one")
            sub.add_argument("--no-browser", action="store_true")
        elif action is bench:
            sub.add_argument("name", help="such as lenet")
            sub.add_argument("extra", nargs=argparse.REMAINDER)
        elif action is not site:
            sub.add_argument("names", nargs="*", help="lessons such as 02 11")
        if action is build:
            sub.add_argument("--check", action="store_true")
        if action is slides:
            sub.add_argument("--lang", choices=["zh", "en"], default="zh")
    top.epilog = "What follows -- goes on to pytest."
    return top


def main(words: "list[str]") -> int:
    """Run one command; 0 if all is well."""
    if sys.version_info < OLDEST:
        major, minor = sys.version_info[:2]
        raise Stop(
            f"This is Python {major}.{minor}, and the course needs 3.11 to "
            "3.14: install one from https://www.python.org/downloads/ and run "
            "the same command with it, such as python3.13 course.py lab."
        )
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console without Chinese
    extra = []
    if "--" in words:
        cut = words.index("--")
        words, extra = words[:cut], words[cut + 1 :]
    top = parser()
    args = top.parse_args(words)
    if args.command is None:
        top.print_help()
        return 2
    if extra and args.action not in (test, bench):
        raise Stop(f'{args.command} takes nothing after "--".')
    args.extra = getattr(args, "extra", []) + extra
    if Path.cwd() != ROOT:
        say("$ " + plain(["cd", ROOT]))
        os.chdir(str(ROOT))
    return args.action(args)


def door() -> int:
    """Run main and turn what can go wrong outside into a sentence."""
    try:
        return main(sys.argv[1:])
    except Stop as stop:
        sentence = str(stop)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        sentence = advice(str(error)) or ""
        if not sentence:
            raise
    print("course.py: " + sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(door())
