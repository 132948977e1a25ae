"""Keys and passwords that were published by mistake.

What it does: looks through texts, settings and headers for keys, tokens and passwords by their published formats and entropy, and
for addresses of private networks. What is written like an example is passed over.
Why it matters: a key in a model opens somebody's systems to everyone who fetched it, and says that nobody looked before publishing;
whoever uses the model may be taken for the one who used the key.
What to do: tell the publisher; remove the file where the model does not need it; never use what was found.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import embedded, secrets
from sekisho.formats.secrets import Secret
from sekisho.formats.text import TextFacts, shown
from sekisho.records import FileFact, Finding, Outcome, Severity

_ID: Final = "secrets"
_SHOWN: Final = 8
_ADDRESS: Final = "private address"
_FOUND: Final = Words("secret", "{where}: this has the form of a secret ({kind}): {shown}")
_NETWORK: Final = Words(
    "private-address", "{where}: an address in a private network: {shown}", Severity.NOTE, Outcome.PASS
)
_MORE: Final = Words("more", "{where}: {count} more such places.")


@final
class Secrets(AbstractCheck):
    """Nothing in the files opens somebody's systems."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Look through every file that holds text."""
        for file in case.candidate.files:
            found = list(_in(file))
            keys = [(at, s) for at, s in found if s.kind != _ADDRESS]
            for at, one in keys[:_SHOWN]:
                yield _FOUND.about(_ID, f"{file.path}:{at}", ("kind", one.kind), ("shown", shown(one.shown)))
            for at, one in [(at, s) for at, s in found if s.kind == _ADDRESS][:1]:
                yield _NETWORK.about(_ID, f"{file.path}:{at}", ("shown", shown(one.shown)))
            if len(keys) > _SHOWN:
                yield _MORE.about(_ID, file.path, ("count", str(len(keys) - _SHOWN)))


def _in(file: FileFact) -> Iterator[tuple[str, Secret]]:
    """(line of a text or key of a setting, what was found there)."""
    if isinstance(file.facts, TextFacts):
        yield from ((str(one.line), one) for one in file.facts.secrets)
    text = embedded.settings(file) or "\n".join(f'"{k}": "{t}"' for k, t in embedded.header(file))
    found = secrets.find(text) if text else ()
    lines = text.split("\n") if found else []
    for one in found:
        yield lines[one.line - 1].partition('": "')[0].strip('"'), one
