"""What a user typed becomes a place on disk."""

from dataclasses import dataclass
from pathlib import Path

from sekisho.errors import SourceError
from sekisho.sources import cache as caches
from sekisho.sources import catalogue
from sekisho.sources.digest import sha256


@dataclass(frozen=True)
class Source:
    """A model on this machine."""

    name: str
    """Catalogue name, or the folder's or file's own."""
    kind: str
    """`catalogue`, `folder` or `file`."""
    path: Path
    pinned: bool
    """Its weights and tokenizer have just been found equal to the digests the catalogue pins."""


def resolve(spec: str, cache: Path) -> Source:
    """Find a fetched model by catalogue name, else a local folder or file. Raises SourceError.

    A name of the catalogue wins; `./name` means the folder.
    """
    if spec in catalogue.names():
        return _fetched(catalogue.load(spec), cache)
    try:
        if not spec:
            raise SourceError("no model was named")
        path = Path(spec).expanduser()
        if path.is_dir():
            return Source(_title(path.resolve()), "folder", path, pinned=False)
        if path.is_file():
            return Source(path.name, "file", path, pinned=False)
        special = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~name of nobody
        why = getattr(error, "strerror", None) or error
        raise SourceError(f"{spec[:200]!r} cannot be looked up: {why}") from error
    if special:
        raise SourceError(f"{spec}: neither a folder nor a file")
    known = ", ".join(catalogue.names())
    raise SourceError(f"{spec!r}: no such folder or file, and not in the catalogue ({known})")


def _title(folder: Path) -> str:
    """A folder's name; in the Hugging Face cache, where that is a revision, the repository's."""
    repository = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repository.startswith("models--"):
        return repository.removeprefix("models--").replace("--", "/", 1)
    if folder.name.startswith("models--") and (folder / "snapshots").is_dir():
        found = sorted(p.name for p in (folder / "snapshots").iterdir())
        one = f": {folder / 'snapshots' / found[0]}" if found else ", of which there is none"
        raise SourceError(
            f"{folder.name} is a repository of the Hugging Face cache; name a snapshot of it{one}"
        )
    return folder.name


def _fetched(entry: catalogue.Entry, cache: Path) -> Source:
    path = caches.model(cache, entry.name)
    if not path.is_dir():
        raise SourceError(f"{entry.name} has not been fetched yet; run: sekisho fetch {entry.name}")
    for name, expected in entry.converted:
        try:
            same = sha256(path / name) == expected
        except OSError as error:
            raise SourceError(f"{path / name}: {error.strerror}; delete {path} and fetch again") from error
        if not same:
            raise SourceError(
                f"{path / name} was altered after it was fetched; delete {path} and fetch again"
            )
    return Source(entry.name, "catalogue", path, pinned=True)
