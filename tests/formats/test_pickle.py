"""Pickles are listed, never loaded; the old protocols are told from text."""

import collections
import io
import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import damaged, survives
from hostile import INERT, MEMO_PAYLOAD, PAYLOAD
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import pickle as ours
from sekisho.formats import sniff
from sekisho.limits import DEFAULT, Limits

LEGACY = b"".join(
    pickle.dumps(part, 2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {"w": 1.0}, ["0"])
)


class Reduces:
    """Written by us, dumped by us, and never loaded."""

    def __init__(self, target, *arguments):
        self.reduced = (target, arguments)

    def __reduce__(self):
        return self.reduced


def facts(data, limits=DEFAULT):
    return ours.read_stream(io.BytesIO(data), len(data), limits)


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(protocol):
    data = pickle.dumps({"x": ["y" * 300, Reduces(os.system, "true")], "z": b"0" * 70_000}, protocol)
    assert "posix.system" in facts(data).globals
    assert "REDUCE" in facts(data).calls
    assert facts(data).trailing == 0


@pytest.mark.parametrize("protocol", range(2, 6))
def test_ordinary_objects_are_walked_to_their_end(protocol):
    value = [collections.OrderedDict(a=1), {1, 2}, (None, True, 2**70, 1.5), "é", np.arange(3), np.float32(1)]
    data = pickle.dumps(value, protocol)
    assert facts(data).broken == ""
    assert facts(data).pickles == 1
    assert facts(data).trailing == 0
    assert ours.sniff(data, "")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (PAYLOAD, ("posix.system",)),
        (MEMO_PAYLOAD, ("posix.system",)),
        (INERT, ("collections.OrderedDict",)),
        (b"(S'true'\niposix\nsystem\n.", ("posix.system",)),
        (b"(cposix\nsystem\nS'true'\no.", ("posix.system",)),
        (b"\x80\x02(cposix\nsystem\nX\x04\x00\x00\x00trueo0.", ("posix.system",)),
        (b"\x80\x02\x82\x07)R.", ("copyreg.extension_7",)),
        (b"\x80\x02cposix\nsystem\n}b.", ("posix.system",)),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", ("posix.system",)),
        (b"\x80\x04\x8c\x05posixN\x93.", ("posix.?",)),
        (b"\x80\x04\x8c\x05posixV\\u0073ystem\n\x93.", ("posix.?",)),
        (PAYLOAD[:-1] + b"\xff", ("posix.system",)),
        (b"\x80\x02]." + PAYLOAD, ("posix.system",)),
        (b"V" + b"x" * 200_000 + b"\n0" + PAYLOAD[2:], ("posix.system",)),
    ],
)
def test_what_would_be_imported(data, names):
    assert facts(data).globals == names


def test_junk_after_is_counted_and_junk_before_is_malformed():
    assert facts(PAYLOAD + b"junk!").trailing == 5
    with pytest.raises(MalformedError):
        facts(b"\xff\xfe" + PAYLOAD)
    with pytest.raises(MalformedError):
        facts(b"")


def test_a_break_is_told_with_what_came_before_it():
    broken = facts(PAYLOAD[:-1])
    assert broken.globals == ("posix.system",)
    assert "STOP" in broken.broken
    assert "needs more" in facts(PAYLOAD[:-1] + b"R.").broken
    assert "memo 9" in facts(PAYLOAD[:-1] + b"h\x09.").broken


def test_legacy_torch_is_five_pickles_then_bytes():
    read = facts(LEGACY + os.urandom(500))
    assert (read.pickles, read.trailing, read.broken) == (5, 0, "")


@pytest.mark.integration
def test_bounds():
    with pytest.raises(LimitError):
        facts(PAYLOAD, Limits(pickle_opcodes=3))
    with pytest.raises(LimitError):
        facts(b"\x80\x02N." * 10_001)
    huge = b"\x80\x04\x8e" + struct.pack("<Q", 2**63) + b"x."
    with pytest.raises(MalformedError):
        facts(huge)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"import os\nimport sys\n", b"class Foo:\n    pass\n", b"cat\ndog\ncow\n", b"I am a text.\n", b"N. Smith\n",
        b"config\nVersion 1\n", b"[PAD]\n[UNK]\n", b"(see below)\n", b"}}b", b"{}", b"K.", b"Licence\n\ncopyright\n2020\n",
    ],
)  # fmt: skip
def test_text_is_no_pickle(text):
    assert not ours.sniff(text, "vocab.txt")


@given(st.text(alphabet="abcdRSTIVNp().0123\n' ", max_size=60))
def test_texts_without_a_global_are_no_pickles(text):
    if ours.sniff(text.encode(), "x.txt"):
        assert facts(text.encode()).globals


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(data):
    sniff(data, "x.bin")
    survives(facts, data)


@pytest.mark.integration
@given(damaged(LEGACY))
def test_no_damage_crashes_it(data):
    survives(facts, data)
