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

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "course-browser-test"
COPIED = ("course.py", "pyproject.toml", "helpers", "notebooks")

# The notebook that is open, once it and its kernel can be used.
READY = """() => {
  const w = window.jupyterapp?.shell.currentWidget;
  const s = w?.context?.sessionContext;
  return !!(s && s.isReady && w.context.isReady && w.content?.widgets?.length
    && s.session?.kernel?.status === 'idle');
}"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
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


def browser_path() -> str | None:
    """The system's Chromium, or None."""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), None)


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


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder: Path, state: Path) -> Iterator[str]:
    """JupyterLab on `folder`, its settings in `state`; yields its address.

    Raises:
        RuntimeError: It did not answer within a minute; its log is told.
    """
    port, log = free_port(), state / "jupyter.log"
    environment = os.environ.copy()
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(state / name.lower())
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(state / name.lower())
    state.mkdir(parents=True, exist_ok=True)
    quiet = state / "config_dir" / "labconfig"
    quiet.mkdir(parents=True)
    (quiet / "page_config.json").write_text(
        '{"disabledExtensions":'
        ' {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        "--ServerApp.terminals_enabled=False",
        "--allow-root",
    ]
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, f"{address}/api/status?token={TOKEN}", log)
            yield address
        finally:
            _stop(process)


def _wait(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab does not answer:\n{log.read_text()}")


def _stop(process: subprocess.Popen) -> None:
    """Ends the server and the kernels that it started."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


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
        url = request.url
        if not url.startswith(("http:", "https:", "ws:", "wss:")):
            return
        if "//127.0.0.1:" not in url.split("?")[0]:
            self.faults.append(f"request: {url}")


def open_lesson(page, address: str, path: str) -> None:
    """Open a notebook and wait until its kernel is idle."""
    page.goto(f"{address}/lab/tree/{path}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)


def run_all(page) -> list[dict]:
    """Run every cell; what each code cell shows afterwards."""
    page.set_default_timeout(300_000)
    page.evaluate(RUN_ALL)
    page.wait_for_function(READY)
    return page.evaluate(CELLS)
