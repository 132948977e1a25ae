"""Vectors of the model's width that lie about in small files.

What it does: looks into safetensors, GGUF, NumPy, JSON and archive files for float tensors whose last dimension is the model's
hidden width and that have at most 256 rows, for textual inversions, and for soft prompts in KoboldAI's form. Where no file says
how wide the model is, every small float tensor from 64 wide on is named.
Why it matters: that is all a soft prompt is. A script of ten lines puts such rows before an input or into the table of tokens,
and says with them what no filter on text can read.
What to do: ask the publisher what the vectors are for; leave the file out; probe the model with them before anybody uses them.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words, objection
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.loose import Loose, loose, soft_prompt_archive
from sekisho.formats.outline import outline
from sekisho.formats.text import shown
from sekisho.records import FileFact, Finding, Inventory, Outcome, Severity

_ID: Final = "loose-vectors"
_SHOWN: Final = 8
_DENSE: Final = "sentence_transformers.models.Dense"
_SPEAKING: Final = ("CausalLM", "ConditionalGeneration", "LMHead")
"""In the name of an architecture: it writes text, so such a layer has no place beside it."""
_HOLDING: Final = frozenset({"safetensors", "gguf", "npy", "zip", "json"})
"""Formats in which vectors are looked for."""
_SENTENCES: Final = {
    "loose-vectors": "{where}: {count} vectors of the model's width {width} ({name}): a possible soft prompt.",
    "vectors-of-unknown-use": "{where}: {count} vectors, {width} wide ({name}); no file says how wide the model is.",
    "textual-inversion": "{where}: {count} vectors that stand for new words ({name}).",
    "soft-prompt-archive": "{where}: an archive built as soft prompts for KoboldAI are.",
    "more": "{where}: {count} more such tensors.",
}

_LAYER: Final = Words(
    "dense-layer",
    "{where}: {count} vectors of the model's width {width} ({name}), a layer that modules.json names.",
    Severity.NOTE,
    Outcome.PASS,
)
_NOT_READ: Final = Words("not-read", "{where} could not be read: {problem}.", Severity.NOTE, Outcome.NOT_RUN)


@final
class LooseVectors(AbstractCheck):
    """No soft prompt in a file that nobody would look into."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at every file that can hold vectors."""
        widths = _widths(case)
        groups: dict[str, list[Loose]] = {}
        dense = frozenset(_dense(case.candidate))
        for found in loose(case.candidate, widths):
            if (found.path, found.name, found.rows, found.width) in dense:
                yield _LAYER.about(_ID, found.path, *_named(found))
                continue
            groups.setdefault(found.path, []).append(found)
        for file in case.candidate.files:
            yield from _file(file, groups.get(file.path, []), known=bool(widths))


def _dense(inventory: Inventory) -> Iterator[tuple[str, str, int, int]]:
    """The layers of sentence embedders: `modules.json` names their folders, settings there give their size."""
    by_path = {f.path: f.facts.document for f in inventory.files if isinstance(f.facts, JsonFacts)}
    listed = by_path.get("modules.json")
    for module in listed if isinstance(listed, list) and _embeds(by_path.get("config.json")) else ():
        folder = module.get("path") if isinstance(module, dict) and module.get("type") == _DENSE else None
        settings = by_path.get(f"{folder}/config.json")
        if isinstance(settings, dict):
            rows, width = settings.get("out_features"), settings.get("in_features")
            if type(rows) is int and type(width) is int:
                path = f"{folder}/model.safetensors"
                yield from ((path, "linear.weight", rows, width), (path, "linear.bias", 1, rows))


def _embeds(config: object) -> bool:
    """Say whether settings are those of a model that gives vectors and writes nothing."""
    named = config.get("architectures") if isinstance(config, dict) else None
    return bool(named) and not any(part in str(named) for part in _SPEAKING)


def _widths(case: Case) -> frozenset[int]:
    """Widths of a vector of this model: its hidden states, and one position of its keys and values."""
    found: set[int] = set()
    for inventory in (case.candidate, case.base):
        of = outline(inventory) if inventory else None
        if of is not None and of.hidden:
            found.add(of.hidden)
            found |= {2 * of.layers * of.kv} if of.layers and of.kv else set()
    return frozenset(found)


def _file(file: FileFact, found: list[Loose], *, known: bool) -> Iterator[Finding]:
    if file.facts is None and file.format in _HOLDING:
        yield _NOT_READ.about(_ID, file.path, ("problem", file.problem))
    if soft_prompt_archive(file.facts):
        yield _found(file.path, "soft-prompt-archive")
    for one in found[:_SHOWN]:
        reason = "loose-vectors" if known else "vectors-of-unknown-use"
        reason = "textual-inversion" if one.inversion else reason
        yield _found(file.path, reason, *_named(one))
    if len(found) > _SHOWN:
        yield _found(file.path, "more", ("count", str(len(found) - _SHOWN)))


def _named(one: Loose) -> tuple[tuple[str, str], ...]:
    return (("count", str(one.rows)), ("width", str(one.width)), ("name", shown(one.name) or "-"))


def _found(where: str, reason: str, *named: tuple[str, str]) -> Finding:
    return objection(_ID, where, reason, Severity.HOLD, detail=_SENTENCES[reason], named=named)
