"""The GGUF header reader against hand-made faults and random damage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artefacts import gguf_bytes, gguf_tensor, gguf_text, tiny_gguf
from damage import damaged, survives
from hostile import MALFORMED_GGUF
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import gguf
from sekisho.limits import DEFAULT, Limits

CLEAN = tiny_gguf()


def read(tmp, data, limits=DEFAULT):
    path = tmp / "x.gguf"
    path.write_bytes(data)
    return gguf.read(path, limits)


def array(key, kind, count, body):
    return struct.pack("<Q", len(key)) + key + struct.pack("<IIQ", 9, kind, count) + body


def test_a_clean_file(tmp_path):
    facts = read(tmp_path, CLEAN)
    assert facts.get("general.architecture") == "llama"
    assert [(t.name, t.dtype, t.shape, t.end - t.start) for t in facts.tensors] == [
        ("a", "F32", (8,), 32),
        ("b", "F32", (8,), 32),
    ]
    assert facts.tensors[-1].end == len(CLEAN)


def test_arrays_of_numbers_and_of_texts(tmp_path):
    texts = b"".join(struct.pack("<Q", 1) + c for c in (b"x", b"\xff"))
    keys = array(b"n", 5, 2, struct.pack("<2i", 1, -2)) + array(b"t", 8, 2, texts)
    facts = read(tmp_path, gguf_bytes(keys=keys, key_count=2))
    assert facts.get("n") == (1, -2)
    assert facts.get("t") == ("x", "\\xff")


@pytest.mark.parametrize("name", MALFORMED_GGUF)
def test_malformed(name, tmp_path):
    with pytest.raises(MalformedError):
        read(tmp_path, MALFORMED_GGUF[name])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"GGML" + CLEAN[4:], "start with GGUF"),
        (gguf_bytes(version=1), "version 1"),
        (CLEAN + bytes(40), "undeclared bytes"),
        (CLEAN[:-1], "cut short"),
        (gguf_bytes(tensors=gguf_tensor("a", kind=4), tensor_count=1, data=bytes(32)), "unknown type 4"),
        (gguf_bytes(tensors=gguf_tensor("a", offset=1), tensor_count=1, data=bytes(64)), "aligned"),
        (gguf_bytes(tensors=gguf_tensor("a") + gguf_tensor("b"), tensor_count=2, data=bytes(64)), "overlaps"),
        (gguf_bytes(keys=gguf_text("general.alignment", "3"), key_count=1), "power of two"),
        (gguf_bytes(tensors=gguf_tensor("a", shape=(1,) * 5), tensor_count=1), "5 dimensions"),
    ],
)
def test_it_says_what_is_wrong(data, said, tmp_path):
    with pytest.raises(MalformedError, match=said):
        read(tmp_path, data)


def test_bounds(tmp_path):
    with pytest.raises(LimitError):
        read(tmp_path, CLEAN, Limits(gguf_header_bytes=40))
    with pytest.raises(LimitError):
        read(tmp_path, gguf_bytes(keys=array(b"n", 0, 9, bytes(9)), key_count=1), Limits(gguf_items=8))
    nested = struct.pack("<IQ", 9, 1) * 9
    with pytest.raises(LimitError):
        read(tmp_path, gguf_bytes(keys=array(b"n", 9, 1, nested), key_count=1))


@pytest.mark.integration
@given(damaged(CLEAN), st.integers(-90, -1))
def test_no_damage_crashes_it(tmp_path_factory, data, cut):
    survives(read, tmp_path_factory.getbasetemp(), data)
    survives(read, tmp_path_factory.getbasetemp(), data[:cut])


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(tmp_path_factory, data):
    survives(read, tmp_path_factory.getbasetemp(), b"GGUF\x03\x00\x00\x00" + data)
