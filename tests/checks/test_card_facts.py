"""Card, licence and adapters that contradict one another, and what is only told."""

import pytest

from artefacts import tiny_model, write_json
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.card_facts import CardFacts
from sekisho.formats import card
from sekisho.inventory import take
from sekisho.records import Outcome

MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software"
MIT += ' ... THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY'
APACHE = "  Apache License\n  Version 2.0, January 2004\n 3. Grant of Patent License. Subject to"
HEAD = "---\nlicense: {}\nbase_model:\n- kettle/base-1b\ndatasets: [kettle/leaves, 'b']\n---\n# Model\n"


def model(folder, licence, text):
    tiny_model(folder)
    (folder / "README.md").write_text(HEAD.format(licence))
    (folder / "LICENSE").write_text(text)
    return folder


def findings(folder):
    found = [*CardFacts().run(Case(take(folder)))]
    said_in_both(found)
    return {f.reason: f for f in found}


@pytest.mark.parametrize(("licence", "text"), [("apache-2.0", MIT), ("mit", APACHE), ("cc-by-nc-4.0", MIT)])
def test_hit_licences(licence, text, tmp_path):
    found = findings(model(tmp_path / "m", licence, text))
    assert found["licences-contradict"].outcome is Outcome.FAIL


def test_hit_bases(tmp_path):
    folder = model(tmp_path / "m", "mit", MIT)
    write_json(
        folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "kettle/other-7b"}
    )
    assert "kettle/other-7b" in findings(folder)["bases-contradict"].detail
    write_json(
        folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "/data/Base-1B"}
    )
    assert "bases-contradict" not in findings(folder)


def test_clean(tmp_path):
    found = findings(model(tmp_path / "m", "mit", MIT))
    assert {f.outcome for f in found.values()} == {Outcome.PASS}
    assert dict(found["licence"].facts) == {"licence": "MIT"}
    assert dict(found["data-sets"].facts) == {"data": "kettle/leaves, b"}


def test_unknown_stays_unknown(tmp_path):
    found = findings(model(tmp_path / "m", "other", "Do as the kettle says.\n"))
    assert "licence-unknown" in found
    assert "licences-contradict" not in found


def test_what_forbids_commercial_use_is_named(tmp_path):
    found = findings(model(tmp_path / "m", "cc-by-nc-4.0", "see the card"))
    assert dict(found["not-commercial"].facts) == {"licence": "CC-BY-NC-4.0"}


@pytest.mark.parametrize(
    "text", ["", "---", "---\nlicense: mit\n", "---\n- a\n: b\n---\n", "--- \nx: [\n---\n", "a: 1\n---\n"]
)
def test_malformed_heads(text):
    assert all(key != "license" for key, _ in card.front(text))


def test_over_limit_heads_are_cut():
    assert card.front("---\n" + "a: 1\n" * 5_000 + "---\n") == ()
