"""Arrangements of a model on the bench of an ablation: what each answered is kept, and one is open at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.drills.tasks import Store, digest
from sekisho.models import engine
from sekisho.models.base import Chat, Model, Sampling
from sekisho.models.slots import END
from sekisho.probes.sweep.candidates import Ids

ABLATING: Final = 1
"""Version of the measuring; raised whenever it may give other answers."""

Notice = Callable[[str, float, float], None]
"""(what, done, total)."""


@dataclass(frozen=True)
class Arm:
    """A model as it is laid out for one side of a comparison."""

    core: Path
    """Folder or GGUF file of the weights."""
    identity: str
    """sha256 over everything that may be laid on, and the core itself."""
    adapter: Path | None = None
    template: str = ""
    """As in `models.frames`."""
    said: str = ""
    """Which of these it is, in words that name no path: adapter's file and the template's place."""
    before: Chat = ()
    """Turns that stand before every conversation."""


@dataclass(frozen=True)
class Asked:
    """What is put to an arrangement at once."""

    chats: tuple[Chat, ...]
    tokens: int
    """New tokens of an answer at most."""
    ids: Ids = ()
    """Tokens put at the end of each question."""


Arranger = Callable[[Arm], Model]
"""Opens an arrangement."""


@final
class Bench:
    """Asks arrangements one after another; close it when done."""

    def __init__(self, arranger: Arranger, store: Store) -> None:
        self._arranger, self._store = arranger, store
        self._open: tuple[Arm, Model] | None = None

    def answers(self, arm: Arm, asked: Sequence[Asked]) -> tuple[tuple[str, ...], ...]:
        """Answers to each set of questions, measured or kept. Raises ModelError, StorageError."""
        return tuple(self._kept(arm, some) for some in asked)

    def known(self, arm: Arm, asked: Sequence[Asked]) -> bool:
        """Whether all of them were answered before."""
        return all(self._store.get(_key(arm, some)) is not None for some in asked)

    def speed(self, arm: Arm) -> float:
        """Tokens per second through one forward pass; 0 where the model does not say."""
        return float(getattr(self._opened(arm), "speed", 0.0))

    def close(self) -> None:
        """Free the model that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _kept(self, arm: Arm, asked: Asked) -> tuple[str, ...]:
        key = _key(arm, asked)
        known = self._store.get(key)
        if known is None:
            known = list(self._said(arm, asked))
            self._store.put(key, known)
        return tuple(known)

    def _said(self, arm: Arm, asked: Asked) -> tuple[str, ...]:
        chats, sampling = _behind(arm, asked.chats), Sampling(max_new_tokens=asked.tokens)
        if asked.ids:
            return self._opened(arm).generate_with(chats, END, [asked.ids], sampling)
        return self._opened(arm).generate(chats, sampling)

    def _opened(self, arm: Arm) -> Model:
        if self._open is None or _loaded(self._open[0]) != _loaded(arm):
            self.close()
            self._open = (arm, self._arranger(arm))
        return self._open[1]


def _loaded(arm: Arm) -> tuple[Any, ...]:
    return arm.core, arm.adapter, arm.template


def _behind(arm: Arm, chats: Sequence[Chat]) -> tuple[Chat, ...]:
    """Conversations after the turns that stand before them; a question's own system turn takes the place of theirs."""
    own = tuple(m for m in arm.before if m.role != "system")
    return tuple(
        (chat[0], *own, *chat[1:]) if chat[0].role == "system" else (*arm.before, *chat) for chat in chats
    )


def _key(arm: Arm, asked: Asked) -> str:
    chats = engine.rows(_behind(arm, asked.chats))
    return digest(["ablation", ABLATING, arm.identity, arm.said, chats, list(asked.ids), asked.tokens])
