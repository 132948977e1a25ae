"""The Ray engine: the same trials, each a Ray task that holds one confined process; results stream back to the driver.

Only the driver writes the cells. A worker or a node that dies ends its own trials, which are begun again elsewhere.
A cluster is trusted like this machine: whoever can reach Ray's ports can run code on it. See docs/adr/0010.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, final

from sekisho.drills.costs import need, remaining
from sekisho.drills.tasks import Store, Task
from sekisho.drills.trial import ATTEMPTS, Failure, Notice, Trial, measured, prepare
from sekisho.drills.versions import DECIDING, installed
from sekisho.errors import ModelError, ProcessDiedError, SekishoError, UsageError
from sekisho.models.local import LocalModel

POLL_S: Final = 0.5

Message = tuple[str, str, Any]
"""(`kept`, key, value), or (`died` or `failed` or `refused`, "", sentence)."""


@final
class RayGrid:
    """Submits trials to a cluster, or to one it starts on this machine."""

    def __init__(
        self, store: Store, parameters: int, *, address: str = "", identify: Callable[[Path], str]
    ) -> None:
        """`identify` tells, on a node, which model lies at a path. Raises UsageError without Ray."""
        if importlib.util.find_spec("ray") is None:
            raise UsageError("the engine ray needs Ray: pip install 'sekisho[ray]'")
        self.size = 1
        self._store, self._address, self._identify = store, address, identify
        self._need = need(parameters)
        self._ray: Any = None

    def speed(self, path: Path) -> float:
        """0: nodes differ, and none is known yet."""
        del path
        return 0.0

    def run(self, tasks: Sequence[Task], notice: Notice) -> tuple[Failure, ...]:
        """Do what is missing, the longest task first; returns the trials that failed by themselves."""
        left = sorted((t for t in tasks if not t.done(self._store)), key=lambda t: -remaining(t, self._store))
        self._connect()
        return _Round(self._ray, self._submit, self._store, notice).run(left)

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None

    def _submit(self, trial: Trial) -> Any:
        return self._remote.remote(trial, _versions(), self._identify)

    def _connect(self) -> None:
        if self._ray is not None:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
        import ray

        try:
            ray.init(
                address=self._address or "local",
                include_dashboard=None if self._address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except Exception as error:  # Ray raises plain ones
            raise UsageError(f"no Ray cluster at {self._address or 'this machine'}: {error}") from error
        self._ray = ray
        nodes = [n["Resources"] for n in ray.nodes() if n["Alive"]]
        self.size = max(1, int(sum(n.get("CPU", 0) for n in nodes)))
        memory = min(
            self._need, max(n.get("memory", 0) for n in nodes)
        )  # what no node has is waited for in vain
        options = {"num_cpus": 1, "max_retries": 0, "num_returns": "streaming", "memory": int(memory)}
        self._remote = ray.remote(**options)(on_a_node)


@final
class _Round:
    """One `run`: trials under way, and what became of them."""

    def __init__(self, ray: Any, submit: Callable[[Trial], Any], store: Store, notice: Notice) -> None:
        self._ray, self._submit, self._store, self._notice = ray, submit, store, notice
        self._running: dict[Any, tuple[Task, Trial, int]] = {}
        self._failures: list[Failure] = []

    def run(self, left: Sequence[Task]) -> tuple[Failure, ...]:
        """Submit everything, keep what arrives; on any error nothing goes on behind it."""
        try:
            for task in left:
                self._begin(task, 1)
            while self._running:
                ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=POLL_S)
                for stream in ready:
                    self._hear(stream)
        except BaseException:
            for stream in self._running:
                with suppress(Exception):  # the cluster may be gone: the first error is the one to be told
                    self._ray.cancel(stream, force=True)
            raise
        return tuple(self._failures)

    def _begin(self, task: Task, attempt: int) -> None:
        trial = prepare(task, self._store)
        self._running[self._submit(trial)] = task, trial, attempt

    def _hear(self, stream: Any) -> None:
        """Take one message of a trial."""
        task, trial, attempt = self._running[stream]
        try:
            what, key, value = self._ray.get(next(stream))
        except StopIteration:
            del self._running[stream]
            self._notice(trial.label, trial.total, trial.total)
            return
        except self._ray.exceptions.RayError as error:
            what, key, value = "died", "", f"{trial.path.name}: {_first_line(error)}"
        if what == "kept":
            self._store.put(key, value)
            self._notice(trial.label, _done(trial, key), trial.total)
        else:
            del self._running[stream]
            self._ended(task, attempt, what, value)

    def _ended(self, task: Task, attempt: int, what: str, message: str) -> None:
        if what == "refused":
            raise UsageError(message)
        if what == "died" and attempt < ATTEMPTS:
            self._begin(task, attempt + 1)
        elif what == "failed" and task.drill is None:
            raise ModelError(message)
        else:
            self._failures.append(Failure(task, died=what == "died", message=message))


def on_a_node(
    trial: Trial, versions: Mapping[str, str], identify: Callable[[Path], str]
) -> Iterator[Message]:
    """Do one trial in a confined process beside the Ray worker; ends as a message, not as an exception."""
    if (mine := _versions()) != versions:
        unequal = ", ".join(
            f"{k} {mine[k]} instead of {versions[k]}" for k in versions if mine[k] != versions[k]
        )
        yield "refused", "", f"a node of the cluster has {unequal}; equal results need equal versions"
        return
    try:
        for path, identity in _models(trial):
            if identify(path) != identity:
                yield "refused", "", f"{path}: a node of the cluster has another model there"
                return
        with closing(LocalModel(trial.path)) as model:
            for key, value in measured(model, trial, _unheard):
                yield "kept", key, value
    except ProcessDiedError as error:
        yield "died", "", str(error)
    except ModelError as error:
        yield "failed", "", str(error)
    except SekishoError as error:
        yield "refused", "", str(error)


def _models(trial: Trial) -> list[tuple[Path, str]]:
    """Every model that a trial opens, with its identity."""
    bases = {(c.base.path, c.base.identity) for _, _, c in trial.changes if c.base is not None}
    return [(trial.path, trial.identity), *sorted(bases)]


def _versions() -> dict[str, str]:
    return {name: installed(name) for name in ("sekisho", *DECIDING)}


def _done(trial: Trial, key: str) -> float:
    """Cost units done once the answers under a key have arrived."""
    costs, steps = 0.0, 0
    for sheet in trial.sheets:
        costs, steps = costs + sheet.cost, sheet.step
        if sheet.key == key:
            break
    last = trial.job.checkpoints[-1] if trial.job else 0
    return costs + (trial.training * steps / last if last else 0.0)


def _unheard(what: str, done: float, total: float) -> None:
    del what, done, total


def _first_line(error: Exception) -> str:
    name = type(error).__name__
    return f"the Ray worker is gone ({name}: {str(error).strip().partition(chr(10))[0][:300]})"
