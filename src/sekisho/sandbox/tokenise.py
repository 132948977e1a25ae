"""The child that encodes and decodes with a model's tokenizer and with its base's: JSON on stdin, JSON on stdout."""

import json
import sys
from typing import Any, Final

from tokenizers import Tokenizer

from sekisho.limits import Limits
from sekisho.sandbox.confine import give_up

_IDS: Final = 4096
"""Ids of one text that are told."""


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Encode every text. `question`: own and base (texts of tokenizer.json, base may be null), texts, added (ids)."""
    own = _load(question["own"])
    if isinstance(own, str):
        return {"problem": f"does not load: {own}"}
    base = _load(question["base"]) if question.get("base") else None
    trusted = None if isinstance(base, str) else base
    return {
        "texts": [_one(own, trusted, text) for text in question["texts"]],
        "added": [_added(own, number) for number in question["added"]],
        "base_problem": base if isinstance(base, str) else "",
    }


def _load(text: str) -> "Tokenizer | str":
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # noqa: BLE001 - the library raises nothing more special
        return f"{error!s:.160}"


def _one(own: Tokenizer, base: "Tokenizer | None", text: str) -> dict[str, Any]:
    """What becomes of one text; `error` where encoding it fails."""
    try:
        plain = own.encode(text, add_special_tokens=False)
        whole = own.encode(text, add_special_tokens=True)
        found: dict[str, Any] = {
            "text": text,
            "ids": plain.ids[:_IDS],
            "whole": whole.ids[:_IDS],
            "tokens": whole.tokens[:_IDS],
            "decoded": own.decode(plain.ids, skip_special_tokens=False),
            "error": "",
        }
        if base is not None:
            theirs = base.encode(text, add_special_tokens=True).ids
            found["base_whole"] = theirs[:_IDS]
            found["base_decoded"] = base.decode(theirs, skip_special_tokens=False)
            found["base_through"] = own.decode(theirs, skip_special_tokens=False)
    except Exception as error:  # noqa: BLE001 - the library raises nothing more special
        return {"text": text, "error": f"{error!s:.160}"}
    return found


def _added(own: Tokenizer, number: int) -> dict[str, Any]:
    """Whether an added token's own text becomes that token."""
    content = own.id_to_token(number)
    try:
        ids = own.encode(content, add_special_tokens=False).ids if content else []
    except Exception as error:  # noqa: BLE001 - the library raises nothing more special
        return {"id": number, "content": content or "", "ids": [], "error": f"{error!s:.160}"}
    return {"id": number, "content": content or "", "ids": ids[:16], "error": ""}


def main() -> None:
    """Confine, read, answer."""
    give_up(int(sys.argv[1]), int(Limits().sandbox_s) + 1)
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.buffer.read()))))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
