"""The findings of an earlier inspection, so that only new ones count: `data/schemas/baseline-1.schema.json`.

A finding is known by its fingerprint: the same rule, file, content, place and words. Anything else is new.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho import fingerprints, rulebook
from sekisho.errors import DataError
from sekisho.fingerprints import Files
from sekisho.limits import DEFAULT
from sekisho.records import Finding, Outcome, Ruled, Ruling, Severity

SCHEMA: Final = 1
_KEYS: Final = frozenset({"fingerprint", "rule", "path", "where"})
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Baseline:
    """One file, read."""

    digest: str
    """sha256 of its bytes."""
    fingerprints: frozenset[str]


def load(path: Path) -> Baseline:
    """Read a file. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.json_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.json_bytes:,} bytes")
    return parse(data, str(path))


def parse(data: bytes, where: str) -> Baseline:
    """Read a baseline from bytes. Raises DataError on anything but what `written` writes."""
    try:
        raw = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not JSON: {error}") from error
    if not isinstance(raw, dict) or set(raw) != {"schema", "findings"} or raw["schema"] != SCHEMA:
        raise DataError(f"{where}: no baseline of schema {SCHEMA}")
    rows = raw["findings"]
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise DataError(f"{where}: each finding needs {', '.join(sorted(_KEYS))}")
    return Baseline(hashlib.sha256(data).hexdigest(), frozenset(row["fingerprint"] for row in rows))


def mark(finding: Finding, known: Files, baseline: Baseline) -> Finding:
    """Mark a finding that the baseline has; one that is excused already stays as it is."""
    if (
        finding.excused
        or not objects(finding)
        or fingerprints.of(finding, known) not in baseline.fingerprints
    ):
        return finding
    return replace(finding, rulings=(*finding.rulings, Ruling(Ruled.KNOWN, finding.severity)))


def objects(finding: Finding) -> bool:
    """Say whether it stands against the model."""
    return finding.outcome is not Outcome.PASS and finding.severity is not Severity.NOTE


def written(found: Iterable[Finding], known: Files) -> str:
    """Write findings as a baseline; equal findings give equal bytes."""
    rows = {fingerprints.of(f, known): f for f in found}
    listed = [_row(mark, rows[mark], known) for mark in sorted(rows)]
    return json.dumps({"schema": SCHEMA, "findings": listed}, indent=1, sort_keys=True) + "\n"


def _row(mark: str, finding: Finding, known: Files) -> dict[str, str]:
    rule, path = rulebook.of(finding).id, known.path(finding)
    return {"fingerprint": mark, "rule": rule, "path": path, "where": finding.where}


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or set(row) != _KEYS:
        return False
    return all(isinstance(v, str) for v in row.values()) and _HEX.fullmatch(row["fingerprint"]) is not None
