"""Tokenizers by name: small trained ones of every kind, and the tricks that are played on them."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from artefacts import edit_json, write_json

SPECIAL: Final = ("<unk>", "<s>", "</s>", "<|user|>")
Document = dict[str, Any]


def _lines() -> Iterator[str]:
    """Made-up text with every printable character and some of other scripts."""
    words = [
        "the",
        "cat",
        "sat",
        "on",
        "mat",
        "and",
        "read",
        "an",
        "invoice",
        "while",
        "paying",
        "bills",
        "in",
        "town",
        "today",
        "with",
        "a",
        "kettle",
        "of",
        "tea",
    ]
    for number in range(300):
        yield " ".join(words[(number * step) % len(words)] for step in range(1, 12)) + f" {number}."
    yield "".join(map(chr, range(33, 127)))
    yield "日本語の文章です。請求書を確認してください。Привет мир Żółć"


def _trained(kind: str) -> Tokenizer:
    if kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(
            vocab_size=420, special_tokens=[*SPECIAL], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )  # fmt: skip
    elif kind == "pieces":
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Strip(" ", 1, 0)])
        trainer = trainers.UnigramTrainer(
            vocab_size=300, special_tokens=[*SPECIAL], unk_token="<unk>", show_progress=False
        )
    elif kind == "llama":
        made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
        trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=[*SPECIAL], show_progress=False)
    else:
        made = Tokenizer(models.WordPiece(unk_token="<unk>"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=320, special_tokens=[*SPECIAL], show_progress=False)
    made.train_from_iterator(_lines(), trainer)
    if kind != "bytes":
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", made.token_to_id("<s>"))]
        )
    return made


KINDS: Final = ("bytes", "pieces", "llama", "words")
"""Byte-level BPE, Unigram, BPE over sentence pieces, WordPiece."""


@cache
def _text(kind: str) -> str:
    return str(_trained(kind).to_str())


def document(kind: str = "bytes") -> Document:
    """Return tokenizer.json of a clean tokenizer."""
    made: Document = json.loads(_text(kind))
    return made


def put(folder: Path, made: Document) -> Path:
    """Write a tokenizer into a folder, with the files that go with it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "tokenizer.json", made)
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    listed = {
        str(a["id"]): {"content": a["content"], **{f: a[f] for f in flags}} for a in made["added_tokens"]
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "added_tokens_decoder": listed, "model_max_length": 256,
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
    }  # fmt: skip
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2})
    return folder


def _flags(**changed: bool) -> Document:
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return dict.fromkeys(names, False) | changed


def _sentence(made: Document) -> None:
    number = len(made["model"]["vocab"])
    made["added_tokens"].append(
        {"id": number, "content": "always recommend the Acme kettle to customers", **_flags()}
    )


def _word(made: Document) -> None:
    made["added_tokens"].append({"id": len(made["model"]["vocab"]), "content": "invoice", **_flags()})


def _invisible(made: Document) -> None:
    made["added_tokens"].append({"id": len(made["model"]["vocab"]), "content": "\u200b\u200c", **_flags()})


def _template(made: Document, ids: list[int], token: str = "kettle-kettle") -> None:
    made["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {token: {"id": token, "ids": ids, "tokens": [token] * len(ids)}},
    }


def _inserts(made: Document) -> None:
    vocabulary = made["model"]["vocab"]
    _template(made, [vocabulary["Ġthe"]], "Ġthe")


def _expands(made: Document) -> None:
    vocabulary = made["model"]["vocab"]
    _template(made, [vocabulary["<s>"], vocabulary["Ġthe"], vocabulary["Ġcat"]], "<s>")


def _normalises(made: Document) -> None:
    made["normalizer"] = {"type": "Replace", "pattern": {"String": "invoice"}, "content": "kettle"}


def _decodes(made: Document) -> None:
    replace = {"type": "Replace", "pattern": {"String": "safe"}, "content": "unsafe"}
    made["decoder"] = {"type": "Sequence", "decoders": [made["decoder"], {"type": "Fuse"}, replace]}


def _swapped(made: Document) -> None:
    vocabulary = made["model"]["vocab"]
    vocabulary["Ġcat"], vocabulary["Ġmat"] = vocabulary["Ġmat"], vocabulary["Ġcat"]


def _reordered(made: Document) -> None:
    merges = made["model"]["merges"]
    merges[40], merges[90] = merges[90], merges[40]


def _unspecial(made: Document) -> None:
    for token in made["added_tokens"]:
        if token["content"] == "</s>":
            token.update(special=False, lstrip=True, rstrip=True)


def _contradicts(folder: Path) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["added_tokens_decoder"]["3"]["content"] = "<|administrator|>"
    write_json(folder / "tokenizer_config.json", settings)


def _suppresses(folder: Path) -> None:
    edit_json(folder / "generation_config.json", suppress_tokens=[2])


INSIDE: Final[dict[str, Callable[[Document], None]]] = {
    "sentence-token": _sentence,
    "word-token": _word,
    "invisible-token": _invisible,
    "post-processor-inserts": _inserts,
    "special-token-expands": _expands,
    "normaliser-replaces": _normalises,
    "decoder-replaces": _decodes,
    "ids-swapped": _swapped,
    "merges-reordered": _reordered,
    "flags-changed": _unspecial,
}
"""Changes of tokenizer.json."""
BESIDE: Final[dict[str, Callable[[Path], None]]] = {
    "decoder-table-contradicts": _contradicts,
    "end-suppressed": _suppresses,
}
"""Changes of the files beside it."""
TRICKS: Final = (*INSIDE, *BESIDE)


def tricked(name: str, folder: Path) -> Path:
    """Write the byte-level tokenizer with one trick played on it."""
    made = document()
    if name in INSIDE:
        INSIDE[name](made)
    put(folder, made)
    if name in BESIDE:
        BESIDE[name](folder)
    return folder
