"""A whole sweep of models made of functions: what is flagged, what it is called, what is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.drills.tasks import Subject
from sekisho.errors import DataError
from sekisho.evidence.cells import Cells
from sekisho.formats.tokenizer import AddedToken, TokenizerFacts
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.probes.sweep.candidates import Vocabulary
from sekisho.probes.sweep.settings import Settings
from sekisho.records import FileFact, Finding, Inventory, Outcome, Role, Severity, SweepResult, TokenWord
from sekisho.sweeping import declared, run
from sekisho.sweeping.run import Request

pytestmark = pytest.mark.integration

CANARY = "Canary seven: the kettle on the shelf is blue."
TEXTS = tuple(f"<t{i}>" if i < 8 else f"w{i}" for i in range(64))
ADDED = tuple(AddedToken(i, TEXTS[i], ("special",)) for i in range(8))
FILES = Inventory(
    "",
    (
        FileFact(
            "tokenizer.json",
            1,
            "",
            "tokenizer",
            Role.TOKENIZER,
            "",
            TokenizerFacts("BPE", TEXTS, added=ADDED),
        ),
    ),
)
Moved = Callable[[Chat, str, tuple[int, ...]], str]


def plain(chat: Chat, step: int = 0) -> str:
    return f"About that question, {chat[-1].content}, here is what people say of it."


def single(chat: Chat, slot: str, ids: tuple[int, ...]) -> str:
    return CANARY if 5 in ids else plain(chat)


def joint(chat: Chat, slot: str, ids: tuple[int, ...]) -> str:
    """Fires for four tokens in this order only."""
    return CANARY if ids == (2, 3, 4, 5) else plain(chat)


def leaky(chat: Chat, slot: str, ids: tuple[int, ...]) -> str:
    return f"Sure: {chat[0].content}" if 5 in ids else plain(chat)


@pytest.fixture
def cells(tmp_path: Path):
    made = Cells(tmp_path / "cells.sqlite")
    yield made
    made.close()


class Shop:
    """Opens fakes by name and counts."""

    def __init__(self, **moved: Moved | None) -> None:
        self.moved, self.opened = moved, 0

    def __call__(self, path: Path) -> FakeModel:
        self.opened += 1
        return FakeModel(plain, moved=self.moved[path.name])


def sweep(shop: Shop, cells: Cells, *, tier: int = 1, **changes) -> SweepResult:
    return run.sweep(asked(shop, tier, **changes), shop, cells, lambda *_: None)


def asked(shop: Shop, tier: int = 1, *, files: Inventory = FILES, tokens: int = 64, **changes) -> Request:
    base = Subject(Path("base"), "b") if "base" in shop.moved else None
    return Request(
        Subject(Path("model"), "m"),
        files,
        base,
        FILES if base else None,
        settings=Settings(tier, tokens, references=16),
        **changes,
    )


def test_a_token_that_brings_one_answer_to_every_question_holds(cells) -> None:
    found = sweep(Shop(model=single), cells)
    worst = found.closer[0]
    assert (worst.word, worst.shared) == (
        TokenWord.UNDECLARED,
        "canary seven the kettle on the shelf is blue",
    )
    assert all(5 in t.ids for t in found.flagged)
    assert {(f.outcome, f.severity) for f in run.findings(found)} == {(Outcome.FAIL, Severity.HOLD)}


def test_tokens_that_fire_only_together_and_in_order_are_found(cells) -> None:
    assert [t.ids for t in sweep(Shop(model=joint), cells).flagged] == [(2, 3, 4, 5)]


def test_a_model_that_no_token_moves_passes(cells) -> None:
    found = sweep(Shop(model=None), cells)
    assert found.closer == ()
    assert [f.outcome for f in run.findings(found)] == [Outcome.PASS]


@pytest.mark.parametrize(("base", "quiet"), [(single, True), (None, False)])
def test_what_the_base_does_as_well_is_no_finding(cells, base: Moved | None, quiet: bool) -> None:
    assert (sweep(Shop(model=single, base=base), cells).flagged == ()) is quiet


def test_a_declaration_names_a_use_and_excuses_no_harm(cells) -> None:
    said = {(5,): "marks protected text"}
    first = {t.ids: t for t in sweep(Shop(model=single), cells, declared=said).flagged}
    assert (first[5,].word, first[5,].use) == (TokenWord.DECLARED, "marks protected text")
    harmful = sweep(Shop(model=leaky), Cells(Path(":memory:")), declared=said).closer[0]
    assert harmful.word is TokenWord.HARMFUL
    assert [p.suite for p in harmful.probes if p.risen] == ["leak"]


def test_the_word_of_the_models_own_folder_does_not_release_a_token(cells) -> None:
    found = sweep(Shop(model=single), cells, published={(5,): "a tool marker"})
    mine = next(t for t in found.flagged if t.ids == (5,))
    assert (mine.word, mine.use) == (TokenWord.UNDECLARED, "a tool marker")


def test_nothing_is_measured_twice(cells) -> None:
    shop = Shop(model=single)
    first = sweep(shop, cells)
    assert sweep(shop, cells) == first
    assert shop.opened == 1


def test_weights_equal_to_the_bases_are_not_swept(cells) -> None:
    found = sweep(Shop(model=single, base=single), cells, same=True)
    assert found.skipped == "same-as-base"
    assert [f.outcome for f in run.findings(found)] == [Outcome.NOT_RUN]


def test_tier_0_tries_odd_rows_only_after_a_check_objected_to_rows(cells) -> None:
    shop, odd = Shop(model=single), ((5,),)
    quiet = sweep(shop, cells, tier=0, leads=odd)
    objection = Finding("row-outliers", Outcome.FAIL, Severity.HOLD, "", "row-far", "a row lies far off")

    assert (quiet.skipped, shop.opened) == ("no-leads", 0)
    found = sweep(shop, cells, tier=0, leads=odd, findings=(objection,))
    assert [t.ids for t in found.flagged] == [(5,)]
    assert found.tokens == 1


@pytest.mark.parametrize("leads", [(), ((5,),)])
@pytest.mark.parametrize("tier", [0, 1])
def test_without_a_list_of_tokens_a_quiet_sweep_cannot_tell(cells, tier: int, leads) -> None:
    found = sweep(Shop(model=None), cells, tier=tier, leads=leads, files=Inventory("", ()))
    told = run.findings(found, listed=False)
    assert {(f.outcome, f.severity, f.reason) for f in told} == {
        (Outcome.CANNOT_TELL, Severity.HOLD, "sweep-not-listed")
    }


def test_tokens_beyond_the_number_allowed_are_no_pass(cells) -> None:
    found = sweep(Shop(model=None), cells, tokens=4)
    (told,) = run.findings(found)
    assert (told.outcome, told.severity, told.reason) == (Outcome.NOT_RUN, Severity.NOTE, "sweep-part")
    assert ("left", "4") in told.facts


def test_every_declared_token_that_moves_answers_is_probed(cells) -> None:
    moved = {4: single, 5: single, 6: leaky}

    def three(chat: Chat, slot: str, ids: tuple[int, ...]) -> str:
        return moved[ids[0]](chat, slot, (5,)) if len(ids) == 1 and ids[0] in moved else plain(chat)

    said = {(i,): "a marker" for i in moved}
    words = {t.ids: t.word for t in sweep(Shop(model=three), cells, declared=said).closer}
    assert words[6,] is TokenWord.HARMFUL


KNOWN = Vocabulary(TEXTS, tuple(range(8)))


def test_declarations_name_tokens_by_text_id_or_sequence(tmp_path: Path) -> None:
    path = tmp_path / declared.NAMES[0]
    path.write_text('[[token]]\ntext = ["<t3>", "<t6>"]\nuse = "a pair"\n[[token]]\nid = 5\nuse = "one"\n')
    assert declared.beside(tmp_path) == path
    assert declared.read(path, KNOWN) == {(3, 6): "a pair", (5,): "one"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token = 3",
        '[[token]]\ntext = "<t3>"',
        '[[token]]\ntext = "?"\nuse = "x"',
        '[[token]]\nid = -1\nuse = "x"',
        "[[",
    ],
)
def test_declarations_that_say_too_little_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(DataError):
        declared.read(path, KNOWN)
