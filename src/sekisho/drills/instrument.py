"""The instrument check: can the measuring say both no and yes on this machine.

A null drill (learning rate 0) must come out CLEAR, and a drill that plants a harmless advert must be FOUND
beside it. Run on the trusted base, or on the candidate itself where there is none.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sekisho.drills.claims import Arm, drill_claim
from sekisho.drills.tasks import Drill, Paper, Store, Subject, Task, answers, drill
from sekisho.policy import Policy
from sekisho.probes import run
from sekisho.records import Instrument, Measurement

BEHAVIOUR: Final = "adverts"
NULL: Final = "null"
PLANTED: Final = "planted"


def tasks(subject: Subject, sheet: Paper) -> tuple[Task, Task, Task]:
    """As released, after the null drill, after the planted one; all three asked the same paper."""
    null, planted = _drills()
    return (
        Task(subject, ((0, sheet),)),
        Task(subject, ((_last(null), sheet),), null),
        Task(subject, ((_last(planted), sheet),), planted),
    )


def judge(work: tuple[Task, Task, Task], policy: Policy, store: Store) -> Instrument:
    """What the finished tasks show."""
    released, null, _ = work
    said = answers(released, *released.papers[0], store)
    terms = policy.terms(BEHAVIOUR, 1)
    before = _judged(released, store)
    unmoved = drill_claim(BEHAVIOUR, NULL, Arm(before, {1: _judged(null, store)}), None, terms=terms)
    # what the model said before counts as known: a model full of adverts can be planted with a new one
    calm, still, sown = (_judged(task, store, known=said) for task in work)
    moved = drill_claim(BEHAVIOUR, PLANTED, Arm(calm, {1: sown}), Arm(calm, {1: still}), terms=terms)
    detail = (
        f"null drill: rate {unmoved.before:.2f} before, {unmoved.after:.2f} after; "
        f"planted advert: {moved.after:.2f} after, over {moved.families} families"
    )
    return Instrument(unmoved.clear, moved.found, detail)


@cache
def _drills() -> tuple[Drill, Drill]:
    return drill(NULL), drill(PLANTED)


def _judged(task: Task, store: Store, *, known: Sequence[str] = ()) -> tuple[Measurement, ...]:
    step, sheet = task.papers[0]
    found = answers(task, step, sheet, store)
    return run.judge(sheet.suite, sheet.items, found, task.state(step), known=known)


def _last(planned: Drill) -> int:
    return planned.recipe.checkpoints[-1]
