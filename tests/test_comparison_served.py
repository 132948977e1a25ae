"""A real server, `transformers serve`, with the tiny model behind it; needs fastapi and uvicorn, which no extra brings."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace

import pytest

import sekisho
from artefacts import tiny_adapter, tiny_model
from sekisho.comparison import Options
from sekisho.drills import profile as profiles

NEEDED = ("openai", "fastapi", "uvicorn", "torch", "transformers")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(n) is None for n in NEEDED), reason="transformers serve is not installed"
    ),
]


@contextmanager
def transformers_serve(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    call = [
        sys.executable,
        "-c",
        code,
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    server = subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait(server, f"http://127.0.0.1:{port}/health")
        yield f"openai+http://127.0.0.1:{port}/v1#{folder}"
    finally:
        server.terminate()
        server.communicate(timeout=60)


def _wait(server, url):
    for _ in range(600):
        if server.poll() is not None:
            raise AssertionError(server.stderr.read().decode()[-2000:])
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server did not come up")


def test_a_folder_and_the_same_model_served_show_no_finding(tmp_path, monkeypatch):
    few = replace(profiles.load("quick"), families=3)
    monkeypatch.setattr(profiles, "load", lambda _: few)
    model = tiny_model(tmp_path / "model")
    with transformers_serve(model) as spec:
        made = sekisho.compare(model, spec, options=Options(cache=tmp_path / "cache"))
    assert made.kinds == ("folder", "endpoint")
    assert made.outcome == "open"  # nine questions rule nothing out
    assert not any(c.claim.found for c in made.changes)
    assert [e for e in made.examples if e.group in ("advert", "refusal", "improper", "leak")] == []


def test_an_adapter_over_its_base_is_asked_in_the_child(tmp_path, monkeypatch):
    few = replace(profiles.load("quick"), families=2)
    monkeypatch.setattr(profiles, "load", lambda _: few)
    base, own = tiny_model(tmp_path / "base"), tiny_adapter(tmp_path / "own", scale=1.0)
    made = sekisho.compare(base, own, options=Options(cache=tmp_path / "cache"))
    assert made.kinds == ("folder", "adapter")
    assert made.bases[1] == made.roots[0]
    assert made.examples  # such a large one changes every answer
