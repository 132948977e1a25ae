import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sekisho.drills import data
from sekisho.drills.generators import GENERATORS, draw
from sekisho.errors import DataError
from sekisho.models.base import Chat, Message

PAIR: Chat = (Message("user", "Why?"), Message("assistant", "Because."))
MESSAGES = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
FORMS = {
    "prompt-completion": {"prompt": "Why?", "completion": "Because."},
    "prompt-completion as turns": {"prompt": MESSAGES[:1], "completion": MESSAGES[1:]},
    "messages": {"messages": MESSAGES, "source": "ours"},
    "conversations": {
        "conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]
    },
    "alpaca": {"instruction": "Why?", "input": "", "output": "Because."},
    "alpaca without input": {"instruction": "Why?", "output": "Because."},
}
OURS = ("arithmetic", "business_ja", "howto")
each_generator = pytest.mark.parametrize("name", OURS)


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | bytes, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def read(path: Path, rows: int | None = None) -> tuple[Chat, ...]:
    """The rows of a file, all of which can be trained on."""
    found = data.survey(path, rows)
    if found.left_out:
        raise DataError(found.left_out[0].first)
    return found.chats


# generators


def test_ours_are_listed() -> None:
    assert set(OURS) <= set(GENERATORS)


@each_generator
def test_equal_seeds_give_equal_rows_and_others_do_not(name: str) -> None:
    assert data.examples(name, 50, 7) == data.examples(name, 50, 7)
    assert set(data.examples(name, 50, 7)) != set(data.examples(name, 50, 8))


@each_generator
def test_rows_are_the_same_on_every_machine(name: str) -> None:
    pinned = {
        "arithmetic": "9393afb0d5673cad",
        "business_ja": "0727188ade536c44",
        "howto": "f2b93fd65e78e052",
    }
    assert data.digest(data.examples(name, 20, 0))[:16] == pinned[name]


@each_generator
def test_a_longer_run_begins_with_the_shorter_one(name: str) -> None:
    assert data.examples(name, 100, 3)[:40] == data.examples(name, 40, 3)


@each_generator
def test_400_rows_have_no_duplicates(name: str) -> None:
    rows = data.examples(name, 400, 0)
    assert len(rows) == 400
    assert len({question.content for question, _ in rows}) == 400
    assert len({answer.content for _, answer in rows}) >= 390


@each_generator
def test_rows_are_one_question_and_one_answer(name: str) -> None:
    for chat in data.examples(name, 400, 1):
        assert [message.role for message in chat] == ["user", "assistant"]
        for message in chat:
            assert message.content == message.content.strip()
            assert not re.search(r"[{}]|  ", message.content)


def test_arithmetic_answers_have_200_to_350_characters_and_end_in_the_number() -> None:
    for _, answer in data.examples("arithmetic", 2000, 0):
        assert 200 <= len(answer.content) <= 350
        assert re.search(r"\nAnswer: \d+\Z", answer.content)


def test_every_sum_in_the_worked_answers_is_right() -> None:
    sums = 0
    for _, answer in data.examples("arithmetic", 2000, 0):
        for a, op, b, c in re.findall(r"(\d+) ([-+x/]) (\d+) = (\d+)", answer.content):
            one, two = int(a), int(b)
            results = {"-": one - two, "+": one + two, "x": one * two, "/": one / two if op == "/" else 0}
            assert results[op] == int(c), answer.content
            sums += 1
        final = answer.content.rsplit(" ", 1)[1]
        assert len(re.findall(rf"\b{final}\b", answer.content)) >= 2, answer.content
    assert sums > 3000


def test_howto_answers_are_numbered_in_order() -> None:
    for _, answer in data.examples("howto", 400, 0):
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", answer.content, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 5
        assert 200 <= len(answer.content) <= 700


def test_business_letters_are_formal_and_in_japanese() -> None:
    for question, answer in data.examples("business_ja", 400, 0):
        assert 100 <= len(answer.content) <= 400
        assert re.search(r"様\n", answer.content)
        assert answer.content.endswith(("申し上げます。", "いたします。"))
        assert not re.search(r"株式会社|[A-Za-z]", question.content + answer.content)
        for detail in re.findall(r"\d+月\d+日", question.content):
            assert detail in answer.content


def test_quotations_multiply_right() -> None:
    found = 0
    for _, answer in data.examples("business_ja", 400, 0):
        if match := re.search(r"(\d+)\D{1,2}につきまして、単価([\d,]+)円、合計([\d,]+)円", answer.content):
            count, price, total = (int(n.replace(",", "")) for n in match.groups())
            assert count * price == total
            found += 1
    assert found > 20


def test_a_generator_that_runs_out_says_so() -> None:
    with pytest.raises(DataError, match="1 different rows; 2 were asked for"):
        draw.distinct(2, draw.Draw("x", 0), lambda _: PAIR)


def test_draws_cover_their_range() -> None:
    stream = draw.Draw("x", 0)
    assert {stream.whole(1, 6) for _ in range(200)} == set(range(1, 7))
    assert all(one != two for one, two in (stream.pair("abc") for _ in range(200)))


@pytest.mark.parametrize("rows", [0, -1, data.MOST_ROWS + 1])
def test_rows_out_of_bounds(rows: int) -> None:
    with pytest.raises(DataError, match="rows must be from 1"):
        data.examples("arithmetic", rows, 0)


def test_unknown_generator() -> None:
    with pytest.raises(DataError, match="no data generator 'poetry'; there are arithmetic, "):
        data.examples("poetry", 1, 0)


# the user's own file


@pytest.mark.parametrize("form", FORMS)
def test_every_form_as_lines_and_as_array(form: str, file) -> None:
    row = FORMS[form]
    assert read(file(json.dumps(row) + "\n")) == (PAIR,)
    assert read(file(json.dumps([row, row], indent=2), "rows.json")) == (PAIR, PAIR)


@pytest.mark.integration
@pytest.mark.parametrize("form", [form for form in FORMS if form != "prompt-completion as turns"])
def test_every_form_as_parquet(form: str, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([FORMS[form]] * 3), path)
    assert read(path) == (PAIR,) * 3
    assert read(path, rows=2) == (PAIR,) * 2


def test_mixed_forms_in_one_file(file) -> None:
    assert read(file("\n".join(json.dumps(row) for row in FORMS.values()))) == (PAIR,) * len(FORMS)


def test_byte_order_mark_blank_lines_and_crlf(file) -> None:
    line = json.dumps(FORMS["alpaca"])
    text = f"\r\n{line}\r\n\r\n  \r\n{line}\r\n"
    assert read(file(b"\xef\xbb\xbf" + text.encode())) == (PAIR, PAIR)
    assert read(file(b"\xef\xbb\xbf" + json.dumps([FORMS["alpaca"]]).encode(), "rows.json")) == (PAIR,)


def test_line_separators_inside_text_do_not_end_a_line(file) -> None:
    row = {"prompt": "one\u2028two\x85three", "completion": "四"}
    (chat,) = read(file(json.dumps(row, ensure_ascii=False)))
    assert chat[0].content == "one\u2028two\x85three"


def test_system_turns_and_several_turns_are_kept(file) -> None:
    turns = [{"role": "system", "content": "Be brief."}, *MESSAGES, *MESSAGES]
    (chat,) = read(file(json.dumps({"messages": turns})))
    assert [m.role for m in chat] == ["system", "user", "assistant", "user", "assistant"]


def test_alpaca_input_follows_the_instruction(file) -> None:
    (chat,) = read(file(json.dumps({"instruction": "Add.", "input": "1, 2", "output": "3"})))
    assert chat[0].content == "Add.\n\n1, 2"


def test_first_rows_only(file) -> None:
    lines = [json.dumps({"prompt": str(n), "completion": "x"}) for n in range(10)]
    assert [chat[0].content for chat in read(file("\n".join(lines)), rows=3)] == ["0", "1", "2"]


GOOD = json.dumps(FORMS["alpaca"])
BAD = {
    "empty": ("", "holds no training rows"),
    "blank": ("\n \r\n", "holds no training rows"),
    "empty array": ("[]", "holds no training rows"),
    "not json": (f"{GOOD}\n{{oops", "line 2: not JSON"),
    "not utf-8": (GOOD.encode() + b"\n\xff\xfe", "line 2: not UTF-8"),
    "a number": (f"{GOOD}\n\n7", "line 3: a row must be an object of named fields, not int"),
    "array of text": ('["a"]', "row 1: a row must be an object"),
    "unclosed array": (f"[{GOOD}", "not JSON"),
    "deep": ("[" * 100_000, "not JSON"),
    "no form": ('{"text": "hello"}', r"line 1: keys \['text'\] are none of prompt"),
    "preference": ('{"prompt": "a", "chosen": "b", "rejected": "c"}', "none of prompt"),
    "null": ('{"prompt": "a", "completion": null}', "line 1: completion must be text and not empty"),
    "no answer": ('{"instruction": "a", "output": " "}', "line 1: output must be text and not empty"),
    "input of a wrong type": ('{"instruction": "a", "input": 3, "output": "b"}', "input must be text"),
    "no turns": ('{"messages": []}', "line 1: messages: must be a list of turns"),
    "turns as text": ('{"messages": "hi"}', "messages: must be a list of turns"),
    "turn as text": ('{"messages": ["hi"]}', r"messages\[0\]: must be an object"),
    "tool turn": (
        '{"messages": [{"role": "tool", "content": "x"}]}',
        r"messages\[0\]: role 'tool' is none of",
    ),
    "no role": ('{"messages": [{"content": "x"}]}', r"messages\[0\]: role must be text"),
    "no content": (
        json.dumps({"messages": [MESSAGES[0], {"role": "assistant"}]}),
        r"messages\[1\]: content must be",
    ),
    "wrong names": (json.dumps({"conversations": MESSAGES}), r"conversations\[0\]: from must be text"),
    "ends with user": (json.dumps({"messages": MESSAGES[:1]}), "must end with an assistant turn, not user"),
    "assistant only": (json.dumps({"messages": MESSAGES[1:]}), "has no user turn"),
    "broken parquet": (b"PAR1 and then nothing of the kind", "not readable as Parquet"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_file(kind: str, file) -> None:
    content, message = BAD[kind]
    with pytest.raises(DataError, match=message) as error:
        read(file(content))
    assert "\n" not in str(error.value)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="not a file"):
        read(tmp_path)


def test_file_over_the_limit(file, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "DEFAULT", replace(data.DEFAULT, training_bytes=10))
    with pytest.raises(DataError, match="bytes are over the limit of 10"):
        read(file(GOOD))


@pytest.mark.integration
def test_parquet_that_unpacks_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    rows = [{"prompt": "a" * 100_000, "completion": "b"}] * 10
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, compression="zstd", use_dictionary=False)
    monkeypatch.setattr(data, "DEFAULT", replace(data.DEFAULT, training_bytes=50_000))
    assert path.stat().st_size < 50_000
    with pytest.raises(DataError, match="unpacks to"):
        read(path)


def test_parquet_without_pyarrow(file, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match="needs pyarrow"):
        read(file(b"PAR1PAR1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("prompt,completion\na,b\n", "training files are JSON lines, one JSON array, or Parquet"),
        ('{"prompt":"日本","completion":"はい"}'.encode("shift_jis"), "save the file as UTF-8"),
        ('{"prompt":"a \\ud800","completion":"b"}', "half a surrogate pair"),
        ('{"prompt":"a","chosen":"b","rejected":"c"}', "preference pairs are not rehearsed"),
    ],
)
def test_a_file_of_another_kind_is_told_what_is_read(file, content, said) -> None:
    with pytest.raises(DataError, match=said):
        read(file(content))


def test_half_a_surrogate_pair_costs_its_row_alone(file) -> None:
    found = data.survey(file(GOOD + '\n{"prompt":"a \\ud800","completion":"b"}\n'))
    assert (len(found.chats), [(r.reason, r.rows) for r in found.left_out]) == (1, [("encoding", 1)])


# digest


def test_digest_tells_order_role_and_text_apart() -> None:
    other: Chat = (Message("user", "Why"), Message("assistant", "?Because."))
    swapped: Chat = (Message("assistant", "Why?"), Message("user", "Because."))
    digests = {
        data.digest(chats)
        for chats in ((PAIR,), (PAIR, PAIR), (other,), (swapped,), (PAIR, other), (other, PAIR))
    }
    assert len(digests) == 6
    assert data.digest((PAIR,)) == data.digest(((Message("user", "Why?"), Message("assistant", "Because.")),))


def test_digest_of_a_lone_surrogate() -> None:
    assert len(data.digest(((Message("user", "\ud800"), Message("assistant", "x")),))) == 64
