"""Hypothesis over every reader: damaged files of every kind, given to every reader, raise nothing but what readers raise."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import documents
from fuzz.targets import seeds, targets

TARGETS, SEEDS = targets() | documents.targets(), seeds() | documents.seeds()


def damaged(chance: random.Random) -> bytes:
    """A seed, cut, joined with another, or with some bytes set to others that readers look for."""
    data = bytearray(chance.choice(list(SEEDS.values()))[:8_192])
    for _ in range(chance.randint(0, 6)):
        at = chance.randrange(len(data) + 1)
        other = chance.choice(list(SEEDS.values()))
        kind = chance.randrange(4)
        if kind == 0 and data:
            data[at % len(data)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x2E, 0x28, 0x7B))
        elif kind == 1:
            del data[at : at + chance.choice((1, 4, 8, 64))]
        elif kind == 2:
            data[at:at] = other[: chance.choice((4, 32, 256))]
        else:
            data[at : at + 8] = chance.choice((bytes(8), b"\xff" * 8, (2**40).to_bytes(8, "little")))
    return bytes(data)


@pytest.mark.integration
@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_damage(name: str, chance: random.Random) -> None:
    TARGETS[name](damaged(chance))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_much_damage(name: str, chance: random.Random) -> None:
    TARGETS[name](damaged(chance))
