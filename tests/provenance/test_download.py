"""What downloads leave behind: recognised offline, and every deviation from it named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance import hubs
from sekisho import inventory
from sekisho.provenance import download
from sekisho.provenance.evidence import Evidence, Request, gather
from sekisho.provenance.intake import Signed, record
from sekisho.provenance.ladder import Ground
from sekisho.provenance.records import Intake, Level


def look(path: Path, **request: object) -> tuple[Intake, Evidence]:
    evidence = gather(inventory.take(path), path, Request(**request))  # type: ignore[arg-type]
    return record(evidence, base=None, register=None, signed=Signed(), tool="t"), evidence


@pytest.mark.parametrize("make", [hubs.local_dir, hubs.cache])
@pytest.mark.parametrize("listed", [True, False])
def test_a_download_is_recognised_and_fits(
    tmp_path: Path, make: Callable[..., tuple[Path, str, bytes]], listed: bool
) -> None:
    path, revision, _ = make(tmp_path / "m", listed=listed)
    intake, evidence = look(path)
    assert evidence.download is not None
    assert evidence.download.revisions == (revision,)
    assert evidence.download.complete_list is listed
    assert intake.deviations == ()
    assert intake.ladder.level is Level.RECORDED
    assert intake.revision.value == revision
    assert not [f for f in intake.files if ".cache" in f.path]


def test_the_cache_knows_the_repository(tmp_path: Path) -> None:
    path, *_ = hubs.cache(tmp_path / "m")
    intake, _ = look(path)
    assert intake.source.value == "hf:org/tiny"
    assert intake.supplier.identity.value == "huggingface.co/org"


@pytest.mark.parametrize("make", [hubs.local_dir, hubs.cache])
def test_the_commit_is_proven_offline(tmp_path: Path, make: Callable[..., tuple[Path, str, bytes]]) -> None:
    path, revision, body = make(tmp_path / "m")
    intake, evidence = look(path, expect=revision, commit=body)
    assert evidence.proof.held
    assert intake.ladder.level is Level.MATCHED
    assert intake.git_tree.value == hubs.gitobjects.parse_commit(body).tree


def test_a_revision_known_from_beside_the_files_alone_proves_nothing(tmp_path: Path) -> None:
    path, _, body = hubs.local_dir(tmp_path / "m")
    intake, evidence = look(path, commit=body)
    assert evidence.proof.held
    assert intake.ladder.level is Level.RECORDED
    assert intake.ladder.rungs[2].ground == "revision-not-independent"


def test_another_revision_and_another_commit_object_are_named(tmp_path: Path) -> None:
    path, revision, body = hubs.local_dir(tmp_path / "m")
    assert look(path, expect="1" * 40, commit=body)[1].proof.code == "commit-is-another"
    assert look(path, expect=revision, commit=body + b"x")[1].proof.code == "commit-is-another"
    assert look(path, expect=revision, commit=b"nonsense")[1].proof.code == "commit-broken"
    assert look(path, expect=revision)[1].proof.code == "no-commit-object"


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


TAMPERING = {
    "a flipped byte in the weights": (
        lambda p: flip(p / "model.safetensors"),
        ("model.safetensors", "altered"),
    ),
    "a changed setting": (lambda p: (p / "config.json").write_text("{}"), ("config.json", "altered")),
    "a file gone": (lambda p: (p / "LICENSE").unlink(), ("LICENSE", "missing")),
    "a file beside": (lambda p: (p / "soft_prompt.bin").write_bytes(b"x"), ("soft_prompt.bin", "extra")),
    "a file renamed": (lambda p: (p / "config.json").rename(p / "other.json"), ("config.json", "missing")),
}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_named(tmp_path: Path, name: str, listed: bool) -> None:
    path, revision, body = hubs.local_dir(tmp_path / "m", listed=listed)
    change, (where, kind) = TAMPERING[name]
    change(path)
    intake, evidence = look(path, expect=revision, commit=body)
    assert (where, kind) in {(d.path, d.kind) for d in intake.deviations}
    assert not evidence.proof.held
    assert intake.ladder.level is Level.RECORDED


def test_tampering_in_the_cache_is_named(tmp_path: Path) -> None:
    path, *_ = hubs.cache(tmp_path / "m")
    flip((path / "model.safetensors").resolve())
    (path / "added.json").write_text("{}")
    kinds = {(d.path, d.kind) for d in look(path)[0].deviations}
    assert kinds == {("model.safetensors", "altered"), ("added.json", "extra")}


def test_a_partial_download_lacks_nothing_that_was_fetched(tmp_path: Path) -> None:
    path, *_ = hubs.local_dir(tmp_path / "m")
    (path / "LICENSE").unlink()
    (path / ".cache/huggingface/download/LICENSE.metadata").unlink()
    intake, evidence = look(path)
    assert {(d.path, d.kind) for d in intake.deviations} == {("LICENSE", "missing")}
    assert evidence.download is not None
    assert [e.path for e in evidence.download.expected if not e.downloaded] == ["LICENSE"]


BROKEN = {
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "two lines": b"0" * 40 + b"\n" + b"1" * 40,
    "no commit": b"main\n" + b"1" * 40 + b"\n1.0\n",
    "no etag": b"0" * 40 + b"\nW/abc\n1.0\n",
    "no time": b"0" * 40 + b"\n" + b"1" * 40 + b"\nnan\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_metadata_is_a_problem_and_never_an_error(tmp_path: Path, name: str) -> None:
    path, *_ = hubs.local_dir(tmp_path / "m", listed=False)
    (path / ".cache/huggingface/download/config.json.metadata").write_bytes(BROKEN[name])
    intake, evidence = look(path)
    assert evidence.download is not None
    assert evidence.download.problems
    assert intake.ladder.level is Level.CLAIMED
    assert ("config.json", "extra") in {(d.path, d.kind) for d in intake.deviations}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format_version": 2, "files": {}}',
        '{"format_version": 1, "files": {"a": {}}}',
        "[" * 5000,
    ],
)
def test_a_broken_list_is_a_problem(tmp_path: Path, text: str) -> None:
    path, revision, _ = hubs.local_dir(tmp_path / "m")
    (path / ".cache/huggingface/trees" / f"{revision}.json").write_text(text)
    intake, _ = look(path)
    assert intake.ladder.rungs[1].ground == "record-broken"


def test_files_of_two_revisions_are_no_revision(tmp_path: Path) -> None:
    path, *_ = hubs.local_dir(tmp_path / "m")
    place = path / ".cache/huggingface/download/config.json.metadata"
    place.write_text("1" * 40 + place.read_text()[40:])
    intake, _ = look(path)
    assert intake.revision.reason == "several-revisions"
    assert intake.ladder.level is Level.CLAIMED


def test_something_else_in_the_metadata_folder_is_a_file_of_the_model(tmp_path: Path) -> None:
    path, *_ = hubs.local_dir(tmp_path / "m")
    (path / ".cache/huggingface/download/soft_prompt.bin").write_bytes(b"x")
    (path / ".cache/huggingface/download/config.json.lock").write_bytes(b"hidden")
    extra = {d.path for d in look(path)[0].deviations if d.kind == "extra"}
    assert extra == {
        ".cache/huggingface/download/soft_prompt.bin",
        ".cache/huggingface/download/config.json.lock",
    }


def test_a_plain_folder_is_no_download(tmp_path: Path) -> None:
    path, *_ = hubs.local_dir(tmp_path / "m")
    shutil.rmtree(path / ".cache")
    assert download.recognise(inventory.take(path)) is None
    intake, _ = look(path)
    assert intake.ladder.level is Level.CLAIMED
    assert intake.ladder.attacks == ("anything",)


def test_a_rung_counts_only_above_all_others(tmp_path: Path) -> None:
    path, revision, body = hubs.local_dir(tmp_path / "m")
    signed = Signed(supplier=Ground(held=True, code="signed", detail="x"))
    evidence = gather(inventory.take(path), path, Request(expect=revision, commit=body))
    intake = record(evidence, base=None, register=None, signed=signed, tool="t")
    assert intake.ladder.level is Level.MATCHED
    assert intake.supplier.verified == "signature"
    both = Signed(intake=Ground(held=True, code="signed"), supplier=signed.supplier)
    assert (
        record(evidence, base=None, register=None, signed=both, tool="t").ladder.level
        is Level.SUPPLIER_SIGNED
    )


def test_an_attack_stays_open_on_every_rung(tmp_path: Path) -> None:
    from sekisho.provenance.ladder import attacks

    assert all("backdoor-in-parent" in attacks(level) or level is Level.CLAIMED for level in Level)
    assert all(attacks(level) for level in Level)
