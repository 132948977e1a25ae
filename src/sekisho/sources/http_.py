"""Bounded reading over HTTP: few redirects, no way down from https, credentials only for the host they were given to."""

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, final
from urllib.parse import urlsplit

from sekisho.errors import ArtefactError, DigestError, SourceError, StorageError
from sekisho.formats import json_config
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, MIB

_TRAVELS: Final = frozenset({"accept", "user-agent"})
"""Headers that go along to another host; all others were meant for the first."""
_SPARE: Final = 64 * MIB
"""Bytes of the disk that a download leaves free."""


@dataclass(frozen=True)
class Answer:
    """A small answer, read in full."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def require_safe(url: str) -> None:
    """Refuse an address that is not https, or http to this machine itself. Raises SourceError."""
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise SourceError("an address that we are sent to cannot be read") from error
    loopback = split.hostname in {"127.0.0.1", "localhost", "::1"}
    if split.scheme != "https" and not (split.scheme == "http" and loopback):
        raise SourceError(f"{_where(url)}: only https is allowed (http to this machine itself)")


def require_sent(sender: str, url: str) -> None:
    """Refuse an address that a server names where it leads down from https, to this machine too. Raises SourceError."""
    require_safe(url)
    if urlsplit(sender).scheme == "https" and urlsplit(url).scheme != "https":
        raise SourceError(f"{_where(sender)}: sends us on without encryption")


def get(url: str, headers: Mapping[str, str] | None = None, *, data: bytes | None = None) -> Answer:
    """Read a small answer; a status of 400 and more is an answer, too. Raises SourceError."""
    with _opened(url, headers, data) as answer:
        body = answer.read(DEFAULT.listing_bytes + 1)
        if len(body) > DEFAULT.listing_bytes:
            raise SourceError(f"{_where(url)}: the answer is larger than {DEFAULT.listing_bytes:,} bytes")
        named = {k.lower(): v for k, v in answer.headers.items()}
        return Answer(answer.status, named, body)


def document(url: str, headers: Mapping[str, str] | None = None, *, data: bytes | None = None) -> Any:
    """Read a JSON answer. Raises SourceError."""
    answer = get(url, headers, data=data)
    if answer.status != http.client.OK:
        raise SourceError(f"{_where(url)}: the server answered {answer.status}")
    try:
        return json_config.parse(answer.body, DEFAULT).document
    except ArtefactError as error:
        raise SourceError(f"{_where(url)}: the answer is no JSON that can be read within bounds") from error


def save(
    url: str, target: Path, *, sha256: str, size: int = -1, headers: Mapping[str, str] | None = None
) -> int:
    """Write a file whose digest must be right, and return its bytes. Raises SourceError, DigestError, StorageError.

    On any error nothing is kept. `size` of -1 leaves only the general bound.
    """
    _room(target, size)
    try:
        actual, count = _received(url, headers, target, size)
        _fits(target, count, size, (sha256, actual))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return count


def _received(url: str, headers: Mapping[str, str] | None, target: Path, size: int) -> tuple[str, int]:
    with _opened(url, headers, None) as answer:
        if answer.status != http.client.OK:
            raise SourceError(f"{_where(url)}: the server answered {answer.status}")
        return _stream(answer, target, size if size >= 0 else DEFAULT.file_bytes)


def _fits(target: Path, count: int, size: int, digests: tuple[str, str]) -> None:
    if size >= 0 and count != size:
        raise SourceError(f"{target.name}: {count:,} bytes came, {size:,} were listed")
    if digests[0] != digests[1]:
        raise DigestError(target.name, *digests)


def _stream(answer: IO[bytes], target: Path, most: int) -> tuple[str, int]:
    made, count = hashlib.sha256(), 0
    try:
        with target.open("xb") as out:
            while piece := answer.read(MIB):
                count += len(piece)
                if count > most:
                    raise SourceError(f"{target.name}: more than the {most:,} bytes that were listed")
                made.update(piece)
                out.write(piece)
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise SourceError(f"{target.name}: the connection broke: {type(error).__name__}") from error
    except OSError as error:
        raise StorageError(f"{target}: not written: {error.strerror or error}") from error
    return made.hexdigest(), count


def _room(target: Path, size: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if size + _SPARE > free:
        raise StorageError(f"{target.name} needs {size:,} bytes, {free:,} are free")


@contextmanager
def _opened(
    url: str, headers: Mapping[str, str] | None, data: bytes | None
) -> "Iterator[http.client.HTTPResponse]":
    require_safe(url)
    request = urllib.request.Request(url, data=data, headers=dict(headers or {}))  # noqa: S310  see require_safe
    request.add_header("User-Agent", "sekisho")
    opener = urllib.request.build_opener(_Redirects)
    try:
        answer = opener.open(request, timeout=DEFAULT.source_silence_s)
    except urllib.error.HTTPError as error:
        answer = error
    except urllib.error.URLError as error:
        why = getattr(error.reason, "strerror", None) or type(error.reason).__name__
        raise SourceError(f"{_where(url)}: cannot be reached ({shown(str(why))})") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(f"{_where(url)}: cannot be reached ({type(error).__name__})") from error
    with answer:
        try:
            yield answer
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise SourceError(f"{_where(url)}: the connection broke: {type(error).__name__}") from error


@final
class _Redirects(urllib.request.HTTPRedirectHandler):
    """A few hops, never from https to http, and no secrets for another host."""

    max_redirections = DEFAULT.redirects
    max_repeats = 2

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        require_sent(req.full_url, newurl)
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            for name in [h for h in made.headers if h.lower() not in _TRAVELS]:
                del made.headers[name]
        return made


def _where(url: str) -> str:
    """The address without what may be secret."""
    split = urlsplit(url)
    return shown(f"{split.scheme}://{split.hostname or ''}{split.path}")
