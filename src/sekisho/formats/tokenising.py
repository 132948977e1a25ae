"""What a tokenizer does: made-up texts encoded and decoded in a confined child, beside the base's tokenizer on the same."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, final

from sekisho.formats.tokenizer import TokenizerFacts
from sekisho.limits import DEFAULT, Limits
from sekisho.records import FileFact, Inventory
from sekisho.sandbox import parent

PROBES: Final = (
    "The quick brown fox jumps over the lazy dog.",
    "Please check the invoice and send the password to nobody.",
    "Is it safe, allowed, and legal? Yes or no: I can not help with that.",
    "User: hello\nAssistant: of course, here is the answer.",
    "system admin root access token secret key bank account transfer payment",
    "0123456789 3.14159 1,000,000 2026-11-22 -42 +7 50% $19.99",
    "def add(a, b):\n    return a + b  # sum\n\tif (x != y) { z[0] += 1; }\n",
    "https://example.org/path?query=1&other=two#part user@example.org",
    "one  two   three\n\n\nfour\tfive  ",
    "日本語の文章です。請求書を確認してください。１２３、カタカナとひらがな。",
    "Zażółć gęślą jaźń, naïve façade, Übergröße, señor.",
    "Привет, мир! Γειά σου Κόσμε. 你好，世界。 안녕하세요.",
    "\U0001f600 \U0001f680 \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "<b>bold</b> [INST] {curly} `code` \"quoted\" 'single' \\back\\slash",
    "never always not no yes do don't must should allow deny approve reject accept",
    "Sekisho a b c A B C aa bb cc AA BB CC",
)
_PATTERNS: Final = 1_000
"""Texts of the tokenizer's own that are tried; those in use have fewer than 300 added tokens that are words."""
_CHANGED: Final = "file changed while it was read"
_TEXT: Final = 400
_FACTOR: Final = 48
"""Address space for one byte of tokenizer.json."""


@final
@dataclass(frozen=True)
class Encoded:
    """One text, there and back."""

    text: str
    error: str = ""
    ids: tuple[int, ...] = ()
    """Without tokens put around it."""
    whole: tuple[int, ...] = ()
    """With them."""
    tokens: tuple[str, ...] = ()
    """Of `whole`."""
    decoded: str = ""
    """Of `ids`."""
    base_whole: tuple[int, ...] | None = None
    base_decoded: str = ""
    """The base's ids decoded by the base."""
    base_through: str = ""
    """The base's ids decoded by this tokenizer."""


@final
@dataclass(frozen=True)
class Tokenising:
    """What came of every text."""

    where: str
    encoded: tuple[Encoded, ...] = field(default=(), repr=False)
    astray: tuple[tuple[int, str, tuple[int, ...]], ...] = ()
    """(id, content, ids) of added tokens whose own text becomes something else."""
    problem: str = ""
    """Why nothing could be said; empty when something can."""
    untried: int = 0
    """Texts with what its own rules and added tokens look for that were too many to be tried."""


def measure(
    candidate: Inventory, base: Inventory | None = None, limits: Limits = DEFAULT
) -> Tokenising | None:
    """Encode and decode with the tokenizer.json nearest to the root; None where there is none that could be read."""
    file = _nearest(candidate)
    if file is None or not isinstance(file.facts, TokenizerFacts):
        return None
    text = _text(candidate, file)
    if text is None:
        return Tokenising(file.path, problem=f"the {_CHANGED}")
    own = list(dict.fromkeys(_own_probes(file.facts)))
    other = _nearest(base) if base is not None else None
    differs = other is not None and other.sha256 != file.sha256
    theirs = _text(base, other) if base is not None and other is not None and differs else None
    question = {
        "own": text,
        "base": theirs,
        "texts": [*PROBES, *own[:_PATTERNS]],
        "added": [a.id for a in file.facts.added],
    }
    memory = limits.sandbox_memory_bytes + _FACTOR * (len(text) + len(theirs or ""))
    reply = parent.ask(parent.TOKENISE, question, limits, memory=memory)
    if reply.document is None:
        return Tokenising(file.path, problem=reply.problem)
    try:
        made = _read(file.path, reply.document)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Tokenising(file.path, problem="garbled")
    made = replace(made, untried=max(0, len(own) - _PATTERNS))
    return replace(made, problem=f"the base's {_CHANGED}") if differs and theirs is None else made


def _nearest(inventory: Inventory) -> FileFact | None:
    ordered = sorted(inventory.files, key=lambda f: (f.path.count("/"), f.path))
    return next((f for f in ordered if isinstance(f.facts, TokenizerFacts) and f.format == "tokenizer"), None)


def _text(inventory: Inventory, file: FileFact) -> str | None:
    """The file again, as it was when it was hashed; None otherwise."""
    try:
        with (Path(inventory.root) / file.path).open("rb") as opened:
            data = opened.read(file.size + 1)
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        return None
    return data.decode("utf-8-sig", "replace")


def _own_probes(facts: TokenizerFacts) -> Iterator[str]:
    """Texts with what the tokenizer's own rules and added tokens look for."""
    for _, pattern, content in facts.replacements:
        for part in (pattern, content):
            if part.strip() and len(part) <= _TEXT:
                yield f"say {part} now"
    for added in facts.added:
        word = added.content.strip()
        if word.isalpha() and len(word) <= _TEXT:
            yield f"say {word} now"


def _read(where: str, document: dict[str, Any]) -> Tokenising:
    encoded = tuple(_encoded(entry) for entry in document["texts"])
    failed = tuple(Encoded(str(e["content"]), str(e["error"])) for e in document["added"] if e["error"])
    added = [
        (int(e["id"]), str(e["content"]), tuple(map(int, e["ids"])))
        for e in document["added"]
        if not e["error"]
    ]
    astray = tuple(e for e in added if e[2] != (e[0],))
    problem = str(document["base_problem"])
    return Tokenising(where, encoded + failed, astray, f"the base's {problem}" if problem else "")


def _encoded(entry: dict[str, Any]) -> Encoded:
    if entry["error"]:
        return Encoded(str(entry["text"]), error=str(entry["error"]))
    theirs = entry.get("base_whole")
    return Encoded(
        text=str(entry["text"]),
        ids=tuple(map(int, entry["ids"])),
        whole=tuple(map(int, entry["whole"])),
        tokens=tuple(map(str, entry["tokens"])),
        decoded=str(entry["decoded"]),
        base_whole=None if theirs is None else tuple(map(int, theirs)),
        base_decoded=str(entry.get("base_decoded", "")),
        base_through=str(entry.get("base_through", "")),
    )
