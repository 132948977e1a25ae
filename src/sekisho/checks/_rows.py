"""What the checks of token rows share: naming rows, and saying which tables they could not judge."""

from collections.abc import Iterator, Sequence
from typing import Final

from sekisho.checks.base import Case, Words
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.pickle import PickleFacts
from sekisho.formats.rows import RowFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import Facts, Finding, Outcome, Role, Severity

_MOST: Final = 512
"""Ids that one finding carries."""
_LISTED: Final = frozenset({"safetensors", "gguf"})
_NOT_MEASURED: Final = Words(
    "not-measured", "The rows of the token tables were not measured.", outcome=Outcome.CANNOT_TELL
)
_NOT_LISTED: Final = Words(
    "not-listed",
    "{count} files of weights cannot be looked into; a table of token rows may lie in them.",
    outcome=Outcome.CANNOT_TELL,
)
_IN_PICKLES: Final = Words(
    "in-pickles",
    "{count} files of weights are pickles, which the policy lets pass; token rows in them were not measured.",
    Severity.NOTE,
    Outcome.NOT_RUN,
)
_NO_TABLE: Final = Words(
    "no-table", "There is no table of token rows in the model.", Severity.NOTE, Outcome.NOT_RUN
)
_NOT_READ: Final = Words(
    "not-read", "The rows of the token tables were not judged in full.", Severity.NOTE, Outcome.NOT_RUN
)


def naming(facts: RowFacts, ids: Sequence[int]) -> Facts:
    """`which` for the sentence, the first few with their tokens; `token_ids` for a sweep."""
    return (("which", facts.vocabulary.listed(ids)), ("token_ids", ", ".join(str(n) for n in ids[:_MOST])))


def unseen(check: str, case: Case) -> Iterator[Finding]:
    """Say, for a check that judges each table or says why not, which tables it was not given.

    A policy that lets pickles pass has answered for what lies in them.
    """
    facts = case.rows
    if facts is None:
        yield _NOT_MEASURED.about(check, "")
    elif facts.unnamed:
        words = _IN_PICKLES if _only_pickles(case) else _NOT_LISTED
        yield words.about(check, "", ("count", str(facts.unnamed)))
    elif not facts.tables:
        yield _NO_TABLE.about(check, "")


def _only_pickles(case: Case) -> bool:
    """Say whether the policy lets pickles pass and all weights that cannot be looked into are pickles that were read."""
    weights = [f.facts for f in case.candidate.files if f.role is Role.WEIGHTS or f.format in _LISTED]
    closed = [facts for facts in weights if not isinstance(facts, SafetensorsFacts | GgufFacts)]
    return case.known_pickles and all(isinstance(facts, PickleFacts | ZipFacts) for facts in closed)


def unjudged(check: str, facts: RowFacts | None) -> Iterator[Finding]:
    """Say once, for a check beside those, that it did not judge every table."""
    if facts is None or facts.unnamed or not all(rows.judged for rows in facts.tables):
        yield _NOT_READ.about(check, "")
    elif not facts.tables:
        yield _NO_TABLE.about(check, "")
