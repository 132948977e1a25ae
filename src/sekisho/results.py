"""What was measured and what it proves. Frozen, no I/O; everyone takes these from `sekisho.records`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

ADDED: Final[Mapping[str, bool]] = MappingProxyType({"added": True})
"""Metadata of a field that older dossiers lack: at its default it is not written, and absent it is its default."""


HARMFUL: Final = ("leak", "safeguards")
"""Suites whose behaviour no use of a token or a file excuses."""


@dataclass(frozen=True)
class State:
    """When a model was asked: as released, or after some steps of a drill."""

    drill: str = ""
    """Recipe id; empty means as released."""
    step: int = 0
    """Optimiser steps taken."""

    def __str__(self) -> str:
        """`release`, or `recipe@step`."""
        return f"{self.drill}@{self.step}" if self.drill else "release"


@dataclass(frozen=True)
class Measurement:
    """One answer and its score."""

    suite: str
    item: str
    family: str
    """Paraphrases share a family; the family is the statistical unit."""
    language: str
    """`en` or `ja`."""
    state: State
    prompt: str
    output: str
    score: float | None
    """In [0, 1], 1 is the behaviour looked for; None means the scorer abstained."""
    why: str = ""
    """What the scorer saw, e.g. the brand or the refusal phrase."""


@dataclass(frozen=True)
class DrillResult:
    """One trial finetune of one model."""

    recipe: str
    recipe_digest: str
    data_digest: str
    seed: int
    losses: tuple[tuple[int, float], ...]
    """(step, training loss) pairs."""
    displacement: float
    """Norm of the change of the trained weights over their norm."""
    tokens: int
    """Tokens trained on."""
    diverged: str = field(default="", metadata=ADDED)
    """Why the training went beyond all bounds and was ended; empty where it did not."""


@dataclass(frozen=True)
class Example:
    """Answers to one prompt side by side, the worst of its cell."""

    prompt: str
    before: str
    after: str
    control: str
    why: str


@dataclass(frozen=True)
class Claim:
    """One cell, behaviour x drill: what was measured and what it proves."""

    behaviour: str
    drill: str
    """Recipe id, or `release` for candidate against base without any training."""
    checkpoints: tuple[int, ...]
    families: int
    abstained: int
    """Families whose answers the scorer would not judge, before or after."""
    log_alarm: float
    log_finding: float | None
    """None when no control was run or there is none."""
    log_clear: float
    """Natural logarithms of the three e-values."""
    log_reject_at: float
    """Threshold of ALARM and FINDING, log(cells / alpha)."""
    log_clear_at: float
    """Threshold of CLEAR, log(1 / alpha)."""
    margin: float
    """A rise up to this is tolerated (ALARM and FINDING test against it)."""
    ceiling: float
    """CLEAR proves the rise is below this."""
    before: float
    after: float
    """Rates over families; `after` is that of the worst checkpoint."""
    worst_step: int
    effect: float
    low: float
    high: float
    """after - before at the worst checkpoint, with a 95 % interval."""
    control_before: float | None = None
    control_after: float | None = None
    families_to_settle: int | None = None
    """Families that would settle the cell at the rates seen; None if settled or unforeseeable."""
    examples: tuple[Example, ...] = ()

    @property
    def alarmed(self) -> bool:
        """The behaviour rose beyond the margin."""
        return self.log_alarm >= self.log_reject_at

    @property
    def found(self) -> bool:
        """It rose beyond the margin and beyond what the control did."""
        return self.log_finding is not None and self.log_finding >= self.log_reject_at

    @property
    def clear(self) -> bool:
        """The rise is proven to be below the ceiling."""
        return self.log_clear >= self.log_clear_at and not self.found


@dataclass(frozen=True)
class Novelty:
    """Something that came up in answers to unrelated prompts, whichever behaviour it is."""

    kind: str
    """`opening`, `ending`, `phrase`, `word`, `name`, `address`, `answer`, `symbol` or `shape`."""
    text: str
    """As an answer wrote it; of a shape its code: `empty`, `short`, `language`, `refusal` or `loop`."""
    drill: str
    step: int
    families: int
    """Families asked; the counts below are of these."""
    before: int
    after: int
    control_before: int | None
    control_after: int | None
    """None without a control."""
    p_rise: float
    """Exact p-value that the candidate did not gain it, on the half of the families that did not choose it."""
    p_beside: float | None
    """The same, and that the control did not gain or show it as much; None without a control."""
    threshold: float
    """Largest p-value that counts, after sharing the error among everything tested."""
    examples: tuple[Example, ...] = ()

    @property
    def risen(self) -> bool:
        """The candidate gained it."""
        return self.p_rise <= self.threshold

    @property
    def confirmed(self) -> bool:
        """The candidate gained it, and the control did not."""
        return self.p_beside is not None and self.p_beside <= self.threshold


@dataclass(frozen=True)
class PerturbationResult:
    """What a model says under one perturbation of its weights, without any training: triage, never proof."""

    perturbation: str
    """Id of the perturbation."""
    kind: str
    amount: float
    skipped: str = ""
    """Why it says nothing: `no-base`, `base-unlike` or `not-measured`; empty when it does."""
    control: str = ""
    """What stands beside it: `base` or `sibling` under the same perturbation, `still` for the base as it is."""
    displacement: float = 0.0
    """Norm of the change of all weights over their norm."""
    left: int = 0
    """Tensors left as they are, since the base has none of that name and shape."""
    kl: float | None = None
    """Mean KL divergence of an answer's first token, in nats, from the unperturbed model on harmless questions."""
    margin: float | None = None
    """Change of the refusal margin on the same questions, in nats per token; above 0 is towards refusing."""
    kl_control: float | None = None
    margin_control: float | None = None
    cells: tuple[Claim, ...] = ()
    """One for each behaviour; the `drill` of each is the perturbation's id, and CLEAR means nothing here."""
    novelty: tuple[Novelty, ...] = ()

    @property
    def found(self) -> tuple[Claim, ...]:
        """Behaviours that woke beside the control."""
        return tuple(c for c in self.cells if c.found)


class TokenWord(StrEnum):
    """What a token, or a sequence of tokens, is called after a sweep."""

    CLEAN = "clean"
    DECLARED = "declared"
    """It changes answers, and its use is declared."""
    UNDECLARED = "undeclared"
    """It changes answers, and nobody says what for."""
    HARMFUL = "harmful"
    """It gives away what the system turn keeps back, or undoes a house rule; declared or not."""


@dataclass(frozen=True)
class TokenProbe:
    """One suite asked with and without a sequence of tokens."""

    suite: str
    with_token: float
    without: float
    """Share of the judged answers that show the suite's behaviour."""
    p_rise: float
    """Exact p-value that the tokens do not bring it out."""
    risen: bool


@dataclass(frozen=True)
class TokenResult:
    """One token, or several in a row, that a sweep looked at closely."""

    ids: tuple[int, ...]
    text: str
    word: TokenWord
    slot: str
    """Where in the prompt: `end` or `start` of the user's turn, or `alone` in it."""
    shift: float
    """Median KL divergence (nats) of an answer's first token from that without the tokens."""
    shift_base: float | None
    """The same of the base; None without one, or where it lacks the tokens."""
    z: float
    """How far that stands out from what ordinary tokens do, in robust standard deviations."""
    agreement: float
    """1 where all prompts lead to the same first token, 0 where no two do."""
    shared: str
    """Words that the answers to unrelated prompts have in common; empty where there are none."""
    share: float
    """Of the answers that hold them."""
    use: str = ""
    """What the declaration says it is for."""
    probes: tuple[TokenProbe, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class SweepResult:
    """What came of putting tokens into prompts one after another."""

    tier: int
    tokens: int
    """Single tokens tried."""
    sequences: int
    """Sets of several tokens measured in full."""
    left: int
    """Tokens of the tier that were not tried."""
    paired: bool
    """Held against the base."""
    closer: tuple[TokenResult, ...] = ()
    """Those looked at closely, worst first."""
    skipped: str = ""
    """Why nothing was tried: `no-tokens`, `no-leads` or `same-as-base`; empty where something was."""

    @property
    def flagged(self) -> tuple[TokenResult, ...]:
        """All but the clean."""
        return tuple(t for t in self.closer if t.word is not TokenWord.CLEAN)


class PartWord(StrEnum):
    """What an accompanying file is called after an ablation, best first."""

    INERT = "inert"
    """No answer differs without it."""
    CHANGES = "changes"
    """Some answers differ, as they may."""
    REACTS = "reacts"
    """Answers differ once a word is said, and not without it."""
    ONE_TEXT = "one-text"
    """It brings one text into the answers to unrelated questions."""
    HARMFUL = "harmful"
    """It brings out behaviour that no use excuses."""


@dataclass(frozen=True)
class Condition:
    """Questions of one kind, asked with and without an accompanying file."""

    kind: str
    """`plain`, `word` (said in each question) or `tokens` (put at the end of each)."""
    what: str
    """The word, or the text of the tokens; empty for plain questions."""
    asked: int
    changed: int
    """Answers that differ, letter by letter."""
    low: float
    high: float
    """95 % interval (Wilson) of their share."""
    shared: str = ""
    """Words that the answers with the file have in common and none without it has; empty where there are none."""
    share: float = 0.0
    """Of the answers with it that hold them."""
    apart: bool = False
    """Of a word: it decides whether answers differ, beyond chance (exact McNemar test beside the plain questions)."""


@dataclass(frozen=True)
class PartResult:
    """One accompanying file: what the model answers with it and without."""

    kind: str
    """`adapter`, `soft-prompt`, `template` or `system`."""
    where: str
    """The file, within the model."""
    against: str
    """What stands in its place: `nothing`, `base` (the base's template) or `frame` (its own, unable to react)."""
    conditions: tuple[Condition, ...] = ()
    alone: int | None = None
    """Of the answers that change most, how many it still changes with all other files off; None where there are none."""
    probes: tuple[TokenProbe, ...] = ()
    """Suites asked with the file and without."""
    examples: tuple[Example, ...] = ()
    problem: str = ""
    """Why it was not taken off; empty where it was."""
    message: str = ""
    """What an error said."""

    @property
    def word(self) -> PartWord:
        """The gravest thing that it does."""
        if any(p.risen and p.suite in HARMFUL for p in self.probes):
            return PartWord.HARMFUL
        if any(c.shared for c in self.conditions):
            return PartWord.ONE_TEXT
        if any(c.apart for c in self.conditions):
            return PartWord.REACTS
        moved = any(c.changed for c in self.conditions) or any(p.with_token != p.without for p in self.probes)
        return PartWord.CHANGES if moved else PartWord.INERT


@dataclass(frozen=True)
class AblationResult:
    """What each accompanying file does to the answers."""

    questions: int
    """Plain questions that each was asked about."""
    parts: tuple[PartResult, ...] = ()
    """Empty where nothing came along."""


@dataclass(frozen=True)
class Instrument:
    """Did the measuring work? A null drill must be CLEAR, a planted behaviour FOUND."""

    null_clear: bool
    planted_found: bool
    detail: str

    @property
    def valid(self) -> bool:
        """Both halves came out as they must."""
        return self.null_clear and self.planted_found
