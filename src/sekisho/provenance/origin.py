"""What Sekisho itself wrote down while it fetched a model: beside the folder, never in it, so that it is no extra file.

`<folder>.origin.json` has the address, the revision it resolved to, the expected files, and the commit object with its
trees where the source has them. It is unsigned until an intake statement covers it.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sekisho.errors import ArtefactError, MalformedError
from sekisho.formats import json_config
from sekisho.limits import DEFAULT
from sekisho.provenance.gitobjects import object_id
from sekisho.sources.listed import Expected

SCHEMA: Final = 1
ENDING: Final = ".origin.json"
_IMMUTABLE: Final = re.compile(r"[0-9a-f]{40}|sha256:[0-9a-f]{64}")
_TEXTS: Final = ("uri", "requested", "revision", "time", "tool", "who", "manifest")
_KEYS: Final = frozenset({"schema", *_TEXTS, "files", "commit", "trees"})
_FILE_KEYS: Final = frozenset({"path", "size", "sha256", "git_blob", "lfs"})


@dataclass(frozen=True)
class Origin:
    """One fetch."""

    uri: str
    """With the immutable revision, without credentials."""
    requested: str
    """What was asked for, e.g. `main`; equal to `revision` where it was pinned."""
    revision: str
    """Commit id, `sha256:` digest of a manifest or of the file; empty where the source has none."""
    time: str
    """UTC, ISO 8601."""
    tool: str
    who: str = ""
    """Empty unless somebody gave a name."""
    files: tuple[Expected, ...] = ()
    """Every file of the revision, as the source listed it."""
    manifest: str = ""
    """The OCI manifest as served; its sha256 is the revision."""
    commit: bytes = b""
    """The commit object's body; empty where the source gives none."""
    trees: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def by_id(self) -> dict[str, bytes]:
        """Tree objects by their ids."""
        return {object_id("tree", data): data for data in self.trees}


def place(folder: Path) -> Path:
    """Where the record of a model's folder or file lies."""
    whole = folder.absolute()
    return whole.with_name(whole.name + ENDING)


def dump(origin: Origin) -> bytes:
    """Write the record."""
    body: dict[str, Any] = {"schema": SCHEMA, **{key: getattr(origin, key) for key in _TEXTS}}
    body["files"] = [{key: getattr(e, key) for key in sorted(_FILE_KEYS)} for e in origin.files]
    body["commit"] = base64.b64encode(origin.commit).decode()
    body["trees"] = [base64.b64encode(tree).decode() for tree in origin.trees]
    return json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"


def read(path: Path) -> Origin | None:
    """Read a record; None where there is none. Raises ArtefactError where it is broken."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.listing_bytes + 1)
    except OSError as error:
        raise ArtefactError(f"{path.name}: {error.strerror or error}") from error
    if len(data) > DEFAULT.listing_bytes:
        raise MalformedError(f"{path.name}: larger than {DEFAULT.listing_bytes:,} bytes")
    return parse(data)


def parse(data: bytes) -> Origin:
    """Read a record's bytes. Raises ArtefactError."""
    body = json_config.parse(data, DEFAULT).document
    if not isinstance(body, dict) or set(body) != _KEYS or body["schema"] != SCHEMA:
        raise MalformedError("the record of the fetch has another layout")
    texts = {key: body[key] for key in _TEXTS}
    if not all(isinstance(value, str) for value in texts.values()):
        raise MalformedError("the record of the fetch has a value of the wrong kind")
    if texts["revision"] and not _IMMUTABLE.fullmatch(texts["revision"]):
        raise MalformedError("the record of the fetch names a revision that can move")
    if not isinstance(body["files"], list) or not isinstance(body["trees"], list):
        raise MalformedError("the record of the fetch has no list of files")
    files = tuple(_file(entry) for entry in body["files"])
    trees = tuple(_bytes(tree) for tree in body["trees"])
    return Origin(**texts, files=files, commit=_bytes(body["commit"]), trees=trees)


def _file(entry: Any) -> Expected:
    if not isinstance(entry, dict) or set(entry) != _FILE_KEYS or type(entry["size"]) is not int:
        raise MalformedError("the record of the fetch lists a file in another layout")
    if type(entry["lfs"]) is not bool or not all(
        isinstance(entry[k], str) for k in ("path", "sha256", "git_blob")
    ):
        raise MalformedError("the record of the fetch lists a file with a value of the wrong kind")
    return Expected(**entry, downloaded=True)


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise MalformedError("the record of the fetch has broken base64") from error
