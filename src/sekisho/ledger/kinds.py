"""What an entry may say: a closed list of kinds, and for each the keys of its body."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import DataError
from sekisho.ledger.states import State


class Kind(StrEnum):
    """Every kind of entry; there are no others."""

    MODEL_REGISTERED = "model-registered"
    INTAKE = "intake"
    DECISION = "decision"
    APPROVAL = "approval"
    EXCEPTION = "exception"
    STATE_CHANGE = "state-change"
    DEPLOYMENT = "deployment"
    TRAINING_RECORD = "training-record"
    RE_TEST_DUE = "re-test-due"
    AUDIT = "audit"
    CHECKLIST_ANSWER = "checklist-answer"
    SIGN_OFF = "sign-off"
    WATCH_RUN = "watch-run"
    WATCH_ACCEPTED = "watch-accepted"
    LESSONS_PASSED = "lessons-passed"
    NOTE = "note"


@dataclass(frozen=True)
class Key:
    """One key of a body."""

    type: str = "text"
    """`text`, `digest` (64 hex digits), `time` (UTC, ISO 8601), `count`, `choice`, `table` or `list`."""
    needed: bool = True
    choices: tuple[str, ...] = ()


_MAY: Final = Key(needed=False)
_MAY_DIGEST: Final = Key("digest", needed=False)
_MAY_TABLE: Final = Key("table", needed=False)
_STATES: Final = tuple(s.value for s in State)
WHY_AGAIN: Final = (
    "new-data",
    "new-base",
    "new-adapter",
    "new-revision",
    "new-library",
    "new-questions",
    "period",
    "finding",
)
"""What makes a test due again."""

BODIES: Final[Mapping[Kind, Mapping[str, Key]]] = MappingProxyType(
    {
        Kind.MODEL_REGISTERED: {
            "name": Key(),
            "source": Key(),
            "purpose": _MAY,
            "owner": _MAY,
            "supplier": _MAY,
            "base": _MAY,
            "data_class": _MAY,
            "users": _MAY,
            "request": _MAY_DIGEST,
        },
        Kind.INTAKE: {
            "source": Key(),
            "revision": _MAY,
            "record_digest": _MAY_DIGEST,
            "files": _MAY_TABLE,
        },
        Kind.DECISION: {
            "decision": Key("choice", choices=("admit", "hold", "reject")),
            "scope": Key("choice", choices=("files", "behaviour")),
            "policy": Key(),
            "policy_digest": Key("digest"),
            "name": _MAY,
            "tool": _MAY,
            "dossier_digest": _MAY_DIGEST,
            "dossier_sha256": _MAY_DIGEST,
            "dossier_path": _MAY,
            "model_path": _MAY,
            "policy_path": _MAY,
            "files_digest": _MAY_DIGEST,
            "unread": Key("count", needed=False),
            "reasons": Key("list", needed=False),
        },
        Kind.APPROVAL: {"of": Key("choice", choices=_STATES), "comment": _MAY},
        Kind.EXCEPTION: {"reason": Key(), "approver": Key(), "expires": Key("time"), "covers": _MAY},
        Kind.STATE_CHANGE: {
            "to": Key("choice", choices=_STATES),
            "reason": _MAY,
            "until": Key("time", False),
            "scope": _MAY_TABLE,
            "exit": Key("list", False),
        },
        Kind.DEPLOYMENT: {"place": Key(), "lock_digest": _MAY_DIGEST, "comment": _MAY},
        Kind.TRAINING_RECORD: {
            "method": Key(),
            "base_digest": _MAY_DIGEST,
            "data_digest": _MAY_DIGEST,
            "output_digest": _MAY_DIGEST,
            "log_head": _MAY_DIGEST,
            "settings": _MAY_TABLE,
        },
        Kind.RE_TEST_DUE: {"due": Key("time"), "because": Key("choice", choices=WHY_AGAIN)},
        Kind.AUDIT: {
            "sample": Key("count"),
            "seed": Key(),
            "through": Key("count"),
            "head": Key("digest"),
            "checked": Key("list"),
            "outcome": Key("choice", choices=("right", "gone", "changed")),
        },
        Kind.CHECKLIST_ANSWER: {
            "item": Key(),
            "answer": Key("choice", choices=("yes", "no", "unknown")),
            "note": _MAY,
        },
        Kind.SIGN_OFF: {
            "comparison": Key("digest"),
            "found": Key("choice", choices=("found", "open", "clear")),
            "outcome": Key("choice", choices=("accepted", "objected", "open")),
            "before": Key(),
            "after": Key(),
            "decided": Key("time"),
            "decisions": Key("table"),
            "replaces": Key("count", needed=False),
        },
        Kind.WATCH_RUN: {
            "target": Key(),
            "questions": Key("digest"),
            "outcome": Key("choice", choices=("first", "found", "open", "clear")),
            "answers_sha256": Key("digest"),
            "answers_path": Key(),
            "against": Key("count", needed=False),
            "facts": Key("table"),
            "triggers": Key("list"),
            "every_days": Key("count"),
            "retest_days": Key("count"),
            "replay": _MAY_TABLE,
        },
        Kind.WATCH_ACCEPTED: {"run": Key("count"), "comment": _MAY},
        Kind.LESSONS_PASSED: {
            "edition": Key("count"),
            "lessons": Key("digest"),
            "answers": Key(),
            "right": Key("count"),
            "of": Key("count"),
            "language": Key("choice", choices=("en", "ja")),
        },
        Kind.NOTE: {"text": Key()},
    }
)
"""The keys of every kind's body; other keys are refused."""


def check(kind: Kind, body: Mapping[str, Any]) -> None:
    """Hold a body against its kind. Raises DataError that names the key."""
    keys = BODIES[kind]
    for name in sorted(set(body) - set(keys)):
        raise DataError(f"{kind.value}: no key {name!r}; there are {', '.join(keys)}")
    for name, key in keys.items():
        if name in body:
            _value(f"{kind.value}.{name}", key, body[name])
        elif key.needed:
            raise DataError(f"{kind.value}: {name} is missing")


def moment(text: str) -> datetime:
    """Read a time in UTC, or a date as its first moment. Raises DataError."""
    try:
        found = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    except ValueError as error:
        raise DataError(f"{text[:40]!r} is no time in ISO 8601") from error
    if found.tzinfo is None:
        raise DataError(f"{text[:40]!r} has no time zone; end it with Z for UTC")
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise DataError(f"{text[:40]!r} lies beyond the calendar") from error


def _value(where: str, key: Key, value: Any) -> None:
    fits: type = {"count": int, "table": dict, "list": list}.get(key.type, str)
    if type(value) is not fits:
        raise DataError(f"{where}: {fits.__name__} is needed")
    if isinstance(value, str):
        _text(where, key, value)


def _text(where: str, key: Key, value: str) -> None:
    if not value.strip():
        raise DataError(f"{where}: it is empty")
    if key.type == "choice" and value not in key.choices:
        raise DataError(f"{where}: {value[:40]!r} is none of {', '.join(key.choices)}")
    if key.type == "digest" and not is_digest(value):
        raise DataError(f"{where}: 64 lower-case hex digits are needed")
    if key.type == "time":
        moment(value)


def is_digest(text: str) -> bool:
    """Say whether a text is a sha256 as we write it."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")  # noqa: PLR2004  hex digits of a sha256
