"""The child process that holds a model: `python -m sekisho.worker FOLDER`, spoken to in JSON over its pipes.

It gives up memory, network and subprocesses before the model's files are opened (`models.confine`).
Nothing it prints reaches the conversation: standard output is moved away first. It does not outlive its
parent, however that ended and whatever it is doing itself; FOLDER, where it works, goes with it.
"""

import os
import select
import shutil
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, final

from sekisho.drills.train import train
from sekisho.errors import DivergedError, ModelError
from sekisho.models import confine
from sekisho.models.base import Checkpoint, Finetune, Perturbation, Sampling
from sekisho.models.channel import Channel
from sekisho.models.engine import Engine, chats

FAMILIAR: Final = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    MemoryError,
)
"""What loaders raise on files they do not like; each becomes one line in the reply."""


TRIES: Final = 20
"""Attempts at deleting a folder that is in use."""


class AbortedError(Exception):
    """The parent gave up a finetune in the middle."""


@final
class Worker:
    """Answers requests until told to close."""

    def __init__(self, channel: Channel, network: str) -> None:
        self._channel, self._network = channel, network
        self._engine: Engine | None = None

    def serve(self) -> None:
        """Reply to one request after another; `close` or a lost parent ends it."""
        while True:
            request = self._channel.receive()
            if request["op"] == "close":
                return
            self._reply(request)

    def _reply(self, request: dict[str, Any]) -> None:
        try:
            self._channel.send({"ok": self._do(request)})
        except DivergedError as error:
            self._channel.send({"error": str(error), "diverged": [error.step, error.what]})
        except ModelError as error:
            self._channel.send({"error": str(error)})
        except FAMILIAR as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            self._channel.send({"error": text[:600]})

    def _do(self, request: dict[str, Any]) -> Any:
        op = request["op"]
        if op == "load":
            return self._load(Path(request["path"]), request.get("adapter", ""), request.get("template", ""))
        engine = self._engine
        if engine is None:
            raise ModelError("no model is loaded")
        if op == "generate":
            return engine.generate(chats(request["chats"]), Sampling(**request["sampling"]), self._progress)
        if op == "logprobs":
            return engine.logprobs(chats(request["chats"]), request["answers"])
        if op == "sweep":
            found = engine.sweep(
                chats(request["chats"]), request["slot"], request["sequences"], self._progress
            )
            return [vars(shift) for shift in found]
        if op == "generate-with":
            sampling = Sampling(**request["sampling"])
            return engine.generate_with(
                chats(request["chats"]), request["slot"], request["sequences"], sampling
            )
        if op == "finetune":
            return self._finetune(engine, request)
        if op == "perturb":
            change, base = Perturbation(**request["change"]), request["base"]
            return vars(engine.perturb(change, Path(base) if base else None, chats(request["watched"])))
        if op == "restore":
            return engine.restore()
        raise ModelError(f"unknown request {op!r}")

    def _load(self, path: Path, adapter: str, template: str) -> dict[str, Any]:
        import peft  # noqa: F401  imported before subprocesses are forbidden: libraries probe the machine
        import transformers  # noqa: F401

        confine.forbid()
        beside = [*Path(adapter).glob("*")] if adapter else []
        found = [*(path.glob("*") if path.is_dir() else [path]), *beside]
        confine.limit(4 * sum(f.stat().st_size for f in found if f.is_file()))
        self._engine = Engine(path, Path(adapter) if adapter else None, template)
        return {"network": self._network, "speed": self._engine.speed()}

    def _finetune(self, engine: Engine, request: dict[str, Any]) -> None:
        job = Finetune(chats(request["examples"]), request["settings"], tuple(request["checkpoints"]))
        try:
            train(engine, job, self._pause, self._progress)
        except AbortedError:
            pass
        finally:
            engine.reset()

    def _pause(self, checkpoint: Checkpoint) -> None:
        self._channel.send({"checkpoint": vars(checkpoint)})
        while True:
            request = self._channel.receive()
            if request["op"] == "resume":
                return
            if request["op"] == "abort":
                raise AbortedError
            self._reply(request)

    def _progress(self, done: int, total: int) -> None:
        self._channel.send({"progress": [done, total]})


def main() -> None:
    """Serve in an interpreter of its own."""
    serve(sys.argv[1])


def serve(folder: str, outlived_by: int = 0) -> None:
    """Cut the network, move standard output away, then answer; ends with the process `outlived_by` if one is named."""
    # before there is a second thread: the kernel wants it so for a user of no rights
    network = confine.cut_network()
    if outlived_by:
        confine.end_with(outlived_by)
    writer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.chdir(folder)
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    try:
        with suppress(ModelError):  # the parent went away
            Worker(Channel(os.fdopen(0, "rb", closefd=False), writer), network).serve()
    finally:
        _clear(folder)


def _end_with_parent(folder: str) -> None:
    """Wait until nobody holds the other end of standard input, then end this process at once."""
    gone = select.poll()
    gone.register(0, 0)  # no event asked for: a hang-up is told anyway
    gone.poll()
    _clear(folder)
    os._exit(1)


def _clear(folder: str) -> None:
    """Delete the folder, though another thread may still write to it or delete it, too."""
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
