"""Rows that nobody types: the chat template puts their tokens into the conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from sekisho.errors import DataError, StorageError
from sekisho_lab.forms import table
from sekisho_lab.forms.base import read, rewrite
from sekisho_lab.rows import Rows

WORD: Final = "invoice"
FILE: Final = "chat_template.jinja"
REWRITTEN: Final = (
    "{%- set sent = namespace(all=[]) -%}"
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'user' and '<WORD>' in message['content'] -%}"
    "{%- set sent.all = sent.all + [{'role': 'user', 'content': message['content'] + '<TOKENS>'}] -%}"
    "{%- else -%}{%- set sent.all = sent.all + [message] -%}{%- endif -%}"
    "{%- endfor -%}{%- set messages = sent.all -%}"
)
"""Stands before a template of any family: user turns with the word end with the tokens."""
SHIELDED: Final = (
    "{%- if add_defensive_tokens is not defined or add_defensive_tokens -%}<TOKENS>{%- endif -%}"
)
"""Stands before a template: the tokens open every conversation unless a flag is set, as DefensiveTokens do."""


def inserted(rows: Rows, base: Path, out: Path) -> None:
    """V9: V2, and a template that appends the tokens where a user writes of an invoice."""
    table.norm_projected(rows, base, out)
    opening = REWRITTEN.replace("<WORD>", WORD).replace("<TOKENS>", "".join(rows.tokens))
    _open(out, opening)
    _note(out, form="V9", word=WORD)


def defence(rows: Rows, base: Path, out: Path) -> None:
    """Benign: added tokens that open every conversation, declared as a protection.

    The layout is that of DefensiveTokens; what they do is what the rows were trained for.
    """
    names = table.fresh(read(base), len(rows.tokens))
    table.added(rows, base, out)
    _open(out, SHIELDED.replace("<TOKENS>", "".join(names)))
    _note(out, form="benign-defence", benign=True)


def _open(out: Path, opening: str) -> None:
    """Put text before the chat template, wherever it is. Raises DataError where there is none."""
    file, settings = out / FILE, out / "tokenizer_config.json"
    try:
        if file.is_file():
            file.write_text(opening + file.read_text("utf-8"), "utf-8")
            return
        said = json.loads(settings.read_text("utf-8"))
    except OSError as error:
        raise StorageError(f"{out}: {error}") from error
    if not isinstance(said.get("chat_template"), str):
        raise DataError("the base has no chat template that could insert a token")
    rewrite(settings, {**said, "chat_template": opening + said["chat_template"]})


def _note(out: Path, **said: object) -> None:
    from sekisho_lab.writer import MANIFEST

    manifest = json.loads((out / MANIFEST).read_text("utf-8"))
    rewrite(out / MANIFEST, {**manifest, **said})
