"""The verbs `ledger` and `audit`.

Exit codes of both: 0 whole and as it was, 1 something was tampered with or changed, 2 not carried out; of an audit, 3 if something is gone.
"""

import argparse
import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import Verbs, Write

if TYPE_CHECKING:
    from sekisho.ledger.book import Ledger
    from sekisho.ledger.store import Tip
    from sekisho.records import Dossier

AUDIT_EXIT: Final = {"right": 0, "changed": 1, "gone": 3}
RECORD: Final = "SEKISHO_RECORD"
"""Environment variable: anything but empty or 0 records every verdict, as --record does."""
_HEAD: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def register(verbs: Verbs, say: Write) -> None:
    """Add both verbs; results go to `say`."""
    ledger = verbs.add_parser("ledger", help="the register of decisions: verify, list, show, head, add")
    steps = ledger.add_subparsers(dest="step", required=True, metavar="STEP")
    _verify(steps, say)
    _list(steps, say)
    _show(steps, say)
    _head(steps, say)
    _add(steps, say)
    _audit(verbs, say)


def recording(verb: argparse.ArgumentParser) -> None:
    """Arguments of a verb whose verdict can be recorded."""
    verb.add_argument(
        "--record", action="store_true", help=f"append the verdict to the ledger (or set {RECORD})"
    )
    place(verb)
    actor(verb)


def place(verb: argparse.ArgumentParser) -> None:
    """Which ledger."""
    verb.add_argument("--ledger", metavar="PLACE", help="path or postgresql://... (default: $SEKISHO_LEDGER)")


def actor(verb: argparse.ArgumentParser) -> None:
    """Who writes."""
    verb.add_argument("--actor", help="who writes (default: $SEKISHO_ACTOR, else the login name)")


def opened(options: argparse.Namespace, *, create: bool = False) -> "Ledger":
    """The ledger that the arguments or the environment name. Raises StorageError, UsageError."""
    from sekisho.ledger import book

    return book.open_ledger(options.ledger or book.default_place(), create=create)


def who(options: argparse.Namespace) -> str:
    """Who writes. Raises UsageError."""
    from sekisho.ledger import book

    return str(options.actor or book.default_actor())


def wanted(options: argparse.Namespace) -> bool:
    """Whether a verdict is to be recorded."""
    import os

    return bool(options.record) or os.environ.get(RECORD, "0") not in ("", "0")


def record(options: argparse.Namespace, dossier: "Dossier") -> str:
    """Append a verdict; the sentence that says so. Raises StorageError, RuleError, DataError."""
    from sekisho import recording as records
    from sekisho.errors import UsageError
    from sekisho.report import chain
    from sekisho.sources import cache
    from sekisho.sources.resolve import resolve

    if getattr(options, "headers_only", False):
        raise UsageError("--headers-only hashes nothing, so there is no model to record a verdict on")
    model = resolve(options.path, cache.folder()).path
    with closing(opened(options, create=True)) as ledger:
        made = records.record(dossier, ledger, actor=who(options), model=model, policy=options.policy)
        facts = {"n": str(made.sequence), "place": ledger.place, "head": f"{made.sequence}:{made.digest}"}
        return chain.say("ui", "recorded", options.lang, **facts)


def _common(step: argparse.ArgumentParser) -> None:
    place(step)
    shared.form(step)
    shared.language(step)


def _heads(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "--head", action="append", default=[], help="a head kept elsewhere: NUMBER:DIGEST, or a signed file"
    )
    step.add_argument("--key", type=Path, action="append", default=[], help="public key of signed heads")


def _tips(options: argparse.Namespace) -> "tuple[Tip, ...]":
    from sekisho.errors import DataError, MalformedError
    from sekisho.ledger.store import Tip
    from sekisho.limits import DEFAULT

    found = []
    for text in options.head:
        if match := _HEAD.fullmatch(text):
            found.append(Tip(int(match[1]), match[2]))
            continue
        from sekisho.evidence import heads, keys

        try:
            with Path(text).open("rb") as file:
                data = file.read(DEFAULT.evidence_bytes + 1)
            found.append(heads.read(data, [keys.read_public(k) for k in options.key]))
        except OSError as error:
            raise DataError(f"{text}: no NUMBER:DIGEST, and not read: {error.strerror or error}") from error
        except MalformedError as error:
            raise DataError(f"{text}: {error}") from error
    return tuple(found)


def _json(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1)


def _verify(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("verify", help="walk the whole chain, name every entry that was tampered with")
    _common(step)
    _heads(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.ledger.verify import verify
        from sekisho.report import chain

        with closing(opened(options)) as ledger:
            found = verify(ledger, _tips(options))
        head = {"sequence": found.tip.sequence, "digest": found.tip.digest}
        rows = [{"sequence": p.sequence, "code": p.code, "other": p.other} for p in found.problems]
        body = {"whole": found.whole, "entries": found.entries, "head": head, "problems": rows}
        say(_json(body) if options.format == "json" else chain.verified(found, options.lang))
        return 0 if found.whole else 1

    step.set_defaults(run=run)


def _list(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("list", help="entries, a page at a time")
    _common(step)
    step.add_argument("--after", type=int, default=0, help="begin after this entry")
    step.add_argument("--count", type=int, default=100, help="entries of the page (default: 100)")
    step.add_argument("--subject", help="only entries about the model with this root digest")

    def run(options: argparse.Namespace) -> int:
        from sekisho.report import chain

        count = max(1, options.count)
        with closing(opened(options)) as ledger:
            if options.subject:
                about = [e for e in ledger.about(options.subject) if e.sequence > options.after]
                entries, more = tuple(about[:count]), len(about) > count
            else:
                entries = ledger.page(options.after, count)
                more = bool(entries) and entries[-1].sequence < ledger.tip().sequence
        if options.format == "json":
            say(_json([chain.plain(e) for e in entries]))
            return 0
        text = chain.listed(entries, options.lang)
        rest = chain.say("ui", "next", options.lang, n=str(entries[-1].sequence)) if more else ""
        say(f"{text}\n{rest}".rstrip())
        return 0

    step.set_defaults(run=run)


def _show(steps: Verbs, say: Write) -> None:
    step = steps.add_parser("show", help="one entry in full")
    step.add_argument("number", type=int, help="of the entry, as `ledger list` shows it")
    _common(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.errors import UsageError
        from sekisho.report import chain

        with closing(opened(options)) as ledger:
            found = ledger.page(options.number - 1, 1)
        if not found or found[0].sequence != options.number:
            raise UsageError(f"the ledger has no entry {options.number}")
        json_wanted = options.format == "json"
        say(_json(chain.plain(found[0])) if json_wanted else chain.shown(found[0], options.lang))
        return 0

    step.set_defaults(run=run)


def _head(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "head", help="NUMBER:DIGEST of the last entry, to print or keep elsewhere; or signed"
    )
    _common(step)
    step.add_argument("--sign", type=Path, metavar="KEY", help="private key (PEM)")
    step.add_argument("--passphrase-file", type=Path, help="of that key")
    step.add_argument("--out", type=Path, help="file of the signed head")

    def run(options: argparse.Namespace) -> int:
        from sekisho.errors import UsageError

        with closing(opened(options)) as ledger:
            tip = ledger.tip()
        if bool(options.sign) != bool(options.out):
            raise UsageError("--sign and --out go together")
        if options.sign:
            _signed(tip, options)
        body = {"sequence": tip.sequence, "digest": tip.digest}
        say(_json(body) if options.format == "json" else f"{tip.sequence}:{tip.digest}")
        return 0

    step.set_defaults(run=run)


def _signed(tip: "Tip", options: argparse.Namespace) -> None:
    from sekisho.evidence import dossier as dossiers
    from sekisho.evidence import heads, keys
    from sekisho.ledger import book

    signer = keys.read(options.sign, keys.passphrase(options.passphrase_file))
    dossiers.save(heads.sign(tip, book.stamp(book.utc_now()), signer), options.out)


def _add(steps: Verbs, say: Write) -> None:
    step = steps.add_parser(
        "add",
        help="append an entry: approval, exception, state-change, note, ...",
        epilog="For example: sekisho ledger add state-change DIGEST to=requested; sekisho ledger add exception DIGEST "
        "reason='...' approver=sato expires=2027-03-31. docs/ledger.md lists every kind and its keys.",
    )
    step.add_argument("kind", help="what is entered; docs/ledger.md lists the kinds")
    step.add_argument("subject", help="root digest of the model, or - for none")
    step.add_argument("pairs", nargs="*", metavar="KEY=VALUE", help="what the entry says, by its keys")
    actor(step)
    _common(step)

    def run(options: argparse.Namespace) -> int:
        from sekisho.ledger.entry import Draft
        from sekisho.report import chain

        kind, body = _kind(options.kind), _pairs(options)
        subject = "" if options.subject == "-" else options.subject
        with closing(opened(options, create=True)) as ledger:
            made = ledger.append(Draft(who(options), kind, subject, body))
        json_wanted = options.format == "json"
        say(_json(chain.plain(made)) if json_wanted else chain.shown(made, options.lang))
        return 0

    step.set_defaults(run=run)


def _kind(text: str) -> Any:
    from sekisho.errors import UsageError
    from sekisho.ledger.kinds import Kind

    own = (
        Kind.DECISION,
        Kind.AUDIT,
        Kind.SIGN_OFF,
        Kind.WATCH_RUN,
        Kind.WATCH_ACCEPTED,
        Kind.LESSONS_PASSED,
    )
    if text in own or text not in tuple(Kind):
        known = [k.value for k in Kind if k not in own]
        raise UsageError(f"no kind {text!r} to add by hand; there are {', '.join(known)}")
    return Kind(text)


def _pairs(options: argparse.Namespace) -> dict[str, Any]:
    from sekisho.errors import UsageError
    from sekisho.ledger.kinds import BODIES

    body: dict[str, Any] = {}
    for pair in options.pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in body:
            raise UsageError(f"{pair!r}: KEY=VALUE is needed, each key once")
        kind = BODIES[_kind(options.kind)].get(key)
        try:
            body[key] = json.loads(value) if kind and kind.type in ("table", "list", "count") else value
        except ValueError as error:
            raise UsageError(f"{key}: JSON is needed here: {error}") from error
    return body


def _audit(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "audit",
        help="pick past decisions by a seed and verify their evidence again",
        epilog="Exit codes: 0 all as it was, 1 changed, 2 not carried out, 3 some of it is gone.",
    )
    verb.add_argument("--sample", type=int, default=5, help="decisions to pick (default: 5)")
    verb.add_argument("--seed", default="0", help="the same seed picks the same (default: 0)")
    verb.add_argument("--through", type=int, default=0, help="pick among entries up to this one")
    actor(verb)
    _common(verb)
    _heads(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import audit
        from sekisho.errors import UsageError
        from sekisho.report import audited

        if options.sample < 1:
            raise UsageError("--sample is 1 or more")
        request = audit.Request(who(options), options.sample, options.seed, options.through, _tips(options))
        with closing(opened(options)) as ledger:
            made = audit.audit(ledger, request)
        if options.format == "json":
            say(_json(audited.plain(made, options.seed, options.lang)))
        else:
            say(audited.text(made, options.seed, options.lang))
        return AUDIT_EXIT[made.outcome]

    verb.set_defaults(run=run)
