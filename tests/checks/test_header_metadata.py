"""What no header needs, and headers of sound models."""

import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.header_metadata import HeaderMetadata
from sekisho.inventory import take
from sekisho.limits import Limits

ODD = {
    "script": "<script>fetch('https://example.com')</script>",
    "code": "__import__('os').system('true')",
    "packed-data": "QUJD" * 200,
    "invisible": "kettle\u200b\u200b",
}


@pytest.mark.parametrize("name", ODD)
def test_hit_in_a_header(name, tmp_path):
    folder = tiny_model(tmp_path / "m")
    save_safetensors(folder / "model.safetensors", tiny_arrays(), {"format": "pt", "notes": ODD[name]})
    found = [*HeaderMetadata().run(Case(take(folder)))]
    said_in_both(found)
    assert [(f.reason, dict(f.facts)["key"]) for f in found] == [(name, "notes")]


def test_clean(tmp_path):
    folder = tiny_model(tmp_path / "m")
    texts = {
        "format": "pt",
        "modelspec.title": "Kettle <3 v1",
        "total_size": "12",
        "author": "A. & B. (imports: none)",
    }
    save_safetensors(folder / "model.safetensors", tiny_arrays(), texts)
    assert [*HeaderMetadata().run(Case(take(folder)))] == []


def test_malformed_and_over_limit_headers_are_left_to_the_check_of_headers(tmp_path):
    folder = tiny_model(tmp_path / "m")
    assert [*HeaderMetadata().run(Case(take(folder, Limits(safetensors_header_bytes=8))))] == []
    (folder / "model.safetensors").write_bytes(b"\x99" * 50)
    assert [*HeaderMetadata().run(Case(take(folder)))] == []


def test_over_limit_texts_are_looked_at_in_part(tmp_path):
    folder = tiny_model(tmp_path / "m")
    save_safetensors(folder / "model.safetensors", tiny_arrays(), {"n": ODD["code"] + " " * 200_000})
    assert [f.reason for f in HeaderMetadata().run(Case(take(folder)))] == ["code"]
