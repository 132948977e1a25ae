"""A dossier for other programs and for pull requests: JSON, SARIF, JUnit, Markdown, HTML.

Every format tells the same findings, each with its rule's id; what was suppressed or is in a baseline is marked so.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.records import Dossier
from sekisho.report import html
from sekisho.report.export import data, junit, markdown, sarif

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "html": "report.html",
        "json": "findings.json",
        "sarif": "findings.sarif",
        "junit": "junit.xml",
        "markdown": "summary.md",
    }
)
"""Formats, and what their file is called in a folder of reports."""

_WRITERS: Final[Mapping[str, Callable[[Dossier, str, str], str]]] = MappingProxyType(
    {
        "html": lambda dossier, language, _: html.render(dossier, language),
        "json": lambda dossier, language, _: data.render(dossier, language),
        "sarif": sarif.render,
        "junit": lambda dossier, language, _: junit.render(dossier, language),
        "markdown": lambda dossier, language, _: markdown.render(dossier, language),
    }
)


def render(form: str, dossier: Dossier, language: str = "en", *, root: str = "") -> str:
    """Write a dossier in one of NAMES. `root` is the model's folder as a reader of SARIF knows it.

    Raises UsageError for an unknown language, KeyError for an unknown format.
    """
    return _WRITERS[form](dossier, language, root)
