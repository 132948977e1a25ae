"""An entry of the ledger in a few words."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.ledger.entry import Entry
from sekisho.ledger.kinds import Kind
from sekisho.register.texts import Texts
from sekisho.report import checklist

_DAY: Final = 10
_ENTRY: Final = re.compile(r"entry (\d+)")
_Body = Mapping[str, Any]


def told(entry: Entry, words: Texts) -> str:
    """What it says, with the words of the register; empty for a kind that its name says all about."""
    says = _SAYS.get(entry.kind)
    try:
        return says(entry.content, words) if says else ""
    except (DataError, KeyError, TypeError, AttributeError):
        return ""  # one that cannot be read; `ledger verify` names it


def _joined(words: Texts, *parts: object) -> str:
    return words.comma.join(str(p) for p in parts if p)


def _moved(body: _Body, words: Texts) -> str:
    until = words("ui", "until", day=str(body["until"])[:_DAY]) if body.get("until") else ""
    reason = str(body.get("reason") or "")
    if found := _ENTRY.fullmatch(reason):  # what `decide` writes
        reason = words("ui", "entry", n=found[1])
    return _joined(words, words("state", str(body["to"])), until, reason)


def _decided(body: _Body, words: Texts) -> str:
    return words(
        "ui", "decision", decision=words("decision", body["decision"]), scope=words("scope", body["scope"])
    )


def _excepted(body: _Body, words: Texts) -> str:
    until = words("ui", "until", day=str(body["expires"])[:_DAY])
    return _joined(words, words("ui", "approver", who=str(body["approver"])), until, body["reason"])


_SAYS: Final[Mapping[str, Callable[[_Body, Texts], str]]] = {
    Kind.MODEL_REGISTERED: lambda b, w: _joined(w, b["name"], b["source"]),
    Kind.INTAKE: lambda b, w: _joined(w, b["source"], b.get("revision")),
    Kind.STATE_CHANGE: _moved,
    Kind.DECISION: _decided,
    Kind.APPROVAL: lambda b, w: _joined(w, w("state", b["of"]), b.get("comment")),
    Kind.EXCEPTION: _excepted,
    Kind.DEPLOYMENT: lambda b, w: _joined(w, b["place"], b.get("comment")),
    Kind.RE_TEST_DUE: lambda b, w: w("ui", "due", day=str(b["due"])[:_DAY]),
    Kind.TRAINING_RECORD: lambda b, _: str(b["method"]),
    Kind.CHECKLIST_ANSWER: lambda b, w: _joined(
        w, b["item"], checklist.say("answer", str(b["answer"]), w.language), b.get("note")
    ),
    Kind.NOTE: lambda b, _: str(b["text"]),
}
