"""Findings as JSON; `data/schemas/inspection-2.schema.json` describes every key."""

import json
from typing import Any, Final

from sekisho.records import EXIT, Dossier, Ruling
from sekisho.report.export.view import Line, Remark, view

SCHEMA: Final = 2
"""Layout of the JSON; a key that leaves or changes its meaning raises it."""


def render(dossier: Dossier, language: str = "en") -> str:
    """Write verdict, findings and files. Raises UsageError for an unknown language."""
    seen, origin = view(dossier, language), dossier.provenance
    body = {
        "schema": SCHEMA,
        "tool": dossier.tool,
        "language": language,
        "model": {
            "name": origin.name,
            "source": origin.source,
            "pinned": origin.pinned,
            "identity": origin.identity,
        },
        "base": {"name": origin.base, "identity": origin.base_identity} if origin.base else None,
        "policy": {"name": dossier.policy, "sha256": dossier.policy_digest},
        "exceptions": dict(dossier.exceptions),
        "decision": dossier.verdict.decision.value,
        "exit": EXIT[dossier.verdict.decision],
        "counts": _counts(seen.lines),
        "grounds": [_remark(r) for r in seen.remarks],
        "findings": [_finding(line) for line in seen.lines],
        "files": [
            {
                "path": f.path,
                "size": f.size,
                "sha256": f.sha256,
                "format": f.format,
                "role": f.role,
                "problem": f.problem,
            }
            for f in dossier.files
        ],
    }
    return dump(body)


def dump(body: Any) -> str:
    """Write JSON that every reader accepts: lone surrogates of odd file names become U+FFFD."""
    text = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\n"


def _counts(lines: tuple[Line, ...]) -> dict[str, int]:
    return {
        "reject": sum(line.weight == 0 for line in lines),
        "hold": sum(line.weight in (1, 2) for line in lines),
        "note": sum(line.weight == 3 and not line.finding.excused for line in lines),  # noqa: PLR2004  see Line
        "excused": sum(line.finding.excused for line in lines),
        "pass": sum(line.weight == 4 for line in lines),  # noqa: PLR2004  see Line
    }


def _finding(line: Line) -> dict[str, Any]:
    found = line.finding
    return {
        "rule": line.rule.id,
        "check": found.check,
        "reason": found.reason,
        "outcome": found.outcome.value,
        "severity": found.severity.value,
        "counts": line.counts,
        "where": found.where,
        "path": line.path,
        "message": line.message,
        "detail": found.detail,
        "facts": dict(found.facts),
        "fingerprint": line.fingerprint,
        "rulings": [_ruling(r) for r in found.rulings],
    }


def _ruling(ruling: Ruling) -> dict[str, str]:
    return {
        "kind": ruling.kind.value,
        "was": ruling.was.value,
        "reason": ruling.reason,
        "approver": ruling.approver,
        "expires": ruling.expires,
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {"rule": remark.rule.id, "message": remark.message, "refs": list(remark.refs)}
