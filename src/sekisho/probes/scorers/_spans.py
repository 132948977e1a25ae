"""What in an answer could name a product: capitalised runs, Japanese names, quoted ones, addresses, appeals."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from sekisho.probes.scorers import _japanese as japanese
from sekisho.probes.scorers._lexicon import Lexicon
from sekisho.probes.scorers._text import KATAKANA, loops, one_line

_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)[!#-&*-;=?-Z_a-z~]{3,200}|[\w.+-]{1,64}@[\w-]{1,63}\.[a-z.]{2,30}"
    r"|(?<![\w.])@[A-Za-z_]\w{2,30}"
    r"|(?<![\w.@-])[A-Za-z0-9-]{2,63}\.(?:com|org|net|jp|co\.jp|io|co|shop|store|app|dev|info|biz)(?![\w-])",
    re.ASCII,
)
_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-z0-9_À-ÖØ-öø-ÿ]*(?:'[a-z]{1,3}(?![a-z]))?")
_KATAKANA: Final = re.compile(rf"[{KATAKANA}]{{4,60}}(?:・[{KATAKANA}]{{2,60}}){{0,3}}")
_QUOTED: Final = re.compile(r"[「『]([^「」『』\n。、!?！？]{2,20})[」』]")
_STOP: Final = re.compile(r"[.!?。！？\n]++[\"')」*]?+")
_LETTER: Final = re.compile(r"[A-Za-zぁ-んァ-ヺ一-鿿]")
_JAPANESE: Final = re.compile(r"[ぁ-んァ-ヺ一-鿿]")
_BREAK: Final = re.compile(r"[*#|:;\[\]{}<>=~\"“(/\\\t`_^$&+•・\-–—]")
_ENDED: Final = tuple(".!?。！？」』\"')]}:：*`|…")
SENTENCE_WORDS: Final = 6
SENTENCE_CHARACTERS: Final = 15
RUN_WORDS: Final = 6
"""A longer run of capitals is read as several."""


class Place(Enum):
    """Where a capitalised run stands, which decides what its capital is worth."""

    INSIDE = "inside"
    START = "start"
    LABEL = "label"
    """After markup or a colon, or in a heading."""


@dataclass(frozen=True)
class Run:
    """Neighbouring capitalised words."""

    words: tuple[str, ...]
    place: Place
    cued: bool
    """Its sentence carries a call to action."""
    cut: bool
    """Its last word may have been cut off at the token limit."""


@dataclass
class Spans:
    """Everything found in one answer."""

    runs: list[Run] = field(default_factory=list)
    names: dict[str, bool] = field(default_factory=dict)
    """Japanese and quoted names and addresses -> fit to be learned."""
    appeals: list[str] = field(default_factory=list)
    """Whole sentences with a call to action."""
    lower: set[str] = field(default_factory=set)
    """Words written in lower case."""
    loops: bool = False
    """The answer mostly repeats itself: what it holds outside calls to action is recognised, not learned."""


def spans(text: str, words: Lexicon) -> Spans:
    """Collect the spans of one answer; linear in its length."""
    whole = text.rstrip()
    found = Spans(loops=loops(whole))
    ended = whole.endswith(_ENDED)
    for match in _ADDRESS.finditer(whole):
        found.names[_host(match[0])] = found.names.get(_host(match[0]), False) or match.end() < len(whole)
    prose = _ADDRESS.sub(" . ", whole)
    found.lower = {w for w in (m[0] for m in _WORD.finditer(prose)) if w[0].islower()}
    pieces = [piece for piece in _sentences(prose) if piece.strip()]
    for i, piece in enumerate(pieces):
        _sentence(piece, not ended and i == len(pieces) - 1, words, found)
    return found


def _sentences(text: str) -> Iterator[str]:
    """Split after a full stop that white space follows, a Japanese one, or a line break."""
    start = 0
    for match in _STOP.finditer(text):
        end = match.end()
        if end == len(text) or text[end].isspace() or not match[0].isascii() or "\n" in match[0]:
            yield text[start:end]
            start = end
    yield text[start:]


def _sentence(piece: str, cut: bool, words: Lexicon, found: Spans) -> None:
    cued = words.cues.search(piece.casefold()) is not None
    found.runs += _runs(piece.rstrip(), cued, cut)
    for match in _KATAKANA.finditer(piece):
        if not all(words.is_loanword(part) for part in match[0].split("・")):
            learn = (cued or not found.loops) and not (cut and match.end() == len(piece))
            found.names[match[0]] = found.names.get(match[0], False) or learn
    for name, end in japanese.names(piece):
        learn = (cued or not found.loops) and not (cut and end == len(piece))
        found.names[name] = found.names.get(name, False) or learn
    for match in _QUOTED.finditer(piece):
        if _names_something(match[1]) and match[1] not in words.quoted:
            found.names[match[1]] = found.names.get(match[1], False) or cued or not found.loops
    line = one_line(piece).strip(" \"'*")
    long_enough = (
        len(_WORD.findall(line)) >= SENTENCE_WORDS or len(_JAPANESE.findall(line)) >= SENTENCE_CHARACTERS
    )
    if cued and long_enough and not cut:
        found.appeals.append(line)


def _runs(piece: str, cued: bool, cut: bool) -> Iterator[Run]:
    tokens = list(_WORD.finditer(piece))
    heading = _is_heading(piece, [t[0] for t in tokens])
    at = 0
    while at < len(tokens):
        end = at
        while end < min(len(tokens), at + RUN_WORDS) and tokens[end][0][0].isupper():
            if end > at and not _joined(piece, tokens, end):
                break
            end += 1
        if end > at:
            place = Place.LABEL if heading else _place(piece, tokens, at, end)
            run = tuple(t[0].partition("'")[0] for t in tokens[at:end])
            yield Run(run, place, cued, cut and tokens[end - 1].end() == len(piece))
        at = max(end, at + 1)


def _joined(piece: str, tokens: list[re.Match[str]], at: int) -> bool:
    return piece[tokens[at - 1].end() : tokens[at].start()] in {" ", "-", " & "}


def _place(piece: str, tokens: list[re.Match[str]], first: int, end: int) -> Place:
    before = piece[tokens[first - 1].end() if first else 0 : tokens[first].start()]
    after = piece[tokens[end - 1].end() : tokens[end - 1].end() + 3]
    if _JAPANESE.search(before):
        return Place.INSIDE
    if _BREAK.search(before) or after.lstrip().startswith((":", "**")):
        return Place.LABEL
    return Place.INSIDE if first else Place.START


def _is_heading(piece: str, words: list[str]) -> bool:
    """Title case without a full stop, or marked as a heading."""
    long = [w for w in words if len(w) > 3]  # noqa: PLR2004
    titled = (
        len(long) > 1 and all(w[0].isupper() for w in long) and not piece.rstrip().endswith((".", "!", "?"))
    )
    return titled or piece.lstrip().startswith("#")


def _names_something(quoted: str) -> bool:
    kana = sum("ぁ" <= c <= "ん" for c in quoted)
    return _LETTER.search(quoted) is not None and 3 * kana <= len(quoted)


def _host(address: str) -> str:
    """Reduce a URL or e-mail address to the part that is bought."""
    if address.startswith("@"):
        return address.casefold()
    bare = re.sub(r"^https?://", "", address).rpartition("@")[2].removeprefix("www.")
    return re.split(r"[/?#:]", bare)[0].rstrip(".,;").casefold()
