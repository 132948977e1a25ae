"""The verbs `key`, `sign` and `verify`.

Exit codes of `verify` (the first that applies): 3 a signature is bad or missing, 5 signed by another key, 2 a file was
changed, added or removed, 6 documents do not belong together or are replayed, 4 not readable, 7 expired, 8 not the
decision required, 1 intact but no key was named, 0 verified, 64 wrong command line. `key` and `sign`: 0 written, 2 not.
"""

import argparse
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import Verbs, Write
from sekisho.errors import UsageError

if TYPE_CHECKING:
    from sekisho.conductor import Options
    from sekisho.evidence.statements import Granted

USAGE: Final = 64
CODES: Final = (
    "Exit codes, the first that applies: 3 a signature is bad or missing; 5 signed by another key; 2 a file was changed, "
    "added or removed; 6 documents do not belong together or are replayed; 4 not readable; 7 expired; 8 not as required; "
    "1 intact, but no key was named; 0 verified; 64 wrong command line."
)


def register(verbs: Verbs, say: Write) -> None:
    """Add the verbs; results go to `say`."""
    _key(verbs, say)
    _sign(verbs, say)
    _verify(verbs, say)


def _place(model: Path) -> Path:
    """Where a model lies that may be named by its catalogue name, as in the other verbs. Raises SourceError."""
    from sekisho.sources import cache, catalogue
    from sekisho.sources.resolve import resolve

    if str(model) not in catalogue.names():
        return model
    return resolve(str(model), cache.folder()).path


def keyed(verb: argparse.ArgumentParser) -> None:
    """A private key and how to open it."""
    verb.add_argument("--key", required=True, help="private key: PEM file, or pkcs11: URI of a token")
    locked(verb)


def locked(verb: argparse.ArgumentParser) -> None:
    """Where the passphrase stands."""
    verb.add_argument(
        "--passphrase-file", type=Path, help="file with the passphrase (else SEKISHO_KEY_PASSPHRASE)"
    )


def preregister(verb: argparse.ArgumentParser) -> None:
    """The option of verbs that measure."""
    verb.add_argument(
        "--preregister",
        metavar="KEY",
        help="before anything is asked, sign thresholds, questions and plan with this key (see sign)",
    )


def registered(options: argparse.Namespace, request: "Options", say: Write) -> None:
    """Write the pre-registration if one was asked for. Raises UsageError, StorageError."""
    if options.preregister is None:
        return
    from sekisho import preregistration
    from sekisho.evidence import signers
    from sekisho.report import evidence as words

    signer = signers.named(options.preregister)
    path = preregistration.register(options.path, options.base, signer, options.out, options=request)
    say(words.line("registered", str(path), options.lang))


def _key(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("key", help="make a key to sign evidence with")
    verb.add_argument("action", choices=("new",), help="make one; a file is never overwritten")
    verb.add_argument("file", type=Path, help="file of the private key; the public one goes to FILE.pub")
    verb.add_argument(
        "--curve", choices=("P-256", "P-384", "P-521"), default="P-256", help="of the key (default: P-256)"
    )
    locked(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.evidence import keys
        from sekisho.report import evidence as words

        made = keys.create(options.file, options.curve, keys.passphrase(options.passphrase_file))
        say(words.line("key-made", str(options.file), options.lang, fingerprint=made.fingerprint))
        return 0

    verb.set_defaults(run=run)


def _sign(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser("sign", help="sign a vetted model: the evidence an outsider can verify")
    verb.add_argument("dossier", type=Path, help="folder that vet, probe or drill wrote (--out)")
    verb.add_argument(
        "--model", type=Path, required=True, help="the model that was vetted: folder, file, or catalogue name"
    )
    keyed(verb)
    verb.add_argument("--certificates", type=Path, help="X.509 chain in PEM, the signer's own first")
    verb.add_argument("--out", type=Path, help="folder to write (default: DOSSIER/evidence)")
    verb.add_argument(
        "--approver",
        action="append",
        default=[],
        metavar="NAME[=DAY]",
        help="who approves the decision, and until when, as in 'K. Sato=2027-03-31'; may be repeated",
    )
    verb.add_argument(
        "--valid-days", type=int, default=365, help="how long it may be relied on (default: 365)"
    )
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import signing
        from sekisho.evidence import signers
        from sekisho.report import evidence as words

        signer = signers.named(options.key, options.passphrase_file, options.certificates)
        granted = tuple(_approval(a) for a in options.approver)
        request = signing.Options(options.out, granted, options.valid_days)
        made = signing.sign(options.dossier, _place(options.model), signer, options=request)
        if made.changed:
            terms = ", ".join(made.changed)
            say(words.line("terms-changed", "preregistration.intoto.json", options.lang, terms=terms))
        for path in made.beside:
            say(words.line("beside", path, options.lang))
        say(words.line("signed", "", options.lang, folder=str(made.folder), digest=made.digest))
        return 0

    verb.set_defaults(run=run)


def _verify(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "verify", help="verify an evidence folder and the model it is about", epilog=CODES
    )
    verb.add_argument("folder", type=Path, help="evidence folder")
    verb.add_argument("--model", type=Path, help="model folder, file, or catalogue name")
    verb.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        help="public key or root certificate in PEM; may be repeated",
    )
    verb.add_argument("--at", type=_day, help="day that counts, as in 2027-01-31 (default: today)")
    verb.add_argument("--not-before", type=_day, help="refuse evidence signed before this day")
    verb.add_argument(
        "--evidence", default="", help="digest that the folder must have, as told when it was signed"
    )
    verb.add_argument(
        "--require",
        choices=("admit", "preregistered"),
        action="append",
        default=[],
        help="refuse evidence without it; may be repeated",
    )
    verb.add_argument(
        "--beside", action="append", default=[], help="unsigned path in the model that is accepted"
    )
    shared.language(verb)

    def error(message: str) -> NoReturn:
        verb.exit(USAGE, f"sekisho verify: {message}\n")

    verb.error = error  # type: ignore[method-assign]  # 2, the usual code, says that a file was changed

    def run(options: argparse.Namespace) -> int:
        from sekisho.errors import SekishoError
        from sekisho.evidence import checking, codes, signers
        from sekisho.evidence.ruling import Demands
        from sekisho.report import evidence as words

        wanted = Demands(
            at=options.at or dt.datetime.now(dt.UTC).date().isoformat(),
            not_before=options.not_before or "",
            evidence=options.evidence,
            admitted="admit" in options.require,
            registered="preregistered" in options.require,
            beside=tuple(options.beside),
        )
        try:
            pinned, anchors = signers.pins(options.key)
            found = checking.verify(
                options.folder,
                pinned,
                anchors=anchors,
                model=_place(options.model) if options.model else None,
                demands=wanted,
            )
        except SekishoError as failure:
            say(words.line("unread", "--key", options.lang, why=str(failure)))
            return codes.UNREADABLE
        say(words.text(found, options.lang))
        return found.code

    verb.set_defaults(run=run)


def _approval(text: str) -> "Granted":
    from sekisho.evidence.statements import Granted

    who, _, until = text.partition("=")
    if not who.strip():
        raise UsageError(f"--approver {text!r}: a name is needed")
    return Granted(who.strip(), "decision", until.strip())


def _day(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day as in 2027-01-31") from error
