"""`sekisho record` and the hook it carries into children; `sekisho rerun` on scripts without any library; the verbs."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import sekisho
from sekisho import cli, rerun
from sekisho.errors import UsageError
from sekisho.evidence import dsse, keys
from sekisho.ledger import book
from sekisho.training_log import chain, launch, models, reading
from sekisho.training_log.launch import Launch
from training_log.conftest import ROWS, make, write_rows

pytestmark = pytest.mark.integration

SOURCE = str(Path(sekisho.__file__).parents[1])
SCRIPT = f"""
import pathlib, sys
sys.path.insert(0, {SOURCE!r})
from sekisho.training_log import recording
out = pathlib.Path("out"); out.mkdir(exist_ok=True)
with recording("own.jsonl", base="base", data="rows.jsonl", settings={{"lr": LR, "output_dir": "out"}}, output=out) as run:
    for step in (1, 2):
        run.log(step, {{"loss": 1.0 / step + LR}})
    (out / "model.safetensors").write_bytes(str(LR).encode())
"""
TRAINER = """
class Trainer:
    def __init__(self): self.called = []
    def train(self, *given, **named): return ("trained", given, named)
"""


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with a base, rows and a training script that names both by relative paths."""
    folder = tmp_path / "project"
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "model.safetensors").write_bytes(b"base")
    write_rows(folder / "rows.jsonl", ROWS)
    (folder / "train.py").write_text(SCRIPT.replace("LR", "0.5"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def recorded(project) -> Path:
    assert run("record", "--", sys.executable, "train.py") == 0
    return project / "training.record.jsonl"


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(w) for w in words])
    return int(ended.value.code)


def test_record_runs_a_program_and_says_where_its_record_lies(recorded, capsys):
    assert reading.read(recorded).finished
    assert not Path("own.jsonl").exists()
    assert Path("out/model.safetensors").exists()


def test_a_second_record_gets_the_next_free_name(recorded):
    assert run("record", "--lang", "ja", "--", sys.executable, "train.py") == 0
    assert reading.read(Path("training-2.record.jsonl")).finished


def test_a_named_record_is_not_written_over(recorded, capsys):
    assert run("record", "--out", recorded, "--", sys.executable, "train.py") == 2
    assert "lies there already" in capsys.readouterr().err


def test_the_exit_code_is_the_programs_and_2_where_nothing_was_recorded(project, capsys):
    Path("fails.py").write_text(Path("train.py").read_text() + "\nraise SystemExit(7)\n")

    assert run("record", "--", sys.executable, "fails.py") == 7
    assert run("record", "--out", "x.jsonl", "--", sys.executable, "-c", "print(1)") == 2
    assert "nothing in it was recorded" in capsys.readouterr().err
    assert run("record", "--") == 2
    assert run("record", "--", "no-such-program") == 2


@pytest.mark.parametrize("option", ["-I", "-E", "-sS"])
def test_an_interpreter_that_would_not_hear_is_refused(project, option):
    with pytest.raises(UsageError, match="keep the recorder out"):
        launch.run(Launch((sys.executable, option, "train.py"), project / "r.jsonl"))


def test_the_recorder_goes_before_another_sitecustomize_and_runs_it(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('theirs')")
    env = launch.environment(
        Launch((), tmp_path / "r"), {**os.environ, "PYTHONPATH": f"{launch.SHIM}{os.pathsep}{tmp_path}"}
    )
    code = "import sys; print(any('_Finder' in type(f).__name__ and 'training' in type(f).__module__ for f in sys.meta_path))"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["theirs", "True"]
    assert env["PYTHONPATH"].split(os.pathsep).count(launch.SHIM) == 1


def test_a_child_whose_recorder_cannot_be_installed_is_not_run(tmp_path):
    env = launch.environment(Launch((), tmp_path / "r"), os.environ) | {launch.HOME: ""}
    done = subprocess.run(
        [sys.executable, "-c", "print('ran')"], env=env, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")


def test_the_trainer_is_wrapped_when_it_is_imported_and_nothing_else_is(tmp_path):
    package = tmp_path / "transformers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "trainer.py").write_text(TRAINER)
    (package / "other.py").write_text(TRAINER)
    (tmp_path / "datasets.py").write_text("")
    env = launch.environment(Launch((), tmp_path / "r"), {**os.environ, "PYTHONPATH": str(tmp_path)})
    code = (
        "import sys, inspect; assert 'transformers' not in sys.modules\n"
        "from transformers import trainer, other\n"
        "print(hasattr(trainer.Trainer.train, '__wrapped__'), hasattr(other.Trainer.train, '__wrapped__'))\n"
        "print(inspect.getsource(trainer).count('class Trainer'))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False", "1"]


def test_rerun_from_a_record_reproduces_beside_the_first_result(recorded, capsys):
    before = Path("out/model.safetensors").stat().st_mtime_ns
    assert run("rerun", recorded) == 0

    assert "bit for bit" in capsys.readouterr().out
    assert Path("out/model.safetensors").stat().st_mtime_ns == before
    assert Path("sekisho-rerun/work/out/model.safetensors").read_bytes() == b"0.5"


def test_rerun_says_what_was_different(recorded, capsys):
    Path("train.py").write_text(SCRIPT.replace("LR", "0.9"))
    write_rows(Path("rows.jsonl"), [*ROWS[:2], {"prompt": "x"}, *ROWS[3:]])
    Path("base/model.safetensors").write_bytes(b"another")
    assert run("rerun", recorded, "--lang", "ja") == 1

    told = capsys.readouterr().out
    for part in (
        "設定 training.lr：0.5 → 0.9",
        "model.safetensors：別のファイル",
        "3〜3 行目",
        "コードの script",
    ):
        assert part in told


def test_rerun_within_the_tolerance_is_no_reproduction(recorded):
    Path("train.py").write_text(SCRIPT.replace("LR", "0.501"))
    assert run("rerun", recorded) == 3
    assert run("rerun", recorded, "--out", "b", "--tolerance", "0.0001") == 1


def test_rerun_runs_another_command_where_the_user_is(recorded):
    Path("other.py").write_text(SCRIPT.replace("LR", "0.5"))
    assert run("rerun", recorded, "--out", "again", "--", sys.executable, "other.py") == 0


def test_rerun_asks_nothing_of_results_that_are_no_models(recorded, capsys):
    Path("train.py").write_text(SCRIPT.replace("LR", "0.9"))
    assert run("rerun", recorded, "--ask") == 1
    assert "no whole model" in capsys.readouterr().out
    Path("train.py").write_text(SCRIPT.replace("LR", "0.9").replace("(1, 2)", "(3, 4)"))
    assert run("rerun", recorded, "--out", "later") == 1
    assert "no step whose loss was logged both times" in capsys.readouterr().out


def test_rerun_asks_both_results_without_what_their_trainer_pickled(recorded, monkeypatch):
    beside = "for n in ('config.json', 'training_args.bin'): (out / n).write_text('{}')\n"
    Path("train.py").write_text(SCRIPT.replace("LR", "0.9") + beside)
    for name in ("config.json", "training_args.bin"):
        (Path("out") / name).write_text("{}")
    seen = []
    monkeypatch.setattr(rerun.comparison, "compare", lambda *folders, options: seen.extend(folders))
    rerun.rerun(recorded, rerun.Options(ask=True))

    assert [sorted(p.name for p in f.iterdir()) for f in seen] == [["config.json", "model.safetensors"]] * 2
    assert [(f / "model.safetensors").read_bytes() for f in seen] == [b"0.5", b"0.9"]


def test_why_something_is_unknown_is_said_in_both_languages(recorded, capsys):
    lines = [
        line for line in recorded.read_bytes().splitlines() if json.loads(line)["kind"] in ("open", "base")
    ]
    Path("cut.jsonl").write_bytes(b"\n".join(lines[:1]) + b"\n")
    assert run("training", "verify", "cut.jsonl", "--lang", "ja") == 3
    told = capsys.readouterr().out
    assert "記録中に何も保存されていません" in told
    assert "nothing" not in told


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"output_dir","value":"out"', '"output_dir","value":"up"', "not as it was written"),
        ("", "", "exists already"),
    ],
)
def test_rerun_of_an_altered_record_or_into_an_old_folder_runs_nothing(recorded, old, new, why, capsys):
    recorded.write_text(
        recorded.read_text().replace(f'"training.{old[1:]}', f'"training.{new[1:]}')
        if old
        else recorded.read_text()
    )
    Path("there").mkdir()
    assert run("rerun", recorded, "--out", "fresh" if old else "there") == 2
    assert why in capsys.readouterr().err
    assert not Path("fresh").exists()


def test_rerun_never_writes_where_the_first_result_lies(project, capsys):
    Path("train.py").write_text(
        SCRIPT.replace("LR", "0.5").replace('"output_dir": "out"', f'"output_dir": "{project}/out"')
    )
    assert run("record", "--", sys.executable, "train.py") == 0
    assert run("rerun", "training.record.jsonl") == 2
    assert "where the first result lies" in capsys.readouterr().err


def test_rerun_of_a_program_that_fails_or_records_nothing_is_not_carried_out(recorded, capsys):
    assert run("rerun", recorded, "--out", "a", "--", sys.executable, "-c", "raise SystemExit(3)") == 2
    assert run("rerun", recorded, "--out", "b", "--", sys.executable, "-c", "pass") == 2
    told = capsys.readouterr().err
    assert "ended with 3" in told
    assert "nothing in it was recorded" in told


def test_the_mirror_leaves_out_nested_outputs_and_itself(tmp_path):
    home = tmp_path / "home"
    for name in ("a/out/x", "a/keep/y", "b/z"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    rerun.mirror(home, home / "again" / "work", [Path("a/out")])
    copy = home / "again" / "work"

    assert sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*")) == ["a", "a/keep", "b"]
    assert not (copy / "a").is_symlink()
    assert (copy / "a" / "keep" / "y").read_text() == "a/keep/y"


def test_verify_show_and_their_exit_codes(tmp_path, capsys):
    made = make(tmp_path)
    everything = ["--base", made.base, "--data", made.data, "--model", made.model]

    assert run("training", "verify", made.record, *everything) == 0
    assert run("training", "verify", made.record) == 3
    write_rows(made.data, ROWS[1:])
    capsys.readouterr()
    assert run("training", "verify", made.record, *everything, "--format", "json") == 1
    (found,) = json.loads(capsys.readouterr().out)["found"]
    assert (found["code"], found["row"]) == ("rows-removed", "1")
    assert run("training", "verify", tmp_path / "none.jsonl") == 2
    assert run("training", "show", made.record, "--lang", "ja") == 0
    assert "データの責任者：K. Sato" in capsys.readouterr().out
    assert run("training", "show", made.record, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["base_digest"] == models.take(made.base).root


def test_a_record_becomes_an_entry_that_tells_another_record(tmp_path, capsys):
    made = make(tmp_path)
    place = tmp_path / "ledger.sqlite"
    assert (
        run("training", "enter", made.record, "--model", made.model, "--ledger", place, "--actor", "mori")
        == 0
    )
    with closing(book.open_ledger(str(place))) as ledger:
        (entry,) = ledger.about(models.take(made.model).root)
    assert entry.kind == "training-record"
    assert entry.content["settings"]["training.learning_rate"] == "2e-05"
    assert entry.content["settings"]["data.owner"] == "K. Sato"
    assert "training.output_dir" not in entry.content["settings"]

    everything = ["--base", made.base, "--data", made.data, "--model", made.model, "--ledger", place]
    assert run("training", "verify", made.record, *everything) == 0
    other = make(tmp_path, "other.jsonl")
    assert run("training", "verify", other.record, *everything) == 1
    assert "no entry about this training" in capsys.readouterr().out


def test_a_record_becomes_a_signed_statement(tmp_path):
    made = make(tmp_path)
    public = keys.create(tmp_path / "key")
    out = tmp_path / "finetune.intoto.json"
    assert (
        run("training", "sign", made.record, "--model", made.model, "--key", tmp_path / "key", "--out", out)
        == 0
    )
    envelope = dsse.opened(out.read_bytes())
    body = dsse.parse(envelope.payload)
    wanted = {
        d["name"]: d["digest"]["sha256"] for d in body["predicate"]["buildDefinition"]["resolvedDependencies"]
    }

    assert dsse.signer(envelope, [public])[0] == public
    assert body["subject"][0]["digest"]["sha256"] == models.take(made.model).root
    assert wanted["base"] == models.take(made.base).root
    assert wanted["data"] == reading.read(made.record).rows("given").root
    assert body["predicate"]["buildDefinition"]["externalParameters"]["classification"] == "internal"


def test_another_model_and_an_unfinished_training_are_neither_entered_nor_signed(tmp_path, capsys):
    made = make(tmp_path)
    place = tmp_path / "ledger.sqlite"
    assert (
        run("training", "enter", made.record, "--model", made.base, "--ledger", place, "--actor", "mori") == 2
    )
    assert "model.safetensors" in capsys.readouterr().err
    own = made.record.read_bytes().splitlines(keepends=True)
    made.record.write_bytes(b"".join(x for x in own if b'"kind":"end"' not in x))
    assert (
        run("training", "enter", made.record, "--model", made.model, "--ledger", place, "--actor", "mori")
        == 2
    )
    assert not place.exists() or "not as it was written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["rm", "-rf", "x"],
        ["python", "-c", "print(1)"],
        ["python", "-m", "pip"],
        ["python", "none.py"],
        ["python", "-u"],
        "text",
        7,
    ],
)
def test_nothing_but_a_script_in_its_place_is_run_from_a_record(project, command, capsys):
    log = chain.Log(project / "hostile.jsonl")
    log.append("open", {"schema": 1, "command": command, "folder": str(project)})
    log.close()

    assert run("rerun", "hostile.jsonl") == 2
    assert "no Python script in its place" in capsys.readouterr().err
    assert not Path("sekisho-rerun").exists()


def test_a_record_sets_no_variables_but_those_that_change_numbers(project, monkeypatch):
    log = chain.Log(project / "hostile.jsonl")
    log.append("open", {"schema": 1, "command": ["python", "train.py"], "folder": str(project)})
    log.append("machine", {"environment": {"LD_PRELOAD": "x.so", "OMP_NUM_THREADS": "3"}})
    log.close()
    made = rerun._launch(reading.read(project / "hostile.jsonl"), rerun.Options(out=project / "again"))

    assert made.variables == {"OMP_NUM_THREADS": "3"}
