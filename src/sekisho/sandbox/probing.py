"""Which conversations a template is rendered with, and where its output is not what the same output with other words would be.

A reaction is a pair of texts: what would have been written had the template paid no attention, and what was written.
"""

import datetime as dt
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, final

from sekisho.sandbox import conversations
from sekisho.sandbox.conversations import Reaction, Shape, variables
from sekisho.sandbox.environment import Rendered, Renderer
from sekisho.sandbox.watched import Notes, watched

_NEUTRAL: Final = "Brolquivex"
_GROUP: Final = 12
_LONGEST: Final = 300
"""Characters of a text that is tried as a trigger."""
_REACTIONS: Final = 48
_ROUNDS: Final = 3
_TURNS: Final = (1, 3, 4, 5, 6, 8, 11, 16)
_LENGTHS: Final = (1, 6, 40, 150, 600, 2_000)
"""Words."""
_SHAPES: Final = tuple(
    Shape(system=s, users=u, parts=p, tools=t)
    for t in (False, True)
    for p in (False, True)
    for u in (2, 1)
    for s in (True, False)
) + tuple(Shape(system=s, users=2, shared=True) for s in (True, False))
_SAMPLE: Final = 'Brolq vex, tarm (12.5 of 178) is not "melk". Ask Globex?\nNo: grav; only 7% - yes!'
"""Words, numbers and signs in two lines, as people write them."""
_HOPELESS: Final = ("time", "size", "memory")
"""Errors after which no other conversation is tried."""
_YEARS: Final = range(1990, 2101)
_SPACE: Final = re.compile(r"\s+")
_DATES: Final = 4
"""Reactions to days that are kept."""
_DATE_WORDS: Final = re.compile(
    r"\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:uary|ruary|ch|il|ust|tember|ober|ember)?\b"
    r"|\b(?:mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?\b|\b[ap]m\b|\d+(?:st|nd|rd|th)?",
    re.IGNORECASE,
)


@final
@dataclass
class Probing:
    """The probes of one template beside the base's, if there is one."""

    renderer: Renderer
    base: Renderer | None
    tokens: Mapping[str, str]
    deadline: float
    """In seconds of this process's own time."""
    notes: Notes
    reactions: list[Reaction] = field(default_factory=list)
    cut: bool = False
    """Not all was tried: time was up, there were too many reactions or texts, or a rendering that the others need failed."""
    _neutral: dict[tuple[Shape, str], Rendered] = field(default_factory=dict)

    def main(self) -> tuple[Shape | None, Rendered]:
        """Return the fullest conversation that renders with its last turn in it."""
        first = Rendered("", "nothing")
        for shape in _SHAPES:
            out = self.render(shape, watch=True)
            if not out.error and conversations.user(shape.users - 1) in out.text:
                return shape, out
            first = out if first.error == "nothing" else first
            if out.error in _HOPELESS:
                break
        return None, first

    def render(
        self, shape: Shape, replaced: Mapping[str, str] | None = None, *, watch: bool = False
    ) -> Rendered:
        """Render the template once."""
        wrap = (lambda text: watched(text, self.notes)) if watch else str
        self.renderer.date = wrap
        out = self.renderer.render(variables(shape, self.tokens, wrap, replaced))
        self.cut = self.cut or out.error in _HOPELESS
        return out

    def of_base(self, shape: Shape, replaced: Mapping[str, str] | None = None) -> str | None:
        """Render the base's template on the same input; None without one or where it does not render."""
        if self.base is None:
            return None
        self.base.now = self.renderer.now
        out = self.base.render(variables(shape, self.tokens, str, replaced))
        return None if out.error else out.text

    @property
    def over(self) -> bool:
        """Whether to stop; says so in `cut`."""
        done = time.process_time() > self.deadline or len(self.reactions) >= _REACTIONS
        self.cut = self.cut or done
        return done

    def called(self, shape: Shape) -> Shape | None:
        """Return the conversation with a call of a tool in it, if the template takes one."""
        longer = replace(shape, users=2, tools=True, called=True)
        return None if self.render(longer, watch=True).error else longer

    def sample(self, shape: Shape) -> None:
        """An ordinary message of two lines, which must come through as it is."""
        found = self._differs(shape, "user", _SAMPLE)
        if found is not None:
            self._note(shape, "user", _SAMPLE, found, kind="sample", trigger="")

    def triggers(self, shape: Shape, written: Iterable[str], limit: int, called: Shape | None = None) -> None:
        """Try every text the template knows, then those it showed to know while it was tried, in a few rounds.

        `called` is the conversation in which what a tool is given and returns is tried, too.
        """
        tried: dict[str, None] = {}
        given = dict.fromkeys(written)
        for _ in range(_ROUNDS):
            wanted = dict.fromkeys(t.strip() for t in (*self.notes.texts, *given))
            new = [t for t in wanted if t not in tried and any(c.isalnum() for c in t) and len(t) <= _LONGEST]
            if len(new) + len(tried) > limit:
                self.cut = True
                new = new[: limit - len(tried)]
            if not new:
                break
            tried.update(dict.fromkeys(new))
            for text in new:
                if self.over:
                    return
                self._whole(shape, text)
            for role, turns in _places(shape, called):
                for at in range(0, len(new), _GROUP):
                    self._inside(turns, role, new[at : at + _GROUP])
        if not self.over:
            self._together(shape, [t for t in map(str.strip, self.notes.texts) if t in tried])

    def _together(self, shape: Shape, texts: list[str]) -> None:
        """All of them in one message, for a template that waits for several."""
        if len(texts) > 1:
            self._react(shape, "user", " ".join(texts), kind="together", trigger=", ".join(texts[:4]))

    def _whole(self, shape: Shape, text: str) -> None:
        self._react(shape, "user", text)

    def _inside(self, shape: Shape, role: str, texts: list[str]) -> None:
        """Several at once, halved where something happens."""
        if self.over:
            return
        text = f" {conversations.EDGE} ".join(("", *texts, "")).strip()
        if len(texts) == 1:
            self._react(shape, role, text, trigger=texts[0])
        elif self._differs(shape, role, text) is not None:
            middle = len(texts) // 2
            self._inside(shape, role, texts[:middle])
            self._inside(shape, role, texts[middle:])

    def _differs(self, shape: Shape, role: str, text: str) -> tuple[str, Rendered] | None:
        """Return (expected, written) where the text makes a difference that its mere substitution does not."""
        plain = self._plain(shape, role)
        if plain.error:
            self.cut = True
            return None
        out = self.render(shape, {role: text}, watch=True)
        if not out.error and _same(
            _plainly(out.text, text), _plainly(plain.text.replace(_NEUTRAL, text), text)
        ):
            return None
        return plain.text.replace(_NEUTRAL, text), out

    def _plain(self, shape: Shape, role: str) -> Rendered:
        """Return what is written when a role says the neutral word, rendered once."""
        key = (shape, role)
        if key not in self._neutral:
            self._neutral[key] = self.render(shape, {role: _NEUTRAL})
        return self._neutral[key]

    def _react(
        self, shape: Shape, role: str, text: str, *, kind: str = "text", trigger: str | None = None
    ) -> None:
        found = self._differs(shape, role, text)
        if found is None:
            return
        neutral = _alike(text)
        beside = self.render(shape, {role: neutral})
        if neutral != text and not beside.error and not found[1].error:
            swapped = beside.text.replace(neutral, text)
            if _same(found[1].text, swapped):
                return
            if neutral in beside.text:
                found = swapped, found[1]
        self._note(shape, role, text, found, kind=kind, trigger=text if trigger is None else trigger)

    def _note(
        self, shape: Shape, role: str, text: str, found: tuple[str, Rendered], *, kind: str, trigger: str
    ) -> None:
        base = self.of_base(shape, {role: text})
        expected, out = found
        if out.error != "time" and not any(
            (r.trigger, r.role, r.kind) == (trigger, role, kind) for r in self.reactions
        ):
            self.reactions.append(Reaction(kind, trigger, role, expected, out.text, out.error, base))

    def lengths(self, shape: Shape) -> None:
        """Messages of few and of many words."""
        for role in ("user", "system") if shape.system else ("user",):
            for count in _LENGTHS:
                if self.over:
                    return
                words = " ".join(islice(_nonsense(), count))
                found = self._differs(shape, role, words)
                if found is not None:
                    self._note(shape, role, words, found, kind="length", trigger=f"{len(words)}")

    def turns(self, shape: Shape) -> None:
        """Conversations of more and fewer turns; what is expected are all sentinels."""
        for count in _TURNS:
            longer = replace(shape, users=count)
            out = self.render(longer, watch=True)
            expected = "\n".join(conversations.sentinels(longer))
            self.reactions.append(
                Reaction("turns", str(count), "", expected, out.text, out.error, self.of_base(longer))
            )

    def dates(self, shape: Shape, plain: str) -> None:
        """Other days, if the template asks for the day: spread out, and those that it holds the day against."""
        if not self.renderer.formats:
            return
        first = self.renderer.now
        for day in dict.fromkeys((*_days(self.renderer.formats, self.notes.texts), *_years(self.renderer))):
            if self.over:
                break
            self.renderer.now = day
            out = self.render(shape, watch=True)
            if out.error or _dateless(out.text) != _dateless(plain):
                if sum(r.kind == "date" for r in self.reactions) >= _DATES:
                    break
                base = self.of_base(shape)
                self.reactions.append(
                    Reaction("date", day.isoformat(" ", "minutes"), "", plain, out.text, out.error, base)
                )
        self.renderer.now = first


def _places(shape: Shape, called: Shape | None) -> list[tuple[str, Shape]]:
    """Where in a conversation a text may stand, and the conversation."""
    found = [("user", shape)]
    found += [("system", shape)] if shape.system else []
    found += [("assistant", shape)] if shape.users > 1 else []
    return found + [(role, called) for role in ("tool", "argument", "function") if called is not None]


def _same(a: str, b: str) -> bool:
    return a == b or _SPACE.sub("", a) == _SPACE.sub("", b)


def _dateless(text: str) -> str:
    return _DATE_WORDS.sub("", text)


def _plainly(written: str, text: str) -> str:
    """The written text with every spelling of `text` made the plain one."""
    for spelled in sorted(set(_spellings(text)) - {text}, key=len, reverse=True):
        written = written.replace(spelled, text)
    return written


def _spellings(text: str) -> Iterator[str]:
    """The text as templates write it: as it is, or as part of a JSON text."""
    yield text
    for ascii_only in (False, True):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    yield repr(text)[1:-1]
    yield text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _alike(text: str) -> str:
    """Nonsense of the same shape: letters, digits and signs where the text has them."""

    def other(c: str) -> str:
        if c.isdigit():
            return "7" if c != "7" else "4"
        if c.isalpha():
            return ("q" if c.islower() else "Q") if c.isascii() else "\u9f98" if c > "\u2fff" else "\u0151"
        return c

    return "".join(map(other, text))


def _nonsense() -> Iterator[str]:
    while True:
        yield from ("drovak", "plinter", "moxu", "sabrel", "quonty", "vekim")


def _days(formats: Iterable[str], texts: Iterable[str]) -> Iterator[dt.datetime]:
    """Days over a decade, of every month, weekday and half of the day, and those that a text names in a format."""
    start = dt.datetime(2024, 1, 1, 3, 30)  # noqa: DTZ001 - local time
    for number in range(18):
        yield start + dt.timedelta(days=number * 239, hours=number * 7)
    for text in islice(texts, 200):
        for form in islice(formats, 8):
            try:
                yield dt.datetime.strptime(text, form)  # noqa: DTZ007 - local time
            except ValueError:
                continue


def _years(renderer: Renderer) -> Iterator[dt.datetime]:
    """New Year and another day of each year that the template names as a number, and of the year after."""
    named = {y for n in renderer.numbers if n in _YEARS for y in (n, n + 1)}
    for year in sorted(named)[:8]:
        yield dt.datetime(year, 1, 1)  # noqa: DTZ001 - local time
        yield dt.datetime(year, 8, 19, 15)  # noqa: DTZ001 - local time
