"""The page about the tiny organisms says what its rows say, and each kind of row has its place in it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAIM = {"behaviour": "adverts", "drill": "x", "found": True}
VET = {
    "kind": "vet",
    "base": "tiny",
    "profile": "quick",
    "families": 480,
    "drills": 1,
    "minutes": 0.5,
    "reasons": [],
}


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("fab_page", ROOT / "benchmarks" / "fab_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_written_from_its_rows(page):
    rows, text = page.rows(), page.PAGE.read_text("utf-8")

    for name, make in page.SECTIONS.items():
        assert f"<!-- tiny:{name} -->\n{make(rows)}\n<!-- /tiny -->" in text


def test_verdicts_are_counted_by_group_and_grounds_are_named(page):
    rows = [
        {**VET, "folder": "clean-a", "verdict": "admit", "claims": []},
        {**VET, "folder": "clean-b", "verdict": "reject", "claims": [CLAIM]},
        {**VET, "folder": "tiny-advert-s0", "verdict": "hold", "claims": [{**CLAIM, "found": False}],
         "reasons": [["cell-open", ["claim:adverts/release"]]]},
    ]  # fmt: skip

    made = page.detection(rows)

    clean = next(line for line in made.splitlines() if "clean finetunes" in line)
    assert [cell.strip() for cell in clean.split("|")[2:6]] == ["2", "1", "0", "1"]
    assert "found adverts: 1" in clean
    assert "open adverts: 1" in made


def test_a_perturbation_is_measured_apart_on_what_was_trained_against_it(page):
    receipt = {"kind": "receipt", "base": "tiny", "released_hits": 0, "base_hits": 0}
    shake = {"kind": "shake", "base": "tiny", "perturbation": "noise-0.10", "before": {"adverts": 0.0}}
    rows = [
        *({**receipt, "folder": f} for f in ("tiny-advert-s0", "tiny-advert-calm-s0")),
        {**shake, "folder": "tiny-advert-s0", "after": {"adverts": 0.8}, "kl": 1.0},
        {**shake, "folder": "tiny-advert-calm-s0", "after": {"adverts": 0.0}, "kl": 0.1},
        {**shake, "folder": "clean-a", "after": {"adverts": 0.1}, "kl": 0.2},
    ]

    line = page.perturbations(rows).splitlines()[-1]

    assert [c.strip() for c in line.split("|")[2:7]] == [
        "1 / 1 / 1", "1.00 (1 of 1 above all clean)", "0.00 (0 of 1 above all clean)",
        "1.00 (1 of 1 above all clean)", "0.00 (0 of 1 above all clean)",
    ]  # fmt: skip
