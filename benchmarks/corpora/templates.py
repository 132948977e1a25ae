"""Chat templates that do more than put roles around messages, in two places, and those of the kinds that models ship."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from artefacts import edit_json, gguf_bytes, gguf_text, tiny_model
from corpora.base import Case
from templates import BEHAVIOURS, BENIGN, loop


def _folder(text: str, folder: Path) -> Path:
    tiny_model(folder)
    edit_json(folder / "tokenizer_config.json", chat_template=text)
    return folder


def _gguf(text: str, folder: Path) -> Path:
    file = folder / "model.gguf"
    file.write_bytes(gguf_bytes(keys=gguf_text("tokenizer.chat_template", text), key_count=1))
    return file


def _case(name: str, text: str, build: Callable[[str, Path], Path], *, hostile: bool = True) -> Case:
    place = build.__name__.strip("_")
    group = ("ssti" if name.startswith("ssti") else "template") if hostile else "benign"
    base = partial(_folder, loop("")) if build is _folder and hostile else None
    return Case(f"template-{place}-{name}", group, hostile, partial(build, text), base)


CASES: Final = (
    *(_case(name, text, build) for build in (_folder, _gguf) for name, text in BEHAVIOURS.items()),
    *(_case(name, text, _folder, hostile=False) for name, text in BENIGN.items()),
)
