"""OpenSSF Model Signing v1.0: every file of a folder by its digest, signed; written, read, and held against the files.

The root digest, sha256 over the raw digests in order, is the subject that every other statement names. Beyond the
specification, the predicate lists under `unsigned` what its `ignore_paths` leave out, which other readers pass over.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, final

from sekisho.errors import DataError, MalformedError
from sekisho.evidence import dsse, walk
from sekisho.evidence.keys import Signer
from sekisho.evidence.walk import Entry
from sekisho.ledger.kinds import is_digest
from sekisho.sources.digest import LEFT_OUT

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://model_signing/signature/v1.0"
_READ: Final = ("", "blob-renamed")
"""Problems with which an entry was read all the same: of what is signed already, the digest decides, not a cache's name."""
HASH: Final = "sha256"
"""The one digest of files that is written and read here; OMS knows blake2b and blake3, too."""


@final
@dataclass(frozen=True)
class Manifest:
    """What an OMS signature says, verified or not."""

    name: str
    root: str
    """sha256 hex over the raw digests in order: the identity of the model in every statement."""
    files: Mapping[str, str]
    """Path to digest in hex."""
    beside: Mapping[str, str]
    """Files that its `ignore_paths` leave out, with digests; only of our own signatures."""
    ignored: tuple[str, ...]
    """Paths left out."""


@final
@dataclass(frozen=True)
class Difference:
    """One way in which files are not as signed."""

    path: str
    cause: str
    """`changed`, `missing`, `added`, `version-control`, or a key of `walk.PROBLEMS`."""


@final
@dataclass(frozen=True)
class Compared:
    """Files against a manifest."""

    differences: tuple[Difference, ...]
    notes: tuple[Difference, ...] = ()
    """What is no difference, but in no signature either: `leftover`, `empty-folder`, `accepted`."""


def root_digest(digests: Collection[str]) -> str:
    """sha256 hex over raw digests in their order."""
    made = hashlib.sha256()
    for digest in digests:
        made.update(bytes.fromhex(digest))
    return made.hexdigest()


def manifest(name: str, entries: Collection[Entry], *, ignored: Collection[str] = ()) -> Manifest:
    """What would be signed of a folder. Raises DataError naming the first entry that cannot be."""
    bad = next((e for e in entries if e.problem), None)
    if bad is not None:
        raise DataError(f"{bad.path}: {walk.PROBLEMS[bad.problem]}, so it cannot be signed")
    left = tuple(dict.fromkeys((*LEFT_OUT, *ignored)))
    files = {e.path: e.sha256 for e in entries if e.kind == "file"}
    kept = {p: d for p, d in files.items() if not _under(p, left)}
    if not kept:
        raise DataError(f"{name}: there is no file to sign")
    beside = {p: d for p, d in files.items() if _under(p, left) and p not in ignored}
    return Manifest(name, root_digest(tuple(kept.values())), kept, beside, left)


def payload(made: Manifest, *, linked: bool = False) -> bytes:
    """The statement that is signed, as bytes; `linked` if files were reached by links."""
    resources = [{"name": p, "algorithm": "sha256", "digest": d} for p, d in made.files.items()]
    left_out = [{"name": p, "algorithm": "sha256", "digest": d} for p, d in made.beside.items()]
    serialization = {
        "method": "files",
        "hash_type": "sha256",
        "allow_symlinks": linked,
        "ignore_paths": list(made.ignored),
    }
    predicate = {"serialization": serialization, "resources": resources}
    return dsse.dump(
        {
            "_type": STATEMENT,
            "subject": [{"name": made.name, "digest": {"sha256": made.root}}],
            "predicateType": PREDICATE,
            "predicate": predicate | ({"unsigned": left_out} if left_out else {}),
        }
    )


def sign(model: Path, signer: Signer) -> tuple[Manifest, bytes]:
    """Sign a model folder or file: what was signed, and the bundle's bytes. Raises DataError, SourceError."""
    entries = walk.take(model)
    made = manifest(model.resolve().name, entries)
    return made, dsse.dump(dsse.bundle(payload(made, linked=any(e.linked for e in entries)), signer)) + b"\n"


def read(data: bytes) -> Manifest:
    """The manifest of a payload, root digest recomputed. Raises MalformedError, LimitError."""
    body = dsse.parse(data)
    if body.get("_type") != STATEMENT or body.get("predicateType") != PREDICATE:
        raise MalformedError(
            f"a statement of the type {str(body.get('predicateType'))[:80]!r}, no OMS v1.0 signature"
        )
    name, root = subject(body)
    predicate = body.get("predicate")
    if not isinstance(predicate, dict) or not isinstance(predicate.get("serialization"), dict):
        raise MalformedError("no serialization is stated")
    how = predicate["serialization"]
    if how.get("method") != "files" or how.get("hash_type") != HASH:
        raise MalformedError(
            f"serialization {str(how.get('method'))[:20]!r} by {str(how.get('hash_type'))[:20]!r} is not read"
        )
    files = _resources(predicate.get("resources"))
    if not files or root_digest(tuple(files.values())) != root:
        raise MalformedError("its root digest is not that of the files it lists")
    ignored = how.get("ignore_paths") or []
    if not isinstance(ignored, list) or not all(isinstance(p, str) for p in ignored):
        raise MalformedError("ignore_paths is no list of text")
    beside = _resources(predicate["unsigned"]) if "unsigned" in predicate else {}
    both = next((p for p in beside if p in files), None)
    if both is not None:
        raise MalformedError(f"{both[:80]!r} is listed twice, signed and unsigned")
    return Manifest(name, root, files, beside, tuple(ignored))


def subject(body: Mapping[str, Any]) -> tuple[str, str]:
    """Name and sha256 of the one subject of a statement. Raises MalformedError."""
    subjects = body.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise MalformedError("a statement needs exactly one subject")
    name, digests = subjects[0].get("name"), subjects[0].get("digest")
    root = digests.get("sha256") if isinstance(digests, dict) else None
    if not isinstance(name, str) or not _is_hex(root):
        raise MalformedError("the subject has no name or no sha256")
    return name, str(root)


def compare(
    signed: Manifest,
    entries: Collection[Entry],
    *,
    accepted: Collection[str] = (),
    expected: Collection[str] = (),
) -> Compared:
    """Hold files against a manifest. `accepted` top paths may be unsigned; `expected` ones are checked elsewhere."""
    known = {**signed.files, **signed.beside}
    there = {e.path: e for e in entries}
    found = [Difference(p, "missing") for p in known if p not in there]
    notes: list[Difference] = []
    for entry in entries:
        if entry.path in known and entry.problem in _READ:
            if entry.sha256 != known[entry.path]:
                found.append(Difference(entry.path, "changed"))
        elif _under(entry.path, expected):
            continue
        elif _under(entry.path, accepted):
            notes.append(Difference(entry.path, "accepted"))
        elif entry.problem:
            found.append(Difference(entry.path, entry.problem))
        elif entry.kind == "note":
            notes.append(Difference(entry.path, "leftover"))
        elif entry.kind == "empty":
            notes.append(Difference(entry.path, "empty-folder"))
        else:
            found.append(Difference(entry.path, "version-control" if entry.kind == "git" else "added"))
    return Compared(tuple(found), tuple(notes))


def _resources(raw: Any) -> dict[str, str]:
    if not isinstance(raw, list) or not all(isinstance(r, dict) for r in raw):
        raise MalformedError("resources is no list of files")
    made: dict[str, str] = {}
    for entry in raw:
        name, digest = entry.get("name"), entry.get("digest")
        if not isinstance(name, str) or entry.get("algorithm") != HASH or not _is_hex(digest):
            raise MalformedError("a file is listed without its name, algorithm or digest")
        if name != "." and (PurePosixPath(name).is_absolute() or ".." in name.split("/") or "\\" in name):
            raise MalformedError(f"{name[:80]!r} leads out of the folder")
        if name in made:
            raise MalformedError(f"{name[:80]!r} is listed twice")
        made[name] = digest
    return made


def _is_hex(text: Any) -> bool:
    return isinstance(text, str) and is_digest(text)


def _under(path: str, folders: Collection[str]) -> bool:
    return any(path == f or path.startswith(f + "/") for f in folders)
