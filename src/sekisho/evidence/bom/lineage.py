"""Pedigree: what the model was made from, the commit it lies at, and what differs from its base."""

from collections.abc import Iterator
from typing import Final

from sekisho.evidence.bom.claimed import Claims
from sekisho.evidence.bom.subject import Base, Subject
from sekisho.evidence.bom.values import UNKNOWN, Json, filled, is_commit, prop, purl, sha256, stated
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.provenance.evidence import root_digest
from sekisho.provenance.records import Parent

_SAME: Final = "same"


def pedigree(subject: Subject, claims: Claims) -> Json:
    """Ancestors, commits and patches; notes say what is not known."""
    return filled(
        {
            "ancestors": _ancestors(subject, claims),
            "commits": _commits(subject),
            "patches": _patches(subject),
            "notes": _notes(subject, claims),
        }
    )


def ancestor_refs(subject: Subject, claims: Claims) -> list[str]:
    """bom-refs of the ancestors."""
    return [a["bom-ref"] for a in _ancestors(subject, claims)]


def _ancestors(subject: Subject, claims: Claims) -> list[Json]:
    found: list[Json] = []
    if subject.intake:
        found += [_parent(p) for p in subject.intake.parents]
    else:
        found += [_declared(name, claims) for name in claims.base_models]
    if subject.base:
        found.append(_compared(subject.base))
    return [{**component, "bom-ref": f"ancestor:{n}"} for n, component in enumerate(found)]


def _parent(parent: Parent) -> Json:
    return filled(
        {
            "type": "machine-learning-model",
            "name": shown(parent.uri) or UNKNOWN,
            "version": parent.revision,
            "purl": purl(parent.uri, parent.revision),
            "hashes": sha256(parent.digest.removeprefix("sha256:")),
            "properties": [
                prop("parent:relation", parent.relation.value),
                prop("parent:basis", parent.basis.value),
                prop("parent:declared-in", parent.declared_in),
                prop("parent:kinship", parent.kinship),
                prop("parent:digest", parent.digest),
            ],
        }
    )


def _declared(name: str, claims: Claims) -> Json:
    return filled(
        {
            "type": "machine-learning-model",
            "name": name,
            "purl": purl(f"hf:{name}", ""),
            "properties": [
                prop("parent:relation", claims.relation),
                prop("parent:basis", "claimed"),
                prop("parent:declared-in", f"{claims.card}:base_model"),
                prop("parent:digest", ""),
            ],
        }
    )


def _compared(base: Base) -> Json:
    digest = root_digest(base.inventory.files)
    return filled(
        {
            "type": "machine-learning-model",
            "name": shown(base.name),
            "hashes": sha256(digest),
            "properties": [
                prop("parent:relation", "compared as base"),
                prop("parent:basis", "measured"),
                prop("parent:digest", f"sha256:{digest}" if digest else ""),
            ],
        }
    )


def _commits(subject: Subject) -> list[Json]:
    intake = subject.intake
    if intake is None or not is_commit(intake.revision.value):
        return []
    source = intake.source.value if intake.source.value.startswith("https://") else ""
    return [filled({"uid": intake.revision.value, "url": source})]


def _patches(subject: Subject) -> list[Json]:
    lines = {"tensor": list(_tensor_lines(subject)), "file": list(_file_lines(subject))}
    return [
        {"type": "unofficial", "diff": {"text": {"contentType": "text/plain", "content": _cut(found)}}}
        for found in lines.values()
        if found
    ]


def _cut(lines: list[str]) -> str:
    more = len(lines) - DEFAULT.bom_patches
    kept = lines[: DEFAULT.bom_patches]
    return "\n".join([*kept, f"and {more:,} more"] if more > 0 else kept)


def _tensor_lines(subject: Subject) -> Iterator[str]:
    if subject.intake and subject.intake.patches:
        for patch in subject.intake.patches:
            if patch.kind == "tensor":
                yield f"{patch.change} {shown(patch.name)}" + (f" norm {patch.norm}" if patch.norm else "")
    elif subject.base and subject.base.comparison:
        for delta in subject.base.comparison.deltas:
            if delta.kind != _SAME:
                norm = f" norm {delta.relative:.6g}" if delta.relative else ""
                yield f"{delta.kind} {shown(delta.name)}{norm}"


def _file_lines(subject: Subject) -> Iterator[str]:
    if subject.intake and subject.intake.patches:
        for patch in subject.intake.patches:
            if patch.kind != "tensor":
                yield f"{patch.change} {shown(patch.name)} {patch.before or '-'} -> {patch.after or '-'}"
    elif subject.base:
        mine = {f.path: f.sha256 for f in subject.inventory.files}
        theirs = {f.path: f.sha256 for f in subject.base.inventory.files}
        for path in sorted(mine.keys() | theirs.keys()):
            if mine.get(path) != theirs.get(path):
                kind = "added" if path not in theirs else "missing" if path not in mine else "changed"
                yield f"{kind} {shown(path)} {theirs.get(path) or '-'} -> {mine.get(path) or '-'}"


def _notes(subject: Subject, claims: Claims) -> str:
    notes = []
    if not (subject.base or claims.base_models or (subject.intake and subject.intake.parents)):
        notes.append("ancestors: unknown")
    if subject.base is None and not (subject.intake and subject.intake.patches):
        notes.append("patches: unknown (no base was compared)")
    elif subject.base and subject.base.comparison and subject.base.comparison.problem:
        notes.append(f"patches: incomplete ({shown(subject.base.comparison.problem)})")
    notes.append(f"revision: {stated(subject.intake.revision if subject.intake else None)}")
    return "; ".join(notes)
