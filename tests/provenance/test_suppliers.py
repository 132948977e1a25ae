"""The supplier register: unpinned, unknown, look-alike, famous and overdue are told apart and refused where it says so."""

import datetime as dt
from pathlib import Path

import pytest

from sekisho.errors import DataError
from sekisho.provenance import lookalikes, suppliers

TODAY = dt.date(2026, 11, 22)
COMMIT = "1" * 40
REGISTER = """
schema = 1
unknown = "{unknown}"
[[suppliers]]
host = "huggingface.co"
namespace = "example-org"
tier = "reviewed"
grounds = ["contract"]
reviewed = 2026-10-01
[[suppliers]]
host = "huggingface.co"
namespace = "famous"
tier = "known"
grounds = ["downloads", "likes"]
reviewed = 2026-10-01
[[suppliers]]
host = "huggingface.co"
namespace = "olddays"
tier = "trusted"
grounds = ["audit"]
reviewed = 2024-01-01
[[suppliers]]
host = "models.example.org"
namespace = "*"
tier = "blocked"
grounds = ["review"]
reviewed = 2026-10-01
"""


def register(tmp_path: Path, unknown: str = "refuse") -> suppliers.Register:
    path = tmp_path / "suppliers.toml"
    path.write_text(REGISTER.format(unknown=unknown))
    return suppliers.read(path)


def codes(tmp_path: Path, uri: str, unknown: str = "refuse") -> dict[str, bool]:
    return {o.code: o.refuses for o in suppliers.judge(uri, register(tmp_path, unknown), TODAY)}


def test_a_reviewed_supplier_with_a_pin_has_nothing_against_it(tmp_path: Path) -> None:
    assert codes(tmp_path, f"hf:example-org/model@{COMMIT}") == {}
    found = register(tmp_path).find(f"hf:example-org/model@{COMMIT}")
    assert found is not None
    assert found.tier == "reviewed"


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("hf:example-org/model@main", "unpinned"),
        ("hf:example-org/model", "unpinned"),
        (f"hf:stranger/model@{COMMIT}", "unknown-namespace"),
        (f"git+https://git.example.net/a/b@{COMMIT}", "unknown-host"),
        (f"hf:famous/model@{COMMIT}", "reputation-only"),
        (f"hf:olddays/model@{COMMIT}", "review-overdue"),
        (f"git+https://models.example.org/a/b@{COMMIT}", "blocked"),
        (f"hf:examp1e-org/model@{COMMIT}", "look-alike"),
        (f"hf:exampleorg/model@{COMMIT}", "look-alike"),
        (f"hf:exmaple-org/model@{COMMIT}", "look-alike"),
        (f"hf:example-org-official/model@{COMMIT}", "look-alike"),
        (f"hf:ex\u0430mple-org/model@{COMMIT}", "look-alike"),
        (f"hf:ёж/model@{COMMIT}", "other-script"),
        (f"git+https://hugglngface.co/example-org/x@{COMMIT}", "look-alike"),
        (f"git+https://mirror.example.net/examp1e-org/x@{COMMIT}", "look-alike"),
    ],
)
def test_each_is_refused_by_name(tmp_path: Path, uri: str, code: str) -> None:
    assert codes(tmp_path, uri)[code]


def test_unknown_is_only_told_where_the_register_says_so(tmp_path: Path) -> None:
    assert codes(tmp_path, f"hf:stranger/model@{COMMIT}", "note") == {"unknown-namespace": False}
    assert codes(tmp_path, f"hf:examp1e-org/model@{COMMIT}", "note")["look-alike"]


@pytest.mark.parametrize("name", ["stranger", "apple", "pear", "organ", "exam", "temple"])
def test_other_names_are_like_none(name: str) -> None:
    assert lookalikes.likeness(name, ("example-org", "famous", "google", "meta-llama")) is None


@pytest.mark.parametrize(
    ("name", "known", "kind"),
    [
        ("g00gle", "google", "homoglyph"),
        ("googIe", "google", "homoglyph"),
        ("rneta-llama", "meta-llama", "homoglyph"),
        ("xn--ggle-0nda", "google", "homoglyph"),
        ("g\u043e\u043egle", "google", "homoglyph"),
        ("go\u200bogle", "google", "homoglyph"),
        ("googel", "google", "spelling"),
        ("google-official", "google", "dressed"),
        ("official-google", "google", "dressed"),
        ("google2", "google", "spelling"),
    ],
)
def test_likeness(name: str, known: str, kind: str) -> None:
    assert lookalikes.likeness(name, ("example-org", "google", "meta-llama")) == lookalikes.Likeness(
        known, kind
    )


def test_a_very_long_name_takes_no_time() -> None:
    assert lookalikes.likeness("a" * 100_000, ["b" * 100_000] * 20) is None


@pytest.mark.parametrize(
    "change",
    [("schema = 1", "schema = 2"), ('unknown = "refuse"', 'unknown = "maybe"'), ('tier = "reviewed"', 'tier = "great"'),
     ('["contract"]', '["vibes"]'), ("reviewed = 2026-10-01", 'reviewed = "2026-10-01"'), ("schema = 1", "schema = 1\nodd = 2"),
     ('host = "huggingface.co"', "host = 3"), ("schema = 1", "schema = ")],
)  # fmt: skip
def test_a_broken_register_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "suppliers.toml"
    text = REGISTER.format(unknown="refuse")
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(DataError):
        suppliers.read(path)
    with pytest.raises(DataError):
        suppliers.read(tmp_path / "none.toml")


def test_a_register_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.limits import Limits

    monkeypatch.setattr(suppliers, "DEFAULT", Limits(supplier_entries=2))
    with pytest.raises(DataError):
        register(tmp_path)
