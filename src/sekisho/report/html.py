"""The report as one file: no network, no script, everything from the model escaped and made visible."""

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sekisho import rulebook
from sekisho.evidence.dossier import digest
from sekisho.records import Dossier
from sekisho.report.ablation import ablated
from sekisho.report.cells import drills, examples, groups, moment, surety
from sekisho.report.figures import HEIGHT, WIDTH
from sekisho.report.grounds import grounds, headline, settle
from sekisho.report.inspection import listed, passed
from sekisho.report.lights import SHADES, lights, shade_of, weight
from sekisho.report.news import news
from sekisho.report.ruled import grave, said
from sekisho.report.shaken import shaken
from sekisho.report.sureness import sureness
from sekisho.report.tokens import tokens
from sekisho.report.visible import one_line, visible
from sekisho.report.words import Words, sentences, size

MOST_FILES: Final = 500
"""Files listed in one report, those with a problem first."""
MOST_FINDINGS: Final = 200
"""Findings told at length in one report, gravest first."""


def render(dossier: Dossier, language: str = "en") -> str:
    """Render a dossier as a self-contained page. Raises UsageError for an unknown language."""
    words = Words(language)
    return page("report.html", w=words, record=dossier, digest=digest(dossier), **_views(dossier, words))


def page(template: str, /, *, sheets: tuple[str, ...] = ("style.css",), **views: Any) -> str:
    """Render one of our templates with its styles inlined; all but our own macros is escaped and made visible."""
    style = "".join(text(sheet) for sheet in sheets)
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704  our own file, inlined as it is
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            **views,
        )
    )


def instrument_key(dossier: Dossier) -> str:
    """Key of the sentence on the instrument check."""
    if dossier.instrument is None:
        return "instrument_none"
    return "instrument_valid" if dossier.instrument.valid else "instrument_invalid"


def command(dossier: Dossier, language: str) -> str:
    """Line that repeats the run; the folders are the reader's own."""
    verb = "inspect MODEL"
    if dossier.claims or dossier.battery:
        verb = f"{'vet' if dossier.claims else 'perturb'} MODEL --profile {one_line(dossier.profile, 40)}"
    return f"sekisho {verb}{' --base BASE' if dossier.provenance.base else ''} --lang {language}"


def _views(dossier: Dossier, words: Words) -> dict[str, Any]:
    told = listed(dossier.findings)
    only_files = not (dossier.claims or dossier.battery or dossier.sweep or dossier.ablation)
    by_problem = sorted(dossier.files, key=lambda f: (not f.problem, f.path))
    return {
        "shade": SHADES[dossier.verdict.decision],
        "headline": headline(dossier, words),
        "lights": lights(dossier, words),
        "grounds": grounds(dossier, words),
        "settle": settle(dossier, words),
        "groups": groups(dossier, words),
        "examples": examples(dossier, words),
        "drills": drills(dossier, words),
        "news": news(dossier, words),
        "shaken": shaken(dossier, words),
        "tokens": tokens(dossier.sweep, words),
        "ablated": ablated(dossier.ablation, words),
        "useful": sorted(dossier.utility, key=lambda pair: pair[0] != "release"),
        "surety": surety(dossier, words),
        "sureness": sureness(dossier, words),
        "told": told[:MOST_FINDINGS],
        "untold": len(told) - MOST_FINDINGS,
        "passed": passed(dossier.findings),
        "files": by_problem[:MOST_FILES],
        "more_files": len(by_problem) - MOST_FILES,
        "problems": any(f.problem for f in by_problem),
        "only_files": only_files,
        "never_tested": [
            text
            for key, text in sentences(words.language)["never_tested"].items()
            if not (only_files and key == "small")
        ],
        "instrument_key": instrument_key(dossier),
        "actual_s": sum(seconds for _, seconds in dossier.timing.stages),
        "command": command(dossier, words.language),
        "shade_of": shade_of,
        "rule_of": rulebook.of,
        "grave": grave,
        "said": said,
        "weight": weight,
        "moment": moment,
        "languages": [words.say("language", code) for code in dossier.languages],
        "size": size,
        "box": (WIDTH, HEIGHT),
    }


@lru_cache
def _environment() -> Environment:
    return environment(text)


def environment(read: Callable[[str], str]) -> Environment:
    """Templates by name: all but our own macros is escaped and made visible, an unknown name is an error."""
    made = Environment(
        autoescape=True,
        finalize=_shown,
        loader=FunctionLoader(read),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.clear()
    made.filters["clip"] = one_line
    return made


def _shown(value: object) -> object:
    """Pass what our own macros made; make everything else visible, whoever wrote it."""
    if isinstance(value, Markup):
        return value
    return "–" if value is None else visible(str(value))


def text(name: str) -> str:
    """One of our templates or style sheets."""
    return (files("sekisho.report") / "templates" / name).read_text("utf-8")
