"""What findings say must be what the locale says, in both languages."""

import tomllib
from functools import cache
from importlib.resources import files

COMMON = frozenset({"no-base", "nothing-found", "unfinished"})


def said_in_both(findings):
    """Hold each finding's sentence against the catalogue of sentences."""
    for finding in findings:
        if finding.reason not in COMMON:
            sentence = _reasons(finding.check)[finding.reason]
            values = {"where": finding.where, **dict(finding.facts)}
            assert sentence["en"].format(**values) == finding.detail
            assert sentence["ja"].format(**values)


@cache
def _reasons(check):
    text = (files("sekisho.report") / "locale" / "checks" / f"{check}.toml").read_text("utf-8")
    return tomllib.loads(text)["reasons"]
