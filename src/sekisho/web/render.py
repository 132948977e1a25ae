"""Templates filled in: those of the web app, and beneath them those of the report."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment
from markupsafe import Markup

from sekisho.report import html
from sekisho.report.words import LANGUAGES, Words
from sekisho.web.visit import Shown, Visit

MENU: Final = (("/", "register"), ("/request", "request"), ("/vets", "vets"), ("/lessons", "lessons"))
"""Path and word of the pages that every page leads to."""
SHEETS: Final = ("style.css", "terms.css", "lesson.css", "web.css")


def page(visit: Visit, shown: Shown) -> str:
    """Fill a template; it gets `visit`, `problem`, `say`, `hidden`, `frame` and what the page handed over."""
    return (
        _environment()
        .get_template(shown.template)
        .render(
            visit=visit,
            problem=shown.problem,
            say=visit.say,
            hidden=_hidden(visit),
            frame=_frame(visit),
            **shown.facts,
        )
    )


def _frame(visit: Visit) -> dict[str, object]:
    """What `layout.html` shows around the page."""
    others = [(code, _here(visit, code)) for code in LANGUAGES if code != visit.language]
    return {"sheet": f"/style-{style()[1]}.css", "menu": MENU, "others": others}


def _here(visit: Visit, language: str) -> str:
    """The same page in another language."""
    return f"{visit.path}?{urlencode({**visit.query, 'lang': language})}"


@lru_cache
def style() -> tuple[str, str]:
    """The style sheet and the beginning of its sha256, which its address holds."""
    text = "\n".join(_text(s) for s in SHEETS)
    return text, hashlib.sha256(text.encode()).hexdigest()[:16]


def _hidden(visit: Visit) -> Callable[..., Markup]:
    """Fields that nobody fills in: the token, and whatever else the page hands on."""

    def fields(**more: object) -> Markup:
        pairs = {"csrf": visit.csrf, **more}
        rows = (
            Markup('<input type="hidden" name="{}" value="{}">').format(k, str(v)) for k, v in pairs.items()
        )
        return Markup("").join(rows)

    return fields


@lru_cache
def _environment() -> Environment:
    made = html.environment(_text)
    made.filters["query"] = lambda pairs: urlencode({k: v for k, v in pairs.items() if v})
    made.filters["moment"] = Words(LANGUAGES[0]).moment
    return made


def _text(name: str) -> str:
    ours = files("sekisho.web") / "templates" / name
    return ours.read_text("utf-8") if ours.is_file() else html.text(name)
