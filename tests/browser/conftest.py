"""A real Chromium through Playwright, against the app on a port of its own; skipped with a reason where either is missing."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evidence import folders

CHROMIUM = "SEKISHO_CHROMIUM"
"""Environment variable: the browser, where it is not in PATH."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = {"width": 1100, "height": 900}


def chromium():
    """Where the browser is; empty where there is none."""
    return os.environ.get(CHROMIUM) or next(filter(None, map(shutil.which, NAMES)), "")


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: make test-browser"
    )
    path = chromium()
    if not path:
        pytest.skip(f"no Chromium in PATH; {CHROMIUM} may name one")
    root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=root)
        yield made
        made.close()


@pytest.fixture
def opened(browser):
    """Opens a browser that has never been here and prefers a language."""
    made = []

    def open_page(language):
        made.append(browser.new_context(locale={"ja": "ja-JP", "en": "en-GB"}[language], viewport=SIZE))
        page = made[-1].new_page()
        page.set_default_timeout(30_000)
        return page

    yield open_page
    for context in made:
        context.close()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def served(tmp_path):
    """The app with one small model in an allowed folder; a vet of it gives a recorded dossier at once."""
    uvicorn = pytest.importorskip("uvicorn")
    from sekisho.web import app
    from sekisho.web.site import Site

    port = free_port()
    models = tmp_path / "models"
    folders.model(models / "small")
    stand_in = Path(__file__).with_name("recorded_vet.py")
    child = (sys.executable, str(stand_in))
    site = Site(
        str(tmp_path / "home" / "ledger.sqlite"),
        frozenset({f"127.0.0.1:{port}"}),
        (models.resolve(),),
        child=child,
    )
    config = uvicorn.Config(
        app.build(site), host="127.0.0.1", port=port, log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        time.sleep(0.05)
    yield site, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=20)


def sekisho(*arguments, **environment):
    """The command line, as a person at a terminal gets it."""
    return subprocess.run(
        [sys.executable, "-m", "sekisho.cli", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, **environment},
    ).stdout
