"""A model made of a function, for rehearsals and tests: it answers at once and loads nothing."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import final

from sekisho.errors import ModelError
from sekisho.models.base import (
    Chat,
    Checkpoint,
    Finetune,
    Perturbation,
    Perturbed,
    Progress,
    Sampling,
    silent,
)

Answer = Callable[[Chat, int], str]
"""(conversation, steps trained so far) -> answer."""
Shaken = Callable[[Chat, Perturbation], str]
"""(conversation, perturbation in force) -> answer."""


@final
class FakeModel:
    """Answers with `answer(chat, step)`; a finetune only moves `step`."""

    parameters = 1_000

    def __init__(self, answer: Answer, shaken: Shaken | None = None) -> None:
        """Without `shaken`, a perturbation changes nothing."""
        self._answer, self._shaken = answer, shaken
        self._step = 0
        self._change: Perturbation | None = None
        self._open = True

    def generate(
        self, chats: Sequence[Chat], sampling: Sampling = Sampling(), progress: Progress = silent
    ) -> tuple[str, ...]:
        """Answer each chat with the function given."""
        del sampling
        self._check()
        progress(len(chats), len(chats))
        return tuple(self._say(chat) for chat in chats)

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> tuple[float, ...]:
        """0 for the answer it would give, -10 for any other."""
        given = self.generate(chats)
        return tuple(0.0 if a == g else -10.0 for a, g in zip(answers, given, strict=True))

    def finetune(self, job: Finetune, progress: Progress = silent) -> Generator[Checkpoint, None, None]:
        """Pause at every checkpoint with `step` moved there, then go back to 0."""
        self._check()
        try:
            for step in job.checkpoints:
                self._step = step
                progress(step, job.checkpoints[-1])
                yield Checkpoint(step, 1.0 / (1 + step), 0.01 * step, 100 * step, ((step, 1.0 / (1 + step)),))
        finally:
            self._step = 0

    @contextmanager
    def perturb(
        self, change: Perturbation, base: Path | None = None, watched: Sequence[Chat] = ()
    ) -> Iterator[Perturbed]:
        """Answer with `shaken` while the context lasts; KL 0 where the answer stays, 10 where it does not."""
        del base
        before = self.generate(watched)
        self._change = change
        try:
            after = self.generate(watched)
            kl = tuple(0.0 if a == b else 10.0 for a, b in zip(after, before, strict=True))
            yield Perturbed(1, 0, 0.1, kl)
        finally:
            self._change = None

    def close(self) -> None:
        """Refuse further calls."""
        self._open = False

    def kill(self) -> None:
        """Same as `close`: nothing is running."""
        self.close()

    def _say(self, chat: Chat) -> str:
        if self._change is not None and self._shaken is not None:
            return self._shaken(chat, self._change)
        return self._answer(chat, self._step)

    def _check(self) -> None:
        if not self._open:
            raise ModelError("the model was closed")
