"""Locks edited by hand, decisions on other names, and files that are weights in disguise or only look like them."""

import io
import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from load_guard.conftest import model
from sekisho import locking, recording
from sekisho.errors import DataError, RuleError
from sekisho.ledger.book import open_ledger
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.load_guard import lockfile, weightlike
from sekisho.load_guard.lockfile import Lock
from sekisho.sources import digest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(str(tmp_path / "ledger.sqlite"), clock=lambda: NOW)
    yield opened
    opened.close()


def decide(ledger, folder, decision="admit", scope="behaviour"):
    files = locking._files(folder)
    body = {"decision": decision, "scope": scope, "policy": "default", "policy_digest": "12" * 32}
    body["files_digest"] = recording.names_and_bytes(files)
    return ledger.append(Draft("gate", Kind.DECISION, recording.subject(files), body))


def codes(lock, ledger, at=NOW):
    return [t.code for t in locking.check(lock, [], ledger, at)]


@pytest.fixture
def locked(ledger, tmp_path):
    """A model, and the lock that it is rightly in."""
    folder = model(tmp_path / "ours", 1)
    decide(ledger, folder)
    locking.add(ledger, tmp_path / "sekisho.lock", locking.Wish(folder, "mori"), NOW)
    return folder, lockfile.read(tmp_path / "sekisho.lock")


def edited(lock, **changes):
    return Lock((replace(lock.models[0], **changes),), lock.path)


def test_a_rightful_lock_holds_against_its_ledger(locked, ledger):
    assert codes(locked[1], ledger) == []


def test_a_file_put_into_the_lock_by_hand_shows_against_the_ledger(locked, ledger):
    files = dict(locked[1].models[0].files)
    assert codes(edited(locked[1], files=files | {"evil.safetensors": "e" * 64}), ledger) == ["not-decided"]
    assert codes(edited(locked[1], files=files | {"config.json": "e" * 64}), ledger) == ["not-decided"]
    renamed = {("modeling.py" if p == "chat_template.jinja" else p): d for p, d in files.items()}
    assert codes(edited(locked[1], files=renamed), ledger) == ["not-decided"]


def test_a_scope_written_up_by_hand_shows_against_the_ledger(ledger, tmp_path):
    folder, path = model(tmp_path / "ours", 1), tmp_path / "sekisho.lock"
    decide(ledger, folder, scope="files")
    locking.add(ledger, path, locking.Wish(folder, "mori", files_only=True), NOW)
    lock = lockfile.read(path)
    assert codes(lock, ledger) == []
    assert codes(edited(lock, scope="behaviour"), ledger) == ["not-decided"]


def test_an_exception_is_not_drawn_out_in_the_lock(ledger, tmp_path):
    folder, path = model(tmp_path / "ours", 1), tmp_path / "sekisho.lock"
    root = decide(ledger, folder, "hold").subject
    body = {"reason": "trial", "approver": "sato", "expires": "2026-12-01"}
    ledger.append(Draft("mori", Kind.EXCEPTION, root, body))
    locking.add(ledger, path, locking.Wish(folder, "mori"), NOW)
    lock = lockfile.read(path)
    assert codes(lock, ledger) == []
    assert codes(edited(lock, expires="2099-01-01T00:00:00Z"), ledger) == ["not-decided"]


def test_an_admit_under_other_names_does_not_cover_a_reject(locked, ledger, tmp_path):
    folder, lock = locked
    decide(ledger, folder, "reject")
    other = model(tmp_path / "other", 1)
    (other / "chat_template.jinja").rename(other / "chat_template.txt")
    decide(ledger, other)
    assert codes(lock, ledger) == ["overruled"]
    with pytest.raises(RuleError, match="exactly these files"):
        locking.add(ledger, tmp_path / "two.lock", locking.Wish(folder, "mori"), NOW)


def test_what_stood_for_an_unread_file_is_no_file_s_digest(tmp_path):
    import hashlib

    assert hashlib.sha256(b"unread").hexdigest() != digest.UNREAD


@pytest.mark.parametrize("expires", ["9999-12-31T23:59:59-23:00", "2027-13-01"])
def test_an_end_beyond_the_calendar_is_one_line(locked, ledger, tmp_path, expires):
    wish = locking.Wish(locked[0], "mori", expires=expires)
    with pytest.raises(DataError):
        locking.add(ledger, tmp_path / "sekisho.lock", wish, NOW)


@pytest.mark.parametrize(
    "value", ["2027-01-01T00:00:00", "9999-12-31T23:59:59-23:00", '"9999-12-31T23:59:59-23:00"']
)
def test_an_end_without_a_zone_or_beyond_the_calendar_is_refused(locked, tmp_path, value):
    path = tmp_path / "sekisho.lock"
    kept = [f"expires = {value}" if x.startswith("expires") else x for x in path.read_text().splitlines()]
    path.write_text("\n".join(kept))
    with pytest.raises(DataError, match="expires"):
        lockfile.read(path)


class _Starts:
    def __reduce__(self):
        return (print, ("started",))


STARTS = pickle.dumps(_Starts(), protocol=0)


@pytest.mark.parametrize(
    "prefix", [b"", b"I0\n0", b"N0", b"F0\n0", b"V\n0", b"(0", b"S''\n0", b"]0", b"\x8c\x00" + b"0"]
)
def test_a_pickle_with_something_before_it_is_a_pickle(prefix):
    data = prefix + STARTS
    assert weightlike.kind(io.BytesIO(data), len(data), "notes.dat") == "pickle"
    cut = data[:-1] + b"\xff"  # what comes after the call is read too late
    assert weightlike.kind(io.BytesIO(cut), len(cut), "notes.dat") == "pickle"


TEXTS = (
    "click\nflask\n",
    "cat\ndog\n",
    "can\ncould\nwould\n" * 900,
    "(see below)\n",
    "Names\n",
    "I am\n",
    "idle\ntalk\n",
)


@pytest.mark.parametrize("text", TEXTS, ids=[t[:5] for t in TEXTS])
def test_a_list_of_words_is_no_pickle(text):
    data = text.encode()
    assert weightlike.kind(io.BytesIO(data), len(data), "requirements.txt") == ""


def test_the_hdf5_reader_is_guarded_by_name():
    from sekisho.load_guard import natives

    assert any(e.module.startswith("h5py") for e in natives.ENTRIES)
