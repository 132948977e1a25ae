"""Both languages say the same things, and every code has a sentence."""

import inspect
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest

from sekisho import draft, inspected
from sekisho.drills import rounds
from sekisho.errors import UsageError
from sekisho.evidence.compared import GROUPS
from sekisho.probes.novelty.features import KINDS, SHAPES
from sekisho.progress import STAGES
from sekisho.records import Decision, Outcome, Role, Severity
from sekisho.report.lights import Shade
from sekisho.report.words import COMMON, LANGUAGES, Words, checks, fill, sentences
from sekisho.verdict import GROUNDS, REASON_CODES, SETTLES

NAME = re.compile(r"\{([^}]*)\}")
OUTCOMES = ("found", "open", "clear")
SUITES = ("adverts", "refusal", "safeguards", "leak", "utility")


def leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield (*path, key), value
        else:
            yield from leaves(value, (*path, key))


def test_both_languages_have_the_same_keys_and_names() -> None:
    en, ja = (dict(leaves(sentences(language))) for language in LANGUAGES)
    assert set(en) == set(ja)
    for path, text in en.items():
        assert set(NAME.findall(text)) == set(NAME.findall(ja[path])), path


def test_names_are_plain_words() -> None:
    for language in LANGUAGES:
        for path, text in leaves(sentences(language)):
            assert all(re.fullmatch("[a-z_]+", n) for n in NAME.findall(text)), path


def test_japanese_is_japanese_and_full_stops_match() -> None:
    for path, text in leaves(sentences("ja")):
        assert "(" not in text, path
        assert ", " not in text, path
        if dict(leaves(sentences("en")))[path].endswith("."):
            assert text.endswith(("。", "）", "}")), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language: str) -> None:
    words = Words(language)
    assert set(GROUNDS) | set(SETTLES) == set(REASON_CODES)
    needed = [("reason", code, key) for code in GROUNDS for key in ("short", "long")]
    needed += [("settle", code, "long") for code in SETTLES]
    needed += [(section, d.value) for section in ("decision", "headline", "next") for d in Decision]
    needed += [("role", r.value) for r in Role]
    needed += [("outcome", o.value) for o in Outcome]
    needed += [("severity", s.value) for s in Severity]
    needed += [("behaviour", s, key) for s in SUITES for key in ("title", "in_text", "asks", "woke", "shows")]
    needed += [("light", key, "question") for key in ("origin", "luggage", "behaviour")]
    needed += [("light", key, shade.value) for key in ("luggage", "behaviour") for shade in Shade]
    needed += [("light", "origin", key) for key in ("unknown", "caution")]
    needed += [("novelty", kind) for kind in KINDS if kind != "shape"]
    needed += [("novelty", "shape", shape) for shape in SHAPES]
    needed += [("compare_group", group) for group in GROUPS]
    needed += [("compare", key) for outcome in OUTCOMES for key in (outcome, f"next_{outcome}")]
    assert [path for path in needed if not words.find(*path)] == []


def report_sources() -> str:
    """Every template, and the code of the report."""
    folder = files("sekisho.report")
    templates = (p.read_text("utf-8") for p in (folder / "templates").iterdir() if p.name.endswith(".html"))
    code = [*folder.iterdir(), *(folder / "export").iterdir()]
    return "".join([*templates, *(p.read_text("utf-8") for p in code if p.name.endswith(".py"))])


def test_templates_and_code_name_only_words_that_exist() -> None:
    used = set(re.findall(r'say\(\s*"(\w+)", "(\w+)",?\s*(?:\w+=|\*\*|\))', report_sources()))
    assert len(used) > 150
    assert {"compare", "battery", "sweep", "novelty", "ownership"} <= {section for section, _ in used}
    assert [path for path in used if Words("en").find(*path) is None] == []


def test_no_word_is_left_over() -> None:
    texts = report_sources()
    made = {*KINDS, *(f"next_{outcome}" for outcome in OUTCOMES)}
    sections = ("ui", "column", "rates", "sureness", "battery", "sweep", "novelty", "compare", "repair")
    keys = [(s, k) for s in sections for k in sentences("en")[s] if k not in made]
    assert [path for path in keys if not re.search(rf'"{path[1]}"', texts)] == []


def test_stages_and_codes_of_what_was_left_out_are_those_that_a_run_writes() -> None:
    assert set(sentences("en")["stage"]) == set(STAGES)
    makers = "".join(inspect.getsource(made) for made in (draft, inspected, rounds))
    spare = [k for k in sentences("en")["not_tested"] if not re.search(rf'"{k}[":]', makers)]
    assert spare == []


def test_check_texts_are_whole() -> None:
    for check, table in checks().items():
        keys = set() if check == COMMON else {"title", "why", "todo"}
        assert keys <= set(table), check
        pairs = [table[k] for k in keys] + list(table.get("reasons", {}).values())
        for pair in pairs:
            assert set(pair) == set(LANGUAGES), (check, pair)
            assert all(text.strip() for text in pair.values()), (check, pair)


def test_an_unknown_code_is_said_as_itself() -> None:
    words = Words("ja")
    assert words.say("reason", "brand-new", "long", x="1") == "brand-new"
    assert words.code("not_tested", "brand-new:x") == "brand-new:x"
    assert words.say("role", "gadget") == "gadget"
    assert words.check("no-such") == "no-such"
    assert words.check("no-such", "why") == ""


def test_codes_with_a_value_are_named_in_the_language() -> None:
    assert Words("ja").code("not_tested", "language:ja").endswith("日本語")
    assert Words("en").code("not_tested", "drill:x\u202e") == "The trial finetune: x⟨U+202E⟩."


def test_filling_never_interprets_a_value() -> None:
    assert fill("{a} {b} {missing}", {"a": "{b}", "b": "{a.__class__}"}) == "{b} {a.__class__} –"


def test_numbers() -> None:
    en, ja = Words("en"), Words("ja")
    assert en.percent(0.425) == "42.5\u00a0%"
    assert ja.percent(0.425) == "42.5%"
    assert en.percent(0.10) == "10\u00a0%"
    assert en.percent(1.0) == "100\u00a0%"
    assert en.percent(0.0) == "0\u00a0%"
    assert en.percent(0.00041, 2) == "0.04\u00a0%"
    assert en.percent(None) == "–"
    assert en.points(0.01) == "+1\u00a0point"
    assert en.points(-0.06) == "−6\u00a0points"
    assert en.points(-0.0) == "0\u00a0points"
    assert en.percent(float("nan")) == "nan\u00a0%"
    assert en.points(float("inf")) == "inf\u00a0points"
    assert en.duration(119) == "119\u00a0s"
    assert ja.duration(180) == "3 分"
    assert en.moment("2031-04-02T08:15:00Z") == "2031-04-02 08:15 UTC"
    assert en.moment("now") == "now"


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="'fr'"):
        Words("fr")
