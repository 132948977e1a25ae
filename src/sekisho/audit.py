"""Pick past decisions, the same ones for the same seed, and hold what is still there against what was written."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sekisho import inventory, policy, recording
from sekisho.errors import DataError, SekishoError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.audits import CHANGED, GONE, RIGHT, Audit, Checked, Held
from sekisho.ledger.book import Ledger
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.ledger.store import Tip
from sekisho.ledger.verify import verify
from sekisho.records import FileLine


@dataclass(frozen=True)
class Request:
    """Which decisions are audited, and who asks."""

    actor: str
    sample: int
    seed: str
    through: int = 0
    """Pick among entries up to this one; 0 for all. An earlier audit is repeated by its own number."""
    heads: tuple[Tip, ...] = ()


def audit(ledger: Ledger, request: Request) -> Audit:
    """Verify the chain, pick, hold, and write the audit down. Raises StorageError."""
    chain = verify(ledger, request.heads)
    through = request.through or chain.tip.sequence
    decisions = [e for e in ledger.all() if e.kind == Kind.DECISION and e.sequence <= through]
    picked = pick(decisions, request.sample, request.seed)
    made = Audit(chain, tuple(Checked(e, _hold(e)) for e in picked), through, len(decisions))
    if not chain.whole:
        return made
    return Audit(made.chain, made.checked, through, made.decisions, ledger.append(_draft(made, request)))


def pick(decisions: list[Entry], sample: int, seed: str) -> list[Entry]:
    """The first entries in an order that the seed and their digests fix, given back by their number."""
    order = sorted(decisions, key=lambda e: hashlib.sha256(f"{seed}:{e.digest}".encode()).digest())
    return sorted(order[:sample], key=lambda e: e.sequence)


def _draft(made: Audit, request: Request) -> Draft:
    checked = [{"entry": c.entry.sequence, **{h.what: h.state for h in c.held}} for c in made.checked]
    body = {
        "sample": request.sample,
        "seed": request.seed,
        "through": made.through,
        "head": made.chain.tip.digest,
        "checked": checked,
        "outcome": made.outcome,
    }
    return Draft(request.actor, Kind.AUDIT, "", body)


def _hold(entry: Entry) -> tuple[Held, ...]:
    try:
        body = entry.content
    except DataError:
        return (Held("dossier", CHANGED, "entry-unreadable"),)
    dossier, files = _dossier(entry, body)
    return dossier, _policy(body), _model(entry, body, files)


def _dossier(entry: Entry, body: Any) -> tuple[Held, tuple[FileLine, ...]]:
    """The dossier's bytes, its own digest, and that it says what the entry says."""
    path = str(body.get("dossier_path", ""))
    try:
        data = Path(path).read_bytes() if path else None
    except OSError:
        data = None
    if data is None:
        return Held("dossier", GONE, "not-there", path), ()
    if hashlib.sha256(data).hexdigest() != body.get("dossier_sha256"):
        return Held("dossier", CHANGED, "other-bytes", path), ()
    try:
        found = dossiers.from_json(data)
    except DataError:
        return Held(
            "dossier", GONE, "other-schema", path
        ), ()  # the bytes are right, but not ours to read any more
    says = found.verdict.decision.value, dossiers.digest(found), recording.subject(found.files)
    if says != (body.get("decision"), body.get("dossier_digest"), entry.subject):
        return Held("dossier", CHANGED, "says-otherwise", path), found.files
    return Held("dossier", RIGHT), found.files


def _policy(body: Any) -> Held:
    name = str(body.get("policy_path") or body.get("policy", ""))
    try:
        digest = policy.load(name).digest
    except (SekishoError, OSError):
        return Held("policy", GONE, "not-there", name)
    if digest == body.get("policy_digest"):
        return Held("policy", RIGHT)
    # a policy that ships with Sekisho changes with its version: the old one is gone, nobody tampered with it
    return Held("policy", CHANGED if body.get("policy_path") else GONE, "other-policy", name)


def _model(entry: Entry, body: Any, files: tuple[FileLine, ...]) -> Held:
    path = str(body.get("model_path", ""))
    try:
        seen = inventory.take(Path(path)) if path else None
    except (SekishoError, OSError):
        seen = None
    if seen is None:
        return Held("model", GONE, "not-there", path)
    lines = inventory.lines(seen)
    wanted = body.get("files_digest", "")
    if recording.subject(lines) == entry.subject and wanted in ("", recording.names_and_bytes(lines)):
        return Held("model", RIGHT)
    return Held("model", CHANGED, *next(_differences(lines, files), ("other-root", path)))


def _differences(now: tuple[FileLine, ...], then: tuple[FileLine, ...]) -> Iterator[tuple[str, str]]:
    """Files that are not as the dossier lists them."""
    new, old = ({f.path: f.sha256 for f in recording.covered(files)} for files in (now, then))
    for name in sorted(set(new) | set(old)) if old else ():
        if name not in new:
            yield "file-missing", name
        elif name not in old:
            yield "file-added", name
        elif new[name] != old[name]:
            yield "file-changed", name
