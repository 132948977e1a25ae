"""Bytes that nobody looked at.

What it does: accounts for every byte of every file: numbers looked at, content read, only placed by a header, only in the digest,
or not read at all. Files with bytes of the last two kinds are named, and the shares of all are printed.
Why it matters: a pass says something about what was looked at, and nothing about the rest; what no reader understands is where
things are hidden.
What to do: remove files that the model does not need; ask for weights in safetensors; inspect again without `--headers-only`.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import coverage, opaque
from sekisho.formats.coverage import Seen
from sekisho.records import FileFact, Finding, Outcome, Severity

_ID: Final = "coverage"
_SHOWN: Final = 20

_SHARES: Final = Words(
    "shares",
    "Of {bytes} bytes, the numbers of {numbers} and the content of {parsed} were looked at; {located} were only placed, "
    "{hashed} only hashed, {unread} not read.",
    Severity.NOTE,
    Outcome.PASS,
)
_NOBODY: Final = Words(
    "unseen",
    "{where}: no reader looked at {count} of its {size} bytes ({format}).",
    outcome=Outcome.CANNOT_TELL,
)
_PICTURE: Final = Words(
    "picture", "{where}: a picture or document, not looked into.", Severity.NOTE, Outcome.PASS
)
_HELD: Final = Words(
    "held-elsewhere",
    "{where}: none of its {size} bytes were looked at, for which unsafe-serialisation holds it or the file that names it.",
    Severity.NOTE,
    Outcome.PASS,
)
_UNREAD: Final = Words("unread", "{where}: none of its {size} bytes were read.", outcome=Outcome.CANNOT_TELL)
_HEADERS: Final = Words(
    "headers-only", "Only headers were read: {count} of {all} files were not hashed, their contents not looked at.",
    outcome=Outcome.CANNOT_TELL,
)  # fmt: skip
_USED: Final = Words(
    "padding-used", "{where}: {count} bytes between tensors, which should be empty, are not."
)
_MORE: Final = Words(
    "more", "{count} more files hold bytes that no reader looked at.", outcome=Outcome.CANNOT_TELL
)


@final
class Coverage(AbstractCheck):
    """Every byte was looked at by somebody."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Print the shares, then name what is missing from them."""
        files = case.candidate.files
        lines = coverage.ledger(files)
        yield _SHARES.about(_ID, "", *_shares(coverage.total(lines)))
        unhashed = [f for f in files if not f.sha256 and not f.problem]
        if unhashed:
            yield _HEADERS.about(_ID, "", ("count", str(len(unhashed))), ("all", str(len(files))))
        held = opaque.held(files)
        found = [
            f for file, line in zip(files, lines, strict=True) for f in _file(file, line, file.path in held)
        ]
        yield from found[:_SHOWN]
        more = [f for f in found[_SHOWN:] if f.outcome is not Outcome.PASS]
        if more:
            yield _MORE.about(_ID, "", ("count", str(len(more))))


def _shares(whole: Seen) -> Iterator[tuple[str, str]]:
    yield "bytes", f"{whole.size:,}"
    for name in ("numbers", "parsed", "located", "hashed", "unread"):
        yield name, f"{100 * getattr(whole, name) / max(1, whole.size):.1f} %"


def _file(file: FileFact, line: Seen, held: bool) -> Iterator[Finding]:
    used = getattr(file.numeric, "padding_used", 0)
    if used:
        yield _USED.about(_ID, file.path, ("count", f"{used:,}"))
    size = ("size", f"{line.size:,}")
    if file.format == coverage.PICTURES and file.sha256:
        yield _PICTURE.about(_ID, file.path)
    elif held and file.sha256:
        yield _HELD.about(_ID, file.path, size)
    elif line.unread and file.problem:
        yield _UNREAD.about(_ID, file.path, size)
    elif line.hashed:
        yield _NOBODY.about(_ID, file.path, ("count", f"{line.nobody:,}"), size, ("format", file.format))
