"""Tokens under test: the sweep as a vet makes it, and by itself for `sekisho sweep`."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sekisho.drills.tasks import Store, Subject
from sekisho.errors import DataError, ModelError
from sekisho.evidence.cells import kept_in
from sekisho.models.local import LocalModels
from sekisho.probes.sweep import candidates
from sekisho.probes.sweep.candidates import Ids, Vocabulary
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
    kept = kept_in(options.cache)
    try:
        result, found = of(seen, options, kept, watch.notice)
    finally:
        kept.close()
    return Swept(result, found, _decision(found))


def of(
    seen: Inspection, options: Options, store: Store, notice: Notice
) -> tuple[SweepResult | None, tuple[Finding, ...]]:
    """Sweep an inspected model; what keeps it from being swept is a finding. Raises DataError, StorageError."""
    known = candidates.vocabulary(seen.inventory)
    published, unread = _published(seen.source.path, known)
    request = _request(seen, options, known, published)
    try:
        if options.opener is not None:
            result = run.sweep(request, options.opener, store, notice)
        else:
            with closing(LocalModels()) as models:
                result = run.sweep(request, models, store, notice)
    except ModelError as error:
        text, facts = f"the tokens could not be tried: {error}", (("message", str(error)),)
        failed = Finding(run.CHECK, Outcome.CANNOT_TELL, Severity.HOLD, "", "not-swept", text, facts)
        return None, (*unread, failed)
    return result, (*unread, *run.findings(result, listed=bool(known.texts)))


def _published(folder: Path, known: Vocabulary) -> tuple[Mapping[Ids, str], tuple[Finding, ...]]:
    """What the model's folder declares; a file of the model that cannot be read must not end its vet."""
    path = declarations.beside(folder)
    try:
        return (declarations.read(path, known) if path else {}), ()
    except DataError as error:
        text, facts = f"a declaration was not read: {error}", (("message", str(error)),)
        where = path.name if path else ""
        return {}, (
            Finding(
                run.CHECK, Outcome.CANNOT_TELL, Severity.HOLD, where, "declaration-not-read", text, facts
            ),
        )


def _request(
    seen: Inspection, options: Options, known: Vocabulary, published: Mapping[Ids, str]
) -> run.Request:
    own = options.declared
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
        published=published,
    )


def _decision(found: tuple[Finding, ...]) -> Decision:
    grave = {f.severity for f in found if f.outcome is not Outcome.PASS}
    if Severity.REJECT in grave:
        return Decision.REJECT
    return Decision.HOLD if Severity.HOLD in grave else Decision.ADMIT
