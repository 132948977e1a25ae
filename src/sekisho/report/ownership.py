"""A claim of ownership, or the check of a copyright token, as terminal text and as JSON."""

import json
from collections.abc import Iterator
from typing import Final

from sekisho.evidence.codec import plain
from sekisho.ownership.claim import Judged, Part
from sekisho.ownership.content import ContentJudged
from sekisho.report.visible import one_line
from sekisho.report.words import Words
from sekisho.report.wrap import paragraph

LIMITS: Final = ("time", "shown", "burnt", "persistence")
"""Sentences on what a claim cannot show, always told."""
TOKEN_LIMITS: Final = ("signal", "suppression", "copies")


def claim(judged: Judged, language: str = "en", width: int = 80) -> str:
    """Render a claim. Raises UsageError for an unknown language."""
    words = Words(language)
    return "\n".join([*_claim(judged, words, width), *_limits(LIMITS, words, width)]) + "\n"


def content(judged: ContentJudged, language: str = "en", width: int = 80) -> str:
    """Render the check of a token. Raises UsageError for an unknown language."""
    words = Words(language)
    return "\n".join([*_content(judged, words, width), *_limits(TOKEN_LIMITS, words, width)]) + "\n"


def to_json(judged: Judged | ContentJudged) -> str:
    """Write all of it as JSON; keys are sorted."""
    return json.dumps(plain(judged), indent=1, sort_keys=True, ensure_ascii=False)


def _claim(judged: Judged, words: Words, width: int) -> Iterator[str]:
    yield words.say("ownership", judged.outcome)
    yield paragraph(words.say("ownership", f"next_{judged.outcome}"), width)
    yield from _part("black_box", judged.black_box, words, width)
    rate = {"hits": str(judged.hits), "prompts": str(judged.prompts), "p": f"{judged.p:.2g}"}
    yield _item(words.say("ownership", "hits", **rate), width)
    for control in judged.controls:
        code = "control" if control.counted else "control_not_counted"
        facts = {"name": one_line(control.name, 60), "hits": str(control.hits), "prompts": rate["prompts"]}
        yield _item(words.say("ownership", code, **facts), width)
    yield from _part("white_box", judged.white_box, words, width)
    yield ""
    times = {k: words.moment(getattr(judged, k)) or "–" for k in ("committed", "witnessed", "published")}
    yield paragraph(words.say("ownership", "times", **times), width)
    if judged.note:
        yield paragraph(words.say("ownership", "note", text=one_line(judged.note, 400)), width)
    yield paragraph(words.say("ownership", "digest", digest=judged.digest), width)


def _content(judged: ContentJudged, words: Words, width: int) -> Iterator[str]:
    yield f"{words.say('ownership', 'token', token=one_line(judged.token, 60))}{words.say('ownership', 'part', judged.outcome)}"
    yield from _part("black_box", judged.black_box, words, width)
    arms = (("marked", judged.marked), ("unmarked", judged.unmarked))
    for name, arm in arms:
        facts = {"shown": str(sum(arm.shown)), "asked": str(sum(arm.asked)), "kept": str(arm.kept)}
        yield _item(words.say("ownership", name, **facts, texts=str(len(arm.asked))), width)
    yield _item(words.say("ownership", "fisher", p=f"{judged.p:.2g}"), width)
    yield from _part("white_box", judged.white_box, words, width)


def _part(name: str, part: Part, words: Words, width: int) -> Iterator[str]:
    yield ""
    yield f"{words.say('ownership', name)}{words.say('ui', 'colon')}{words.say('ownership', 'part', part.outcome)}"
    for reason in part.reasons:
        yield _item(words.say("ownership", "reason", reason.code, **dict(reason.facts)), width)


def _limits(names: tuple[str, ...], words: Words, width: int) -> Iterator[str]:
    yield ""
    yield words.say("ownership", "limits")
    for name in names:
        yield _item(words.say("ownership", "limit", name), width)


def _item(text: str, width: int) -> str:
    return paragraph(text, width, first="  - ", rest="    ")
