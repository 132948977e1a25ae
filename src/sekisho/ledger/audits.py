"""What an audit of past decisions found; `sekisho.audit` makes one."""

from dataclasses import dataclass
from typing import Final

from sekisho.ledger.entry import Entry
from sekisho.ledger.verify import Verified

RIGHT: Final = "right"
GONE: Final = "gone"
CHANGED: Final = "changed"
EVIDENCE: Final = ("dossier", "policy", "model")
"""What a decision rests on."""


@dataclass(frozen=True)
class Held:
    """One piece of evidence, looked at again."""

    what: str
    """One of EVIDENCE."""
    state: str
    """`right`, `gone` or `changed`."""
    code: str = ""
    """Key of the sentence; empty where it is right."""
    detail: str = ""
    """A file or a path that the sentence names."""


@dataclass(frozen=True)
class Checked:
    """One decision, looked at again."""

    entry: Entry
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Audit:
    """What came of it."""

    chain: Verified
    checked: tuple[Checked, ...]
    through: int
    """The last entry that could be picked."""
    decisions: int
    """Decisions there were to pick from."""
    entry: Entry | None = None
    """Of the audit itself; None where the chain is broken, so that nothing is added to it."""

    @property
    def outcome(self) -> str:
        """`changed` before `gone` before `right`."""
        states = {h.state for c in self.checked for h in c.held}
        if not self.chain.whole or CHANGED in states:
            return CHANGED
        return GONE if GONE in states else RIGHT
