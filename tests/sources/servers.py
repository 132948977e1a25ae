"""Servers on 127.0.0.1 that answer like a hub, a registry or a plain host, from a table of paths."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Reply = tuple[int, dict[str, str], bytes]
Answer = Callable[[str, dict[str, str], bytes], Reply | None]
"""(path with query, headers in lower case, body) to status, headers and body; None is a 404."""


@dataclass
class Served:
    """A running server."""

    url: str
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(answer: Answer) -> Iterator[Served]:
    """Run a server until the block ends."""
    served = Served("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self._reply()

        def do_HEAD(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            served.seen.append((self.path, headers))
            status, named, data = answer(self.path, headers, body) or (404, {}, b"")
            self.send_response(status)
            for key, value in {"Content-Length": str(len(data)), **named}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def blob(data: bytes) -> str:
    """Git's id of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def hub(
    files: dict[str, bytes],
    commit: str,
    *,
    lfs: frozenset[str] = frozenset(),
    altered: dict[str, bytes] | None = None,
) -> Answer:
    """A hub with one model, `org/tiny`, whose branch `main` is `commit`; `altered` files are served otherwise than listed."""

    def answer(path: str, headers: dict[str, str], body: bytes) -> Reply | None:
        where, _, _ = path.partition("?")
        if where.startswith("/api/models/org/tiny/tree/"):
            return (
                200,
                {"Content-Type": "application/json"},
                json.dumps([_listed(p, d, p in lfs) for p, d in files.items()]).encode(),
            )
        if where in {
            "/api/models/org/tiny",
            f"/api/models/org/tiny/revision/{commit}",
            "/api/models/org/tiny/revision/main",
        }:
            listed = [{"rfilename": p} for p in files]
            info = {
                "_id": "1",
                "id": "org/tiny",
                "modelId": "org/tiny",
                "sha": commit,
                "siblings": listed,
                "private": False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
            }
            return 200, {"Content-Type": "application/json"}, json.dumps(info).encode()
        head = f"/org/tiny/resolve/{commit}/"
        if where.startswith(head) and where.removeprefix(head) in files:
            name = where.removeprefix(head)
            data = (altered or {}).get(name, files[name])
            etag = sha256(files[name]) if name in lfs else blob(files[name])
            return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "none"}, data
        return None

    return answer


def _listed(path: str, data: bytes, lfs: bool) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": path, "size": len(data), "oid": blob(data)}
    if lfs:
        digest = sha256(data)
        pointer = (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()
        )
        entry |= {
            "oid": blob(pointer),
            "lfs": {"oid": digest, "size": len(data), "pointerSize": len(pointer)},
        }
    return entry


def manifest(files: dict[str, bytes]) -> bytes:
    """An OCI manifest of named files."""
    layers = [
        {
            "mediaType": "application/octet-stream",
            "digest": f"sha256:{sha256(d)}",
            "size": len(d),
            "annotations": {"org.opencontainers.image.title": p},
        }
        for p, d in files.items()
    ]
    config = {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": f"sha256:{sha256(b'{}')}",
        "size": 2,
    }
    return json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
