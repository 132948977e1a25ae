"""What a model says of itself: the front matter of its card and its settings. Claims, every one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.formats import front_matter
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Inventory, Role

Texts = tuple[str, ...]

_LISTED: Final = 64
"""Entries of one list of a card that are taken over; real cards name at most some dozens."""


@dataclass(frozen=True)
class Claims:
    """What card and settings say, empty where they say nothing."""

    card: str = ""
    """Path of the card whose front matter was read."""
    licence: Texts = ()
    datasets: Texts = ()
    base_models: Texts = ()
    relation: str = ""
    languages: Texts = ()
    task: str = ""
    architectures: Texts = ()
    family: str = ""
    config: str = ""
    """Path of the settings that name the architecture."""


def read(inventory: Inventory, limits: Limits = DEFAULT) -> Claims:
    """Read the claims of a model; a card that cannot be read claims nothing."""
    path, card = _card(inventory, limits)
    config, settings = _config(inventory)
    return Claims(
        card=path,
        licence=_texts(card.get("license_name") or card.get("license")),
        datasets=_texts(card.get("datasets")),
        base_models=_texts(card.get("base_model")),
        relation=_text(card.get("base_model_relation")),
        languages=_texts(card.get("language")),
        task=_text(card.get("pipeline_tag")),
        architectures=_texts(settings.get("architectures")),
        family=_text(settings.get("model_type")),
        config=config,
    )


def _card(inventory: Inventory, limits: Limits) -> tuple[str, dict[str, Any]]:
    for file in inventory.files:
        if file.role is Role.CARD and not file.problem and file.format == "text":
            found = front_matter.read(Path(inventory.root) / file.path, limits)
            if found:
                return file.path, found
    return "", {}


def _config(inventory: Inventory) -> tuple[str, dict[str, Any]]:
    for file in inventory.files:
        if file.path == "config.json" and isinstance(file.facts, JsonFacts):
            document = file.facts.document
            return file.path, document if isinstance(document, dict) else {}
    return "", {}


def _text(value: Any) -> str:
    return shown(value) if isinstance(value, str) else ""


def _texts(value: Any) -> Texts:
    values = value if isinstance(value, list) else [value]
    return tuple(shown(v) for v in values[:_LISTED] if isinstance(v, str) and v)
