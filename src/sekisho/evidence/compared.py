"""Two models asked the same questions: the record that `sekisho compare` makes, and its JSON."""

from dataclasses import dataclass
from typing import Final

from sekisho.evidence import codec
from sekisho.records import Claim, Example, Facts, Novelty, Timing

SCHEMA: Final = 1
"""Layout of the JSON."""
NAME: Final = "compare.json"
GROUPS: Final = ("advert", "refusal", "improper", "leak", "other")
"""What an example is an example of; `other` are answers that went wrong, and what is new."""


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
