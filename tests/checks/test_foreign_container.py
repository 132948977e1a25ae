"""ONNX, TensorFlow and Keras by structure, and files that are two things at once."""

import json
import zipfile

import numpy as np
import pytest

from artefacts import safetensors_bytes, save_safetensors, tiny_gguf, tiny_model
from checks.sentences import said_in_both
from hostile import PAYLOAD, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.foreign_container import ForeignContainer
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity


def field(number, data):
    """One field of a protocol buffer: a text, a message, or a number."""
    if isinstance(data, int):
        return _varint(number << 3) + _varint(data)
    data = data.encode() if isinstance(data, str) else data
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def onnx(*, external="weights.data", domain="", nested=False):
    tensor = field(1, 2) + field(8, "w") + field(14, 1)
    tensor += field(13, field(1, "location") + field(2, external)) + field(
        13, field(1, "offset") + field(2, "0")
    )
    node = field(1, "x") + field(2, "y") + field(4, "Relu") + field(7, domain)
    if nested:
        node += field(5, field(1, "body") + field(6, field(5, tensor)))
    graph = field(1, node) + field(2, "g") + (b"" if nested else field(5, tensor))
    return (
        field(1, 8)
        + field(2, "pytorch")
        + field(3, "2.0")
        + field(7, graph)
        + field(8, field(1, "") + field(2, 17))
    )


def saved_model(op):
    node = field(1, "n") + field(2, op)
    library = field(1, field(1, "sig") + field(3, node))
    return field(1, 1) + field(2, field(1, field(3, "")) + field(2, field(2, library)))


def keras(*layers):
    return json.dumps(
        {"class_name": "Functional", "module": "keras", "config": {"layers": list(layers)}}
    ).encode()


def judge(folder, limits=None):
    return [(f.reason, f.severity) for f in ForeignContainer().run(Case(take(folder, limits or Limits())))]


@pytest.mark.parametrize("name", ["model.onnx", "weights.bin", "x"])
@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "C:\\x", "a/../../b"])
def test_onnx_tensors_outside_the_folder_under_any_name(name, nested, path, tmp_path):
    (tmp_path / name).write_bytes(onnx(external=path, nested=nested))
    assert judge(tmp_path) == [("external-outside", Severity.REJECT)]


def test_onnx_that_stays_inside(tmp_path):
    (tmp_path / "model.onnx").write_bytes(onnx())
    assert judge(tmp_path) == [("external-missing", Severity.HOLD)]
    (tmp_path / "weights.data").write_bytes(bytes(8))
    assert judge(tmp_path) == []


@pytest.mark.parametrize(
    "data", [b"\n   Licence\n" * 40, b"\x08\x01\x12\x90\x00\x00" * 9, b"\x08\x07", bytes(64)]
)
def test_what_is_no_onnx(data, tmp_path):
    (tmp_path / "x").write_bytes(data)
    assert take(tmp_path).files[0].format != "onnx"


def test_onnx_with_operators_from_elsewhere(tmp_path):
    (tmp_path / "weights.data").write_bytes(bytes(8))
    (tmp_path / "model.onnx").write_bytes(onnx(domain="ai.onnx.contrib"))
    assert judge(tmp_path) == [("custom-operators", Severity.HOLD)]


def test_malformed(tmp_path):
    (tmp_path / "model.onnx").write_bytes(onnx()[:-9])
    (fact,) = take(tmp_path).files
    assert fact.problem.startswith("malformed")


def test_over_limit(tmp_path):
    (tmp_path / "model.onnx").write_bytes(onnx())
    (fact,) = take(tmp_path, Limits(protobuf_fields=5)).files
    assert fact.problem.startswith("over-limit")


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc"])
def test_tensorflow_operators_that_reach_out(op, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(saved_model(op))
    assert judge(tmp_path) == [("operator-reaches-out", Severity.REJECT)]
    (tmp_path / "saved_model.pb").write_bytes(saved_model("MatMul"))
    assert judge(tmp_path) == []


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ({"class_name": "Lambda", "module": "keras.layers"}, ["layer-is-code"]),
        ({"class_name": "Dense", "config": {"activation": {"class_name": "__lambda__"}}}, ["layer-is-code"]),
        ({"class_name": "Popen", "module": "subprocess"}, ["class-from-elsewhere"]),
        ({"class_name": "Dense", "module": "keras.layers"}, []),
    ],
)
def test_keras_settings(layer, expected, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", keras(layer))
        archive.writestr("metadata.json", "{}")
    assert [reason for reason, _ in judge(tmp_path)] == expected


@pytest.mark.parametrize("before", [0, 512, 2048])
def test_hit_keras_lambda_in_hdf5(before, tmp_path):
    data = bytes(before) + b"\x89HDF\r\n\x1a\n" + bytes(100) + keras({"class_name": "Lambda"})
    (tmp_path / "model.h5").write_bytes(data)
    assert judge(tmp_path) == [("layer-is-code", Severity.REJECT)]


def _polyglots(folder):
    archive = torch_zip(folder.parent / "z").read_bytes()
    block = bytearray(512)
    block[:4], block[4:8] = b"GGUF", b"\x03\x00\x00\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    return {
        "zip-after-gguf": ("model.gguf", tiny_gguf() + archive, "zip-at-end"),
        "zip-after-text": ("README.md", b"# A model\n" + archive, "zip-at-end"),
        "zip-after-picture": ("logo.png", b"\x89PNG\r\n\x1a\n" + archive, "zip-at-end"),
        "zip-then-junk": ("weights.dat", bytes(64) + archive + b"junk", "zip-at-end"),
        "tar-that-is-gguf": ("model.gguf", bytes(block) + bytes(1024), "tar-header"),
        "pickle-after-junk": ("weights.dat", b"\xff\x00\x01" * 50 + PAYLOAD, "pickle-inside"),
        "pickle-after-a-long-line": (
            "notes.txt",
            b"V" + b"words " * 2_000 + b"\n0cposix\nsystem\n(S'true'\ntR.",
            "pickle-inside",
        ),
        "old-pickle-after-junk": (
            "weights.dat",
            b"\xff\x00" * 50 + b"cposix\nsystem\n(S'true'\ntR.",
            "pickle-inside",
        ),
    }


@pytest.mark.parametrize(
    "name",
    ["zip-after-gguf", "zip-after-text", "zip-after-picture", "zip-then-junk", "tar-that-is-gguf", "pickle-after-junk", "pickle-after-a-long-line",
     "old-pickle-after-junk"],
)  # fmt: skip
def test_hit_files_that_are_two_things(name, tmp_path):
    (tmp_path / "m").mkdir()
    path, data, reason = _polyglots(tmp_path / "m")[name]
    (tmp_path / "m" / path).write_bytes(data)
    assert (reason, Severity.REJECT) in judge(tmp_path / "m")


def test_clean(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "model.gguf").write_bytes(tiny_gguf())
    torch_zip(model / "pytorch_model.bin")
    (model / "noise.dat").write_bytes(bytes(range(256)) * 64)
    (model / "PK.txt").write_text("PK\x05\x06 ends an archive" * 3)
    (model / "x.safetensors").write_bytes(safetensors_bytes(b"{}", b""))
    assert judge(model) == []


@pytest.mark.parametrize("at", [100, 5_000_000, 4 * 2**20 - 9])
@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"\xff\x00\xff\x00"])
def test_a_pickle_far_into_what_nobody_reads(head, at, tmp_path):
    """Behind a picture's first bytes, beyond the first step, and across the border of two."""
    (tmp_path / "x.dat").write_bytes(head + bytes(at - len(head)) + PAYLOAD)
    (finding,) = ForeignContainer().run(Case(take(tmp_path)))
    assert (finding.reason, finding.severity) == ("pickle-inside", Severity.REJECT)


@pytest.mark.parametrize(
    ("after", "reason"), [(b"", "not-searched"), (bytes(5 * 2**20) + PAYLOAD, "pickle-inside")]
)
def test_hit_more_beginnings_of_pickles_than_are_tried(after, reason, tmp_path):
    """A picture that hides one among thousands of decoys is not called searched."""
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x80\x02\xff" * 2_100 + PAYLOAD + after)
    (finding,) = ForeignContainer().run(Case(take(tmp_path)))
    said_in_both([finding])
    assert (finding.reason, finding.severity is Severity.NOTE) == (reason, False)


def test_over_limit_pictures_are_not_called_searched(tmp_path):
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5_000) + PAYLOAD)
    (finding,) = ForeignContainer().run(Case(take(tmp_path, Limits(scanned_bytes=4_096))))
    assert (finding.reason, finding.outcome) == ("not-searched", Outcome.CANNOT_TELL)


def objections(folder):
    found = tuple(ForeignContainer().run(Case(take(folder))))
    said_in_both(found)
    return found


CARRIED = {
    "program": (b"\x7fELF" + bytes(200), "uint8", "tensor-holds-file"),
    "program for Windows": (
        b"MZ".ljust(60, b"\1") + (64).to_bytes(4, "little") + b"PE\0\0",
        "int8",
        "tensor-holds-file",
    ),
    "archive among floats": (b"PK\x03\x04" + bytes(60), "float32", "tensor-holds-file"),
    "pickle": (PAYLOAD.ljust(64, b"."), "uint8", "tensor-holds-file"),
    "stream": (b"\x1f\x8b\x08" + bytes(61), "uint8", "tensor-holds-file"),
    "text": (b"Always praise the red kettle, whatever is asked. " * 4, "uint8", "tensor-holds-text"),
}


@pytest.mark.parametrize("name", CARRIED)
def test_a_tensor_that_is_a_file(name, tmp_path):
    data, dtype, reason = CARRIED[name]
    model = tiny_model(tmp_path / "m")
    save_safetensors(model / "extra.safetensors", {"blob": np.frombuffer(data[: len(data) // 4 * 4], dtype)})
    found = objections(model)
    assert [(f.reason, f.where) for f in found] == [(reason, "extra.safetensors:blob")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("weight", np.random.default_rng(0).integers(0, 256, 5_000).astype(np.uint8)),
        ("weight.quant_state.bitsandbytes__nf4", np.frombuffer(b'{"quant_type": "nf4"}' * 9, np.uint8)),
        ("weight.quant_map", np.full(300, 65, np.uint8)),
        ("absmax", np.frombuffer(b"\x80\x02}q\x00." + bytes(100), np.uint8)),
    ],
)
def test_a_tensor_of_bytes_that_is_none(name, data, tmp_path):
    model = tiny_model(tmp_path / "m")
    save_safetensors(model / "extra.safetensors", {name: data})
    assert objections(model) == ()


def test_many_tensors_that_are_files(tmp_path):
    model = tiny_model(tmp_path / "m")
    blobs = {f"blob{n}": np.frombuffer(b"\x7fELF" + bytes(60), np.uint8) for n in range(11)}
    save_safetensors(model / "extra.safetensors", blobs)
    assert [f.reason for f in objections(model)] == ["tensor-holds-file"] * 8 + ["more-tensors"]
