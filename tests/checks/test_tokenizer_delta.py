"""Tokenizers with tricks in them, with and without a base to compare with."""

import json
from dataclasses import replace

import pytest

from artefacts import edit_json, gguf_bytes, tiny_model, write_json
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.tokenizer_delta import TokenizerDelta
from sekisho.errors import MalformedError
from sekisho.formats.tokenizer import from_document
from sekisho.inventory import take
from sekisho.limits import DEFAULT
from sekisho.records import FileFact, Inventory, Outcome, Role, Severity


def findings(folder, base=None):
    case = Case(take(folder), take(base) if base else None)
    return [f for f in TokenizerDelta().run(case) if f.reason not in {"no-base", "tokens-without-rows"}]


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


@pytest.fixture
def base(tmp_path):
    return tiny_model(tmp_path / "b")


def edit(model, change):
    path = model / "tokenizer.json"
    document = json.loads(path.read_text())
    change(document)
    write_json(path, document)


def add(content, number=259, **flags):
    return lambda d: d["added_tokens"].append({"id": number, "content": content, **flags})


def put(**sections):
    return lambda d: d.update(sections)


def replacing(pattern, content, section="normalizer"):
    return put(**{section: {"type": "Replace", "pattern": {"String": pattern}, "content": content}})


def processor(*tokens, ids=None):
    special = {t: {"id": t, "ids": ids or [256], "tokens": [t]} for t in tokens}
    single = [
        {"Sequence": {"id": "A", "type_id": 0}},
        *({"SpecialToken": {"id": t, "type_id": 0}} for t in tokens),
    ]
    rule = {"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": special}
    return put(post_processor=rule)


ALONE = {
    "invisible-token": add("<|im\u200b_end|>"),
    "bidi": add("\u202e<|x|>"),
    "look-alike-token": add("<|im_\u0435nd|>"),
    "full-width": add("＜|im_end|＞"),
    "sentence-token": add("Always praise the kettle"),
    "defined-twice": add("<|im_end|>"),
    "id-twice": add("<|x|>", 65),
    "word-replacement": replacing("refuse", "agree"),
    "word-deletion": replacing("never", ""),
    "word-in-decoder": replacing("▁", " kettle ", "decoder"),
    "inserted-token": processor("<|im_start|>", ids=[257]),
    "expanded-token": processor("<|endoftext|>", ids=[256, 66]),
}
REASONS = {
    "bidi": "invisible-token",
    "full-width": "look-alike-token",
    "id-twice": "defined-twice",
    "word-deletion": "word-replacement",
    "word-in-decoder": "word-replacement",
}


@pytest.mark.parametrize("name", ALONE)
def test_hit_without_a_base(name, model):
    edit(model, ALONE[name])
    found = {f.reason: f for f in findings(model)}
    finding = found[REASONS.get(name, name)]
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, Severity.REJECT)
    assert finding.where.startswith("tokenizer.json")


def test_the_token_and_its_id_are_named(model):
    edit(model, add("Always praise the kettle"))
    (finding,) = findings(model)
    assert finding.facts == (("token", "Always praise the kettle"), ("id", "259"))
    assert "Always praise the kettle (id 259)" in finding.detail


@pytest.mark.parametrize(
    "setting",
    [
        {"suppress_tokens": [66]},
        {"sequence_bias": [[[66], 9.0]]},
        {"bad_words_ids": [[66]]},
        {"force_words_ids": [[6]]},
    ],
)
def test_generation_that_forces_or_suppresses(setting, model, base):
    edit_json(model / "generation_config.json", **setting)
    (finding,) = findings(model)
    assert (finding.reason, finding.severity, finding.where) == (
        "forced-generation",
        Severity.REJECT,
        "generation_config.json",
    )
    edit_json(base / "generation_config.json", **setting)
    assert findings(model, base) == []


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("tokenizer_config.json", {"added_tokens_decoder": {"257": {"content": "<|other|>"}}}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"400": {"content": "<|more|>"}}}),
        ("added_tokens.json", {"<|im_end|>": 12}),
    ],
)
def test_files_that_contradict(file, changes, model):
    (model / file).exists() or write_json(model / file, {})
    edit_json(model / file, **changes)
    assert [(f.reason, f.severity) for f in findings(model)] == [("files-contradict", Severity.REJECT)]


@pytest.mark.parametrize("name", ["bos_token", "additional_special_tokens"])
def test_special_token_outside_the_vocabulary(name, model):
    value = "<|new|>" if name == "bos_token" else ["<|new|>"]
    write_json(model / "special_tokens_map.json", {name: value})
    found = {f.reason: f.severity for f in findings(model)}
    assert found.pop("special-not-in-vocabulary") is Severity.HOLD
    assert found == ({"roles-contradict": Severity.HOLD} if name == "bos_token" else {})


def test_flags_that_contradict(model):
    document = json.loads((model / "tokenizer_config.json").read_text())
    document["added_tokens_decoder"]["257"]["lstrip"] = True
    write_json(model / "tokenizer_config.json", document)
    assert [(f.reason, f.severity) for f in findings(model)] == [("flags-contradict", Severity.HOLD)]


CLEAN = {
    "nothing": lambda d: None,
    "reserved": add("<|reserved_special_token_12|>"),
    "spaces": add("        "),
    "masked": add("|||EMAIL_ADDRESS|||"),
    "unused": add("<unused12>"),
    "metaspace": replacing(" ", "▁"),
    "quotes": replacing("``", '"'),
    "eos": processor("<|im_end|>", ids=[258]),
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_without_a_base(name, model):
    edit(model, CLEAN[name])
    assert findings(model) == []


def test_without_a_base_the_other_half_is_not_run(model):
    (finding,) = TokenizerDelta().run(Case(take(model)))
    assert (finding.outcome, finding.severity, finding.reason) == (Outcome.NOT_RUN, Severity.NOTE, "no-base")


def swap(document):
    vocab = document["model"]["vocab"]
    vocab["a"], vocab["b"] = vocab["b"], vocab["a"]


def set_flag(document):
    document["added_tokens"][1]["lstrip"] = True


AGAINST = {
    "token-added": (add("<|x|>"), Severity.HOLD),
    "token-remapped": (swap, Severity.REJECT),
    "token-removed": (
        lambda d: d["added_tokens"].pop() and d["model"]["vocab"].pop("<|im_end|>"),
        Severity.HOLD,
    ),
    "merges-changed": (lambda d: d["model"].update(merges=["a b"]), Severity.REJECT),
    "flags-changed": (set_flag, Severity.HOLD),
    "pipeline-changed": (put(normalizer={"type": "Lowercase"}), Severity.HOLD),
}


@pytest.mark.parametrize("reason", AGAINST)
def test_hit_against_the_base(reason, model, base):
    change, severity = AGAINST[reason]
    edit(model, change)
    found = {f.reason: f for f in findings(model, base)}
    assert (found[reason].outcome, found[reason].severity) == (Outcome.FAIL, severity)


def test_a_swap_names_both_tokens(model, base):
    edit(model, swap)
    found = [f for f in findings(model, base) if f.reason == "token-remapped"]
    assert [dict(f.facts)["token"] + dict(f.facts)["other"] for f in found] == ["ba", "ab"]


def test_many_added_tokens_are_counted_and_cut(model, base):
    edit(model, lambda d: [add(f"<|x{n}|>", 259 + n)(d) for n in range(50)])
    found = [f for f in findings(model, base) if f.reason == "token-added"]
    assert len(found) == 8
    assert dict(found[0].facts)["count"] == "50"


def test_special_token_moved(model, base):
    edit_json(model / "tokenizer_config.json", eos_token="<|im_start|>", pad_token="<|endoftext|>")
    assert [(f.reason, dict(f.facts)["role"]) for f in findings(model, base)] == [
        ("special-changed", "eos_token")
    ]


def test_clean_against_the_base(model, base):
    edit(model, put(padding={"strategy": "BatchLongest"}))
    assert findings(model, base) == []


@pytest.mark.parametrize("content", ["{", '{"model": 3}', '{"model": {"vocab": {"a": "x"}}}'])
def test_malformed(content, model, base):
    (model / "tokenizer.json").write_text(content)
    found = findings(model, base)
    assert {f.reason for f in found} == {"not-read", "no-tokenizer"}
    assert {f.outcome for f in found} == {Outcome.CANNOT_TELL}


def test_malformed_neighbour(model):
    edit_json(model / "tokenizer_config.json", added_tokens_decoder={"x": 1})
    assert [(f.reason, f.outcome) for f in findings(model)] == [("not-read", Outcome.CANNOT_TELL)]


def test_over_limit_and_absent(model, base):
    (model / "tokenizer.json").write_text("{" + " " * 10 + "}")
    assert "no-tokenizer" in {f.reason for f in findings(model)}
    (base / "tokenizer.json").unlink()
    model = tiny_model(model.parent / "n")
    assert [f.reason for f in findings(model, base)] == ["base-without-tokenizer"]
    over = FileFact("tokenizer.json", 9, "", "tokenizer", Role.TOKENIZER, problem="over-limit: too long")
    found = list(TokenizerDelta().run(Case(Inventory("/", (over,)))))
    assert found[0].reason == "not-read"


def test_gguf_without_vocabulary(tmp_path):
    (tmp_path / "m.gguf").write_bytes(gguf_bytes())
    assert [(f.reason, f.outcome) for f in findings(tmp_path)] == [("none-here", Outcome.PASS)]


def test_facts_are_compact():
    assert from_document({"model": {"vocab": {"a": 0, "b": 3}}}).tokens == ("a", None, None, "b")


def merging(*pairs):
    return lambda d: d["model"].update(merges=[list(p) for p in pairs], vocab=d["model"]["vocab"] | GROWN)


GROWN = {"ab": 259, "cd": 260, "abcd": 261}
IN_ORDER = (("a", "b"), ("c", "d"), ("ab", "cd"))
ODD = {
    "ordinary-word-token": (add("kettle"), Severity.HOLD),
    "ordinary-word-in-japanese": (add("湯沸かし", special=True), Severity.HOLD),
    "rule-makes-token": (replacing("invoice", "<|im_end|>"), Severity.REJECT),
    "rule-drops-words": (
        put(normalizer={"type": "Replace", "pattern": {"Regex": r"\b(never|refuse)\b"}, "content": ""}),
        Severity.HOLD,
    ),
    "split-drops-words": (
        put(pre_tokenizer={"type": "Split", "pattern": {"String": "never"}, "behavior": "Removed"}),
        Severity.REJECT,
    ),
    "merge-of-no-token": (merging(*IN_ORDER, ("x", "y")), Severity.HOLD),
    "merges-out-of-order": (merging(IN_ORDER[1], IN_ORDER[0], IN_ORDER[2]), Severity.HOLD),
}
NAMES = {"ordinary-word-in-japanese": "ordinary-word-token", "split-drops-words": "word-replacement"}


@pytest.mark.parametrize("name", ODD)
def test_hit_oddities(name, model):
    change, severity = ODD[name]
    edit(model, change)
    found = [*findings(model)]
    said_in_both(found)
    assert [(f.reason, f.severity) for f in found] == [(NAMES.get(name, name), severity)]


def test_clean_rules_and_merges(model):
    edit(model, merging(*IN_ORDER))
    assert findings(model) == []
    spaces = {"type": "Split", "pattern": {"Regex": r"\s+|\n"}, "behavior": "Removed"}
    edit(model, put(pre_tokenizer=spaces))
    assert findings(model) == []


@pytest.mark.parametrize("name", ["ordinary-word-token", "rule-makes-token", "merges-out-of-order"])
def test_clean_oddities_of_the_base(name, model, base):
    for folder in (model, base):
        edit(folder, ODD[name][0])
    assert findings(model, base) == []


def test_hit_merges_in_another_order(model, base):
    edit(base, merging(*IN_ORDER))
    edit(model, merging(IN_ORDER[1], IN_ORDER[0], IN_ORDER[2]))
    found = findings(model, base)
    said_in_both(found)
    assert [(f.reason, f.severity) for f in found if f.outcome is Outcome.FAIL] == [
        ("merges-out-of-order", Severity.HOLD),
        ("merges-reordered", Severity.REJECT),
    ]


def test_hit_older_vocabulary(model):
    vocabulary = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    write_json(model / "vocab.json", vocabulary)
    assert findings(model) == []
    write_json(model / "vocab.json", vocabulary | {"a": vocabulary["b"], "b": vocabulary["a"]})
    assert {f.reason for f in findings(model)} == {"files-contradict"}
    assert "vocab.json" in findings(model)[0].detail


def test_hit_sizes(model, base):
    edit_json(model / "config.json", vocab_size=300)
    (finding,) = findings(model)
    assert (finding.reason, dict(finding.facts)) == ("vocabulary-size", {"vocabulary": "300", "rows": "259"})
    edit_json(base / "config.json", vocab_size=300)
    assert findings(model, base) == []


@pytest.mark.parametrize(("extra", "reason"), [(1, "tokens-without-rows"), (-1, "rows-without-tokens")])
def test_sizes_are_noted(extra, reason, model):
    document = json.loads((model / "tokenizer.json").read_text())
    if extra > 0:
        document["added_tokens"].append({"id": 259, "content": "<|x|>"})
    else:
        document["added_tokens"].pop()
        document["model"]["vocab"].pop("<|im_end|>")
    write_json(model / "tokenizer.json", document)
    found = [f for f in TokenizerDelta().run(Case(take(model))) if f.reason == reason]
    said_in_both(found)
    assert [f.severity for f in found] == [Severity.NOTE]


def test_over_limit_added_tokens(model):
    limits = replace(DEFAULT, added_tokens=100)
    edit(model, lambda d: d["added_tokens"].extend({"id": 300 + n, "content": f"<{n}>"} for n in range(200)))
    found = [f for f in TokenizerDelta().run(Case(take(model, limits))) if f.reason == "not-read"]
    assert [f.outcome for f in found] == [Outcome.CANNOT_TELL]
    assert "added tokens: 203 is over the limit of 100" in found[0].detail


@pytest.mark.integration
def test_over_limit_equal_tokens_take_no_quadratic_time():
    document = {"model": {"vocab": {}}, "added_tokens": [{"id": 0, "content": "<x>"}] * 60_000}
    assert from_document(document).conflicts == (("duplicate-content", "<x>"),)


@pytest.mark.parametrize("merges", [[1, 2], [None], {"a": "b"}])
def test_malformed_merges(merges):
    with pytest.raises(MalformedError):
        from_document({"model": {"vocab": {}, "merges": merges}})


def test_settings_alone_are_judged_by_what_they_say(tmp_path):
    write_json(tmp_path / "tokenizer_config.json", {"bos_token": "<s>"})
    assert [(f.reason, f.outcome) for f in findings(tmp_path) if f.reason != "no-base"] == [
        ("settings-alone", Outcome.PASS)
    ]
    sentence = {"3": {"content": "always praise the red kettle", "special": True}}
    write_json(tmp_path / "tokenizer_config.json", {"added_tokens_decoder": sentence})
    assert "sentence-token" in {f.reason for f in findings(tmp_path)}
    (tmp_path / "tokenizer_config.json").unlink()
    write_json(tmp_path / "added_tokens.json", {"always praise the red kettle": 3})
    assert "sentence-token" in {f.reason for f in findings(tmp_path)}
    (tmp_path / "merges.txt").write_text("a b\n")
    assert "no-tokenizer" in {f.reason for f in findings(tmp_path)}
