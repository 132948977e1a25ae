"""The recorder in a script that does not know of it: when transformers' trainer is imported, its `train` records itself.

Nothing is imported here before the script imports it, so that every other child starts as fast as ever.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Final, final

TRAINER: Final = "transformers.trainer"


def install() -> None:
    """Wait for the trainer in this process, for good; a second time nothing happens."""
    if not any(isinstance(f, _Finder) for f in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


@final
class _Finder(MetaPathFinder):
    """Finds one module, as Python itself would, and has its loader hand it over."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != TRAINER:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None and found.loader is not None:
            found.loader = _Patching(found.loader)
        return found


@final
class _Patching(Loader):
    """Runs a module as its own loader would, then wraps `Trainer.train`."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        wrap(module.__dict__["Trainer"])
        _watch_datasets()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # sources for tracebacks, paths of resources


def wrap(trainer: Any) -> None:
    """Have a trainer class record every training of its own that no callback records already."""
    train: Callable[..., Any] = trainer.train

    @functools.wraps(train)
    def recorded(self: Any, *given: Any, **named: Any) -> Any:
        from sekisho.training_log.callback import SekishoCallback

        if not any(isinstance(c, SekishoCallback) for c in self.callback_handler.callbacks):
            self.add_callback(SekishoCallback())
        return train(self, *given, **named)

    trainer.train = recorded


def _watch_datasets() -> None:
    from sekisho.training_log import sources

    sources.watch()
