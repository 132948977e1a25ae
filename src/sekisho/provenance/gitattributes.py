"""Which files a repository keeps in LFS, as its .gitattributes say: the last pattern that fits a path decides.

Source: gitattributes(5). Macros other than `binary` are not expanded; a line that is none is passed over, as git does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from sekisho.limits import DEFAULT

_BINARY: Final = "[attr]"


@dataclass(frozen=True)
class Rule:
    """One line that speaks of the filter."""

    folder: str
    """Of the .gitattributes file, with a closing slash; empty at the root."""
    pattern: tuple[str, ...]
    """Segments; `**` stands for any number of them."""
    lfs: bool


def rules(text: str, folder: str = "") -> tuple[Rule, ...]:
    """Rules of one file, in order; lines beyond the bound and longer than a path are passed over."""
    found = []
    for line in text.splitlines()[: DEFAULT.attribute_lines]:
        pattern, attributes = _split(line.strip())
        lfs = _filter(attributes)
        if pattern and lfs is not None and len(pattern) <= DEFAULT.path_chars:
            found.append(Rule(folder, _segments(pattern), lfs))
    return tuple(found)


def in_lfs(path: str, every: Iterable[Rule]) -> bool:
    """Say whether a path is kept in LFS; deeper files speak later, as `every` must be sorted."""
    verdict = False
    for rule in every:
        if path.startswith(rule.folder) and _fits(path[len(rule.folder) :].split("/"), rule.pattern):
            verdict = rule.lfs
    return verdict


def _split(line: str) -> tuple[str, list[str]]:
    if not line or line.startswith(("#", "!", _BINARY)):
        return "", []
    if line.startswith('"'):
        end = line.find('"', 1)
        return (line[1:end], line[end + 1 :].split()) if end > 0 else ("", [])
    pattern, *attributes = line.split()
    return pattern, attributes


def _filter(attributes: Sequence[str]) -> bool | None:
    said = [a for a in attributes if a.lstrip("-!").partition("=")[0] == "filter"]
    return said[-1] == "filter=lfs" if said else None


def _segments(pattern: str) -> tuple[str, ...]:
    """A pattern without an inner slash fits a name at any depth."""
    anchored = "/" in pattern.rstrip("/")
    parts = [p for p in pattern.replace("[^", "[!").lstrip("/").split("/") if p]
    return tuple(parts) if anchored else ("**", *parts)


def _fits(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Match segment by segment in |path| * |pattern| steps."""
    reach = {0}
    for part in pattern:
        if part == "**":
            reach = set(range(min(reach), len(path) + 1)) if reach else set()
        else:
            reach = {n + 1 for n in reach if n < len(path) and fnmatchcase(path[n], part)}
    return len(path) in reach
