"""Fingerprints: equal for the same finding, different for anything else, whatever the file is called."""

from dataclasses import replace

import pytest

from sekisho import fingerprints
from sekisho.formats.text import shown
from sekisho.records import FileLine, Finding, Outcome, Severity

LONG = "d/" * 100
FILES = [
    FileLine("a.bin", 3, "a" * 64, "pickle", "weights", ""),
    FileLine("a.bin:x", 3, "b" * 64, "text", "unknown", ""),
    FileLine(f"{LONG}1", 3, "c" * 64, "text", "unknown", ""),
    FileLine(f"{LONG}2", 3, "d" * 64, "text", "unknown", ""),
    FileLine("link", 0, "", "unread", "unknown", "symlink-outside: out"),
]
KNOWN = fingerprints.files(FILES)
FOUND = Finding(
    "unsafe-serialisation",
    Outcome.FAIL,
    Severity.REJECT,
    "a.bin:data.pkl",
    "pickle-global",
    "",
    (("name", "x"),),
)


def test_the_same_finding_has_the_same_fingerprint_in_any_order_of_files():
    again = fingerprints.files(reversed(FILES))
    assert fingerprints.of(FOUND, KNOWN) == fingerprints.of(FOUND, again)


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, reason="pickle-broken"),
        replace(FOUND, where="a.bin:other.pkl"),
        replace(FOUND, where="a.bin:x"),
        replace(FOUND, facts=(("name", "y"),)),
    ],
)
def test_another_finding_has_another(other):
    assert fingerprints.of(other, KNOWN) != fingerprints.of(FOUND, KNOWN)


def test_severity_and_wording_are_no_part_of_it():
    told = replace(FOUND, severity=Severity.HOLD, detail="in other words")
    assert fingerprints.of(told, KNOWN) == fingerprints.of(FOUND, KNOWN)


def test_another_content_is_another_finding_at_the_same_place():
    changed = fingerprints.files([replace(FILES[0], sha256="e" * 64), *FILES[1:]])
    assert fingerprints.of(FOUND, changed) != fingerprints.of(FOUND, KNOWN)
    assert fingerprints.place(FOUND) == fingerprints.place(replace(FOUND, facts=()))


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("a.bin", "a.bin"),
        ("a.bin:data.pkl", "a.bin"),
        ("a.bin:x", "a.bin:x"),
        ("a.bin:x:y", "a.bin:x"),
        ("a.binx", "."),
        ("", "."),
        ("missing.bin:a.bin", "."),
        (f"{LONG}1", f"{LONG}1"),
        (shown(f"{LONG}1"), "."),
    ],
)
def test_the_file_of_a_finding(where, path):
    """A name cut to length that two files share is bound to neither, but to the model as a whole."""
    assert KNOWN.path(replace(FOUND, where=where)) == path


def test_a_finding_on_the_whole_model_is_new_when_any_file_is():
    whole = replace(FOUND, where="")
    more = fingerprints.files([*FILES, FileLine("new", 1, "f" * 64, "text", "unknown", "")])
    assert fingerprints.of(whole, more) != fingerprints.of(whole, KNOWN)
    assert fingerprints.of(FOUND, more) == fingerprints.of(FOUND, KNOWN)


def test_digests():
    assert KNOWN.digest("a.bin") == "a" * 64
    assert KNOWN.digest(".") == KNOWN.identity
    assert KNOWN.digest("link") == KNOWN.digest("nowhere") == ""
