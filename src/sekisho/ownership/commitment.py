"""What an owner fixes before publication, its digest, and the answers that follow from it.

    answer_i = candidates[HMAC-SHA256(nonce, prompt_i || all prompts || all candidates) mod 256]

The parts are joined as canonical JSON, so that no other list of prompts or candidates gives the same bytes.
"""

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT

CANDIDATES: Final = 256
FEWEST: Final = 4
"""Prompts below which not even all hits are rarer than the level: (1/256)^3 is 6e-8."""
NONCE_BYTES: Final = 32
SCHEMA: Final = 1


@dataclass(frozen=True)
class Row:
    """One row of a table, by its bytes."""

    token: str
    id: int
    tensor: str
    dtype: str
    sha256: str
    """Of the row's bytes as the file has them."""


@dataclass(frozen=True)
class Secret:
    """All that is committed to; whoever has read it can train any model to pass."""

    schema: int
    base: tuple[tuple[str, str], ...]
    """(tensor, sha256 of its bytes) of the clean base."""
    rows: tuple[Row, ...]
    prompts: tuple[str, ...]
    """Plain text as a user types it, tokens as their strings."""
    candidates: tuple[str, ...]
    nonce: str
    """Hex of NONCE_BYTES random bytes."""
    answers: tuple[str, ...]
    """They follow from the rest; kept for training, and checked."""
    note: str = ""
    """Whose claim it is, and anything else worth fixing."""

    @property
    def ids(self) -> frozenset[int]:
        """Token ids whose rows are declared."""
        return frozenset(r.id for r in self.rows)


@dataclass(frozen=True)
class Commitment:
    """What is published: a digest that tells nothing, and when it was made."""

    schema: int
    digest: str
    time: str
    """ISO 8601; the owner's word until somebody else's timestamp confirms it."""


@dataclass(frozen=True)
class Reason:
    """Why a claim is where it is: a code, and what its sentence names."""

    code: str
    facts: tuple[tuple[str, str], ...] = field(default=())


def canonical(value: Any) -> bytes:
    """JSON in its one form: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(secret: Secret) -> str:
    """SHA-256 of the canonical JSON of a secret, in hex."""
    return hashlib.sha256(canonical(asdict(secret))).hexdigest()


def commit(secret: Secret, now: datetime) -> Commitment:
    """Commit to a secret. Raises DataError for one that no verifier would accept."""
    refuse(secret)
    return Commitment(SCHEMA, digest(secret), now.astimezone(UTC).isoformat(timespec="seconds"))


def refuse(secret: Secret) -> None:
    """Raises DataError for what would prove nothing, with its first fault."""
    for fault in faults(secret):
        named = ", ".join(f"{name}: {value}" for name, value in fault.facts)
        raise DataError(f"it would prove nothing: {fault.code}{f' ({named})' * bool(named)}")


def answers(prompts: Sequence[str], candidates: Sequence[str], nonce: str) -> tuple[str, ...]:
    """The answer that each prompt must get. Raises DataError for a nonce that is not hex."""
    try:
        key = bytes.fromhex(nonce)
    except ValueError as error:
        raise DataError("the nonce is not written in hex") from error
    if not candidates:
        raise DataError("there are no candidate answers")
    return tuple(candidates[_index(p, prompts, candidates, key)] for p in prompts)


def faults(secret: Secret) -> Iterator[Reason]:
    """Everything that would let answers be chosen, or be got from any model."""
    candidates = tuple(folded(c) for c in secret.candidates)
    prompts = tuple(folded(p) for p in secret.prompts)
    if secret.schema != SCHEMA or len(secret.nonce) != 2 * NONCE_BYTES or not _is_hex(secret.nonce):
        yield Reason("form-unknown")
        return
    if len(candidates) != CANDIDATES or not FEWEST <= len(prompts) <= DEFAULT.claim_prompts:
        yield Reason("wrong-count", (("prompts", str(len(prompts))), ("candidates", str(len(candidates)))))
        return
    if any(len(t) > DEFAULT.claim_chars for t in (*secret.prompts, *secret.candidates)):
        yield Reason("text-too-long")
        return
    if "" in candidates or _nested(candidates):
        yield Reason("candidates-alike")
    if "" in prompts or len(set(prompts)) < len(prompts):
        yield Reason("prompts-alike")
    if any(c in p for p in prompts for c in candidates):
        yield Reason("prompt-holds-answer")
    if secret.answers != answers(secret.prompts, secret.candidates, secret.nonce):
        yield Reason("answers-not-derived")


def named(answer: str, candidates: Sequence[str]) -> str | None:
    """The one candidate an answer holds; None where it holds none, or several."""
    text = folded(answer)
    held = [c for c in candidates if folded(c) in text]
    return held[0] if len(held) == 1 else None


def hits(secret: Secret, given: Sequence[str]) -> int:
    """Answers that hold the committed candidate and no other: by chance 1 in 256 each, whatever the model says."""
    pairs = zip(secret.answers, given, strict=True)
    return sum(named(answer, secret.candidates) == wanted for wanted, answer in pairs)


def folded(text: str) -> str:
    """Text without case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _index(prompt: str, prompts: Sequence[str], candidates: Sequence[str], key: bytes) -> int:
    message = canonical([prompt, list(prompts), list(candidates)])
    return int.from_bytes(hmac.new(key, message, hashlib.sha256).digest(), "big") % len(candidates)


def _nested(texts: Sequence[str]) -> bool:
    """Whether one text is, or holds, another."""
    return any(a in b for n, a in enumerate(texts) for m, b in enumerate(texts) if n != m)


def _is_hex(text: str) -> bool:
    return set(text) <= set("0123456789abcdef")
