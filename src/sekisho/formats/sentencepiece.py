"""SentencePiece models (`tokenizer.model`, `spiece.model`): pieces, scores, kinds and the normaliser, read without its library.

Field numbers are those of sentencepiece_model.proto; the file is a few megabytes and is read whole within a bound.
"""

import hashlib
import math
import struct
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats._protobuf import FIXED32, LEN, message
from sekisho.formats.base import Format
from sekisho.formats.tokenizer import AddedToken, Section, TokenizerFacts
from sekisho.limits import Limits

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED = 1, 2, 3, 4
_MODELS: Final = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_NORMALISERS: Final = ("", "identity", "nfkc", "nfkc_cf", "nmt_nfkc", "nmt_nfkc_cf")
"""Rules that come with the library."""
_SUFFIXES: Final = (".model", ".spm", ".vocab.model")

_Piece = tuple[str, float, int]


def sniff(head: bytes, filename: str) -> bool:
    """Recognise the first piece, and the name, since the bytes alone say little."""
    return filename.lower().endswith(_SUFFIXES) and head[:1] == b"\n" and head[2:3] == b"\n"


def read(path: Path, limits: Limits) -> TokenizerFacts:
    """Read a model. Raises MalformedError and LimitError."""
    with path.open("rb") as file:
        data = file.read(limits.sentencepiece_bytes + 1)
    if len(data) > limits.sentencepiece_bytes:
        raise LimitError("SentencePiece model in bytes", path.stat().st_size, limits.sentencepiece_bytes)
    pieces: list[_Piece] = []
    specs: dict[int, list[bytes]] = {2: [], 3: [], 5: []}
    for number, wire, value in message(data):
        if number == 1 and wire == LEN:
            pieces.append(_piece(bytes(value)))
            if len(pieces) > limits.sentencepiece_pieces:
                raise LimitError("pieces", len(pieces), limits.sentencepiece_pieces)
        elif number in specs and wire == LEN:
            specs[number].append(bytes(value))
    if not pieces:
        raise MalformedError("a SentencePiece model without pieces")
    return _facts(pieces, {number: b"".join(parts) for number, parts in specs.items()})


def _piece(data: bytes) -> _Piece:
    text, score, kind = "", 0.0, _NORMAL
    for number, wire, value in message(data):
        if number == 1 and isinstance(value, bytes):
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise MalformedError("a piece is not UTF-8") from error
        elif number == 2 and wire == FIXED32 and isinstance(value, bytes):  # noqa: PLR2004 - the score
            (score,) = struct.unpack("<f", value)
        elif number == 3 and isinstance(value, int):  # noqa: PLR2004 - the kind
            kind = value
    return text, score, kind


def _facts(pieces: list[_Piece], specs: dict[int, bytes]) -> TokenizerFacts:
    model = next((v for n, _, v in message(specs[2]) if n == 3 and isinstance(v, int)), 1)  # noqa: PLR2004 - model_type
    special = {_UNKNOWN, _CONTROL}
    added = tuple(
        AddedToken(n, text, ("special",) if kind in special else ())
        for n, (text, _, kind) in enumerate(pieces)
        if kind in special | {_USER_DEFINED}
    )
    scores = [score for _, score, kind in pieces if kind == _NORMAL]
    packed = struct.pack(f"<{len(pieces)}f", *(s for _, s, _ in pieces))
    kinds = ",".join(str(k) for _, _, k in pieces).encode()
    counted = Counter(text for text, _, _ in pieces)
    name, rules = _normaliser(specs[3])
    return TokenizerFacts(
        model=f"sentencepiece:{_MODELS.get(model, 'unknown')}",
        tokens=tuple(text for text, _, _ in pieces),
        added=added,
        sections=(
            Section("normalizer", hashlib.sha256(specs[3]).hexdigest(), (name,)),
            Section("decoder", hashlib.sha256(specs[5]).hexdigest()),
            Section("scores", hashlib.sha256(packed).hexdigest()),
            Section("kinds", hashlib.sha256(kinds).hexdigest()),
        ),
        replacements=rules,
        conflicts=tuple(("duplicate-content", text) for text, times in counted.items() if times > 1),
        score_falls=sum(later > earlier for earlier, later in pairwise(scores)),
        scores_unreal=sum(not math.isfinite(score) for _, score, _ in pieces),
        own_normaliser=name if name not in _NORMALISERS else "",
    )


def _normaliser(spec: bytes) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Name of the rules, and rules of the model's own as (section, pattern, replacement)."""
    name, rules = "", []
    for number, _, value in message(spec):
        if number == 1 and isinstance(value, bytes):
            name = value.decode("utf-8", "replace")
        elif number == 6 and isinstance(value, bytes):  # noqa: PLR2004 - normalization_rule_tsv
            for line in value.decode("utf-8", "replace").splitlines()[:1000]:
                before, _, after = line.partition("\t")
                rules.append(("normalizer", _points(before), _points(after)))
    return name, tuple(rules)


def _points(text: str) -> str:
    """A rule's side: hexadecimal code points, or a path or text as it is."""
    parts = text.split()
    if parts and all(p and not set(p) - set("0123456789abcdefABCDEF") for p in parts):
        numbers = [int(p, 16) for p in parts if len(p) <= 6]  # noqa: PLR2004 - digits of the largest code point
        return "".join(chr(n) for n in numbers if n < 0x110000)  # noqa: PLR2004 - beyond the last code point
    return text


FORMAT: Final = Format("sentencepiece", sniff, read)
