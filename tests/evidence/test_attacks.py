"""What an attacker hands to `verify` and `sign`: documents of his own key, dates at the edge, digests that collide."""

import base64
import datetime as dt
import json
from dataclasses import replace

import pytest

from evidence.folders import BOTH, OUTSIDER, dossier, model, ours, signed, signer, theirs
from sekisho import signing
from sekisho.errors import DataError, MalformedError, UsageError
from sekisho.evidence import bundle, dsse, oms
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.statements import Granted

pytestmark = pytest.mark.integration


def own(folder, name, text, key):
    """A document of the attacker's own: any text as payload, signed properly by his key."""
    payload = text if isinstance(text, bytes) else text.encode()
    by = signer(folder.parent, key)
    body = dsse.bundle(payload, by) if name.endswith(".sig") else dsse.envelope(payload, (by,))
    (folder / name).write_bytes(dsse.dump(body) + b"\n")


def payload(folder, name):
    body = json.loads((folder / name).read_bytes())
    return base64.b64decode(body.get("dsseEnvelope", body)["payload"]).decode()


NUMBERS = ("1e999", "-1e999", "1" * 5000, '"\\ud800"', "NaN", "-Infinity")


@pytest.mark.parametrize("verify", BOTH)
@pytest.mark.parametrize("number", NUMBERS, ids=[n[:8] for n in NUMBERS])
def test_a_number_no_writer_makes_is_unreadable_and_no_crash(made, verify, number):
    where, folder, key = made
    for name in ("behaviour.intoto.json", "decision.intoto.json", bundle.MODEL, bundle.WHOLE):
        text = payload(folder, name)
        own(folder, name, text[:-1] + f',"z":{number}}}', "key")
        code, lines = verify(folder, model=where, key=key)
        assert code, lines
        assert any(line.startswith(name) for line in lines), lines


@pytest.mark.parametrize("verify", BOTH)
def test_no_depth_of_nesting_is_a_crash(made, verify):
    where, folder, key = made
    for deep in (*range(920, 1000, 2), 10**5):
        own(folder, "behaviour.intoto.json", '{"z":' + "[" * deep + "]" * deep + "}", "key")
        assert verify(folder, model=where, key=key)[0]


def test_a_record_with_a_number_beyond_all_bounds_is_refused():
    with pytest.raises(MalformedError, match="no JSON as evidence is written"):
        dsse.parse(b'{"steps":1e999}')


def test_a_file_is_not_both_signed_and_unsigned(made):
    _, folder, _ = made
    body = json.loads(payload(folder, bundle.MODEL))
    body["predicate"]["unsigned"] = [{"name": "config.json", "algorithm": "sha256", "digest": "0" * 64}]
    with pytest.raises(MalformedError, match=r"config.json.*listed twice"):
        oms.read(dsse.dump(body))


@pytest.mark.parametrize("day", ["20310501", "2031-W18-4"])
def test_an_approval_in_another_form_of_date_is_signed_in_the_one_that_verifies(tmp_path, day):
    where, folder, key = signed(tmp_path, approvals=(Granted("K. Sato", "decision", day),))
    assert ours(folder, model=where, key=key)[0] == 0
    assert theirs(folder, model=where, key=key)[0] == 0
    assert ours(folder, model=where, key=key, at="2031-05-02")[0] == 7


@pytest.mark.parametrize("days", [0, 10**6 * 9, 10**12])
def test_a_validity_beyond_the_calendar_is_one_line(tmp_path, days):
    with pytest.raises(UsageError, match="valid"):
        signed(tmp_path, valid_days=days)


def test_the_outsider_reads_the_day_in_utc_as_the_library_does(monkeypatch, made):
    _, folder, key = made

    class Tokyo(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            at = dt.datetime(2032, 4, 2, 23, 30, tzinfo=dt.UTC)  # the last day in UTC, the day after in Tokyo
            return at.astimezone(tz or dt.timezone(dt.timedelta(hours=9)))

        @classmethod
        def today(cls):
            return cls.now()

    class Day(dt.date):
        @classmethod
        def today(cls):
            return dt.date(2032, 4, 3)

    monkeypatch.setattr(OUTSIDER.datetime, "datetime", Tokyo)
    monkeypatch.setattr(OUTSIDER.datetime, "date", Day)
    assert theirs(folder, key=key, at=None)[0] == 0


@pytest.fixture
def vetted(tmp_path):
    where, made = model(tmp_path / "m"), tmp_path / "vetted"
    dossiers.write(dossier(where, findings=()), made)
    return where, made


def record(vetted, tmp_path):
    """The intake record that signing made, as somebody might keep and edit it."""
    where, made = vetted
    first = signing.sign(made, where, signer(tmp_path), options=signing.Options(out=tmp_path / "first"))
    return json.loads(payload(first.folder, bundle.INTAKE))["predicate"]["buildDefinition"][
        "internalParameters"
    ]["record"]


def again(vetted, tmp_path, kept, name="intake.json"):
    (vetted[1] / name).write_text(json.dumps(kept))
    made = signing.sign(
        vetted[1], vetted[0], signer(tmp_path), options=signing.Options(out=tmp_path / "again")
    )
    return json.loads(payload(made.folder, bundle.INTAKE))["predicate"]["buildDefinition"][
        "internalParameters"
    ]["record"]


@pytest.mark.parametrize("files", [[], slice(1, None)], ids=["none", "all but one"])
def test_an_intake_record_that_leaves_files_out_is_not_signed(vetted, tmp_path, files):
    kept = record(vetted, tmp_path)
    kept["files"] = kept["files"][files] if isinstance(files, slice) else files
    with pytest.raises(DataError, match=r"intake\.json"):
        again(vetted, tmp_path, kept)


def test_an_intake_record_of_another_root_is_not_signed(vetted, tmp_path):
    kept = record(vetted, tmp_path)
    kept["root_digest"]["value"] = "sha256:" + "ab" * 32
    with pytest.raises(DataError, match="root digest"):
        again(vetted, tmp_path, kept)


def test_signatures_that_an_intake_record_claims_are_replaced_by_the_one_that_holds(vetted, tmp_path):
    kept = record(vetted, tmp_path)
    for rung in kept["ladder"]["rungs"]:
        rung["held"] = True
    made = again(vetted, tmp_path, kept)
    rungs = {r["level"]: r for r in made["ladder"]["rungs"]}
    assert made["ladder"]["level"] == "E3"
    assert rungs["E3"]["ground"] == "intake-signature"
    assert not rungs["E4"]["held"]
    assert made["verification"]["signer"]["value"] == signer(tmp_path).public.fingerprint


def test_the_record_that_provenance_writes_is_taken_up(vetted, tmp_path):
    from sekisho import origins

    looked = origins.look(str(vetted[0]))
    made = again(vetted, tmp_path, json.loads(origins.to_json(looked)))
    assert {r["level"]: r["held"] for r in made["ladder"]["rungs"]}["E3"]


@pytest.mark.parametrize("kept", [{"method": "lora", "steps": 3}, {"base_digest": "x", "method": "lora"}, {}])
def test_a_training_record_in_other_words_is_not_wrapped(vetted, tmp_path, kept):
    with pytest.raises(DataError, match=r"finetune\.json: training-record"):
        again(vetted, tmp_path, kept, "finetune.json")


def test_a_signature_that_holds_reaches_the_ladder_and_one_that_does_not_contradicts(vetted, tmp_path):
    from sekisho import origins

    where, made = vetted
    folder = signing.sign(made, where, signer(tmp_path), options=signing.Options(out=tmp_path / "e")).folder
    today = dt.datetime.now(dt.UTC).date()
    asked = origins.Asked(evidence=folder, keys=(tmp_path / "key.pub",), today=today)
    rung = origins.look(str(where), asked=asked).intake.ladder.rungs[3]
    signer(tmp_path, "other")
    stranger = origins.look(str(where), asked=replace(asked, keys=(tmp_path / "other.pub",)))
    with pytest.raises(UsageError, match="--key"):
        origins.look(str(where), asked=replace(asked, keys=()))
    (where / "config.json").write_bytes(b"{ }")
    changed = origins.look(str(where), asked=asked)
    assert (rung.held, rung.ground) == (True, "intake-signature")
    assert not stranger.intake.ladder.rungs[3].held
    assert stranger.contradicted
    assert changed.contradicted


def test_a_dossier_file_as_the_ledger_keeps_it_is_signed(vetted, tmp_path):
    where, made = vetted
    kept = (made / "dossier.json").rename(tmp_path / f"{'ab' * 32}.json")
    folder = signing.sign(kept, where, signer(tmp_path)).folder
    assert folder == tmp_path / f"{'ab' * 32}-evidence"
    today = dt.datetime.now(dt.UTC).date().isoformat()
    assert ours(folder, model=where, key=tmp_path / "key.pub", at=today)[0] == 0


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path):
    assert ours(tmp_path / "gone")[1][0] == "gone: unread {'why': 'No such file or directory'}"
