"""Everything on file about one model's origin, gathered once: its files, what downloads left, what is claimed, the proof."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sekisho.errors import ArtefactError, SourceError
from sekisho.provenance import claims, download, origin, proof
from sekisho.provenance.gitobjects import SHA1
from sekisho.provenance.records import Deviation
from sekisho.records import FileFact, Inventory
from sekisho.sources import digest, oci
from sekisho.sources.listed import Expected

SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Request:
    """What the user knows that the folder does not."""

    expect: str = ""
    """40-hex commit, or `sha256:` digest, that came another way than the files."""
    commit: bytes = b""
    """A commit object kept at download time."""
    source: str = ""
    """Where the user says it came from; an immutable revision in it counts as `expect`."""


@dataclass(frozen=True)
class Evidence:
    """Gathered, not judged."""

    inventory: Inventory
    files: tuple[FileFact, ...]
    """Of the model itself: without the bookkeeping of a download."""
    download: download.Download | None
    origin: origin.Origin | None
    origin_problem: str
    """Why the record of the fetch could not be read; empty where it was, or there is none."""
    claims: claims.Claims
    listed: bool
    """A record lists files to hold these against."""
    blobs: tuple[proof.Blob, ...]
    deviations: tuple[Deviation, ...]
    proof: proof.Proof
    source: str
    """Typed in; empty if not."""
    expect: str
    independent: bool
    """`expect` was given by the user, not by the files' own records."""
    manifest_fits: bool
    """The record's list is what its manifest, of the digest that `expect` names, says; or the only file has that digest."""


def gather(files: Inventory, path: Path, request: Request, *, unlisted: bool = True) -> Evidence:
    """Gather the evidence on a model that lies at `path`. What is broken is said, never raised.

    Without `unlisted`, files that no record lists are not read once more for their git ids.
    """
    traces = download.recognise(files)
    record, problem = _record(path)
    kept = download.model_files(files, traces)
    given = request.expect or revision_of(request.source)
    expect = given or (record.revision if record else "") or _one(traces)
    listed = _listed(record, traces)
    whole = bool(record and record.files) or bool(traces and traces.complete_list)
    found = proof.blobs(Path(files.root), kept, listed, unlisted=unlisted)
    deviations = proof.compare(found, listed.values(), whole=whole) if listed else ()
    proven = proof.prove(
        found,
        expect if SHA1.fullmatch(expect) else "",
        request.commit or (record.commit if record else b""),
        record.by_id if record else {},
    )
    return Evidence(
        inventory=files,
        files=kept,
        download=traces,
        origin=record,
        origin_problem=problem,
        claims=claims.read(files),
        listed=bool(listed),
        blobs=found,
        deviations=proven.deviations or deviations,
        proof=proven,
        source=request.source,
        expect=expect,
        independent=bool(given),
        manifest_fits=_fits(record, kept, expect),
    )


def revision_of(uri: str) -> str:
    """The immutable revision in an address, empty where it has none."""
    tail = re.split(r"[@#]", uri)[-1] if re.search(r"[@#]", uri) else ""
    tail = tail.replace("sha256=", "sha256:")
    return tail if SHA1.fullmatch(tail) or SHA256.fullmatch(tail) else ""


def root_digest(files: Sequence[FileFact]) -> str:
    """Root digest of a model, the subject of its signatures and decisions; empty if a file was not read."""
    if not files or not all(f.sha256 for f in files):
        return ""
    return digest.root({f.path: f.sha256 for f in files})


def _fits(record: origin.Origin | None, files: Sequence[FileFact], expect: str) -> bool:
    if not SHA256.fullmatch(expect):
        return False
    if record is None or not record.manifest:  # a single file, pinned by its own digest
        return len(files) == 1 and f"sha256:{files[0].sha256}" == expect
    data = record.manifest.encode()
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != expect:
        return False
    try:
        layers = oci.layers(data)
    except SourceError:
        return False
    return sorted((e.path, e.sha256, e.size) for e in layers) == sorted(
        (e.path, e.sha256, e.size) for e in record.files
    )


def _record(path: Path) -> tuple[origin.Origin | None, str]:
    try:
        return origin.read(origin.place(path)), ""
    except ArtefactError as error:
        return None, str(error)


def _listed(record: origin.Origin | None, traces: download.Download | None) -> dict[str, Expected]:
    if record and record.files:
        return {e.path: e for e in record.files}
    return {e.path: e for e in traces.expected} if traces else {}


def _one(traces: download.Download | None) -> str:
    return traces.revisions[0] if traces and len(traces.revisions) == 1 else ""
