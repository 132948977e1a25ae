"""Two sign-offs at once, and sign-offs killed: one wins and the other is told; nothing is lost or half written."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from register.conftest import MODEL
from sekisho.ledger.book import open_ledger
from sekisho.ledger.kinds import Kind
from sekisho.ledger.verify import verify
from sekisho.register import rows

SIGN = """
import json, sys
from sekisho.errors import RuleError
from sekisho.ledger.book import open_ledger
from sekisho.register import moves
from sekisho.register.wishes import Action, Wish
ledger = open_ledger(sys.argv[1])
seen = ledger.about(sys.argv[2])[-1].sequence
print("ready", flush=True)
sys.stdin.readline()
try:
    made = moves.move(ledger, sys.argv[2], Wish(Action(sys.argv[4]), sys.argv[3], json.loads(sys.argv[5]), seen=seen))
    print("accepted", made[-1].sequence, flush=True)
except RuleError as error:
    print("told", error, flush=True)
"""
LOOP = """
import hashlib, sys
from sekisho.ledger.book import open_ledger
from sekisho.register import moves
from sekisho.register.wishes import Action, Wish
sys.path.insert(0, sys.argv[3])
from register.conftest import Desk
ledger = open_ledger(sys.argv[1])
desk = Desk(ledger)
print("ready", flush=True)
sys.stdin.readline()
for n in range(10_000):
    subject = hashlib.sha256(f"{sys.argv[2]} {n}".encode()).hexdigest()
    desk.to("production", subject)
    print(subject, flush=True)
"""


def started(code, *arguments):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(children):
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("action", "facts", "kind"),
    [
        ("approve", '{"of": "production"}', Kind.APPROVAL),
        ("retire", '{"reason": "no"}', Kind.STATE_CHANGE),
    ],
)
def test_of_two_at_once_one_wins_and_the_other_is_told(desk, ledger, action, facts, kind):
    desk.to("pilot")
    before = ledger.tip().sequence
    children = [started(SIGN, ledger.place, MODEL, name, action, facts) for name in ("sato", "suzuki")]
    go(children)
    said = sorted(child.communicate()[0].split(" ", 1)[0] for child in children)
    assert said == ["accepted", "told"]
    (made,) = ledger.page(before, 10)
    assert made.kind == kind
    assert verify(ledger).whole


@pytest.mark.integration
@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_killed_during_sign_off_nothing_is_lost_or_halved(tmp_path, kills):
    place = str(tmp_path / "ledger.sqlite")
    open_ledger(place).close()
    chance, told = random.Random(7), set()
    tests = str(Path(__file__).parents[1])
    for n in range(kills):
        with started(LOOP, place, str(n), tests) as child:
            go([child])
            first = child.stdout.readline()
            time.sleep(chance.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read()  # not communicate: it passes over what readline has buffered
        told |= {line.strip() for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")}
    ledger = open_ledger(place)
    assert verify(ledger).whole
    assert len(told) >= kills
    for subject in told:  # what was accepted is there
        assert rows.row(ledger, subject).state.value == "production"
    for subject in ledger.heads():  # what is there is whole: the batch of a step never comes in part
        kinds = [e.kind for e in ledger.about(subject)]
        assert kinds.count(Kind.MODEL_REGISTERED) == 1
        produced = any('"to":"production"' in e.body for e in ledger.about(subject))
        assert kinds.count(Kind.RE_TEST_DUE) == produced
    ledger.close()
