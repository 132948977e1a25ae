"""The safetensors header reader against hand-made faults, random damage and the reference library."""

import json

import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st

from artefacts import safetensors_bytes, save_safetensors, tiny_arrays
from damage import damaged, survives
from hostile import MALFORMED_SAFETENSORS
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import safetensors as ours
from sekisho.limits import DEFAULT, Limits

VALID = safetensors_bytes(
    b'{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
    b'"b":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}',
    bytes(19),
)


def accepted_by_reference(data):
    try:
        safetensors.deserialize(data)
    except safetensors.SafetensorError:
        return False
    return True


def read(tmp, data):
    path = tmp / "x.safetensors"
    path.write_bytes(data)
    return ours.read(path, DEFAULT)


@pytest.mark.parametrize("name", MALFORMED_SAFETENSORS)
def test_malformed_is_refused_as_the_reference_does_or_better(name, tmp_path):
    data = MALFORMED_SAFETENSORS[name]
    with pytest.raises(MalformedError):
        read(tmp_path, data)
    assert accepted_by_reference(data) == (name == "duplicate-tensor")


def test_facts_are_those_of_the_reference(tmp_path):
    arrays = tiny_arrays()
    save_safetensors(tmp_path / "m.safetensors", arrays, {"format": "pt", "note": "x"})
    facts = ours.read(tmp_path / "m.safetensors", DEFAULT)
    data = (tmp_path / "m.safetensors").read_bytes()
    reference = dict(safetensors.deserialize(data))
    assert {t.name for t in facts.tensors} == set(reference)
    for tensor in facts.tensors:
        assert list(tensor.shape) == reference[tensor.name]["shape"]
        assert data[tensor.start : tensor.end] == bytes(reference[tensor.name]["data"])
    assert dict(facts.metadata) == {"format": "pt", "note": "x"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": 1}, "nothing else"),
        ({"shape": [True]}, "shape"),
        ({"shape": [1] * 65}, "shape"),
        ({"data_offsets": [0]}, "offsets"),
        ({"dtype": None}, "dtype"),
    ],
)
def test_an_entry_is_taken_literally(change, said, tmp_path):
    entry = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]} | change
    with pytest.raises(MalformedError, match=said):
        read(tmp_path, safetensors_bytes(json.dumps({"a": entry}).encode(), b"x"))


def test_a_zip_in_the_last_tensor_is_found(tmp_path):
    end = b"PK\x05\x06" + bytes(18)
    header = json.dumps({"a": {"dtype": "U8", "shape": [22], "data_offsets": [0, 22]}}).encode()
    with pytest.raises(MalformedError, match="zip archive"):
        read(tmp_path, safetensors_bytes(header, end))


def test_a_header_of_lists_is_not_parsed(tmp_path):
    with pytest.raises(MalformedError, match="more lists"):
        read(tmp_path, safetensors_bytes(b'{"a": [' + b"[]," * 1000 + b"1]}", b""))
    densest = json.dumps({str(i): {"dtype": "U8", "shape": [], "data_offsets": [i, i + 1]} for i in range(9)})
    assert len(read(tmp_path, safetensors_bytes(densest.replace(" ", "").encode(), bytes(9))).tensors) == 9


def test_a_header_over_the_limit_is_not_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(VALID)
    with pytest.raises(LimitError):
        ours.read(path, Limits(safetensors_header_bytes=50))


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(tmp_path_factory, data):
    survives(read, tmp_path_factory.getbasetemp(), data)


@given(st.binary(max_size=120))
def test_no_header_crashes_it(tmp_path_factory, header):
    survives(read, tmp_path_factory.getbasetemp(), safetensors_bytes(b"{" + header, b""))


@pytest.mark.integration
@given(damaged(VALID, most=3), st.integers(-5, 5))
def test_what_the_reference_refuses_is_refused(tmp_path_factory, data, cut):
    data = data[:cut] if cut < 0 else data + bytes(cut)
    if survives(read, tmp_path_factory.getbasetemp(), data):
        assert accepted_by_reference(data)
