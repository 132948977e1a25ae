"""Every reader of `formats/` as a function of bytes, with seeds: what hypothesis and atheris are given.

A reader may return facts or raise MalformedError or LimitError. Anything else that escapes is a finding, and so is a
reader that takes seconds over bytes that fit into a mail.
"""

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sekisho.errors import ArtefactError
from sekisho.formats import FORMATS, SNIFF_BYTES, Format, roles, sniff
from sekisho.limits import KIB, MIB, Limits

LIMITS: Final = Limits(
    json_bytes=MIB, config_bytes=256 * KIB, code_bytes=256 * KIB, text_bytes=256 * KIB, pickle_opcodes=100_000,
    gguf_items=100_000, zip_entries=500, zip_entry_bytes=MIB,
)  # fmt: skip
"""Smaller than the real ones: a fuzzer reaches them, and each run stays short."""

NAMES: Final = {
    "zip": "weights.bin", "pickle": "data.pkl", "gguf": "model.gguf", "npy": "a.npy", "safetensors": "model.safetensors",
    "code": "loader.py", "tokenizer": "tokenizer.json", "tokenizer-json": "tokenizer.json", "sentencepiece": "tokenizer.model",
    "chat-template": "chat_template.jinja", "chat_template": "chat_template.jinja", "template": "chat_template.jinja",
    "modelfile": "Modelfile", "json": "config.json", "text": "README.md", "media": "logo.png",
}  # fmt: skip
"""A file name for each format, where the name matters to the reader."""

Target = Callable[[bytes], None]


def targets() -> dict[str, Target]:
    """One target for each reader, by its module, and `any`, which sniffs first as the inventory does."""
    readers = {form.read: form for form in reversed(FORMATS)}
    named = {
        f"{form.read.__module__.rpartition('.')[2]}-{form.name}": _reader(form) for form in readers.values()
    }
    return {**named, "any": _any}


def seeds() -> dict[str, bytes]:
    """Small valid and hostile files by name, to start from."""
    from artefacts import TEMPLATE, tiny_gguf, tiny_model
    from hostile import INERT, MALFORMED_GGUF, MALFORMED_SAFETENSORS, MEMO_PAYLOAD, PAYLOAD, torch_zip

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = {p.name: p.read_bytes()[: 64 * KIB] for p in tiny_model(folder / "m").iterdir()}
        files["torch.zip"] = torch_zip(folder / "torch.zip").read_bytes()
    files |= {f"gguf-{k}": v for k, v in MALFORMED_GGUF.items()}
    files |= {f"safetensors-{k}": v for k, v in MALFORMED_SAFETENSORS.items()}
    files |= {"gguf": tiny_gguf(), "payload": PAYLOAD, "memo": MEMO_PAYLOAD, "inert": INERT}
    files |= {"template": TEMPLATE.encode(), "modelfile": b'FROM x.gguf\nTEMPLATE """{{ .Prompt }}"""\n'}
    files |= {
        "code": b"import os\n\n\nclass A:\n    x = [1, 2]\n",
        "json": json.dumps({"a": [1, {"b": None}]}).encode(),
    }
    return files  # fmt: skip


def _reader(form: Format) -> Target:
    name = NAMES.get(form.name, "file.bin")

    def read(data: bytes) -> None:
        with _written(name, data) as path, suppress(ArtefactError):
            form.read(path, LIMITS)

    return read


def _any(data: bytes) -> None:
    for name in ("file.bin", "notes.txt"):
        with _written(name, data) as path:
            form = sniff(data[:SNIFF_BYTES], name)
            if form is not None:
                with suppress(ArtefactError):
                    roles.judge(form.name, name, form.read(path, LIMITS))


class _written:  # noqa: N801  used as a function
    """A file of these bytes, in memory where the system has such a place."""

    def __init__(self, name: str, data: bytes) -> None:
        shm = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112
        self.folder = tempfile.mkdtemp(dir=shm)
        self.path = Path(self.folder) / name
        self.path.write_bytes(data)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.path.unlink()
        Path(self.folder).rmdir()
