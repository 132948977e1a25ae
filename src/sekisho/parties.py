"""What can be compared or watched: a folder, a GGUF file, an adapter over its base, or a served model."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from sekisho import inventory, recording, static
from sekisho.drills import tasks
from sekisho.drills.costs import weights
from sekisho.drills.grid import Opened, Opener
from sekisho.drills.tasks import Subject
from sekisho.errors import UsageError
from sekisho.formats import peft
from sekisho.models import address, endpoint
from sekisho.models.endpoint import EndpointModel
from sekisho.models.local import LocalModels
from sekisho.records import Decision, Facts, Inventory, Severity
from sekisho.static import NOBODY, Inspection, identity

ADAPTER: Final = "adapter"
ENDPOINT: Final = "endpoint"
LEFT_BEHIND: Final = frozenset(
    {"training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth"}
)
"""Pickles that trainers save beside a model, for themselves."""


@dataclass(frozen=True)
class Request:
    """How models are looked at before they are asked."""

    policy: str
    cache: Path
    base: str | None = None
    """Under an adapter; without one, the other model of a comparison."""


@dataclass(frozen=True)
class Party:
    """One model that answers."""

    name: str
    kind: str
    """`catalogue`, `folder`, `file`, `adapter` or `endpoint`."""
    subject: Subject
    """Its path is where an opener finds it, its identity decides which kept answers are its own."""
    root: str = ""
    """Root digest of its files, as a signature or the ledger names them; of an endpoint, that of its address."""
    base: Path | None = None
    """Under an adapter."""
    base_root: str = ""
    """Root digest of that base."""
    said_base: str = ""
    """What the adapter itself calls its base."""
    weights: int = 0
    """Number of weights that a process holds."""
    not_run: tuple[str, ...] = ()
    """Codes of what cannot be had of it."""
    served: address.Address | None = field(default=None)

    @property
    def keeps(self) -> bool:
        """Whether the same identity always gives the same answers: an endpoint may be another model tomorrow."""
        return self.served is None


def admit(spec: str, request: Request, *, side: str) -> Party:
    """Look at one model; one whose files are rejected is never opened. Raises UsageError, SourceError."""
    if address.is_endpoint(spec):
        return _endpoint(address.parse(spec), side)
    found = static.inspect(spec, NOBODY, policy=request.policy, cache=request.cache)
    if not _is_adapter(found.inventory):
        _opened(found)
        seen = found.inventory
        return Party(
            found.source.name,
            found.source.kind,
            Subject(found.source.path, identity(seen)),
            root(seen),
            weights=weights(seen),
        )
    if not request.base:
        raise UsageError(f"{found.source.name}: an adapter is asked over its base: name that with --base")
    return _adapter(spec, request)


def _endpoint(at: address.Address, side: str) -> Party:
    name = f"{at.model} @ {at.url.partition('://')[2]}"
    who = tasks.digest(["endpoint", str(at), side])
    mark = tasks.digest(["endpoint", str(at)])
    return Party(name, ENDPOINT, Subject(Path(str(at)), who), mark, not_run=endpoint.NEVER, served=at)


def _adapter(spec: str, request: Request) -> Party:
    if address.is_endpoint(request.base or ""):
        raise UsageError("the base of an adapter is a folder or a GGUF file, no endpoint")
    found = static.inspect(spec, request.base, policy=request.policy, cache=request.cache)
    if found.base is None or found.base_inventory is None or _is_adapter(found.base_inventory):
        raise UsageError(f"{found.source.name}: the base of an adapter is a whole model")
    _opened(found)
    _opened(static.inspect(found.base.path, NOBODY, policy=request.policy, cache=request.cache))
    own, under = found.inventory, found.base_inventory
    settings = next(a for a in peft.adapters(own) if "/" not in a.path)
    if settings.kind is None or settings.kind.changes in peft.PROMPTS:
        raise UsageError(
            f"{found.source.name}: an adapter of type {settings.type} cannot be merged into its base"
        )
    both = hashlib.sha256(f"adapter|{identity(own)}|{identity(under)}".encode()).hexdigest()
    return Party(
        name=f"{found.base.name} + {found.source.name}",
        kind=ADAPTER,
        subject=Subject(found.source.path, both),
        root=root(own),
        base=found.base.path,
        base_root=root(under),
        said_base=" ".join(settings.names("base_model_name_or_path"))[:200],
        weights=weights(under) + weights(own),
        not_run=("adapter-base",),
    )


def root(files: Inventory) -> str:
    """Root digest of a model's files; of one file, its own."""
    return recording.subject(inventory.lines(files))


def _is_adapter(files: Inventory) -> bool:
    paths = {f.path for f in files.files}
    return peft.CONFIG in paths and "config.json" not in paths


def _opened(found: Inspection) -> None:
    """Raise UsageError for files that are rejected; what training left behind, as every trainer does, is named."""
    if found.verdict.decision is not Decision.REJECT:
        return
    paths = {f.where.partition(":")[0] for f in found.findings if f.severity is Severity.REJECT}
    left = sorted(p for p in paths if p.rpartition("/")[2] in LEFT_BEHIND)
    what = (
        f"delete what training left behind, no model needs it: {', '.join(left)}"
        if left
        else "see sekisho inspect"
    )
    raise UsageError(f"{found.source.name}: its files are rejected, so it is not opened; {what}")


@final
class Openers:
    """Opens parties by the path of their subject: endpoints, adapters over their bases, and plain models."""

    def __init__(self, parties: tuple[Party, ...], own: Opener | None = None) -> None:
        """`own` opens what lies on this machine instead of confined processes."""
        self._parties: Mapping[Path, Party] = {p.subject.path: p for p in parties}
        self._own: Callable[..., Any] = own or LocalModels()
        self._served: list[tuple[str, EndpointModel]] = []

    def __call__(self, path: Path) -> Opened:
        """Open a party. Raises UsageError, ModelError, StorageError."""
        party = self._parties[path]
        if party.served is not None:
            model = EndpointModel(party.served)
            self._served.append((party.subject.identity, model))
            return model
        if party.base is not None and isinstance(self._own, LocalModels):
            return self._own(party.base, adapter=path)
        opened: Opened = self._own(path)
        return opened

    def said(self) -> dict[str, Facts]:
        """Identity of a served party -> what its server said of itself."""
        found: dict[str, set[tuple[str, str]]] = {}
        for who, model in self._served:
            found.setdefault(who, set()).update(model.said)
        return {who: tuple(sorted(pairs)) for who, pairs in found.items()}

    def close(self) -> None:
        """End the process that forks others."""
        if isinstance(self._own, LocalModels):
            self._own.close()
