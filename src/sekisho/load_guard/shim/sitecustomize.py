"""Installs the load guard in every Python child; ends the process rather than going on without it."""

import os
import sys


def _install() -> None:
    home, here = os.environ.get("SEKISHO_LOAD_GUARD_HOME", ""), os.path.dirname(os.path.abspath(__file__))
    lock = os.environ.get("SEKISHO_LOAD_GUARD", "")
    if not home or not lock:
        raise RuntimeError("the guard's environment is incomplete")
    added = home not in sys.path
    if added:
        sys.path.insert(0, home)
    try:
        from sekisho.load_guard import install

        install(lock)
    finally:
        if added:
            sys.path.remove(home)
    _next(here)


def _next(here: str) -> None:
    """Run the `sitecustomize` that this one stands before."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", [p for p in sys.path if os.path.abspath(p) != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


try:
    _install()
except BaseException as error:  # noqa: BLE001  site would go on without the guard
    sys.stderr.write(f"sekisho: the load guard could not be installed, so nothing is run: {error}\n")
    sys.stderr.flush()
    os._exit(2)
