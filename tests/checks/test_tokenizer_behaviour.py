"""Tokenizers judged by what they do: encoded and decoded in the confined child."""

import pytest

import tokentricks
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.generation_config import GenerationConfig
from sekisho.checks.tokenizer_delta import TokenizerDelta
from sekisho.formats import tokenising
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome

pytestmark = pytest.mark.integration


def judged(folder, base=None, limits=Limits()):
    files, others = take(folder), take(base) if base else None
    case = Case(files, others, tokenised=tokenising.measure(files, others, limits))
    found = [*TokenizerDelta().run(case), *GenerationConfig().run(case)]
    said_in_both(found)
    return [f for f in found if f.outcome in {Outcome.FAIL, Outcome.CANNOT_TELL}]


@pytest.mark.parametrize("kind", tokentricks.KINDS)
def test_clean(kind, tmp_path):
    assert judged(tokentricks.put(tmp_path, tokentricks.document(kind))) == []


@pytest.mark.parametrize("name", tokentricks.TRICKS)
def test_hit_alone(name, tmp_path):
    assert judged(tokentricks.tricked(name, tmp_path))


@pytest.mark.parametrize("name", tokentricks.TRICKS)
def test_hit_beside_the_base(name, tmp_path):
    base = tokentricks.put(tmp_path / "b", tokentricks.document())
    assert judged(tokentricks.tricked(name, tmp_path / "m"), base)


def test_behaviour_alone_tells_rules_that_replace(tmp_path):
    found = judged(tokentricks.tricked("decoder-replaces", tmp_path))
    assert "round-trip" in {f.reason for f in found}


def test_malformed_tokenizer_is_not_tried(tmp_path):
    made = tokentricks.document()
    made["decoder"] = {"type": "NoSuchThing"}
    assert "not-tried" in {f.reason for f in judged(tokentricks.put(tmp_path, made))}


def test_over_the_limit_is_not_a_pass(tmp_path):
    folder = tokentricks.put(tmp_path, tokentricks.document())
    assert "not-tried" in {f.reason for f in judged(folder, limits=Limits(sandbox_s=0.01))}
