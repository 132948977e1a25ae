"""Every finding of a sweep has a sentence of its own in both languages."""

import pytest

from sekisho.records import SweepResult, TokenProbe, TokenResult, TokenWord
from sekisho.report.words import LANGUAGES, Words
from sekisho.sweeping import run

PROBE = TokenProbe("leak", 0.8, 0.0, 0.0005, risen=True)


def result(word: TokenWord, shared: str) -> SweepResult:
    token = TokenResult(
        (5, 7), "<a><b>", word, "end", 16.65, None, 90.0, 0.98, shared, 0.75, "a marker", (PROBE,)
    )
    return SweepResult(1, 17, 3, 0, paired=False, closer=(token,))


RESULTS = [result(word, shared) for word in TokenWord for shared in ("", "the kettle is blue")]
RESULTS += [SweepResult(1, 17, 3, left, paired=False) for left in (0, 9)]
RESULTS += [
    SweepResult(1, 0, 0, 0, paired=True, skipped=why) for why in ("no-tokens", "no-leads", "same-as-base")
]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("swept", RESULTS)
def test_a_finding_is_said_in_both_languages(swept: SweepResult, listed: bool) -> None:
    *_, finding = run.findings(swept, listed=listed)
    told = {language: Words(language).finding(finding) for language in LANGUAGES}
    assert told["ja"] != finding.detail
    assert not any("{" in sentence for sentence in told.values())
