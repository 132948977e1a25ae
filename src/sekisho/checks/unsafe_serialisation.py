"""Weights that run code when they are loaded.

What it does: walks every pickle opcode by opcode, bare or inside zip, torch or NumPy files, under any name, and lists what
it would import. Archives that are not opened, and archives that contradict themselves, are named as such. A policy may
let pickles pass whose every import is on a frozen list, which call nothing else and hold nothing after their end.
Why it matters: loading a pickle means running it, so whoever wrote the file commands the machine that loads it.
What to do: ask for safetensors, or convert on a machine that may be lost; delete leftovers such as training_args.bin.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks import _groups
from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import opaque
from sekisho.formats.npy import NpyFacts
from sekisho.formats.pickle import PickleFacts
from sekisho.formats.text import shown
from sekisho.formats.wrapped import WrappedFacts
from sekisho.formats.zipfile_ import ZipEntry, ZipFacts
from sekisho.records import FileFact, Finding, Outcome, Severity

_PICKLED: Final = ("pickle", "npy", "zip")
_ARCHIVES: Final = (
    "zip", "tar", "gzip", "bzip2", "xz", "lzma", "zlib", "7z", "rar", "zstd", "lz4", "ar", "cabinet", "compress", "lzip", "wim",
    "squashfs", "cpio", "rpm", "split zip", "lha", "ace",
)  # fmt: skip
"""No weights need to come in one that is not opened here, or to lie in another archive."""
_NAMED: Final = 5
"""Globals a sentence names before it stops."""
_LISTED: Final = 20
"""Entries of one archive with a finding of their own."""
_CLOSED: Final = Words(
    "containers-closed",
    "{count} files are {format} containers, which are not opened here (together {digest}): {files}.",
    outcome=Outcome.CANNOT_TELL,
)


@final
class UnsafeSerialisation(AbstractCheck):
    """No file may be a pickle, hold one, or be closed to inspection."""

    id = "unsafe-serialisation"

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at every file, whatever it is called."""
        together: dict[str, list[FileFact]] = {}
        for file in case.candidate.files:
            if file.format in opaque.DATA and isinstance(file.facts, opaque.OpaqueFacts):
                together.setdefault(file.format, []).append(file)
            else:
                yield from self._file(file, known=case.known_pickles)
        for kind, files in together.items():
            if len(files) > _groups.ONE_BY_ONE:
                yield _CLOSED.about(self.id, "", ("format", kind), *_groups.facts(files))
            else:
                yield from (self._closed(file) for file in files)

    def _file(self, file: FileFact, *, known: bool) -> Iterator[Finding]:
        match file.facts:
            case PickleFacts() as facts:
                yield self._pickle(file.path, facts, known=known)
            case NpyFacts(pickle=PickleFacts() as facts):
                yield self._pickle(file.path, facts, known=known)
            case ZipFacts() as facts:
                yield from self._archive(file.path, facts, known=known)
            case WrappedFacts() as facts:
                yield self._closed(file)
                yield from self._archive(file.path, facts, known=False)
            case opaque.OpaqueFacts():
                yield self._closed(file)
            case None:
                yield from self._unread(file)

    def _pickle(self, where: str, facts: PickleFacts, *, known: bool) -> Finding:
        """Refuse a pickle and say why; under the policy that allows known imports, the worst of it decides."""
        if facts.unknown:
            name = ", ".join(shown(n) for n in facts.unknown[:_NAMED])
            sentence = f"{where} would import {name} when loaded."
            facts_named = (("file", where), ("name", name))
            return Finding(
                self.id, Outcome.FAIL, Severity.REJECT, where, "pickle-global", sentence, facts_named
            )
        if facts.broken:
            return self._broken(where, facts.broken)
        if known:
            return self._known(where, facts)
        sentence = (
            f"{where} is a pickle; it seems only to rebuild tensors, but weights must not come as a program."
        )
        return Finding(
            self.id, Outcome.FAIL, Severity.REJECT, where, "pickle-weights", sentence, (("file", where),)
        )

    def _known(self, where: str, facts: PickleFacts) -> Finding:
        """Judge a pickle of known imports only, read to its end."""
        odd = facts.oddities or ((f"{facts.trailing:,} bytes follow its end",) if facts.trailing else ())
        if odd:
            sentence = f"{where} imports known names only, but does what no checkpoint does: {odd[0]}."
            named = (("file", where), ("problem", odd[0]))
            return Finding(self.id, Outcome.FAIL, Severity.REJECT, where, "pickle-odd", sentence, named)
        count = str(len(facts.globals))
        sentence = f"{where} is a pickle; its imports ({count}) are all on the list that the policy allows."
        named = (("file", where), ("count", count))
        return Finding(self.id, Outcome.PASS, Severity.NOTE, where, "pickle-known", sentence, named)

    def _broken(self, where: str, problem: str) -> Finding:
        sentence = f"{where} is taken for a pickle and cannot be read to its end: {problem}."
        named = (("file", where), ("problem", problem))
        return Finding(self.id, Outcome.FAIL, Severity.REJECT, where, "pickle-broken", sentence, named)

    def _archive(self, path: str, facts: ZipFacts | WrappedFacts, *, known: bool) -> Iterator[Finding]:
        for oddity in facts.oddities[:_NAMED]:
            sentence = f"The archive {path} contradicts itself: {oddity}."
            named = (("file", path), ("problem", oddity))
            yield Finding(
                self.id, Outcome.FAIL, Severity.REJECT, path, "archive-inconsistent", sentence, named
            )
        found = [finding for entry in facts.entries for finding in self._entry(path, entry, known=known)]
        found.sort(key=lambda finding: finding.outcome is Outcome.PASS)  # objections first
        yield from found[:_LISTED]
        if len(found) > _LISTED and found[_LISTED].outcome is not Outcome.PASS:
            sentence = f"{path} holds {len(found) - _LISTED} more such entries."
            named = (("file", path), ("count", str(len(found) - _LISTED)))
            yield Finding(self.id, Outcome.FAIL, Severity.REJECT, path, "more-entries", sentence, named)

    def _entry(self, path: str, entry: ZipEntry, *, known: bool) -> Iterator[Finding]:
        where = f"{path}:{shown(entry.path)}"
        inner = entry.facts.pickle if isinstance(entry.facts, NpyFacts) else entry.facts
        if inner is not None:
            yield self._pickle(where, inner, known=known)
        if entry.problem and entry.format == "pickle":
            yield self._broken(where, entry.problem)
        elif entry.problem:
            sentence = f"{where} could not be looked into: {entry.problem}."
            named = (("file", where), ("problem", entry.problem))
            refused = entry.format in _ARCHIVES
            outcome = Outcome.FAIL if refused else Outcome.CANNOT_TELL
            yield Finding(self.id, outcome, Severity.REJECT, where, "entry-closed", sentence, named)

    def _closed(self, file: FileFact) -> Finding:
        severity = Severity.HOLD if file.format in opaque.DATA else Severity.REJECT
        sentence = f"{file.path} is a {file.format} container, which is not opened here."
        named = (("file", file.path), ("format", file.format))
        refused = file.format in _ARCHIVES and isinstance(file.facts, opaque.OpaqueFacts)
        outcome = Outcome.FAIL if refused else Outcome.CANNOT_TELL
        return Finding(self.id, outcome, severity, file.path, "container-closed", sentence, named)

    def _unread(self, file: FileFact) -> Iterator[Finding]:
        if file.format == "pickle" and file.problem.startswith("malformed"):
            yield self._broken(file.path, file.problem.partition(": ")[2])
        elif file.format in (*_PICKLED, "unread"):
            severity = Severity.REJECT if file.format in _PICKLED else Severity.HOLD
            problem = file.problem.partition(": ")[2]
            sentence = f"{file.path} could not be read, so what loading it would do is unknown: {problem}."
            named = (("file", file.path), ("problem", problem))
            yield Finding(self.id, Outcome.CANNOT_TELL, severity, file.path, "not-read", sentence, named)
