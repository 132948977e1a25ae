"""The intake record of one model: evidence turned into the 14 fields and a rung, with every unknown spelled out."""

from dataclasses import dataclass, field
from typing import Final

from sekisho.formats.gguf import GgufFacts
from sekisho.provenance import kinship, ladder, media, parents, suppliers
from sekisho.provenance.evidence import Evidence, root_digest
from sekisho.provenance.ladder import Ground, Grounds
from sekisho.provenance.records import (
    SCHEMA,
    Basis,
    BehaviourFile,
    Builder,
    FileEntry,
    Intake,
    Level,
    Licence,
    Patch,
    Retrieval,
    Stated,
    Supplier,
    Verification,
    unknown,
)
from sekisho.records import Comparison, FileFact, Role

_BEHAVIOUR: Final = {Role.TEMPLATE: "template", Role.TOKENIZER: "tokenizer", Role.CODE: "code"}


@dataclass(frozen=True)
class Base:
    """The declared parent, at hand and compared."""

    name: str
    digest: str
    """Root digest."""
    kin: kinship.Result
    comparison: Comparison | None
    patches: tuple[Patch, ...]


@dataclass(frozen=True)
class Signed:
    """Signatures that somebody verified; the rungs E3 and E4."""

    intake: Ground = ladder.NO_INTAKE
    supplier: Ground = ladder.NO_SUPPLIER
    signer: Stated = field(default_factory=lambda: unknown("not-signed"))


def record(
    evidence: Evidence,
    *,
    base: Base | None,
    register: suppliers.Register | None,
    signed: Signed,
    tool: str,
) -> Intake:
    """Turn evidence into the record; no I/O."""
    source, revision = _source(evidence), _revision(evidence)
    made_from = parents.resolve(evidence.claims, evidence.inventory, base.kin.verdict if base else None)
    made_from = tuple(parents.with_base(p, base.name, base.digest) for p in made_from) if base else made_from
    grounds = _grounds(evidence, base, signed)
    files = tuple(_entries(evidence))
    licences = tuple(_licences(evidence))
    behaviour = tuple(_behaviour(evidence.files))
    digest = root_digest(evidence.files)
    tree = evidence.proof.tree
    return Intake(
        schema=SCHEMA,
        source=source,
        revision=revision,
        retrieval=_retrieval(evidence),
        files=files,
        complete=_complete(evidence),
        git_tree=Stated(tree, Basis.MEASURED) if tree else unknown("files-not-read"),
        root_digest=Stated(f"sha256:{digest}", Basis.MEASURED) if digest else unknown("files-not-read"),
        supplier=_supplier(source, register, signed),
        parents=made_from,
        parents_stated=parents.stated(made_from),
        patches=base.patches if base else (),
        patches_stated=_patches(base),
        builder=_builder(evidence),
        training_data=unknown("data-named-without-digest" if evidence.claims.data else "not-recorded"),
        licences=licences,
        licences_stated=_licence_chain(licences),
        behaviour_files=behaviour,
        behaviour_stated=Stated(f"{len(behaviour)} files", Basis.MEASURED)
        if digest
        else unknown("files-not-read"),
        verification=Verification(unknown("not-verified-yet"), unknown("no-policy"), tool, signed.signer),
        ladder=ladder.climb(grounds),
        deviations=evidence.deviations,
    )


def level(evidence: Evidence) -> Level:
    """The rung that files and records alone reach."""
    return ladder.climb(_grounds(evidence, None, Signed())).level


def address_of(evidence: Evidence) -> str:
    """Where it is recorded or said to come from; empty where nothing says so."""
    return _source(evidence).value


def _source(evidence: Evidence) -> Stated:
    if evidence.origin:
        return Stated(evidence.origin.uri, Basis.RECORDED)
    if evidence.source:
        return Stated(suppliers.without_credentials(evidence.source), Basis.CLAIMED)
    if evidence.download and evidence.download.repository:
        return Stated(f"hf:{evidence.download.repository}", Basis.RECORDED)
    if evidence.claims.sources:
        return Stated(evidence.claims.sources[0].value, Basis.CLAIMED)
    return unknown("download-has-no-name" if evidence.download else "not-recorded")


def _revision(evidence: Evidence) -> Stated:
    if evidence.independent:
        return Stated(evidence.expect, Basis.PINNED)
    if evidence.expect:
        return Stated(evidence.expect, Basis.RECORDED)
    mixed = evidence.download is not None and len(evidence.download.revisions) > 1
    return unknown("several-revisions" if mixed else "not-recorded")


def _retrieval(evidence: Evidence) -> Retrieval:
    record, traces = evidence.origin, evidence.download
    if record:
        who = Stated(record.who, Basis.RECORDED) if record.who else unknown("nobody-named")
        return Retrieval(Stated(record.time, Basis.RECORDED), who, Stated(record.tool, Basis.RECORDED))
    time = Stated(traces.last, Basis.RECORDED) if traces and traces.last else unknown("not-recorded")
    tool = Stated("huggingface_hub", Basis.RECORDED) if traces else unknown("not-recorded")
    return Retrieval(time, unknown("not-recorded"), tool)


def _complete(evidence: Evidence) -> Stated:
    unread = [f for f in evidence.files if not f.sha256]
    return (
        unknown("files-not-read")
        if unread
        else Stated(f"{len(evidence.files)} files, no other", Basis.MEASURED)
    )


def _grounds(evidence: Evidence, base: Base | None, signed: Signed) -> Grounds:
    claim = _source(evidence).value
    return Grounds(
        recorded=_recorded(evidence),
        matched=_matched(evidence),
        intake=signed.intake,
        supplier=signed.supplier,
        lineage=parents.ground(evidence.claims, base.kin, base.comparison, base.name)
        if base
        else Ground(held=False, code="no-base-given"),
        claim=claim,
    )


def _recorded(evidence: Evidence) -> Ground:
    if evidence.origin_problem:
        return Ground(held=False, code="record-broken", detail=evidence.origin_problem)
    if evidence.origin:
        return Ground(held=True, code="own-record", detail=evidence.origin.uri)
    traces = evidence.download
    if traces is None:
        return Ground(held=False, code="no-record")
    if traces.problems:
        return Ground(held=False, code="record-broken", detail=traces.problems[0][0])
    if len(traces.revisions) != 1:
        return Ground(held=False, code="several-revisions", detail=", ".join(traces.revisions[:4]))
    return Ground(held=True, code=f"recorded-by-{traces.kind}", detail=traces.revisions[0])


def _matched(evidence: Evidence) -> Ground:
    proof = evidence.proof
    if evidence.deviations:
        first = evidence.deviations[0]
        return Ground(held=False, code="files-deviate", detail=f"{first.path} ({first.kind})")
    if any(not f.sha256 for f in evidence.files):
        return Ground(held=False, code="files-not-read")
    if not (proof.held or evidence.manifest_fits):
        code = "digest-differs" if evidence.expect.startswith("sha256:") else proof.code
        return Ground(held=False, code=code, detail=evidence.expect)
    if evidence.independent:
        return Ground(held=True, code="matched", detail=evidence.expect)
    if evidence.origin:
        return Ground(held=True, code=ladder.BY_RECORD, detail=evidence.expect)
    return Ground(held=False, code="revision-not-independent", detail=evidence.expect)


def _supplier(source: Stated, register: suppliers.Register | None, signed: Signed) -> Supplier:
    name = suppliers.identity(source.value)
    verified = "signature" if signed.supplier.held else "none"
    if not name:
        return Supplier(unknown("no-source"), verified)
    listed = register.find(source.value) if register else None
    basis = Basis.PINNED if signed.supplier.held else source.basis
    return Supplier(Stated(name, basis), verified, listed.tier if listed else "")


def _patches(base: Base | None) -> Stated:
    if base is None:
        return unknown("no-base-given")
    if base.comparison is not None and base.comparison.problem:
        return unknown("not-compared-in-full")
    return Stated(parents.patch_summary(base.patches), Basis.MEASURED)


def _builder(evidence: Evidence) -> Builder:
    made = evidence.claims.builders
    who = Stated(made[0].value, Basis.CLAIMED) if made else unknown("not-recorded")
    commit = evidence.proof.commit
    if not made and commit and evidence.proof.held:
        who = Stated(commit.author, Basis.RECORDED)
    return Builder(who, unknown("not-recorded"), unknown("not-recorded"), unknown("not-recorded"))


def _entries(evidence: Evidence) -> "list[FileEntry]":
    blobs = {b.path: b for b in evidence.blobs}
    return [
        FileEntry(
            f.path, f.size, f.sha256, blobs[f.path].git_blob, lfs=blobs[f.path].lfs, role=f.role.value,
            media_type=media.of(f.format, f.path),
        )
        for f in evidence.files
    ]  # fmt: skip


def _licences(evidence: Evidence) -> "list[Licence]":
    said = [Licence("", c.value, c.where, "") for c in evidence.claims.licences]
    texts = [Licence("", f.path, f.path, f.sha256) for f in evidence.files if f.role is Role.LICENCE]
    return said + texts


def _licence_chain(found: tuple[Licence, ...]) -> Stated:
    if not found:
        return unknown("no-licence")
    return Stated("; ".join(dict.fromkeys(one.name for one in found)), Basis.CLAIMED)


def _behaviour(files: tuple[FileFact, ...]) -> "list[BehaviourFile]":
    found = [BehaviourFile(_BEHAVIOUR[f.role], f.path, f.sha256) for f in files if f.role in _BEHAVIOUR]
    found += [
        BehaviourFile("generation-config", f.path, f.sha256)
        for f in files
        if f.path.rpartition("/")[2] == "generation_config.json"
    ]
    inside = [f for f in files if isinstance(f.facts, GgufFacts) and f.facts.get("tokenizer.chat_template")]
    return found + [BehaviourFile("template", f.path, f.sha256) for f in inside]
