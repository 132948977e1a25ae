"""Past decisions held against what is still there; the ledger, the audit and the lock at the command line."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts import tiny_model
from sekisho import audit, cli, recording
from sekisho.evidence import keys, oms, walk
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.load_guard import lockfile
from sekisho.report import chain

pytestmark = pytest.mark.integration

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEKISHO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEKISHO_LEDGER", str(tmp_path / "book" / "ledger.sqlite"))
    monkeypatch.setenv("SEKISHO_ACTOR", "mori")

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def recorded(run, tmp_path) -> str:
    """A model inspected and recorded; its root digest."""
    tiny_model(tmp_path / "tiny")
    code, _, err = run("inspect", "tiny", "--record")
    assert code in (0, 1, 3)
    assert re.search(r"Entry 1 of the ledger \S+book/ledger\.sqlite", err)
    return json.loads(run("ledger", "show", 1, "--format", "json")[1])["subject"]


def ledger_of(tmp_path: Path):
    return open_ledger(str(tmp_path / "book" / "ledger.sqlite"), create=False)


def except_it(run: Run, subject: str, expires: str = "2099-01-01") -> None:
    code, _, err = run(
        "ledger", "add", "exception", subject, "reason=trial", "approver=sato", f"expires={expires}"
    )
    assert code == 0, err


def test_the_subject_is_the_root_that_is_signed(recorded, tmp_path):
    made = oms.manifest("tiny", walk.take(tmp_path / "tiny"))
    assert made.root == recorded


def test_the_decision_names_its_evidence(recorded, run, tmp_path):
    body = json.loads(run("ledger", "show", 1, "--format", "json")[1])["body"]
    assert body["scope"] == "files"
    assert Path(body["dossier_path"]).parent == tmp_path / "book" / "dossiers"
    assert Path(body["model_path"]) == tmp_path / "tiny"
    assert body["unread"] == 0


def test_an_audit_of_untouched_evidence(recorded, run):
    code, out, _ = run("audit", "--sample", 3, "--seed", "x")
    assert code == 0
    assert "Audit of 1 out of 1 decisions up to entry 1, seed x" in out
    entry = json.loads(run("ledger", "show", 2, "--format", "json")[1])
    assert entry["kind"] == "audit"
    assert entry["body"]["checked"] == [{"entry": 1, "dossier": "right", "policy": "right", "model": "right"}]


def test_an_audit_in_japanese(recorded, run):
    code, out, _ = run("audit", "--lang", "ja")
    assert code == 0
    assert "当時のまま" in out


@pytest.mark.parametrize(
    ("damage", "code", "text"),
    [
        (lambda m, d: (m / "config.json").write_text("{}"), 1, "file changed: config.json"),
        (lambda m, d: (m / "soft_prompt.bin").write_bytes(b"x"), 1, "file added: soft_prompt.bin"),
        (lambda m, d: (m / "config.json").unlink(), 1, "file missing: config.json"),
        (lambda m, d: (m / "config.json").rename(m / "c.json"), 1, "file added: c.json"),
        (lambda m, d: d.write_bytes(d.read_bytes() + b" "), 1, "other bytes than were recorded"),
        (lambda m, d: d.unlink(), 3, "dossier: gone (not there"),
        (lambda m, d: m.rename(m.with_name("away")), 3, "model: gone (not there"),
    ],
    ids=["flipped", "added", "missing", "renamed", "dossier-edited", "dossier-gone", "model-gone"],
)
def test_tampering_is_named(recorded, run, tmp_path, damage, code, text):
    (dossier,) = (tmp_path / "book" / "dossiers").iterdir()
    damage(tmp_path / "tiny", dossier)
    found, out, _ = run("audit")
    assert found == code
    assert text in out


def test_a_policy_of_ones_own_that_changed(run, tmp_path):
    import importlib.resources

    text = (importlib.resources.files("sekisho.data") / "policies" / "default.toml").read_text()
    (tmp_path / "ours.toml").write_text(text)
    tiny_model(tmp_path / "tiny")
    run("inspect", "tiny", "--policy", "ours.toml", "--record")
    assert run("audit")[0] == 0
    (tmp_path / "ours.toml").write_text(text + "\n# changed\n")
    code, out, _ = run("audit")
    assert code == 1
    assert "the policy of this name is another one today" in out


def test_a_dossier_that_says_otherwise_than_the_ledger(recorded, run, tmp_path):
    ledger = ledger_of(tmp_path)
    body = dict(ledger.page(0, 1)[0].content)
    body["decision"] = "admit" if body["decision"] != "admit" else "reject"
    ledger.append(Draft("mori", Kind.DECISION, recorded, body))
    ledger.close()
    code, out, _ = run("audit", "--sample", 2)
    assert code == 1
    assert "it says something else than the ledger" in out


def test_the_same_seed_picks_the_same(run, tmp_path):
    ledger = open_ledger(str(tmp_path / "book" / "ledger.sqlite"))
    body = {"decision": "hold", "scope": "files", "policy": "default", "policy_digest": "1" * 64}
    made = [ledger.append(Draft("mori", Kind.DECISION, f"{n:064x}", body)) for n in range(30)]
    picks = [tuple(e.sequence for e in audit.pick(made, 5, seed)) for seed in ("a", "a", "b")]
    assert picks[0] == picks[1] != picks[2]
    assert len(set(picks[0])) == 5
    first = audit.audit(ledger, audit.Request("mori", 5, "a"))
    ledger.append(Draft("mori", Kind.DECISION, "f" * 64, body))
    again = audit.audit(ledger, audit.Request("mori", 5, "a", through=first.through))
    assert [c.entry for c in again.checked] == [c.entry for c in first.checked]
    ledger.close()


def test_a_broken_chain_is_told_and_not_added_to(recorded, run, tmp_path):
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(tmp_path / "book" / "ledger.sqlite")) as db, db:
        db.execute("DROP TRIGGER entries_no_update")
        db.execute("UPDATE entries SET actor = 'sato' WHERE sequence = 1")
    code, out, _ = run("ledger", "verify")
    assert code == 1
    assert "Entry 1 was altered" in out
    assert "記録 1 は書き換えられています" in run("ledger", "verify", "--lang", "ja")[1]
    assert run("audit")[0] == 1
    assert len(json.loads(run("ledger", "list", "--format", "json")[1])) == 1


def test_a_head_kept_elsewhere_signed_or_not(recorded, run, tmp_path):
    keys.create(tmp_path / "key.pem")
    code, head, _ = run("ledger", "head", "--sign", "key.pem", "--out", "head.json")
    assert code == 0
    public = next(tmp_path.glob("key*.pub*"))
    assert run("ledger", "verify", "--head", head.strip())[0] == 0
    assert run("ledger", "verify", "--head", "head.json", "--key", public)[0] == 0
    other = f"1:{'0' * 64}"
    code, out, _ = run("ledger", "verify", "--head", other)
    assert (code, "the ledger was rewritten" in out) == (1, True)
    assert "ends at 1" in run("ledger", "verify", "--head", f"9:{'0' * 64}")[1]
    assert run("ledger", "verify", "--head", "head.json")[0] == 2
    keys.create(tmp_path / "wrong.pem")
    code, _, err = run("ledger", "verify", "--head", "head.json", "--key", next(tmp_path.glob("wrong*.pub*")))
    assert (code, "none of the keys" in err) == (2, True)


def test_listing_goes_on_from_where_it_stopped(run, tmp_path):
    for n in range(3):
        assert run("ledger", "add", "note", "-", f"text=note {n}")[0] == 0
    out = run("ledger", "list", "--count", 2)[1]
    assert "note 1" in out
    assert "More: --after 2" in out
    assert "note 2" in run("ledger", "list", "--after", 2, "--lang", "ja")[1]
    assert run("ledger", "show", 9)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("decision", "-", "decision=admit"), "no kind 'decision' to add by hand"),
        (("applause", "-"), "no kind 'applause'"),
        (("note", "-", "text"), "KEY=VALUE"),
        (("note", "abc", "text=x"), "64 hex digits"),
        (("state-change", "ab" * 32, "to=production"), "has not been requested"),
        (("training-record", "-", "method=lora", "settings={"), "JSON is needed"),
    ],
)
def test_wrong_entries_are_one_line_and_exit_2(run, arguments, text):
    code, _, err = run("ledger", "add", *arguments)
    assert code == 2
    assert text in err
    assert err.count("\n") == 1


def test_no_ledger_is_one_line(run):
    for verb in (("ledger", "verify"), ("ledger", "list"), ("audit",)):
        code, _, err = run(*verb)
        assert (code, "there is no ledger at" in err) == (2, True)


def test_nothing_is_locked_without_a_decision(run, tmp_path):
    tiny_model(tmp_path / "tiny")
    run("ledger", "add", "note", "-", "text=first")
    code, _, err = run("lock", "add", "tiny")
    assert (code, "no decision on exactly these files" in err) == (2, True)
    assert not (tmp_path / "sekisho.lock").exists()


def test_a_lock_by_exception_ends_with_it(recorded, run, tmp_path):
    assert run("lock", "add", "tiny")[0] == 2
    except_it(run, recorded)
    code, _, err = run("lock", "add", "tiny", "--expires", "2199-01-01")
    assert code == 0, err
    made = lockfile.read(tmp_path / "sekisho.lock").models[0]
    assert (made.root, made.scope, made.expires) == (recorded, "exception", "2099-01-01T00:00:00Z")
    assert run("lock", "check", "tiny", "--ledger", tmp_path / "book" / "ledger.sqlite")[0] == 0
    assert run("load-guard", "check", "tiny")[0] == 0


def test_what_changed_after_locking_is_named(recorded, run, tmp_path):
    except_it(run, recorded)
    run("lock", "add", "tiny")
    (tmp_path / "tiny" / "config.json").write_text("{}")
    for verb in (("lock", "check", "tiny"), ("load-guard", "check", "tiny")):
        code, out, _ = run(*verb)
        assert code == 1
        assert "config.json" in out


def test_a_lock_whose_decision_fell(recorded, run, tmp_path):
    place = tmp_path / "book" / "ledger.sqlite"
    except_it(run, recorded)
    run("lock", "add", "tiny")
    ledger = ledger_of(tmp_path)
    body = dict(ledger.page(0, 1)[0].content) | {"decision": "reject"}
    ledger.append(Draft("gate", Kind.DECISION, recorded, body))
    ledger.close()
    code, out, _ = run("lock", "check", "--ledger", place, "--lang", "ja")
    assert code == 1
    assert "受け入れられていません" in out


def test_a_list_about_one_model_ends_with_its_last_entry(recorded, run):
    run("ledger", "add", "note", "-", "text=about none")
    assert "--after" not in run("ledger", "list", "--subject", recorded)[1]
    assert "--after 1" in run("ledger", "list", "--count", "1")[1]


def test_a_retired_model_is_not_locked(recorded, run):
    except_it(run, recorded)
    for state in ("requested", "retired"):
        assert run("ledger", "add", "state-change", recorded, f"to={state}")[0] == 0
    code, _, err = run("lock", "add", "tiny")
    assert (code, "retired" in err) == (2, True)


def test_removing_from_the_lock(recorded, run):
    except_it(run, recorded)
    run("lock", "add", "tiny", "--name", "ours")
    assert run("lock", "remove", "theirs")[0] == 2
    assert run("lock", "remove", recorded[:10])[0] == 0
    assert run("load-guard", "check", "tiny")[0] == 1


def test_headers_alone_are_not_recorded(run, tmp_path):
    tiny_model(tmp_path / "tiny")
    code, _, err = run("inspect", "tiny", "--headers-only", "--record")
    assert (code, "no model to record" in err) == (2, True)


def test_the_environment_records_every_verdict(run, tmp_path, monkeypatch):
    tiny_model(tmp_path / "tiny")
    monkeypatch.setenv("SEKISHO_RECORD", "1")
    run("inspect", "tiny")
    assert len(json.loads(run("ledger", "list", "--format", "json")[1])) == 1


@pytest.mark.parametrize("words", [("check", "tiny", "--lang", "ja"), ("--lang", "ja", "check", "tiny")])
def test_the_guards_check_takes_a_language_before_and_after(recorded, run, words):
    except_it(run, recorded)
    run("lock", "add", "tiny")
    code, out, _ = run("load-guard", *words)
    assert (code, "ロックに問題はありません" in out) == (0, True)


@pytest.mark.parametrize("words", [(), ("check",), ("--",)])
def test_the_guard_needs_something_to_run(run, words):
    assert run("load-guard", *words)[0] == 2


def test_running_without_a_lock_runs_nothing(run):
    code, out, err = run("load-guard", "--", "echo", "ran")
    assert (code, out) == (2, "")
    assert "there is no sekisho.lock" in err


def test_every_sentence_is_there_twice():
    def walk_table(table, path=()):
        for key, value in table.items():
            if isinstance(value, dict) and set(value) != {"en", "ja"}:
                yield from walk_table(value, (*path, key))
            else:
                yield (*path, key), value

    name = re.compile(r"\{([a-z_]+)\}")
    for path, both in walk_table(dict(chain.sentences())):
        assert set(both) == {"en", "ja"}, path
        assert set(name.findall(both["en"])) == set(name.findall(both["ja"])), path
        assert all(text.strip() for text in both.values())


def test_every_code_has_a_sentence():
    from sekisho.ledger.verify import CODES

    known = chain.sentences()
    assert set(CODES) == set(known["problem"])
    assert {k.value for k in Kind} == set(known["kind"])
    assert set(known["evidence"]) == {"dossier", "policy", "model"}


def test_vet_keeps_the_dossier_apart_from_the_report(recorded, tmp_path):
    """The report's folder is written over by the next run; what an entry names is not."""
    ledger = ledger_of(tmp_path)
    path = Path(str(ledger.page(0, 1)[0].content["dossier_path"]))
    ledger.close()
    assert path.stem == recording.hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_renamed_file_is_another_model_to_the_lock(recorded, run, tmp_path):
    """The root digest is over bytes in order: this rename does not change it."""
    except_it(run, recorded)
    (tmp_path / "tiny" / "config.json").rename(tmp_path / "tiny" / "c.json")
    code, _, err = run("lock", "add", "tiny")
    assert (code, "no decision on exactly these files" in err) == (2, True)


@pytest.mark.parametrize("name", ["ledger.md", "ledger.ja.md"])
def test_the_documents_name_every_kind_and_state(name):
    from sekisho.ledger.states import State

    text = (Path(__file__).parents[1] / "docs" / name).read_text("utf-8")
    assert [k.value for k in Kind if f"`{k.value}`" not in text] == []
    assert [s.value for s in State if s.value not in text] == []


def test_an_admitted_vet_is_recorded_and_locked(run, tmp_path, monkeypatch):
    from dataclasses import replace

    from sekisho import conductor, inspected, policy, static
    from sekisho.records import Decision, Verdict

    tiny_model(tmp_path / "tiny")

    def vetted(path, _base, **_):
        seen = static.inspect(path, "none")
        found = inspected.of(seen, policy.load("default"))
        return replace(found, not_tested=(), verdict=Verdict(Decision.ADMIT, ()))

    monkeypatch.setattr(conductor, "vet", vetted)
    code, _, err = run("vet", "tiny", "--record")
    assert (code, "Entry 1 of the ledger" in err) == (0, True)
    assert run("lock", "add", "tiny")[0] == 0
    assert lockfile.read(tmp_path / "sekisho.lock").models[0].scope == "behaviour"
    assert run("audit")[0] == 0
