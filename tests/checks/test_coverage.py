"""Every byte is accounted for, and those that nobody looked at are named."""

import pytest

from artefacts import gguf_bytes, gguf_tensor, tiny_gguf, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.coverage import Coverage
from sekisho.formats import coverage
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome


def findings(folder, limits=None, **how):
    found = [*Coverage().run(Case(take(folder, limits or Limits(), **how)))]
    said_in_both(found)
    return found


def held(folder, limits=None, **how):
    return {f.reason: f for f in findings(folder, limits, **how) if f.outcome is not Outcome.PASS}


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


def test_clean(model):
    (shares,) = findings(model)
    facts = dict(shares.facts)
    assert (facts["hashed"], facts["unread"]) == ("0.0 %", "0.0 %")
    assert facts["bytes"] == f"{sum(p.stat().st_size for p in model.iterdir()):,}"


def test_every_line_adds_up(model):
    (model / "noise.dat").write_bytes(bytes([200, 3, 0, 255] * 99))
    (model / "cut.safetensors").write_bytes(b"\x99" * 50)
    for line in coverage.ledger(take(model).files):
        assert line.numbers + line.parsed + line.located + line.hashed + line.unread == line.size


HIT = {
    "unknown format": ("noise.dat", bytes([200, 3, 0, 255] * 99)),
    "malformed": ("more.safetensors", b"\x99" * 50),
    "cut short": ("model.gguf", tiny_gguf()[:60]),
}


@pytest.mark.parametrize("name", HIT)
def test_hit(name, model):
    file, data = HIT[name]
    (model / file).write_bytes(data)
    found = held(model)
    assert found.keys() == {"unseen"}
    assert (found["unseen"].where, dict(found["unseen"].facts)["count"]) == (file, str(len(data)))


def test_malformed_files_count_as_seen_by_nobody(model):
    (model / "config.json").write_text("{")
    assert held(model)["unseen"].where == "config.json"


def test_over_limit_is_not_read(model):
    found = held(model, Limits(file_bytes=5))
    assert found["unread"].outcome is Outcome.CANNOT_TELL


def test_pictures_are_only_noted(model):
    (model / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    assert held(model) == {}
    assert [f.where for f in findings(model)] == ["", "logo.png"]


def test_padding_that_holds_something(tmp_path):
    data = bytes(4) + b"hidden" + bytes(22) + bytes(32)
    tensors = gguf_tensor("a", (1,)) + gguf_tensor("b", offset=32)
    (tmp_path / "m.gguf").write_bytes(gguf_bytes(tensors=tensors, tensor_count=2, data=data))
    assert dict(held(tmp_path)["padding-used"].facts) == {"count": "6"}


def test_many_are_counted(model):
    for n in range(25):
        (model / f"{n:02}.dat").write_bytes(b"\xff\x00\x80")
    found = findings(model)
    assert [f.reason for f in found].count("unseen") == 20
    assert dict(found[-1].facts) == {"count": "5"}


def test_headers_alone_are_no_pass(model):
    assert held(model, headers_only=True).keys() == {"headers-only"}
