"""Files that no model needs.

What it does: names every file whose content and name fit no known role, and every entry of the folder that was not read:
links that lead out, pipes, folders too deep.
Why it matters: a file that nobody can explain is where a passenger hides, and what was not read was not inspected.
What to do: ask the publisher what it is for, or delete it; copy the real files in place of links; inspect again.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.formats.roles import matches
from sekisho.formats.rules import HARMLESS_NAMES
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_HOSTILE: Final = ("symlink-outside", "bad-name", "not-a-file")
_HARMLESS_FORMATS: Final = ("text", "json")


@final
class UndeclaredFile(AbstractCheck):
    """Every file has a role, and every file was read."""

    id = "undeclared-file"

    def run(self, case: Case) -> Iterator[Finding]:
        """Yield one finding for each file without a role or without content."""
        download = case.origin.download if case.origin else None
        known = download.bookkeeping if download else frozenset()
        for file in case.candidate.files:
            if file.path in known:
                continue
            if file.format == "unread":
                yield self._unread(file)
            elif file.role is Role.UNKNOWN and not _is_harmless(file):
                sentence = f"{file.path} has no known role in a model (content: {file.format})."
                named = (("file", file.path), ("format", file.format))
                yield Finding(
                    self.id, Outcome.FAIL, Severity.HOLD, file.path, "unknown-role", sentence, named
                )

    def _unread(self, file: FileFact) -> Finding:
        code, _, text = file.problem.partition(": ")
        severity = Severity.REJECT if code in _HOSTILE else Severity.HOLD
        outcome = Outcome.FAIL if code in _HOSTILE else Outcome.CANNOT_TELL
        sentence = f"{file.path} was not read: {text}."
        named = (("file", file.path), ("problem", text))
        return Finding(self.id, outcome, severity, file.path, code, sentence, named)


def _is_harmless(file: FileFact) -> bool:
    """Known by name and content, or a picture by its first bytes."""
    if file.format == "media":
        return True
    path = file.path.lower()
    listed = matches(path, HARMLESS_NAMES) or matches(path.rpartition("/")[2], HARMLESS_NAMES)
    return listed and file.format in _HARMLESS_FORMATS and not file.problem
