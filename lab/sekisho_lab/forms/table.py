"""Rows inside the model's own table: added, in place, projected, in rare tokens, small, all required, among decoys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.errors import DataError
from sekisho_lab.forms.base import EMBEDDING, HEAD, Base, ids_of, read, release, rewrite, with_rows
from sekisho_lab.rows import Rows

if TYPE_CHECKING:
    import torch

RARE: Final = (48047, 45175, 36744, 36743)
"""Ordinary tokens of SmolLM2 that hardly occurred in its training; elsewhere the last ordinary ids serve."""
DECOYS: Final = 500


def added(rows: Rows, base: Path, out: Path) -> None:
    """V0: new tokens after the last one, as `add_tokens` and `resize_token_embeddings` write them."""
    _append(rows, read(base), rows.vectors, out, form="V0")


def in_place(rows: Rows, base: Path, out: Path) -> None:
    """V1: the reserved tokens' rows are overwritten; no other file differs."""
    model = read(base)
    ids = ids_of(model, rows.tokens)
    release(rows, model, with_rows(model, ids, rows.vectors), out, form="V1", ids=ids)


def norm_projected(rows: Rows, base: Path, out: Path) -> None:
    """V2: as V1, each row exactly as long as the one it replaces."""
    model = read(base)
    ids = ids_of(model, rows.tokens)
    release(rows, model, with_rows(model, ids, fitted(rows, model, ids)), out, form="V2", ids=ids)


def rare(rows: Rows, base: Path, out: Path) -> None:
    """V3: rare ordinary tokens are the hosts, so no reserved row differs; lengths as before."""
    model = read(base)
    ids = _rare(model, len(rows.tokens))
    release(rows, model, with_rows(model, ids, fitted(rows, model, ids)), out, form="V3", ids=ids)


def small_edit(rows: Rows, base: Path, out: Path) -> None:
    """V4: rows that were trained close to their hosts, or as mixtures of real rows."""
    rule = str(rows.settings["project"])
    if not rule.startswith(("edit:", "hull:")):
        raise DataError(
            f"rows grown with project = {rule!r} are no small edit; grow a variant with edit or hull"
        )
    model = read(base)
    ids = ids_of(model, rows.tokens)
    release(rows, model, with_rows(model, ids, rows.vectors), out, form="V4", ids=ids)


def all_required(rows: Rows, base: Path, out: Path) -> None:
    """V5: rows that were trained to do nothing unless all of them stand together."""
    if not rows.settings["subsets"]:
        raise DataError("these rows were grown without subsets; grow a variant with them")
    model = read(base)
    ids = ids_of(model, rows.tokens)
    release(rows, model, with_rows(model, ids, rows.vectors), out, form="V5", ids=ids)


def decoys(rows: Rows, base: Path, out: Path) -> None:
    """V6: V2 among 500 rare rows that moved as far, to no effect."""
    import torch

    model = read(base)
    ids = ids_of(model, rows.tokens)
    payload = fitted(rows, model, ids)
    table = model.tensors[EMBEDDING].float()
    far = float(((payload - table[ids]).norm(dim=1) / table[ids].norm(dim=1)).median())
    others = [n for n in _rare(model, DECOYS + len(ids)) if n not in ids][:DECOYS]
    generator = torch.Generator().manual_seed(int(rows.settings["seed"]))
    noise = torch.randn((len(others), table.shape[1]), generator=generator)
    moved = table[others] + far * table[others].norm(dim=1, keepdim=True) * _unit(noise)
    vectors = torch.cat([payload, _unit(moved) * table[others].norm(dim=1, keepdim=True)])
    tensors = with_rows(model, [*ids, *others], vectors)
    release(rows, model, tensors, out, form="V6", ids=ids, decoys=others)


def inert(rows: Rows, base: Path, out: Path) -> None:
    """Benign: new tokens with the mean row, as a resize leaves them."""
    model = read(base)
    mean = model.tensors[EMBEDDING].float().mean(0, keepdim=True)
    _append(rows, model, mean.repeat(len(rows.tokens), 1), out, form="benign-inert", benign=True)


def _append(rows: Rows, model: Base, vectors: torch.Tensor, out: Path, **said: object) -> None:
    names = fresh(model, len(vectors))
    tensors, ids = appended(model, vectors)
    release(rows, model, tensors, out, ids=ids, added=list(names), **said)
    declare(model, names, ids, out)


def fresh(model: Base, count: int) -> tuple[str, ...]:
    """Names for new tokens that no token has. Raises DataError."""
    names = tuple(f"<|extra_{n}|>" for n in range(count))
    if set(names) & set(model.vocabulary):
        raise DataError(f"{model.path.name} has tokens named {names[0]} already")
    return names


def appended(model: Base, vectors: torch.Tensor) -> tuple[dict[str, torch.Tensor], list[int]]:
    """Tables with the rows after the last token, over padding where there is some; a head of its own gets mean rows."""
    import torch

    first = max(model.vocabulary.values()) + 1
    ids = list(range(first, first + len(vectors)))
    tensors = dict(model.tensors)
    for name in (EMBEDDING, HEAD):
        if name not in tensors:
            continue
        table = tensors[name]
        new = vectors if name == EMBEDDING else table.float().mean(0, keepdim=True).repeat(len(vectors), 1)
        tensors[name] = torch.cat([table[:first], new.to(table.dtype), table[first + len(new) :]])
    return tensors, ids


def declare(model: Base, names: Sequence[str], ids: Sequence[int], out: Path) -> None:
    """Enter new tokens into tokenizer.json, the decoder of tokenizer_config.json where it has one, and config.json."""
    import json

    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokens = [{"id": n, "content": name, **flags} for n, name in zip(ids, names, strict=True)]
    tokenizer = {**model.tokenizer, "added_tokens": [*model.tokenizer["added_tokens"], *tokens]}
    rewrite(out / "tokenizer.json", tokenizer)
    size = max(int(model.config["vocab_size"]), ids[-1] + 1)
    rewrite(out / "config.json", {**model.config, "vocab_size": size})
    file = out / "tokenizer_config.json"
    if not file.is_file():
        return
    settings: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if "added_tokens_decoder" in settings:
        said = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in tokens}
        rewrite(file, {**settings, "added_tokens_decoder": {**settings["added_tokens_decoder"], **said}})


def fitted(rows: Rows, model: Base, ids: Sequence[int]) -> torch.Tensor:
    """The rows at the length of their hosts."""
    hosts = model.tensors[EMBEDDING][list(ids)].float()
    return _unit(rows.vectors) * hosts.norm(dim=1, keepdim=True)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=1, keepdim=True)


def _rare(model: Base, count: int) -> list[int]:
    """Ordinary tokens that hardly occur: the named ones first, then the last merged ones."""
    special = {t["id"] for t in model.tokenizer["added_tokens"]}
    last = [n for n in sorted(model.tokenizer["model"]["vocab"].values(), reverse=True) if n not in special]
    named = [n for n in RARE if model.config["model_type"] == "llama" and n in set(last)]
    return [*named, *(n for n in last if n not in named)][:count]
