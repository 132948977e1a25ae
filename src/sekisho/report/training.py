"""Training records as text: what they say, what is not as recorded, whether a second training gave the same."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sekisho.report.visible import one_line
from sekisho.report.words import part, said_in

_SHOWN: Final = 20
"""Differences that are printed one by one."""


def sentences() -> Mapping[str, Any]:
    """All of `locale/parts/training.toml`."""
    return part("training")


def say(section: str, key: str, language: str, **facts: str) -> str:
    """One sentence, filled; the key itself where there is none."""
    return said_in("training", section, key, language, **facts)


def troubles(found: Iterable[tuple[str, bool, Sequence[tuple[str, str]]]], language: str) -> str:
    """A line for each (code, grave, facts), and one that sums up; facts stay short."""
    rows = [
        (grave, say("trouble", code, language, **_facts(facts, language))) for code, grave, facts in found
    ]
    grave = sum(g for g, _ in rows)
    head = say("ui", "not-as-recorded" if grave else "as-recorded", language, n=str(grave))
    return "\n".join([head, *(f"  {'!' if g else '-'} {text}" for g, text in rows)])


def repeated(outcome: str, facts: Mapping[str, str], language: str) -> str:
    """The sentence that judges a second training."""
    return say("rerun", outcome, language, **facts)


def differing(found: Sequence[tuple[str, str, str, str]], language: str) -> str:
    """A line for each (kind, name, old, new) that was not the same; a sentence where nothing was."""
    if not found:
        return say("rerun", "nothing-differs", language)
    lines = [
        "  " + say("differing", kind, language, name=name, old=_short(old), new=_short(new))
        for kind, name, old, new in found[:_SHOWN]
    ]
    more = len(found) - _SHOWN
    return "\n".join([*lines, *(["  " + say("rerun", "more", language, n=str(more))] if more > 0 else [])])


def shown(rows: Iterable[tuple[str, str]], language: str) -> str:
    """What a record says: a line for each (label, value)."""
    colon = say("ui", "colon", language)
    told = ((k, say("ended", v, language) if k == "outcome" else v) for k, v in rows)
    return "\n".join(f"{say('label', k, language)}{colon}{one_line(v, 300)}" for k, v in told)


def share(value: float) -> str:
    """A share in per cent, for a sentence; a dash where there is none."""
    return "–" if math.isnan(value) else f"{100 * value:.3g} %"


def _facts(facts: Sequence[tuple[str, str]], language: str) -> dict[str, str]:
    made = {k: one_line(v, 200) for k, v in facts}
    if "about" in made:
        kind, _, rest = made["about"].partition(" ")
        name = say("about", kind, language, name=rest) if kind else say("about", "line", language)
        made["about"] = name
    if "why" in made:
        made["why"] = _why(made["why"], language)
    return made


def _why(text: str, language: str) -> str:
    """A reason that the record gives in English, in the reader's language where it is one of section `why`."""
    for said in sentences()["why"].values():
        form = re.escape(said["en"]).replace(r"\{name\}", "(?P<name>.+)")
        if found := re.fullmatch(form, text):
            return str(said[language]).format(**found.groupdict())
    return text


def _short(value: str) -> str:
    return one_line(value, 60)
