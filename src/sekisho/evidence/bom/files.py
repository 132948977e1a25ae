"""Every file of the model as a component, with its digest and what it is for."""

from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import Json, file_ref, filled, prop, sha256
from sekisho.provenance.records import FileEntry
from sekisho.records import FileFact


def components(subject: Subject) -> list[Json]:
    """One component for each file, in the order of their paths."""
    known = {f.path: f for f in subject.intake.files} if subject.intake else {}
    return [_component(file, known.get(file.path)) for file in subject.inventory.files]


def _component(file: FileFact, entry: FileEntry | None) -> Json:
    properties = [
        prop("file:role", file.role.value),
        prop("file:format", file.format),
        prop("file:size", str(file.size)),
    ]
    if file.problem:
        properties.append(prop("file:problem", file.problem))
    if entry and entry.git_blob:
        properties.append(prop("file:git-blob", entry.git_blob))
    return filled(
        {
            "type": "file",
            "bom-ref": file_ref(file.path),
            "name": file.path,
            "mime-type": entry.media_type if entry else "",
            "hashes": sha256(file.sha256),
            "properties": properties,
        }
    )
