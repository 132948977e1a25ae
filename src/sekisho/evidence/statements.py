"""What Sekisho states about a model, as in-toto Statements v1: intake, pre-registration, behaviour, finetune, decision.

Every subject is the model's OMS root digest. Numbers that are no integers stand as text with their digits fixed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from sekisho.evidence import codec, dsse
from sekisho.evidence.oms import STATEMENT
from sekisho.policy import Policy
from sekisho.records import Claim, Decision, Dossier, Outcome, Ruled

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
VSA: Final = "https://slsa.dev/verification_summary/v1"
TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
PREREGISTRATION: Final = "urn:sekisho:preregistration:v1"
INTAKE: Final = "urn:sekisho:build:intake:v1"
FINETUNE: Final = "urn:sekisho:build:finetune:v1"
VERIFIER: Final = "urn:sekisho:verifier"
_SECOND: Final = len("2027-03-31T12:00:00")
RESULTS: Final = {Decision.ADMIT: "PASSED", Decision.HOLD: "WARNED", Decision.REJECT: "FAILED"}


@final
@dataclass(frozen=True)
class Subject:
    """The model that a statement is about."""

    name: str
    root: str
    """OMS root digest, sha256 hex."""


@final
@dataclass(frozen=True)
class Granted:
    """An approval, or an exception from a rule, as the decision records it."""

    who: str
    what: str
    """What was approved or excepted; `decision` for the whole."""
    until: str = ""
    """Last day it holds, ISO 8601; empty for as long as the decision does."""
    reason: str = ""


@final
@dataclass(frozen=True)
class Terms:
    """What was fixed before the run."""

    policy: str
    policy_digest: str
    suites_digest: str
    """sha256 over the ids and digests of everything that is asked."""
    plan_digest: str
    profile: str
    thresholds: tuple[tuple[str, str], ...]
    """Name and value, as the policy has them."""
    suites: tuple[tuple[str, str], ...]
    """Id and digest of each."""


@final
@dataclass(frozen=True)
class Ruling:
    """What a decision rests on beside the dossier."""

    time: str
    """UTC, ISO 8601."""
    until: str
    """Last day on which it may be relied on, ISO 8601."""
    inputs: tuple[tuple[str, str], ...]
    """File name and sha256 of every other document of the evidence."""
    approvals: tuple[Granted, ...] = ()
    exceptions: tuple[Granted, ...] = ()
    registered: str = ""
    """Payload digest of the pre-registration; empty if there is none."""
    changed: tuple[str, ...] = ()
    """Terms that are not as registered: `policy`, `plan`, `profile`, `time`."""


def make(subject: Subject, kind: str, predicate: Mapping[str, Any]) -> bytes:
    """A statement's bytes. Raises MalformedError on a name that is no text."""
    about = [{"name": subject.name, "digest": {"sha256": subject.root}}]
    return dsse.dump(
        {"_type": STATEMENT, "subject": about, "predicateType": kind, "predicate": dict(predicate)}
    )


def intake(subject: Subject, dossier: Dossier, record: Mapping[str, Any] | None, time: str) -> bytes:
    """Where the model came from: SLSA provenance around the intake record, or around what the dossier knows."""
    p = dossier.provenance
    source = {"name": p.name, "kind": p.source, "pinned": p.pinned}
    base = {"name": p.base, "digest": {"sha256": p.base_identity}, "annotations": {"role": "trusted base"}}
    files = [{"name": f.path, "digest": {"sha256": f.sha256}} for f in dossier.files if f.sha256]
    definition = {
        "buildType": INTAKE,
        "externalParameters": {"source": source},
        "internalParameters": {"record": record} if record is not None else {},
        "resolvedDependencies": [*([base] if p.base else []), *_origin(record), *files],
    }
    return make(subject, PROVENANCE, {"buildDefinition": definition, "runDetails": _run(dossier.tool, time)})


def finetune(subject: Subject, record: Mapping[str, Any], tool: str, time: str) -> bytes:
    """How a model was trained: SLSA provenance around a training log's summary; its schema is the log's own."""
    inputs = [
        {"name": name, "digest": {"sha256": record[key]}}
        for name, key in (
            ("base", "base_digest"),
            ("data", "data_digest"),
            ("environment", "environment_digest"),
        )
        if isinstance(record.get(key), str) and record[key]
    ]
    definition = {"buildType": FINETUNE, "externalParameters": dict(record), "resolvedDependencies": inputs}
    return make(subject, PROVENANCE, {"buildDefinition": definition, "runDetails": _run(tool, time)})


def preregistration(subject: Subject, terms: Terms, tool: str, time: str) -> bytes:
    """The thresholds and everything to be asked, before anything was."""
    predicate = {
        "registeredOn": time,
        "verifier": _verifier(tool),
        "policy": {"name": terms.policy, "digest": {"sha256": terms.policy_digest}},
        "thresholds": dict(terms.thresholds),
        "profile": terms.profile,
        "plan": {"digest": {"sha256": terms.plan_digest}},
        "suites": {"digest": {"sha256": terms.suites_digest}, "each": dict(terms.suites)},
    }
    return make(subject, PREREGISTRATION, predicate)


def behaviour(subject: Subject, dossier: Dossier) -> bytes:
    """What was tested and how it came out: a test-result, with each cell's numbers under `detail`."""
    names: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for check in sorted({f.check for f in dossier.findings}):
        worst = {f.outcome for f in dossier.findings if f.check == check}
        names[_column(Outcome.FAIL in worst, worst == {Outcome.PASS})].append(f"check:{check}")
    for c in dossier.claims:
        names[_column(c.found, c.clear)].append(f"claim:{c.behaviour}/{c.drill}")
    configuration = [
        {"name": f"policy:{dossier.policy}", "digest": {"sha256": dossier.policy_digest}},
        {"name": "plan", "digest": {"sha256": dossier.plan_digest}},
    ]
    detail = {
        "tool": dossier.tool,
        "profile": dossier.profile,
        "claims": [_claim(c) for c in dossier.claims],
        "notTested": list(dossier.not_tested),
    }
    result = {"result": RESULTS[dossier.verdict.decision], "configuration": configuration}
    return make(subject, TEST_RESULT, {**result, **names, "detail": detail})


def decision(subject: Subject, dossier: Dossier, ruling: Ruling) -> bytes:
    """The verdict as a verification summary (VSA), bound to the policy and to every other document by digest."""
    verdict = dossier.verdict
    granted = {"approvals": ruling.approvals, "exceptions": ruling.exceptions}
    own = {
        "verdict": verdict.decision.value,
        "reasons": [{"code": r.code, "refs": list(r.refs)} for r in verdict.reasons],
        "dossierDigest": {"sha256": codec.digest(codec.plain(dossier))},
        "validUntil": ruling.until,
        **{k: [_granted(g) for g in v] for k, v in granted.items()},
        "preregistration": {"digest": {"sha256": ruling.registered}, "changed": list(ruling.changed)}
        if ruling.registered
        else None,
    }
    predicate = {
        "verifier": _verifier(dossier.tool),
        "timeVerified": ruling.time,
        "resourceUri": f"urn:sekisho:model:sha256:{subject.root}",
        "policy": {
            "uri": f"urn:sekisho:policy:{dossier.policy}",
            "digest": {"sha256": dossier.policy_digest},
        },
        "inputAttestations": [{"uri": name, "digest": {"sha256": d}} for name, d in ruling.inputs],
        "verificationResult": "PASSED" if verdict.decision is Decision.ADMIT else "FAILED",
        "verifiedLevels": [f"SEKISHO_{verdict.decision.value.upper()}"],
        "slsaVersion": "1.1",
        "sekisho": own,
    }
    return make(subject, VSA, predicate)


def exceptions(dossier: Dossier) -> tuple[Granted, ...]:
    """Findings that somebody answers for until a day, as the dossier has them."""
    found = {
        Granted(r.approver, f"{f.check}/{f.reason}@{f.where}", r.expires, r.reason)
        for f in dossier.findings
        for r in f.rulings
        if r.kind is Ruled.SUPPRESSED
    }
    return tuple(sorted(found, key=lambda g: (g.what, g.who, g.until)))


def terms(policy: Policy, document: Mapping[str, Any], plan_digest: str, profile: str) -> Terms:
    """The terms of a plan's document (`drills.plan.Plan.document`)."""
    suites = tuple(sorted((name, str(paper[0])) for name, paper in document["papers"].items()))
    lines = "\n".join(f"{digest}  {name}" for name, digest in suites)
    limits = {"alpha_reject": policy.alpha_reject, "alpha_admit": policy.alpha_admit}
    limits["max_abstained"] = policy.max_abstained
    for name, rule in policy.behaviours.items():
        limits |= {f"{name}.margin": rule.margin, f"{name}.ceiling": rule.ceiling}
    fixed = tuple((k, _number(v)) for k, v in sorted(limits.items()))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return Terms(policy.name, policy.digest, digest, plan_digest, profile, fixed, suites)


def changed(predicate: Mapping[str, Any], dossier: Dossier) -> tuple[str, ...]:
    """Terms of a pre-registration that the dossier was not made by: `policy`, `plan`, `profile`, `time` (registered after the run began)."""
    at = {
        "policy": (("policy", "digest", "sha256"), dossier.policy_digest),
        "plan": (("plan", "digest", "sha256"), dossier.plan_digest),
        "profile": (("profile",), dossier.profile),
    }
    found = [name for name, (path, value) in at.items() if _at(predicate, path) != value]
    begun, registered = dossier.timing.started, str(_at(predicate, ("registeredOn",)))
    late = bool(begun) and registered[:_SECOND] > begun[:_SECOND]
    return (*found, "time") if late else tuple(found)


def _at(value: Any, path: Sequence[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _origin(record: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The source and its revision, as the intake record states them."""
    uri, revision = (str(_at(record, (k, "value")) or "") for k in ("source", "revision"))
    if not uri:
        return []
    hexadecimal = len(revision) == 40 and not set(revision) - set("0123456789abcdef")  # noqa: PLR2004  a git commit
    return [{"uri": uri, **({"digest": {"gitCommit": revision}} if hexadecimal else {})}]


def _claim(c: Claim) -> dict[str, Any]:
    state = "found" if c.found else "clear" if c.clear else "open"
    numbers = ("margin", "ceiling", "before", "after", "effect", "low", "high", "log_alarm", "log_clear")
    return {
        "behaviour": c.behaviour,
        "drill": c.drill,
        "state": state,
        "families": c.families,
        "abstained": c.abstained,
        **{name: _number(getattr(c, name)) for name in numbers},
    }


def _granted(g: Granted) -> dict[str, str]:
    return {"who": g.who, "what": g.what, "until": g.until, "reason": g.reason}


def _column(failed: bool, passed: bool) -> str:
    return "failedTests" if failed else "passedTests" if passed else "warnedTests"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _verifier(tool: str) -> dict[str, Any]:
    name, _, version = tool.partition(" ")
    return {"id": VERIFIER, "version": {name or "sekisho": version}}


def _run(tool: str, time: str) -> dict[str, Any]:
    return {"builder": _verifier(tool), "metadata": {"startedOn": time}}
