"""What a bill of materials is made from: records that others took."""

from dataclasses import dataclass

from sekisho.provenance.records import Intake
from sekisho.records import Comparison, Dossier, Inventory


@dataclass(frozen=True)
class Base:
    """The trusted model that this one was compared with."""

    name: str
    inventory: Inventory
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Subject:
    """A model and all that is known of it; only the inventory is needed."""

    name: str
    inventory: Inventory
    tool: str
    """`sekisho <version>`."""
    time: str
    """UTC, ISO 8601; no part of the serial number."""
    base: Base | None = None
    intake: Intake | None = None
    """Where it came from; without it, every field of provenance is unknown."""
    dossier: Dossier | None = None
    """What a vetting found; without it, behaviour is unknown."""
    author: str = ""
    """Who makes this bill; empty is unknown."""
