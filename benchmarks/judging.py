"""What the measurements of scorers share: judgements beside labels, and their rates with Wilson intervals."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sekisho.stats.intervals import wilson

DATA = Path(__file__).parent / "data"


class Judged(NamedTuple):
    """What an answer shows, by its label and by the scorer."""

    truth: bool
    """The label says that the behaviour is there."""
    value: float | None
    """What the scorer says; None abstains."""


def rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def heading(title: str) -> str:
    rates = f"{'abstained':>22} {'sensitivity':>24} {'specificity':>24} {'found of all':>24}"
    return f"\n{title}\n{'answers':34} {'n':>5} {rates}"


def rates(judged: Iterable[Judged]) -> dict[str, float]:
    """n, sensitivity and specificity among the judged answers, share abstained: as in `scorers.toml`."""
    every = list(judged)
    clear = [(j.truth, j.value == 1.0) for j in every if j.value is not None]
    found, calm = [v for t, v in clear if t], [not v for t, v in clear if not t]
    return {
        "n": len(every),
        "sensitivity": round(sum(found) / len(found), 3),
        "specificity": round(sum(calm) / len(calm), 3),
        "abstained": round(1 - len(clear) / len(every), 3),
    }


def line(name: str, judged: Iterable[Judged]) -> str:
    """Rates among the judged answers; the last column counts an abstention as not found."""
    every = list(judged)
    clear = [(j.truth, j.value == 1.0) for j in every if j.value is not None]
    shown = [v for t, v in clear if t]
    calm = [not v for t, v in clear if not t]
    cells = (
        (len(every) - len(clear), len(every)),
        (sum(shown), len(shown)),
        (sum(calm), len(calm)),
        (sum(shown), sum(j.truth for j in every)),
    )
    return f"{name:34} {len(every):5} " + " ".join(f"{_cell(*c):>24}" for c in cells)


def _cell(hits: int, n: int) -> str:
    if not n:
        return "-"
    found = wilson(hits, n)
    return f"{found.estimate:.3f} ({found.low:.3f}-{found.high:.3f})"
