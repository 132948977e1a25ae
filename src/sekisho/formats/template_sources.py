"""Which templates a model has and where they stand."""

from typing import Final

from sekisho.formats import chat_template
from sekisho.formats.chat_template import DEFAULT_NAME, Template
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.records import FileFact, Inventory

Located = tuple[str, Template]
"""Where a template stands, and the template."""

_ORDER: Final = (
    "chat_template.jinja",
    "tokenizer_config.json",
    "chat_template.json",
    "processor_config.json",
)
"""What transformers takes for text comes first; the last two are for models that see or hear, too."""
_GGUF_KEY: Final = "tokenizer.chat_template"


def templates(inventory: Inventory) -> list[Located]:
    """Every template of a model; the file that loaders take first comes first."""
    found = [located for file in inventory.files for located in _of_file(file)]
    return sorted(found, key=lambda pair: _rank(pair[0]))


def _rank(where: str) -> tuple[int, str]:
    name = where.partition(":")[0].rpartition("/")[2]
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), where)


def _of_file(file: FileFact) -> list[Located]:
    if isinstance(file.facts, chat_template.TemplateFacts):
        return [(file.path, file.facts.template)]
    if isinstance(file.facts, JsonFacts):
        return [(_place(file.path, t.name), t) for t in chat_template.in_document(file.facts.document)]
    if isinstance(file.facts, GgufFacts):
        texts = [(k, v) for k, v in file.facts.metadata if k.startswith(_GGUF_KEY) and isinstance(v, str)]
        return [(f"{file.path}:{shown(k)}", chat_template.describe(v, _gguf_name(k))) for k, v in texts]
    return []


def _place(path: str, name: str) -> str:
    return path if name == DEFAULT_NAME else f"{path}:{shown(name)}"


def _gguf_name(key: str) -> str:
    return key.removeprefix(_GGUF_KEY).lstrip(".") or DEFAULT_NAME
