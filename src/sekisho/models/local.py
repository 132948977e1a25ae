"""A model on this machine, held by a confined child process."""

import dataclasses
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ModelError
from sekisho.limits import DEFAULT
from sekisho.models.base import Chat, Checkpoint, Finetune, Progress, Sampling, silent
from sekisho.models.channel import Channel
from sekisho.models.confine import environment
from sekisho.models.engine import rows

WORKER: Final = "sekisho.worker"
"""Module the child runs; named, not imported, because it stands on a higher floor."""


@final
class LocalModel:
    """A folder with safetensors, or one GGUF file; see `models.base.Model` for the methods."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
        )
        if self._child.stdout is None or self._child.stdin is None:
            raise ModelError("the model's process has no pipes")
        self._channel = Channel(self._child.stdout, self._child.stdin)
        self._watch = _Watch(self._child)
        try:
            loaded = self._call({"op": "load", "path": str(path.resolve())})
        except BaseException:
            self.close()
            raise
        self.parameters = int(loaded["parameters"])
        self.speed = float(loaded["speed"])
        """Tokens per second through one forward pass, timed on this machine; for forecasts."""
        self.network = str(loaded["network"])
        """How the child was cut off: `namespace` or `audit-hook`."""

    def generate(
        self, chats: Sequence[Chat], sampling: Sampling = Sampling(), progress: Progress = silent
    ) -> tuple[str, ...]:
        """Answer each chat, in order. Raises ModelError."""
        if not chats:
            return ()
        request = {"op": "generate", "chats": rows(chats), "sampling": dataclasses.asdict(sampling)}
        return tuple(str(a) for a in self._call(request, progress))

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> tuple[float, ...]:
        """Mean log-probability per token (nats) of each answer after its chat. Raises ModelError."""
        return tuple(self._call({"op": "logprobs", "chats": rows(chats), "answers": list(answers)}))

    def finetune(self, job: Finetune, progress: Progress = silent) -> Generator[Checkpoint, None, None]:
        """Train in the child, pausing at each checkpoint; the released weights are back afterwards."""
        self._channel.send(
            {
                "op": "finetune",
                "examples": rows(job.examples),
                "settings": dict(job.settings),
                "checkpoints": list(job.checkpoints),
            }
        )
        paused = False
        try:
            while (reply := self._receive(progress)) is not None and "checkpoint" in reply:
                paused = True
                yield _checkpoint(reply["checkpoint"])
                paused = False
                self._channel.send({"op": "resume"})
        finally:
            if paused:
                self._channel.send({"op": "abort"})
                self._receive(silent)

    def close(self) -> None:
        """End the child, politely first."""
        if self._child.poll() is None:
            try:
                self._channel.send({"op": "close"})
                self._child.wait(5)
            except (ModelError, subprocess.TimeoutExpired):
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._errors):
            if pipe is not None:
                _close_quietly(pipe)

    def kill(self) -> None:
        """End the child at once, whatever it is doing."""
        self._child.kill()

    def _call(self, request: dict[str, Any], progress: Progress = silent) -> Any:
        if self._child.poll() is not None:
            raise ModelError(self._obituary())
        self._channel.send(request)
        reply = self._receive(progress)
        return reply["ok"]

    def _receive(self, progress: Progress) -> dict[str, Any]:
        """The next reply that is not progress. Raises ModelError for an error or a dead child."""
        with self._watch:
            while True:
                try:
                    reply = self._channel.receive()
                except ModelError as error:
                    raise ModelError(self._obituary()) from error
                self._watch.heard()
                if "progress" in reply:
                    progress(*reply["progress"])
                elif "error" in reply:
                    raise ModelError(f"{self._path.name}: {reply['error']}")
                else:
                    return reply

    def _obituary(self) -> str:
        """Why the child is gone, from its exit status and the last line it wrote."""
        try:
            status = self._child.wait(5)
        except subprocess.TimeoutExpired:
            return f"{self._path.name}: the model's process broke off the conversation"
        self._errors.seek(0)
        last = self._errors.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
        return (
            f"{self._path.name}: the model's process ended with status {status}: {last[:300] or 'no message'}"
        )


def _checkpoint(value: dict[str, Any]) -> Checkpoint:
    losses = tuple((int(s), float(x)) for s, x in value["losses"])
    return Checkpoint(
        int(value["step"]), float(value["loss"]), float(value["displacement"]), int(value["tokens"]), losses
    )


def _close_quietly(pipe: Any) -> None:
    with suppress(OSError):  # the other end closed first
        pipe.close()


@final
class _Watch:
    """Kills a child that stays silent for too long while a reply is awaited."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._timer: threading.Timer | None = None

    def heard(self) -> None:
        """Start counting anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(DEFAULT.child_silence_s, self._child.kill)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> None:
        self.heard()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
