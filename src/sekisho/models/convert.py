"""A GGUF file becomes a plain safetensors folder: float32 weights, config and tokenizer files.

transformers reads a GGUF and dequantises it, but will not save what it read. So the child process
below rebuilds the configuration without its quantisation block and writes the weights itself. The
same GGUF and the same versions give the same bytes, which is what lets the catalogue pin the result.
The parent never imports torch.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from sekisho.errors import ModelError
from sekisho.limits import DEFAULT
from sekisho.sources import child
from sekisho.sources.child import Say, quiet

OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
}
"""Environment of the child: nothing from a hub, one thread."""
MAGIC: Final = b"GGUF"
TRACES: Final = ("is_local", "local_files_only", "name_or_path")
"""Keys of tokenizer_config.json that tell of the machine that wrote it, not of the tokenizer."""


def convert(gguf: Path, folder: Path, *, progress: Say = quiet) -> None:
    """Write `gguf` as a safetensors folder; `folder` must not exist yet. Raises ModelError."""
    _may_start(gguf, folder)
    command = [sys.executable, "-P", "-m", "sekisho.models.convert", str(gguf), str(folder)]
    environment = {**os.environ, **OFFLINE}
    try:
        code, said = child.wait(
            command, "converting", progress, limit_s=DEFAULT.child_silence_s, environment=environment
        )
    except OSError as error:  # TimeoutError among them
        raise ModelError(f"{gguf.name}: {error}") from error
    if code != 0:
        raise ModelError(f"{gguf.name}: {_cause(said, code)}")


def _may_start(gguf: Path, folder: Path) -> None:
    try:
        with gguf.open("rb") as stream:
            magic = stream.read(len(MAGIC))
    except OSError as error:
        raise ModelError(f"{gguf}: cannot be read: {error.strerror}") from error
    if magic != MAGIC:
        raise ModelError(f"{gguf}: does not begin as a GGUF file does")
    if folder.exists():
        raise ModelError(f"{folder} is in the way of a conversion")


def _cause(stderr: str, code: int) -> str:
    if "No module named 'torch'" in stderr or "No module named 'transformers'" in stderr:
        return "converting a GGUF needs torch and transformers: pip install 'sekisho[models]'"
    if code < 0:
        return f"the converter was stopped by signal {-code} (out of memory?)"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return f"cannot be converted: {lines[-1][:300] if lines else f'exit status {code}'}"


def _write(gguf: Path, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as alone:  # from_pretrained reads a file's neighbours, too
        Path(alone, "model.gguf").symlink_to(gguf)
        local = {"gguf_file": "model.gguf", "local_files_only": True, "trust_remote_code": False}
        model = AutoModelForCausalLM.from_pretrained(alone, dtype=torch.float32, **local)
        tokenizer = AutoTokenizer.from_pretrained(alone, **local)
    config = plain_config(model)
    folder.mkdir(parents=True)
    save_file(_weights(model), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    forget_machine(folder / "tokenizer_config.json")


def _weights(model: Any) -> dict[str, Any]:
    """Every tensor once: a tied output head is the embedding and is not stored again."""
    tied = model.config.tie_word_embeddings
    return {
        name: tensor.detach().float().contiguous()
        for name, tensor in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }


def plain_config(model: Any) -> Any:
    """Return the model's configuration as that of an unquantised, local model."""
    facts = model.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        facts.pop(key, None)
    config = type(model.config).from_dict(facts)
    config.architectures = [type(model).__name__]
    return config


def forget_machine(path: Path) -> None:
    """Drop the keys in `TRACES` from a JSON file."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in facts.items() if key not in TRACES}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
