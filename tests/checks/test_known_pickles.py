"""The policy that allows pickles of known imports: which pass, and which still do not. Nothing here is ever loaded."""

import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hostile import MEMO_PAYLOAD, PAYLOAD, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.inventory import take
from sekisho.records import Outcome, Severity

TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02"
    b"X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04K\x02tq\x05QK\x00K\x02\x85q\x06K\x01\x85q\x07\x89"
    b"ccollections\nOrderedDict\nq\x08)Rq\x09tq\x0aRq\x0b"
)
"""A tensor of two numbers, opcode by opcode as torch.save writes it."""
STATE_DICT = b"\x80\x02}q\x10X\x01\x00\x00\x00wq\x11" + TENSOR + b"s."
STACKED = b"\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94."


def legacy(body=STATE_DICT, tail=bytes(16)):
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1001})
    return b"".join(pickle.dumps(p, 2) for p in parts) + body + pickle.dumps(["0"], 2) + tail


def judge(folder, data=None, *, known=True, name="pytorch_model.bin"):
    if data is not None:
        (folder / name).write_bytes(data)
    found = list(UnsafeSerialisation().run(Case(take(folder), known_pickles=known)))
    return [(f.reason, f.severity) for f in found]


BENIGN = {
    "state-dict": STATE_DICT,
    "legacy": legacy(),
    "stack-global": STACKED,
    "set": b"\x80\x02c__builtin__\nset\n]K\x01a\x85R.",
    "no-import": pickle.dumps({"a": [1, 2.5, "x", None]}, 4),
    "numpy": (
        b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01\x85"
        b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R\x89U\x04\x00\x00\x00\x00tb."
    ),
}

REFUSED = {
    "unlisted": (PAYLOAD, "pickle-global"),
    "memo": (MEMO_PAYLOAD, "pickle-global"),
    "unlisted-beside-listed": (STATE_DICT[:-1] + b"0" + PAYLOAD[2:], "pickle-global"),
    "second-pickle": (STATE_DICT + PAYLOAD, "pickle-global"),
    "payload-in-legacy-keys": (legacy().replace(pickle.dumps(["0"], 2), PAYLOAD), "pickle-global"),
    "extension-code": (b"\x80\x02\x82\x01)R.", "pickle-global"),
    "computed-name": (b"\x80\x04\x8c\x05posixN\x93.", "pickle-global"),
    "attribute-of-listed": (b"\x80\x04\x8c\x05torch\x8c\x15Tensor.__subclasses__\x93)R.", "pickle-global"),
    "resolve-by-name": (
        b"\x80\x02cpkgutil\nresolve_name\nX\x0c\x00\x00\x00posix:system\x85R.",
        "pickle-global",
    ),
    "loads-within": (b"\x80\x02ctorch.storage\n_load_from_bytes\nC\x04\x80\x02N.\x85R.", "pickle-global"),
    "inst": (b"(icollections\nOrderedDict\n.", "pickle-odd"),
    "obj": (b"\x80\x02(ccollections\nOrderedDict\no.", "pickle-odd"),
    "calls-a-result": (b"\x80\x02ccollections\nOrderedDict\n)R)R.", "pickle-odd"),
    "changes-a-class": (b"\x80\x02ctorch\nTensor\nN}X\x01\x00\x00\x00aK\x01s\x86b.", "pickle-odd"),
    "extends-a-class": (b"\x80\x02ctorch\nTensor\n(K\x01e.", "pickle-odd"),
    "memo-written-twice": (
        b"\x80\x02X\x01\x00\x00\x00aq\x000ccollections\nOrderedDict\nq\x00)R.",
        "pickle-odd",
    ),
    "trailing": (STATE_DICT + b"junk", "pickle-odd"),
    "unknown-protocol": (b"\x80\x09N.", "pickle-odd"),
    "cut": (STATE_DICT[:-1], "pickle-broken"),
    "breaks-after-a-call": (STATE_DICT[:-1] + b"\xff\xff", "pickle-broken"),
}


@pytest.mark.parametrize("name", BENIGN)
def test_known_imports_pass_under_the_allowing_policy_only(name, tmp_path):
    assert judge(tmp_path, BENIGN[name]) == [("pickle-known", Severity.NOTE)]
    assert judge(tmp_path, known=False) == [("pickle-weights", Severity.REJECT)]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_under_either_policy(name, tmp_path):
    data, reason = REFUSED[name]
    assert judge(tmp_path, data) == [(reason, Severity.REJECT)]
    assert {s for _, s in judge(tmp_path, known=False)} == {Severity.REJECT}


def test_the_worst_pickle_of_an_archive_decides(tmp_path):
    torch_zip(tmp_path / "pytorch_model.bin", STATE_DICT)
    assert judge(tmp_path) == [("pickle-known", Severity.NOTE)]
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "a") as archive:
        archive.writestr("archive/data/1", PAYLOAD)
    assert [s for _, s in judge(tmp_path)] == [Severity.REJECT, Severity.NOTE]


def test_objections_are_listed_before_what_passes(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(30):
            archive.writestr(f"{i:02}", STATE_DICT)
        archive.writestr("last", PAYLOAD)
    found = judge(tmp_path)
    assert found[0] == ("pickle-global", Severity.REJECT)
    assert "more-entries" not in [reason for reason, _ in found]


@pytest.mark.integration
@pytest.mark.parametrize("torch", ["importable", "blocked"])
def test_the_verdict_does_not_depend_on_what_is_installed(torch, tmp_path):
    """The whole decision in a fresh interpreter, once with torch and numpy's own pickles out of reach."""
    (tmp_path / "a.bin").write_bytes(legacy())
    (tmp_path / "b.bin").write_bytes(PAYLOAD)
    torch_zip(tmp_path / "c.pt", STATE_DICT)
    block = (
        ""
        if torch == "importable"
        else "import sys\nfor n in ('torch','transformers','peft'): sys.modules[n]=None\n"
    )
    script = block + (
        "from pathlib import Path\nfrom sekisho.checks.base import Case\nfrom sekisho.inventory import take\n"
        "from sekisho.checks.unsafe_serialisation import UnsafeSerialisation\nimport sys\n"
        "c = Case(take(Path(sys.argv[1])), known_pickles=True)\n"
        "print([(f.where, f.reason) for f in UnsafeSerialisation().run(c)], bool(sys.modules.get('torch')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    expected = [
        ("a.bin", "pickle-known"),
        ("b.bin", "pickle-global"),
        ("c.pt:archive/data.pkl", "pickle-known"),
    ]
    assert ran.stdout.strip() == f"{expected} False"


@pytest.mark.model
@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_itself_saves_is_allowed(zipped, tmp_path):
    torch = pytest.importorskip("torch")
    state = {
        "w": torch.ones(2, 3, dtype=torch.bfloat16),
        "p": torch.nn.Parameter(torch.zeros(4)),
        "nested": {"step": 3, "lr": 0.1, "size": torch.Size([1, 2])},
    }
    torch.save(state, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    assert judge(tmp_path) == [("pickle-known", Severity.NOTE)]
    assert judge(tmp_path, known=False) == [("pickle-weights", Severity.REJECT)]


def test_a_note_passes(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(STATE_DICT)
    (found,) = UnsafeSerialisation().run(Case(take(Path(tmp_path)), known_pickles=True))
    assert found.outcome is Outcome.PASS
    assert dict(found.facts)["count"] == "3"
