"""What Sekisho is from outside: light to start, free of torch, and without stray files in its wheel."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sekisho
from artefacts import tiny_model

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
BLOCKED = "torch", "transformers", "peft", "trl", "accelerate", "datasets"
HEAVY = (*BLOCKED, "scipy", "pandas", "pyarrow", "jinja2")
BLOCK = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
"""As if these were not installed: looking for one fails."""
VET = f"{BLOCK}from sekisho.cli import main; main(['vet', *sys.argv[1:]])"
STANDALONE = "sekisho/data/verify.py", "sekisho/data/verify_pack.py"
"""Programs that travel with evidence and import nothing of the gate."""
HELP = f"""{BLOCK}
from sekisho.cli import main
for verb in sys.argv[1:]:
    try:
        main([verb, "--help"])
    except SystemExit as ended:
        print("ended with", ended.code)
"""


def run(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")


def test_the_command_line_starts_without_anything_heavy() -> None:
    done = run(f"import sekisho.cli, sys; print([m for m in {HEAVY!r} if m in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_the_command_line_is_imported_in_a_moment() -> None:
    code = "import time; t = time.process_time(); import sekisho.cli; print(time.process_time() - t)"
    assert min(float(run(code).stdout) for _ in range(3)) < 0.3, "seconds of processor time"


def test_every_verb_explains_itself_without_torch() -> None:
    verbs = ["vet", "inspect", "probe", "drill", "compare", "fetch", "report"]
    done = run(HELP, *verbs)
    assert done.returncode == 0, done.stderr
    assert [line.split()[2] for line in done.stdout.splitlines() if line.startswith("usage: ")] == verbs
    assert done.stdout.count("ended with 0\n") == len(verbs)


def test_inspect_works_without_torch(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    (tmp_path / "weights.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    done = run(
        f"{BLOCK}from sekisho.cli import main; main(sys.argv[1:])",
        "inspect",
        str(tmp_path),
        "--format",
        "json",
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)
    assert "os.system" in done.stdout or "os system" in done.stdout
    assert done.stderr == ""


def test_vet_of_what_the_files_condemn_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.safetensors").touch()
    done = run(VET, str(tmp_path / "m"), "--out", str(tmp_path / "out"))
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "out" / "report.html").is_file()


def test_vet_of_what_would_need_torch_says_how_to_get_it(tmp_path: Path) -> None:
    tiny_model(tmp_path / "m")
    done = run(VET, str(tmp_path / "m"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "pip install 'sekisho[models]'" in done.stderr
    assert "internal error" not in done.stderr


def test_a_wrong_path_is_one_line_and_exit_2() -> None:
    done = run("from sekisho.cli import main; import sys; main(sys.argv[1:])", "inspect", "/no/such/model")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sekisho: ")
    assert done.stderr.count("\n") == 1


def test_public_names_are_pinned() -> None:
    verbs = {"compare", "drill", "inspect", "perturb", "probe", "vet"}
    nouns = {"Decision", "Dossier", "Finding", "Options", "Outcome", "Verdict"}
    assert set(sekisho.__all__) == verbs | nouns
    assert all(hasattr(sekisho, name) for name in sekisho.__all__)
    assert not hasattr(sekisho, "conductors")


def test_the_wheel_holds_the_gate_and_inert_data_only(tmp_path: Path) -> None:
    builder = pytest.importorskip(
        "hatchling.builders.wheel", reason="hatchling is not installed; `make test` installs it"
    )
    (path,) = builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(path).namelist()
    inside = [n for n in names if not n.startswith("sekisho-")]
    assert all(n.startswith("sekisho/") for n in inside), inside
    assert not [n for n in inside if "lab" in Path(n).parts]
    data = [n for n in inside if n.startswith("sekisho/data/") and n != "sekisho/data/__init__.py"]
    assert {Path(n).suffix for n in data if n not in STANDALONE} == {".toml", ".jsonl", ".json"}
    assert "sekisho/py.typed" in inside
    assert any(n.startswith("sekisho/data/catalogue/") for n in inside)


def test_what_a_bare_install_needs_holds_no_model_library() -> None:
    import tomllib

    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bare = " ".join(facts["dependencies"])
    assert not [name for name in BLOCKED if name in bare]
    assert [name for name in BLOCKED if name in " ".join(facts["optional-dependencies"]["models"])]


def test_the_lock_pins_everything_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins)
    assert {"torch", "transformers", "numpy", "ruff"} <= {line.split("==")[0].lower() for line in pins}
