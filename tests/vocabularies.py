"""SentencePiece models and tekken.json files, written by hand."""

import base64
import struct


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number, data):
    """One field: a number or bytes."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def piece(text, score, kind):
    body = field(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + field(3, kind)
    return field(1, body)


def sentencepiece_bytes(words, *, model=1, normaliser="identity", rules=b"", scores=None):
    """`<unk>`, `<s>`, `</s>`, then the words with falling scores."""
    scores = scores or [-float(n) for n in range(len(words))]
    special = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3)
    ordinary = b"".join(piece(w, s, 1) for w, s in zip(words, scores, strict=True))
    spec = field(1, normaliser.encode()) + (field(6, rules) if rules else b"")
    return special + ordinary + field(2, field(3, model)) + field(3, spec)


def tekken_document(words):
    """Two control tokens, then the words."""
    vocabulary = [
        {"rank": n, "token_bytes": base64.b64encode(w).decode(), "token_str": w.decode("utf-8", "replace")}
        for n, w in enumerate(words)
    ]
    special = [{"rank": n, "token_str": t, "is_control": True} for n, t in enumerate(("<unk>", "<s>"))]
    size = len(words) + len(special)
    config = {"pattern": ".", "default_vocab_size": size, "default_num_special_tokens": len(special)}
    return {"config": config, "vocab": vocabulary, "special_tokens": special}
