"""The child that renders one template with many conversations: JSON on stdin, JSON on stdout."""

import _strptime  # type: ignore[import-not-found]  # noqa: F401  # like jinja2.debug: imported before imports are shut
import codecs
import json
import sys
import time
from dataclasses import asdict, replace
from typing import Any

import jinja2.constants
import jinja2.debug  # noqa: F401
from jinja2 import TemplateError

from sekisho.limits import Limits
from sekisho.sandbox.confine import give_up
from sekisho.sandbox.conversations import Shape, sentinels
from sekisho.sandbox.environment import Renderer
from sekisho.sandbox.probing import Probing
from sekisho.sandbox.watched import Notes


def answer(question: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Return what one template wrote. `question`: source, base (a source or null), texts, tokens."""
    try:
        renderer = _renderer(question["source"], limits)
    except (TemplateError, RecursionError, SyntaxError, ValueError, MemoryError) as error:
        return {"problem": f"does not compile: {error!s:.160}"}
    base = None
    if question.get("base"):
        try:
            base = _renderer(question["base"], limits)
        except (TemplateError, RecursionError, SyntaxError, ValueError, MemoryError):
            base = None
    deadline = time.process_time() + limits.template_probe_s
    probing = Probing(renderer, base, question["tokens"], deadline, Notes(limits.template_literals))
    shape, first = probing.main()
    if shape is None:
        return {"problem": f"does not render: {first.error or 'the last message is not in it'}"}
    cases = {"main": _case(probing, shape)}
    cases["no-system"] = _case(probing, replace(shape, system=False))
    cases["no-generation"] = _case(probing, replace(shape, generation=False))
    cases["tools"] = _case(probing, replace(shape, tools=True))
    called = probing.called(shape)
    if called is not None:
        cases["called"] = _case(probing, called)
    probing.dates(shape, first.text)
    probing.turns(shape)
    probing.lengths(shape)
    probing.sample(shape)
    probing.triggers(shape, question["texts"], limits.template_literals, called)
    return {
        "cases": cases,
        "sentinels": sentinels(shape),
        "system": shape.system,
        "reactions": [asdict(r) for r in probing.reactions],
        "reached": list(renderer.reached)[:16],
        "cut": probing.cut,
    }


def _renderer(source: str, limits: Limits) -> Renderer:
    return Renderer(source, seconds=limits.template_render_s, characters=limits.template_output_chars)


def _case(probing: Probing, shape: Shape) -> dict[str, Any]:
    out = probing.render(shape, watch=True)
    return {"text": out.text, "error": out.error, "base": probing.of_base(shape)}


def main() -> None:
    """Confine, read, answer."""
    limits = Limits()
    for name in ("ascii", "utf-8", "latin-1", "unicode_escape"):
        codecs.lookup(name)
    give_up(int(sys.argv[1]), int(limits.sandbox_s) + 1)
    sys.setrecursionlimit(600)
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.buffer.read()), limits)))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
