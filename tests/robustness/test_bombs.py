"""Small files that unfold to large ones, or that make readers recurse or backtrack: named within seconds and megabytes, never a pass."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts import TEMPLATE, edit_json, gguf_bytes, safetensors_bytes, tiny_model
from robustness.test_folders import bounded
from sekisho import static
from sekisho.records import Decision, Outcome

pytestmark = pytest.mark.integration

Change = Callable[[Path], object]


def _write(name: str, data: bytes | Callable[[], bytes]) -> Change:
    """`data` is called where making it takes long, so that only its own test pays."""
    return lambda folder: (folder / name).write_bytes(data() if callable(data) else data)


def _zip_of(entries: int, size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(entries):
            archive.writestr(f"archive/data/{n}", bytes(size))
    return made.getvalue()


def _nested_zip(depth: int) -> bytes:
    data = b"x"
    for n in range(depth):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{n}.zip", data)
        data = made.getvalue()
    return data


def _overlapping_zip() -> bytes:
    """Many entries of the directory share one stretch of packed zeros."""
    data = bytearray(_zip_of(1, 2**22))
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = bytes(data[at:end])
    many = 2_000
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, many, many, len(entry) * many, at, 0)
    return bytes(data[:at]) + entry * many + tail


def _template(text: str) -> Change:
    return lambda folder: edit_json(folder / "tokenizer_config.json", chat_template=text)


def _tokenizer(**changes: object) -> Change:
    return lambda folder: edit_json(folder / "tokenizer.json", **changes)


_LOOPS = "{% for a in range(99999) %}" * 4 + "x" + "{% endfor %}" * 4
_REGEX = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}

BOMBS: dict[str, tuple[str, Change]] = {
    "zip-ratio": ("extra.bin", _write("extra.bin", lambda: _zip_of(1, 2**27))),
    "zip-many": ("extra.bin", _write("extra.bin", lambda: _zip_of(21_000, 0))),
    "zip-nested": ("extra.bin", _write("extra.bin", lambda: _nested_zip(60))),
    "zip-overlapping": ("extra.bin", _write("extra.bin", _overlapping_zip)),
    "json-deep": ("config.json", _write("config.json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "json-deep-lists": ("config.json", _write("config.json", b"[" * 200_000)),
    "json-many": ("model.safetensors.index.json", _write("model.safetensors.index.json", b"[" + b"{}," * 2_000_000 + b"{}]")),
    "json-number": ("config.json", _write("config.json", b'{"a": ' + b"9" * 1_000_000 + b"}")),
    "json-keys": ("config.json", _write("config.json", b"{" + b",".join(b'"a": 1' for _ in range(50_000)) + b"}")),
    "json-long": ("config.json", _write("config.json", json.dumps({"a": "x" * 5_000_000}).encode())),
    "tokenizer-deep": ("tokenizer.json", _write("tokenizer.json", b'{"model": ' + b"[" * 100_000)),
    "card-long": ("README.md", _write("README.md", b"# a\n" * 2_000_000)),
    "card-yaml": ("", _write("README.md", b"---\na: &a [x, x, x]\n" + b"".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}, *{chr(97 + n)}]\n".encode() for n in range(20)) + b"---\n")),
    "code-parentheses": ("loader.py", _write("loader.py", b"x = " + b"(" * 100_000 + b"1" + b")" * 100_000)),
    "code-minus": ("loader.py", _write("loader.py", b"x = " + b"-" * 500_000 + b"1")),
    "code-attributes": ("loader.py", _write("loader.py", b"x = a" + b".a" * 400_000)),
    "code-sum": ("loader.py", _write("loader.py", b"x = 1" + b" + 1" * 200_000)),
    "pickle-memo": ("data.pkl", _write("data.pkl", b"\x80\x04" + b"]\x94" * 50_000 + b".")),
    "pickle-long": ("data.pkl", _write("data.pkl", b"\x80\x04X\xff\xff\xff\x7f" + bytes(64))),
    "pickle-frames": ("data.pkl", _write("data.pkl", b"\x80\x04" + b"\x95" + struct.pack("<Q", 2**60) + b".")),
    "safetensors-header": ("model.safetensors", _write("model.safetensors", safetensors_bytes(b"[" * 5_000_000, b""))),
    "safetensors-many": ("model.safetensors", _write("model.safetensors", safetensors_bytes(b"{" + b",".join(f'"{n}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'.encode() for n in range(20_000)) + b"}", b"x"))),
    "gguf-arrays": ("model.gguf", _write("model.gguf", gguf_bytes(keys=struct.pack("<Q1sI", 1, b"a", 9) + struct.pack("<IQ", 9, 2**40) * 20, key_count=1))),
    "npy-shape": ("a.npy", _write("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }".ljust(117) % b"9,".ljust(30, b"9") + b"\n")),
    "template-loops": ("", _template(TEMPLATE + "{% if false %}" + _LOOPS + "{% endif %}")),
    "template-power": ("", _template(TEMPLATE + "{{ 9 ** 9 ** 9 }}")),
    "template-repeat": ("", _template(TEMPLATE + "{{ 'a' * 10 ** 12 }}")),
    "template-deep": ("", _template("{% if a %}" * 5_000 + "x" + "{% endif %}" * 5_000)),
    "template-parentheses": ("", _template("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}")),
    "template-blocks": ("", _template("{%" * 100_000)),
    "template-range": ("", _template(TEMPLATE + "{{ range(10 ** 12) | list }}")),
    "tokenizer-regex": ("", _tokenizer(pre_tokenizer=_REGEX)),
    "tokenizer-backtracking-token": ("", _tokenizer(normalizer={"type": "Replace", "pattern": {"Regex": "(x+x+)+y"}, "content": ""})),
    "text-of-tags": ("", _template("<|" * 6_000 + TEMPLATE)),
    "text-of-brackets": ("", _template("[A" * 6_000 + "<<" * 2_000 + TEMPLATE)),
}  # fmt: skip
"""(file that must be named, what is done to a tiny model); no file where being quick is all that is asked."""


QUICK = (
    "zip-ratio",
    "zip-overlapping",
    "json-many",
    "json-deep",
    "code-minus",
    "template-power",
    "tokenizer-regex",
)
"""The others run with the slow tests."""


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in BOMBS]
)
def test_bombs_are_named_in_bounded_time_and_memory(name: str, tmp_path: Path) -> None:
    file, change = BOMBS[name]
    model = tiny_model(tmp_path / "m")
    change(model)
    with bounded(60, 600):
        seen = static.inspect(model, "none")
    if file:
        assert seen.verdict.decision is not Decision.ADMIT
        assert any(f.where.startswith(file) and f.outcome is not Outcome.PASS for f in seen.findings), [
            (f.check, f.where, f.reason) for f in seen.findings if f.outcome is not Outcome.PASS
        ]
