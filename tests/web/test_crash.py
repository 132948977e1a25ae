"""The server is killed while people sign off and while a vet runs: nothing accepted is lost, nothing half-written believed."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx2 as httpx
import pytest

from evidence.folders import dossier, model
from sekisho import recording
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import open_ledger
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify
from sekisho.web import runs, starting
from sekisho.web.runs import Stage
from sekisho.web.site import CHILD
from test_sign_off import comparison
from web.conftest import Browser
from web.test_compare_page import SUBJECT, answered, finished
from web.test_runs_page import CHOSEN, FAKE, stage, until, working

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="kills process groups"),
]


class Server:
    """One server after another on the same ledger."""

    def __init__(self, home, child=FAKE):
        self.home, self.child = home, tuple(child)
        self.place, self.models = home / "home" / "ledger.sqlite", home / "models"
        self.clients = []
        self.models.mkdir(parents=True)
        self.place.parent.mkdir()
        self.start()

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, Path(__file__).with_name("served.py"), self.place, self.models, self.port]
        self.process = subprocess.Popen(
            [str(x) for x in (*command, *self.child)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.tokens = [self.process.stdout.readline().strip() for _ in range(2)]
        assert all(self.tokens)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        for client in self.clients:
            client.close()

    def browser(self, who=0):
        browser = Browser.__new__(Browser)
        browser.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", follow_redirects=True, timeout=60
        )
        self.clients.append(browser.client)
        browser.get("/login")
        browser.send("/login", token=self.tokens[who], next="/")
        assert browser.shown.status_code == 200
        return browser


@pytest.fixture
def served(tmp_path):
    server = Server(tmp_path)
    yield server
    server.kill()
    for run in runs.listed(server.place.parent):
        with suppress(Exception):
            os.killpg(starting._group(run), signal.SIGKILL)


class _Site:
    """What the helpers of the other tests ask of a site."""

    def __init__(self, server):
        self.home, self.models = server.place.parent, (server.models,)


def signing(browser, path, made, accepted):
    """Sign off again and again until the server is gone; keep what it said was written."""
    with suppress(httpx.HTTPError, TypeError):
        while True:
            browser.get(path)
            browser.send(path, **answered(browser, made, note=f"look {len(accepted)}"))
            if browser.shown.status_code == 200:
                accepted.append(f"look {len(accepted)}")


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 8))])
def test_killed_while_people_sign_off_nothing_accepted_is_lost(served, seed):
    made = comparison()
    path = finished(_Site(served), made)
    accepted = []
    browser = served.browser()
    thread = threading.Thread(target=signing, args=(browser, path, made, accepted))
    thread.start()
    until(lambda: accepted)
    time.sleep(random.Random(seed).random())
    served.kill()
    thread.join()

    with closing(open_ledger(str(served.place))) as ledger:
        assert verify(ledger).whole
        notes = [
            next(iter(e.content["decisions"].values()))[2]
            for e in ledger.about(SUBJECT)
            if e.kind == Kind.SIGN_OFF
        ]
    assert notes[: len(accepted)] == accepted
    assert len(notes) <= len(accepted) + 1

    served.start()
    again = served.browser(1)
    again.get(path)
    assert again.hidden("replaces") == str(len(notes))
    assert again.send(path, **answered(again, made, note="after")).status_code == 200
    with closing(open_ledger(str(served.place))) as ledger:
        assert verify(ledger).whole
        assert ledger.about(SUBJECT)[-1].actor == "sato"


@pytest.mark.slow
def test_of_two_sign_offs_at_once_on_one_server_one_wins_and_the_other_is_told(served):
    made = comparison()
    path = finished(_Site(served), made)
    both = [served.browser(who) for who in (0, 1)]
    for browser in both:
        browser.get(path)
    ready = threading.Barrier(2)

    def sign(browser):
        fields = answered(browser, made)
        ready.wait()
        browser.send(path, **fields)

    threads = [threading.Thread(target=sign, args=(b,)) for b in both]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(b.shown.status_code for b in both) == [200, 409]
    with closing(open_ledger(str(served.place))) as ledger:
        assert len(ledger.about(SUBJECT)) == 1


@pytest.mark.slow
def test_a_vet_outlives_the_server_that_started_it(served):
    site = _Site(served)
    (served.models / "dossier.json").write_bytes(dossiers.to_json(dossier(model(served.models / "quick"))))
    (served.models / "waits").mkdir()
    browser = served.browser()
    browser.get("/vets/new")
    path = browser.send("/vets/new", path=str(served.models / "waits"), **CHOSEN).url.path
    working(site, path)
    served.kill()
    assert stage(site, path) is Stage.RUNNING

    served.start()
    browser = served.browser(1)
    assert "Running" in browser.get(path).text
    (served.models / "go").touch()
    until(lambda: stage(site, path) is Stage.DONE)
    assert "ADMIT" in browser.get(path).text


@pytest.mark.slow
def test_a_vet_killed_with_its_server_counts_for_nothing_and_is_resumed(served):
    site = _Site(served)
    (served.models / "dossier.json").write_bytes(dossiers.to_json(dossier(model(served.models / "quick"))))
    (served.models / "waits").mkdir()
    browser = served.browser()
    browser.get("/vets/new")
    path = browser.send("/vets/new", path=str(served.models / "waits"), **CHOSEN).url.path
    working(site, path)
    run = runs.find(site.home, path.rpartition("/")[2])
    served.kill()
    os.killpg(starting._group(run), signal.SIGKILL)
    until(lambda: stage(site, path) is Stage.BROKEN)

    served.start()
    browser = served.browser()
    assert "Broken off" in browser.get(path).text
    assert browser.client.get(f"{path}/report").status_code == 404
    (served.models / "go").touch()
    browser.send(path, do="again")
    until(lambda: stage(site, path) is Stage.DONE)
    assert "ADMIT" in browser.get(path).text


@pytest.mark.slow
def test_a_real_vet_killed_with_its_server_is_resumed_to_its_verdict(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra `models`")
    from artefacts import tiny_model

    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    server = Server(tmp_path, CHILD)
    try:
        site = _Site(server)
        folder = tiny_model(server.models / "tiny")
        browser = server.browser()
        browser.get("/vets/new")
        path = browser.send("/vets/new", path=str(folder), **CHOSEN).url.path
        run = runs.find(site.home, path.rpartition("/")[2])
        until(lambda: "measure" in runs.progress(run).stages, 300)
        until(lambda: any(d > 0 for _, d, _ in runs.progress(run).work), 300)
        server.kill()
        os.killpg(starting._group(run), signal.SIGKILL)
        until(lambda: stage(site, path) is Stage.BROKEN)
        with closing(open_ledger(str(server.place))) as ledger:
            assert ledger.tip().sequence == 0

        server.start()
        browser = server.browser()
        browser.get(path)
        browser.send(path, do="again")
        until(lambda: stage(site, path) is Stage.DONE, 900)
        made = dossiers.read(run.folder / runs.OUT)
        subject = recording.subject(made.files)
        assert f"/models/{subject}" in browser.get(path).text
        with closing(open_ledger(str(server.place))) as ledger:
            (entry,) = ledger.about(subject)
            assert (entry.kind, entry.actor) == (Kind.DECISION, "mori")
            assert entry.content["dossier_digest"] == dossiers.digest(made)
        assert browser.get(f"/models/{subject}/views/management").status_code == 200
    finally:
        server.kill()
