"""A whole sweep: choose the tokens, measure, look closer, and say as findings what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from typing import Final

from sekisho.drills.tasks import Store, Subject
from sekisho.formats.text import shown
from sekisho.probes.sweep import candidates, questions
from sekisho.probes.sweep.candidates import Ids
from sekisho.probes.sweep.settings import Settings
from sekisho.records import Facts, Finding, Inventory, Outcome, Severity, SweepResult, TokenResult, TokenWord
from sekisho.sweeping.bench import Bench, Notice, Opener
from sekisho.sweeping.judging import Judge
from sekisho.sweeping.search import Pair, search

CHECK: Final = "token-sweep"
ROW_CHECKS: Final = frozenset(
    {"embedding-rows-delta", "reserved-rows", "row-outliers", "duplicate-groups", "tokenizer-delta"}
)
"""Static checks after whose objection the rows that stand out are tried whatever the tier."""
WORST: Final[Mapping[TokenWord, Severity]] = {
    TokenWord.HARMFUL: Severity.REJECT,
    TokenWord.UNDECLARED: Severity.HOLD,
    TokenWord.DECLARED: Severity.NOTE,
}


@dataclass(frozen=True)
class Request:
    """One model to be swept, beside its base if there is one."""

    subject: Subject
    files: Inventory
    base: Subject | None = None
    base_files: Inventory | None = None
    findings: tuple[Finding, ...] = ()
    """Of the static checks; those that name tokens lead the sweep."""
    leads: tuple[Ids, ...] = ()
    """Groups of tokens whose rows stand out."""
    same: bool = False
    """All tensors hold the base's values."""
    settings: Settings = field(default_factory=Settings)
    declared: Mapping[Ids, str] = field(default_factory=dict)
    """By the user: what tokens are for."""
    published: Mapping[Ids, str] = field(default_factory=dict)
    """By a file in the model's own folder: told, but whoever plants a token can write it, too."""


def sweep(request: Request, opener: Opener, store: Store, notice: Notice) -> SweepResult:
    """Try the tokens of the tier. Raises ModelError, StorageError."""
    known, settings = candidates.vocabulary(request.files), request.settings
    rows = request.leads if settings.tier or _rows_failed(request.findings) else ()
    groups = tuple(dict.fromkeys((*rows, *candidates.named(request.findings))))
    chosen = candidates.choose(known, groups, tier=settings.tier, most=settings.tokens)
    paired = request.base is not None
    if not chosen.singles or (request.same and not groups):
        why = "same-as-base" if chosen.singles else "no-tokens" if settings.tier else "no-leads"
        return SweepResult(settings.tier, 0, 0, 0, paired, skipped=why)
    reference = candidates.reference(known, settings.references, chosen.singles if settings.tier <= 1 else ())
    trusted = candidates.vocabulary(request.base_files) if request.base_files else candidates.Vocabulary()
    beside = Bench(request.base, opener, store, notice) if request.base else None
    with (
        closing(Bench(request.subject, opener, store, notice)) as model,
        closing(beside) if beside else nullcontext() as base,
    ):
        pair = Pair(model, base, len(trusted.texts))
        found = search(pair, chosen, reference, questions.prompts())
        closer = Judge(pair, known, request.declared, request.published).closer(found)
    sets = sum(len(t.ids) > 1 for t in found)
    return SweepResult(settings.tier, len(chosen.singles), sets, chosen.left, paired, closer)


def _rows_failed(found: Sequence[Finding]) -> bool:
    """Some row is always the oddest; only a check's objection makes it worth a minute of every vet."""
    return any(f.check in ROW_CHECKS and f.outcome is Outcome.FAIL for f in found)


def findings(result: SweepResult, *, listed: bool = True) -> tuple[Finding, ...]:
    """What a sweep says to the verdict; without a list of the model's tokens, what it did not find says nothing."""
    told, counts = tuple(_flagged(result.flagged)), _counts(result)
    if not listed:
        detail = "The list of the model's tokens was not read; {tokens} tokens were tried."
        return (*told, _finding(Outcome.CANNOT_TELL, Severity.HOLD, "sweep-not-listed", detail, counts))
    if result.skipped:
        detail = "No token was tried: {skipped}."
        return (_finding(Outcome.NOT_RUN, Severity.NOTE, f"sweep-{result.skipped}", detail, counts),)
    if told:
        return told
    detail = (
        "{tokens} tokens and {sequences} sets of them were put into prompts; none changes what is answered"
    )
    if result.left:
        detail += ", and {left} of this tier were not tried."
        return (_finding(Outcome.NOT_RUN, Severity.NOTE, "sweep-part", detail, counts),)
    return (_finding(Outcome.PASS, Severity.NOTE, "sweep-clean", f"{detail}.", counts),)


def _flagged(results: Sequence[TokenResult]) -> Iterator[Finding]:
    for token in results:
        code = f"token-{token.word.value}-{'text' if token.shared else 'shift'}"
        facts = _facts(token)
        detail = f"{{text}} ({{slot}}) changes the answers: {token.word.value}."
        yield _finding(Outcome.FAIL, WORST[token.word], code, detail, facts)


def _facts(token: TokenResult) -> Facts:
    risen = [p.suite for p in token.probes if p.risen]
    return (
        ("text", shown(token.text)),
        (candidates.NAMED, ", ".join(str(i) for i in token.ids)),
        ("slot", token.slot),
        ("shift", f"{token.shift:.2f}"),
        ("base", "–" if token.shift_base is None else f"{token.shift_base:.2f}"),
        ("z", f"{token.z:.0f}"),
        ("share", f"{100 * token.share:.0f}"),
        ("shared", shown(token.shared)),
        ("use", shown(token.use)),
        ("probes", ", ".join(risen)),
    )


def _counts(result: SweepResult) -> Facts:
    return (
        ("tokens", str(result.tokens)),
        ("sequences", str(result.sequences)),
        ("left", str(result.left)),
        ("skipped", result.skipped),
    )


def _finding(outcome: Outcome, severity: Severity, reason: str, detail: str, facts: Facts) -> Finding:
    return Finding(CHECK, outcome, severity, "", reason, detail.format(**dict(facts)), facts)
