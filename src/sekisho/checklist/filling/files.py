"""C07 to C12: what lies in the folder."""

from typing import Final

from sekisho.checklist.filling.checked import NO_DOSSIER, by_checks, found, ref
from sekisho.checklist.sources import Filled, Sources, no, unknown, yes
from sekisho.records import Finding, Outcome, Role

_PASSENGERS: Final = (Role.ADAPTER.value, Role.SOFT_PROMPT.value)
_OTHER_TEMPLATE: Final = frozenset(
    {"text-added", "differs-from-base", "template-added", "template-missing", "added-to-base", "drops-beside-base",
     "renders-otherwise"}
)  # fmt: skip
"""Reasons of `chat-template` that the base's is another."""
_SHOWN: Final = 3


def roles(sources: Sources) -> Filled:
    """C07: no file without a role."""
    if sources.dossier is None:
        return NO_DOSSIER
    unclear = [f.path for f in sources.dossier.files if f.role == Role.UNKNOWN.value]
    if unclear:
        return no("role-unknown", tuple(f"file:{p}" for p in unclear), **_named(unclear))
    return by_checks(sources, ("undeclared-file",))


def passengers(sources: Sources) -> Filled:
    """C08: none delivered, or each approved by a person."""
    if sources.dossier is None:
        return NO_DOSSIER
    loose = [f.where for f in sources.dossier.findings if f.check == "loose-vectors" and _objects(f.outcome)]
    bundled = [f.path for f in sources.dossier.files if f.role in _PASSENGERS]
    every = list(dict.fromkeys(bundled + [w.partition(":")[0] for w in loose if w]))
    if every:
        return unknown("bundled", tuple(f"file:{p}" for p in every), **_named(every))
    vectors = by_checks(sources, ("loose-vectors",))
    return yes("none-bundled", ("check:loose-vectors",)) if vectors.answer.value == "yes" else vectors


def code(sources: Sources) -> Filled:
    """C09: nothing that runs."""
    return by_checks(sources, ("unsafe-serialisation", "remote-code", "foreign-container"))


def template(sources: Sources) -> Filled:
    """C10: that of the base."""
    if sources.dossier is None:
        return NO_DOSSIER
    other = found(sources, "chat-template", _OTHER_TEMPLATE)
    if other:
        return no("template-differs", tuple(ref(f) for f in other))
    seen = by_checks(sources, ("chat-template",))
    if seen.answer.value != "yes" or sources.dossier.provenance.base:
        return seen
    return unknown("no-base")


def keys(sources: Sources) -> Filled:
    """C11: no secret, no private address."""
    return by_checks(sources, ("secrets",))


def licences(sources: Sources) -> Filled:
    """C12: named by the tool, judged by a person; a contradiction or a forbidden use is a no."""
    seen = by_checks(sources, ("card-facts",))
    if seen.answer.value == "no":
        return seen
    names = [x.name for x in sources.intake.licences] if sources.intake else []
    names += [v for f in _card(sources) for k, v in f.facts if k == "licence"]
    if found(sources, "card-facts", frozenset({"not-commercial"})):
        return unknown("licence-not-commercial", ("check:card-facts",), **_named(names or ["–"]))
    if names:
        where = "intake:licences" if sources.intake and sources.intake.licences else "check:card-facts"
        return unknown("licences-named", (where,), **_named(names))
    return unknown("no-licence")


def _card(sources: Sources) -> tuple[Finding, ...]:
    every = sources.dossier.findings if sources.dossier else ()
    return tuple(f for f in every if f.check == "card-facts")


def _objects(outcome: Outcome) -> bool:
    return outcome in (Outcome.FAIL, Outcome.CANNOT_TELL)


def _named(names: list[str]) -> dict[str, str]:
    every = list(dict.fromkeys(names))
    more = len(every) - _SHOWN
    return {"names": ", ".join(every[:_SHOWN]) + (f" (+{more})" if more > 0 else ""), "n": str(len(every))}
