"""Tokens under test: the sweep as a vet makes it, and by itself for `sekisho sweep`."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sekisho.drills.tasks import Store, Subject
from sekisho.errors import ModelError
from sekisho.evidence.ledger import Ledger
from sekisho.models.local import LocalModels
from sekisho.probes.sweep import candidates
from sekisho.probes.sweep.leads import leads
from sekisho.probes.sweep.settings import Settings
from sekisho.records import Decision, Finding, Outcome, Severity, SweepResult
from sekisho.sources import cache as caches
from sekisho.static import Inspection, identity, inspect
from sekisho.sweeping import declared as declarations
from sekisho.sweeping import run
from sekisho.sweeping.bench import Notice, Opener
from sekisho.watch import Observer, Unwatched


@dataclass(frozen=True)
class Options:
    """How a model's tokens are swept."""

    settings: Settings = field(default_factory=Settings)
    declared: Path | None = None
    """The user's own declaration of what tokens are for."""
    cache: Path = field(default_factory=caches.folder)
    opener: Opener | None = None
    """Opens models instead of confined processes."""


@dataclass(frozen=True)
class Swept:
    """A sweep by itself."""

    result: SweepResult | None
    findings: tuple[Finding, ...]
    decision: Decision
    """On the tokens alone: an ADMIT here says nothing about anything else."""


def sweep(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Swept:
    """Inspect the files, then try the tokens whatever the files show. Raises UsageError, StorageError."""
    watch.stage("inspect")
    seen = inspect(path, base, cache=options.cache)
    watch.stage("sweep")
    ledger = Ledger(options.cache / "ledger.sqlite")
    try:
        result, found = of(seen, options, ledger, watch.notice)
    finally:
        ledger.close()
    return Swept(result, found, _decision(found))


def of(
    seen: Inspection, options: Options, store: Store, notice: Notice
) -> tuple[SweepResult | None, tuple[Finding, ...]]:
    """Sweep an inspected model; what keeps it from being swept is a finding. Raises DataError, StorageError."""
    request = _request(seen, options)
    try:
        if options.opener is not None:
            result = run.sweep(request, options.opener, store, notice)
        else:
            with closing(LocalModels()) as models:
                result = run.sweep(request, models, store, notice)
    except ModelError as error:
        text, facts = f"the tokens could not be tried: {error}", (("message", str(error)),)
        return None, (Finding(run.CHECK, Outcome.CANNOT_TELL, Severity.HOLD, "", "not-swept", text, facts),)
    return result, run.findings(result)


def _request(seen: Inspection, options: Options) -> run.Request:
    known = candidates.vocabulary(seen.inventory)
    own = options.declared
    published = declarations.beside(seen.source.path)
    base = None
    if seen.base is not None and seen.base_inventory is not None:
        base = Subject(seen.base.path, identity(seen.base_inventory))
    return run.Request(
        subject=Subject(seen.source.path, identity(seen.inventory)),
        files=seen.inventory,
        base=base,
        base_files=seen.base_inventory,
        findings=seen.findings,
        leads=leads(seen.tables),
        same=any(f.check == "weights-delta" and f.reason == "identical" for f in seen.findings),
        settings=options.settings,
        declared=declarations.read(own, known) if own else {},
        published=declarations.read(published, known) if published else {},
    )


def _decision(found: tuple[Finding, ...]) -> Decision:
    grave = {f.severity for f in found if f.outcome is not Outcome.PASS}
    if Severity.REJECT in grave:
        return Decision.REJECT
    return Decision.HOLD if Severity.HOLD in grave else Decision.ADMIT
