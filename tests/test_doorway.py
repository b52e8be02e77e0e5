"""course.py, and the files around it: READMEs, environment.yml, the workflow.

The doorway is run in a tiny course of its own, in a folder with a space and
Chinese characters in its name. pip, JupyterLab, pytest and ruff are stand-ins
that write down how they were called: nothing is downloaded.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
POSIX = os.name == "posix"
PYPROJECT = """
[project]
dependencies = ["alpha>=1"]
[dependency-groups]
dev = ["delta"]
"""
VENV = """
import os, subprocess, sys
env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
call = [sys.executable, "-m", "venv", "--without-pip", *sys.argv[1:]]
sys.exit(subprocess.call(call, env=env))
"""
PIP = """
import os, sys, time
with open(os.environ["LOG"], "a", encoding="utf8") as log:
    kept = sorted(k for k in os.environ if k.startswith("PIP_"))
    print(NAME, *sys.argv[1:], *kept, os.environ["PIP_USER"], file=log)
time.sleep(float(os.environ.get("SECONDS", 0)))
sys.exit(os.environ.get("SAYS"))
"""
TOOLS = ("jupyterlab", "pytest", "ruff")
TOOL = """
import json, os, sys
kept = ("OMP_NUM_THREADS", "PYTHONHASHSEED")
env = {k: os.environ[k] for k in kept if k in os.environ}
print("CALLED", json.dumps([NAME, sys.argv[1:], env]), flush=True)
sys.exit(int(os.environ.get(NAME.upper() + "_STATUS", 0)))
"""


class Course:
    """A tiny course with its stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log = folder / "课程 one", folder / "log"
        self.shims = folder / "shims"
        for name in ("venv", "pip", "ensurepip", *TOOLS):
            source = {"venv": VENV}.get(name, TOOL if name in TOOLS else PIP)
            self.write(self.shims / name / "__main__.py", source, name)
            self.write(self.shims / name / "__init__.py", "")
        self.write(self.root / "pyproject.toml", PYPROJECT)
        shutil.copy(ROOT / "course.py", self.root)
        head = {"cell_type": "markdown", "metadata": {}, "source": ["# A"]}
        book = json.dumps({"cells": [head], "metadata": {}})
        for name in ("02_tensors", "11_lenet"):
            self.write(self.root / "notebooks/src" / name / "lesson.md", "")
            for lang in ("zh", "en"):
                path = self.root / "notebooks" / lang / f"{name}.ipynb"
                self.write(path, book)
        shutil.copy(ROOT / "notebooks/own.py", self.root / "notebooks")
        for name in ("notebooks/build", "tests/bench/speed",
                     "notebooks/classroom/run"):  # fmt: skip
            path = self.root / f"{name}.py"
            self.write(path, TOOL, path.stem)
        keep = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE")
        self.env = {k: os.environ[k] for k in keep if k in os.environ}
        self.env |= {"PYTHONPATH": str(self.shims), "LOG": str(self.log)}
        self.env |= {"PYTHONUTF8": "1"}

    def write(self, path: Path, text: str, name: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", repr(name)), "utf8")

    def pip(self) -> list[str]:
        """What pip was asked since the last look."""
        text = self.log.read_text("utf8") if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text.splitlines()

    def start(self, *words: str, **env: str) -> subprocess.Popen:
        """Start course.py in a process group of its own."""

        def hear_ctrl_c() -> None:  # a shell's "&" switches that off
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        return subprocess.Popen(
            [sys.executable, str(self.root / "course.py"), *words],
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf8",
            start_new_session=POSIX,
            preexec_fn=hear_ctrl_c if POSIX else None,
        )

    def run(self, *words: str, status: int = 0, **env: str) -> SimpleNamespace:
        """Run course.py to its end: lines told, and calls of stand-ins."""
        process = self.start(*words, **env)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, out + err
        called = re.findall(r"^CALLED (.*)$", out, re.M)
        return SimpleNamespace(
            out=out.splitlines(),
            err=err.splitlines(),
            calls=[json.loads(line) for line in called],
        )


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


@pytest.fixture(scope="module")
def doorway():
    """course.py as a module."""
    path = ROOT / "course.py"
    spec = importlib.util.spec_from_file_location("doorway", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_read_it_and_is_told():
    source = (ROOT / "course.py").read_text("utf8")
    ast.parse(source, feature_version=(3, 6))
    code = (
        "import runpy, sys; sys.version_info = (3, 10, 99); "
        f"runpy.run_path({str(ROOT / 'course.py')!r}, run_name='__main__')"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Python 3.10, and the course needs 3.11" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["labb"], "labb"),
        (["lab", "99"], '"99"; there are: 02_tensors, 11_lenet'),
        (["lab", "--fresh"], "needs a lesson"),
        (["test", "02", "nine"], '"nine"'),
        (["bench", "sped"], "speed"),
        (["build", "--", "02"], 'nothing after "--"'),
    ],
)
def test_wrong_words(course, words, said):
    done = course.run(*words, status=2 if words == ["labb"] else 1)
    assert said in done.err[-1]
    assert not (course.root / ".venv").exists()


def test_commands_can_be_typed(doorway, monkeypatch):
    words, env = ["/课程 one/py", "-m", "pip>=25.2", "it's", "2,3"], {"A": "1"}
    told = doorway.plain(words, env)
    assert told == "A=1 '/课程 one/py' -m 'pip>=25.2' 'it'\"'\"'s' 2,3"
    monkeypatch.setattr(doorway, "WINDOWS", True)
    told = doorway.plain(words, env)
    assert told == "$env:A='1'; & '/课程 one/py' -m 'pip>=25.2' 'it''s' '2,3'"


def test_first_start_then_second(course):
    # Settings of pip that say where packages go are left out.
    settings = ("USER", "TARGET", "PREFIX", "INDEX_URL", "CONSTRAINT")
    env = {f"PIP_{name}": "1" for name in settings}
    first = course.run("lab", "2", "--cpu", **env)
    index = "https://download.pytorch.org/whl/cpu"
    kept = " PIP_CONSTRAINT PIP_INDEX_URL PIP_USER 0"
    assert course.pip() == [
        "pip install pip>=25.2" + kept,
        f"pip install --extra-index-url {index} -e ." + kept,
    ]
    shown = [line for line in first.out if line[:2] == "$ "]
    assert shown[0].startswith("$ cd ")
    assert "课程 one" in shown[0]
    assert shown[1].endswith(" -m venv .venv")
    assert shown[3].endswith(" -e .")
    config = course.root / ".venv/etc/jupyter/labconfig/page_config.json"
    assert "announcements" in config.read_text("utf8")

    # A copy that JupyterLab's "Duplicate" made is left alone.
    copy = course.root / "notebooks/en/11_lenet-Copy1.ipynb"
    course.write(copy, "{}")
    words = ["--lang", "en", "--port", "8890", "--no-browser"]
    second = course.run("lab", "11", *words)
    assert course.pip() == []
    [[name, words, _]] = second.calls
    assert name == "jupyterlab"
    assert {
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=8890",
        "--ServerApp.root_dir=my",
        "--LabApp.default_url=/lab/tree/en/11_lenet.ipynb",
        "--no-browser",
    } <= set(words)
    assert not any("token" in word or "password" in word for word in words)


def test_installs_again_only_when_needed(course):
    course.run("lab", "02")
    course.pip()
    # The tests' packages come once, and lab does not take them away.
    course.run("build")
    assert "-e . --group dev" in course.pip()[-1]
    course.run("lab", "02")
    course.run("build")
    assert course.pip() == []
    text = PYPROJECT.replace("alpha>=1", "alpha>=2")
    course.write(course.root / "pyproject.toml", text)
    course.run("lab", "02")
    assert "-e ." in course.pip()[-1]
    # The folder was moved: "pip install -e" holds its path.
    course.root = course.root.rename(course.root.with_name("moved"))
    course.run("lab", "02")
    assert "-e ." in course.pip()[-1]


def test_what_somebody_made_is_left(course):
    mine = course.root / ".venv" / "mine"
    course.write(mine, "something")
    done = course.run("lab", "02", status=1)
    assert "delete the folder .venv" in done.err[-1]
    # Without pip, as uv makes it; the stand-in for ensurepip brings none.
    call = [sys.executable, "-m", "venv", "--without-pip", ".venv"]
    subprocess.run(call, cwd=course.root, check=True)
    shutil.rmtree(course.shims / "pip")
    done = course.run("lab", "02", status=1)
    assert course.pip() == ["ensurepip PIP_USER 0"]
    assert "The last command failed" in done.err[-1]
    assert mine.exists()


def test_pip_fails(course):
    own = "ERROR: No space left on device"
    done = course.run("lab", "02", status=1, SAYS=own)
    assert done.err[-2] == own
    assert done.err[-1].startswith("course.py: The last command failed")
    course.run("lab", "02")


@pytest.mark.skipif(not POSIX, reason="POSIX signals")
def test_ctrl_c(course):
    process = course.start("lab", "02", SECONDS="60")
    while not course.log.exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out
    assert "course.py" not in err  # no traceback of ours; pip has its own


def test_test_runs_everything_and_ends_with_pytest(course):
    done = course.run("test", "2", "11_lenet", "--", "-x", "-k", "a b")
    calm = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    pytest = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300"]
    pytest += ["-n2", "--dist=loadfile", "tests"]
    for name in ("02_tensors", "11_lenet"):
        pytest += [f"notebooks/{lang}/{name}.ipynb" for lang in ("zh", "en")]
    pytest += ["--lessons=02,11", "-x", "-k", "a b"]
    assert done.calls == [
        ["build", ["--check", "02", "11"], calm],
        ["ruff", ["check", "."], calm],
        ["ruff", ["format", "--check", "."], calm],
        ["pytest", pytest, calm],
    ]
    assert done.out[-1].startswith("CALLED")
    course.run("test", status=4, PYTEST_STATUS="4")
    done = course.run("test", status=1, BUILD_STATUS="1")
    assert done.calls[-1][0] == "pytest"  # whatever failed before
    assert done.out[-1] == "failed above: notebooks/build.py --check"


def test_build_and_bench_pass_words_on(course):
    done = course.run("build", "2", "--check", status=3, BUILD_STATUS="3")
    assert done.calls[0][1] == ["02", "--check"]
    done = course.run("bench", "speed", "--repeats", "3")
    assert done.calls[0][1] == ["--repeats", "3"]


def test_a_class_lies_where_the_command_was_typed(course):
    words = ["class", "一班", "--lang", "en", "--", "--jobs", "1"]
    [[name, words, _]] = course.run(*words).calls
    here = os.path.abspath("一班")
    assert (name, words) == ("run", [here, "--lang", "en", "--jobs", "1"])


# The files around it


def bounds(lines: list[str]) -> dict[str, str]:
    """Requirements as name -> the rest."""
    pairs = (re.match(r"([\w.-]+)\s*(.*)", line).groups() for line in lines)
    return dict(pairs)


def test_conda_and_pip_ask_for_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))
    environment = (ROOT / "environment.yml").read_text("utf8")
    *lines, by_pip = yaml.safe_load(environment)["dependencies"]
    conda = bounds([*lines, *by_pip["pip"][:-1]])
    assert by_pip["pip"][-1] == "-e ."
    python = re.fullmatch(r"=3\.(\d+)", conda.pop("python"))  # Binder's form
    assert int(python.group(1)) >= 11
    for name in ("pip", "python-graphviz"):  # what pip brings by itself
        assert conda.pop(name) == ""
    renamed = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
    pip = bounds(project["project"]["dependencies"])
    assert conda == {renamed.get(name, name): pip[name] for name in pip}


def test_oldest_versions_are_constraints():
    call = [sys.executable, str(ROOT / ".ci/oldest.py")]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert "torch==2.11" in done.stdout.splitlines()
    assert all("==" in line for line in done.stdout.splitlines())


def test_a_checkout_with_crlf_keeps_what_a_shell_reads(tmp_path):
    call = ["git", "-c", "core.autocrlf=true", "clone", "-q", ROOT, tmp_path]
    subprocess.run(call, check=True)
    for path in (".ci/run", "course.py", "README.md"):
        assert b"\r" not in (tmp_path / path).read_bytes()


def test_workflow_pins_its_actions_and_may_only_read():
    text = (ROOT / ".github/workflows/test.yml").read_text("utf8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert text.count("permissions") == 1
    used = re.findall(r"uses: (\S+)", text)
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", u) for u in used)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_readme_opens_with_the_two_commands(doorway, name):
    text = (ROOT / name).read_text("utf8")
    lines = r"^(?:    |.*`)python course\.py ([^#`\n]+)"
    commands = [line.split() for line in re.findall(lines, text, re.M)]
    assert [words[0] for words in commands[:2]] == ["lab", "test"]
    for words in commands:  # every command that it names exists
        cut = words.index("--") if "--" in words else len(words)
        doorway.parser().parse_args(words[:cut])
