"""One run of a watch: ask, hold against the accepted run, write it down, and say what makes a re-test due."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sekisho import comparison, parties
from sekisho.asking import Memory, ask
from sekisho.contrast import Answers, Contrast, questions
from sekisho.drills import tasks
from sekisho.drills.grid import Opener
from sekisho.drills.plan import Plan
from sekisho.drills.tasks import Subject
from sekisho.drills.versions import DECIDING, installed
from sekisho.errors import DataError, RuleError
from sekisho.evidence.compared import Compared
from sekisho.ledger import watches
from sekisho.ledger.book import Ledger, stamp, utc_now
from sekisho.ledger.entry import Draft, Entry
from sekisho.ledger.kinds import Kind
from sekisho.ledger.watches import Trigger, Watched
from sekisho.limits import DEFAULT
from sekisho.models import address
from sekisho.monitoring import answers as kept
from sekisho.monitoring import replay
from sekisho.parties import Party
from sekisho.training_log import entry as training
from sekisho.training_log import reading
from sekisho.watch import Clock, Observer, Unwatched

FIRST: Final = "first"
"""Outcome of a run that there is nothing to hold against."""


@dataclass(frozen=True)
class Replay:
    """A log whose prompts are asked again."""

    path: Path
    count: int = 200
    seed: int = 0
    show: bool = False
    """Prompts and answers may stand in the report."""


@dataclass(frozen=True)
class Request:
    """What is watched, and how."""

    target: str
    actor: str
    asked: comparison.Options = field(default_factory=comparison.Options)
    """Profile, policy, suites, base under an adapter; `record` is the training that made what is watched."""
    every_days: int = 7
    retest_days: int = 90
    revision: str = ""
    """As the server's keeper names it."""
    data: Path | None = None
    """Training data: its sha256 is a fact of the run."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Of the serving side, as its keeper says."""
    replay: Replay | None = None


@dataclass(frozen=True)
class Ran:
    """What one run showed."""

    entry: Entry
    against: Entry | None
    """The accepted run."""
    drift: Compared | None
    """None for a first run."""
    replayed: Compared | None
    triggers: tuple[Trigger, ...]
    read: tuple[tuple[str, str, str], ...] = ()
    """(suite, question, answer) of a first run: what a person reads before accepting it."""

    @property
    def outcome(self) -> str:
        """`first`, `clear`, `open` or `found`."""
        return str(self.entry.content["outcome"])


def subject(target: str) -> str:
    """Under which a watch's entries are found in the ledger: the digest of the target's name."""
    return tasks.digest(["watch", name(target)])


def name(target: str) -> str:
    """An address as it is, a place on this machine as an absolute path, a catalogue name as it is."""
    if address.is_endpoint(target):
        return str(address.parse(target))
    path = Path(target).expanduser()
    return str(path.absolute()) if path.exists() else target


def run(request: Request, ledger: Ledger, *, watch: Observer = Unwatched()) -> Ran:
    """Raises UsageError, DataError, ModelError, StorageError; a run that breaks off writes nothing."""
    clock, plan = Clock(), comparison.frozen(request.asked)
    before = ledger.about(subject(request.target))
    known = watches.newest(before)
    sample = (
        replay.draw(request.replay.path, request.replay.count, request.replay.seed)
        if request.replay
        else None
    )
    with clock.stage("inspect", watch):
        found = parties.Request(request.asked.policy, request.asked.cache, request.asked.base)
        party = parties.admit(request.target, found, side="after")
        first = _accepted(known, plan)
    with clock.stage("measure", watch):
        given = _ask(plan, party, request.asked.opener, watch)
        again = _again(sample, plan, party, request, watch) if sample else None
        drift = _drift(plan, first, (given.answers, party), known) if first is not None else None
    facts = _facts(request, party, plan, given.said)
    drift = replace(drift, timing=clock.timing()) if drift else None
    made = _written(
        request, ledger, before, _Found(facts, given.answers, questions(plan), drift, again, sample)
    )
    triggers = made[0]
    read = () if drift else tuple(_read(plan, given.answers))
    return Ran(made[1], known.accepted if known else None, drift, again, triggers, read)


def _read(plan: Plan, answers: Answers) -> Iterator[tuple[str, str, str]]:
    for paper in plan.papers:
        pairs = zip(paper.items, answers[paper.suite.id], strict=True)
        yield from ((paper.suite.id, item.prompt, answer) for item, answer in pairs)


@dataclass(frozen=True)
class _Found:
    facts: Mapping[str, Any]
    answers: Answers
    questions: str
    drift: Compared | None
    again: Compared | None
    sample: replay.Sample | None


def accept(ledger: Ledger, number: int, actor: str, comment: str = "") -> Entry:
    """Take a run as the one to hold later ones against. Raises RuleError."""
    page = ledger.page(number - 1, 1) if number > 0 else ()
    if not page or page[0].sequence != number or page[0].kind != Kind.WATCH_RUN:
        raise RuleError(f"entry {number} is no run of a watch")
    about = ledger.about(page[0].subject)
    newest = watches.newest(about)
    if newest is None or newest.last.sequence != number:
        raise RuleError(f"entry {number} is not the newest run of this watch; look at that one")
    if newest.last.content["outcome"] == "found" and not comment.strip():
        raise RuleError("this run found a rise; accepting it needs a comment that says why")
    body = {"run": number} | ({"comment": comment.strip()} if comment.strip() else {})
    draft = Draft(actor, Kind.WATCH_ACCEPTED, page[0].subject, body)
    return ledger.extend([draft], seen=about[-1].sequence)[0]


def _ask(plan: Plan, party: Party, opener: Opener | None, watch: Observer) -> Any:
    """Asked anew, whatever was kept: the same files may answer otherwise with another library."""
    return ask(plan, (party,), Memory(), opener=opener, watch=watch)[0]


def _accepted(known: Watched | None, plan: Plan) -> Answers | None:
    """The answers of the accepted run, if it was asked the same."""
    if known is None or known.accepted is None or known.accepted.content["questions"] != questions(plan):
        return None
    body = known.accepted.content
    return kept.read(Path(str(body["answers_path"])), str(body["answers_sha256"]), plan, questions(plan))


def _drift(plan: Plan, first: Answers, second: tuple[Answers, Party], known: Watched | None) -> Compared:
    given, party = second
    accepted = known.accepted if known else None
    who = str(accepted.content["answers_sha256"]) if accepted else ""
    when = accepted.time if accepted else ""
    beside = Party(f"{party.name} ({when})", "accepted", Subject(Path(), who), who)
    return comparison.compared(Contrast(plan, first, given), (beside, party))


def _again(sample: replay.Sample, outline: Plan, party: Party, request: Request, watch: Observer) -> Compared:
    """What was answered in the log against what is answered today."""
    plan = replay.plan(sample, outline)
    given = _ask(plan, party, request.asked.opener, watch)
    log = Party(
        f"log {sample.sha256[:12]}",
        "log",
        Subject(Path(), sample.sha256),
        sample.sha256,
        not_run=("log-answers",),
    )
    made = comparison.compared(Contrast(plan, replay.logged(sample, plan), given.answers), (log, party))
    return made if request.replay and request.replay.show else replay.withheld(made, sample)


def _facts(request: Request, party: Party, plan: Plan, said: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What may change from run to run without a word."""
    local = {} if party.served else {p: installed(p) for p in DECIDING}
    facts: dict[str, Any] = {
        "kind": party.kind,
        "questions": questions(plan),
        "libraries": {"sekisho": installed("sekisho"), **local, **request.libraries},
        "root": party.root,
        "base": party.base_root,
        "adapter": party.root if party.kind == parties.ADAPTER else "",
        "revision": request.revision,
        "data": _sha256(request.data) if request.data else "",
        "served": {f"{k} {n}": v for n, (k, v) in enumerate(said)},
    }
    if request.asked.record:
        record = reading.read(request.asked.record)
        training.whole(record)
        body = training.summary(record)
        for key, fact in (("data", "data_digest"), ("base", "base_digest"), ("adapter", "output_digest")):
            facts[key] = facts[key] or str(body.get(fact, ""))
    return {k: v for k, v in facts.items() if v}


def _written(
    request: Request, ledger: Ledger, before: Sequence[Entry], found: _Found
) -> tuple[tuple[Trigger, ...], Entry]:
    path, digest = kept.keep(found.answers, found.questions, ledger.place)
    known = watches.newest(before)
    accepted = known.accepted if known else None
    outcome = _outcome(found)
    triggers = watches.changed(found.facts, accepted.content["facts"] if accepted else None)
    if accepted is not None:
        triggers += watches.period(accepted, utc_now(), request.retest_days)
    if outcome == "found":
        triggers += (Trigger("finding", "", ""),)
    body: dict[str, Any] = {
        "target": name(request.target),
        "questions": found.questions,
        "outcome": outcome,
        "answers_sha256": digest,
        "answers_path": str(path),
        "facts": found.facts,
        "triggers": [t.because for t in triggers],
        "every_days": request.every_days,
        "retest_days": request.retest_days,
    }
    if accepted is not None:
        body["against"] = accepted.sequence
    if found.sample is not None and found.again is not None:
        body["replay"] = _replayed(found.sample, found.again)
    about = subject(request.target)
    drafts = [Draft(request.actor, Kind.WATCH_RUN, about, body)]
    new = dict.fromkeys(t.because for t in triggers if t.because not in _told(before))
    now = stamp(utc_now())
    drafts += [Draft(request.actor, Kind.RE_TEST_DUE, about, {"due": now, "because": b}) for b in new]
    seen = before[-1].sequence if before else 0
    return triggers, ledger.extend(drafts, seen=seen)[0]


def _outcome(found: _Found) -> str:
    """A rise in the frozen questions or in the log is one; no rise needs both to rule it out."""
    given = [c.outcome for c in (found.drift, found.again) if c is not None]
    if "found" in given:
        return "found"
    if found.drift is None:
        return FIRST
    return found.drift.outcome


def _told(before: Sequence[Entry]) -> frozenset[str]:
    """Triggers that are in the ledger already since a run was accepted last."""
    told: set[str] = set()
    for entry in before:
        if entry.kind == Kind.WATCH_ACCEPTED:
            told.clear()
        elif entry.kind == Kind.RE_TEST_DUE:
            told.add(str(entry.content["because"]))
    return frozenset(told)


def _replayed(sample: replay.Sample, made: Compared) -> dict[str, Any]:
    return {
        "log": sample.sha256,
        "lines": sample.total,
        "asked": len(sample.rows),
        "left_out": dict(sample.left_out),
        "seed": sample.seed,
        "outcome": made.outcome,
    }


def _sha256(path: Path) -> str:
    hasher, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(2**20):
                done += len(piece)
                if done > DEFAULT.training_bytes:
                    raise DataError(f"{path.name}: over the limit of {DEFAULT.training_bytes:,} bytes")
                hasher.update(piece)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    return hasher.hexdigest()
