"""Two people who have never seen the tool follow the guide to a signed-off decision, by keyboard alone."""

import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from browser import guide
from browser.conftest import free_port, sekisho
from browser.person import Person
from sekisho.ledger import book
from sekisho.ledger.kinds import Kind
from sekisho.register.texts import Texts
from sekisho.sources import cache as caches

SHOTS = "SEKISHO_SHOTS"
"""Environment variable: a folder in which each step leaves a picture."""
MODEL = "smollm2-135m-instruct"
PROGRAM = ".venv/bin/sekisho "
FETCHED = caches.folder() / "models"
"""Before the tests put another folder in its place."""
WAIT_S = 60
VET_S = 3600


class Walk:
    """The guide in one language, and a browser at a keyboard."""

    def __init__(self, page, language, *, link, token, model=MODEL, wait_s=WAIT_S):
        self.page, self.language, self.link, self.token = page, language, link, token
        self.model, self.wait_s = model, wait_s
        self.person = Person(page)
        self.said = Texts("web", language), Texts("web-vets", language)

    def go(self):
        """Every act of the guide, in its order."""
        self.page.goto(self.link)
        step = 0
        for act in guide.acts(self.language):
            if act.step != step:
                step = act.step
                self.shot(f"{step:02}-before")
            self.act(act)
        self.shot("99-end")

    def act(self, act):
        web, vets = self.said
        if act.label == web("login", "token"):
            self.page.goto(self.link.partition("?")[0])
        if act.label == vets("ui", "to_model"):
            self.wait(act.label)
        known = {MODEL: self.model, "TOKEN": self.token}
        label = Path(self.model).name if act.label == MODEL else act.label
        self.person.do(replace(act, label=label, value=known.get(act.value, act.value)))

    def wait(self, label):
        """The page shows itself anew; nobody presses anything."""
        self.shot("03-running")
        self.page.get_by_role("link", name=label).wait_for(timeout=1000 * self.wait_s)
        self.shot("03-done")

    def shot(self, name):
        if os.environ.get(SHOTS):
            Path(os.environ[SHOTS]).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(os.environ[SHOTS]) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("language", guide.FILES)
def test_the_guide_is_read_as_it_stands(language):
    acts = guide.acts(language)

    assert {a.step for a in acts} == set(range(1, 12))
    assert len(acts) == 36
    assert [bool(a.value) for a in acts] == [bool(a.value) for a in guide.acts("ja")]
    assert [shlex.split(c)[-2:] for c in guide.commands(language)[1:]] == [["--lang", language]] * 2


@pytest.mark.browser
@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.slow)])
def test_from_the_request_to_a_signed_off_decision(opened, served, language):
    site, address = served
    token = people_add(site.place, language)
    link = f"{address}/login?token={site.sessions.once('mori')}"
    page = opened(language)
    Walk(page, language, link=link, token=token, model=str(site.models[0] / "small")).go()

    signed_off(page, language, site.place)


def signed_off(page, language, place):
    """What the screen says at the end, and the ledger: who asked, what was found, who answered for it."""
    assert Texts("web-steps", language)("told", "pilot") in page.inner_text("main")
    with closing(book.open_ledger(place, create=False)) as ledger:
        entries = list(ledger.all())
    said = [(e.kind, e.actor) for e in entries]
    assert (Kind.MODEL_REGISTERED, "mori") in said
    assert (Kind.DECISION, "mori") in said
    assert (Kind.CHECKLIST_ANSWER, "mori") in said
    assert (Kind.EXCEPTION, "sato") in said
    assert (Kind.APPROVAL, "sato") in said
    assert (Kind.APPROVAL, "mori") not in said
    changes = [e.content["to"] for e in entries if e.kind == Kind.STATE_CHANGE]
    assert changes[-1] == "pilot"


def people_add(place, language):
    """The guide's own command; the token it prints."""
    command = next(c for c in guide.commands(language) if " people add " in c)
    assert command.startswith(PROGRAM)
    said = sekisho(*shlex.split(command.removeprefix(PROGRAM)), SEKISHO_LEDGER=place)
    return said.strip().splitlines()[-1].strip()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.model
def test_the_same_with_the_real_model(opened, tmp_path):
    """The commands as they stand, a real vet of the real SmolLM2; only the port and the ledger are the test's own."""
    if not (FETCHED / MODEL).is_dir():
        pytest.skip(f"{MODEL} is not fetched: make fetch")
    cache = tmp_path / "cache"  # nothing measured before is there, and nothing is left in the user's own
    cache.mkdir()
    (cache / "models").symlink_to(FETCHED, target_is_directory=True)
    place, port = str(tmp_path / "ledger.sqlite"), free_port()
    token = people_add(place, "ja")
    command = next(c for c in guide.commands("ja") if " serve " in c)
    arguments = [*shlex.split(command.removeprefix(PROGRAM)), "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "sekisho.cli", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SEKISHO_LEDGER": place, "SEKISHO_CACHE": str(cache)},
    ) as server:
        try:
            link = next(
                found[0] for line in server.stderr if (found := re.search(r"http://\S+token=\S+", line))
            )
            page, began = opened("ja"), time.monotonic()
            Walk(page, "ja", link=link, token=token, wait_s=VET_S).go()
            print(f"from the link to the pilot: {time.monotonic() - began:.0f} s")  # noqa: T201  measured
        finally:
            server.terminate()
    signed_off(page, "ja", place)
