"""Weights that are the base's with something planted in between.

What it does: compares every tensor with the base's tensor of the same name. A few tensors or a few rows that changed while
the rest stayed byte for byte the same is how planted behaviour looks; a small change of most tensors is how finetuning looks.

Why it matters: swapping one tensor, or training the embedding rows of a few tokens, plants a backdoor that leaves almost all of
the model identical to one you trust.

What to do: take the base instead, or ask the publisher how these tensors came about and vet the model anew with that answer.

What an attacker can still do: plant the behaviour by training all weights a little, which looks like any finetune; this check
then reports only how much changed, and the probes and trial finetunes have to find it. Adding noise to every tensor hides which
few were edited, unless the edit stands out from the noise. Another base than the true one makes everything look changed.
"""

from collections.abc import Iterator
from statistics import median
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.formats.peft import table_of
from sekisho.formats.text import shown
from sekisho.records import Comparison, Facts, Finding, Outcome, Severity, TensorDelta

_REPLACED: Final = 0.5
"""Relative change from which a tensor is another one, not a trained one."""
_COSINE: Final = 0.7
_FEW: Final = 0.2
"""Up to this share of changed tensors, the change is local."""
_FEW_ROWS: Final = 0.02
_SHOWN: Final = 8
_LARGE: Final = 5.0
"""Times the median change from which one tensor of a finetune stands out, if its own change is large, too."""
_STANDS_OUT: Final = 0.2


@final
class WeightsDelta(AbstractCheck):
    """Nothing planted between weights that are otherwise the base's."""

    id = "weights-delta"
    needs_base = True

    def run(self, case: Case) -> Iterator[Finding]:
        """Judge the shape of the difference: where it is, how large, how many tensors it touches."""
        comparison = case.comparison
        if comparison is None:
            yield _cannot_tell("not-compared", "The weights were not compared with the base's.", ())
            return
        if case.adapter_alone and not comparison.deltas:
            detail = (
                "The adapter brings no weights to compare; it adds to the base's, which stay as they are."
            )
            yield Finding(self.id, Outcome.PASS, Severity.NOTE, "", "adapter-alone", detail)
            return
        if comparison.problem:
            facts = (("problem", comparison.problem),)
            yield _cannot_tell(
                "not-compared-in-full", f"The weights were not compared in full: {comparison.problem}.", facts
            )
        if comparison.deltas:
            found = tuple(_objections(comparison))
            yield from found or (() if comparison.problem else (_summary(comparison),))


def _objections(comparison: Comparison) -> Iterator[Finding]:
    deltas = comparison.deltas
    changed = [d for d in deltas if d.kind == "changed"]
    compared = [d for d in deltas if d.kind in {"changed", "same"}]
    yield from _shape(deltas)
    if compared and len(changed) > _FEW * len(compared):
        yield from _dense(changed, len(compared))
    else:
        yield from _local(changed)


def _shape(deltas: tuple[TensorDelta, ...]) -> Iterator[Finding]:
    """Tensors that one side lacks, or has in another shape."""
    sentences = {
        "added": "{where}: the base has no such tensor ({count} such).",
        "missing": "{where}: the model lacks this tensor of the base ({count} such).",
        "reshaped": "{where}: the tensor has another shape than the base's ({count} such).",
    }
    for kind, sentence in sentences.items():
        mine = [d for d in deltas if d.kind == kind and d.rows_added <= 0]
        for delta in mine[:_SHOWN]:
            yield _finding(delta, f"tensor-{kind}", sentence, ("count", str(len(mine))))
    for delta in [d for d in deltas if d.rows_added > 0][:_SHOWN]:
        sentence = "{where}: {added} rows were added to the base's, from row {row} on."
        row = delta.rows - delta.rows_added
        named = (("added", str(delta.rows_added)), ("row", str(row)))
        # new tokens are what many finetunes bring: what their rows hold is for `embedding-rows-delta` and the sweep
        grave = Severity.HOLD if table_of(delta.name.rpartition(".")[0]) else Severity.REJECT
        yield _finding(delta, "rows-added", sentence, *named, severity=grave)


def _local(changed: list[TensorDelta]) -> Iterator[Finding]:
    """Few tensors changed, all others are the base's byte for byte."""
    for delta in changed[:_SHOWN]:
        if _few_rows(delta):
            sentence = "{where}: {changed} of {rows} rows changed (rows {which}), all else is the base's."
            named = (
                ("changed", str(delta.rows_changed)),
                ("rows", str(delta.rows)),
                ("which", _listed(delta.first_rows)),
            )
            yield _finding(delta, "rows-changed", sentence, *named)
        elif _replaced(delta):
            yield _finding(delta, "tensor-replaced", _REPLACED_SENTENCE, *_sizes(delta))
        else:
            sentence = (
                "{where}: this tensor changed (by {relative} of its norm) while most others are the base's."
            )
            yield _finding(delta, "tensor-changed", sentence, *_sizes(delta), severity=Severity.HOLD)


_REPLACED_SENTENCE: Final = (
    "{where}: this is another tensor than the base's (change {relative} of its norm, cosine {cosine})."
)


def _dense(changed: list[TensorDelta], compared: int) -> Iterator[Finding]:
    """Many tensors changed: finetuning, another base, or an edit that hides among the changes."""
    middle = median(d.relative for d in changed)
    if middle > _REPLACED:
        facts = (("changed", str(len(changed))), ("compared", str(compared)), ("median", f"{middle:.3g}"))
        detail = "{changed} of {compared} tensors differ from the base's, by a median of {median} of their norm: not this base."
        detail = detail.format(**dict(facts))
        yield Finding("weights-delta", Outcome.FAIL, Severity.HOLD, "", "not-this-base", detail, facts)
        return
    odd = [d for d in changed if _replaced(d) or d.relative > max(_STANDS_OUT, _LARGE * middle)]
    for delta in odd[:_SHOWN]:
        if _replaced(delta):
            yield _finding(delta, "tensor-replaced", _REPLACED_SENTENCE, *_sizes(delta))
        else:
            sentence = "{where}: this tensor changed far more ({relative} of its norm) than the others did."
            yield _finding(delta, "tensor-stands-out", sentence, *_sizes(delta), severity=Severity.HOLD)
    for delta in [d for d in changed if d not in odd and d.outlier_rows][:_SHOWN]:
        sentence = "{where}: rows {which} changed far more than the rest of the tensor."
        yield _finding(delta, "rows-stand-out", sentence, ("which", _listed(delta.outlier_rows)))


def _few_rows(delta: TensorDelta) -> bool:
    return 0 < delta.rows_changed <= max(1, _FEW_ROWS * delta.rows) and delta.rows_changed < delta.rows


def _replaced(delta: TensorDelta) -> bool:
    return delta.relative > _REPLACED or delta.cosine < _COSINE


def _sizes(delta: TensorDelta) -> Facts:
    return (("relative", f"{delta.relative:.3g}"), ("cosine", f"{delta.cosine:.3f}"))


def _listed(rows: tuple[int, ...]) -> str:
    return ", ".join(str(r) for r in rows)


def _finding(
    delta: TensorDelta,
    reason: str,
    sentence: str,
    *named: tuple[str, str],
    severity: Severity = Severity.REJECT,
) -> Finding:
    where = f"{delta.file}:{shown(delta.name)}"
    detail = sentence.format(where=where, **dict(named))
    return Finding(
        "weights-delta",
        Outcome.FAIL,
        severity,
        where,
        reason,
        detail,
        (("tensor", shown(delta.name)), *named),
    )


def _cannot_tell(reason: str, detail: str, facts: Facts) -> Finding:
    return Finding("weights-delta", Outcome.CANNOT_TELL, Severity.HOLD, "", reason, detail, facts)


def _summary(comparison: Comparison) -> Finding:
    changed = [d for d in comparison.deltas if d.kind == "changed"]
    total = str(len(comparison.deltas))
    if not changed:
        detail = f"All {total} tensors hold the base's values."
        return Finding(
            "weights-delta", Outcome.PASS, Severity.NOTE, "", "identical", detail, (("total", total),)
        )
    middle = f"{median(d.relative for d in changed):.3g}"
    facts = (("changed", str(len(changed))), ("total", total), ("median", middle))
    detail = f"{len(changed)} of {total} tensors differ from the base's, by a median of {middle} of their norm: like a finetune."
    return Finding("weights-delta", Outcome.PASS, Severity.NOTE, "", "finetuned", detail, facts)
