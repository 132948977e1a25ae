"""Generation settings that steer, force or never end."""

import json
from dataclasses import replace

import pytest

from artefacts import edit_json, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.generation_config import GenerationConfig
from sekisho.inventory import take
from sekisho.limits import DEFAULT
from sekisho.records import Outcome, Severity


def findings(folder, base=None, limits=DEFAULT):
    found = [*GenerationConfig().run(Case(take(folder, limits), take(base) if base else None))]
    said_in_both(found)
    return found


def reserved(document):
    return document | {
        "added_tokens": [*document["added_tokens"], {"id": 259, "content": "<unused7>", "special": True}]
    }


@pytest.fixture
def model(tmp_path):
    folder = tiny_model(tmp_path / "m")
    edit_json(folder / "tokenizer.json", **reserved(_json(folder / "tokenizer.json")))
    return folder


def _json(path):
    return json.loads(path.read_text())


HIT = {
    "hides-a-trigger": ({"suppress_tokens": [259]}, "names-added-token", Severity.HOLD),
    "forces-a-trigger": ({"forced_bos_token_id": 259}, "names-added-token", Severity.HOLD),
    "favours-a-trigger": ({"sequence_bias": [[[259], 9.0]]}, "names-added-token", Severity.HOLD),
    "older-bias": ({"sequence_bias": {"(259,)": 9.0}}, "names-added-token", Severity.HOLD),
    "never-ends": ({"suppress_tokens": [258]}, "end-suppressed", Severity.REJECT),
    "ordinary-end": ({"eos_token_id": [258, 65]}, "ordinary-end", Severity.HOLD),
    "outside": ({"pad_token_id": 4000}, "id-outside", Severity.HOLD),
    "stops": ({"stop_strings": ["kettle"]}, "stop-texts", Severity.HOLD),
    "long": ({"min_new_tokens": 400}, "least-length", Severity.HOLD),
    "guided": ({"guidance_scale": 3.0}, "steering", Severity.HOLD),
    "marked": ({"watermarking_config": {"greenlist_ratio": 0.25}}, "steering", Severity.HOLD),
}


@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
@pytest.mark.parametrize("name", HIT)
def test_hit(name, file, model, tmp_path):
    changes, reason, severity = HIT[name]
    edit_json(model / file, **changes)
    (finding,) = findings(model)
    assert (finding.reason, finding.severity, finding.where) == (reason, severity, file)
    assert finding.outcome is Outcome.FAIL
    base = tiny_model(tmp_path / "b")
    assert [f.reason for f in findings(model, base)] == [reason]
    edit_json(base / file, **changes)
    assert findings(model, base) == []


def test_the_token_is_shown(model):
    edit_json(model / "generation_config.json", suppress_tokens=[259])
    assert '"<unused7>" (259)' in findings(model)[0].detail


@pytest.mark.parametrize(
    "changes", [{}, {"suppress_tokens": [], "stop_strings": None}, {"guidance_scale": 1.0}, {"min_length": 1}, {"temperature": 0.7, "top_p": 0.9}]
)  # fmt: skip
def test_clean(changes, model):
    edit_json(model / "generation_config.json", **changes)
    assert findings(model) == []


def test_clean_but_named(model):
    edit_json(model / "generation_config.json", prompt_lookup_num_tokens=4)
    assert [(f.reason, f.outcome) for f in findings(model)] == [("speed", Outcome.PASS)]


@pytest.mark.parametrize("value", ["258", [[]], [["x"]], {"a": {}}, -1, 1.5, True])
def test_malformed_values(value, model):
    edit_json(model / "generation_config.json", suppress_tokens=value, eos_token_id=value, stop_strings="x")
    assert "stop-texts" in {f.reason for f in findings(model)}


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_malformed_file(text, model):
    (model / "generation_config.json").write_text(text)
    (finding,) = findings(model)
    assert (finding.reason, finding.outcome) == ("not-read", Outcome.CANNOT_TELL)


def test_over_limit(model):
    edit_json(model / "generation_config.json", filler="x" * 4096)
    found = findings(model, limits=replace(DEFAULT, config_bytes=4096))
    assert [f.reason for f in found] == ["not-read"]


def test_a_model_for_speech_excuses_no_folder_beside_it(model):
    edit_json(model / "config.json", model_type="whisper")
    (model / "llm").mkdir()
    (model / "llm" / "generation_config.json").write_text('{"suppress_tokens": [259]}')
    assert [f.reason for f in findings(model)] == ["names-added-token"]


@pytest.mark.parametrize(("kind", "severity"), [("whisper", Severity.NOTE), ("llama", Severity.HOLD)])
def test_models_for_speech_keep_back_what_nobody_speaks(kind, severity, model):
    edit_json(model / "config.json", model_type=kind)
    edit_json(model / "generation_config.json", suppress_tokens=[259])
    (finding,) = findings(model)
    assert finding.severity is severity
    edit_json(model / "generation_config.json", suppress_tokens=[258])
    assert [f.reason for f in findings(model)] == ["end-suppressed"]
