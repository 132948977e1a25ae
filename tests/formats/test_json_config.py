"""JSON within bounds: depth before parsing, duplicates noted, nothing but ArtefactErrors."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import survives
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import json_config
from sekisho.limits import DEFAULT, Limits

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(DOCUMENTS)
def test_any_document_comes_back(document):
    assert json_config.parse(json.dumps(document).encode(), DEFAULT).document == document


@given(st.binary(max_size=100))
def test_no_bytes_crash_it(data):
    json_config.sniff(data, "x")
    survives(json_config.parse, data, DEFAULT)


def test_infinity_is_let_through_as_real_settings_have_it():
    assert (
        json_config.parse(b'{"time_step_limit": [0.0, Infinity]}', DEFAULT).document["time_step_limit"][1] > 0
    )


def test_duplicate_keys_are_noted_at_any_depth():
    facts = json_config.parse(b'{"a": [{"b": 1, "b": 2, "b": 3}], "c": 1, "c": 2, "d": 1}', DEFAULT)
    assert facts.duplicate_keys == ("b", "c")
    assert facts.document["c"] == 2


def test_depth_counts_brackets_outside_texts_only():
    shallow = json.dumps({"a": "[" * 1000, "b\\": '"{' * 100}).encode()
    assert json_config.parse(shallow, DEFAULT).duplicate_keys == ()
    with pytest.raises(LimitError):
        json_config.parse(b"[" * 65 + b"]" * 65, DEFAULT)
    json_config.parse(b"[" * 64 + b"]" * 64, DEFAULT)


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '"' + "a" * 1_000_000, '"\\' * 400_000])
def test_open_texts_take_linear_time(text):
    start = time.process_time()
    with pytest.raises(MalformedError):
        json_config.parse(text.encode(), DEFAULT)
    assert time.process_time() - start < 5


def test_size_is_bounded_by_what_the_file_is(tmp_path):
    for name, limits in (("config.json", Limits(config_bytes=8)), ("m.index.json", Limits(json_bytes=8))):
        (tmp_path / name).write_text('{"a": "0123456789"}')
        with pytest.raises(LimitError):
            json_config.read(tmp_path / name, limits)
    assert json_config.read(tmp_path / "m.index.json", Limits(config_bytes=8)).document
    (tmp_path / "vocab.json").write_text('{"a": "0123456789"}')
    assert json_config.read(tmp_path / "vocab.json", Limits(config_bytes=8)).document


@pytest.mark.parametrize("data", [b"\xff", b"{", b"", b"{'a': 1}"])
def test_malformed(data):
    with pytest.raises(MalformedError):
        json_config.parse(data, DEFAULT)
