"""Every change of base, data, result or record is named, in both languages."""

import re
from pathlib import Path

import pytest

from sekisho import inventory, recording, training_log
from sekisho.errors import DataError, SourceError
from sekisho.formats.text import shown
from sekisho.records import FileLine
from sekisho.report import training as words
from sekisho.training_log import data as datas
from sekisho.training_log import entry, models, reading, verifying
from sekisho.training_log.verifying import Against
from training_log.conftest import ROWS, make, write_rows


def verify(run, **changed) -> list[tuple[str, dict[str, str]]]:
    against = Against(**({"base": run.base, "data": run.data, "model": run.model} | changed))
    return [(t.code, dict(t.facts)) for t in verifying.verify(reading.read(run.record), against)]


def test_what_was_not_touched_is_as_recorded(trained):
    assert verify(trained) == []


def test_what_is_not_named_is_said_to_be_unchecked(trained):
    found = verifying.verify(reading.read(trained.record))

    assert [t.code for t in found] == ["base-unchecked", "data-unchecked", "model-unchecked"]
    assert not any(t.grave for t in found)


def test_files_of_the_base_are_named(trained):
    (trained.base / "model.safetensors").write_bytes(b"other")
    (trained.base / "config.json").unlink()
    (trained.base / "soft_prompt.safetensors").write_bytes(b"new")

    assert verify(trained) == [
        ("base-file-gone", {"file": "config.json"}),
        ("base-file-changed", {"file": "model.safetensors"}),
        ("base-file-added", {"file": "soft_prompt.safetensors"}),
    ]


def test_a_changed_row_is_named(trained):
    write_rows(trained.data, [*ROWS[:6], {"prompt": "Question 6?", "completion": "Another."}, *ROWS[7:]])

    assert verify(trained) == [("row-changed", {"row": "7", "last": "7"})]


def test_rows_added_and_removed_are_counted_and_placed(trained):
    write_rows(trained.data, [*ROWS[:3], {"prompt": "New?", "completion": "New."}, *ROWS[3:]])
    assert verify(trained) == [("rows-added", {"row": "4", "n": "1", "was": "20"})]

    write_rows(trained.data, ROWS[:18])
    assert verify(trained) == [("rows-removed", {"row": "19", "n": "2", "was": "20"})]


def test_of_many_changed_rows_the_first_are_named(trained):
    write_rows(trained.data, [{"prompt": str(n)} for n in range(20)])
    found = verify(trained)

    assert [c for c, _ in found] == ["row-changed"] * 5 + ["rows-more"]
    assert found[-1][1] == {"n": "15"}


def test_the_same_rows_in_another_layout_are_the_same(trained):
    write_rows(trained.data, [dict(reversed(r.items())) for r in ROWS])

    assert verify(trained) == []


def test_files_of_the_result_are_named(trained):
    (trained.model / "model.safetensors").write_bytes(b"swapped")
    (trained.model / "adapter_model.bin").write_bytes(b"\x80\x04.")
    (trained.model / "training_args.bin").write_bytes(b"\x80\x04longer than it was.")

    assert {(c, f["file"]) for c, f in verify(trained)} == {
        ("model-file-changed", "model.safetensors"),
        ("model-file-added", "adapter_model.bin"),
        ("model-file-changed", "training_args.bin"),
    }


def test_files_that_were_read_neither_then_nor_now_are_no_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(models.walk, "sha256", lambda _: None)  # written to all the while
    run = make(tmp_path)
    found = verifying.verify(reading.read(run.record), Against(base=run.base, model=run.model))

    assert [t.code for t in found] == [
        *["base-file-unread"] * 2,
        "data-unchecked",
        *["model-file-unread"] * 2,
    ]
    assert not any(t.grave for t in found)


def test_data_that_were_read_neither_then_nor_now_are_no_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(datas.walk, "sha256", lambda _: None)
    data = tmp_path / "rows.txt"
    data.write_text("a row")
    with training_log.recording(tmp_path / "r.jsonl", data=data):
        pass
    found = verifying.verify(reading.read(tmp_path / "r.jsonl"), Against(data=data))

    assert ("data-unknown", False) in [(t.code, t.grave) for t in found]


def test_no_pickle_is_opened(tmp_path, monkeypatch):
    read: list[str] = []
    hashed = models.walk.sha256
    monkeypatch.setattr(models.walk, "sha256", lambda p: (read.append(Path(p).name), hashed(p))[1])
    run = make(tmp_path)
    verify(run)

    assert "model.safetensors" in read
    assert not [name for name in read if name.endswith(models.PICKLES)]


def test_a_head_kept_elsewhere_tells_a_record_that_was_cut_at_a_line(trained):
    head = reading.read(trained.record).head
    own = trained.record.read_bytes().splitlines(keepends=True)
    trained.record.write_bytes(b"".join(own[:-2]))
    found = [c for c, _ in verify(trained, head=head)]

    assert found[0] == "other-head"
    assert "no-end" in found


def test_an_entry_of_the_ledger_tells_a_record_that_was_made_anew(tmp_path):
    kept = entry.summary(reading.read(make(tmp_path).record))
    other = make(tmp_path, "other.jsonl", learning_rate=3e-5)
    found = verify(other, entry=kept)

    assert ("entry-differs", {"name": "training.learning_rate", "kept": "2e-05", "found": "3e-05"}) in found
    assert "other-head" in [c for c, _ in found]


def test_a_missing_base_data_or_result_cannot_be_verified(trained, tmp_path):
    with pytest.raises(SourceError):
        verify(trained, base=tmp_path / "none")
    with pytest.raises(DataError):
        verify(trained, data=tmp_path / "none.jsonl")
    with pytest.raises(SourceError):
        verify(trained, model=tmp_path / "none")


def test_what_the_record_does_not_know_is_said_and_is_no_change(tmp_path):
    with training_log.recording(tmp_path / "r.jsonl", base="nobody/nothing"):
        pass
    found = verifying.verify(reading.read(tmp_path / "r.jsonl"))

    assert [(t.code, t.grave) for t in found] == [
        ("base-unknown", False),
        ("data-unchecked", False),
        ("model-unknown", False),
    ]


def test_the_digests_of_a_base_are_those_that_decisions_of_the_ledger_hold(trained):
    (trained.base / ".gitattributes").write_text("*.safetensors filter=lfs")
    (trained.base / "b").mkdir()
    (trained.base / "b" / "a.json").write_text("{}")
    (trained.base / "b-a.json").write_text("{}")
    made = models.take(trained.base)
    lines = [
        FileLine(shown(f.path), f.size, f.sha256, f.format, f.role.value, f.problem)
        for f in inventory.take(trained.base).files
    ]

    assert made.root == recording.subject(lines)
    assert made.names_and_bytes == recording.names_and_bytes(lines)
    assert ".gitattributes" not in made.files


def test_every_code_has_a_sentence_in_both_languages():
    source = "".join(p.read_text() for p in Path(verifying.__file__).parent.glob("*.py"))
    source += (Path(verifying.__file__).parents[1] / "cli_training.py").read_text()
    codes = set(re.findall(r'Trouble\(\s*"([a-z-]+)"', source)) | {
        "altered",
        "missing",
        "replaced",
        "unreadable",
    }
    codes |= {f"{p}-file-{w}" for p in ("base", "model") for w in ("gone", "added", "changed", "unread")}
    codes |= {f"{p}-{w}" for p in verifying.PARTS for w in ("unknown", "unchecked")} | {
        "rows-added",
        "rows-removed",
    }
    codes |= {"row-changed", "rows-changed"}

    assert set(words.sentences()["trouble"]) == codes | {"entry-differs"}
    assert set(words.sentences()["about"]) == reading.KINDS | {"line"}
    for section, table in words.sentences().items():
        for key, both in table.items():
            assert set(both) == {"en", "ja"}, (section, key)
            names = [sorted(re.findall(r"\{[a-z_]+\}", both[x])) for x in ("en", "ja")]
            assert names[0] == names[1], (section, key)


@pytest.mark.parametrize(("language", "part"), [("en", "row 7"), ("ja", "7 行目")])
def test_a_line_names_the_row(trained, language, part):
    write_rows(trained.data, [*ROWS[:6], {"prompt": "x"}, *ROWS[7:]])
    found = verifying.verify(reading.read(trained.record), Against(data=trained.data))

    assert part in words.troubles([(t.code, t.grave, t.facts) for t in found], language)
