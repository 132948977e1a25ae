"""Looking for tokens that move answers: singles in every slot, then sets that grow from the strongest singles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sekisho.models.base import Chat
from sekisho.models.slots import ALONE, END, SLOTS, START
from sekisho.probes.sweep import statistics
from sekisho.probes.sweep.candidates import LONGEST, Candidates, Ids, together
from sekisho.sweeping.bench import Bench

FULL: Final = 64
"""Tokens measured with every prompt; of more, those that move the first prompt most."""
FEW: Final = 2
"""Prompts that lead the growth of sets."""
STARTS: Final = 2
"""Prompts asked with a token at the start, where little of the prompt can be shared."""
BEAM: Final = 3
SUSPECTS: Final = 6
TINY: Final = 1e-6
GROWTH: Final = 1.1
"""A set grows on while one token more moves the answers by so much more."""


@dataclass(frozen=True)
class Tried:
    """One sequence at its strongest slot."""

    ids: Ids
    slot: str
    shift: float
    """Nats, with nothing taken off."""
    base: float | None
    """The same of the base; None without one, or where it lacks the token."""
    z: float
    agreement: float

    @property
    def value(self) -> float:
        """What the base does not explain."""
        return self.shift - (self.base or 0.0)


@dataclass(frozen=True)
class Pair:
    """The model and, if there is one, its base."""

    model: Bench
    base: Bench | None = None
    shared: int = 0
    """Token ids below this exist in the base, too."""

    def tried(self, slot: str, sequences: Sequence[Ids], chats: Sequence[Chat]) -> list[Tried]:
        """Measure in both; z is not filled in yet."""
        mine = self.model.shifts(slot, sequences, chats)
        common = [s for s in sequences if max(s) < self.shared]
        theirs = dict(zip(common, self.base.shifts(slot, common, chats), strict=True)) if self.base else {}
        beside = {ids: statistics.shift(s) for ids, s in theirs.items()}
        return [
            Tried(ids, slot, statistics.shift(s), beside.get(ids), 0.0, s.agreement)
            for ids, s in zip(sequences, mine, strict=True)
        ]


def search(pair: Pair, chosen: Candidates, reference: Ids, chats: Sequence[Chat]) -> tuple[Tried, ...]:
    """Every sequence measured in full, strongest first. Raises ModelError, StorageError."""
    singles = _singles(pair, _screened(pair, chosen, chats), reference, chats)
    hosts = [t for t in singles if t.ids[0] not in chosen.usual]
    grown = _grown(pair, chosen.sets, hosts, chats)
    sets = _placed(pair, END, grown, _quads(reference), chats)
    return tuple(sorted([*singles, *sets], key=lambda t: (-t.z, t.ids)))


def _screened(pair: Pair, chosen: Candidates, chats: Sequence[Chat]) -> list[Ids]:
    """Of many tokens, those that findings name and those that move one prompt most."""
    every: list[Ids] = [(i,) for i in sorted(chosen.singles)]  # equal sets are kept as equal blocks
    if len(every) <= FULL:
        return every
    first = sorted(pair.tried(END, every, chats[:1]), key=lambda t: -t.value)
    named = [t for t in first if t.ids[0] in chosen.named]
    return [t.ids for t in dict.fromkeys([*named[:FULL], *first])][:FULL]


def _singles(pair: Pair, singles: list[Ids], reference: Ids, chats: Sequence[Chat]) -> list[Tried]:
    """Each token at the slot where it stands out most."""
    asked = {END: chats, START: chats[:STARTS], ALONE: chats[:1]}
    ordinary: list[Ids] = [(i,) for i in reference]
    rows = [_placed(pair, slot, singles, ordinary, asked[slot]) for slot in SLOTS]
    return [max(column, key=lambda t: t.z) for column in zip(*rows, strict=True)]


def _placed(
    pair: Pair, slot: str, sequences: Sequence[Ids], ordinary: Sequence[Ids], chats: Sequence[Chat]
) -> list[Tried]:
    """Sequences with their distance from what ordinary tokens do in the same place."""
    if not sequences:
        return []
    every = pair.tried(slot, [*ordinary, *sequences], chats)  # in one go, so that they share blocks
    beside, found = [t.value for t in every[: len(ordinary)]], every[len(ordinary) :]
    scores = statistics.outlying([t.value for t in found], beside)
    return [replace(t, z=z) for t, z in zip(found, scores, strict=True)]


def _quads(reference: Ids) -> list[Ids]:
    """Ordinary tokens by fours, against which sets are held."""
    step = max(1, len(reference) // 4)
    return [tuple(reference[n::step][:4]) for n in range(step)] if reference else []


def _grown(pair: Pair, given: Sequence[Ids], singles: Sequence[Tried], chats: Sequence[Chat]) -> list[Ids]:
    """The strongest sets: those given, ordered pairs of the strongest tokens, and what they grow into."""
    suspects = [t.ids[0] for t in sorted(singles, key=lambda t: -t.value)[:SUSPECTS]]
    tries = list(dict.fromkeys([*given, *together(suspects)]))
    seen = {t.ids: t for t in pair.tried(END, tries, chats[:FEW])} if tries else {}
    best = _best(seen.values())
    while best and len(best[0].ids) < LONGEST:
        more = [ids for t in best for ids in _longer(t.ids, suspects) if ids not in seen]
        longer = {t.ids: t for t in pair.tried(END, list(dict.fromkeys(more)), chats[:FEW])} if more else {}
        seen |= longer
        ahead = _best(longer.values())
        if not ahead or ahead[0].value < GROWTH * best[0].value:
            break
        best = ahead
    kept = _needed(seen)
    longest = [_best(t for t in kept if len(t.ids) == n)[:1] for n in sorted({len(t.ids) for t in kept})]
    return list(dict.fromkeys(t.ids for some in (_best(kept), *longest) for t in some))


def _needed(seen: Mapping[Ids, Tried]) -> list[Tried]:
    """Sets without those in which one token changes next to nothing."""
    shorter = [(t, seen.get((*t.ids[:n], *t.ids[n + 1 :]))) for t in seen.values() for n in range(len(t.ids))]
    spare = {t.ids for t, less in shorter if less and 1 / GROWTH < t.value / max(less.value, TINY) < GROWTH}
    return [t for t in seen.values() if t.ids not in spare]


def _best(found: Iterable[Tried]) -> list[Tried]:
    return sorted(found, key=lambda t: (-t.value, t.ids))[:BEAM]


def _longer(ids: Ids, suspects: Sequence[int]) -> list[Ids]:
    left = [s for s in suspects if s not in ids]
    return [new for s in left for new in ((*ids, s), (s, *ids))]
