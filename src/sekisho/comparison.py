"""Two models, one frozen set of questions: what rose, what is new, and the answers side by side.

Unlike a vet, nothing is trained and nothing is admitted: the base is another model of the user's, most often the
same one before its finetuning. Answers are kept in the cells of `vet`, so what was asked once is not asked again.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sekisho import inspected, policy, shipped
from sekisho.asking import ask
from sekisho.contrast import Contrast, questions
from sekisho.drills import plan as plans
from sekisho.drills import profile as profiles
from sekisho.drills import tasks
from sekisho.drills.grid import Opener
from sekisho.drills.plan import Plan
from sekisho.errors import DataError
from sekisho.evidence import compared as records
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.cells import kept_in
from sekisho.evidence.compared import Compared
from sekisho.models.address import is_endpoint
from sekisho.parties import Party, Request, admit
from sekisho.records import Facts, Timing
from sekisho.sources import cache as caches
from sekisho.training_log import entry, reading
from sekisho.watch import Clock, Observer, Unwatched

SIDES: Final = ("before", "after")


@dataclass(frozen=True)
class Options:
    """How two models are compared."""

    profile: str = "quick"
    """Its suites, languages and families; its drills are left out."""
    policy: str = "default"
    """Its margins, ceilings and error rates."""
    suites: tuple[Path, ...] = ()
    """The user's own questions, as in a vet."""
    base: str | None = None
    """Under an adapter; without one, the other model."""
    record: Path | None = None
    """Of the training between the two."""
    cache: Path = field(default_factory=caches.folder)
    out: Path | None = None
    """Folder for compare.json."""
    opener: Opener | None = None
    """Opens models instead of confined processes."""


def compare(
    before: str | Path,
    after: str | Path,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Compared:
    """Ask both models the same questions. Raises UsageError, ModelError, StorageError."""
    clock = Clock()
    plan = frozen(options)
    with clock.stage("inspect", watch):
        parties = _parties(str(before), str(after), options)
        trained = trained_between(options.record, parties) if options.record else ()
    with clock.stage("measure", watch), closing(kept_in(options.cache)) as kept:
        first, second = ask(plan, parties, kept, opener=options.opener, watch=watch)
        made = compared(Contrast(plan, first.answers, second.answers), parties)
    done = replace(made, timing=clock.timing(), trained=trained)
    if trained:
        done = replace(done, not_run=_open(done.not_run, dict(trained), parties[1]))
    if options.out is not None:
        dossiers.save(records.to_json(done), options.out / records.NAME)
    return done


def frozen(options: Options) -> Plan:
    """The question set and the terms, fixed before the first answer. Raises DataError."""
    chosen = policy.load(options.policy)
    return plans.make(profiles.load(options.profile), chosen, drills=(), suites=options.suites)


def compared(found: Contrast, parties: tuple[Party, Party]) -> Compared:
    """Write down what two models showed."""
    plan, (first, second) = found.plan, parties
    return Compared(
        schema=records.SCHEMA,
        tool=shipped.tool(),
        before=first.name,
        after=second.name,
        before_identity=first.subject.identity,
        after_identity=second.subject.identity,
        profile=plan.profile.id,
        languages=plan.profile.languages,
        policy=plan.policy.name,
        policy_digest=plan.policy.digest,
        plan_digest=_digest(plan),
        changes=found.changes,
        max_abstained=plan.policy.max_abstained,
        utility=found.utility,
        novelty=found.news,
        examples=found.examples(),
        environment=inspected.environment(),
        timing=Timing("", 0.0, ()),
        kinds=(first.kind, second.kind),
        roots=(first.root, second.root),
        bases=(first.base_root, second.base_root),
        questions_digest=questions(plan),
        not_run=tuple(f"{side}:{code}" for side, p in zip(SIDES, parties, strict=True) for code in p.not_run),
    )


def _parties(before: str, after: str, options: Options) -> tuple[Party, Party]:
    """Under an adapter lies the base that was named, else the model it is compared with."""

    def request(other: str) -> Request:
        return Request(options.policy, options.cache, options.base or ("" if is_endpoint(other) else other))

    return admit(before, request(after), side="before"), admit(after, request(before), side="after")


def trained_between(path: Path, parties: tuple[Party, Party]) -> Facts:
    """What a training record says, held against both models. Raises DataError where it is about others, or not whole."""
    record = reading.read(path)
    entry.whole(record)
    said = entry.summary(record)
    before, after = parties
    under = after.base_root or (before.base_root or before.root if before.served is None else "")
    _same(said.get("base_digest", ""), under, f"{path.name}: it began from another base than the one given")
    if after.served is None:
        message = f"{path.name}: what came of it is not the second model"
        _same(said.get("output_digest", ""), after.root, message)
    settings = said.pop("settings")
    return (
        *((k, str(v)) for k, v in said.items()),
        *((f"setting:{k}", str(v)) for k, v in sorted(settings.items())),
    )


def _open(codes: tuple[str, ...], said: Mapping[str, str], after: Party) -> tuple[str, ...]:
    """What could not be had, once a record is there: it ties AFTER to its base and its result only as far as it names them."""
    based, made = "base_digest" in said, "output_digest" in said or after.served is not None
    kept = tuple(c for c in codes if not (based and c == "after:adapter-base"))
    return kept + (() if based else ("before:record-base",)) + (() if made else ("after:record-output",))


def _same(said: str, found: str, message: str) -> None:
    if said and found and said != found:
        raise DataError(f"{message} (recorded {said[:12]}, found {found[:12]})")


def _digest(plan: Plan) -> str:
    """Over what is asked of both, in which order, and by which terms it is judged."""
    papers = {p.suite.id: [p.digest, [i.family for i in p.items]] for p in plan.papers}
    document = {"compare": records.SCHEMA, "papers": papers, "policy": plan.policy.digest}
    return tasks.digest({**document, "generation": tasks.GENERATION})
