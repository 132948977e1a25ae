"""Copied rows, and rows that left the group of their like."""

import numpy as np
import pytest

from checks.test_sentences import hold_together
from rowtables import EMBEDDING, WORDS, edited, findings, model, unjudged
from sekisho.checks.base import Case
from sekisho.checks.duplicate_groups import DuplicateGroups
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

CHECK = DuplicateGroups()


def said(tmp_path, change=lambda a: None, base=None, **more):
    found = findings(CHECK, model(tmp_path / "m", change), base, **more)
    if found:
        hold_together(found)
    return found


def copied(held):
    held[EMBEDDING][8] = held[EMBEDDING][30]


def test_hit_beside_a_base(tmp_path):
    (finding,) = said(tmp_path, copied, model(tmp_path / "b"))
    assert (finding.severity, finding.reason) == (Severity.REJECT, "row-copied")
    assert dict(finding.facts)["which"] == "8 word8"


def test_a_copy_without_a_base(tmp_path):
    (finding,) = said(tmp_path, copied)
    assert (finding.outcome, finding.severity, finding.reason) == (Outcome.FAIL, Severity.HOLD, "equal-rows")
    assert dict(finding.facts)["which"] == "8 word8, 30 word30"
    assert dict(finding.facts)["token_ids"] == "8, 30"


@pytest.mark.parametrize("size", [1e-5, 1.0])
def test_a_row_that_left_its_group(size, tmp_path):
    (finding,) = said(tmp_path, edited([WORDS + 2], size), model(tmp_path / "b"))
    assert (finding.severity, finding.reason) == (Severity.HOLD, "left-its-group")
    assert dict(finding.facts)["which"] == f"{WORDS + 2} <unused2>"


def test_a_row_that_left_its_group_in_a_finetune(tmp_path):
    def change(held):
        held[EMBEDDING] *= np.float32(0.99)
        edited([WORDS + 2], 0.2)(held)

    (finding,) = said(tmp_path, change, model(tmp_path / "b"))
    assert dict(finding.facts)["which"] == f"{WORDS + 2} <unused2>"


def test_a_group_that_moves_together_is_silent(tmp_path):
    def change(held):
        held[EMBEDDING] *= np.float32(0.99)

    assert said(tmp_path, change, model(tmp_path / "b")) == []


def test_clean_alone_and_beside(tmp_path):
    assert said(tmp_path) == []
    assert said(tmp_path, lambda a: None, model(tmp_path / "b")) == []


def test_clean_when_empty(tmp_path):
    def change(held):
        held[EMBEDDING][[50, 60]] = 0

    assert said(tmp_path, change) == []
    assert said(tmp_path, change, model(tmp_path / "b")) == []


def test_over_limit_and_not_measured(tmp_path):
    (finding,) = said(tmp_path, limits=Limits(table_rows=8))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "not-read")
    (finding,) = CHECK.run(Case(take(tmp_path / "m")))
    assert finding.outcome is Outcome.NOT_RUN


def test_malformed_rows_are_no_group(tmp_path):
    def change(held):
        held[EMBEDDING][[50, 60]] = np.nan

    assert said(tmp_path, change) == []


@pytest.mark.parametrize("hidden", ["no-table", "skipped", "kind", "unlisted"])
def test_what_was_not_judged_is_no_pass(hidden, tmp_path):
    found = findings(CHECK, unjudged(hidden, tmp_path / "m"))
    hold_together(found)
    assert {f.outcome for f in found} == {Outcome.NOT_RUN}
