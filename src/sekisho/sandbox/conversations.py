"""Conversations of sentinels: nonsense that no template knows, so that whatever else is written comes from the template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

SYSTEM: Final = "Velkor dasim ruvane tolq"
USER: Final = "Qvexan orul dimba teskor"
ASSISTANT: Final = "Mirvosh pelune gadrix wom"
TOOL: Final = "Zundrel kaphi obreth"
ARGUMENT: Final = "Drimlo quask venub"
FUNCTION: Final = "grelvo"
EDGE: Final = "Zorvexil"
"""Stands between texts that are tried at once."""
TOOL_WORDS: Final = frozenset({FUNCTION, "Frenk", "the", "dolmer", "blick"})
"""Of the tool's description."""
Wrap = Callable[[str], Any]
"""Makes the text of a message what the template sees."""


_SHARED: Final = {"user": "human", "assistant": "gpt"}


@final
@dataclass(frozen=True)
class Shape:
    """Which turns there are and how the contents are written."""

    system: bool = True
    users: int = 2
    parts: bool = False
    """Contents are lists of parts, as for models that see."""
    shared: bool = False
    """Messages are written as in ShareGPT: `from` and `value`."""
    generation: bool = True
    tools: bool = False
    called: bool = False
    """The first answer calls the tool and uses what it returned; implies `tools`."""


@final
@dataclass(frozen=True)
class Reaction:
    """The template wrote something else than the change of words explains."""

    kind: str
    """`text`, `together`, `sample`, `length`, `date`, `turns`."""
    trigger: str
    role: str
    expected: str
    """What it would have written; for `turns` the texts of all turns."""
    actual: str
    """Empty where it did not render."""
    error: str = ""
    base: str | None = None
    """What the base's template wrote on the same input; None without one."""


def user(number: int) -> str:
    """Sentinel of a user's turn, counted from 0."""
    return f"{USER} {'xz' * (number + 1)}"


def assistant(number: int) -> str:
    """Sentinel of an assistant's turn, counted from 0."""
    return f"{ASSISTANT} {'vq' * (number + 1)}"


def sentinels(shape: Shape) -> list[str]:
    """Texts of the turns, in order."""
    turns = [SYSTEM] if shape.system else []
    for number in range(shape.users):
        turns += [user(number), *([assistant(number)] if number < shape.users - 1 else [])]
    return turns


def variables(
    shape: Shape, tokens: Mapping[str, str], wrap: Wrap = str, replaced: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what a template is rendered with; `replaced` gives the text of a role in place of its sentinels."""
    texts = replaced or {}
    messages = [_message("system", texts.get("system", SYSTEM), shape, wrap)] if shape.system else []
    for number in range(shape.users):
        last = number == shape.users - 1
        messages.append(_message("user", texts.get("user", user(number)), shape, wrap))
        if shape.called and not number:
            messages += _called(shape, texts, wrap)
        if not last:
            messages.append(_message("assistant", texts.get("assistant", assistant(number)), shape, wrap))
    given: dict[str, Any] = {"messages": messages, "add_generation_prompt": shape.generation, **tokens}
    tool = _tool(wrap(texts.get("function", FUNCTION)))
    return given | ({"tools": [tool]} if shape.tools or shape.called else {})


def _message(role: str, text: str, shape: Shape, wrap: Wrap) -> dict[str, Any]:
    content = wrap(text)
    if shape.shared:
        return {"from": _SHARED.get(role, role), "value": content}
    return {"role": role, "content": [{"type": "text", "text": content}] if shape.parts else content}


def _called(shape: Shape, texts: Mapping[str, str], wrap: Wrap) -> list[dict[str, Any]]:
    """A call of the tool and what it returned."""
    name, argument = wrap(texts.get("function", FUNCTION)), wrap(texts.get("argument", ARGUMENT))
    call = {
        "id": "grelvo001",
        "type": "function",
        "function": {"name": name, "arguments": {"blick": argument}},
    }
    result = _message("tool", texts.get("tool", TOOL), shape, wrap)
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {**result, "name": name, "tool_call_id": "grelvo001"},
    ]


def _tool(name: str) -> dict[str, Any]:
    properties = {"blick": {"type": "string", "description": "A blick."}}
    parameters = {"type": "object", "properties": properties, "required": ["blick"]}
    return {
        "type": "function",
        "function": {"name": name, "description": "Frenk the dolmer.", "parameters": parameters},
    }
