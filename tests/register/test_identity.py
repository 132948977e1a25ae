"""A request for an address binds the files that arrive for it, and who asked stays who asked."""

import pytest

from evidence.folders import model
from register.conftest import ASKED, MODEL
from sekisho import standing
from sekisho.checklist import engine
from sekisho.checklist.sources import Sources
from sekisho.errors import RuleError, SourceError, UsageError
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.register import identity, moves, rows
from sekisho.register.wishes import Action, Wish

ADDRESS = "hf:example-org/toy@" + "1" * 40


@pytest.fixture
def arrived(tmp_path, ledger, desk):
    """Asked by mori as an address, received by tanaka as files."""
    meant = identity.named(ADDRESS)
    desk("request", "mori", meant.subject, **ASKED)
    files = identity.at_hand(str(model(tmp_path / "m")))
    subject, facts = identity.arrival(ledger, meant.subject, files)
    moves.move(ledger, subject, Wish(Action.RECEIVE, "tanaka", facts))
    return meant, files


def test_the_files_stand_in_the_place_of_the_request(arrived, ledger):
    meant, files = arrived
    (row,) = rows.listed(ledger)
    assert (row.subject, row.request, row.state.value) == (files.subject, meant.subject, "received")
    assert (row.name, row.requester, row.purpose, row.revision) == ("toy", "mori", "answers", "1" * 40)
    assert rows.find(ledger, meant.subject[:8]) == files.subject
    assert dict(rows.counts(ledger)) == {row.state: 1}


def test_who_asked_for_the_address_cannot_approve_the_files(arrived, desk):
    _, files = arrived
    desk.verdict(subject=files.subject)
    desk("decide", "tanaka", files.subject)
    with pytest.raises(RuleError, match="mori asked for this model"):
        desk("approve", "mori", files.subject, of="pilot")
    desk(
        "approve", "tanaka", files.subject, of="pilot"
    )  # who received may approve: small companies have two people


def test_the_checklist_goes_by_the_request_too(arrived, ledger, desk, clock):
    _, files = arrived
    desk.verdict(subject=files.subject)
    desk("decide", "tanaka", files.subject)
    desk("approve", "tanaka", files.subject, of="pilot")
    known = Sources(files.subject, clock(), entries=standing.about(ledger, files.subject))
    made = engine.fill(known)
    assert [(made.of(i).answer.value, made.of(i).said.code) for i in ("C13", "C22")] == [
        ("yes", "registered"),
        ("yes", "two-people"),
    ]


def test_a_link_to_somebody_elses_request_does_not_let_one_approve(ledger, desk):
    """mori asked; a link to what sato asked for would make sato the requester."""
    meant = identity.named("hf:example-org/other@" + "2" * 40)
    desk("request", "sato", meant.subject, **ASKED | {"source": meant.source})
    body = {"name": "toy", "source": ADDRESS, "request": meant.subject}
    ledger.append(Draft("mori", Kind.MODEL_REGISTERED, MODEL, body))
    with pytest.raises(RuleError, match="binds these files to a request for another source"):
        ledger.append(Draft("mori", Kind.APPROVAL, MODEL, {"of": "pilot"}))


def test_a_link_cannot_undo_ones_own_request(ledger, desk):
    meant = identity.named(ADDRESS)
    desk("request", "sato", meant.subject, **ASKED)
    desk("request", "mori", MODEL, **ASKED)
    ledger.append(
        Draft(
            "mori", Kind.MODEL_REGISTERED, MODEL, {"name": "toy", "source": ADDRESS, "request": meant.subject}
        )
    )
    with pytest.raises(RuleError, match="mori asked"):
        ledger.append(Draft("mori", Kind.APPROVAL, MODEL, {"of": "pilot"}))


def test_files_of_another_request_are_refused(tmp_path, ledger, desk):
    desk("request", "mori", MODEL, **ASKED | {"source": "folder:x"})
    files = identity.at_hand(str(model(tmp_path / "m")))
    with pytest.raises(RuleError, match="these files are another model"):
        identity.arrival(ledger, MODEL, files)


def test_an_address_is_arrived_at_once_only(arrived, ledger, desk):
    meant, files = arrived
    subject, facts = identity.arrival(ledger, meant.subject, files)
    with pytest.raises(RuleError, match="stands at received"):
        moves.move(ledger, subject, Wish(Action.RECEIVE, "tanaka", facts))


def test_names_digests_and_folders_mean_the_same_model(arrived, ledger, tmp_path):
    _, files = arrived
    for text in ("toy", files.subject, files.subject[:6], files.subject[:9].upper(), str(tmp_path / "m")):
        assert identity.sought(ledger, text) == files.subject


@pytest.mark.parametrize("text", ["ab12", "nobody", "ff" * 32, "%", "' OR 1=1 --", '","name":"toy'])
def test_what_is_not_in_the_register_is_not_found(arrived, ledger, text):
    with pytest.raises(UsageError, match="is no model of the register"):
        rows.find(ledger, text)


def test_two_models_of_a_name_are_told_apart_by_digest(ledger, desk):
    desk("request", "mori", "ab" * 32, **ASKED)
    desk("request", "mori", "abcd" * 16, **ASKED)
    with pytest.raises(UsageError, match="means 2 models"):
        rows.find(ledger, "toy")


def test_a_broken_address_is_no_request():
    with pytest.raises(SourceError):
        identity.named("hf:../../etc")
