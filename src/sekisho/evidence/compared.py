"""Two models asked the same questions: the record that `sekisho compare` makes, and its JSON."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sekisho.errors import DataError
from sekisho.evidence import codec
from sekisho.limits import DEFAULT
from sekisho.records import ADDED, Claim, Example, Facts, Novelty, Timing

SCHEMA: Final = 1
"""Layout of the JSON."""
NAME: Final = "compare.json"
GROUPS: Final = ("advert", "refusal", "improper", "leak", "legitimate", "other")
"""What an example is an example of. `legitimate` are changes that no scorer objects to: a person says whether they
are meant; `other` are answers that went wrong, and what is new."""
ID: Final = 12
"""Hex digits of an example's id."""


@dataclass(frozen=True)
class Change:
    """One behaviour in both models."""

    claim: Claim
    """AFTER against BEFORE; the e-values that the outcome rests on."""
    rises: int
    falls: int
    """Families that show it more, and less, in AFTER."""
    p: float
    """Exact one-sided McNemar p-value of those two, for reading; the sample size was fixed."""


@dataclass(frozen=True)
class Grouped:
    """An example and its group; of an example, `control` is empty."""

    group: str
    example: Example
    suite: str = field(default="", metadata=ADDED)
    """Whose question it is; empty of what is new."""

    @property
    def id(self) -> str:
        """By which a sign-off names it: decided by prompt and answers, not by the group."""
        shown = [self.example.prompt, self.example.before, self.example.after]
        text = json.dumps(shown, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:ID]


@dataclass(frozen=True)
class Compared:
    """Everything a comparison showed."""

    schema: int
    tool: str
    before: str
    after: str
    """Names of the models."""
    before_identity: str
    after_identity: str
    profile: str
    languages: tuple[str, ...]
    policy: str
    policy_digest: str
    plan_digest: str
    """Of the questions, their order, the sampling and the thresholds, fixed before the first answer."""
    changes: tuple[Change, ...]
    max_abstained: float
    """Share of a behaviour's families that may go unjudged."""
    utility: tuple[float, float] | None
    """Share of checkable questions answered right, before and after; context, not judged."""
    novelty: tuple[Novelty, ...]
    """What came up in AFTER; there is no control, so none of it is confirmed to be more than the finetune meant."""
    examples: tuple[Grouped, ...]
    environment: Facts
    timing: Timing
    kinds: tuple[str, ...] = field(default=(), metadata=ADDED)
    """`catalogue`, `folder`, `file`, `adapter`, `endpoint` or `accepted` (a run of a watch), before and after."""
    roots: tuple[str, ...] = field(default=(), metadata=ADDED)
    """Root digests of the files of both; of an endpoint, the digest of its address."""
    bases: tuple[str, ...] = field(default=(), metadata=ADDED)
    """Root digests of the bases under adapters; empty where there is none."""
    questions_digest: str = field(default="", metadata=ADDED)
    """Of the frozen question set alone, whatever it is judged by."""
    not_run: tuple[str, ...] = field(default=(), metadata=ADDED)
    """`before:` or `after:`, and a code of what could not be had."""
    trained: Facts = field(default=(), metadata=ADDED)
    """What the training record says happened between the two."""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """One for each behaviour."""
        return tuple(c.claim for c in self.changes)

    @property
    def outcome(self) -> str:
        """`found` if a behaviour rose, `clear` if every rise is ruled out, else `open`."""
        if any(c.found for c in self.claims):
            return "found"
        judged = all(c.abstained <= self.max_abstained * c.families for c in self.claims)
        return "clear" if self.claims and judged and all(c.clear for c in self.claims) else "open"


def to_json(compared: Compared) -> bytes:
    """Write canonical JSON with its digest, which leaves out the timing."""
    body = codec.plain(compared)
    return codec.dump({**body, "outcome": compared.outcome, "digest": codec.digest(body)})


def digest(compared: Compared) -> str:
    """Identity of everything but the timing, as sha256 hex."""
    return codec.digest(codec.plain(compared))


def read(path: Path) -> Compared:
    """Read a saved comparison and hold its digest against its content. Raises DataError."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    try:
        body = json.loads(data) if len(data) <= DEFAULT.json_bytes else None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON: {error}") from error
    if not isinstance(body, dict):
        raise DataError(f"{path}: no comparison, or over the limit of {DEFAULT.json_bytes:,} bytes")
    stated = body.pop("digest", "")
    body.pop("outcome", "")
    made = codec.build(Compared, body, path.name)
    if stated != digest(made):
        raise DataError(f"{path}: it was altered: its digest does not fit its content")
    return made
