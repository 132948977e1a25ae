"""The checklist in the browser: one line or one click, under the name of who is signed in."""

import json
import re

import pytest

from sekisho.ledger.kinds import Kind

pytestmark = pytest.mark.integration

PATH = f"/models/{'ab' * 32}/checklist"


@pytest.fixture
def asked(desk):
    desk.to("requested")
    return desk


def answers(ledger):
    return [(e.actor, json.loads(e.body)) for e in ledger.about("ab" * 32) if e.kind == Kind.CHECKLIST_ANSWER]


def send(browser, item, answer, note="", **more):
    fields = {
        "item": item,
        "answer": answer,
        "note": note,
        "seen": browser.hidden("seen"),
        "profile": "standard",
    }
    return browser.send(PATH, **fields | more)


def test_it_shows_every_item_with_what_to_do_next(mori, asked):
    page = mori.get(PATH)

    assert page.status_code == 200
    for number in range(1, 28):
        assert f'id="C{number:02}"' in page.text
    assert "To do:" in mori.text
    assert "Waiting for a person:" in mori.text


def test_a_line_is_written_under_the_name_of_who_is_signed_in(mori, asked, ledger):
    mori.get(PATH)
    page = send(mori, "C24", "yes", "Call Tanaka, 03-0000")

    assert page.url.path == PATH
    assert answers(ledger) == [("mori", {"item": "C24", "answer": "yes", "note": "Call Tanaka, 03-0000"})]
    assert "C24 yes, mori" in mori.text
    assert "Call Tanaka, 03-0000" in mori.text


def test_a_yes_without_its_line_is_refused_and_keeps_nothing(mori, asked, ledger):
    mori.get(PATH)
    page = send(mori, "C24", "yes")

    assert page.status_code == 400
    assert "C24: a yes needs the line" in mori.text
    assert answers(ledger) == []


def test_what_was_typed_is_kept_where_it_was_not_accepted(mori, asked, ledger):
    mori.get(PATH)
    send(mori, "C24", "perhaps", "half a line")

    assert mori.shown.status_code == 400
    assert 'value="half a line"' in mori.shown.text
    assert answers(ledger) == []


def test_an_item_that_facts_answer_is_not_taken_from_a_person(mori, asked, ledger):
    mori.get(PATH)

    assert send(mori, "C03", "yes").status_code == 400
    assert answers(ledger) == []


def test_of_two_people_at_once_the_second_is_told_and_writes_nothing(mori, sato, asked, ledger):
    mori.get(PATH)
    sato.get(PATH)
    send(mori, "C24", "yes", "Tanaka")
    page = send(sato, "C24", "no")

    assert page.status_code == 409
    assert re.search(r"Meanwhile mori|mori .*(?:meanwhile|entry)", sato.text)
    assert len(answers(ledger)) == 1


def test_a_form_without_its_token_writes_nothing(mori, asked, ledger):
    mori.get(PATH)
    page = send(mori, "C24", "yes", "x", csrf="0" * 64)

    assert page.status_code == 403
    assert answers(ledger) == []


@pytest.mark.parametrize("subject", ["cd" * 32, "..", "x"])
def test_a_model_that_the_register_has_not_is_no_page(mori, asked, subject):
    assert mori.get(f"/models/{subject}/checklist").status_code == 404
    assert mori.get(f"/models/{subject}/decision").status_code == 404


def test_a_hostile_line_stays_text(mori, asked):
    mori.get(PATH)
    send(mori, "C24", "yes", '"><script>alert(1)</script>')

    assert "<script>alert" not in mori.shown.text
    assert "&lt;script&gt;" in mori.shown.text


def test_it_is_japanese_when_asked(mori, asked):
    mori.get(f"{PATH}?lang=ja")

    assert '<html lang="ja">' in mori.shown.text
    assert "次にすること" in mori.text


def test_the_profile_says_what_is_required(mori, asked):
    mori.get(f"{PATH}?profile=deep")

    assert "“deep”" in mori.text
