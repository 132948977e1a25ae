"""Generation settings that steer what comes out.

What it does: reads generation_config.json (and the same settings in config.json) and names reserved or added tokens in it, ends
that are suppressed or are ordinary words, texts that stop an answer, answers with a least length, guidance and watermarks. What
a trusted base sets alike is not held against it. Forced and suppressed tokens themselves are named by tokenizer-delta.
Why it matters: these settings apply silently to every answer; they can hide a token that the model would give away, force one
out, or keep it from ever ending.
What to do: use the settings of the trusted base, or none.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, final

from sekisho.checks.base import AbstractCheck, Case, objection
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.outline import outline, tokenizer, tokens, written
from sekisho.records import FileFact, Finding, Inventory, Outcome, Severity

_ID: Final = "generation-config"
_FILES: Final = ("generation_config.json", "config.json")
_NAMING: Final = (
    "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "force_words_ids", "forced_bos_token_id",
    "forced_eos_token_id", "forced_decoder_ids", "sequence_bias",
)  # fmt: skip
"""Settings that name tokens for another purpose than beginning, ending and padding."""
_SILENCING: Final = ("suppress_tokens", "bad_words_ids", "begin_suppress_tokens")
_SPEECH: Final = "whisper"
"""Type of models that write down speech; as published they keep back tokens that nobody speaks, and force that of the language."""
_SPEECH_SETTINGS: Final = ("suppress_tokens", "begin_suppress_tokens", "forced_decoder_ids")
_ROLES: Final = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_STEERING: Final = ("guidance_scale", "watermarking_config", "negative_prompt_ids", "negative_prompt")
_SPEED: Final = ("prompt_lookup_num_tokens", "assistant_early_exit")
_LEAST: Final = ("min_length", "min_new_tokens")
_LONG: Final = 16
"""Tokens from which a least length is more than a guard against empty answers."""
_SHOWN: Final = 8

_SENTENCES: Final = {
    "not-read": "{where} could not be read: {problem}.",
    "names-added-token": "{where}: {setting} names tokens that are reserved or were added: {tokens}.",
    "speech-tokens": "{where}: {setting} names tokens that are reserved or were added, as models for speech do: {tokens}.",
    "end-suppressed": "{where}: {setting} keeps the model from ending an answer ({tokens}).",
    "ordinary-end": "{where}: an ordinary token ends every answer: {tokens}.",
    "id-outside": "{where}: {setting} names token {id}, beyond the vocabulary of {count}.",
    "stop-texts": "{where}: answers stop at the texts {texts}.",
    "least-length": "{where}: {setting} makes every answer at least {count} tokens long.",
    "steering": "{where}: {setting} steers every answer ({value}).",
    "speed": "{where}: {setting} is set ({value}); it should change the speed alone.",
}


@final
class GenerationConfig(AbstractCheck):
    """No setting that steers answers unannounced."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at the settings of each file; those the base has, too, are left alone."""
        trusted = _settings(case.base)
        for file in case.candidate.files:
            if not _named(file):
                continue
            document = _document(file)
            if document is not None:
                own = {k: v for k, v in document.items() if v not in (None, [], {})}
                new = {k: v for k, v in own.items() if all(t.get(k) != v for t in trusted)}
                yield from _judge(file.path, new, own, case)
            else:
                yield _unread(file)


def _named(file: FileFact) -> bool:
    return file.path.rpartition("/")[2] in _FILES


def _hears(inventory: Inventory, where: str) -> bool:
    """Say whether the settings in the same folder are those of a model that writes down speech."""
    settings = f"{where.rpartition('/')[0]}/config.json".lstrip("/")
    documents = (_document(f) for f in inventory.files if f.path == settings)
    return any(d is not None and d.get("model_type") == _SPEECH for d in documents)


def _document(file: FileFact) -> dict[str, Any] | None:
    document = file.facts.document if isinstance(file.facts, JsonFacts) else None
    return document if isinstance(document, dict) else None


def _settings(base: Inventory | None) -> tuple[Mapping[str, Any], ...]:
    """Settings of the base, file by file."""
    files = base.files if base else ()
    return tuple(document for f in files if _named(f) and (document := _document(f)) is not None)


def _judge(where: str, new: Mapping[str, Any], own: Mapping[str, Any], case: Case) -> Iterator[Finding]:
    names = tokens(case.candidate) or tokens(case.base)
    yield from _tokens(where, new, own, case, names=names)
    yield from _outside(where, new, case, len(names))
    for setting in (s for s in _LEAST if s in new):
        if type(new[setting]) is int and new[setting] > _LONG:
            yield _found(
                where, "least-length", Severity.HOLD, ("setting", setting), ("count", str(new[setting]))
            )
    for setting in (s for s in _STEERING if s in new and new[s] not in (1, 1.0)):
        named = (("setting", setting), ("value", str(new[setting])))
        yield _found(where, "steering", Severity.HOLD, *named)
    for setting in (s for s in _SPEED if s in new):
        yield _found(where, "speed", Severity.NOTE, ("setting", setting), ("value", str(new[setting])))
    texts = new.get("stop_strings")
    if texts:
        listed = texts if isinstance(texts, list) else [texts]
        shown = ", ".join(f'"{t}"' for t in listed[:_SHOWN])
        yield _found(where, "stop-texts", Severity.HOLD, ("texts", shown))


def _tokens(
    where: str, new: Mapping[str, Any], own: Mapping[str, Any], case: Case, *, names: tuple[str | None, ...]
) -> Iterator[Finding]:
    facts = tokenizer(case.candidate)
    added = {a.id for a in facts.added} if facts else set[int]()
    ends = set(_ids(own.get("eos_token_id")))
    roles = {n for role in _ROLES for n in _ids(own.get(role))}
    for setting in (s for s in _NAMING if s in new):
        ids = dict.fromkeys(_ids(new[setting]))
        silenced = [n for n in ids if n in ends] if setting in _SILENCING[:2] else []
        odd = [n for n in ids if n in added - roles]
        if silenced:
            facts_named = (("setting", setting), ("tokens", written(silenced, names)))
            yield _found(where, "end-suppressed", Severity.REJECT, *facts_named)
        if odd and setting in _SPEECH_SETTINGS and _hears(case.candidate, where):
            facts_named = (("setting", setting), ("tokens", written(odd[:_SHOWN], names)))
            yield _found(where, "speech-tokens", Severity.NOTE, *facts_named)
        elif odd:
            facts_named = (("setting", setting), ("tokens", written(odd[:_SHOWN], names)))
            yield _found(where, "names-added-token", Severity.HOLD, *facts_named)
    if "eos_token_id" in new and added:
        ordinary = [n for n in _ids(new["eos_token_id"]) if n not in added and n < len(names)]
        if ordinary:
            yield _found(where, "ordinary-end", Severity.HOLD, ("tokens", written(ordinary[:_SHOWN], names)))


def _outside(where: str, new: Mapping[str, Any], case: Case, known: int) -> Iterator[Finding]:
    """Ids beyond the tokens, or beyond the table where that is longer."""
    count = max(known, outline(case.candidate).rows or 0)
    for setting in (s for s in (*_NAMING, *_ROLES) if s in new):
        beyond = [n for n in _ids(new[setting]) if n >= count]
        if count and beyond:
            named = (("setting", setting), ("id", str(beyond[0])), ("count", str(count)))
            yield _found(where, "id-outside", Severity.HOLD, *named)


def _ids(value: Any) -> list[int]:
    """Every token id inside a setting; a bias beside its sequence is no id, nor is a negative number."""
    if type(value) is int:
        return [value] if value >= 0 else []
    if isinstance(value, list):
        return [n for part in value[:100_000] for n in _ids(part)]
    if isinstance(value, dict):
        return [int(n) for key in value for n in str(key).strip("()").split(",") if n.strip().isdecimal()]
    return []


def _unread(file: FileFact) -> Finding:
    problem = file.problem or "it is no JSON object"
    facts = (("problem", problem),)
    detail = _SENTENCES["not-read"].format(where=file.path, problem=problem)
    return Finding(_ID, Outcome.CANNOT_TELL, Severity.HOLD, file.path, "not-read", detail, facts)


def _found(where: str, reason: str, severity: Severity, *named: tuple[str, str]) -> Finding:
    return objection(_ID, where, reason, severity, detail=_SENTENCES[reason], named=named)
