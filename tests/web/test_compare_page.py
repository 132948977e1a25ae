"""Comparisons in the browser: side by side, every example answered, signed off by who is signed in, nobody overwritten."""

import json

import pytest

from sekisho import sign_off
from sekisho.evidence import codec
from sekisho.evidence import compared as records
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.kinds import Kind
from sekisho.web import runs
from sekisho.web.runs import Order
from test_sign_off import comparison
from web.test_register_page import change

SUBJECT = "b" * 64


def finished(site, made, *, code=0):
    """A run as its process leaves it."""
    order = Order("compare", "old → new", ("old", "new"), "mori", "en", "2026-11-22T12:00:00Z")
    folder = runs.create(site.home, order)
    dossiers.save(codec.dump({"attempt": 1, "started": "2026-11-22T12:00:00Z"}), folder / "attempt-1.json")
    dossiers.save(codec.dump({"attempt": 1, "code": code, "ended": "x"}), folder / "exit-1.json")
    if made:
        dossiers.save(records.to_json(made), folder / runs.OUT / records.NAME)
    return f"/comparisons/{folder.name}"


def answered(browser, made, verdict="accept", note="", **more):
    fields = {"comparison": records.digest(made), "replaces": browser.hidden("replaces")}
    for example in made.examples:
        fields |= {
            f"verdict-{example.id}": verdict,
            f"group-{example.id}": example.group,
            f"note-{example.id}": note,
        }
    return fields | more


def signed(ledger):
    return [e for e in ledger.about(SUBJECT) if e.kind == Kind.SIGN_OFF]


@pytest.fixture
def made():
    return comparison()


@pytest.fixture
def path(site, made):
    return finished(site, made)


def test_both_answers_stand_side_by_side_in_their_groups(mori, path, made):
    page = mori.get(path)

    assert page.status_code == 200
    assert page.text.count('<div class="sides">') == len(made.examples)
    for example in made.examples:
        assert f'name="verdict-{example.id}" value="object"' in page.text
        assert example.example.after.replace(" ", "") in mori.text.replace(" ", "")


def test_a_sign_off_carries_who_is_signed_in_and_every_answer(mori, path, made, ledger):
    mori.get(path)
    page = mori.send(path, **answered(mori, made, name="somebody else"))

    assert page.url.path == path
    (entry,) = signed(ledger)
    assert entry.actor == "mori"
    assert entry.content["outcome"] == "accepted"
    assert set(entry.content["decisions"]) == {e.id for e in made.examples}
    assert "Signed off by mori" in mori.text


def test_an_example_without_an_answer_is_counted_and_what_was_chosen_stays(mori, path, made, ledger):
    mori.get(path)
    fields = answered(mori, made, note="kept")
    del fields[f"verdict-{made.examples[0].id}"]
    page = mori.send(path, **fields)

    assert page.status_code == 400
    assert "1 examples have no answer" in mori.text
    assert page.text.count('value="kept"') == 3
    assert signed(ledger) == []


def test_of_two_sign_offs_at_once_one_wins_and_the_other_is_told(mori, sato, path, made, ledger):
    mori.get(path)
    sato.get(path)
    mori.send(path, **answered(mori, made))
    page = sato.send(path, **answered(sato, made, "object"))

    assert page.status_code == 409
    assert "mori was quicker" in sato.text
    assert [e.actor for e in signed(ledger)] == ["mori"]


def test_a_later_sign_off_names_the_one_it_replaces(mori, sato, path, made, ledger):
    mori.get(path)
    mori.send(path, **answered(mori, made))
    sato.get(path)
    sato.send(path, **answered(sato, made, "object"))

    assert [e.content.get("replaces") for e in signed(ledger)] == [None, 1]
    assert "objected to" in sato.text


def test_a_sign_off_altered_under_a_running_server_is_not_believed(mori, site, path, made):
    mori.get(path)
    mori.send(path, **answered(mori, made))
    change(site, "UPDATE entries SET body = replace(body, 'accepted', 'objected')")

    assert mori.get(path).status_code == 409


def test_a_form_made_for_another_comparison_is_refused(mori, path, made, ledger):
    mori.get(path)
    page = mori.send(path, **answered(mori, made, comparison="0" * 64))

    assert page.status_code == 400
    assert signed(ledger) == []


def test_a_rise_is_not_accepted_without_a_word(mori, site, ledger, monkeypatch):
    monkeypatch.setattr(records.Compared, "outcome", "found")
    made = comparison()
    path = finished(site, made, code=1)
    mori.get(path)
    page = mori.send(path, **answered(mori, made))

    assert page.status_code == 400
    assert "1 of its examples are accepted without a reason" in mori.text
    assert mori.send(path, **answered(mori, made, note="meant")).url.path == path
    assert len(signed(ledger)) == 1


def test_a_prompt_is_never_markup(mori, site):
    from dataclasses import replace

    made = comparison()
    first = made.examples[0]
    hostile = replace(
        first, example=replace(first.example, prompt="<img src=x onerror=alert(1)>", after="</fieldset>")
    )
    page = mori.get(finished(site, replace(made, examples=(hostile,))))

    assert "<img" not in page.text
    assert page.text.count("</fieldset>") == 1


@pytest.mark.parametrize("broken", ["", "{", '{"schema":1}'])
def test_half_a_comparison_is_none(mori, site, made, broken):
    path = finished(site, None)
    (site.home / runs.FOLDER / path.rpartition("/")[2] / runs.OUT).mkdir()
    (site.home / runs.FOLDER / path.rpartition("/")[2] / runs.OUT / records.NAME).write_text(broken)

    assert mori.get(path).status_code == 404


@pytest.mark.parametrize("run", ["none", "..%2f..", "0" * 16])
def test_what_is_no_run_is_no_page(mori, run):
    assert mori.get(f"/comparisons/{run}").status_code == 404


def test_only_models_that_the_server_may_use_are_compared(mori, site, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    mori.get("/vets/compare")
    fields = {
        "before_path": str(tmp_path / "elsewhere"),
        "after_path": "/etc",
        "profile": "quick",
        "policy": "default",
    }

    assert mori.send("/vets/compare", **fields).status_code == 400
    assert runs.listed(site.home) == ()
    assert mori.send("/vets/compare", profile="quick", policy="default").status_code == 400


def test_the_whole_comparison_is_a_page_of_its_own(mori, path):
    assert mori.get(f"{path}/report").status_code == 200
    assert json.dumps(sign_off.NAME)[1:-1] in mori.shown.text


def test_what_is_started_is_a_command_line_that_the_verb_takes(mori, site, monkeypatch):
    """What was chosen becomes `sekisho compare`; nobody types it."""
    from evidence import folders
    from sekisho import cli
    from sekisho.web import starting

    two = [str(folders.model(site.models[0] / name)) for name in ("old", "new")]
    begun = []
    monkeypatch.setattr(starting, "begin", lambda home, order, place, child: begun.append(order) or "0" * 16)
    mori.get("/vets/compare")
    mori.send("/vets/compare", before_path=two[0], after_path=two[1], profile="quick", policy="default")
    options = cli.parser().parse_args(starting.command(begun[0], site.home))

    assert (options.verb, options.before, options.after, options.profile) == ("compare", *two, "quick")
    assert begun[0].by == "mori"
