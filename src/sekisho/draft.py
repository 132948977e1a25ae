"""The dossier before anything is measured, and the codes of what a run leaves out."""

import platform
from collections.abc import Sequence

from sekisho.drills.plan import Plan
from sekisho.drills.versions import DECIDING, installed
from sekisho.evidence import dossier as dossiers
from sekisho.policy import Policy
from sekisho.probes.suite import LANGUAGES
from sekisho.records import Claim, Dossier, Facts, FileLine, Provenance, Timing, Title
from sekisho.static import Inspection


def of(seen: Inspection, plan: Plan, chosen: Policy) -> Dossier:
    """What the files alone show; every measured part is empty."""
    lines = [
        FileLine(f.path, f.size, f.sha256, f.format, f.role.value, f.problem) for f in seen.inventory.files
    ]
    return Dossier(
        schema=dossiers.SCHEMA,
        tool=f"sekisho {installed('sekisho')}",
        provenance=Provenance(
            seen.source.name,
            seen.source.kind,
            seen.source.pinned,
            seen.base.name if seen.base else "",
            plan.candidate.identity,
            plan.base.identity if plan.base else "",
        ),
        profile=plan.profile.id,
        languages=plan.profile.languages,
        policy=chosen.name,
        policy_digest=chosen.digest,
        plan_digest=plan.digest,
        files=tuple(lines),
        findings=seen.findings,
        claims=(),
        utility=(),
        drills=(),
        instrument=None,
        verdict=seen.verdict,
        not_tested=("static-only",),
        environment=environment(),
        timing=Timing("", 0.0, ()),
        titles=tuple(Title(d.recipe.id, d.recipe.title["en"], d.recipe.title["ja"]) for d in plan.drills)
        + plan.shaken_titles(),
    )


def environment() -> Facts:
    """What the results were reached on."""
    return (
        ("python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        *((n, installed(n)) for n in DECIDING),
    )


def not_tested(plan: Plan, claims: Sequence[Claim]) -> tuple[str, ...]:
    """What this run left out, as codes of the report's vocabulary."""
    codes = [f"language:{x}" for x in LANGUAGES if x not in plan.profile.languages]
    if plan.base is None:
        codes.append("no-base")
    if not any(c.control_after is not None for c in claims):
        codes.append("no-control")
    if not plan.drills:
        codes.append("no-drills")
    elif len(plan.drills) == 1:
        codes.append("one-drill")
    if plan.battery is None:
        codes.append("no-perturbations")
    if not any(d.recipe.lora for d in plan.drills):
        codes.append("no-lora")
    if not any(d.recipe.data == "user" for d in plan.drills):
        codes.append("own-data")
    return tuple(codes)
