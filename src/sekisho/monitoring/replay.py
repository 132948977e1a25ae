"""Prompts that were really asked, asked again: a bounded, seeded sample of a log, judged by the same scorers.

What is in a log may be personal. It is held in memory, and a report shows digests in its place unless that is asked for.
"""

import hashlib
import heapq
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sekisho.contrast import Answers
from sekisho.drills import tasks
from sekisho.drills.plan import Plan
from sekisho.errors import DataError
from sekisho.evidence.compared import Compared, Grouped
from sekisho.limits import DEFAULT, Limits
from sekisho.probes import suite as suites
from sekisho.probes.suite import Item
from sekisho.records import Claim, Example, Novelty

SUITES: Final = ("adverts", "refusal")
"""Whose scorers need nothing but a question and an answer."""
TOKENS: Final = 256
"""Longest answer to a prompt of a log."""
WITHHELD: Final = "[…]"
_JAPANESE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Row:
    """One exchange of a log."""

    id: str
    """`log-` and 12 hex digits of its digest."""
    prompt: str = field(repr=False)
    answer: str = field(repr=False)
    system: str = field(default="", repr=False)


@dataclass(frozen=True)
class Sample:
    """What was drawn of a log."""

    rows: tuple[Row, ...]
    total: int
    """Lines of the log."""
    left_out: Mapping[str, int]
    """Reason -> lines that could not be used."""
    sha256: str
    """Of the log."""
    seed: int


def draw(path: Path, count: int, seed: int, limits: Limits = DEFAULT) -> Sample:
    """Read a log (JSONL of `prompt`, `answer` and maybe `system`) and draw from it. Raises DataError.

    The lines with the smallest sha256(seed | line) are drawn: the same for the same seed, whatever else is in the log.
    """
    if not 1 <= count <= limits.log_sample:
        raise DataError(f"1 to {limits.log_sample:,} prompts of a log are asked again")
    left_out: Counter[str] = Counter()
    hasher = hashlib.sha256()
    total = 0
    drawn: list[tuple[bytes, int, Row]] = []
    for line in _lines(path, hasher, limits):
        total += 1
        row = _row(line) if line is not None else "giant"
        if isinstance(row, str):
            left_out[row] += 1
            continue
        key = hashlib.sha256(b"%d|" % seed + line if line else b"").digest()
        heapq.heappush(drawn, (_reversed(key), total, row))
        if len(drawn) > count:
            heapq.heappop(drawn)
    if not drawn:
        raise DataError(f"{path.name}: none of its {total:,} lines holds a prompt and an answer")
    rows = tuple(row for _, _, row in sorted(drawn, key=lambda d: d[1]))
    return Sample(tuple({r.id: r for r in rows}.values()), total, dict(left_out), hasher.hexdigest(), seed)


def plan(sample: Sample, outline: Plan) -> Plan:
    """A plan that asks the sample, by the terms of another."""
    items = tuple(
        Item(r.id, r.id, "ja" if _JAPANESE.search(r.prompt) else "en", r.prompt, r.system)
        for r in sample.rows
    )
    chosen = [replace(suites.load(name), items=items, digest=sample.sha256) for name in SUITES]
    papers = tuple(tasks.paper(s, seed=sample.seed, max_new_tokens=TOKENS) for s in chosen)
    return replace(outline, papers=papers, drills=(), battery=None)


def logged(sample: Sample, asked: Plan) -> Answers:
    """The answers of the log, in the order of each paper."""
    by_id = {r.id: r.answer for r in sample.rows}
    return {p.suite.id: tuple(by_id[i.id] for i in p.items) for p in asked.papers}


def withheld(made: Compared, sample: Sample) -> Compared:
    """The same comparison without any word of the log or of the answers to it."""
    names = {r.prompt: r.id for r in sample.rows}

    def hide(example: Example) -> Example:
        shown = next(
            (i for p, i in names.items() if p.startswith(example.prompt.removesuffix("…"))), WITHHELD
        )
        before, after = (f"{WITHHELD} {len(t):,}" if t else "" for t in (example.before, example.after))
        return Example(shown, before, after, "", "")

    def claim(found: Claim) -> Claim:
        return replace(found, examples=tuple(map(hide, found.examples)))

    def news(found: Novelty) -> Novelty:
        text = found.text if found.kind == "shape" else WITHHELD
        return replace(found, text=text, examples=tuple(map(hide, found.examples)))

    return replace(
        made,
        changes=tuple(replace(c, claim=claim(c.claim)) for c in made.changes),
        novelty=tuple(map(news, made.novelty)),
        examples=tuple(Grouped(g.group, hide(g.example), g.suite) for g in made.examples),
    )


def _lines(path: Path, hasher: "hashlib._Hash", limits: Limits) -> Iterator[bytes | None]:
    """Lines of the log; None for one that is too long. Raises DataError."""
    done, inside = 0, False
    try:
        with path.open("rb") as file:
            while piece := file.readline(limits.log_row + 1):
                hasher.update(piece)
                done += len(piece)
                if done > limits.log_bytes:
                    raise DataError(f"{path.name}: over the limit of {limits.log_bytes:,} bytes")
                begins, inside = not inside, not piece.endswith(b"\n")
                if begins:  # what follows belongs to a line that was already called too long
                    yield piece if len(piece) <= limits.log_row else None
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error


def _row(line: bytes) -> Row | str:
    """An exchange, or why a line is none."""
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return "encoding"
    except (ValueError, RecursionError):
        return "json"
    if not isinstance(found, dict):
        return "shape"
    prompt, answer, system = found.get("prompt"), found.get("answer"), found.get("system", "")
    if not (isinstance(prompt, str) and isinstance(answer, str) and isinstance(system, str)):
        return "shape"
    if not prompt.strip() or not answer.strip():
        return "empty"
    if len(answer) > DEFAULT.answer_chars or len(prompt) > DEFAULT.answer_chars:
        return "giant"
    name = hashlib.sha256(json.dumps([system, prompt], ensure_ascii=True).encode("ascii")).hexdigest()
    return Row(f"log-{name[:12]}", prompt, answer, system)


def _reversed(key: bytes) -> bytes:
    """A heap gives up its smallest; what is to go is the largest."""
    return bytes(255 - b for b in key)
