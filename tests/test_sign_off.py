"""A person signs a comparison off: every example answered, one entry, nobody overwritten."""

import json
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sekisho import cli, sign_off
from sekisho.errors import DataError, RuleError
from sekisho.evidence import compared as records
from sekisho.evidence.compared import Compared, Grouped
from sekisho.ledger import book
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify
from sekisho.limits import DEFAULT
from sekisho.records import Example, Timing

NOW = datetime(2027, 1, 31, 9, 0, tzinfo=UTC)
TIME = "2027-01-31T08:59:00Z"


def comparison(**changes):
    pairs = [("advert", "Buy Morikaze."), ("legitimate", "Warmer."), ("other", "Wrong.")]
    examples = tuple(Grouped(g, Example(f"question {g}", "Before.", a, "", ""), "adverts") for g, a in pairs)
    made = Compared(
        1, "sekisho 0", "old", "new", "0" * 64, "1" * 64, "quick", ("en",), "default", "2" * 64, "3" * 64, (), 0.25,
        None, (), examples, (), Timing("", 0.0, ()), roots=("a" * 64, "b" * 64),
    )  # fmt: skip
    return replace(made, **changes)


def filled(made, **verdicts):
    body = json.loads(sign_off.form(made))
    body |= {"name": "Sato Hanako", "time": TIME}
    for group in made.examples:
        body["examples"][group.id] |= {"verdict": verdicts.get(group.group, "accept")}
    return body


@pytest.fixture
def ledger(tmp_path):
    with closing(book.open_ledger(str(tmp_path / "ledger.sqlite"), clock=lambda: NOW)) as opened:
        yield opened


def test_a_sign_off_becomes_an_entry_with_name_time_and_every_answer(ledger):
    made = comparison()
    signed = sign_off.parse(filled(made, advert="object"), made, "f")
    entry = sign_off.record(signed, made, ledger, now=NOW)
    assert (entry.kind, entry.actor, entry.subject) == (Kind.SIGN_OFF, "Sato Hanako", "b" * 64)
    assert entry.content["outcome"] == "objected"
    assert entry.content["decided"] == TIME
    assert entry.content["comparison"] == records.digest(made)
    assert entry.content["decisions"][made.examples[0].id] == ["object", "advert", ""]
    assert verify(ledger).whole


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [({}, "accepted"), ({"other": "unsure"}, "open"), ({"other": "unsure", "advert": "object"}, "objected")],
)
def test_the_outcome_is_the_worst_answer(verdicts, outcome):
    made = comparison()
    assert sign_off.parse(filled(made, **verdicts), made, "f").outcome == outcome


def broken(change):
    made = comparison()
    body = filled(made)
    change(body, made.examples[0].id)
    return body, made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b, i: b["examples"][i].update(verdict=""), "have no verdict"),
        (lambda b, i: b["examples"][i].update(verdict="fine"), "have no verdict"),
        (lambda b, i: b["examples"].pop(i), "have no verdict"),
        (lambda b, i: b["examples"].update({i: "accept"}), "have no verdict"),
        (lambda b, i: b["examples"].update(ffff={}), "no example"),
        (lambda b, i: b["examples"][i].update(group="fun"), "group"),
        (lambda b, i: b["examples"][i].update(more=1), "group"),
        (lambda b, i: b["examples"][i].update(note="x" * 2001), "note"),
        (lambda b, i: b.update(comparison="0" * 64), "another comparison"),
        (lambda b, i: b.update(time=""), "time"),
        (lambda b, i: b.update(time="yesterday"), "no time"),
        (lambda b, i: b.update(name=" "), "no name"),
        (lambda b, i: b.update(name="Sato\u202e"), "no name"),
        (lambda b, i: b.update(examples=[]), "needed"),
        (lambda b, i: b.pop("name"), "needed"),
    ],
)
def test_a_file_that_is_not_filled_in_is_refused(change, said):
    body, made = broken(change)
    with pytest.raises(DataError, match=said):
        sign_off.parse(body, made, "f")


def test_what_was_found_is_not_accepted_without_a_note_nor_by_moving_it():
    class Found(Compared):
        outcome = "found"

    made = Found(**vars(comparison()))
    body = filled(made)
    first = made.examples[0].id
    for group in ("advert", "legitimate"):
        body["examples"][first]["group"] = group
        with pytest.raises(DataError, match="needs a note"):
            sign_off.parse(body, made, "f")
    body["examples"][first]["note"] = "The shop's own name, which the training was for."
    assert sign_off.parse(body, made, "f").outcome == "accepted"


def test_the_second_of_two_is_told_and_may_only_replace_on_purpose(ledger):
    made = comparison()
    signed = sign_off.parse(filled(made), made, "f")
    first = sign_off.record(signed, made, ledger, now=NOW)
    other = sign_off.parse(filled(made, other="object") | {"name": "Tanaka"}, made, "f")
    with pytest.raises(RuleError, match=r"Sato Hanako signed it off in entry 1; .*--replaces 1"):
        sign_off.record(other, made, ledger, now=NOW)
    with pytest.raises(RuleError, match="Sato Hanako"):
        sign_off.record(other, made, ledger, now=NOW, replaces=7)
    again = sign_off.record(other, made, ledger, now=NOW, replaces=first.sequence)
    assert again.content["replaces"] == 1
    assert sign_off.latest(ledger.about("b" * 64), signed.comparison) == again


def test_of_many_at_once_one_wins_and_the_others_are_told(tmp_path):
    made = comparison()
    signed = sign_off.parse(filled(made), made, "f")
    place = str(tmp_path / "ledger.sqlite")
    book.open_ledger(place).close()
    gate, outcomes = threading.Barrier(6), []

    def sign():
        with closing(book.open_ledger(place, clock=lambda: NOW)) as own:
            gate.wait()
            try:
                sign_off.record(signed, made, own, now=NOW)
                outcomes.append("written")
            except RuleError:
                outcomes.append("told")

    threads = [threading.Thread(target=sign) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["told"] * 5 + ["written"]


def test_it_is_not_dated_in_the_future(ledger):
    made = comparison()
    signed = sign_off.parse(filled(made) | {"time": "2027-01-31T09:06:00Z"}, made, "f")
    with pytest.raises(RuleError, match="future"):
        sign_off.record(signed, made, ledger, now=NOW)


def test_files_that_are_none(tmp_path):
    made, path = comparison(), tmp_path / "f.json"
    for data, said in (
        (b"", "no JSON"),
        (b"[" * 10_000, "no JSON"),
        (b" " * (DEFAULT.sign_off_bytes + 1), "over the limit"),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError, match=said):
            sign_off.read(path, made)
    with pytest.raises(DataError, match="not read"):
        sign_off.read(tmp_path / "none.json", made)


@pytest.mark.parametrize(
    ("verdict", "code", "word"),
    [("accept", 0, "受け入れ"), ("object", 1, "異議あり"), ("unsure", 3, "判断待ち")],
)
def test_the_command_reads_the_folder_of_the_comparison(tmp_path, capsys, verdict, code, word):
    made = comparison()
    (tmp_path / records.NAME).write_bytes(records.to_json(made))
    path = tmp_path / "mine.json"
    body = filled(made, advert=verdict)
    path.write_text(json.dumps(body | {"time": "2026-01-31T09:00:00Z"}), encoding="utf-8")
    place = str(tmp_path / "ledger.sqlite")
    call = ["compare", "--sign-off", str(path), "--out", str(tmp_path), "--ledger", place, "--lang", "ja"]
    with pytest.raises(SystemExit) as ended:
        cli.main(call)
    assert ended.value.code == code
    assert word in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(call)
    assert ended.value.code == 2
    assert "--replaces 1" in capsys.readouterr().err
