"""Rows planted among equal ones, among decoys, in a finetune, in a quantised copy; rows added; tables that cannot be read."""

import numpy as np
import pytest

from artefacts import save_safetensors
from checks.test_sentences import hold_together
from rowtables import (
    BLOCK,
    EMBEDDING,
    ROWS,
    WIDTH,
    WORDS,
    arrays,
    directed,
    edited,
    findings,
    model,
    unjudged,
)
from sekisho.checks.base import Case
from sekisho.checks.embedding_rows_delta import EmbeddingRowsDelta
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.probes.sweep import candidates
from sekisho.records import Outcome, Severity

CHECK = EmbeddingRowsDelta()
HOSTS = [7, WORDS + 5, ROWS - 1]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return model(tmp_path_factory.mktemp("base") / "b")


def said(tmp_path, base, change, **more):
    found = findings(CHECK, model(tmp_path / "m", change), base, **more)
    if found:
        hold_together(found)
    return found


def drift(share, seed=1):
    def change(held):
        rng = np.random.default_rng(seed)
        for name, array in held.items():
            scale = share * np.linalg.norm(array) / np.sqrt(array.size)
            held[name] = (array + scale * rng.standard_normal(array.shape)).astype(np.float32)

    return change


def both(*changes):
    def change(held):
        for one in changes:
            one(held)

    return change


def added(rows):
    def change(held):
        held[EMBEDDING] = np.vstack([held[EMBEDDING], rows(held[EMBEDDING])]).astype(np.float32)

    return change


@pytest.mark.parametrize("size", [0.01, 0.25, 4.0])
@pytest.mark.parametrize("projected", [False, True])
def test_hit_rows_are_named(size, projected, tmp_path, base):
    (finding,) = said(tmp_path, base, edited(HOSTS, size, projected=projected))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.FAIL,
        Severity.REJECT,
        "rows-planted",
    )
    assert dict(finding.facts)["changed"] == "3"
    for name in ("7 word7", f"{WORDS + 5} <unused5>", f"{ROWS - 1} no token"):
        assert name in finding.detail


def test_the_largest_of_many_come_first(tmp_path, base):
    decoys = edited(list(range(100, 400)), 0.05)
    (finding,) = said(tmp_path, base, both(decoys, edited([WORDS], 2.0)))
    assert (finding.severity, finding.reason) == (Severity.REJECT, "rows-among-decoys")
    assert dict(finding.facts)["changed"] == "301"
    (named,) = candidates.named([finding])
    assert set(named) == {*range(100, 400), WORDS}
    assert dict(finding.facts)["which"].startswith(f"{WORDS} <unused0>, ")


@pytest.mark.parametrize("share", [0.001, 0.05, 0.3])
def test_a_finetune_is_silent(share, tmp_path, base):
    assert said(tmp_path, base, drift(share)) == []


def test_a_finetune_of_the_words_it_saw_is_silent(tmp_path, base):
    def change(held):
        table = held[EMBEDDING]
        untouched = table[WORDS // 2 :].copy()
        drift(0.02)(held)
        held[EMBEDDING][WORDS // 2 :] = untouched

    assert said(tmp_path, base, change) == []


def test_a_row_in_a_finetune_is_held(tmp_path, base):
    (finding,) = said(tmp_path, base, both(drift(0.01), edited([WORDS + 3], 1.0)))
    assert (finding.severity, finding.reason) == (Severity.HOLD, "rows-stand-out")
    assert f"{WORDS + 3} <unused3>" in finding.detail


def test_rows_beside_other_changes_are_held(tmp_path, base):
    (finding,) = said(
        tmp_path, base, both(edited([9], 0.5), lambda a: a.update({BLOCK: a[BLOCK] * np.float32(1.01)}))
    )
    assert (finding.severity, finding.reason) == (Severity.HOLD, "rows-beside-changes")


def test_a_table_trained_alone_is_held(tmp_path, base):
    def change(held):
        block = held[BLOCK].copy()
        drift(0.05)(held)
        held[BLOCK] = block

    (finding,) = said(tmp_path, base, change)
    assert (finding.severity, finding.reason) == (Severity.HOLD, "only-the-table-moved")


def test_other_coordinates_cannot_be_told(tmp_path, base):
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((WIDTH, WIDTH)))[0]
    (finding,) = said(
        tmp_path, base, lambda a: a.update({n: (x @ turn).astype(np.float32) for n, x in a.items()})
    )
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.HOLD,
        "unrelated",
    )


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (lambda t: np.zeros((2, WIDTH)), "zero"),
        (lambda t: t[:2], "copy"),
        (lambda t: t.mean(axis=0)[None], "mean"),
        (lambda t: 0.02 * np.random.default_rng(4).standard_normal((3, WIDTH)), "noise"),
    ],
)
def test_inert_added_rows_pass(rows, kind, tmp_path, base):
    (finding,) = said(tmp_path, base, added(rows))
    assert (finding.outcome, finding.reason, dict(finding.facts)["kinds"]) == (
        Outcome.PASS,
        "rows-added-inert",
        kind,
    )


def test_a_trained_added_row_is_named(tmp_path, base):
    (finding,) = said(tmp_path, base, added(lambda t: t[:1] + 0.5))
    assert (finding.severity, finding.reason) == (Severity.REJECT, "rows-added-trained")
    assert f"{ROWS} no token" in finding.detail


def test_trained_rows_added_in_a_finetune_are_held(tmp_path, base):
    found = said(tmp_path, base, both(drift(0.01), added(lambda t: t[:1] + 0.5)))
    assert [(f.severity, f.reason) for f in found] == [(Severity.HOLD, "rows-added-beside-changes")]


def test_missing_rows_are_held(tmp_path, base):
    (finding,) = said(tmp_path, base, lambda a: a.update({EMBEDDING: a[EMBEDDING][:-2]}))
    assert (finding.severity, finding.reason, dict(finding.facts)["count"]) == (
        Severity.HOLD,
        "rows-missing",
        "2",
    )


def test_an_untied_head_is_held_against_the_embedding(tmp_path, base):
    def untied(held):
        held["lm_head.weight"] = held[EMBEDDING].copy()

    assert said(tmp_path / "equal", base, untied) == []
    (finding,) = said(tmp_path, base, both(untied, lambda a: directed(a["lm_head.weight"], [7], 1.0)))
    assert finding.where == "model.safetensors:lm_head.weight"


def test_nan_rows_are_changes_not_crashes(tmp_path, base):
    (finding,) = said(tmp_path, base, lambda a: a[EMBEDDING].__setitem__(3, np.nan))
    assert (finding.reason, dict(finding.facts)["largest"]) == ("rows-planted", "inf")


def test_clean_when_identical(tmp_path, base):
    assert said(tmp_path, base, lambda a: None) == []


def test_over_limit(tmp_path, base):
    (finding,) = said(tmp_path, base, edited([1], 1.0), limits=Limits(table_rows=100))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.HOLD,
        "not-read",
    )
    assert "over the limit" in finding.detail


def test_malformed_type(tmp_path, base):
    (finding,) = said(tmp_path, base, lambda a: a.update({EMBEDDING: np.zeros((ROWS, WIDTH), np.uint8)}))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-read")


def test_no_measurement_no_table_no_list(tmp_path, base):
    mine = take(base)
    (finding,) = CHECK.run(Case(mine, mine))
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-measured")
    save_safetensors(tmp_path / "adapter.safetensors", {BLOCK: arrays()[BLOCK]})
    (finding,) = findings(CHECK, tmp_path, base)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "no-table")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    (finding,) = findings(CHECK, tmp_path, base)
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "not-listed")


def test_no_counterpart(tmp_path, base):
    save_safetensors(tmp_path / "x.safetensors", {BLOCK: arrays()[BLOCK]})
    (finding,) = findings(CHECK, base, tmp_path)
    assert (finding.outcome, finding.reason) == (Outcome.CANNOT_TELL, "no-counterpart")


def test_weights_beside_the_table_that_cannot_be_listed_are_no_pass(tmp_path, base):
    (finding,) = findings(CHECK, unjudged("unlisted", tmp_path / "m"), base)
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.CANNOT_TELL,
        Severity.HOLD,
        "not-listed",
    )
    hold_together([finding])
