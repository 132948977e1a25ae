"""Weights and settings that are what they say they are.

What it does: reports every file whose bytes break its format, and compares shards with their index: all there, nothing
outside the folder, each tensor once, sizes adding up.
Why it matters: programs disagree about broken files, so what was inspected and what gets loaded may differ; parsers of
weights have been attacked through such headers.
What to do: fetch the file again and compare its digest with the publisher's; if it stays so, do not load it.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import shards
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.records import Facts, FileFact, Finding, Outcome, Role, Severity

_ELSEWHERE: Final = ("pickle", "zip", "npy", "unread")
"""Formats whose faults another check reports."""
_WEIGHTY: Final = (Role.WEIGHTS, Role.ADAPTER, Role.SOFT_PROMPT)
_SETTINGS: Final = ("config.json", "params.json", "adapter_config.json", "model_index.json")
_NAMED: Final = 3
"""Tensors a sentence names before it stops."""
_SENTENCES: Final = {
    "index-malformed": "is no index of shards; it lacks a table in",
    "index-outside": "points outside the model's folder, to",
    "shard-missing": "belongs to a set of shards that lacks",
    "tensor-missing": "lists tensors that their shard does not hold:",
    "tensor-unlisted": "does not list tensors that a shard holds:",
    "tensor-twice": "holds tensors that another file holds as well:",
    "total-size": "gives a total size that is not that of its tensors (claimed / actual):",
}

_NO_WEIGHTS: Final = Words("no-weights", "There are no weights here, only settings of a model.")
_PART: Final = Words(
    "part-of-a-model",
    "There are no weights here, and no settings of a model: only what is here was inspected.",
    Severity.NOTE,
    Outcome.PASS,
)


def _describes_a_model(files: tuple[FileFact, ...]) -> bool:
    """Settings that a program would build a model from, or an index of its shards."""
    named = any(f.path.rpartition("/")[2].lower() in _SETTINGS for f in files)
    return named or any(shards.is_index(f) for f in files)


@final
class HeaderIntegrity(AbstractCheck):
    """Every header reads cleanly and every shard is there."""

    id = "header-integrity"

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at each file, then at the files together."""
        files = case.candidate.files
        for file in files:
            yield from self._file(file)
        yield from self._together(files)
        if not any(f.role in _WEIGHTY for f in files):
            yield (_NO_WEIGHTS if _describes_a_model(files) else _PART).about(self.id, "")

    def _file(self, file: FileFact) -> Iterator[Finding]:
        code, _, text = file.problem.partition(": ")
        if code == "malformed" and file.format not in _ELSEWHERE:
            sentence = f"{file.path} breaks the {file.format} format: {text}."
            yield self._finding(
                file.path, "malformed", sentence, (("format", file.format), ("problem", text))
            )
        elif code in ("over-limit", "unreadable"):
            sentence = f"{file.path} could not be read in full: {text}."
            named = (("file", file.path), ("problem", text))
            yield Finding(self.id, Outcome.CANNOT_TELL, Severity.HOLD, file.path, code, sentence, named)
        if isinstance(file.facts, JsonFacts) and file.facts.duplicate_keys:
            name = shown(file.facts.duplicate_keys[0])
            sentence = f"{file.path} gives {name} twice; programs differ on which one counts."
            yield self._finding(file.path, "duplicate-key", sentence, (("name", name),), Severity.HOLD)

    def _together(self, files: tuple[FileFact, ...]) -> Iterator[Finding]:
        """Yield one finding for each kind of disagreement in each file, naming the first few."""
        groups: dict[tuple[str, str], dict[str, None]] = {}
        for mismatch in shards.mismatches(files):
            groups.setdefault((mismatch.file, mismatch.reason), {})[mismatch.name] = None
        for (path, reason), found in groups.items():
            names = tuple(found)
            name = ", ".join(names[:_NAMED]) + (f" (+{len(names) - _NAMED})" if len(names) > _NAMED else "")
            severity = Severity.HOLD if reason == "total-size" else Severity.REJECT
            sentence = f"{path} {_SENTENCES[reason]} {name}."
            yield self._finding(path, reason, sentence, (("name", name),), severity)

    def _finding(
        self, path: str, reason: str, sentence: str, facts: Facts, severity: Severity = Severity.REJECT
    ) -> Finding:
        return Finding(self.id, Outcome.FAIL, severity, path, reason, sentence, (("file", path), *facts))
