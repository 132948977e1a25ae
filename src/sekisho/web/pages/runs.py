"""Vets: every run that was started here, and the form that starts one."""

from typing import Final

from sekisho import policy
from sekisho.errors import SourceError
from sekisho.ledger.book import stamp
from sekisho.register import governance
from sekisho.web import choices, runs, starting
from sekisho.web.runs import Order
from sekisho.web.visit import Go, Page, Refused, Reply, Shown, Visit

TEXTS: Final = "web-vets"
NO_BASE: Final = "none"


def _list(visit: Visit) -> Reply:
    return Shown("runs.html", {"words": visit.texts(TEXTS), "runs": runs.listed(visit.site.home)})


def _form(visit: Visit) -> Reply:
    words = visit.texts(TEXTS)
    given = {k: visit.form.get(k) or visit.query.get(k, "") for k in ("model", "path", "base", "base_path")}
    given |= {"profile": visit.form.get("profile", "quick"), "policy": visit.form.get("policy", "default")}
    facts = {
        "words": words,
        "given": given,
        "fetched": choices.fetched(),
        "found": choices.found(visit.site),
        "folders": visit.site.models,
        "profiles": governance.PROFILES,
        "policies": policy.names(),
    }
    return Shown("vet_new.html", facts)


def _start(visit: Visit) -> Reply:
    words, form = visit.texts(TEXTS), visit.form
    model = form.get("path") or form.get("model")
    base = form.get("base_path") or form.get("base")
    profile, rules = form.get("profile"), form.get("policy")
    if not model:
        return Refused(words("form", "no_model"))
    if profile not in governance.PROFILES or rules not in policy.names():
        return Refused(words("form", "no_choice"))
    try:
        chosen = visit.site.allowed(model)
        beside = visit.site.allowed(base) if base and base != NO_BASE else base
    except SourceError:
        return Refused(words("form", "not_allowed"))
    title = chosen.rpartition("/")[2]
    arguments = ["--profile", profile, "--policy", rules, *(("--base", beside) if beside else ()), chosen]
    order = Order("vet", title, tuple(arguments), visit.person, visit.language, stamp(visit.site.clock()))
    made = starting.begin(visit.site.home, order, visit.site.place, visit.site.child)
    return Go(f"/vets/{made}", words("told", "started"))


LIST: Final = Page("vets", "/vets", _list)
NEW: Final = Page("vet-new", "/vets/new", _form, _start)
