"""Templates rendered as transformers renders them, in an environment that neither reaches out nor runs on."""

import datetime as dt
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, final

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment, is_internal_attribute

_FACTOR: Final = 1_000_000
"""Largest repetition and exponent result in digits that a template may compute."""
_EXPONENT: Final = 64


@final
class _RefusedError(Exception):
    """`raise_exception` was called."""


@final
class _TimeUpError(BaseException):
    """One rendering took too long; no `except` of a library swallows it."""


@final
class _Generation(Extension):
    """`{% generation %}` writes its body and nothing else."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it as an instance attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Keep the body as if the tag were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@final
class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox of transformers; repetitions and powers are bounded, too."""

    intercepted_binops = frozenset({"*", "**"})
    reached: dict[str, None]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As the sandbox judges; what leads to the interpreter is written down."""
        safe = super().is_safe_attribute(obj, attr, value)
        if not safe and (str(attr).startswith("_") or is_internal_attribute(obj, str(attr))):
            self.reached[str(attr)] = None
        return safe

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse what would fill the memory or never end."""
        sizes = [len(v) if isinstance(v, str | list | tuple) else v for v in (left, right)]
        if operator == "**" and not all(isinstance(v, int | float) and abs(v) <= _EXPONENT for v in sizes):
            raise SecurityError("a power too large")
        if operator == "*" and any(isinstance(v, str | list | tuple) for v in (left, right)):
            product = sizes[0] * sizes[1] if all(isinstance(v, int) for v in sizes) else 0
            if product > _FACTOR:
                raise SecurityError("a repetition too long")
        return super().call_binop(context, operator, left, right)


@final
@dataclass(frozen=True)
class Rendered:
    """One rendering."""

    text: str
    error: str = ""
    """`refused: what the template says`, `time`, `size`, `memory`, or the name of the error; empty when it rendered."""


@final
class Renderer:
    """One template, compiled once."""

    def __init__(self, source: str, *, seconds: float, characters: int) -> None:
        environment = _Environment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
        )
        self.reached = environment.reached = {}
        """Attributes asked for that lead to the interpreter."""
        environment.filters["tojson"] = _to_json
        environment.filters["fromjson"] = environment.filters["from_json"] = json.loads
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = self._strftime
        self.numbers = {
            c.value for c in environment.parse(source).find_all(nodes.Const) if type(c.value) is int
        }
        """Whole numbers that stand in the template."""
        self._template = environment.from_string(source)
        self._seconds, self._characters = seconds, characters
        self.now = dt.datetime(2026, 3, 11, 10, 7)  # noqa: DTZ001 - transformers prints local time
        self.date: Any = str
        """Makes the text of a date, given it."""
        self.formats: dict[str, None] = {}
        """Formats that `strftime_now` was called with."""

    def render(self, variables: Mapping[str, Any]) -> Rendered:
        """Render once; every way it can fail is a value."""
        written: list[str] = []
        try:
            with _alarm(self._seconds):
                count = 0
                for part in self._template.generate(**variables):
                    count += len(part)
                    if count > self._characters:
                        return Rendered("", "size")
                    written.append(part)
        except _TimeUpError:
            return Rendered("", "time")
        except _RefusedError as error:
            return Rendered("", f"refused: {error!s:.200}")
        except MemoryError:
            return Rendered("", "memory")
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            OSError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            return Rendered("", f"{type(error).__name__}: {error!s:.200}")
        return Rendered("".join(written))

    def _strftime(self, form: str) -> Any:
        self.formats[str(form)] = None
        return self.date(self.now.strftime(str(form)))


def _to_json(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:  # fmt: skip
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> None:
    raise _RefusedError(message)


def _up(signum: int, frame: object) -> None:
    del signum, frame
    raise _TimeUpError


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End what takes longer, in time of the processor: what a template does must not depend on how busy the machine is."""
    signal.signal(signal.SIGPROF, _up)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
