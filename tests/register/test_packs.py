"""Packs: deterministic, signed or saying that they are not, verified by an outsider, complete and honest about gaps."""

import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
import zipfile
from importlib.resources import files

import pytest

from evidence.folders import dossier, signer
from register.conftest import MODEL, OTHER
from report import sample
from sekisho.errors import DataError, UsageError
from sekisho.evidence import bundle
from sekisho.evidence import dossier as dossiers
from sekisho.records import Example, Outcome, Reason
from sekisho.register import packs
from sekisho.register.packs import material, review, risks, sealing, tables
from sekisho.register.packs.material import Material, Wish

pytestmark = pytest.mark.integration

ALL = tuple(packs.KINDS)
LEGAL = ("contract-pack", "incident-pack")
WORDS = ("secret prompt of ours", "harmful answer text")


def opened(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {n: archive.read(n) for n in archive.namelist()}


def made(kind, found, key=None, **wish):
    return sealing.seal(packs.draft(kind, found, Wish(**wish)), key)


def outsider(path, *arguments):
    """Run the pack's own verifier."""
    script = str(files("sekisho.data") / "verify_pack.py")
    done = subprocess.run(
        [sys.executable, "-I", script, str(path), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def found(vetted, ledger):
    return material.gather(ledger, vetted[0])


@pytest.mark.parametrize("kind", ALL)
def test_equal_packs_are_equal_bytes(found, kind):
    one, two = made(kind, found), made(kind, found)
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        infos = archive.infolist()
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    assert {i.date_time for i in infos} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("kind", ALL)
def test_each_has_readme_manifest_and_verifier_in_both_languages(found, kind):
    there = opened(made(kind, found))
    assert {
        "README.en.md",
        "README.ja.md",
        "README.en.html",
        "README.ja.html",
        "manifest.json",
        "verify.py",
    } <= set(there)
    listed = {f["path"] for f in json.loads(there["manifest.json"])["files"]}
    assert listed == set(there) - {"manifest.json"}
    for name, data in there.items():
        if name.endswith((".md", ".csv")):
            assert not re.search(rb"\{[a-z_]+\}", data), name
    assert "PACK IS NOT SIGNED" in there["README.en.md"].decode()
    assert "署名がありません" in there["README.ja.md"].decode()


@pytest.mark.parametrize("kind", LEGAL)
def test_every_page_of_legal_text_says_that_it_is_a_draft(found, kind):
    there = opened(made(kind, found))
    pages = [n for n in there if re.fullmatch(r"(README|clauses|own-risks|letter)\.(en|ja)\.(md|html)", n)]
    assert len(pages) == 8
    for name in pages:
        text = there[name].decode()
        marks = text.count("NOT LEGAL ADVICE") if ".en." in name else text.count("法的助言ではありません")
        assert marks == 2, name  # at the top, and at the foot of every printed page


@pytest.fixture
def zipped(found, tmp_path):
    key, public = signer(tmp_path / "keys"), tmp_path / "key.pub"
    public.write_bytes(key.public.pem)
    path = tmp_path / "pack.zip"
    path.write_bytes(made("contract-pack", found, key))
    return path, public


def changed(path, **parts):
    """The same zip with files replaced, added (new names) or left out (None)."""
    there = opened(path.read_bytes()) | {k.replace("__", "."): v for k, v in parts.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in there.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def test_a_signed_pack_is_verified_by_an_outsider(zipped, tmp_path):
    path, public = zipped
    assert outsider(path, "--key", public)[0] == 0
    assert outsider(path)[0] == 1
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    assert outsider(tmp_path / "out", "--key", public)[0] == 0


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"README__en__md": b"all fine"}, 2),
        ({"extra__txt": b"x"}, 2),
        ({"findings__json": None}, 2),
        ({"manifest__json": b"{}"}, 2),
        ({"manifest__sig": None}, 3),
        ({"manifest__sig": b"{}"}, 4),
        ({"signer__pub": b"no key"}, 4),
    ],
)
def test_what_was_tampered_with_is_refused(zipped, parts, code):
    path, public = zipped
    assert outsider(changed(path, **parts), "--key", public)[0] == code


def test_a_pack_of_another_key_is_told_apart(zipped, found, tmp_path):
    _, public = zipped
    other = tmp_path / "other.zip"
    other.write_bytes(made("contract-pack", found, signer(tmp_path / "keys2")))
    code, said = outsider(other, "--key", public)
    assert code == 5
    assert "none of those named" in said


def test_an_unsigned_pack_never_verifies(found, tmp_path):
    path = tmp_path / "pack.zip"
    path.write_bytes(made("risk-register", found))
    code, said = outsider(path)
    assert code == 3
    assert "NOT SIGNED" in said


def test_what_is_no_pack_is_one_line(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"not a zip")
    code, said = outsider(tmp_path / "x.zip")
    assert (code, len(said.splitlines())) == (4, 1)


def test_twelve_themes_with_what_backs_them(found):
    there = opened(made("contract-pack", found, counterparty="Example Org"))
    text = there["clauses.ja.md"].decode()
    assert len(re.findall(r"(?m)^## ", text)) == 12
    assert "own-risks.ja.md" not in there
    assert text.count("状態（提案") == 12


def test_without_a_counterparty_the_risks_are_ones_own(found):
    there = opened(made("contract-pack", found))
    assert "clauses.en.md" not in there
    text = there["own-risks.en.md"].decode()
    assert len(re.findall(r"(?m)^## ", text)) == 12
    assert "executive" in text


def test_empty_cells_are_findings_until_somebody_is_named(found):
    first = opened(made("contract-pack", found))
    gaps = [g["code"] for g in json.loads(first["manifest.json"])["gaps"]]
    assert gaps.count("empty-cell") == len(risks.ids())
    rows = list(csv.reader(io.StringIO(first["responsibility.ja.csv"].decode("utf-8-sig"))))
    for row in rows[1:]:
        row[2:5] = ["example", "=cmd()", "sales"]
    filled = tables.write(rows[0], rows[1:])
    second = opened(made("contract-pack", found, matrix=filled))
    assert "empty-cell" not in [g["code"] for g in json.loads(second["manifest.json"])["gaps"]]
    assert b"'=cmd()" in second["responsibility.en.csv"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"a,b\n1\n", b"a,b\n1,2\n", b'"', b"x" * (5 << 20)])
def test_a_table_that_is_not_ours_is_refused(found, data):
    with pytest.raises(DataError, match="--matrix"):
        risks._filled(data)
    del found


def test_signed_evidence_is_taken_along(tmp_path, vetted, ledger):
    subject, _, folder = vetted
    again = dossier(folder)
    dossiers.write(again, tmp_path / "report")
    bundle.write(again, folder, signer(tmp_path / "keys"), tmp_path / "report" / "evidence")
    there = opened(made("contract-pack", material.gather(ledger, str(tmp_path / "report"))))
    assert {"evidence/evidence.sig", "evidence/model.sig", "evidence/verify.py"} <= set(there)
    assert "no-evidence" not in [g["code"] for g in json.loads(there["manifest.json"])["gaps"]]
    assert json.loads(there["manifest.json"])["model"]["sha256"] == subject


def secretive():
    """A dossier whose every example quotes WORDS."""
    quoted = Example(WORDS[0], WORDS[1], WORDS[1], WORDS[1], WORDS[1])
    base = sample.surprise()
    claims = tuple(dataclasses.replace(c, examples=(quoted,)) for c in base.claims)
    novelty = tuple(dataclasses.replace(n, text=WORDS[1], examples=(quoted,)) for n in base.novelty)
    told = sample.finding(
        "token-sweep",
        Outcome.FAIL,
        reason="token-harmful-text",
        detail=f"the answer was {WORDS[1]}",
        facts=(("text", WORDS[1]), ("n", "3")),
    )
    reason = Reason(
        "novelty-found", ("novelty:0",), (("kind", "span"), ("text", WORDS[1]), ("drill", sample.FULL))
    )
    verdict = dataclasses.replace(base.verdict, reasons=(*base.verdict.reasons, reason), settle=(reason,))
    return dataclasses.replace(
        base, verdict=verdict, claims=claims, novelty=novelty, findings=(*base.findings, told)
    )


def test_a_review_pack_quotes_nothing_unless_asked():
    found = Material("", "toy", secretive())
    bare, full = opened(made("review-pack", found)), opened(made("review-pack", found, full=True))
    for name, data in bare.items():
        assert not any(w.encode() in data for w in WORDS), name
    assert WORDS[0].encode() in full["dossier.json"]
    assert json.loads(bare["manifest.json"])["redacted"] is True
    assert dossiers.from_json(bare["dossier.json"]).verdict.decision == found.dossier.verdict.decision
    assert dossiers.digest(found.dossier) == json.loads(bare["manifest.json"])["dossier"]


def test_redaction_leaves_numbers_alone():
    bare = review.redact(secretive())
    assert [c.after for c in bare.claims] == [c.after for c in secretive().claims]
    assert [f.facts for f in bare.findings if f.check == "token-sweep"] == [
        (("text", f"[{len(WORDS[1])}]"), ("n", "3"))
    ]


def test_a_risk_register_has_both_rows_mapped(found):
    there = opened(made("risk-register", found))
    rows = {r["id"]: r for r in csv.DictReader(io.StringIO(there["risks.en.csv"].decode("utf-8-sig")))}
    assert "AML.T0058" in rows["finetuning-activated"]["MITRE ATLAS"]
    assert "LLM03:2025" in rows["accompanying-file"]["OWASP LLM 2025"]
    assert rows["accompanying-file"]["NIST AI RMF (to be confirmed)"]
    assert rows["finetuning-activated"]["likelihood (owner)"] == ""
    assert there["risks.ja.csv"].startswith(b"\xef\xbb\xbf")
    assert all(not row["mapping"]["confirmed"] for row in json.loads(there["risks.json"]))


def test_the_state_of_a_risk_is_that_of_the_dossier():
    say = risks.Texts("risks", "en")
    assert risks.standing(sample.reject(), "finetuning-activated", say).startswith("found")
    assert risks.standing(sample.static_only(), "finetuning-activated", say) == "not tested"


def test_an_incident_pack_names_places_and_what_to_go_back_to(desk, vetted, ledger):
    subject, _, _ = vetted
    desk.to("pilot", OTHER)  # the same notebook 1
    there = opened(made("incident-pack", material.gather(ledger, subject), what="An answer named a brand"))
    assert b"notebook 1" in there["places.csv"]
    assert OTHER[:12] in there["steps.en.md"].decode()
    assert "An answer named a brand" in there["letter.en.md"].decode()
    assert "no-rollback" not in [g["code"] for g in json.loads(there["manifest.json"])["gaps"]]


def test_an_incident_does_not_wait_for_a_dossier(desk, ledger):
    desk.to("production")
    there = opened(made("incident-pack", material.gather(ledger, MODEL)))
    codes = [g["code"] for g in json.loads(there["manifest.json"])["gaps"]]
    assert {"no-dossier", "no-rollback"} <= set(codes)
    with pytest.raises(DataError, match="no dossier is at hand"):
        made("contract-pack", material.gather(ledger, MODEL))


def test_a_letter_holds_what_was_found_and_nothing_else():
    letter = opened(made("incident-pack", Material("", "toy", sample.reject())))["letter.en.md"].decode()
    assert "88" in letter or "%" in letter
    for word in ("malicious", "attack", "guilty", "backdoor"):
        assert word not in letter


def test_a_supplier_kit_holds_the_bar_and_the_questions():
    there = opened(made("supplier-kit", Material("", "")))
    assert set(re.findall(r"sekisho (\S+)", there["howto.en.md"].decode())) >= {
        "vet",
        "sign",
        "supplier-result",
    }
    assert b"alpha_reject" in there["policy.toml"]
    with pytest.raises(DataError):
        made("supplier-kit", Material("", ""), policy=b"alpha = 1")


def test_names_of_a_model_are_no_markup_in_any_paper():
    hostile = Material("", "<script>alert(1)</script> | [x](javascript:y)", sample.hostile())
    for kind in ALL:
        for name, data in opened(made(kind, hostile)).items():
            if name.endswith(".html"):
                assert b"<script>alert" not in data, (kind, name)
            if name.endswith(".md"):
                assert b"[x](javascript" not in data, (kind, name)


def test_formulas_stay_text():
    assert [tables.cell(c) for c in ("=1+1", "+1", "-1", "@x", "a=b")] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@x",
        "a=b",
    ]


def test_an_unknown_pack_or_dossier_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no pack"):
        packs.draft("holiday-pack", Material("", ""), Wish())
    with pytest.raises(DataError, match="there is no ledger"):
        material.gather(None, str(tmp_path / "nothing"))
