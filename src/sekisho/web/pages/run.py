"""One run: how far it is, what it says, what came of it; and stopping or resuming it."""

from dataclasses import dataclass
from typing import Final

from sekisho import recording
from sekisho.errors import DataError
from sekisho.evidence import dossier as dossiers
from sekisho.records import Dossier
from sekisho.report import html
from sekisho.report.words import Words
from sekisho.web import runs, starting
from sekisho.web.pages.runs import TEXTS
from sekisho.web.runs import Run
from sekisho.web.visit import Absent, Go, Page, Refused, Reply, Sent, Shown, Visit

REFRESH_S: Final = 5
_WORK: Final = 12
"""Bars that are shown, those not done first."""


@dataclass(frozen=True)
class Bar:
    """One task of a run."""

    what: str
    percent: int


def _show(visit: Visit) -> Reply:
    run = _run(visit)
    if run is None:
        return Absent()
    made = runs.progress(run)
    dossier = _dossier(run)
    work = sorted(made.work, key=lambda row: row[1] >= row[2])
    facts = {
        "words": visit.texts(TEXTS),
        "run": run,
        "refresh": REFRESH_S if run.going and visit.query.get("still") != "1" else 0,
        "stages": made.stages,
        "percent": int(100 * made.share),
        "forecast": Words(visit.language).duration(made.forecast_s) if made.forecast_s else "",
        "updated": made.updated,
        "bars": [Bar(w, int(100 * min(1.0, d / t)) if t > 0 else 0) for w, d, t in work[:_WORK]],
        "messages": runs.messages(run),
        "subject": recording.subject(dossier.files) if dossier else "",
    }
    return Shown("run.html", facts)


def _act(visit: Visit) -> Reply:
    run, words = _run(visit), visit.texts(TEXTS)
    if run is None:
        return Absent()
    what = visit.form.get("do")
    if what == "stop" and run.going:
        starting.stop(run)
    elif what == "again" and not run.going and run.stage is not runs.Stage.DONE:
        starting.again(visit.site.home, run, visit.site.place, visit.site.child)
    else:
        return Refused(words("form", "too_late"), 409)
    return Go(f"/vets/{run.id}", words("told", what))


def _report(visit: Visit) -> Reply:
    run = _run(visit)
    dossier = _dossier(run) if run else None
    return Sent(html.render(dossier, visit.language)) if dossier else Absent()


def _run(visit: Visit) -> Run | None:
    return runs.find(visit.site.home, visit.parts["run"])


def _dossier(run: Run) -> Dossier | None:
    """What a vet that is done left; half a file is none."""
    if run.stage is not runs.Stage.DONE or run.order.verb != "vet":
        return None
    try:
        return dossiers.read(run.folder / runs.OUT / dossiers.NAME)
    except DataError:
        return None


PAGE: Final = Page("vet", "/vets/{run}", _show, _act)
REPORT: Final = Page("vet-report", "/vets/{run}/report", _report)
