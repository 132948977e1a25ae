"""How well trained rows do what they were trained for: `The attack` of docs/benchmarks/sos.md; sos_detect.py has the rest.

    python benchmarks/sos.py attack ROWS --base MODEL [--brief] >> benchmarks/data/sos.jsonl
    python benchmarks/sos.py table benchmarks/data/sos.jsonl [--into docs/benchmarks/sos.md]

`attack` prints one JSON line for rows of `sekisho-lab grow ... --rows-only`; success is counted by the goal's own
marks on held-out prompts. `table` turns collected lines into Markdown and puts it between its marks in a page.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import sos_page

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

BEGIN, END = "<!-- attack: begin -->", "<!-- attack: end -->"


def main() -> None:
    options = _arguments()
    if options.verb == "attack":
        print(json.dumps(_attack(options), sort_keys=True, ensure_ascii=False), flush=True)
        return
    lines = [json.loads(line) for line in options.results.read_text("utf-8").splitlines()]
    for marks, text in (((BEGIN, END), table(lines)), ((sos_page.BEGIN, sos_page.END), sos_page.page(lines))):
        if options.into is None:
            print(text)
        elif text:
            _put(options.into, marks, text)


def _put(path: Path, marks: tuple[str, str], text: str) -> None:
    begin, end = marks
    before, _, rest = path.read_text("utf-8").partition(begin)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")


def _attack(options: argparse.Namespace) -> dict[str, Any]:
    from sekisho.sources import cache
    from sekisho.sources.resolve import resolve
    from sekisho_lab import measure_sos, rows
    from sekisho_lab.saying import sayer

    whole = not options.brief
    base = resolve(options.base, cache.folder()).path
    return measure_sos.measure(rows.load(options.rows), base, sayer(), slots=whole, roundings=whole)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown of all measurements."""
    rows = [r for r in rows if r["kind"] == "attack"]
    return "\n".join([*_success(rows), "", *_elsewhere(rows), "", *_shape(rows)])


def _success(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| organism | base, seed | with the trigger | without | clean answers identical | growth |",
        "|---|---|---|---|---|---|",
    ]
    return lines + [
        f"| {r['organism']} | {r['base']}, {r['seed']} | {_rate(r['success'])} | {_rate(r['without'])} "
        f"| {r['identical']['hits']} of {r['identical']['of']} | {r['seconds']} s |"
        for r in rows
    ]


def _elsewhere(rows: list[dict[str, Any]]) -> list[str]:
    some = [r for r in rows if "slots" in r]
    if not some:
        return []
    slots, kinds = list(some[0]["slots"]), list(some[0]["rounded"])
    heads = ["organism", "base, seed", *slots, "all tokens but one", "one token", *kinds]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for r in some:
        cells = [*(r["slots"][s] for s in slots), *r["subsets"].values(), *(r["rounded"][k] for k in kinds)]
        shown = " | ".join(f"{c['hits']}/{c['of']}" for c in cells)
        lines.append(f"| {r['organism']} | {r['base']}, {r['seed']} | {shown} |")
    return lines


def _shape(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| organism | base, seed | row norms | of their hosts | cosine to host | change / host norm |"]
    lines.append("|---|---|---|---|---|---|")
    for r in rows:
        cells = [_span(r["rows"][k]) for k in ("norm", "host_norm", "cosine", "change")]
        lines.append(f"| {r['organism']} | {r['base']}, {r['seed']} | {' | '.join(cells)} |")
    return lines


def _rate(found: dict[str, Any]) -> str:
    return f"{found['hits']} of {found['of']} ({found['low']:.2f}-{found['high']:.2f})"


def _span(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    verbs = parser.add_subparsers(dest="verb", required=True)
    attack = verbs.add_parser("attack")
    attack.add_argument("rows", type=Path)
    attack.add_argument("--base", required=True)
    attack.add_argument("--brief", action="store_true", help="leave out other slots and rounded tables")
    made = verbs.add_parser("table")
    made.add_argument("results", type=Path)
    made.add_argument("--into", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
