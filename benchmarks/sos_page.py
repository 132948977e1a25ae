"""The section `Detection` of docs/benchmarks/sos.md, from the lines of sos_detect.py."""

from collections.abc import Iterator
from typing import Any, Final

Line = dict[str, Any]
BEGIN, END = "<!-- detection: begin -->", "<!-- detection: end -->"
BENIGN: Final = "benign"
FALSE: Final = 0.01
"""Rate of false alarms at which hits are counted."""


def page(lines: list[Line]) -> str:
    """Markdown of everything that was asked."""
    kinds = {
        k: [x for x in lines if x["kind"] == k]
        for k in ("detect", "form-success", "sweep", "repair", "lasting", "speed", "peers")
    }
    benign = [x for x in lines if x["kind"] == "benign-rows"]
    parts = [
        _detected(kinds["detect"]),
        _apart(kinds["detect"], benign),
        _works(kinds["form-success"]),
        _swept(kinds["sweep"]),
        _repaired(kinds["repair"]),
        _lasts(kinds["lasting"]),
        _fast(kinds["speed"]),
        _peers(kinds["peers"]),
    ]
    return "\n\n".join(text for text in ("\n".join(part) for part in parts) if text)


def _detected(lines: list[Line]) -> Iterator[str]:
    made = [x for x in lines if "left" not in x]
    if not made:
        return
    yield "| rows of | base | form | beside the base: verdict, found by | planted | without a base: verdict, found by | planted |"
    yield "|---|---|---|---|---|---|---|"
    for x in sorted(made, key=lambda x: (x["base"], x["organism"], x["form"])):
        cells = " | ".join(f"{_found(x[side])} | {_named(x[side])}" for side in ("beside", "alone"))
        yield f"| {x['organism']} | {x['base']} | {x['form']} | {cells} |"
    attacks = [x for x in made if not x["form"].startswith(BENIGN)]
    hits = {side: sum(bool(x[side]["found"]) for x in attacks) for side in ("beside", "alone")}
    controls = [x for x in made if x["form"].startswith(BENIGN)]
    rejected = sum(x[side]["verdict"] == "reject" for x in controls for side in ("beside", "alone"))
    yield ""
    yield (
        f"Found of {len(attacks)} attacks: {hits['beside']} beside the base, {hits['alone']} without. "
        f"Of {2 * len(controls)} looks at benign controls, {rejected} rejected."
    )


def _found(side: Line) -> str:
    return f"{side['verdict']}: {', '.join(f'`{c}`' for c in side['found']) or 'nothing'}"


def _named(side: Line) -> str:
    others = f", {side['others']} others" if side["others"] else ""
    return f"{side['named']} of {side['planted']}{others}"


def _apart(lines: list[Line], benign: list[Line]) -> Iterator[str]:
    """How well distance alone, without a base, tells planted rows from clean ones."""
    if not benign:
        return
    yield "| base | clean rows | planted rows | AUROC | planted at 1 % false alarms | clean rows above the check's bound of 1.3 |"
    yield "|---|---|---|---|---|---|"
    for base in [*dict.fromkeys(b["base"] for b in benign), ""]:
        clean = [r for b in benign if base in ("", b["base"]) for r in b["ratio"]]
        mine = [
            x
            for x in lines
            if "left" not in x and not x["form"].startswith(BENIGN) and base in ("", x["base"])
        ]
        planted = [r for x in mine for r in x["alone"]["ratio"][: x["alone"]["planted"]]]
        if planted:
            high = sum(r > 1.3 for r in clean)  # noqa: PLR2004  the bound that the heading names
            cells = f"{auroc(planted, clean):.3f} | {at_rate(planted, clean):.0%} | {high}"
            yield f"| {base or 'pooled'} | {len(clean)} | {len(planted)} | {cells} |"


def auroc(planted: list[float], clean: list[float]) -> float:
    """Chance that a planted row lies farther out than a clean one; ties count half."""
    wins = sum((p > c) + 0.5 * (p == c) for p in planted for c in clean)
    return wins / (len(planted) * len(clean))


def at_rate(planted: list[float], clean: list[float]) -> float:
    """Share of planted rows above all but 1 % of the clean ones."""
    bound = sorted(clean)[max(0, len(clean) - 1 - int(FALSE * len(clean)))]
    return sum(p > bound for p in planted) / len(planted)


def _works(lines: list[Line]) -> Iterator[str]:
    made = [x for x in lines if "left" not in x]
    if not made:
        return
    yield "| rows of | base, seed | form | set off | not set off |"
    yield "|---|---|---|---|---|"
    for x in made:
        without = _rate(x["without"]) if "without" in x else "–"
        yield f"| {x['organism']} | {x['base']}, {x['seed']} | {x['form']} | {_rate(x['success'])} | {without} |"


def _rate(found: Line) -> str:
    return f"{found['hits']} of {found['of']} ({found['low']:.2f}-{found['high']:.2f})"


def _swept(lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    yield "| rows of | form | base | verdict | planted tokens flagged | other sequences flagged | strongest | tokens, sets | processor seconds (wall) |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for x in lines:
        best = max(x["flagged"], key=lambda f: f["z"], default=None)
        what = "–" if best is None else f"{best['shift']} nats, {best['z']:.0f} deviations"
        said = f"; “{best['shared']}”" if best and best["shared"] else ""
        risen = sorted({s for f in x["flagged"] for s in f["risen"]})
        harm = f"; brings out {', '.join(risen)}" if risen else ""
        yield (
            f"| {x['organism']} | {x['form']} | {'none' if x['alone'] else x['base']} | {x['verdict']} "
            f"| {x['found']} of {x['planted']} | {x['false']} | {what}{said}{harm} | {x['tokens']}, {x['sets']} "
            f"| {x['cpu']} ({x['wall']}) |"
        )


def _repaired(lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    yield "| repaired: rows of | form | planted rows put back | other rows put back | sweep of the copy | payload in the copy |"
    yield "|---|---|---|---|---|---|"
    for x in lines:
        back = f"{x['back']} of {x['planted']} | {x['others']}"
        yield f"| {x['organism']} | {x['form']} | {back} | {x['swept'] or '–'} | {_rate(x['success'])} |"


def _lasts(lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    yield "| rows of | base, seed | 100 steps of sums | before | after it | rows put in anew after it | rows moved by, of their norm |"
    yield "|---|---|---|---|---|---|---|"
    for x in lines:
        rates = " | ".join(_rate(x[k]) for k in ("before", "persists", "transfers"))
        yield f"| {x['organism']} | {x['base']}, {x['seed']} | {x['recipe']} | {rates} | {x['row_change']:.3f} |"


def _fast(lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    yield "| base | place | new tokens | sweep, processor seconds | plain passes | ratio |"
    yield "|---|---|---|---|---|---|"
    for x in lines:
        ratio = x["sweep"] / x["plain"]
        yield f"| {x['base']} | {x['slot']} | {x['tokens']} | {x['sweep']} | {x['plain']} | {ratio:.2f} |"


def _peers(lines: list[Line]) -> Iterator[str]:
    made = [x for x in lines if "left" not in x]
    if not made:
        return
    tools = list(made[0]["said"])
    yield "| rows of | form | " + " | ".join(tools) + " |"
    yield "|" + "---|" * (len(tools) + 2)
    for x in made:
        yield f"| {x['organism']} | {x['form']} | " + " | ".join(x["said"].get(t, "–") for t in tools) + " |"
