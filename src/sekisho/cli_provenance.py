"""The verbs `provenance`, `patches`, `supplier` and `sign-files`.

Exit codes: 0 the record was made and nothing contradicts it, 1 something does (an altered or extra file, another revision, weights
that are no relatives of the declared parent, a refused address), 2 not carried out, 3 below the rung asked for, or a field unknown
with --complete. None of them says what a model does.
"""

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sekisho import cli_arguments as shared
from sekisho.cli_arguments import MODEL, Verbs, Write
from sekisho.errors import UsageError

if TYPE_CHECKING:
    from sekisho.evidence.keyless import Trust
    from sekisho.origins import Asked, Looked

LEVELS: Final = ("E0", "E1", "E2", "E3", "E4", "E5")
CONTRADICTED: Final = 1
SHORT: Final = 3


def register(verbs: Verbs, say: Write) -> None:
    """Add the verbs; results go to `say`."""
    _provenance(verbs, say)
    _patches(verbs, say)
    _supplier(verbs, say)
    _sign_files(verbs, say)


def fetching(verb: argparse.ArgumentParser) -> None:
    """Arguments of `fetch`."""
    verb.add_argument(
        "name",
        help="catalogue name, or hf:org/name@COMMIT, git+https://host/path@COMMIT, https://host/file#sha256=HEX, "
        "oci://host/repository@sha256:HEX, oci-layout:FOLDER@sha256:HEX",
    )
    verb.add_argument(
        "--suppliers", type=Path, help="your supplier register (TOML): what it refuses is not fetched"
    )
    verb.add_argument(
        "--by", default="", metavar="NAME", help="who fetches, for the record (default: nobody)"
    )


def fetch(options: argparse.Namespace, progress: Write) -> Path:
    """Fetch what was named and return its folder."""
    from sekisho.sources import address

    if not address.is_address(options.name):
        from sekisho import fetch as catalogue

        return catalogue.fetch(options.name, progress=progress)
    from sekisho import acquire
    from sekisho.provenance import suppliers

    register = suppliers.read(options.suppliers) if options.suppliers else None
    return acquire.acquire(options.name, acquire.Wanted(register, options.by), progress)


def _provenance(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "provenance",
        help="where a model came from: the evidence, its strength, what it still allows",
        epilog="Exit codes: 0 nothing contradicts the record, 1 something does, 2 not carried out, 3 weaker than --at-least, "
        "or a field unknown with --complete. It says nothing about what the model does.",
    )
    verb.add_argument("path", help=MODEL)
    verb.add_argument(
        "--expect",
        default="",
        help="commit, or sha256: digest of a single file or of an artefact's manifest, that came another way than the files",
    )
    verb.add_argument("--commit-object", type=Path, help="commit object kept at download time")
    verb.add_argument("--source", default="", help="address you had it from, e.g. hf:org/name@COMMIT")
    verb.add_argument(
        "--base", help="the declared parent: its weights are compared, differences become the patch list"
    )
    verb.add_argument("--suppliers", type=Path, help="your supplier register (TOML)")
    verb.add_argument("--evidence", type=Path, help="evidence folder of this model: its signature makes E3")
    verb.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        help="public key or root certificate in PEM for --evidence; may be repeated",
    )
    _supplied(verb)
    verb.add_argument("--at-least", choices=LEVELS, default="E0", help="exit 3 where the evidence is weaker")
    verb.add_argument("--complete", action="store_true", help="exit 3 where a mandatory field is unknown")
    verb.add_argument("--out", type=Path, help="write the record as JSON, too")
    shared.form(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import origins
        from sekisho.report import provenance as report

        looked = origins.look(options.path, base=options.base, asked=_asked(options))
        record = origins.to_json(looked)
        if options.out:
            origins.save(options.out, record)
        if options.format == "json":
            say(record.rstrip("\n"))
        else:
            say(
                report.text(
                    looked.name, looked.intake, options.lang, objections=looked.objections, kin=looked.kin
                ).rstrip("\n")
            )
        return _code(looked, options)

    verb.set_defaults(run=run)


def _supplied(verb: argparse.ArgumentParser) -> None:
    """Arguments about a signature of the supplier's own."""
    verb.add_argument(
        "--supplier-signature",
        type=Path,
        help="OMS signature that the supplier made of the model: makes E4 where --suppliers lists its signer",
    )
    verb.add_argument(
        "--supplier-key",
        type=Path,
        action="append",
        default=[],
        help="public key or root certificate it is by, in PEM; may be repeated",
    )
    verb.add_argument("--sigstore-root", type=Path, help="trusted_root.json, where it is a sigstore bundle")
    verb.add_argument("--sigstore-identity", default="", help="whose bundle it must be")
    verb.add_argument("--sigstore-issuer", default="", help="who must have vouched for that identity")


def _trust(options: argparse.Namespace) -> "Trust | None":
    """Whose sigstore bundle counts. Raises UsageError."""
    from sekisho.evidence.keyless import Trust

    given = (options.sigstore_root, options.sigstore_identity, options.sigstore_issuer)
    if not any(given):
        return None
    if not all(given):
        raise UsageError("--sigstore-root, --sigstore-identity and --sigstore-issuer go together")
    return Trust(*given)


def _asked(options: argparse.Namespace) -> "Asked":
    from sekisho import origins

    return origins.Asked(
        expect=options.expect,
        commit_object=options.commit_object,
        source=options.source,
        suppliers=options.suppliers,
        evidence=options.evidence,
        keys=tuple(options.key),
        supplier_signature=options.supplier_signature,
        supplier_keys=tuple(options.supplier_key),
        trust=_trust(options),
        today=dt.datetime.now(tz=dt.UTC).date(),
    )


def _code(looked: "Looked", options: argparse.Namespace) -> int:
    from sekisho.provenance.records import fields

    if looked.contradicted:
        return CONTRADICTED
    weak = looked.intake.ladder.level.value < options.at_least
    lacking = options.complete and not all(stated.known for _, stated in fields(looked.intake))
    return SHORT if weak or lacking else 0


def _patches(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "patches",
        help="what differs from a base: tensor by tensor, file by file",
        epilog="Exit codes: 0 no difference, 1 differences, 2 not carried out, 3 not all could be compared.",
    )
    verb.add_argument("path", help=MODEL)
    verb.add_argument("--base", required=True, help="the model it was made from")
    shared.form(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho import origins
        from sekisho.report import provenance as report

        made = origins.patches(options.path, options.base)
        if options.format == "json":
            say(origins.patches_json(made).rstrip("\n"))
        else:
            say(report.patches(made.name, made.patches, options.lang, made.kin).rstrip("\n"))
            if made.comparison is not None and made.comparison.problem:
                say(made.comparison.problem)
        if made.comparison is None or made.comparison.problem:
            return SHORT
        return CONTRADICTED if made.patches else 0

    verb.set_defaults(run=run)


def _supplier(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "supplier",
        help="hold an address against your supplier register before anything is fetched",
        epilog="Exit codes: 0 nothing against it, 1 refused, 2 not carried out, 3 something to look at.",
    )
    verb.add_argument("address", help="e.g. hf:org/name@COMMIT")
    verb.add_argument("--suppliers", type=Path, required=True, help="the register (TOML)")
    shared.form(verb)
    shared.language(verb)

    def run(options: argparse.Namespace) -> int:
        from sekisho.provenance import suppliers
        from sekisho.report import provenance as report

        if not options.address:
            raise UsageError("no address was given")
        today = dt.datetime.now(tz=dt.UTC).date()
        found = suppliers.judge(options.address, suppliers.read(options.suppliers), today)
        if options.format == "json":
            say(
                json.dumps([{"code": o.code, "refuses": o.refuses, **dict(o.facts)} for o in found], indent=1)
            )
        else:
            say(
                "\n".join(report.say(options.lang, "objection", o.code, **dict(o.facts)) for o in found)
                or report.say(options.lang, "ui", "nothing-against")
            )
        if any(o.refuses for o in found):
            return CONTRADICTED
        return SHORT if found else 0

    verb.set_defaults(run=run)


def _sign_files(verbs: Verbs, say: Write) -> None:
    verb = verbs.add_parser(
        "sign-files",
        help="for whoever delivers a model: sign its files (OMS v1.0), nothing else",
        epilog="With --identity-token the services that --sigstore-config names are asked, and the name is in a public log.",
    )
    verb.add_argument("path", help=MODEL)
    verb.add_argument("--out", type=Path, required=True, help="the signature, a new file")
    by = verb.add_mutually_exclusive_group(required=True)
    by.add_argument("--key", help="private key in PEM, or pkcs11: URI")
    by.add_argument(
        "--identity-token", type=Path, help="file with an OpenID token: sign as its identity, by sigstore"
    )
    verb.add_argument(
        "--sigstore-config", type=Path, help="client trust configuration (JSON) for --identity-token"
    )

    def run(options: argparse.Namespace) -> int:
        from sekisho import origins

        made = origins.deliver(options.path, options.key, options.identity_token, options.sigstore_config)
        origins.create(options.out, made)
        say(str(options.out))
        return 0

    verb.set_defaults(run=run)
