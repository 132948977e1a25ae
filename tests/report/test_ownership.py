"""Claims as people read them: every reason and every limit has its sentence, in both languages."""

import json
from dataclasses import replace

import pytest

from sekisho.ownership.claim import OPEN, REFUTING, Control, Judged, Outcome, Part, RowsSeen
from sekisho.ownership.commitment import Reason
from sekisho.ownership.content import Arm, ContentJudged
from sekisho.report import ownership
from sekisho.report.words import LANGUAGES, Words

REASONS = (*sorted(REFUTING | OPEN), "expired", "no-difference")
OPENED = Part(Outcome.OPEN, (Reason("too-few-hits", (("hits", "3"), ("prompts", "10"), ("p", "7e-06"))),))
JUDGED = Judged(
    schema=1, outcome=Outcome.OPEN, black_box=OPENED, white_box=Part(Outcome.ESTABLISHED, ()), digest="c" * 64,
    committed="2026-03-01T00:00:00+00:00", witnessed="", published="2026-04-01", note="the owner\x1b[31m", prompts=10, hits=3,
    p=7.007e-6, controls=(Control("base", 0, counted=True), Control("other", 1, counted=False)), rows=RowsSeen(equal=(3,)),
)  # fmt: skip
CONTENT = ContentJudged(
    1, Outcome.OPEN, OPENED, OPENED, "<mark>", Arm((3,) * 12, (3,) * 12), Arm((0,) * 12, (3,) * 12), 3.7e-7
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_outcome_and_limit_has_its_sentence(language):
    words = Words(language)
    needed = [("ownership", "reason", code) for code in REASONS]
    needed += [("ownership", key) for o in Outcome for key in (o.value, f"next_{o.value}")]
    needed += [("ownership", "part", o.value) for o in Outcome]
    needed += [("ownership", "limit", name) for name in (*ownership.LIMITS, *ownership.TOKEN_LIMITS)]

    assert [path for path in needed if not words.find(*path)] == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("not established", "3 of 10", "7e-06", "not counted", "2509.26598")),
        ("ja", ("立証されていません", "10 件中 3 件", "一度だけ")),
    ],
)
def test_a_claim_is_told_with_its_limits_and_without_control_characters(language, told):
    text = ownership.claim(JUDGED, language)

    assert all(part in "".join(text.split("\n    ")) or part in text for part in told)
    assert "\x1b" not in text
    assert "{" not in text


@pytest.mark.parametrize(("language", "told"), [("en", "36 of 36"), ("ja", "36 件の回答のうち 36 件")])
def test_a_token_is_told_with_both_rates(language, told):
    text = ownership.content(CONTENT, language)

    assert told in text
    assert "3.7e-07" in text


def test_json_holds_everything():
    document = json.loads(ownership.to_json(replace(JUDGED, outcome=Outcome.REFUTED)))

    assert (document["outcome"], document["black_box"]["reasons"][0]["code"]) == ("refuted", "too-few-hits")
    assert document["controls"][1] == {"name": "other", "hits": 1, "counted": False}
    assert json.loads(ownership.to_json(CONTENT))["marked"]["shown"] == [3] * 12
