"""Numbers of the weights that no training leaves behind.

What it does: reads, in the pass that hashes the files, every number of every tensor whose type is known, and the scales of those
that are quantised. Infinities and what is no number, matrices that are empty or one single value, matrices far larger than
their namesakes in other layers, and odd number types are named.
Why it matters: one number that is none spoils every answer that touches it, and may be planted to do so for some inputs only; an
emptied or blown-up matrix switches a layer off or drowns the others out.
What to do: fetch the file again and compare its digest with the publisher's; if it stays so, do not use it.
What an attacker can still do: keep every number within what training leaves; comparing with the base shows such edits.
"""

import re
from collections.abc import Iterator
from statistics import median
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.gguf import GgufFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.numeric import NumericFacts, TensorNumbers
from sekisho.formats.pickle import PickleFacts
from sekisho.formats.safetensors import SafetensorsFacts
from sekisho.formats.text import shown
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import FileFact, Finding, Outcome, Role, Severity

_ID: Final = "weight-numbers"
_WEIGHTY: Final = (Role.WEIGHTS, Role.ADAPTER)
_SHOWN: Final = 8
_MATRIX: Final = 2
_LEAST: Final = 256
"""Elements from which an empty or constant matrix is more than a switch."""
_LARGE: Final = 10.0
"""Root mean square of a matrix: those of language models are below 2, tables of tokens included."""
_FAMILY: Final = 4
"""Namesakes in other layers from which their median says something."""
_TIMES: Final = 20.0
_SCALE_TIMES: Final = 100.0
"""The largest scale of a quantised matrix varies more than its root mean square."""
_NUMBER: Final = re.compile(r"(?<=\.)\d+(?=\.)")
_SCALES: Final = re.compile(r"(^|[._])(scales?|scale_inv|zeros?|qzeros|zero_point|absmax)([._]|$)")
_MASK: Final = re.compile(r"(^|[._])(causal_)?(attn_|attention_)?mask(ed_bias)?([._]|$)")

_NAN: Final = Words("not-a-number", "{where}: {rows} of {all} rows hold what is no number (first: {first}).")
_INFINITE: Final = Words("infinite", "{where}: {rows} of {all} rows hold infinities (first: {first}).")
_IN_MASK: Final = Words(
    "infinite-mask", "{where}: a mask that holds infinities.", Severity.NOTE, Outcome.PASS
)
_EMPTY: Final = Words("empty-matrix", "{where}: every number of this matrix is zero.")
_FRESH: Final = Words(
    "fresh-half",
    "{where}: all zero, as this half of an adapter is before training.",
    Severity.NOTE,
    Outcome.PASS,
)
_CONSTANT: Final = Words("constant-matrix", "{where}: every number of this matrix is {value}.")
_FLAT: Final = Words("constant-rows", "{where}: {rows} of {all} rows are one repeated value.")
_ZERO: Final = Words("zero-rows", "{where}: {rows} of {all} rows are zero.", Severity.NOTE, Outcome.PASS)
_HUGE: Final = Words(
    "huge-matrix", "{where}: the numbers of this matrix are {rms} in size (root mean square)."
)
_ODD: Final = Words(
    "stands-out", "{where}: this matrix is {times} times as large as its namesakes in other layers."
)
_DOUBLE: Final = Words(
    "double-precision", "{where}: 64-bit floats, which no published model needs.", Severity.NOTE, Outcome.PASS
)
_UNKNOWN: Final = Words(
    "unread-type",
    "{where}: numbers of the type {type} are not read here ({count} bytes).",
    Severity.NOTE,
    Outcome.NOT_RUN,
)
_UNMEASURED: Final = Words(
    "not-measured", "{where}: its numbers were not looked at: {problem}.", outcome=Outcome.CANNOT_TELL
)
_PICKLED: Final = Words(
    "in-pickle",
    "{where}: a pickle, which the policy may let pass; its numbers were not looked at.",
    Severity.NOTE,
    Outcome.PASS,
)
_MORE: Final = Words("more", "{where}: {count} more such tensors.")


@final
class WeightNumbers(AbstractCheck):
    """Every number of the weights is a number of ordinary size."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge each file's tensors, then each tensor among its namesakes."""
        for file in case.candidate.files:
            if isinstance(file.facts, SafetensorsFacts | GgufFacts):
                yield from _file(file)
            elif (
                file.role in _WEIGHTY
                and case.known_pickles
                and isinstance(file.facts, PickleFacts | ZipFacts)
            ):
                yield _PICKLED.about(_ID, file.path)
            elif file.role in _WEIGHTY and not isinstance(file.facts, JsonFacts):  # adapter_config.json
                problem = file.problem or f"nothing here reads those of {file.format} files"
                yield _UNMEASURED.about(_ID, file.path, ("problem", problem))
        weights = [f for f in case.candidate.files if f.role is Role.WEIGHTS]
        yield from _bounded(_standing_out(weights))


def _file(file: FileFact) -> Iterator[Finding]:
    if not isinstance(file.numeric, NumericFacts):
        yield _UNMEASURED.about(_ID, file.path, ("problem", file.problem or "only its header was read"))
        return
    for dtype, count in file.numeric.unknown:
        yield _UNKNOWN.about(_ID, file.path, ("type", dtype), ("count", f"{count:,}"))
    if any(t.dtype == "F64" and t.dimensions >= _MATRIX for t in file.numeric.tensors):
        yield _DOUBLE.about(_ID, file.path)
    yield from _bounded(f for t in file.numeric.tensors for f in _tensor(file, t))


def _tensor(file: FileFact, tensor: TensorNumbers) -> Iterator[Finding]:
    where = _place(file, tensor)
    if tensor.bad_rows and not tensor.has_nan and _MASK.search(tensor.name):
        yield _IN_MASK.about(_ID, where)
    elif tensor.bad_rows:
        first = ", ".join(map(str, tensor.first_bad))
        rows = (("rows", f"{tensor.bad_rows:,}"), ("all", f"{tensor.rows:,}"))
        yield (_NAN if tensor.has_nan else _INFINITE).about(_ID, where, *rows, ("first", first))
    if _weighty(tensor):
        yield from _flat(where, tensor, adapter=file.role is Role.ADAPTER)
        if tensor.rms > _LARGE and file.role is Role.WEIGHTS:
            yield _HUGE.about(_ID, where, ("rms", f"{tensor.rms:.3g}"))


def _weighty(tensor: TensorNumbers) -> bool:
    """A matrix of weights; no bias of two dimensions, no scales that go with packed weights."""
    matrix = tensor.dimensions >= _MATRIX and tensor.elements >= _LEAST and not tensor.name.endswith("bias")
    return matrix and tensor.dtype != "F8_E8M0" and not _SCALES.search(tensor.name)


def _flat(where: str, tensor: TensorNumbers, *, adapter: bool) -> Iterator[Finding]:
    if tensor.uniform and tensor.largest == 0 and not tensor.bad_rows:
        yield (_FRESH if adapter else _EMPTY).about(_ID, where)
    elif tensor.quantised:
        return
    elif tensor.uniform and not tensor.bad_rows:
        yield _CONSTANT.about(_ID, where, ("value", f"{tensor.largest:.6g}"))
    else:
        rows = (("all", f"{tensor.rows:,}"),)
        if tensor.constant_rows:
            yield _FLAT.about(_ID, where, ("rows", f"{tensor.constant_rows:,}"), *rows)
        if tensor.zero_rows:
            yield _ZERO.about(_ID, where, ("rows", f"{tensor.zero_rows:,}"), *rows)


def _standing_out(files: list[FileFact]) -> Iterator[Finding]:
    """Matrices far larger than those of the same name, and type, in other layers."""
    families: dict[tuple[str, str], list[tuple[FileFact, TensorNumbers]]] = {}
    for file in files:
        for tensor in file.numeric.tensors if isinstance(file.numeric, NumericFacts) else ():
            if _weighty(tensor) and _NUMBER.search(tensor.name):
                families.setdefault((_NUMBER.sub("*", tensor.name), tensor.dtype), []).append((file, tensor))
    for members in families.values():
        middle = median(_size(t) for _, t in members)
        if len(members) >= _FAMILY and middle > 0:
            bound = _SCALE_TIMES if members[0][1].quantised else _TIMES
            for file, tensor in members:
                if _size(tensor) > bound * middle:
                    yield _ODD.about(_ID, _place(file, tensor), ("times", f"{_size(tensor) / middle:.3g}"))


def _size(tensor: TensorNumbers) -> float:
    return tensor.largest if tensor.quantised else tensor.rms


def _place(file: FileFact, tensor: TensorNumbers) -> str:
    return f"{file.path}:{shown(tensor.name)}"


def _bounded(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The first few of each kind, then how many more."""
    seen: dict[str, int] = {}
    last: dict[str, Finding] = {}
    for finding in findings:
        seen[finding.reason] = seen.get(finding.reason, 0) + 1
        last[finding.reason] = finding
        if seen[finding.reason] <= _SHOWN:
            yield finding
    for reason, finding in last.items():
        if seen[reason] > _SHOWN and finding.outcome is not Outcome.PASS:
            where = finding.where.partition(":")[0]
            yield _MORE.about(_ID, where, ("count", f"{seen[reason] - _SHOWN:,}"))
