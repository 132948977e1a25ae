"""Several vocabularies of one model against one another and against the base's, and ids in configurations against texts."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.tokenizer_delta import compared
from sekisho.checks.tokenizer_delta.found import Tokenizer, failed
from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.records import Finding, Severity

_SHOWN: Final = 4
_FEW: Final = 64
"""Pieces that say something else, up to which someone changed them; a whole other vocabulary differs in more."""
_SWAPS: Final = 16
_OFFSETS: Final = range(-8, 9)
"""Some converters put a few tokens before the vocabulary."""
_SAMPLE: Final = 2_000
_ENDS: Final = ("bos", "eos", "pad", "unk", "sep", "cls", "mask", "decoder_start", "forced_bos", "forced_eos")


def judge(mine: Tokenizer, trusted: Tokenizer | None) -> Iterator[Finding]:
    """Everything that another file about the tokens gives away."""
    every = [(mine.where, mine.facts), *mine.others] if mine.facts is not None else []
    for where, facts in every:
        if facts is not None:
            yield from _scores(where, facts)
    for where, facts in mine.others:
        if mine.facts is not None:
            yield from _beside(where, facts, mine)
        theirs = [f for _, f in trusted.others if f.model == facts.model] if trusted else []
        if theirs:
            yield from compared.between(where, facts, theirs[0])
    yield from islice(_numbers(mine), _SHOWN)


def _scores(where: str, facts: TokenizerFacts) -> Iterator[Finding]:
    if facts.scores_unreal:
        detail = "{where}: {count} pieces have a score that is no number."
        yield failed(where, "unreal-scores", Severity.REJECT, detail, ("count", str(facts.scores_unreal)))
    if 0 < facts.score_falls <= _SWAPS:
        detail = "{where}: {count} pieces have a better score than the piece before; training sorts them."
        yield failed(where, "scores-out-of-order", Severity.HOLD, detail, ("count", str(facts.score_falls)))
    if facts.own_normaliser:
        detail = "{where}: text is changed by rules of the model's own ({name}) before it becomes tokens."
        yield failed(where, "own-normaliser", Severity.HOLD, detail, ("name", facts.own_normaliser))


def _beside(where: str, other: TokenizerFacts, mine: Tokenizer) -> Iterator[Finding]:
    """The same ids in tokenizer.json; what is special there may have another name."""
    own = mine.facts.tokens if mine.facts else ()
    special = {a.id for a in other.added}
    plain = [(n, t) for n, t in enumerate(other.tokens) if t is not None and n not in special]
    by = _offset(plain, own)
    apart = [(n, t, _at(own, n + by)) for n, t in plain if _at(own, n + by) not in (t, None)]
    if not apart:
        return
    named = (("count", str(len(apart))), ("other", mine.where))
    if len(apart) > _FEW:
        detail = "{where}: {count} tokens are others than those of {other}; software may take either file."
        yield failed(where, "vocabularies-differ", Severity.HOLD, detail, *named)
        return
    for number, token, there in apart[:_SHOWN]:
        detail = "{where}: id {id} is {token}, in {other} it is {own} ({count} such)."
        facts = (("id", str(number)), ("token", token), ("own", there or "nothing"), *named)
        yield failed(where, "vocabularies-contradict", Severity.REJECT, detail, *facts)


def _offset(plain: list[tuple[int, str]], own: tuple[str | None, ...]) -> int:
    """How far the ids of the other file are shifted, by most of a sample."""
    ids = {token: n for n, token in enumerate(own) if token is not None}
    sample = plain[:: max(1, len(plain) // _SAMPLE)]
    shifts = Counter(ids[t] - n for n, t in sample if t in ids)
    best = shifts.most_common(1)[0][0] if shifts else 0
    return best if best in _OFFSETS else 0


def _at(tokens: tuple[str | None, ...], number: int) -> str | None:
    return tokens[number] if 0 <= number < len(tokens) else None


def _numbers(mine: Tokenizer) -> Iterator[Finding]:
    """Ids in the configuration of tokens whose text another file gives."""
    texts = dict(mine.texts)
    tokens = mine.facts.tokens if mine.facts else ()
    for where, setting, number in mine.numbers:
        role = setting.removesuffix("_id").removesuffix("_index")
        text, named = texts.get(role), _at(tokens, number)
        if role.removesuffix("_token") in _ENDS or text is None or named is None or text == named:
            continue
        detail = "{where}: {setting} is {id}, which is {own}; other files say {token}."
        facts = (("setting", setting), ("id", str(number)), ("own", named), ("token", text))
        yield failed(where, "id-contradicts", Severity.HOLD, detail, *facts)
