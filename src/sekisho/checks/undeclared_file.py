"""Files that no model needs.

What it does: names every file whose content and name fit no known role, and every entry of the folder that was not read:
links that lead out, pipes, folders too deep. Tables, logs and recipes in plain text, which no loader reads, are listed as a note.
Why it matters: a file that nobody can explain is where a passenger hides, and what was not read was not inspected.
What to do: ask the publisher what it is for, or delete it; copy the real files in place of links; inspect again.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final, final

from sekisho.checks import _groups
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import opaque
from sekisho.formats.roles import matches
from sekisho.formats.rules import CONFIGURED_NAMES, DATA_NAMES, HARMLESS_NAMES
from sekisho.formats.text import TextFacts, shown
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_HOSTILE: Final = ("symlink-outside", "bad-name", "not-a-file")
_HARMLESS_FORMATS: Final = ("text", "json")
_LEFT: Final = ("media", "tfevents", "imatrix")
"""Pictures by their first bytes, and records of training by their framing."""

_COLLIDE: Final = Words(
    "names-collide", "{where} and {other} are one name on other systems; which of the two is read depends."
)
_ONE: Final = Words("unknown-role", "{file} has no known role in a model (content: {format}).")
_MANY: Final = Words(
    "unknown-roles",
    "{count} files have no known role in a model (content: {format}; together {digest}): {files}.",
)
_DATA: Final = Words(
    "plain-data",
    "{count} files of plain text that no program looked at reads with the model: {files}.",
    Severity.NOTE,
    Outcome.PASS,
)


@final
class UndeclaredFile(AbstractCheck):
    """Every file has a role, and every file was read."""

    id = "undeclared-file"

    def run(self, case: Case) -> Iterator[Finding]:
        """Yield a finding for each file without content, and for those without a role, together where they are many."""
        download = case.origin.download if case.origin else None
        known = download.bookkeeping if download else frozenset()
        yield from _collisions(case.candidate.files)
        files = [f for f in case.candidate.files if f.path not in known]
        yield from (self._unread(f) for f in files if f.format == "unread")
        strangers = [f for f in files if f.role is Role.UNKNOWN and f.format != "unread"]
        placed = opaque.held(files)
        data = [f for f in strangers if _is_data(f)]
        if data:
            yield _DATA.about(self.id, "", *_groups.facts(data))
        odd = [f for f in strangers if not (f in data or _is_harmless(f) or f.path in placed)]
        for kind in dict.fromkeys(f.format for f in odd):
            yield from _strangers([f for f in odd if f.format == kind])

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


def _strangers(files: list[FileFact]) -> Iterator[Finding]:
    """One by one while they are few; else together, bound to what all of them hold."""
    kind = ("format", files[0].format)
    if len(files) <= _groups.ONE_BY_ONE:
        yield from (_ONE.about(UndeclaredFile.id, f.path, ("file", f.path), kind) for f in files)
    else:
        yield _MANY.about(UndeclaredFile.id, "", kind, *_groups.facts(files))


def _is_data(file: FileFact) -> bool:
    """A table, log or recipe in plain text, whose name no other tool obeys and whose content is words and numbers."""
    path = file.path.lower()
    name, hidden = path.rpartition("/")[2], path.startswith(".") or "/." in path
    text = file.facts if isinstance(file.facts, TextFacts) else None
    known = matches(name, DATA_NAMES) and not matches(name, CONFIGURED_NAMES)
    table = name.endswith((".csv", ".tsv"))
    acts = text is None or text.encoded or text.tagged or bool(text.commands) or (table and text.formulas)
    return known and not acts and not file.problem and (not hidden or path.startswith(".eval_results/"))


def _is_harmless(file: FileFact) -> bool:
    """Known by name and content, or by its first bytes or its framing."""
    if file.format in _LEFT:
        return not file.problem
    path = file.path.lower()
    listed = matches(path, HARMLESS_NAMES) or matches(path.rpartition("/")[2], HARMLESS_NAMES)
    sums = path.rpartition("/")[2].startswith(("checksums", "sha256sums"))
    carries = isinstance(file.facts, TextFacts) and file.facts.encoded and not sums
    return listed and file.format in _HARMLESS_FORMATS and not (file.problem or carries)
