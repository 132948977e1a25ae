"""A verdict becomes an entry of the ledger, and its dossier is kept beside the ledger."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sekisho.evidence import dossier as dossiers
from sekisho.evidence import oms, walk
from sekisho.ledger.book import Ledger, default_place
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.records import Dossier, FileLine

FOLDER: Final = "dossiers"
"""Beside the ledger; each dossier under its digest."""
UNREAD: Final = hashlib.sha256(b"unread").hexdigest()
"""Stands in the root digest for a file that could not be read."""


def covered(files: Iterable[FileLine]) -> tuple[FileLine, ...]:
    """Files that the root digest covers, in the order of an OMS manifest: all but version control and download notes."""
    left = (*walk.GIT, walk.LEFTOVERS)
    kept = [f for f in files if not any(f.path == p or f.path.startswith(f"{p}/") for p in left)]
    return tuple(sorted(kept, key=lambda f: walk.order(f.path)))


def subject(files: Iterable[FileLine]) -> str:
    """The root digest of a model: that of its OMS manifest, where every file could be read."""
    return oms.root_digest([f.sha256 or UNREAD for f in covered(files)])


def names_and_bytes(files: Iterable[FileLine]) -> str:
    """sha256 over `digest  path` lines: unlike the root digest, it tells a file that was renamed."""
    lines = (f"{f.sha256 or UNREAD}  {f.path}\n" for f in covered(files))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


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
