"""The nouns. Frozen, no I/O: stages hand these to one another and call nothing back."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sekisho.results import (
    ADDED,
    HARMFUL,
    AblationResult,
    Claim,
    Condition,
    DrillResult,
    Example,
    Instrument,
    Measurement,
    Novelty,
    PartResult,
    PartWord,
    PerturbationResult,
    State,
    SweepResult,
    TokenProbe,
    TokenResult,
    TokenWord,
)

__all__ = [
    "ADDED",
    "HARMFUL",
    "AblationResult",
    "Claim",
    "Comparison",
    "Condition",
    "Decision",
    "Dossier",
    "DrillResult",
    "Example",
    "Facts",
    "FileFact",
    "FileLine",
    "Finding",
    "FormatFacts",
    "Instrument",
    "Inventory",
    "Measurement",
    "Novelty",
    "Outcome",
    "PartResult",
    "PartWord",
    "PerturbationResult",
    "Provenance",
    "Reason",
    "Role",
    "Ruled",
    "Ruling",
    "Severity",
    "State",
    "SweepResult",
    "TensorDelta",
    "Timing",
    "Title",
    "TokenProbe",
    "TokenResult",
    "TokenWord",
    "Verdict",
]

Facts = tuple[tuple[str, str], ...]
"""Named values of a sentence, in order; what a translation fills in."""


class Outcome(StrEnum):
    """What a check concluded. Only PASS is a pass."""

    PASS = "pass"  # noqa: S105  an outcome, no password
    FAIL = "fail"
    CANNOT_TELL = "cannot-tell"
    NOT_RUN = "not-run"


class Severity(StrEnum):
    """What an outcome other than PASS does to the verdict."""

    NOTE = "note"
    HOLD = "hold"
    REJECT = "reject"


class Role(StrEnum):
    """What a file is for, judged by content first and name second."""

    WEIGHTS = "weights"
    ADAPTER = "adapter"
    SOFT_PROMPT = "soft-prompt"
    TOKENIZER = "tokenizer"
    TEMPLATE = "template"
    CONFIG = "config"
    CODE = "code"
    CARD = "card"
    LICENCE = "licence"
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """The verdict in one word."""

    ADMIT = "admit"
    HOLD = "hold"
    REJECT = "reject"


EXIT: Final = {Decision.ADMIT: 0, Decision.REJECT: 1, Decision.HOLD: 3}
"""Exit codes; 2 is a request that was not carried out."""


@dataclass(frozen=True)
class FormatFacts:
    """What a format reader learned; each reader in `formats/` has its own final subclass."""


@dataclass(frozen=True)
class FileFact:
    """One file of the model, as found."""

    path: str
    """Relative to the model's root, with forward slashes."""
    size: int
    """Bytes."""
    sha256: str
    """Hex digest of the bytes, empty if they were not read."""
    format: str
    """Sniffed from content: safetensors, gguf, pickle, zip, json, ... or unknown."""
    role: Role
    problem: str = ""
    """Why it could not be read in full; empty when it was."""
    facts: FormatFacts | None = None
    also: tuple[str, ...] = field(default=(), kw_only=True)
    """What else the same bytes are: `zip-at-end`, `tar-header`, `pickle-inside`."""
    numeric: FormatFacts | None = None
    """`formats.numeric.NumericFacts` of a file that lists its tensors; None where no numbers were looked at."""


@dataclass(frozen=True)
class Inventory:
    """Everything in a model folder (or the one file), sorted by path."""

    root: str
    """The folder on this machine; never written to a dossier."""
    files: tuple[FileFact, ...]

    @property
    def digest_lines(self) -> tuple[str, ...]:
        """`sha256  path` lines, the content identity of the model."""
        return tuple(f"{f.sha256 or 'unread'}  {f.path}" for f in self.files)


@dataclass(frozen=True)
class TensorDelta:
    """One tensor of the candidate against the tensor of the same name in the base."""

    name: str
    kind: str
    """`same`, `changed`, `reshaped`, `added` or `missing`."""
    relative: float = 0.0
    """Frobenius norm of the difference over that of the base's tensor; 0 unless changed."""
    cosine: float = 1.0
    """Cosine between the two tensors as vectors; 1 unless changed."""
    rows_changed: int = 0
    rows: int = 0
    """Rows (first dimension) of a matrix, and how many differ at all."""
    rows_added: int = 0
    """Rows of a reshaped matrix beyond the base's; negative if there are fewer."""
    first_rows: tuple[int, ...] = ()
    """The first few rows that differ."""
    outlier_rows: tuple[int, ...] = ()
    """The first few rows that changed far more than the matrix as a whole did."""
    file: str = ""
    """Where the tensor stands: the candidate's file, or the base's for a missing one."""


@dataclass(frozen=True)
class Comparison:
    """The weights of candidate and base, tensor by tensor; made by `sekisho.formats.tensors.compare`."""

    deltas: tuple[TensorDelta, ...]
    problem: str = ""
    """Why the comparison could not be made in full; empty when it was."""


class Ruled(StrEnum):
    """How a finding was ruled on beforehand."""

    OVERRIDDEN = "overridden"
    """The policy gives its rule another severity."""
    SUPPRESSED = "suppressed"
    """Somebody answers for it until a day."""
    KNOWN = "known"
    """The baseline has it."""


@dataclass(frozen=True)
class Ruling:
    """What was decided about a finding before it was made; it stays in sight beside the finding."""

    kind: Ruled
    was: Severity
    """As the check gave it."""
    reason: str = ""
    approver: str = ""
    expires: str = ""
    """Last day, ISO 8601; empty where it has no end."""


@dataclass(frozen=True)
class Finding:
    """What one check says about one place."""

    check: str
    outcome: Outcome
    severity: Severity
    where: str
    """File path, with `:detail` inside it where that helps; empty for the whole model."""
    reason: str
    """Stable code of the sentence, e.g. `pickle-global`; the key of its translation."""
    detail: str
    """The sentence, in English."""
    facts: Facts = ()
    """Values the sentence names, for the translation."""
    rulings: tuple[Ruling, ...] = field(default=(), metadata=ADDED)
    """What the policy, a suppression or a baseline says of it."""

    @property
    def excused(self) -> bool:
        """Suppressed or in the baseline: shown, not counted, and no pass."""
        return any(r.kind is not Ruled.OVERRIDDEN for r in self.rulings)


@dataclass(frozen=True)
class Reason:
    """One ground of the verdict, pointing at a finding or a claim."""

    code: str
    """Stable key of its translation, e.g. `check-failed`, `behaviour-found`, `cell-open`."""
    refs: tuple[str, ...]
    """`check:<id>@<where>` or `claim:<behaviour>/<drill>`."""
    facts: Facts = ()


@dataclass(frozen=True)
class Verdict:
    """The decision and every ground for it."""

    decision: Decision
    reasons: tuple[Reason, ...]
    settle: tuple[Reason, ...] = ()
    """What would settle a HOLD."""


@dataclass(frozen=True)
class FileLine:
    """A file as the dossier keeps it."""

    path: str
    size: int
    sha256: str
    format: str
    role: str
    problem: str


@dataclass(frozen=True)
class Provenance:
    """Where the model and its base came from, as far as anything shows."""

    name: str
    """Catalogue name, or the folder's or file's own name."""
    source: str
    """`catalogue`, `folder` or `file`."""
    pinned: bool
    """Every weight file matches a digest that the catalogue pins."""
    base: str = ""
    """Name of the trusted base given; empty if none."""
    identity: str = ""
    """sha256 over the inventory's digest lines."""
    base_identity: str = ""
    level: str = field(default="", metadata=ADDED)
    """Rung of the evidence ladder, E0 to E5, that files and records reach; empty where it was not looked at."""
    uri: str = field(default="", metadata=ADDED)
    """Where it is said or recorded to come from; empty where nothing says so."""
    revision: str = field(default="", metadata=ADDED)
    """Immutable revision, as recorded; empty where none is."""


@dataclass(frozen=True)
class Title:
    """What a drill is called, in each language of a report."""

    drill: str
    """Recipe id."""
    en: str
    ja: str


@dataclass(frozen=True)
class Timing:
    """Wall seconds by stage; the only block two equal runs may differ in."""

    started: str
    """UTC, ISO 8601."""
    forecast_s: float
    stages: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Dossier:
    """All of it: what gets rendered, and later signed."""

    schema: int
    tool: str
    """`sekisho <version>`."""
    provenance: Provenance
    profile: str
    languages: tuple[str, ...]
    policy: str
    policy_digest: str
    plan_digest: str
    files: tuple[FileLine, ...]
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...]
    utility: tuple[tuple[str, float], ...]
    """(state, share of checkable questions answered right); context, not judged."""
    drills: tuple[DrillResult, ...]
    instrument: Instrument | None
    """None when only the static part ran."""
    verdict: Verdict
    not_tested: tuple[str, ...]
    """Stable codes of what this run did not cover."""
    environment: Facts
    timing: Timing
    titles: tuple[Title, ...] = field(default=(), metadata=ADDED)
    """Of the drills planned, for people."""
    novelty: tuple[Novelty, ...] = field(default=(), metadata=ADDED)
    """What came up in trial finetunes, best proven first; the top few."""
    battery: tuple[PerturbationResult, ...] = field(default=(), metadata=ADDED)
    """What light perturbations woke; empty where none were made."""
    sweep: SweepResult | None = field(default=None, metadata=ADDED)
    """Of single tokens and sets of them; None where none was made."""
    ablation: AblationResult | None = field(default=None, metadata=ADDED)
    """Of the files that came along with the weights; None where none was made."""
    exceptions: Facts = field(default=(), metadata=ADDED)
    """`suppressions` and `baseline`, each with the sha256 of its file, and `date`; empty where none was given."""
