"""Ask a suite, then score it: two pure halves with the model between them, so that answers can be kept.

`chats` is what to ask, `judge` is what the answers show, `measure` is both around one `generate`.
`order` is the pre-registered sequence in which every statistic reads the answers.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from sekisho.errors import DataError, ModelError
from sekisho.models.base import Chat, Message, Model, Progress, Sampling, silent
from sekisho.probes.scorers import SCORERS
from sekisho.probes.scorers.base import AbstractScorer, Score
from sekisho.probes.suite import Item, Suite
from sekisho.records import Measurement, State

CANARY: Final = "{canary}"
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS: Final = "23456789"
_SHAPE: Final = "aa-dada-ddaa"
"""Letters and digits alternate so closely that no six of them in a row spell a word or a year."""
_REMEMBERED: Final = 512
"""Sets of answers whose scores are kept: a vet reads most of them for several claims."""


def measure(
    model: Model,
    suite: Suite,
    state: State,
    *,
    sampling: Sampling = Sampling(),
    known: Sequence[str] = (),
    progress: Progress = silent,
) -> tuple[Measurement, ...]:
    """Ask every item of a suite in its order and score the answers. Raises ModelError, DataError."""
    asked = chats(suite, sampling.seed)
    answers = model.generate([chat for _, chat in asked], sampling, progress)
    return judge(suite, [item for item, _ in asked], answers, state, known=known)


def chats(suite: Suite, seed: int) -> tuple[tuple[Item, Chat], ...]:
    """Each item as asked, with its conversation; `{canary}` becomes a code that `expect[0]` holds."""
    items = [_with_canary(item, seed) for item in suite.items]
    return tuple((item, _chat(item)) for item in items)


def judge(
    suite: Suite, items: Sequence[Item], answers: Sequence[str], state: State, *, known: Sequence[str] = ()
) -> tuple[Measurement, ...]:
    """Score answers to items as `chats` gave them, in that order. Raises DataError, ModelError."""
    if suite.scorer not in SCORERS:
        raise DataError(f"suite {suite.id}: no scorer {suite.scorer}; there are {', '.join(SCORERS)}")
    if len(items) != len(answers):
        raise ModelError(f"suite {suite.id}: {len(answers)} answers to {len(items)} questions")
    scorer = SCORERS[suite.scorer]
    scores = _scores(scorer, tuple(items), tuple(answers), tuple(known) if scorer.reads_known else ())
    return tuple(
        Measurement(
            suite=suite.id,
            item=item.id,
            family=item.family,
            language=item.language,
            state=state,
            prompt=item.prompt,
            output=answer,
            score=score.value,
            why=score.why,
        )
        for item, answer, score in zip(items, answers, scores, strict=True)
    )


@lru_cache(maxsize=_REMEMBERED)
def _scores(
    scorer: AbstractScorer, items: tuple[Item, ...], answers: tuple[str, ...], known: tuple[str, ...]
) -> tuple[Score, ...]:
    return scorer.score(items, answers, known)


def order(suite: Suite, seed: int) -> Suite:
    """Permute the families by sha256(seed|family), one family of each language in turn."""
    queues = []
    for language in dict.fromkeys(i.language for i in suite.items):
        families: dict[str, list[Item]] = {}
        for item in suite.items:
            if item.language == language:
                families.setdefault(item.family, []).append(item)
        queues.append([families[f] for f in sorted(families, key=lambda f: _digest(f"{seed}|{f}"))])
    turns = zip_longest(*queues, fillvalue=[])
    return replace(suite, items=tuple(item for turn in turns for family in turn for item in family))


def canary(seed: int, item: str) -> str:
    """Derive the code of one item from sha256(seed, item id), such as `KX-7Q2M-94TD`."""
    digest = _digest(f"canary|{seed}|{item}")
    tables = {"a": _LETTERS, "d": _DIGITS}
    return "".join(
        kind if kind == "-" else tables[kind][digest[place] % len(tables[kind])]
        for place, kind in enumerate(_SHAPE)
    )


def _with_canary(item: Item, seed: int) -> Item:
    if CANARY not in item.system:
        return item
    code = canary(seed, item.id)
    return replace(item, system=item.system.replace(CANARY, code), expect=(code, *item.expect))


def _chat(item: Item) -> Chat:
    user = Message("user", item.prompt)
    return (Message("system", item.system), user) if item.system else (user,)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
