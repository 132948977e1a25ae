"""Keys by their formats, wherever text stands; examples stay quiet."""

import random
import string
import time

import pytest

from artefacts import edit_json, save_safetensors, tiny_arrays, tiny_model
from checks.sentences import said_in_both
from sekisho.checks.base import Case
from sekisho.checks.secrets import Secrets
from sekisho.formats import secrets
from sekisho.inventory import take
from sekisho.records import Outcome

_DICE = random.Random(4)  # stand-ins, not keys


def drawn(count, alphabet=string.ascii_letters + string.digits):
    return "".join(_DICE.choices(alphabet, k=count))


PEM = "-----BEGIN {}PRIVATE KEY-----\n{}\n{}\n-----END"
KEYS = {
    "rsa": PEM.format("RSA ", drawn(64), drawn(64)),
    "pkcs8": PEM.format("", drawn(64), drawn(64)),
    "aws": "AKIA" + drawn(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "github": "ghp_" + drawn(36),
    "gitlab": "glpat-" + drawn(20),
    "hub": "hf_" + drawn(34, string.ascii_letters),
    "provider": "sk-proj-" + drawn(48),
    "slack": "xoxb-" + drawn(30),
    "registry": "npm_" + drawn(36),
    "jwt": f"eyJ{drawn(30)}.eyJ{drawn(60)}.{drawn(43)}",
    "address": f"postgres://kettle:{drawn(14)}@db.kettle.net/main",
    "assigned": f'client_secret = "{drawn(40)}"',
}  # fmt: skip


def held(folder):
    found = [*Secrets().run(Case(take(folder)))]
    said_in_both(found)
    return [f for f in found if f.outcome is not Outcome.PASS]


@pytest.mark.parametrize("name", KEYS)
def test_hit_in_a_card(name, tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "README.md").write_text(f"# Model\n\nuse {KEYS[name]} to log in\n")
    (found,) = held(model)
    assert found.where == "README.md:3"
    assert KEYS[name][:4] in found.detail
    assert KEYS[name] not in found.detail


def test_hit_in_settings_and_headers(tmp_path):
    model = tiny_model(tmp_path / "m")
    edit_json(model / "config.json", wandb={"api_key": drawn(40)})
    save_safetensors(model / "model.safetensors", tiny_arrays(), {"format": "pt", "by": KEYS["github"]})
    assert [f.where for f in held(model)] == ["config.json:api_key", "model.safetensors:by"]


EXAMPLES = [
    'token="hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"', 'api_key = "YOUR_API_KEY_GOES_IN_HERE_PLEASE"', "AKIAIOSFODNN7EXAMPLE",
    "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "https://user:password@host.com/x", "export HF_TOKEN=hf_...",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", 'access_token="${TOKEN_FROM_THE_ENVIRONMENT_HERE}"',
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "http://localhost:8000/v1", "bearer eyJhbGciOi...",
    "arxiv.org/abs/2405.12345 10.0.0.1", "git+https://github.com/kettle/kettle@main", 'api_key="EMPTY"', "http://0.0.0.0:8080",
]  # fmt: skip


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_cards_stay_quiet(text):
    assert secrets.find(text) == ()


def test_clean(tmp_path):
    assert [*Secrets().run(Case(take(tiny_model(tmp_path / "m"))))] == []


def test_malformed_texts_do_not_end_it(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "README.md").write_bytes(b"\xff\xfe" + KEYS["aws"].encode())
    (model / "config.json").write_text("{")
    assert held(model) == []


def test_private_networks_are_only_noted(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "README.md").write_text("see http://10.20.30.40/runs and https://wiki.kettle.internal/x\n")
    (found,) = Secrets().run(Case(take(model)))
    assert (found.reason, found.outcome) == ("private-address", Outcome.PASS)


def test_many_are_counted(tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / "notes.txt").write_text("\n".join("ghp_" + drawn(36) for _ in range(30)))
    found = held(model)
    assert len(found) == 9
    assert dict(found[-1].facts) == {"count": "22"}


@pytest.mark.integration
@pytest.mark.parametrize("piece", ["a", "a:", "eyJ", "x://a:", "-----BEGIN ", 'api_key="', "http://a."])
def test_over_limit_texts_take_linear_time(piece):
    started = time.process_time()
    assert secrets.find(piece * (300_000 // len(piece))) == ()
    assert time.process_time() - started < 10
