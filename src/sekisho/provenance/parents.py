"""Parents and variants: what was declared to have been done to which model, and whether the weights bear it out."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sekisho.formats.gguf import GgufFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.provenance.claims import Claims, ParentClaim
from sekisho.provenance.kinship import Kinship, Result
from sekisho.provenance.ladder import Ground
from sekisho.provenance.records import Basis, Parent, Patch, Relation, Stated, unknown
from sekisho.records import Comparison, Inventory, Role

_WIDE: Final = frozenset({"F64", "F32", "F16", "BF16"})
_PACKED: Final = ("qweight", "qzeros", "weight_packed", "quant_state", "absmax", "weight_scale_inv")
"""Last parts of tensor names that quantising tools write."""
_AGREES: Final = {
    Relation.COPY: {Kinship.EXACT_COPY},
    Relation.CONVERTED: {Kinship.EXACT_COPY, Kinship.QUANTIZED_COPY},
    Relation.QUANTISED: {Kinship.QUANTIZED_COPY, Kinship.EXACT_COPY},
    Relation.FINETUNE: {Kinship.FINE_TUNE, Kinship.EXACT_COPY},
    Relation.MERGE: {Kinship.FINE_TUNE, Kinship.SAME_LINEAGE},
}
"""What the weights must say for a declared relation to stand."""
_CONTRADICTS: Final = frozenset({Kinship.NO_MATCH})
_SHOWN: Final = {
    Kinship.EXACT_COPY: Relation.COPY,
    Kinship.QUANTIZED_COPY: Relation.QUANTISED,
    Kinship.FINE_TUNE: Relation.FINETUNE,
}


def resolve(claims: Claims, files: Inventory, seen: Kinship | None) -> tuple[Parent, ...]:
    """Every declared parent, with the relation declared, or else the one that files and weights show."""
    shown = _measured(claims, files)
    return tuple(_parent(p, shown, seen if n == 0 else None) for n, p in enumerate(claims.parents))


def with_base(parent: Parent, name: str, digest: str) -> Parent:
    """The first declared parent with the digest of the base at hand, if it is the one named."""
    if parent.kinship and digest and not parent.digest:
        return replace(
            parent, digest=f"sha256:{digest}", declared_in=f"{parent.declared_in} (compared: {name})"
        )
    return parent


def stated(parents: tuple[Parent, ...]) -> Stated:
    """The field of the record: known only if every parent has an address, a revision and a digest."""
    if not parents:
        return unknown("no-parent-declared")
    if any(not p.uri or not p.revision or not p.digest for p in parents):
        return unknown("parent-without-revision")
    return Stated("; ".join(f"{p.uri}@{p.revision} ({p.relation})" for p in parents), Basis.CLAIMED)


def ground(claims: Claims, kin: Result, comparison: Comparison | None, name: str) -> Ground:
    """Whether the weights agree with the declared parent: rung E5."""
    if not claims.parents:
        return Ground(held=False, code="no-parent-declared", detail=kin.verdict.value)
    if kin.verdict is Kinship.INSUFFICIENT:
        return Ground(held=False, code="too-little-compared", detail=name)
    if kin.verdict in _CONTRADICTS:
        return Ground(held=False, code="weights-contradict-claim", detail=name)
    declared = claims.parents[0].relation
    allowed = _AGREES.get(declared, {Kinship.EXACT_COPY, Kinship.QUANTIZED_COPY, Kinship.FINE_TUNE})
    if kin.verdict not in allowed:
        return Ground(held=False, code="relation-differs", detail=f"{declared} / {kin.verdict}")
    if comparison is not None and any(d.kind in {"added", "missing", "reshaped"} for d in comparison.deltas):
        return Ground(held=False, code="undeclared-patches", detail=name)
    if comparison is None or comparison.problem:
        return Ground(held=False, code="too-little-compared", detail=name)
    return Ground(held=True, code="weights-agree", detail=f"{name} ({kin.verdict})")


def patches(comparison: Comparison | None, candidate: Inventory, base: Inventory) -> tuple[Patch, ...]:
    """Every difference from the base: tensors first, then files other than weights."""
    deltas = comparison.deltas if comparison else ()
    tensors = [
        Patch("tensor", d.name, d.kind, f"{d.relative:.6g}" if d.kind == "changed" else "", "", "")
        for d in deltas
        if d.kind != "same"
    ]
    return tuple(tensors) + tuple(_file_patches(candidate, base))


def patch_summary(found: tuple[Patch, ...]) -> str:
    """Counts, and a digest of the names so that two lists can be told apart."""
    tensors = [p.name for p in found if p.kind == "tensor"]
    others = [p.name for p in found if p.kind == "file"]
    digest = hashlib.sha256("\n".join(sorted(tensors)).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{len(tensors)} tensors (sha256:{digest}), {len(others)} files"


def _file_patches(candidate: Inventory, base: Inventory) -> Iterable[Patch]:
    mine, theirs = _side_files(candidate), _side_files(base)
    for path in sorted(mine.keys() | theirs.keys()):
        ours, other = mine.get(path, ""), theirs.get(path, "")
        if ours != other or (not ours and path in mine):
            change = "changed" if path in mine and path in theirs else "added" if path in mine else "missing"
            yield Patch("file", path, change, "", other, ours)


def _side_files(files: Inventory) -> dict[str, str]:
    return {f.path: f.sha256 for f in files.files if f.role is not Role.WEIGHTS}


def _parent(claim: ParentClaim, shown: Relation, seen: Kinship | None) -> Parent:
    relation, basis = claim.relation, Basis.CLAIMED
    if relation is Relation.UNKNOWN and shown is not Relation.UNKNOWN:
        relation, basis = shown, Basis.MEASURED
    if relation is Relation.UNKNOWN and seen in _SHOWN:
        relation, basis = _SHOWN[seen], Basis.MEASURED
    return Parent(
        claim.name, claim.revision, "", relation, basis, claim.where, kinship=seen.value if seen else ""
    )


def _measured(claims: Claims, files: Inventory) -> Relation:
    """What the files themselves show was done, whatever is said."""
    if any(f.role is Role.ADAPTER for f in files.files) and not any(
        f.role is Role.WEIGHTS for f in files.files
    ):
        return Relation.ADAPTER
    if claims.quantised or _packed(files):
        return Relation.QUANTISED
    kinds = {t.dtype for f in files.files if isinstance(f.facts, GgufFacts) for t in f.facts.tensors}
    if kinds:
        return Relation.CONVERTED if kinds <= _WIDE else Relation.QUANTISED
    return Relation.MERGE if claims.merged or len(claims.parents) > 1 else Relation.UNKNOWN


def _packed(files: Inventory) -> bool:
    names = (t.name for f in files.files if isinstance(f.facts, SafetensorsFacts) for t in f.facts.tensors)
    return any(name.rpartition(".")[2] in _PACKED for name in names)
