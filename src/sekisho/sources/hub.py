"""A model of the Hugging Face hub at one commit; HF_ENDPOINT names another hub, HF_TOKEN opens gated ones."""

import hashlib
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DigestError, SourceError
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, MIB
from sekisho.sources import child, git_remote, http_, paths
from sekisho.sources.address import COMMIT, Address
from sekisho.sources.child import Say
from sekisho.sources.listed import Arrived, Expected

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_KEPT: Final = (
    "PATH", "HOME", "HF_TOKEN", "HF_HOME", "HF_TOKEN_PATH", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy",
    "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG",
)  # fmt: skip
_QUIET: Final = {
    "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}  # fmt: skip
_PUBLIC: Final = "https://huggingface.co"


def fetch(where: Address, folder: Path, scratch: Path, progress: Say) -> Arrived:
    """Write a model's files into a folder, each held against the hub's list. Raises SourceError, DigestError."""
    endpoint = _endpoint()
    answer = _asked(where, folder, scratch, progress, endpoint=endpoint)
    commit = answer.get("commit", "")
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise SourceError("the hub named no commit")
    if COMMIT.fullmatch(where.revision) and commit != where.revision:
        raise SourceError(f"the hub gave commit {commit} for {where.revision}")
    if commit != where.revision:
        progress(f"{where.revision or 'the default branch'} is commit {commit} now")
    files = tuple(_listed(entry) for entry in answer.get("files", ()))
    paths.bounded([f.size for f in files])
    for file in files:
        _verify(folder, file)
    body, trees = _commit(f"{endpoint}/{where.place}", commit, scratch, progress)
    return Arrived(where.uri(commit), where.revision or "HEAD", commit, files, commit=body, trees=trees)


def _asked(where: Address, folder: Path, scratch: Path, progress: Say, *, endpoint: str) -> dict[str, Any]:
    request, answer = scratch / "request.json", scratch / "answer.json"
    wanted = {"repository": where.place, "revision": where.revision, "folder": str(folder)}
    request.write_text(json.dumps(wanted), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "sekisho.sources.hub_child", str(request), str(answer)]
    environment = {k: os.environ[k] for k in _KEPT if k in os.environ} | _QUIET | {"HF_ENDPOINT": endpoint}
    try:
        code, said = child.wait(
            command, f"fetching {where.place}", progress, limit_s=DEFAULT.source_s, environment=environment
        )
    except (OSError, TimeoutError) as error:
        raise SourceError(f"{where.place}: {error}") from error
    if code != 0 or not answer.is_file():
        lines = [x.removeprefix("ERROR: ") for x in said.splitlines() if x.startswith("ERROR: ")]
        raise SourceError(
            f"{where.place} could not be fetched: {shown(lines[-1]) if lines else 'no reason given'}"
        )
    read = json.loads(answer.read_text("utf-8"))
    return read if isinstance(read, dict) else {}


def _endpoint() -> str:
    endpoint = os.environ.get("HF_ENDPOINT") or _PUBLIC
    http_.require_safe(endpoint)
    return endpoint.rstrip("/")


def _listed(entry: Any) -> Expected:
    known = entry if isinstance(entry, dict) else {}
    path, size = known.get("path"), known.get("size")
    sha256, blob = known.get("sha256"), known.get("git_blob")
    texts = isinstance(path, str) and isinstance(sha256, str) and isinstance(blob, str)
    if not texts or type(size) is not int or not COMMIT.fullmatch(str(blob)) or size < 0:
        raise SourceError("the hub listed a file without a digest")
    if sha256 and not _SHA256.fullmatch(str(sha256)):
        raise SourceError("the hub listed a file with a broken digest")
    return Expected(str(path), size, str(sha256), str(blob), lfs=bool(sha256))


def _verify(folder: Path, file: Expected) -> None:
    """Hold a file that has come against the list, by sha256 or by its git blob."""
    place = paths.inside(folder, file.path)
    try:
        size = place.stat().st_size
        made = (
            hashlib.sha256()
            if file.sha256
            else hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        )
        with place.open("rb") as stream:
            while piece := stream.read(MIB):
                made.update(piece)
    except OSError as error:
        raise SourceError(f"{shown(file.path)} is listed and did not come") from error
    wanted = file.sha256 or file.git_blob
    if made.hexdigest() != wanted or size != file.size:
        raise DigestError(shown(file.path), wanted, made.hexdigest())


def _commit(url: str, commit: str, scratch: Path, progress: Say) -> tuple[bytes, tuple[bytes, ...]]:
    """The commit object and trees for the offline proof; nothing where the hub's git does not answer."""
    with suppress(SourceError):
        return git_remote.objects(url, commit, scratch, progress)
    progress("the commit object could not be had; the files cannot be proven offline later")
    return b"", ()
