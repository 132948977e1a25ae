"""The minimum elements of the G7's "SBOM for AI" (2026), seven clusters; what nobody told is `unknown`, not absent.

Elements that CycloneDX has a field for stand there, too; this list is what a reader ticks off.
"""

from sekisho.evidence.bom.claimed import Claims
from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import UNKNOWN, Json, prop, stated

_NOT_OURS = {
    "system": ("name", "components", "producer", "version", "timestamp", "data-flow", "data-usage",
               "input-output-properties", "intended-application-area"),
    "infrastructure": ("software", "hardware"),
}  # fmt: skip
"""Clusters of the system that a model becomes part of: its operator knows them, a model's files do not."""


def properties(subject: Subject, claims: Claims) -> list[Json]:
    """Every element of every cluster as a property."""
    found = [*_metadata(subject), *_models(subject, claims), *_datasets(subject, claims), *_security(subject)]
    found += [(f"{cluster}:{element}", UNKNOWN) for cluster, names in _NOT_OURS.items() for element in names]
    found += _indicators(subject)
    return [prop(f"g7:{name}", value) for name, value in found]


def _metadata(subject: Subject) -> list[tuple[str, str]]:
    return [
        ("metadata:author", subject.author),
        ("metadata:author-signature", "not part of this file; a signature covers it from outside, if there is one"),
        ("metadata:tool", subject.tool),
        ("metadata:generation-context", "after-build"),
        ("metadata:dependency-relationship", "see dependencies and pedigree"),
    ]  # fmt: skip


def _models(subject: Subject, claims: Claims) -> list[tuple[str, str]]:
    intake = subject.intake
    return [
        ("models:producer", stated(intake.supplier.identity if intake else None)),
        ("models:version", stated(intake.revision if intake else None)),
        ("models:timestamp", stated(intake.builder.when if intake else None)),
        ("models:lineage", ", ".join(claims.base_models) or stated(intake.parents_stated if intake else None)),
        ("models:training-properties", stated(intake.builder.parameters if intake else None)),
        ("models:licence", ", ".join(claims.licence)),
        ("models:licence-openness", UNKNOWN),
        ("models:input-output-properties", claims.task),
    ]  # fmt: skip


def _datasets(subject: Subject, claims: Claims) -> list[tuple[str, str]]:
    names = ", ".join(claims.datasets)
    return [
        ("datasets:name", names),
        ("datasets:hash", stated(subject.intake.training_data if subject.intake else None)),
        *((f"datasets:{x}", UNKNOWN) for x in ("content", "provenance", "statistics", "sensitivity", "licence")),
    ]  # fmt: skip


def _security(subject: Subject) -> list[tuple[str, str]]:
    dossier = subject.dossier
    policy = f"{dossier.policy} sha256:{dossier.policy_digest}" if dossier else ""
    return [
        ("security:controls", f"inspected by {subject.tool}"),
        ("security:compliance", UNKNOWN),
        ("security:policy", policy),
        ("security:vulnerabilities", UNKNOWN),
    ]


def _indicators(subject: Subject) -> list[tuple[str, str]]:
    dossier = subject.dossier
    verdict = f"{dossier.verdict.decision.value}, {len(dossier.claims)} claims" if dossier else ""
    return [("kpi:security-metrics", verdict), ("kpi:operational-performance", UNKNOWN)]
