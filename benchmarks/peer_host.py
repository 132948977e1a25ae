"""Runs a peer's command many times with its start-up paid once: `static.py` starts this with the peer's own interpreter.

    python peer_host.py CONSOLE_SCRIPT WARM_UP_ARGUMENTS_AS_JSON

The command is run once here, so that all it imports is loaded; then each line of standard input, `{"argv": [...], "limit": s}`,
is run in a fork of this process and answered by a line of JSON. A crash or a hang therefore costs one case.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from importlib.metadata import entry_points
from typing import Any

OUTPUT = 4_000_000


def run(main: Any, argv: list[str]) -> int:
    sys.argv = argv
    try:
        code = main()
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # noqa: BLE001  whatever a scanner dies of is its exit status 1 with a traceback
        traceback.print_exc()
        return 70
    return code if isinstance(code, int) else int(code is not None)


def forked(main: Any, argv: list[str], limit: float) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out:
        started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            code = run(main, argv)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code & 255)
        code = wait(child, started + limit)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        return {
            "rc": code,
            "wall": round(time.monotonic() - started, 3),
            "cpu": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3),
            "out": out.read(OUTPUT).decode("utf-8", "replace"),
        }


def wait(child: int, until: float) -> int:
    """Exit status, negative for a signal; 124 where the limit was reached."""
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def load(script: str) -> Any:
    found = [e for e in entry_points(group="console_scripts") if e.name == script]
    return found[0].load()


if __name__ == "__main__":
    wanted, warm = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    command = load(wanted)
    run(command, [wanted, *warm])
    sys.stdout.flush()  # what is left in the buffer would be the first thing that a fork writes
    sys.stderr.flush()
    print(json.dumps({"ready": time.process_time()}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(forked(command, [wanted, *asked["argv"]], asked["limit"])), file=answers, flush=True)
