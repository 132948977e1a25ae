"""What the model card, the licence and the settings say of one another.

What it does: reads licence, base model and data sets from the card's head, tells the licence's text by its wording, and holds
them against each other and against what adapters name as their base. What is unknown is called unknown.
Why it matters: a licence decides whether a company may use the model at all; two that contradict are none to rely on. A card that
names another base than the adapter does describes another model.
What to do: ask the publisher which one is true, in writing, before the model is used.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import card, peft
from sekisho.formats.text import TextFacts, shown
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_ID: Final = "card-facts"
_NAMED: Final = 5
_LICENCE: Final = Words("licence", "{where}: the licence is {licence}.", Severity.NOTE, Outcome.PASS)
_UNKNOWN: Final = Words(
    "licence-unknown", "{where}: a licence whose wording is not known here.", Severity.NOTE, Outcome.PASS
)
_NOT_COMMERCIAL: Final = Words(
    "not-commercial", "{where}: the licence {licence} forbids commercial use.", Severity.NOTE, Outcome.PASS
)
_LICENCES: Final = Words(
    "licences-contradict", "{where}: the card says {said}, the licence's text is {found}."
)
_BASE: Final = Words("base", "{where}: made from {base}, as the card says.", Severity.NOTE, Outcome.PASS)
_BASES: Final = Words("bases-contradict", "{where}: the adapter names {said} as its base, the card {found}.")
_DATA: Final = Words(
    "data-sets", "{where}: trained on {data}, as the card says.", Severity.NOTE, Outcome.PASS
)


@final
class CardFacts(AbstractCheck):
    """Card, licence and settings agree."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Read the card at the root and the licence beside it, then the adapters."""
        files = [f for f in case.candidate.files if isinstance(f.facts, TextFacts)]
        heads = [(f, dict(_facts(f).front)) for f in files if f.role is Role.CARD and _facts(f).front]
        texts = [f for f in files if f.role is Role.LICENCE]
        for file, head in heads:
            yield from _notes(file, head)
        yield from _licences(heads, texts)
        for adapter in peft.adapters(case.candidate):
            yield from _bases(adapter.path, adapter.config.get("base_model_name_or_path"), heads)


_Heads = list[tuple[FileFact, dict[str, tuple[str, ...]]]]


def _facts(file: FileFact) -> TextFacts:
    return file.facts if isinstance(file.facts, TextFacts) else TextFacts(0)


def _notes(file: FileFact, head: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    for key, words, name in (("base_model", _BASE, "base"), ("datasets", _DATA, "data")):
        if values := head.get(key):
            yield words.about(_ID, file.path, (name, ", ".join(shown(v) for v in values[:_NAMED])))


def _licences(heads: _Heads, texts: list[FileFact]) -> Iterator[Finding]:
    for text in texts:
        found = _facts(text).licence
        yield _LICENCE.about(_ID, text.path, ("licence", found)) if found else _UNKNOWN.about(_ID, text.path)
        if "-NC" in found:
            yield _NOT_COMMERCIAL.about(_ID, text.path, ("licence", found))
    known = {_facts(t).licence for t in texts} - {""}
    for file, head in heads:
        for name in head.get("license", ()):
            said = card.spdx(name)
            if "-NC" in said and said not in known:
                yield _NOT_COMMERCIAL.about(_ID, file.path, ("licence", said))
            if said and known and said not in known:
                named = (("said", said), ("found", ", ".join(sorted(known))))
                yield _LICENCES.about(_ID, file.path, *named)


def _bases(where: str, said: object, heads: _Heads) -> Iterator[Finding]:
    """Names are compared without their owner: a copy under another name is no contradiction, another model is."""
    folder = where.rpartition("/")[0]
    beside = [(f, h) for f, h in heads if f.path.rpartition("/")[0] == folder]
    named = [value for _, head in beside for value in head.get("base_model", ())]
    if isinstance(said, str) and said and named and _last(said) not in {_last(value) for value in named}:
        found = ", ".join(shown(value) for value in named[:_NAMED])
        yield _BASES.about(_ID, where, ("said", shown(said)), ("found", found))


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].lower()
