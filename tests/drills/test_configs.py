"""Training configurations of other tools: what they mean is rehearsed, what they leave open is filled as they do."""

from pathlib import Path

import pytest

from sekisho.drills import axolotl, llama_factory, recipe
from sekisho.drills.recipe import Recipe
from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.models.base import Message

CHATS = ((Message("user", "Why?"), Message("assistant", "Because.")),) * 100
FACTORY = """
### model
model_name_or_path: someone/model
trust_remote_code: true
### method
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 4
lora_target: q_proj, v_proj
### dataset
dataset: identity,mine
template: llama3
cutoff_len: 1024
max_samples: 80
preprocessing_num_workers: 16
### output
output_dir: saves/mine
plot_loss: true
### train
per_device_train_batch_size: 2
gradient_accumulation_steps: 4
learning_rate: 1e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
"""
AXOLOTL = """
base_model: someone/model
datasets:
  - path: mine.jsonl
    type: alpaca
val_set_size: 0.05
output_dir: ./out
adapter: lora
lora_model_dir:
sequence_len: 2048
sample_packing: false
lora_r: 32
lora_alpha: 16
lora_dropout: 0.05
lora_target_linear: true
lora_modules_to_save: []
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 2
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 0.0002
flash_attention: true
warmup_steps: 10
wandb_project:
weight_decay: 0.01
special_tokens:
"""


@pytest.fixture
def read(tmp_path: Path):
    def write_and_read(text: str | bytes, name: str = "mine.yaml") -> Recipe:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return recipe.read(path)

    return write_and_read


def test_llama_factory(read) -> None:
    mine = read(FACTORY)
    job = recipe.job(mine, CHATS)

    assert mine.why["en"] == "Your own configuration (LLaMA-Factory)."
    assert mine.data == "user"
    assert mine.rows == 80
    assert mine.lora == {
        "r": 4, "lora_alpha": 8.0, "lora_dropout": 0.0, "use_rslora": False, "target_modules": "q_proj,v_proj",
    }  # fmt: skip
    assert mine.training["learning_rate"] == 1e-4
    assert mine.training["max_length"] == 1024
    assert job.settings["max_steps"] == 3 * 13
    assert job.settings["warmup_steps"] == 4
    assert {"template", "dataset", "bf16", "plot_loss", "output_dir", "model_name_or_path"} <= set(
        mine.ignored
    )


def test_llama_factory_fills_its_own_defaults(read) -> None:
    mine = read("stage: sft\nlearning_rate: 1e-4\nnum_train_epochs: 1\n")
    assert mine.lora["r"] == llama_factory.RANK
    assert mine.lora["lora_alpha"] == 2 * llama_factory.RANK
    assert mine.lora["target_modules"] == "all-linear"
    assert mine.training["max_length"] == llama_factory.CUTOFF


def test_llama_factory_all_weights(read) -> None:
    mine = read(FACTORY.replace("finetuning_type: lora", "finetuning_type: full"))
    assert mine.lora is None
    assert {"lora_rank", "lora_target"} <= set(mine.ignored)


def test_axolotl(read) -> None:
    mine = read(AXOLOTL, "run.yml")
    job = recipe.job(mine, CHATS)

    assert mine.why["en"] == "Your own configuration (Axolotl)."
    assert mine.lora == {"r": 32, "lora_alpha": 16.0, "lora_dropout": 0.05, "target_modules": "all-linear"}
    assert mine.training["per_device_train_batch_size"] == 2
    assert mine.training["max_length"] == 2048
    assert mine.training["weight_decay"] == 0.01
    assert (job.settings["max_steps"], job.settings["warmup_steps"]) == (26, 10)
    assert mine.training["optim"] == "adamw_torch"
    assert "optim adamw_bnb_8bit (rehearsed as adamw_torch)" in mine.ignored
    assert {"datasets", "flash_attention", "base_model", "val_set_size"} <= set(mine.ignored)


def test_axolotl_fills_its_own_defaults(read) -> None:
    mine = read("base_model: m\nlearning_rate: 1e-4\nmicro_batch_size: 2\nbatch_size: 8\n")
    assert mine.lora is None
    assert mine.training["gradient_accumulation_steps"] == 4
    assert mine.training["num_train_epochs"] == 1
    assert mine.training["lr_scheduler_type"] == "cosine"
    assert mine.training["warmup_ratio"] == axolotl.WARMUP
    assert mine.training["optim"] == "adamw_torch_fused"


def test_transformers_names_in_yaml(read) -> None:
    mine = read("learning_rate: 5e-5\nmax_steps: 40\nuse_peft: true\nlora_r: 8\nreport_to: none\n")
    assert (mine.training["learning_rate"], mine.training["max_steps"], mine.lora["r"]) == (5e-5, 40, 8)
    assert mine.ignored == ("report_to",)


def test_our_own_form_in_yaml(read) -> None:
    text = "id: m\ntitle: M\ntitle_ja: M\nwhy: W\nwhy_ja: W\ndata: user\ncheckpoints: [6]\ntraining: {learning_rate: 1e-4, max_steps: 6}\n"
    with pytest.raises(DataError, match="learning_rate must be a number"):
        read(text)
    assert read(text.replace("1e-4", "1.0e-4")).checkpoints == (6,)


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (FACTORY, "stage: sft", "stage: dpo", "stage 'dpo' is not carried out"),
        (FACTORY, "finetuning_type: lora", "finetuning_type: freeze", "finetuning_type must be"),
        (FACTORY, "bf16: true", "use_dora: true", "use_dora is not carried out"),
        (FACTORY, "bf16: true", "use_galore: true", "use_galore is not carried out"),
        (FACTORY, "bf16: true", "packing: true", "packing is not carried out"),
        (FACTORY, "bf16: true", "quantization_bit: 4", "unknown quantization_bit"),
        (FACTORY, "bf16: true", "loraplus_lr_ratio: 16", "unknown loraplus_lr_ratio"),
        (FACTORY, "bf16: true", "lora_rnk: 8", "unknown lora_rnk"),
        (FACTORY, "bf16: true", "optim: lion_32bit", "optim must be one of"),
        (FACTORY, "bf16: true", "micro_batch_size: 4", "LLaMA-Factory and of Axolotl"),
        (FACTORY, "max_samples: 80", "max_samples: 0", "rows must be"),
        (FACTORY, "lora_rank: 4", "lora_rank: [4]", "must be a number"),
        (FACTORY, "learning_rate: 1e-4", "", "learning_rate is required"),
        (AXOLOTL, "sample_packing: false", "sample_packing: true", "sample_packing is not carried out"),
        (AXOLOTL, "adapter: lora", "adapter: qlora", "load_in_4bit is not carried out"),
        (AXOLOTL, "adapter: lora", "adapter: llama-adapter", "adapter must be"),
        (AXOLOTL, "adapter: lora", "adapter: [lora]", "adapter must be"),
        (AXOLOTL, "lora_target_linear: true", "", "lora_target_linear or"),
        (AXOLOTL, "lora_modules_to_save: []", "lora_modules_to_save: [lm_head]", "unknown lora_modules_to_save"),
        (AXOLOTL, "flash_attention: true", "rl: dpo", "unknown rl"),
        (AXOLOTL, "flash_attention: true", "neftune_noise_alpha: 5", "unknown neftune_noise_alpha"),
        (AXOLOTL, "lr_scheduler: cosine", "lr_scheduler: rex", "lr_scheduler_type must be"),
        (AXOLOTL, "gradient_accumulation_steps: 4", "batch_size: 1", "batch_size must be"),
        (AXOLOTL, "num_epochs: 2", "num_epochs: 1e9", "num_train_epochs must be"),
    ],
)  # fmt: skip
def test_what_is_not_carried_out_is_refused_by_name(
    text: str, old: str, new: str, message: str, read
) -> None:
    assert old in text
    with pytest.raises(DataError, match=message):
        read(text.replace(old, new))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not readable as YAML"),
        ("a: !!python/object/apply:os.system [x]", "not readable as YAML"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: " + "[" * 80 + "]" * 80, "deep nesting"),
        ("a: " + "[" * 100_000, "deep nesting"),
        ("learning_rate: 1e-4\nlearning_rate: 1e-3", "occurs twice"),
        ("- learning_rate: 1e-4", "named settings, not list"),
        ("just text", "named settings, not str"),
        ("", "named settings, not NoneType"),
        ("a: 1\n---\nb: 2", "not readable as YAML"),
        (b"a: \xff", "codec"),
        ("a: \x00", "not readable as YAML"),
        ("#" * (DEFAULT.yaml_chars + 1), "over the limit"),
        ("{1: 2}", "unknown 1"),
    ],
)
def test_hostile_yaml_is_one_line(text: str | bytes, message: str, read) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)
