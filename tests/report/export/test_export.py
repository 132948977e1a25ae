"""Every format tells the same findings, follows its own rules, and stays in one piece whatever a model is called."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from report import sample
from sekisho import rulebook
from sekisho.errors import UsageError
from sekisho.records import Dossier, Finding, Outcome, Reason, Ruled, Ruling, Severity
from sekisho.report import export
from sekisho.report.export import markdown, sarif
from sekisho.report.export.view import view
from sekisho.report.lights import Shade, lights
from sekisho.report.text import findings
from sekisho.report.words import Words

VARIANTS = (sample.admit, sample.reject, sample.hold, sample.static_only, sample.hostile)
NASTY = "a|b`c``d]]>\x00\x1b[31m\u202e<b>&\ufffe\udcff [x](http://h.example) @all ![i](x) www.h.example 日本"
SUPPRESSED = Ruling(Ruled.SUPPRESSED, Severity.HOLD, "Read by us.", "A. Person", "2027-03-01")
KNOWN = Ruling(Ruled.KNOWN, Severity.HOLD)
ODD = Finding(
    "undeclared-file", Outcome.FAIL, Severity.HOLD, NASTY, "unknown-role", NASTY, (("file", NASTY),)
)


def with_findings(*found: Finding) -> Dossier:
    made = sample.static_only()
    return replace(made, findings=found, provenance=replace(made.provenance, name=NASTY))


@pytest.fixture(params=VARIANTS, ids=lambda v: v.__name__)
def dossier(request: pytest.FixtureRequest) -> Dossier:
    return request.param()


def run_of(dossier: Dossier, language: str = "en", root: str = "") -> dict:
    return json.loads(sarif.render(dossier, language, root))["runs"][0]


@pytest.mark.parametrize("form", export.NAMES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_format_is_repeatable_and_plain_utf_8(form: str, language: str, dossier: Dossier) -> None:
    text = export.render(form, dossier, language)
    assert text == export.render(form, dossier, language)
    assert text.encode("utf-8").decode() == text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", text)


def test_another_language_is_refused() -> None:
    for form in export.NAMES:
        with pytest.raises(UsageError, match="'fr'"):
            export.render(form, sample.admit(), "fr")


def test_findings_of_all_formats_are_those_of_the_dossier() -> None:
    made = sample.reject()
    told = [f for f in made.findings if f.outcome is not Outcome.PASS]
    ids = [rulebook.of(f).id for f in told]
    results = run_of(made)["results"]
    assert {r["ruleId"] for r in results} >= set(ids)
    for form in ("json", "junit", "markdown", "html"):
        text = export.render(form, made)
        assert [i for i in ids if i not in text] == [], form


# SARIF


def test_sarif_is_laid_out_as_the_standard_says(dossier: Dossier) -> None:
    log = json.loads(sarif.render(dossier))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert set(driver) == {"name", "version", "language", "rules"}
    assert run["invocations"][0]["exitCode"] == {"admit": 0, "reject": 1, "hold": 3}[dossier.verdict.decision]
    assert run["invocations"][0]["executionSuccessful"] is True
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids))
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (place,) = result["locations"]
        assert re.fullmatch(r"[A-Za-z0-9%._~/-]+", place["physicalLocation"]["artifactLocation"]["uri"])
        assert all(isinstance(v, str) for v in result["partialFingerprints"].values())


def test_sarif_rules_explain_themselves() -> None:
    for rule in run_of(sample.reject())["tool"]["driver"]["rules"]:
        assert set(rule) >= {
            "id",
            "name",
            "shortDescription",
            "fullDescription",
            "help",
            "defaultConfiguration",
        }
        assert rule["help"]["text"]
        assert rule["name"].isalnum()
        assert rule["properties"]["tags"][0] == "security"
    (pickle,) = [r for r in run_of(sample.reject())["tool"]["driver"]["rules"] if r["id"] == "SKS-SER-001"]
    assert pickle["helpUri"] == "https://cwe.mitre.org/data/definitions/502.html"
    assert "external/cwe/cwe-502" in pickle["properties"]["tags"]
    assert pickle["properties"]["security-severity"] == "8.5"


def test_sarif_speaks_the_language_chosen() -> None:
    run = run_of(sample.reject(), "ja")
    (first,) = [r for r in run["results"] if r["ruleId"] == "SKS-SER-001"]
    assert run["tool"]["driver"]["language"] == "ja"
    assert "呼び出します" in first["message"]["text"]


def test_sarif_fingerprints_are_those_of_any_language_folder_and_run() -> None:
    marks = [
        [r["partialFingerprints"] for r in run_of(sample.reject(), language, root)["results"]]
        for language, root in (("en", ""), ("ja", "models/x"))
    ]
    assert marks[0] == marks[1]


@pytest.mark.parametrize(
    ("path", "root", "uri"),
    [
        ("a b/c.bin", "", "a%20b/c.bin"),
        ("x:y.bin", "models/m", "models/m/x%3Ay.bin"),
        ("x.bin", "./models/m/", "models/m/x.bin"),
        ("日.bin", "", "%E6%97%A5.bin"),
        ("a\\b#c?d%", "", "a%5Cb%23c%3Fd%25"),
        (".", "", "."),
        (".", "models/m", "models/m"),
        ("\udcff", "", "%3F"),
    ],
)
def test_sarif_uris_are_relative_and_encoded(path: str, root: str, uri: str) -> None:
    assert sarif.uri(path, root) == uri


def test_sarif_has_its_own_fields_for_what_was_ruled_on() -> None:
    made = with_findings(replace(ODD, rulings=(SUPPRESSED,)), replace(ODD, rulings=(KNOWN,)), ODD)
    results = [r for r in run_of(made)["results"] if r["ruleId"] == "SKS-FIL-001"]
    first, second, third = sorted(results, key=lambda r: ("baselineState" in r, "suppressions" not in r))
    assert first["suppressions"][0]["justification"] == "Read by us."
    assert first["suppressions"][0]["properties"] == {"approver": "A. Person", "expires": "2027-03-01"}
    assert "suppressions" not in second
    assert "baselineState" not in second
    assert third["baselineState"] == "unchanged"


def test_sarif_reports_what_did_not_run_as_a_notification() -> None:
    idle = Finding("weights-delta", Outcome.NOT_RUN, Severity.NOTE, "", "no-base", "None given.")
    needed = replace(idle, severity=Severity.HOLD, reason="unfinished")
    run = run_of(with_findings(idle, needed))
    assert [r["ruleId"] for r in run["results"] if r["ruleId"].startswith("SKS-GEN")] == ["SKS-GEN-003"]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1


def test_sarif_makes_no_link_of_a_name() -> None:
    assert "](" not in json.dumps([r["message"] for r in run_of(with_findings(ODD))["results"]])


def test_sarif_says_how_many_results_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    run = run_of(with_findings(*(replace(ODD, where=f"x{n}") for n in range(5))))
    assert len([r for r in run["results"] if r["ruleId"] == "SKS-FIL-001"]) == 2
    assert "3" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_grounds_on_answers_are_results_too() -> None:
    ids = {r["ruleId"] for r in run_of(sample.reject())["results"]}
    assert any(i.startswith("SKS-VRD-") for i in ids)
    assert not any(i.startswith("SKS-VRD-") for i in {r["ruleId"] for r in run_of(sample.admit())["results"]})


def test_a_silent_check_is_a_remark() -> None:
    reason = Reason("check-not-run", ("check:remote-code@",), (("check", "remote-code"), ("where", "")))
    made = sample.static_only()
    made = replace(made, findings=(), verdict=replace(made.verdict, reasons=(reason,)))
    (remark,) = view(made, "en").remarks
    assert remark.rule.reason == "check-not-run"


# JUnit


def junit(dossier: Dossier, language: str = "en") -> ET.Element:
    return ET.fromstring(export.render("junit", dossier, language).encode())


def test_junit_counts_what_it_holds(dossier: Dossier) -> None:
    (suite,) = junit(dossier)
    assert suite.tag == "testsuite"
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases)
    assert int(suite.get("failures", "")) == len(suite.findall(".//failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall(".//skipped"))
    assert len(cases) == len({f.check for f in dossier.findings}) + len(view(dossier, "en").remarks)
    assert (len(suite.findall(".//failure")) == 0) == (dossier.verdict.decision.value == "admit")


def test_junit_tells_failures_by_kind_and_skips_by_reason() -> None:
    idle = Finding(
        "weights-delta", Outcome.NOT_RUN, Severity.NOTE, "", "no-base", "No trusted base was given."
    )
    pickle = Finding("unsafe-serialisation", Outcome.FAIL, Severity.REJECT, "x", "pickle-global", "Bad.")
    waived = Finding(
        "remote-code", Outcome.FAIL, Severity.HOLD, "p.html", "page", "A page.", rulings=(SUPPRESSED,)
    )
    suite = junit(with_findings(idle, pickle, ODD, waived))[0]
    by_class = {c.get("classname"): c for c in suite}

    assert by_class["sekisho.unsafe-serialisation"].find("failure").get("type") == "reject"
    assert by_class["sekisho.undeclared-file"].find("failure").get("type") == "hold"
    assert "No trusted base" in by_class["sekisho.weights-delta"].find("skipped").get("message")
    said = by_class["sekisho.remote-code"].find("skipped").get("message")
    assert "Read by us." in said
    assert "A. Person" in said
    assert "2027-03-01" in said


def test_a_check_with_one_suppressed_and_one_open_finding_fails() -> None:
    suite = junit(with_findings(replace(ODD, rulings=(SUPPRESSED,)), replace(ODD, where="other")))[0]
    case = next(c for c in suite if c.get("classname") == "sekisho.undeclared-file")
    assert case.find("failure") is not None
    assert case.find("skipped") is None


# Markdown


def test_markdown_leads_with_the_verdict_and_says_what_to_do() -> None:
    text = export.render("markdown", sample.reject())
    assert text.startswith("## ⛔ REJECT: `")
    assert "| **calls for REJECT** | SKS-SER-001 | `extra/optimizer.bin` |" in text
    assert "### What to do\n\n- **Weights that run code**: " in text


def test_markdown_shows_what_was_suppressed() -> None:
    text = export.render("markdown", with_findings(replace(ODD, rulings=(SUPPRESSED,))))
    assert "Ruled on beforehand (1)" in text
    assert "**Suppressed until 2027-03-01; A. Person answers for it: Read by us.**" in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_hostile_name_is_no_markup_anywhere(language: str) -> None:
    text = export.render("markdown", with_findings(ODD, replace(ODD, rulings=(KNOWN,))), language)
    bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "http://" not in bare
    assert "<b>" not in bare
    assert "@all" not in bare
    assert "www.h" not in bare
    assert not re.search(r"(?<!\\)\]\(", bare)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


@given(st.text(alphabet=st.sampled_from("`|\\ab <>*_[]()#~:@\n&-+=1."), max_size=30))
def test_code_spans_cannot_be_left(text: str) -> None:
    for cell in (False, True):
        span = markdown.code(text, cell=cell)
        fence = re.match("`+", span)
        assert fence is not None
        inside = span[len(fence[0]) : -len(fence[0])]
        assert fence[0] not in re.findall("`+", inside.strip(" "))
        assert "\n" not in span
        assert not cell or not re.search(r"(?<!\\)\|", span)


@given(st.text(alphabet=st.sampled_from("`|\\ab <>*_[]()#~:@\n&-+=1."), max_size=30))
def test_plain_text_holds_nothing_that_markdown_reads(text: str) -> None:
    shown = markdown.plain(text)
    unescaped = re.sub(r"\\.", "", shown)
    assert not re.search(r"[`|*_\[\]#~<]", unescaped)
    assert not re.match(r"\s*[-+=]|\s*\d+[.)]", unescaped) or re.match(r"\s*\\|\s*\d+\\", shown)


# JSON


def test_json_follows_its_schema(dossier: Dossier) -> None:
    schema = json.loads((files("sekisho.data") / "schemas" / "inspection-2.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    for made in (dossier, with_findings(replace(ODD, rulings=(SUPPRESSED,)))):
        Draft202012Validator(schema).validate(json.loads(export.render("json", made)))


def test_json_counts_excused_findings_apart() -> None:
    body = json.loads(export.render("json", with_findings(ODD, replace(ODD, rulings=(SUPPRESSED,)))))
    assert body["counts"] == {"reject": 0, "hold": 1, "note": 0, "excused": 1, "pass": 0}
    assert [f["counts"] for f in body["findings"]] == [True, False]
    assert body["findings"][1]["rulings"][0]["kind"] == "suppressed"


# The report


def test_an_admission_with_excused_findings_says_so() -> None:
    made = replace(sample.admit(), findings=(*sample.admit().findings, replace(ODD, rulings=(SUPPRESSED,))))
    text = export.render("html", made)
    assert (
        "Not counted, since somebody answers for it or the baseline has it: 1 of the findings below." in text
    )
    assert "the checks of its files passed" not in text
    assert "Every required check passed" not in text
    assert "Suppressed until 2027-03-01" in text
    assert "事前の取り決めにより数えていません" in export.render("html", made, "ja")


@pytest.mark.parametrize("other", [Outcome.FAIL, Outcome.CANNOT_TELL, Outcome.NOT_RUN])
def test_every_format_counts_checks_that_passed_and_state_nothing_else(other: Outcome) -> None:
    clear = replace(ODD, outcome=Outcome.PASS, severity=Severity.NOTE, where="", reason="nothing-found")
    mixed = replace(clear, outcome=other, reason="no-base", where="b")
    twice = [replace(clear, check="remote-code", where=where) for where in ("a", "b")]
    made = with_findings(clear, mixed, *twice)
    assert run_of(made)["properties"]["passed"] == ["remote-code"]
    for form in ("html", "markdown"):
        assert "Checks that passed (1)" in export.render(form, made)
    assert "Checks that passed (1): " in findings(made.findings)


def test_a_check_that_did_not_run_is_not_said_to_have_gone_over_the_files() -> None:
    clear = replace(ODD, outcome=Outcome.PASS, severity=Severity.NOTE, where="", reason="nothing-found")
    idle = replace(clear, check="tokenizer-delta", outcome=Outcome.NOT_RUN, reason="no-base")
    words = Words("en")
    assert lights(with_findings(clear, replace(clear, check="coverage"), idle), words)[1].sentence.startswith(
        "2 checks went over "
    )
    assert lights(with_findings(idle), words)[1].shade is Shade.UNKNOWN
