"""The library side of provenance: gather, compare with a parent, hold against the register, make the record."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho import inventory, shipped
from sekisho.errors import StorageError, UsageError
from sekisho.evidence import checking, codec, codes, dsse, keyless, keys, signers, supplied
from sekisho.evidence.ruling import Demands
from sekisho.formats import tensors
from sekisho.limits import DEFAULT
from sekisho.provenance import evidence, intake, kinship, ladder, parents, suppliers
from sekisho.provenance.evidence import SHA256, Request
from sekisho.provenance.gitobjects import SHA1
from sekisho.provenance.ladder import Ground
from sekisho.provenance.records import Basis, Intake, Stated
from sekisho.records import Comparison, Inventory
from sekisho.sources import address
from sekisho.sources import cache as caches
from sekisho.sources.resolve import resolve

_CONTRADICTIONS: Final = frozenset(
    {
        "digest-differs", "commit-is-another", "tree-differs", "several-revisions", "weights-contradict-claim",
        "relation-differs", "undeclared-patches", "evidence-does-not-hold", "supplier-signature-differs",
    }
)  # fmt: skip
"""Grounds of a rung that speak against the record, not only for too little of it."""


@dataclass(frozen=True)
class Asked:
    """What a user brings along."""

    expect: str = ""
    commit_object: Path | None = None
    source: str = ""
    suppliers: Path | None = None
    evidence: Path | None = None
    """Evidence folder that `sekisho sign` wrote of this model; its signature is verified with `keys`."""
    keys: tuple[Path, ...] = ()
    supplier_signature: Path | None = None
    """OMS signature that the supplier made of the model."""
    supplier_keys: tuple[Path, ...] = ()
    """Public keys or root certificates it may be by, in PEM."""
    trust: keyless.Trust | None = None
    """For a sigstore bundle: whose it must be."""
    today: dt.date = dt.date.min


@dataclass(frozen=True)
class Looked:
    """The record, and what else was seen."""

    name: str
    intake: Intake
    objections: tuple[suppliers.Objection, ...]
    kin: tuple[str, kinship.Result] | None
    """(base, result) where a base was given."""

    @property
    def contradicted(self) -> bool:
        """Something on file contradicts the rest."""
        grounds = {r.ground for r in self.intake.ladder.rungs if not r.held}
        refused = any(o.refuses for o in self.objections)
        return bool(self.intake.deviations) or refused or bool(grounds & _CONTRADICTIONS)


def look(path: str, *, base: str | None = None, asked: Asked | None = None) -> Looked:
    """Make the intake record of a model. Raises UsageError where the request itself is wrong."""
    wanted = asked or Asked()
    found = resolve(path, caches.folder())
    files = inventory.take(found.path)
    parent = _base(files, base) if base else None
    register = suppliers.read(wanted.suppliers) if wanted.suppliers else None
    gathered = evidence.gather(files, found.path, _request(wanted))
    made = intake.record(
        gathered,
        base=parent,
        register=register,
        signed=replace(
            _signed(wanted, found.path), supplier=_supplier(wanted, found.path, gathered, register)
        ),
        tool=shipped.tool(),
    )
    objections = _objections(made, register, wanted.today)
    return Looked(found.name, made, objections, (parent.name, parent.kin) if parent else None)


def patches(path: str, base: str) -> intake.Base:
    """Compare a model with a base. Raises SourceError where either is not there."""
    return _base(inventory.take(resolve(path, caches.folder()).path), base)


def to_json(looked: Looked) -> str:
    """The record as canonical JSON, with the lineage and the register's objections beside it."""
    body: dict[str, Any] = {"name": looked.name, "intake": codec.plain(looked.intake)}
    body["objections"] = [{"code": o.code, "refuses": o.refuses, **dict(o.facts)} for o in looked.objections]
    if looked.kin:
        body["lineage"] = _lineage(*looked.kin)
    return codec.dump(body).decode()


def patches_json(made: intake.Base) -> str:
    """A patch list as canonical JSON."""
    problem = made.comparison.problem if made.comparison else "not compared"
    body = {
        "base": made.name, "base_digest": made.digest, "problem": problem, "lineage": _lineage(made.name, made.kin),
        "summary": parents.patch_summary(made.patches), "patches": [codec.plain(p) for p in made.patches],
    }  # fmt: skip
    return codec.dump(body).decode()


def deliver(path: str, key: str | None, token: Path | None, config: Path | None) -> bytes:
    """A signature over the files of a model, by a key or by the identity of a token. Raises UsageError, DataError, SourceError."""
    payload = supplied.statement(resolve(path, caches.folder()).path)
    if token is None:
        return dsse.dump(dsse.bundle(payload, signers.named(key or ""))) + b"\n"
    if config is None:
        raise UsageError("--identity-token needs --sigstore-config: the services to ask")
    return keyless.sign(payload, keys.content(token).decode("ascii", "replace"), config)


def create(path: Path, data: bytes) -> None:
    """Write a new file. Raises StorageError, also where it is there already."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error


def save(path: Path, text: str) -> None:
    """Write a record. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: not written: {error.strerror or error}") from error


def _request(wanted: Asked) -> Request:
    expect = wanted.expect.strip().lower()
    if expect and not (SHA1.fullmatch(expect) or SHA256.fullmatch(expect)):
        raise UsageError(
            "--expect takes a commit of 40 hexadecimal digits or sha256: and 64; a branch can move"
        )
    if wanted.source:
        address.parse(wanted.source)
    return Request(expect, _commit(wanted.commit_object), wanted.source)


def _signed(wanted: Asked, model: Path) -> intake.Signed:
    """The intake signature, where a folder of evidence is given and holds in every point. Raises DataError, UsageError."""
    if wanted.evidence is None:
        return intake.Signed()
    if not wanted.keys:
        raise UsageError("--evidence needs --key: a signature counts only with a key that came another way")
    pinned, anchors = signers.pins(wanted.keys)
    seen = checking.verify(
        wanted.evidence, pinned, anchors=anchors, model=model, demands=Demands(wanted.today.isoformat())
    )
    if seen.code != codes.VERIFIED:
        return intake.Signed(intake=Ground(held=False, code="evidence-does-not-hold", detail=str(seen.code)))
    by = Stated(seen.signer, Basis.MEASURED)
    return intake.Signed(Ground(held=True, code="intake-signature", detail=seen.signer), signer=by)


def _supplier(
    wanted: Asked, model: Path, gathered: evidence.Evidence, register: suppliers.Register | None
) -> Ground:
    """The supplier's signature, where it covers these files and the register lists its signer. Raises DataError, UsageError."""
    if wanted.supplier_signature is None:
        return ladder.NO_SUPPLIER
    if not wanted.supplier_keys and wanted.trust is None:
        raise UsageError(
            "--supplier-signature needs --supplier-key, or --sigstore-root with identity and issuer"
        )
    pins = supplied.Pins(*signers.pins(wanted.supplier_keys), wanted.trust)
    seen = supplied.look(wanted.supplier_signature, model, pins, wanted.today)
    if seen.code:
        return Ground(held=False, code=seen.code, detail=seen.detail)
    listed = register.find(intake.address_of(gathered)) if register else None
    known = set(listed.signers) & set(seen.names) if listed else set[str]()
    if not known:
        return Ground(held=False, code="supplier-signature-unlisted", detail=seen.detail)
    return Ground(held=True, code="supplier-signature", detail=seen.detail)


def _commit(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        with path.open("rb") as file:
            return file.read(DEFAULT.commit_bytes + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _base(files: Inventory, base: str) -> intake.Base:
    source = resolve(base, caches.folder())
    others = inventory.take(source.path)
    comparison: Comparison = tensors.compare(files, others)
    try:
        kin = kinship.compare(files, others)
    except OSError:
        kin = kinship.Result(kinship.Kinship.INSUFFICIENT, "unreadable")
    digest = evidence.root_digest(others.files)
    return intake.Base(source.name, digest, kin, comparison, parents.patches(comparison, files, others))


def _objections(
    made: Intake, register: suppliers.Register | None, today: dt.date
) -> tuple[suppliers.Objection, ...]:
    if register is None:
        return ()
    if not made.source.known or not address.is_address(made.source.value):
        return (suppliers.Objection("no-source", register.unknown_refuses),)
    uri = made.source.value
    if made.revision.known and not evidence.revision_of(uri):
        uri = address.parse(uri).uri(made.revision.value)
    return suppliers.judge(uri, register, today)


def _lineage(base: str, kin: kinship.Result) -> dict[str, Any]:
    counts = {"paired": kin.paired, "matrices": kin.matrices}
    return {"base": base, "verdict": kin.verdict.value, "reason": kin.reason, **counts, **kinship.floats(kin)}
