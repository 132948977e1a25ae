"""Facts answer, people settle what facts leave open, and nothing that is not known is a yes."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from checklist import samples
from report import sample
from sekisho.checklist import engine, items
from sekisho.checklist.sources import Answer, Sources
from sekisho.errors import DataError, UsageError
from sekisho.ledger import entry as entries
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.provenance.records import Basis, Deviation, Intake, Level, Licence, Rung, Stated
from sekisho.records import Dossier, FileLine, Outcome, Ruled, Ruling, Severity

NOW = datetime(2031, 5, 1, tzinfo=UTC)
ROOT = "ab" * 32


def entry(
    number: int, kind: Kind, body: dict[str, Any], actor: str = "sato", time: str = "2031-04-20T00:00:00Z"
) -> Entry:
    return entries.make(Draft(actor, kind, ROOT, body), number, time, entries.GENESIS)


def answered(item: str, answer: str, note: str = "", number: int = 9) -> Entry:
    body = {"item": item, "answer": answer} | ({"note": note} if note else {})
    return entry(number, Kind.CHECKLIST_ANSWER, body, "suzuki")


def filled(item: str, **given: Any) -> engine.Result:
    return engine.fill(Sources(ROOT, NOW, **given), "deep").of(item)


def said(item: str, **given: Any) -> tuple[str, str]:
    found = filled(item, **given)
    return found.answer.value, found.said.code


def test_nothing_given_is_nothing_known() -> None:
    made = engine.fill(Sources(ROOT, NOW), "deep")
    assert {r.answer for r in made.results} == {Answer.UNKNOWN}
    assert not made.complete
    assert not made.refused
    assert not made.inspected


def test_a_bare_dossier_never_answers_for_people_or_the_ledger() -> None:
    made = engine.fill(Sources(ROOT, NOW, samples.clean()), "deep")
    for item in ("C12", "C13", "C14", "C19", "C20", "C21", "C22", "C23", "C24", "C25", "C26", "C27"):
        assert made.of(item).answer is Answer.UNKNOWN, item
    for item in ("C07", "C08", "C09", "C10", "C11", "C15", "C16", "C17", "C18"):
        assert made.of(item).answer is Answer.YES, item


def test_everything_answered_is_complete() -> None:
    made = engine.fill(samples.whole(NOW), "deep")
    assert [(r.item.id, r.said.code) for r in made.results if r.answer is not Answer.YES] == []
    assert made.complete
    assert all(r.said.who and r.said.refs for r in made.results)


@pytest.mark.parametrize(
    ("item", "check", "reason"),
    [
        ("C07", "undeclared-file", "x"),
        ("C09", "unsafe-serialisation", "pickle-global"),
        ("C09", "remote-code", "x"),
        ("C09", "foreign-container", "x"),
        ("C10", "chat-template", "differs-from-base"),
        ("C11", "secrets", "secret"),
        ("C12", "card-facts", "licence-contradicts"),
        ("C06", "weights-delta", "rows-changed"),
        ("C05", "weights-delta", "not-this-base"),
    ],
)
def test_what_a_check_objects_to_is_a_no(item: str, check: str, reason: str) -> None:
    dossier = samples.with_finding(check, Outcome.FAIL, Severity.HOLD, reason)
    found = filled(item, dossier=dossier, entries=(answered(item, "yes", "fine"),))
    assert found.answer is Answer.NO
    assert any(check in ref for ref in found.said.refs)
    assert found.open


@pytest.mark.parametrize("outcome", [Outcome.CANNOT_TELL, Outcome.NOT_RUN])
def test_a_check_that_could_not_judge_is_unknown(outcome: Outcome) -> None:
    assert said("C11", dossier=samples.with_finding("secrets", outcome, Severity.HOLD, "x")) == (
        "unknown",
        "undecided",
    )


def test_a_remark_for_information_is_no_objection() -> None:
    dossier = samples.with_finding("secrets", Outcome.FAIL, Severity.NOTE, "x", keep=True)
    assert said("C11", dossier=dossier) == ("yes", "checked")


def test_what_was_excused_is_no_pass() -> None:
    ruling = Ruling(Ruled.SUPPRESSED, Severity.REJECT, "known", "abe", "2031-12-31")
    dossier = samples.with_finding("secrets", Outcome.FAIL, Severity.REJECT, "x", rulings=(ruling,))
    assert said("C11", dossier=dossier) == ("unknown", "excused")


def test_a_check_of_a_younger_version_is_unknown_not_passed() -> None:
    dossier = samples.clean()
    old = dataclasses.replace(dossier, findings=tuple(f for f in dossier.findings if f.check != "secrets"))
    assert said("C11", dossier=old) == ("unknown", "not-checked")


def test_a_file_without_a_role_is_a_no() -> None:
    odd = FileLine("notes.dat", 4, "ee" * 32, "unknown", "unknown", "")
    dossier = dataclasses.replace(samples.clean(), files=(*sample.FILES, odd))
    assert said("C07", dossier=dossier) == ("no", "role-unknown")


@pytest.mark.parametrize("role", ["adapter", "soft-prompt"])
def test_a_passenger_waits_for_a_person(role: str) -> None:
    file = FileLine("extra/prompt.safetensors", 4, "ee" * 32, "safetensors", role, "")
    dossier = dataclasses.replace(samples.clean(), files=(*sample.FILES, file))
    assert said("C08", dossier=dossier) == ("unknown", "bundled")
    assert said("C17", dossier=dossier) == ("unknown", "not-ablated")
    by_hand = filled("C08", dossier=dossier, entries=(answered("C08", "yes"),))
    assert (by_hand.answer, by_hand.said.who) == (Answer.YES, "suzuki")
    assert by_hand.beside is not None
    assert by_hand.beside.code == "bundled"


def test_without_a_base_the_template_was_compared_with_nothing() -> None:
    dossier = samples.clean()
    bare = dataclasses.replace(dossier, provenance=dataclasses.replace(dossier.provenance, base=""))
    assert said("C10", dossier=bare) == ("unknown", "no-base")


@pytest.mark.parametrize("item", ["C15", "C18"])
def test_adverts_found_are_a_no(item: str) -> None:
    drill = "release" if item == "C15" else sample.FULL
    bad = dataclasses.replace(sample.awake(), drill=drill)
    assert said(item, dossier=samples.with_claim(bad)) == ("no", "cell-found")


def test_an_open_cell_is_unknown() -> None:
    assert said("C18", dossier=samples.with_claim(sample.undecided())) == ("unknown", "cell-open")


def test_lost_safeguards_are_not_ordinary_questions() -> None:
    bad = dataclasses.replace(sample.awake(), behaviour="safeguards", drill="release")
    assert said("C16", dossier=samples.with_claim(bad)) == ("no", "cell-found")
    assert said("C15", dossier=samples.with_claim(bad)) == ("yes", "cells-clear")


def test_numbers_of_a_broken_instrument_prove_nothing() -> None:
    for instrument in (None, dataclasses.replace(sample.admit().instrument, planted_found=False)):  # type: ignore[type-var]
        dossier = dataclasses.replace(samples.clean(), instrument=instrument)
        assert {said(i, dossier=dossier) for i in ("C15", "C16", "C18")} == {("unknown", "instrument")}


def test_what_was_not_asked_is_unknown() -> None:
    assert said("C15", dossier=sample.static_only()) == ("unknown", "not-asked")
    assert said("C18", dossier=sample.static_only()) == ("unknown", "no-drills")
    assert said("C14", dossier=sample.static_only()) == ("unknown", "not-asked")
    some = dataclasses.replace(samples.clean(), claims=(sample.claim("adverts", "release"),))
    assert said("C15", dossier=some) == ("unknown", "not-asked-about")


def test_something_new_after_a_drill_keeps_it_open() -> None:
    dossier = dataclasses.replace(samples.clean(), novelty=(sample.opening(),))
    assert said("C18", dossier=dossier) == ("unknown", "novelty")


def rung(intake: Intake, level: Level, *, held: bool, ground: str) -> Intake:
    rungs = tuple(Rung(level, held, ground, "x") if r.level is level else r for r in intake.ladder.rungs)
    return dataclasses.replace(intake, ladder=dataclasses.replace(intake.ladder, rungs=rungs))


def with_intake(**changes: Any) -> dict[str, Any]:
    return {"dossier": samples.clean(), "intake": dataclasses.replace(samples.intake(), **changes)}


def test_an_intake_record_answers_where_it_came_from() -> None:
    full = with_intake()
    assert said("C01", **full) == ("yes", "recorded")
    assert said("C02", **full) == ("yes", "listed")
    assert said("C03", **full) == ("yes", "matched")
    assert said("C04", **full) == ("yes", "signed")
    assert said("C05", **full) == ("yes", "parent-agrees")


def test_a_claim_is_no_record() -> None:
    assert said("C01", **with_intake(source=Stated("hf:a/b", Basis.CLAIMED))) == ("no", "claimed")


def test_a_file_that_deviates_is_a_no() -> None:
    found = filled("C03", **with_intake(deviations=(Deviation("x.bin", "extra", "", "sha256:00"),)))
    assert (found.answer, dict(found.said.facts)["where"]) == (Answer.NO, "x.bin")


def test_a_supplier_blocked_or_not_listed_is_no_yes() -> None:
    supplier = samples.intake().supplier
    for tier, wanted in (("blocked", ("no", "blocked")), ("", ("unknown", "not-listed"))):
        assert said("C02", **with_intake(supplier=dataclasses.replace(supplier, tier=tier))) == wanted


def test_signatures_missing_and_wrong() -> None:
    base = samples.intake()
    missing = rung(base, Level.SUPPLIER_SIGNED, held=False, ground="no-supplier-signature")
    wrong = rung(base, Level.SUPPLIER_SIGNED, held=False, ground="digest-differs")
    assert said("C04", dossier=samples.clean(), intake=missing) == ("unknown", "not-signed")
    assert said("C04", dossier=samples.clean(), intake=wrong) == ("no", "signature-differs")


def test_weights_that_contradict_their_parent_are_a_no() -> None:
    wrong = rung(samples.intake(), Level.LINEAGE, held=False, ground="weights-contradict-claim")
    assert said("C05", dossier=samples.clean(), intake=wrong) == ("no", "parent-contradicted")


def test_a_licence_is_for_a_person_to_judge() -> None:
    assert said("C12", dossier=samples.clean()) == ("unknown", "no-licence")
    named = with_intake(licences=(Licence("", "apache-2.0", "README.md", ""),))
    assert said("C12", **named) == ("unknown", "licences-named")
    assert filled("C12", **named, entries=(answered("C12", "yes"),)).answer is Answer.YES


def test_no_word_of_a_person_undoes_a_no_of_the_facts_and_a_persons_no_stands() -> None:
    bad = samples.with_finding("card-facts", Outcome.FAIL, Severity.HOLD, "licence-contradicts")
    found = filled("C12", dossier=bad, entries=(answered("C12", "yes"),))
    assert (found.answer, found.by_person) == (Answer.NO, False)
    against = filled("C08", dossier=samples.clean(), entries=(answered("C08", "no", "unwanted"),))
    assert (against.answer, against.said.who) == (Answer.NO, "suzuki")


def test_the_newest_answer_counts_and_a_line_is_needed_where_it_is_the_evidence() -> None:
    first, second = answered("C24", "yes", "call abe", 3), answered("C24", "no", "", 4)
    assert said("C24", entries=(first,)) == ("yes", "person-note")
    assert said("C24", entries=(first, second)) == ("no", "person")
    assert said("C24", entries=(answered("C24", "yes"),)) == ("unknown", "no-line")
    assert said("C25", entries=(answered("C25", "yes"),)) == ("yes", "person")


def test_an_answer_about_a_run_is_old_after_the_next_verdict() -> None:
    decided = entry(12, Kind.DECISION, samples.DECISION)
    for item in ("C14", "C21"):
        assert said(item, entries=(answered(item, "yes", "seen"),)) == ("yes", "person-note")
        assert said(item, entries=(answered(item, "yes", "seen"), decided)) == ("unknown", "answered-before")
    assert said("C24", entries=(answered("C24", "yes", "call abe"), decided)) == ("yes", "person-note")


def test_facts_alone_answer_items_of_the_tool() -> None:
    origin = dataclasses.replace(samples.clean().provenance, level="E1")
    dossier = dataclasses.replace(samples.clean(), provenance=origin)
    assert said("C03", dossier=dossier, entries=(answered("C03", "yes", "sure"),)) == (
        "unknown",
        "not-matched",
    )
    with pytest.raises(UsageError, match="from facts"):
        engine.allow(items.find("C03"), Answer.YES, "sure")
    with pytest.raises(UsageError, match="needs a line"):
        engine.allow(items.find("C13"), Answer.YES, "  ")
    engine.allow(items.find("C13"), Answer.NO, "")


def test_the_registration_answers_what_it_is_for() -> None:
    body = {"name": "m", "source": "s", "purpose": "answers", "data_class": "internal"}
    found = filled("C13", entries=(entry(1, Kind.MODEL_REGISTERED, body),))
    assert (found.answer, found.said.who) == (Answer.YES, "sato")
    del body["data_class"]
    assert said("C13", entries=(entry(1, Kind.MODEL_REGISTERED, body),)) == ("unknown", "not-answered")


def test_two_people() -> None:
    asked = entry(1, Kind.STATE_CHANGE, {"to": "requested"}, "sato")
    assert said("C22", entries=()) == ("unknown", "no-request")
    assert said("C22", entries=(asked,)) == ("unknown", "no-approval")
    for who, wanted in (("abe", ("yes", "two-people")), ("SATO ", ("no", "same-person"))):
        assert said("C22", entries=(asked, entry(2, Kind.APPROVAL, {"of": "pilot"}, who))) == wanted


def test_a_newer_decision_ends_approval_and_exception() -> None:
    asked = entry(1, Kind.STATE_CHANGE, {"to": "requested"}, "sato")
    approved = entry(2, Kind.APPROVAL, {"of": "pilot"}, "abe")
    late = {"reason": "r", "approver": "abe", "expires": "2031-05-01"}
    history = (asked, approved, entry(3, Kind.EXCEPTION, late), entry(4, Kind.DECISION, samples.DECISION))
    assert said("C22", entries=history) == ("unknown", "approval-old")
    assert said("C23", dossier=samples.clean(), entries=history) == ("yes", "no-exceptions")


def test_exceptions_end() -> None:
    body = {"reason": "r", "approver": "abe", "expires": "2031-06-01"}
    clean: dict[str, Any] = {"dossier": samples.clean()}
    assert said("C23", **clean, entries=()) == ("yes", "no-exceptions")
    assert said("C23", **clean) == ("unknown", "no-ledger")
    assert said("C23", **clean, entries=(entry(1, Kind.EXCEPTION, body),)) == ("yes", "exception-holds")
    late = body | {"expires": "2031-05-01"}
    assert said("C23", **clean, entries=(entry(1, Kind.EXCEPTION, late),)) == ("no", "exception-late")


@pytest.mark.parametrize(("expires", "wanted"), [("2031-05-01", "yes"), ("2031-04-30", "no"), ("", "no")])
def test_suppressions_end_after_their_last_day(expires: str, wanted: str) -> None:
    ruling = Ruling(Ruled.SUPPRESSED, Severity.HOLD, "known", "abe", expires)
    dossier = samples.with_finding("secrets", Outcome.FAIL, Severity.HOLD, "x", rulings=(ruling,))
    assert said("C23", dossier=dossier, entries=())[0] == wanted


def test_the_next_test() -> None:
    for due, wanted in (("2031-05-02", ("yes", "due")), ("2031-05-01", ("no", "overdue"))):
        made = entry(1, Kind.RE_TEST_DUE, {"due": due, "because": "period"})
        assert said("C26", entries=(made,)) == wanted
    assert said("C26", entries=()) == ("unknown", "no-date")


def test_training_records() -> None:
    def of(**body: Any) -> dict[str, Any]:
        return {"entries": (entry(1, Kind.TRAINING_RECORD, {"method": "lora", **body}),)}

    digest = "cd" * 32
    assert said("C19", entries=()) == ("unknown", "no-training")
    assert said("C19", **of()) == ("no", "data-without-digest")
    assert said("C19", **of(data_digest=digest)) == ("unknown", "data-digest-only")
    owned = {"data.owner": "abe", "data.classification": "internal"}
    assert said("C19", **of(data_digest=digest, settings=owned)) == ("yes", "data-recorded")
    assert said("C20", **of()) == ("no", "no-log")
    assert said("C20", **of(log_head=digest)) == ("unknown", "log-only")


def test_a_second_run_with_the_same_files_is_a_repetition() -> None:
    def run(number: int, name: str, **changes: str) -> Entry:
        same = dict.fromkeys(("base_digest", "data_digest", "output_digest", "log_head"), "cd" * 32)
        body = {"method": "lora", **same, **changes, "settings": {"record.run": name}}
        return entry(number, Kind.TRAINING_RECORD, body)

    assert said("C20", entries=(run(1, "a"), run(2, "b"))) == ("yes", "rerun-same")
    assert said("C20", entries=(run(1, "a"), run(2, "a"))) == ("unknown", "log-only")
    for key in ("base_digest", "data_digest", "output_digest"):
        assert said("C20", entries=(run(1, "a"), run(2, "b", **{key: "ef" * 32}))) == ("unknown", "log-only")


def test_an_entry_nobody_can_read_is_an_error_not_an_answer() -> None:
    broken = dataclasses.replace(answered("C13", "yes", "x"), body='{"item":"C13","answer":"perhaps"}')
    with pytest.raises(DataError, match="no answer"):
        filled("C13", entries=(broken,))


def test_another_profile_is_refused() -> None:
    with pytest.raises(UsageError, match="quick, standard, deep"):
        engine.fill(Sources(ROOT, NOW), "huge")


def test_dossier_type_is_what_the_samples_build() -> None:
    assert isinstance(samples.clean(), Dossier)


def signed(outcome: str, number: int = 30) -> Entry:
    body = {"comparison": ROOT, "found": "open", "outcome": outcome, "before": "old", "after": "new"}
    rest = {"decided": "2031-04-20T00:00:00Z", "decisions": {"e1": ["accept", "other", ""]}}
    return entry(number, Kind.SIGN_OFF, body | rest)


@pytest.mark.parametrize(
    ("outcome", "said_of_it"),
    [
        ("accepted", ("yes", "diff-accepted")),
        ("objected", ("no", "diff-objected")),
        ("open", ("unknown", "diff-open")),
    ],
)
def test_c21_is_what_a_sign_off_of_the_differences_says(outcome: str, said_of_it: tuple[str, str]) -> None:
    assert said("C21", entries=(signed(outcome),)) == said_of_it


def test_a_sign_off_from_before_the_newest_verdict_is_old() -> None:
    verdict = entry(31, Kind.DECISION, samples.DECISION)
    assert said("C21", entries=(signed("accepted"), verdict)) == ("unknown", "diff-before")
