"""A small server that speaks as much of the OpenAI protocol as a comparison needs, on a port of its own."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[list[dict[str, str]]], str]


@dataclass
class Served:
    """What a server does and what it was asked."""

    say: Say
    status: Callable[[int], int] = lambda n: 200
    body: Callable[[bytes], bytes] = lambda data: data
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    most: int = 0
    now: int = 0
    lock: Any = field(default_factory=threading.Lock)
    spec: str = ""


def reply(text: str | None, **message: Any) -> bytes:
    """The answer of a server."""
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text, **message},
    }
    return json.dumps(
        {
            "id": "1",
            "object": "chat.completion",
            "model": "served-7b",
            "system_fingerprint": "fp_1",
            "choices": [choice],
        }
    ).encode()


@contextmanager
def served(say: Say, **how: Any) -> Iterator[Served]:
    """Serve until the block ends."""
    state = Served(say, **how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for head and body

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.seen.append(({k.lower(): v for k, v in self.headers.items()}, asked))
                number = len(state.seen)
                state.now += 1
                state.most = max(state.most, state.now)
            try:
                self._send(state.status(number), state.body(reply(state.say(asked["messages"]))))
            finally:
                with state.lock:
                    state.now -= 1

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **state.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.spec = f"openai+http://127.0.0.1:{server.server_port}/v1#served"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
