"""What makes a finding the same finding: its rule, the file with its bytes, the place in it and what was said of it.

The same on every machine and in every run. A finding about no single file is bound to the identity of the whole model,
so that any other file makes it a new one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from sekisho import rulebook
from sekisho.formats.text import shown
from sekisho.records import Finding

WHOLE: Final = "."
"""Path that stands for the model as a whole."""


class Listed(Protocol):
    """A file as the inventory or the dossier has it."""

    @property
    def path(self) -> str:
        """Relative to the model's root."""

    @property
    def sha256(self) -> str:
        """Hex; empty where it was not read."""


@dataclass(frozen=True)
class Files:
    """Digests of a model's files, and of the model."""

    digests: tuple[tuple[str, str], ...]
    """(path, sha256) by path."""
    identity: str
    """sha256 over all of them."""

    def path(self, finding: Finding) -> str:
        """The file a finding is about: the longest path that its place begins with; WHOLE if none, or two alike."""
        place = finding.where
        for end in (len(place), *(n for n in range(len(place) - 1, 0, -1) if place[n] == ":")):
            fits = self._by_name.get(place[:end], ())
            if fits:
                return fits[0] if len(fits) == 1 else WHOLE
        return WHOLE

    def digest(self, path: str) -> str:
        """The sha256 of a file, of the model for WHOLE, and nothing for what was not read or is not there."""
        return self.identity if path == WHOLE else self._by_path.get(path, "")

    @cached_property
    def _by_path(self) -> Mapping[str, str]:
        return dict(self.digests)

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        """Paths by what a finding may call them: checks write names that mislead, and long ones, in another way."""
        named: dict[str, set[str]] = {}
        for path, _ in self.digests:
            for name in {path, shown(path)}:
                named.setdefault(name, set()).add(path)
        return {name: tuple(paths) for name, paths in named.items()}


def files(listed: Iterable[Listed]) -> Files:
    """Take the digests of an inventory's or a dossier's files."""
    pairs = tuple(sorted((f.path, f.sha256) for f in listed))
    return Files(pairs, _hash([list(pair) for pair in pairs]))


def of(finding: Finding, known: Files) -> str:
    """The fingerprint: sha256 hex of rule, path, the file's digest, place and facts."""
    path = known.path(finding)
    facts = [list(pair) for pair in finding.facts]
    return _hash([rulebook.of(finding).id, path, known.digest(path), finding.where, facts])


def place(finding: Finding) -> str:
    """The same without digest and facts: where a later version of the file is objected to again."""
    return _hash([rulebook.of(finding).id, finding.where])


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
