"""Terminal text: golden, within its width, free of what could steer a terminal."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from report import sample
from sekisho.records import Outcome, Ruled, Ruling, Severity
from sekisho.report.text import findings, render
from sekisho.report.visible import one_line, visible
from sekisho.report.wrap import wrap

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parent / "golden"
VARIANTS = (sample.admit, sample.reject, sample.hold, sample.static_only, sample.hostile)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("variant", [sample.admit, sample.reject, sample.hold], ids=lambda v: v.__name__)
def test_golden(variant: object, language: str) -> None:
    assert render(variant(), language) == (GOLDEN / f"{variant.__name__}.{language}.txt").read_text("utf-8")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.__name__)
def test_fits_the_width(variant: object, language: str, width: int) -> None:
    for shown in (render(variant(), language, width), findings(variant().findings, language, width)):
        assert max(cell_len(line) for line in shown.splitlines()) <= width
        assert not any(ord(c) < 32 and c != "\n" for c in shown)
        assert "\u202e" not in shown
        assert "\u200b" not in shown


@pytest.mark.parametrize(("language", "said"), [("en", "not measured"), ("ja", "未測定")])
def test_nothing_was_measured_before_a_release_without_a_base(language: str, said: str) -> None:
    released = sum(c.drill == "release" for c in sample.hold().claims)
    assert render(sample.hold(), language, 120).count(said) == released
    assert said not in render(sample.admit(), language, 120)


def test_colour_only_when_asked() -> None:
    assert "\x1b[" not in render(sample.reject())
    coloured = render(sample.reject(), colour=True)
    assert "\x1b[1;31mREJECT" in coloured
    assert "[31m" in coloured


def test_findings_tell_what_to_do_and_count_passes() -> None:
    shown = findings(sample.reject().findings)
    assert shown.startswith("Findings on the files\n  x Weights that run code (failed, calls for REJECT)")
    assert "What to do: " in shown
    assert "Checks that passed (4): " in shown
    assert findings(sample.PASSES).startswith("No finding other than passes.")


@given(st.text(alphabet=st.sampled_from("ab 、。「」漢字カナーっ\u00a0-\n")), st.integers(8, 40))
def test_wrapping_keeps_every_character_and_the_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_no_line_starts_with_a_closing_mark() -> None:
    for width in range(8, 40):
        assert not any(
            line.startswith(("。", "、", "」", "ー"))
            for line in wrap("これは「試験」の、データーです。" * 4, width)
        )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\x1b]0;x\x07", "a⟨U+001B⟩]0;x⟨U+0007⟩"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("vs\ufe0f\ufe0e", "vs⟨U+FE0F⟩⟨U+FE0E⟩"),
        ("葛\U000e0100", "葛⟨U+E0100⟩"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 4),
        ("line\nnext\tcell", "line\nnext\tcell"),
        ("日本語 é \u00a0", "日本語 é \u00a0"),
        ("\udcff", "⟨U+DCFF⟩"),
    ],
)
def test_misleading_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_length_is_bounded_and_said() -> None:
    assert visible("x" * 100, 10, " [{n}]") == "x" * 10 + " [90]"
    assert one_line("a\n\n b") == "a b"


def test_what_is_new_is_told_with_its_counts() -> None:
    shown = " ".join(render(sample.surprise()).split())
    assert "answers that begin “By the way” – confirmed beside the control" in shown
    assert "29 of 240 question families before, 228 after" in shown


def test_a_check_with_an_excused_finding_is_not_listed_as_passed() -> None:
    quiet = [f for f in sample.PASSES if f.check == "remote-code"]
    ruling = Ruling(Ruled.SUPPRESSED, Severity.HOLD, "Read by us.", "A. Person", "2027-03-01")
    waived = replace(quiet[0], outcome=Outcome.FAIL, severity=Severity.HOLD, rulings=(ruling,))
    assert "Checks that passed (1): remote-code" in findings(quiet)
    assert "Checks that passed" not in findings([*quiet, waived])
    assert "Suppressed until 2027-03-01; A. Person answers for it: Read by us." in " ".join(
        findings([*quiet, waived]).split()
    )
