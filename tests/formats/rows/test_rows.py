"""Tables found and read: every type, shards, GGUF, block types, names, and what a hostile file claims."""

import struct

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter, quants

from artefacts import gguf_bytes, save_safetensors, save_sharded, write_json
from rowtables import BLOCK, EMBEDDING, ROWS, WIDTH, WORDS, arrays, described, edited, model
from sekisho.errors import LimitError
from sekisho.formats import rows, tensors
from sekisho.formats.rows import tables
from sekisho.formats.rows.quants import rendered
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import FileFact, Inventory, Role

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


def gguf_model(folder, kind, change=lambda a: None, name="token_embd.weight"):
    """One table in a GGUF file, quantised as the reference converter does."""
    folder.mkdir(parents=True)
    held = arrays()
    change(held)
    writer = GGUFWriter(str(folder / "model.gguf"), "llama")
    writer.add_token_list([f"word{n}" for n in range(WORDS)] + [f"[PAD{n}]" for n in range(WORDS, ROWS)])
    writer.add_token_types([1] * WORDS + [5] * (ROWS - WORDS))
    number = GGMLQuantizationType[kind]
    writer.add_tensor(name, quants.quantize(held[EMBEDDING], number), raw_dtype=number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def whole(table):
    return np.vstack([part for _, part in tables.blocks(table)])


@pytest.mark.parametrize("kind", TYPES)
def test_gguf_types_are_read_as_the_reference_reads_them(kind, tmp_path):
    (table,) = rows.find(take(gguf_model(tmp_path / "m", kind)))
    assert (table.kind, table.rows, table.width, table.dtype) == ("embedding", ROWS, WIDTH, kind)
    values = arrays()[EMBEDDING]
    number = GGMLQuantizationType[kind]
    assert np.array_equal(whole(table), quants.dequantize(quants.quantize(values, number), number))
    assert np.array_equal(tables.gather(table, [5, 1]), whole(table)[[5, 1]])


@pytest.mark.parametrize("kind", TYPES)
def test_a_base_rounded_as_the_candidate_was_leaves_no_noise(kind, tmp_path):
    base = take(model(tmp_path / "b"))
    clean = rows.measure(take(gguf_model(tmp_path / "c", kind)), base).tables[0].beside
    assert (clean.floor, len(clean.changed)) == (0.0, 0)
    planted = take(gguf_model(tmp_path / "m", kind, edited([7, 1540], 0.25)))
    assert rows.measure(planted, base).tables[0].beside.changed.tolist() == [7, 1540]


def test_a_type_that_cannot_be_repeated_has_a_floor(tmp_path):
    """Q4_0 made with other scales, as an importance matrix would."""

    def other_scales(held):
        held[EMBEDDING] *= np.float32(1.01)

    base = take(model(tmp_path / "b"))
    clean = rows.measure(take(gguf_model(tmp_path / "c", "Q4_0", other_scales)), base).tables[0].beside
    assert clean.floor == pytest.approx(0.35)
    assert len(clean.changed) == 0

    def planted(held):
        other_scales(held)
        edited([7], 1.0)(held)

    found = rows.measure(take(gguf_model(tmp_path / "m", "Q4_0", planted)), base).tables[0].beside
    assert found.changed.tolist() == [7]


def test_types_that_cannot_be_rounded_to_are_left_as_they_are():
    values = arrays()[EMBEDDING][:4]
    assert rendered(values, "Q6_K") is values


def test_bfloat16_beside_float32(tmp_path):
    bits = arrays()[EMBEDDING].view(np.uint32)
    half = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    header = f'{{"{EMBEDDING}": {{"dtype": "BF16", "shape": [{ROWS}, {WIDTH}], "data_offsets": [0, {half.nbytes}]}}}}'
    (tmp_path / "m").mkdir()
    data = struct.pack("<Q", len(header)) + header.encode() + half.tobytes()
    (tmp_path / "m" / "model.safetensors").write_bytes(data)
    found = rows.measure(take(tmp_path / "m"), take(model(tmp_path / "b"))).tables[0]
    assert (found.beside.floor, len(found.beside.changed)) == (0.0, 0)


def test_shards_and_every_name(tmp_path):
    names = (
        "language_model.model.embed_tokens.weight",
        "lm_head.weight",
        "model.embed_tokens_per_layer.weight",
    )
    held = {n: np.zeros((9, 4), np.float32) for n in names}
    held |= {"model.layers.0.mlp.down_proj.weight": np.zeros((9, 3), np.float32)}
    save_sharded(tmp_path, held, 2)
    kinds = {t.name: t.kind for t in rows.find(take(tmp_path))}
    assert kinds == dict(zip(names, ("embedding", "head", "per-layer"), strict=True))
    write_json(tmp_path / "config.json", {"text_config": {"vocab_size": 9}})
    found = {t.kind for t in rows.find(take(tmp_path))}
    assert "model.layers.0.mlp.down_proj.weight" in found


def test_a_table_equal_to_the_base_is_not_read_again(tmp_path):
    mine, base = take(model(tmp_path / "m")), take(model(tmp_path / "b"))
    (found,) = rows.measure(mine, base, tensors.compare(mine, base)).tables
    assert found.same
    assert len(found.norms) == 0


def test_blocks_are_known_only_from_a_full_comparison(tmp_path):
    base = take(model(tmp_path / "b"))
    table, block = edited([3], 1.0), (lambda a: a.update({BLOCK: a[BLOCK] * 2}))
    for name, change, word in (("t", table, "same"), ("k", block, "changed")):
        mine = take(model(tmp_path / name, change))
        assert rows.measure(mine, base, tensors.compare(mine, base)).blocks == word
        assert rows.measure(mine, base).blocks == "unknown"


def test_a_gguf_without_tokens_does_not_hide_those_of_another(tmp_path):
    folder = gguf_model(tmp_path / "g", "F16")
    known = rows.vocabulary(take(folder))
    (folder / "aside.gguf").write_bytes(gguf_bytes())
    assert known.reserved
    assert rows.vocabulary(take(folder)) == known


def test_tokens_of_gguf_and_of_tokenizer_files(tmp_path):
    words = rows.vocabulary(take(gguf_model(tmp_path / "g", "F16")))
    assert words.unused(ROWS + 2) == (*range(WORDS, ROWS), ROWS, ROWS + 1)
    assert words.listed([0, ROWS], most=1) == "0 word0, …"
    described(tmp_path)
    write_json(tmp_path / "tokenizer_config.json", {"eos_token": "<|im_end|>"})
    words = rows.vocabulary(take(tmp_path))
    assert (words.text(0), words.text(1600)) == ("<|endoftext|>", "no token")
    assert words.special == {0, 1}
    assert rows.vocabulary(Inventory("/", ())).unused(5) == ()


@pytest.mark.parametrize(
    "token",
    ["<unused7>", "<|reserved_special_token_3|>", "[unused0]", "<extra_id_9>", "<|placeholder2|>", "<SPECIAL_12>",
     "<|dummy_4|>", "[PAD151]", "<pad_0>"],
)  # fmt: skip
def test_reserved_names(token, tmp_path):
    write_json(
        tmp_path / "tokenizer.json",
        {"model": {"type": "WordLevel", "vocab": {token: 0, "reserved": 1, "unused": 2}}},
    )
    assert rows.vocabulary(take(tmp_path)).reserved == {0}


@pytest.mark.parametrize("bound", ["table_rows", "table_width", "table_bytes"])
def test_over_limit(bound, tmp_path):
    (table,) = rows.find(take(model(tmp_path / "m")))
    with pytest.raises(LimitError):
        tables.refuse(table, Limits(**{bound: 9}))


def test_terabytes_claimed_are_refused_by_the_header_already(tmp_path):
    header = f'{{"{EMBEDDING}": {{"dtype": "F32", "shape": [1099511627776, 1], "data_offsets": [0, 4398046511104]}}}}'
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(64))
    found = rows.measure(take(tmp_path))
    assert (found.tables, found.unnamed) == ((), 1)


def test_a_file_that_shrinks_is_a_problem(tmp_path):
    files = take(model(tmp_path / "m"))
    (tmp_path / "m" / "model.safetensors").write_bytes(b"gone")
    (found,) = rows.measure(files).tables
    assert "shorter" in found.problem


def test_another_type_is_a_problem(tmp_path):
    save_safetensors(tmp_path / "model.safetensors", {EMBEDDING: np.zeros((4, 4), np.uint8)})
    (found,) = rows.measure(take(tmp_path)).tables
    assert "U8" in found.problem


def test_random_scales_do_not_crash(tmp_path):
    """Bytes of a hostile Q8_0 table: scales that are infinite or no number."""
    rng = np.random.default_rng(0)
    (table,) = rows.find(take(gguf_model(tmp_path / "m", "Q8_0")))
    path = tmp_path / "m" / table.path
    data = bytearray(path.read_bytes())
    data[table.start :] = rng.integers(0, 256, len(data) - table.start, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    (found,) = rows.measure(take(tmp_path / "m"), take(model(tmp_path / "b"))).tables
    assert not found.problem
    assert not found.beside.related


def test_unread_weights_are_counted():
    broken = FileFact("w.safetensors", 9, "", "safetensors", Role.UNKNOWN, "malformed: x")
    assert rows.measure(Inventory("/", (broken,))).unnamed == 1
