"""Second opinions: real picklescan, and tools played by small scripts that answer, crash, hang or talk too much."""

import json
import sys
import tomllib
from importlib.resources import files as resources
from pathlib import Path

import pytest

from artefacts import tiny_gguf, tiny_model
from hostile import INERT, PAYLOAD, npy_objects, torch_zip
from sekisho import opinions, policy, static
from sekisho.errors import UsageError
from sekisho.inventory import take
from sekisho.limits import DEFAULT, MIB, Limits
from sekisho.opinions import adapter, tools
from sekisho.opinions.base import Opinion, Remark, Tool
from sekisho.records import Decision, Outcome, Severity

pytestmark = pytest.mark.integration

QUICK = Limits(opinion_s=20, opinion_memory_bytes=2048 * MIB)


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


def play(monkeypatch, tmp_path, body, *, name="hayward"):
    """Put a script in a tool's place."""
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable}\nimport sys, json, os, time\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(adapter, "_program", lambda tool: (str(script),))
    return name


def says(body):
    return f"print('tool 1.4.1' if '--version' in sys.argv else json.dumps({body!r}))"


CLEAN = {"root": "/", "findings": [], "coverage_gaps": []}


def test_picklescan_names_file_and_global(model):
    torch_zip(model / "pytorch_model.bin")
    (model / "weights.odd").write_bytes(PAYLOAD)
    npy_objects(model / "a.npy")
    seen = opinions.ask("picklescan", take(model))
    assert (seen.problem, seen.tool) == ("", "picklescan")
    assert {(a.file, a.text) for a in seen.alarms} >= {
        ("pytorch_model.bin", "posix.system"),
        ("weights.odd", "posix.system"),
        ("a.npy", "posix.system"),
    }
    found = list(opinions.judge(seen))
    assert {f.severity for f in found if f.reason == "alarm"} == {Severity.HOLD}


def test_one_file_that_breaks_it_does_not_end_the_others(model):
    (model / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64))
    (model / "b.pkl").write_bytes(PAYLOAD)
    seen = opinions.ask("picklescan", take(model))
    assert [a.file for a in seen.alarms] == ["b.pkl"]
    assert seen.unseen == ("a.7z",)


def test_a_listed_name_that_picklescan_does_not_know_is_no_alarm(model):
    (model / "a.pkl").write_bytes(b"\x80\x02ctorch\ndevice\nX\x03\x00\x00\x00cpu\x85R.")
    (model / "b.pkl").write_bytes(b"\x80\x02cmade_up\nthing\n)R.")
    assert [a.text for a in opinions.ask("picklescan", take(model)).alarms] == ["made_up.thing"]


def test_nothing_to_read_is_said(model):
    (found,) = opinions.judge(opinions.ask("picklescan", take(model)), needed=True)
    assert (found.outcome, found.severity, found.reason) == (
        Outcome.NOT_RUN,
        Severity.NOTE,
        "nothing-to-read",
    )


def test_absence_is_said_and_decides_nothing(model, monkeypatch):
    monkeypatch.setattr(adapter, "_program", lambda tool: ())
    (found,) = opinions.judge(opinions.ask("hayward", take(model)))
    assert (found.outcome, found.severity, found.reason) == (Outcome.NOT_RUN, Severity.NOTE, "absent")


def test_absence_of_the_core_tool_holds_where_the_policy_rests_on_it():
    gone = Opinion("picklescan", problem="absent", detail="it is not installed")
    assert [f.severity for f in opinions.judge(gone, needed=True)] == [Severity.HOLD]
    assert [f.severity for f in opinions.judge(gone)] == [Severity.NOTE]


def test_silence_is_a_note(model, monkeypatch, tmp_path):
    seen = opinions.ask(play(monkeypatch, tmp_path, says(CLEAN)), take(model), QUICK)
    assert seen.version == "1.4.1"
    assert [(f.reason, f.outcome, f.severity) for f in opinions.judge(seen)] == [
        ("no-alarm", Outcome.PASS, Severity.NOTE)
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("print('[]')", "not understood"),
        ("os.kill(os.getpid(), 11)", "not understood"),
        ("sys.stdout.write('x' * 17_000_000)", "longer than"),
        ("time.sleep(60)", "took more than"),
        ("x = bytearray(3 * 2**30)", "not understood"),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 5)", "not understood"),
    ],
)
def test_a_tool_that_misbehaves_gives_no_answer(body, words, model, monkeypatch, tmp_path):
    monkeypatch.setattr(adapter, "_release", lambda *_: "1")
    limits = Limits(opinion_s=2 if "sleep" in body else 60, opinion_memory_bytes=1024 * MIB)
    seen = opinions.ask(play(monkeypatch, tmp_path, body), take(model), limits)
    assert seen.problem == "failed"
    assert words in seen.detail
    (found,) = opinions.judge(seen)
    assert (found.outcome, found.severity) == (Outcome.NOT_RUN, Severity.NOTE)


def test_nothing_of_the_users_reaches_a_tool(model, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "secret")
    body = (
        "e = dict(os.environ)\nd = "
        + repr(CLEAN)
        + (
            "\nd['findings'] = [{'severity': 'high', 'file': k, 'rule_id': 'r', 'message': v} for k, v in e.items()]"
            "\nprint('1.0' if '--version' in sys.argv else json.dumps(d))"
        )
    )
    seen = opinions.ask(play(monkeypatch, tmp_path, body), take(model), QUICK)
    env = {a.file: a.text.removeprefix("r ") for a in seen.alarms}
    assert "HF_TOKEN" not in env
    assert env["HOME"] != str(Path.home())
    assert env["DO_NOT_TRACK"] == "1"


def test_another_version_is_said():
    seen = Opinion("hayward", "9.9", "1.4.1")
    assert [f.reason for f in opinions.judge(seen)] == ["other-version", "no-alarm"]


def test_many_alarms_are_summed_up():
    seen = Opinion("x", "1", "1", alarms=tuple(Remark("f", str(n)) for n in range(25)))
    found = list(opinions.judge(seen))
    assert len(found) == 21
    assert dict(found[-1].facts)["count"] == "5"


HAYWARD = {
    "root": "/m",
    "findings": [
        {"rule_id": "A", "message": "bad", "severity": "critical", "file": "/m/sub/x.bin"},
        {"rule_id": "B", "message": "meh", "severity": "low", "file": "/m/y"},
    ],
    "coverage_gaps": ["/m/z.7z"],
}
MODELAUDIT = {
    "path": "/m",
    "success": True,
    "issues": [
        {"severity": "critical", "message": "bad", "location": "/m/x.pkl:archive/data.pkl (pos 26)"},
        {"severity": "info", "message": "meh", "location": "/m/x.pkl"},
    ],
}
CANARY = {
    "file": "/m/x.gguf",
    "findings": [
        {"rule_id": "T1", "severity": "FAIL", "title": "bad", "artifact": None},
        {"rule_id": "T2", "severity": "INFO", "title": "meh", "artifact": None},
        {"rule_id": "T3", "severity": "WARN", "title": "accepted", "artifact": None, "suppressed": True},
    ],
}


ADAPTER = {
    "status": "partial",
    "artifact": {"provenance": {"path": "adapter_model.safetensors"}},
    "coverage": {"n_not_analyzed": 1},
    "verdict": {"action": "review", "reasons": [{"code": "ODD_RANK"}]},
}


@pytest.mark.parametrize(
    ("parse", "answer", "alarms"),
    [
        (tools._adaptersentry_answer, ADAPTER, [("adapter_model.safetensors", "ODD_RANK")]),
        (tools._hayward_answer, HAYWARD, [("sub/x.bin", "A bad")]),
        (tools._modelaudit_answer, MODELAUDIT, [("x.pkl", "bad")]),
        (tools._c4nary_answer, CANARY, [("x.gguf", "T1 bad")]),
    ],
)
def test_answers_are_read(parse, answer, alarms):
    assert [(a.file, a.text) for a in parse(json.dumps(answer), 1).alarms] == alarms


def test_what_a_tool_did_not_look_at_is_told():
    assert tools._hayward_answer(json.dumps(HAYWARD), 1).unseen == ("z.7z",)
    assert tools._adaptersentry_answer(json.dumps(ADAPTER), 2).unseen == ("adapter_model.safetensors",)
    assert tools._modelaudit_answer(json.dumps(MODELAUDIT), 2).unseen == ("",)
    found = list(opinions.judge(Opinion("h", "1", "1", unseen=("z.7z",))))
    assert [f.reason for f in found] == ["not-covered", "no-alarm"]
    assert found[0].outcome is Outcome.CANNOT_TELL


def test_a_lone_file_is_not_its_folder(tmp_path):
    (tmp_path / "x.gguf").write_bytes(tiny_gguf())
    (tmp_path / "other.pkl").write_bytes(PAYLOAD)
    files = take(tmp_path / "x.gguf")
    (call,) = tools.TOOLS["hayward"].calls(files.root, files.files)
    assert call.arguments[-1] == str(tmp_path / "x.gguf")


def test_names_are_checked():
    assert opinions.parse_names("hayward, picklescan,hayward") == ("hayward", "picklescan")
    for wrong in ("nobody", "hayward,nobody", ",", " "):
        with pytest.raises(UsageError):
            opinions.parse_names(wrong)


def allowing(tmp_path):
    text = (resources("sekisho.data") / "policies" / "default.toml").read_text()
    path = tmp_path / "allowing.toml"
    path.write_text(text.replace('pickle = "refuse"', 'pickle = "known-globals"'))
    assert policy.load(path).pickle == "known-globals"
    return str(path)


def test_an_inspection_carries_opinions_and_their_alarm_holds(model, tmp_path, monkeypatch):
    (model / "training_args.bin").write_bytes(INERT)
    lenient = allowing(tmp_path)
    seen = static.inspect(model, policy=lenient, cache=tmp_path / "none")
    said = {(f.check, f.reason) for f in seen.findings}
    assert ("unsafe-serialisation", "pickle-known") in said
    assert ("second-opinion", "no-alarm") in said
    alarm = Opinion("picklescan", "1", "1", alarms=(Remark("training_args.bin", "x.y"),))
    monkeypatch.setattr(opinions, "ask", lambda name, files: alarm)
    held = static.inspect(model, policy=lenient, cache=tmp_path / "none")
    assert held.verdict.decision is not Decision.ADMIT
    assert "second-opinion" in {dict(r.facts).get("check") for r in held.verdict.reasons}


def test_silence_never_improves_a_verdict(model, tmp_path, monkeypatch):
    (model / "pytorch_model.bin").write_bytes(PAYLOAD)
    alone = static.inspect(model, cache=tmp_path / "none")
    quiet = Opinion("picklescan", "1.0.5", "1.0.5")
    monkeypatch.setattr(opinions, "ask", lambda name, files: quiet)
    both = static.inspect(model, cache=tmp_path / "none", reads=static.Reads(opinions=("picklescan",)))
    assert (alone.verdict.decision, both.verdict.decision) == (Decision.REJECT, Decision.REJECT)
    assert both.verdict.reasons == alone.verdict.reasons


def test_the_verdict_is_the_same_without_the_extras(model, tmp_path, monkeypatch):
    names = ("hayward", "c4nary", "modelaudit", "adaptersentry")
    monkeypatch.setattr(adapter, "_program", lambda tool: ())
    absent = static.inspect(model, cache=tmp_path / "none", reads=static.Reads(opinions=names))
    alone = static.inspect(model, cache=tmp_path / "none")
    assert absent.verdict == alone.verdict
    assert sum(f.check == "second-opinion" for f in absent.findings) == len(names)


def test_every_sentence_has_both_languages():
    text = (resources("sekisho.report") / "locale" / "checks" / "second-opinion.toml").read_text(
        encoding="utf-8"
    )
    table = tomllib.loads(text)["reasons"]
    assert set(table) == set(opinions.findings._SENTENCES)
    for reason, sentence in opinions.findings._SENTENCES.items():
        assert table[reason]["en"] == sentence


def test_every_tool_is_pinned():
    for tool in tools.TOOLS.values():
        assert isinstance(tool, Tool)
        assert tool.tested.count(".") == 2
        assert bool(tool.script) != bool(tool.module)
    assert DEFAULT.opinion_s > 0
