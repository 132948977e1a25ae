"""The quiz and its way into the checklist: a pass is marked again by whoever reads it."""

import io
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checklist import samples
from sekisho import cli, standing
from sekisho.checklist import engine
from sekisho.checklist.sources import Answer, Sources
from sekisho.errors import UsageError
from sekisho.ledger import book
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.lessons import quiz, reading

COURSE = reading.load()
NOW = datetime(2027, 1, 31, tzinfo=UTC)
MODEL = "ab" * 32


def _wrong(count: int) -> str:
    letters = list(COURSE.right)
    for at in range(count):
        letters[at] = next(x for x in reading.LETTERS if x != COURSE.right[at])
    return "".join(letters)


@pytest.mark.parametrize(("wrong", "passed"), [(0, True), (2, True), (3, False), (14, False)])
def test_twelve_of_fourteen_pass(wrong: int, passed: bool) -> None:
    made = quiz.mark(_wrong(wrong), COURSE)

    assert (made.right, made.of, made.passed) == (14 - wrong, 14, passed)
    assert made.wrong == tuple(range(1, wrong + 1))


def test_letters_from_paper_may_have_spaces_hyphens_and_capitals() -> None:
    text = f"{COURSE.right[:5].upper()} - {COURSE.right[5:]}"

    assert quiz.mark(text, COURSE).right == 14


@pytest.mark.parametrize("answers", ["", "abc", "x" * 14, "a" * 15])
def test_other_letters_are_refused(answers: str) -> None:
    with pytest.raises(UsageError, match="14 letters"):
        quiz.mark(answers, COURSE)


def test_a_failed_quiz_is_not_written_down() -> None:
    with pytest.raises(UsageError, match="no pass"):
        quiz.draft("Mori", quiz.mark(_wrong(3), COURSE), COURSE, "en")


def _c27(tmp_path: Path, *drafts: Draft) -> engine.Result:
    with closing(book.open_ledger(str(tmp_path / "ledger.sqlite"))) as ledger:
        asked = {"name": "m", "source": "hf:a/b", "purpose": "p"}
        ledger.append(Draft("Mori", Kind.MODEL_REGISTERED, MODEL, asked))
        ledger.append(Draft("Mori", Kind.STATE_CHANGE, MODEL, {"to": "requested"}))
        for draft in drafts:
            ledger.append(draft)
        found = Sources(MODEL, NOW, entries=standing.about(ledger, MODEL), lessons=standing.lessons(ledger))
    return engine.fill(found, "deep").of("C27")


def _pass(name: str) -> Draft:
    return quiz.draft(name, quiz.mark(COURSE.right, COURSE), COURSE, "ja")


def test_the_requesters_pass_fills_c27(tmp_path: Path) -> None:
    result = _c27(tmp_path, _pass("MORI"))

    assert (result.answer, result.said.code) == (Answer.YES, "lessons-passed")
    assert result.said.refs == ("ledger:3",)


def test_somebody_elses_pass_does_not(tmp_path: Path) -> None:
    result = _c27(tmp_path, _pass("Sato"))

    assert (result.answer, dict(result.said.facts)["names"]) == (Answer.UNKNOWN, "Mori")


def test_an_approver_who_did_not_take_them_is_named(tmp_path: Path) -> None:
    approval = Draft("Sato", Kind.APPROVAL, MODEL, {"of": "pilot"})
    result = _c27(tmp_path, _pass("Mori"), approval)

    assert (result.answer, dict(result.said.facts)["names"]) == (Answer.UNKNOWN, "Sato")
    assert _c27(tmp_path / "2", _pass("Mori"), _pass("Sato"), approval).answer is Answer.YES


def test_a_pass_of_another_edition_does_not_count(tmp_path: Path) -> None:
    old = _pass("Mori")
    body = {**old.body, "edition": COURSE.edition + 1}

    assert _c27(tmp_path, Draft("Mori", Kind.LESSONS_PASSED, "", body)).answer is Answer.UNKNOWN


def test_an_entry_that_only_claims_a_pass_does_not_count(tmp_path: Path) -> None:
    body = {**_pass("Mori").body, "answers": _wrong(9)}

    assert _c27(tmp_path, Draft("Mori", Kind.LESSONS_PASSED, "", body)).answer is Answer.UNKNOWN


def test_without_request_or_ledger_nothing_is_known() -> None:
    assert engine.fill(Sources(samples.ROOT, NOW), "deep").of("C27").said.code == "no-ledger"
    assert engine.fill(Sources(samples.ROOT, NOW, entries=()), "deep").of("C27").said.code == "no-request"


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["lessons", *arguments])
    return int(ended.value.code or 0)


def test_letters_handed_in_are_written_down_with_name_time_and_edition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "ledger.sqlite")

    assert _run("quiz", "--by", "森 花子", "--answers", COURSE.right, "--ledger", place, "--lang", "ja") == 0
    with closing(book.open_ledger(place)) as ledger:
        (entry,) = standing.lessons(ledger)
    assert (entry.actor, entry.content["edition"], entry.content["lessons"]) == ("森 花子", 1, COURSE.digest)
    assert entry.time
    assert "修了：14 問中 14 問正解" in capsys.readouterr().out


def test_the_terminal_asks_every_question_and_takes_letters_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "ledger.sqlite")
    monkeypatch.setattr("sys.stdin", io.StringIO("\nwhat\n" + "\n".join(COURSE.right.upper()) + "\n"))

    assert _run("quiz", "--by", "Mori", "--ledger", place) == 0
    assert capsys.readouterr().err.count("Your answer") == 14


def test_a_failed_quiz_exits_1_names_the_lessons_and_leaves_no_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "ledger.sqlite"

    assert _run("quiz", "--by", "Mori", "--answers", _wrong(3), "--ledger", str(place)) == 1
    said = capsys.readouterr().out
    assert COURSE.lessons[0].text("en").title in said
    assert not place.exists()


def test_an_input_that_ends_early_is_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a\nb\n"))

    assert _run("quiz", "--by", "Mori", "--ledger", str(tmp_path / "l.sqlite")) == 2


def test_nobody_adds_a_pass_by_hand(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["ledger", "add", "lessons-passed", "-", "edition=1", "--ledger", str(tmp_path / "l.sqlite")]
        )

    assert ended.value.code == 2


def test_pages_and_toy_are_written_once(tmp_path: Path) -> None:
    assert _run("--out", str(tmp_path / "pages"), "--lang", "ja") == 0
    assert len(list((tmp_path / "pages").glob("*.ja.html"))) == 8
    (tmp_path / "toy").mkdir()
    assert _run("toy", str(tmp_path / "toy")) == 2
