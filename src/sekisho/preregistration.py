"""Fix thresholds, questions and plan before a run, signed, so that nobody can move them afterwards unseen."""

from datetime import UTC, datetime
from pathlib import Path

from sekisho import conductor, shipped
from sekisho.evidence import bundle, dossier, oms, statements, walk
from sekisho.evidence.keys import Signer


def register(
    path: str | Path,
    base: str | Path | None,
    signer: Signer,
    out: Path,
    *,
    options: conductor.Options = conductor.Options(),
) -> Path:
    """Write the signed pre-registration into a folder; `vet` with the same request keeps to it. Raises UsageError, StorageError."""
    seen, plan, chosen = conductor.planned(path, base, options=options)
    where = seen.source.path
    known = {f.path: f.sha256 for f in seen.inventory.files if f.sha256}
    made = oms.manifest(where.resolve().name, walk.take(where, known=known))
    subject = statements.Subject(made.name, made.root)
    terms = statements.terms(chosen, plan.document(), plan.digest, plan.profile.id)
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = statements.preregistration(subject, terms, shipped.tool(), stamp)
    return dossier.save(bundle.register(body, signer), out / bundle.REGISTRATION)
