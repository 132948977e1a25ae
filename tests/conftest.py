"""Every test runs alike everywhere: no time limits on a shared machine, the same examples, nobody's cache."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same-everywhere", deadline=None, derandomize=True, database=None)
settings.load_profile("same-everywhere")


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
