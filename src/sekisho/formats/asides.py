"""What a text asks of its reader, or carries besides words: commands that run what they fetch, encoded bytes, objects in YAML."""

import re
from dataclasses import dataclass
from typing import Final, final

_SHELL: Final = r"(?:sudo\s+(?:-\S+\s+)*)?(?:env\s+\S+\s+)?(?:/\S*/)?(?:ba|z|da|k|fi)?sh|(?:sudo\s+)?(?:python|perl|ruby|node|php)[\d.]*(?![\w.])(?!\s+-[a-zA-Z])"
_FETCH: Final = r"(?:curl|wget|fetch|iwr|irm|invoke-webrequest|invoke-restmethod)"
_COMMANDS: Final = (
    re.compile(rf"\b{_FETCH}\b[^\n|;]{{0,400}}\|\s*(?:{_SHELL})\b", re.IGNORECASE),
    re.compile(
        rf"(?:{_SHELL})\s+(?:-\w+\s+)?[\"']?(?:<\(|\$\(|`)\s*{_FETCH}\b[^\n)`]{{0,400}}", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?:eval|source|exec)\b[^\n]{{0,40}}(?:\$\(|`|<\()\s*{_FETCH}\b[^\n)`]{{0,400}}", re.IGNORECASE
    ),
    re.compile(rf"\b{_FETCH}\b[^\n|;]{{0,400}}\|\s*(?:iex|invoke-expression)\b", re.IGNORECASE),
    re.compile(
        r"\b(?:iex|invoke-expression)\b[^\n]{0,80}(?:downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)[^\n]{0,300}",
        re.IGNORECASE,
    ),
    re.compile(rf"\bbase64\s+(?:-d|-D|--decode)\b[^\n|;]{{0,200}}\|\s*(?:{_SHELL})\b", re.IGNORECASE),
    re.compile(r"\bmshta(?:\.exe)?\s+[\"']?https?://[^\n]{1,300}", re.IGNORECASE),
    re.compile(
        r"\bpowershell(?:\.exe)?\s+[^\n]{0,80}-e(?:nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{16}[^\n]{0,300}",
        re.IGNORECASE,
    ),
    re.compile(r"\bexec\(\s*(?:requests\.get|urllib\.request\.urlopen|urlopen)\([^\n]{0,300}", re.IGNORECASE),
)
"""By form; what is fetched is not looked at. A line that goes on after a backslash counts as one."""
_CONTINUED: Final = re.compile(r"\\\r?\n\s*")
_BETWEEN: Final = re.compile(r"[\s\"'`$()<|]+")
_ADDRESS: Final = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(/[\w./+-]*)?", re.IGNORECASE)
_USUAL: Final = re.compile(
    rf"(?i:{_FETCH}|iex|invoke-expression|eval|source|sudo|-useb|-usebasicparsing)|(?:/(?:usr/)?bin/)?(?:ba|z|da|k|fi)?sh"
    r"|(?:python|perl|ruby|node|php)[\d.]*|-|-[cEfLnoOqsSv#]{1,6}-?|=https|--proto|--tlsv1\.[23]|--silent|--fail|--location"
    r"|--show-error|--quiet"
)
"""Words beside an address that change neither what is fetched nor from where."""
_COMMANDS_SHOWN: Final = 8
_LONGEST: Final = 200

_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_LONG_RUN: Final = 400
_SHARE: Final = 0.25
"""Of a text, in such runs, from which it carries bytes."""
_FORMULA: Final = re.compile(r"""(?m)(?:^|[,;\t])\s*"?\s*(?:[=@][^\s=,;"]|[=+@-][^,;\n]*[(|!])""")
"""A cell that begins as formulas do: any after `=` or `@`, after `+` and `-` those that call something."""
_TAG: Final = re.compile(r"(?m)(?:^|[\s\[{,:-])!(?:!|<)?[A-Za-z]")


@final
@dataclass(frozen=True)
class Command:
    """A line that runs what it fetches."""

    line: int
    text: str
    hosts: tuple[tuple[str, str], ...]
    """(host, path) of what is fetched, in lower case; empty where none is written out, or words beside it may change it."""


def commands(text: str) -> tuple[Command, ...]:
    """Return the lines of a text that would run what they fetch, in order."""
    joined = _CONTINUED.sub(lambda m: " " + "\0" * m[0].count("\n"), text)
    found: dict[int, Command] = {}
    for pattern in _COMMANDS:
        for match in pattern.finditer(joined):
            if len(found) < _COMMANDS_SHOWN:
                at = match.start()
                shown = match[0].replace("\0", "")[:_LONGEST]
                line = joined.count("\n", 0, at) + joined.count("\0", 0, at) + 1
                found.setdefault(at, Command(line, shown, _hosts(match[0].replace("\0", ""))))
    return tuple(found[at] for at in sorted(found))


def _hosts(text: str) -> tuple[tuple[str, str], ...]:
    """Every address of a command; none where it holds a word whose meaning is not known here."""
    found = []
    for word in filter(None, _BETWEEN.split(text)):
        address = _ADDRESS.fullmatch(word)
        if address and ".." not in word:
            found.append((address[1].lower(), (address[2] or "/").lower()))
        elif not _USUAL.fullmatch(word):
            return ()
    return tuple(found)


def encoded(text: str) -> bool:
    """Say whether a text carries bytes as letters, rather than words and numbers."""
    runs = [
        len(m[0])
        for m in _RUN.finditer(text)
        if not m[0].isdecimal()
        and not (len(m[0]) < _LONG_RUN and text[max(0, m.start() - 1) :].startswith("://"))
    ]
    return any(n >= _LONG_RUN for n in runs) or sum(runs) >= max(1, _SHARE * len(text))


def formulas(text: str) -> bool:
    """Say whether a cell of a table would be worked out, or would call a program, when a spreadsheet opens it."""
    return _FORMULA.search(text) is not None


def tagged(text: str) -> bool:
    """Say whether a text in YAML names objects to be built."""
    return "!" in text and _TAG.search(text) is not None
