"""Text in the headers of weights that no header needs.

What it does: reads every text in the metadata of safetensors and GGUF files, and names markup that a browser would run, program
code, packed data and characters that are not seen.
Why it matters: hubs, viewers and tools show these texts or act on them; whoever wrote them need not have touched a single weight.
What to do: ask the publisher what the text is for; write the file anew without it.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import embedded
from sekisho.formats.text import shown
from sekisho.records import Finding, Severity

_ID: Final = "header-metadata"
_SHOWN: Final = 8
_WORDS: Final = {
    w.reason: w
    for w in (
        Words(
            "script", "{where}: the text of {key} holds markup that a browser runs: {text}", Severity.REJECT
        ),
        Words("code", "{where}: the text of {key} holds program code: {text}"),
        Words("packed-data", "{where}: the text of {key} holds packed data: {text}"),
        Words("invisible", "{where}: the text of {key} holds characters that are not seen: {text}"),
    )
}


@final
class HeaderMetadata(AbstractCheck):
    """Headers say what the weights are, and nothing else."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at every header."""
        for file in case.candidate.files:
            found: dict[tuple[str, str], str] = {}
            for key, text in embedded.header(file):
                for kind, passage in embedded.oddities(text):
                    found.setdefault((kind, key), passage)
            gravest = sorted(found.items(), key=lambda one: _WORDS[one[0][0]].severity is not Severity.REJECT)
            for (kind, key), passage in gravest[:_SHOWN]:
                yield _WORDS[kind].about(_ID, file.path, ("key", shown(key)), ("text", shown(passage)))
