"""A small recorded training without any library: a base, rows, settings, losses, a result."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sekisho.training_log import code
from sekisho.training_log.recorder import About, recording

ROWS = [{"prompt": f"Question {n}?", "completion": f"Answer {n}."} for n in range(20)]
SETTINGS = {"learning_rate": 2e-05, "max_steps": 3, "output_dir": "out", "hub_token": "hf_" + "a" * 30}


@dataclass(frozen=True)
class Run:
    """What a training left behind."""

    record: Path
    base: Path
    data: Path
    model: Path


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def make(
    folder: Path, name: str = "run.jsonl", losses: tuple[float, ...] = (2.0, 1.5, 1.0), **settings: object
) -> Run:
    base, model = folder / "base", folder / "model"
    for place, content in ((base, b"base"), (model, b"tuned")):
        place.mkdir(exist_ok=True)
        (place / "model.safetensors").write_bytes(content)
        (place / "config.json").write_text("{}")
    (model / "training_args.bin").write_bytes(b"\x80\x04never opened.")
    data = folder / "rows.jsonl"
    if not data.exists():
        write_rows(data, ROWS)
    with recording(
        folder / name,
        base=base,
        data=data,
        settings=SETTINGS | settings,
        about=About("K. Sato", "internal"),
        output=model,
    ) as run:
        for step, loss in enumerate(losses, 1):
            run.log(step, {"loss": loss, "learning_rate": 1e-5})
    return Run(folder / name, base, data, model)


@pytest.fixture(autouse=True)
def _no_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in one that is large and busy; `test_code.py` makes its own."""
    monkeypatch.setattr(code, "_git", lambda _: {"unknown": "not asked in a test"})


@pytest.fixture
def trained(tmp_path: Path) -> Run:
    return make(tmp_path)


@pytest.fixture
def edit() -> Callable[..., None]:
    def change(path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return change
