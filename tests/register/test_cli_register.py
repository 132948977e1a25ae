"""The verbs at the command line: a whole life of a model, exit codes, one readable line for each refusal."""

import json

import pytest

from evidence.folders import NOW, dossier, model, signer
from sekisho import cli, recording
from sekisho.evidence import bundle
from sekisho.ledger.book import open_ledger
from sekisho.ledger.kinds import WHY_AGAIN

pytestmark = pytest.mark.integration

ASK = ("--purpose", "answers", "--data-class", "internal", "--users", "20")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SEKISHO_LEDGER", str(tmp_path / "ledger.sqlite"))

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_from_request_to_production(run, tmp_path):
    folder = model(tmp_path / "toy")
    made = dossier(folder)
    assert run("request", folder, "--by", "mori", *ASK)[0] == 0
    ledger = open_ledger(str(tmp_path / "ledger.sqlite"))
    recording.record(made, ledger, actor="gate", model=folder, policy="default")
    ledger.close()
    assert run("decide", "toy", "--by", "tanaka")[0] == 0
    code, _, said = run("approve", "toy", "--by", "mori", "--of", "pilot")
    assert (code, said.count("\n")) == (2, 1)
    assert "cannot approve" in said
    assert run("approve", "toy", "--by", "sato", "--of", "pilot")[0] == 0
    pilot = (
        "--users",
        "5",
        "--days",
        "30",
        "--data-class",
        "internal",
        "--exit",
        "no adverts",
        "--place",
        "desk 1",
    )
    assert run("pilot", folder, "--by", "tanaka", *pilot)[0] == 0
    assert run("approve", "toy", "--by", "sato", "--of", "production")[0] == 0
    code, out, _ = run(
        "produce", "toy", "--by", "tanaka", "--place", "server", "--met", "read 200", "--lang", "ja"
    )
    assert (code, "本番" in out) == (0, True)
    rows = json.loads(run("models", "--format", "json")[1])["models"]
    assert [(r["state"], r["places"]) for r in rows] == [("production", ["desk 1", "server"])]
    assert "server" in run("trace", folder / "config.json")[1]
    assert run("models", "--overdue")[0] == 0
    pack = tmp_path / "pack.zip"
    assert run("export", "incident-pack", "toy", "--out", pack)[0] == 0
    assert pack.is_file()


@pytest.mark.parametrize("why", WHY_AGAIN)
def test_every_reason_for_a_re_test_can_be_given(run, tmp_path, why):
    from register.conftest import MODEL, Desk

    ledger = open_ledger(str(tmp_path / "ledger.sqlite"))
    Desk(ledger).to("production")
    ledger.close()
    assert run("retest", MODEL[:8], "--by", "tanaka", "--because", why)[0] == 0


def test_what_is_overdue_ends_with_three(run, tmp_path):
    from register.conftest import Clock, Desk

    clock = Clock()
    clock.now = clock.now.replace(year=2020)
    ledger = open_ledger(str(tmp_path / "ledger.sqlite"), clock=clock)
    Desk(ledger).to("production")
    ledger.close()
    code, out, _ = run("models", "--overdue")
    assert (code, "OVERDUE" in out) == (3, True)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_an_empty_register_is_no_error(run, form, tmp_path):
    open_ledger(str(tmp_path / "ledger.sqlite")).close()
    code, out, _ = run("models", "--format", form, "--lang", "ja")
    assert code == 0
    assert out.strip()


def test_without_a_ledger_there_is_one_line(run):
    code, _, said = run("models")
    assert (code, "there is no ledger" in said) == (2, True)


def test_init_says_what_it_wrote_and_kept(run, tmp_path):
    assert "kept" not in run("init", "--size", "small", "--out", tmp_path / "rules")[1]
    assert run("init", "--size", "medium", "--out", tmp_path / "rules")[1].count("(kept)") == 4


def test_a_suppliers_result_is_verified_and_noted(run, tmp_path):
    folder = model(tmp_path / "toy")
    key = signer(tmp_path / "keys")
    bundle.write(dossier(folder), folder, key, tmp_path / "evidence", extras=bundle.Extras(now=NOW))
    public = tmp_path / "vendor.pub"
    public.write_bytes(key.public.pem)
    code, _, said = run("supplier-result", tmp_path / "evidence", "--by", "tanaka")
    assert (code, "--key" in said) == (2, True)
    code, out, _ = run("supplier-result", tmp_path / "evidence", "--key", public, "--by", "tanaka")
    assert code == 0
    assert "supplier's result: admit" in out
    (tmp_path / "evidence" / "report.html").write_text("added")
    assert run("supplier-result", tmp_path / "evidence", "--key", public, "--by", "tanaka")[0] == 2
    ledger = open_ledger(str(tmp_path / "ledger.sqlite"))
    assert ledger.tip().sequence == 1
    ledger.close()
