"""Sentences by language, and numbers as that language writes them."""

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, final

from sekisho.errors import UsageError
from sekisho.records import Facts, Finding
from sekisho.report.visible import in_line, one_line

LANGUAGES: Final = ("en", "ja")
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)")
COMMON: Final = "common"
"""Pseudo-check whose reasons any check may use."""
_NAME: Final = re.compile(r"\{([a-z_]+)\}")
_PLAIN_WORD: Final = re.compile(r"[a-z]+[ ,]")


@final
class Words:
    """One language's sentences. A code without a sentence is said as itself, never an error."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise UsageError(f"no report in {language!r}; there are {', '.join(LANGUAGES)}")
        self.language = language
        self._sentences = sentences(language)
        self._checks = checks()

    def find(self, *path: str) -> str | None:
        """Return the sentence at a path of keys, unfilled; None if there is none."""
        node: Any = self._sentences
        for key in path:
            node = node.get(key) if isinstance(node, Mapping) else None
        return node if isinstance(node, str) else None

    def say(self, /, *path: str, **facts: str) -> str:
        """Return the sentence at a path with its names filled; the code itself if there is none."""
        template = self.find(*path)
        return one_line(path[min(1, len(path) - 1)]) if template is None else fill(template, facts)

    def code(self, section: str, code: str) -> str:
        """Say a code that may carry a value, as in `language:ja`; a language is named, anything else stands as it is."""
        head, _, value = code.partition(":")
        if self.find(section, head) is None:
            return self.say(section, code)
        return self.say(section, head, value=self.find(head, value) or one_line(value))

    def check(self, check: str, key: str = "title") -> str:
        """Return a check's `title`, `why` or `todo`; its id for a missing title, else nothing."""
        text = self._checks.get(check, {}).get(key, {}).get(self.language, "")
        return text or ((one_line(check) or self.say("ui", "inspection")) if key == "title" else "")

    def finding(self, finding: Finding) -> str:
        """Say what a finding found: translated where there is a sentence, else its own English."""
        template = self._reason(finding.check, finding.reason) or self._reason(COMMON, finding.reason)
        facts = {"where": finding.where, "file": finding.where} | dict(finding.facts)
        if template is None or not set(_NAME.findall(template)) <= set(facts):
            return _sentence(one_line(finding.detail, 600))
        return fill(template, facts)

    def _reason(self, check: str, reason: str) -> str | None:
        text = self._checks.get(check, {}).get("reasons", {}).get(reason, {}).get(self.language)
        return text if isinstance(text, str) else None

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Write a share; a dash for None."""
        return "–" if share is None else self.say("ui", "percent", n=_number(100 * share, digits=digits))

    def moment(self, stamp: str) -> str:
        """Write an ISO 8601 time in UTC without its seconds; anything else as it is."""
        match = _STAMP.fullmatch(stamp)
        return f"{match[1]} {match[2]} UTC" if match else one_line(stamp, 40)

    def listed(self, names: Iterable[str]) -> str:
        """Join names as the language does."""
        return self.say("ui", "comma").join(names)

    def number(self, share: float, sign: str = "-") -> str:
        """Write a share in per cent or points without its unit, for an axis or a column that names it."""
        return _number(100 * share, sign)

    def points(self, share: float | None, sign: str = "+") -> str:
        """Write a difference of shares in percentage points."""
        if share is None:
            return "–"
        number = _number(100 * share, sign)
        return self.say("ui", "point" if number.strip("+−") == "1" else "points", n=number)

    def duration(self, seconds: float) -> str:
        """Write seconds below two minutes, minutes above."""
        if not math.isfinite(seconds) or seconds < 120:  # noqa: PLR2004  two minutes
            return self.say("ui", "seconds", n=_number(seconds))
        return self.say("ui", "minutes", n=_number(seconds / 60))

    def interval(self, low: float, high: float) -> str:
        """Write an interval of differences in percentage points."""
        return self.say("ui", "range", low=_number(100 * low, "+"), high=self.points(high))


def fill(template: str, facts: Mapping[str, str] | Facts) -> str:
    """Replace `{name}` by its value, made visible; a name without a value becomes a dash."""
    values = dict(facts)
    return _NAME.sub(lambda m: in_line(values.get(m[1], "–")), template)


def size(count: int) -> str:
    """Write bytes with a decimal unit."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":  # noqa: PLR2004  decimal units
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


@lru_cache
def sentences(language: str) -> Mapping[str, Any]:
    """Read `locale/<language>.toml`."""
    return MappingProxyType(
        tomllib.loads((files("sekisho.report") / "locale" / f"{language}.toml").read_text("utf-8"))
    )


@lru_cache
def part(name: str) -> Mapping[str, Any]:
    """Read `locale/parts/<name>.toml`: section, key, then a sentence in each language."""
    text = (files("sekisho.report") / "locale" / "parts" / f"{name}.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


def said_in(name: str, section: str, key: str, language: str, /, **facts: str) -> str:
    """One sentence of a part, filled; the key itself where there is none."""
    found = part(name).get(section, {}).get(key, {}).get(language)
    return fill(found, facts) if isinstance(found, str) else one_line(key)


@lru_cache
def checks() -> Mapping[str, Any]:
    """Read every `locale/checks/*.toml`, by the check's id."""
    folder = files("sekisho.report") / "locale" / "checks"
    if not folder.is_dir():
        return MappingProxyType({})
    texts = sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    tables = [tomllib.loads(p.read_text("utf-8")) for p in texts]
    return MappingProxyType({t["id"]: t for t in tables})


def _sentence(text: str) -> str:
    """Begin with a capital and end with a stop, unless it begins with a name."""
    start = text[:1].upper() if _PLAIN_WORD.match(text) else text[:1]
    return start + text[1:] + ("" if text.endswith((".", "!", "?", "…", "。")) else ".")


def _number(value: float, sign: str = "-", digits: int = 1) -> str:
    if not math.isfinite(value):
        return str(value)
    text = f"{value:{sign}.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text.strip("+-0.") == "" else text.replace("-", "−")
