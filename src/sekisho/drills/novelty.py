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


def suspects(plan: Plan, store: Store) -> frozenset[str]:
    """Drills in which something came up that only a control, not run yet, could explain."""
    if plan.base is None:
        return frozenset()
    return frozenset(n.drill for n in gained(plan, store) if n.p_beside is None)


def replies(paper: Paper, answers: tuple[str, ...]) -> Iterator[Reply]:
    """Answers to a paper, with the system turn that each was given."""
    for item, chat, answer in zip(paper.items, paper.chats, answers, strict=True):
        system = "\n".join(m.content for m in chat if m.role == "system")
        yield Reply(f"{paper.suite.id}/{item.family}", item.prompt, answer, system)


def _arm(plan: Plan, subject: Subject, drill: Drill, step: int, store: Store) -> Arm | None:
    """All papers of one checkpoint, None while any of them is unanswered.

    Of a paper asked in blocks the first one: how many more follow depends on the answers, and no p-value allows that.
    """
    before: list[Reply] = []
    after: list[Reply] = []
    task = plan.drilled(subject, drill)
    for paper in (p for s, p in task.papers if s == step):
        asked = paper.blocks[0] if paper.blocks else paper
        first = tasks.answers(Task(subject, ((0, paper),)), 0, paper, store)[: len(asked.items)]
        second = tasks.answers(task, step, asked, store)
        if not first or not second:
            return None
        before += replies(asked, first)
        after += replies(asked, second)
    return Arm(before, after) if before else None
