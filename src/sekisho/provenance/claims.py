"""What a model's own files say about its origin: parents, source, licence, relation. Claims, every one, with their places."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.formats import front_matter
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.limits import DEFAULT
from sekisho.provenance.records import Relation
from sekisho.records import Inventory, Role

_LISTED: Final = 64
"""Entries of one list of a card."""
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
_HUB: Final = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+?)(?:/(?:tree|blob|commit)/[\w.-]+.*)?/?"
)
_RELATIONS: Final = {
    "finetune": Relation.FINETUNE,
    "adapter": Relation.ADAPTER,
    "merge": Relation.MERGE,
    "quantized": Relation.QUANTISED,
}
_GGUF_SOURCES: Final = (
    "general.source.url",
    "general.source.huggingface.repository",
    "general.source.repo_url",
)
_GGUF_MADE: Final = ("general.quantized_by", "general.organization", "general.author")
_GGUF_PARENTS: Final = 16
"""Parents that GGUF key-values may number."""


@dataclass(frozen=True)
class Claim:
    """One statement."""

    value: str
    where: str
    """File and key."""


@dataclass(frozen=True)
class ParentClaim:
    """A parent as declared."""

    name: str
    """`hf:org/name`, an address, or a path as declared."""
    revision: str
    relation: Relation
    """Declared, or UNKNOWN."""
    where: str


@dataclass(frozen=True)
class Claims:
    """Everything claimed, in order of where it stands."""

    parents: tuple[ParentClaim, ...] = ()
    sources: tuple[Claim, ...] = ()
    licences: tuple[Claim, ...] = ()
    data: tuple[Claim, ...] = ()
    builders: tuple[Claim, ...] = ()
    merged: bool = False
    """A merge tool's traces are there."""
    quantised: str = ""
    """The method that the settings name; empty if none."""


def read(files: Inventory) -> Claims:
    """Collect the claims of a model; what cannot be read claims nothing."""
    card, path = _card(files)
    documents = {f.path: f.facts.document for f in files.files if isinstance(f.facts, JsonFacts)}
    config = _table(documents.get("config.json"))
    quantised = _table(config.get("quantization_config")).get("quant_method", "")
    parents = [*_adapter_parents(documents), *_card_parents(card, path), *_gguf_parents(files)]
    name = config.get("_name_or_path")
    if isinstance(name, str) and name and not parents:
        parents.append(ParentClaim(_name(name), "", Relation.UNKNOWN, "config.json:_name_or_path"))
    tags = _texts(card.get("tags"))
    return Claims(
        parents=tuple(dict.fromkeys(parents)),
        sources=tuple(_gguf(files, _GGUF_SOURCES)),
        licences=tuple(_licences(card, path, files)),
        data=tuple(Claim(t, f"{path}:datasets") for t in _texts(card.get("datasets"))),
        builders=tuple(_gguf(files, _GGUF_MADE)),
        merged="merge" in tags
        or "mergekit" in tags
        or any(f.path == "mergekit_config.yml" for f in files.files),
        quantised=shown(quantised) if isinstance(quantised, str) else "",
    )


def _adapter_parents(documents: Mapping[str, Any]) -> Iterator[ParentClaim]:
    for path, document in documents.items():
        if isinstance(document, dict) and "peft_type" in document:
            name, revision = document.get("base_model_name_or_path"), document.get("revision")
            if isinstance(name, str) and name:
                pinned = shown(revision) if isinstance(revision, str) else ""
                yield ParentClaim(_name(name), pinned, Relation.ADAPTER, f"{path}:base_model_name_or_path")


def _card_parents(card: Mapping[str, Any], path: str) -> Iterator[ParentClaim]:
    names = _texts(card.get("base_model"))
    said = card.get("base_model_relation")
    relation = _RELATIONS.get(said, Relation.UNKNOWN) if isinstance(said, str) else Relation.UNKNOWN
    if relation is Relation.UNKNOWN and len(names) > 1:
        relation = Relation.MERGE
    for name in names:
        yield ParentClaim(_name(name), "", relation, f"{path}:base_model")


def _gguf_parents(files: Inventory) -> Iterator[ParentClaim]:
    for file in files.files:
        if isinstance(file.facts, GgufFacts):
            known = dict(file.facts.metadata)
            for number in range(_GGUF_PARENTS):
                for key in ("repo_url", "name"):
                    value = known.get(f"general.base_model.{number}.{key}")
                    if isinstance(value, str) and value:
                        where = f"{file.path}:general.base_model.{number}.{key}"
                        yield ParentClaim(_name(value), "", Relation.UNKNOWN, where)
                        break


def _gguf(files: Inventory, keys: tuple[str, ...]) -> Iterator[Claim]:
    for file in files.files:
        if isinstance(file.facts, GgufFacts):
            for key in keys:
                value = file.facts.get(key)
                if isinstance(value, str) and value:
                    yield Claim(_name(value), f"{file.path}:{key}")


def _licences(card: Mapping[str, Any], path: str, files: Inventory) -> Iterator[Claim]:
    for key in ("license", "license_name"):
        for text in _texts(card.get(key)):
            yield Claim(text, f"{path}:{key}")
    yield from _gguf(files, ("general.license", "general.license.name"))


def _card(files: Inventory) -> tuple[dict[str, Any], str]:
    """Front matter of the first card, nearest to the root."""
    cards = [f for f in files.files if f.role is Role.CARD and f.format == "text" and not f.problem]
    for file in sorted(cards, key=lambda f: (f.path.count("/"), f.path)):
        found = front_matter.read(Path(files.root) / file.path, DEFAULT)
        if found:
            return found, file.path
    return {}, ""


def _name(value: str) -> str:
    """A hub name in the form `hf:org/name`; anything else as it is, without credentials."""
    match = _HUB.fullmatch(value)
    if match:
        return f"hf:{match[1]}"
    if _REPOSITORY.fullmatch(value) and not value.startswith("."):
        return f"hf:{value}"
    return shown(re.sub(r"//[^/@\s]*@", "//", value))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(shown(v) for v in values[:_LISTED] if isinstance(v, str) and v)
