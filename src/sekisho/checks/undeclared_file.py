"""Files that no model needs.

What it does: names every file whose content and name fit no known role, and every entry of the folder that was not read:
links that lead out, pipes, folders too deep.
Why it matters: a file that nobody can explain is where a passenger hides, and what was not read was not inspected.
What to do: ask the publisher what it is for, or delete it; copy the real files in place of links; inspect again.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.roles import matches
from sekisho.formats.rules import HARMLESS_NAMES
from sekisho.formats.text import shown
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_HOSTILE: Final = ("symlink-outside", "bad-name", "not-a-file")
_HARMLESS_FORMATS: Final = ("text", "json")

_COLLIDE: Final = Words(
    "names-collide", "{where} and {other} are one name on other systems; which of the two is read depends."
)


@final
class UndeclaredFile(AbstractCheck):
    """Every file has a role, and every file was read."""

    id = "undeclared-file"

    def run(self, case: Case) -> Iterator[Finding]:
        """Yield one finding for each file without a role or without content."""
        download = case.origin.download if case.origin else None
        known = download.bookkeeping if download else frozenset()
        yield from _collisions(case.candidate.files)
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


def _collisions(files: tuple[FileFact, ...]) -> Iterator[Finding]:
    """Names that are one on systems that tell neither case nor spelling of letters apart: which file is read depends."""
    seen: dict[str, str] = {}
    for file in files:
        other = seen.setdefault(unicodedata.normalize("NFKC", file.path).casefold(), file.path)
        if other != file.path:
            yield _COLLIDE.about(UndeclaredFile.id, file.path, ("other", shown(other)))


def _is_harmless(file: FileFact) -> bool:
    """Known by name and content, or a picture by its first bytes."""
    if file.format == "media":
        return True
    path = file.path.lower()
    listed = matches(path, HARMLESS_NAMES) or matches(path.rpartition("/")[2], HARMLESS_NAMES)
    return listed and file.format in _HARMLESS_FORMATS and not file.problem
