"""Content decides; a name decides only where content cannot."""

import json

import pytest

from artefacts import TEMPLATE, gguf_bytes, safetensors_bytes
from hostile import PAYLOAD, torch_zip
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import FORMATS, sniff, text
from sekisho.limits import DEFAULT, Limits

HEADER = json.dumps({"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}}).encode()


def padded(length):
    """A safetensors file whose header has exactly this length."""
    return safetensors_bytes(HEADER + b" " * (length - len(HEADER)), b"")


def name_of(data, filename):
    found = sniff(data[:4096], filename)
    return found.name if found else "unknown"


@pytest.mark.parametrize(
    ("data", "filename", "expected"),
    [
        (PAYLOAD, "model.safetensors", "pickle"),
        (PAYLOAD, "config.json", "pickle"),
        (safetensors_bytes(HEADER, b""), "pytorch_model.bin", "safetensors"),
        (gguf_bytes(), "model.safetensors", "gguf"),
        (b'{"a": 1}', "anything", "json"),
        (b"[1, 2]", "anything", "json"),
        (b"\xef\xbb\xbf{}", "anything", "json"),
        (b'{"a": 1}\n{"a": 2}', "data.jsonl", "text"),
        (b"[link](https://example.org)", "notes", "text"),
        (TEMPLATE.encode(), "notes", "text"),
        (b"\xff\xff", "config.json", "json"),
        (b"", "model.safetensors", "safetensors"),
        (b"", "model.gguf", "gguf"),
        (b"", "pytorch_model.bin", "pickle"),
        (b"", "anything", "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pytorch_model.bin", "pickle"),
        (b"import os\n", "site.pth", "code"),
        (b"\x01\x02\x03", "weights.pth", "code"),
        (b"\x89PNG\r\n\x1a\n\x00", "x.json", "json"),
        (b"\x89PNG\r\n\x1a\n\x00", "x", "media"),
        (b"#!/bin/sh\n", "README.md", "code"),
        (b"MZ is an abbreviation\n", "README.md", "text"),
        (b"MZ\x90\x00\x03", "x", "code"),
        (b"BZh9" + bytes(9), "x", "bzip2"),
        (b"\x78\x9c\x4b\x4c\x04\x00", "x", "zlib"),
        (b"\x78\x9c\xff\xff\xff\xff", "x", "unknown"),
        (b"\x00\x01\x02", "model.onnx", "onnx"),
        (b"words", "model.onnx", "text"),
        (bytes(40), "x", "unknown"),
    ],
)
def test_sniff(data, filename, expected):
    assert name_of(data, filename) == expected


@pytest.mark.parametrize("length", [0x5A4D, 0x2123, 0x9C78, 0x8B1F, 0x0280, 0x300280, 0x10000, 0x5D5D])
def test_header_lengths_that_look_like_other_magic_numbers(length):
    assert name_of(padded(length), "model.safetensors") == "safetensors"


def test_zip_is_known_under_any_name(tmp_path):
    assert name_of(torch_zip(tmp_path / "a").read_bytes(), "model.safetensors") == "zip"


def test_every_format_is_named_once_per_way_of_knowing_it():
    assert len(FORMATS) == len(set(FORMATS))
    assert sniff(bytes(20), "x") is None


def test_text_is_read_to_its_end(tmp_path):
    (tmp_path / "x").write_bytes("é".encode() * 3000)
    assert text.read_text(tmp_path / "x", DEFAULT) == text.TextFacts(3000)
    assert name_of(b"x" + "é".encode() * 3000, "x") == "text"
    with pytest.raises(LimitError):
        text.read_text(tmp_path / "x", Limits(text_bytes=100))
    (tmp_path / "x").write_bytes(b"a" * 5000 + b"\xff")
    with pytest.raises(MalformedError, match="byte 5000"):
        text.read_text(tmp_path / "x", DEFAULT)


def test_shown_keeps_a_report_on_one_line():
    assert text.shown("a\n\x1b[31mb\u202e") == "a\\n\\x1b[31mb\\u202e"
    assert len(text.shown("x" * 1000)) < 200
