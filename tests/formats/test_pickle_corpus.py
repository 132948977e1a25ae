"""The corpus of pickles against both policies: nothing hostile is let pass, nothing benign is refused by the allowing one."""

import importlib
import sys
from pathlib import Path

import pytest

from sekisho import opinions
from sekisho.checks.base import Case
from sekisho.checks.foreign_container import ForeignContainer
from sekisho.checks.remote_code import RemoteCode
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.inventory import take
from sekisho.records import Severity

CHECKS = (UnsafeSerialisation(), ForeignContainer(), RemoteCode())


@pytest.fixture(scope="module")
def corpus():
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        yield importlib.import_module("corpora.pickles")
    finally:
        sys.path.pop(0)


def worst(folder, *, known):
    case = Case(take(folder), known_pickles=known)
    return {f.severity for check in CHECKS for f in check.run(case)}


@pytest.mark.integration
@pytest.mark.parametrize("known", [True, False], ids=["known-globals", "refuse"])
def test_no_hostile_shape_is_less_than_rejected(known, corpus, tmp_path):
    shapes = corpus.hostile()
    assert len(shapes) > 200
    assert corpus.quiet(lambda f: Severity.REJECT in worst(f, known=known), tmp_path, shapes) == ()


def test_no_benign_checkpoint_is_blocked_by_the_allowing_policy(corpus, tmp_path):
    blocked = set(corpus.BENIGN) - set(
        corpus.quiet(lambda f: worst(f, known=True) - {Severity.NOTE}, tmp_path, corpus.BENIGN)
    )
    assert blocked == set()


def test_the_default_policy_refuses_every_pickle(corpus, tmp_path):
    quiet = corpus.quiet(lambda f: Severity.REJECT in worst(f, known=False), tmp_path, corpus.BENIGN)
    assert quiet == ("npz-numbers",)


@pytest.mark.integration
def test_picklescan_objects_to_no_benign_checkpoint(corpus, tmp_path):
    for number, files in enumerate(corpus.BENIGN.values()):
        (tmp_path / str(number)).mkdir()
        corpus.put(files, tmp_path / str(number))
    seen = opinions.ask("picklescan", take(tmp_path))
    assert (seen.problem, seen.alarms) == ("", ())
