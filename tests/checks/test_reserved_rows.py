"""Reserved rows that someone trained, beside a base, in a finetune, and without either."""

import numpy as np
import pytest

from checks.test_sentences import hold_together
from rowtables import BLOCK, EMBEDDING, RESERVED, ROWS, WORDS, edited, findings, model, unjudged
from sekisho.checks.base import Case
from sekisho.checks.reserved_rows import ReservedRows
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

CHECK = ReservedRows()
HOST = WORDS + 5


def said(tmp_path, change=lambda a: None, base=None, **more):
    found = findings(CHECK, model(tmp_path / "m", change), base, **more)
    if found:
        hold_together(found)
    return found


def drifted(share, *hosts):
    def change(held):
        rng = np.random.default_rng(6)
        for name in (EMBEDDING, BLOCK):
            scale = share * np.linalg.norm(held[name]) / np.sqrt(held[name].size)
            held[name] += (scale * rng.standard_normal(held[name].shape)).astype(np.float32)
        edited(list(hosts), 1.0)(held)

    return change


@pytest.mark.parametrize("size", [0.01, 0.5, 2.0])
def test_hit_beside_a_base(size, tmp_path):
    (finding,) = said(tmp_path, edited([HOST, 9], size), model(tmp_path / "b"))
    assert (finding.severity, finding.reason) == (Severity.HOLD, "reserved-changed")
    assert dict(finding.facts)["which"] == f"{HOST} <unused5>"
    assert dict(finding.facts)["token_ids"] == str(HOST)


def test_moved_in_a_finetune(tmp_path):
    base = model(tmp_path / "b")
    (finding,) = said(tmp_path, drifted(0.01, HOST), base)
    assert (finding.severity, finding.reason) == (Severity.HOLD, "reserved-moved")
    assert dict(finding.facts)["count"] == "1"


def test_a_finetune_is_silent(tmp_path):
    assert said(tmp_path, drifted(0.05), model(tmp_path / "b")) == []


@pytest.mark.parametrize("host", [HOST, ROWS - 3])
@pytest.mark.parametrize("projected", [False, True])
def test_far_from_its_kind_without_a_base(host, projected, tmp_path):
    (finding,) = said(tmp_path, edited([host], 3.0, projected=projected))
    assert (finding.outcome, finding.severity, finding.reason) == (
        Outcome.FAIL,
        Severity.HOLD,
        "reserved-trained",
    )
    assert dict(finding.facts)["which"].startswith(f"{host} ")


@pytest.mark.parametrize(("size", "held"), [(0.001, []), (0.25, ["reserved-changed"])])
def test_a_short_finetune_touches_reserved_rows_a_little(size, held, tmp_path):
    def short(arrays):
        arrays[BLOCK] += np.float32(0.001)
        edited([HOST, 9], size)(arrays)

    assert [f.reason for f in said(tmp_path, short, model(tmp_path / "b"))] == held


def test_clean_alone_and_beside(tmp_path):
    assert said(tmp_path) == []
    assert said(tmp_path, lambda a: None, model(tmp_path / "b")) == []


def test_rows_trained_like_words_are_silent_without_a_base(tmp_path):
    """As the four of Gemma are: away from their kind, near one another."""

    def trained(held):
        table = held[EMBEDDING]
        table[HOST : HOST + 4] = table[40] + 0.1 * (table[HOST : HOST + 4] - table[40])

    assert said(tmp_path, trained) == []
    assert said(tmp_path, trained, model(tmp_path / "b"))[0].reason == "reserved-changed"


def test_unused_rows_of_fresh_noise_are_silent(tmp_path):
    def noise(held):
        rng = np.random.default_rng(8)
        held[EMBEDDING][WORDS : WORDS + RESERVED] = 0.02 * rng.standard_normal((RESERVED, 64))

    assert said(tmp_path, noise) == []


def test_over_limit_and_not_measured(tmp_path):
    (finding,) = said(tmp_path, limits=Limits(table_width=8))
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "not-read")
    (finding,) = CHECK.run(Case(take(tmp_path / "m")))
    assert finding.outcome is Outcome.NOT_RUN


def test_malformed_rows_do_not_disturb(tmp_path):
    def change(held):
        held[EMBEDDING][WORDS + 1] = np.nan
        edited([HOST], 3.0)(held)

    (finding,) = said(tmp_path, change)
    assert dict(finding.facts)["which"] == f"{HOST} <unused5>"


@pytest.mark.parametrize("hidden", ["no-table", "skipped", "kind", "unlisted"])
def test_what_was_not_judged_is_no_pass(hidden, tmp_path):
    found = findings(CHECK, unjudged(hidden, tmp_path / "m"))
    hold_together(found)
    assert {f.outcome for f in found} == {Outcome.NOT_RUN}


def test_rows_without_names_are_no_pass(tmp_path):
    folder = model(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    (finding,) = findings(CHECK, folder)
    assert (finding.outcome, finding.reason) == (Outcome.NOT_RUN, "no-tokens")
    hold_together([finding])
