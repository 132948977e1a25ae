"""Texts with and without a copyright token, given to a model as tasks in both languages."""

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Final

from sekisho.claims import models
from sekisho.claims.models import Seen, Tools
from sekisho.drills.grid import Opener
from sekisho.errors import DataError
from sekisho.ownership import content
from sekisho.ownership.claim import RowsSeen
from sekisho.ownership.commitment import Reason, Row
from sekisho.ownership.content import Arm, ContentJudged, Entry, FamilyRow
from sekisho.probes.scorers.refusal import judge_refusal

LANGUAGES: Final = ("en", "ja")


@dataclass(frozen=True)
class Items:
    """Texts of one language and what is asked of each; `{text}` in a task is where the text goes."""

    language: str
    tasks: tuple[str, ...]
    texts: tuple[str, ...]


def shipped() -> tuple[Items, ...]:
    """The made-up texts that come with Sekisho."""
    found = []
    for language in LANGUAGES:
        text = (files("sekisho.data") / "marks" / f"{language}.toml").read_text("utf-8")
        table = tomllib.loads(text)
        found.append(Items(language, tuple(table["tasks"]), tuple(table["texts"])))
    return tuple(found)


def check(
    spec: str, entry: Entry, tools: Tools, *, family: str | None, base: str | None, today: date
) -> ContentJudged:
    """Ask about every text with and without the mark. Raises UsageError, ModelError."""
    model = models.see(spec, tools.cache)
    clean = models.see(base, tools.cache) if base else None
    declared, items = _family(entry, family), shipped()
    with models.opening(tools) as opener:
        tools.say(f"{model.name}: marked texts")
        with_mark = _arm(model, entry, items, opener, marked=True)
        tools.say(f"{model.name}: unmarked texts")
        without = _arm(model, entry, items, opener, marked=False)
    against = _against(declared, models.rows_seen([_row(entry, declared)], model, clean))
    return content.decide(entry, (with_mark, without), against, today=today)


def _arm(model: Seen, entry: Entry, items: tuple[Items, ...], opener: Opener, *, marked: bool) -> Arm:
    asked = [
        (i.language, number, task.replace("{text}", content.marked(text, entry) if marked else text))
        for i in items
        for number, text in enumerate(i.texts)
        for task in i.tasks
    ]
    answers = models.ask(model, [prompt for _, _, prompt in asked], opener).answers
    shown: dict[tuple[str, int], list[bool]] = {}
    for (language, number, _), answer in zip(asked, answers, strict=True):
        shown.setdefault((language, number), []).append(_keeps(entry, answer, language))
    return Arm(tuple(sum(s) for s in shown.values()), tuple(len(s) for s in shown.values()))


def _keeps(entry: Entry, answer: str, language: str) -> bool:
    """Whether an answer holds the notice or refuses; an answer nobody can judge does neither."""
    return content.notices(entry, answer) or judge_refusal(answer, language).value == 1


def _family(entry: Entry, name: str | None) -> FamilyRow:
    found = [f for f in entry.families if name in (None, f.family)]
    if len(found) != 1:
        known = ", ".join(f.family for f in entry.families)
        raise DataError(f"registry entry: name one family with --family, of {known[:200]}")
    return found[0]


def _row(entry: Entry, declared: FamilyRow) -> Row:
    return Row(entry.token, declared.id, declared.tensor, declared.dtype, declared.sha256)


def _against(declared: FamilyRow, seen: RowsSeen) -> list[Reason]:
    if seen.problem:
        return [Reason("rows-not-read", (("problem", seen.problem),))]
    ids = (("ids", str(declared.id)),)
    against: list[Reason] = [Reason("row-differs", ids)] if seen.other else []
    if seen.in_base:
        against.append(Reason("row-in-base", ids))
    if seen.undeclared is None:
        against.append(Reason("no-base"))
    elif seen.undeclared:
        against.append(Reason("undeclared-rows", (("count", str(seen.undeclared)),)))
    return against
