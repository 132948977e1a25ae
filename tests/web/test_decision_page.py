"""The page on which people decide: what is missing, and who may settle it."""

from dataclasses import replace

import pytest

from evidence import folders
from report import sample
from sekisho import recording
from web.conftest import ASKED, Browser

PATH = f"/models/{'ab' * 32}/decision"


def test_the_verdict_is_told_in_sentences(mori, ledger, desk, tmp_path):
    folder = folders.model(tmp_path / "model")
    made = replace(sample.hold(), files=folders.lines(folder))
    subject = recording.subject(made.files)
    desk("request", "mori", subject, **ASKED)
    recording.record(made, ledger, actor="gate", model=folder, policy="default")
    mori.get(f"/models/{subject}/decision")

    assert "Do not use this model yet" in mori.text
    assert "Headline(" not in mori.text


def test_before_the_test_is_closed_it_leads_there(mori, desk):
    desk.to("requested")
    page = mori.get(PATH)

    assert f"/models/{'ab' * 32}/steps/decide" in page.text


def test_an_admit_needs_an_approval_by_somebody_else(mori, sato, desk):
    desk.to("decided")

    own, other = mori.get(PATH).text, sato.get(PATH).text
    assert "mori requested this model" in own
    assert "/steps/approve" not in own
    assert "/steps/approve" in other
    assert "/steps/except" not in other


def test_a_hold_needs_an_exception_as_well(sato, desk):
    desk(
        "request",
        "mori",
        name="toy",
        source="x",
        purpose="p",
        data_class="internal",
        users="u",
    )
    desk.verdict("hold")
    desk("decide", "tanaka")

    assert "/steps/except" in sato.get(PATH).text
    desk("except", "sato", reason="demo", approver="sato", expires="2027-01-31")
    page = sato.get(PATH).text
    assert "/steps/except" not in page
    assert "/steps/approve" in page


def test_once_everything_is_there_the_next_state_is_the_main_thing(sato, desk):
    desk.to("decided")
    desk("approve", "sato", of="pilot")
    page = sato.get(PATH)

    assert page.status_code == 200
    assert 'class="button" href="/models/' in page.text
    assert "/steps/pilot" in page.text
    assert "quiet" not in page.text


def test_an_exception_that_has_ended_is_open_again(site, desk, clock):
    desk.to("requested")
    desk.verdict("hold")
    desk("decide", "tanaka")
    desk("except", "sato", reason="demo", approver="sato", expires="2026-12-01")
    clock.later(days=20)

    assert "/steps/except" in Browser(site).sign_in("sato").get(PATH).text


@pytest.mark.parametrize("state", ["pilot", "production"])
def test_who_approved_is_named(mori, desk, state):
    desk.to(state)
    mori.get(PATH)

    assert mori.shown.status_code == 200
    assert ("What production rests on" in mori.text) is (state == "pilot")
