"""What a tokenizer must not have, whatever model it belongs to."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.tokenizer_delta.found import Tokenizer, failed
from sekisho.formats import prose
from sekisho.formats.chat_template import unseen
from sekisho.formats.tokenizer import AddedToken, TokenizerFacts
from sekisho.records import Finding, Severity

_SHOWN: Final = 8
_SENTENCE: Final = 3
_ROLES: Final = frozenset(
    {
        "bos_token",
        "eos_token",
        "cls_token",
        "sep_token",
        "unk_token",
        "mask_token",
        "pad_token",
        "prefix_token",
    }
)
_USUAL: Final = frozenset(
    {
        "<s>", "</s>", "<bos>", "<eos>", "[CLS]", "[SEP]", "<|begin_of_text|>", "<|endoftext|>", "<|startoftext|>",
        "<|begin▁of▁sentence|>", "<｜begin▁of▁sentence｜>", "<BOS_TOKEN>", "<EOS_TOKEN>", "[gMASK]", "<sop>", "[BOS]", "[EOS]",
    }
)  # fmt: skip
_PLAIN_WORD: Final = re.compile(r"[^\W\d_]{3,}(?:\s[^\W\d_]+)*")
_ALIKE: Final = str.maketrans(
    "аеорсхуіјѕԁһкмтвнАВЕКМНОРСТХУІЈЅαονρτικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcxyijsdhkmtbhABEKMHOPCTXYIJSaovptikuABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters that look like Latin ones."""
_FORCED: Final = frozenset({"forced_bos_token_id", "forced_eos_token_id"})


def judge(mine: Tokenizer, trusted: Tokenizer | None) -> Iterator[Finding]:
    """Everything that can be said without a base; a setting that the base has, too, is not held against it."""
    facts = mine.facts
    if facts is not None:
        yield from islice(_tokens(mine, facts), _SHOWN)
        yield from islice(_conflicts(mine, facts), _SHOWN)
        yield from islice(_rules(mine, facts), _SHOWN)
        yield from islice(_contradictions(mine, facts), _SHOWN)
    else:
        named = tuple(AddedToken(number, content) for content, number in mine.listed)
        yield from islice(_tokens(mine, TokenizerFacts("", (), added=named)), _SHOWN)
    theirs = {(k, v) for _, k, v in trusted.forcing} if trusted else set()
    for where, setting, value in mine.forcing:
        if (setting, value) not in theirs:
            severity = Severity.HOLD if setting in _FORCED else Severity.REJECT
            detail = "{where}: {setting} forces or suppresses tokens ({value})."
            yield failed(where, "forced-generation", severity, detail, ("setting", setting), ("value", value))


def _tokens(mine: Tokenizer, facts: TokenizerFacts) -> Iterator[Finding]:
    """Report added tokens that cannot be seen, that look like others, or that are sentences."""
    added = {a.id: a for a in (*mine.decoder, *facts.added)}
    known = {t for t in facts.tokens if t and t.isascii()} | {
        a.content for a in added.values() if a.content.isascii()
    }
    for token in added.values():
        named = (("token", token.content), ("id", str(token.id)))
        where = f"{mine.where}:{token.id}"
        if characters := unseen(token.content):
            detail = (
                "{where}: the added token {token} (id {id}) contains the invisible character {character}."
            )
            yield failed(
                where, "invisible-token", Severity.REJECT, detail, *named, ("character", characters[0])
            )
        elif (plain := _looks_like(token.content)) != token.content and plain in known:
            detail = "{where}: the added token {token} (id {id}) looks like {other} but is another."
            yield failed(where, "look-alike-token", Severity.REJECT, detail, *named, ("other", plain))
        elif len(prose.unfamiliar(token.content)) >= _SENTENCE and " " in token.content.strip():
            detail = "{where}: the added token {token} (id {id}) is a whole sentence."
            yield failed(where, "sentence-token", Severity.REJECT, detail, *named)


def _looks_like(content: str) -> str:
    return unicodedata.normalize("NFKC", content).translate(_ALIKE)


def _conflicts(mine: Tokenizer, facts: TokenizerFacts) -> Iterator[Finding]:
    for kind, token in facts.conflicts:
        detail = "{where}: {token} is defined twice ({kind}); software may take either."
        yield failed(mine.where, "defined-twice", Severity.REJECT, detail, ("token", token), ("kind", kind))


def _rules(mine: Tokenizer, facts: TokenizerFacts) -> Iterator[Finding]:
    """Rules that change words, and tokens put around every text."""
    for section, pattern, content in facts.replacements:
        deletes = not content and _PLAIN_WORD.fullmatch(pattern.strip())
        if deletes or _PLAIN_WORD.search(prose.without_markup(content)):
            detail = "{where}: the {section} replaces {pattern} by {content}."
            named = (("section", section), ("pattern", pattern), ("content", content))
            yield failed(mine.where, "word-replacement", Severity.REJECT, detail, *named)
    expected = _USUAL | {token for role, token in mine.declared if role in _ROLES}
    for token in facts.inserted:
        if token not in expected:
            detail = "{where}: the post-processor puts {token} around every text."
            yield failed(mine.where, "inserted-token", Severity.REJECT, detail, ("token", token))
    for token in facts.expanded:
        detail = "{where}: the post-processor turns {token} into other tokens than that one."
        yield failed(mine.where, "expanded-token", Severity.REJECT, detail, ("token", token))


def _contradictions(mine: Tokenizer, facts: TokenizerFacts) -> Iterator[Finding]:
    """Other files that say something else than tokenizer.json."""
    flags = {a.id: a for a in facts.added}
    for token in mine.decoder:
        own = facts.tokens[token.id] if token.id < len(facts.tokens) else None
        if own != token.content:
            yield _contradiction(mine, "tokenizer_config.json", token.content, token.id, own)
        elif token.id in flags and _compared_flags(token) != _compared_flags(flags[token.id]):
            detail = (
                "{where}: tokenizer_config.json gives {token} (id {id}) other flags than tokenizer.json does."
            )
            named = (("token", token.content), ("id", str(token.id)))
            yield failed(mine.where, "flags-contradict", Severity.HOLD, detail, *named)
    for file, listed in (("added_tokens.json", mine.listed), ("vocab.json", mine.older)):
        for content, number in listed:
            own = facts.tokens[number] if 0 <= number < len(facts.tokens) else None
            if own != content:
                yield _contradiction(mine, file, content, number, own)
    vocabulary = set(facts.tokens)
    for role, name in dict.fromkeys(mine.declared):
        if name not in vocabulary:
            detail = "{where}: the special token {token} ({role}) is not in the vocabulary."
            yield failed(
                mine.where,
                "special-not-in-vocabulary",
                Severity.HOLD,
                detail,
                ("token", name),
                ("role", role),
            )


def _compared_flags(token: AddedToken) -> set[str]:
    return set(token.flags) & {"special", "lstrip", "rstrip", "single_word"}


def _contradiction(mine: Tokenizer, file: str, content: str, number: int, own: str | None) -> Finding:
    detail = "{where}: {file} says id {id} is {token}, tokenizer.json says {own}."
    named = (
        ("file", file),
        ("id", str(number)),
        ("token", content),
        ("own", "nothing" if own is None else own),
    )
    return failed(mine.where, "files-contradict", Severity.REJECT, detail, *named)
