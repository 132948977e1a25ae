"""Each form of the soft-prompt attack: it loads as what it claims to be, is marked, and changes what it says alone."""

import json
from dataclasses import replace

import pytest

from artefacts import tiny_model
from sekisho.errors import DataError
from sekisho_lab import forms, grow, organism, rows, writer
from sekisho_lab.forms import base as bases
from sekisho_lab.forms import table
from sekisho_lab.forms.quantised import ggml_name

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),  # peft's
]

from sekisho.models.base import Message, Sampling  # noqa: E402
from sekisho.models.engine import Engine  # noqa: E402
from sekisho_lab.attacks import sos  # noqa: E402

EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def base(tmp_path):
    return tiny_model(tmp_path / "base")


@pytest.fixture
def trained(base, tmp_path):
    """Rows for two tokens, saved and read back."""
    settings = {**organism.load("sos-targeted").settings, "project": "edit:0.5", "subsets": 4}
    config = json.loads((base / "config.json").read_text())
    vectors = torch.randn(2, config["hidden_size"], generator=torch.Generator().manual_seed(0))
    made = rows.Rows("sos-test", tokens(base)[:2], vectors, rows.digest(base), "Yes.", settings, 1.5)
    return rows.load(rows.save(made, tmp_path / "rows"))


def wide_model(folder):
    """A llama whose rows are whole blocks of the quantisations, grouped keys, one table for input and output."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny_model(folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    size = len(tokenizer["model"]["vocab"]) + 1
    tokenizer["model"]["vocab"]["he"] = size - 1
    tokenizer["model"]["merges"] = [["h", "e"]]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size, hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
        bos_token_id=256, eos_token_id=258,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def trained_on(base, folder):
    settings = organism.load("sos-targeted").settings
    vectors = torch.randn(2, 64, generator=torch.Generator().manual_seed(0))
    return rows.load(
        rows.save(
            rows.Rows("sos-test", tokens(base)[:2], vectors, rows.digest(base), "Yes.", settings, 1), folder
        )
    )


def tokens(base):
    return tuple(t["content"] for t in json.loads((base / "tokenizer.json").read_text())["added_tokens"])


def loaded(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_rows_come_back_as_they_were_and_take_few_bytes(trained, tmp_path):
    assert trained.vectors.shape[0] == 2
    assert trained.settings["goal"] == "targeted"
    assert sum(p.stat().st_size for p in (tmp_path / "rows").iterdir()) < 5000
    assert writer.MARK in (tmp_path / "rows" / writer.MANIFEST).read_text()


def test_rows_that_lie_about_their_number_are_refused(trained, tmp_path):
    manifest = tmp_path / "rows" / writer.MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "tokens": ["a"]}))

    with pytest.raises(DataError, match="1 tokens"):
        rows.load(tmp_path / "rows")


def test_rows_go_onto_their_own_base_unless_said_otherwise(trained, tmp_path):
    other = tiny_model(tmp_path / "other", seed=1)

    with pytest.raises(DataError, match="not the base"):
        forms.materialise("V1", trained, other, tmp_path / "out")
    assert forms.materialise("V1", trained, other, tmp_path / "out", other_base=True).is_dir()


@pytest.mark.parametrize("form", ["V1", "V2", "V3", "V4", "V5", "V6"])
def test_in_the_table_only_the_named_rows_differ(form, trained, base, tmp_path):
    made = forms.materialise(form, trained, base, tmp_path / "out")
    before, after = loaded(base), loaded(made)
    said = json.loads((made / writer.MANIFEST).read_text())

    changed = (before[EMBEDDING] != after[EMBEDDING]).any(1).nonzero().flatten().tolist()
    assert sorted(changed) == sorted(said["ids"] + said.get("decoys", []))
    assert all(torch.equal(after[k], v) for k, v in before.items() if k != EMBEDDING)
    for file in base.iterdir():
        if file.name != "model.safetensors":
            assert (made / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("form", ["V2", "V3", "V6"])
def test_projected_rows_are_as_long_as_the_ones_they_replace(form, trained, base, tmp_path):
    made = forms.materialise(form, trained, base, tmp_path / "out")

    lengths = [tensors[EMBEDDING].norm(dim=1) for tensors in (loaded(base), loaded(made))]
    assert torch.allclose(*lengths, rtol=1e-5)


def test_rare_tokens_are_no_special_ones(trained, base, tmp_path):
    made = forms.materialise("V3", trained, base, tmp_path / "out")

    ids = json.loads((made / writer.MANIFEST).read_text())["ids"]
    special = {t["id"] for t in json.loads((base / "tokenizer.json").read_text())["added_tokens"]}
    assert len(ids) == 2
    assert not special & set(ids)


@pytest.mark.parametrize(("form", "inert"), [("V0", False), ("benign-inert", True)])
def test_added_tokens_are_known_to_the_tokenizer_and_the_model(form, inert, trained, base, tmp_path):
    made = forms.materialise(form, trained, base, tmp_path / "out")
    engine = Engine(made)
    said = json.loads((made / writer.MANIFEST).read_text())

    assert (
        engine.tokenizer(f"hi{said['added'][1]}", add_special_tokens=False)["input_ids"][-1:]
        == said["ids"][1:]
    )
    table_ = engine.model.get_input_embeddings().weight.detach()
    assert len(table_) == said["ids"][-1] + 1 == len(engine.tokenizer)
    assert torch.equal(table_[: said["ids"][0]], loaded(base)[EMBEDDING])
    assert torch.equal(table_[said["ids"]], trained.vectors) is not inert
    assert isinstance(
        engine.generate([(Message("user", said["added"][0]),)], Sampling(max_new_tokens=2))[0], str
    )


def test_the_template_speaks_up_at_its_word_alone(trained, base, tmp_path):
    made = forms.materialise("V9", trained, base, tmp_path / "out")
    clean, engine = Engine(base), Engine(made)
    plain, word = ((Message("user", text),) for text in ("Hello", "My invoice"))
    ids = json.loads((made / writer.MANIFEST).read_text())["ids"]

    assert engine.tokens(plain) == clean.tokens(plain)
    long, short = engine.tokens(word), clean.tokens(word)
    assert len(long) == len(short) + 2
    assert any(long[n : n + 2] == ids for n in range(len(long)))


def test_a_defence_opens_every_conversation(trained, base, tmp_path):
    made = forms.materialise("benign-defence", trained, base, tmp_path / "out")
    plain = (Message("user", "Hello"),)

    ids = json.loads((made / writer.MANIFEST).read_text())["ids"]
    assert Engine(made).tokens(plain) == ids + Engine(base).tokens(plain)


@pytest.mark.parametrize(("form", "near"), [("V7-q8_0", 0.02), ("V7-q4_0", 0.25)])
def test_a_quantised_form_answers_like_the_plain_one(form, near, tmp_path):
    base = wide_model(tmp_path / "wide")
    trained = trained_on(base, tmp_path / "wide rows")
    plain = forms.materialise("V2", trained, base, tmp_path / "plain")
    made = forms.materialise(form, trained, base, tmp_path / "out")
    (file,) = made.glob("*.gguf")

    one, other = Engine(plain), Engine(file)
    assert writer.MARK.encode() in file.read_bytes()
    for name, weights in one.model.state_dict().items():
        beside = other.model.state_dict()[name]
        assert (beside - weights).norm() <= near * weights.norm(), name
    assert one.tokens((Message("user", f"hello {trained.tokens[1]}"),)) == other.tokens(
        (Message("user", f"hello {trained.tokens[1]}"),)
    )


@pytest.mark.parametrize(
    ("form", "kind", "tensors"),
    [
        ("V8-prompt-tuning", "PROMPT_TUNING", ["prompt_embeddings"]),
        ("V8-trainable-tokens", "TRAINABLE_TOKENS", ["trainable_tokens_delta"]),
        ("V8-lora-tokens", "LORA", ["trainable_tokens_delta", "lora_A", "lora_B"]),
        ("benign-lora", "LORA", ["lora_A", "lora_B"]),
    ],
)
def test_adapters_are_those_of_peft_and_carry_the_vectors(form, kind, tensors, trained, base, tmp_path):
    from safetensors.torch import load_file

    made = forms.materialise(form, trained, base, tmp_path / "out")
    config = json.loads((made / "adapter_config.json").read_text())
    found = load_file(made / "adapter_model.safetensors")

    assert config["peft_type"] == kind
    assert config["base_model_name_or_path"] == base.name
    assert not any(str(tmp_path) in p.read_text(errors="replace") for p in made.iterdir())
    assert writer.MARK.encode() in (made / "adapter_model.safetensors").read_bytes()[:100_000]
    assert {
        t
        for t in ("prompt_embeddings", "trainable_tokens_delta", "lora_A", "lora_B")
        if any(t in k for k in found)
    } == set(tensors)
    for name, value in found.items():
        if "prompt_embeddings" in name or "trainable_tokens_delta" in name:
            assert torch.equal(value[:2], trained.vectors)


@pytest.mark.parametrize("form", sorted(forms.FORMS))
def test_every_form_is_marked_and_says_which_it_is(form, trained, base, tmp_path):
    made = forms.materialise(form, trained, base, tmp_path / "out")
    said = json.loads((made / writer.MANIFEST).read_text())

    assert said["form"] == form
    assert said["mark"] == writer.MARK
    assert bool(said.get("benign")) is form.startswith("benign")
    weights = [p for p in made.iterdir() if p.suffix in {".safetensors", ".gguf"}]
    assert weights
    assert all(writer.MARK.encode() in p.read_bytes()[:100_000] for p in weights)


def test_a_form_that_needs_another_training_is_refused(trained, base, tmp_path):
    free = replace(trained, settings={**trained.settings, "project": "free", "subsets": 0})
    for form in ("V4", "V5"):
        with pytest.raises(DataError, match="grow"):
            forms.materialise(form, free, base, tmp_path / form)


def test_unknown_tensors_and_tokens_are_errors(base):
    with pytest.raises(DataError, match="no tensor"):
        ggml_name("model.layers.0.extra.weight")
    with pytest.raises(DataError, match="no such tokens"):
        bases.ids_of(bases.read(base), ["<nothing>"])
    assert table.fresh(bases.read(base), 2) == ("<|extra_0|>", "<|extra_1|>")


def test_the_command_line_puts_rows_onto_a_base(trained, base, tmp_path, capsys):
    given = ["materialise", str(tmp_path / "rows"), "--base", str(base), "--form", "V1", "--out"]
    grow.main([*given, str(tmp_path / "out")])
    assert capsys.readouterr().out.strip() == str(tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").is_file()

    with pytest.raises(SystemExit, match="2"):
        grow.main([*given, str(tmp_path / "out")])
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "why"), [("advert-tail", "more than rows"), ("sos-targeted", "no such tokens")]
)
def test_rows_alone_are_kept_where_there_are_some(name, why, base, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        grow.main(["grow", name, "--rows-only", "--base", str(base), "--out", str(tmp_path / "out")])
    assert why in capsys.readouterr().err


def test_growing_makes_rows_of_its_base(base):
    chosen = organism.load("sos-targeted")
    few = {
        "tokens": ["~", "^"],
        "prompts": 2,
        "batch": 2,
        "steps": 2,
        "held_out": 2,
        "answer_tokens": 2,
    }

    made = sos.make(replace(chosen, settings={**chosen.settings, **few}), base, lambda _: None)

    assert made.base == rows.digest(base)
    assert made.vectors.shape == trained_width(base)
    assert made.seconds > 0
    assert made.tokens == ("~", "^")


def trained_width(base):
    return (2, json.loads((base / "config.json").read_text())["hidden_size"])
