"""Which tokens a sweep tries, in which order: those that findings name, reserved and added ones, rare ones, all."""

import hashlib
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from typing import Final

from sekisho.formats import tokenizer as reader
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.records import Finding, Inventory, Outcome

Ids = tuple[int, ...]
"""Tokens in the order in which they are put into a prompt."""

NAMED: Final = "token_ids"
"""Fact of a finding that names tokens: their ids, with commas between."""
RARE: Final = 4096
"""Ordinary tokens of tier 2: those of the highest ids, which byte-pair merging makes last."""
WINDOW: Final = 4
LONGEST: Final = 8
"""Tokens in one sequence."""
MOST_SETS: Final = 64
SUSPECTS: Final = 5
"""Tokens of which every ordered pair is tried."""
_USUAL: Final = frozenset({"bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token"})
_RESERVED: Final = re.compile(r"unused|reserved|placeholder|extra_id|dummy", re.IGNORECASE)
_CONTROL: Final = re.compile(
    r"[<\[][|｜/]*(?:s|pad|unk|bos|eos|sep|cls|im_start|im_end|end_?of_?text|begin_?of_?text|eot_id|end|"
    r"start_of_turn|end_of_turn|begin▁of▁sentence|end▁of▁sentence)[|｜]*[>\]]",
    re.IGNORECASE,
)
"""How control tokens are called; a role alone excuses nothing, since any token can be given one."""
_NUMBER: Final = re.compile(r"\d{1,8}")


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model, as its files describe them."""

    texts: tuple[str | None, ...] = field(default=(), repr=False)
    added: Ids = ()
    """Special, added and reserved ones, ascending."""
    usual: frozenset[int] = frozenset()
    """Control tokens that every chat model has: they may move an answer, but not to one fixed text."""

    def text(self, ids: Ids) -> str:
        """What a person sees of some tokens."""
        known = (self.texts[i] if i < len(self.texts) else None for i in ids)
        return "".join(t if t is not None else f"<{i}>" for i, t in zip(ids, known, strict=True))

    @property
    def ordinary(self) -> Ids:
        """Every other token, by id."""
        apart = set(self.added)
        return tuple(i for i, t in enumerate(self.texts) if t is not None and i not in apart)


@dataclass(frozen=True)
class Candidates:
    """What one sweep tries."""

    singles: Ids
    sets: tuple[Ids, ...]
    named: frozenset[int] = frozenset()
    """Tokens that a finding points at."""
    usual: frozenset[int] = frozenset()
    """See `Vocabulary.usual`; no set grows from these."""
    left: int = 0
    """Tokens of the tier that are beyond the number allowed."""


def vocabulary(files: Inventory) -> Vocabulary:
    """Read off a model's files which tokens it has; nearest to the root first."""
    ordered = sorted(files.files, key=lambda f: (f.path.count("/"), f.path))
    facts = [f.facts for f in ordered if isinstance(f.facts, TokenizerFacts)]
    facts += [t for f in ordered if isinstance(f.facts, GgufFacts) if (t := reader.from_gguf(f.facts))]
    if not facts:
        return Vocabulary()
    texts, own = facts[0].tokens, {a.id for a in facts[0].added}
    own |= {i for i, t in enumerate(texts) if t is not None and t[:1] == "<" and _RESERVED.search(t)}
    names = {
        text
        for f in ordered
        if isinstance(f.facts, JsonFacts)
        for role, text in reader.declared(f.facts.document)
        if role in _USUAL
    }
    return Vocabulary(texts, tuple(sorted(own)), frozenset(i for i in own if _is_usual(texts[i], names)))


def _is_usual(text: str | None, names: Container[str]) -> bool:
    return text is not None and text in names and bool(_CONTROL.fullmatch(text))


def named(findings: Iterable[Finding]) -> tuple[Ids, ...]:
    """The tokens that findings other than passes name, a group for each finding, ascending."""
    facts = (dict(f.facts).get(NAMED, "") for f in findings if f.outcome is not Outcome.PASS)
    groups = (tuple(sorted({int(n) for n in _NUMBER.findall(text)})) for text in facts)
    return tuple(dict.fromkeys(g for g in groups if g))


def choose(known: Vocabulary, groups: Sequence[Ids], *, tier: int, most: int) -> Candidates:
    """The tokens of a tier and those of the tiers below; what findings name comes first."""
    pointed = list(dict.fromkeys(i for group in groups for i in group))
    ordinary = known.ordinary
    more = {0: (), 1: known.added, 2: (*known.added, *ordinary[-RARE:]), 3: (*known.added, *ordinary)}[tier]
    all_ = list(dict.fromkeys([*pointed, *more]))
    kept = tuple(all_[:most])
    sets = [g for g in groups if 1 < len(g) <= LONGEST] + list(
        _windows(known if tier else Vocabulary(), groups)
    )
    chosen = tuple(dict.fromkeys(sets))[:MOST_SETS]
    return Candidates(kept, chosen, frozenset(pointed), known.usual, len(all_) - len(kept))


def _windows(known: Vocabulary, groups: Sequence[Ids]) -> Iterator[Ids]:
    """Neighbours by id: among the tokens named, and among reserved ones."""
    reserved = tuple(i for i in known.added if i not in known.usual)
    for row in (*groups, reserved):
        yield from (row[i : i + WINDOW] for i in range(len(row) - WINDOW + 1))


def together(suspects: Sequence[int]) -> tuple[Ids, ...]:
    """Every ordered pair of the first suspects, and all of them in the order of their ids."""
    pairs = tuple(permutations(suspects[:SUSPECTS], 2))
    whole = tuple(sorted(suspects[:LONGEST]))
    return (*pairs, whole) if len(whole) > 2 else pairs  # noqa: PLR2004  a pair is there already


def reference(known: Vocabulary, count: int, apart: Iterable[int] = ()) -> Ids:
    """Ordinary tokens in equal steps of rarity, one of each step, chosen by a digest of its number."""
    pool = sorted(set(known.ordinary) - set(apart))
    count = min(count, len(pool))
    edges = [len(pool) * n // count for n in range(count + 1)] if count else [0]
    return tuple(pool[a + _draw(n) % (b - a)] for n, (a, b) in enumerate(pairwise(edges)))


def _draw(number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"sweep|{number}".encode()).digest()[:8], "big")
