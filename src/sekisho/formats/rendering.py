"""What templates write: each rendered with made-up conversations in a confined child, beside the base's on the same input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

from sekisho.formats.chat_template import Template
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.template_sources import templates
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Inventory
from sekisho.sandbox import parent
from sekisho.sandbox.conversations import Reaction

_TEMPLATES: Final = 24
"""Distinct templates of one model that are rendered; the most in use are about 6."""
_TOKENS: Final = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")


@final
@dataclass(frozen=True)
class Case:
    """One conversation, rendered."""

    text: str
    error: str = ""
    """Why it did not render; empty when it did."""
    base: str | None = None
    """What the base's template wrote; None where there is none or it did not render."""


@final
@dataclass(frozen=True)
class Rendering:
    """What one template does."""

    cases: Mapping[str, Case] = field(default_factory=dict, repr=False)
    """`main` (the fullest conversation that renders), `no-system`, `no-generation`, `tools`."""
    sentinels: tuple[str, ...] = ()
    """Texts of the turns of `main`, in order."""
    system: bool = False
    """Whether `main` has a system message; where it has none, none could be given."""
    reactions: tuple[Reaction, ...] = ()
    reached: tuple[str, ...] = ()
    """Attributes it asked for that lead out of the sandbox."""
    cut: bool = False
    """Not everything was tried: time, texts or reactions were over a bound."""
    problem: str = ""
    """Why it could not be rendered at all; empty when it was."""


Renderings = Mapping[tuple[str, str], Rendering]
"""By name and digest of the template."""


def measure(candidate: Inventory, base: Inventory | None = None, limits: Limits = DEFAULT) -> Renderings:
    """Render every distinct template of a model. One whose text cannot be parsed has no rendering."""
    trusted = {t.name: t for _, t in reversed(templates(base))} if base is not None else {}
    distinct = {(t.name, t.digest): t for _, t in templates(candidate) if t.digest}
    tokens = _tokens(candidate)
    found: dict[tuple[str, str], Rendering] = {}
    for number, (key, template) in enumerate(distinct.items()):
        other = trusted.get(template.name)
        if number >= _TEMPLATES:
            found[key] = Rendering(problem=f"more than {_TEMPLATES} templates")
        elif other is None or other.digest != template.digest:
            found[key] = render(template, other, tokens, limits)
    return found


def render(
    template: Template, base: Template | None, tokens: Mapping[str, str], limits: Limits = DEFAULT
) -> Rendering:
    """Render one template in a child of its own."""
    question = {
        "source": template.source,
        "base": base.source if base is not None else None,
        "texts": list(template.texts),
        "tokens": dict(tokens),
    }
    reply = parent.ask(parent.RENDER, question, limits, memory=limits.sandbox_memory_bytes // 2)
    if reply.document is None:
        return Rendering(problem=reply.problem)
    try:
        return from_document(reply.document)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Rendering(problem="garbled")


def from_document(document: dict[str, Any]) -> Rendering:
    """Read the answer of the child. Raises AttributeError, KeyError, TypeError or ValueError where it is none."""
    return Rendering(
        cases={str(name): _case(case) for name, case in document["cases"].items()},
        sentinels=tuple(map(str, document["sentinels"])),
        system=document["system"] is True,
        reactions=tuple(_reaction(r) for r in document["reactions"]),
        reached=tuple(map(str, document["reached"])),
        cut=document["cut"] is not False,
    )


def _case(case: dict[str, Any]) -> Case:
    return Case(str(case["text"]), str(case["error"]), _maybe(case["base"]))


def _reaction(entry: dict[str, Any]) -> Reaction:
    names = ("kind", "trigger", "role", "expected", "actual", "error")
    kind, trigger, role, expected, actual, error = (str(entry[name]) for name in names)
    return Reaction(kind, trigger, role, expected, actual, error, _maybe(entry["base"]))


def _maybe(value: Any) -> str | None:
    return None if value is None else str(value)


def _tokens(inventory: Inventory) -> dict[str, str]:
    """Special tokens as tokenizer_config.json names them; templates write some of them."""
    found = {"bos_token": "<s>", "eos_token": "</s>"}
    for file in inventory.files:
        document = file.facts.document if isinstance(file.facts, JsonFacts) else None
        if file.path.rpartition("/")[2] == "tokenizer_config.json" and isinstance(document, dict):
            for name in _TOKENS:
                value = document.get(name)
                text = value.get("content") if isinstance(value, dict) else value
                if isinstance(text, str):
                    found[name] = text
    return found
