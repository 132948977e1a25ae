"""What the tokenizer did with texts: there and back, with and without the tokens around them, beside the base's."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from sekisho.checks.tokenizer_delta.found import Tokenizer, cannot_tell, failed
from sekisho.formats.tokenising import Encoded, Tokenising
from sekisho.records import Finding, Severity

_SHOWN: Final = 4
_ROLES: Final = ("bos_token", "eos_token", "cls_token", "sep_token", "prefix_token")
_WORD: Final = re.compile(r"[^\W_]+")
_UNKNOWN: Final = frozenset({"<unk>", "[UNK]", "\ufffd"})
_LEADING: Final = ("▁", "Ġ", "##")


def judge(mine: Tokenizer, tokenised: Tokenising | None) -> Iterator[Finding]:
    """Everything that using it shows; nothing where it was not used."""
    if tokenised is None:
        return
    where = tokenised.where
    unknown = {token for role, token in mine.declared if role == "unk_token"} | _UNKNOWN
    problem = tokenised.problem
    if not problem and all(_lacks_parts(entry, unknown) for entry in tokenised.encoded):
        problem = "every text holds unknown parts when it comes back"
    if problem:
        detail = f"{where}: the tokenizer could not be tried: {problem}."
        yield cannot_tell(where, "not-tried", detail, (("problem", problem),))
    if tokenised.untried:
        count = f"{tokenised.untried:,}"
        detail = f"{where}: {count} texts with what the tokenizer's own rules and added tokens look for were too many to be tried."
        yield cannot_tell(where, "probes-cut", detail, (("count", count),))
    yield from islice(_round_trips(where, unknown, tokenised), _SHOWN)
    yield from islice(_inserted(where, mine, tokenised), _SHOWN)
    yield from islice(_astray(where, tokenised), _SHOWN)
    yield from islice(_beside(where, tokenised), _SHOWN)


def _round_trips(where: str, unknown: set[str], tokenised: Tokenising) -> Iterator[Finding]:
    for entry in tokenised.encoded:
        if entry.error:
            detail = "{where}: {text} cannot be encoded: {problem}."
            named = (("text", entry.text), ("problem", entry.error))
            yield failed(where, "not-encoded", Severity.HOLD, detail, *named)
            continue
        if _lacks_parts(entry, unknown):
            continue
        gone, come = _changed(entry.text, entry.decoded)
        if gone or come:
            detail = "{where}: {text}, encoded and decoded, is {decoded}."
            named = (("text", entry.text), ("decoded", entry.decoded))
            yield failed(where, "round-trip", Severity.REJECT, detail, *named)


def _lacks_parts(entry: Encoded, unknown: set[str]) -> bool:
    """Say whether the text came back with a mark for what the vocabulary lacks, which the text did not hold itself."""
    return any(mark in entry.decoded and mark not in entry.text for mark in unknown)


def _changed(text: str, decoded: str) -> tuple[Counter[str], Counter[str]]:
    """Words lost and words gained; case, accents and spacing do not count."""
    before, after = _canonical(text), _canonical(decoded)
    if before == after or before.replace(" ", "") == after.replace(" ", ""):
        return Counter(), Counter()
    words, back = Counter(_ascii_words(before)), Counter(_ascii_words(after))
    joined = after.replace(" ", "")
    gone = Counter({w: n for w, n in (words - back).items() if w not in joined})
    come = Counter({w: n for w, n in (back - words).items() if w not in before.replace(" ", "")})
    return gone, come


def _canonical(text: str) -> str:
    for mark in _LEADING:
        text = text.replace(mark, " ")
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _ascii_words(text: str) -> list[str]:
    return [w for w in _WORD.findall(text) if w.isascii() and len(w) > 1]


def _inserted(where: str, mine: Tokenizer, tokenised: Tokenising) -> Iterator[Finding]:
    """Tokens put around every text that are none of those that begin and end one."""
    expected = {token for role, token in mine.declared if role in _ROLES}
    special = {a.id for a in (mine.facts.added if mine.facts else ()) if "special" in a.flags}
    seen: set[int] = set()
    for entry in tokenised.encoded:
        left = Counter(entry.whole) - Counter(entry.ids)
        names = dict(zip(entry.whole, entry.tokens, strict=False))
        for number in left:
            token = names.get(number, "")
            ordinary = number not in special and token not in expected
            if ordinary and number not in seen:
                seen.add(number)
                detail = "{where}: around every text stands {token} (id {id}), which is no special token."
                named = (("token", token), ("id", str(number)))
                yield failed(where, "ordinary-inserted", Severity.REJECT, detail, *named)
        if any(times > 1 for times in left.values()):
            number = next(n for n, times in left.items() if times > 1)
            if number not in seen and number not in {entry.whole[0], entry.whole[-1]}:
                seen.add(number)
                detail = "{where}: around every text stands {token} (id {id}) more than once."
                named = (("token", names.get(number, "")), ("id", str(number)))
                yield failed(where, "inserted-often", Severity.HOLD, detail, *named)


def _astray(where: str, tokenised: Tokenising) -> Iterator[Finding]:
    for number, content, ids in tokenised.astray:
        detail = "{where}: the text of the added token {token} (id {id}) becomes {ids}."
        named = (("token", content), ("id", str(number)), ("ids", ", ".join(map(str, ids)) or "nothing"))
        yield failed(where, "added-token-astray", Severity.HOLD, detail, *named)


def _beside(where: str, tokenised: Tokenising) -> Iterator[Finding]:
    for entry in tokenised.encoded:
        if entry.base_whole is None:
            continue
        if entry.whole != entry.base_whole:
            own, theirs = _apart(entry)
            detail = "{where}: {text} becomes other ids than with the base's tokenizer ({own} in place of {other})."
            named = (("text", entry.text), ("own", own), ("other", theirs))
            yield failed(where, "encodes-otherwise", Severity.REJECT, detail, *named)
        elif entry.base_through != entry.base_decoded:
            detail = "{where}: the base's ids of {text} are decoded to {decoded}."
            named_here = (("text", entry.text), ("decoded", entry.base_through))
            yield failed(where, "decodes-otherwise", Severity.REJECT, detail, *named_here)


def _apart(entry: Encoded) -> tuple[str, str]:
    """The first ids that differ."""
    theirs = entry.base_whole or ()
    at = next((n for n, (a, b) in enumerate(zip(entry.whole, theirs, strict=False)) if a != b), None)
    if at is None:
        at = min(len(entry.whole), len(theirs))
    return (_some(entry.whole[at : at + 3]), _some(theirs[at : at + 3]))


def _some(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids)) or "nothing"
