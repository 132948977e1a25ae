"""Rules: every reason that a check can state has one, no id is lost or given twice, mappings are well formed."""

import ast
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from artefacts import tiny_model
from hostile import HOSTILE
from sekisho import checks, rulebook
from sekisho.checks import Case
from sekisho.errors import UsageError
from sekisho.formats import rows
from sekisho.inventory import take
from sekisho.policy import ORDER
from sekisho.records import Finding, Outcome, Severity
from sekisho.report.export import rules as catalogue
from sekisho.report.words import checks as texts
from sekisho.verdict import GROUNDS

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "tests" / "rules.txt"
MAKERS = {"Finding": 4, "Words": 0, "objection": 2}
"""Which argument of a call names the reason; of every other maker of findings it is the second."""
NAMED = {"found", "_found", "finding", "_finding", "failed", "cannot_tell", "_cannot_tell"}


def minting():
    spec = importlib.util.spec_from_file_location("mint", ROOT / "docs" / "mint.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_reason_with_a_sentence_has_a_rule():
    assert minting().missing() == [], "run `make catalogue`"


def test_every_rule_in_force_has_a_sentence():
    spare = [r.id for r in rulebook.rules() if not r.retired and r.reason not in texts()[r.check]["reasons"]]
    assert spare == [], "a reason that is gone is marked `retired = true`, never deleted"


def test_ids_are_given_once():
    assert [i for i, n in Counter(r.id for r in rulebook.rules()).items() if n > 1] == []
    prefixes = {(r.id[4:7], r.check) for r in rulebook.rules()}
    assert len({p for p, _ in prefixes}) == len(prefixes) == len(rulebook.checks())


def test_no_id_ever_given_is_lost_or_means_something_else():
    kept = {line for line in LEDGER.read_text("utf-8").splitlines() if line}
    now = {f"{r.id} {r.check} {r.reason}" for r in rulebook.rules()}

    assert kept - now == set(), "ids are retired, not deleted or renamed"
    assert now - kept == set(), "run `make catalogue`"
    assert len(kept) > 250


def reasons(path):
    """Constant reasons in the calls of a module that make findings."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = MAKERS.get(name, 1 if name in NAMED else None)
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
                yield node.args[place].value


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda c: c.id)
def test_every_reason_in_the_code_of_a_check_has_a_rule(check):
    stem = type(check).__module__.rpartition(".")[2]
    folder = Path(checks.__file__).parent
    paths = [*(folder / stem).glob("*.py"), *folder.glob(f"{stem}.py")]
    named = {r for path in paths for r in reasons(path) if re.fullmatch(r"[a-z]+(-[a-z]+)*", str(r))}
    unlisted = [
        r
        for r in named
        if rulebook.of(Finding(check.id, Outcome.FAIL, Severity.HOLD, "", r, "")) is rulebook.UNLISTED
    ]

    assert paths
    assert unlisted == []


def test_the_code_of_the_checks_is_looked_into_at_all():
    folder = Path(checks.__file__).parent
    assert len({r for path in folder.rglob("*.py") for r in reasons(path)}) > 60


@pytest.mark.parametrize("name", sorted(HOSTILE)[::3])
def test_findings_have_rules_and_no_graver_severity_than_theirs(name, tmp_path):
    model = tiny_model(tmp_path / "m")
    HOSTILE[name](model)
    files = take(model)
    for finding in checks.run(Case(files, rows=rows.measure(files))):
        rule = rulebook.of(finding)
        assert rule is not rulebook.UNLISTED, finding
        assert ORDER.index(finding.severity) <= ORDER.index(rule.severity), finding


def test_grounds_without_a_finding_have_rules():
    beside = {r.reason for r in rulebook.rules() if r.check == "verdict"}
    assert beside == set(GROUNDS) - {"check-failed", "check-cannot-tell"}


def test_an_unlisted_reason_is_still_told():
    assert rulebook.of(Finding("no-such", Outcome.FAIL, Severity.HOLD, "", "odd", "")).id == "SKS-GEN-000"


def test_find():
    assert rulebook.find(" sks-ser-001 ").reason == "pickle-global"
    with pytest.raises(UsageError, match="no rule 'SKS-XXX-001'"):
        rulebook.find("SKS-XXX-001")


def test_json_follows_its_schema():
    schema = json.loads((ROOT / "src/sekisho/data/schemas/rules-1.schema.json").read_text("utf-8"))
    body = json.loads(catalogue.to_json(rulebook.rules()))

    Draft202012Validator(schema).validate(body)
    assert len(body["rules"]) == len(rulebook.rules())
    assert all(row["says"]["ja"] and row["title"]["ja"] for row in body["rules"])


def test_text_of_one_rule():
    shown = catalogue.to_text(rulebook.find("SKS-SER-001"))
    assert shown.startswith("SKS-SER-001  Weights that run code when loaded")
    assert "CWE: CWE-502" in shown
    assert "拒否に該当" in catalogue.to_text(rulebook.find("SKS-SER-001"), "ja")
    assert catalogue.listed().count("\nSKS-") > 200


def test_links_lead_to_the_weakness_first():
    assert catalogue.link(rulebook.find("SKS-SER-001")) == "https://cwe.mitre.org/data/definitions/502.html"
    assert catalogue.link(rulebook.find("SKS-FIL-001")).endswith("/AML.T0010.003")
    assert catalogue.link(rulebook.find("SKS-GEN-001")) == ""
