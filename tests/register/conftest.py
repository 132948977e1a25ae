"""A ledger in a file, a clock that a test turns, and a model on its way."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from evidence.folders import dossier, model
from sekisho import recording
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.register import moves
from sekisho.register.wishes import Action, Wish

MODEL, OTHER, DIGEST = "ab" * 32, "cd" * 32, "12" * 32
ASKED = {
    "name": "toy",
    "source": "hf:example-org/toy@" + "1" * 40,
    "purpose": "answers",
    "data_class": "internal",
}
ASKED |= {"users": "20 in sales", "supplier": "Example Org"}
PILOT = {"users": "5", "days": 30, "data_class": "internal", "exit": ["no adverts"], "place": "notebook 1"}


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def later(self, **units):
        self.now += timedelta(**units)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    opened = open_ledger(str(tmp_path / "ledger.sqlite"), clock=clock)
    yield opened
    opened.close()


class Desk:
    """Shorter names for what people do."""

    def __init__(self, ledger):
        self.ledger = ledger

    def __call__(self, action, by, subject=MODEL, *, drilled=False, seen=None, **facts):
        return moves.move(self.ledger, subject, Wish(Action(action), by, facts, drilled=drilled, seen=seen))

    def verdict(self, decision="admit", scope="behaviour", subject=MODEL, **more):
        body = {"decision": decision, "scope": scope, "policy": "default", "policy_digest": DIGEST} | more
        return self.ledger.append(Draft("gate", Kind.DECISION, subject, body))

    def to(self, state, subject=MODEL):
        """Bring a model to a state by the shortest way."""
        self("request", "mori", subject, **ASKED)
        if state == "requested":
            return
        self.verdict(subject=subject)
        self("decide", "tanaka", subject)
        if state == "decided":
            return
        self("approve", "sato", subject, of="pilot")
        self("pilot", "tanaka", subject, **PILOT)
        if state == "pilot":
            return
        self("approve", "sato", subject, of="production")
        self("produce", "tanaka", subject, place="server 3", met="200 answers read", retest_days=180)


@pytest.fixture
def desk(ledger):
    return Desk(ledger)


@pytest.fixture
def vetted(tmp_path, ledger, desk):
    """A model folder with its dossier recorded, in production."""
    folder = model(tmp_path / "model")
    made = dossier(folder)
    subject = recording.subject(made.files)
    desk("request", "mori", subject, **ASKED)
    recording.record(made, ledger, actor="gate", model=folder, policy="default")
    desk("decide", "tanaka", subject, drilled=True)
    desk("approve", "sato", subject, of="pilot")
    desk("pilot", "tanaka", subject, **PILOT)
    return subject, made, folder


def said(entries):
    return [(e.kind, json.loads(e.body).get("to", "")) for e in entries]
