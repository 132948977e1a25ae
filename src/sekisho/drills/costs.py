"""What work costs, in tokens through a forward pass, and how many models fit this machine."""

import math
import os
from collections.abc import Sequence
from typing import Final

from sekisho.drills import recipe as recipes
from sekisho.drills.tasks import Paper, Store, Task
from sekisho.records import Inventory

BYTES_PER_WEIGHT: Final = 20
"""float32 weights, gradient, two Adam moments and the released copy."""


def asking(paper: Paper) -> float:
    """Prompt tokens at about four characters each, and nearly the longest answers allowed.

    A token that is decoded costs more than one that is read: measured on SmolLM2, 1.6 against 1.1.
    """
    prompts = sum(len(m.content) for chat in paper.chats for m in chat) / 4 + 8 * len(paper.chats)
    return 1.1 * prompts + 1.6 * 0.9 * paper.sampling.max_new_tokens * len(paper.chats)


def remaining(task: Task, store: Store) -> float:
    """What is left of a task."""
    missing = task.missing(store)
    cost = sum(asking(p) for _, p in missing)
    if task.drill is not None and not task.done(store):
        cost += training(task)
    return cost


def training(task: Task) -> float:
    """Cost of a drill's training alone, a step of it taken for 3.3 forward passes."""
    if task.drill is None:
        return 0.0
    settings = task.drill.recipe.training
    rows = int(settings.get("per_device_train_batch_size", 8)) * int(
        settings.get("gradient_accumulation_steps", 1)
    )
    sample = task.drill.chats[:50]
    length = sum(len(m.content) for chat in sample for m in chat) / len(sample) / 3.2 + 40
    steps = recipes.job(task.drill.recipe, task.drill.chats).checkpoints[-1]
    return 3.3 * steps * rows * min(length, int(settings.get("max_length", 512)))


def wall(costs: Sequence[float], workers: int) -> float:
    """Cost units until the last of `workers` is done, the longest task first."""
    ends = [0.0] * workers
    for cost in sorted(costs, reverse=True):
        ends[ends.index(min(ends))] += cost
    return max(ends)


def need(parameters: int) -> int:
    """Bytes that a process needs to train a model of this size."""
    return parameters * BYTES_PER_WEIGHT + 2**30


def weights(files: Inventory) -> int:
    """Number of weights, from the tensor shapes in the headers; a guess from the size where there are none."""
    count = sum(math.prod(t.shape) for f in files.files for t in getattr(f.facts, "tensors", ()))
    return count or sum(f.size for f in files.files) // 2


def workers(parameters: int) -> int:
    """How many models of this size may be open at once: one per core while memory lasts."""
    if not {"SC_AVPHYS_PAGES", "SC_PAGE_SIZE"} <= set(os.sysconf_names):  # the first is unknown to macOS
        return 1
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(os.cpu_count() or 1, free // need(parameters)))
