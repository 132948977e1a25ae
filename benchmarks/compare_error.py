"""How often `sekisho compare` finds a rise where there is none: recorded answers of two models, swapped by chance.

    python benchmarks/compare_error.py smollm2-135m-instruct path/to/finetuned         # 100 seeds, profile quick

Both models are asked as `compare` asks them (what they answered before is taken from the cache). Then, for each seed, the two
answers to each family of questions change places with probability 1/2. What comes out is a pair of models that answer
every question with the same chances, whatever the two real ones are: each rise that is found is a false one. The policy
states at most alpha_reject of them. Two models that differ a lot make the hardest pair, since as many answers change.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sekisho import comparison, parties
from sekisho.asking import ask
from sekisho.contrast import Answers, Contrast
from sekisho.drills.plan import Plan
from sekisho.evidence import cells
from sekisho.sources import cache as caches
from sekisho.stats.intervals import wilson
from sekisho.watch import Unwatched

SEEDS = 100


def answers(plan: Plan, models: tuple[str, str]) -> tuple[Answers, Answers]:
    folder = caches.folder()
    wanted = parties.Request("default", folder)
    sides = tuple(parties.admit(m, wanted, side=s) for m, s in zip(models, comparison.SIDES, strict=True))
    with closing(cells.kept_in(folder)) as kept:
        first, second = ask(plan, sides, kept, opener=None, watch=Unwatched())
    return first.answers, second.answers


def swapped(plan: Plan, both: tuple[Answers, Answers], seed: int) -> tuple[Answers, Answers]:
    """The same answers, those of each family on the side that a coin says."""
    draw = random.Random(seed)
    sides: tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = ({}, {})
    for paper in plan.papers:
        coin = {family: draw.getrandbits(1) for family in sorted({i.family for i in paper.items})}
        pairs = zip(paper.items, *(a[paper.suite.id] for a in both), strict=True)
        placed = [(b, a) if coin[item.family] else (a, b) for item, a, b in pairs]
        for n, side in enumerate(sides):
            side[paper.suite.id] = tuple(p[n] for p in placed)
    return sides


def found(plan: Plan, both: tuple[Mapping[str, tuple[str, ...]], ...]) -> tuple[list[str], bool]:
    """Behaviours that are found to rise; whether anything is called new."""
    made = Contrast(plan, *both)
    return [c.claim.behaviour for c in made.changes if c.claim.found], bool(made.news)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, help="also write the result here")
    options = parser.parse_args()
    plan = comparison.frozen(comparison.Options(profile=options.profile))
    both = answers(plan, (options.before, options.after))
    begun = time.process_time()
    rises: Counter[str] = Counter()
    wrong = new = 0
    for seed in range(options.seeds):
        named, news = found(plan, swapped(plan, both, seed))
        rises.update(named)
        wrong, new = wrong + bool(named), new + news
    share = wilson(wrong, options.seeds)
    changed = {
        p.suite.id: sum(a != b for a, b in zip(*(x[p.suite.id] for x in both), strict=True))
        for p in plan.papers
    }
    told = {
        "questions": {p.suite.id: len(p.items) for p in plan.papers},
        "answers_that_differ": changed,
        "seeds": options.seeds,
        "rise_found": wrong,
        "share_95_percent": [round(share.low, 4), round(share.high, 4)],
        "by_behaviour": dict(rises),
        "something_called_new": new,
        "stated": plan.policy.alpha_reject,
        "unswapped": found(plan, both)[0],
        "cpu_s": round(time.process_time() - begun, 1),
    }
    text = json.dumps(told, indent=1)
    if options.out:
        options.out.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
