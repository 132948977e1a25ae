"""Addresses of models: hub, git, plain file, OCI artefact. Parsed, bounded, printed without credentials.

`hf:org/name@REVISION`, `git+https://host/path@COMMIT`, `https://host/file#sha256=HEX`, `oci://host/repository@sha256:HEX`,
`oci-layout:FOLDER@sha256:HEX`.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from sekisho.errors import SourceError
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT

KINDS: Final = ("hf:", "git+", "https://", "http://", "oci://", "oci-layout:")
HUB: Final = "huggingface.co"
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_PART: Final = re.compile(r"[^\W_][\w.-]{0,95}")
_REF: Final = re.compile(r"[\w.][\w./-]{0,254}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_GIT: Final = frozenset({"https", "ssh", "file"})


@dataclass(frozen=True)
class Address:
    """One parsed address."""

    kind: str
    """`hf`, `git`, `url`, `oci` or `oci-layout`."""
    host: str
    """Empty for a local place."""
    namespace: str
    """Organisation or first part of the path; empty where there is none."""
    place: str
    """What is asked for: `org/name`, a git address, a URL, `repository` of a registry, or a folder."""
    revision: str
    """As typed; empty if none was."""
    plain: bool = False
    """Unencrypted, which is allowed to this machine itself alone."""

    @property
    def pinned(self) -> bool:
        """The revision is a digest and can never move."""
        return bool(COMMIT.fullmatch(self.revision) or DIGEST.fullmatch(self.revision))

    def uri(self, revision: str = "") -> str:
        """The address with a revision, without credentials and without the query of a URL."""
        which = revision or self.revision
        if self.kind == "url":
            bare = self.place.partition("?")[0]  # a signed address has its secret in the query
            return f"{bare}#sha256={which.removeprefix('sha256:')}" if which else bare
        prefix = {"hf": "hf:", "git": "git+", "oci": f"oci://{self.host}/", "oci-layout": "oci-layout:"}
        return f"{prefix[self.kind]}{self.place}" + (f"@{which}" if which else "")


def is_address(spec: str) -> bool:
    """Say whether a text names a place to fetch from, and not a catalogue entry."""
    return spec.startswith(KINDS)


def parse(spec: str) -> Address:
    """Read an address. Raises SourceError, which never repeats credentials."""
    if len(spec) > DEFAULT.path_chars or not spec.isprintable() or any(c.isspace() for c in spec):
        raise SourceError("the address is too long, or has blanks or control characters")
    try:
        if spec.startswith("hf:"):
            return _hub(spec.removeprefix("hf:"))
        if spec.startswith("git+"):
            return _git(spec.removeprefix("git+"))
        if spec.startswith("oci-layout:"):
            place, revision = _cut(spec.removeprefix("oci-layout:"))
            return Address("oci-layout", "", "", place, revision)
        if spec.startswith("oci://"):
            return _oci(spec)
        if spec.startswith(("https://", "http://")):
            return _url(spec)
    except ValueError as error:
        raise SourceError(f"the address cannot be read: {shown(type(error).__name__)}") from error
    raise SourceError(f"{_said(spec)} is no address; it begins with one of {', '.join(KINDS)}")


def _cut(text: str) -> tuple[str, str]:
    place, _, revision = text.partition("@")
    if (revision and not (_REF.fullmatch(revision) or DIGEST.fullmatch(revision))) or ".." in revision:
        raise SourceError(f"{shown(revision)!r} is no revision")
    return place, revision


def _hub(text: str) -> Address:
    place, revision = _cut(text)
    parts = place.split("/")
    if len(parts) != 2 or not all(_PART.fullmatch(p) for p in parts) or ".." in place or "--" in place:  # noqa: PLR2004
        raise SourceError(f"{_said(text)} is no hub name; it has the form org/name")
    return Address("hf", HUB, parts[0], place, revision)


def _git(text: str) -> Address:
    # The last @ after the path's beginning is the revision; one before it belongs to the user's name.
    at = text.rfind("@")
    cut = at if at > text.find("/", text.find("://") + 3) > 0 else len(text)
    place, revision = text[:cut], text[cut + 1 :]
    if revision:
        _cut(f"x@{revision}")
    split = urlsplit(place)
    if split.scheme not in _GIT and not (split.scheme == "http" and split.hostname in _LOOPBACK):
        raise SourceError(f"git over {shown(split.scheme) or 'nothing'} is not allowed: https, ssh or file")
    host = _host(split.hostname or "")
    if host.startswith("-") or split.path.startswith("-") or "::" in split.path:
        raise SourceError("the git address would be read as an option")
    bare = _bare(place)
    return Address("git", host, _first(split.path), bare, revision, plain=split.scheme == "http")


def _url(text: str) -> Address:
    split = urlsplit(text)
    digest = split.fragment.removeprefix("sha256=")
    if split.fragment and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise SourceError("the part after # is to be sha256= and 64 hexadecimal digits")
    _refuse_plain(split.scheme, split.hostname or "")
    place = _bare(urlunsplit((split.scheme, split.netloc, split.path, split.query, "")))
    return Address(
        "url", _host(split.hostname or ""), _first(split.path), place, f"sha256:{digest}" if digest else "",
        plain=split.scheme == "http",
    )  # fmt: skip


def _oci(text: str) -> Address:
    rest, revision = _cut(text.removeprefix("oci://"))
    host, _, repository = rest.partition("/")
    host = _host(host).removesuffix(":443").rstrip(".")
    name = urlsplit(f"//{host}").hostname or ""
    if not name or not re.fullmatch(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*", repository):
        raise SourceError(
            f"{_said(text)} is no artefact; it has the form oci://host/repository@sha256:digest"
        )
    return Address("oci", host, repository.partition("/")[0], repository, revision, plain=name in _LOOPBACK)


def _said(text: str) -> str:
    """What was typed, without what stands where a name and a password do."""
    return repr(shown(re.sub(r"^(.*//)?[^/@]*:[^/@]*@", r"\1", text)))


def _refuse_plain(scheme: str, host: str) -> None:
    if not host:
        raise SourceError("the address has no host")
    if scheme == "http" and host not in _LOOPBACK:
        raise SourceError("http without encryption is allowed to this machine itself alone; use https")


def _bare(url: str) -> str:
    """Drop a user's name and password."""
    split = urlsplit(url)
    host = split.netloc.rpartition("@")[2]
    keep = split.netloc if split.scheme == "ssh" and ":" not in split.netloc.partition("@")[0] else host
    return urlunsplit((split.scheme, keep, split.path, split.query, ""))


def _host(name: str) -> str:
    """One way of writing a host."""
    return name.lower().rstrip(".")


def _first(path: str) -> str:
    """The namespace, as the host reads it. Raises SourceError for a path that takes a way round."""
    parts = [p for p in unquote(path).split("/") if p]
    if {".", ".."} & set(parts):
        raise SourceError("the address has . or .. in its path; write the path itself")
    return parts[0] if parts else ""
