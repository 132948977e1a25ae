"""The verb `bom`. Exit codes: 0 written, 2 not."""

import argparse
from pathlib import Path

from sekisho.cli_arguments import MODEL, Verbs, Write


def register(verbs: Verbs, say: Write) -> None:
    """Add the verb; the bill, or where it was written, goes to `say`."""
    verb = verbs.add_parser(
        "bom", help="write the bill of materials: CycloneDX 1.7 with model card and pedigree"
    )
    verb.add_argument("path", help=MODEL)
    verb.add_argument(
        "--base", help="the trusted model it was made from: what differs becomes a list of patches"
    )
    verb.add_argument(
        "--dossier", type=Path, help="dossier of this model: behaviour and verdict go into the card"
    )
    verb.add_argument("--author", default="", help="who makes this bill (default: unknown)")
    verb.add_argument("--out", type=Path, help="file to write (default: standard output)")

    def run(options: argparse.Namespace) -> int:
        from sekisho import materials
        from sekisho.evidence import bom
        from sekisho.evidence.dossier import save

        body = materials.bill(options.path, options.base, dossier=options.dossier, author=options.author)
        if options.out is None:
            say(bom.to_json(body).decode().rstrip("\n"))
        else:
            say(f"{save(bom.to_json(body), options.out)}  {body['serialNumber']}")
        return 0

    verb.set_defaults(run=run)
