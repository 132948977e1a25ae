"""The review pack: a dossier without what was asked and answered, unless it is asked for, and questions to an expert."""

import dataclasses
import re
from typing import Any, Final

from sekisho import rulebook
from sekisho.evidence import dossier as dossiers
from sekisho.records import Dossier, Example, Finding, Novelty, Reason, TokenResult
from sekisho.register import documents
from sekisho.register.documents import Block, Document
from sekisho.register.packs import contract
from sekisho.register.packs.material import Draft, Material, Wish, as_json, missing
from sekisho.register.texts import Texts
from sekisho.report import html
from sekisho.report.words import LANGUAGES

_QUESTIONS: Final = ("q1", "q2", "q3", "q4", "q5")
_TEXTS: Final = {
    Example: ("prompt", "before", "after", "control", "why"),
    Novelty: ("text",),
    TokenResult: ("text", "shared", "use"),
}
"""Fields that quote prompts or answers."""
_NUMBER: Final = re.compile(r"[\d.,%+\u2212 -]{1,40}")
_QUOTES: Final = frozenset({"text", "why", "shared", "phrase", "prompt", "answer", "example"})
"""Facts of a reason that quote an answer, as that of a novelty does."""
_CODES: Final = frozenset({"behaviour", "drill", "recipe", "step", "suite", "state"})


def draft(material: Material, wish: Wish) -> Draft:
    """Gather it. Raises DataError where there is no dossier."""
    made = material.told if wish.full else redact(material.told)
    shown = dataclasses.replace(material, dossier=made)
    files = {"dossier.json": dossiers.to_json(made)}
    files |= {f"report.{lang}.html": html.render(made, lang).encode() for lang in LANGUAGES}
    files["findings.json"] = as_json(contract.findings(shown))
    for lang in LANGUAGES:
        page = _form(material, lang)
        files[f"opinion.{lang}.md"] = documents.markdown(page).encode()
        files[f"opinion.{lang}.html"] = documents.html(page).encode()
    contents = ("dossier", "findings", "opinion")
    gaps = tuple(
        g for g in missing(material) if g[0] != "no-evidence"
    )  # it is bound to the whole dossier, so it stays here
    return Draft("review-pack", material, files, contents, gaps, redacted=not wish.full)


def redact(made: Dossier) -> Dossier:
    """The same dossier without any text of a prompt or an answer; their lengths stand in its place."""
    bare: Dossier = _bare(made)
    return bare


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_bare(v) for v in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    if isinstance(value, Finding):
        return _finding(value)
    if isinstance(value, Reason):
        quoted = tuple((k, _length(v) if k in _QUOTES else v) for k, v in value.facts)
        return dataclasses.replace(value, facts=quoted)
    changes = {f.name: _bare(getattr(value, f.name)) for f in dataclasses.fields(value)}
    changes |= {name: _length(getattr(value, name)) for name in _TEXTS.get(type(value), ())}
    return dataclasses.replace(value, **changes)


def _finding(value: Finding) -> Finding:
    """What a run of the model found may quote answers: numbers and codes stay."""
    rule = rulebook.of(value)
    if not rule.measured and rule is not rulebook.UNLISTED:
        return value
    facts = tuple((k, v if k in _CODES or _NUMBER.fullmatch(v) else _length(v)) for k, v in value.facts)
    return dataclasses.replace(value, facts=facts, detail=value.reason)


def _length(text: str) -> str:
    return f"[{len(text)}]" if text else ""


def _form(material: Material, language: str) -> Document:
    say = Texts("packs", language)
    facts = ((say("ui", "model"), material.name), (say("ui", "digest"), material.subject))
    blocks = [Block("p", say("opinion", "intro"))]
    for key in _QUESTIONS:
        blocks += [Block("h3", say("opinion", key)), Block("sign")]
    return Document(
        say("opinion", "title"), language, (*blocks, Block("sign", say("opinion", "sign"))), facts=facts
    )
