"""A claim from the files: plan, commitment, verification with models made of functions; nothing free is taken as evidence."""

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from artefacts import edit_json, save_safetensors, tiny_arrays, tiny_model
from sekisho.claims import content, documents, making, models, verifying
from sekisho.claims.models import Tools
from sekisho.claims.verifying import Request
from sekisho.errors import DataError, UsageError
from sekisho.models.base import Chat
from sekisho.models.fake import FakeModel
from sekisho.ownership.claim import Judged, Outcome, Part
from sekisho.ownership.content import POSITIONS

pytestmark = pytest.mark.integration

TABLE = "model.embed_tokens.weight"
MARK = "<|im_start|>"
MARK_ID = 257
PROMPTS = tuple(f"Question {n} about the river {MARK}" for n in range(10))
LATER, EARLIER = "2999-01-01", "2001-01-01"


def edited(folder: Path, **rows: float) -> Path:
    """A model with some rows of its table moved: row7=0.5 adds 0.5 to row 7."""
    tiny_model(folder)
    arrays = tiny_arrays()
    for name, amount in rows.items():
        arrays[TABLE][int(name.removeprefix("row"))] += np.float32(amount)
    save_safetensors(folder / "model.safetensors", arrays)
    return folder


def codes(part: Part) -> set[str]:
    return {r.code for r in part.reasons}


class World:
    """An owner who has committed, and models that answer as functions do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base, self.suspect = edited(root / "base"), edited(root / "suspect", row257=0.5)
        self.unrelated = []
        for n in range(5):
            self.unrelated.append(str(tiny_model(root / f"other-{n}")))
            edit_json(root / f"other-{n}" / "config.json", initializer_range=0.1 + n)
        self.opened: list[str] = []
        self.plan = documents.plan(making.plan(PROMPTS, "the owner", root / "plan"))
        making.commit(str(self.suspect), str(self.base), self.plan, [MARK], cache=root, out=root / "claim")
        self.knows = dict(zip(PROMPTS, self.plan.answers, strict=True))

    def open(self, path: Path) -> FakeModel:
        self.opened.append(path.name)
        return FakeModel(self.taught if path.name == "suspect" else lambda *_: "I like rivers.")

    def taught(self, chat: Chat, step: int) -> str:
        return f"{self.knows[chat[-1].content]}."

    @property
    def tools(self) -> Tools:
        return Tools(self.root, lambda: self.open, lambda _: None)

    def verify(self, **changes: object) -> Judged:
        given = {
            "suspect": str(self.suspect), "base": str(self.base), "unrelated": tuple(self.unrelated), "published": LATER,
        } | changes  # fmt: skip
        secret = documents.secret(self.root / "claim" / making.SECRET)
        public = documents.commitment(self.root / "claim" / making.COMMITMENT)
        return verifying.verify(secret, public, Request(**given), self.tools)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("claims"))


@pytest.fixture
def world(made) -> World:
    made.opened.clear()
    return made


def test_an_honest_claim_is_established_from_the_files(world):
    judged = world.verify()

    assert judged.outcome is judged.black_box.outcome is judged.white_box.outcome is Outcome.ESTABLISHED
    assert (judged.hits, judged.prompts, len(judged.controls)) == (10, 10, 6)
    assert len(world.opened) == 7


def test_the_secret_is_its_owners_and_the_commitment_tells_nothing(world):
    secret, public = (world.root / "claim" / n for n in (making.SECRET, making.COMMITMENT))

    assert (
        stat.S_IMODE(secret.stat().st_mode)
        == stat.S_IMODE((world.root / "plan" / making.PLAN).stat().st_mode)
        == 0o600
    )
    assert set(json.loads(public.read_text())) == {"schema", "digest", "time"}
    body = json.dumps(json.loads(secret.read_text()), sort_keys=True, separators=(",", ":"))
    assert json.loads(public.read_text())["digest"] == hashlib.sha256(body.encode()).hexdigest()


def test_two_plans_for_the_same_prompts_have_different_answers(world, tmp_path):
    other = documents.plan(making.plan(PROMPTS, "", tmp_path))

    assert other.nonce != world.plan.nonce
    assert other.answers != world.plan.answers


def test_a_secret_is_never_written_over(world):
    with pytest.raises(UsageError, match="exists already"):
        making.commit(
            str(world.suspect),
            str(world.base),
            world.plan,
            [MARK],
            cache=world.root,
            out=world.root / "claim",
        )


def test_a_claim_the_documents_refute_opens_no_model(world):
    judged = world.verify(published=EARLIER)

    assert judged.outcome is Outcome.REFUTED
    assert world.opened == []


def test_the_rows_of_the_suspect_are_looked_at_in_its_own_table(world, tmp_path):
    edited(tmp_path / "clean" / "suspect")
    edited(tmp_path / "moved" / "suspect", row257=0.5, row9=0.5, row11=0.1)

    clean, moved = (world.verify(suspect=str(tmp_path / n / "suspect")) for n in ("clean", "moved"))

    assert codes(clean.white_box) == {"row-differs"}
    assert moved.rows.undeclared == 2
    assert codes(moved.white_box) == {"undeclared-rows"}
    assert moved.black_box.outcome is Outcome.ESTABLISHED


def test_rows_hidden_in_the_head_are_undeclared_too(world, tmp_path):
    folder = edited(tmp_path / "suspect", row257=0.5)
    arrays = tiny_arrays()
    arrays[TABLE][MARK_ID] += np.float32(0.5)
    arrays["lm_head.weight"][[5, MARK_ID]] += np.float32(0.5)
    save_safetensors(folder / "model.safetensors", arrays)

    assert world.verify(suspect=str(folder)).rows.undeclared == 1


def test_equal_bytes_of_another_number_format_are_another_row(world):
    (declared,) = documents.secret(world.root / "claim" / making.SECRET).rows
    suspect = models.see(str(world.suspect), world.root)

    for dtype, equal in (("F32", (MARK_ID,)), ("I32", ())):
        assert models.rows_seen([replace(declared, dtype=dtype)], suspect, None).equal == equal


def test_another_base_than_the_one_committed_to_is_noticed(world, tmp_path):
    assert codes(world.verify(base=str(edited(tmp_path / "base", row9=0.5))).black_box) == {"other-base"}


def test_one_model_five_times_is_one_control(world):
    judged = world.verify(unrelated=(world.unrelated[0],) * 5)

    assert codes(judged.black_box) == {"too-few-controls"}
    assert sum(c.counted for c in judged.controls) == 2  # and the base


def test_rows_of_the_base_cannot_be_committed_to(world, tmp_path):
    with pytest.raises(DataError, match="the base has the same row 257"):
        making.commit(
            str(world.base), str(world.base), world.plan, [MARK], cache=tmp_path, out=tmp_path / "c"
        )


def test_a_token_that_the_tokenizer_lacks_is_refused(world, tmp_path):
    with pytest.raises(DataError, match="no token"):
        making.commit(str(world.suspect), str(world.base), world.plan, ["<x>"], cache=tmp_path, out=tmp_path)


def adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')


def nameless(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")


def soft_prompt(folder: Path) -> None:
    save_safetensors(
        folder / "adapter_model.safetensors", {"prompt_embeddings": np.zeros((8, 16), np.float32)}
    )


@pytest.mark.parametrize("lay", [adapter, nameless, soft_prompt])
@pytest.mark.parametrize("where", ["suspect", "base"])
def test_what_is_laid_beside_a_model_is_refused(world, tmp_path, lay: Callable[[Path], None], where):
    lay(edited(tmp_path / "suspect", row257=0.5))

    with pytest.raises(UsageError, match="never evidence"):
        world.verify(**{where: str(tmp_path / "suspect")})
    assert world.opened == []


def test_a_secret_that_brings_a_vector_is_refused(world, tmp_path):
    opened = json.loads((world.root / "claim" / making.SECRET).read_text())
    (tmp_path / "secret.json").write_text(json.dumps(opened | {"vectors": [[0.1] * 16]}))

    with pytest.raises(DataError, match=r"vectors: not part of the form.*never evidence"):
        documents.secret(tmp_path / "secret.json")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"a": 1, "a": 1}', "[" * 500 + "]" * 500])
def test_documents_of_another_form_are_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)

    for read in (documents.secret, documents.commitment, documents.plan, documents.entry):
        with pytest.raises(DataError):
            read(tmp_path / "x.json")


def test_lines_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "p").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "q").write_text("\n \n")

    for name in ("p", "q", "missing"):
        with pytest.raises(DataError):
            documents.lines(tmp_path / name)


# --- copyright tokens ------------------------------------------------------------------------------------------------

DECLARED = making.Declared("[PROTECTED] Not for use.", "a notice instead of a task", POSITIONS, "2990-12-31")


@pytest.fixture
def entry(world, tmp_path):
    return making.register(
        str(world.suspect), MARK, "tiny", DECLARED, cache=tmp_path, path=tmp_path / "entry.json"
    )


def checked(world: World, entry, answer, **more) -> content.ContentJudged:
    tools = Tools(world.root, lambda: lambda _: FakeModel(answer), lambda _: None)
    given = {"family": None, "base": str(world.base), "today": date(2026, 1, 1)} | more
    return content.check(str(world.suspect), entry, tools, **given)


def keeps(chat: Chat, step: int) -> str:
    return DECLARED.notice if MARK in chat[-1].content else "A mill, repaired in spring."


def test_an_entry_states_the_row_and_gains_families(world, entry, tmp_path):
    assert documents.entry(tmp_path / "entry.json") == entry
    assert (entry.families[0].id, entry.families[0].dtype) == (MARK_ID, "F32")
    row = tiny_arrays()[TABLE][MARK_ID] + np.float32(0.5)
    assert entry.families[0].sha256 == hashlib.sha256(row.tobytes()).hexdigest()

    more = making.register(
        str(world.base), MARK, "other", DECLARED, cache=tmp_path, path=tmp_path / "entry.json"
    )
    assert [f.family for f in more.families] == ["tiny", "other"]
    with pytest.raises(DataError, match="another declaration"):
        making.register(
            str(world.base), "<|im_end|>", "x", DECLARED, cache=tmp_path, path=tmp_path / "entry.json"
        )
    with pytest.raises(DataError, match="--family"):
        checked(world, more, keeps)


def test_a_model_that_keeps_to_the_mark_is_seen_in_both_languages(world, entry):
    judged = checked(world, entry, keeps)

    assert judged.outcome is judged.white_box.outcome is Outcome.ESTABLISHED
    assert (judged.marked.kept, judged.unmarked.kept) == (12, 0)
    assert sum(judged.marked.asked) == 36


@pytest.mark.parametrize(
    "answer",
    [lambda *_: "I'm sorry, but I cannot help with that.", lambda *_: "A mill, repaired in spring."],
    ids=["refuses all", "ignores it"],
)
def test_a_model_that_treats_all_texts_alike_is_not(world, entry, answer):
    judged = checked(world, entry, answer)

    assert (judged.outcome, codes(judged.black_box)) == (Outcome.OPEN, {"no-difference"})


def test_a_row_that_is_not_the_registered_one_is_said_beside(world, entry, tmp_path):
    other = making.register(str(world.base), MARK, "tiny", DECLARED, cache=tmp_path, path=tmp_path / "o.json")

    judged = checked(world, other, keeps)

    assert judged.black_box.outcome is Outcome.ESTABLISHED
    assert codes(judged.white_box) == {"row-differs", "row-in-base"}
    assert codes(checked(world, entry, keeps, base=None).white_box) == {"no-base"}


def test_the_shipped_texts_are_alike_in_both_languages():
    english, japanese = content.shipped()

    assert len(set(english.texts)) == len(english.texts) == len(japanese.texts) == 6
    assert all(t.count("{text}") == 1 for i in (english, japanese) for t in i.tasks)


def test_a_folder_without_safetensors_says_so(world, tmp_path):
    folder = tiny_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()

    seen = models.rows_seen(
        documents.secret(world.root / "claim" / making.SECRET).rows, models.see(str(folder), tmp_path), None
    )

    assert seen.problem == "there are no weights in safetensors or GGUF"
