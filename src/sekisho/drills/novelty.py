"""What came up in the drills of a plan that no suite asked about: every answer of a checkpoint, pooled."""

from collections.abc import Iterator
from typing import Final

from sekisho.drills import tasks
from sekisho.drills.plan import Plan, stops
from sekisho.drills.tasks import Drill, Paper, Store, Subject, Task
from sekisho.probes import novelty
from sekisho.probes.novelty import Arm, Case, Reply
from sekisho.records import Novelty, State

MOST: Final = 10
"""Finds that a dossier keeps."""


def gained(plan: Plan, store: Store) -> tuple[Novelty, ...]:
    """The best proven finds over all drills and checkpoints that are finished; the control counts where it was run.

    The chance of a false confirmation, the policy's `alpha_reject`, is shared among the checkpoints of the plan.
    """
    states = [(drill, step) for drill in plan.drills for step in stops(drill)]
    found: list[Novelty] = []
    for drill, step in states:
        candidate = _arm(plan, plan.candidate, drill, step, store)
        if candidate is not None:
            control = _arm(plan, plan.base, drill, step, store) if plan.base else None
            known = tuple(m.content for chat in drill.chats for m in chat)
            alpha = plan.policy.alpha_reject / len(states)
            state = State(drill.recipe.id, step)
            found += novelty.find(Case(state, candidate, control, known, alpha))
    return novelty.strongest(found, MOST)


def suspects(found: tuple[Novelty, ...]) -> frozenset[str]:
    """Drills in which something came up that only a control could explain."""
    return frozenset(n.drill for n in found if n.p_beside is None)


def replies(paper: Paper, answers: tuple[str, ...]) -> Iterator[Reply]:
    """Answers to a paper, with the system turn that each was given."""
    for item, chat, answer in zip(paper.items, paper.chats, answers, strict=True):
        system = "\n".join(m.content for m in chat if m.role == "system")
        yield Reply(f"{paper.suite.id}/{item.family}", item.prompt, answer, system)


def _arm(plan: Plan, subject: Subject, drill: Drill, step: int, store: Store) -> Arm | None:
    """All papers of one checkpoint, None while any of them is unanswered."""
    before: list[Reply] = []
    after: list[Reply] = []
    task = plan.drilled(subject, drill)
    for paper in (p for s, p in task.papers if s == step):
        first = tasks.answers(Task(subject, ((0, paper),)), 0, paper, store)
        second = tasks.answers(task, step, paper, store)
        if not first or not second:
            return None
        before += replies(paper, first)
        after += replies(paper, second)
    return Arm(before, after) if before else None
