"""What the checks of token rows share: naming rows, and saying which tables they could not judge."""

from collections.abc import Iterator, Sequence
from typing import Final

from sekisho.checks.base import Words
from sekisho.formats.rows import RowFacts
from sekisho.records import Facts, Finding, Outcome, Severity

_MOST: Final = 512
"""Ids that one finding carries."""
_NOT_MEASURED: Final = Words(
    "not-measured", "The rows of the token tables were not measured.", outcome=Outcome.CANNOT_TELL
)
_NOT_LISTED: Final = Words(
    "not-listed",
    "{count} files of weights cannot be looked into; a table of token rows may lie in them.",
    outcome=Outcome.CANNOT_TELL,
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


def unseen(check: str, facts: RowFacts | None) -> Iterator[Finding]:
    """Say, for a check that judges each table or says why not, which tables it was not given."""
    if facts is None:
        yield _NOT_MEASURED.about(check, "")
    elif facts.unnamed:
        yield _NOT_LISTED.about(check, "", ("count", str(facts.unnamed)))
    elif not facts.tables:
        yield _NO_TABLE.about(check, "")


def unjudged(check: str, facts: RowFacts | None) -> Iterator[Finding]:
    """Say once, for a check beside those, that it did not judge every table."""
    if facts is None or facts.unnamed or not all(rows.judged for rows in facts.tables):
        yield _NOT_READ.about(check, "")
    elif not facts.tables:
        yield _NO_TABLE.about(check, "")
