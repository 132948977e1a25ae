"""A model on this machine, held by a confined child process."""

import dataclasses
import importlib.util
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, final

from sekisho.errors import ModelError, ProcessDiedError, StorageError, UsageError
from sekisho.limits import DEFAULT
from sekisho.models import child, replies
from sekisho.models.base import (
    Chat,
    Checkpoint,
    Finetune,
    Perturbation,
    Perturbed,
    Progress,
    Sampling,
    Shift,
    silent,
)
from sekisho.models.channel import Channel
from sekisho.models.child import Child, Zygote
from sekisho.models.engine import rows

FAREWELL_S: Final = 5.0
"""Seconds a child that was told to end, or seems to have ended, is waited for."""
Start = Callable[[str, IO[bytes]], Child]
"""(its folder, where its standard error goes) -> the process."""
NEEDED: Final = ("torch", "transformers", "peft", "accelerate")
"""What the child imports; the extra `models` brings them."""


@final
class LocalModel:
    """A folder with safetensors, or one GGUF file; see `models.base.Model` for the methods."""

    def __init__(
        self, path: Path, start: Start = child.start, *, adapter: Path | None = None, template: str = ""
    ) -> None:
        """`adapter` is a PEFT folder to be laid over the model, `template` as in `models.frames`.

        Raises UsageError where the libraries are not installed, StorageError, ModelError.
        """
        _require_libraries()
        self._path = path
        try:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        except OSError as error:
            raise StorageError(f"no temporary file: {error.strerror or error}") from error
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="sekisho-", ignore_cleanup_errors=True)
        except OSError as error:
            self._errors.close()
            raise StorageError(f"no temporary folder: {error.strerror or error}") from error
        try:
            self._child = start(self._folder.name, self._errors)
        except ModelError:
            self._errors.close()
            self._folder.cleanup()
            raise
        if self._child.stdout is None or self._child.stdin is None:
            raise ModelError("the model's process has no pipes")
        self._channel = Channel(self._child.stdout, self._child.stdin)
        self._watch = _Watch(self._child)
        try:
            over = str(adapter.absolute()) if adapter else ""
            request = {"op": "load", "path": str(path.absolute()), "adapter": over, "template": template}
            loaded = replies.loaded(self._call(request))
        except BaseException:
            self.kill()
            self.close()
            raise
        self.speed, self.network = loaded
        """Tokens per second through one forward pass, timed on this machine, for forecasts;
        how the child was cut off: `namespace` or `audit-hook`."""

    def generate(
        self, chats: Sequence[Chat], sampling: Sampling = Sampling(), progress: Progress = silent
    ) -> tuple[str, ...]:
        """Answer each chat, in order. Raises ModelError."""
        if not chats:
            return ()
        request = {"op": "generate", "chats": rows(chats), "sampling": dataclasses.asdict(sampling)}
        return replies.answers(self._call(request, progress), len(chats))

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> tuple[float, ...]:
        """Mean log-probability per token (nats) of each answer after its chat. Raises ModelError."""
        found = self._call({"op": "logprobs", "chats": rows(chats), "answers": list(answers)})
        return replies.numbers(found, len(chats))

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
        paused, left = False, list(job.checkpoints)
        try:
            while "checkpoint" in (reply := self._receive(progress)):
                reached = replies.checkpoint(reply["checkpoint"], left)
                del left[0]
                paused = True
                yield reached
                paused = False
                self._channel.send({"op": "resume"})
        finally:
            if paused:
                with suppress(ModelError):  # it ended meanwhile: the next call says why
                    self._channel.send({"op": "abort"})
                    self._receive(silent)

    @contextmanager
    def perturb(
        self, change: Perturbation, base: Path | None = None, watched: Sequence[Chat] = ()
    ) -> Iterator[Perturbed]:
        """Change the weights in the child while the context lasts. Raises ModelError."""
        request = {"op": "perturb", "change": dataclasses.asdict(change), "watched": rows(watched)}
        done = self._call({**request, "base": str(base.absolute()) if base else ""})
        try:
            yield replies.perturbed(done, len(watched))
        finally:
            try:
                self._call({"op": "restore"})
            except ModelError:
                self.kill()  # weights that were not put back must answer nothing more

    def sweep(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        progress: Progress = silent,
    ) -> tuple[Shift, ...]:
        """Put each sequence of token ids into every chat at a slot. Raises ModelError."""
        if not chats or not sequences:
            return ()
        request = {
            "op": "sweep",
            "chats": rows(chats),
            "slot": slot,
            "sequences": [list(s) for s in sequences],
        }
        return replies.shifts(self._call(request, progress), len(sequences), len(chats))

    def generate_with(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        sampling: Sampling = Sampling(),
    ) -> tuple[str, ...]:
        """Answer every chat with each sequence of token ids put into it at a slot. Raises ModelError."""
        if not chats or not sequences:
            return ()
        placed = {"chats": rows(chats), "slot": slot, "sequences": [list(s) for s in sequences]}
        request = {"op": "generate-with", **placed, "sampling": dataclasses.asdict(sampling)}
        return replies.answers(self._call(request), len(chats) * len(sequences))

    def close(self) -> None:
        """End the child, politely first."""
        if self._child.poll() is None:
            try:
                self._channel.send({"op": "close"})
                self._child.wait(FAREWELL_S)
            except (ModelError, subprocess.TimeoutExpired):
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._errors):
            if pipe is not None:
                _close_quietly(pipe)
        self._folder.cleanup()

    def kill(self) -> None:
        """End the child at once, whatever it is doing."""
        self._child.kill()

    def _call(self, request: dict[str, Any], progress: Progress = silent) -> Any:
        if self._child.poll() is not None:
            raise self._obituary()
        try:
            self._channel.send(request)
        except ModelError as error:
            raise self._obituary() from error
        return self._receive(progress).get("ok")

    def _receive(self, progress: Progress) -> dict[str, Any]:
        """The next reply that is not progress. Raises ModelError for an error or a dead child."""
        with self._watch:
            while True:
                try:
                    reply = self._channel.receive()
                except ModelError as error:
                    raise self._obituary(str(error)) from error
                self._watch.heard()
                if "progress" in reply:
                    progress(*replies.progress(reply["progress"]))
                elif "error" in reply:
                    raise replies.error(reply, self._path.name)
                else:
                    return reply

    def _obituary(self, heard: str = "") -> ModelError:
        """Why the child is gone, from its exit status and the last line it wrote."""
        name = self._path.name
        try:
            status = self._child.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            self.kill()  # what it says from here on would be taken for the answer to something else
            return ModelError(f"{name}: the model's process broke off the conversation: {heard}")
        if self._watch.fired:
            silent_s = DEFAULT.child_silence_s
            return ModelError(f"{name}: the model's process was silent for {silent_s} s and was ended")
        if status == -signal.SIGKILL:
            return ProcessDiedError(
                f"{name}: the model's process was killed, most likely because memory ran out; "
                "with more memory free, the same command goes on from there"
            )
        self._errors.seek(0)
        last = self._errors.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
        said = last[:300] or "no message"
        return ProcessDiedError(f"{name}: the model's process ended with status {status}: {said}")


@final
class LocalModels:
    """Opens models one after another or side by side; their processes are forks of one that is ready."""

    def __init__(self) -> None:
        self._zygote = Zygote()

    def __call__(self, path: Path, adapter: Path | None = None, template: str = "") -> LocalModel:
        """Open a model, or an adapter over its base. Raises what `LocalModel` raises."""
        return LocalModel(path, self._zygote.child, adapter=adapter, template=template)

    def close(self) -> None:
        """End the process that was ready; models still open are killed after a while."""
        self._zygote.close()


def _require_libraries() -> None:
    missing = [name for name in NEEDED if not _installed(name)]
    if missing:
        raise UsageError(
            f"asking a model needs {', '.join(missing)}: pip install 'sekisho[models]'  "
            "(`sekisho inspect` looks at the files without)"
        )


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # a finder that forbids it says so instead of passing on
        return False


def _close_quietly(pipe: Any) -> None:
    with suppress(OSError):  # the other end closed first
        pipe.close()


@final
class _Watch:
    """Kills a child that stays silent for too long while a reply is awaited."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._timer: threading.Timer | None = None
        self.fired = False

    def heard(self) -> None:
        """Start counting anew."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(DEFAULT.child_silence_s, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> None:
        self.heard()

    def _fire(self) -> None:
        self.fired = True
        self._child.kill()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
