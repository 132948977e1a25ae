"""The model that `make fetch` brings: known by its bytes, clean in its files, alive in its child process."""

from importlib.util import find_spec

import pytest

import sekisho
from sekisho.errors import SourceError
from sekisho.models.base import Message, Sampling
from sekisho.models.local import LocalModel
from sekisho.records import Outcome
from sekisho.sources import cache
from sekisho.sources.resolve import Source, resolve

NAME = "smollm2-135m-instruct"
CACHE = cache.folder()
"""The user's; taken while tests are collected, before conftest.py puts an empty one in its place."""

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra `models`"),
    pytest.mark.skipif(not cache.model(CACHE, NAME).is_dir(), reason=f"needs {NAME}; run `make fetch`"),
]


@pytest.fixture(scope="module")
def fetched() -> Source:
    return resolve(NAME, CACHE)


def test_its_bytes_are_those_of_the_catalogue(fetched: Source) -> None:
    assert (fetched.kind, fetched.pinned) == ("catalogue", True)


def test_a_byte_changed_in_the_cache_is_noticed(fetched: Source, tmp_path) -> None:
    copy = cache.model(tmp_path, NAME)
    copy.mkdir(parents=True)
    for file in fetched.path.iterdir():
        (copy / file.name).symlink_to(file)
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.json").write_bytes((fetched.path / "tokenizer.json").read_bytes() + b" ")

    with pytest.raises(SourceError, match=r"tokenizer\.json was altered"):
        resolve(NAME, tmp_path)


def test_no_check_objects_to_its_files(fetched: Source) -> None:
    findings = sekisho.inspect(fetched.path, "none").findings

    assert {f.outcome for f in findings} == {Outcome.PASS, Outcome.NOT_RUN}


def test_it_answers(fetched: Source) -> None:
    model = LocalModel(fetched.path)
    chat = (Message("user", "What is the capital of France?"),)
    answers = model.generate([chat] * 3, Sampling(max_new_tokens=16))
    model.close()

    assert len(set(answers)) == 1
    assert "Paris" in answers[0]
