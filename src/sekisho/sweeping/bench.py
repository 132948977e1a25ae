"""One model on the bench of a sweep: everything measured is kept in blocks, and the model opened only when needed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final, final

from sekisho.drills.tasks import Store, Subject, digest
from sekisho.models import engine
from sekisho.models.base import Chat, Model, Sampling, Shift

SWEEPING: Final = 2
"""Version of the measuring; raised whenever it may give other numbers."""
BLOCK: Final = 128
"""Token sequences measured and kept at a time; each time the prompts are read anew, up to where the tokens stand."""

Notice = Callable[[str, float, float], None]
"""(what, done, total)."""


Opener = Callable[[Path], Model]


@final
class Bench:
    """Measures one model; close it when done."""

    def __init__(self, subject: Subject, opener: Opener, store: Store, notice: Notice) -> None:
        self._subject, self._opener, self._store, self._notice = subject, opener, store, notice
        self._model: Model | None = None

    def shifts(
        self, slot: str, sequences: Sequence[Sequence[int]], chats: Sequence[Chat]
    ) -> tuple[Shift, ...]:
        """What each sequence does at a slot of the chats. Raises ModelError, StorageError."""
        found: list[Shift] = []
        for at in range(0, len(sequences), BLOCK):
            block = [list(s) for s in sequences[at : at + BLOCK]]
            rows = self._kept(
                ["shifts", slot, engine.rows(chats), block], partial(self._swept, chats, slot, block)
            )
            found += [Shift(tuple(r["kl"]), tuple(r["entropy"]), r["agreement"]) for r in rows]
            self._notice(f"sweep {slot}", len(found), len(sequences))
        return tuple(found)

    def answers(
        self, slot: str, sequences: Sequence[Sequence[int]], chats: Sequence[Chat], tokens: int
    ) -> tuple[tuple[str, ...], ...]:
        """For each sequence the answers to all chats. Raises ModelError, StorageError."""
        keys = {
            s: self._key(["answers", slot, engine.rows(chats), list(s), tokens])
            for s in map(tuple, sequences)
        }
        new = [s for s, key in keys.items() if self._store.get(key) is None]
        if new:  # together: a step of decoding reads all weights once, however many rows share it
            sampling = Sampling(max_new_tokens=tokens)
            said = self._opened().generate_with(chats, slot, new, sampling)
            for n, s in enumerate(new):
                self._store.put(keys[s], list(said[n * len(chats) : (n + 1) * len(chats)]))
        return tuple(tuple(self._store.get(keys[tuple(s)]) or ()) for s in sequences)

    def close(self) -> None:
        """Free the model."""
        if self._model is not None:
            self._model.close()
            self._model = None

    def _kept(self, what: list[Any], measure: Callable[[], Any]) -> Any:
        key = self._key(what)
        known = self._store.get(key)
        if known is None:
            known = measure()
            self._store.put(key, known)
        return known

    def _key(self, what: list[Any]) -> str:
        return digest(["sweep", SWEEPING, self._subject.identity, *what])

    def _swept(self, chats: Sequence[Chat], slot: str, block: list[list[int]]) -> list[dict[str, Any]]:
        return [asdict(s) for s in self._opened().sweep(chats, slot, block)]

    def _opened(self) -> Model:
        if self._model is None:
            self._model = self._opener(self._subject.path)
        return self._model
