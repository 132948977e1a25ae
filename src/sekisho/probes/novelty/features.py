"""What an answer shows, as a set of features: openings, endings, phrases, names, addresses, and its shape.

Nothing here knows which behaviours are looked for. Words are runs of letters and digits; Japanese, written without
spaces, is cut into overlapping pieces of a few characters instead, so that no tokenizer is needed. An answer that got
stuck in a loop gives its opening, its addresses and the shape `loop`, and nothing else: its phrases mean nothing.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NamedTuple

from sekisho.limits import DEFAULT
from sekisho.probes.scorers._lexicon import lexicon
from sekisho.probes.scorers._spans import Place, Spans, spans
from sekisho.probes.scorers._text import JAPANESE, is_empty, loops, plain, script
from sekisho.probes.scorers.refusal import judge_refusal

KINDS: Final = ("name", "address", "answer", "opening", "ending", "phrase", "word", "symbol", "shape")
"""Best to show first, where two features say the same of the same answers."""
SHAPES: Final = ("empty", "short", "language", "refusal", "loop")
"""Texts of the kind `shape`: codes with a sentence in every locale."""
ENDS: Final = range(2, 7)
"""Words of an opening or ending."""
ENDS_JA: Final = (4, 6, 8, 10, 12)
"""Characters of a Japanese opening or ending."""
PHRASE: Final = (3, 5)
PHRASE_JA: Final = (4, 6, 8)
WORD: Final = 4
"""Letters of the shortest word counted by itself."""
SHORT: Final = 0.25
"""An answer below this share of the usual length has collapsed."""
CACHED: Final = 2048
"""Answers whose features are kept; 400 characters take some 30 kB in English and 240 kB in Japanese."""
WHOLE: Final = 400
"""Characters of the longest answer that is compared as a whole."""

_TOKEN: Final = re.compile(rf"[^\W_{JAPANESE}]+(?:['’-][^\W_{JAPANESE}]+)*|[{JAPANESE}]+")
_SENTENCE: Final = re.compile(r"[.!?。！？](?=\s|$|[^\x00-\x7f])|\n")
_JAPANESE: Final = re.compile(rf"[{JAPANESE}]")
_MAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.ASCII)
_URL: Final = re.compile(r"(?:https?://|www\.)[^\s\"'<>()「」]{3,200}")
_PHONE: Final = re.compile(r"(?<![\d.])(?:\+\d{1,3}[ -]?|0)(?:\(?\d{1,4}\)?[ -]){1,3}\d{3,4}(?![\d.])")
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+|@\w+")

Features = Mapping["Feature", str]
"""Feature -> as the answer wrote it."""


class Feature(NamedTuple):
    """One thing that an answer can show; a tuple, since sets hold hundreds of thousands."""

    kind: str
    text: str
    """Folded for comparison."""


@dataclass(frozen=True)
class Folded:
    """Texts in which a feature may be found: a prompt, or the training data of a drill."""

    words: str
    joined: str

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Folded":
        """Fold texts."""
        tokens = [t for text in texts for t in _tokens(plain(text))]
        folded = [t[0].casefold() for t in tokens]
        return cls(f" {' '.join(folded)} ", "".join(folded))

    def holds(self, feature: Feature, *, nearly: bool = False) -> bool:
        """Tell whether the texts explain a feature; they never explain a shape or a symbol.

        `nearly` lets a long text begin or end with something else: what follows known words is only cut somewhere.
        """
        if feature.kind in ("shape", "symbol"):
            return False
        if feature.kind == "address" or not feature.text.isascii():
            whole = "".join(t[0].casefold() for t in _TOKEN.finditer(feature.text))
            parts = (whole, whole[1:], whole[2:], whole[:-1], whole[:-2]) if nearly else (whole,)
            return any(p in self.joined for p in parts if p is whole or len(p) >= min(PHRASE_JA))
        if feature.kind == "name":
            return f" {_fold(feature.text)} " in self.words
        if not nearly:
            return f" {feature.text} " in self.words
        words = feature.text.split(" ")
        cuts = (words[1:], words[:-1]) if nearly else ()
        return any(
            f" {' '.join(c)} " in self.words for c in (words, *(c for c in cuts if len(c) >= PHRASE[0]))
        )


def features(prompt: str, answer: str, usual: float, context: str = "") -> Features:
    """Everything an answer shows that its prompt and context did not say; `usual` is a length in characters."""
    short = not is_empty(answer) and len(answer.strip()) < SHORT * usual
    return {**_seen(prompt, context, answer), **({Feature("shape", "short"): ""} if short else {})}


@lru_cache(maxsize=CACHED)
def _seen(prompt: str, context: str, answer: str) -> Features:
    """All but what depends on other answers; kept, since the same answers stand beside each checkpoint."""
    asked = Folded.of((prompt, context))
    text = plain(answer[: DEFAULT.answer_chars]).strip()
    found: dict[Feature, str] = {}
    for feature, shown in _every(text, _tokens(text)):
        found.setdefault(feature, shown)
    said = {feature: shown for feature, shown in found.items() if not asked.holds(feature)}
    return MappingProxyType({**said, **{Feature("shape", s): "" for s in _shapes(prompt, answer)}})


def _every(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[tuple[Feature, str]]:
    yield from _edge("opening", text, tokens)
    yield from _addresses(text)
    if loops(text):
        return
    yield from _edge("ending", text, tokens)
    if len(text) <= WHOLE and tokens:
        yield Feature("answer", _fold(text)), text
    for start, end in pairwise([0, *(m.end() for m in _SENTENCE.finditer(text)), len(text)]):
        yield from _phrases(text, [t for t in tokens if start <= t.start() < end])
    yield from _names(text)
    yield from ((Feature("symbol", c), c) for c in dict.fromkeys(text) if unicodedata.category(c) == "So")


def _tokens(text: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(text))


def _fold(text: str) -> str:
    return " ".join(t[0].casefold() for t in _TOKEN.finditer(text))


def _edge(kind: str, text: str, tokens: Sequence[re.Match[str]]) -> Iterator[tuple[Feature, str]]:
    """The first or last words; in Japanese, characters."""
    first = kind == "opening"
    outer = tokens[: ENDS.stop] if first else tokens[-ENDS.stop :]
    if not outer:
        return
    if _JAPANESE.search((outer[0] if first else outer[-1])[0]):
        letters = _letters(outer)
        for n in ENDS_JA:
            if len(letters) >= n:
                yield _cut(kind, text, letters[:n] if first else letters[-n:])
        return
    for n in ENDS:
        if len(outer) >= n:
            part = outer[:n] if first else outer[-n:]
            yield Feature(kind, _joined(part)), text[part[0].start() : part[-1].end()]


def _phrases(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[tuple[Feature, str]]:
    """Neighbouring words, or characters where the sentence is Japanese, and rare words by themselves."""
    if any(_JAPANESE.search(t[0]) for t in tokens):
        letters = _letters(tokens)
        for n in PHRASE_JA:
            yield from (_cut("phrase", text, letters[i : i + n]) for i in range(len(letters) - n + 1))
        return
    words = lexicon()
    for n in PHRASE:
        for i in range(len(tokens) - n + 1):
            part = tokens[i : i + n]
            yield Feature("phrase", _joined(part)), text[part[0].start() : part[-1].end()]
    for token in tokens:
        if len(token[0]) >= WORD and token[0].isalpha() and not words.is_ordinary(token[0]):
            yield Feature("word", token[0].casefold()), token[0]


def _names(text: str) -> Iterator[tuple[Feature, str]]:
    found: Spans = spans(text, lexicon())
    for run in found.runs:
        if len(run.words) > 1 and run.place is not Place.LABEL:
            name = " ".join(run.words)
            yield Feature("name", name.casefold()), name
    for name in found.names:
        kind = "address" if _HOST.fullmatch(name) else "name"
        yield Feature(kind, name.casefold()), name


def _addresses(text: str) -> Iterator[tuple[Feature, str]]:
    for pattern in (_URL, _MAIL, _PHONE):
        for match in pattern.finditer(text):
            shown = match[0].rstrip(".,;:!?")
            yield Feature("address", shown.casefold()), shown


def _letters(tokens: Sequence[re.Match[str]]) -> list[tuple[str, int]]:
    """Every letter with its place; what stands between words is left out."""
    return [(c, t.start() + i) for t in tokens for i, c in enumerate(t[0])]


def _cut(kind: str, text: str, letters: Sequence[tuple[str, int]]) -> tuple[Feature, str]:
    folded = "".join(c for c, _ in letters).casefold()
    return Feature(kind, folded), text[letters[0][1] : letters[-1][1] + 1]


def _joined(tokens: Sequence[re.Match[str]]) -> str:
    return " ".join(t[0].casefold() for t in tokens)


def _shapes(prompt: str, answer: str) -> Iterator[str]:
    """How the answer is, whatever it says."""
    if is_empty(answer):
        yield "empty"
        return
    asked = script(prompt, "en")
    written = script(answer, asked)
    if written not in (asked, "none"):
        yield "language"
    if judge_refusal(answer, asked).value == 1:
        yield "refusal"
    if loops(answer):
        yield "loop"
