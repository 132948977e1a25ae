"""Grounds of a verdict: many findings alike are one ground, unlike ones stay apart."""

from dataclasses import replace

import pytest

from report import sample
from sekisho.records import Finding, Outcome, Reason, Severity
from sekisho.report.grounds import grounds, headline
from sekisho.report.words import Words

LAYERS = 5


def changed(reason: str, where: str) -> Finding:
    return Finding("weights-delta", Outcome.FAIL, Severity.HOLD, where, reason, f"{where} changed")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_findings_of_one_kind_are_one_ground_that_counts_the_rest(language):
    alike = [changed("tensor-differs", f"model.safetensors:layer.{n}") for n in range(LAYERS)]
    other = changed("tensor-missing", "model.safetensors:norm")
    reject = sample.reject()
    reasons = tuple(Reason("check-failed", (f"check:{f.check}@{f.where}",)) for f in [*alike, other])
    dossier = replace(
        reject, findings=(*reject.findings, *alike, other), verdict=replace(reject.verdict, reasons=reasons)
    )

    said = grounds(dossier, Words(language))

    assert len(said) == 2
    assert str(LAYERS - 1) in said[0].text
    assert "layer.0" in said[0].text
    assert "norm" in said[1].text
    one = headline(dossier, Words(language)).more
    assert str(LAYERS) not in one
