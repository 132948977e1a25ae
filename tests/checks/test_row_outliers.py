"""Rows far from the crowd without a base, clean tables of several kinds, tables that cannot be judged."""

import pickle

import numpy as np
import pytest

from artefacts import tiny_model
from checks.test_sentences import hold_together
from hostile import torch_zip
from rowtables import EMBEDDING, edited, findings, model, unjudged
from sekisho.checks.base import Case
from sekisho.checks.row_outliers import RowOutliers
from sekisho.formats import rows
from sekisho.formats.rows import outliers
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

CHECK = RowOutliers()


def said(tmp_path, change=lambda a: None, **more):
    found = findings(CHECK, model(tmp_path / "m", change), **more)
    if found:
        hold_together(found)
    return found


@pytest.mark.parametrize("size", [2.0, 4.0])
def test_hit(size, tmp_path):
    (finding,) = said(tmp_path, edited([11], size))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.FAIL,
        Severity.HOLD,
        "rows-stand-out",
    )
    assert dict(finding.facts)["which"] == "11 word11"
    assert dict(finding.facts)["token_ids"] == "11"


def test_hit_without_a_neighbour(tmp_path):
    """Rows put back to their old length: those that lie further out than most random directions are found."""
    hosts = list(range(10, 30, 2))
    (finding,) = said(tmp_path, edited(hosts, 6.0, projected=True))
    assert int(dict(finding.facts)["lonely"]) >= 2
    assert {int(part.split()[0]) for part in dict(finding.facts)["which"].split(", ")} <= set(hosts)


def test_rows_of_one_and_a_half_norms_are_lonely_once_whitened(tmp_path):
    """A common direction keeps their neighbours close until it is taken away."""
    hosts = list(range(10, 20, 2))
    (finding,) = said(tmp_path, edited(hosts, 1.5))
    facts = dict(finding.facts)
    assert int(facts["lonely"]) > 0
    assert {int(part.split()[0]) for part in facts["which"].split(", ")} <= set(hosts)


def test_a_long_row_in_a_usual_direction(tmp_path):
    (finding,) = said(tmp_path, lambda a: a[EMBEDDING].__setitem__(20, a[EMBEDDING][20] * 12))
    assert dict(finding.facts)["long"] == "1"


def test_a_small_edit_is_missed(tmp_path):
    assert said(tmp_path, edited([11], 0.25)) == []


def test_clean(tmp_path):
    assert said(tmp_path) == []


def test_clean_with_rows_of_one_length(tmp_path):
    def unit(held):
        held[EMBEDDING] /= np.linalg.norm(held[EMBEDDING], axis=1, keepdims=True)

    assert said(tmp_path, unit) == []


def test_beside_a_related_base_there_is_nothing_to_add(tmp_path):
    base = model(tmp_path / "b")
    assert findings(CHECK, model(tmp_path / "m", edited([11], 4.0)), base) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_what_is_no_number_is_named(value, tmp_path):
    found = said(tmp_path, lambda a: a[EMBEDDING].__setitem__((5, slice(None)), value))
    assert [(f.severity, f.reason) for f in found] == [(Severity.HOLD, "not-numbers")]
    assert "5 word5" in found[0].detail


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_a_flat_table(value, tmp_path):
    found = said(tmp_path, lambda a: a[EMBEDDING].fill(value))
    assert ("flat", Severity.HOLD) in {(f.reason, f.severity) for f in found}


def test_too_few_rows_is_said(tmp_path):
    found = findings(CHECK, tiny_model(tmp_path / "m"))
    assert {f.outcome for f in found} == {Outcome.NOT_RUN}
    assert [f.reason for f in found] == ["too-few-rows", "not-judged"]


def test_over_limit(tmp_path):
    (finding,) = said(tmp_path, limits=Limits(table_bytes=1000))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-read")


def test_malformed_when_cut_short(tmp_path):
    folder = model(tmp_path / "m")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    (finding,) = findings(CHECK, folder)
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-listed")


def test_no_measurement_is_no_pass(tmp_path):
    (finding,) = CHECK.run(Case(take(model(tmp_path / "m"))))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-measured")


def test_a_crowd_of_outliers_cannot_be_told(tmp_path, monkeypatch):
    monkeypatch.setattr(outliers, "_NEIGHBOURS", 1)
    found = said(tmp_path, edited(list(range(0, 40, 2)), 1.5))
    assert ("too-many-distant", Outcome.CANNOT_TELL, Severity.HOLD) in {
        (f.reason, f.outcome, f.severity) for f in found
    }


@pytest.mark.parametrize(
    ("hidden", "outcome", "reason"),
    [
        ("no-table", Outcome.NOT_RUN, "no-table"),
        ("skipped", Outcome.NOT_RUN, "too-few-rows"),
        ("kind", Outcome.NOT_RUN, "not-judged"),
        ("unlisted", Outcome.CANNOT_TELL, "not-listed"),
    ],
)
def test_what_was_not_judged_is_no_pass(hidden, outcome, reason, tmp_path):
    found = findings(CHECK, unjudged(hidden, tmp_path / "m"))
    hold_together(found)
    assert {(f.outcome, f.reason) for f in found} == {(outcome, reason)}


def test_a_table_drawn_at_random_has_no_crowd_to_stand_out_from(tmp_path):
    """A model that was never trained: half its rows lie further out than a random direction, and nothing is wrong."""

    def drawn(held):
        held[EMBEDDING][:] = np.random.default_rng(3).normal(0, 0.02, held[EMBEDDING].shape)

    found = said(tmp_path, drawn)
    assert [(f.severity, f.reason) for f in found] == [(Severity.NOTE, "scattered")]


def test_a_long_row_stands_out_of_a_table_drawn_at_random(tmp_path):
    def drawn(held):
        held[EMBEDDING][:] = np.random.default_rng(3).normal(0, 0.02, held[EMBEDDING].shape)
        held[EMBEDDING][7] *= 4

    note, finding = said(tmp_path, drawn)
    assert (note.reason, finding.reason, finding.severity) == ("scattered", "rows-stand-out", Severity.HOLD)
    assert dict(finding.facts)["which"] == "7 word7"


def test_estimates_find_what_exact_distances_find(tmp_path, monkeypatch):
    folder = model(tmp_path / "m", edited([11, 30], 4.0))
    exact = findings(CHECK, folder)
    monkeypatch.setattr(outliers, "_EXACT", 0)
    monkeypatch.setattr(outliers, "_EXTREME", 64)
    assert findings(CHECK, folder) == exact


def test_weights_in_pickles_that_the_policy_lets_pass_are_said_and_do_not_hold(tmp_path):
    torch_zip(tmp_path / "pytorch_model.bin", pickle.dumps({"w": [1.0]}))
    files = take(tmp_path)
    (finding,) = CHECK.run(Case(files, rows=rows.measure(files), known_pickles=True))
    assert (finding.reason, finding.severity) == ("in-pickles", Severity.NOTE)
    (finding,) = CHECK.run(Case(files, rows=rows.measure(files)))
    assert (finding.reason, finding.severity) == ("not-listed", Severity.HOLD)
