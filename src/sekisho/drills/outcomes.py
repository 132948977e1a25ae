"""What went otherwise than planned in drills, as findings: rows left out of the user's data, trainings that diverged.

Each holds the verdict. A rehearsal on part of the data is not the rehearsal that was asked for, and a candidate that
cannot be trained where its control can is a finding in itself.
"""

from collections.abc import Iterator
from typing import Final

from sekisho.drills import tasks
from sekisho.drills.plan import Plan
from sekisho.drills.tasks import Drill, Store
from sekisho.records import Facts, Finding, Outcome, Severity

DATA: Final = "training-data"
TRAINING: Final = "trial-finetunes"
WORDS: Final = {
    "encoding": "are not UTF-8",
    "json": "are not JSON",
    "shape": "are no conversation that ends with an answer",
    "empty": "have an empty question or answer",
    "giant": "are too long",
}
"""Reason of a row -> what is said of it."""


def findings(plan: Plan, store: Store) -> tuple[Finding, ...]:
    """All of them, those about the data first, each once."""
    return tuple(
        dict.fromkeys([f for d in plan.drills for f in _of_data(d)] + list(_of_training(plan, store)))
    )


def diverged(plan: Plan, store: Store) -> frozenset[str]:
    """Drills in which the candidate's training diverged: their control is wanted."""
    return frozenset(d.recipe.id for d in plan.drills if plan.drilled(plan.candidate, d).diverged(store))


def _of_data(drill: Drill) -> Iterator[Finding]:
    for rows in drill.left_out:
        facts: Facts = (("count", str(rows.rows)), ("kept", str(len(drill.chats))), ("first", rows.first))
        text = f"{rows.rows} rows {WORDS[rows.reason]} and were left out, {len(drill.chats)} were kept; {rows.first}"
        yield _finding(DATA, Outcome.CANNOT_TELL, f"rows-{rows.reason}", text, facts)
    if drill.repeated:
        facts = (("count", str(drill.repeated)), ("kept", str(len(drill.chats))))
        text = f"{drill.repeated} of {len(drill.chats)} rows repeat an earlier one; they were trained on all the same"
        yield _finding(DATA, Outcome.PASS, "rows-repeated", text, facts, severity=Severity.NOTE)


def _of_training(plan: Plan, store: Store) -> Iterator[Finding]:
    for drill in plan.drills:
        name = drill.recipe.id
        own = tasks.result(plan.drilled(plan.candidate, drill), store)
        if own is None or not own.diverged:
            continue
        beside = tasks.result(plan.drilled(plan.base, drill), store) if plan.base else None
        facts = (("drill", name), ("what", own.diverged))
        text = f"drill {name}: the training diverged: {own.diverged}"
        if beside is None:
            yield _finding(TRAINING, Outcome.CANNOT_TELL, "diverged", text, facts, where=name)
        elif beside.diverged:
            text += "; that of the trusted base did, too"
            yield _finding(TRAINING, Outcome.CANNOT_TELL, "diverged-both", text, facts, where=name)
        else:
            text += "; that of the trusted base did not"
            yield _finding(TRAINING, Outcome.FAIL, "diverged-alone", text, facts, where=name)


def _finding(  # noqa: PLR0913  the parts of a finding, by name
    check: str,
    outcome: Outcome,
    reason: str,
    text: str,
    facts: Facts,
    *,
    where: str = "",
    severity: Severity = Severity.HOLD,
) -> Finding:
    return Finding(check, outcome, severity, where, reason, text, facts)
