"""The parts put together, and a serial number that two equal bills share."""

import uuid
from typing import Final

from sekisho.errors import DataError
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.bom import clusters, coverage, formulation
from sekisho.evidence.bom import files as file_parts
from sekisho.evidence.bom.card import model_card
from sekisho.evidence.bom.claimed import Claims, read
from sekisho.evidence.bom.coverage import rule_set
from sekisho.evidence.bom.licences import licences
from sekisho.evidence.bom.lineage import ancestor_refs, pedigree
from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import (
    INTAKE,
    MODEL,
    TOOL,
    UNKNOWN,
    Json,
    file_ref,
    filled,
    prop,
    purl,
    sha256,
)
from sekisho.formats.text import shown
from sekisho.provenance.evidence import root_digest

_SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.7.schema.json"


def build(subject: Subject) -> Json:
    """CycloneDX 1.7 as plain JSON values. Raises DataError if the dossier is of other bytes than the inventory."""
    _refuse_strangers(subject)
    claims = read(subject.inventory)
    body = filled(
        {
            "$schema": _SCHEMA,
            "bomFormat": "CycloneDX",
            "specVersion": "1.7",
            "version": 1,
            "metadata": _metadata(subject, claims),
            "components": file_parts.components(subject) + _datasets(claims),
            "dependencies": _dependencies(subject, claims),
            "compositions": _compositions(subject),
            "formulation": formulation.formulation(subject, claims),
            "properties": coverage.properties(subject) + clusters.properties(subject, claims),
        }
    )
    return _stamped(body, subject, claims)


def to_json(body: Json) -> bytes:
    """Canonical bytes: equal bills give equal bytes."""
    return codec.dump(body)


def _refuse_strangers(subject: Subject) -> None:
    if subject.dossier is None:
        return
    mine = {f.path: f.sha256 for f in subject.inventory.files}
    theirs = {f.path: f.sha256 for f in subject.dossier.files}
    if mine != theirs:
        paths = (mine.keys() | theirs.keys()) - {p for p, d in mine.items() if theirs.get(p) == d}
        raise DataError(f"the dossier is of another model: {shown(min(paths))} differs")


def _stamped(body: Json, subject: Subject, claims: Claims) -> Json:
    """Number the bill by what it is made from, then add the hour."""
    return {
        **body,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'sekisho:bom:{_content(subject)}')}",
        "metadata": {**body["metadata"], "timestamp": subject.time},
        "citations": _citations(body, subject, claims),
    }


def _content(subject: Subject) -> str:
    """Identity of everything that goes in but the hours: that of this bill, and of the vetting."""
    base, dossier, intake = subject.base, subject.dossier, subject.intake
    return codec.digest(
        {
            "named": [subject.name, subject.tool, subject.author, rule_set()],
            "files": list(subject.inventory.digest_lines),
            "base": [base.name, *base.inventory.digest_lines] if base else [],
            "dossier": dossiers.digest(dossier) if dossier else "",
            "intake": codec.plain(intake) if intake else {},
        }
    )


def _metadata(subject: Subject, claims: Claims) -> Json:
    name, _, version = subject.tool.partition(" ")
    tool = {"type": "application", "bom-ref": TOOL, "name": name, "version": version}
    return filled(
        {
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [filled(tool)]},
            "authors": [{"name": subject.author}] if subject.author else [],
            "component": _model(subject, claims),
        }
    )


def _model(subject: Subject, claims: Claims) -> Json:
    intake, dossier = subject.intake, subject.dossier
    source = intake.source.value if intake else ""
    revision = intake.revision.value if intake else ""
    digest = root_digest(subject.inventory.files)
    references = [formulation.reference(dossier)] if dossier else []
    if source.startswith("https://"):
        references.append({"type": "distribution", "url": source})
    return filled(
        {
            "type": "machine-learning-model",
            "bom-ref": MODEL,
            "name": shown(subject.name),
            "version": revision or (f"sha256:{digest}" if digest else UNKNOWN),
            "purl": purl(source, revision),
            "supplier": {"name": shown(intake.supplier.identity.value)}
            if intake and intake.supplier.identity.known
            else {},
            "hashes": sha256(digest),
            "licenses": licences(claims),
            "externalReferences": references,
            "pedigree": pedigree(subject, claims),
            "modelCard": model_card(subject, claims),
            "properties": [
                prop("root-digest", f"sha256:{digest}" if digest else ""),
                prop("root-digest:method", "sha256 over the raw sha256 of every file, in the order of their paths"),
                prop("evidence-level", intake.ladder.level.value if intake else ""),
            ],
        }
    )  # fmt: skip


def _datasets(claims: Claims) -> list[Json]:
    return [
        {
            "type": "data",
            "bom-ref": f"data:{n}",
            "name": name,
            "data": [{"type": "dataset", "name": name, "classification": "unknown"}],
            "properties": [prop("data:basis", "claimed"), prop("data:digest", "")],
        }
        for n, name in enumerate(claims.datasets)
    ]


def _dependencies(subject: Subject, claims: Claims) -> list[Json]:
    needs = [file_ref(f.path) for f in subject.inventory.files] + ancestor_refs(subject, claims)
    return [{"ref": MODEL, "dependsOn": needs}]


def _compositions(subject: Subject) -> list[Json]:
    whole = all(f.sha256 for f in subject.inventory.files)
    return [{"aggregate": "complete" if whole else "incomplete", "assemblies": [MODEL]}]


def _citations(body: Json, subject: Subject, claims: Claims) -> list[Json]:
    """Who says what: digests and behaviour are ours, licence, data and architecture the supplier's."""
    model = body["metadata"]["component"]
    measured = ["/components", "/properties"]
    measured += ["/metadata/component/hashes"] if "hashes" in model else []
    if "quantitativeAnalysis" in model["modelCard"]:
        measured.append("/metadata/component/modelCard/quantitativeAnalysis")
    found = [{"pointers": measured, "attributedTo": TOOL, "process": INTAKE, "note": "measured here"}]
    read_from = claims.card or claims.config
    said = ["/metadata/component/modelCard/modelParameters", "/metadata/component/licenses"]
    if read_from:
        found.append(
            {"pointers": said, "attributedTo": file_ref(read_from), "note": "claimed by the supplier"}
        )
    return [{**citation, "timestamp": subject.time} for citation in found]
