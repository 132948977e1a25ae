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
    Shift,
    silent,
)

Answer = Callable[[Chat, int], str]
"""(conversation, steps trained so far) -> answer."""
Moved = Callable[[Chat, str, tuple[int, ...]], str]
"""(conversation, slot, token ids put into it) -> answer."""
Shaken = Callable[[Chat, Perturbation], str]
"""(conversation, perturbation in force) -> answer."""


@final
class FakeModel:
    """Answers with `answer(chat, step)`; a finetune only moves `step`."""

    def __init__(self, answer: Answer, shaken: Shaken | None = None, moved: Moved | None = None) -> None:
        """Without `shaken`, a perturbation changes nothing; without `moved`, no token does."""
        self._answer, self._shaken, self._moved = answer, shaken, moved
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

    def sweep(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        progress: Progress = silent,
    ) -> tuple[Shift, ...]:
        """Divergence 10 where an answer changes, 0 where it does not; agreement is the share of equal answers."""
        plain = self.generate(chats)
        progress(len(sequences), len(sequences))
        found = []
        for sequence in sequences:
            after = self.generate_with(chats, slot, [sequence])
            kl = tuple(0.0 if a == b else 10.0 for a, b in zip(after, plain, strict=True))
            most = max(after.count(a) for a in after) / len(after)
            found.append(Shift(kl, tuple(0.0 for _ in kl), most))
        return tuple(found)

    def generate_with(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        sampling: Sampling = Sampling(),
    ) -> tuple[str, ...]:
        """Answer with `moved`, or as if no token were there."""
        del sampling
        self._check()
        moved = self._moved or (lambda chat, _slot, _ids: self._say(chat))
        return tuple(moved(c, slot, tuple(s)) if s else self._say(c) for s in sequences for c in chats)

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
