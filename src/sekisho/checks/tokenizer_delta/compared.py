"""The tokenizer against the one of the trusted base."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from sekisho.checks.tokenizer_delta.found import Tokenizer, cannot_tell, failed
from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.records import Finding, Severity

_SHOWN: Final = 8
_QUIET_SECTIONS: Final = frozenset({"padding"})
_QUIET_ROLES: Final = frozenset({"pad_token"})
"""What a finetune sets for its own convenience."""


def judge(mine: Tokenizer, trusted: Tokenizer) -> Iterator[Finding]:
    """Ids, flags, merges, pipeline stages and special tokens."""
    if mine.facts is None:
        return
    if trusted.facts is None:
        yield cannot_tell("", "base-without-tokenizer", "The base has no tokenizer that could be read.", ())
        return
    yield from _ids(mine.where, mine.facts, trusted.facts)
    yield from _decoder(mine, trusted.facts)
    if _kind(mine.facts) == _kind(trusted.facts):
        yield from _pipeline(mine.where, mine.facts, trusted.facts)
        yield from _flags(mine.where, mine.facts, trusted.facts)
    yield from _special(mine, trusted)


def between(where: str, mine: TokenizerFacts, trusted: TokenizerFacts) -> Iterator[Finding]:
    """One of several vocabularies against the base's of the same kind."""
    yield from _ids(where, mine, trusted)
    yield from _pipeline(where, mine, trusted)


def _ids(where: str, mine: TokenizerFacts, trusted: TokenizerFacts) -> Iterator[Finding]:
    found: dict[str, list[tuple[int, str, str]]] = {"added": [], "removed": [], "remapped": []}
    for number, (own, theirs) in enumerate(zip_longest(mine.tokens, trusted.tokens)):
        if own != theirs:
            kind = "added" if theirs is None else "removed" if own is None else "remapped"
            found[kind].append((number, own or "", theirs or ""))
    details = {
        "added": "{where}: token {token} (id {id}) is not in the base ({count} such).",
        "removed": "{where}: token {other} (id {id}) of the base is missing ({count} such).",
        "remapped": "{where}: id {id} is {token}, in the base it is {other} ({count} such).",
    }
    for kind, rows in found.items():
        severity = Severity.REJECT if kind == "remapped" else Severity.HOLD
        for number, own, theirs in rows[:_SHOWN]:
            named = (("token", own), ("other", theirs), ("id", str(number)), ("count", str(len(rows))))
            yield failed(f"{where}:{number}", f"token-{kind}", severity, details[kind], *named)


def _kind(facts: TokenizerFacts) -> str:
    """Where a vocabulary was read; files of other kinds write the same rules otherwise."""
    name = facts.model.partition(":")[0]
    return name if name in {"gguf", "sentencepiece", "tekken"} else ""


def _decoder(mine: Tokenizer, trusted: TokenizerFacts) -> Iterator[Finding]:
    """Tokens that only tokenizer_config.json adds."""
    own = set(mine.facts.tokens) if mine.facts else set()
    extra = [a for a in mine.decoder if a.content not in own and a.content not in set(trusted.tokens)]
    for token in extra[:_SHOWN]:
        detail = "{where}: token {token} (id {id}) is not in the base ({count} such)."
        named = (("token", token.content), ("other", ""), ("id", str(token.id)), ("count", str(len(extra))))
        yield failed("tokenizer_config.json", "token-added", Severity.HOLD, detail, *named)


def _flags(where: str, mine: TokenizerFacts, trusted: TokenizerFacts) -> Iterator[Finding]:
    theirs = {(a.id, a.content): a.flags for a in trusted.added}
    tokens = [a for a in mine.added if theirs.get((a.id, a.content), a.flags) != a.flags]
    for token in tokens[:_SHOWN]:
        detail = "{where}: token {token} (id {id}) has the flags {flags}, in the base {other}."
        flags = ", ".join(token.flags) or "none"
        other = ", ".join(theirs[token.id, token.content]) or "none"
        named = (("token", token.content), ("id", str(token.id)), ("flags", flags), ("other", other))
        yield failed(f"{where}:{token.id}", "flags-changed", Severity.HOLD, detail, *named)


def _pipeline(where: str, mine: TokenizerFacts, trusted: TokenizerFacts) -> Iterator[Finding]:
    if mine.merges_digest != trusted.merges_digest and mine.merges_sum == trusted.merges_sum:
        detail = "{where}: the {mine} merge rules stand in another order than the base's."
        yield failed(where, "merges-reordered", Severity.REJECT, detail, ("mine", str(mine.merges)))
    elif mine.merges_digest != trusted.merges_digest:
        detail = "{where}: the merge rules are not the base's ({mine} against {other} rules)."
        named = (("mine", str(mine.merges)), ("other", str(trusted.merges)))
        yield failed(where, "merges-changed", Severity.REJECT, detail, *named)
    theirs = {s.name: s.digest for s in trusted.sections}
    for section in mine.sections:
        if section.name not in _QUIET_SECTIONS and theirs.get(section.name, section.digest) != section.digest:
            detail = "{where}: the stage {section} is not the base's."
            yield failed(where, "pipeline-changed", Severity.HOLD, detail, ("section", section.name))


def _special(mine: Tokenizer, trusted: Tokenizer) -> Iterator[Finding]:
    own, theirs = dict(mine.declared), dict(trusted.declared)
    for role, token in own.items():
        if role in theirs and role not in _QUIET_ROLES | {"additional"} and theirs[role] != token:
            detail = "{where}: {role} is {token}, in the base it is {other}."
            named = (("role", role), ("token", token), ("other", theirs[role]))
            yield failed(mine.where, "special-changed", Severity.HOLD, detail, *named)
