"""The verbs `lock` and `load-guard`. Exit codes: 0 it holds, 1 it does not, 2 not carried out; a guarded program has its own."""

import argparse
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.locking import Trouble


def register(verbs: Verbs, say: Write) -> None:
    """Add both verbs; results go to `say`."""
    lock = verbs.add_parser("lock", help="sekisho.lock, the models a project may load: add, check, remove")
    steps = lock.add_subparsers(dest="step", required=True, metavar="STEP")
    _add(steps, say)
    _check(steps, say)
    _remove(steps, say)
    _guard(verbs, say)


def _lock(step: argparse.ArgumentParser) -> None:
    step.add_argument("--lock", type=Path, help="the lock file (default: the nearest sekisho.lock)")
    shared.language(step)


def _nearest(options: argparse.Namespace) -> Path:
    from sekisho.load_guard import lockfile

    return Path(options.lock) if options.lock else lockfile.find()


def _add(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("add", help="let a model in that the ledger admits, or excepts")
    step.add_argument("path", help=shared.MODEL)
    step.add_argument("--name", default="", help="what the lock calls it (default: the folder's name)")
    step.add_argument("--expires", default="", help="last moment, ISO 8601 (default: 180 days from now)")
    step.add_argument("--files-only", action="store_true", help="a decision on the files alone suffices")
    _lock(step)
    cli_ledger.place(step)
    cli_ledger.actor(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho import locking
        from sekisho.load_guard import lockfile
        from sekisho.report import chain
        from sekisho.sources import cache
        from sekisho.sources.resolve import resolve

        source = resolve(options.path, cache.folder())
        wish = locking.Wish(
            source.path,
            cli_ledger.who(options),
            options.name or source.name,
            options.expires,
            files_only=options.files_only,
        )
        with closing(cli_ledger.opened(options)) as ledger:
            made = locking.add(ledger, options.lock or Path(lockfile.NAME), wish)
        facts = {k: str(getattr(made, k)) for k in ("name", "expires", "scope")}
        facts |= {"n": str(len(made.files)), "root": made.root[:12], "decision": made.decision[:24]}
        say(chain.say("lock", "added", options.lang, **facts))
        return 0

    step.set_defaults(run=run)


def _check(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("check", help="expiry, files against the lock, and with --ledger newer decisions")
    step.add_argument("path", nargs="*", type=Path, help="model folders or files that must be as locked")
    _lock(step)
    cli_ledger.place(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho import locking
        from sekisho.load_guard import lockfile
        from sekisho.report import chain

        lock = lockfile.read(_nearest(options))
        if options.ledger:
            with closing(cli_ledger.opened(options)) as ledger:
                found = locking.check(lock, options.path, ledger)
        else:
            found = locking.check(lock, options.path)
        if not found:
            say(chain.say("lock", "fine", options.lang, n=str(len(lock.models))))
        return _told(found, options.lang, say)

    step.set_defaults(run=run)


def _remove(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("remove", help="take a model out, by its name or root digest")
    step.add_argument("name", help="as the lock calls it, or its root digest")
    _lock(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho import locking
        from sekisho.report import chain

        made = locking.remove(_nearest(options), options.name)
        say(chain.say("lock", "removed", options.lang, name=made.name))
        return 0

    step.set_defaults(run=run)


def _guard(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "load-guard",
        help="run a program that may load only what the lock names; or: load-guard check PATH",
        epilog="sekisho load-guard -- python serve.py; sekisho load-guard check models/ours. SECURITY.md says what it cannot stop.",
    )
    _lock(verb)
    verb.add_argument("command", nargs=argparse.REMAINDER, help="-- PROGRAM ..., or check PATH ...")

    def run(options: argparse.Namespace) -> int:
        from sekisho.errors import UsageError

        words = options.command
        if words[:1] == ["check"]:
            return _checked(_checking().parse_args(words[1:], options), say)
        words = words[1:] if words[:1] == ["--"] else words
        if not words:
            raise UsageError("say what to run, after --, or check PATH")
        return _run(_nearest(options).resolve(), words)

    verb.set_defaults(run=run)


def _checking() -> argparse.ArgumentParser:
    """What may follow `load-guard check`, where the verb's own parser takes every word as the program's."""
    made = argparse.ArgumentParser(prog="sekisho load-guard check")
    made.add_argument("path", nargs="+", type=Path, help="model folders or files that must be as locked")
    _lock(made)
    return made


def _checked(options: argparse.Namespace, say: Write) -> int:
    from sekisho import locking
    from sekisho.load_guard import lockfile
    from sekisho.report import chain

    lock = lockfile.read(_nearest(options))
    found = tuple(
        t for t in locking.check(lock, options.path) if t.code != "expired"
    )  # what is loaded counts here
    if not found:
        say(chain.say("lock", "fine", options.lang, n=str(len(lock.models))))
    return _told(found, options.lang, say)


def _told(found: "tuple[Trouble, ...]", language: str, say: Write) -> int:
    from sekisho.report import chain

    for trouble in found:
        say(chain.say("lock", trouble.code, language, name=trouble.name, detail=trouble.detail))
    return 1 if found else 0


def _run(lock: Path, words: list[str]) -> int:
    """Become the program, with the guard in its environment. Raises UsageError, LoadRefusedError, DataError."""
    from sekisho.errors import UsageError
    from sekisho.load_guard import Guard, children, lockfile

    guard = Guard(lockfile.read(lock))
    program = shutil.which(words[0])
    if program is None:
        raise UsageError(f"{words[0]}: no such program")
    env = children.environment(str(lock), os.environ)
    children.refuse(program, words[1:], env, str(lock))
    if not children.is_python(
        program
    ):  # native code is not seen into: what its arguments name is checked before
        for path in children.paths(words[1:]):
            guard.check(path)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(program, words, env)  # noqa: S606  the user's own program
    except OSError as error:
        raise UsageError(f"{words[0]}: not started: {error.strerror or error}") from error
