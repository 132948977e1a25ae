"""What a source says a model consists of, before any byte of it has come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """One file as a list has it."""

    path: str
    size: int
    """Bytes; -1 where the list does not say."""
    sha256: str
    """Hex, of the content; empty where the list has a git id instead."""
    git_blob: str
    """Hex, of the blob or of the LFS pointer; empty where the list does not say."""
    lfs: bool
    downloaded: bool = True
    """Its own metadata or link says that it was fetched; a list may have files that nobody asked for."""

    @property
    def digest(self) -> str:
        """`sha256:...` or `git:...`."""
        return f"sha256:{self.sha256}" if self.sha256 else f"git:{self.git_blob}"


@dataclass(frozen=True)
class Arrived:
    """A model that a source has just written into a folder, every byte of it held against the list."""

    uri: str
    """With the immutable revision, without credentials."""
    requested: str
    """Revision as asked for."""
    revision: str
    """Commit, or `sha256:` digest."""
    files: tuple[Expected, ...]
    manifest: str = ""
    """Of an OCI artefact, as served."""
    commit: bytes = b""
    """Body of the commit object, where it could be had."""
    trees: tuple[bytes, ...] = ()
    """Tree objects of that commit."""
