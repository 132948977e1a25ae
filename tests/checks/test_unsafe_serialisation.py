"""Pickles in any wrapper, under any name."""

import gzip
import io
import zipfile

import pytest

from artefacts import tiny_model
from hostile import HOSTILE, PAYLOAD, PICKLED, npy_objects, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity


def zip_of(data):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("weights", data)
    return made.getvalue()


def findings(folder, limits=None):
    return tuple(UnsafeSerialisation().run(Case(take(folder, limits or Limits()))))


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


@pytest.mark.parametrize("name", PICKLED)
def test_hit(name, model):
    PICKLED[name](model)
    found = findings(model)
    assert found
    assert {f.severity for f in found} == {Severity.REJECT}


@pytest.mark.parametrize(
    "name", ["raw", "memo", "torch-zip", "zip-in-zip", "npy", "old-protocol", "named-safetensors"]
)
def test_hit_names_the_file_and_the_global(name, model):
    PICKLED[name](model)
    (finding,) = findings(model)
    assert finding.outcome is Outcome.FAIL
    assert dict(finding.facts)["name"] == "posix.system"
    assert (model / finding.where.partition(":")[0]).exists()


def test_hit_even_where_it_only_rebuilds_tensors(model):
    PICKLED["inert"](model)
    assert [f.reason for f in findings(model)] == ["pickle-weights"]


def test_clean(model):
    assert findings(model) == ()


def test_clean_arrays_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "arrays.npz", "w") as archive:
        archive.writestr("a.npy", npy_objects(tmp_path / "a", b"").read_bytes().replace(b"|O'", b"f4'"))
    (tmp_path / "a").unlink()
    assert findings(tmp_path) == ()


def test_a_long_readable_beginning_hides_nothing(tmp_path):
    late = b"V" + b"x" * 10_000 + b"\n0" + b"cposix\nsystem\n(S'true'\ntR."
    torch_zip(tmp_path / "a.zip", late)
    (tmp_path / "b.bin").write_bytes(late)
    assert [f.reason for f in findings(tmp_path)] == ["pickle-global", "pickle-global"]


def test_malformed(model):
    PICKLED["junk-first"](model)
    assert [f.reason for f in findings(model)] == ["pickle-broken"]
    (model / "x.bin").write_bytes(b"PK\x03\x04" + bytes(40))
    assert {(f.outcome, f.severity) for f in findings(model) if f.where == "x.bin"} == {
        (Outcome.CANNOT_TELL, Severity.REJECT)
    }


def test_over_limit(model):
    PICKLED["raw"](model)
    (finding,) = findings(model, Limits(pickle_opcodes=2))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.REJECT,
        "not-read",
    )


def test_what_was_not_read_is_not_passed(model):
    HOSTILE["symlink-outside"](model)
    assert [(f.outcome, f.severity) for f in findings(model)] == [(Outcome.CANNOT_TELL, Severity.HOLD)]


@pytest.mark.parametrize(
    ("name", "head", "severity"),
    [
        ("a.bin", b"7z\xbc\xaf\x27\x1c", Severity.REJECT),
        ("a.h5", b"\x89HDF\r\n\x1a\n", Severity.REJECT),
        ("a.mlmodel", b"\x08\x07\x00", Severity.HOLD),
        ("a", b"\x1f\x8b\x08\x00", Severity.REJECT),
        ("a", bytes(257) + b"ustar", Severity.REJECT),
    ],
)
def test_closed_containers(name, head, severity, tmp_path):
    (tmp_path / name).write_bytes(head + bytes(64))
    first, *others = findings(tmp_path)
    assert (first.reason, first.severity) == ("container-closed", severity)
    assert {f.reason for f in others} <= {"entry-closed"}  # what of a cut stream could not be unpacked


def test_an_archive_full_of_pickles_is_summed_up(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(25):
            archive.writestr(f"{i}", b"\x80\x02N.")
    found = findings(tmp_path)
    assert len(found) == 21
    assert (found[-1].reason, dict(found[-1].facts)["count"]) == ("more-entries", "5")


@pytest.mark.parametrize("wrap", [gzip.compress, zip_of, lambda data: zip_of(zip_of(data))])
def test_an_archive_in_an_archive_that_is_not_opened_is_refused(wrap, tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(zip_of(wrap(zip_of(PAYLOAD))))
    assert (Outcome.FAIL, Severity.REJECT) in {(f.outcome, f.severity) for f in findings(tmp_path)}
