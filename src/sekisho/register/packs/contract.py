"""The contract pack: clauses with their evidence, or the risks one takes on where nobody signs."""

from collections.abc import Mapping
from typing import Any, Final

from sekisho.evidence import dossier as dossiers
from sekisho.register import documents
from sekisho.register.documents import Block, Document
from sekisho.register.packs import risks, tables
from sekisho.register.packs.material import Draft, Material, Wish, as_json, common, missing
from sekisho.register.texts import Texts
from sekisho.register.traced import plain as traced
from sekisho.report import html
from sekisho.report.export.view import view
from sekisho.report.words import LANGUAGES

_CONTENTS: Final = ("responsibility", "dossier", "files", "findings", "trials")


def draft(material: Material, wish: Wish) -> Draft:
    """Gather it. Raises DataError where there is no dossier, or the table given is not ours."""
    files = common(material) | _facts(material)
    table, gaps = risks.matrix(wish, files)
    files |= table
    say = Texts("clauses", "en")
    there = {*files, "verify.py"}
    proofs = {t: [f for f in say.table("evidence", t)["files"] if f in there] for t in say.keys("title")}
    bare = [("no-proof", {"theme": ("clauses", "title", t)}) for t, found in proofs.items() if not found]
    what = "clauses" if wish.counterparty else "own-risks"
    for lang in LANGUAGES:
        page = _document(material, wish, lang, there)
        files[f"{what}.{lang}.md"] = documents.markdown(page).encode()
        files[f"{what}.{lang}.html"] = documents.html(page).encode()
    more = tuple(
        k
        for k, n in (
            ("evidence", "evidence/evidence.sig"),
            ("ledger", "ledger.json"),
            ("trace", "trace.json"),
        )
        if n in files
    )
    all_gaps: list[tuple[str, Mapping[str, Any]]] = [*missing(material), *bare, *gaps]
    return Draft("contract-pack", material, files, (what, *_CONTENTS, *more), tuple(all_gaps), legal=True)


def _facts(material: Material) -> dict[str, bytes]:
    """Dossier, report, list of files, findings and trials, each for a clause of its own."""
    made = material.told
    files = {"dossier.json": dossiers.to_json(made)}
    files |= {f"report.{lang}.html": html.render(made, lang).encode() for lang in LANGUAGES}
    header = ("path", "role", "format", "bytes", "sha256", "problem")
    rows = ((f.path, f.role, f.format, str(f.size), f.sha256, f.problem) for f in made.files)
    files["files.csv"] = tables.write(header, rows)
    files["findings.json"] = as_json(findings(material))
    files["trials.json"] = as_json(_trials(material))
    files["places.csv"] = places(material)
    if material.trace:
        files["trace.json"] = as_json(traced(material.trace))
    return files


def findings(material: Material) -> list[dict[str, Any]]:
    """Findings that count, with the id of their rule, in both languages."""
    told = {lang: view(material.told, lang).lines for lang in LANGUAGES}
    made = []
    for n, line in enumerate(told["en"]):
        if line.counts:
            said = {lang: told[lang][n].message for lang in LANGUAGES}
            made.append(
                {
                    "rule": line.rule.id,
                    "where": line.finding.where,
                    "fingerprint": line.fingerprint,
                    "text": said,
                }
            )
    return made


def _trials(material: Material) -> dict[str, Any]:
    made = material.told
    keys = ("behaviour", "drill", "families", "before", "after", "effect", "low", "high", "margin", "ceiling")
    cells = [{k: getattr(c, k) for k in keys} for c in made.claims]
    drills = [
        {"recipe": d.recipe, "recipe_digest": d.recipe_digest, "data_digest": d.data_digest, "seed": d.seed}
        for d in made.drills
    ]
    return {
        "policy": made.policy,
        "policy_digest": made.policy_digest,
        "plan_digest": made.plan_digest,
        "drills": drills,
        "cells": cells,
    }


def places(material: Material) -> bytes:
    """Where it and what was made from it runs; entries of the ledger, not a promise that there are no others."""
    found = material.trace
    rows: list[tuple[str, ...]] = []
    if found:
        rows += [
            (material.name, material.subject, u.place, u.time, u.actor, str(u.entry))
            for u in found.deployments
        ]
        for child in found.children:
            name = child.row.name if child.row else ""
            used = [(u.place, u.time, u.actor, str(u.entry)) for u in child.deployments] or [
                ("", "", "", str(child.entry))
            ]
            rows += [(name, child.subject, *u) for u in used]
    return tables.write(("model", "sha256", "place", "time", "entered_by", "ledger_entry"), rows)


def _document(material: Material, wish: Wish, language: str, there: set[str]) -> Document:
    say = Texts("clauses", language)
    what = "clause" if wish.counterparty else "own"
    blocks: list[Block] = []
    for theme in say.keys("title"):
        named = say.table("evidence", theme)["files"]
        attached = ", ".join(f for f in named if f in there) or "–"
        blocks += [Block("h2", say("title", theme)), Block("p", say(what, theme))]
        blocks.append(Block("p", say("ui", "attached", files=attached)))
        if lost := [f for f in named if f not in there]:
            blocks.append(Block("p", say("ui", "missing", files=", ".join(lost))))
        blocks += [Block("p", say("ui", "status"))] if wish.counterparty else []
    blocks += [] if wish.counterparty else [Block("sign", say("ui", "executive"))]
    title = say("ui", "clauses" if wish.counterparty else "own_risks")
    return Document(title, language, tuple(blocks), note=say("ui", "draft"), facts=_head(material, wish, say))


def _head(material: Material, wish: Wish, say: Texts) -> tuple[tuple[str, str], ...]:
    row = material.row
    source = (row.source if row else "") or material.told.provenance.uri or say("ui", "unknown")
    return (
        (say("ui", "party"), wish.counterparty or say("ui", "nobody")),
        (say("ui", "model"), material.name),
        (say("ui", "digest"), material.subject),
        (say("ui", "source"), source),
        (say("ui", "head"), material.trace.head if material.trace else say("ui", "unknown")),
    )
