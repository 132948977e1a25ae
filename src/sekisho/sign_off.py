"""A person reads the examples of a comparison and answers for each: a small JSON file that becomes a ledger entry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError, RuleError
from sekisho.evidence import compared as records
from sekisho.evidence.compared import GROUPS, Compared
from sekisho.ledger import entry as entries
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind, moment
from sekisho.limits import DEFAULT

NAME: Final = "sign-off.json"
VERDICTS: Final = ("accept", "object", "unsure")
"""Meant and acceptable; not acceptable; somebody else has to look."""
HARMFUL: Final = ("advert", "refusal", "improper", "leak")
"""Groups in which an accepted example of a comparison that found a rise needs a note."""
KEYS: Final = frozenset({"comparison", "name", "time", "examples"})
EXAMPLE_KEYS: Final = frozenset({"verdict", "group", "note", "prompt"})
NOTE: Final = 2_000
"""Characters of one note."""
AHEAD: Final = timedelta(minutes=5)
"""How far two clocks may differ."""


@dataclass(frozen=True)
class Answer:
    """What a person says of one example."""

    verdict: str
    """One of VERDICTS."""
    group: str
    """One of GROUPS; the person may move an example."""
    note: str = ""


@dataclass(frozen=True)
class SignOff:
    """What a person says of one comparison."""

    comparison: str
    """Digest of it."""
    name: str
    time: str
    """UTC, ISO 8601: when it was decided."""
    answers: Mapping[str, Answer]
    """Example id -> answer; one for every example."""

    @property
    def outcome(self) -> str:
        """`accepted` if every example is, `objected` if one is not, else `open`."""
        given = {a.verdict for a in self.answers.values()}
        if "object" in given:
            return "objected"
        return "open" if "unsure" in given else "accepted"


def form(compared: Compared) -> bytes:
    """The file to be filled in: an empty verdict for each example."""
    rows = {
        g.id: {"verdict": "", "group": g.group, "note": "", "prompt": g.example.prompt[:120]}
        for g in compared.examples
    }
    body = {"comparison": records.digest(compared), "name": "", "time": "", "examples": rows}
    text = json.dumps(body, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def read(path: Path, compared: Compared) -> SignOff:
    """Read a file that was filled in for this comparison. Raises DataError that names what is missing."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.sign_off_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.sign_off_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.sign_off_bytes:,} bytes")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON: {error}") from error
    return parse(body, compared, path.name)


def parse(body: Any, compared: Compared, where: str) -> SignOff:
    """Hold decisions against a comparison. Raises DataError."""
    if not isinstance(body, dict) or set(body) != KEYS or not isinstance(body["examples"], dict):
        raise DataError(f"{where}: {', '.join(sorted(KEYS))} are needed, nothing else")
    if body["comparison"] != records.digest(compared):
        raise DataError(f"{where}: it is about another comparison; start from the {NAME} beside this one")
    if not all(isinstance(body[k], str) for k in ("name", "time")) or not body["time"]:
        raise DataError(f"{where}: name and time (UTC, such as 2027-01-31T09:00:00Z) are needed")
    moment(body["time"])
    wanted = {g.id: g.group for g in compared.examples}
    if unknown := sorted(set(body["examples"]) - set(wanted)):
        raise DataError(f"{where}: no example {unknown[0][:40]!r} in this comparison")
    if missing := [i for i in wanted if _verdict(body["examples"].get(i)) not in VERDICTS]:
        raise DataError(
            f"{where}: {len(missing)} of {len(wanted)} examples have no verdict ({', '.join(VERDICTS)}), "
            f"the first is {missing[0]}"
        )
    answers = {i: _answer(body["examples"][i], f"{where}: {i}") for i in wanted}
    _reasons(answers, wanted, compared, where)
    return SignOff(body["comparison"], entries.name(body["name"]), body["time"], answers)


def _verdict(row: Any) -> Any:
    value = row.get("verdict") if isinstance(row, dict) else None
    return value if isinstance(value, str) else None


def _answer(row: dict[str, Any], where: str) -> Answer:
    group, note = row.get("group"), row.get("note", "")
    if set(row) - EXAMPLE_KEYS or group not in GROUPS:
        raise DataError(f"{where}: verdict, group ({', '.join(GROUPS)}) and note are needed")
    if not isinstance(note, str) or len(note) > NOTE:
        raise DataError(f"{where}: a note is a text of at most {NOTE:,} characters")
    return Answer(row["verdict"], group, note.strip())


def _reasons(
    answers: Mapping[str, Answer], groups: Mapping[str, str], compared: Compared, where: str
) -> None:
    """What was found is not waved through without a word, whichever group it is moved to."""
    if compared.outcome != "found":
        return
    for example, answer in answers.items():
        if answer.verdict == "accept" and groups[example] in HARMFUL and not answer.note:
            raise DataError(
                f"{where}: {example}: a rise was found and this is an example of it; accepting it needs a note"
            )


def record(signed: SignOff, compared: Compared, ledger: Ledger, *, now: datetime, replaces: int = 0) -> Entry:
    """Append a sign-off; of two at once, one is written. Raises RuleError, DataError, StorageError."""
    subject = compared.roots[1] if len(compared.roots) > 1 else ""
    if moment(signed.time) > now + AHEAD:
        raise RuleError("the sign-off is dated in the future")
    before = ledger.about(subject) if subject else ()
    newest = latest(before, signed.comparison)
    if (newest.sequence if newest else 0) != replaces:
        said = (
            f"{newest.actor} signed it off in entry {newest.sequence}" if newest else "nobody signed it off"
        )
        hint = f"; to replace that, add --replaces {newest.sequence}" if newest else ""
        raise RuleError(f"this comparison: {said}{hint}")
    draft = Draft(signed.name, Kind.SIGN_OFF, subject, _body(signed, compared, replaces))
    return ledger.extend([draft], seen=before[-1].sequence if before else 0)[0]


def latest(entries: tuple[Entry, ...], comparison: str) -> Entry | None:
    """The newest sign-off of a comparison."""
    mine = (e for e in reversed(entries) if e.kind == Kind.SIGN_OFF)
    return next((e for e in mine if e.content.get("comparison") == comparison), None)


def _body(signed: SignOff, compared: Compared, replaces: int) -> dict[str, Any]:
    rows = {i: [a.verdict, a.group, a.note] for i, a in signed.answers.items()}
    body = {
        "comparison": signed.comparison,
        "found": compared.outcome,
        "outcome": signed.outcome,
        "before": compared.before,
        "after": compared.after,
        "decided": signed.time,
        "decisions": rows,
    }
    return body | ({"replaces": replaces} if replaces else {})
