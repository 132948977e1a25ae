"""One pass over everything; what cannot be read is a fact, never an exception."""

import hashlib
import os
import socket

import pytest

from artefacts import save_safetensors, tiny_arrays, tiny_model
from hostile import HOSTILE, PAYLOAD
from sekisho import inventory
from sekisho.errors import SourceError
from sekisho.formats import numeric
from sekisho.inventory import problem_code, take
from sekisho.limits import Limits
from sekisho.records import Role

pytestmark = pytest.mark.integration


def by_path(root, limits=inventory.DEFAULT):
    return {fact.path: fact for fact in take(root, limits).files}


def test_a_clean_model_is_known_in_full(tmp_path):
    model = tiny_model(tmp_path / "m")
    files = by_path(model)
    assert {path: fact.role for path, fact in files.items()} == {
        ".gitattributes": Role.UNKNOWN,
        "LICENSE": Role.LICENCE,
        "README.md": Role.CARD,
        "config.json": Role.CONFIG,
        "generation_config.json": Role.CONFIG,
        "model.safetensors": Role.WEIGHTS,
        "tokenizer.json": Role.TOKENIZER,
        "tokenizer_config.json": Role.TOKENIZER,
    }
    for path, fact in files.items():
        data = (model / path).read_bytes()
        assert (fact.size, fact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert fact.problem == ""
        assert fact.facts is not None
    assert list(files) == sorted(files)


def test_equal_folders_are_equal(tmp_path):
    assert take(tiny_model(tmp_path / "a")).files == take(tiny_model(tmp_path / "b")).files


def test_a_single_file_works_too(tmp_path):
    model = tiny_model(tmp_path / "m")
    found = take(model / "model.safetensors")
    assert (found.root, found.files[0].path) == (str(model), "model.safetensors")


def test_roles_follow_content(tmp_path):
    lora = {"base_model.model.q_proj.lora_A.weight": tiny_arrays()["model.norm.weight"]}
    save_safetensors(tmp_path / "model.safetensors", lora)
    save_safetensors(
        tmp_path / "adapter.safetensors", {"prompt_embeddings": tiny_arrays()["model.norm.weight"]}
    )
    (tmp_path / "config.json").write_bytes(PAYLOAD)
    (tmp_path / "LICENSE").write_bytes(bytes(100))
    files = by_path(tmp_path)
    assert files["model.safetensors"].role is Role.ADAPTER
    assert files["adapter.safetensors"].role is Role.SOFT_PROMPT
    assert (files["config.json"].format, files["config.json"].role) == ("pickle", Role.UNKNOWN)
    assert (files["LICENSE"].format, files["LICENSE"].role) == ("unknown", Role.UNKNOWN)


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_raises(name, tmp_path):
    model = tiny_model(tmp_path / "m")
    HOSTILE[name](model)
    for fact in take(model).files:
        assert fact.problem == "" or problem_code(fact) in inventory.PROBLEMS


@pytest.mark.parametrize(
    ("make", "name", "code"),
    [
        (lambda f: (f / "x").symlink_to("/etc/hostname"), "x", "symlink-outside"),
        (lambda f: (f / "x").symlink_to(".."), "x", "symlink-outside"),
        (lambda f: (f / "x").symlink_to(f), "x", "symlink-folder"),
        (lambda f: (f / "x").symlink_to("x"), "x", "symlink-broken"),
        (lambda f: os.mkfifo(f / "x"), "x", "not-a-file"),
        (lambda f: (f / "a\nb").write_text(""), "a\\nb", "bad-name"),
        (lambda f: (f / os.fsdecode(b"\xff")).write_text(""), "\\udcff", "bad-name"),
        (lambda f: (f / ".git").mkdir(), ".git", "not-walked"),
        (lambda f: (f / "/".join("d" * 30)).mkdir(parents=True), "/".join("d" * 17), "too-deep"),
        (lambda f: (f / "x.json").write_text("{"), "x.json", "malformed"),
    ],
)
def test_what_is_not_read_is_written_down(make, name, code, tmp_path):
    model = tiny_model(tmp_path / "m")
    make(model)
    assert problem_code(by_path(model)[name]) == code


def test_a_link_within_the_model_is_read(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "COPYING").symlink_to("LICENSE")
    files = by_path(model)
    assert files["COPYING"].sha256 == files["LICENSE"].sha256
    assert files["COPYING"].problem == ""


def test_sockets_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert problem_code(by_path(tmp_path)["s"]) == "not-a-file"


def test_unreadable_is_a_fact(tmp_path, monkeypatch):
    model = tiny_model(tmp_path / "m")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(numeric, "stream", refuse)
    assert {problem_code(f) for f in take(model).files} == {"unreadable"}


def test_bounds(tmp_path):
    model = tiny_model(tmp_path / "m")
    assert {problem_code(f) for f in take(model, Limits(file_bytes=1)).files} == {"over-limit"}
    cut = take(model, Limits(files=3)).files
    assert len(cut) == 4
    assert [problem_code(f) for f in cut if f.problem] == ["too-many-files"]
    assert problem_code(by_path(model, Limits(config_bytes=10))["config.json"]) == "over-limit"


def test_nothing_to_look_at_is_a_usage_error(tmp_path):
    for path in (tmp_path, tmp_path / "absent", tmp_path / "a\x00b"):
        with pytest.raises(SourceError):
            take(path)


def test_hidden_files_count(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / ".cache" / "x").mkdir(parents=True)
    (model / ".cache" / "x" / ".hidden").write_bytes(PAYLOAD)
    assert by_path(model)[".cache/x/.hidden"].format == "pickle"


def test_the_digest_is_that_of_every_byte(tmp_path):
    data = os.urandom(3 * 2**20 + 17)
    (tmp_path / "x").write_bytes(data)
    assert numeric.stream(tmp_path / "x").sha256 == hashlib.sha256(data).hexdigest()
