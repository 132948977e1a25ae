"""Pictures, sounds and films by their first bytes; what a PDF does when it is opened."""

import zlib

import pytest

from artefacts import tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.foreign_container import ForeignContainer
from sekisho.formats import media, sniff
from sekisho.inventory import take
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Severity

LINK = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/OpenAction[3 0 R/Fit]/A<</S/URI/URI(https://example.com)>>>>\nendobj\n%%EOF"


def pdf(body):
    return b"%PDF-1.5\n1 0 obj\n" + body + b"\nendobj\n%%EOF"


def packed(body, filters=b"/FlateDecode", kind=b"/ObjStm"):
    return pdf(
        b"<</Type " + kind + b"/Filter " + filters + b">>stream\n" + zlib.compress(body) + b"\nendstream"
    )


ACTS = {
    "script": (pdf(b"<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>"), "pdf-script"),
    "script, spelled otherwise": (pdf(b"<</OpenAction<</S/J#61vaScript/JS(1)>>>>"), "pdf-script"),
    "script, packed": (packed(b"<</S/JavaScript/JS(1)>>"), "pdf-script"),
    "script, packed, kind spelled otherwise": (packed(b"<</S/JavaScript>>", kind=b"/Obj#53tm"), "pdf-script"),
    "launch": (pdf(b"<</AA<</O<</S/Launch/F(calc.exe)>>>>>>"), "pdf-launch"),
    "file": (pdf(b"<</Names<</EmbeddedFiles 4 0 R>>>>"), "pdf-file"),
    "form": (pdf(b"<</AcroForm<</XFA 4 0 R>>>>"), "pdf-form"),
    "packed twice": (packed(b"x", b"[/ASCIIHexDecode /FlateDecode]"), "pdf-unsearched"),
    "packed, broken": (packed(b"x").replace(b"\x78\x9c", b"\x00\x00"), "pdf-unsearched"),
    "packed behind a string": (
        packed(b"<</S/JavaScript>>").replace(b"/Filter", b"/X (obj) /Filter"),
        "pdf-unsearched",
    ),
    "packed, filter elsewhere": (packed(b"<</S/JavaScript>>", b"5 0 R"), "pdf-unsearched"),
    "packed, predicted": (packed(b"x", b"/FlateDecode/DecodeParms<</Predictor 12>>"), "pdf-unsearched"),
    "packed behind a lone return": (
        packed(b"<</S/JavaScript>>").replace(b"stream\n", b"stream\r", 1),
        "pdf-script",
    ),
    "encrypted": (packed(b"<</Encrypt 1 0 R>>") + b"<</Encrypt 9 0 R>>", "pdf-unsearched"),
}


@pytest.mark.parametrize("name", ACTS)
def test_hit(name, tmp_path):
    model = tiny_model(tmp_path / "m")
    data, reason = ACTS[name]
    (model / "paper.pdf").write_bytes(data)
    found = tuple(ForeignContainer().run(Case(take(model))))
    said_in_both(found)
    assert {(f.reason, f.severity) for f in found} == {(reason, Severity.HOLD)}


@pytest.mark.parametrize(
    "data", [LINK, packed(b"<</Type/Page>>"), b"%PDF-1.4\n", pdf(b"<</Title(a #zz b)>>")]
)
def test_clean(data, tmp_path):
    (tmp_path / "p.pdf").write_bytes(data)
    assert media.read(tmp_path / "p.pdf", DEFAULT).notes == ()


def test_over_limit(tmp_path):
    (tmp_path / "p.pdf").write_bytes(LINK)
    assert media.read(tmp_path / "p.pdf", Limits(pdf_bytes=20)).notes == (("pdf-unsearched", "too large"),)
    (tmp_path / "r.pdf").write_bytes(packed(b" " * 4_000))
    assert "pdf-unsearched" in dict(media.read(tmp_path / "r.pdf", Limits(pdf_bytes=1_000)).notes)
    (tmp_path / "q.pdf").write_bytes(packed(b" " * 4_000) + packed(b"y"))
    assert ("pdf-unsearched", "too many objects") in media.read(
        tmp_path / "q.pdf", Limits(pdf_bytes=1_000)
    ).notes


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(9), "a.mp4"),
        (b"ID3\x04" + bytes(9), "a.mp3"),
        (b"OggS\0\x02" + bytes(9), "a.ogg"),
        (b"\x1aE\xdf\xa3" + bytes(9), "a.webm"),
        (b"RIFF\0\0\0\0WAVE", "a.wav"),
    ],
)
def test_sounds_and_films(data, name):
    assert sniff(data, name).name == "media"


def test_a_name_alone_makes_no_film():
    assert sniff(b"\0\0\0\x20nofilm" + bytes(9), "a.mp4") is None
