"""The intake record for people: the rung, what it still allows, the 14 fields, every unknown spelled out."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sekisho.errors import UsageError
from sekisho.provenance.kinship import Result
from sekisho.provenance.records import Intake, Patch, Stated, fields
from sekisho.provenance.suppliers import Objection
from sekisho.report.visible import one_line
from sekisho.report.words import LANGUAGES, fill

_LISTED: Final = 20
"""Deviations and patches that are shown; JSON has all."""


def text(
    name: str,
    intake: Intake,
    lang: str,
    *,
    objections: Iterable[Objection] = (),
    kin: tuple[str, Result] | None = None,
) -> str:
    """Write the record as lines of text."""
    if lang not in LANGUAGES:
        raise UsageError(f"no report in {lang!r}; there are {', '.join(LANGUAGES)}")
    level = intake.ladder.level.value
    lines = [
        say(lang, "ui", "title", name=name),
        say(lang, "ui", "strength", level=level, what=say(lang, "level", level)),
        "",
        say(lang, "ui", "rungs"),
        *_rungs(intake, lang),
        "",
        say(lang, "ui", "allows"),
        *(f"  - {say(lang, 'attack', code)}" for code in intake.ladder.attacks),
        "",
        *_fields(intake, lang),
        *_section(lang, "deviations", _deviations(intake, lang)),
        *_section(lang, "parents", list(_parents(intake, lang))),
        *_section(lang, "objections", [say(lang, "objection", o.code, **dict(o.facts)) for o in objections]),
        *(["", _kin(kin, lang)] if kin else []),
        "",
        say(lang, "ui", "limit"),
    ]
    return "\n".join(lines) + "\n"


def patches(base: str, found: tuple[Patch, ...], lang: str, kin: Result | None = None) -> str:
    """Write a patch list as lines of text."""
    lines = [say(lang, "ui", "patches", base=base, count=str(len(found)))]
    lines += [_kin((base, kin), lang)] if kin else []
    lines += [_patch(p, lang) for p in found]
    return "\n".join([*lines, "", say(lang, "ui", "limit")]) + "\n"


def say(lang: str, section: str, code: str, /, **facts: str) -> str:
    """One sentence; the code itself where there is none."""
    entry = sentences().get(section, {}).get(code, {})
    template = entry.get(lang) if isinstance(entry, Mapping) else None
    return fill(template, facts) if isinstance(template, str) else one_line(code)


@cache
def sentences() -> Mapping[str, Any]:
    """Read `locale/provenance.toml`: section, code, language."""
    path = files("sekisho.report") / "locale" / "provenance.toml"
    return tomllib.loads(path.read_text("utf-8"))


def _rungs(intake: Intake, lang: str) -> Iterator[str]:
    for rung in intake.ladder.rungs:
        state = say(lang, "ui", "held" if rung.held else "lacking")
        yield f"  {rung.level.value} [{state}] {say(lang, 'ground', rung.ground, detail=rung.detail)}"


def _fields(intake: Intake, lang: str) -> Iterator[str]:
    every = fields(intake)
    known = sum(stated.known for _, stated in every)
    yield say(lang, "ui", "fields", known=str(known), unknown=str(len(every) - known))
    for number, (name, stated) in enumerate(every, 1):
        yield f"  {number:2d}. {say(lang, 'field', name.value)}: {_stated(stated, lang)}"


def _stated(stated: Stated, lang: str) -> str:
    if not stated.known:
        return say(lang, "ui", "unknown", why=say(lang, "reason", stated.reason))
    return f"{one_line(stated.value, 400)} [{say(lang, 'basis', stated.basis.value)}]"


def _deviations(intake: Intake, lang: str) -> list[str]:
    return [
        say(lang, "deviation", d.kind, path=d.path, expected=d.expected, actual=d.actual)
        for d in intake.deviations
    ]


def _parents(intake: Intake, lang: str) -> Iterator[str]:
    for parent in intake.parents:
        verdict = say(lang, "kinship", parent.kinship) if parent.kinship else ""
        yield say(
            lang, "ui", "parent", uri=parent.uri, revision=f"@{parent.revision}" if parent.revision else "",
            relation=say(lang, "relation", parent.relation.value), basis=say(lang, "basis", parent.basis.value),
            where=parent.declared_in, kinship=say(lang, "ui", "kinship", verdict=verdict) if verdict else "",
        )  # fmt: skip


def _section(lang: str, title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield say(lang, "ui", title)
        yield from (f"  - {line}" for line in lines[:_LISTED])
        if len(lines) > _LISTED:
            yield f"  - {say(lang, 'ui', 'more', count=str(len(lines) - _LISTED))}"


def _kin(kin: tuple[str, Result], lang: str) -> str:
    base, seen = kin
    return say(
        lang, "ui", "lineage", base=base, verdict=say(lang, "kinship", seen.verdict.value), cosine=f"{seen.cosine:.4f}",
        close=f"{100 * seen.close:.0f} %", paired=str(seen.paired), matrices=str(seen.matrices),
    )  # fmt: skip


def _patch(patch: Patch, lang: str) -> str:
    size = f" ({patch.norm})" if patch.norm else ""
    kind = say(lang, "ui", patch.kind)
    return f"  - {kind} {one_line(patch.name)}: {say(lang, 'change', patch.change)}{size}"
