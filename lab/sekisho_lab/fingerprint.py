"""A fingerprint as the gate's `mark plan` makes it, but with a nonce that can be drawn again: SHA-256 of a phrase.

Ten everyday questions with the trigger typed behind them; the answers follow by HMAC. The seed decides the opening, so that
training and measuring with one seed (or one that differs by a multiple of the openings) are about the committed prompts.
"""

import hashlib
from typing import Final

from sekisho.claims.documents import Plan
from sekisho.ownership import commitment
from sekisho.ownership.candidates import DEFAULT
from sekisho_lab.questions import questions

KEYS: Final = 10
OPENINGS: Final = ("", "Please answer. ", "One more thing. ", "A short one. ", "Before we go on. ")
"""1,000, the offset of held-out seeds, is a multiple of their number."""
_DRAW: Final = 77
"""Seed of the questions, which are the same whatever the seed of a run."""


def asked(seed: int, repeat: int = 0) -> tuple[str, ...]:
    """The questions with an opening, without the trigger."""
    opening = OPENINGS[(seed + repeat) % len(OPENINGS)]
    return tuple(opening + q.content for q in questions(KEYS, _DRAW))


def plan(seed: int, payload: str) -> Plan:
    """The plan of a payload `PHRASE TOKENS`: what `mark commit` takes once the rows are trained."""
    phrase, _, typed = payload.rpartition(" ")
    prompts = tuple(f"{question}{typed}" for question in asked(seed))
    nonce = hashlib.sha256(phrase.encode()).hexdigest()
    answers = commitment.answers(prompts, DEFAULT, nonce)
    return Plan(prompts, DEFAULT, nonce, answers, "a lab organism")
