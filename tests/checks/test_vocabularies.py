"""Several vocabularies in one folder, and ids in configurations."""

import json

import pytest

from artefacts import edit_json, tiny_model, write_json
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.tokenizer_delta import TokenizerDelta
from sekisho.inventory import take
from sekisho.records import Outcome, Severity
from vocabularies import sentencepiece_bytes, tekken_document

WORDS = [f"▁w{n}" for n in range(300)]


def findings(folder, base=None):
    found = list(TokenizerDelta().run(Case(take(folder), take(base) if base else None)))
    said_in_both(found)
    return {f.reason: f for f in found if f.outcome is not Outcome.PASS and f.outcome is not Outcome.NOT_RUN}


def alone(folder, **options):
    """A model whose tokens stand in a SentencePiece model only."""
    tiny_model(folder)
    (folder / "tokenizer.json").unlink(missing_ok=True)
    edit_json(folder / "tokenizer_config.json", added_tokens_decoder=None)
    (folder / "tokenizer.model").write_bytes(sentencepiece_bytes(options.pop("words", WORDS), **options))
    return folder


def both(folder, words, own=WORDS, shift=0):
    """A tokenizer.json and a SentencePiece model beside it."""
    alone(folder, words=words)
    tokens = [*(f"<x{n}>" for n in range(shift)), "<unk>", "<s>", "</s>", *own]
    model = {"type": "BPE", "vocab": {t: n for n, t in enumerate(tokens)}, "merges": []}
    write_json(folder / "tokenizer.json", {"version": "1.0", "added_tokens": [], "model": model})
    return folder


OF_VOCABULARIES = {
    "vocabularies-contradict", "vocabularies-differ", "scores-out-of-order", "unreal-scores", "own-normaliser",
    "id-contradicts", "word-replacement", "no-tokenizer", "not-read", "defined-twice",
}  # fmt: skip


def test_a_plain_model_says_nothing(tmp_path):
    assert not findings(alone(tmp_path / "m")).keys() & OF_VOCABULARIES


def test_agreeing_files_say_nothing_even_shifted(tmp_path):
    assert not findings(both(tmp_path / "a", WORDS)).keys() & OF_VOCABULARIES
    assert not findings(both(tmp_path / "b", WORDS, shift=1)).keys() & OF_VOCABULARIES


def test_two_pieces_swapped_beside_tokenizer_json(tmp_path):
    swapped = [WORDS[1], WORDS[0], *WORDS[2:]]
    found = findings(both(tmp_path / "m", swapped))["vocabularies-contradict"]
    assert (found.severity, dict(found.facts)["count"]) == (Severity.REJECT, "2")


def test_another_vocabulary_beside_tokenizer_json(tmp_path):
    found = findings(both(tmp_path / "m", [f"▁v{n}" for n in range(300)]))["vocabularies-differ"]
    assert found.severity is Severity.HOLD


def test_tekken_beside_tokenizer_json(tmp_path):
    folder = tiny_model(tmp_path / "m")
    words = [f"w{n}" for n in range(300)]
    tokens = ["<unk>", "<s>", *words]
    model = {"type": "BPE", "vocab": {t: n for n, t in enumerate(tokens)}, "merges": []}
    write_json(folder / "tokenizer.json", {"version": "1.0", "added_tokens": [], "model": model})
    (folder / "tekken.json").write_text(json.dumps(tekken_document([w.encode() for w in words])))
    assert not findings(folder).keys() & OF_VOCABULARIES
    words[4], words[5] = words[5], words[4]
    (folder / "tekken.json").write_text(json.dumps(tekken_document([w.encode() for w in words])))
    assert findings(folder)["vocabularies-contradict"].severity is Severity.REJECT


@pytest.mark.parametrize(
    ("options", "reason", "severity"),
    [
        ({"scores": [-5.0, *(-float(n) for n in range(1, 300))]}, "scores-out-of-order", Severity.HOLD),
        ({"scores": [float("nan"), *(-float(n) for n in range(1, 300))]}, "unreal-scores", Severity.REJECT),
        ({"normaliser": "user_defined"}, "own-normaliser", Severity.HOLD),
        ({"rules": b"6E 6F 74\t79 65 73\n"}, "word-replacement", Severity.REJECT),
        ({"words": [*WORDS[:-1], WORDS[0]]}, "defined-twice", Severity.REJECT),
    ],
)
def test_tricks_without_a_base(options, reason, severity, tmp_path):
    assert findings(alone(tmp_path / "m", **options))[reason].severity is severity


def test_against_the_base(tmp_path):
    base = both(tmp_path / "b", WORDS)
    assert "token-remapped" not in findings(both(tmp_path / "same", WORDS), base)
    changed = both(tmp_path / "m", WORDS)
    (changed / "tokenizer.model").write_bytes(sentencepiece_bytes(WORDS, scores=[0.0, *[-9.0] * 299]))
    assert dict(findings(changed, base)["pipeline-changed"].facts)["section"] == "scores"


def test_malformed_and_over_limit_are_not_passed(tmp_path):
    folder = alone(tmp_path / "m")
    (folder / "tokenizer.model").write_bytes(b"\n\x0e\n\x7fxx")
    found = findings(folder)
    assert {found["not-read"].outcome, found["no-tokenizer"].outcome} == {Outcome.CANNOT_TELL}


def test_an_id_that_is_another_token_than_other_files_say(tmp_path):
    folder = both(tmp_path / "m", WORDS)
    write_json(folder / "processor_config.json", {"image_token": "▁w7"})
    edit_json(folder / "config.json", image_token_id=10)
    assert "id-contradicts" not in findings(folder)
    edit_json(folder / "config.json", image_token_id=11)
    assert dict(findings(folder)["id-contradicts"].facts)["own"] == "▁w8"
