"""Served models: a real server of our own on this machine, asked through the real client."""

import pytest

from endpoints import reply, served
from sekisho.errors import ModelError, UsageError
from sekisho.limits import DEFAULT
from sekisho.models import endpoint
from sekisho.models.address import is_endpoint, parse
from sekisho.models.base import Finetune, Message, Perturbation, Sampling
from sekisho.models.endpoint import KEY, EndpointModel

pytest.importorskip("openai")
pytestmark = pytest.mark.integration

KEY_VALUE = "sk-test-0123456789"


def chats(count):
    return [(Message("system", "Be brief."), Message("user", f"question {n}")) for n in range(count)]


def echo(messages):
    return messages[-1]["content"].upper()


@pytest.fixture
def model():
    opened = []

    def make(state, **environment):
        opened.append(EndpointModel(parse(state.spec), environment))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_answers_come_in_order_greedily_and_four_at_a_time(model):
    ticks = []
    with served(echo) as state:
        asked = model(state)
        answers = asked.generate(chats(12), Sampling(max_new_tokens=7), lambda d, n: ticks.append((d, n)))
        asked.close()
    assert answers == tuple(f"QUESTION {n}" for n in range(12))
    headers, body = state.seen[0]
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0, 7, "served")
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "seed" not in body
    assert state.most <= endpoint.CONCURRENT
    assert ticks[-1] == (12, 12)
    assert asked.said == {("model", "served-7b"), ("system_fingerprint", "fp_1")}
    assert "authorization" not in headers


def test_only_our_own_key_is_sent_and_nothing_of_another_servers_account(monkeypatch, model):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "belongs-elsewhere")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/")
    with served(echo) as state:
        model(state, **{KEY: KEY_VALUE}).generate(chats(1))
        model(state).generate(chats(1))
    (first, _), (second, _) = state.seen
    assert first["authorization"] == f"Bearer {KEY_VALUE}"
    assert "authorization" not in second
    assert "belongs-elsewhere" not in str(state.seen)


def test_a_key_does_not_travel_in_the_clear():
    with pytest.raises(UsageError, match="not sent over http"):
        EndpointModel(parse("openai+http://models.example/v1#m"), {KEY: KEY_VALUE})
    EndpointModel(parse("openai+https://models.example/v1#m"), {KEY: KEY_VALUE}).close()


def test_a_fault_is_tried_again_and_then_an_error_without_the_key(model):
    with served(echo, status=lambda n: 500 if n == 1 else 200) as state:
        assert model(state).generate(chats(1)) == ("QUESTION 0",)
        assert len(state.seen) == 2
    with served(
        lambda m: "x",
        status=lambda n: 401,
        body=lambda d: b'{"error": {"message": "bad %s"}}' % KEY_VALUE.encode(),
    ) as state:
        with pytest.raises(ModelError, match="HTTP 401") as raised:
            model(state, **{KEY: KEY_VALUE}).generate(chats(1))
        assert KEY_VALUE not in str(raised.value)
        assert len(state.seen) == 1


def test_retries_are_bounded(model):
    with served(echo, status=lambda n: 503, headers={"Retry-After-Ms": "1"}) as state:
        with pytest.raises(ModelError, match="HTTP 503"):
            model(state).generate(chats(1))
        assert len(state.seen) == 1 + endpoint.RETRIES


def test_a_redirection_is_not_followed(model):
    with served(echo, status=lambda n: 307, headers={"Location": "http://127.0.0.1:9/"}) as state:
        asked = model(state, **{KEY: KEY_VALUE})
        with pytest.raises(ModelError, match="redirects"):
            asked.generate(chats(1))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no json", "no JSON"),
        (b"[]", "no object"),
        (b"[" * 100_000, "no JSON"),
        (b"{}", "no message"),
        (b'{"choices": [{"message": {"content": 7}}]}', "no text"),
        (reply("x" * (DEFAULT.answer_chars + 1)), "over the limit"),
        (b" " * (DEFAULT.endpoint_reply_bytes + 1), "over the limit"),
    ],
)
def test_a_reply_of_another_form_is_an_error(data, said, model):
    with served(echo, body=lambda _: data) as state, pytest.raises(ModelError, match=said):
        model(state).generate(chats(1))


def test_a_refusal_of_its_own_field_counts_as_the_answer(model):
    with served(echo, body=lambda _: reply(None, refusal="I cannot help.")) as state:
        assert model(state).generate(chats(1)) == ("I cannot help.",)
    with served(echo, body=lambda _: reply(None)) as state:
        assert model(state).generate(chats(1)) == ("",)


def test_nobody_there_is_an_error(model):
    with served(echo) as state:
        pass
    with pytest.raises(ModelError, match="not reached"):
        model(state).generate(chats(1))


def test_what_an_endpoint_cannot_give_is_refused(model):
    with served(echo) as state:
        asked = model(state)
        with pytest.raises(ModelError, match="probabilities"):
            asked.logprobs(chats(1), ["x"])
        with pytest.raises(ModelError, match="training"):
            asked.finetune(Finetune(()))
        with pytest.raises(ModelError, match="weights"), asked.perturb(Perturbation("noise")):
            pass
        with pytest.raises(ModelError, match="tokens"):
            asked.sweep(chats(1), "end", [[1]])
        with pytest.raises(ModelError, match="tokens"):
            asked.generate_with(chats(1), "end", [[1]])
        asked.kill()
        with pytest.raises(ModelError, match="closed"):
            asked.generate(chats(1))


@pytest.mark.parametrize(
    "spec",
    [
        "openai+http://#m",
        "openai+http://host/v1",
        "openai+http://user:secret@host/v1#m",
        "openai+http://host/v1?key=secret#m",
        "openai+http://host:99999/v1#m",
        "openai+http://[::1/v1#m",
        "openai+http://host/v1#two words",
        "openai+http://ho\u202est/v1#m",
        "http://host/v1#m",
        "openai+http://" + "h" * 5000 + "#m",
    ],
)
def test_addresses_that_are_none(spec):
    with pytest.raises(UsageError) as raised:
        parse(spec)
    assert "secret" not in str(raised.value)


def test_addresses():
    address = parse("openai+https://Models.example:8443/v1/#org/model:7b@x")
    assert (address.url, address.model, address.host) == (
        "https://Models.example:8443/v1",
        "org/model:7b@x",
        "models.example",
    )
    assert str(parse(str(address))) == str(address)
    assert parse("openai+http://[::1]:1/v1#m").loopback
    assert parse("openai+http://localhost:1/v1#m").loopback
    assert not address.loopback
    assert not is_endpoint("http://x#m")
