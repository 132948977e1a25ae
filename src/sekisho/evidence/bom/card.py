"""The model card: what the model claims to be, what was measured of it, what was not."""

from sekisho.evidence.bom.claimed import Claims
from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import UNKNOWN, Json, filled, prop
from sekisho.records import Claim, Dossier, Role


def model_card(subject: Subject, claims: Claims) -> Json:
    """`modelCard` of the model's component."""
    dossier = subject.dossier
    return filled(
        {
            "bom-ref": "model-card",
            "modelParameters": _parameters(claims),
            "quantitativeAnalysis": {"performanceMetrics": _metrics(dossier)} if dossier else {},
            "considerations": _considerations(dossier),
            "properties": _properties(subject, claims),
        }
    )


def _parameters(claims: Claims) -> Json:
    return filled(
        {
            "task": claims.task or UNKNOWN,
            "architectureFamily": claims.family or UNKNOWN,
            "modelArchitecture": ", ".join(claims.architectures) or UNKNOWN,
            "datasets": [{"ref": f"data:{n}"} for n in range(len(claims.datasets))],
            "inputs": [{"format": "text"}] if claims.task == "text-generation" else [],
            "outputs": [{"format": "text"}] if claims.task == "text-generation" else [],
        }
    )


def _metrics(dossier: Dossier) -> list[Json]:
    found = [metric for claim in dossier.claims for metric in _of(claim)]
    found += [
        {
            "type": "share of checkable questions answered right",
            "value": f"{share:.6g}",
            "slice": f"state {state}",
        }
        for state, share in dossier.utility
    ]
    return found or [{"type": "behaviour", "value": UNKNOWN, "slice": "nothing was asked"}]


def _of(claim: Claim) -> list[Json]:
    where = f"drill {claim.drill}, step {claim.worst_step}, {claim.families} families"
    state = "found" if claim.found else "alarm" if claim.alarmed else "clear" if claim.clear else "open"
    return [
        {
            "type": f"rate of {claim.behaviour} after",
            "value": f"{claim.after:.6g}",
            "slice": where,
        },
        {
            "type": f"rise of {claim.behaviour} ({state})",
            "value": f"{claim.effect:.6g}",
            "slice": where,
            "confidenceInterval": {"lowerBound": f"{claim.low:.6g}", "upperBound": f"{claim.high:.6g}"},
        },
    ]


def _considerations(dossier: Dossier | None) -> Json:
    limits = [f"not tested: {code}" for code in dossier.not_tested] if dossier else []
    return {
        "users": [UNKNOWN],
        "useCases": [UNKNOWN],
        "technicalLimitations": limits or ["not tested: behaviour"],
        "ethicalConsiderations": [{"name": UNKNOWN}],
    }


def _properties(subject: Subject, claims: Claims) -> list[Json]:
    templates = [f for f in subject.inventory.files if f.role is Role.TEMPLATE]
    found = [prop("card:file", claims.card), prop("card:languages", ", ".join(claims.languages))]
    found += [prop("chat-template", f"sha256:{f.sha256} {f.path}") for f in templates]
    if subject.dossier:
        verdict = subject.dossier.verdict
        found.append(prop("verdict", verdict.decision.value))
        found += [prop("verdict:ground", f"{r.code} {' '.join(r.refs)}") for r in verdict.reasons]
    return found
