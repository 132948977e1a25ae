"""Vets that are started over HTTP: watched, stopped, resumed; nothing half-done is believed."""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.folders import dossier, model
from sekisho import recording
from sekisho.errors import RuleError
from sekisho.evidence import dossier as dossiers
from sekisho.limits import DEFAULT
from sekisho.progress import STAGES
from sekisho.register.governance import PROFILES
from sekisho.register.texts import Texts
from sekisho.web import runs, starting
from sekisho.web.runs import Order, Stage
from web.conftest import Browser

FAKE = (sys.executable, str(Path(__file__).with_name("fake_vet.py")))
CHOSEN = {"profile": "quick", "policy": "default"}
pytestmark = pytest.mark.integration


def until(happened, seconds=60):
    for _ in range(seconds * 50):
        if found := happened():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def site(site):
    made = replace(site, child=FAKE)
    (site.models[0] / "dossier.json").write_bytes(dossiers.to_json(dossier(model(site.models[0] / "quick"))))
    yield made
    for run in runs.listed(made.home):
        with suppress(RuleError, OSError):
            os.killpg(starting._group(run), signal.SIGKILL)
    until(lambda: not any(r.going for r in runs.listed(made.home)))


def start(browser, name, **more):
    folder = browser.site.models[0] / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    browser.get("/vets/new")
    browser.send("/vets/new", path=str(folder), **(CHOSEN | more))
    assert browser.shown.status_code == 200, browser.text
    return browser.shown.url.path


def stage(site, path):
    return runs.find(site.home, path.rpartition("/")[2]).stage


def working(site, path):
    """It has begun, and half its results are there."""
    folder = site.home / runs.FOLDER / path.rpartition("/")[2]
    return until((folder / runs.OUT / "dossier.json").exists)


def test_a_vet_is_started_watched_and_done(mori, site):
    path = start(mori, "waits")
    working(site, path)
    mori.get(path)
    assert "Running" in mori.text
    assert '<meta http-equiv="refresh"' in mori.shown.text
    assert "toy <b>adverts" in mori.text
    assert "about 4 min" in mori.text
    assert "Looking at every file" in mori.text
    assert mori.get(f"{path}/report").status_code == 404

    (site.models[0] / "go").touch()
    until(lambda: stage(site, path) is Stage.DONE)
    mori.get(path)
    assert "ADMIT" in mori.text
    assert "http-equiv" not in mori.shown.text
    subject = recording.subject(dossiers.read(site.models[0] / "dossier.json").files)
    assert f"/models/{subject}" in mori.shown.text
    assert mori.get(f"{path}/report").status_code == 200
    assert "ADMIT" in mori.text
    assert "waits" in mori.get("/vets").text


def test_what_is_started_is_what_was_chosen(mori, site):
    path = start(mori, "quick", base="none", policy="strict", profile="deep")
    folder = working(site, path) and site.home / runs.FOLDER / path.rpartition("/")[2]
    until(lambda: stage(site, path) is Stage.DONE)
    given = json.loads((folder / runs.OUT / "arguments.json").read_text())
    assert given[0] == "vet"
    assert {"--record", "--actor=mori", "--policy", "strict", "--profile", "deep", "--base", "none"} <= set(
        given
    )
    assert given[-1] == str(site.models[0] / "quick")


def test_the_password_of_a_ledger_is_in_no_file_and_on_no_command_line(mori, site):
    path = start(mori, "quick")
    until(lambda: stage(site, path) is Stage.DONE)
    order = runs.find(site.home, path.rpartition("/")[2]).order
    made = starting.begin(site.home, order, "postgresql://mori:secret@127.0.0.1/ledger", site.child)
    until(lambda: stage(site, made) is Stage.DONE)
    files = [f for f in (site.home / runs.FOLDER / made).rglob("*") if f.is_file()]
    assert "arguments.json" in {f.name for f in files}
    assert not [f.name for f in files if b"secret" in f.read_bytes()]


def test_a_vet_is_stopped_and_goes_on(mori, site):
    path = start(mori, "waits")
    working(site, path)
    mori.get(path)
    mori.send(path, do="stop")
    until(lambda: stage(site, path) is Stage.CANCELLED)
    assert "Stopped" in mori.get(path).text
    mori.send(path, do="again")
    until(lambda: stage(site, path) is Stage.RUNNING)
    (site.models[0] / "go").touch()
    until(lambda: stage(site, path) is Stage.DONE)
    assert runs.find(site.home, path.rpartition("/")[2]).attempt == 2


def test_one_that_does_not_stop_is_stopped_at_once(mori, site):
    path = start(mori, "waits")
    working(site, path)
    run = runs.find(site.home, path.rpartition("/")[2])
    (run.folder / runs.STOPPING).touch()
    assert "Stop it at once" in mori.get(path).text
    mori.send(path, do="stop")
    until(lambda: stage(site, path) is Stage.CANCELLED)


def test_a_vet_whose_processes_were_killed_counts_for_nothing_and_goes_on(mori, site):
    path = start(mori, "waits")
    half = working(site, path)
    run = runs.find(site.home, path.rpartition("/")[2])
    os.killpg(starting._group(run), signal.SIGKILL)
    until(lambda: stage(site, path) is Stage.BROKEN)
    mori.get(path)
    assert half
    assert "Broken off" in mori.text
    assert "ADMIT" not in mori.text
    assert mori.client.get(f"{path}/report").status_code == 404
    (site.models[0] / "go").touch()
    mori.send(path, do="again")
    until(lambda: stage(site, path) is Stage.DONE)


def test_a_vet_whose_head_alone_was_killed_still_runs(mori, site):
    """Else it could be started a second time beside itself."""
    path = start(mori, "waits")
    working(site, path)
    run = runs.find(site.home, path.rpartition("/")[2])
    os.kill(starting._group(run), signal.SIGKILL)
    time.sleep(0.2)
    assert stage(site, path) is Stage.RUNNING
    with pytest.raises(RuleError):
        starting.again(site.home, run, site.place, site.child)
    starting.stop(run)
    until(lambda: stage(site, path) is Stage.CANCELLED)


def test_a_done_report_that_was_altered_is_not_shown(mori, site):
    path = start(mori, "quick")
    until(lambda: stage(site, path) is Stage.DONE)
    file = site.home / runs.FOLDER / path.rpartition("/")[2] / runs.OUT / "dossier.json"
    file.write_bytes(file.read_bytes().replace(b'"admit"', b'"reject"', 1))
    assert mori.get(f"{path}/report").status_code == 404
    assert 'href="/models/' not in mori.get(path).text


def test_a_vet_that_cannot_be_carried_out_says_why(mori, site):
    path = start(mori, "fails")
    until(lambda: stage(site, path) is Stage.FAILED)
    mori.get(path)
    assert "Not carried out" in mori.text
    assert "this cannot be carried out" in mori.text
    assert mori.get(f"{path}/report").status_code == 404


def test_no_more_run_at_once_than_the_machine_bears(mori, site):
    paths = [start(mori, f"waits{i}") for i in range(DEFAULT.web_running)]
    for path in paths:
        working(site, path)
    mori.get("/vets/new")
    answer = mori.send("/vets/new", path=str(site.models[0] / "quick"), **CHOSEN)
    assert answer.status_code == 409
    assert len(runs.listed(site.home)) == DEFAULT.web_running


@pytest.mark.parametrize(
    "fields",
    [
        {"model": ""},
        {"path": "/etc"},
        {"path": "--help"},
        {"path": "no-such-model"},
        {"path": "{models}/../home"},
        {"path": "{models}/quick", "policy": "../x"},
        {"path": "{models}/quick", "policy": "/tmp/own.toml"},
        {"path": "{models}/quick", "profile": "--out=/tmp"},
        {"path": "{models}/quick", "base": "/etc"},
        {"path": "{models}/quick", "base_path": "/etc"},
    ],
)
def test_what_is_not_allowed_starts_nothing(mori, site, fields):
    given = {k: v.replace("{models}", str(site.models[0])) for k, v in (CHOSEN | fields).items()}
    mori.get("/vets/new")
    assert mori.send("/vets/new", **given).status_code == 400
    assert runs.listed(site.home) == ()


@pytest.mark.parametrize("run", ["0" * 16, "%2e%2e", "people.json", "x" * 16, "0" * 15 + "%00"])
def test_a_run_that_there_is_not_is_not_found(mori, site, run):
    assert mori.get(f"/vets/{run}").status_code == 404
    assert mori.get(f"/vets/{run}/report").status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"work": [[1]], "stages": 3}',
        '{"stages": [], "work": [["a", NaN, 0]], "forecast_s": 1e999, "updated": 1}',
        "x" * (DEFAULT.web_note_bytes + 1),
    ],
)
def test_odd_progress_is_no_fault(mori, site, text):
    path = start(mori, "waits")
    working(site, path)
    run = runs.find(site.home, path.rpartition("/")[2])
    (run.folder / runs.PROGRESS).write_text(text)
    (run.folder / runs.MESSAGES).write_bytes(b"\xff<script>" * 50_000)
    assert mori.get(path).status_code == 200
    assert "<script" not in mori.shown.text


def test_a_folder_that_is_no_run_is_passed_over(mori, site):
    for name, text in (("0" * 16, "{"), ("1" * 16, '{"verb": "vet"}'), ("2" * 16, "[]")):
        folder = site.home / runs.FOLDER / name
        folder.mkdir(parents=True)
        (folder / runs.REQUEST).write_text(text)
        assert mori.get(f"/vets/{name}").status_code == 409
    assert mori.get("/vets").status_code == 200


def test_an_order_of_another_verb_is_no_run(site):
    folder = runs.create(site.home, Order("fetch", "x", (), "mori", "en", "2026-11-22T12:00:00Z"))
    assert runs.listed(site.home) == ()
    assert folder.is_dir()


def test_a_form_about_a_run_that_moved_on_is_refused(mori, site):
    path = start(mori, "quick")
    until(lambda: stage(site, path) is Stage.DONE)
    mori.get(path)
    for what in ("stop", "again", "drop", ""):
        mori.get("/vets/new")
        assert mori.send(path, do=what).status_code == 409


def test_everybody_signed_in_sees_who_started_it(mori, site):
    path = start(mori, "quick")
    until(lambda: stage(site, path) is Stage.DONE)
    assert "mori" in Browser(site).sign_in("sato").get(path).text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_stage_and_profile_has_words(language):
    words = Texts("web-vets", language)
    assert set(words.keys("stage")) == set(Stage)
    assert set(Stage) <= set(words.keys("meaning"))
    assert set(STAGES) <= set(words.keys("step"))
    assert set(PROFILES) == set(words.keys("profile"))
    assert set(runs.VERBS) == set(words.keys("verb"))
