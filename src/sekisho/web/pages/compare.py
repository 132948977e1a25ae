"""Two models side by side: starting a comparison, reading its examples, and signing every one of them off."""

from typing import Any, Final

from sekisho import policy, sign_off
from sekisho.errors import DataError, RuleError, SourceError
from sekisho.evidence import compared as records
from sekisho.evidence.compared import GROUPS, Compared
from sekisho.ledger.book import Ledger, stamp
from sekisho.ledger.entry import Entry
from sekisho.register import governance
from sekisho.report import comparison
from sekisho.report.words import Words
from sekisho.sign_off import HARMFUL, VERDICTS
from sekisho.web import choices, runs, starting
from sekisho.web.runs import Order
from sekisho.web.visit import Absent, Go, Page, Refused, Reply, Sent, Shown, Visit

TEXTS: Final = "web-compare"
_SIDES: Final = ("before", "after")
_SHOWN: Final = ("shade", "headline", "next_step", "names", "rows", "groups", "counts", "digest")
"""Parts of the comparison's own page."""


def _form(visit: Visit) -> Reply:
    given = {k: visit.form.get(k) or visit.query.get(k, "") for k in (*_SIDES, "before_path", "after_path")}
    given |= {"profile": visit.form.get("profile", "quick"), "policy": visit.form.get("policy", "default")}
    facts = {
        "words": visit.texts(TEXTS),
        "vets": visit.texts("web-vets"),
        "given": given,
        "fetched": choices.fetched(),
        "found": choices.found(visit.site),
        "folders": visit.site.models,
        "profiles": governance.PROFILES,
        "policies": policy.names(),
    }
    return Shown("compare_new.html", facts)


def _start(visit: Visit) -> Reply:
    words, form = visit.texts(TEXTS), visit.form
    named = [form.get(f"{side}_path") or form.get(side) for side in _SIDES]
    profile, rules = form.get("profile"), form.get("policy")
    if not all(named):
        return Refused(words("form", "two"))
    if profile not in governance.PROFILES or rules not in policy.names():
        return Refused(words("form", "no_choice"))
    try:
        chosen = [visit.site.allowed(name) for name in named]
    except SourceError:
        return Refused(words("form", "not_allowed"))
    title = " → ".join(c.rpartition("/")[2] for c in chosen)
    arguments = ("--profile", profile, "--policy", rules, *chosen)
    order = Order("compare", title, arguments, visit.person, visit.language, stamp(visit.site.clock()))
    made = starting.begin(visit.site.home, order, visit.site.place, visit.site.child)
    return Go(f"/vets/{made}", words("told", "started"))


def _show(visit: Visit) -> Reply:
    made = _made(visit)
    if made is None:
        return Absent()
    with visit.ledger() as ledger:
        signed = _signed(visit, ledger, made)
    words = Words(visit.language)
    shown = comparison.views(made, words)
    return Shown(
        "comparison.html",
        {
            **{k: shown[k] for k in _SHOWN},
            "w": words,
            "words": visit.texts(TEXTS),
            "run": visit.parts["run"],
            "kinds": [(g, words.say("compare_group", g)) for g in GROUPS],
            "verdicts": [(v, words.say("sign_off", v)) for v in VERDICTS],
            "given": _given(visit, made, signed),
            "noted": HARMFUL if made.outcome == "found" else (),
            "signed": signed,
            "outcome": words.say("sign_off", str(signed.content["outcome"])) if signed else "",
        },
    )


def _given(visit: Visit, made: Compared, signed: Entry | None) -> dict[str, dict[str, str]]:
    """What is chosen for each example: as it was sent, else as it was signed off before, else nothing."""
    before: dict[str, Any] = dict(signed.content["decisions"]) if signed else {}
    found = {}
    for example in made.examples:
        verdict, group, note = before.get(example.id) or ("", example.group, "")
        sent, name = visit.form, example.id
        found[name] = {
            "verdict": sent.get(f"verdict-{name}", verdict),
            "group": sent.get(f"group-{name}", group),
            "note": sent.get(f"note-{name}", note),
        }
    return found


def _act(visit: Visit) -> Reply:
    made, words = _made(visit), visit.texts(TEXTS)
    if made is None:
        return Absent()
    now = visit.site.clock()
    rows = {e.id: _row(visit, e.id, e.group) for e in made.examples}
    if lacking := _lacking(rows, made):
        return Refused(words("form", lacking[0], n=lacking[1]))
    body = {
        "comparison": visit.form.get("comparison"),
        "name": visit.person,
        "time": stamp(now),
        "examples": rows,
    }
    signed = sign_off.parse(body, made, words("ui", "title"))
    with visit.ledger() as ledger:
        try:
            entry = sign_off.record(signed, made, ledger, now=now, replaces=visit.form.number("replaces"))
        except RuleError:
            other = _signed(visit, ledger, made)
            if other is None or other.sequence == visit.form.number("replaces"):
                raise
            return Refused(words("form", "quicker", who=other.actor, n=str(other.sequence)), 409)
    outcome = Words(visit.language).say("sign_off", signed.outcome)
    return Go(
        f"/comparisons/{visit.parts['run']}", words("told", "signed", n=str(entry.sequence), outcome=outcome)
    )


def _row(visit: Visit, name: str, group: str) -> dict[str, str]:
    form = visit.form
    return {
        "verdict": form.get(f"verdict-{name}"),
        "group": form.get(f"group-{name}", group),
        "note": form.get(f"note-{name}"),
    }


def _lacking(rows: dict[str, dict[str, str]], made: Compared) -> tuple[str, str] | None:
    """What a person forgot most often, said in their language; the library has the last word."""
    open_ = [r for r in rows.values() if r["verdict"] not in VERDICTS]
    if open_:
        return "lacking", str(len(open_))
    if made.outcome != "found":
        return None
    silent = [
        e
        for e in made.examples
        if e.group in HARMFUL and rows[e.id]["verdict"] == "accept" and not rows[e.id]["note"]
    ]
    return ("silent", str(len(silent))) if silent else None


def _made(visit: Visit) -> Compared | None:
    """What a comparison that is done left; half a file is none."""
    run = runs.find(visit.site.home, visit.parts["run"])
    if run is None or run.stage is not runs.Stage.DONE or run.order.verb != "compare":
        return None
    try:
        return records.read(run.folder / runs.OUT / records.NAME)
    except DataError:
        return None


def _signed(visit: Visit, ledger: Ledger, made: Compared) -> Entry | None:
    """The newest sign-off, out of entries whose chain was checked. Raises DataError."""
    subject = made.roots[1] if len(made.roots) > 1 else ""
    about = visit.site.shelf.about(ledger, subject) if subject else ()
    return sign_off.latest(about, records.digest(made))


def _page(visit: Visit) -> Reply:
    made = _made(visit)
    return Sent(comparison.html(made, visit.language)) if made else Absent()


NEW: Final = Page("compare-new", "/vets/compare", _form, _start)
PAGE: Final = Page("comparison", "/comparisons/{run}", _show, _act)
REPORT: Final = Page("comparison-report", "/comparisons/{run}/report", _page)
