"""SARIF 2.1.0, for code scanning. What did not run is a notification of the invocation, since viewers show every result."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from sekisho.records import EXIT, Dossier, Outcome, Ruled, Severity
from sekisho.report.export.data import dump
from sekisho.report.export.rules import described, link, told
from sekisho.report.export.view import Line, Remark, View, view
from sekisho.report.inspection import passed
from sekisho.report.words import Words
from sekisho.rulebook import Rule

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {Severity.REJECT: "error", Severity.HOLD: "warning", Severity.NOTE: "note"}
SCORES: Final = {Severity.REJECT: "8.5", Severity.HOLD: "5.0"}
"""`security-severity`, which code scanning sorts by: high and medium."""
MOST_RESULTS: Final = 5_000
"""Results in one run; code scanning shows no more. The gravest come first, and the run says how many were left out."""


def render(dossier: Dossier, language: str = "en", root: str = "") -> str:
    """Write one run. `root` stands before every path, as the model's folder in the repository that is scanned."""
    seen = view(dossier, language)
    objected = [line for line in seen.told if line.finding.outcome is not Outcome.NOT_RUN or line.counts]
    rules = _rules(seen, objected)
    index = {rule.id: n for n, rule in enumerate(rules)}
    results = [_result(line, index, root) for line in objected[:MOST_RESULTS]]
    results += [_remark(remark, index, root) for remark in seen.remarks]
    run = {
        "tool": {"driver": _driver(seen, rules)},
        "invocations": [_invocation(seen, len(objected) - MOST_RESULTS)],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {
            "decision": dossier.verdict.decision.value,
            "model": dossier.provenance.name,
            "identity": dossier.provenance.identity,
            "policy": dossier.policy,
            "policySha256": dossier.policy_digest,
            "passed": sorted(passed(dossier.findings)),
        },
    }
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def uri(path: str, root: str = "") -> str:
    """A relative reference to a file of the model; `.` is the model's folder itself."""
    whole = "/".join(part for part in (*root.split("/"), *path.split("/")) if part not in ("", "."))
    return quote(whole, safe="/", errors="replace") or "."


def _driver(seen: View, rules: Iterable[Rule]) -> dict[str, Any]:
    name, _, version = seen.dossier.tool.partition(" ")
    return {
        "name": name,
        "version": version,
        "language": seen.words.language,
        "rules": [_rule(rule, seen.words) for rule in rules],
    }


def _rules(seen: View, objected: Iterable[Line]) -> list[Rule]:
    used = {r.id: r for r in (*(line.rule for line in objected), *(m.rule for m in seen.remarks))}
    return [used[key] for key in sorted(used)]


def _rule(rule: Rule, words: Words) -> dict[str, Any]:
    title, sentence = words.check(rule.check), described(rule, words)
    why, todo = told(rule, words)
    help_text = "\n\n".join(part for part in (sentence, why, todo) if part)
    made: dict[str, Any] = {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in f"{rule.check}-{rule.reason}".split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": sentence},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": _tags(rule), "check": rule.check, "reason": rule.reason},
    }
    if rule.severity in SCORES:
        made["properties"]["security-severity"] = SCORES[rule.severity]
    if link(rule):
        made["helpUri"] = link(rule)
    return made


def _tags(rule: Rule) -> list[str]:
    outside = (f"external/cwe/{cwe.lower()}" for cwe in rule.cwe)
    return [
        "security",
        *outside,
        *(f"owasp-llm/{o}" for o in rule.owasp),
        *(f"mitre-atlas/{a}" for a in rule.atlas),
    ]


def _result(line: Line, index: dict[str, int], root: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ruleId": line.rule.id,
        "ruleIndex": index[line.rule.id],
        "level": LEVELS[line.finding.severity],
        "message": {"text": _plain(line.message)},
        "locations": [_location(line.path, line.finding.where, root)],
        "partialFingerprints": {
            "primaryLocationLineHash": line.place,  # by which code scanning follows an alert
            "sekishoFinding/v1": line.fingerprint,
        },
        "properties": {
            "check": line.finding.check,
            "outcome": line.finding.outcome.value,
            "severity": line.finding.severity.value,
        },
    }
    given = [r for r in line.finding.rulings if r.kind is Ruled.SUPPRESSED]
    if given:
        made["suppressions"] = [
            {
                "kind": "external",  # no status: without one it counts as accepted, and the schemas differ on its name
                "justification": _plain(r.reason),
                "properties": {"approver": r.approver, "expires": r.expires},
            }
            for r in given
        ]
    if any(r.kind is Ruled.KNOWN for r in line.finding.rulings):
        made["baselineState"] = "unchanged"
    return made


def _remark(remark: Remark, index: dict[str, int], root: str) -> dict[str, Any]:
    return {
        "ruleId": remark.rule.id,
        "ruleIndex": index[remark.rule.id],
        "level": LEVELS[remark.rule.severity],
        "message": {"text": _plain(remark.message)},
        "locations": [_location(".", ", ".join(remark.refs), root)],
        "partialFingerprints": {"sekishoGround/v1": "/".join((remark.rule.id, *remark.refs))},
    }


def _location(path: str, where: str, root: str) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": uri(path, root)},
        "region": {"startLine": 1},
    }  # scanners need a line
    logical = [{"fullyQualifiedName": where}] if where not in ("", path) else []
    return {"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})


def _invocation(seen: View, left: int) -> dict[str, Any]:
    code = EXIT[seen.dossier.verdict.decision]
    quiet = [line for line in seen.told if line.finding.outcome is Outcome.NOT_RUN and not line.counts]
    notes = [
        {
            "descriptor": {"id": line.rule.id},
            "level": "note",
            "message": {"text": _plain(f"{seen.words.check(line.finding.check)}: {line.message}")},
        }
        for line in quiet
    ]
    if left > 0:
        text = seen.words.say("ui", "more_findings", n=str(left))
        notes.append(
            {"descriptor": {"id": "results-left-out"}, "level": "warning", "message": {"text": text}}
        )
    return {
        "executionSuccessful": True,
        "exitCode": code,
        "exitCodeDescription": seen.dossier.verdict.decision.value,
        "toolExecutionNotifications": notes,
    }


def _plain(text: str) -> str:
    """Keep a viewer from reading a hostile name as a link: `[text](address)` is one in a SARIF message."""
    return text.replace("](", "] (")
