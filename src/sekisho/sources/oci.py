"""OCI artefacts, from a registry or an image layout on disk: the manifest by its digest, each layer by its own.

A layer is one file, named by its title annotation (as ORAS and others write them); tar layers stay packed.
Sources: OCI image-spec 1.1 (manifest, image layout), distribution-spec 1.1 (pull).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from sekisho.errors import ArtefactError, DigestError, SourceError
from sekisho.formats import json_config
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.sources import http_, paths
from sekisho.sources.address import DIGEST, Address
from sekisho.sources.listed import Arrived, Expected

_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_TITLE: Final = "org.opencontainers.image.title"
_REF: Final = "org.opencontainers.image.ref.name"
_CHALLENGE: Final = re.compile(r'(realm|service|scope)="([^"]{0,1000})"')
_NAMED: Final = re.compile(r"[\w][\w.-]{0,127}")

Manifest = Callable[[str], bytes]
"""A reference or digest to the bytes of its manifest."""


def fetch(where: Address, folder: Path) -> Arrived:
    """Write an artefact's files into a folder. Raises SourceError, DigestError, StorageError."""
    if where.kind == "oci-layout":
        layout = _Layout(Path(where.place))
        return _artefact(where, folder, layout.manifest, layout.layer)
    registry = _Registry(where)
    return _artefact(where, folder, registry.manifest, registry.layer)


def _artefact(
    where: Address, folder: Path, manifest: Manifest, layer: Callable[[Expected, Path], None]
) -> Arrived:
    reference = where.revision or "latest"
    data = manifest(reference)
    table = _table(data)
    if "manifests" in table:
        data = manifest(_only(table))
    revision = f"sha256:{hashlib.sha256(data).hexdigest()}"
    files = layers(data)
    paths.bounded([f.size for f in files])
    for file in files:
        layer(file, paths.inside(folder, file.path))
    return Arrived(where.uri(revision), reference, revision, files, manifest=data.decode("utf-8"))


def layers(manifest: bytes) -> tuple[Expected, ...]:
    """The files that a manifest lists, at least one. Raises SourceError."""
    entries = _table(manifest).get("layers")
    if not isinstance(entries, list) or not entries:
        raise SourceError("the manifest has no layers")
    found = [_file(entry) for entry in entries[: DEFAULT.files + 1]]
    if len({f.path for f in found}) != len(found):
        raise SourceError("two layers of the manifest have one title")
    return tuple(found)


def _file(entry: Any) -> Expected:
    known = entry if isinstance(entry, dict) else {}
    notes = known.get("annotations")
    title = notes.get(_TITLE) if isinstance(notes, dict) else None
    digest, size = known.get("digest"), known.get("size")
    if not isinstance(title, str) or not title:
        raise SourceError("a layer of the manifest has no title; only artefacts of named files are read")
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest) or type(size) is not int or size < 0:
        raise SourceError(f"layer {shown(title)} has no sha256 or no size")
    return Expected(title, size, digest.removeprefix("sha256:"), "", lfs=False)


def _only(index: Mapping[str, Any]) -> str:
    entries = index.get("manifests")
    digests = [e.get("digest") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    if len(digests) != 1 or not isinstance(digests[0], str) or not DIGEST.fullmatch(digests[0]):
        raise SourceError(f"the index names {len(digests)} manifests; name the one you want by its digest")
    return digests[0]


def _table(data: bytes) -> dict[str, Any]:
    try:
        table = json_config.parse(data, DEFAULT).document
    except ArtefactError as error:
        raise SourceError("the manifest is no JSON that can be read within bounds") from error
    if not isinstance(table, dict):
        raise SourceError("the manifest is no JSON object")
    return table


def _verify(what: str, data: bytes, digest: str) -> None:
    actual = hashlib.sha256(data).hexdigest()
    if DIGEST.fullmatch(digest) and f"sha256:{actual}" != digest:
        raise DigestError(what, digest.removeprefix("sha256:"), actual)


class _Registry:
    """One repository of a registry; a token is asked for anonymously and kept in memory alone."""

    def __init__(self, where: Address) -> None:
        self._base = f"{'http' if where.plain else 'https'}://{where.host}/v2/{where.place}"
        self._scope = f"repository:{where.place}:pull"
        self._token = ""

    def manifest(self, reference: str) -> bytes:
        if not (DIGEST.fullmatch(reference) or _NAMED.fullmatch(reference)):
            raise SourceError(f"{shown(reference)!r} is no tag or digest")
        answer = self._get(f"{self._base}/manifests/{reference}")
        _verify("manifest", answer.body, reference)
        return answer.body

    def layer(self, file: Expected, target: Path) -> None:
        url = f"{self._base}/blobs/sha256:{file.sha256}"
        http_.save(url, target, sha256=file.sha256, size=file.size, headers=self._headers())

    def _get(self, url: str) -> http_.Answer:
        answer = http_.get(url, self._headers())
        if answer.status == 401 and not self._token:  # noqa: PLR2004 - unauthorised
            self._token = _token(answer.headers.get("www-authenticate", ""), self._scope, url)
            answer = http_.get(url, self._headers())
        if answer.status != 200:  # noqa: PLR2004
            raise SourceError(f"{url.partition('?')[0]}: the registry answered {answer.status}")
        return answer

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": ", ".join(_MANIFESTS)}
        return headers | ({"Authorization": f"Bearer {self._token}"} if self._token else {})


def _token(challenge: str, scope: str, sender: str) -> str:
    known = dict(_CHALLENGE.findall(challenge[:4096])) if challenge.lower().startswith("bearer ") else {}
    realm = known.get("realm", "")
    if not realm:
        raise SourceError("the registry wants a login that is not known here")
    http_.require_sent(sender, realm)
    asked = urlencode({"service": known.get("service", ""), "scope": scope})
    table = http_.document(f"{realm}{'&' if '?' in realm else '?'}{asked}")
    token = (table.get("token") or table.get("access_token")) if isinstance(table, dict) else None
    if not isinstance(token, str) or not token.isprintable() or len(token) > 64 * 1024:
        raise SourceError("the registry gave no token")
    return token


class _Layout:
    """An image layout: index.json and blobs by digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def manifest(self, reference: str) -> bytes:
        if DIGEST.fullmatch(reference):
            data = self._small(self._blob(reference))
            _verify("manifest", data, reference)
            return data
        index = _table(self._small(self._folder / "index.json"))
        listed = index.get("manifests")
        entries = [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []
        notes = [(e, e.get("annotations")) for e in entries]
        named = [e for e, found in notes if isinstance(found, dict) and found.get(_REF) == reference]
        chosen = named or (entries if reference == "latest" else [])
        digest = _only({"manifests": chosen})
        data = self._small(self._blob(digest))
        _verify("manifest", data, digest)
        return data

    def layer(self, file: Expected, target: Path) -> None:
        paths.copy(self._blob(f"sha256:{file.sha256}"), target, sha256=file.sha256, size=file.size)

    def _blob(self, digest: str) -> Path:
        path = self._folder / "blobs" / "sha256" / digest.removeprefix("sha256:")
        if path.is_symlink() or not path.is_file():
            raise SourceError(f"the layout has no blob {digest}")
        return path

    def _small(self, path: Path) -> bytes:
        if not path.is_file():
            raise SourceError(f"the layout has no {path.name}")
        try:
            with path.open("rb") as file:
                data = file.read(DEFAULT.listing_bytes + 1)
        except OSError as error:
            raise SourceError(f"{path.name} of the layout: {error.strerror or error}") from error
        if len(data) > DEFAULT.listing_bytes:
            raise SourceError(f"{path.name} of the layout is larger than {DEFAULT.listing_bytes:,} bytes")
        return data
