"""JupyterLab and Chromium for tests: a server on a copy, pages to drive.

Needs Playwright's Python package (no browser of its own) and the system's
Chromium.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]
TOKEN = "course-browser-test"
COPIED = ("course.py", "pyproject.toml", "helpers", "exercises", "notebooks")

# The notebook that is open, once it and its kernel can be used.
READY = """() => {
  const w = window.jupyterapp?.shell.currentWidget;
  const s = w?.context?.sessionContext;
  return !!(s && s.isReady && w.context.isReady && w.content?.widgets?.length
    && s.session?.kernel?.status === 'idle');
}"""
# Per code cell: its source, count, errors and the text that it printed.
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map((w, index) => [w.model, index])
  .filter(([m]) => m.type === 'code')
  .map(([m, index]) => {
    const outputs = m.toJSON().outputs;
    const text = x => Array.isArray(x) ? x.join('') : (x ?? '');
    return {
      index: index,
      source: m.sharedModel.getSource(),
      count: m.executionCount,
      errors: outputs.filter(o => o.output_type === 'error')
        .map(o => o.ename + ': ' + o.evalue),
      printed: outputs.filter(o => o.output_type === 'stream')
        .map(o => text(o.text)).join(''),
    };
  })"""


def copy_course(root: Path, target: Path) -> Path:
    """What a reader needs, without the environment and the tests."""
    target.mkdir(parents=True)
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=skip)
        else:
            shutil.copy2(root / name, target / name)
    return target


@contextlib.contextmanager
def browser() -> Iterator:
    """The system's Chromium; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium from the system's packages")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()


@contextlib.contextmanager
def server(folder: Path, state: Path) -> Iterator[str]:
    """JupyterLab on `folder`, its settings in `state`; yields its address.

    Raises:
        RuntimeError: It did not answer within a minute; its log is told.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ.copy()
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(state / name.lower())
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(state / name.lower())
    quiet = state / "config_dir" / "labconfig"
    quiet.mkdir(parents=True)
    (quiet / "page_config.json").write_text(
        '{"disabledExtensions":'
        ' {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.terminals_enabled=False",
    ]
    log, address = state / "jupyter.log", f"http://127.0.0.1:{port}"
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        try:
            _wait(process, f"{address}/api/status?token={TOKEN}", log)
            yield address
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if os.name == "posix":  # the kernels that it started
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab does not answer:\n{log.read_text()}")


class Watch:
    """Notes what a page must not do: errors, requests to the outside."""

    def __init__(self, page) -> None:
        self.faults: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._request)

    def _console(self, message) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _request(self, request) -> None:
        address = request.url.split("?")[0]
        inside = "//127.0.0.1:" in address
        if address.startswith(("http", "ws")) and not inside:
            self.faults.append(f"request: {request.url}")


def open_lesson(page, address: str, path: str) -> None:
    """Open a notebook and wait until its kernel is idle."""
    page.goto(f"{address}/lab/tree/{path}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)


def execute(page, command: str) -> list[dict]:
    """Run a command of JupyterLab's; what each code cell shows afterwards."""
    run = "name => window.jupyterapp.commands.execute(name)"
    page.evaluate(run, f"notebook:{command}")
    page.wait_for_function(READY, timeout=300_000)
    return page.evaluate(CELLS)


def answer(page, index: int, source: str) -> str:
    """Type an answer into a cell as a student does; what the check says."""
    page.evaluate(
        """i => { const c = window.jupyterapp.shell.currentWidget.content;
          c.activeCellIndex = i; c.mode = 'edit';
          c.widgets[i].editor.focus(); }""",
        index,
    )
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(source)
    cells = execute(page, "run-cell")
    return next(c["printed"] for c in cells if c["index"] == index)
