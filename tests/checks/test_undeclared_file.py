"""Files without a role, and entries that were not read."""

import pytest

from artefacts import tiny_model
from hostile import HOSTILE
from sekisho.checks.base import Case
from sekisho.checks.undeclared_file import UndeclaredFile
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity


def findings(folder, limits=None):
    return tuple(UndeclaredFile().run(Case(take(folder, limits or Limits()))))


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("payload.txt", b"hello"),
        ("extra.json", b"{}"),
        ("LICENSE", bytes(50)),
        (".gitattributes", b"\x00\x01"),
        ("picture.png", b"not a picture"),
        ("sub/dir/blob", b"\x01\x02\x03"),
    ],
)
def test_hit(name, data, model):
    (model / name).parent.mkdir(parents=True, exist_ok=True)
    (model / name).write_bytes(data)
    (finding,) = findings(model)
    assert (finding.where, finding.outcome, finding.severity) == (name, Outcome.FAIL, Severity.HOLD)


@pytest.mark.parametrize("name", ["symlink-outside", "fifo"])
def test_hit_of_an_entry_that_leads_elsewhere(name, model):
    HOSTILE[name](model)
    assert [(f.outcome, f.severity) for f in findings(model)] == [(Outcome.FAIL, Severity.REJECT)]


def test_clean(model):
    (model / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (model / "NOTICE.txt").write_text("Notice")
    (model / "figures").mkdir()
    (model / "figures" / "chart.jpg").write_bytes(b"\xff\xd8\xff" + bytes(20))
    assert findings(model) == ()


def test_malformed(model):
    (model / "README.md").write_bytes(b"text " * 2000 + b"\xff\xfe binary")
    assert findings(model) == ()  # known role; header-integrity reports the bytes
    (model / "notes.dat").write_bytes(b"text " * 2000 + b"\xff\xfe binary")
    assert [f.reason for f in findings(model)] == ["unknown-role"]


def test_over_limit(model):
    found = findings(model, Limits(files=3))
    assert [(f.outcome, f.severity, f.reason) for f in found] == [
        (Outcome.CANNOT_TELL, Severity.HOLD, "too-many-files")
    ]
    (model / "/".join("d" * 20)).mkdir(parents=True)
    assert [f.reason for f in findings(model)] == ["too-deep"]


@pytest.mark.parametrize("name", ["symlink-recursive", "symlink-broken"])
def test_what_was_not_read_is_not_passed(name, model):
    HOSTILE[name](model)
    assert [(f.outcome, f.severity) for f in findings(model)] == [(Outcome.CANNOT_TELL, Severity.HOLD)]


@pytest.mark.parametrize(
    "names", [("notes.md", "Notes.MD"), ("caf\u00e9.md", "cafe\u0301.md"), ("a.md", "\uff41.md")]
)
def test_two_names_that_are_one_elsewhere(names, tmp_path):
    model = tiny_model(tmp_path / "m")
    for name in names:
        (model / name).write_text("x")
    (finding,) = findings(model)
    assert (finding.reason, finding.severity) == ("names-collide", Severity.HOLD)
