"""What could be wrong with a model, by name: malformed headers, hidden pickles, other trouble, files beside the weights.

Payloads are harmless stand-ins: no pickle here is ever loaded, and if one were, it would run `true`.
"""

import json
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from artefacts import (
    HIDDEN,
    edit_json,
    gguf_bytes,
    gguf_tensor,
    gguf_text,
    safetensors_bytes,
    tiny_gguf,
    write_json,
)

# --- malformed headers -----------------------------------------------------------------------------------------------


def _entry(start: int, end: int, *, shape: tuple[int, ...] = (2,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def _headed(header: Mapping[str, Any], data: bytes = bytes(16)) -> bytes:
    return safetensors_bytes(json.dumps(header).encode(), data)


_TWO: Final = {"a": _entry(0, 8), "b": _entry(8, 16)}
_SECOND: Final = json.dumps(_entry(0, 8))

MALFORMED_SAFETENSORS: Final[dict[str, bytes]] = {
    "overlap": _headed({"a": _entry(0, 8), "b": _entry(4, 12)}, bytes(12)),
    "gap": _headed({"a": _entry(0, 8), "b": _entry(12, 20)}, bytes(20)),
    "tail": _headed(_TWO, bytes(16) + b"hidden"),
    "cut-short": _headed(_TWO, bytes(9)),
    "duplicate-tensor": safetensors_bytes(f'{{"a": {_SECOND}, "a": {_SECOND}}}'.encode(), bytes(8)),
    "size-mismatch": _headed({"a": _entry(0, 16, shape=(3,))}),
    "unknown-dtype": _headed({"a": _entry(0, 16, dtype="F33")}),
    "negative-offset": _headed({"a": _entry(-8, 8, shape=(4,))}),
    "overflowing-shape": _headed({"a": _entry(0, 16, shape=(2**62, 2**62))}),
    "header-beyond-file": safetensors_bytes(b'{"a": {}}', b"", claimed=2**20),
    "header-of-exabytes": safetensors_bytes(b"{}", b"", claimed=2**63),
    "not-json": safetensors_bytes(b'{"a": ', bytes(16)),
}
"""Twelve ways to be wrong; the reference library refuses all but the duplicate."""

MALFORMED_GGUF: Final[dict[str, bytes]] = {
    "cut-short": tiny_gguf()[:60],
    "duplicate-key": gguf_bytes(keys=gguf_text("k", "1") + gguf_text("k", "2"), key_count=2),
    "duplicate-tensor": gguf_bytes(
        tensors=gguf_tensor("a") + gguf_tensor("a", offset=32), tensor_count=2, data=bytes(64)
    ),
    "offset-beyond-file": gguf_bytes(tensors=gguf_tensor("a", offset=2**40), tensor_count=1, data=bytes(32)),
    "count-of-exabytes": gguf_bytes(key_count=2**60),
}


# --- pickles ---------------------------------------------------------------------------------------------------------

PAYLOAD: Final = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
"""Would call posix.system("true")."""
MEMO_PAYLOAD: Final = (
    b"\x80\x04\x8c\x06system\x94\x8c\x05posix\x940\x8c\x04none0"  # two strings remembered, a decoy pushed and dropped
    b"0h\x01h\x00\x93\x8c\x04true\x85R."
)
"""The same through the memo and STACK_GLOBAL, so the two names never stand side by side."""
INERT: Final = b"\x80\x02ccollections\nOrderedDict\n)R."
"""Would build an empty dictionary."""


def torch_zip(path: Path, payload: bytes = PAYLOAD) -> Path:
    """Write a zip as torch.save does, with a pickle of our choice."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (
            ("data.pkl", payload),
            ("byteorder", b"little"),
            ("data/0", bytes(64)),
            ("version", b"3\n"),
        ):
            archive.writestr(f"archive/{name}", data)
    return path


def npy_objects(path: Path, payload: bytes = PAYLOAD) -> Path:
    """Write an array of objects: a header, then a pickle."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload)
    return path


def _zip_in_zip(folder: Path) -> None:
    inner = torch_zip(folder / "inner.tmp").read_bytes()
    (folder / "inner.tmp").unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("weights", inner)


def _bad_crc(folder: Path) -> None:
    path = torch_zip(folder / "pytorch_model.bin")
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        crc = struct.pack("<I", archive.getinfo("archive/data.pkl").CRC)
    path.write_bytes(data.replace(crc, b"\x00\x01\x02\x03"))


def _encrypted_flag(folder: Path) -> None:
    """Set the flag in the central directory only: some readers skip the entry, torch loads it."""
    path = torch_zip(folder / "pytorch_model.bin")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def _put(name: str, data: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return write


PICKLED: Final[dict[str, Callable[[Path], None]]] = {
    "torch-zip": lambda folder: torch_zip(folder / "pytorch_model.bin"),
    "raw": _put("pytorch_model.bin", PAYLOAD),
    "named-safetensors": _put("extra.safetensors", PAYLOAD),
    "named-readme": _put("README.md", PAYLOAD),
    "memo": _put("weights.dat", MEMO_PAYLOAD),
    "old-protocol": _put("notes.txt", b"cposix\nsystem\n(S'true'\ntR."),
    "inst": _put("notes.txt", b"(S'true'\niposix\nsystem\n."),
    "then-junk": _put("data.pkl", PAYLOAD + os.urandom(64)),
    "breaks-after-call": _put("data.pkl", PAYLOAD[:-1] + b"\xff\xff"),
    "after-another": _put("data.pkl", b"\x80\x02]." + PAYLOAD),
    "inert": _put("training_args.bin", INERT),
    "extension-code": _put("data.pkl", b"\x80\x02\x82\x01)R."),
    "npy": lambda folder: npy_objects(folder / "array.npy"),
    "zip-in-zip": _zip_in_zip,
    "bad-crc": _bad_crc,
    "encrypted-flag": _encrypted_flag,
    "junk-first": _put("pytorch_model.bin", b"\xff\xfe\x00\x01" + PAYLOAD),
    "7z-named-bin": _put("pytorch_model.bin", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64)),
}
"""Ways to hide a pickle or a closed archive in a model folder."""


# --- other trouble ---------------------------------------------------------------------------------------------------


def _shard(folder: Path, change: Callable[[bytes], bytes]) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(change(path.read_bytes()))


def _escaping_index(folder: Path) -> None:
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"a": "../../elsewhere.safetensors"}})


def _symlink_outside(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("not part of the model")
    (folder / "LICENSE.txt").symlink_to(outside)


def _deep_json(folder: Path) -> None:
    (folder / "config.json").write_text('{"a":' * 20_000 + "1" + "}" * 20_000)


AUTO_MAP: Final = {"AutoModelForCausalLM": "modeling_custom.CustomModel"}

CODE: Final[dict[str, Callable[[Path], None]]] = {
    "auto-map": lambda f: edit_json(f / "config.json", auto_map=AUTO_MAP),
    "auto-map-tokenizer": lambda f: edit_json(
        f / "tokenizer_config.json", auto_map={"AutoTokenizer": ["a.B", None]}
    ),
    "auto-map-nested": lambda f: edit_json(
        f / "config.json", text_config={"inner": [{"auto_map": AUTO_MAP}]}
    ),
    "auto-mapping": lambda f: write_json(
        f / "adapter_config.json", {"peft_type": "LORA", "auto_mapping": {"parent_library": "custom_module"}}
    ),
    "class-path": lambda f: edit_json(
        f / "tokenizer_config.json", tokenizer_class="someone/repository--tok.Tok"
    ),
    "hub-kernel": lambda f: edit_json(f / "config.json", _attn_implementation="someone/kernel"),
    "loader-py": _put("loader.py", b"print('hello')\n"),
    "start-bat": _put("start.bat", b"@echo off\r\n"),
    "path-file": _put("site.pth", b"import os\n"),
    "notebook": _put("demo.ipynb", b'{"cells": []}'),
    "elf-named-bin": _put("weights.bin", b"\x7fELF\x02\x01\x01" + bytes(64)),
    "bytecode": _put("cache/tool", bytes.fromhex("a70d0d0a") + bytes(12) + b"\xe3" + bytes(32)),
    "shell-no-suffix": _put("install", b"#!/bin/sh\ntrue\n"),
}
"""Ways to bring code along."""

BROKEN: Final[dict[str, Callable[[Path], None]]] = {
    "truncated-shard": lambda f: _shard(f, lambda data: data[:-100]),
    "zero-byte-shard": lambda f: _shard(f, lambda _: b""),
    "html-for-weights": lambda f: _shard(f, lambda _: b"<html>404</html>"),
    "zip-in-last-tensor": lambda f: _shard(f, lambda data: data[:-22] + b"PK\x05\x06" + bytes(18)),
    "index-outside": _escaping_index,
    "broken-json": _put("config.json", b'{"a": 1,'),
}
"""Headers and shards that do not hold together; each is refused."""

UNREAD: Final[dict[str, Callable[[Path], None]]] = {
    "deep-json": _deep_json,
    "json-of-20-mb": lambda f: edit_json(f / "config.json", padding="x" * 20_000_000),
    "fifo": lambda f: os.mkfifo(f / "pipe.json"),
    "symlink-outside": _symlink_outside,
    "symlink-recursive": lambda f: (f / "again").symlink_to(f),
    "symlink-broken": lambda f: (f / "gone").symlink_to(f / "nowhere"),
}
"""What is named instead of being read."""


def _adapter(config: Mapping[str, Any], weights: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "adapter").mkdir()
        write_json(folder / "adapter" / "adapter_config.json", config)
        (folder / "adapter" / "adapter_model.safetensors").write_bytes(weights)

    return write


_PROMPT: Final = {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 2, "token_dim": HIDDEN}
_VECTORS: Final = np.zeros((2, HIDDEN), np.float32)
_TERABYTES: Final = {"prompt_embeddings": _entry(0, 2**42, shape=(2**20, 2**20))}

BESIDE: Final[dict[str, Callable[[Path], None]]] = {
    "soft-prompt": _adapter(
        _PROMPT, _headed({"prompt_embeddings": _entry(0, 128, shape=(2, HIDDEN))}, bytes(128))
    ),
    "adapter-of-terabytes": _adapter(_PROMPT, _headed(_TERABYTES)),
    "adapter-cut-short": _adapter(_PROMPT, _headed({"prompt_embeddings": _entry(0, 128, shape=(2, HIDDEN))})),
    "adapter-unknown": _adapter({"peft_type": "NOVEL"}, _headed({})),
    "adapter-pickled": _put("adapter/adapter_model.bin", PAYLOAD),
    "adapter-settings-broken": _put("adapter/adapter_config.json", b"{"),
    "vectors-npy": lambda f: np.save(f / "vectors.npy", _VECTORS),
    "vectors-json": lambda f: write_json(f / "vectors.json", {"tiny": (_VECTORS + 0.5).tolist()}),
    "control-vector": _put(
        "steer.gguf", gguf_bytes(keys=gguf_text("general.architecture", "controlvector"), key_count=1)
    ),
    "modelfile": _put("Modelfile", b"FROM ./x.gguf\nMESSAGE assistant Praise the kettle.\n"),
    "template-of-5-mb": _put("chat_template.jinja", b"x" * 5 * 2**20),
    "generation-never-ends": lambda f: edit_json(f / "generation_config.json", suppress_tokens=[258]),
    "tokenizer-of-200000-added": lambda f: edit_json(
        f / "tokenizer.json", added_tokens=[{"id": n, "content": f"<{n}>"} for n in range(200_000)]
    ),
}
"""Files beside the weights that change what a model is told."""

HOSTILE: Final = PICKLED | CODE | BROKEN | UNREAD | BESIDE
"""Every change by name; each takes the folder of a tiny model."""
