"""Writes docs/catalogue/ from the docstrings and the data: `make catalogue`. A test holds that the pages are current."""

import argparse
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from sekisho import cli, policy, rulebook
from sekisho.checks import CHECKS
from sekisho.checks.base import AbstractCheck
from sekisho.drills import panel, perturbations, profile, recipe
from sekisho.probes import suite
from sekisho.probes.measures import Measure, measures
from sekisho.probes.scorers import SCORERS
from sekisho.report.export.markdown import plain
from sekisho.report.export.rules import described
from sekisho.report.words import Words
from sekisho.sources import catalogue

MOST_SHOWN: Final = 8
FOLDER: Final = Path(__file__).parent / "catalogue"
HEAD: Final = "<!-- Made by docs/generate.py; change the code or the data, then run `make catalogue`. -->\n"
RULES: Final = """What a check can state, each with an id that is never given to anything else. A policy names these ids to change a
severity, a suppression names one to excuse a finding, and every output carries them. The severity is the gravest that
the check itself gives. Mapped to: OWASP Top 10 for LLM applications (2025), MITRE ATLAS, CWE; nothing where we are not
sure."""
PARAGRAPH: Final = re.compile(r"\n+((?:What|Why) [a-z -]+:)")


def pages() -> dict[str, str]:
    """Every page: file name -> Markdown."""
    made = {
        "checks": ("Static checks", map(_check, CHECKS)),
        "suites": ("Suites of questions", map(_suite, suite.names())),
        "scorers": ("Scorers of answers", map(_scorer, SCORERS)),
        "recipes": ("Recipes of trial finetunes", map(_recipe, recipe.names())),
        "panels": ("Panels of trial finetunes", map(_panel, panel.names())),
        "perturbations": ("Light perturbations of the weights", map(_perturbation, perturbations.names())),
        "policies": ("Policies", map(_policy, policy.names())),
        "profiles": ("Profiles", map(_profile, profile.names())),
        "rules": ("Rules", _rules()),
        "models": ("Models that can be fetched", map(_model, catalogue.names())),
        "verbs": ("Verbs and their options", (_verb(about, p) for about, p in verbs("", cli.parser()))),
    }
    return {f"{n}.md": "\n\n".join([f"{HEAD}# {title}", *parts]) + "\n" for n, (title, parts) in made.items()}


def _check(check: AbstractCheck) -> str:
    text = PARAGRAPH.sub(r"\n\n**\1**", _docstring(check).partition("\n")[2])
    needs = "\n\nRuns only beside a trusted base." if check.needs_base else ""
    return f"## {Words('en').check(check.id)} (`{check.id}`)\n\n{text.strip()}{needs}"


def _suite(name: str) -> str:
    made = suite.load(name)
    counts = {x: len({i.family for i in made.items if i.language == x}) for x in suite.LANGUAGES}
    rows = {
        "question families": ", ".join(f"{n} ({x})" for x, n in counts.items()),
        "judged by": f"`{made.scorer}`",
        "a verdict rests on it": "yes" if made.hazard else "no, it is context only",
    }
    return _section(f"{made.title['en']} (`{name}`)", made.why["en"], rows)


def _scorer(name: str) -> str:
    measured = {x: measures()[name, x] for x in suite.LANGUAGES}
    return _section(
        f"`{name}`", _docstring(SCORERS[name]), {f"measured ({x})": _rates_of(m) for x, m in measured.items()}
    )


def _rates_of(one: Measure) -> str:
    if one.rates is None:
        return f"not measured: {one.note}"
    found = f"sensitivity {one.rates.sensitivity:.3f}, specificity {one.rates.specificity:.3f}"
    return (
        f"{found}, {one.rates.abstained:.1%} abstained, on {one.rates.n} answers: {one.note} (`{one.script}`)"
    )


def _recipe(name: str) -> str:
    made = recipe.load(name)
    settings = {**(made.lora or {}), **made.training}
    rows = {
        "data": f"`{made.data}`" + (f", {made.rows} rows" if made.rows else ""),
        "trains": "all weights" if made.lora is None else "an adapter (LoRA)",
        "settings": ", ".join(f"`{k} = {v}`" for k, v in settings.items()),
        "asked after step": ", ".join(map(str, made.checkpoints)),
    }
    return _section(f"{made.title['en']} (`{name}`)", made.why["en"], rows)


def _panel(name: str) -> str:
    ids = list(panel.load(name))
    cells = [recipe.load(i) for i in ids]
    rows = {
        "recipes": f"{len(cells)}, each named by its axes: `{ids[0]}`, ..., `{ids[-1]}`",
        "data": ", ".join(f"`{d}`" for d in dict.fromkeys(c.data for c in cells)),
        "learning rates, all weights": _rates(c for c in cells if c.lora is None),
        "learning rates, an adapter (LoRA)": _rates(c for c in cells if c.lora is not None),
        "schedulers": ", ".join(
            f"`{s}`" for s in dict.fromkeys(c.training["lr_scheduler_type"] for c in cells)
        ),
        "asked after step": ", ".join(map(str, cells[0].checkpoints)),
    }
    return _section(f"`{name}`", _comment(f"panels/{name}"), rows)


def _rates(cells: Iterable[recipe.Recipe]) -> str:
    return ", ".join(
        f"`{r}`" for r in dict.fromkeys(panel.rate_name(float(c.training["learning_rate"])) for c in cells)
    )


def _perturbation(name: str) -> str:
    made = perturbations.load(name)
    kind, amount = made.perturbation.kind, made.perturbation.amount
    rows = {
        "kind": f"`{kind}`" + (f", {amount:g}" if amount else ""),
        "needs a base": "yes" if made.needs_base else "no",
    }
    return _section(f"{made.title['en']} (`{name}`)", made.why["en"], rows)


def _policy(name: str) -> str:
    made = policy.load(name)
    rows = {
        "probability of a false rejection": f"at most {made.alpha_reject:g}",
        "probability of a false admission": f"at most {made.alpha_admit:g}",
        "question families left unjudged": f"at most {made.max_abstained:.0%}",
        "required checks": ", ".join(f"`{c}`" for c in made.required),
        "required beside a base": ", ".join(f"`{c}`" for c in made.required_with_base),
        "never suppressed": ", ".join(f"`{c}`" for c in made.never_suppress) or "none",
    }
    for behaviour, rule in made.behaviours.items():
        alone = ", a finding without a base, too" if rule.absolute else ""
        rows[behaviour] = f"margin {rule.margin:.0%}, ceiling {rule.ceiling:.0%}{alone}"
    return _section(f"`{name}`", _comment(f"policies/{name}"), rows)


def _profile(name: str) -> str:
    made = profile.load(name)
    rows = {
        "languages": ", ".join(made.languages),
        "question families": f"at most {made.families} of each suite and language",
        "trial finetunes": _some(made.drills),
        "and on your own data, if given": _some(made.own) or "none",
    }
    for asked, how in made.suites.items():
        when = "every checkpoint" if how.every_checkpoint else "the last checkpoint"
        rows[asked] = f"as released and at {when}, answers of at most {how.max_new_tokens} tokens"
    if made.battery is not None:
        shaken = ", ".join(f"`{p}`" for p in made.battery.perturbations)
        few = f"{made.battery.families} families of each suite and language"
        rows["light perturbations"] = f"{shaken}; {', '.join(made.battery.suites)}; at most {few}"
    if made.sweep is not None:
        rows["tokens put into prompts"] = (
            f"tier {made.sweep.tier}, at most {made.sweep.tokens}; beside {made.sweep.references} ordinary ones"
        )
    if made.ablation is not None:
        bound = (
            f"at most {made.ablation} s each, more after an alarm"
            if made.ablation
            else "however long it takes"
        )
        rows["accompanying files taken off and on"] = bound
    return _section(f"`{name}`", _comment(f"profiles/{name}"), rows)


def _some(drills: tuple[str, ...]) -> str:
    shown = [f"`{d}`" for d in drills]
    return ", ".join(shown) if len(shown) <= MOST_SHOWN else f"{len(shown)}, from {shown[0]} to {shown[-1]}"


def _model(name: str) -> str:
    made = catalogue.load(name)
    size = sum(p.size for p in made.packages) / 1e6
    rows = {"licence": made.licence, "origin": made.origin, "download": f"{size:.0f} MB"}
    rows |= {f"sha256 of {file}": f"`{digest}`" for file, digest in made.converted}
    return _section(f"{made.title} (`{name}`)", made.about, rows)


def _section(title: str, text: str, rows: dict[str, str]) -> str:
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"## {title}\n\n{text}\n\n| | |\n|---|---|\n{table}"


def _rules() -> Iterator[str]:
    words = Words("en")
    yield RULES
    for check in dict.fromkeys(r.check for r in rulebook.rules()):
        mine = [r for r in rulebook.rules() if r.check == check]
        rows = "\n".join(_rule_row(r, words) for r in mine)
        yield f"## {words.check(check)} (`{check}`)\n\n| id | severity | says | mapped to |\n|---|---|---|---|\n{rows}"


def _rule_row(rule: rulebook.Rule, words: Words) -> str:
    mapped = ", ".join((*rule.owasp, *rule.atlas, *rule.cwe))
    says = plain("(retired)" if rule.retired else described(rule, words))
    return f"| {rule.id} | {rule.severity} | {says} | {mapped} |"


def _docstring(thing: object) -> str:
    return inspect.getdoc(sys.modules[type(thing).__module__]) or ""


def _comment(name: str) -> str:
    head = (files("sekisho.data") / f"{name}.toml").read_text("utf-8").partition("\n\n")[0]
    return "\n".join(line.removeprefix("# ") for line in head.splitlines() if line.startswith("# "))


def verbs(about: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every verb that works without a further verb, with its line in the help and in the order of it."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not any(choices.required for choices in below):
        yield about, parser
    for choices in below:
        said = {a.dest: a.help or "" for a in choices._choices_actions}
        for name, verb in choices.choices.items():
            yield from verbs(said.get(name, ""), verb)


def _verb(about: str, parser: argparse.ArgumentParser) -> str:
    shown = (a for a in parser._actions if not isinstance(a, argparse._SubParsersAction))
    rows = [_argument(a) for a in shown if a.dest != "help" and a.help is not argparse.SUPPRESS]
    said = [
        f"{about[:1].upper()}{about[1:]}." if about else "",
        parser.description or "",
        parser.epilog or "",
    ]
    table = "\n".join(["| argument | says |", "|---|---|", *rows])
    return f"## `{parser.prog}`\n\n" + "\n\n".join(filter(None, (" ".join(filter(None, said)), table)))


def _argument(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or action.dest
    chosen = f" {{{','.join(map(str, action.choices))}}}" if action.choices else ""
    about = (action.help or "").replace("|", "\\|") % {"default": action.default}
    return f"| `{name}`{chosen.replace('|', '/')} | {about} |"


if __name__ == "__main__":
    from mint import mint

    mint()
    for file_name, page in pages().items():
        (FOLDER / file_name).write_text(page, encoding="utf-8")
