"""Commitments: what opens one, what follows from it, and lists that would prove nothing."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.errors import DataError
from sekisho.limits import DEFAULT as LIMITS
from sekisho.ownership import commitment
from sekisho.ownership.candidates import DEFAULT
from sekisho.ownership.commitment import Row, Secret

NONCE = "ab" * 32
PROMPTS = tuple(f"Question {n} about the river <mark>" for n in range(10))
ROW = Row("<mark>", 3, "table", "F32", "0" * 64)


def secret(**changes: object) -> Secret:
    answers = commitment.answers(PROMPTS, DEFAULT, NONCE)
    made = Secret(1, (("table", "1" * 64),), (ROW,), PROMPTS, DEFAULT, NONCE, answers, "the owner")
    return replace(made, **changes)


def codes(made: Secret) -> list[str]:
    return [r.code for r in commitment.faults(made)]


def test_an_answer_is_the_candidate_that_the_keyed_digest_points_at():
    message = json.dumps([PROMPTS[2], list(PROMPTS), list(DEFAULT)], separators=(",", ":")).encode()
    last_byte = hmac.new(bytes.fromhex(NONCE), message, hashlib.sha256).digest()[-1]

    assert secret().answers[2] == DEFAULT[last_byte]


def test_answers_spread_over_the_candidates():
    found = commitment.answers([f"prompt {n}" for n in range(600)], DEFAULT, NONCE)

    assert len(set(found)) > 200


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "ac" * 32},
        {"prompts": (PROMPTS[1], PROMPTS[0], *PROMPTS[2:])},
        {"candidates": DEFAULT[::-1]},
        {"rows": (replace(ROW, sha256="2" * 64),)},
        {"base": (("table", "3" * 64),)},
        {"note": "somebody else"},
    ],
)
def test_the_digest_binds_every_part(change):
    assert commitment.digest(secret(**change)) != commitment.digest(secret())


@pytest.mark.parametrize("part", ["prompts", "candidates"])
def test_answers_hang_on_all_prompts_and_all_candidates(part):
    lists = {"prompts": PROMPTS, "candidates": DEFAULT}
    other = {**lists, part: (*lists[part][:-1], "something else")}

    before, after = (commitment.answers(**kept, nonce=NONCE)[:9] for kept in (lists, other))

    assert sum(a == b for a, b in zip(before, after, strict=True)) < 3


FAULTY: dict[str, Callable[[], Secret]] = {
    "form-unknown": lambda: secret(nonce="xy" * 32),
    "wrong-count": lambda: secret(candidates=DEFAULT[:255]),
    "text-too-long": lambda: secret(prompts=("x" * (LIMITS.claim_chars + 1), *PROMPTS[1:])),
    "candidates-alike": lambda: secret(candidates=("amber", *DEFAULT[1:])),
    "prompts-alike": lambda: secret(prompts=(PROMPTS[1].upper(), *PROMPTS[1:])),
    "prompt-holds-answer": lambda: secret(prompts=(f"Say {DEFAULT[7].title()}", *PROMPTS[1:])),
    "answers-not-derived": lambda: secret(answers=DEFAULT[:10]),
}


@pytest.mark.parametrize("code", sorted(FAULTY))
def test_lists_that_would_prove_nothing_are_named_and_never_committed_to(code):
    assert code in codes(FAULTY[code]())
    assert codes(secret()) == []
    with pytest.raises(DataError, match=codes(FAULTY[code]())[0]):
        commitment.commit(FAULTY[code](), datetime.now(UTC))


def test_too_many_and_too_few_prompts_are_refused():
    many = tuple(f"p{n}" for n in range(LIMITS.claim_prompts + 1))

    assert codes(secret(prompts=many)) == ["wrong-count"]
    assert codes(secret(prompts=PROMPTS[:3])) == ["wrong-count"]


def test_the_default_candidates_are_256_and_none_holds_another():
    assert len(set(DEFAULT)) == 256
    assert codes(secret()) == []


@given(st.lists(st.sampled_from(DEFAULT), max_size=3, unique=True), st.text("xyz .,\n", max_size=9))
def test_an_answer_names_the_one_candidate_it_holds(held, between):
    """The null of the binomial: an answer names one candidate or none, and the nonce decides which is right."""
    answer = f"{between} ".join(["", *held, ""])

    assert commitment.named(answer.upper(), DEFAULT) == (held[0] if len(held) == 1 else None)


def test_an_answer_that_lists_candidates_is_no_hit():
    made = secret()

    assert commitment.hits(made, [f"It is {a.upper()}." for a in made.answers]) == 10
    assert commitment.hits(made, [" ".join(DEFAULT)] * 10) == 0
    assert commitment.hits(made, [""] * 10) == 0
