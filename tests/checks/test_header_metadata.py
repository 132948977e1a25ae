"""What no header needs, and headers of sound models."""

import struct

import pytest

from artefacts import gguf_bytes, save_safetensors, tiny_arrays, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.header_metadata import HeaderMetadata
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Severity

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


@pytest.mark.parametrize("before", [0, 99_990, 250_000])
def test_over_limit_texts_are_looked_at_piece_by_piece(before, tmp_path):
    folder = tiny_model(tmp_path / "m")
    text = " " * before + ODD["code"] + " " * 200_000
    save_safetensors(folder / "model.safetensors", tiny_arrays(), {"n": text})
    assert [f.reason for f in HeaderMetadata().run(Case(take(folder)))] == ["code"]


def test_hit_in_the_last_of_many_texts_of_a_gguf_header(tmp_path):
    texts = [b"kettle"] * 20_001 + [ODD["script"].encode()]
    listed = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    keys = struct.pack("<Q", 4) + b"tags" + struct.pack("<IIQ", 9, 8, len(texts)) + listed
    (tmp_path / "a.gguf").write_bytes(gguf_bytes(keys=keys, key_count=1))
    assert [f.reason for f in HeaderMetadata().run(Case(take(tmp_path)))] == ["script"]


def test_what_is_grave_is_named_before_what_is_not(tmp_path):
    folder = tiny_model(tmp_path / "m")
    texts = {f"n{n}": ODD["invisible"] for n in range(20)} | {"z": ODD["script"]}
    save_safetensors(folder / "model.safetensors", tiny_arrays(), texts)
    found = [*HeaderMetadata().run(Case(take(folder)))]
    assert (found[0].reason, found[0].severity, len(found)) == ("script", Severity.REJECT, 8)
