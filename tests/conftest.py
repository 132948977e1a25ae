"""Every test runs alike everywhere: no time limits on a shared machine, the same examples, nobody's cache."""

import gc
import re
import signal
import sys
import types
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

settings.register_profile("same-everywhere", deadline=None, derandomize=True, database=None)
settings.load_profile("same-everywhere")
# Constants of whatever modules are imported by then would be among the examples: others in every selection of tests,
# after seconds of parsing.
providers._get_local_constants = lambda: providers._local_constants
gc.disable()  # until everything is collected: thousands of tests and modules are made, and none is let go


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end; no later round of the garbage collector walks over it."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _iris_later() -> None:
    """`jsonschema` has 39 grammars of IRIs built when it is imported, for seconds; here, once one is checked."""
    if (found := find_spec("rfc3987_syntax")) is None:
        return
    stand_in = types.ModuleType("rfc3987_syntax")
    stand_in.__path__ = list(found.submodule_search_locations or ())

    def is_valid_syntax(term: str, value: str) -> bool:
        from rfc3987_syntax.syntax_helpers import is_valid_syntax as real

        return bool(real(term, value))

    stand_in.is_valid_syntax = is_valid_syntax  # type: ignore[attr-defined]
    sys.modules["rfc3987_syntax"] = stand_in


_iris_later()

_WHOLE = re.compile(r"^pytestmark = (?:\[\n    )?pytest\.mark\.(\w+),?$", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file whose tests are all left out by `-m "not a and not b"` is not even imported: some import torch."""
    left_out = re.findall(r"not (\w+)", config.option.markexpr)
    if collection_path.suffix != ".py" or config.option.markexpr != " and ".join(
        f"not {m}" for m in left_out
    ):
        return None
    found = _WHOLE.search(collection_path.read_text("utf-8"))
    return True if found and found[1] in left_out else None


@pytest.fixture(autouse=True, scope="session")
def _no_fetched_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Without this a model that happens to be fetched would serve as the base of a test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEKISHO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _denormal_numbers() -> Iterator[None]:
    """An engine opened in this process flushes them to zero, for every test after it, too."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(autouse=True, scope="session")
def _interrupts() -> Iterator[None]:
    """A shell that starts the tests in the background has them, and all they start, ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
