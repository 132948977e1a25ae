"""A tokenizer that turns text into other tokens than its base would.

What it does: looks for added tokens that a reader cannot see or mistakes for others, tokens that are whole sentences, files that
contradict one another, added tokens that are ordinary words, rules that replace words or make tokens of them, processors that
insert tokens, merges out of order, tables with more or fewer rows than there are tokens, and generation settings that force or
suppress tokens. A confined process then encodes and decodes made-up texts: what comes back must be what went in, and nothing
but special tokens may stand around it. With a trusted base it also compares every token id, flag, merge and pipeline stage.

Why it matters: a token more, or one that means another, changes what the model is told while text and weights look the same. An
added token with a trained embedding row is a complete backdoor.

What to do: use the tokenizer files of the trusted base, or ask the publisher what the tokens named are for.

What an attacker can still do without a base to compare with: swap two ordinary tokens, or use an ordinary one as the trigger.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.checks.tokenizer_delta import alone, behaviour, compared, oddities, vocabularies
from sekisho.checks.tokenizer_delta.found import Tokenizer, cannot_tell, tokenizer
from sekisho.formats.outline import outline
from sekisho.records import FileFact, Finding, Inventory, Outcome, Role, Severity

_NONE: Final = Words(
    "none-here",
    "There is no file of a tokenizer here; whichever comes from elsewhere has to be inspected there.",
    Severity.NOTE,
    Outcome.PASS,
)
_SETTINGS: Final = Words(
    "settings-alone",
    "{where}: settings of a tokenizer without its tokens, and no weights; the tokenizer has to be inspected where it lies.",
    Severity.NOTE,
    Outcome.PASS,
)
_ONLY_NAMES: Final = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


@final
class TokenizerDelta(AbstractCheck):
    """No token and no rule that the base does not have."""

    id = "tokenizer-delta"

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge the tokenizer by itself, then against the base's."""
        mine = tokenizer(case.candidate)
        trusted = tokenizer(case.base) if case.base else None
        yield from mine.problems
        yield from _unread(case.candidate, mine)
        yield from alone.judge(mine, trusted)
        sizes = outline(case.candidate), outline(case.base) if case.base else None
        yield from oddities.judge(mine, trusted, sizes)
        yield from behaviour.judge(mine, case.tokenised)
        yield from vocabularies.judge(mine, trusted)
        if trusted is None:
            detail = "No trusted base was given to compare with."
            yield Finding(self.id, Outcome.NOT_RUN, Severity.NOTE, "", "no-base", detail)
        else:
            yield from compared.judge(mine, trusted)


def _unread(inventory: Inventory, mine: Tokenizer) -> Iterator[Finding]:
    for file in inventory.files:
        if file.problem and (file.role is Role.TOKENIZER or file.format == "tokenizer"):
            facts = (("problem", file.problem),)
            yield cannot_tell(file.path, "not-read", f"{file.path} could not be read: {file.problem}.", facts)
    parts = [f for f in inventory.files if _of_a_tokenizer(f)]
    if mine.facts is None and parts and _settings_alone(inventory, parts):
        yield _SETTINGS.about(TokenizerDelta.id, parts[0].path)
    elif mine.facts is None and parts:
        detail = "There is no tokenizer.json, no SentencePiece model, no tekken.json and no vocabulary in a GGUF file, so nothing can be said about the tokens."
        yield cannot_tell("", "no-tokenizer", detail, ())
    elif mine.facts is None:
        yield _NONE.about(TokenizerDelta.id, "")


def _settings_alone(inventory: Inventory, parts: list[FileFact]) -> bool:
    """Say whether nothing here could be run: settings that were read, and not one file of weights."""
    named = all(f.path.rpartition("/")[2] in _ONLY_NAMES and not f.problem for f in parts)
    return named and not any(f.role in (Role.WEIGHTS, Role.ADAPTER) for f in inventory.files)


def _of_a_tokenizer(file: FileFact) -> bool:
    """A part of a tokenizer, though not one that says what the tokens are; settings name tokens, too."""
    name = file.path.rpartition("/")[2].lower()
    return file.role is Role.TOKENIZER or name.endswith((".model", ".spm", ".tiktoken", ".vocab"))
