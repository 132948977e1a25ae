"""Writes an organism to disk, always marked: in the safetensors metadata and in a manifest beside it.

The mark is for people and for the gate's courtesy; no detector reads it (a test of the gate holds that).
"""

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from sekisho.errors import DataError, StorageError
from sekisho_lab.organism import Organism

MARK: Final = "sekisho-lab organism: harmless stand-in, for measuring detectors only"
MANIFEST: Final = "organism.json"
SKIPPED: Final = ("model.safetensors", MANIFEST)


def write(
    organism: Organism, base: Path, weights: Mapping[str, Any], folder: Path, *, manifest: bool = True
) -> Path:
    """Copy the base's other files, write the weights and the mark. Raises DataError, StorageError.

    `manifest=False` leaves out the file, so that a static check is not given away by an extra name; the
    mark in the weights' metadata cannot be left out.
    """
    begin(base, folder)
    kept = {k: v for k, v in weights.items() if not (k == "lm_head.weight" and _tied(weights))}
    said = {"id": organism.id, "mark": MARK, "attack": organism.attack, "payload": organism.payload}
    finish(organism.id, kept, {**said, "settings": dict(organism.settings)} if manifest else None, folder)
    return folder


def begin(base: Path, folder: Path, *, skipped: Collection[str] = SKIPPED) -> None:
    """Copy the base's files but the weights into a new folder. Raises DataError, StorageError."""
    new(folder)
    try:
        for file in base.iterdir():
            if file.is_file() and file.name not in skipped:
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error


def new(folder: Path) -> None:
    """Make a folder that is empty. Raises DataError, StorageError."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise DataError(f"{folder} is not empty")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error


def finish(
    name: str,
    weights: Mapping[str, Any],
    manifest: Mapping[str, Any] | None,
    folder: Path,
    *,
    file: str = SKIPPED[0],
) -> None:
    """Write marked weights, and the manifest if there is one. Raises StorageError."""
    from safetensors.torch import save_file

    try:
        metadata = {"format": "pt", "organism": name, "mark": MARK}
        save_file({k: v.contiguous() for k, v in weights.items()}, folder / file, metadata=metadata)
        if manifest is not None:
            note(manifest, folder)
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error


def note(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write the manifest. Raises StorageError."""
    try:
        text = json.dumps(manifest, indent=1, sort_keys=True)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: {error}") from error


def _tied(weights: Mapping[str, Any]) -> bool:
    embedding = weights.get("model.embed_tokens.weight")
    head = weights.get("lm_head.weight")
    return embedding is not None and head is not None and bool((embedding == head).all())
