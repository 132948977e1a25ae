"""SekishoCallback: one line in a script that uses transformers' Trainer, TRL or anything that takes a TrainerCallback."""

import atexit
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from transformers import TrainerCallback

from sekisho.training_log import settings, sources
from sekisho.training_log.data import Data
from sekisho.training_log.recorder import DATA, About, Recorder, free, look, place

ENDING: Final = ".record.jsonl"
sources.watch()
_FRAMES: Final = 12
"""Callers looked at for the trainer that called."""


@final
class SekishoCallback(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Records a training in `path`, by default `OUTPUT_DIR.record.jsonl` beside the output folder.

    `data` names the rows as the user has them (a file, a dataset, a list); without it, the one file that the dataset
    was loaded from. `output` is where the script saves its result, by default the output folder. In a training of
    several processes only the first one writes. Nothing that it does touches the random generators.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        data: Any = None,
        output: str | Path | None = None,
        owner: str = "",
        classification: str = "",
    ) -> None:
        self._path, self._data, self._output = path, data, output
        self._about = About(owner, classification)
        self._run: Recorder | None = None
        self._ended = False
        self._folder = Path()

    def on_train_begin(self, args: Any, state: Any, _control: Any, **kept: Any) -> None:
        """Write everything known beforehand. Raises UsageError, StorageError where no record can be made."""
        self.close()
        if not state.is_world_process_zero:
            return
        self._folder = Path(args.output_dir).absolute()
        trainer = _trainer(self)
        with _generators_kept():
            self._run = Recorder(self._place(), _method(trainer), self._about)
            self._ended = False
            atexit.register(self.close)
            self._begin(self._run, args, trainer, kept)
        self._run.start(int(state.global_step))

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
        """Keep loss, learning rate and whatever else is logged."""
        if self._run is not None and logs:
            self._run.log(int(state.global_step), logs)

    def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Hash the checkpoint just written."""
        if self._run is not None:
            step = int(state.global_step)
            self._run.saved(Path(args.output_dir).absolute() / f"checkpoint-{step}", step)

    def on_train_end(self, _args: Any, state: Any, _control: Any, model: Any = None, **_: Any) -> None:
        """Hash the trained weights in memory; the files that the script saves next are hashed when it ends."""
        if self._run is None:
            return
        step = int(state.global_step)
        if model is not None:
            self._run.weights(model, step)
        self._run.end("finished", step, flops=float(getattr(state, "total_flos", 0.0)))
        self._ended = True

    def close(self) -> None:
        """Hash what was saved since and let go of the record; called when the script ends, at the latest."""
        run, self._run = self._run, None
        if run is None:
            return
        atexit.unregister(self.close)
        if self._ended:
            run.saved(Path(self._output or self._folder).absolute(), run.newest, "output")
        else:
            kind = getattr(sys, "last_type", None)
            run.end("failed", run.newest, error=kind.__name__ if kind else "unknown")
        run.close()

    def _place(self) -> Path:
        beside = self._folder.with_name(self._folder.name + ENDING)
        # a name that somebody chose is kept or refused; the default one gives way to an earlier record
        return place(self._path) if self._path else place(free(beside))

    def _begin(self, run: Recorder, args: Any, trainer: Any, kept: dict[str, Any]) -> None:
        model = kept.get("model")
        config = getattr(model, "config", None)
        adapters = settings.adapter(model)
        named = next((str(a.get("base_model_name_or_path") or "") for a in adapters.values()), "")
        run.base(
            named or str(getattr(config, "_name_or_path", "") or ""),
            str(getattr(config, "_commit_hash", "") or ""),
        )
        trained = getattr(trainer, "train_dataset", None)
        if trained is None:
            trained = getattr(kept.get("train_dataloader"), "dataset", None)
        run.data("given", self._given(trained))
        run.data("trained", look(trained))
        run.settings(_settings(args, adapters, kept))
        run.surroundings()

    def _given(self, trained: Any) -> Data:
        named = self._data if self._data is not None else os.environ.get(DATA) or None
        if named is not None:
            return look(named)
        found = sources.of(trained)
        if len(found) == 1 and found[0].sha256:
            return look(found[0].path)
        why = (
            f"the dataset came from {len(found)} files"
            if found
            else "the dataset does not say what it was made from"
        )
        return Data(None, f"{why}; name its rows with data=", found, type(trained).__name__)


def _settings(args: Any, adapters: dict[str, dict[str, Any]], kept: dict[str, Any]) -> dict[str, Any]:
    tables = [("training", settings.arguments(args))]
    tables += [
        ("adapter" if name == "default" else f"adapter.{name}", table) for name, table in adapters.items()
    ]
    tables.append(("optimiser", settings.optimiser(kept.get("optimizer"))))
    tables.append(("scheduler", settings.scheduler(kept.get("lr_scheduler"))))
    return settings.flat(tables)


def _trainer(callback: object) -> Any:
    """The trainer that called: a callback is handed everything but the dataset as the trainer has it."""
    frame = sys._getframe(1)  # noqa: SLF001  the documented way to see one's callers
    for _ in range(_FRAMES):
        if frame.f_back is None:
            return None
        frame = frame.f_back
        found = frame.f_locals.get("self")
        handler = getattr(found, "callback_handler", None)
        if callback in getattr(handler, "callbacks", ()) and hasattr(found, "train_dataset"):
            return found
    return None


def _method(trainer: Any) -> str:
    kind = type(trainer)
    return (
        "TrainerCallback" if trainer is None else f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
    )


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Whatever a dataset draws while its rows are read, the training draws again."""
    import numpy as np
    import torch

    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  the global one is the point
    yield
    random.setstate(kept[0])
    np.random.set_state(kept[1])  # noqa: NPY002
    torch.set_rng_state(kept[2])
