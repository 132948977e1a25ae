"""The record for people: both languages, every unknown spelled out, and never a word that calls a model good."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from artefacts import edit_json, tiny_model
from provenance import hubs
from sekisho import cli
from sekisho.provenance import ladder
from sekisho.provenance.kinship import Kinship
from sekisho.provenance.records import Basis, FieldName, Level, Relation

PRAISE = re.compile(
    r"\b(safe|safely|safety|secure|trustworthy|trusted|harmless|benign|clean|ok|okay|green|good|approved|passed|admit|verified as)\b",
    re.IGNORECASE,
)
PRAISE_JA = re.compile(
    "安全|安心|無害|問題(は)?(あり|ござい)?ません|問題なし|合格|良好|緑|承認|クリーン|大丈夫|異常なし"
)
NAMES = re.compile(r"\{([a-z_]+)\}")


def sentences() -> dict[str, dict[str, dict[str, str]]]:
    path = files("sekisho.report") / "locale" / "provenance.toml"
    return tomllib.loads(path.read_text("utf-8"))


def test_both_languages_say_the_same_with_the_same_names() -> None:
    for section, entries in sentences().items():
        for code, entry in entries.items():
            assert set(entry) == {"en", "ja"}, (section, code)
            assert set(NAMES.findall(entry["en"])) == set(NAMES.findall(entry["ja"])), (section, code)


def test_every_code_has_a_sentence() -> None:
    said = sentences()
    assert set(said["level"]) == {level.value for level in Level}
    assert set(said["field"]) == {name.value for name in FieldName}
    assert set(said["basis"]) == {b.value for b in Basis} - {"unknown"}
    assert set(said["relation"]) == {r.value for r in Relation}
    assert set(said["kinship"]) == {k.value for k in Kinship}
    assert set(said["attack"]) == {a for level in Level for a in ladder.attacks(level)}
    source = "".join(p.read_text("utf-8") for p in (Path(str(files("sekisho"))) / "provenance").glob("*.py"))
    for section, pattern in (
        ("reason", r'unknown\(\s*"([a-z-]+)"'),
        ("ground", r'code="([a-z-]+)"'),
        ("ground", r'Proof\("([a-z-]+)"'),
    ):
        found = set(re.findall(pattern, source)) - {"proven"}
        assert found
        assert found <= set(said[section]), found - set(said[section])


def test_no_sentence_praises() -> None:
    for section, entries in sentences().items():
        for code, entry in entries.items():
            assert not PRAISE.search(entry["en"]), (section, code)
            assert not PRAISE_JA.search(entry["ja"]), (section, code)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(str(ended.value.code)), capsys.readouterr().out


@pytest.mark.integration
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_strongest_record_is_not_praised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    path, revision, body = hubs.cache(tmp_path / "m")
    (tmp_path / "commit").write_bytes(body)
    code, out = run(
        capsys,
        "provenance",
        str(path),
        "--expect",
        revision,
        "--commit-object",
        str(tmp_path / "commit"),
        "--lang",
        lang,
    )
    assert code == 0
    assert "E2" in out
    assert not PRAISE.search(out.replace("tiny", ""))
    assert not PRAISE_JA.search(out)
    assert out.count("不明: " if lang == "ja" else "unknown: ") >= 5
    assert all(f"{n:2d}. " in out for n in range(1, 15))


@pytest.mark.integration
def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, revision, body = hubs.local_dir(tmp_path / "m")
    (tmp_path / "commit").write_bytes(body)
    commit = ("--commit-object", str(tmp_path / "commit"))
    assert run(capsys, "provenance", str(path))[0] == 0
    assert run(capsys, "provenance", str(path), "--at-least", "E2", *commit)[0] == 3
    assert run(capsys, "provenance", str(path), "--at-least", "E2", "--expect", revision, *commit)[0] == 0
    assert run(capsys, "provenance", str(path), "--complete")[0] == 3
    assert run(capsys, "provenance", str(path), "--expect", "main")[0] == 2
    assert run(capsys, "provenance", str(path), "--expect", "1" * 40, *commit)[0] == 1
    assert run(capsys, "provenance", str(tmp_path / "none"))[0] == 2
    (path / "added.bin").write_bytes(b"x")
    code, out = run(capsys, "provenance", str(path))
    assert code == 1
    assert "added.bin" in out


@pytest.mark.integration
def test_a_source_with_a_pinned_revision_is_what_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, revision, body = hubs.local_dir(tmp_path / "m")
    (tmp_path / "commit").write_bytes(body)
    code, out = run(
        capsys, "provenance", str(path), "--source", f"hf:org/tiny@{revision}", "--commit-object", str(tmp_path / "commit"),
        "--at-least", "E2", "--format", "json", "--out", str(tmp_path / "r.json"),
    )  # fmt: skip
    assert code == 0
    body_ = json.loads(out)
    assert body_ == json.loads((tmp_path / "r.json").read_text())
    assert body_["intake"]["source"]["value"] == f"hf:org/tiny@{revision}"
    assert body_["intake"]["ladder"]["level"] == "E2"


@pytest.mark.integration
def test_a_refused_supplier_is_a_contradiction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "suppliers.toml"
    register.write_text(
        'schema = 1\n[[suppliers]]\nhost = "huggingface.co"\nnamespace = "0rg"\ntier = "reviewed"\ngrounds = ["contract"]\nreviewed = 2026-01-01\n'
    )
    path, *_ = hubs.cache(tmp_path / "m")
    code, out = run(capsys, "provenance", str(path), "--suppliers", str(register))
    assert code == 1
    assert "could be taken for it" in out
    assert (
        run(capsys, "supplier", "hf:org/tiny@main", "--suppliers", str(register), "--format", "json")[0] == 1
    )
    assert run(capsys, "supplier", "nonsense", "--suppliers", str(register))[0] == 2


@pytest.mark.integration
@pytest.mark.parametrize(("unknown", "expected"), [("refuse", 1), ("note", 0)])
def test_a_model_that_names_no_source_does_not_pass_the_register(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unknown: str, expected: int
) -> None:
    register = tmp_path / "suppliers.toml"
    register.write_text(f'schema = 1\nunknown = "{unknown}"\n')
    path, *_ = hubs.local_dir(tmp_path / "m")
    code, out = run(capsys, "provenance", str(path), "--suppliers", str(register))
    assert code == expected
    assert "no address to hold against the register" in out


@pytest.mark.integration
def test_a_supplier_with_nothing_against_it_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "suppliers.toml"
    register.write_text('schema = 1\nunknown = "note"\n')
    place = f"oci-layout:{tmp_path}@sha256:{'0' * 64}"
    code, out = run(capsys, "supplier", place, "--suppliers", str(register))
    assert code == 0
    assert "Nothing in the register" in out


@pytest.mark.integration
def test_lineage_and_patches_against_a_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, model = tiny_model(tmp_path / "base"), tiny_model(tmp_path / "m")
    (model / "README.md").write_text("---\nbase_model: org/base\n---\n# x\n")
    edit_json(model / "generation_config.json", temperature=0.5)
    code, out = run(capsys, "provenance", str(model), "--base", str(base))
    assert code == 0
    assert "E5 [on file] the weights agree" in out
    assert "Strength of the evidence: E0" in out
    code, out = run(capsys, "patches", str(model), "--base", str(base), "--format", "json")
    assert code == 1
    assert [p["name"] for p in json.loads(out)["patches"]] == ["README.md", "generation_config.json"]
    assert run(capsys, "patches", str(base), "--base", str(base))[0] == 0
    stranger = tiny_model(tmp_path / "other", seed=7)
    (stranger / "README.md").write_text("---\nbase_model: org/base\n---\n# x\n")
    code, out = run(capsys, "provenance", str(stranger), "--base", str(base))
    assert code == 1
    assert "no relatives" in out
