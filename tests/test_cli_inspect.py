"""`inspect` and `rules` from end to end, the files beside a report, and what continuous integration calls."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from artefacts import tiny_model
from hostile import PAYLOAD
from sekisho import cli, cli_inspect, static

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path) -> Run:
    """Run the command line in this process, in an empty folder; no child renders or tokenises, which is not the point."""
    monkeypatch.chdir(tmp_path)
    for child in ("rendering", "tokenising"):
        monkeypatch.setattr(getattr(static, child), "measure", lambda *_: None)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def odd(tmp_path) -> Path:
    """A model with one file that nobody can explain."""
    model = tiny_model(tmp_path / "models" / "m")
    (model / "notes of ours.dat").write_bytes(b"\x00\x01\x02" * 9)
    return model


def rules_of(run: Run, *more: object) -> dict[str, bool]:
    """Rule -> whether it counts, of one inspection."""
    body = json.loads(run("inspect", "models/m", "--base", "none", "--format", "json", *more)[1])
    return {f["rule"]: f["counts"] for f in body["findings"]}


def test_every_format_is_written_by_one_inspection(run: Run, odd: Path) -> None:
    also = [part for form in cli_inspect.FORMATS for part in ("--also", f"{form}=deep/{form}")]
    code, out, err = run("inspect", "models/m", "--base", "none", "--format", "sarif", *also)
    assert (code, err) == (3, "")
    assert Path("deep/sarif").read_text("utf-8") == out
    assert json.loads(out)["version"] == "2.1.0"
    assert ET.fromstring(Path("deep/junit").read_bytes()).tag == "testsuites"
    for form, start in {
        "text": "Findings",
        "json": "{",
        "markdown": "## ",
        "html": "<!DOCTYPE html>",
    }.items():
        assert Path(f"deep/{form}").read_text("utf-8").startswith(start), form


def test_output_prints_nothing(run: Run, odd: Path) -> None:
    assert run("inspect", "models/m", "--output", "o.txt") == (3, "", "")
    assert Path("o.txt").read_text("utf-8").endswith("HOLD\n")
    assert "\x1b" not in Path("o.txt").read_text("utf-8")


def test_json_of_a_real_inspection_follows_its_schema(run: Run, odd: Path) -> None:
    schema = json.loads((files("sekisho.data") / "schemas" / "inspection-2.schema.json").read_text("utf-8"))
    body = json.loads(run("inspect", odd, "--format", "json")[1])
    Draft202012Validator(schema).validate(body)
    assert (body["decision"], body["exit"]) == ("hold", 3)
    assert {f["path"] for f in body["files"]} == {p.name for p in odd.iterdir()}


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("models/m", "models/m/notes%20of%20ours.dat"),
        ("models/../models/m", "notes%20of%20ours.dat"),
        (None, "notes%20of%20ours.dat"),
    ],
)
def test_sarif_names_files_as_the_repository_does(given: str | None, uri: str, run: Run, odd: Path) -> None:
    log = json.loads(run("inspect", given or odd, "--format", "sarif")[1])
    places = [
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]
    ]
    assert uri in places
    assert str(odd.parent) not in json.dumps(log)


def test_a_baseline_leaves_only_what_is_new(run: Run, odd: Path) -> None:
    assert run("inspect", "models/m", "--base", "none", "--write-baseline", "b.json")[0] == 3
    code, out, _ = run("inspect", "models/m", "--base", "none", "--baseline", "b.json")
    assert code == 0
    assert "In the baseline, so it does not count." in out
    (odd / "other.dat").write_bytes(b"\x00\x07" * 9)
    assert run("inspect", "models/m", "--base", "none", "--baseline", "b.json")[0] == 3
    (odd / "other.dat").unlink()
    (odd / "x.bin").write_bytes(PAYLOAD)
    code, _, err = run(
        "inspect", "models/m", "--base", "none", "--baseline", "b.json", "--write-baseline", "c.json"
    )
    assert code == 1
    assert "not in the baseline" in err
    assert run("inspect", "models/m", "--base", "none", "--baseline", "c.json")[0] == 1


def suppress(odd: Path, **changes: str) -> Path:
    digest = next(f.sha256 for f in static.inspect(odd, "none").inventory.files if f.path.startswith("notes"))
    entry = {
        "rule": "SKS-FIL-001",
        "path": "notes of ours.dat",
        "sha256": digest,
        "reason": "Ours.",
        "approver": "A. Person",
        "expires": "2999-01-01",
    } | changes
    path = Path("s.toml")
    path.write_text("[[suppressions]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in entry.items()))
    return path


def test_a_suppression_holds_for_one_content_until_a_day(run: Run, odd: Path) -> None:
    path = suppress(odd)
    assert rules_of(run)["SKS-FIL-001"] is True
    assert rules_of(run, "--suppressions", path)["SKS-FIL-001"] is False
    (odd / "notes of ours.dat").write_bytes(b"\x00\x01\x03" * 9)
    changed = rules_of(run, "--suppressions", path)
    assert (changed["SKS-FIL-001"], changed["SKS-SUP-002"]) == (True, True)
    expired = rules_of(run, "--suppressions", suppress(odd, expires="2020-01-01"))
    assert (expired["SKS-FIL-001"], expired["SKS-SUP-001"]) == (True, True)


def test_a_policy_changes_a_severity_in_sight(run: Run, odd: Path) -> None:
    default = (files("sekisho.data") / "policies" / "default.toml").read_text("utf-8")
    Path("p.toml").write_text(f'{default}\n[[severities]]\nrule = "SKS-FIL-001"\nseverity = "reject"\n')
    code, out, _ = run("inspect", "models/m", "--policy", "p.toml")
    assert code == 1
    assert "The policy changes “calls for HOLD” to “calls for REJECT”." in out


WRONG = {
    "no suppressions": ("--suppressions", "none.toml", "none.toml: not read"),
    "no baseline": ("--baseline", "none.json", "none.json: not read"),
    "no place for it": ("--output", "models/m/README.md/x", "not written"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_or_written_is_one_line(name: str, run: Run, odd: Path) -> None:
    option, value, said = WRONG[name]
    code, out, err = run("inspect", "models/m", option, value)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize("wrong", [("--also", "pdf=x"), ("--also", "sarif"), ("--format", "pdf")])
def test_an_unknown_format_is_refused(wrong: tuple[str, str], run: Run, odd: Path) -> None:
    assert run("inspect", "models/m", *wrong)[0] == 2


def test_rules_are_listed_and_told(run: Run) -> None:
    code, out, _ = run("rules")
    assert code == 0
    assert out.startswith("SKS-")
    assert "CWE-502" in run("rules", "sks-ser-001")[1]
    assert (
        json.loads(run("rules", "SKS-SER-001", "--format", "json")[1])["rules"][0]["check"]
        == "unsafe-serialisation"
    )
    assert run("rules", "SKS-NO-1")[0] == 2


def test_vet_and_report_write_the_formats_asked_for(run: Run, odd: Path) -> None:
    (odd / "x.bin").write_bytes(PAYLOAD)
    forms = "sarif,junit,markdown,json"
    code, out, _ = run("vet", "models/m", "--out", "o", "--formats", forms, "--suppressions", suppress(odd))
    kept = {
        "findings.sarif",
        "junit.xml",
        "summary.md",
        "findings.json",
        "report.html",
        "dossier.json",
        "plan.json",
    }
    assert code == 1
    assert {p.name for p in Path("o").iterdir()} == kept
    assert "o/findings.sarif" in out
    before = Path("o/summary.md").read_text("utf-8")
    assert run("report", "o", "--formats", forms)[0] == 1
    assert Path("o/summary.md").read_text("utf-8") == before
    assert run("report", "o", "--formats", "pdf")[0] == 2
    body = json.loads(Path("o/findings.json").read_text("utf-8"))
    assert (
        next(f for f in body["findings"] if f["rule"] == "SKS-FIL-001")["rulings"][0]["approver"]
        == "A. Person"
    )
    assert set(body["exceptions"]) == {"suppressions", "date"}


def action() -> dict:
    return yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


def options(verb: str) -> set[str]:
    chosen = next(a for a in cli.parser()._actions if getattr(a, "choices", None) and a.dest == "verb")
    return {o for a in chosen.choices[verb]._actions for o in a.option_strings}


def test_the_action_is_composite_and_passes_inputs_by_environment_only() -> None:
    made = action()
    assert made["runs"]["using"] == "composite"
    steps = {s.get("name", s.get("uses")): s for s in made["runs"]["steps"]}
    given = " ".join(str(v) for v in steps["Inspect"]["env"].values())
    assert set(re.findall(r"inputs\.([a-z-]+)", given)) == set(made["inputs"]) - {"upload-sarif"}
    for step in made["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert step.get("run") is None or step["shell"] == "bash"


def test_the_action_names_only_options_that_exist() -> None:
    script = (ROOT / ".github" / "inspect.sh").read_text("utf-8")
    assert set(re.findall(r"(?<=[ (])--[a-z-]+", script)) <= options("inspect")


@pytest.fixture
def acted(odd: Path, tmp_path: Path) -> Callable[..., tuple[subprocess.CompletedProcess[str], Path]]:
    """The action's script with our own command, as a runner would start it."""

    def act(stub: str = "", **inputs: str) -> tuple[subprocess.CompletedProcess[str], Path]:
        command = tmp_path / "sekisho"
        command.write_text(f"#!/bin/sh\n{stub or _REAL}\n")
        command.chmod(0o755)
        given = {
            "MODEL": "models/m", "BASE": "none", "POLICY": "default", "REPORT_LANGUAGE": "en", "SUPPRESSIONS": "",
            "BASELINE": "", "SARIF": "out.sarif", "FAIL_ON": "hold", "SEKISHO": str(command),
            "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "outputs"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
        } | inputs  # fmt: skip
        done = subprocess.run(
            ["bash", ROOT / ".github" / "inspect.sh"], cwd=tmp_path, env=os.environ | given, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        return done, tmp_path

    return act


_REAL = f'exec "{sys.executable}" -m sekisho.cli "$@"'
_TELLS = 'for a; do echo "<$a>"; done > arguments; echo x > "$RUNNER_TEMP/sekisho.md"; exit '


def test_the_action_writes_sarif_summary_and_outputs(acted) -> None:
    done, here = acted(FAIL_ON="reject")
    assert done.returncode == 0, done.stderr
    assert (here / "outputs").read_text() == "decision=hold\nsarif=out.sarif\n"
    assert json.loads((here / "out.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert "HOLD" in (here / "step.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("verdict", "fail_on", "code"),
    [(0, "hold", 0), (3, "hold", 3), (3, "reject", 0), (1, "reject", 1), (2, "reject", 2)],
)
def test_the_action_fails_as_asked(verdict: int, fail_on: str, code: int, acted) -> None:
    done, here = acted(f"{_TELLS}{verdict}", FAIL_ON=fail_on)
    assert done.returncode == code
    assert (here / "outputs").exists() == (verdict != 2)


def test_the_action_reads_no_input_as_shell(acted) -> None:
    hostile = "$(touch pwned); --x 'm"
    done, here = acted(f"{_TELLS}0", MODEL=hostile, SUPPRESSIONS="s.toml", BASELINE="b.json")
    told = (here / "arguments").read_text().splitlines()
    assert done.returncode == 0
    assert told[-2:] == ["<-->", f"<{hostile}>"]
    assert told[told.index("<--suppressions>") + 1] == "<s.toml>"
    assert told[told.index("<--baseline>") + 1] == "<b.json>"
    assert not (here / "pwned").exists()
    assert acted(f"{_TELLS}0", FAIL_ON="never")[0].returncode == 2


def test_the_hook_runs_inspect_once() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["entry"].split() == ["sekisho", "inspect"]
    assert hook["language"] == "python"
    assert (hook["pass_filenames"], hook["require_serial"]) == (False, True)
