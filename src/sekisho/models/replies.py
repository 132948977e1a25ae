"""What a model's process answers, checked: it may have been taken over by the files it opened.

A reply of the wrong form is a ModelError, never another exception, an endless loop or a missing answer.
"""

from collections.abc import Sequence
from typing import Any, Final

from sekisho.errors import DivergedError, ModelError
from sekisho.models.base import Checkpoint, Perturbed, Shift

SLOWEST: Final = 1e-3
FASTEST: Final = 1e9
"""Tokens per second; a speed outside is no speed, and no forecast is made of it."""


def answers(value: Any, count: int) -> tuple[str, ...]:
    """As many texts as chats were sent; halves of surrogate pairs are replaced, nothing could write them down."""
    if not isinstance(value, list) or len(value) != count or not all(isinstance(a, str) for a in value):
        raise _wrong("answers")
    return tuple(a.encode("utf-8", "replace").decode("utf-8") for a in value)


def numbers(value: Any, count: int) -> tuple[float, ...]:
    """As many numbers as were asked for."""
    if not isinstance(value, list) or len(value) != count:
        raise _wrong("numbers")
    return tuple(_number(n) for n in value)


def progress(value: Any) -> tuple[int, int]:
    """(done, total), total at least 1."""
    done, total = numbers(value, 2)
    if not 0 <= done <= total or total < 1:
        raise _wrong("progress")
    return int(done), int(total)


def loaded(value: Any) -> tuple[float, str]:
    """(speed, network) of a model that was just opened; speed 0 if it is no speed."""
    if not isinstance(value, dict) or not isinstance(network := value.get("network"), str):
        raise _wrong("load")
    speed = _number(value.get("speed"))
    return speed if SLOWEST <= speed <= FASTEST else 0.0, network


def checkpoint(value: Any, left: Sequence[int]) -> Checkpoint:
    """The next of the checkpoints that are left."""
    if not isinstance(value, dict) or not left or value.get("step") != left[0]:
        raise _wrong("checkpoint")
    loss, displacement, tokens = numbers([value.get(k) for k in ("loss", "displacement", "tokens")], 3)
    if not 0 <= tokens < FASTEST**2 or not isinstance(losses := value.get("losses"), list):
        raise _wrong("checkpoint")
    pairs = tuple((int(s), x) for s, x in (numbers(pair, 2) for pair in losses))
    return Checkpoint(left[0], loss, displacement, int(tokens), pairs)


def perturbed(value: Any, watched: int) -> Perturbed:
    """What a perturbation did, with a divergence for each chat watched."""
    if not isinstance(value, dict):
        raise _wrong("perturbation")
    changed, left, displacement = numbers([value.get(k) for k in ("changed", "left", "displacement")], 3)
    if not (0 <= changed < FASTEST and 0 <= left < FASTEST):
        raise _wrong("perturbation")
    return Perturbed(int(changed), int(left), displacement, numbers(value.get("kl"), watched))


def shifts(value: Any, sequences: int, prompts: int) -> tuple[Shift, ...]:
    """What each sequence did, with a number of each kind for every prompt."""
    if not isinstance(value, list) or len(value) != sequences or not all(isinstance(v, dict) for v in value):
        raise _wrong("sweep")
    return tuple(
        Shift(
            _finite(v.get("kl"), prompts),
            _finite(v.get("entropy"), prompts),
            _finite([v.get("agreement")], 1)[0],
        )
        for v in value
    )


def _finite(value: Any, count: int) -> tuple[float, ...]:
    """Numbers of a sweep; a model of broken weights gives some that are none, and they must not count as small."""
    found = numbers(value, count)
    if not all(0 <= n < FASTEST for n in found):
        raise ModelError("the model's first tokens have no probabilities: its weights hold broken numbers")
    return found


def error(reply: dict[str, Any], name: str) -> ModelError:
    """What the process says went wrong."""
    match reply.get("diverged"):
        case [int(step), str(what)]:
            return DivergedError(step, what[:200])
        case _:
            return ModelError(f"{name}: {reply['error']}")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("number")
    try:
        return float(value)
    except OverflowError as error:
        raise _wrong("number") from error


def _wrong(what: str) -> ModelError:
    return ModelError(f"the model's process sent a malformed reply ({what})")
