"""How long the register takes to list, with many models in it: the queries of `sekisho models` and of its web page.

    python benchmarks/register_speed.py                      # 10,000 models, each at a stage of its own, in a temporary file
    python benchmarks/register_speed.py --models 2000 --keep /tmp/register.sqlite

Every entry goes through the rules and the chain, as people write them. Each query is repeated; the median and the
slowest are printed, in wall time and in CPU time, since a busy machine's wall time says little.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sekisho.ledger.book import Ledger, open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.ledger.states import State
from sekisho.register import listing, moves, rows
from sekisho.register.wishes import Action, Wish

PAGE = 100
TARGET_MS = 200
ASKED = {
    "source": "hf:example-org/toy",
    "purpose": "answers",
    "data_class": "internal",
    "users": "20 in sales",
}
PILOT = {"users": "5", "days": 30, "data_class": "internal", "exit": ["no adverts"], "place": "notebook 1"}
STAGES = ("requested", "decided", "pilot", "production", "retired")


def fill(ledger: Ledger, models: int) -> None:
    for n in range(models):
        _life(ledger, hashlib.sha256(b"%d" % n).hexdigest(), n)


def _life(ledger: Ledger, subject: str, n: int) -> None:
    """Bring one model as far as its number says."""
    last = STAGES[n % len(STAGES)]

    def step(action: Action, by: str, **facts: Any) -> None:
        moves.move(ledger, subject, Wish(action, by, facts))

    step(Action.REQUEST, "mori", name=f"model-{n:05}", supplier="Example Org", **ASKED)
    if last == "requested":
        return
    body = {"decision": "admit", "scope": "behaviour", "policy": "default", "policy_digest": "12" * 32}
    ledger.append(Draft("gate", Kind.DECISION, subject, body))
    step(Action.DECIDE, "tanaka")
    if last != "decided":
        step(Action.APPROVE, "sato", of="pilot")
        step(Action.PILOT, "tanaka", **PILOT)
    if last in ("production", "retired"):
        step(Action.APPROVE, "sato", of="production")
        step(Action.PRODUCE, "tanaka", place=f"server {n % 40}", met="200 answers read", retest_days=180)
    if last == "retired":
        step(Action.RETIRE, "mori", reason="replaced")


def queries(ledger: Ledger, models: int) -> dict[str, Callable[[], object]]:
    """Name -> what a page of the register asks for."""
    name = f"model-{models // 2:05}"
    subject = hashlib.sha256(b"%d" % (models // 2)).hexdigest()

    def page(wish: rows.Listing) -> str:
        found = rows.page(ledger, wish)
        shown = listing.Listed(found.rows[:PAGE], found.counts, ledger.now(), ledger.tip(), 0)
        return listing.text(shown, "en")

    return {
        "first page": lambda: page(rows.Listing(count=PAGE + 1)),
        "last page": lambda: page(rows.Listing(skip=models - PAGE, count=PAGE + 1)),
        "in production": lambda: page(rows.Listing(state=State.PRODUCTION, count=PAGE + 1)),
        "overdue": lambda: page(rows.Listing(overdue=True, count=PAGE + 1)),
        "one model by name": lambda: rows.row(ledger, rows.find(ledger, name)),
        "one model by digest": lambda: rows.row(ledger, rows.find(ledger, subject[:16])),
    }


def timed(ask: Callable[[], object], rounds: int) -> dict[str, float]:
    wall, cpu = [], []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        ask()
        wall.append((time.perf_counter() - begun) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    return {
        "wall_ms": round(statistics.median(wall), 1),
        "slowest_ms": round(max(wall), 1),
        "cpu_ms": round(statistics.median(cpu), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--keep", type=Path, help="a ledger's file; one that is there already is read as it is"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        place = options.keep or Path(home) / "ledger.sqlite"
        new = not place.exists()
        # a day in the past, so that pilots and re-tests are overdue when they are asked for
        begun = datetime(2026, 1, 1, tzinfo=UTC)
        with closing(open_ledger(str(place), clock=lambda: begun)) as ledger:
            if new:
                fill(ledger, options.models)
        with closing(open_ledger(str(place), create=False)) as ledger:
            found = {k: timed(ask, options.rounds) for k, ask in queries(ledger, options.models).items()}
            entries = ledger.tip().sequence
    within = all(f["cpu_ms"] <= TARGET_MS for f in found.values())
    print(
        json.dumps(
            {"models": options.models, "entries": entries, "queries": found, "within": within}, indent=1
        )
    )


if __name__ == "__main__":
    main()
