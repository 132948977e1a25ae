"""Which accompanying file does what: the ablation as a vet makes it, and by itself for `sekisho ablate`."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sekisho.ablating import findings, run
from sekisho.ablating import parts as kinds
from sekisho.ablating.arms import Layout
from sekisho.ablating.bench import Arm, Arranger, Notice
from sekisho.ablating.run import Request
from sekisho.drills.grid import Opener
from sekisho.drills.tasks import Store, digest
from sekisho.errors import UsageError
from sekisho.evidence.cells import kept_in
from sekisho.models.base import Model
from sekisho.models.local import LocalModels
from sekisho.probes.sweep import questions
from sekisho.probes.sweep.candidates import Ids
from sekisho.records import AblationResult, Decision, Finding, Outcome, Severity, SweepResult
from sekisho.sources import cache as caches
from sekisho.static import Inspection, identity, inspect
from sekisho.watch import Observer, Unwatched

TRIGGERS: Final = 2
"""Token sequences flagged by a sweep that each part is asked about."""
CARRIED: Final = frozenset(
    {
        "chat-template", "tokenizer-delta", "generation-config", "peft-adapter", "loose-vectors", "weights-delta",
        "embedding-rows-delta", "reserved-rows", "row-outliers", "duplicate-groups",
    }
)  # fmt: skip
"""Checks that reject for what a file makes a model say; an ablation is there to tell which file that is."""


@dataclass(frozen=True)
class Options:
    """How accompanying files are looked into."""

    policy: str = "default"
    suites: tuple[str, ...] = questions.SUITES
    """Of behaviours that are asked with and without each file."""
    triggers: tuple[tuple[Ids, str], ...] = ()
    """Token sequences, each with its text, that are put at the end of questions."""
    seconds: float = 0.0
    """Files whose forecast is longer are left; 0 leaves none."""
    cache: Path = field(default_factory=caches.folder)
    arranger: Arranger | None = None
    """Opens arrangements instead of confined processes."""


@dataclass(frozen=True)
class Ablated:
    """An ablation by itself."""

    result: AblationResult
    findings: tuple[Finding, ...]
    decision: Decision
    """On the accompanying files alone: an ADMIT here says nothing about anything else."""


def ablate(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Ablated:
    """Inspect the files, then ask with and without each. Raises UsageError, StorageError.

    What is rejected for the behaviour it carries is opened all the same, as the sweep does; files that may run code
    or mislead a loader are not: that is a UsageError.
    """
    watch.stage("inspect")
    seen = inspect(path, base, policy=options.policy, cache=options.cache)
    if any(f.severity is Severity.REJECT and f.check not in CARRIED for f in seen.findings):
        raise UsageError(
            f"{seen.source.name}: its files are rejected, so it is not opened; see sekisho inspect"
        )
    watch.stage("ablation")
    with closing(kept_in(options.cache)) as kept:
        result, found = of(seen, options, kept, watch.notice)
    return Ablated(result, found, _decision(found))


def of(
    seen: Inspection, options: Options, store: Store, notice: Notice
) -> tuple[AblationResult, tuple[Finding, ...]]:
    """Take every accompanying file of an inspected model off and on again. Raises StorageError."""
    request = Request(layout(seen), options.triggers, options.suites, options.seconds)
    if options.arranger is not None or not any(not p.problem for p in request.layout.parts):
        result = run.ablate(request, options.arranger or _nothing, store, notice)
    else:
        with closing(LocalModels()) as models:
            result = run.ablate(request, lambda arm: _opened(models, arm), store, notice)
    return result, findings.findings(result)


def layout(seen: Inspection) -> Layout:
    """What of an inspected model can be taken off, and what it lies on."""
    files, others = seen.inventory, seen.base_inventory
    found = kinds.parts(files, others, seen.findings)
    under = seen.base.path if seen.base is not None else None
    core = under if under is not None and kinds.is_adapter(files) else seen.source.path
    who = digest(["ablation", identity(files), identity(others) if others is not None else ""])
    return Layout(seen.source.path, core, who, found, under)


def triggers(swept: SweepResult | None) -> tuple[tuple[Ids, str], ...]:
    """The sequences that a sweep flagged first."""
    flagged: Sequence[tuple[Ids, str]] = [(t.ids, t.text) for t in swept.flagged] if swept else []
    return tuple(flagged[:TRIGGERS])


def through(opener: Opener) -> Arranger:
    """An arranger of models made elsewhere, which know no adapter and no other template."""
    return lambda arm: opener(arm.core)


def _opened(models: LocalModels, arm: Arm) -> Model:
    return models(arm.core, arm.adapter, arm.template)


def _nothing(arm: Arm) -> Model:
    raise UsageError(f"{arm.core.name}: nothing of it can be taken off")


def _decision(found: Iterable[Finding]) -> Decision:
    """What could not be tried holds as well; an ablation never rejects."""
    return Decision.ADMIT if all(f.outcome is Outcome.PASS for f in found) else Decision.HOLD
