"""Tokenizers: vocabulary, added tokens and the rules around them, from every file that may define them.

`tokenizer.json` is read in full here; `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` and
`generation_config.json` arrive as parsed JSON and are described by `settings`, `declared` and `generation`; a GGUF file's
vocabulary by `from_gguf`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import gt
from pathlib import Path
from typing import Any, Final, final
from zlib import crc32

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import json_config
from sekisho.formats.base import Format
from sekisho.formats.gguf import GgufFacts
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Facts, FormatFacts

SECTIONS: Final = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding")
FLAGS: Final = ("special", "lstrip", "rstrip", "normalized", "single_word")
_IDS: Final = 2**24
"""Largest token id believed; real vocabularies stay below 2**19."""
_FEW: Final = 8
_FORCING: Final = (
    "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id", "forced_decoder_ids",
    "bad_words_ids", "force_words_ids", "sequence_bias", "constraints", "custom_generate", "prefix_allowed_tokens_fn",
)  # fmt: skip


@final
@dataclass(frozen=True)
class AddedToken:
    """A token outside the trained vocabulary, or one with special treatment."""

    id: int
    content: str
    flags: tuple[str, ...] = ()
    """Those of FLAGS that are set."""


@final
@dataclass(frozen=True)
class Section:
    """One stage of the pipeline."""

    name: str
    digest: str
    """sha256 of its canonical JSON."""
    texts: tuple[str, ...] = ()
    """Every text inside, in order."""


@final
@dataclass(frozen=True)
class TokenizerFacts(FormatFacts):
    """What turns text into token ids and back."""

    model: str
    """BPE, WordPiece, Unigram, WordLevel, or `gguf:<model>`."""
    tokens: tuple[str | None, ...] = field(repr=False)
    """The token of each id of the vocabulary and of the added tokens; None where an id has none."""
    merges: int = 0
    merges_digest: str = ""
    """sha256 over the merges in order."""
    merges_sum: int = 0
    """Sum over the merges' checksums, whatever their order; it can be forged."""
    merge_falls: int = 0
    """Merges that make an earlier token than the merge before them; training yields them in the order of ids."""
    merges_unknown: tuple[str, ...] = ()
    """What merges make that is no token; the first few."""
    added: tuple[AddedToken, ...] = field(default=(), repr=False)
    sections: tuple[Section, ...] = ()
    replacements: tuple[tuple[str, str, str], ...] = ()
    """(section, pattern, replacement) of Replace rules, Prepend rules (empty pattern) and Splits that drop text."""
    inserted: tuple[str, ...] = ()
    """Tokens that the post-processor puts around every text."""
    expanded: tuple[str, ...] = ()
    """Special tokens of the post-processor whose ids are not exactly that token's own."""
    conflicts: tuple[tuple[str, str], ...] = ()
    """(kind, token or key) of what is defined twice: `duplicate-key`, `duplicate-content`, `duplicate-id`; in tekken.json
    also `text-not-bytes` and `rank-astray`."""
    score_falls: int = 0
    """Pieces of a SentencePiece model with a better score than the piece before; training sorts them."""
    scores_unreal: int = 0
    """Scores that are infinite or no number."""
    own_normaliser: str = ""
    """Name of normalisation rules that do not come with SentencePiece."""


def sniff(head: bytes, filename: str) -> bool:
    """Recognise tokenizer.json by name and opening bracket."""
    return filename.lower() == "tokenizer.json" and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def read(path: Path, limits: Limits) -> TokenizerFacts:
    """Read a tokenizer.json."""
    with path.open("rb") as file:
        data = file.read(limits.json_bytes + 1)
    if len(data) > limits.json_bytes:
        raise LimitError("tokenizer.json in bytes", path.stat().st_size, limits.json_bytes)
    parsed = json_config.parse(data, limits)
    return from_document(parsed.document, parsed.duplicate_keys, limits)


def from_document(
    document: Any, duplicate_keys: tuple[str, ...] = (), limits: Limits = DEFAULT
) -> TokenizerFacts:
    """Describe a parsed tokenizer.json. Raises MalformedError or LimitError."""
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(model, dict):
        raise MalformedError("tokenizer.json has no model")
    entries = list(_vocabulary(model.get("vocab")))
    listed = _list(document.get("added_tokens"), "added_tokens")
    if len(listed) > limits.added_tokens:
        raise LimitError("added tokens", len(listed), limits.added_tokens)
    added = tuple(_added(a) for a in listed)
    tokens, conflicts = _by_id(entries, added)
    pairs = _merges(model)
    merges = [m if isinstance(m, str) else " ".join(map(str, m)) for m in pairs]
    falls, unknown = (0, ()) if model.get("continuing_subword_prefix") else _order(pairs, entries)
    sections = [_section(name, document.get(name)) for name in SECTIONS]
    settings = {k: v for k, v in model.items() if k not in {"vocab", "merges"}}
    inserted, expanded = _processor(document.get("post_processor"), tokens)
    return TokenizerFacts(
        model=str(model.get("type") or ("BPE" if merges else "unknown")),
        tokens=tokens,
        merges=len(merges),
        merges_digest=_lines_digest(merges),
        merges_sum=sum(crc32(m.encode("utf-8", "surrogatepass")) for m in merges),
        merge_falls=falls,
        merges_unknown=unknown,
        added=added,
        sections=(*sections, _section("model-settings", settings)),
        replacements=tuple(_replacements(document)),
        inserted=inserted,
        expanded=expanded,
        conflicts=(*(("duplicate-key", key) for key in duplicate_keys), *conflicts),
    )


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"{name} is not a list")
    return value


def _merges(model: Mapping[str, Any]) -> list[Any]:
    merges = _list(model.get("merges"), "merges")
    if not all(isinstance(m, str | list) for m in merges):
        raise MalformedError("a merge is neither a text nor a list")
    return merges


def _order(pairs: list[Any], entries: list[tuple[int, str]]) -> tuple[int, tuple[str, ...]]:
    """How often merges step back in the order of what they make, and what they make that is no token."""
    ids = {token: number for number, token in entries}
    made = [p.replace(" ", "", 1) if isinstance(p, str) else "".join(map(str, p)) for p in pairs]
    numbers = list(map(ids.get, made))
    known = [n for n in numbers if n is not None]
    unknown = (text for text, n in zip(made, numbers, strict=True) if n is None)
    return sum(map(gt, known, known[1:])), tuple(islice(unknown, _FEW))


def _vocabulary(vocab: Any) -> Iterator[tuple[int, str]]:
    if isinstance(vocab, dict):
        for token, number in vocab.items():
            yield _id(number), token
    elif isinstance(vocab, list):
        for number, row in enumerate(vocab):
            if not (isinstance(row, list) and row and isinstance(row[0], str)):
                raise MalformedError("a row of the vocabulary is not [token, score]")
            yield number, row[0]
    elif vocab is not None:
        raise MalformedError("the vocabulary is neither a table nor a list")


def _id(number: Any) -> int:
    if type(number) is not int or not 0 <= number < _IDS:
        raise MalformedError(f"a token id is not a number below {_IDS:,}")
    return number


def _added(entry: Any) -> AddedToken:
    if not isinstance(entry, dict) or not isinstance(entry.get("content"), str):
        raise MalformedError("an added token has no content")
    return AddedToken(_id(entry.get("id")), entry["content"], tuple(f for f in FLAGS if entry.get(f) is True))


def _by_id(
    entries: list[tuple[int, str]], added: tuple[AddedToken, ...]
) -> tuple[tuple[str | None, ...], tuple[tuple[str, str], ...]]:
    """Place tokens by id; an added token may repeat a vocabulary entry but not contradict one."""
    size = max([n for n, _ in entries] + [a.id for a in added], default=-1) + 1
    tokens: list[str | None] = [None] * size
    conflicts: list[tuple[str, str]] = []
    ids: dict[str, int] = {}
    for number, token in [*entries, *((a.id, a.content) for a in added)]:
        if tokens[number] not in (None, token):
            conflicts.append(("duplicate-id", token))
        if ids.setdefault(token, number) != number:
            conflicts.append(("duplicate-content", token))
        tokens[number] = token
    counted = Counter(a.content for a in added)
    conflicts += [("duplicate-content", c) for c, times in counted.items() if times > 1]
    return tuple(tokens), tuple(dict.fromkeys(conflicts))


def _section(name: str, value: Any) -> Section:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return Section(name, hashlib.sha256(canonical.encode()).hexdigest(), tuple(_texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _lines_digest(lines: Iterable[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _replacements(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in ("normalizer", "pre_tokenizer", "decoder"):
        for rule in _rules(document.get(name)):
            pattern = rule.get("pattern")
            if rule.get("type") == "Replace":
                yield name, next(_texts(pattern), ""), str(rule.get("content", ""))
            elif rule.get("type") == "Split" and rule.get("behavior") == "Removed":
                yield name, next(_texts(pattern), ""), ""
            elif rule.get("type") == "Prepend":
                yield name, "", str(rule.get("prepend", ""))


def _rules(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from _rules(part)


def _processor(value: Any, tokens: tuple[str | None, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inserted: list[str] = []
    expanded: list[str] = []
    for rule in _rules(value):
        special = rule.get("SpecialToken")
        if isinstance(special, dict):
            inserted.append(str(special.get("id")))
        if rule.get("type") in {"BertProcessing", "RobertaProcessing"}:
            ends = (rule.get(key) for key in ("sep", "cls"))
            inserted += [str(end[0]) for end in ends if isinstance(end, list) and end]
        table = rule.get("special_tokens")
        if rule.get("type") == "TemplateProcessing" and isinstance(table, dict):
            expanded += [name for name, entry in table.items() if not _own_id(name, entry, tokens)]
    return tuple(dict.fromkeys(inserted)), tuple(expanded)


def _own_id(name: str, entry: Any, tokens: tuple[str | None, ...]) -> bool:
    ids = entry.get("ids") if isinstance(entry, dict) else None
    if not isinstance(ids, list) or len(ids) != 1 or type(ids[0]) is not int:
        return False
    return 0 <= ids[0] < len(tokens) and tokens[ids[0]] == name


def settings(document: Any) -> tuple[AddedToken, ...]:
    """Tokens under `added_tokens_decoder` of a parsed tokenizer_config.json. Raises MalformedError."""
    table = document.get("added_tokens_decoder") if isinstance(document, dict) else None
    if not isinstance(table, dict):
        return ()
    found: list[AddedToken] = []
    for number, entry in table.items():
        if not number.isdecimal() or not isinstance(entry, dict):
            raise MalformedError("added_tokens_decoder is not a table of ids")
        found.append(_added({**entry, "id": int(number)}))
    return tuple(found)


def declared(document: Any) -> Facts:
    """(role, token) of the special tokens that a tokenizer_config.json or special_tokens_map.json names."""
    if not isinstance(document, dict):
        return ()
    named = [(k, _content(v)) for k, v in document.items() if k.endswith("_token")]
    extra = document.get("additional_special_tokens") or document.get("extra_special_tokens")
    listed = extra.values() if isinstance(extra, dict) else extra if isinstance(extra, list) else ()
    named += [("additional", _content(v)) for v in listed]
    return tuple((k, v) for k, v in named if v is not None)


def _content(value: Any) -> str | None:
    inner = value.get("content") if isinstance(value, dict) else value
    return inner if isinstance(inner, str) else None


_USUAL: Final = {"forced_bos_token_id": "bos_token_id", "forced_eos_token_id": "eos_token_id"}


def generation(document: Any) -> Facts:
    """Return the settings of a parsed generation_config.json that suppress, force or favour tokens.

    Left out is a forced beginning or end that is the ordinary one: encoder-decoder models have it, and it changes nothing.
    """
    if not isinstance(document, dict):
        return ()
    given = [k for k in _FORCING if document.get(k) not in (None, [], {})]
    usual = [k for k, same in _USUAL.items() if document.get(k) == document.get(same)]
    return tuple((k, json.dumps(document[k])) for k in given if k not in usual)


def from_gguf(facts: GgufFacts) -> TokenizerFacts | None:
    """Describe the vocabulary in a GGUF file's metadata, None where there is none."""
    tokens, merges = facts.get("tokenizer.ggml.tokens"), facts.get("tokenizer.ggml.merges")
    kinds = facts.get("tokenizer.ggml.token_type")
    if not isinstance(tokens, tuple):
        return None
    kinds = kinds if isinstance(kinds, tuple) else ()
    special = [n for n, kind in enumerate(kinds[: len(tokens)]) if kind in (3, 4)]
    lines = merges if isinstance(merges, tuple) else ()
    return TokenizerFacts(
        model=f"gguf:{facts.get('tokenizer.ggml.model')}",
        tokens=tuple(str(t) for t in tokens),
        merges=len(lines),
        merges_digest=_lines_digest(str(m) for m in lines),
        added=tuple(AddedToken(n, str(tokens[n]), ("special",) if kinds[n] == 3 else ()) for n in special),  # noqa: PLR2004
    )


FORMAT: Final = Format("tokenizer", sniff, read)
