"""The dossier of an inspection: what the files alone show; every measured part is empty."""

import platform

from sekisho import inventory, shipped
from sekisho.drills.versions import DECIDING, installed
from sekisho.evidence import dossier as dossiers
from sekisho.policy import Policy
from sekisho.records import Dossier, Facts, Provenance, Timing
from sekisho.static import Inspection, identity


def of(seen: Inspection, chosen: Policy) -> Dossier:
    """Write an inspection down; `chosen` is the policy that it was made under."""
    base = identity(seen.base_inventory) if seen.base_inventory is not None else ""
    return Dossier(
        schema=dossiers.SCHEMA,
        tool=shipped.tool(),
        provenance=Provenance(
            seen.source.name,
            seen.source.kind,
            seen.source.pinned,
            seen.base.name if seen.base else "",
            identity(seen.inventory),
            base,
            *_origin(seen),
        ),
        profile="",
        languages=(),
        policy=chosen.name,
        policy_digest=chosen.digest,
        plan_digest="",
        files=inventory.lines(seen.inventory),
        findings=seen.findings,
        claims=(),
        utility=(),
        drills=(),
        instrument=None,
        verdict=seen.verdict,
        not_tested=("static-only",),
        environment=environment(),
        timing=Timing("", 0.0, ()),
        exceptions=seen.exceptions.record,
    )


def _origin(seen: Inspection) -> tuple[str, str, str]:
    """(rung, address, revision)."""
    if seen.origin is None:
        return "", "", ""
    from sekisho.provenance import intake  # a quarter second of imports, which headers alone do without

    return intake.level(seen.origin).value, intake.address_of(seen.origin), seen.origin.expect


def environment() -> Facts:
    """What the results were reached on."""
    return (
        ("python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
        *((n, installed(n)) for n in DECIDING),
    )
