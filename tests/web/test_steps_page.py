"""A model's way through the company, over HTTP: the page asks, the ledger decides."""

import re
import threading
from contextlib import closing

import pytest

from sekisho.ledger.book import open_ledger
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import State
from sekisho.ledger.verify import verify
from sekisho.register import rows
from sekisho.register.identity import of_request
from sekisho.register.wishes import Action
from sekisho.web import app, steps
from web.conftest import MODEL, Browser

pytestmark = pytest.mark.integration

ADDRESS = "hf:example-org/toy@" + "1" * 40
ASKED = {"purpose": "answers", "data_class": "internal", "users": "20 in sales"}
PAGE = f"/models/{MODEL}"


def take(browser, action, subject=MODEL, **fields):
    browser.get(f"/models/{subject}/steps/{action}")
    return browser.send(f"/models/{subject}/steps/{action}", seen=browser.hidden("seen"), **fields)


def stands(ledger, subject=MODEL):
    return rows.row(ledger, subject).state


def test_from_the_request_to_production(mori, sato, desk, ledger):
    mori.get("/request")
    mori.send("/request", address=ADDRESS, **ASKED)
    asked = of_request(ADDRESS)
    assert mori.shown.url.path == f"/models/{asked}"
    assert "Requested. Next: vet it." in mori.text

    desk.verdict(subject=asked)
    take(sato, "decide", asked)
    take(sato, "approve", asked, comment="fine")
    take(
        mori,
        "pilot",
        asked,
        users="5",
        days="30",
        data_class="internal",
        exit="no adverts\n\n fast ",
        place="pc 1",
    )
    row = rows.row(ledger, asked)
    assert (row.state, row.exit, row.places, row.approver) == (
        State.PILOT,
        ("no adverts", "fast"),
        ("pc 1",),
        "sato",
    )

    take(sato, "approve", asked)
    take(mori, "produce", asked, place="server 3", met="read", retest_days="90")
    take(mori, "deploy", asked, place="server 4")
    row = rows.row(ledger, asked)
    assert (row.state, row.requester) == (State.PRODUCTION, "mori")
    assert row.places == ("pc 1", "server 3", "server 4")
    assert verify(ledger).whole

    take(sato, "retest", asked, because="new-data", reason="more rows")
    take(sato, "retire", asked, reason="replaced")
    assert stands(ledger, asked) is State.RETIRED


def test_who_asked_is_offered_no_approval_and_a_form_sent_all_the_same_is_refused(mori, desk, ledger):
    desk.to("decided")
    assert "Somebody else must approve it" in mori.get(f"{PAGE}/steps/approve").text
    assert '<button class="main"' not in mori.shown.text
    answer = mori.send(f"{PAGE}/steps/approve", seen=str(rows.row(ledger, MODEL).last))
    assert answer.status_code == 409
    assert stands(ledger) is State.DECIDED
    assert not [e for e in ledger.about(MODEL) if e.kind == Kind.APPROVAL]


def test_nobody_approves_in_anothers_name(sato, desk, ledger):
    desk.to("decided")
    take(sato, "except", reason="demo", expires="2027-01-01", approver="tanaka", by="tanaka", of="production")
    entry = ledger.about(MODEL)[-1]
    assert (entry.actor, entry.content["approver"]) == ("sato", "sato")


def test_an_approval_is_of_what_comes_next_whatever_the_form_says(sato, desk, ledger):
    desk.to("decided")
    take(sato, "approve", of="production")
    assert ledger.about(MODEL)[-1].content["of"] == "pilot"


def test_the_same_form_twice_is_one_entry(sato, desk, ledger):
    desk.to("decided")
    sato.get(f"{PAGE}/steps/approve")
    fields = {"csrf": sato.csrf, "seen": sato.hidden("seen")}
    first = sato.client.post(f"{PAGE}/steps/approve", data=fields)
    second = sato.client.post(f"{PAGE}/steps/approve", data=fields)
    assert (first.status_code, second.status_code) == (200, 409)
    assert len([e for e in ledger.about(MODEL) if e.kind == Kind.APPROVAL]) == 1


def test_of_two_at_once_one_wins_and_the_other_is_told(site, desk, ledger):
    """Two people decide on what they saw; both forms are sent at the same moment, to two servers of the same ledger."""
    desk.to("decided")
    both = [Browser(site, app.build(site)).sign_in(who) for who in ("sato", "tanaka")]
    for browser in both:
        browser.get(f"{PAGE}/steps/approve")
    ready = threading.Barrier(2)

    def approve(browser):
        ready.wait()
        browser.send(f"{PAGE}/steps/approve", seen=browser.hidden("seen"))

    threads = [threading.Thread(target=approve, args=(b,)) for b in both]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    won, lost = sorted(both, key=lambda b: b.shown.status_code)
    assert (won.shown.status_code, lost.shown.status_code) == (200, 409)
    assert "was quicker" in lost.text
    assert len([e for e in ledger.about(MODEL) if e.kind == Kind.APPROVAL]) == 1
    assert verify(ledger).whole


def test_what_is_missing_is_named_and_what_was_typed_stays(mori, desk, ledger):
    desk.to("decided")
    desk("approve", "sato", of="pilot")
    take(mori, "pilot", users="5 people", days="")
    assert mori.shown.status_code == 400
    assert "Days until it ends; What data it may see; What must hold for production" in mori.text
    assert 'value="5 people"' in mori.shown.text
    assert stands(ledger) is State.DECIDED


@pytest.mark.parametrize("days", ["0", "-1", "3661", "1e3", "٣", "9999999999"])
def test_days_out_of_range_are_refused(mori, desk, ledger, days):
    desk.to("decided")
    desk("approve", "sato", of="pilot")
    take(mori, "pilot", users="5", days=days, data_class="internal", exit="x")
    assert mori.shown.status_code in (400, 409)
    assert stands(ledger) is State.DECIDED


def test_a_step_that_does_not_follow_is_not_offered_and_refused(mori, desk, ledger):
    desk.to("requested")
    assert "this step does not follow" in mori.get(f"{PAGE}/steps/produce").text
    last = str(rows.row(ledger, MODEL).last)
    answer = mori.send(f"{PAGE}/steps/produce", seen=last, place="x", met="y", retest_days="9")
    assert answer.status_code == 409
    assert stands(ledger) is State.REQUESTED


@pytest.mark.parametrize("seen", ["", "x", "-1", "1" * 30])
def test_a_form_that_does_not_say_what_was_seen_is_refused(sato, desk, ledger, seen):
    desk.to("decided")
    sato.get(f"{PAGE}/steps/approve")
    assert sato.send(f"{PAGE}/steps/approve", seen=seen).status_code == 400
    assert not [e for e in ledger.about(MODEL) if e.kind == Kind.APPROVAL]


@pytest.mark.parametrize("action", ["request", "drop", "../../x", "%00"])
def test_a_step_that_there_is_not_is_not_found(mori, desk, action):
    desk.to("requested")
    assert mori.get(f"{PAGE}/steps/{action}").status_code == 404


def test_files_that_arrive_are_bound_to_their_request(mori, site, ledger, clock):
    mori.get("/request")
    mori.send("/request", address=ADDRESS, **ASKED)
    folder = site.models[0] / "toy"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    asked = of_request(ADDRESS)
    take(mori, "receive", asked, path=str(folder))
    with closing(open_ledger(site.place, clock=clock)) as again:
        subject = rows.arrivals(again)[asked]
    assert mori.shown.url.path == f"/models/{subject}"
    assert stands(ledger, subject) is State.RECEIVED
    assert mori.get(f"/models/{asked}").status_code == 200


@pytest.mark.parametrize("path", ["/etc", "/etc/passwd", "../..", "~", "", "/nonexistent", "a\x00b"])
def test_files_outside_the_allowed_folders_are_not_looked_at(mori, site, ledger, tmp_path, path):
    (tmp_path / "secret").mkdir()
    (site.models[0] / "link").symlink_to(tmp_path / "secret")
    mori.get("/request")
    mori.send("/request", address=ADDRESS, **ASKED)
    for named in (path, str(site.models[0] / "link"), f"{site.models[0]}/../secret"):
        take(mori, "receive", of_request(ADDRESS), path=named)
        assert mori.shown.status_code == 400
        mori.get("/request")
        assert mori.send("/request", model=named, **ASKED).status_code == 400
    assert stands(ledger, of_request(ADDRESS)) is State.REQUESTED


def test_a_model_of_the_allowed_folder_is_offered_and_requested(mori, site):
    folder = site.models[0] / "team" / "toy"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert str(folder) in mori.get("/request").text
    mori.send("/request", model=str(folder), **ASKED)
    assert mori.shown.status_code == 200
    assert "toy" in mori.text


@pytest.mark.parametrize("lacking", ["purpose", "users", "data_class"])
def test_a_request_needs_its_facts(mori, ledger, lacking):
    mori.get("/request")
    mori.send("/request", address=ADDRESS, **{k: v for k, v in ASKED.items() if k != lacking})
    assert mori.shown.status_code == 400
    assert "Still missing" in mori.text
    assert f'value="{ADDRESS}"' in mori.shown.text
    assert ledger.tip().sequence == 0


def test_a_request_with_a_data_class_of_ones_own_is_refused(mori, ledger):
    mori.get("/request")
    assert mori.send("/request", address=ADDRESS, **(ASKED | {"data_class": "none"})).status_code == 409
    assert ledger.tip().sequence == 0


def test_a_retired_model_is_requested_again(mori, desk, ledger):
    desk.to("requested")
    desk("retire", "mori", reason="x")
    assert f"/request?subject={MODEL}" in mori.get(PAGE).text
    mori.get(f"/request?subject={MODEL}")
    mori.send("/request", subject=MODEL, **ASKED)
    assert stands(ledger) is State.REQUESTED


def test_every_state_and_step_has_its_form():
    assert set(steps.OFFERED) == {None, *State}
    offered = {a for row in steps.OFFERED.values() for a in row}
    assert offered == set(steps.FIELDS) == set(Action) - {Action.REQUEST}
    for action, fields in steps.FIELDS.items():
        own = {"name", "source", "of", "approver"}
        assert steps.needed(action) - own <= {f.name for f in fields}, action


def offers(browser):
    return re.findall(r"/steps/(\w+)", browser.get(PAGE).text)


def test_a_page_offers_what_comes_next_and_no_approval_to_who_asked(mori, sato, desk):
    desk.to("requested")
    assert offers(mori) == ["receive", "decide", "retire"]
    desk.verdict("hold")
    desk("decide", "tanaka")
    assert offers(mori) == ["retest", "retire"]
    assert offers(sato) == ["approve", "except", "retest", "retire"]
    desk("except", "sato", reason="demo", approver="sato", expires="2027-01-01")
    desk("approve", "sato", of="pilot")
    assert offers(mori) == ["pilot", "retest", "retire"]


def test_an_exception_that_has_ended_is_asked_for_again(site, desk, clock):
    desk.to("requested")
    desk.verdict("hold")
    desk("decide", "tanaka")
    desk("except", "sato", reason="demo", approver="sato", expires="2026-12-01")
    desk("approve", "sato", of="pilot")
    clock.later(days=20)
    sato = Browser(site).sign_in("sato")
    assert offers(sato) == ["approve", "except", "retest", "retire"]
    assert "The pilot is approved" not in sato.text


def test_the_likely_step_is_set_apart(mori, desk):
    desk.to("requested")
    assert '<a class="button" href="/vets/new">' in mori.get(PAGE).text
    desk.verdict()
    assert f'<a class="button" href="{PAGE}/steps/decide">' in mori.get(PAGE).text
