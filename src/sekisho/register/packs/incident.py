"""The incident pack: evidence as it stands, every place, what to go back to, and a letter that holds facts only."""

from collections.abc import Mapping
from typing import Any, Final

from sekisho.errors import SourceError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.states import State
from sekisho.records import Dossier
from sekisho.register import documents, listing
from sekisho.register.documents import Block, Document
from sekisho.register.packs import contract
from sekisho.register.packs.material import Draft, Material, Wish, as_json, common, missing
from sekisho.register.rows import Row
from sekisho.register.texts import Texts
from sekisho.register.traced import plain as traced
from sekisho.report import html
from sekisho.report.cells import state
from sekisho.report.export.view import view
from sekisho.report.grounds import behaviour_title, drill_title
from sekisho.report.words import LANGUAGES, Words
from sekisho.sources import address

_STEPS: Final = ("stop", "freeze", "back", "register", "tell")
_USABLE: Final = (State.PRODUCTION, State.PILOT, State.RE_TEST, State.RETIRED)


def draft(material: Material, wish: Wish) -> Draft:
    """Gather it from whatever there is: an incident does not wait for a dossier."""
    files = common(material) | {"places.csv": contract.places(material)}
    contents = ["letter", "steps", "places"]
    if material.dossier:
        files["dossier.json"] = dossiers.to_json(material.dossier)
        files |= {f"report.{lang}.html": html.render(material.dossier, lang).encode() for lang in LANGUAGES}
        contents.append("dossier")
    if material.trace:
        files["trace.json"] = as_json(traced(material.trace))
        contents.append("trace")
    contents += [
        k for k, n in (("ledger", "ledger.json"), ("evidence", "evidence/evidence.sig")) if n in files
    ]
    for lang in LANGUAGES:
        for name, page in (("letter", _letter(material, wish, lang)), ("steps", _steps(material, lang))):
            files[f"{name}.{lang}.md"] = documents.markdown(page).encode()
            files[f"{name}.{lang}.html"] = documents.html(page).encode()
    return Draft("incident-pack", material, files, tuple(contents), tuple(_gaps(material)), legal=True)


def _gaps(material: Material) -> list[tuple[str, Mapping[str, Any]]]:
    found = list(missing(material))
    used = material.trace.deployments if material.trace else ()
    found += [] if used else [("no-places", {})]
    found += [("no-rollback", {"place": u.place}) for u in used if not _back(material, u.place)]
    return found + ([] if material.row and material.row.supplier else [("no-contact", {})])


def _back(material: Material, place: str) -> tuple[str, ...]:
    """Models that ran there before and were admitted."""
    rows = material.fallback.get(place, ())
    return tuple(r.subject for r in rows if r.decision == "admit" and r.state in _USABLE)


def _letter(material: Material, wish: Wish, language: str) -> Document:
    say, row = Texts("packs", language), material.row
    observed = (*_told(wish, say), *(_observed(material.dossier, language, say) if material.dossier else ()))
    blocks = (
        Block("p", say("letter", "intro")),
        Block("h2", say("letter", "observed")),
        Block("ul", items=observed or (say("letter", "nothing"),)),
        Block("h2", say("letter", "ask")),
        Block("ul", items=tuple(say("letter", k) for k in ("ask_confirm", "ask_explain", "ask_keep"))),
        Block("p", say("letter", "enclosed")),
        Block("sign", say("letter", "sign")),
    )
    unknown = say("ui", "unknown")
    facts = [
        (say("letter", "to"), (row.supplier if row else "") or unknown),
        (say("ui", "model"), material.name),
    ]
    facts += [(say("ui", "digest"), material.subject)]
    facts += [(say("ui", "source"), (row.source if row else "") or unknown)]
    facts += [(say("ui", "revision"), _revision(row) or unknown)]
    if material.dossier:
        facts += [(say("ui", "policy"), f"{material.dossier.policy} {material.dossier.policy_digest}")]
        facts += [(say("ui", "dossier"), f"{dossiers.digest(material.dossier)} ({material.dossier.tool})")]
    return Document(
        say("letter", "title"),
        language,
        blocks,
        note=Texts("clauses", language)("ui", "draft"),
        facts=tuple(facts),
    )


def _revision(row: Row | None) -> str:
    """As the intake recorded it, else as the address pins it."""
    if row is None or row.revision or not address.is_address(row.source):
        return row.revision if row else ""
    try:
        return address.parse(row.source).revision
    except SourceError:
        return ""


def _told(wish: Wish, say: Texts) -> tuple[str, ...]:
    return (say("letter", "told", what=wish.what),) if wish.what else ()


def _observed(made: Dossier, language: str, say: Texts) -> tuple[str, ...]:
    """Cells that were found, with their rates, and findings that count; nothing is concluded from them."""
    words = Words(language)
    cells = tuple(
        say(
            "letter",
            "cell",
            behaviour=behaviour_title(c.behaviour, words),
            drill=drill_title(made, c.drill, words),
            before=words.percent(c.before),
            after=words.percent(c.after),
            families=str(c.families),
        )
        for c in made.claims
        if state(c) in ("found", "alarm")
    )
    lines = (ln for ln in view(made, language).lines if ln.counts)
    return (*cells, *(say("letter", "finding", rule=ln.rule.id, text=ln.message) for ln in lines))


def _steps(material: Material, language: str) -> Document:
    say, words = Texts("packs", language), Texts("register", language)
    rows: list[str] = []
    for place, found in material.fallback.items():
        good = [r for r in found if r.subject in _back(material, place)]
        rows += [
            say(
                "steps",
                "candidate",
                place=place,
                name=r.name,
                digest=r.subject[:12],
                state=listing.state(r, words),
            )
            for r in good
        ] or [say("gap", "no-rollback", place=place)]
    blocks = (
        Block("ol", items=tuple(say("steps", s) for s in _STEPS)),
        Block("h2", say("steps", "target")),
        Block("ul", items=tuple(rows) or (say("gap", "no-places"),)),
    )
    facts = ((say("ui", "model"), material.name), (say("ui", "digest"), material.subject))
    return Document(say("steps", "title"), language, blocks, facts=facts)
