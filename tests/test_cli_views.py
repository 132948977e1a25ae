"""The verbs `checklist`, `report --view` and `agenda`, from the command line to files and the ledger."""

import dataclasses
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from rich.cells import cell_len

from checklist import samples
from report import sample
from sekisho import cli, recording
from sekisho.evidence import codec
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import open_ledger

pytestmark = pytest.mark.integration


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEKISHO_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("SEKISHO_ACTOR", "sato")
    dossiers.write(samples.clean(), tmp_path)
    return tmp_path


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    return int(str(left.value.code))


def test_a_named_ledger_that_is_not_there_is_an_error_and_the_default_one_is_not(at: Path) -> None:
    assert run("checklist", at / "dossier.json") == 3
    assert run("checklist", at / "dossier.json", "--ledger", at / "other.sqlite") == 2


def test_an_answer_is_kept_with_name_and_time(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = (
        "checklist",
        at,
        "--answer",
        "C24=yes",
        "--answer",
        "c25=no",
        "--by",
        "佐藤 花子",
        "--note",
        "内線 12",
    )
    assert run(*args, "--format", "json") == 3
    shown = capsys.readouterr()
    found = {i["id"]: i for i in json.loads(shown.out)["items"]}
    assert (found["C24"]["answer"], found["C24"]["who"], found["C24"]["sentence"]) == (
        "yes",
        "佐藤 花子",
        "内線 12",
    )
    assert found["C24"]["when"].endswith("Z")
    assert found["C25"]["answer"] == "no"
    assert "C24" in shown.err
    assert run("checklist", at, "--profile", "deep") == 1, "a required no"


@pytest.mark.parametrize(
    "more",
    [
        ("--answer", "C03=yes"), ("--answer", "C99=yes"), ("--answer", "C24=maybe"), ("--answer", "C24"),
        ("--answer", "C24=yes"), ("--note", "without an answer"), ("--by", "nobody"),
        ("--answer", "C25=yes", "--answer", "C03=yes"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_writes_nothing(at: Path, more: tuple[str, ...]) -> None:
    assert run("checklist", at, *more) == 2
    assert not (at / "ledger.sqlite").exists()


def test_a_ledger_that_was_tampered_with_answers_nothing(at: Path) -> None:
    assert run("checklist", at, "--answer", "C24=yes", "--note", "abe") == 3
    with closing(sqlite3.connect(at / "ledger.sqlite")) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("UPDATE entries SET actor = 'abe' WHERE sequence = 1")
        db.commit()
    assert run("checklist", at) == 2
    assert run("report", at / "dossier.json", "--view", "management") == 2
    assert run("checklist", at, "--answer", "C25=no") == 2


def test_a_digest_finds_the_dossier_that_the_ledger_names(
    at: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(open_ledger(str(at / "ledger.sqlite"))) as ledger:
        made = recording.record(samples.clean(), ledger, actor="sato", model=at, policy="default")
    capsys.readouterr()
    assert run("checklist", made.subject, "--format", "json") == 3
    items = {i["id"]: i["answer"] for i in json.loads(capsys.readouterr().out)["items"]}
    assert items["C15"] == "yes"
    Path(str(made.content["dossier_path"])).write_bytes(dossiers.to_json(sample.reject()))
    assert run("checklist", made.subject) == 2, "another dossier in its place"


def test_an_intake_record_of_other_files_is_refused(at: Path) -> None:
    right = codec.dump({"intake": codec.plain(samples.intake())})
    other = dataclasses.replace(samples.intake(), files=samples.intake().files[:1])
    (at / "right.json").write_bytes(right)
    (at / "other.json").write_bytes(codec.dump({"intake": codec.plain(other)}))
    (at / "none.json").write_text("[]")
    assert run("checklist", at, "--intake", at / "right.json") == 3
    for name in ("other.json", "none.json", "missing.json", "dossier.json"):
        assert run("checklist", at, "--intake", at / name) == 2


@pytest.mark.parametrize("view", ["management", "operator", "auditor", "supplier"])
def test_a_view_lies_beside_its_dossier_and_exits_as_the_run_did(at: Path, view: str) -> None:
    assert run("report", at / "dossier.json", "--view", view, "--lang", "ja") == 0
    assert 'lang="ja"' in (at / f"{view}.ja.html").read_text("utf-8")
    assert run("report", at, "--view", view, "--format", "markdown", "--out", at / "x.md") == 0
    assert (at / "x.md").read_text("utf-8").startswith("# ")
    dossiers.write(sample.reject(), at)
    assert run("report", at / "dossier.json", "--view", view) == 1


def test_the_full_report_takes_no_options_of_a_view(at: Path) -> None:
    assert run("report", at / "dossier.json") == 0
    assert (at / "report.en.html").is_file()
    assert run("report", at / "dossier.json", "--format", "markdown") == 2


def test_the_agenda_is_printed_or_written(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("agenda", at / "dossier.json", "--lang", "ja", "--out", "-") == 0
    assert capsys.readouterr().out.startswith("# 議題案")
    assert run("agenda", at / "dossier.json", "--format", "html") == 0
    assert (at / "agenda.en.html").is_file()


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_the_checklist_as_a_page(at: Path, form: str) -> None:
    assert run("checklist", at, "--format", form, "--out", at / "page") == 3
    assert "C27" in (at / "page").read_text("utf-8")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_text_fits_a_terminal(at: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    assert run("checklist", at, "--lang", language) == 3
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert [line for line in lines if line.strip()[:1] in "。、）」"] == [""] * sum(
        not line for line in lines
    )


def test_the_report_of_a_folder_lies_in_it(at: Path) -> None:
    run("report", at, "--lang", "ja")
    assert (at / "report.ja.html").is_file()
    assert not (at.parent / "report.ja.html").exists()
