"""What verification can find, and its exit codes; the sentences stand in `report/locale/checks/evidence.toml`."""

from dataclasses import dataclass
from typing import Final, final

from sekisho.records import Facts

VERIFIED: Final = 0
UNPINNED: Final = 1
"""Intact, but nobody named the key."""
CHANGED: Final = 2
SIGNATURE: Final = 3
UNREADABLE: Final = 4
OTHER_KEY: Final = 5
MIXED: Final = 6
"""Documents do not belong together, or are older than they may be."""
EXPIRED: Final = 7
REFUSED: Final = 8
"""The decision is not the one required."""
ORDER: Final = (SIGNATURE, OTHER_KEY, CHANGED, MIXED, UNREADABLE, EXPIRED, REFUSED, UNPINNED)
"""Gravest first: with several problems, the first that occurs is the exit code."""


@final
@dataclass(frozen=True)
class Problem:
    """One line: a file, and what is wrong with it."""

    code: int
    """One of the codes above; 0 is a note."""
    file: str
    cause: str
    """Key of the sentence."""
    facts: Facts = ()


@final
@dataclass(frozen=True)
class Verified:
    """What came of verifying an evidence folder."""

    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    signer: str = ""
    """Fingerprint of the key that signed the folder; empty where none did."""
    verdict: str = ""
    """Of the decision, where that is in order."""
    root: str = ""
    """OMS root digest of the model."""
    digest: str = ""
    """Root digest of the folder."""

    @property
    def code(self) -> int:
        """The exit code: that of the gravest problem."""
        found = {p.code for p in self.problems}
        return next((c for c in ORDER if c in found), VERIFIED)
