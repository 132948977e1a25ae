"""Arguments that several verbs share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

MODEL: Final = "model folder, GGUF file, or catalogue name"
OUT: Final = Path("sekisho-report")

Write = Callable[[str], None]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  it has no other name
"""What `add_subparsers` returns."""


def base(verb: argparse.ArgumentParser) -> None:
    """A base that may be left out."""
    verb.add_argument("--base", help="the trusted model it was made from; 'none' compares with nothing")


def policy(verb: argparse.ArgumentParser) -> None:
    """Margins and error rates."""
    verb.add_argument("--policy", default="default", help="policy name or TOML file (default: default)")


def language(verb: argparse.ArgumentParser) -> None:
    """Of what is printed and written."""
    verb.add_argument("--lang", choices=("en", "ja"), default="en", help="language of the report")


def form(verb: argparse.ArgumentParser) -> None:
    """Of what is printed."""
    verb.add_argument(
        "--format", choices=("text", "json"), default="text", help="of what is printed (default: text)"
    )


def declared(verb: argparse.ArgumentParser) -> None:
    """The user's declaration of tokens."""
    verb.add_argument("--declared", type=Path, help="TOML or JSON that says what tokens are for")


def asking(verb: argparse.ArgumentParser) -> None:
    """How much is asked, and where the report goes."""
    verb.add_argument(
        "--profile",
        choices=("quick", "standard", "deep"),
        default="quick",
        help="how much is asked and trained (default: quick)",
    )
    verb.add_argument(
        "--suite",
        type=Path,
        action="append",
        default=[],
        help="questions of your own: XSTest, JailbreakBench or StrongREJECT columns, or a folder like one of data/suites",
    )
    verb.add_argument("--out", type=Path, default=OUT, help=f"folder of the report (default: {OUT}/)")
