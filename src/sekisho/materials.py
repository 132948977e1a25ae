"""The bill of materials of a model at a path: take its inventory, compare it with a base, read its dossier, write the bill."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sekisho import inventory, shipped
from sekisho.evidence import bom
from sekisho.evidence import dossier as dossiers
from sekisho.formats import tensors
from sekisho.provenance import intake
from sekisho.provenance.evidence import Request, gather
from sekisho.records import Inventory
from sekisho.sources import cache as caches
from sekisho.sources.resolve import resolve


def bill(
    path: str,
    base: str | None = None,
    *,
    dossier: Path | None = None,
    author: str = "",
    cache: Path | None = None,
) -> dict[str, Any]:
    """CycloneDX 1.7 of a model. Raises UsageError where there is no model, or the dossier is another model's."""
    where = cache or caches.folder()
    source = resolve(path, where)
    files = inventory.take(source.path)
    tool = shipped.tool()
    seen = gather(files, source.path, Request())
    return bom.build(
        bom.Subject(
            name=source.name,
            inventory=files,
            tool=tool,
            intake=intake.record(seen, base=None, register=None, signed=intake.Signed(), tool=tool),
            time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            base=_compared(files, base, where) if base else None,
            dossier=dossiers.read(dossier) if dossier else None,
            author=author,
        )
    )


def _compared(files: Inventory, base: str, cache: Path) -> bom.Base:
    source = resolve(base, cache)
    others = inventory.take(source.path)
    return bom.Base(source.name, others, tensors.compare(files, others))
