"""Waiting for a helper: its status, its complaint, and an end to waiting."""

import sys
import time

import pytest

from sekisho.sources import child


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_status_and_complaint_come_back() -> None:
    code = "import sys; print('noise'); print('why', file=sys.stderr); sys.exit(5)"
    assert child.wait(python(code), "x", child.quiet, limit_s=20) == (5, "why\n")


def test_only_the_environment_given_is_passed_on() -> None:
    code = "import os, sys; print(sorted(k for k in os.environ if k[0] == 'S'), file=sys.stderr)"
    assert child.wait(python(code), "x", child.quiet, limit_s=20, environment={"SEEN": "1"}) == (
        0,
        "['SEEN']\n",
    )


def test_waiting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "HEARTBEAT_S", 0.1)
    lines: list[str] = []
    start = time.monotonic()
    with pytest.raises(TimeoutError, match="sleeping: stopped after 0 s"):
        child.wait(python("import time; time.sleep(30)"), "sleeping", lines.append, limit_s=0.2)
    assert time.monotonic() - start < 10
    assert len(lines) == 2


def test_an_interruption_kills_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "HEARTBEAT_S", 0.1)

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        child.wait(python("import time; time.sleep(30)"), "x", interrupt, limit_s=20)
    assert time.monotonic() - start < 10
