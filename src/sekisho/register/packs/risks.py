"""Rows for a risk register, and the table of who bears which risk."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sekisho import rulebook
from sekisho.errors import DataError
from sekisho.records import Claim, Dossier
from sekisho.register.packs import tables
from sekisho.register.packs.material import Draft, Material, Wish, as_json, missing
from sekisho.register.texts import Texts
from sekisho.report.cells import state
from sekisho.report.export.view import view
from sekisho.report.grounds import behaviour_title
from sekisho.report.words import LANGUAGES, Words

COLUMNS: Final = (
    "id", "risk", "cause", "control", "state", "evidence", "likelihood", "impact", "owner", "atlas", "owasp", "cwe", "nist", "iso",
)  # fmt: skip
PARTIES: Final = ("supplier", "company", "users")
MATRIX: Final = ("id", "risk", *PARTIES, "clause", "evidence")


def draft(material: Material, wish: Wish) -> Draft:
    """One CSV for each language and the same as JSON. Raises DataError where there is no dossier."""
    del wish
    made = {f"risks.{lang}.csv": _csv(material.told, lang) for lang in LANGUAGES}
    made["risks.json"] = as_json([_plain(material.told, r) for r in ids()])
    return Draft("risk-register", material, made, ("risks",), tuple(missing(material)))


def ids() -> tuple[str, ...]:
    """Risks there are."""
    return Texts("risks", "en").keys("risk")


def _csv(made: Dossier, language: str) -> bytes:
    say = Texts("risks", language)
    return tables.write([say("column", c) for c in COLUMNS], (_row(made, r, say) for r in ids()))


def _row(made: Dossier, risk: str, say: Texts) -> tuple[str, ...]:
    told = {k: say(k, risk) for k in ("risk", "cause", "control")}
    mapped = {k: ", ".join(v) for k, v in mappings(risk).items()}
    filled = told | mapped | {"id": risk, "state": standing(made, risk, say), "evidence": "dossier.json"}
    return tuple(filled.get(c, "") for c in COLUMNS)


def mappings(risk: str) -> dict[str, tuple[str, ...]]:
    """Ids of public catalogues: those of the checks from the rule book, the others as the data has them."""
    source = Texts("risks", "en").table("source", risk)
    rules = [r for r in rulebook.rules() if r.check in source["checks"] and not r.retired]
    found = {k: sorted({i for r in rules for i in getattr(r, k)}) for k in rulebook.MAPPINGS}
    found["atlas"] = sorted({*found["atlas"], *source["atlas"]})
    return {k: tuple(v) for k, v in (found | {"nist": source["nist"], "iso": source["iso"]}).items()}


def standing(made: Dossier, risk: str, say: Texts) -> str:
    """What this dossier says of a risk."""
    source = Texts("risks", "en").table("source", risk)
    words = Words(say.language)
    checks = source["checks"]
    lines = [ln for ln in view(made, say.language).lines if ln.finding.check in checks]
    counted = [ln.rule.id for ln in lines if ln.counts]
    claims = [c for c in made.claims if source["behaviours"] and (c.drill != "release") is source["drills"]]
    if bad := [*_named(claims, ("found",), words), *counted]:
        return say("state", "found", what=say.comma.join(dict.fromkeys(bad)))
    if loose := _named(claims, ("alarm", "open"), words):
        return say("state", "open", what=say.comma.join(dict.fromkeys(loose)))
    return say("state", "clear" if lines or claims else "untested")


def _named(claims: Iterable[Claim], states: tuple[str, ...], words: Words) -> list[str]:
    return [behaviour_title(c.behaviour, words) for c in claims if state(c) in states]


def _plain(made: Dossier, risk: str) -> dict[str, Any]:
    source = Texts("risks", "en").table("source", risk)
    told = {
        k: {lang: Texts("risks", lang)(k, risk) for lang in LANGUAGES} for k in ("risk", "cause", "control")
    }
    stands = {lang: standing(made, risk, Texts("risks", lang)) for lang in LANGUAGES}
    checked = {"checked_on": source["checked_on"], "basis": source["basis"], "confirmed": False}
    return {
        "id": risk,
        **told,
        "state": stands,
        **{k: list(v) for k, v in mappings(risk).items()},
        "mapping": checked,
    }


def matrix(wish: Wish, there: Iterable[str]) -> tuple[dict[str, bytes], list[tuple[str, Mapping[str, Any]]]]:
    """Risk by party, clause and evidence in both languages; every empty cell is a gap. Raises DataError."""
    said = _filled(wish.matrix) if wish.matrix else {}
    proof = [n for n in there if n in ("dossier.json", "ledger.json") or n.startswith("evidence/dossier")]
    made: dict[str, bytes] = {}
    for lang in LANGUAGES:
        say = Texts("risks", lang)
        rows = (
            (
                r,
                say("risk", r),
                *(said.get((r, p), "") for p in PARTIES),
                say("clause", r),
                ", ".join(proof[:2]),
            )
            for r in ids()
        )
        made[f"responsibility.{lang}.csv"] = tables.write([say("column", c) for c in MATRIX], rows)
    empty = {r: [p for p in PARTIES if not said.get((r, p), "").strip()] for r in ids()}
    gaps: list[tuple[str, Mapping[str, Any]]] = [
        ("empty-cell", {"risk": ("risks", "risk", r), "party": [("risks", "column", p) for p in parties]})
        for r, parties in empty.items()
        if parties
    ]
    return made, gaps


def _filled(data: bytes) -> dict[tuple[str, str], str]:
    """Cells of a table that somebody filled in: by risk and party. Raises DataError."""
    rows = tables.read(data, "--matrix")
    if len(rows[0]) != len(MATRIX) or not {r[0] for r in rows[1:]} <= set(ids()):
        raise DataError(
            "--matrix: the columns or risks are not those of responsibility.*.csv of a contract pack"
        )
    at = {p: MATRIX.index(p) for p in PARTIES}
    return {(r[0], p): r[n].removeprefix("'").strip() for r in rows[1:] for p, n in at.items()}
