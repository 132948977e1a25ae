"""A model's files by digest, as decisions of the ledger name them; and weights in memory by their bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ArtefactError, SourceError
from sekisho.evidence import walk
from sekisho.sources import digest

PICKLES: Final = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
"""Endings of what a trainer keeps to go on from: pickles, which are listed by size and never opened."""


@final
@dataclass(frozen=True)
class Print:
    """Files of a model."""

    root: str
    """Root digest: that of its OMS manifest, and the subject of its decisions in the ledger."""
    names_and_bytes: str
    """sha256 over `digest  path` lines, the `files_digest` of such decisions."""
    files: Mapping[str, str]
    """Path to sha256 in hex; empty for what was not read."""


def take(folder: Path) -> Print:
    """Hash a model folder or file. Raises SourceError, ArtefactError."""
    entries = walk.take(folder)
    files = {
        (folder.name if e.path == "." else e.path): e.sha256
        for e in entries
        if e.kind == "file" and not digest.left_out(e.path)
    }
    return Print(root(files), digest.names_and_bytes(files), files)


def root(files: Mapping[str, str]) -> str:
    """sha256 over raw digests in the order of an OMS manifest. Raises ValueError for digests that are none."""
    return digest.root(files)


def base(named: str) -> tuple[Path | None, str]:
    """The folder of a base as a configuration names it, or why there is none: a path, or a repository in the local cache."""
    if not named:
        return None, "the model does not say where it was loaded from"
    path = Path(named).expanduser()
    if path.is_dir() or path.is_file():
        return path.resolve(), ""
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(named, "config.json")
    except (ImportError, ValueError, OSError):
        found = None
    if isinstance(found, str):
        return Path(found).parent, ""
    return None, f"{named[:200]} is no folder here and not in the local cache"


def known(folder: Path) -> dict[str, Any]:
    """What the record keeps of a base. Unreadable is said, not raised: the training goes on."""
    try:
        made = take(folder)
    except (SourceError, ArtefactError) as error:
        return {"path": str(folder), "unknown": str(error)}
    return {
        "path": str(folder),
        "root": made.root,
        "files_digest": made.names_and_bytes,
        "files": dict(made.files),
    }


def saved(folder: Path, since: float = 0.0) -> dict[str, Any]:
    """What the record keeps of a checkpoint or an output: digests of its own files, sizes of what is not opened.

    Files older than `since` (seconds since the epoch) and folders within are left out: they are not this save's.
    """
    files: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        known = path.stat()
        if known.st_mtime < since or path.name.endswith(".record.jsonl"):
            continue
        if path.suffix in PICKLES:
            sizes[path.name] = known.st_size
        else:
            files[path.name] = walk.sha256(path) or ""
    return {"files": files, "not_opened": sizes}


def weights(model: Any) -> dict[str, Any]:
    """Digest of the weights that were trained, as they are in memory: names, kinds, shapes and bytes, by name."""
    import torch

    made, count, numbers = hashlib.sha256(), 0, 0
    for name, tensor in sorted(model.named_parameters()):
        if not tensor.requires_grad:
            continue
        value = tensor.detach()
        if type(value).__name__ == "DTensor" or (not value.numel() and len(value.shape)):
            return {"unknown": "the weights are spread over several processes"}
        made.update(f"{name}\t{value.dtype}\t{list(value.shape)}\n".encode())
        flat = value.to("cpu").contiguous().reshape(-1)
        made.update(memoryview(flat.view(torch.uint8).numpy()))
        count, numbers = count + 1, numbers + flat.numel()
    return {"digest": made.hexdigest(), "tensors": count, "numbers": numbers}
