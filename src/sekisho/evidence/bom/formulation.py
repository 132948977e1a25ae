"""How the model was made, as far as anyone says, and how it was taken in here."""

import hashlib

from sekisho.evidence import dossier as dossiers
from sekisho.evidence.bom.claimed import Claims
from sekisho.evidence.bom.lineage import ancestor_refs
from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import INTAKE, MAKING, MODEL, UNKNOWN, Json, filled, prop, stated
from sekisho.records import Dossier


def formulation(subject: Subject, claims: Claims) -> list[Json]:
    """Two formulas: the making, mostly unknown, and the intake, which is ours."""
    return [
        {"bom-ref": "formula:making", "workflows": [_making(subject, claims)]},
        filled(
            {
                "bom-ref": "formula:intake",
                "components": _environment(subject.dossier),
                "workflows": [_intake(subject)],
            }
        ),
    ]


def _making(subject: Subject, claims: Claims) -> Json:
    builder = subject.intake.builder if subject.intake else None
    inputs = [{"resource": {"ref": ref}} for ref in ancestor_refs(subject, claims)]
    inputs += [{"resource": {"ref": f"data:{n}"}} for n in range(len(claims.datasets))]
    return filled(
        {
            "bom-ref": MAKING,
            "uid": "making",
            "name": "How the weights were made",
            "taskTypes": ["build"],
            "inputs": inputs,
            "outputs": [{"type": "artifact", "resource": {"ref": MODEL}}],
            "properties": [
                prop("builder:who", stated(builder.who if builder else None)),
                prop("builder:when", stated(builder.when if builder else None)),
                prop("builder:parameters", stated(builder.parameters if builder else None)),
                prop("builder:environment", stated(builder.environment if builder else None)),
                prop("training-data", stated(subject.intake.training_data if subject.intake else None)),
            ],
        }
    )


def _intake(subject: Subject) -> Json:
    dossier = subject.dossier
    inputs: list[Json] = [{"resource": {"ref": MODEL}}]
    if dossier:
        inputs.append({"parameters": _parameters(dossier)})
    return filled(
        {
            "bom-ref": INTAKE,
            "uid": "intake",
            "name": "Static inspection and behaviour tests" if dossier else "Static inspection",
            "taskTypes": ["scan", "test"] if dossier else ["scan"],
            "inputs": inputs,
            "outputs": [_report(dossier)] if dossier else [],
            "steps": [{"name": name} for name, _ in dossier.timing.stages] if dossier else [],
            "timeStart": dossier.timing.started if dossier else "",
        }
    )


def _parameters(dossier: Dossier) -> list[Json]:
    named = (
        ("policy", dossier.policy),
        ("policy-digest", dossier.policy_digest),
        ("profile", dossier.profile),
        ("plan-digest", dossier.plan_digest),
        ("languages", " ".join(dossier.languages)),
    )
    return [{"name": name, "value": value or UNKNOWN} for name, value in named]


def reference(dossier: Dossier) -> Json:
    """The dossier as an external reference, by the digest of its file."""
    content = hashlib.sha256(dossiers.to_json(dossier)).hexdigest()
    return {
        "type": "dynamic-analysis-report" if dossier.claims else "static-analysis-report",
        "url": dossiers.NAME,
        "hashes": [{"alg": "SHA-256", "content": content}],
    }


def _report(dossier: Dossier) -> Json:
    return {"type": "evidence", "resource": {"externalReference": reference(dossier)}}


def _environment(dossier: Dossier | None) -> list[Json]:
    if dossier is None:
        return []
    return [
        {"type": "library", "bom-ref": f"environment:{name}", "name": name, "version": version or UNKNOWN}
        for name, version in dossier.environment
    ]
