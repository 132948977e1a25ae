"""Carries the recorder into every Python child of `sekisho record`; a child that cannot have it is not run."""

import os
import sys


def _install() -> None:
    home = os.environ.get("SEKISHO_TRAINING_HOME", "")
    if not home:
        raise RuntimeError("the recorder's environment is incomplete")
    added = home not in sys.path
    if added:
        sys.path.insert(0, home)
    try:
        from sekisho.training_log.hook import install

        install()
    finally:
        if added:
            sys.path.remove(home)


def _next(here: str) -> None:
    """Run the `sitecustomize` that this one stands before."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", [p for p in sys.path if os.path.abspath(p) != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


try:
    _install()
except BaseException as error:  # noqa: BLE001  site would go on without the recorder
    sys.stderr.write(f"sekisho: the recorder could not be installed, so nothing is run: {error}\n")
    sys.stderr.flush()
    os._exit(2)
_next(os.path.dirname(os.path.abspath(__file__)))
