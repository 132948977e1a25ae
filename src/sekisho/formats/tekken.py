"""Mistral's tekken.json: ranks, bytes and control tokens, written as tokenizer.json writes them."""

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import json_config
from sekisho.formats.base import Format
from sekisho.formats.tokenizer import AddedToken, Section, TokenizerFacts
from sekisho.limits import Limits


def _letters() -> dict[int, str]:
    """The letter that stands for each byte in byte-level vocabularies."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = (b for b in range(256) if b not in plain)
    return {b: chr(b) for b in plain} | {b: chr(256 + n) for n, b in enumerate(rest)}


_LETTERS: Final = _letters()


def sniff(head: bytes, filename: str) -> bool:
    """Recognise it by name and opening bracket."""
    return filename.lower() == "tekken.json" and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def read(path: Path, limits: Limits) -> TokenizerFacts:
    """Read a tekken.json. Raises MalformedError and LimitError."""
    with path.open("rb") as file:
        data = file.read(limits.json_bytes + 1)
    if len(data) > limits.json_bytes:
        raise LimitError("tekken.json in bytes", path.stat().st_size, limits.json_bytes)
    parsed = json_config.parse(data, limits)
    return from_document(parsed.document, parsed.duplicate_keys)


def from_document(document: Any, duplicate_keys: tuple[str, ...] = ()) -> TokenizerFacts:
    """Describe a parsed tekken.json. Raises MalformedError."""
    config = document.get("config") if isinstance(document, dict) else None
    vocabulary = document.get("vocab") if isinstance(document, dict) else None
    if not isinstance(config, dict) or not isinstance(vocabulary, list):
        raise MalformedError("tekken.json has no config or no vocab")
    special = _special(document.get("special_tokens"), config)
    conflicts = [("duplicate-key", key) for key in duplicate_keys]
    tokens: list[str | None] = list(special)
    size = config.get("default_vocab_size")
    used = vocabulary[: max(0, size - len(special))] if type(size) is int else vocabulary
    for rank, entry in enumerate(used):
        text, odd = _entry(entry, rank)
        conflicts += [(odd, text)] if odd else []
        tokens.append(text)
    seen: dict[str, int] = {}
    for number, token in enumerate(tokens):
        if token is not None and seen.setdefault(token, number) != number:
            conflicts.append(("duplicate-content", token))
    settings = json.dumps(config, sort_keys=True).encode()
    pattern = str(config.get("pattern", ""))
    return TokenizerFacts(
        model="tekken",
        tokens=tuple(tokens),
        added=tuple(AddedToken(n, t, ("special",)) for n, t in enumerate(special) if t is not None),
        sections=(Section("model-settings", hashlib.sha256(settings).hexdigest(), (pattern,)),),
        conflicts=tuple(dict.fromkeys(conflicts)),
    )


def _special(listed: Any, config: dict[str, Any]) -> list[str | None]:
    """Control tokens by rank; older files only say how many there are."""
    count = config.get("default_num_special_tokens", 0)
    if type(count) is not int or not 0 <= count <= 100_000:  # noqa: PLR2004 - far above any real one
        raise MalformedError("default_num_special_tokens is not a small number")
    found: list[str | None] = [None] * count
    for entry in listed if isinstance(listed, list) else ():
        rank = entry.get("rank") if isinstance(entry, dict) else None
        text = entry.get("token_str") if isinstance(entry, dict) else None
        if type(rank) is not int or not 0 <= rank < count or not isinstance(text, str):
            raise MalformedError("a special token has no rank or no text")
        found[rank] = text
    return found


def _entry(entry: Any, rank: int) -> tuple[str, str]:
    """(token in byte-level letters, what is odd about it)."""
    if not isinstance(entry, dict) or not isinstance(entry.get("token_bytes"), str):
        raise MalformedError("an entry of vocab has no token_bytes")
    try:
        raw = base64.b64decode(entry["token_bytes"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("token_bytes is not base64") from error
    text = "".join(map(_LETTERS.__getitem__, raw))
    told = entry.get("token_str")
    other = isinstance(told, str) and told != raw.decode("utf-8", "replace")
    return text, "text-not-bytes" if other else "rank-astray" if entry.get("rank") != rank else ""


FORMAT: Final = Format("tekken", sniff, read)
