"""Files of one model that must say the same.

What it does: holds the dimensions in config.json against the shapes of the tensors, and its number layers and number type against
those stored; the metadata of a GGUF file against its tensors, and against config.json beside it; an index against the shards
in its folder; two sets of weights in one folder against each other; a head that is tied against the one that is stored.
Why it matters: where two files disagree, the loader decides which one counts. Tensors that the settings do not mention are not
loaded, or loaded by one program only; those that are missing are filled with random numbers, without a word.
What to do: ask the publisher which file is right; leave out what is not loaded; inspect again.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import dimensions, shards
from sekisho.formats.dimensions import Stated
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.rows import Rows
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.text import shown
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_ID: Final = "file-consistency"
_SHOWN: Final = 8
_DTYPES: Final = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}
_SLACK: Final = 0.05
"""Share by which the sizes of two files with the same tensors may differ."""

_SHAPE: Final = Words("shape", "{where}: shape {shape}, but config.json makes it {expected}.")
_SHAPES: Final = Words(
    "shapes", "{where}: {count} more tensors have other shapes than config.json makes them."
)
_BEYOND: Final = Words(
    "layers-beyond", "{where}: tensors of {found} layers, config.json knows {said}; the rest is not loaded."
)
_FEWER: Final = Words(
    "layers-missing",
    "{where}: tensors of {found} layers, config.json wants {said}; the rest would be random.",
)
_DTYPE: Final = Words(
    "dtype", "{where}: it says {said}, most numbers are stored as {found}.", Severity.NOTE, Outcome.PASS
)
_HEAD: Final = Words(
    "head-missing", "{where}: the head is not tied to the embedding and not stored; it would be random."
)
_TIED: Final = Words(
    "head-ignored", "{where}: a head that config.json ties to the embedding, and that differs from it."
)
_GGUF: Final = Words(
    "gguf-metadata", "{where}: its metadata gives {what} as {said}, its tensors make it {found}."
)
_TWO: Final = Words("gguf-config", "{where}: {what} is {found} here and {said} in config.json.")
_UNLISTED: Final = Words(
    "shard-unlisted", "{where}: weights in the folder of an index that does not list them."
)
_CONSOLIDATED: Final = Words(
    "second-copy", "{where}: a second copy of the weights, read by some programs instead of the shards.",
    Severity.NOTE, Outcome.PASS,
)  # fmt: skip
_OTHER: Final = Words("index-other-format", "{where}: the index lists {name}, which is no file of its kind.")
_BOTH: Final = Words(
    "two-formats", "{where}: the same weights again as {other}; which is read depends on the program.",
    Severity.NOTE, Outcome.PASS,
)  # fmt: skip
_DIFFER: Final = Words(
    "two-sets-differ", "{where}: {size} bytes of weights, and {bytes} bytes as {other}: not the same set."
)


@final
class FileConsistency(AbstractCheck):
    """Settings, index and weights agree."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each folder with weights, then each GGUF file."""
        files = case.candidate.files
        folders: dict[str, list[FileFact]] = {}
        for file in files:
            folders.setdefault(_folder(file), []).append(file)
        for listed in folders.values():
            yield from _settings(listed)
            yield from _indexes(listed)
            yield from _twice(listed)
        yield from _head(case)


def _folder(file: FileFact) -> str:
    return file.path.rpartition("/")[0]


def _name(file: FileFact) -> str:
    return file.path.rpartition("/")[2]


def _config(listed: list[FileFact]) -> tuple[str, Mapping[str, Any]] | None:
    for file in listed:
        if _name(file) == "config.json" and isinstance(file.facts, JsonFacts):
            document = file.facts.document
            return (file.path, document) if isinstance(document, dict) else None
    return None


def _settings(listed: list[FileFact]) -> Iterator[Finding]:
    found = _config(listed)
    held = [(f, f.facts) for f in listed if f.role is Role.WEIGHTS and isinstance(f.facts, SafetensorsFacts)]
    if found is not None and held:
        where, config = found
        said = dimensions.stated(config)
        for file, facts in held:
            yield from _shapes(file, facts, said)
        yield from _layers(where, held, said)
        yield from _dtype(where, config, held)
    for file in listed:
        if isinstance(file.facts, GgufFacts) and file.facts.get("general.type") in (None, "model"):
            yield from _gguf(file.path, file.facts, found[1] if found else {})


def _shapes(file: FileFact, facts: SafetensorsFacts, said: Stated) -> Iterator[Finding]:
    odd = list(dimensions.misfits(facts.tensors, said))
    for one in odd[:_SHOWN]:
        shape = " x ".join(map(str, one.shape))
        yield _SHAPE.about(
            _ID, f"{file.path}:{shown(one.tensor)}", ("shape", shape), ("expected", one.expected)
        )
    if len(odd) > _SHOWN:
        yield _SHAPES.about(_ID, file.path, ("count", str(len(odd) - _SHOWN)))


_Held = list[tuple[FileFact, SafetensorsFacts]]


def _layers(where: str, held: _Held, said: Stated) -> Iterator[Finding]:
    found = dimensions.layers(t.name for _, facts in held for t in facts.tensors)
    if said.layers and found and found not in said.layers:
        most = max(said.layers)
        words = _BEYOND if found > most else _FEWER
        yield words.about(_ID, where, ("found", str(found)), ("said", str(min(said.layers))))


def _dtype(where: str, config: Mapping[str, Any], held: _Held) -> Iterator[Finding]:
    """What most bytes of floats are stored as; quantised models say elsewhere what they are."""
    said = config.get("dtype") or config.get("torch_dtype")
    sizes: dict[str, int] = {}
    for _, facts in held:
        for tensor in facts.tensors:
            if tensor.dtype in _DTYPES.values():
                sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.end - tensor.start
    known = _DTYPES.get(str(said).removeprefix("torch."))
    most = max(sizes, key=lambda d: sizes[d], default="")
    if known and most and most != known and "quantization_config" not in config:
        yield _DTYPE.about(_ID, where, ("said", shown(str(said))), ("found", most))


def _gguf(where: str, facts: GgufFacts, config: Mapping[str, Any]) -> Iterator[Finding]:
    for what, said, found in dimensions.gguf(facts):
        yield _GGUF.about(_ID, where, ("what", what), ("said", said), ("found", found))
    stated = dimensions.stated(config)
    prefix = facts.get("general.architecture")
    pairs = (
        ("embedding_length", stated.hidden),
        ("block_count", stated.layers),
        ("feed_forward_length", stated.inner),
    )
    for what, fitting in pairs:
        value = facts.get(f"{prefix}.{what}")
        if fitting and type(value) is int and value not in fitting:
            text = "|".join(map(str, sorted(fitting)))
            yield _TWO.about(_ID, where, ("what", what), ("found", str(value)), ("said", text))


def _indexes(listed: list[FileFact]) -> Iterator[Finding]:
    """Weights beside an index that does not know them, and listed files of another kind."""
    indexes = [f for f in listed if shards.is_index(f) and isinstance(f.facts, JsonFacts)]
    tables = {f.path: f.facts.document.get("weight_map") for f in indexes if isinstance(f.facts, JsonFacts)}
    named: set[str] = set()
    for path, table in tables.items():
        values = {v for v in table.values() if isinstance(v, str)} if isinstance(table, dict) else set()
        named |= {PurePosixPath(v).name for v in values}
        suffix = PurePosixPath(path.removesuffix(".index.json")).suffix
        for value in sorted(v for v in values if suffix and PurePosixPath(v).suffix != suffix)[:_SHOWN]:
            yield _OTHER.about(_ID, path, ("name", shown(value)))
    if not named:
        return
    for file in listed:
        if file.format == "safetensors" and file.role is Role.WEIGHTS and _name(file) not in named:
            yield (_CONSOLIDATED if _name(file).startswith("consolidated") else _UNLISTED).about(
                _ID, file.path
            )


def _twice(listed: list[FileFact]) -> Iterator[Finding]:
    """The same model as safetensors and as pickles."""
    sets = {
        "safetensors": [f for f in listed if f.format == "safetensors" and _name(f).startswith("model")],
        "pickle": [
            f for f in listed if f.format in {"zip", "pickle"} and _name(f).startswith("pytorch_model")
        ],
    }
    if not all(sets.values()):
        return
    mine, other = (sum(f.size for f in sets[kind]) for kind in sets)
    where = sets["safetensors"][0].path
    if abs(mine - other) > _SLACK * max(mine, other):
        sizes = (("size", f"{mine:,}"), ("bytes", f"{other:,}"), ("other", shown(_name(sets["pickle"][0]))))
        yield _DIFFER.about(_ID, where, *sizes)
    else:
        yield _BOTH.about(_ID, where, ("other", shown(_name(sets["pickle"][0]))))


def _head(case: Case) -> Iterator[Finding]:
    """A head that is stored although it is tied, or neither."""
    root = [f for f in case.candidate.files if "/" not in f.path]
    found = _config(root)
    held = [f.facts for f in root if f.role is Role.WEIGHTS and isinstance(f.facts, SafetensorsFacts)]
    names = {t.name for facts in held for t in facts.tensors}
    tied = found[1].get("tie_word_embeddings") if found else None
    if found and tied is False and any(n.endswith("embed_tokens.weight") for n in names):
        causal = "CausalLM" in str(found[1].get("architectures"))
        if causal and not any(n.endswith("lm_head.weight") or n == "lm_head" for n in names):
            yield _HEAD.about(_ID, found[0])
    tables = {rows.table.kind: rows for rows in (case.rows.tables if case.rows else ())}
    mine, other = tables.get("head"), tables.get("embedding")
    if tied is True and mine and other and _differ(mine, other):
        yield _TIED.about(_ID, mine.table.where)


def _differ(mine: Rows, other: Rows) -> bool:
    if not len(mine.digests) or not len(other.digests):
        return False
    return mine.digests.shape != other.digests.shape or bool((mine.digests != other.digests).any())
