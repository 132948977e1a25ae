"""Overrides, suppressions and baselines: what they excuse, what nothing excuses, and what they say themselves."""

import datetime as dt
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from checks.sentences import said_in_both
from sekisho import fingerprints, policy, rulings, verdict
from sekisho.errors import DataError, UsageError
from sekisho.limits import DEFAULT
from sekisho.policy import Override
from sekisho.records import Decision, FileLine, Finding, Outcome, Ruled, Severity
from sekisho.report.words import Words
from sekisho.rulings import baseline, suppressions
from sekisho.rulings.suppressions import Suppressions

SUM = "a" * 64
FILES = fingerprints.files([
    FileLine("x.dat", 3, SUM, "unknown", "unknown", ""),
    FileLine("x.bin", 3, "b" * 64, "pickle", "weights", ""),
    FileLine(".git", 0, "", "unread", "unknown", "not-walked: x"),
])  # fmt: skip
TODAY = dt.date(2027, 3, 1)
POLICY = policy.load()
ODD = Finding(
    "undeclared-file",
    Outcome.FAIL,
    Severity.HOLD,
    "x.dat",
    "unknown-role",
    "",
    (("file", "x.dat"), ("format", "?")),
)
PICKLE = Finding("unsafe-serialisation", Outcome.FAIL, Severity.REJECT, "x.bin", "pickle-global", "")
SILENT = Finding("chat-template", Outcome.CANNOT_TELL, Severity.HOLD, "x.dat", "not-read", "")
FREE = Finding("row-outliers", Outcome.CANNOT_TELL, Severity.HOLD, "", "not-measured", "")
PASSES = tuple(
    Finding(check, Outcome.PASS, Severity.NOTE, "", "nothing-found", "")
    for check in (*POLICY.required, *POLICY.required_with_base)
)
ENTRY = {
    "rule": "SKS-FIL-001",
    "path": "x.dat",
    "sha256": SUM,
    "reason": "Looked into it.",
    "approver": "A. Person",
    "expires": "2027-03-01",
}


def listed(*entries: dict[str, object]) -> Suppressions:
    return suppressions.parse(toml(*entries), "s.toml")


def toml(*entries: dict[str, object]) -> bytes:
    rows = ("[[suppressions]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in e.items()) for e in entries)
    return "\n".join(rows).encode()


def apply(*found: Finding, entries=(), today=TODAY, chosen=POLICY, known=FILES, **more):
    given = rulings.Exceptions(listed(*entries) if entries else None, today=today, **more)
    return rulings.apply(found, known, chosen, given)


def decide(found, chosen=POLICY):
    return verdict.decide(
        chosen, (*PASSES, *found), claims=(), expected_cells=(), instrument=None, has_base=True, dynamic=False
    ).decision


def kinds(finding: Finding) -> list[str]:
    return [r.kind.value for r in finding.rulings]


def test_a_suppression_excuses_in_sight():
    (found,) = apply(ODD, entries=[ENTRY])

    assert (found.outcome, found.severity, found.excused) == (Outcome.FAIL, Severity.HOLD, True)
    assert found.rulings[0].approver == "A. Person"
    assert found.rulings[0].expires == "2027-03-01"
    assert decide([ODD]) is Decision.HOLD
    assert decide([found]) is Decision.ADMIT


def test_a_suppressed_finding_is_no_pass_of_a_required_check():
    (found,) = apply(replace(ODD, check="undeclared-file"), entries=[ENTRY])
    others = tuple(p for p in PASSES if p.check != "undeclared-file")
    silent = verdict.decide(
        POLICY, others, claims=(), expected_cells=(), instrument=None, has_base=True, dynamic=False
    )
    assert silent.decision is Decision.HOLD
    assert found.outcome is not Outcome.PASS


def test_a_fingerprint_names_one_finding():
    entry = {k: v for k, v in ENTRY.items() if k != "path"} | {"fingerprint": fingerprints.of(ODD, FILES)}
    other = replace(ODD, facts=(("file", "x.dat"), ("format", "text")))
    first, second, *rest = apply(ODD, other, entries=[entry])

    assert (kinds(first), kinds(second), rest) == (["suppressed"], [], [])


WRONG = {
    "expired": (ENTRY | {"expires": "2027-02-28"}, Severity.HOLD),
    "digest-changed": (ENTRY | {"sha256": "c" * 64}, Severity.HOLD),
    "unused": (ENTRY | {"path": "y.dat"}, Severity.NOTE),
    "refused": (ENTRY | {"rule": "SKS-SER-001", "path": "x.bin", "sha256": "b" * 64}, Severity.HOLD),
}


@pytest.mark.parametrize("why", WRONG)
def test_an_entry_that_suppresses_nothing_is_a_finding(why):
    entry, severity = WRONG[why]
    *found, said = apply(ODD, PICKLE, entries=[entry])

    assert (said.check, said.reason, said.severity) == ("suppressions", why, severity)
    assert not any(f.excused for f in found)
    assert decide([*found, said]) is Decision.REJECT
    said_in_both([said])
    assert "A. Person" in Words("ja").finding(said)


def test_an_entry_without_a_finding_is_unused_even_if_expired():
    *_, said = apply(entries=[ENTRY | {"expires": "2020-01-01"}])
    assert said.reason == "unused"


def test_the_silence_of_a_required_check_is_not_suppressed():
    entry = ENTRY | {"rule": "SKS-TPL-027", "path": ".", "sha256": FILES.identity}
    for silent in (replace(SILENT, where=""), replace(SILENT, where="", outcome=Outcome.NOT_RUN)):
        found, said = apply(silent, entries=[entry])
        assert (found.excused, said.reason) == (False, "refused")


def test_somebody_may_answer_for_one_file_that_could_not_be_judged():
    (found,) = apply(SILENT, entries=[ENTRY | {"rule": "SKS-TPL-027"}])
    assert found.excused
    assert decide([SILENT]) is Decision.HOLD
    assert decide([found]) is Decision.ADMIT


def test_what_is_wrong_with_a_suppression_cannot_be_excused():
    entry = ENTRY | {"sha256": "c" * 64}
    known = apply(ODD, entries=[entry])
    text, left = rulings.to_baseline(known, FILES, POLICY)
    kept = baseline.parse(text.encode(), "b")
    lowered = replace(POLICY, overrides=(Override("suppressions", Severity.NOTE, "noise"),))

    assert left == 1
    assert [f.excused for f in apply(ODD, entries=[entry], baseline=kept)] == [True, False]
    assert apply(ODD, entries=[entry], chosen=lowered)[1].severity is Severity.HOLD


def test_what_was_not_read_is_suppressed_by_saying_so():
    found = replace(ODD, where=".git", reason="not-walked")
    entry = ENTRY | {"rule": "SKS-FIL-009", "path": ".git", "sha256": "unread"}
    assert apply(found, entries=[entry])[0].excused
    assert not apply(found, entries=[entry | {"sha256": SUM}])[0].excused


def test_the_whole_model_is_suppressed_by_its_identity():
    entry = ENTRY | {"rule": "SKS-ROW-001", "path": ".", "sha256": FILES.identity}
    assert apply(FREE, entries=[entry])[0].excused
    found, said = apply(FREE, entries=[entry | {"sha256": SUM}])
    assert (found.excused, said.reason) == (False, "digest-changed")


def test_entries_on_answers_wait_for_the_answers():
    entry = ENTRY | {"rule": "SKS-LOD-002", "path": ".", "sha256": FILES.identity}
    given = rulings.Exceptions(listed(entry), today=TODAY)
    failed = Finding("model-loads", Outcome.CANNOT_TELL, Severity.HOLD, "", "model-error", "")

    assert rulings.apply([ODD], FILES, POLICY, given) == (ODD,)
    (found,) = rulings.apply([failed], FILES, POLICY, given, measured=True)
    assert found.excused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": " "}, "reason must be text"),
        ({"approver": 3}, "approver must be text"),
        ({"expires": "soon"}, "expires must be a day"),
        ({"expires": True}, "expires must be a day"),
        ({"sha256": "A" * 64}, "sha256 must be 64"),
        ({"rule": "SKS-XXX-001"}, "no rule"),
        ({"note": "x"}, "nothing else"),
        ({"fingerprint": SUM}, "either path or fingerprint"),
    ],
)
def test_a_broken_suppression_is_refused(change, said):
    with pytest.raises(DataError, match=said):
        listed(ENTRY | change)


@pytest.mark.parametrize("key", ENTRY)
def test_every_key_must_be_said(key):
    with pytest.raises(DataError, match="suppression 1: needed are"):
        listed({k: v for k, v in ENTRY.items() if k != key})


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"x = [",
        b"suppression = []",
        b"suppressions = 3",
        b"suppressions = [3]",
        b"a = " + b"[" * 9_000,
    ],
)
def test_what_is_no_file_of_suppressions_is_refused(data):
    with pytest.raises(DataError):
        suppressions.parse(data, "s")


def test_a_file_over_the_limits_is_refused(tmp_path: Path, monkeypatch):
    path = tmp_path / "s.toml"
    path.write_bytes(b"#" * (DEFAULT.config_bytes + 1))
    with pytest.raises(DataError, match="over the limit"):
        suppressions.load(path)
    monkeypatch.setattr(suppressions, "DEFAULT", replace(DEFAULT, suppressions=1))
    with pytest.raises(DataError, match="over the limit of 1 suppressions"):
        listed(ENTRY, ENTRY)
    with pytest.raises(DataError, match="not read"):
        suppressions.load(tmp_path / "none.toml")


def test_suppressions_need_a_day(tmp_path: Path):
    (tmp_path / "s.toml").write_bytes(toml(ENTRY))
    with pytest.raises(UsageError, match="the day must be said"):
        rulings.load(tmp_path / "s.toml")
    given = rulings.load(tmp_path / "s.toml", today=TODAY)
    assert dict(given.record).keys() == {"suppressions", "date"}


def test_many_entries_and_findings_take_no_time():
    many = [replace(ODD, where=f"x{n}") for n in range(1_000)]
    known = fingerprints.files([FileLine(f"x{n}", 1, SUM, "?", "unknown", "") for n in range(1_000)])
    entries = [ENTRY | {"path": f"x{n}"} for n in range(1_000)]
    found = apply(*many, entries=entries, known=known)
    assert len(found) == 1_000
    assert all(f.excused for f in found)


def test_only_what_is_new_counts():
    silent = replace(SILENT, where="")
    text, left = rulings.to_baseline([ODD, PICKLE, silent, *PASSES], FILES, POLICY)
    kept = baseline.parse(text.encode(), "b")
    new = replace(ODD, where="x.bin")
    found = apply(ODD, PICKLE, silent, new, baseline=kept)

    assert left == 2
    assert [kinds(f) for f in found] == [["known"], [], [], []]
    assert decide(apply(ODD, baseline=kept)) is Decision.ADMIT
    assert decide(apply(new, baseline=kept)) is Decision.HOLD


def test_a_changed_file_is_new_to_a_baseline():
    text, _ = rulings.to_baseline([ODD], FILES, POLICY)
    changed = fingerprints.files([FileLine("x.dat", 3, "e" * 64, "unknown", "unknown", "")])
    assert not apply(ODD, baseline=baseline.parse(text.encode(), "b"), known=changed)[0].excused


def test_a_suppressed_finding_does_not_enter_a_baseline_and_is_ruled_on_once():
    found = apply(ODD, entries=[ENTRY])
    text, left = rulings.to_baseline(found, FILES, POLICY)
    assert (json.loads(text)["findings"], left) == ([], 0)
    kept = baseline.parse(rulings.to_baseline([ODD], FILES, POLICY)[0].encode(), "b")
    assert kinds(apply(ODD, entries=[ENTRY], baseline=kept)[0]) == ["suppressed"]


def test_a_baseline_never_excuses_what_a_forged_one_names():
    row = {
        "fingerprint": fingerprints.of(PICKLE, FILES),
        "rule": "SKS-SER-001",
        "path": "x.bin",
        "where": "x.bin",
    }
    kept = baseline.parse(json.dumps({"schema": 1, "findings": [row]}).encode(), "b")
    assert not apply(PICKLE, baseline=kept)[0].excused


def test_a_baseline_holds_nothing_that_was_not_read():
    unread = replace(ODD, where=".git", reason="not-walked")
    row = {
        "fingerprint": fingerprints.of(unread, FILES),
        "rule": "SKS-FIL-009",
        "path": ".git",
        "where": ".git",
    }
    forged = baseline.parse(json.dumps({"schema": 1, "findings": [row]}).encode(), "b")
    assert rulings.to_baseline([unread], FILES, POLICY)[1] == 1
    assert not apply(unread, baseline=forged)[0].excused


def test_a_baseline_is_repeatable_and_follows_its_schema():
    first, _ = rulings.to_baseline([ODD, FREE], FILES, POLICY)
    schema = json.loads((files("sekisho.data") / "schemas" / "baseline-1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(first))
    assert rulings.to_baseline([FREE, ODD, ODD], FILES, POLICY)[0] == first


@pytest.mark.parametrize(
    "data",
    [
        b"[", b"[]", b"{}", b'{"schema": 2, "findings": []}', b'{"schema": 1, "findings": [3]}', b"\xff",
        b'{"schema": 1, "findings": [{"fingerprint": "x", "rule": "", "path": "", "where": ""}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused(data):
    with pytest.raises(DataError):
        baseline.parse(data, "b")


def test_a_baseline_over_the_limit_is_refused(tmp_path, monkeypatch):
    (tmp_path / "b.json").write_bytes(b" " * 20)
    monkeypatch.setattr(baseline, "DEFAULT", replace(DEFAULT, json_bytes=10))
    with pytest.raises(DataError, match="over the limit"):
        baseline.load(tmp_path / "b.json")
    with pytest.raises(DataError, match="not read"):
        baseline.load(tmp_path / "none")


def ruled(*overrides: Override):
    return replace(POLICY, overrides=overrides)


def test_an_override_is_shown_and_counts():
    lower = ruled(Override("SKS-FIL-001", Severity.NOTE, "Our notes live there."))
    (found,) = apply(ODD, chosen=lower)

    assert (found.severity, found.outcome, kinds(found)) == (Severity.NOTE, Outcome.FAIL, ["overridden"])
    assert (found.rulings[0].was, found.excused) == (Severity.HOLD, False)
    assert decide([found], lower) is Decision.ADMIT
    assert decide(apply(ODD, chosen=ruled(Override("undeclared-file", Severity.REJECT)))) is Decision.REJECT


def test_the_rule_goes_before_its_check():
    both = ruled(Override("undeclared-file", Severity.REJECT), Override("SKS-FIL-001", Severity.NOTE, "ours"))
    assert apply(ODD, chosen=both)[0].severity is Severity.NOTE


def test_a_lowered_severity_does_not_waive_a_required_check_that_could_not_tell():
    lower = ruled(Override("chat-template", Severity.NOTE, "not now"))
    for silent in (SILENT, replace(SILENT, where="")):
        assert decide(apply(silent, chosen=lower), lower) is Decision.HOLD


def test_nothing_is_lowered_without_a_reason_or_where_it_may_not_be():
    assert apply(ODD, chosen=ruled(Override("SKS-FIL-001", Severity.NOTE)))[0] == ODD
    assert apply(PICKLE, chosen=ruled(Override("SKS-SER-001", Severity.NOTE, "x")))[0] == PICKLE


def test_a_note_that_passes_is_raised_by_its_rule_only():
    note = Finding("generation-config", Outcome.PASS, Severity.NOTE, "x.dat", "speed", "")
    by_check = apply(note, chosen=ruled(Override("generation-config", Severity.HOLD)))[0]
    by_rule = apply(note, chosen=ruled(Override("SKS-GNC-009", Severity.HOLD)))[0]
    assert by_check == note
    assert (by_rule.outcome, by_rule.severity) == (Outcome.FAIL, Severity.HOLD)


def test_an_overridden_finding_can_be_suppressed_too():
    (found,) = apply(ODD, entries=[ENTRY], chosen=ruled(Override("SKS-FIL-001", Severity.REJECT)))
    assert kinds(found) == ["overridden", "suppressed"]
    assert found.rulings[1].was is Severity.REJECT
    assert Ruled(kinds(found)[1]) is Ruled.SUPPRESSED
