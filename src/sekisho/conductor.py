"""The conductor: inspect the files, then ask the model, then rehearse its finetuning, then decide.

Everything measured is kept in the cache at once; the same request run again picks up where it stopped.
"""

import json
import math
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sekisho import ablation, draft, fingerprints, policy, rulings, tokens, verdict
from sekisho.drills import novelty, outcomes, rounds
from sekisho.drills import plan as plans
from sekisho.drills import profile as profiles
from sekisho.drills.costs import remaining, wall, weights, workers
from sekisho.drills.grid import Grid, Opener
from sekisho.drills.plan import Plan
from sekisho.drills.ray_grid import RayGrid
from sekisho.drills.recipe import Recipe
from sekisho.drills.tasks import Subject
from sekisho.drills.trial import Engine, Failure
from sekisho.errors import ModelError, UsageError
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.cells import Cells, kept_in
from sekisho.models.local import LocalModels
from sekisho.policy import Policy
from sekisho.probes import suite
from sekisho.probes.sweep import questions
from sekisho.records import AblationResult, Decision, Dossier, Finding, Outcome, Severity, SweepResult
from sekisho.rulings import Exceptions
from sekisho.sources import cache as caches
from sekisho.static import NOBODY as NO_BASE
from sekisho.static import Inspection, identify, identity, inspect
from sekisho.watch import Clock, Observer, Unwatched

LOADS: Final = "model-loads"
ENGINES: Final = ("local", "ray")


@dataclass(frozen=True)
class Options:
    """How a model is vetted."""

    profile: str = "quick"
    policy: str = "default"
    drills: tuple[str | Recipe, ...] | None = None
    """Instead of the profile's; () asks the model without training it."""
    rehearsals: tuple[str | Recipe, ...] = ()
    """Planned and reported before the profile's: the user's own training."""
    battery: bool | None = None
    """Whether light perturbations are asked under; None leaves it to the profile."""
    sibling: str | Path | None = None
    """Another trusted finetune of the same base: what stretching any finetune does is told by it."""
    only_battery: bool = False
    """Nothing is asked but under light perturbations."""
    data: Path | None = None
    """The user's own training file, for recipes with data = "user"."""
    suites: tuple[Path, ...] = ()
    """The user's own questions: XSTest, JailbreakBench or StrongREJECT files, or a folder in our format."""
    declared: Path | None = None
    """What tokens are for, declared by the user: see `sweeping.declared`."""
    cache: Path = field(default_factory=caches.folder)
    out: Path | None = None
    """Folder for plan.json and dossier.json."""
    engine: str = "local"
    """Where trials run: a key of ENGINES."""
    address: str = ""
    """Of a running Ray cluster; empty starts one on this machine."""
    opener: Opener | None = None
    """Opens models for the local engine instead of confined processes."""
    exceptions: Exceptions = rulings.NONE
    """Suppressions and a baseline, from `rulings.load`."""


def vet(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Dossier:
    """Inspect, ask, rehearse and decide. Raises UsageError, StorageError."""
    clock = Clock()
    chosen, outline = _outline(options)  # before hashing: what is wrong with the request shows at once
    if options.out is not None:
        dossiers.expect(options.out)
    with clock.stage("inspect", watch):
        seen = _seen(path, base, options)
        plan = _plan(outline, seen, options)
    if options.out is not None:
        text = json.dumps(plan.document(), indent=1, sort_keys=True, ensure_ascii=False)
        dossiers.save(text.encode("utf-8") + b"\n", options.out / "plan.json")
    dossier = draft.of(seen, plan, chosen)
    if seen.verdict.decision is not Decision.REJECT:
        kept = kept_in(options.cache)
        try:
            dossier = _measured(dossier, seen, plan, _Desk(options, kept, clock, watch))
        finally:
            kept.close()
    done = replace(dossier, timing=clock.timing())
    if options.out is not None:
        dossiers.write(done, options.out)
    return done


def planned(
    path: str | Path, base: str | Path | None = None, *, options: Options = Options()
) -> tuple[Inspection, Plan, Policy]:
    """What `vet` would measure and by which policy, fixed before anything is asked. Raises UsageError."""
    chosen, outline = _outline(options)
    seen = _seen(path, base, options)
    return seen, _plan(outline, seen, options), chosen


def probe(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Dossier:
    """As `vet`, without any drill: at best HOLD, since what finetuning wakes was not looked for."""
    return vet(path, base, options=replace(options, drills=()), watch=watch)


def drill(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Dossier:
    """As `vet`, with the drills of `options` (default: `user-data` on `options.data`) instead of the profile's."""
    return vet(path, base, options=replace(options, drills=options.drills or ("user-data",)), watch=watch)


def perturb(
    path: str | Path,
    base: str | Path | None = None,
    *,
    options: Options = Options(),
    watch: Observer = Unwatched(),
) -> Dossier:
    """Inspect, then ask under light perturbations of the weights only: triage, so at best HOLD."""
    return vet(path, base, options=replace(options, drills=(), battery=True, only_battery=True), watch=watch)


def _outline(options: Options) -> tuple[Policy, Plan]:
    """The policy, and the plan without any model. Raises UsageError."""
    chosen = policy.load(options.policy)
    return chosen, plans.make(
        profiles.with_battery(profiles.load(options.profile), options.battery),
        chosen,
        drills=options.drills,
        rehearsals=options.rehearsals,
        own=options.data,
        suites=options.suites,
    )


def _seen(path: str | Path, base: str | Path | None, options: Options) -> Inspection:
    return inspect(path, base, policy=options.policy, cache=options.cache, exceptions=options.exceptions)


def _plan(outline: Plan, seen: Inspection, options: Options) -> Plan:
    plan = replace(outline.of(*_subjects(seen)), sibling=_sibling(options))
    return plan.shaken_only() if options.only_battery else plan


@dataclass(frozen=True)
class _Desk:
    """What the measuring needs besides the plan."""

    options: Options
    cells: Cells
    clock: Clock
    watch: Observer


def _measured(dossier: Dossier, seen: Inspection, plan: Plan, desk: _Desk) -> Dossier:
    """Run the plan as far as the model allows, and decide on what came of it."""
    swept, heard = _swept(seen, plan, desk)
    tried = _attempted(seen, plan, desk)
    ablated, apart = _ablated(seen, plan, desk, swept)
    made = [*heard, *tried, *apart, *outcomes.findings(plan, desk.cells)]
    known = fingerprints.files(seen.inventory.files)
    findings = [
        *dossier.findings,
        *rulings.apply(made, known, plan.policy, desk.options.exceptions, measured=True),
    ]
    with desk.clock.stage("decide", desk.watch):
        claims, checked = plan.claims(desk.cells), plan.instrument(desk.cells)
        new, shaken = novelty.gained(plan, desk.cells), plan.shaken(desk.cells)
        decided = verdict.decide(
            plan.policy,
            findings,
            claims=claims,
            expected_cells=plan.cells,
            instrument=checked,
            has_base=plan.base is not None,
            dynamic=True,
            novelty=new,
            battery=shaken,
        )
    return replace(
        dossier,
        findings=tuple(findings),
        claims=claims,
        utility=plan.context(desk.cells),
        drills=plan.results(desk.cells),
        instrument=checked,
        verdict=decided,
        not_tested=(*draft.not_tested(plan, claims), *rounds.left(plan, desk.cells, claims)),
        novelty=new,
        battery=shaken,
        sweep=swept,
        ablation=ablated,
    )


def _ablated(
    seen: Inspection, plan: Plan, desk: _Desk, swept: SweepResult | None
) -> tuple[AblationResult | None, tuple[Finding, ...]]:
    """Take accompanying files off and on; an alarm lifts the profile's bound and adds its suite."""
    seconds, options = plan.profile.ablation, desk.options
    if seconds is None or options.only_battery:
        return None, ()
    with desk.clock.stage("ablation", desk.watch):
        alarms = {c.behaviour for c in plan.claims(desk.cells) if c.drill == verdict.RELEASE and c.alarmed}
        known = [b for b in suite.names() if b in alarms and b not in questions.SUITES]
        flagged = ablation.triggers(swept)
        request = ablation.Options(
            suites=(*questions.SUITES, *known),
            triggers=flagged,
            seconds=0 if alarms or flagged else seconds,
            arranger=ablation.through(options.opener) if options.opener is not None else None,
        )
        return ablation.of(seen, request, desk.cells, desk.watch.notice)


def _swept(seen: Inspection, plan: Plan, desk: _Desk) -> tuple[SweepResult | None, tuple[Finding, ...]]:
    """Put tokens into prompts, as far as the profile says."""
    settings, options = plan.profile.sweep, desk.options
    if settings is None or options.only_battery:
        return None, ()
    with desk.clock.stage("sweep", desk.watch):
        request = tokens.Options(settings, options.declared, options.cache, options.opener)
        return tokens.of(seen, request, desk.cells, desk.watch.notice)


def _attempted(seen: Inspection, plan: Plan, desk: _Desk) -> tuple[Finding, ...]:
    """Run the plan; say what could not be run of it."""
    try:
        failures = _run(seen, plan, desk)
    except ModelError as error:
        text, facts = f"the model could not be run: {error}", (("message", str(error)),)
        return (Finding(LOADS, Outcome.CANNOT_TELL, Severity.HOLD, "", "model-error", text, facts),)
    if not failures:
        return (Finding(LOADS, Outcome.PASS, Severity.NOTE, "", "loads", "the model loads and answers"),)
    return tuple(sorted((_failed(f) for f in failures), key=lambda f: f.where))


def _failed(failure: Failure) -> Finding:
    """A trial without results holds the verdict; what the others showed still counts."""
    trial, model = failure.task.label, failure.task.subject.path.name
    reason, how = ("trial-died", "the process died") if failure.died else ("trial-failed", "an error")
    text = f"trial {trial} of {model} failed: {how}: {failure.message}"
    facts = (("trial", trial), ("model", model), ("message", failure.message))
    return Finding(LOADS, Outcome.CANNOT_TELL, Severity.HOLD, f"{model}:{trial}", reason, text, facts)


def _run(seen: Inspection, plan: Plan, desk: _Desk) -> tuple[Failure, ...]:
    """Measure what the cache does not hold yet: first everything but the control, then the control where needed."""
    blocks = rounds.Rounds(plan, desk.cells) if plan.profile.adaptive else None
    opening = [t for t in (plan.opening() if blocks else plan.first()) if not t.done(desk.cells)]
    first = [*opening, *(t for t in (blocks.begun() if blocks else ()) if not t.done(desk.cells))]
    failures: tuple[Failure, ...] = ()
    with closing(_engine(weights(seen.inventory), desk)) as engine:
        if todo := first or (blocks.next(1) if blocks else ()):  # a vet broken off between two rounds goes on
            with desk.clock.stage("measure", desk.watch):
                speed = engine.speed(todo[0].subject.path)
                costs = [remaining(t, desk.cells) for t in todo]
                desk.clock.forecast = wall(costs, engine.size) / speed + 10 if speed else 0.0
                desk.watch.forecast(desk.clock.forecast)
                failures += engine.run(opening, desk.watch.notice)
                failures += _rounds(blocks, engine, speed, desk) if blocks else ()
        suspects = novelty.suspects(plan, desk.cells)
        suspects |= outcomes.diverged(plan, desk.cells)
        beside = blocks.beside(suspects) if blocks else plan.second(plan.claims(desk.cells), suspects)
        controls = (*plan.shaken_controls(desk.cells), *beside)
        second = [t for t in controls if not t.done(desk.cells)]
        if second:
            with desk.clock.stage("control", desk.watch):
                failures += engine.run(second, desk.watch.notice)
    return failures


def _rounds(blocks: rounds.Rounds, engine: Engine, speed: float, desk: _Desk) -> tuple[Failure, ...]:
    """Ask the drills in rounds, within the minutes of the profile."""
    most = 60.0 * blocks.plan.profile.minutes or math.inf
    return rounds.run(
        blocks,
        engine.size,
        measure=lambda work: engine.run(work, desk.watch.notice),
        affords=lambda cost: desk.clock.elapsed + (cost / speed if speed else 0.0) <= most,
    )


def _engine(parameters: int, desk: _Desk) -> Engine:
    options = desk.options
    if options.engine not in ENGINES:
        raise UsageError(f"no engine {options.engine!r}; there are {', '.join(ENGINES)}")
    if options.engine == "ray":
        return RayGrid(desk.cells, parameters, address=options.address, identify=identify)
    if options.opener is not None:
        return Grid(options.opener, desk.cells, workers(parameters))
    return Grid(LocalModels(), desk.cells, workers(parameters))


def _subjects(seen: Inspection) -> tuple[Subject, Subject | None]:
    base = None
    if seen.base is not None and seen.base_inventory is not None:
        base = Subject(seen.base.path, identity(seen.base_inventory))
    return Subject(seen.source.path, identity(seen.inventory)), base


def _sibling(options: Options) -> Subject | None:
    """The sibling, if its files are not rejected. Raises UsageError."""
    if options.sibling is None:
        return None
    seen = inspect(options.sibling, NO_BASE, policy=options.policy, cache=options.cache)
    if seen.verdict.decision is Decision.REJECT:
        raise UsageError(f"{seen.source.name}: its files are rejected, so it serves as no control")
    return _subjects(seen)[0]
