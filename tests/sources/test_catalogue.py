"""The catalogue is closed, pinned and complete."""

from pathlib import Path

import pytest

from sekisho.errors import DataError, SourceError
from sekisho.sources import catalogue

GOOD = """
title = "T"
licence = "L"
origin = "O"
about = "A"
gguf_sha256 = "{d}"
needs_bytes = 1
[[packages]]
name = "p"
version = "1"
bytes = 1
[[packages.members]]
path = "p/w"
bytes = 1
sha256 = "{d}"
to = "weights"
[converted]
"model.safetensors" = "{d}"
""".format(d="0" * 64)


def read(tmp_path: Path, text: str) -> catalogue.Entry:
    path = tmp_path / "toy.toml"
    path.write_text(text, encoding="utf-8")
    return catalogue.read(path)


def test_every_entry_loads_and_pins_its_weights() -> None:
    assert catalogue.names() == ("gemma3-270m", "smollm2-135m-instruct")
    for name in catalogue.names():
        entry = catalogue.load(name)
        assert entry.name == name
        assert {"model.safetensors", "tokenizer.json"} <= dict(entry.converted).keys()
        assert any(m.to.startswith("LICENSE") for p in entry.packages for m in p.members)


def test_disk_needed_covers_the_joined_file_four_times_over() -> None:
    for name in catalogue.names():
        entry = catalogue.load(name)
        joined = sum(m.size for p in entry.packages for m in p.members if m.to == "weights")
        assert entry.needs_bytes > 5 * joined, "float32 is four to eight times a 4-bit file"


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SourceError, match="'gpt' is not in the catalogue; it has gemma3-270m, smollm2"):
        catalogue.load("gpt")


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    entry = read(tmp_path, GOOD)
    assert entry.packages[0].members == (catalogue.Member("p/w", 1, "0" * 64, "weights"),)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "T"', 'title = "T"\nhook = "x"', "hook"),
        ('licence = "L"', "", "licence"),
        ("needs_bytes = 1", 'needs_bytes = "1"', "needs_bytes of the wrong type"),
        ("needs_bytes = 1", "needs_bytes = true", "needs_bytes of the wrong type"),
        ('to = "weights"', 'to = "../x"', "not a plain name"),
        ('to = "weights"', 'to = "LICENSE"', "no member is 'weights'"),
        ('name = "p"', 'name = "--index-url=x"', "not a plain name"),
        ('version = "1"', 'version = "1 --pre"', "not a plain name"),
        ('to = "weights"', 'to = "weights"\nrun = "x"', "run"),
        ('"model.safetensors" =', '"../model" =', "not a plain name"),
        ("0" * 64, "0" * 63, "not a sha256"),
        ("[converted]", "[converted", "catalogue toy.toml"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read(tmp_path, GOOD.replace(old, new))
