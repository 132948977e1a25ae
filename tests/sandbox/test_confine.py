"""What a confined child can no longer do, and what the parent makes of one that dies or lies."""

import subprocess
import sys

import pytest

from sekisho.limits import Limits
from sekisho.sandbox import parent

pytestmark = pytest.mark.integration

HEAD = "import os, socket, subprocess, ctypes\nfrom sekisho.sandbox.confine import give_up\ngive_up(512, 5)\n"

ESCAPES = {
    "read": "open('/etc/hostname')",
    "write": "open('escaped', 'w')",
    "descriptor": "os.open('/etc/hostname', 0)",
    "list": "os.listdir('/')",
    "remove": "os.remove('nothing-here')",
    "shell": "os.system('true')",
    "process": "subprocess.run(['true'])",
    "fork": "os.fork()",
    "exec": "os.execv('/bin/true', ['true'])",
    "signal": "os.kill(os.getpid(), 0)",
    "socket": "socket.socket()",
    "name": "socket.getaddrinfo('localhost', 80)",
    "native": "ctypes.CDLL(None)",
    "module": "import sqlite3",
    "limits": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
}


def confined(statement):
    command = [
        sys.executable,
        "-B",
        "-c",
        f"{HEAD}try:\n    {statement}\nexcept PermissionError:\n    print('refused')\n",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("way", ESCAPES)
def test_refused(way):
    assert confined(ESCAPES[way]).stdout == "refused\n"


def test_memory_is_bounded():
    done = confined("x = bytearray(2 << 30)")
    assert "MemoryError" in done.stderr


def test_a_child_that_dies_says_nothing():
    reply = parent.ask("sekisho.sandbox.nowhere", {}, Limits())
    assert (reply.document, reply.problem) == (None, "crash")


def test_a_child_that_takes_too_long():
    reply = parent.ask(parent.RENDER, {"source": "", "texts": [], "tokens": {}}, Limits(sandbox_s=0.001))
    assert (reply.document, reply.problem) == (None, "time")


@pytest.mark.parametrize(
    ("data", "status", "problem"),
    [
        (b"{}", -9, "crash"),
        (b"{", 0, "garbled"),
        (b"[]", 0, "garbled"),
        (b"", 0, "garbled"),
        (b"[" * 9999, 0, "garbled"),
    ],
)
def test_what_is_no_answer_is_none(data, status, problem):
    reply = parent._parsed(data, status)
    assert (reply.document, reply.problem) == (None, problem)
