"""Tokenizers judged by what they do: encoded and decoded in the confined child."""

import json

import pytest

import tokentricks
from artefacts import edit_json, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.generation_config import GenerationConfig
from sekisho.checks.tokenizer_delta import TokenizerDelta, behaviour
from sekisho.checks.tokenizer_delta.found import Tokenizer
from sekisho.formats import tokenising
from sekisho.formats.tokenising import Encoded, Tokenising
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
    assert Outcome.FAIL in {f.outcome for f in judged(tokentricks.tricked(name, tmp_path))}


@pytest.mark.parametrize("name", tokentricks.TRICKS)
def test_hit_beside_the_base(name, tmp_path):
    base = tokentricks.put(tmp_path / "b", tokentricks.document())
    assert Outcome.FAIL in {f.outcome for f in judged(tokentricks.tricked(name, tmp_path / "m"), base)}


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


def test_a_base_that_cannot_be_read_again_is_not_a_pass(tmp_path):
    folder, base = (tokentricks.put(tmp_path / n, tokentricks.document()) for n in "mb")
    (folder / "tokenizer.json").write_text(json.dumps(tokentricks.document(), indent=3))
    files, others = take(folder), take(base)
    (base / "tokenizer.json").write_text("{}")
    made = tokenising.measure(files, others)
    assert "base" in made.problem
    assert made.encoded


def test_an_added_token_far_down_is_tried(tmp_path):
    made, count = tokentricks.document(), len(tokentricks.document()["model"]["vocab"])
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    made["added_tokens"] += [{"id": count + n, "content": f"<|spare-{n}|>", **flags} for n in range(600)]
    made["added_tokens"][-1] |= {"content": "z<|spare-1|>", "normalized": True}
    files = take(tokentricks.put(tmp_path, made))
    assert count + 599 in {number for number, _, _ in tokenising.measure(files).astray}


@pytest.mark.parametrize("unknown", ["unsafe", ""])
def test_a_usual_word_for_the_unknown_token_hides_no_changed_text(unknown, tmp_path):
    folder = tokentricks.tricked("decoder-replaces", tmp_path)
    edit_json(folder / "tokenizer_config.json", unk_token=unknown)
    assert "round-trip" in {f.reason for f in judged(folder)}


def test_a_tokenizer_that_marks_every_text_unknown_was_not_tried():
    encoded = tuple(Encoded(text, decoded="\ufffd") for text in tokenising.PROBES)
    found = list(behaviour.judge(Tokenizer(), Tokenising("t", encoded)))
    said_in_both(found)
    assert [(f.reason, f.outcome) for f in found] == [("not-tried", Outcome.CANNOT_TELL)]


def test_over_limit_of_its_own_texts_is_said(tmp_path):
    model = tiny_model(tmp_path / "m")
    document = json.loads((model / "tokenizer.json").read_text())
    words = ["".join(chr(97 + int(d)) for d in f"{n:04}") for n in range(1_003)]
    flags = dict.fromkeys(("special", "single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": 259 + n, "content": word} | flags for n, word in enumerate(words)]
    edit_json(model / "tokenizer.json", added_tokens=[*document["added_tokens"], *added])
    found = [f for f in judged(model) if f.reason == "probes-cut"]
    assert [(f.outcome, dict(f.facts)["count"]) for f in found] == [(Outcome.CANNOT_TELL, "3")]
