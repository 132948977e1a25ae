"""A model that somebody serves, asked over the OpenAI protocol: it answers, and that is all one can have of it.

No weights, no probabilities and no seed that holds: training, perturbations, sweeps and `logprobs` raise ModelError.
The key comes from the environment, is sent to the server that was named and nowhere else, and is never written down.
"""
# ruff: noqa: ARG002  what only raises names its arguments as the interface does

import json
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ModelError, UsageError
from sekisho.limits import DEFAULT
from sekisho.models.address import Address
from sekisho.models.base import (
    Chat,
    Checkpoint,
    Finetune,
    Perturbation,
    Perturbed,
    Progress,
    Sampling,
    Shift,
    silent,
)

KEY: Final = "SEKISHO_ENDPOINT_KEY"
"""Environment variable of the key; without it, none is sent."""
CONCURRENT: Final = 4
"""Questions under way at a time."""
RETRIES: Final = 2
"""Of one question, after a lost connection, 408, 409, 429 or a fault of the server."""
NEVER: Final = ("endpoint-weights", "endpoint-logprobs", "endpoint-seed")
"""What cannot be had of any endpoint; codes of the `not_run` words."""
_NO_KEY: Final = "none"
"""The library wants one; where there is none, its header is left out."""


@final
class EndpointModel:
    """See `models.base.Model` for the methods."""

    def __init__(self, address: Address, environment: Mapping[str, str] = os.environ) -> None:
        """Connects to nothing yet. Raises UsageError without the library, or where the key would travel in the clear."""
        self._address, self._key = address, environment.get(KEY, "")
        if self._key and address.url.startswith("http://") and not address.loopback:
            raise UsageError(
                f"{address.host}: the key in {KEY} is not sent over http; use https, or unset it"
            )
        self._client: Any = _client(address, self._key)
        self._open = True
        self.said: frozenset[tuple[str, str]] = frozenset()
        """(what, value) that the server said about itself: `model` and `system_fingerprint`."""

    def generate(
        self, chats: Sequence[Chat], sampling: Sampling = Sampling(), progress: Progress = silent
    ) -> tuple[str, ...]:
        """Answer each chat, in order, four at a time. Raises ModelError."""
        self._check()
        pool = ThreadPoolExecutor(CONCURRENT)
        try:
            asked = [pool.submit(self._ask, chat, sampling) for chat in chats]
            for done, future in enumerate(as_completed(asked), 1):
                future.result()
                progress(done, len(asked))
            return tuple(self._heard(future) for future in asked)
        finally:
            pool.shutdown(cancel_futures=True)

    def logprobs(self, chats: Sequence[Chat], answers: Sequence[str]) -> tuple[float, ...]:
        """Raise ModelError: an endpoint gives none that hold."""
        raise _never("probabilities")

    def finetune(self, job: Finetune, progress: Progress = silent) -> Generator[Checkpoint, None, None]:
        """Raise ModelError: its weights are elsewhere."""
        raise _never("training")

    @contextmanager
    def perturb(
        self, change: Perturbation, base: Path | None = None, watched: Sequence[Chat] = ()
    ) -> Iterator[Perturbed]:
        """Raise ModelError: its weights are elsewhere."""
        raise _never("a change of its weights")
        yield  # makes it a generator, as the interface has it

    def sweep(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        progress: Progress = silent,
    ) -> tuple[Shift, ...]:
        """Raise ModelError: it takes text, no token ids."""
        raise _never("single tokens")

    def generate_with(
        self,
        chats: Sequence[Chat],
        slot: str,
        sequences: Sequence[Sequence[int]],
        sampling: Sampling = Sampling(),
    ) -> tuple[str, ...]:
        """Raise ModelError: it takes text, no token ids."""
        raise _never("single tokens")

    def close(self) -> None:
        """Let go of the connections."""
        self._open = False
        self._client.close()

    def kill(self) -> None:
        """Same as `close`; questions under way break off."""
        self.close()

    def _check(self) -> None:
        if not self._open:
            raise ModelError("the model was closed")

    def _heard(self, future: "Future[dict[str, Any]]") -> str:
        reply = future.result()
        named = {
            (k, v[:200]) for k in ("model", "system_fingerprint") if isinstance(v := reply.get(k), str) and v
        }
        self.said |= named
        return answer(reply)

    def _ask(self, chat: Chat, sampling: Sampling) -> dict[str, Any]:
        """One question, the whole reply. Raises ModelError."""
        import openai

        self._check()
        try:
            with self._client.chat.completions.with_streaming_response.create(
                model=self._address.model,
                messages=[{"role": m.role, "content": m.content} for m in chat],
                max_tokens=sampling.max_new_tokens,
                temperature=sampling.temperature,
                extra_headers=None if self._key else {"Authorization": openai.Omit()},
            ) as response:
                return _document(response.iter_bytes())
        except openai.APIStatusError as error:
            raise ModelError(f"{self._address.host}: {self._status(error)}") from None
        except openai.APITimeoutError:
            raise ModelError(f"{self._address.host}: no answer within {DEFAULT.endpoint_s:.0f} s") from None
        except (openai.OpenAIError, OSError, RuntimeError) as error:
            # RuntimeError: the client was closed meanwhile. The key may stand in a message, so none is passed on
            raise ModelError(f"{self._address.host}: not reached: {type(error).__name__}") from None

    def _status(self, error: Any) -> str:
        """What the server refused with; a redirection is followed nowhere, and a key it quotes is left out."""
        code = int(error.status_code)
        if 300 <= code < 400:  # noqa: PLR2004  redirections
            return f"it redirects (HTTP {code}), which is not followed; name the address it leads to"
        text = " ".join(str(error.message).split())
        if self._key:
            text = text.replace(self._key, "***")
        return f"HTTP {code}: {text[:200]}"


def answer(reply: Mapping[str, Any]) -> str:
    """The text of a reply; of a model that declines in a field of its own, that text. Raises ModelError."""
    choices = reply.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        raise ModelError("the endpoint's reply holds no message")
    text = message.get("content")
    if text is None:
        text = message.get("refusal") or ""
    if not isinstance(text, str):
        raise ModelError("the endpoint's message is no text")
    if len(text) > DEFAULT.answer_chars:
        raise ModelError(f"the endpoint's answer is over the limit of {DEFAULT.answer_chars:,} characters")
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _document(chunks: Iterator[bytes]) -> dict[str, Any]:
    """A reply as JSON, bounded in size and time. Raises ModelError."""
    until = time.monotonic() + DEFAULT.endpoint_s
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > DEFAULT.endpoint_reply_bytes:
            raise ModelError(
                f"the endpoint's reply is over the limit of {DEFAULT.endpoint_reply_bytes:,} bytes"
            )
        if time.monotonic() > until:
            raise ModelError(f"the endpoint's reply took more than {DEFAULT.endpoint_s:.0f} s")
    try:
        found = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise ModelError("the endpoint's reply is no JSON") from error
    if not isinstance(found, dict):
        raise ModelError("the endpoint's reply is no object")
    return found


def _client(address: Address, key: str) -> Any:
    try:
        import openai
    except ImportError as error:
        raise UsageError("asking an endpoint needs openai: pip install 'sekisho[endpoint]'") from error
    # what the library would take from the environment by itself belongs to another server
    own: dict[str, Any] = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
    return openai.OpenAI(
        base_url=address.url,
        api_key=key or _NO_KEY,
        organization="",
        project="",
        default_headers=own,
        max_retries=RETRIES,
        http_client=openai.DefaultHttpxClient(
            follow_redirects=False,
            trust_env=not address.loopback,  # a proxy is for the way out
            timeout=openai.Timeout(DEFAULT.endpoint_s, connect=DEFAULT.endpoint_connect_s),
        ),
    )


def _never(what: str) -> ModelError:
    return ModelError(f"an endpoint only answers; {what} cannot be had of it")
