"""Zip containers: every entry by content, and what an archive says twice compared."""

import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import survives
from hostile import MEMO_PAYLOAD, PAYLOAD, torch_zip
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import zipfile_
from sekisho.limits import DEFAULT, Limits


def write(path, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_a_clean_archive_has_no_oddities(tmp_path):
    facts = zipfile_.read(torch_zip(tmp_path / "a", MEMO_PAYLOAD), DEFAULT)
    assert facts.oddities == ()
    assert [e.path for e in facts.entries if e.format == "pickle"] == ["archive/data.pkl"]
    assert facts.entries[0].facts.globals == ("posix.system",)


def test_entries_are_judged_by_content(tmp_path):
    entries = {
        "cat.png": PAYLOAD,
        "lib": b"\x7fELF" + bytes(9),
        "a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(9),
        "x": b"plain",
    }
    facts = zipfile_.read(write(tmp_path / "a", entries, zipfile.ZIP_DEFLATED), DEFAULT)
    assert [e.format for e in facts.entries] == ["pickle", "code", "7z", "data"]
    assert [bool(e.problem) for e in facts.entries] == [False, False, True, False]


def test_one_nested_archive_is_opened_and_no_more(tmp_path):
    inner = torch_zip(tmp_path / "i").read_bytes()
    middle = write(
        tmp_path / "m", {"inner": inner, "again.zip": write(tmp_path / "e", {"z": inner}).read_bytes()}
    )
    facts = zipfile_.read(middle, DEFAULT)
    assert facts.entries[0].path == "inner/archive/data.pkl"
    assert facts.entries[0].facts.globals == ("posix.system",)
    assert [e.problem for e in facts.entries if e.problem] == ["an archive nested too deep to be opened"]


def test_headers_that_disagree_are_told(tmp_path):
    path = torch_zip(tmp_path / "a")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"archive/data.pkl", b"archive/data.txt", 1))
    assert zipfile_.read(path, DEFAULT).oddities == ("the two headers of archive/data.pkl disagree",)


def test_bytes_between_entries_are_told(tmp_path):
    path = write(tmp_path / "a", {"one": b"1", "two": PAYLOAD, "three": b"3"})
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    end = data.index(b"PK\x01\x02", start + 1)
    directory = end - start
    del data[start:end]
    tail = data.rindex(b"PK\x05\x06")
    counts = struct.pack("<HHI", 2, 2, struct.unpack_from("<I", data, tail + 12)[0] - directory)
    data[tail + 8 : tail + 16] = counts
    path.write_bytes(data)
    assert zipfile_.read(path, DEFAULT).oddities == ("unlisted or shared bytes lie before three",)


def test_a_name_listed_twice_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("x", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x", PAYLOAD)
    assert "x is listed twice" in zipfile_.read(tmp_path / "a", DEFAULT).oddities


def test_bombs_are_not_unpacked(tmp_path):
    path = write(tmp_path / "a", {"zeros": bytes(5_000_000)}, zipfile.ZIP_DEFLATED)
    assert "200 times" in zipfile_.read(path, DEFAULT).entries[0].problem
    long = torch_zip(tmp_path / "b", b"\x80\x02U\x40" + b"x" * 64 + b"0" + PAYLOAD[2:])
    assert "over the limit" in zipfile_.read(long, Limits(zip_entry_bytes=50)).entries[0].problem


def test_bounds(tmp_path):
    with pytest.raises(LimitError):
        zipfile_.read(torch_zip(tmp_path / "a"), Limits(zip_entries=3))


def test_a_method_nobody_needs_is_not_unpacked(tmp_path):
    path = write(tmp_path / "a", {"x": b"plain" * 100}, zipfile.ZIP_BZIP2)
    assert zipfile_.read(path, DEFAULT).entries[0].problem == "packed with method 12"


def test_without_a_directory_it_is_malformed(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(torch_zip(tmp_path / "b").read_bytes()[:100])
    with pytest.raises(MalformedError):
        zipfile_.read(path, DEFAULT)


@pytest.mark.integration
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=5), st.integers(0, 60))
def test_no_damage_crashes_it(tmp_path_factory, damage, cut):
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    data = bytearray(torch_zip(path).read_bytes())
    for share, value in damage:
        data[int(share * len(data))] = value
    path.write_bytes(data[: len(data) - cut])
    survives(zipfile_.read, path, DEFAULT)


def _raw(path, name, data=b"x", mode=0):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, data)
    return zipfile_.read(path, DEFAULT)


@pytest.mark.parametrize(
    "name", ["../up", "/etc/x", "a/../../b", "C:\\x", "..\\..\\x", "\\\\host\\share", "a/b/../../../c"]
)
def test_names_that_lead_out_are_told(name, tmp_path):
    (entry,) = _raw(tmp_path / "a", name).entries
    assert "leads out" in entry.problem


@pytest.mark.parametrize("name", ["a/../b", "./a", "archive/data/0", "..a", "a..b/c"])
def test_names_that_stay_inside_are_fine(name, tmp_path):
    (entry,) = _raw(tmp_path / "a", name).entries
    assert entry.problem == ""


def test_links_are_told(tmp_path):
    (entry,) = _raw(tmp_path / "a", "innocent", b"/etc", 0o120777).entries
    assert entry.problem == "a symbolic link"


def test_what_lies_around_the_directory_is_told(tmp_path):
    data = torch_zip(tmp_path / "a").read_bytes()
    directory = data.index(b"PK\x01\x02")
    end = bytearray(data[directory:])
    at = end.rindex(b"PK\x05\x06")
    struct.pack_into("<I", end, at + 16, directory + 100)
    (tmp_path / "b").write_bytes(data[:directory] + b"hidden" * 16 + b"1234" + bytes(end))
    assert zipfile_.read(tmp_path / "b", DEFAULT).oddities == (
        "unlisted or shared bytes lie before the directory",
    )
    (tmp_path / "c").write_bytes(data + b"more")
    assert zipfile_.read(tmp_path / "c", DEFAULT).oddities == ("bytes follow its end",)


def test_two_ends_are_told(tmp_path):
    data = torch_zip(tmp_path / "a").read_bytes()
    again = bytearray(data[data.index(b"PK\x01\x02") :])
    struct.pack_into("<I", again, len(again) - 6, len(data))
    first = data[:-2] + struct.pack("<H", len(again))
    (tmp_path / "b").write_bytes(first + bytes(again))
    assert any("two ends" in odd for odd in zipfile_.read(tmp_path / "b", DEFAULT).oddities)


def test_what_is_unpacked_is_bounded_over_all_entries(tmp_path):
    path = write(
        tmp_path / "a", {str(n): b"\x80\x02N0" + b"N0" * 400 + b"N." for n in range(20)}, zipfile.ZIP_DEFLATED
    )
    by_bytes = zipfile_.read(path, Limits(unpacked_bytes=3_000)).entries
    assert [bool(e.problem) for e in by_bytes] == [False] * 3 + [True] * 17
    by_opcodes = zipfile_.read(path, Limits(pickle_opcodes=2_000)).entries
    assert [bool(e.problem) for e in by_opcodes] == [False] * 2 + [True] * 18
    assert "over the limit" in by_opcodes[-1].problem


def test_entries_of_nested_archives_count(tmp_path):
    inner = write(tmp_path / "i", {str(n): b"x" for n in range(8)}).read_bytes()
    path = write(tmp_path / "o", {"a": inner, "b": inner, "c": inner})
    entries = zipfile_.read(path, Limits(zip_entries=20)).entries
    assert [e.problem != "" for e in entries] == [False] * 16 + [True]


@pytest.mark.parametrize(
    "descr",
    [
        "'|O'",
        '"|O"',
        "'O8'",
        "'|' 'O'",
        "'object'",
        "'\\x4f'",
        "[('a', '<f4'), ('b', '|O')]",
        "'<f4', 'descr': '|O'",
    ],
)
def test_arrays_of_objects_are_told_however_they_are_written(descr, tmp_path):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n".encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + PAYLOAD
    (entry,) = zipfile_.read(write(tmp_path / "a.npz", {"x.npy": array}), DEFAULT).entries
    assert entry.facts.pickle.globals == ("posix.system",)


def test_long_arrays_of_numbers_are_not_unpacked(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (500000,), }\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(2_000_000)
    facts = zipfile_.read(write(tmp_path / "a.npz", {"x.npy": array}), Limits(unpacked_bytes=1_000))
    assert [e.problem for e in facts.entries] == [""]
