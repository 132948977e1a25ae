"""Compressed streams and tar, looked into only to name what they hold."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import damaged, survives
from hostile import PAYLOAD, torch_zip
from sekisho.errors import LimitError, MalformedError
from sekisho.formats import opaque, sniff, tar, wrapped
from sekisho.limits import DEFAULT, Limits

COMPRESSED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


def facts(tmp_path, data, limits=DEFAULT, name="weights.bin"):
    path = tmp_path / name
    path.write_bytes(data)
    form = sniff(data[:4096], name)
    return form.read(path, limits)


def tarred(*members, **links):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return made.getvalue()


@pytest.mark.parametrize("name", COMPRESSED)
def test_the_pickle_in_a_stream_is_named(name, tmp_path):
    (entry,) = facts(tmp_path, COMPRESSED[name](PAYLOAD)).entries
    assert (entry.path, entry.facts.globals, entry.problem) == (name, ("posix.system",), "")


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
def test_a_stream_of_several_members_is_read_through(name, tmp_path):
    pack = COMPRESSED[name]
    (entry,) = facts(tmp_path, pack(PAYLOAD[:10]) + pack(PAYLOAD[10:])).entries
    assert entry.facts.globals == ("posix.system",)


@pytest.mark.parametrize("window", [9, 12, 15])
def test_a_zlib_stream_of_any_window_is_told(window):
    packer = zlib.compressobj(wbits=window)
    assert opaque.kind(packer.compress(PAYLOAD * 9) + packer.flush(), "x") == "zlib"


@pytest.mark.parametrize(
    "text", [b"x^2 + y^2 = z^2\n" * 9, b"hello there\n", b"8 items (4 of them new)\n", b"Hi!\n"]
)
def test_text_is_no_zlib_stream(text):
    assert opaque.kind(text, "x.txt") == ""


def test_tar_gz_with_a_pickle_a_zip_and_a_link(tmp_path):
    inner = torch_zip(tmp_path / "z").read_bytes()
    data = gzip.compress(
        tarred(("a/data.pkl", PAYLOAD), ("b.zip", inner), ("c.txt", b"text"), up="../../etc")
    )
    entries = {e.path: e for e in facts(tmp_path, data).entries}
    assert entries["gzip/a/data.pkl"].facts.globals == ("posix.system",)
    assert entries["gzip/b.zip/archive/data.pkl"].facts.globals == ("posix.system",)
    assert entries["gzip/c.txt"].problem == ""
    assert entries["gzip/up"].problem == "a symbolic link to ../../etc"


@pytest.mark.parametrize("name", ["/abs", "../up", "a/../../b", "x" * 150 + "/../../.." + "/b"])
def test_names_that_lead_out_of_a_tar(name, tmp_path):
    (entry,) = facts(tmp_path, tarred((name, b"x"))).entries
    assert "leads out" in entry.problem


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_every_dialect(form, tmp_path):
    made = io.BytesIO()
    name = "/".join(["folder" * 5] * 4) + "/data.pkl"
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(PAYLOAD)
        archive.addfile(info, io.BytesIO(PAYLOAD))
    (entry,) = facts(tmp_path, made.getvalue()).entries
    assert entry.path == name
    assert entry.facts.globals == ("posix.system",)


def test_a_tar_from_before_ustar_is_told(tmp_path):
    block = bytearray(512)
    block[:8] = b"data.pkl"
    block[100:148] = b"0000644\x000000000\x000000000\x00" + b"%011o\x00" % len(PAYLOAD) + b"00000000000\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    assert tar.is_header(bytes(block))
    (entry,) = facts(tmp_path, bytes(block) + PAYLOAD.ljust(512, b"\x00") + bytes(1024)).entries
    assert entry.facts.globals == ("posix.system",)


def test_a_bomb_is_not_unpacked(tmp_path):
    entries = facts(tmp_path, gzip.compress(bytes(30_000_000))).entries
    assert "more than" in entries[0].problem
    assert entries[0].size < 6_000_000


def test_streams_within_streams_end_somewhere(tmp_path):
    data = PAYLOAD
    for _ in range(6):
        data = gzip.compress(data)
    (entry,) = facts(tmp_path, data).entries
    assert "nested too deep" in entry.problem


def test_bounds(tmp_path):
    many = tarred(*((str(n), b"x") for n in range(9)))
    assert "over the limit" in facts(tmp_path, many, Limits(zip_entries=5)).entries[-1].problem
    assert (
        "over the limit"
        in facts(tmp_path, gzip.compress(PAYLOAD), Limits(unpacked_bytes=5)).entries[0].problem
    )
    with pytest.raises(LimitError):
        list(tar.members(io.BytesIO(many), len(many), Limits(zip_entries=5)))


def test_what_is_cut_or_corrupt_is_told(tmp_path):
    whole = gzip.compress(PAYLOAD * 50)
    assert "cut short" in facts(tmp_path, whole[:-20]).entries[0].problem
    assert "corrupt" in facts(tmp_path, whole[:30] + b"\xff" * 9 + whole[39:]).entries[0].problem
    damaged_tar = bytearray(tarred(("a", b"x" * 600), ("b", b"y")))
    damaged_tar[512 + 1024] ^= 0xFF
    with pytest.raises(MalformedError):
        list(tar.members(io.BytesIO(damaged_tar), len(damaged_tar), DEFAULT))


@pytest.mark.integration
@given(damaged(gzip.compress(tarred(("a.pkl", PAYLOAD), ("b", b"x" * 600)))))
def test_no_damage_crashes_it(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "wrapped"
    path.write_bytes(data)
    survives(wrapped.read, path, DEFAULT)


@given(st.binary(max_size=700))
def test_no_bytes_crash_the_tar_reader(data):
    survives(lambda d: list(tar.members(io.BytesIO(d), len(d), DEFAULT)), data)


def test_a_zip_in_a_stream_keeps_its_oddities(tmp_path):
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("x", b"1")
    data = (tmp_path / "z").read_bytes() + b"tail"
    assert facts(tmp_path, gzip.compress(data)).oddities == ("in gzip: bytes follow its end",)
