"""SentencePiece models and tekken.json: what they hold, and what they are refused for."""

import base64
import json

import pytest

from sekisho.errors import LimitError, MalformedError
from sekisho.formats import sentencepiece, sniff, tekken
from sekisho.limits import Limits
from vocabularies import piece, sentencepiece_bytes, tekken_document


def read(tmp_path, data, limits=Limits()):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(data)
    return sentencepiece.read(path, limits)


def test_pieces_kinds_and_normaliser(tmp_path):
    facts = read(tmp_path, sentencepiece_bytes(["▁red", "▁tea"], model=2, normaliser="nmt_nfkc"))
    assert facts.model == "sentencepiece:bpe"
    assert facts.tokens == ("<unk>", "<s>", "</s>", "▁red", "▁tea")
    assert [(a.id, a.flags) for a in facts.added] == [(n, ("special",)) for n in range(3)]
    assert (facts.score_falls, facts.scores_unreal, facts.own_normaliser) == (0, 0, "")


def test_rules_of_its_own(tmp_path):
    facts = read(tmp_path, sentencepiece_bytes(["▁red"], normaliser="user_defined", rules=b"6E 6F 74\t\n"))
    assert facts.own_normaliser == "user_defined"
    assert facts.replacements == (("normalizer", "not", ""),)


def test_it_is_recognised_by_its_first_piece():
    data = sentencepiece_bytes(["▁red"])
    assert sniff(data, "tokenizer.model").name == "sentencepiece"
    assert sniff(data, "weights.bin") is None or sniff(data, "weights.bin").name != "sentencepiece"
    assert sniff(b'{"config": {}}', "tekken.json").name == "tekken"


@pytest.mark.parametrize(
    "data",
    [
        b"\n\x7f\n",
        b"\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0b\x00",
        b"\x12\x00",
        b"",
        piece("x", 0, 1)[:-2],
        b"\n\x03\n\x01\xff",
    ],
)
def test_malformed(data, tmp_path):
    with pytest.raises(MalformedError):
        read(tmp_path, data)


def test_over_the_limits(tmp_path):
    data = sentencepiece_bytes([f"▁{n}" for n in range(20)])
    with pytest.raises(LimitError):
        read(tmp_path, data, Limits(sentencepiece_bytes=10))
    with pytest.raises(LimitError):
        read(tmp_path, data, Limits(sentencepiece_pieces=10))


def test_tekken_is_read_as_tokenizer_json_would_write_it():
    facts = tekken.from_document(tekken_document([b" red", b"\xe3\x81"]))
    assert facts.tokens == ("<unk>", "<s>", "Ġred", "ãģ")
    assert facts.conflicts == ()


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("token_str", "blue", "text-not-bytes"),
        ("rank", 7, "rank-astray"),
        ("token_bytes", "cmVk", "duplicate-content"),
    ],
)
def test_tekken_that_contradicts_itself(key, value, kind):
    document = tekken_document([b"red", b"tea"])
    document["vocab"][1] |= {key: value} | ({"token_str": "red"} if key == "token_bytes" else {})
    assert [k for k, _ in tekken.from_document(document).conflicts] == [kind]


@pytest.mark.parametrize(
    "change",
    [
        {"vocab": None},
        {"config": []},
        {"vocab": [{"rank": 0}]},
        {"vocab": [{"rank": 0, "token_bytes": "?"}]},
        {"special_tokens": [{"rank": 9, "token_str": "x"}]},
        {"config": {"default_num_special_tokens": 10**9}},
    ],
)
def test_tekken_malformed(change):
    with pytest.raises(MalformedError):
        tekken.from_document(tekken_document([b"red"]) | change)


def test_tekken_over_the_limit(tmp_path):
    path = tmp_path / "tekken.json"
    path.write_text(json.dumps(tekken_document([b"red"])))
    assert base64.b64decode(tekken_document([b"red"])["vocab"][0]["token_bytes"]) == b"red"
    assert tekken.read(path, Limits()).model == "tekken"
    with pytest.raises(LimitError):
        tekken.read(path, Limits(json_bytes=20))
