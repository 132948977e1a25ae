"""Findings that somebody answers for until a day: one TOML file of `[[suppressions]]`, every key of which must be said.

[[suppressions]]
rule = "SKS-FIL-001"
path = "extra/notes.dat"          # or fingerprint = "..." of the one finding; "." is the whole model
sha256 = "..."                    # of that file ("unread" where it was not read): another content needs another word
reason = "Publisher's changelog, read by us on 12 May."
approver = "A. Person"
expires = 2027-03-31              # the last day it holds
"""

import datetime as dt
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho import fingerprints, rulebook
from sekisho.errors import DataError, UsageError
from sekisho.fingerprints import Files
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.records import Finding, Outcome, Ruled, Ruling, Severity

CHECK: Final = "suppressions"
UNREAD: Final = "unread"
_KEYS: Final = frozenset({"rule", "sha256", "reason", "approver", "expires"})
_AIMS: Final = ("path", "fingerprint")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_SAID: Final = {
    "expired": ("The suppression of {rule} for {where} expired on {expires} ({approver}).", Severity.HOLD),
    "digest-changed": (
        "The suppression of {rule} for {where} was given for other content ({approver}).",
        Severity.HOLD,
    ),
    "refused": (
        "The suppression of {rule} for {where} has no effect: the policy does not let this be suppressed ({approver}).",
        Severity.HOLD,
    ),
    "unused": ("The suppression of {rule} for {where} meets no finding ({approver}).", Severity.NOTE),
}


@dataclass(frozen=True)
class Suppression:
    """One entry."""

    rule: str
    path: str
    """Empty where it names a fingerprint."""
    fingerprint: str
    sha256: str
    reason: str
    approver: str
    expires: dt.date

    @property
    def aim(self) -> tuple[str, str]:
        """Its rule, and the path or fingerprint it names."""
        return self.rule, self.path or self.fingerprint


@dataclass(frozen=True)
class Suppressions:
    """One file, read."""

    digest: str
    """sha256 of its bytes."""
    entries: tuple[Suppression, ...]

    def of(self, *, measured: bool) -> tuple[Suppression, ...]:
        """The entries about runs of the model, or those about its files."""
        return tuple(e for e in self.entries if rulebook.find(e.rule).measured is measured)


def load(path: Path) -> Suppressions:
    """Read a file. Raises DataError on anything unknown, missing or too large."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.config_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.config_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.config_bytes:,} bytes")
    return parse(data, str(path))


def parse(data: bytes, where: str) -> Suppressions:
    """Read suppressions from bytes. Raises DataError."""
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    rows = raw.get(CHECK, [])
    if set(raw) - {CHECK} or not isinstance(rows, list):
        raise DataError(f"{where}: only [[suppressions]] is known here")
    if len(rows) > DEFAULT.suppressions:
        raise DataError(f"{where}: over the limit of {DEFAULT.suppressions:,} suppressions")
    entries = tuple(_entry(row, f"{where}: suppression {n}") for n, row in enumerate(rows, 1))
    return Suppressions(hashlib.sha256(data).hexdigest(), entries)


def hold(
    entries: Sequence[Suppression],
    found: Sequence[Finding],
    known: Files,
    today: dt.date,
    *,
    firm: Callable[[Finding], bool],
) -> tuple[list[Finding], tuple[Finding, ...]]:
    """Mark what is suppressed, and say of each entry why it suppresses nothing."""
    ruled, added = list(found), []
    aims = _aims(found, known)
    for entry in entries:
        aimed = aims.get(entry.aim, [])
        why = _objection(entry, [ruled[n] for n in aimed], known, today)
        for n in () if why else aimed:
            if firm(ruled[n]):
                why = "refused"
            elif not ruled[n].excused:
                ruled[n] = _marked(ruled[n], entry)
        if why:
            added.append(_finding(entry, why))
    return ruled, tuple(added)


def _aims(found: Sequence[Finding], known: Files) -> dict[tuple[str, str], list[int]]:
    """Where in the list the findings are that an entry can name, by rule and by path or fingerprint."""
    aims: dict[tuple[str, str], list[int]] = {}
    for n, finding in enumerate(found):
        if finding.outcome is not Outcome.PASS:
            for name in (known.path(finding), fingerprints.of(finding, known)):
                aims.setdefault((rulebook.of(finding).id, name), []).append(n)
    return aims


def _objection(entry: Suppression, aimed: Sequence[Finding], known: Files, today: dt.date) -> str:
    if not aimed:
        return "unused"
    if today > entry.expires:
        return "expired"
    path = known.path(aimed[0])
    return "" if (known.digest(path) or UNREAD) == entry.sha256 else "digest-changed"


def _marked(finding: Finding, entry: Suppression) -> Finding:
    ruling = Ruling(
        Ruled.SUPPRESSED, finding.severity, entry.reason, entry.approver, entry.expires.isoformat()
    )
    return replace(finding, rulings=(*finding.rulings, ruling))


def _finding(entry: Suppression, why: str) -> Finding:
    sentence, severity = _SAID[why]
    where = shown(entry.path or entry.fingerprint)
    facts = (
        ("rule", entry.rule),
        ("approver", shown(entry.approver)),
        ("expires", entry.expires.isoformat()),
        ("why", shown(entry.reason)),
    )
    detail = sentence.format(where=where, **dict(facts))
    return Finding(CHECK, Outcome.FAIL, severity, where, why, detail, facts)


def _entry(raw: Any, where: str) -> Suppression:
    aims = [key for key in _AIMS if isinstance(raw, dict) and key in raw]
    if not isinstance(raw, dict) or len(aims) != 1 or set(raw) != _KEYS | set(aims):
        keys = ", ".join(sorted(_KEYS))
        raise DataError(f"{where}: needed are {keys}, and either path or fingerprint; nothing else")
    texts = {key: value.strip() for key, value in _texts(raw, where)}
    try:
        rule = rulebook.find(texts["rule"]).id
    except UsageError as error:
        raise DataError(f"{where}: {error}") from error
    for key in {"sha256", *aims} - {"path"}:
        if not (_HEX.fullmatch(texts[key]) or (key == "sha256" and texts[key] == UNREAD)):
            raise DataError(f"{where}: {key} must be 64 hexadecimal digits in small letters")
    return Suppression(
        rule,
        texts.get("path", ""),
        texts.get("fingerprint", ""),
        texts["sha256"],
        texts["reason"],
        texts["approver"],
        _day(raw["expires"], where),
    )


def _texts(raw: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        if key != "expires":
            if not isinstance(value, str) or not value.strip():
                raise DataError(f"{where}: {key} must be text and not empty")
            yield key, value


def _day(value: Any, where: str) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: expires must be a day, as in 2027-03-31") from error
