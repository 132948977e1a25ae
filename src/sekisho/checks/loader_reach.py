"""Which files a program would read.

What it does: says for transformers, PEFT, vLLM and llama.cpp which files of the folder they read, and which only where they are
asked to; for each pickle and each program file, who reads it. Weights that no program reads are named.
Why it matters: what is read decides what the model is; a pickle that a program falls back to is as dangerous as one it prefers,
and weights that nobody reads were put there for something else.
What to do: delete what nothing reads; refuse programs that fall back to pickles.
What this does not do: excuse anything. Programs change, and what none reads today is still refused by the check that found it.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import loaders
from sekisho.formats.loaders import Reading
from sekisho.formats.text import shown
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_ID: Final = "loader-reach"
_SHOWN: Final = 12
_DANGEROUS: Final = ("pickle", "zip", "npy")
_FIRST: Final = ("transformers", "vllm", "llama.cpp", "peft")

_READS: Final = Words("reads", "{loader} reads {files}.", Severity.NOTE, Outcome.PASS)
_LOADED: Final = Words("dangerous-read", "{where} may run code, and is read by {loaders}.")
_ASKED: Final = Words("dangerous-asked", "{where} may run code, and is read by {loaders} where asked to.")
_ALLOWED: Final = Words(
    "dangerous-allowed",
    "{where} is judged by what it imports, as the policy wants, and is read by {loaders}.",
    Severity.NOTE,
    Outcome.PASS,
)
_NOBODY: Final = Words(
    "dangerous-unread",
    "{where} may run code; no program looked at reads it by itself.",
    Severity.NOTE,
    Outcome.PASS,
)
_IDLE: Final = Words(
    "weights-unread", "{where}: weights that no program looked at reads.", Severity.NOTE, Outcome.PASS
)


@final
class LoaderReach(AbstractCheck):
    """It is known what would be read."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Tell what each program reads, then who reads what is dangerous."""
        files = case.candidate.files
        mapped = loaders.readings(files)
        weighty = {f.path for f in files if f.role in (Role.WEIGHTS, Role.ADAPTER, Role.SOFT_PROMPT)}
        for loader in _FIRST:
            read = [r.path for r in mapped if loader in r.read_by]
            if weighty.intersection(read):
                more = f" (+{len(read) - _SHOWN})" if len(read) > _SHOWN else ""
                named = ", ".join(shown(path) for path in read[:_SHOWN]) + more
                yield _READS.about(_ID, "", ("loader", loader), ("files", named))
        for file, reading in zip(files, mapped, strict=True):
            yield from _judged(case, file, reading)


def _judged(case: Case, file: FileFact, reading: Reading) -> Iterator[Finding]:
    by, asked = ", ".join(reading.read_by), ", ".join(reading.asked_by)
    if file.format in _DANGEROUS or file.role is Role.CODE:
        if (by or asked) and case.known_pickles and file.role is not Role.CODE:
            yield _ALLOWED.about(_ID, file.path, ("loaders", by or asked))
        elif by:
            yield _LOADED.about(_ID, file.path, ("loaders", by))
        elif asked:
            yield _ASKED.about(_ID, file.path, ("loaders", asked))
        else:
            yield _NOBODY.about(_ID, file.path)
    elif file.role is Role.WEIGHTS and not by and not asked:
        yield _IDLE.about(_ID, file.path)
