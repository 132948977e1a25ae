"""When a claim stands: a pure function of the two documents and of what was measured.

Black-box evidence is what plain text gets out of the suspect, white-box evidence what its published table holds. Each is
judged by itself; a claim is established by the first alone, and refuted by either. Silence never establishes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sekisho.errors import DataError
from sekisho.ownership import commitment as commitments
from sekisho.ownership.commitment import CANDIDATES, SCHEMA, Commitment, Reason, Secret
from sekisho.stats.intervals import exceeds

LEVEL: Final = 1e-9
"""The hits must be rarer than this by chance."""
CONTROL_LEVEL: Final = 1e-3
"""Hits of a control rarer than this are no chance: what it shows, other models show, too."""
CONTROLS: Final = 5
"""Unrelated models that must have been asked."""
REFUTING: Final = frozenset(
    {
        "secret-does-not-open", "form-unknown", "wrong-count", "text-too-long", "candidates-alike", "prompts-alike",
        "prompt-holds-answer", "answers-not-derived", "committed-after-publication", "base-answers-too",
        "control-answers-too", "row-in-base",
    }
)  # fmt: skip
"""Reasons that show the claim to be false; the others leave it open."""
OPEN: Final = frozenset(
    {
        "too-few-hits", "too-few-controls", "no-base", "other-base", "no-publication-time", "no-rows",
        "rows-not-read", "row-differs", "undeclared-rows", "not-asked",
    }
)  # fmt: skip


class Outcome(StrEnum):
    """What became of a claim."""

    ESTABLISHED = "established"
    REFUTED = "refuted"
    OPEN = "not-established"


@dataclass(frozen=True)
class Asked:
    """A model and its answers to the committed prompts."""

    name: str
    identity: str
    """sha256 over its files, so that one model does not count twice."""
    answers: tuple[str, ...]


@dataclass(frozen=True)
class RowsSeen:
    """The declared rows in the suspect's own table, beside the base's."""

    problem: str = ""
    """Why they could not be read; empty when they were."""
    equal: tuple[int, ...] = ()
    """Ids whose bytes are as committed."""
    other: tuple[int, ...] = ()
    in_base: tuple[int, ...] = ()
    """Ids whose committed bytes the clean base holds as well."""
    undeclared: int | None = None
    """Rows that differ from the base's without being declared; None without a base."""


@dataclass(frozen=True)
class Evidence:
    """What was measured."""

    suspect: Asked | None = None
    """None where the documents alone decided."""
    base: Asked | None = None
    base_matches: bool = False
    """Its tensors are those committed to."""
    unrelated: tuple[Asked, ...] = ()
    rows: RowsSeen = RowsSeen()
    published: str = ""
    """When the suspect appeared, ISO 8601."""
    witnessed: str = ""
    """When somebody else saw the commitment: an RFC 3161 timestamp, a public log."""


@dataclass(frozen=True)
class Part:
    """One kind of evidence, judged by itself."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Control:
    """A model that must not know the answers."""

    name: str
    hits: int
    counted: bool
    """False for one that stands here twice, is the suspect or its base, or says nothing."""


@dataclass(frozen=True)
class Judged:
    """A claim, judged."""

    schema: int
    outcome: Outcome
    black_box: Part
    white_box: Part
    digest: str
    """Of the commitment."""
    committed: str
    witnessed: str
    published: str
    note: str
    prompts: int
    hits: int
    p: float
    """P(Binomial(prompts, 1/256) >= hits)."""
    controls: tuple[Control, ...]
    """The clean base first, where it was given."""
    rows: RowsSeen


def objections(secret: Secret, commitment: Commitment, evidence: Evidence) -> tuple[Reason, ...]:
    """What the two documents and the order in time say against a claim, before any model is asked."""
    found = list(commitments.faults(secret))
    if commitment.schema != SCHEMA or commitments.digest(secret) != commitment.digest:
        found.append(Reason("secret-does-not-open", (("digest", commitments.digest(secret)),)))
    if not evidence.published:
        found.append(Reason("no-publication-time"))
    else:
        made = max(moment(t) for t in (commitment.time, evidence.witnessed) if t)
        if made >= moment(evidence.published):
            times = (("committed", made.isoformat()), ("published", evidence.published))
            found.append(Reason("committed-after-publication", times))
    return tuple(found)


def hopeless(reasons: tuple[Reason, ...]) -> bool:
    """Whether no model needs to be asked any more."""
    return any(r.code in REFUTING for r in reasons)


def decide(secret: Secret, commitment: Commitment, evidence: Evidence) -> Judged:
    """Judge a claim. Raises DataError for a time that is none."""
    against = objections(secret, commitment, evidence)
    suspect = evidence.suspect
    found = commitments.hits(secret, suspect.answers) if suspect else 0
    p = _chance(found, len(secret.prompts))
    controls = tuple(_controls(secret, evidence))
    if hopeless(against) or suspect is None:
        black = white = _part((*against, Reason("not-asked")))
    else:
        shown = () if p < LEVEL else (Reason("too-few-hits", _rate(found, secret)),)
        black = _part((*against, *shown, *_against_controls(secret, evidence, controls)))
        white = _part((*against, *_against_rows(secret, evidence)))
    refuted = Outcome.REFUTED in (black.outcome, white.outcome)
    return Judged(
        schema=SCHEMA,
        outcome=Outcome.REFUTED if refuted else black.outcome,
        black_box=black,
        white_box=white,
        digest=commitment.digest,
        committed=commitment.time,
        witnessed=evidence.witnessed,
        published=evidence.published,
        note=secret.note,
        prompts=len(secret.prompts),
        hits=found,
        p=p,
        controls=controls,
        rows=evidence.rows,
    )


def moment(text: str) -> datetime:
    """A time with its zone; a bare date is its first moment in UTC. Raises DataError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{text[:40]!r} is no time in ISO 8601") from error
    bare = "T" not in text and ":" not in text
    if found.tzinfo is None and not bare:
        raise DataError(f"{text[:40]!r} names no time zone")
    return found.replace(tzinfo=UTC) if bare else found.astimezone(UTC)


def _chance(found: int, prompts: int) -> float:
    return exceeds(found, prompts, 1 / CANDIDATES) if prompts else 1.0


def _controls(secret: Secret, evidence: Evidence) -> Iterator[Control]:
    """The base, then the unrelated models; each identity counts once."""
    seen = {evidence.suspect.identity} if evidence.suspect else set()
    for model in (*((evidence.base,) if evidence.base else ()), *evidence.unrelated):
        speaks = 2 * sum(bool(a.strip()) for a in model.answers) > len(model.answers)
        counted = speaks and model.identity not in seen
        seen.add(model.identity)
        yield Control(model.name, commitments.hits(secret, model.answers), counted)


def _against_controls(secret: Secret, evidence: Evidence, controls: tuple[Control, ...]) -> Iterator[Reason]:
    based = bool(evidence.base)
    if not based:
        yield Reason("no-base")
    elif not evidence.base_matches:
        yield Reason("other-base")
    for number, control in enumerate(controls):
        if _chance(control.hits, len(secret.prompts)) < CONTROL_LEVEL:
            code = "base-answers-too" if based and number == 0 else "control-answers-too"
            yield Reason(code, (("name", control.name), *_rate(control.hits, secret)))
    counted = sum(c.counted for c in controls[based:])
    if counted < CONTROLS:
        yield Reason("too-few-controls", (("counted", str(counted)), ("needed", str(CONTROLS))))


def _against_rows(secret: Secret, evidence: Evidence) -> Iterator[Reason]:
    rows = evidence.rows
    if not secret.rows:
        yield Reason("no-rows")
        return
    if rows.problem:
        yield Reason("rows-not-read", (("problem", rows.problem),))
        return
    if rows.in_base:
        yield Reason("row-in-base", (("ids", _listed(rows.in_base)),))
    if set(rows.equal) != secret.ids or rows.other:
        yield Reason("row-differs", (("ids", _listed(sorted(secret.ids - set(rows.equal)))),))
    if evidence.base is None or rows.undeclared is None:
        yield Reason("no-base")
    elif not evidence.base_matches:
        yield Reason("other-base")
    elif rows.undeclared:
        yield Reason("undeclared-rows", (("count", str(rows.undeclared)),))


def _part(reasons: tuple[Reason, ...]) -> Part:
    if hopeless(reasons):
        return Part(Outcome.REFUTED, reasons)
    return Part(Outcome.OPEN if reasons else Outcome.ESTABLISHED, reasons)


def _rate(found: int, secret: Secret) -> tuple[tuple[str, str], ...]:
    k = len(secret.prompts)
    return (("hits", str(found)), ("prompts", str(k)), ("p", f"{_chance(found, k):.2g}"))


def _listed(ids: tuple[int, ...] | list[int]) -> str:
    return ", ".join(str(i) for i in ids[:8]) + ("…" if len(ids) > 8 else "")  # noqa: PLR2004
