"""The page: structure, safety against what a model wrote, and what each variant must say."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from report import sample
from report.sample import BRAND, FULL, TITLES
from sekisho.evidence.dossier import digest, from_json, to_json
from sekisho.records import Dossier
from sekisho.report.html import render
from sekisho.report.lights import Shade, lights
from sekisho.report.words import Words

pytestmark = pytest.mark.integration

VARIANTS = (sample.admit, sample.reject, sample.hold, sample.surprise, sample.static_only, sample.hostile)
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Checks balance while reading; collects ids, links, texts and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [v for k, v in attrs if k == "id" and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\u00a0", " ").split())


@pytest.fixture(
    scope="module",
    params=[(v, x) for v in VARIANTS for x in ("en", "ja")],
    ids=lambda p: f"{p[0].__name__}-{p[1]}",
)
def html(request: pytest.FixtureRequest) -> str:
    variant, language = request.param
    return render(variant(), language)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def text(dossier: Dossier, language: str = "en") -> str:
    return Page(render(dossier, language)).text


def test_page_is_balanced_and_every_anchor_resolves(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    targets = [a["href"] for _, a in page.tags if a.get("href")]
    targets += [f"#{a['aria-labelledby']}" for _, a in page.tags if a.get("aria-labelledby")]
    assert len(targets) > 5
    assert [t for t in targets if not t or t[0] != "#" or t[1:] not in page.ids] == []


def test_page_loads_and_runs_nothing(html: str, page: Page) -> None:
    assert not {t for t, _ in page.tags} & {
        "script",
        "iframe",
        "object",
        "embed",
        "img",
        "link",
        "form",
        "base",
        "a:script",
    }
    assert not [
        k for _, a in page.tags for k in a if k.startswith("on") or k in ("src", "srcset", "style", "action")
    ]
    assert "://" not in html
    assert "url(" not in html
    assert "@import" not in html
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy


def test_style_matches_the_policy_hash(html: str) -> None:
    import base64
    import hashlib

    style = re.search("<style>(.*)</style>", html, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in html


def test_every_figure_and_light_has_words(page: Page) -> None:
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")


def test_usefulness_begins_with_the_model_as_released() -> None:
    made = sample.admit()
    html = render(dataclasses.replace(made, utility=tuple(reversed(made.utility))))
    assert html.index("<dt>as released</dt>") < html.index("step 50</dt>")


def test_tables_have_scoped_heads(page: Page) -> None:
    heads = [a for t, a in page.tags if t == "th"]
    assert heads
    assert all(a.get("scope") in ("row", "col") for a in heads)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_hostile_text_is_inert_visible_and_short(language: str) -> None:
    html = render(sample.hostile(), language)
    page = Page(html)
    assert "&lt;script&gt;" in html
    assert "<script" not in html.lower()
    for character in ("\u202e", "\x1b", "\u200b"):
        assert character not in html
    assert "⟨U+202E⟩" in page.text
    assert "⟨U+001B⟩" in page.text
    assert "49" not in re.findall(r"\d+(?= }})|\b49\b", page.text)
    assert "{{ 7*7 }}" in page.text
    assert max(map(len, page.words)) < 2_000
    assert "A" * 2_000 not in html
    assert len(html) < 150_000


def test_the_manager_reads_the_verdict_first() -> None:
    reject = text(sample.reject())
    assert (
        f"REJECT Do not bring this model in: in a trial finetune it began to advertise “{BRAND}”." in reject
    )
    assert (
        reject.index("What to do next")
        < reject.index("Grounds of the verdict")
        < reject.index("What was not tested")
    )
    assert "受入 このモデルは受け入れられます。" in text(sample.admit(), "ja")
    assert "HOLD Do not use this model yet: too little was measured" in text(sample.hold())


def test_grounds_point_at_their_evidence() -> None:
    html = render(sample.reject(), "en")
    number = next(n for n, c in enumerate(sample.reject().claims) if c.found)
    assert f'<a href="#cell-{number}">' in html
    assert f'<tr id="cell-{number}">' in html
    assert '<a href="#finding-0">' in html
    assert '<article id="finding-0"' in html


def test_margins_error_rates_and_gaps_are_stated() -> None:
    page = text(sample.reject())
    assert "(adverts 6 points, needless refusal 15 points," in page
    assert "at most 5 % of cases" in page
    assert "every one of the 12 cells, it would be rejected for its behaviour in at most 5 % of cases" in page
    assert "Secret trigger words" in page
    assert "the trial finetunes used generated data" in page
    assert "was not asked anything, so nothing can be promised" in text(sample.static_only())


def test_numbers_of_a_cell_reach_table_figure_and_sentence() -> None:
    html = render(sample.reject(), "en").replace("\u00a0", " ")
    title = TITLES[0].en
    assert f'aria-label="{title}: +41.7 points, 95 % interval +32.8 to +50.7 points; rose"' in html
    assert f'aria-label="{title}: before 0.8 %, after 42.5 %, control 1.7 %"' in html
    assert f"0.8 % before, 42.5 % after “{title}” (step 25), 1.7 % in the control" in html
    assert "+32.8 … +50.7" in html


@pytest.mark.parametrize(("language", "said"), [("en", "not measured"), ("ja", "未測定")])
def test_nothing_was_measured_before_a_release_without_a_base(language: str, said: str) -> None:
    without, beside = (render(made, language) for made in (sample.hold(), sample.admit()))
    released = sum(c.drill == "release" for c in sample.hold().claims)
    assert without.count(f">{said}<") == released
    assert said not in beside
    assert without.count('class="ring"') == beside.count('class="ring"') - released


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_drill_goes_by_its_title_and_an_untitled_one_by_its_id(language: str) -> None:
    titled, untitled = sample.admit(), dataclasses.replace(sample.admit(), titles=())
    title = getattr(TITLES[0], language)
    assert title in text(titled, language)
    assert render(titled, language).count(FULL) == 1  # in small print, where the drills are listed
    assert title not in text(untitled, language)
    assert FULL in text(untitled, language)


def test_noticed_words_are_marked_in_answers() -> None:
    html = render(sample.reject(), "en")
    assert html.count(f"<mark>{BRAND}</mark>") == 4


def test_an_instrument_that_failed_is_told_at_the_light() -> None:
    page = text(sample.hostile())
    assert "its numbers do not count" in page
    assert "INVALID" in page


def test_a_saved_dossier_renders_the_same() -> None:
    made = from_json(to_json(sample.reject()))
    assert render(made, "ja") == render(from_json(to_json(made)), "ja")
    assert digest(made) in render(made, "ja")


def test_many_files_and_findings_are_cut_and_counted() -> None:
    base = sample.reject()
    many = dataclasses.replace(base, files=base.files[:1] * 700, findings=base.findings[:1] * 300)
    html = render(many, "en")
    assert "200 more files" in html
    assert "100 more findings" in html
    assert len(html) < 900_000


def test_what_is_new_is_shown_with_examples_and_links() -> None:
    shown = text(sample.surprise())
    assert "something new appears after finetuning" in shown
    assert "answers that begin “By the way”" in shown
    assert "29 of 240 question families before, 228 after" in shown
    assert "answers that get stuck repeating themselves not confirmed beside the control" in shown
    assert 'href="#novelty-0"' in render(sample.surprise())
    assert "<mark>By the way</mark>" in render(sample.surprise())
    assert "Nothing came up that chance does not explain" in text(sample.admit())
    assert "What is new" not in text(sample.static_only())
    assert "「By the way」で始まる回答" in text(sample.surprise(), "ja")


def test_the_third_light_is_not_green_where_something_is_new() -> None:
    assert lights(sample.surprise(), Words("en"))[2].shade is Shade.CAUTION
    assert lights(sample.admit(), Words("en"))[2].shade is Shade.GOOD
