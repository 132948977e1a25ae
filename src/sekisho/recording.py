"""A verdict becomes an entry of the ledger, and its dossier is kept beside the ledger."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import Ledger, default_place
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.records import Dossier, FileLine
from sekisho.sources import digest

FOLDER: Final = "dossiers"
"""Beside the ledger; each dossier under its digest."""


def covered(files: Iterable[FileLine]) -> tuple[FileLine, ...]:
    """Files that the root digest covers, in the order of an OMS manifest: all but version control and download notes."""
    named = {f.path: f for f in files}
    return tuple(named[p] for p in digest.covered(dict.fromkeys(named, "")))


def subject(files: Iterable[FileLine]) -> str:
    """The root digest of a model: that of its OMS manifest, where every file could be read."""
    return digest.root({f.path: f.sha256 for f in files})


def names_and_bytes(files: Iterable[FileLine]) -> str:
    """sha256 over `digest  path` lines: unlike the root digest, it tells a file that was renamed."""
    return digest.names_and_bytes({f.path: f.sha256 for f in files})


def keep(dossier: Dossier, place: str) -> Path:
    """Keep a dossier beside a ledger, under its digest. Raises StorageError."""
    beside = default_place({}) if "://" in place else place
    folder = Path(beside).expanduser().absolute().parent / FOLDER
    data = dossiers.to_json(dossier)
    return dossiers.save(data, folder / f"{hashlib.sha256(data).hexdigest()}.json")


def draft(dossier: Dossier, *, actor: str, model: Path, kept: Path, policy: str) -> Draft:
    """The entry of a verdict; `policy` as the user named it, by name or path."""
    own = Path(policy)
    static = "static-only" in dossier.not_tested
    return Draft(
        actor,
        Kind.DECISION,
        subject(dossier.files),
        {
            "decision": dossier.verdict.decision.value,
            "scope": "files" if static else "behaviour",
            "name": dossier.provenance.name,
            "policy": dossier.policy,
            "policy_digest": dossier.policy_digest,
            "tool": dossier.tool,
            "dossier_digest": dossiers.digest(dossier),
            "dossier_sha256": hashlib.sha256(kept.read_bytes()).hexdigest(),
            "dossier_path": str(kept),
            "model_path": str(model.expanduser().absolute()),
            "files_digest": names_and_bytes(dossier.files),
            "unread": sum(not f.sha256 for f in covered(dossier.files)),
            "reasons": [r.code for r in dossier.verdict.reasons],
        }
        | ({"policy_path": str(own.expanduser().absolute())} if own.suffix == ".toml" else {}),
    )


def record(dossier: Dossier, ledger: Ledger, *, actor: str, model: Path, policy: str) -> Entry:
    """Keep the dossier and append the decision. Raises StorageError, RuleError, DataError."""
    kept = keep(dossier, ledger.place)
    return ledger.append(draft(dossier, actor=actor, model=model, kept=kept, policy=policy))
