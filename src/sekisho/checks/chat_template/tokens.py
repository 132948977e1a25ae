"""Added tokens that a template writes by itself, and options that only its author knows."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.chat_template.found import Located, finding
from sekisho.formats.chat_template import Template
from sekisho.formats.rules import TEMPLATE
from sekisho.formats.tokenizer import AddedToken
from sekisho.records import Finding, Severity

_SHOWN: Final = 8
_SHORTEST: Final = 3
_WORDS: Final = re.compile(r"[^\W\d_]+")
_KNOWN: Final = TEMPLATE["tag_words"] | TEMPLATE["familiar"] | {"of", "turn", "message", "header"}


def judge(
    located: Located, added: tuple[AddedToken, ...], trusted: tuple[Template, ...] | None
) -> Iterator[Finding]:
    """Name the tokens that are reserved, new or come with an option, and the options themselves."""
    where, template = located
    base = {text for t in trusted or () for text in _texts(t)}
    yield from islice(_tokens(where, template, added, base if trusted else None), _SHOWN)
    unknown = [o for o in template.options if o not in TEMPLATE["options"]]
    known = {o for t in trusted or () for o in t.options}
    if new := [o for o in unknown if o not in known]:
        detail = "{where}: the template has options of its own: {options}."
        named = ("options", ", ".join(new[:_SHOWN]))
        yield finding(where, "own-options", Severity.NOTE, detail, named)


def _tokens(
    where: str, template: Template, added: tuple[AddedToken, ...], base: set[str] | None
) -> Iterator[Finding]:
    mine, theirs = "\0".join(_texts(template)), "\0".join(base or ())
    for token in dict.fromkeys(a.content for a in added):
        if len(token.strip()) < _SHORTEST or token not in mine or token in theirs:
            continue
        named = ("token", token)
        option = _option(template, token)
        if any(part in token.lower() for part in TEMPLATE["reserved"]):
            detail = "{where}: the template writes {token}, a token that is reserved and has no use in conversations."
            yield finding(where, "writes-reserved-token", Severity.HOLD, detail, named)
        elif option and not _familiar(token):
            detail = "{where}: with the option {option}, the template writes the token {token}."
            yield finding(where, "option-writes-token", Severity.HOLD, detail, named, ("option", option))
        elif base is not None:
            detail = "{where}: the template writes the token {token}, the base's does not."
            yield finding(where, "writes-new-token", Severity.HOLD, detail, named)
        elif not _familiar(token):
            detail = "{where}: the template writes the token {token}."
            yield finding(where, "writes-token", Severity.NOTE, detail, named)


def _texts(template: Template) -> dict[str, None]:
    return dict.fromkeys((*(w.text for w in template.writings), *template.texts))


def _familiar(token: str) -> bool:
    """Say whether a token is made of words that prompt formats are made of."""
    words = _WORDS.findall(token.replace("_", " ").lower())
    return all(w in _KNOWN for w in words)


def _option(template: Template, token: str) -> str:
    """Return an option without which the template never writes the token, if there is one."""
    guards = [set(w.guards) for w in template.writings if token in w.text]
    shared = set[str].intersection(*guards) if guards else set()
    options = sorted(g.removeprefix("no-").removeprefix("option:") for g in shared if "option:" in g)
    return options[0] if options else ""
