"""Oddities of a tokenizer that training does not leave behind: rules that make or drop tokens, merges, plain words, sizes."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.tokenizer_delta.found import Tokenizer, failed, noted
from sekisho.formats.outline import Outline
from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.records import Finding, Severity

_SHOWN: Final = 8
_WORD: Final = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]+)?|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
_CLASS: Final = re.compile(r"\\[pP]\{[^}]*\}|\\.|\[\^?[^\]]*\]|\(\?[^)]*\)")
"""Parts of a pattern that name kinds of characters rather than words."""
_RUN: Final = re.compile(r"[^\W\d_]{3,}")
_LONG: Final = 3
_ENDS: Final = frozenset({"bos_token", "eos_token", "cls_token", "sep_token"})
_FEW_FALLS: Final = 0.001
_SWAPS: Final = 16
"""Falls that a few exchanged ids or merges leave; of 16 published tokenizers 15 have none and one 465."""


def judge(
    mine: Tokenizer, trusted: Tokenizer | None, sizes: tuple[Outline, Outline | None]
) -> Iterator[Finding]:
    """Everything of the kind; what the base has, too, is not held against it."""
    facts = mine.facts
    if facts is None:
        return
    base = trusted.facts if trusted else None
    yield from islice(_plain_words(mine, facts, base), _SHOWN)
    yield from islice(_rules(mine, facts, base), _SHOWN)
    yield from _merges(mine, facts, base)
    yield from _roles(mine)
    yield from _role_flags(mine, facts, base)
    yield from _sizes(mine, facts, sizes)


def _plain_words(mine: Tokenizer, facts: TokenizerFacts, base: TokenizerFacts | None) -> Iterator[Finding]:
    """Added tokens that turn up in ordinary text by themselves."""
    known = {a.content for a in base.added} if base else set()
    for token in facts.added:
        text = token.content.strip()
        if token.content not in known and len(text) <= 64 and _WORD.fullmatch(text):  # noqa: PLR2004 - longer is a sentence
            detail = "{where}: the added token {token} (id {id}) is an ordinary word; every text with it contains the token."
            named = (("token", token.content), ("id", str(token.id)))
            yield failed(f"{mine.where}:{token.id}", "ordinary-word-token", Severity.HOLD, detail, *named)


def _rules(mine: Tokenizer, facts: TokenizerFacts, base: TokenizerFacts | None) -> Iterator[Finding]:
    """Rules that make an added token out of other text, or drop words by a pattern."""
    added = {a.content for a in facts.added if len(a.content.strip()) >= _LONG}
    known = set(base.replacements) if base else set()
    for rule in facts.replacements:
        section, pattern, content = rule
        if rule in known or section == "decoder":
            continue
        named = (("section", section), ("pattern", pattern))
        if made := next((t for t in added if t in content), ""):
            detail = "{where}: the {section} makes the token {token} out of {pattern}."
            yield failed(mine.where, "rule-makes-token", Severity.REJECT, detail, *named, ("token", made))
        elif not content and "|" in pattern and _RUN.search(_CLASS.sub(" ", pattern)):
            detail = "{where}: the {section} drops text that matches {pattern}."
            yield failed(mine.where, "rule-drops-words", Severity.HOLD, detail, *named)


def _merges(mine: Tokenizer, facts: TokenizerFacts, base: TokenizerFacts | None) -> Iterator[Finding]:
    if base is not None and base.merges_digest == facts.merges_digest:
        return
    if facts.merges_unknown:
        detail = "{where}: merges make what is no token: {tokens}."
        tokens = ", ".join(facts.merges_unknown)
        yield failed(mine.where, "merge-of-no-token", Severity.HOLD, detail, ("tokens", tokens))
    if 0 < facts.merge_falls <= max(4, _FEW_FALLS * facts.merges):
        detail = "{where}: {count} of {merges} merges are out of the order that training gives them."
        named = (("count", str(facts.merge_falls)), ("merges", str(facts.merges)))
        few = facts.merge_falls <= _SWAPS
        yield (
            failed(mine.where, "merges-out-of-order", Severity.HOLD, detail, *named)
            if few
            else noted(mine.where, "merges-out-of-order", detail, *named)
        )


def _roles(mine: Tokenizer) -> Iterator[Finding]:
    """One role, two tokens: tokenizer_config.json against special_tokens_map.json."""
    roles = Counter(role for role, _ in set(mine.declared) if role != "additional")
    for role in (r for r, times in roles.items() if times > 1):
        tokens = ", ".join(sorted({t for r, t in mine.declared if r == role}))
        detail = "{where}: files disagree on {role}: {tokens}."
        yield failed(
            mine.where, "roles-contradict", Severity.HOLD, detail, ("role", role), ("tokens", tokens)
        )


def _role_flags(mine: Tokenizer, facts: TokenizerFacts, base: TokenizerFacts | None) -> Iterator[Finding]:
    """Tokens that begin and end texts are special and take nothing from the text beside them."""
    roles = {token: role for role, token in mine.declared if role in _ENDS}
    known = {(a.content, a.flags) for a in base.added} if base else set()
    for added in facts.added:
        flags, role = set(added.flags), roles.get(added.content)
        odd = "special" not in flags or flags & {"lstrip", "single_word"}
        if role and odd and (added.content, added.flags) not in known:
            detail = (
                "{where}: {token} ({role}) has the flags {flags}, unlike any token that begins or ends texts."
            )
            named = (("token", added.content), ("role", role), ("flags", ", ".join(added.flags) or "none"))
            yield failed(f"{mine.where}:{added.id}", "role-flags", Severity.HOLD, detail, *named)


def _sizes(
    mine: Tokenizer, facts: TokenizerFacts, sizes: tuple[Outline, Outline | None]
) -> Iterator[Finding]:
    """Tokens against rows of the table, and against what config.json says; a base of the same sizes excuses it."""
    own, base = sizes
    tokens, rows = len(facts.tokens), own.rows
    same = base is not None and (base.rows, base.vocabulary) == (own.rows, own.vocabulary)
    if rows is None or same or not tokens:
        return
    named = (("tokens", str(tokens)), ("rows", str(rows)))
    if tokens > rows:
        detail = "{where}: {tokens} tokens, but the table has {rows} rows."
        yield noted(mine.where, "tokens-without-rows", detail, *named)
    elif rows > tokens:
        detail = "{where}: the table has {rows} rows for {tokens} tokens; rows beyond them have no text of their own."
        yield noted(mine.where, "rows-without-tokens", detail, *named)
    if own.vocabulary is not None and own.vocabulary != rows:
        detail = "config.json says there are {vocabulary} tokens, the table has {rows} rows."
        facts_named = (("vocabulary", str(own.vocabulary)), ("rows", str(rows)))
        yield failed("config.json", "vocabulary-size", Severity.HOLD, detail, *facts_named)
