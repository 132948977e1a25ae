"""The register in memory says what the register in the ledger says, however the entries came."""

import random

import pytest

from register.conftest import ASKED, MODEL, OTHER
from sekisho.errors import DataError, RuleError
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import State
from sekisho.limits import DEFAULT
from sekisho.register import rows, shelf
from sekisho.register.identity import of_request
from sekisho.register.rows import Listing
from sekisho.register.shelf import Shelf

WISHES = [Listing(), Listing(State.PILOT), Listing(overdue=True), Listing(skip=1, count=2)]


def same(ledger, made):
    made.refresh(ledger)
    for wish in WISHES:
        assert made.listed(wish, ledger.now()) == rows.listed(ledger, wish)
    assert made.counts() == rows.counts(ledger)
    for subject in ledger.heads():
        found = [e.sequence for e in made.about(ledger, subject)]
        assert found == sorted(e.sequence for e in ledger.history(subject))


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_the_ledger_after_any_steps(ledger, desk, clock, seed):
    chance, made = random.Random(seed), Shelf()
    requested = [of_request(f"hf:example-org/m{n}@{'1' * 40}") for n in range(3)]
    for n in range(25):
        subject = chance.choice(["a1" * 32, "b2" * 32, "c3" * 32, *requested])
        asked = (
            ASKED | {"source": f"hf:example-org/m{requested.index(subject)}@{'1' * 40}"}
            if subject in requested
            else ASKED
        )
        wish = chance.choice(
            ["request", "receive", "decide", "approve", "pilot", "retire", "verdict", "arrive"]
        )
        facts = {"approve": {"of": "pilot"}, "retire": {"reason": "x"}, "request": asked, "decide": {}}
        facts |= {"receive": {k: asked[k] for k in ("name", "source")}}
        facts |= {"pilot": {"users": "5", "days": 1, "data_class": "internal", "exit": ["x"]}}
        try:
            if wish == "verdict":
                desk.verdict(chance.choice(["admit", "hold"]), subject=subject)
            elif wish == "arrive":
                files = f"{n:02x}" * 32
                desk("receive", "tanaka", files, name="toy", source=asked["source"], request=subject)
            else:
                desk(wish, chance.choice(["mori", "sato"]), subject, **facts[wish])
        except RuleError:
            continue
        clock.later(hours=chance.randrange(20))
        if chance.random() < 0.5:
            same(ledger, made)
    same(ledger, made)
    same(ledger, Shelf())


def test_pages_of_the_ledger_make_no_difference(ledger, desk, monkeypatch):
    desk.to("production")
    desk.to("pilot", OTHER)
    monkeypatch.setattr(shelf, "DEFAULT", type(DEFAULT)(ledger_page=3))
    same(ledger, Shelf())


def test_entries_about_no_model_and_trainings_are_taken_in(ledger, desk):
    desk.to("decided")
    ledger.append(Draft("mori", Kind.NOTE, "", {"text": "a note"}))
    ledger.append(Draft("mori", Kind.TRAINING_RECORD, OTHER, {"method": "lora", "base_digest": MODEL}))
    ledger.append(Draft("mori", Kind.NOTE, OTHER, {"text": "beside"}))
    made = Shelf()
    made.refresh(ledger)
    assert [e.kind for e in made.about(ledger, MODEL)][-1] == Kind.TRAINING_RECORD
    assert {r.subject for r in made.listed(Listing(), ledger.now())} == {MODEL, OTHER}


def test_an_empty_ledger_is_an_empty_register(ledger):
    made = Shelf()
    assert made.refresh(ledger).sequence == 0
    assert made.listed(Listing(), ledger.now()) == ()
    assert made.counts() == {}
    assert made.row(MODEL) is None


def test_an_entry_with_another_digest_is_refused_until_the_chain_is_mended(ledger, desk, monkeypatch):
    desk.to("decided")
    made, whole = Shelf(), shelf.recomputed
    monkeypatch.setattr(shelf, "recomputed", lambda e: "0" * 64 if e.sequence == 3 else whole(e))
    for _ in range(2):
        with pytest.raises(DataError, match="entry 3"):
            made.refresh(ledger)
        assert made.row(MODEL) is None
    monkeypatch.setattr(shelf, "recomputed", whole)
    same(ledger, made)


def test_entries_read_again_are_held_against_those_that_were_checked(ledger, desk, monkeypatch):
    desk.to("decided")
    made = Shelf()
    made.refresh(ledger)
    real = type(ledger).about
    monkeypatch.setattr(type(ledger), "about", lambda self, s: real(self, s)[:-1])
    with pytest.raises(DataError, match="tampered"):
        made.about(ledger, MODEL)
