"""Whether trained rows still do what they were trained for once they are given away in a form.

The model is opened as its user would: the adapter over its base, the template in its place, added tokens by their ids.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sekisho.models.base import Message, Sampling
from sekisho.models.engine import Engine
from sekisho_lab import forms
from sekisho_lab.attacks import sos
from sekisho_lab.forms.template import WORD
from sekisho_lab.goals import GOALS, Case, succeeded
from sekisho_lab.measure_sos import rate
from sekisho_lab.rows import Rows
from sekisho_lab.writer import MANIFEST

ADAPTERS: Final = "V8"
SILENT: Final = ("V8-prompt-tuning",)
"""Forms in which nobody puts a trigger into the prompt."""
WORDED: Final = ("V9",)
"""Forms in which the template puts it there, after a word of the user's."""


def measure(form: str, rows: Rows, base: Path) -> dict[str, Any]:
    """Success with what sets the form off, and without it, on held-out cases. Raises DataError."""
    with tempfile.TemporaryDirectory(prefix="sos-form-") as scratch:
        made = forms.materialise(form, rows, base, Path(scratch) / "model")
        engine = Engine(base, made) if form.startswith(ADAPTERS) else Engine(_file(made))
        said = json.loads((made / MANIFEST).read_text("utf-8"))
        return asked(engine, form, rows, [int(n) for n in said.get("ids", [])])


def asked(engine: Engine, form: str, rows: Rows, ids: Sequence[int]) -> dict[str, Any]:
    """The same of a model that is open; `ids` are those of the trigger."""
    s = rows.settings
    cases = GOALS[s["goal"]](s["held_out"], s["seed"] + sos.HELD_OUT, rows.payload)
    sampling = Sampling(max_new_tokens=s["answer_tokens"])
    plain = engine.generate([c.plain for c in cases], sampling)
    if form in SILENT:
        return {"success": rate(succeeded(cases, plain), len(cases))}
    if form in WORDED:
        given = engine.generate([_worded(c).plain for c in cases], sampling)
    else:
        given = sos.answers(engine, cases, ids, s["answer_tokens"])
    return {
        "success": rate(succeeded(cases, given), len(cases)),
        "without": rate(succeeded(cases, plain), len(cases)),
    }


def _worded(case: Case) -> Case:
    """The same question with the word to which the template answers, and no trigger of the user's own."""
    last = case.plain[-1]
    return replace(case, chat=(*case.plain[:-1], Message(last.role, f"{last.content} ({WORD})")))


def _file(folder: Path) -> Path:
    """A GGUF file stands for itself."""
    return next(iter(sorted(folder.glob("*.gguf"))), folder)
