"""Facts of tokenizer.json and its neighbours."""

import json

import pytest

from artefacts import tiny_tokenizer, tiny_vocab
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import sniff
from sekisho.formats.tokenizer import (
    AddedToken,
    declared,
    from_document,
    generation,
    read,
    settings,
)
from sekisho.formats.tokenizer import (
    sniff as is_tokenizer,
)
from sekisho.limits import Limits


def document(**changes):
    return tiny_tokenizer(tiny_vocab()) | changes


def test_clean(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(document()))
    facts = read(path, Limits())
    assert (facts.model, len(facts.tokens), facts.merges) == ("BPE", 259, 0)
    assert facts.tokens[257] == "<|im_start|>"
    assert facts.added[1] == AddedToken(257, "<|im_start|>", ("special",))
    assert facts.inserted == facts.expanded == facts.replacements == facts.conflicts == ()


def test_recognised_by_name_and_bracket():
    assert sniff(b' {"model": 1}', "tokenizer.json").name == "tokenizer"
    assert not is_tokenizer(b"\x80\x04", "tokenizer.json")
    assert not is_tokenizer(b"{}", "config.json")


def test_merge_digest_sees_order_and_not_spelling():
    def digest(merges):
        model = document()["model"] | {"merges": merges}
        return from_document(document(model=model)).merges_digest

    assert digest(["a b", "c d"]) == digest([["a", "b"], ["c", "d"]])
    assert digest(["a b", "c d"]) != digest(["c d", "a b"])


def test_unigram_vocabulary():
    model = {"type": "Unigram", "vocab": [["<unk>", 0.0], ["a", -1.0]], "unk_id": 0}
    assert from_document({"model": model}).tokens == ("<unk>", "a")


def test_rules_anywhere_in_a_sequence():
    replace = {"type": "Replace", "pattern": {"String": "no"}, "content": "yes"}
    nested = {
        "type": "Sequence",
        "normalizers": [{"type": "NFC"}, replace, {"type": "Prepend", "prepend": "▁"}],
    }
    facts = from_document(document(normalizer=nested))
    assert facts.replacements == (("normalizer", "no", "yes"), ("normalizer", "", "▁"))


def test_processors():
    table = {"<|im_end|>": {"id": "<|im_end|>", "ids": [258], "tokens": ["<|im_end|>"]}}
    single = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|im_end|>", "type_id": 0}}]
    template = {"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": table}
    facts = from_document(document(post_processor=template))
    assert (facts.inserted, facts.expanded) == (("<|im_end|>",), ())
    table["<|im_end|>"]["ids"] = [258, 4]
    assert from_document(document(post_processor=template)).expanded == ("<|im_end|>",)
    bert = {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2]}
    assert from_document(document(post_processor=bert)).inserted == ("[SEP]", "[CLS]")


def test_section_digests_change_with_the_section():
    def sections(**changes):
        return {s.name: s.digest for s in from_document(document(**changes)).sections}

    changed = sections(normalizer={"type": "NFC"})
    assert {n for n, d in sections().items() if changed[n] != d} == {"normalizer"}


def test_what_is_defined_twice(tmp_path):
    added = [*document()["added_tokens"], {"id": 259, "content": "<|im_end|>"}, {"id": 5, "content": "x y"}]
    kinds = dict(from_document(document(added_tokens=added)).conflicts)
    assert kinds == {"duplicate-content": "<|im_end|>", "duplicate-id": "x y"}
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"vocab": {"a": 0, "a": 1}, "merges": []}}')
    assert ("duplicate-key", "a") in read(path, Limits()).conflicts


@pytest.mark.parametrize(
    "broken",
    [
        [],
        {},
        {"model": {"vocab": 3}},
        {"model": {"vocab": {"a": -1}}},
        {"model": {"vocab": {"a": 2**40}}},
        {"model": {"vocab": {"a": "0"}}},
        {"model": {"vocab": [["a"], [3]]}},
        {"model": {"vocab": {}, "merges": {}}},
        {"model": {"vocab": {}}, "added_tokens": [{"id": 1}]},
        {"model": {"vocab": {}}, "added_tokens": [{"content": "a"}]},
    ],
)
def test_malformed(broken):
    with pytest.raises(MalformedError):
        from_document(broken)


def test_over_limit(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(document()))
    with pytest.raises(LimitError):
        read(path, Limits(json_bytes=100))


def test_neighbours():
    entry = {"content": "<x>", "special": True, "lstrip": True}
    assert settings({"added_tokens_decoder": {"7": entry}}) == (AddedToken(7, "<x>", ("special", "lstrip")),)
    assert settings(None) == settings({}) == ()
    with pytest.raises(MalformedError):
        settings({"added_tokens_decoder": {"seven": entry}})
    named = {
        "bos_token": "<s>",
        "eos_token": {"content": "</s>"},
        "pad_token": None,
        "additional_special_tokens": ["<x>"],
    }
    assert declared(named) == (("bos_token", "<s>"), ("eos_token", "</s>"), ("additional", "<x>"))
    assert generation({"suppress_tokens": [1], "bad_words_ids": [], "eos_token_id": 2}) == (
        ("suppress_tokens", "[1]"),
    )
