"""Models with a table large enough for statistics: words in pairs, forty reserved rows, thirty rows without a token."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from artefacts import SPECIAL, Arrays, save_safetensors, tiny_tokenizer, write_json
from sekisho.checks.base import AbstractCheck, Case
from sekisho.formats import rows, tensors
from sekisho.inventory import take
from sekisho.limits import DEFAULT, Limits
from sekisho.records import Finding

WORDS, RESERVED, BEYOND, WIDTH = 1_530, 40, 30, 64
ROWS: Final = WORDS + RESERVED + BEYOND
EMBEDDING, BLOCK = "model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"
Change = Callable[[Arrays], None]


def arrays(seed: int = 0) -> Arrays:
    """Words come in pairs of near neighbours with a strong common direction; untrained rows are one row plus rounding."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(WIDTH)
    pairs = rng.standard_normal((WORDS // 2, WIDTH)) * np.geomspace(2, 0.2, WIDTH)
    words = common + np.repeat(pairs, 2, axis=0) + 0.3 * rng.standard_normal((WORDS, WIDTH))
    untrained = common + 1e-3 * rng.standard_normal((RESERVED + BEYOND, WIDTH))
    untrained[1:4] = untrained[0]
    table = np.vstack([words, untrained]).astype(np.float32)
    return {EMBEDDING: table, BLOCK: rng.standard_normal((8, WIDTH)).astype(np.float32)}


def model(folder: Path, change: Change = lambda a: None, *, made: Arrays | None = None) -> Path:
    """Write the model, changed."""
    folder.mkdir(parents=True, exist_ok=True)
    held = {name: a.copy() for name, a in (made or arrays()).items()}
    change(held)
    save_safetensors(folder / "model.safetensors", held)
    described(folder)
    return folder


def described(folder: Path) -> None:
    """Write config and tokenizer."""
    write_json(folder / "config.json", {"vocab_size": ROWS, "model_type": "llama"})
    write_json(folder / "tokenizer.json", tiny_tokenizer(vocabulary()))


def vocabulary() -> Mapping[str, int]:
    """Words, then reserved tokens; the last rows have none."""
    words = [*SPECIAL, *(f"word{n}" for n in range(len(SPECIAL), WORDS))]
    names = words + [f"<unused{n}>" for n in range(RESERVED)]
    return {name: n for n, name in enumerate(names)}


def directed(
    table: np.ndarray, ids: list[int], size: float, *, projected: bool = False, seed: int = 3
) -> None:
    """Move rows by `size` times their norm in random directions."""
    rng = np.random.default_rng(seed)
    before = np.linalg.norm(table[ids], axis=1, keepdims=True)
    step = rng.standard_normal((len(ids), table.shape[1]))
    moved = table[ids] + size * before * step / np.linalg.norm(step, axis=1, keepdims=True)
    scale = before / np.linalg.norm(moved, axis=1, keepdims=True) if projected else 1.0
    table[ids] = moved * scale


def edited(ids: list[int], size: float, *, projected: bool = False) -> Change:
    """The change that plants random directions in these rows."""
    return lambda a: directed(a[EMBEDDING], ids, size, projected=projected)


def unjudged(how: str, folder: Path) -> Path:
    """Write a model of which not every row can be judged: one of four ways."""
    changes: Mapping[str, Change] = {
        "no-table": lambda a: a.__delitem__(EMBEDDING),
        "skipped": lambda a: a.update({EMBEDDING: a[EMBEDDING][:900]}),
        "kind": lambda a: a.update({"odd.weight": a.pop(EMBEDDING)}),
        "unlisted": lambda a: None,
    }
    model(folder, changes[how])
    if how == "unlisted":
        (folder / "more.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    return folder


def findings(
    check: AbstractCheck, candidate: Path, base: Path | None = None, *, limits: Limits = DEFAULT
) -> list[Finding]:
    """What a check says, as the static part asks it."""
    mine, theirs = take(candidate), take(base) if base else None
    comparison = tensors.compare(mine, theirs) if theirs else None
    measured = rows.measure(mine, theirs, comparison, limits=limits)
    return list(check.run(Case(mine, theirs, comparison, rows=measured)))
