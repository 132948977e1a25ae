"""Lights, grounds and figures say what the verdict and the numbers say."""

import dataclasses
import math

import pytest

from report import sample
from sekisho.records import Decision, Dossier, Outcome, Reason, Severity, Verdict
from sekisho.report.cells import state, surety
from sekisho.report.figures import MOST_POINTS, axis, curve
from sekisho.report.grounds import grounds, headline
from sekisho.report.lights import lights
from sekisho.report.words import Words
from sekisho.verdict import GROUNDS, REASON_CODES, SETTLES

EN = Words("en")


def shades(dossier: Dossier) -> str:
    return " ".join(light.shade.value for light in lights(dossier, EN))


def test_lights() -> None:
    assert shades(sample.admit()) == "unknown good good"
    assert shades(sample.reject()) == "caution bad bad"
    assert shades(sample.hold()) == "caution caution caution"
    assert shades(sample.static_only()) == "unknown good unknown"
    assert shades(sample.hostile()) == "caution bad caution"
    assert shades(dataclasses.replace(sample.admit(), findings=())).split()[1] == "unknown"


def test_no_origin_is_ever_shown_as_good() -> None:
    known = {"pinned": True, "level": "E5", "uri": "hf:org/x", "revision": "0" * 40}
    for made in (sample.admit(), sample.reject(), sample.static_only()):
        origin = dataclasses.replace(made.provenance, **known)
        (light, *_) = lights(dataclasses.replace(made, provenance=origin), EN)
        assert light.shade.value != "good"
        assert "E5" in light.sentence


def test_a_check_excused_without_a_base_is_no_caution() -> None:
    excused = sample.finding("weights-delta", Outcome.NOT_RUN, Severity.HOLD, reason="no-base")
    made = dataclasses.replace(sample.admit(), findings=(*sample.PASSES, excused))
    assert shades(made) == "unknown good good"
    assert "1 notes" not in lights(made, EN)[1].sentence


def test_a_silent_required_check_shows_at_the_light() -> None:
    silent = Verdict(Decision.HOLD, (Reason("check-not-run", ("check:chat-template@",)),))
    assert shades(dataclasses.replace(sample.admit(), verdict=silent)) == "unknown caution good"


def test_an_alarm_without_control_is_not_clear() -> None:
    claim = sample.claim("adverts", sample.FULL, log_alarm=9.0)
    assert claim.clear
    assert state(claim) == "alarm"
    assert state(dataclasses.replace(claim, drill="release")) == "clear"
    assert state(sample.awake()) == "found"
    assert state(sample.undecided()) == "open"
    assert shades(dataclasses.replace(sample.admit(), claims=(claim,))).endswith("caution")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("code", [*REASON_CODES, "brand-new"])
@pytest.mark.parametrize(
    "ref",
    [(), ("check:@",), ("claim:/release",), (f"claim:adverts/{sample.FULL}",), ("check:x@y",), ("odd",)],
)
def test_no_ground_crashes_or_leaves_a_gap(code: str, language: str, ref: tuple[str, ...]) -> None:
    facts = tuple(
        (name, "7") for name in ((GROUNDS | SETTLES).get(code, ()) if ref != ("odd",) else ("self", "path"))
    )
    verdict = Verdict(Decision.HOLD, (Reason(code, ref, facts),), (Reason(code, ref, facts),))
    made = dataclasses.replace(sample.reject(), verdict=verdict)
    words = Words(language)
    said = [headline(made, words).sentence, *(g.text for g in grounds(made, words))]
    assert all(said)
    assert not any("{" in s for s in said)
    if code == "brand-new":
        assert said[1] == "brand-new"


def test_an_admission_without_drills_does_not_speak_of_them() -> None:
    released = tuple(c for c in sample.admit().claims if c.drill == "release")
    made = dataclasses.replace(sample.admit(), claims=released, drills=())
    assert headline(made, EN).sentence.endswith("No trial finetune was made.")
    assert lights(made, EN)[2].sentence.endswith("No trial finetune was made.")
    assert "after trial finetunes" in headline(sample.admit(), EN).sentence


def test_without_grounds_nothing_is_let_through() -> None:
    made = dataclasses.replace(sample.reject(), verdict=Verdict(Decision.HOLD, ()))
    assert "nothing is let through" in headline(made, EN).sentence


def test_error_rates_come_from_the_thresholds() -> None:
    found = surety(sample.admit(), EN)
    assert found is not None
    assert found.admit == pytest.approx(0.05)
    assert found.reject == pytest.approx(0.05)
    assert surety(sample.static_only(), EN) is None


def test_axis_is_round_and_holds_everything() -> None:
    scale = axis([-0.012, 0.507, math.nan, None, math.inf], 0.06)
    assert scale.low <= -0.012
    assert scale.high >= 0.507
    assert [round(t.value, 6) for t in scale.ticks] == [-0.2, 0.0, 0.2, 0.4, 0.6]
    assert scale.at(scale.low) == 0
    assert scale.at(scale.high) == 100
    assert scale.at(9.0) == 100
    assert scale.at(None) is None
    assert scale.at(math.nan) is None
    assert axis([], 0.1).at(0.05) == 50


@pytest.mark.parametrize("count", [2, 3, 81, 10_000])
def test_loss_curve_keeps_its_ends(count: int) -> None:
    drill = dataclasses.replace(
        sample.admit().drills[0], losses=tuple((s, 2.0 - s / count) for s in range(1, count + 1))
    )
    drawn = curve(drill)
    assert drawn is not None
    points = drawn.points.split()
    assert points[0].startswith("0.0,0.0")
    assert points[-1] == "160.0,44.0"
    assert len(points) <= MOST_POINTS + 1
    assert drawn.steps == count


def test_no_curve_without_two_finite_losses() -> None:
    drill = dataclasses.replace(sample.admit().drills[0], losses=((1, math.nan), (2, 1.0)))
    assert curve(drill) is None
