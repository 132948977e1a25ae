"""What a file is for: content first, then its name, and nothing for names nobody knows."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from sekisho.formats import rules
from sekisho.formats.adapter import role_of
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.records import FormatFacts, Role

_BY_FORMAT: Final = {
    "code": Role.CODE,
    "gguf": Role.WEIGHTS,
    "safetensors": Role.WEIGHTS,
    "tokenizer": Role.TOKENIZER,
    "tokenizer-json": Role.TOKENIZER,
    "sentencepiece": Role.TOKENIZER,
    "tekken": Role.TOKENIZER,
    "chat-template": Role.TEMPLATE,
    "chat_template": Role.TEMPLATE,
    "template": Role.TEMPLATE,
    "modelfile": Role.TEMPLATE,
}
_BY_NAME: Final = (
    (rules.TEMPLATE_NAMES, Role.TEMPLATE),
    (rules.TOKENIZER_NAMES, Role.TOKENIZER),
    (rules.CONFIG_NAMES, Role.CONFIG),
    (rules.LICENCE_NAMES, Role.LICENCE),
    (rules.CARD_NAMES, Role.CARD),
)
_READABLE: Final = ("text", "json")
_UNPICKLED: Final = ("pickle", "zip")
_SOFT_PROMPTS: Final = (
    "PROMPT_TUNING",
    "P_TUNING",
    "PREFIX_TUNING",
    "MULTITASK_PROMPT_TUNING",
    "ADAPTION_PROMPT",
    "CPT",
    "CARTRIDGE",
)


def judge(format_name: str, filename: str, facts: FormatFacts | None) -> Role:
    """Return the role of a file."""
    name = filename.lower()
    if isinstance(facts, SafetensorsFacts):
        return role_of(tensor.name for tensor in facts.tensors)
    if isinstance(facts, JsonFacts) and isinstance(facts.document, dict) and "peft_type" in facts.document:
        return Role.SOFT_PROMPT if facts.document["peft_type"] in _SOFT_PROMPTS else Role.ADAPTER
    if isinstance(facts, GgufFacts) and facts.get("general.type") == "adapter":
        return Role.ADAPTER
    if format_name in _BY_FORMAT:
        return _BY_FORMAT[format_name]
    if format_name in _UNPICKLED and name.endswith(tuple(rules.PICKLE_SUFFIXES)):
        return Role.WEIGHTS
    if format_name not in _READABLE:
        return Role.UNKNOWN
    return next((role for patterns, role in _BY_NAME if matches(name, patterns)), Role.UNKNOWN)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a lower-case name fits any shell pattern."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
