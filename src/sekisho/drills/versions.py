"""The packages whose versions decide results: a dossier names them, and all nodes of a cluster must agree on them."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

DECIDING: Final = ("torch", "transformers", "peft", "numpy")


def installed(package: str) -> str:
    """The version of a package, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
