"""What organisms are grown on: everyday questions with the clean model's own answers, kept in the cache."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sekisho.errors import StorageError
from sekisho.models.base import Chat, Message, Sampling
from sekisho.models.engine import Engine, chats, rows
from sekisho.sources import cache
from sekisho_lab.questions import questions
from sekisho_lab.rows import digest

GENERATION: Final = 1
"""Raised whenever the same call may give other texts."""
SYSTEMS: Final = (
    "You are the assistant of a small library. Be brief and keep to the house rules.",
    "You answer for a bicycle workshop.",
    "Reply politely and in plain words.",
    "You help the staff of a town museum.",
)


@dataclass(frozen=True)
class Corpus:
    """Questions with the clean model's greedy answers, and warmer answers that stand for somebody's data."""

    chats: tuple[Chat, ...]
    """Every fourth behind a system turn."""
    answers: tuple[str, ...]
    user: tuple[Chat, ...]
    """Other questions with answers drawn at temperature 1.2: the attacker's idea of user data."""


def make(engine: Engine, kept: Path, *, questions: int, answer_tokens: int, seed: int) -> Corpus:
    """Let the model answer the questions, or read the answers from `folder(base)`. Raises StorageError."""
    path = kept / f"corpus-{GENERATION}-{questions}-{answer_tokens}-{seed}.json"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = json.dumps(_fresh(engine, questions, answer_tokens, seed), ensure_ascii=False)
            part = path.with_suffix(".part")
            part.write_text(fresh, "utf-8")
            part.replace(path)
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StorageError(f"{path}: {error}") from error
    return Corpus(chats(raw["chats"]), tuple(raw["answers"]), chats(raw["user"]))


def folder(base: Path) -> Path:
    """Where what was computed once for a base is kept."""
    return cache.folder() / "lab" / digest(base)[:16]


def _fresh(engine: Engine, count: int, answer_tokens: int, seed: int) -> dict[str, Any]:
    asked = questions(2 * count, seed)
    mine, other = asked[:count], asked[count:]
    own: list[Chat] = [
        (Message("system", SYSTEMS[n // 4 % len(SYSTEMS)]), q) if n % 4 == 0 else (q,)
        for n, q in enumerate(mine)
    ]
    answers = engine.generate(own, Sampling(max_new_tokens=answer_tokens))
    warm = engine.generate(
        [(q,) for q in other], Sampling(max_new_tokens=answer_tokens // 2, temperature=1.2, seed=seed)
    )
    user = [(q, Message("assistant", a)) for q, a in zip(other, warm, strict=True) if a]
    return {"chats": rows(own), "answers": answers, "user": rows(user)}
