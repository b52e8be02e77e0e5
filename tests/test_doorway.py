"""course.py, environment.yml, the workflow and the READMEs.

The doorway is run in a tiny course of its own, in a folder with a space and
Chinese characters in its name. There ``python -m venv`` leaves pip out, and
pip, JupyterLab, pytest and ruff are stand-ins that write down how they were
called: nothing is downloaded. The tests that end in ``_real`` use the real
venv and the real pip.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
POSIX = os.name == "posix"
posix_only = pytest.mark.skipif(not POSIX, reason="POSIX signals and mounts")

PYPROJECT = """
[project]
name = "tiny"
version = "1"
dependencies = ["alpha>=1", "beta.gamma"]
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
import os, pathlib, re, sys, sysconfig, time, tomllib
if "--version" in sys.argv:
    sys.exit(os.environ.get("PIP_BROKEN"))
with open(os.environ["LOG"], "a", encoding="utf8") as log:
    print(*sys.argv[1:], file=log)
if "-e" not in sys.argv:
    sys.exit()
if os.environ.get("PIP_SAYS"):
    sys.exit(os.environ["PIP_SAYS"])
time.sleep(float(os.environ.get("PIP_SECONDS", 0)))
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf8"))
names = project["project"]["dependencies"]
if "--group" in sys.argv:
    names = names + project["dependency-groups"]["dev"]
for name in names:
    name = re.match(r"[\\w.-]+", name).group()
    site = pathlib.Path(sysconfig.get_path("purelib"))
    info = site / f"{name}-1.dist-info"
    if not info.exists():
        with open(os.environ["LOG"], "a", encoding="utf8") as log:
            print("brought", name, file=log)
        info.mkdir()
        text = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1\\n"
        (info / "METADATA").write_bytes(text.encode())
        record = f"{info.name}/METADATA,,{len(text)}\\n{info.name}/RECORD,,\\n"
        (info / "RECORD").write_bytes(record.encode())
"""

# The last argument says which exit status the stand-in has.
TOOL = """
import json, os, sys
kept = ("OMP_NUM_THREADS", "PYTHONHASHSEED")
env = {k: os.environ[k] for k in kept if k in os.environ}
print("CALLED", json.dumps([NAME, sys.argv[1:], env]), flush=True)
sys.exit(int(os.environ.get(NAME.upper() + "_STATUS", 0)))
"""


class Course:
    """A tiny course with its stand-ins."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.root = root
        self.log = folder / "log"
        shims = folder / "shims"
        tools = ("jupyterlab", "pytest", "ruff")
        sources = {"venv": VENV, "pip": PIP}
        sources |= {t: TOOL.replace("NAME", repr(t)) for t in tools}
        for name, source in sources.items():
            (shims / name).mkdir(parents=True)
            (shims / name / "__init__.py").touch()
            (shims / name / "__main__.py").write_text(source, "utf8")
        root.mkdir(exist_ok=True)
        shutil.copy(ROOT / "course.py", root)
        (root / "pyproject.toml").write_text(PYPROJECT, "utf8")
        for lang in ("zh", "en"):
            (root / "notebooks" / lang).mkdir(parents=True)
            for name in ("11_lenet", "02_tensors"):
                (root / "notebooks" / lang / f"{name}.ipynb").touch()
        (root / "notebooks" / "src").mkdir()
        for name in ("02_tensors", "11_lenet", "12_not_built"):
            (root / "notebooks" / "src" / f"{name}.md").touch()
        build = TOOL.replace("NAME", "'build'")
        (root / "notebooks" / "build.py").write_text(build, "utf8")
        (root / "bench").mkdir()
        bench = TOOL.replace("NAME", "'bench'")
        (root / "bench" / "speed.py").write_text(bench, "utf8")
        keep = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE")
        self.env = {k: os.environ[k] for k in keep if k in os.environ}
        self.env |= {"PYTHONPATH": str(shims), "LOG": str(self.log)}
        self.env |= {"PYTHONUTF8": "1"}

    @property
    def python(self) -> Path:
        """The Python of the tiny course's .venv."""
        place = "bin/python" if POSIX else "Scripts/python.exe"
        return self.root / ".venv" / place

    @property
    def stamp(self) -> Path:
        """The mark of a finished installation."""
        return self.root / ".venv" / "course.json"

    def pip(self) -> list[str]:
        """What pip was asked since the last look."""
        lines = []
        if self.log.exists():
            lines = self.log.read_text("utf8").splitlines()
            self.log.unlink()
        return lines

    def start(self, *words: str, **env: str) -> subprocess.Popen:
        """Start course.py in a process group of its own."""
        python = env.pop("PYTHON", sys.executable)

        def hear_ctrl_c() -> None:  # a shell's "&" switches that off
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        return subprocess.Popen(
            [python, str(self.root / "course.py"), *words],
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf8",
            start_new_session=POSIX,
            preexec_fn=hear_ctrl_c if POSIX else None,
        )

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess:
        """Run course.py to its end."""
        process = self.start(*words, **env)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A tiny course in a folder with an awkward name."""
    return Course(tmp_path, tmp_path / "课程 one")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A tiny course whose .venv is made."""
    folder = tmp_path_factory.mktemp("ready")
    course = Course(folder, folder / "课程 one")
    assert course.run("build").returncode == 0
    return course


@pytest.fixture(scope="module")
def doorway():
    """course.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "doorway", ROOT / "course.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def calls(out: str) -> list[list]:
    """The stand-ins' reports: name, arguments, environment."""
    lines = re.findall(r"^CALLED (.*)$", out, re.MULTILINE)
    return [json.loads(line) for line in lines]


def sentence(done: subprocess.CompletedProcess) -> str:
    """The one sentence at the end of a failure."""
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("course.py: ")
    assert last.endswith(".")
    return last


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.02)


# What can be refused before anything is made


def test_an_old_python_can_read_it():
    source = (ROOT / "course.py").read_text("utf8")
    tree = ast.parse(source, feature_version=(3, 6))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= sys.stdlib_module_names
    # What an old Python evaluates while it reads: no dict | dict, no list[int]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            hints = [a.annotation for a in node.args.args] + [node.returns]
            assert not any(
                isinstance(hint, ast.Subscript | ast.BinOp) for hint in hints
            ), node.name


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 99)])
def test_python_too_old(version):
    code = (
        f"import runpy, sys; sys.version_info = {version}; "
        "sys.argv = ['course.py', 'lab']; "
        f"runpy.run_path({str(ROOT / 'course.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf8",
        check=False,
    )
    said = sentence(done)
    assert f"Python 3.{version[1]}," in said
    assert "needs 3.11" in said
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["labb"], "labb"),
        (["lab", "99"], "02_tensors, 11_lenet"),
        (["lab", "--lang", "fr"], "fr"),
        (["lab", "--port", "x"], "--port"),
        (["lab", "--port", "70000"], "65535"),
        (["test", "02", "nine"], '"nine"'),
        (["test", "12"], "course.py build 12"),
        (["build", "02", "13"], '"13"; there are: 02_tensors, 11_lenet'),
        (["bench", "sped"], "speed"),
        (["build", "--", "02"], 'nothing after "--"'),
    ],
)
def test_wrong_words(course, words, said):
    done = course.run(*words)
    assert said in sentence(done)
    assert not (course.root / ".venv").exists()


def test_commands_can_be_typed_on_windows(doorway, monkeypatch):
    monkeypatch.setattr(doorway, "WINDOWS", True)
    python = ".venv\\Scripts\\python.exe"
    typed = doorway.plain([python, "-m", "pip", "install", "pip>=25.2", "-e."])
    assert typed == f'{python} -m pip install "pip>=25.2" -e.'
    typed = doorway.plain([f"C:\\课程 one\\{python}", "-V"], {"A": "1"})
    assert typed == f'$env:A="1"; & "C:\\课程 one\\{python}" -V'


def test_port_in_use(course):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = course.run("lab", "--port", port)
    assert f"Port {port} cannot be used" in sentence(done)
    assert not (course.root / ".venv").exists()


# Set-up


def test_first_start_then_second(course):
    first = course.run("lab", "--no-browser")
    assert first.returncode == 0, first.stderr
    assert course.pip() == [
        "install pip>=25.2",
        "install -e .",
        "brought alpha",
        "brought beta.gamma",
    ]
    shown = [line for line in first.stdout.splitlines() if line[:2] == "$ "]
    assert "课程 one" in shown[0]
    assert shown[0].startswith("$ cd ")
    assert shown[1].endswith(" -m venv .venv")
    assert shown[3].endswith(" -m pip install -e .")
    config = course.root / ".venv/etc/jupyter/labconfig/page_config.json"
    assert "announcements" in config.read_text("utf8")

    begin = time.monotonic()
    second = course.run("lab", "--no-browser")
    assert time.monotonic() - begin < 3
    assert course.pip() == []
    assert second.stdout.count("\n$ ") == 1  # after cd: JupyterLab alone
    [[name, words, _]] = calls(second.stdout)
    assert name == "jupyterlab"
    assert "--ServerApp.ip=127.0.0.1" in words
    lesson = "/lab/tree/notebooks/zh/02_tensors.ipynb"
    assert f"--LabApp.default_url={lesson}" in words
    assert "--no-browser" in words
    assert not any("token" in word or "password" in word for word in words)


def test_lesson_language_port_and_cpu(course):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["lab", "11", "--lang", "en", "--port", str(port), "--cpu"]
    done = course.run(*words)
    assert any("--extra-index-url" in line for line in course.pip())
    [[_, words, _]] = calls(done.stdout)
    lesson = "/lab/tree/notebooks/en/11_lenet.ipynb"
    assert f"--LabApp.default_url={lesson}" in words
    assert f"--ServerApp.port={port}" in words
    assert "--ServerApp.port_retries=0" in words
    assert "--no-browser" not in words


def test_installs_again_only_when_needed(course):
    assert course.run("lab").returncode == 0
    course.pip()
    # The tests' packages come once, and lab does not take them away.
    assert course.run("build").returncode == 0
    assert course.pip()[-2:] == ["install -e . --group dev", "brought delta"]
    assert course.run("lab").returncode == 0
    assert course.run("build").returncode == 0
    assert course.pip() == []
    # A new requirement.
    project = course.root / "pyproject.toml"
    text = project.read_text("utf8").replace('"alpha', '"zeta", "alpha')
    project.write_text(text, "utf8")
    assert course.run("lab").returncode == 0
    assert course.pip()[-1] == "brought zeta"
    # A package that somebody removed.
    [gone] = (course.root / ".venv").rglob("zeta-1.dist-info")
    shutil.rmtree(gone)
    assert course.run("lab").returncode == 0
    assert course.pip()[-1] == "brought zeta"
    # The folder was moved: "pip install -e" holds its path.
    course.root = course.root.rename(course.root.with_name("moved"))
    assert course.run("lab").returncode == 0
    assert "install -e ." in course.pip()


def test_package_whose_files_are_gone_comes_again(course):
    assert course.run("lab").returncode == 0
    [info] = (course.root / ".venv").rglob("alpha-1.dist-info")
    (info.parent / "alpha").mkdir()
    (info.parent / "alpha" / "__init__.py").write_text("1")
    with open(info / "RECORD", "a") as record:
        record.write("alpha/__init__.py,,1\n")
    course.pip()
    assert course.run("lab").returncode == 0
    assert course.pip() == []
    shutil.rmtree(info.parent / "alpha")
    assert course.run("lab").returncode == 0
    assert course.pip()[-1] == "brought alpha"
    assert course.run("lab").returncode == 0
    assert course.pip() == []


@pytest.mark.parametrize(
    "rubbish",
    [b"\0" * 40, b"\xff\n", b'a\rb,"'],
    ids=["zeros", "not UTF-8", "not CSV"],
)
def test_package_with_a_damaged_list_of_files_comes_again(course, rubbish):
    assert course.run("lab").returncode == 0
    [info] = (course.root / ".venv").rglob("alpha-1.dist-info")
    (info / "RECORD").write_bytes(rubbish)
    course.pip()
    done = course.run("lab")
    assert done.returncode == 0, done.stderr
    assert "no working Python" not in done.stdout
    assert course.pip()[-1] == "brought alpha"


@posix_only
@pytest.mark.parametrize("update", [False, True])
def test_killed_while_installing(course, update):
    if update:
        assert course.run("lab").returncode == 0
        project = course.root / "pyproject.toml"
        text = project.read_text("utf8").replace("alpha>=1", "alpha>=2")
        project.write_text(text, "utf8")
        course.pip()
    process = course.start("lab", PIP_SECONDS="60")
    wait_for(course.log)
    while "-e" not in course.log.read_text("utf8"):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not course.stamp.exists()
    # One package was cut in the middle, of one the list was not yet written.
    [site] = (course.root / ".venv/lib").glob("python*/site-packages")
    for name, record in (("alpha", "alpha/long.py,,99\n"), ("beta", None)):
        (site / f"{name}-1.dist-info").mkdir(exist_ok=True)
        if record:
            (site / "alpha").mkdir()
            (site / "alpha/long.py").write_text("cut")
            (site / "alpha-1.dist-info/RECORD").write_text(record)
    (site / "~orch").mkdir()
    course.pip()

    done = course.run("lab")
    assert done.returncode == 0, done.stderr
    assert "no mark of a finished installation" in done.stdout
    assert "brought alpha" in course.pip()
    assert not (site / "beta-1.dist-info").exists()
    assert not (site / "~orch").exists()
    assert course.stamp.exists()


def test_broken_python_is_made_anew(course):
    assert course.run("lab").returncode == 0
    course.python.unlink()
    course.python.write_text("no program")
    course.pip()
    done = course.run("lab")
    assert done.returncode == 0, done.stderr
    assert "no working Python" in done.stdout
    assert "-m venv --clear .venv" in done.stdout
    assert "brought alpha" in course.pip()


def test_venv_without_pip_is_made_anew_by_the_python_outside(course):
    assert course.run("lab").returncode == 0
    course.stamp.unlink()
    done = course.run("lab", PYTHON=str(course.python), PIP_BROKEN="no pip")
    assert done.returncode == 0, done.stderr
    [line] = re.findall(r"^\$ (.*) -m venv --clear .venv$", done.stdout, re.M)
    assert ".venv" not in line


def test_stale_lock_stops_nobody(course):
    (course.root / ".lab").mkdir()
    (course.root / ".lab/setup.lock").write_text("1")
    assert course.run("lab").returncode == 0


def test_two_at_once_install_once(course):
    both = [course.start("lab", PIP_SECONDS="1") for _ in range(2)]
    told = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert course.pip().count("install -e .") == 1
    assert sum("waiting" in text for text in told) == 1


@posix_only
def test_pip_that_outlives_its_parent_is_waited_for(course):
    process = course.start("lab", PIP_SECONDS="2")
    wait_for(course.log)
    while "-e" not in course.log.read_text("utf8"):
        time.sleep(0.02)
    process.kill()
    done = course.run("lab")
    process.communicate()
    assert done.returncode == 0, done.stderr
    assert "waiting" in done.stdout
    lines = course.pip()
    first = lines.index("brought alpha")  # by the orphan, before anything else
    assert lines[first + 1 :].count("install -e .") == 1


@posix_only
def test_ctrl_c(course):
    process = course.start("lab", PIP_SECONDS="60")
    wait_for(course.log)
    while "-e" not in course.log.read_text("utf8"):
        time.sleep(0.02)
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out
    assert err.splitlines()[-1].startswith("Stopped.")
    assert "course.py" not in err  # no traceback of ours; pip has its own
    assert not course.stamp.exists()


@pytest.mark.parametrize(
    ("pip_says", "said"),
    [
        (
            "ERROR: Could not install packages due to an OSError: "
            "[Errno 28] No space left on device",
            "The disk is full",
        ),
        (
            "ERROR: Could not install packages due to an OSError: "
            "[Errno 13] Permission denied: 'x'",
            "cannot be written",
        ),
        (
            "ERROR: HTTPSConnectionPool(host='h', port=443): Read timed out.",
            "No network",
        ),
        (
            "ERROR: No matching distribution found for torch>=2.11",
            "has no torch>=2.11",
        ),
        (
            "ERROR: No matching distribution found for torch>=2.11",
            "on a Mac with an Intel processor",
        ),
        ("ERROR: something new", "exit status 1"),
    ],
)
def test_pip_fails(course, pip_says, said):
    done = course.run("lab", PIP_SAYS=pip_says)
    assert pip_says in done.stderr  # pip's own words stay visible
    assert said in sentence(done)
    assert not calls(done.stdout)
    assert not course.stamp.exists()


def test_no_network_real(course):
    del course.env["PYTHONPATH"]
    done = course.run(
        "lab",
        PIP_INDEX_URL="http://127.0.0.1:9",
        PIP_CONFIG_FILE=os.devnull,
        PIP_RETRIES="0",
    )
    assert "No network" in sentence(done)
    assert course.python.exists()
    assert not course.stamp.exists()


@pytest.fixture
def small_disk(tmp_path: Path):
    """An empty file system of 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if not POSIX or not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_real(tmp_path, small_disk):
    course = Course(tmp_path, small_disk / "课程 one")
    del course.env["PYTHONPATH"]
    done = course.run("lab")
    assert "The disk is full" in sentence(done)
    assert not course.stamp.exists()


def test_read_only_folder_real(tmp_path, small_disk):
    course = Course(tmp_path, small_disk / "课程 one")
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    assert "copy the course" in sentence(course.run("lab"))


# The other commands


def test_test_runs_everything_and_ends_with_pytest(ready):
    done = ready.run("test")
    assert done.returncode == 0, done.stderr
    called = calls(done.stdout)
    assert [name for name, *_ in called] == ["build", "ruff", "ruff", "pytest"]
    calm = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    assert all(env == calm for *_, env in called)
    assert [words for _, words, _ in called] == [
        ["--check"],
        ["check", "."],
        ["format", "--check", "."],
        [
            "--nbval",
            "--nbval-current-env",
            "--nbval-cell-timeout=120",
            "tests",
            str(Path("notebooks/zh")),
            str(Path("notebooks/en")),
        ],
    ]
    assert done.stdout.splitlines()[-1].startswith("CALLED")


def test_test_of_some_lessons(ready):
    done = ready.run(
        "test", "2", "11_lenet", "--", "-x", "-k", "a b", OMP_NUM_THREADS="2"
    )
    build, *_, (_, words, env) = calls(done.stdout)
    assert build[1] == ["--check", "02", "11"]
    assert env["OMP_NUM_THREADS"] == "2"
    books = [word for word in words if word.endswith(".ipynb")]
    assert [Path(book).parts[1:] for book in books] == [
        (lang, f"{name}.ipynb")
        for name in ("02_tensors", "11_lenet")
        for lang in ("zh", "en")
    ]
    assert words[-4:] == ["--lessons=02,11", "-x", "-k", "a b"]


@pytest.mark.parametrize(
    ("env", "status", "last"),
    [
        ({"PYTEST_STATUS": "1"}, 1, "CALLED"),
        ({"PYTEST_STATUS": "4"}, 4, "CALLED"),
        (
            {"RUFF_STATUS": "1"},
            1,
            "2 passed, 2 failed: ruff check, ruff format",
        ),
        (
            {"BUILD_STATUS": "1", "PYTEST_STATUS": "2"},
            2,
            "2 passed, 2 failed: build --check, pytest",
        ),
    ],
)
def test_test_fails(ready, env, status, last):
    done = ready.run("test", **env)
    assert done.returncode == status
    assert calls(done.stdout)[-1][0] == "pytest"  # whatever failed before
    assert done.stdout.splitlines()[-1].startswith(last)


def test_build_and_bench_pass_their_words_on(ready):
    done = ready.run("build", "2", "11_lenet", "--check", BUILD_STATUS="3")
    assert done.returncode == 3
    assert calls(done.stdout)[0][1] == ["02", "11", "--check"]
    done = ready.run("bench", "speed", "--repeats", "3")
    assert calls(done.stdout)[0][1] == ["--repeats", "3"]


# The files around it


def bounds(lines: list[str]) -> dict[str, str]:
    """Requirements as name -> the rest."""
    pairs = (re.match(r"([\w.-]+)\s*(.*)", line).groups() for line in lines)
    return {name: rest for name, rest in pairs}


def test_conda_and_pip_ask_for_the_same():
    text = (ROOT / "pyproject.toml").read_text("utf8")
    project = tomllib.loads(text)["project"]
    text = (ROOT / "environment.yml").read_text("utf8")
    environment = yaml.safe_load(text)
    lines = environment["dependencies"]
    [by_pip] = [line["pip"] for line in lines if isinstance(line, dict)]
    conda = bounds([line for line in lines if isinstance(line, str)])
    conda |= bounds([line for line in by_pip if line != "-e ."])
    assert "-e ." in by_pip
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    # One Python, new enough, in the only form that Binder reads.
    python = re.fullmatch(r"=(\d+)\.(\d+)", conda.pop("python")).groups()
    oldest = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"])
    assert tuple(map(int, python)) >= tuple(map(int, oldest.groups()))
    # What pip cannot bring, or brings by itself.
    for name in ("pip", "graphviz", "python-graphviz"):
        assert conda.pop(name) == ""
    renamed = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
    pip = bounds(project["dependencies"])
    assert conda == {renamed.get(name, name): pip[name] for name in pip}


def test_oldest_versions_are_constraints():
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci/oldest.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "torch==2.11" in done.stdout.splitlines()
    assert "torchvision==0.26" in done.stdout.splitlines()
    assert all("==" in line for line in done.stdout.splitlines())


def test_workflow_pins_its_actions_and_may_only_read():
    text = (ROOT / ".github/workflows/test.yml").read_text("utf8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", u) for u in used)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_readme_opens_with_the_two_commands(doorway, name):
    text = (ROOT / name).read_text("utf8")
    commands = re.findall(
        r"^(?:    |.*`)python (course\.py [^#`\n]+)", text, re.M
    )
    assert [c.split()[1] for c in commands[:2]] == ["lab", "test"]
    assert text.index("course.py test") < text.index("\n## ")
    for command in commands:  # every command that it names exists
        words = command.split()[1:]
        words = words[: words.index("--")] if "--" in words else words
        doorway.parser().parse_args(words)
    for mark in ("lessons", "bench"):
        assert text.count(f"<!-- {mark} -->") == 1
        assert text.index(f"<!-- {mark} -->") < text.index(f"<!-- /{mark} -->")
