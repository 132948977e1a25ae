"""Each reader gets what is theirs: everybody the same facts, the supplier nothing of ours, nobody a pass for provenance."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from checklist import samples
from report import sample
from sekisho.checklist import engine, items
from sekisho.checklist.sources import Sources
from sekisho.errors import UsageError
from sekisho.records import Decision, Dossier, Outcome, Severity, Verdict
from sekisho.report import checklist, views
from sekisho.report.views import glossary, meeting, supplier
from sekisho.report.views.document import Bullets, Mark
from sekisho.report.views.facts import matter
from sekisho.report.words import LANGUAGES, checks, part

NOW = datetime(2031, 5, 1, tzinfo=UTC)
EVERY = [(v, la, f) for v in views.VIEWS for la in LANGUAGES for f in views.ENDINGS]
PARTS = ("views", "checklist")
QUESTIONS = 7


def sources(dossier: Dossier) -> Sources:
    return Sources("ab" * 32, NOW, dossier)


def pairs(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for key, value in table.items():
        if set(value) & {"en", "ja"} and isinstance(next(iter(value.values())), str):
            yield f"{path}.{key}", value
        else:
            yield from pairs(value, f"{path}.{key}")


@pytest.mark.parametrize("name", PARTS)
def test_every_id_has_both_languages_and_the_same_names(name: str) -> None:
    found = dict(pairs(part(name)))
    assert len(found) > 80
    for key, pair in found.items():
        assert set(pair) == set(LANGUAGES), key
        names = [set(re.findall(r"\{[a-z_]+\}", pair[la])) for la in LANGUAGES]
        assert names[0] == names[1], key
        assert all(text.strip() for text in pair.values()), key
        assert "(" not in pair["ja"], key
        assert ", " not in pair["ja"], key


def test_the_glossary_explains_at_least_twenty_words_in_one_sentence_each() -> None:
    assert len(glossary.table()) >= 20
    for word, texts in glossary.table().items():
        assert set(texts) == set(LANGUAGES), word
        for language in LANGUAGES:
            assert set(texts[language]) == {"name", "forms", "says"}, word
            assert texts[language]["forms"], word
        assert len(texts["en"]["says"]) < 130, word
        assert texts["ja"]["says"].endswith("。"), word


def test_words_are_found_whole_and_the_longest_first() -> None:
    assert list(glossary.pieces("a trial finetune, pilots", "en")) == [
        ("a ", ""), ("trial finetune", "trial-finetune"), (", pilots", ""),
    ]  # fmt: skip
    assert [w for _, w in glossary.pieces("試行ファインチューニングの署名", "ja") if w] == [
        "trial-finetune",
        "signature",
    ]


def code() -> str:
    folder = files("sekisho.report")
    modules = [*(folder / "views").iterdir(), folder / "checklist.py", folder / "templates" / "view.html"]
    return "".join(p.read_text("utf-8") for p in modules if p.name.endswith((".py", ".html")))


def test_code_names_only_sentences_that_exist_and_none_is_left_over() -> None:
    text = code()
    named = set(re.findall(r'say\(\s*"(\w+)\.([\w-]+)"', text))
    assert len(named) > 40
    assert [k for k in named if k[1] not in part("views")[k[0]]] == []
    made = {f"C{n:02d}" for n in range(1, 28)} | {f"q{n}" for n in range(1, QUESTIONS + 1)}
    table = {(s, k) for s, keys in part("views").items() for k in keys if s != "scope"}
    assert [k for k in table if k[1] not in made and not re.search(rf"\b{re.escape(k[1])}\b", text)] == []


def test_no_word_of_the_checklist_is_left_over() -> None:
    folder = files("sekisho")
    used = [folder / "cli_checklist.py", folder / "report" / "checklist.py"]
    used += [p for p in (folder / "report" / "views").iterdir() if p.name.endswith(".py")]
    text = "".join(p.read_text("utf-8") for p in used)
    named = set(re.findall(r'"ui", "(\w+)"', text)) | {"by_hand_none"}
    assert set(checklist.sentences()["ui"]) - named == set()


def test_every_way_an_item_can_be_said_has_a_sentence() -> None:
    folder = files("sekisho.checklist")
    texts = [(folder / "engine.py").read_text("utf-8")]
    texts += [p.read_text("utf-8") for p in (folder / "filling").iterdir() if p.name.endswith(".py")]
    said = set(re.findall(r'(?:yes|no|unknown|_said|make)\(\s*"([a-z-]+)"', "".join(texts)))
    assert len(said) > 50
    known = set(checklist.sentences()["said"])
    assert said - known - {"yes"} == set()


def test_all_27_items_have_a_short_name() -> None:
    assert {i.id for i in items.load()} <= set(part("views")["item"]) | {"C02", "C03"}


@pytest.mark.parametrize(("view", "language", "form"), EVERY)
@pytest.mark.parametrize("made", ["whole", "reject", "hold", "static"])
def test_every_view_of_every_sample_is_written(view: str, language: str, form: str, made: str) -> None:
    found = {
        "whole": samples.whole(NOW), "reject": sources(sample.reject()), "hold": sources(sample.hold()),
        "static": sources(sample.static_only()),
    }[made]  # fmt: skip
    text = views.render(view, found, form, language)
    assert text.endswith("\n")
    assert not re.search(
        r"\b(?:line|question|item|field|ui|head|view|tag|ask)\.[a-z]",
        re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL),
    )
    if language == "ja" and view != "auditor":  # whose ids are not translated
        shown = re.sub(r"<[^>]*>", "", text.partition("</style>")[2] or text).replace("unknown）", "")
        assert "unknown" not in shown.replace("unknown)", "")


def test_another_view_form_or_language_is_refused_and_so_is_a_model_without_a_dossier() -> None:
    whole = samples.whole(NOW)
    for arguments in (("board", whole), ("management", whole, "pdf"), ("management", whole, "html", "fr")):
        with pytest.raises(UsageError):
            views.render(*arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no dossier"):
        views.render("management", Sources("ab" * 32, NOW))


def lines(found: Sources) -> dict[int, tuple[Any, ...]]:
    return {t.number: t.lines for t in meeting.topics(matter(found, "en"))}


def test_seven_questions_and_what_is_not_known_is_marked_unknown() -> None:
    bare = lines(sources(sample.static_only()))
    assert list(bare) == list(range(1, QUESTIONS + 1))
    for number in range(1, QUESTIONS + 1):
        assert any(x.mark is Mark.UNKNOWN for x in bare[number]), number


def test_with_everything_on_file_nothing_is_unknown() -> None:
    full = lines(samples.whole(NOW))
    assert [x.text for found in full.values() for x in found if x.mark is not Mark.FACT] == []
    text = views.render("management", samples.whole(NOW), "markdown")
    text = re.sub(r"\\(?=\W)", "", text)
    facts = (
        "hf:example-lab/small",
        samples.COMMIT,
        "10 people",
        "2031-07-31",
        "no advert in 30 days",
        "ext. 12",
        "clauses 7 and 8",
    )
    assert [f for f in facts if f not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_provenance_is_never_shown_as_a_pass(language: str) -> None:
    page = views.render("management", samples.whole(NOW), "html", language)
    first = page[page.index('id="q1"') : page.index('id="q2"')]
    assert 'class="good"' not in first
    assert "s-good" not in first
    assert not {m.value for m in Mark} & {"good", "pass", "yes"}
    held = dataclasses.replace(samples.clean(), verdict=Verdict(Decision.HOLD, ()))
    assert "s-good" not in views.render("management", sources(held), "html", language).partition("</svg>")[2]


def test_the_supplier_learns_of_their_files_and_of_nothing_else() -> None:
    dossier = dataclasses.replace(
        sample.reject(), exceptions=(("suppressions", "ee" * 32),), novelty=(sample.opening(), sample.stuck())
    )
    secrets = {
        dossier.provenance.name, dossier.provenance.base, dossier.provenance.base_identity, dossier.policy_digest,
        dossier.plan_digest, sample.BRAND, sample.FULL, "Worked sums", "REJECT", "拒否", "afternoon", "午後", "torch",
        "By the way", "suzuki", "sato", "abe", "internal", "10 people", "standard",
    }  # fmt: skip
    found = dataclasses.replace(samples.whole(NOW), dossier=dossier)
    for language in LANGUAGES:
        for form in views.ENDINGS:
            text = views.render("supplier", found, form, language).partition("</style>")[2] or views.render(
                "supplier", found, form, language
            )
            assert [s for s in secrets if re.search(rf"(?<![\w-]){re.escape(s)}(?![\w-])", text)] == []
            assert "d2" * 32 in text
            assert "SKS-SER-001" in text
    operator = views.render("operator", found, "markdown")
    assert sample.BRAND in operator, "the samples hold what the supplier must not see"


def test_a_check_that_compares_or_that_is_new_is_not_told_to_the_supplier() -> None:
    bad = {"severity": Severity.REJECT}
    told = sample.finding("secrets", Outcome.FAIL, reason="secret", where="a.json", **bad)
    hidden = [
        sample.finding("weights-delta", Outcome.FAIL, reason="rows-changed", **bad),
        sample.finding("token-sweep", Outcome.FAIL, reason="harmful", **bad),
        sample.finding("brand-new-check", Outcome.FAIL, reason="x", **bad),
        sample.finding("chat-template", Outcome.FAIL, reason="text-added", **bad),
        sample.finding("card-facts", Outcome.FAIL, reason="x", facts=(("found", "smollm2-135m"),), **bad),
        sample.finding("secrets", Outcome.FAIL, Severity.NOTE, reason="more"),
    ]
    dossier = dataclasses.replace(sample.reject(), findings=(told, *hidden))
    shown = supplier.told(matter(sources(dossier), "en"))
    assert [x.finding for x in shown] == [told]


def test_reasons_that_speak_of_another_model_are_all_named() -> None:
    texts = {c: t.get("reasons", {}) for c, t in checks().items() if c in supplier.TOLD}
    assert set(texts) == supplier.TOLD
    base = re.compile(r"\bbases?(?:'s)?\b")
    paired = {r for reasons in texts.values() for r, pair in reasons.items() if base.search(pair["en"])}
    own = {"base", "bases-contradict", "plain"}  # what their own card and adapter say of their own original
    assert paired - supplier.PAIRED == own


def test_the_auditor_sees_every_digest_in_full() -> None:
    found = samples.whole(NOW)
    assert found.dossier is not None
    text = views.render("auditor", found, "html")
    wanted = [f.sha256 for f in found.dossier.files] + [
        found.dossier.policy_digest,
        found.dossier.plan_digest,
    ]
    wanted += [e.digest for e in found.entries or ()] + [d.data_digest for d in found.dossier.drills]
    assert [w for w in wanted if w not in text] == []
    assert all(r.item.id in text for r in engine.fill(found).results)


def test_nothing_of_a_model_is_markup_in_any_view() -> None:
    for view, language, form in EVERY:
        text = views.render(view, sources(sample.hostile()), form, language)
        spans = re.sub(r"`+[^`]*`+", "", text) if form == "markdown" else text
        assert "<script" not in spans, (view, form)
        assert "\u202e" not in text, (view, form)
        assert "\x1b" not in text, (view, form)


class Page(HTMLParser):
    """Collects ids, references and the attributes that would reach out."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.wanted |= {
            given[k].removeprefix("#") for k in ("aria-describedby", "aria-labelledby") if k in given
        }
        self.wanted |= {given["href"].removeprefix("#")} if given.get("href", "").startswith("#") else set()
        self.out += [
            v for k, v in given.items() if k in ("src", "action") or (k == "href" and not v.startswith("#"))
        ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", list(views.VIEWS))
def test_a_page_reaches_out_to_nothing_and_its_links_lead_somewhere(view: str, language: str) -> None:
    page = Page()
    page.feed(views.render(view, samples.whole(NOW), "html", language))
    assert page.out == []
    assert len(page.ids) == len(set(page.ids))
    assert page.wanted <= set(page.ids)


def test_the_page_is_made_for_paper_and_for_japanese() -> None:
    css = (files("sekisho.report") / "templates" / "view.css").read_text("utf-8")
    for rule in (
        "size: A4",
        "counter(page)",
        "line-break: strict",
        "word-break: normal",
        "Hiragino Sans",
        "Yu Gothic",
        "IPAexGothic",
        "Noto Sans CJK JP",
    ):
        assert rule in css, rule


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_ink_stands_out_from_its_paper() -> None:
    css = (files("sekisho.report") / "templates" / "style.css").read_text("utf-8")
    palettes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{[^}]*\}", css)
    ]
    assert len(palettes) == 3
    for palette in palettes:
        paper = luminance(palette["paper"])
        for ink in ("ink", "soft", "link", "good", "caution", "bad", "unknown"):
            dark, light = sorted((luminance(palette[ink]), paper))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, palette)


def test_a_mark_is_a_word_and_a_shape() -> None:
    page = views.render("management", sources(sample.static_only()), "html")
    assert re.search(r'tag-unknown"><svg[^>]*><use href="#s-unknown"/></svg>unknown</span>', page)
    assert r"**\[unknown\]**" in views.render("management", sources(sample.static_only()), "markdown")


def test_the_agenda_can_be_read_aloud_and_signed() -> None:
    for language in LANGUAGES:
        text = views.render("agenda", sources(sample.hold()), "markdown", language)
        assert [n for n in range(1, QUESTIONS + 1) if f"## {n}. " not in text] == []
        assert part("views")["ask"]["q7"][language] in text
        assert r"\_\_\_" in text


def test_the_checklist_is_a_page_too() -> None:
    found = samples.whole(NOW)
    for form in views.ENDINGS:
        text = views.checked_page(found, engine.fill(found, "deep"), form, "ja")
        assert all(i.text("question", "ja")[:8] in text for i in items.load())


def test_blocks_of_lines_are_what_topics_are_made_of() -> None:
    topics = meeting.topics(matter(samples.whole(NOW), "en"))
    assert all(any(isinstance(b, Bullets) for b in t.blocks) for t in topics)
