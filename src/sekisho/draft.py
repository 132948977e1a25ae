"""The dossier before anything is measured, and the codes of what a run leaves out."""

from collections.abc import Sequence
from dataclasses import replace

from sekisho import inspected
from sekisho.drills.plan import Plan
from sekisho.policy import Policy
from sekisho.probes.suite import LANGUAGES
from sekisho.records import Claim, Dossier, Title
from sekisho.static import Inspection


def of(seen: Inspection, plan: Plan, chosen: Policy) -> Dossier:
    """What the files alone show, under the plan of what is to be measured."""
    return replace(
        inspected.of(seen, chosen),
        profile=plan.profile.id,
        languages=plan.profile.languages,
        plan_digest=plan.digest,
        titles=tuple(Title(d.recipe.id, d.recipe.title["en"], d.recipe.title["ja"]) for d in plan.drills)
        + plan.shaken_titles(),
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
