"""C01 to C06: where it came from. None of these says what the model does."""

from typing import Final

from sekisho.checklist.filling.checked import by_checks, found
from sekisho.checklist.sources import Filled, Sources, ledger_ref, no, unknown, yes
from sekisho.ledger.kinds import Kind
from sekisho.provenance.records import Basis, Intake, Level, Rung

_CATALOGUE: Final = "catalogue"
_BLOCKED: Final = "blocked"
_CONTRADICTED: Final = frozenset({"weights-contradict-claim", "relation-differs", "undeclared-patches"})
_DEVIATES: Final = frozenset({"not-as-recorded", "not-listed", "gone", "several-revisions", "record-broken"})


def address(sources: Sources) -> Filled:
    """C01: recorded, with a version that cannot move."""
    intake, dossier = sources.intake, sources.dossier
    if intake is not None and intake.source.known:
        facts = {"uri": intake.source.value, "revision": intake.revision.value}
        refs = ("intake:source", "intake:revision")
        recorded = intake.source.basis is not Basis.CLAIMED and intake.revision.known
        return yes("recorded", refs, **facts) if recorded else no("claimed", refs, uri=intake.source.value)
    for entry in reversed(sources.kind(Kind.INTAKE)):
        body = entry.content
        if body.get("revision"):
            facts = {"uri": str(body["source"]), "revision": str(body["revision"])}
            return yes("recorded", (ledger_ref(entry),), **facts)
    if dossier is None:
        return unknown("no-dossier")
    origin = dossier.provenance
    if origin.source == _CATALOGUE and origin.pinned:
        return yes("catalogue", ("dossier:provenance",), name=origin.name)
    if origin.uri and origin.revision:
        return yes("recorded", ("dossier:provenance",), uri=origin.uri, revision=origin.revision)
    if origin.uri:
        return no("claimed", ("dossier:provenance",), uri=origin.uri)
    return no("nothing-recorded", ("dossier:provenance",)) if origin.level else unknown("not-looked-at")


def supplier(sources: Sources) -> Filled:
    """C02: listed in the register that the record was made with."""
    if sources.intake is None:
        return unknown("no-intake")
    name, tier = sources.intake.supplier.identity.value, sources.intake.supplier.tier
    if tier == _BLOCKED:
        return no("blocked", ("intake:supplier",), supplier=name)
    if tier:
        return yes("listed", ("intake:supplier",), supplier=name, tier=tier)
    return unknown("not-listed", ("intake:supplier",), supplier=name)


def list_of_files(sources: Sources) -> Filled:
    """C03: every file, and no other, is that of the version."""
    intake, dossier = sources.intake, sources.dossier
    if intake is not None:
        if intake.deviations:
            facts = {"n": str(len(intake.deviations)), "where": intake.deviations[0].path}
            return no("deviates", ("intake:deviations",), **facts)
        rung = _rung(intake, Level.MATCHED)
        if rung.held:
            return yes("matched", ("intake:ladder",), revision=intake.revision.value)
    if dossier is None:
        return unknown("no-dossier")
    if dossier.provenance.level >= Level.MATCHED.value:
        return yes("matched", ("dossier:provenance",), revision=dossier.provenance.revision)
    if by_checks(sources, ("download-record",)).answer.value == "no":
        return by_checks(sources, ("download-record",))
    if dossier.provenance.source == _CATALOGUE and dossier.provenance.pinned:
        return unknown("weights-only", ("dossier:provenance",))
    return unknown("not-matched", ("dossier:provenance",))


def signature(sources: Sources) -> Filled:
    """C04: verified, and whose."""
    if sources.intake is None:
        return unknown("no-intake")
    rung = _rung(sources.intake, Level.SUPPLIER_SIGNED)
    if rung.held:
        return yes("signed", ("intake:ladder",), signer=rung.detail or sources.intake.supplier.identity.value)
    if rung.ground not in ("no-supplier-signature", "nothing-on-file"):
        return no("signature-differs", ("intake:ladder",))
    return unknown("not-signed", ("intake:ladder",))


def parent(sources: Sources) -> Filled:
    """C05: named, at hand, and its weights agree."""
    if sources.intake is not None:
        rung = _rung(sources.intake, Level.LINEAGE)
        if rung.ground in _CONTRADICTED:
            return no("parent-contradicted", ("intake:parents",), base=rung.detail)
        if rung.held:
            return yes("parent-agrees", ("intake:parents",), base=rung.detail)
    if sources.dossier is None:
        return unknown("no-dossier")
    base = sources.dossier.provenance.base
    if found(sources, "weights-delta", frozenset({"not-this-base"})):
        return no("parent-contradicted", ("check:weights-delta",), base=base)
    compared = found(sources, "weights-delta", frozenset({"finetuned", "identical"}))
    if base and compared:
        return yes("parent-agrees", ("check:weights-delta",), base=base)
    if base:
        return unknown("parent-not-settled", ("check:weights-delta",), base=base)
    named = sources.intake.parents if sources.intake else ()
    return unknown("parent-not-compared", uri=named[0].uri) if named else unknown("no-parent")


def changes(sources: Sources) -> Filled:
    """C06: what was changed is listed, and nothing in the list was objected to."""
    if sources.dossier is not None and sources.dossier.provenance.base:
        return by_checks(sources, ("weights-delta",))
    if sources.intake is not None and sources.intake.patches_stated.known:
        rung = _rung(sources.intake, Level.LINEAGE)
        summary = sources.intake.patches_stated.value
        make = no if rung.ground in _CONTRADICTED else yes
        return make(
            "changes-listed" if make is yes else "changes-undeclared", ("intake:patches",), summary=summary
        )
    return unknown("no-base")


def _rung(intake: Intake, level: Level) -> Rung:
    return next(r for r in intake.ladder.rungs if r.level is level)
