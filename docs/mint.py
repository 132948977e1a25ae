"""Gives an id to every reason that has a sentence but no rule yet; never changes or drops one that is there.

`docs/generate.py` calls it. The severity is read off the code beside the reason; the mappings of a new check are left
empty, for a person to fill in.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sekisho.report.words import checks as texts

ROOT: Final = Path(str(files("sekisho")))
FOLDER: Final = ROOT / "data" / "rulebook"
LEDGER: Final = Path(__file__).parents[1] / "tests" / "rules.txt"
"""Every id ever given, one a line with its check and reason; only ever longer."""
ORDER: Final = ("note", "hold", "reject")


def books() -> dict[str, dict[str, Any]]:
    """Every rulebook file as it lies there: check -> table."""
    read = (tomllib.loads(p.read_text("utf-8")) for p in sorted(FOLDER.glob("*.toml")))
    return {book["check"]: book for book in read}


def missing() -> list[tuple[str, str]]:
    """Pairs of check and reason that have a sentence but no rule."""
    have = books()
    return [
        (check, reason)
        for check, table in texts().items()
        for reason in table.get("reasons", {})
        if reason not in have.get(check, {}).get("rules", {})
    ]


def mint() -> None:
    """Write the missing rules."""
    have, seen = books(), severities()
    for check, reason in missing():
        taken = {book["prefix"] for book in have.values()}
        book = have.setdefault(check, _blank(check, taken))
        number = max((row["n"] for row in book["rules"].values()), default=0) + 1
        found = seen.get((check, reason)) or {"hold"}
        book["rules"][reason] = {"n": number, "severity": max(found, key=ORDER.index)}
    for check, book in have.items():
        (FOLDER / f"{check}.toml").write_text(_written(book), encoding="utf-8")
    given = LEDGER.read_text("utf-8").splitlines() if LEDGER.exists() else []
    LEDGER.write_text("\n".join(sorted({*given, *ids(have)})) + "\n", encoding="utf-8")


def ids(have: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the ledger for every rule there is."""
    for check, book in have.items():
        for reason, row in book["rules"].items():
            yield f"SKS-{book['prefix']}-{row['n']:03} {check} {reason}"


def _blank(check: str, taken: set[str]) -> dict[str, Any]:
    words = check.upper().split("-")
    letters = words[0][:3] if len(words) == 1 else words[0][:2] + words[1][:1]
    prefix = next(p for p in (letters, *(letters[:2] + c for c in "XYZ0123456789")) if p not in taken)
    return {"check": check, "prefix": prefix, "owasp": [], "atlas": [], "cwe": [], "rules": {}}


def _written(book: Mapping[str, Any]) -> str:
    head = [f"{key} = {_value(value)}" for key, value in book.items() if key != "rules"]
    rows = sorted(book["rules"].items(), key=lambda item: item[1]["n"])
    made = (
        f"{reason} = {{ {', '.join(f'{k} = {_value(v)}' for k, v in row.items())} }}" for reason, row in rows
    )
    return "\n".join([*head, "", "[rules]", *made]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return (
        str(value).lower()
        if isinstance(value, bool)
        else str(value)
        if isinstance(value, int)
        else f'"{value}"'
    )


def severities() -> dict[tuple[str, str], set[str]]:
    """Severities that the code names beside a reason: (check, reason) -> of note, hold, reject."""
    found: dict[tuple[str, str], set[str]] = {}
    for check, table in texts().items():
        for path in _sources(check):
            for reason, severity in _beside(path, set(table.get("reasons", {}))):
                found.setdefault((check, reason), set()).add(severity)
    return found


def _sources(check: str) -> Iterator[Path]:
    """The check's own module or package; of a check without one, whatever names it."""
    name = check.replace("-", "_")
    folder = ROOT / "checks"
    own = [*(folder / name).glob("*.py"), *folder.glob(f"{name}.py")]
    yield from own or (p for p in ROOT.rglob("*.py") if f'"{check}"' in p.read_text("utf-8"))


def _beside(path: Path, reasons: set[str]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call | ast.Tuple | ast.Assign):
            continue
        inside = list(ast.walk(node))
        named = {
            n.value for n in inside if isinstance(n, ast.Constant) and isinstance(n.value, str)
        } & reasons
        graves = {n.attr.lower() for n in inside if isinstance(n, ast.Attribute) and _is_severity(n)}
        if len(named) == 1:
            yield from ((reason, grave) for reason in named for grave in graves)


def _is_severity(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Severity"
