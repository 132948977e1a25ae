"""What ships with Sekisho: its version, and inert files one for each id, `data/<folder>/<id>.toml`."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

_ENDING: Final = ".toml"


def version() -> str:
    """The version installed."""
    from importlib import metadata  # parses mail headers: late

    return metadata.version("sekisho")


def tool() -> str:
    """Name and version as every record bears them."""
    return f"sekisho {version()}"


def names(folder: str) -> tuple[str, ...]:
    """Ids in a folder, sorted."""
    found = (files("sekisho.data") / folder).iterdir()
    return tuple(sorted(p.name.removesuffix(_ENDING) for p in found if p.name.endswith(_ENDING)))


def file(folder: str, name: str) -> Traversable:
    """The file of an id, whether it exists or not."""
    return files("sekisho.data") / folder / f"{name}{_ENDING}"
