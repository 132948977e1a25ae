"""The pass over numbers while hashing: every type, every block boundary, nothing alarmed about what is sound."""

import hashlib
import json
import struct

import numpy as np
import pytest

from artefacts import gguf_bytes, gguf_tensor, safetensors_bytes
from sekisho.formats import gguf, numeric, safetensors
from sekisho.limits import DEFAULT

NAN_BITS = {
    "F64": (8, 0x7FF8000000000000), "F32": (4, 0x7FC00000), "F16": (2, 0x7E00), "BF16": (2, 0x7FC0), "F8_E5M2": (1, 0x7E),
    "F8_E4M3": (1, 0x7F), "F8_E8M0": (1, 0xFF), "F8_E4M3FNUZ": (1, 0x80), "F8_E5M2FNUZ": (1, 0x80),
}  # fmt: skip
INFINITIES = {"F64": (8, 0xFFF0 << 48), "F32": (4, 0xFF800000), "F16": (2, 0xFC00), "BF16": (2, 0xFF80), "F8_E5M2": (1, 0xFC)}  # fmt: skip


def one(folder, dtype, bits, shape, width):
    """Numbers of a file with one tensor of given bit patterns."""
    data = np.asarray(bits).astype(f"<u{width}").tobytes()
    header = {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": [0, len(data)]}}
    path = folder / "model.safetensors"
    path.write_bytes(safetensors_bytes(json.dumps(header).encode(), data))
    seen = numeric.stream(path, safetensors.read(path, DEFAULT))
    assert seen.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return seen.numeric


def sound(count, width):
    """Patterns of small positive numbers in any of the types, none of them equal to its neighbour."""
    return (np.arange(count, dtype=np.uint64) % 40) + (np.uint64(0x30) << np.uint64(8 * width - 8))


@pytest.mark.parametrize("dtype", NAN_BITS)
def test_what_is_no_number_is_found_in_its_row(dtype, tmp_path):
    width, bad = NAN_BITS[dtype]
    bits = sound(64 * 32, width)
    assert one(tmp_path, dtype, bits, (64, 32), width).tensors[0].bad_rows == 0
    bits[17 * 32 + 5] = bad
    (found,) = one(tmp_path, dtype, bits, (64, 32), width).tensors
    assert (found.bad_rows, found.first_bad, found.has_nan) == (1, (17,), True)


@pytest.mark.parametrize("dtype", INFINITIES)
def test_minus_infinity_is_told_from_what_is_no_number(dtype, tmp_path):
    width, bad = INFINITIES[dtype]
    bits = sound(64 * 32, width)
    bits[-1] = bad
    (found,) = one(tmp_path, dtype, bits, (64, 32), width).tensors
    assert (found.first_bad, found.has_nan) == ((63,), False)


def test_the_last_number_of_many_blocks_counts(tmp_path):
    bits = np.full(3 * 2**19 + 48, 0x3C01, dtype=np.uint16)
    bits[::2] = 0x3C02
    bits[-1] = 0x7E00
    (found,) = one(tmp_path, "F16", bits, (len(bits) // 16, 16), 2).tensors
    assert (found.bad_rows, found.first_bad) == (1, (len(bits) // 16 - 1,))


def test_rows_longer_than_a_block(tmp_path):
    bits = np.arange(2 * 2**20, dtype=np.uint32) + 0x3F000000
    bits[2**20 + 1] = 0xFFC00000
    (found,) = one(tmp_path, "F32", bits, (2, 2**20), 4).tensors
    assert found.bad_rows == 1
    assert found.has_nan


def test_empty_and_constant_rows(tmp_path):
    bits = sound(8 * 32, 4).reshape(8, 32)
    bits[2], bits[3], bits[4] = 0, 0x3F800000, np.where(np.arange(32) % 2, 1 << 31, 0)
    (found,) = one(tmp_path, "F32", bits, (8, 32), 4).tensors
    assert (found.zero_rows, found.constant_rows, found.uniform) == (2, 1, False)
    (zero,) = one(tmp_path, "F32", bits * 0, (8, 32), 4).tensors
    assert (zero.zero_rows, zero.uniform, zero.largest) == (8, True, 0.0)
    (ones,) = one(tmp_path, "F32", bits * 0 + 0x3F800000, (256,), 4).tensors
    assert (ones.uniform, ones.largest, ones.rms) == (True, 1.0, 1.0)


def test_the_largest_of_either_sign(tmp_path):
    bits = np.array([1.0, -7.0, 3.0, 0.0] * 8, dtype=np.float32).view(np.uint32)
    (found,) = one(tmp_path, "F32", bits, (2, 16), 4).tensors
    assert found.largest == 7.0


def test_integers_and_unknown_types_are_counted_not_judged(tmp_path):
    seen = one(tmp_path, "I32", np.zeros(64), (8, 8), 4)
    assert (seen.tensors, seen.integers, seen.looked, seen.unknown) == ((), 256, 0, ())


def quantised(kind, block, blocks=8):
    return gguf_bytes(
        tensors=gguf_tensor("a", (kind[1], blocks), kind[0]), tensor_count=1, data=block * blocks
    )


QUANTS = {"Q8_0": ((8, 32), 34, 0), "Q4_K": ((12, 256), 144, 2), "Q6_K": ((14, 256), 210, 208)}


@pytest.mark.parametrize("name", QUANTS)
def test_scales_of_quantised_blocks(name, tmp_path):
    kind, size, at = QUANTS[name]
    for scale, bad in ((0x2C00, 0), (0x7E00, 8)):
        block = bytearray(b"\x11" * size)
        block[at : at + 2] = struct.pack("<H", scale)
        path = tmp_path / "m.gguf"
        path.write_bytes(quantised(kind, bytes(block)))
        (found,) = numeric.stream(path, gguf.read(path, DEFAULT)).numeric.tensors
        assert (found.bad_rows, found.quantised) == (bad, True)


def test_a_file_that_grows_meanwhile_is_an_error(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(4 * 2**20))

    def grow(_):
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(OSError, match="changed while it was read"):
        numeric.stream(path, tick=grow)
