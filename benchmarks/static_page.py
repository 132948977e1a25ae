"""The tables of docs/benchmarks/static.md from the lines that `static.py` wrote."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

MARKS: Final = ("detect", "missed", "speed")


def write(lines: Path, into: Path | None) -> None:
    """Print the tables, or put them between the marks of a page."""
    body = [json.loads(x) for x in lines.read_text().splitlines()]
    made = {"detect": detection(body), "missed": missed(body), "speed": speed(body)}
    if into is None:
        print("\n\n".join(made.values()))
        return
    text = into.read_text()
    for mark in MARKS:
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        text = text[: text.index(begin) + len(begin)] + f"\n\n{made[mark]}\n\n" + text[text.index(end) :]
    into.write_text(text)


def detection(body: list[dict[str, Any]]) -> str:
    """A row for each tool, a column for each group: found, and errors after a plus."""
    cases = [b for b in body if "outcome" in b]
    gate = [b for b in cases if b["tool"] == "sekisho"]
    groups = sorted({b["group"] for b in gate if b["hostile"]})
    sizes = {g: sum(b["group"] == g and b["hostile"] for b in gate) for g in groups}
    sizes[""] = controls = sum(not b["hostile"] for b in gate)
    head = [
        "tool",
        *(f"{g} ({sizes[g]})" for g in groups),
        f"benign flagged ({controls})",
        "ms of processor a case",
        "start-up s",
    ]
    rows = [_row(tool, cases, groups, sizes) for tool in dict.fromkeys(b["tool"] for b in cases)]
    absent = [b["tool"] for b in body if b.get("installed") is False]
    note = f"\n\nNot installable here: {', '.join(absent)}." if absent else ""
    return _table(head, rows) + note  # fmt: skip


def _row(tool: str, cases: list[dict[str, Any]], groups: list[str], sizes: dict[str, int]) -> list[str]:
    mine = [b for b in cases if b["tool"] == tool]
    cells = [_cell([b for b in mine if b["group"] == g and b["hostile"]], sizes[g]) for g in groups]
    asked = [b for b in mine if b["rc"]]
    each = f"{1000 * sum(b['cpu'] for b in asked) / len(asked):.0f}" if asked else "-"
    return [
        tool,
        *cells,
        _cell([b for b in mine if not b["hostile"]], sizes[""]),
        each,
        f"{mine[0]['start_up']:.1f}",
    ]


def _cell(mine: list[dict[str, Any]], size: int) -> str:
    """Found, errors after a plus, `of n` where not all were asked; `-` where the tool was given nothing it reads."""
    if not any(b["rc"] for b in mine):
        return "-"
    found, errors = (sum(b["outcome"] == x for b in mine) for x in ("found", "error"))
    part = f" of {len(mine)}" if len(mine) < size else ""
    return (f"{found}+{errors}e" if errors else str(found)) + part


def missed(body: list[dict[str, Any]]) -> str:
    """What the gate was quiet about, and who was not."""
    tools: dict[str, dict[str, str]] = defaultdict(dict)
    hostile = {b["case"] for b in body if b.get("hostile")}
    for b in body:
        if "outcome" in b:
            tools[b["case"]][b["tool"]] = b["outcome"]
    rows = []
    for case, told in ((c, t) for c, t in tools.items() if "sekisho" in t):
        ours = {told.get("sekisho"), told.get("sekisho with base")}
        others = [t for t, o in told.items() if o == "found" and not t.startswith("sekisho")]
        if case in hostile and "found" not in ours:
            rows.append([case, told.get("sekisho", ""), ", ".join(others) or "nobody"])
        elif case not in hostile and ours not in ({"quiet"}, {"quiet", None}):
            rows.append([f"{case} (benign)", told["sekisho"], ", ".join(others) or "nobody"])
    return _table(["case", "sekisho", "found by"], rows) if rows else "Nothing."


def speed(body: list[dict[str, Any]]) -> str:
    """Seconds, ratios and memory of each timed job."""
    rows = [
        [b["job"], b["tool"], f"{b['wall']:.2f}", f"{b['cpu']:.2f}", b["ratio_wall"], b["ratio_cpu"], f"{b['rss_mb']:.0f}"]
        for b in body
        if "job" in b
    ]  # fmt: skip
    return _table(
        ["job", "tool", "wall s", "processor s", "x hashlib, wall", "x hashlib, processor", "peak MB"], rows
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
