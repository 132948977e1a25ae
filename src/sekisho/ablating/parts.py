"""What came along with the weights and can be taken off: adapters, soft prompts, the chat template, turns of a Modelfile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from sekisho.formats import peft
from sekisho.formats.chat_template import Template
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.modelfile import ModelfileFacts
from sekisho.formats.peft import Adapter
from sekisho.formats.template_sources import templates
from sekisho.limits import DEFAULT
from sekisho.models import adapters, prompts
from sekisho.models.base import Chat, Message
from sekisho.probes.sweep.candidates import LONGEST, Ids
from sekisho.records import Finding, Inventory, Outcome, Role

ADAPTER: Final = "adapter"
SOFT_PROMPT: Final = "soft-prompt"
TEMPLATE: Final = "template"
SYSTEM: Final = "system"
KINDS: Final = (ADAPTER, SOFT_PROMPT, TEMPLATE, SYSTEM)

NOTHING: Final = "nothing"
BASE: Final = "base"
FRAME: Final = "frame"
AGAINST: Final = (NOTHING, BASE, FRAME)
"""What stands in a part's place: nothing, the base's template, or the template with nothing to react to."""

PROBLEMS: Final = (
    "no-base", "unknown-type", "prompt-kind", "pickled", "beside-weights", "go-template",
    "gguf-adapter", "loose", "too-many", "too-long", "over-forecast", "failed",
)  # fmt: skip
"""Why a part was not taken off."""
WORDS: Final = 4
"""Constants of a template that are put into questions."""
_ROLES: Final = ("system", "user", "assistant")
_HELD: Final = ("content", "part")
"""Values of a conversation that may hold a trigger."""


@dataclass(frozen=True)
class Part:
    """One thing that came along."""

    kind: str
    """One of KINDS."""
    where: str
    """Its file, within the model."""
    against: str = NOTHING
    folder: Path | None = None
    """Of an adapter."""
    turns: Chat = ()
    """That a Modelfile puts before every conversation."""
    words: tuple[str, ...] = ()
    """Constants that a template holds what is said against."""
    tokens: Ids = ()
    """Tokens whose rows an adapter brings along, in its order."""
    problem: str = ""
    """One of PROBLEMS; empty where it can be taken off."""


def is_adapter(files: Inventory) -> bool:
    """Whether a folder holds an adapter and no model."""
    paths = {f.path for f in files.files}
    return peft.CONFIG in paths and "config.json" not in paths


def parts(files: Inventory, base: Inventory | None, findings: Iterable[Finding] = ()) -> tuple[Part, ...]:
    """Everything that came along; `findings` name loose vectors. Beyond the limit one more is said to be too many."""
    every = (_adapters(files, base), _template(files, base), _modelfiles(files), _loose(findings))
    kept = tuple(islice(chain(*every), DEFAULT.ablated_parts + 1))
    if len(kept) > DEFAULT.ablated_parts:
        return (*kept[:-1], replace(kept[-1], problem="too-many"))
    return kept


def _adapters(files: Inventory, base: Inventory | None) -> Iterator[Part]:
    for one in peft.adapters(files):
        folder = one.path.rpartition("/")[0]
        kind = SOFT_PROMPT if one.kind is not None and one.kind.changes in peft.PROMPTS else ADAPTER
        problem = _hindrance(one)
        if not problem and not folder:
            problem = "beside-weights" if not is_adapter(files) else "" if base is not None else "no-base"
        yield Part(
            kind, one.path, NOTHING, Path(files.root) / folder, tokens=_rows(one.config), problem=problem
        )
    for file in files.files:
        if isinstance(file.facts, GgufFacts) and file.role is Role.ADAPTER:
            yield Part(ADAPTER, file.path, problem="gguf-adapter")


def _hindrance(one: Adapter) -> str:
    if one.kind is None:
        return "unknown-type"
    if one.kind.changes in peft.PROMPTS and one.type not in prompts.KINDS:
        return "prompt-kind"
    return "pickled" if one.weights is None else ""


def _rows(config: Any) -> Ids:
    """Tokens of `token_indices` or `trainable_token_indices`, a list or one for each module."""
    for key in ("token_indices", "trainable_token_indices"):
        value = config.get(key)
        lists = list(value.values()) if isinstance(value, dict) else [value]
        for some in lists:
            if isinstance(some, list) and some and all(type(n) is int and n >= 0 for n in some):
                return tuple(some[:LONGEST])
    return ()


def _template(files: Inventory, base: Inventory | None) -> Iterator[Part]:
    """The template that loaders take first; none where it is the base's."""
    own = _first(files)
    if own is None or (is_adapter(files) and not _loaded(files)):
        return
    where, template = own
    other = _first(base) if base is not None else None
    if other is not None and template.digest and other[1].digest == template.digest:
        return
    against = FRAME if other is None else BASE
    problem = "" if not is_adapter(files) or base is not None else "no-base"
    yield Part(TEMPLATE, where, against, words=_words(template), problem=problem)


def _first(files: Inventory) -> tuple[str, Template] | None:
    return next(((w, t) for w, t in templates(files) if "/" not in w.partition(":")[0]), None)


def _loaded(files: Inventory) -> bool:
    """An adapter's template counts where its tokenizer does."""
    return bool({f.path for f in files.files} & set(adapters.TOKENIZER))


def _words(template: Template) -> tuple[str, ...]:
    said = (p.literal.strip() for p in template.probes if p.subject in _HELD)
    fit = (text for text in said if 1 < len(text) <= DEFAULT.ablated_characters and text.isprintable())
    return tuple(islice(dict.fromkeys(fit), WORDS))


def _modelfiles(files: Inventory) -> Iterator[Part]:
    for file in files.files:
        if not isinstance(file.facts, ModelfileFacts):
            continue
        turns = tuple(_turns(file.facts))
        if turns:
            long = any(len(m.content) > DEFAULT.ablated_turn for m in turns)
            yield Part(SYSTEM, file.path, turns=turns, problem="too-long" if long else "")
        if any(name == "TEMPLATE" for name, _ in file.facts.instructions):
            yield Part(TEMPLATE, file.path, problem="go-template")


def _turns(facts: ModelfileFacts) -> Iterator[Message]:
    """SYSTEM first, wherever it stands, then the turns of MESSAGE in their order."""
    systems = [value for name, value in facts.instructions if name == "SYSTEM" and value.strip()]
    if systems:
        yield Message("system", systems[-1])
    for value in (value for name, value in facts.instructions if name == "MESSAGE"):
        role, _, text = value.partition(" ")
        if role in _ROLES and text.strip():
            yield Message(role, text.strip().strip('"'))


def _loose(findings: Iterable[Finding]) -> Iterator[Part]:
    for where in dict.fromkeys(
        f.where.partition(":")[0]
        for f in findings
        if f.check == "loose-vectors" and f.outcome is Outcome.FAIL
    ):
        yield Part(SOFT_PROMPT, where, problem="loose")
