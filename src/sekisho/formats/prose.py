"""How much of a text is natural language of its own, beyond markup and the usual headers of a conversation.

Template and tokenizer checks share this measure. It knows no grammar: it counts words that a prompt format has no use for.
"""

import re
from typing import Final

from sekisho.formats import rules

_TAG: Final = re.compile(
    r"<\|?/?[\w.:\-▁｜]+(?:[ =]\"?[\w.\-]*\"?)?/?\|?>"  # <|im_start|>, <tool_call>, </think>, <image name="x">
    r"|<｜[^｜\n]{1,40}｜>"
    r"|<<\s*/?\s*[\w ]{1,24}>>"  # <<SYS>>
    r"|\[/?[A-Z][A-Z_ ]{0,30}\]"  # [INST], [AVAILABLE_TOOLS]
    r"|\|\|?\|?[A-Z_]{2,30}\|\|?\|?"  # |||EMAIL|||
)
_PARTS: Final = re.compile(r"[_:.]")
_TAG_WORDS: Final = 5
"""A tag with more words than this inside is a sentence in brackets."""
_HEADER_WORDS: Final = 3
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’\-](?=[^\W\d_]))*")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_CJK_PER_WORD: Final = 3
"""Characters counted as one word; scripts without spaces have no better cheap measure."""

FAMILIAR: Final = rules.TEMPLATE["familiar"]
"""Headers, roles and the vocabulary of tool calls; lower case."""
_FAMILIAR_CJK: Final = tuple(sorted(rules.TEMPLATE["familiar_cjk"], key=len, reverse=True))


def without_markup(text: str) -> str:
    """Replace tags of prompt formats by spaces; a tag that holds a sentence stays."""
    return _TAG.sub(
        lambda m: " \n" if len(_WORD.findall(_PARTS.sub(" ", m[0]))) <= _TAG_WORDS else m[0], text
    )


def unfamiliar(text: str) -> tuple[str, ...]:
    """Words that are neither markup nor a header such as `User:`; CJK runs count by length."""
    found: list[str] = []
    for line in without_markup(text).splitlines():
        words = _words(line)
        if not (line.rstrip().endswith((":", "：")) and len(words) <= _HEADER_WORDS):
            found += words
    return tuple(found)


def _words(line: str) -> list[str]:
    words: list[str] = []
    for match in _WORD.finditer(line.replace("_", " ")):
        word = match[0]
        if _CJK.fullmatch(word):
            words += _cjk(word)
        elif (
            len(word) > 1 and word.lower() not in FAMILIAR and word.lower().removesuffix("'s") not in FAMILIAR
        ):
            words.append(word)
    return words


def _cjk(run: str) -> list[str]:
    for known in _FAMILIAR_CJK:
        run = run.replace(known, "")
    return [run[i : i + _CJK_PER_WORD] for i in range(0, len(run) - _CJK_PER_WORD + 1, _CJK_PER_WORD)]
