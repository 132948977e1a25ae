"""Findings about templates, tokenizers and weights read the same in the catalogue of sentences as in code."""

import json
import tomllib
from importlib.resources import files

import pytest

from artefacts import tiny_model, write_json
from checks import test_tokenizer_delta as tokens
from checks import test_weights_delta as weights
from sekisho.checks.chat_template import alone
from sekisho.formats.chat_template import describe
from templates import BENIGN, HELD, REJECTED

COMMON = {"no-base", "nothing-found", "unfinished"}


def sentences(check):
    text = (files("sekisho.report") / "locale" / "checks" / f"{check}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def hold_together(findings):
    assert findings
    for finding in findings:
        if finding.reason in COMMON:
            continue
        sentence = sentences(finding.check)["reasons"][finding.reason]
        values = {"where": finding.where, "detail": finding.detail, **dict(finding.facts)}
        assert sentence["en"].format(**values) == finding.detail
        assert sentence["ja"].format(**values)


def test_templates():
    texts = {**REJECTED, **HELD, **BENIGN}
    hold_together([f for t in texts.values() for f in alone.judge("chat_template.jinja", describe(t))])


@pytest.mark.parametrize("name", [*tokens.ALONE, *tokens.AGAINST])
def test_tokenizers(name, tmp_path):
    model, base = tiny_model(tmp_path / "m"), tiny_model(tmp_path / "b")
    tokens.edit(model, tokens.ALONE[name] if name in tokens.ALONE else tokens.AGAINST[name][0])
    hold_together(tokens.findings(model, base))


def test_tokenizer_neighbours(tmp_path):
    model, base = tiny_model(tmp_path / "m"), tiny_model(tmp_path / "b")
    write_json(model / "generation_config.json", {"suppress_tokens": [1]})
    write_json(model / "added_tokens.json", {"<|im_end|>": 3})
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["added_tokens_decoder"]["257"]["lstrip"] = True
    write_json(model / "tokenizer_config.json", config | {"eos_token": "<|new|>"})
    found = tokens.findings(model, base)
    hold_together(found)
    assert len({f.reason for f in found}) >= 5
    (base / "tokenizer.json").write_text("[")
    hold_together(tokens.findings(base, base))


@pytest.mark.parametrize("name", weights.PLANTED)
def test_weights(name, tmp_path):
    hold_together(weights.findings(tmp_path, tiny_model(tmp_path / "b"), weights.PLANTED[name][0]))


@pytest.mark.parametrize("share", [0.0, 0.1, 2.0])
def test_weights_changed_throughout(share, tmp_path):
    hold_together(weights.findings(tmp_path, tiny_model(tmp_path / "b"), lambda a: weights.noise(a, share)))
