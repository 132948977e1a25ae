"""The verbs `init`, `export` and `supplier-result`.

Exit codes: 0 done, 2 not carried out; of `supplier-result`, those of `verify`.
"""

import argparse
import datetime as dt
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho import cli_ledger
from sekisho.cli_arguments import Verbs, Write
from sekisho.errors import DataError, StorageError

if TYPE_CHECKING:
    from sekisho.ledger.book import Ledger
    from sekisho.register.packs.material import Wish

PACKS: Final = ("contract-pack", "review-pack", "supplier-kit", "incident-pack", "risk-register")
MOST: Final = 8
"""Gaps that are printed; the README of a pack has all."""


def register(verbs: Verbs, say: Write) -> None:
    """Add the verbs; results go to `say`."""
    _init(verbs, say)
    _export(verbs, say)
    _result(verbs, say)


def _init(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "init",
        help="starter policy, supplier register, suppressions, and a two-page house rule written from them",
    )
    verb.add_argument(
        "--size", choices=("small", "medium"), default="small", help="of the company (default: small)"
    )
    verb.add_argument(
        "--out", type=Path, required=True, help="folder; what lies there is kept, the rule is written from it"
    )

    def run(options: argparse.Namespace) -> int:
        from sekisho.register import starting

        written, kept = starting.start(options.size, options.out)
        say("\n".join([*map(str, written), *(f"{path} (kept)" for path in kept)]))
        return 0

    verb.set_defaults(run=run)


def _export(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "export", help="a pack to hand over: zip with a signed manifest, verifier and README"
    )
    _arguments(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.evidence import dossier as dossiers
        from sekisho.evidence import signers
        from sekisho.register import packs
        from sekisho.register.packs import material, sealing

        signer = signers.named(options.key, options.passphrase_file) if options.key else None
        with ExitStack() as stack:
            ledger = _ledger(options, stack)
            if options.what:
                found = material.gather(ledger, options.what)
            elif options.kind == "supplier-kit":
                found = material.Material("", "")
            else:
                raise DataError(f"{options.kind}: name a dossier or a model of the register")
            made = packs.draft(options.kind, found, _wish(options))
        dossiers.save(sealing.seal(made, signer), options.out)
        lines = [
            str(options.out),
            *(f"  ! {sealing.gap(code, facts, options.lang)}" for code, facts in made.gaps[:MOST]),
        ]
        lines += [f"  ! ... {len(made.gaps) - MOST} more in the README"] if len(made.gaps) > MOST else []
        say("\n".join([*lines, *([] if signer else ["  ! not signed: no --key was given"])]))
        return 0

    verb.set_defaults(run=run)


def _arguments(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("kind", choices=PACKS, help="what it is for")
    verb.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="DOSSIER|ID",
        help="dossier or its folder, or a model of the register",
    )
    verb.add_argument("--out", type=Path, required=True, help="the zip")
    verb.add_argument(
        "--key",
        metavar="KEY",
        help="private key (PEM) or token to sign with; without it the pack is unsigned and says so",
    )
    verb.add_argument("--passphrase-file", type=Path, help="of that key")
    verb.add_argument("--counterparty", default="", help="of a contract; without it, a sheet of own risks")
    verb.add_argument("--matrix", type=Path, help="responsibility.*.csv, filled in")
    verb.add_argument("--full", action="store_true", help="leave questions and answers in a review pack")
    verb.add_argument("--happened", default="", metavar="TEXT", help="what happened, for an incident pack")
    verb.add_argument("--policy", type=Path, help="TOML file for a supplier kit (default: the shipped one)")
    verb.add_argument(
        "--profile",
        choices=("quick", "standard", "deep"),
        default="standard",
        help="of a supplier kit (default: standard)",
    )
    cli_ledger.place(verb)
    shared.language(verb)


def _ledger(options: argparse.Namespace, stack: ExitStack) -> "Ledger | None":
    """The ledger, where there is one; one that was named must be there."""
    try:
        return stack.enter_context(closing(cli_ledger.opened(options)))
    except StorageError:
        if options.ledger:
            raise
        return None


def _wish(options: argparse.Namespace) -> "Wish":
    from sekisho.register.packs.material import Wish

    return Wish(
        counterparty=options.counterparty,
        matrix=_bytes(options.matrix),
        full=options.full,
        what=options.happened,
        policy=_bytes(options.policy),
        profile=options.profile,
    )


def _bytes(path: Path | None) -> bytes:
    from sekisho.limits import DEFAULT

    if path is None:
        return b""
    try:
        with path.open("rb") as file:
            return file.read(DEFAULT.config_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error


def _result(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "supplier-result", help="verify a supplier's signed evidence and note it in the ledger"
    )
    verb.add_argument("folder", type=Path, help="evidence folder that the supplier sent")
    verb.add_argument(
        "--key", type=Path, action="append", default=[], help="the supplier's public key, got by another way"
    )
    verb.add_argument(
        "--by",
        dest="actor",
        metavar="NAME",
        help="who takes it in (default: $SEKISHO_ACTOR, else the login name)",
    )
    cli_ledger.place(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.evidence import signers
        from sekisho.register import vendor
        from sekisho.report import chain
        from sekisho.report import evidence as words

        pinned, _ = signers.pins(options.key)
        day = dt.datetime.now(dt.UTC).date().isoformat()
        with closing(cli_ledger.opened(options, create=True)) as ledger:
            taken = vendor.take(ledger, options.folder, pinned, by=cli_ledger.who(options), day=day)
        said = words.text(taken.found, options.lang)
        say("\n".join([said, *([chain.shown(taken.entry, options.lang)] if taken.entry else [])]))
        return taken.found.code

    verb.set_defaults(run=run)
