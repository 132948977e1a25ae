"""GGUF files that are no models: adapters, control vectors, calibration data, projectors.

What it does: says what each GGUF file is, by what it claims and by its tensors, and names what an adapter in it changes: the
table of tokens, a prefix to the prompt, the tokens after which it wakes up. Claims and tensors that disagree are findings.
Why it matters: a control vector steers every token that the model writes, an adapter can rewrite rows of the table of tokens,
and both are small files that lie beside a model and are switched on by one option.
What to do: leave such files out unless somebody asked for them; probe the model with and without each.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words, objection
from sekisho.formats.gguf import GgufFacts, GgufTensor
from sekisho.formats.outline import Outline, outline, tokens, written
from sekisho.records import FileFact, Finding, Outcome, Severity

_ID: Final = "gguf-kind"
_SHOWN: Final = 8
_TYPES: Final = ("model", "adapter", "imatrix", "mmproj", "controlvector")
_PAIR: Final = (".lora_a", ".lora_b")
_TABLES: Final = ("token_embd.weight", "output.weight", "per_layer_token_embd.weight")
_INVOCATION: Final = "adapter.alora.invocation_tokens"
_PREFIX: Final = "adapter.lora.prompt_prefix"
_MATRIX: Final = 2

_SENTENCES: Final = {
    "lora": "{where}: a LoRA adapter for {architecture}, {count} tensors, alpha {alpha}.",
    "other-adapter": "{where}: an adapter of the kind {type}, which nobody here knows.",
    "table-adapted": "{where}: the adapter changes the table of tokens {tensor}.",
    "invocation-tokens": "{where}: the adapter acts only after the tokens {tokens}, a trigger by design.",
    "prompt-prefix": "{where}: the adapter wants {text} before every prompt.",
    "control-vector": "{where}: a control vector for {architecture}; it steers {count} layers at every token, always.",
    "calibration": "{where}: statistics for quantising (imatrix); they do not take part in answers.",
    "projector": "{where}: a projector that feeds pictures or sound to a model.",
    "unknown-type": "{where}: general.type is {type}, which nobody here knows.",
    "contradicts": "{where}: it says it is {type}, its tensors are those of {other}.",
    "half-pair": "{where}: {tensor} lacks its other half.",
    "shape-unfit": "{where}: {tensor} has the shape {shape}; {expected} would fit.",
    "unexpected-tensor": "{where}: {tensor} is no tensor of {type} ({count} such).",
}

_NOT_READ: Final = Words("not-read", "{where} could not be read: {problem}.", Severity.NOTE, Outcome.NOT_RUN)


@final
class GgufKind(AbstractCheck):
    """Nothing that adapts or steers a model unannounced."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at every GGUF file."""
        trusted = outline(case.base or case.candidate)
        for file in case.candidate.files:
            if isinstance(file.facts, GgufFacts):
                yield from _file(file, file.facts, case, trusted)
            elif file.format == "gguf":
                yield _NOT_READ.about(_ID, file.path, ("problem", file.problem))


def _file(file: FileFact, facts: GgufFacts, case: Case, trusted: Outline) -> Iterator[Finding]:
    said, seen = _said(facts), _seen(facts)
    if said not in _TYPES:
        yield _found(file.path, "unknown-type", Severity.HOLD, ("type", said))
    elif seen != said and (said, seen) != ("mmproj", "model"):
        yield _found(file.path, "contradicts", Severity.HOLD, ("type", said), ("other", seen))
    if "adapter" in (said, seen):
        yield from _adapter(file.path, facts, case)
    if "controlvector" in (said, seen):
        yield from _control(file.path, facts, trusted)
    if said in {"imatrix", "mmproj"}:
        yield _found(file.path, "calibration" if said == "imatrix" else "projector", Severity.NOTE)


def _said(facts: GgufFacts) -> str:
    """What the metadata claims; older files have no `general.type`."""
    if facts.get("general.architecture") == "controlvector":
        return "controlvector"
    value = facts.get("general.type")
    if value is None:
        return "mmproj" if facts.get("general.architecture") == "clip" else _seen(facts)
    return str(value)


def _seen(facts: GgufFacts) -> str:
    """What the tensors' names are those of."""
    names = [t.name for t in facts.tensors]
    if any(n.endswith(_PAIR) for n in names):
        return "adapter"
    if names and all(n.startswith("direction.") for n in names):
        return "controlvector"
    if names and all(n.endswith((".in_sum2", ".counts")) for n in names):
        return "imatrix"
    return "model"


def _adapter(where: str, facts: GgufFacts, case: Case) -> Iterator[Finding]:
    kind = facts.get("adapter.type")
    if kind not in (None, "lora"):
        yield _found(where, "other-adapter", Severity.HOLD, ("type", str(kind)))
    named = (("architecture", _architecture(facts)), ("count", str(len(facts.tensors))))
    alpha = facts.get("adapter.lora.alpha")
    yield _found(where, "lora", Severity.NOTE, *named, ("alpha", "?" if alpha is None else f"{alpha}"))
    bases = dict.fromkeys(_base(t.name) for t in facts.tensors if t.name.endswith(_PAIR))
    for name in [n for n in bases if n in _TABLES]:
        yield _found(where, "table-adapted", Severity.HOLD, ("tensor", name))
    ids = facts.get(_INVOCATION)
    if ids not in (None, ()):
        numbers = [n for n in ids if isinstance(n, int)] if isinstance(ids, tuple) else []
        names = tokens(case.candidate) or tokens(case.base)
        yield _found(
            where, "invocation-tokens", Severity.HOLD, ("tokens", written(numbers[:16], names) or str(ids))
        )
    if prefix := facts.get(_PREFIX):
        yield _found(where, "prompt-prefix", Severity.HOLD, ("text", str(prefix)))
    yield from _pairs(where, facts, bases)


def _pairs(where: str, facts: GgufFacts, bases: dict[str, None]) -> Iterator[Finding]:
    """Both halves of each pair, of one rank, and nothing else but norms."""
    by_name = {t.name: t for t in facts.tensors}
    for base in bases:
        a, b = (by_name.get(base + end) for end in _PAIR)
        if a is None or b is None:
            yield _found(where, "half-pair", Severity.HOLD, ("tensor", base))
        elif not _one_rank(base, a, b):
            named = (("tensor", b.name), ("shape", _shape(b)), ("expected", f"{_rank(base, a)} x ?"))
            yield _found(where, "shape-unfit", Severity.HOLD, *named)
    other = [n for n in by_name if not n.endswith((*_PAIR, "_norm.weight"))]
    for name in other[:_SHOWN]:
        named = (("tensor", name), ("type", "a LoRA"), ("count", str(len(other))))
        yield _found(where, "unexpected-tensor", Severity.HOLD, *named)


def _base(name: str) -> str:
    return name.removesuffix(_PAIR[0]).removesuffix(_PAIR[1])


def _rank(base: str, a: GgufTensor) -> int:
    """The dimension both share; the halves of the table of input tokens are turned over."""
    return a.shape[0] if base == _TABLES[0] else a.shape[1]


def _one_rank(base: str, a: GgufTensor, b: GgufTensor) -> bool:
    if len(a.shape) != _MATRIX or len(b.shape) != _MATRIX:
        return len(a.shape) == len(b.shape) > _MATRIX
    return _rank(base, a) == b.shape[0]


def _control(where: str, facts: GgufFacts, trusted: Outline) -> Iterator[Finding]:
    hint = facts.get("controlvector.model_hint")
    layers = [t for t in facts.tensors if t.name.startswith("direction.")]
    named = (("architecture", str(hint or _architecture(facts))), ("count", str(len(layers))))
    yield _found(where, "control-vector", Severity.HOLD, *named)
    other = [
        t.name for t in facts.tensors if t not in layers or not t.name.removeprefix("direction.").isdecimal()
    ]
    for name in other[:_SHOWN]:
        facts_named = (("tensor", name), ("type", "a control vector"), ("count", str(len(other))))
        yield _found(where, "unexpected-tensor", Severity.HOLD, *facts_named)
    for tensor in layers[:_SHOWN]:
        if trusted.hidden and tensor.shape != (trusted.hidden,):
            sizes = (("shape", _shape(tensor)), ("expected", str(trusted.hidden)))
            yield _found(where, "shape-unfit", Severity.HOLD, ("tensor", tensor.name), *sizes)


def _architecture(facts: GgufFacts) -> str:
    return str(facts.get("general.architecture") or "?")


def _shape(tensor: GgufTensor) -> str:
    return " x ".join(map(str, tensor.shape))


def _found(where: str, reason: str, severity: Severity, *named: tuple[str, str]) -> Finding:
    return objection(_ID, where, reason, severity, detail=_SENTENCES[reason], named=named)
