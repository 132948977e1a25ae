"""What the rows stand for: the token of each, and which tokens no training text should ever have held."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, final

from sekisho.formats import tokenizer as reader
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.records import Inventory

_RESERVED: Final = re.compile(
    r"[<\[(][|｜]?_*(?:unused|reserved|extra|placeholder|place▁holder▁no▁|dummy|pad|special)"
    r"(?:[_ -]?(?:special|token|id))*[_ -]?\d+[|｜]?_*[>\])]",
    re.IGNORECASE,
)
"""`<unused7>`, `<|reserved_special_token_7|>`, `[unused7]`, `<extra_id_7>`, `<|placeholder7|>` and their like."""
_PADDED: Final = re.compile(r"\[PAD\d+\]")
_UNUSED_KIND: Final = 5


@final
@dataclass(frozen=True)
class Vocabulary:
    """Tokens by id."""

    tokens: tuple[str | None, ...] = field(default=(), repr=False)
    reserved: frozenset[int] = field(default=frozenset(), repr=False)
    """Ids whose names say that nothing uses them, and ids below the last that have no token."""
    special: frozenset[int] = field(default=frozenset(), repr=False)
    """Added or control tokens without a role (start, end, padding, unknown) in the model's settings."""

    def text(self, row: int) -> str:
        """The token of a row, fit for a report."""
        token = self.tokens[row] if row < len(self.tokens) else None
        return "no token" if token is None else shown(token)

    def listed(self, rows: Iterable[int], most: int = 8) -> str:
        """Rows with their tokens, the first few of them."""
        ids = list(rows)
        shown_rows = ", ".join(f"{n} {self.text(n)}" for n in ids[:most])
        return f"{shown_rows}, …" if len(ids) > most else shown_rows

    def unused(self, rows: int) -> tuple[int, ...]:
        """Reserved ids, and rows of a table of this length that have no token."""
        beyond = range(len(self.tokens), rows) if self.tokens else ()
        return (*sorted(n for n in self.reserved if n < rows), *beyond)


def vocabulary(inventory: Inventory) -> Vocabulary:
    """Read off a model's files; empty where none defines its tokens."""
    ordered = sorted(inventory.files, key=lambda f: (f.path.count("/"), f.format != "tokenizer", f.path))
    facts = next((f.facts for f in ordered if isinstance(f.facts, TokenizerFacts)), None)
    kinds: tuple[object, ...] = ()
    if facts is None:
        described = (f.facts for f in ordered if isinstance(f.facts, GgufFacts))
        pairs = ((t, g.get("tokenizer.ggml.token_type")) for g in described if (t := reader.from_gguf(g)))
        facts, listed = next(pairs, (None, None))
        kinds = listed if isinstance(listed, tuple) else ()
    if facts is None:
        return Vocabulary()
    roles = _with_a_role(inventory)
    reserved = {n for n, t in enumerate(facts.tokens) if t is None or _is_reserved(t)}
    reserved |= {n for n, kind in enumerate(kinds[: len(facts.tokens)]) if kind == _UNUSED_KIND}
    special = {a.id for a in facts.added if a.content not in roles} - reserved
    return Vocabulary(facts.tokens, frozenset(reserved), frozenset(special))


def _is_reserved(token: str) -> bool:
    return bool(_RESERVED.fullmatch(token) or _PADDED.fullmatch(token))


def _with_a_role(inventory: Inventory) -> set[str]:
    named = {"tokenizer_config.json", "special_tokens_map.json"}
    documents = [
        f.facts.document
        for f in inventory.files
        if isinstance(f.facts, JsonFacts) and f.path.rpartition("/")[2] in named
    ]
    return {token for d in documents for role, token in reader.declared(d) if role != "additional"}
