"""An audit as text and JSON."""

from typing import Any

from sekisho.ledger.audits import Audit, Held
from sekisho.report.chain import problems, say, verified


def text(made: Audit, seed: str, language: str) -> str:
    """The audit for a person."""
    facts = {
        "n": str(len(made.checked)),
        "all": str(made.decisions),
        "through": str(made.through),
        "seed": seed,
    }
    lines = [verified(made.chain, language), say("audit", "title", language, **facts)]
    for checked in made.checked:
        entry = checked.entry
        lines.append(f"  #{entry.sequence}  {entry.time}  {entry.subject[:12]}")
        lines += [f"      {_held(h, language)}" for h in checked.held]
    if not made.checked and made.chain.whole:
        return "\n".join([*lines, say("audit", "none", language)])
    return "\n".join([*lines, say("audit", made.outcome, language)])


def plain(made: Audit, seed: str, language: str) -> dict[str, Any]:
    """The audit as JSON values."""
    return {
        "outcome": made.outcome,
        "seed": seed,
        "through": made.through,
        "decisions": made.decisions,
        "chain": {"entries": made.chain.entries, "problems": list(problems(made.chain, language))},
        "checked": [
            {
                "entry": c.entry.sequence,
                "subject": c.entry.subject,
                "evidence": [
                    {"what": h.what, "state": h.state, "code": h.code, "detail": h.detail} for h in c.held
                ],
            }
            for c in made.checked
        ],
    }


def _held(held: Held, language: str) -> str:
    head = f"{say('evidence', held.what, language)}: {say('state', held.state, language)}"
    return f"{head} ({say('held', held.code, language, detail=held.detail)})" if held.code else head
