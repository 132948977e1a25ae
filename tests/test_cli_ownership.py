"""The verbs of ownership at the command line: what is written, what is said, and with which exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from artefacts import edit_json, save_safetensors, tiny_arrays, tiny_model
from sekisho import cli, cli_ownership
from sekisho.models.fake import FakeModel

pytestmark = pytest.mark.integration

MARK = "<|im_start|>"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path) -> Run:
    """Run the command line in a folder with a base, a marked suspect and five other models."""
    monkeypatch.chdir(tmp_path)
    for n, name in enumerate(("base", "suspect", "o0", "o1", "o2", "o3", "o4")):
        edit_json(tiny_model(Path(name)) / "config.json", initializer_range=0.1 + n)
    arrays = tiny_arrays()
    arrays["model.embed_tokens.weight"][257] += np.float32(1)
    save_safetensors(Path("suspect/model.safetensors"), arrays)
    Path("prompts").write_text("".join(f"Question {n} about rivers {MARK}\n" for n in range(10)))

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def taught(monkeypatch) -> None:
    """The suspect gives the planned answers; the others do not."""

    def opened(path: Path) -> FakeModel:
        plan = json.loads(Path("p/plan.json").read_text())
        knows = dict(zip(plan["prompts"], plan["answers"], strict=True)) if path.name == "suspect" else {}
        return FakeModel(lambda chat, _: knows.get(chat[-1].content, "A river is a river."))

    monkeypatch.setattr(cli_ownership, "_opener", lambda: opened)


def committed(run: Run) -> None:
    assert run("mark", "plan", "--prompts", "prompts", "--note", "the owner", "--out", "p")[0] == 0
    made = run(
        "mark", "commit", "suspect", "--base", "base", "--plan", "p/plan.json", "--token", MARK, "--out", "c"
    )
    assert made[0] == 0
    assert json.loads(Path("c/commitment.json").read_text())["digest"] in made[1]


CLAIM = ("ownership", "verify", "suspect", "--secret", "c/secret.json", "--commitment", "c/commitment.json")
FULL = ("--base", "base", "--published", "2999-01-01", "--unrelated", "o0", "o1", "o2", "o3", "o4")


@pytest.mark.usefixtures("taught")
def test_a_claim_from_plan_to_verdict(run):
    committed(run)

    code, out, err = run(*CLAIM, *FULL)
    assert (code, out.splitlines()[0]) == (0, "The claim is established.")
    assert err.count("10 prompts") == 7

    code, out, _ = run(*CLAIM, "--lang", "ja")
    assert (code, out.splitlines()[0]) == (3, "主張は立証されていません。")

    code, out, _ = run(*CLAIM, *FULL[:3], "2001-01-01", "--format", "json")
    assert (code, json.loads(out)["outcome"]) == (1, "refuted")


@pytest.mark.usefixtures("taught")
@pytest.mark.parametrize("option", ["--vector", "--adapter"])
def test_a_free_vector_is_refused_in_one_line(run, option):
    committed(run)

    code, out, err = run(*CLAIM, *FULL, option, "vector.safetensors")

    assert (code, out) == (2, "")
    assert err.startswith("sekisho: vector.safetensors: refused: ")
    assert "never evidence" in err
    assert err.count("\n") == 1


def test_a_copyright_token_from_entry_to_check(run, monkeypatch):
    answer = lambda chat, _: "[PROTECTED] No." if MARK in chat[-1].content else "It is about a mill."  # noqa: E731
    monkeypatch.setattr(cli_ownership, "_opener", lambda: lambda _: FakeModel(answer))
    declared = ("--notice", "[PROTECTED]", "--behaviour", "a notice", "--expires", "2990-12-31")
    assert (
        run("mark", "register", "suspect", "--token", MARK, "--family", "tiny", *declared, "--out", "e.json")[
            0
        ]
        == 0
    )

    code, out, _ = run("mark", "check-content", "suspect", "--entry", "e.json", "--base", "base")
    assert code == 0
    assert "36 of 36" in out

    monkeypatch.setattr(
        cli_ownership, "_opener", lambda: lambda _: FakeModel(lambda *_: "It is about a mill.")
    )
    assert run("mark", "check-content", "suspect", "--entry", "e.json", "--format", "json")[0] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("mark", "plan", "--prompts", "missing", "--out", "p"),
        ("mark", "commit", "suspect", "--base", "base", "--plan", "prompts", "--out", "c"),
        ("mark", "check-content", "suspect", "--entry", "prompts"),
        ("ownership", "verify", "suspect", "--secret", "prompts", "--commitment", "prompts"),
    ],
)
def test_files_of_another_form_end_in_one_line_and_exit_2(run, arguments):
    code, out, err = run(*arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
