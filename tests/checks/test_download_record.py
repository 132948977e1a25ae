"""Files held against the record of their download."""

from pathlib import Path

import pytest

from artefacts import tiny_model
from provenance import hubs
from sekisho import static
from sekisho.checks.base import Case
from sekisho.checks.download_record import DownloadRecord
from sekisho.checks.undeclared_file import UndeclaredFile
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.provenance.evidence import Request, gather
from sekisho.records import Finding, Outcome, Severity


def findings(folder: Path, limits: Limits | None = None) -> list[Finding]:
    files = take(folder, limits or Limits())
    return list(DownloadRecord().run(Case(files, origin=gather(files, folder, Request(), unlisted=False))))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return hubs.local_dir(tmp_path / "m")[0]


def test_clean(model: Path) -> None:
    (found,) = findings(model)
    assert (found.reason, found.outcome) == ("as-recorded", Outcome.PASS)


def test_no_record(tmp_path: Path) -> None:
    (found,) = findings(tiny_model(tmp_path / "m"))
    assert (found.reason, found.outcome) == ("no-record", Outcome.PASS)


def test_a_layout_that_lists_no_file_agrees_with_nothing(tmp_path: Path) -> None:
    snapshot = hubs.cache(tmp_path / "m", listed=False)[0]
    for path in snapshot.iterdir():
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    assert [f.reason for f in findings(snapshot)] == ["no-record"]


@pytest.mark.parametrize(
    ("name", "reason", "severity"),
    [("config.json", "file-altered", Severity.REJECT), ("prompt.bin", "file-extra", Severity.HOLD)],
)
def test_hit(model: Path, name: str, reason: str, severity: Severity) -> None:
    (model / name).write_bytes(b"{}")
    (found,) = findings(model)
    assert (found.where, found.reason, found.severity, found.outcome) == (
        name,
        reason,
        severity,
        Outcome.FAIL,
    )


def test_gone(model: Path) -> None:
    (model / "LICENSE").unlink()
    assert [(f.where, f.reason) for f in findings(model)] == [("LICENSE", "file-missing")]


def test_never_downloaded_is_told_and_passes(model: Path) -> None:
    (model / "LICENSE").unlink()
    (model / ".cache/huggingface/download/LICENSE.metadata").unlink()
    assert [f.reason for f in findings(model)] == ["left-out", "as-recorded"]


def test_malformed(model: Path) -> None:
    place = model / ".cache/huggingface/download/config.json.metadata"
    place.write_bytes(b"\xff")
    assert {f.reason for f in findings(model)} == {"record-broken", "file-extra"} or {
        f.reason for f in findings(model)
    } == {"record-broken"}
    assert any(f.outcome is Outcome.CANNOT_TELL for f in findings(model))


def test_several_revisions(model: Path) -> None:
    place = model / ".cache/huggingface/download/config.json.metadata"
    place.write_text("1" * 40 + place.read_text()[40:])
    assert "several-revisions" in {f.reason for f in findings(model)}


def test_over_limit(model: Path) -> None:
    found = findings(model, Limits(file_bytes=10_000))
    assert ("model.safetensors", "file-unread") in {(f.where, f.reason) for f in found}


def test_the_metadata_itself_is_no_undeclared_file(model: Path) -> None:
    files = take(model)
    origin = gather(files, model, Request(), unlisted=False)
    assert not [f for f in UndeclaredFile().run(Case(files, origin=origin)) if ".cache" in f.where]


@pytest.mark.integration
def test_inspect_names_a_changed_file_of_a_download(model: Path, tmp_path: Path) -> None:
    clean = static.inspect(model, "none", cache=tmp_path / "c")
    assert "as-recorded" in {f.reason for f in clean.findings}
    (model / "chat_template.jinja").write_text("{{ messages }}")
    seen = static.inspect(model, "none", cache=tmp_path / "c")
    assert ("chat_template.jinja", "file-extra") in {(f.where, f.reason) for f in seen.findings}


@pytest.mark.integration
def test_nothing_else_is_held_against_a_clean_download(model: Path, tmp_path: Path) -> None:
    seen = static.inspect(model, "none", cache=tmp_path / "c")
    assert [f for f in seen.findings if f.outcome in (Outcome.FAIL, Outcome.CANNOT_TELL)] == []


def test_what_was_not_looked_at_does_not_pass(model: Path) -> None:
    (found,) = DownloadRecord().run(Case(take(model)))
    assert (found.reason, found.outcome, found.severity) == (
        "not-compared",
        Outcome.CANNOT_TELL,
        Severity.HOLD,
    )
