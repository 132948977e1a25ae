"""Writing evidence: only for the files that were judged, whole or not at all, and from a dossier's folder by one verb."""

import json
import os
import random
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from evidence.folders import DAY, NOW, OUTSIDER, SCRIPT, dossier, model, ours, outside, signed, signer, theirs
from sekisho import signing
from sekisho.cli import main
from sekisho.errors import DataError, StorageError, UsageError
from sekisho.evidence import bundle, checking, dsse, folder, oms, walk
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.statements import Granted

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda m: (m / "config.json").write_bytes(b"[]"), r"config\.json: has changed"),
        (lambda m: (m / "config.json").unlink(), r"config\.json: is missing"),
        (lambda m: (m / "more.bin").write_bytes(b""), r"more\.bin: was not there"),
    ],
)
def test_only_the_files_judged_are_signed(tmp_path, spoil, told):
    where = model(tmp_path / "m")
    made = dossier(where)
    spoil(where)
    with pytest.raises(DataError, match=told):
        bundle.write(made, where, signer(tmp_path), tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_what_is_not_signed_is_told(tmp_path):
    where = model(tmp_path / "m")
    made = dossier(where)
    model(where / ".git")
    assert bundle.write(made, where, signer(tmp_path), tmp_path / "e").beside == (".git",)


def test_every_statement_is_about_the_root_digest(tmp_path):
    where, at, _ = signed(tmp_path)
    root = oms.manifest("m", walk.take(where)).root
    kinds = {}
    for path in at.glob("*.intoto.json"):
        body = dsse.parse(dsse.opened(path.read_bytes()).payload)
        assert oms.subject(body)[1] == root
        kinds[path.name] = body["predicateType"]
    assert kinds == {
        "behaviour.intoto.json": "https://in-toto.io/attestation/test-result/v0.1",
        "decision.intoto.json": "https://slsa.dev/verification_summary/v1",
        "intake.intoto.json": "https://slsa.dev/provenance/v1",
    }


def test_the_decision_has_the_shape_of_a_vsa(tmp_path):
    where = model(tmp_path / "model", name=b"x")
    made = dossier(where)
    _, at, _ = signed(tmp_path, made=made, approvals=(Granted("K. Sato", "decision", "2031-06-30"),))
    predicate = dsse.parse(dsse.opened((at / bundle.DECISION).read_bytes()).payload)["predicate"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["timeVerified"] == "2031-04-03T00:00:00Z"
    assert predicate["policy"]["digest"] == {"sha256": made.policy_digest}
    named = {entry["uri"] for entry in predicate["inputAttestations"]}
    assert named == {p.name for p in at.iterdir()} - {bundle.WHOLE, bundle.DECISION}
    assert predicate["sekisho"]["approvals"] == [
        {"who": "K. Sato", "what": "decision", "until": "2031-06-30", "reason": ""}
    ]
    assert predicate["sekisho"]["dossierDigest"] == {"sha256": dossiers.digest(made)}


def test_behaviour_names_each_cell(tmp_path):
    where = model(tmp_path / "model", name=b"x")
    made = dossier(where)
    _, at, _ = signed(tmp_path, made=made)
    predicate = dsse.parse(dsse.opened((at / bundle.BEHAVIOUR).read_bytes()).payload)["predicate"]
    assert predicate["result"] == "PASSED"
    cells = {f"claim:{c.behaviour}/{c.drill}" for c in made.claims}
    assert cells <= set(predicate["passedTests"])
    assert predicate["failedTests"] == []
    assert {"name": "plan", "digest": {"sha256": made.plan_digest}} in predicate["configuration"]


@pytest.mark.parametrize("day", ["soon", "2031-13-01"])
def test_days_are_read_strictly(tmp_path, day):
    with pytest.raises(UsageError, match="is no date"):
        signed(tmp_path, approvals=(Granted("K. Sato", "decision", day),))
    with pytest.raises(UsageError, match="a day at least"):
        signed(tmp_path, valid_days=0)


def test_a_registration_of_another_model_is_refused(tmp_path):
    from sekisho.evidence import statements

    terms = statements.Terms("default", "0" * 64, "1" * 64, "2" * 64, "quick", (), ())
    text = statements.preregistration(
        statements.Subject("m", "ab" * 32), terms, "sekisho 0", "2031-04-01T00:00:00Z"
    )
    for data, told in (
        (bundle.register(text, signer(tmp_path)), "another model"),
        (bundle.register(text, signer(tmp_path, "other")), "not signed by this key"),
        (b"{}", "payload of the kind"),
        (dsse.dump({**dsse.envelope(text, ()), "signatures": []}), "not signed by this key"),
    ):
        with pytest.raises(DataError, match=told):
            signed(tmp_path, registration=data)


def test_an_old_folder_is_replaced_as_a_whole(tmp_path):
    _, at, key = signed(tmp_path)
    (at / "stray.txt").write_bytes(b"x")
    where, at, key = signed(tmp_path)
    assert ours(at, model=where, key=key)[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key", "key.pub", "model", "model-evidence"]


@pytest.mark.parametrize("there", ["file", "link"])
def test_what_is_no_folder_is_not_replaced(tmp_path, there):
    (tmp_path / "e").write_bytes(b"mine") if there == "file" else (tmp_path / "e").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="not written"):
        folder.replace(tmp_path / "e", {"a": b"1"})
    assert os.path.lexists(tmp_path / "e")
    assert [p.name for p in tmp_path.iterdir()] == ["e"]


def test_a_full_disk_leaves_the_old_folder(tmp_path, monkeypatch):
    folder.replace(tmp_path / "e", {"a": b"1"})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_write", full)
    with pytest.raises(StorageError, match="No space left"):
        folder.replace(tmp_path / "e", {"a": b"2"})
    assert {p.name: p.read_bytes() for p in (tmp_path / "e").iterdir()} == {"a": b"1"}
    assert [p.name for p in tmp_path.iterdir()] == ["e"]


def killed(target, files, stop):
    """Replace a folder in a forked process that kills itself before its `stop`-th step; its exit status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = stop

    def counted(real):
        def step(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return step

    for name in ("fsync", "open", "rmdir", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    folder._exchange, folder._write = counted(folder._exchange), counted(folder._write)
    Path.rename = counted(Path.rename)
    try:
        folder.replace(target, files)
    finally:
        os._exit(0)


def test_killed_at_every_step_the_old_or_the_new_folder_is_whole(tmp_path):
    """SIGKILL before each write, flush, rename and removal in turn, until a child gets through."""
    target = tmp_path / "e"
    old, new = ({f"d{n}": text * 50 for n in range(4)} for text in (b"old", b"new"))
    seen = set()
    folder.replace(target, old)
    for stop in range(1, 99):
        status = killed(target, new, stop)
        found = {p.name: p.read_bytes() for p in target.iterdir()}
        assert found in (old, new), f"killed at step {stop}"
        seen.add((found == new, status))
        if status == 0:
            break
        folder.replace(target, old)
    assert seen == {(False, signal.SIGKILL), (True, signal.SIGKILL), (True, 0)}
    assert stop > 10


@pytest.mark.slow
def test_killed_at_any_time_a_signed_folder_verifies(tmp_path):
    where, at, _ = signed(tmp_path)
    dossiers.write(dossier(where), tmp_path / "d")
    script = (
        "import sys; from pathlib import Path; from sekisho import signing; from sekisho.evidence import keys\n"
        "w, d, k, o = map(Path, sys.argv[1:]); s = keys.read(k); print('ready', flush=True)\n"
        "while True: signing.sign(d, w, s, options=signing.Options(out=o))"
    )
    source = random.Random(7)
    for _ in range(25):
        given = [sys.executable, "-c", script, where, tmp_path / "d", tmp_path / "key", at]
        child = subprocess.Popen(given, stdout=subprocess.PIPE)
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(source.uniform(0.0, 0.4))
        child.kill()
        child.wait()
        child.stdout.close()
        assert checking.verify(at, [signer(tmp_path).public], model=where).code in (0, 7)


@pytest.fixture
def judged(tmp_path):
    """A model, the folder that vet left, a key."""
    where = model(tmp_path / "model")
    dossiers.write(dossier(where), tmp_path / "vetted")
    signer(tmp_path)
    return where, tmp_path / "vetted", tmp_path / "key"


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    said = capsys.readouterr()
    return end.value.code, said.out + said.err


def test_the_verbs_from_key_to_verified(tmp_path, capsys, judged):
    where, vetted, _ = judged
    code, said = run(capsys, "key", "new", tmp_path / "own")
    assert (code, "Fingerprint" in said) == (0, True)
    code, said = run(
        capsys,
        "sign",
        vetted,
        "--model",
        where,
        "--key",
        tmp_path / "own",
        "--approver",
        "K. Sato=2099-01-01",
    )
    assert code == 0, said
    at = vetted / "evidence"
    expected = {
        "bom.cdx.json",
        "report.en.html",
        "report.ja.html",
        "verify.py",
        "dossier.json",
        "model.sig",
        "evidence.sig",
    }
    assert expected <= {p.name for p in at.iterdir()}
    code, said = run(
        capsys, "verify", at, "--model", where, "--key", tmp_path / "own.pub", "--require", "admit"
    )
    assert (code, "VERIFIED" in said) == (0, True)
    code, said = run(capsys, "verify", at, "--lang", "ja")
    assert (code, "署名者が確認されていません" in said) == (1, True)
    (where / "config.json").write_bytes(b"[]")
    code, said = run(capsys, "verify", at, "--model", where, "--key", tmp_path / "own.pub")
    assert (code, "config.json: its content" in said) == (2, True)
    code, said = run(capsys, "sign", vetted, "--model", where, "--key", tmp_path / "own")
    assert (code, "config.json: has changed" in said) == (2, True)
    assert outside(at, "--key", str(tmp_path / "own.pub"))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--key", "gone.pub"), 4),
        (("--at", "soon"), 64),
        (("--require", "peace"), 64),
        (("--model", "gone"), 4),
    ],
)
def test_codes_of_wrong_requests(tmp_path, capsys, arguments, code):
    _, at, _ = signed(tmp_path)
    assert run(capsys, "verify", at, *arguments)[0] == code
    assert outside(at, *arguments)[0] == code


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert run(capsys, "verify", tmp_path / "gone")[0] == 4
    assert theirs(tmp_path / "gone")[0] == 4
    (tmp_path / "empty").mkdir()
    assert run(capsys, "verify", tmp_path / "empty")[0] == 2
    assert theirs(tmp_path / "empty")[0] == 2


def test_records_beside_the_dossier_are_taken_up(tmp_path, judged):
    where, vetted, key = judged
    first = signing.sign(vetted, where, signer(tmp_path), options=signing.Options(out=tmp_path / "e"))
    body = dsse.parse(dsse.opened((first.folder / bundle.INTAKE).read_bytes()).payload)
    record = body["predicate"]["buildDefinition"]["internalParameters"]["record"]
    assert {f["path"] for f in record["files"]} == {"config.json", "model.safetensors", "sub/tokenizer.json"}
    (vetted / "finetune.json").write_text(json.dumps({"base_digest": "ab" * 32, "method": "lora"}))
    record["licences_stated"]["value"] = "as the register has it"
    (vetted / "intake.json").write_text(json.dumps(record))
    again = signing.sign(vetted, where, signer(tmp_path), options=signing.Options(out=tmp_path / "f"))
    assert (
        "as the register has it" in dsse.opened((again.folder / bundle.INTAKE).read_bytes()).payload.decode()
    )
    assert ours(again.folder, model=where, key=Path(f"{key}.pub"), at=DAY)[0] in (0, 7)
    record["files"][0]["sha256"] = "cd" * 32
    (vetted / "intake.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"intake\.json: config\.json"):
        signing.sign(vetted, where, signer(tmp_path))
    (vetted / "intake.json").write_bytes(b"[" * 999)
    with pytest.raises(DataError, match=r"intake\.json: "):
        signing.sign(vetted, where, signer(tmp_path))


def test_a_rejected_model_is_signed_as_such(tmp_path, judged):
    where, _, _ = judged
    made = dossier(where)
    reject = type(made.verdict.decision).REJECT
    refused = replace(made, verdict=replace(made.verdict, decision=reject))
    (tmp_path / "x").mkdir()
    written = bundle.write(refused, where, signer(tmp_path), tmp_path / "e", extras=bundle.Extras(now=NOW))
    assert ours(written.folder, model=where, key=tmp_path / "key.pub")[0] == 0
    assert ours(written.folder, model=where, key=tmp_path / "key.pub", admitted=True)[0] == 8
    assert theirs(written.folder, key=tmp_path / "key.pub")[1][-2].endswith("REJECT")


def test_the_one_file_stays_readable_and_alone():
    text = SCRIPT.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    assert "import sekisho" not in text
    assert "from sekisho" not in text
    assert all(len(pair) == 2 and pair[0] != pair[1] for pair in OUTSIDER.TEXTS.values())
    assert all(pair[0].count("{") == pair[1].count("{") for pair in OUTSIDER.TEXTS.values())


def test_every_cause_has_a_sentence_in_both_languages():
    table = tomllib.loads(
        (files("sekisho.report") / "locale" / "checks" / "evidence.toml").read_text("utf-8")
    )["reasons"]
    causes = {
        *walk.PROBLEMS,
        "changed",
        "missing",
        "added",
        "version-control",
        "leftover",
        "empty-folder",
        "accepted",
    }
    for module in ("checking", "ruling"):
        text = (Path(checking.__file__).parent / f"{module}.py").read_text("utf-8")
        causes |= {c for c in table if f'"{c}"' in text}
    assert causes <= set(table)
    for name, pair in table.items():
        import re

        assert set(re.findall(r"\{\w+\}", pair["en"])) == set(re.findall(r"\{\w+\}", pair["ja"])), name
