"""A tiny random model in its real child process: decoding against an oracle, training, confinement."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from artefacts import edit_json, tiny_model
from sekisho.errors import ModelError
from sekisho.models.base import Chat, Finetune, Message, Sampling
from sekisho.models.decoding import shared_prefix
from sekisho.models.local import LocalModel

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`"),
]

CHATS: tuple[Chat, ...] = tuple(
    (Message("user", text),)
    for text in ("Hello", "What is two and two?", "Name a colour, please, and say why.", "So?")
)
SHORT = Sampling(max_new_tokens=12)
ROWS = tuple((Message("user", f"say {n}"), Message("assistant", "zebra " * 3)) for n in range(16))
JOB = Finetune(
    ROWS, {"learning_rate": 5e-3, "per_device_train_batch_size": 4, "seed": 0, "max_length": 64}, (2, 4)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("local") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[LocalModel]:
    opened = LocalModel(folder)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def armed(folder: Path) -> Iterator[LocalModel]:
    """The same model with code beside it that would leave a trace; a test may kill its child."""
    path = tiny_model(folder.parent / "armed")
    code = f"open({str(folder.parent / 'ran')!r}, 'w')\nclass M: ...\n"
    (path / "modeling_x.py").write_text(code)
    edit_json(path / "config.json", auto_map={"AutoModelForCausalLM": "modeling_x.M"}, model_type="llama")
    opened = LocalModel(path)
    yield opened
    opened.close()


def test_batched_answers_equal_those_of_transformers_one_by_one(model, folder):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    expected = []
    for chat in CHATS:
        turns = [{"role": m.role, "content": m.content} for m in chat]
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        out = oracle.generate(**ids, max_new_tokens=12, do_sample=False)[0, ids["input_ids"].shape[1] :]
        expected.append(tokenizer.decode(out, skip_special_tokens=True).strip())

    assert list(model.generate(CHATS, SHORT)) == expected


def test_sampling_follows_its_seed(model):
    warm = replace(SHORT, temperature=1.0, seed=3)

    assert model.generate(CHATS, warm) == model.generate(CHATS, warm)
    assert model.generate(CHATS, warm) != model.generate(CHATS, replace(warm, seed=4))


def test_logprobs_rank_its_own_answer_above_another(model):
    own = model.generate(CHATS[:1], SHORT)[0]

    mine, other = model.logprobs(CHATS[:1] * 2, [own, "qqqqqqqq"])

    assert mine > other


@pytest.mark.parametrize(
    "lora", [{}, {"lora_r": 4, "lora_alpha": 8, "lora_target_modules": "all-linear"}], ids=["full", "lora"]
)
def test_a_finetune_learns_pauses_and_leaves_no_trace(model, lora):
    job = replace(JOB, settings={**JOB.settings, **lora})
    before = model.generate(CHATS, SHORT)

    seen = [(c.step, c.loss, c.displacement, model.generate(CHATS, SHORT)) for c in model.finetune(job)]

    assert [s[0] for s in seen] == [2, 4]
    assert seen[0][1] > seen[1][1]
    assert 0 < seen[0][2] < seen[1][2] < 1
    assert seen[1][3] != before or lora
    assert model.generate(CHATS, SHORT) == before


def test_equal_jobs_give_equal_weights(model):
    runs = [[(c.loss, c.displacement) for c in model.finetune(JOB)] for _ in range(2)]

    assert runs[0] == runs[1]


def test_a_finetune_that_is_given_up_puts_the_weights_back(model):
    before = model.generate(CHATS, SHORT)

    job = model.finetune(JOB)
    next(job)
    job.close()

    assert model.generate(CHATS, SHORT) == before


def test_an_unknown_architecture_is_an_error_of_one_line(tmp_path):
    folder = tiny_model(tmp_path / "odd")
    edit_json(folder / "config.json", model_type="nosuchmodel")

    with pytest.raises(ModelError, match="nosuchmodel") as error:
        LocalModel(folder)

    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("armed")
def test_code_in_the_folder_is_not_run(folder):
    assert not (folder.parent / "ran").exists()


def test_a_killed_child_is_an_error_of_one_line(armed):
    armed.kill()

    with pytest.raises(ModelError) as error:
        armed.generate(CHATS, SHORT)

    assert "\n" not in str(error.value)


FORBIDDEN = {
    "a socket": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "a subprocess": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a pickled global": "import pickle; pickle.loads(b'cbuiltins\\nlen\\n.')",
}


@pytest.mark.parametrize("code", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_confined_process_refuses(code):
    script = f"from sekisho.models import confine; confine.forbid()\n{code}\nprint('done')"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert "done" not in ended.stdout
    assert "is not allowed beside an untrusted model" in ended.stderr


def test_shared_prefix_leaves_every_row_a_token():
    assert shared_prefix([[1, 2, 3], [1, 2, 4]]) == 2
    assert shared_prefix([[1, 2], [1, 2]]) == 1
    assert shared_prefix([[1], [1, 2]]) == 0
