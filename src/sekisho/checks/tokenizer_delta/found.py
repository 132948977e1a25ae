"""Everything that defines a model's tokens, from whichever files it has."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, final

from sekisho.errors import MalformedError
from sekisho.formats import tokenizer as reader
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.text import shown
from sekisho.formats.tokenizer import AddedToken, TokenizerFacts
from sekisho.records import Facts, Finding, Inventory, Outcome, Severity

_ID: Final = "tokenizer-delta"
_CONFIG: Final = "tokenizer_config.json"
_MAP: Final = "special_tokens_map.json"
_ADDED: Final = "added_tokens.json"
_OLDER: Final = "vocab.json"
_SPEECH: Final = ("whisper",)
"""Types of models that write down speech; as published they suppress tokens that nobody speaks."""
_SILENT: Final = ("suppress_tokens", "begin_suppress_tokens")
_GENERATION: Final = "generation_config.json"
_MODEL: Final = "config.json"
_PROCESSOR: Final = "processor_config.json"


@final
@dataclass(frozen=True)
class Tokenizer:
    """The files' facts side by side."""

    where: str = ""
    facts: TokenizerFacts | None = None
    decoder: tuple[AddedToken, ...] = ()
    """added_tokens_decoder of tokenizer_config.json."""
    listed: tuple[tuple[str, int], ...] = ()
    """added_tokens.json: (content, id)."""
    older: tuple[tuple[str, int], ...] = ()
    """vocab.json: (content, id)."""
    declared: Facts = ()
    """(role, token) from tokenizer_config.json, then special_tokens_map.json."""
    forcing: tuple[tuple[str, str, str], ...] = ()
    """(file, setting, value) of generation_config.json."""
    others: tuple[tuple[str, TokenizerFacts], ...] = ()
    """(file, facts) of the vocabularies beside the first: a SentencePiece model, a tekken.json."""
    texts: Facts = ()
    """(role, token) of what processor_config.json and tokenizer_config.json say of images, sounds and films."""
    numbers: tuple[tuple[str, str, int], ...] = ()
    """(file, setting, id) of the token ids in config.json and generation_config.json."""
    problems: tuple[Finding, ...] = ()


def tokenizer(inventory: Inventory) -> Tokenizer:
    """Collect what defines the tokens of a model; nearest to the model's root first."""
    ordered = sorted(inventory.files, key=lambda f: (f.path.count("/"), f.path))
    whole = [(f.path, f.facts) for f in ordered if isinstance(f.facts, TokenizerFacts)]
    whole.sort(key=lambda pair: (pair[0].count("/"), not pair[0].endswith("tokenizer.json")))
    described = ((f.path, reader.from_gguf(f.facts)) for f in ordered if isinstance(f.facts, GgufFacts))
    whole += [(path, facts) for path, facts in described if facts is not None]
    documents = {
        f.path.rpartition("/")[2]: (f.path, f.facts.document)
        for f in reversed(ordered)
        if isinstance(f.facts, JsonFacts)
    }
    problems: list[Finding] = []
    path, config = documents.get(_CONFIG, ("", None))
    try:
        decoder = reader.settings(config)
    except MalformedError as error:
        decoder = ()
        problems.append(
            cannot_tell(path, "not-read", f"{path} could not be read: {error}.", (("problem", str(error)),))
        )
    declared = reader.declared(config) + reader.declared(documents.get(_MAP, ("", None))[1])
    place, generation = documents.get(_GENERATION, ("", None))
    settings = documents.get("config.json", ("", None))[1]
    speech = isinstance(settings, dict) and settings.get("model_type") in _SPEECH
    where, facts = whole[0] if whole else ("", None)
    return Tokenizer(
        where=where,
        facts=facts,
        decoder=decoder,
        listed=tuple(_listed(documents.get(_ADDED, ("", None))[1])),
        older=tuple(_listed(documents.get(_OLDER, ("", None))[1])),
        declared=declared,
        others=tuple((p, f) for p, f in whole[1:] if f.model.startswith(("sentencepiece:", "tekken"))),
        texts=tuple(dict.fromkeys((*_media(config), *_media(documents.get(_PROCESSOR, ("", None))[1])))),
        numbers=tuple(_numbers(documents)),
        forcing=tuple(
            (place, k, v) for k, v in reader.generation(generation) if not (speech and k in _SILENT)
        ),
        problems=tuple(problems),
    )


def _media(document: Any) -> Iterator[tuple[str, str]]:
    """Tokens that stand for images, sounds and films; some are nested one level down."""
    if isinstance(document, dict):
        for key, value in document.items():
            text = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(text, str) and text:
                yield key, text


def _numbers(documents: dict[str, tuple[str, Any]]) -> Iterator[tuple[str, str, int]]:
    for name in (_MODEL, _GENERATION):
        path, document = documents.get(name, ("", None))
        tables = [document, document.get("text_config")] if isinstance(document, dict) else []
        for table in tables:
            for key, value in table.items() if isinstance(table, dict) else ():
                if key.endswith(("_token_id", "_token_index")) and type(value) is int and value >= 0:
                    yield path, key, value


def _listed(document: Any) -> Iterator[tuple[str, int]]:
    if isinstance(document, dict):
        yield from ((k, v) for k, v in document.items() if type(v) is int)


def failed(where: str, reason: str, severity: Severity, detail: str, *named: tuple[str, str]) -> Finding:
    """Make a finding; `detail` names the facts in braces."""
    facts: Facts = tuple((key, shown(value)) for key, value in named)
    return Finding(
        _ID, Outcome.FAIL, severity, where, reason, detail.format(where=where, **dict(facts)), facts
    )


def noted(where: str, reason: str, detail: str, *named: tuple[str, str]) -> Finding:
    """Make a finding that objects to nothing."""
    return replace(failed(where, reason, Severity.NOTE, detail, *named), outcome=Outcome.PASS)


def cannot_tell(where: str, reason: str, detail: str, facts: Facts) -> Finding:
    """Make a finding about something that could not be judged."""
    return Finding(_ID, Outcome.CANNOT_TELL, Severity.HOLD, where, reason, detail, facts)
