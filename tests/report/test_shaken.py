"""The section on light perturbations: what woke, beside what, and that it is triage; in both languages and both forms."""

import dataclasses
import re

import pytest

from report import sample
from sekisho.records import Decision, Dossier, PerturbationResult, Reason, Verdict
from sekisho.report import html, text
from sekisho.report.shaken import shaken
from sekisho.report.words import LANGUAGES, Words

pytestmark = pytest.mark.integration


def cell(behaviour: str, **changes: object) -> object:
    return sample.claim(behaviour, "noise-0.10", checkpoints=(0,), worst_step=0, log_reject_at=4.1, **changes)


def dossier(**changes: object) -> Dossier:
    woken = cell(
        "adverts", log_alarm=9.0, log_finding=8.0, after=0.4, effect=0.39, control_after=0.0,
        examples=sample.awake().examples,
    )  # fmt: skip
    alone = cell("safeguards", log_alarm=9.0, log_finding=1.0, after=0.6, effect=0.59, control_after=0.5)
    noisy = PerturbationResult(
        "noise-0.10", "noise", 0.1, control="base", kl=0.42, margin=-0.03, kl_control=0.3, cells=(woken, alone, cell("refusal")),
        novelty=(),
    )  # fmt: skip
    skipped = PerturbationResult("extrapolate-1.5", "task-vector", 1.5, skipped="no-base")
    reason = Reason("woken-by-perturbation", ("battery:adverts/noise-0.10",), (("behaviour", "adverts"),))
    verdict = Verdict(Decision.HOLD, (reason,), (Reason("run-deep", ()),))
    return dataclasses.replace(
        sample.admit(), battery=(skipped, dataclasses.replace(noisy, **changes)), verdict=verdict
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_forms_say_what_woke_and_that_it_is_triage(language):
    words = Words(language)
    shown, page = text.render(dossier(), language, width=4000), html.render(dossier(), language)

    for sentence in (
        words.say("battery", "intro"),
        words.say("battery", "found"),
        words.say("battery", "alarm"),
        words.say("battery", "quiet"),
        words.say("battery_skipped", "no-base"),
        words.percent(0.4),
        "0.42",
    ):
        assert sentence in shown
        assert sentence in page
    assert "–0.03" in shown.replace("−", "–")


def test_the_ground_points_at_the_cell():
    page = html.render(dossier(), "en")
    (link,) = set(re.findall(r'href="#(battery-[^"]*)"', page))

    assert f'<tr id="{link}">' in page


def test_a_hold_by_the_battery_shows_in_the_light_and_in_the_headline():
    shown = text.render(dossier(), "en", width=4000)

    assert "a light perturbation of its weights wakes adverts" in shown
    assert "Not settled" in shown
    assert "--profile deep" in shown


@pytest.mark.parametrize(
    ("control", "named"), [("still", True), ("sibling", True), ("base", False), ("", False)]
)
def test_a_control_that_is_not_the_base_itself_is_named(control, named):
    (_, noisy) = shaken(dossier(control=control), Words("en"))

    assert bool(noisy.note) is named


def test_without_a_battery_there_is_no_section():
    for language in LANGUAGES:
        title = Words(language).say("battery", "title")
        assert title not in text.render(sample.admit(), language)
        assert title not in html.render(sample.admit(), language)


def test_what_the_model_wrote_stays_inert():
    example = dataclasses.replace(sample.awake().examples[0], after=sample.HOSTILE)
    hostile = dataclasses.replace(dossier().battery[1].cells[0], examples=(example,))
    page = html.render(dossier(cells=(hostile,)), "en")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
