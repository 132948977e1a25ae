"""Templates in Go, as Ollama has them: whether one only puts roles and tags around messages. Never expanded."""

import re
from typing import Final

ACTION: Final = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.*\*/", re.DOTALL)
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|:=|\$?[\w.]+|[()|,]|\S')
_ROLE: Final = re.compile(r'"(?:user|system|assistant|tool|developer|control)"')
_FIELDS: Final = frozenset(
    {
        "System", "Prompt", "Response", "Role", "Content", "Messages", "Tools", "ToolCalls", "Function", "Function.Name",
        "Function.Arguments", "Function.Description", "Function.Parameters", "Thinking", "Think", "IsThinkSet", "ThinkLevel", "Suffix",
        "ToolName", "Images", "Name", "Arguments", "Type",
    }
)  # fmt: skip
_WORDS: Final = frozenset(
    {"if", "else", "end", "range", "and", "or", "not", "json", "true", "false", "(", ")"}
)
_LOOPS: Final = re.compile(r"range(?: \$\w+ ?, \$\w+ :=)? (?:\$?\.)(?:Messages|Tools|ToolCalls)")
_LAST: Final = re.compile(r"\$\w+ := eq \( len \( slice \$\.Messages \$\w+ \) \) 1")
"""Whether a message is the last, as Ollama's own templates ask it."""
_COMPARED: Final = re.compile(r'\b(?:eq|ne) (?:\$?\.Role "\w+"|"\w+" \$?\.Role)( "\w+")*')
_VARIABLE: Final = re.compile(r"\$\w*")


def is_plain(text: str) -> bool:
    """Say whether every action writes a field, asks whether one is there, walks a list, or compares a role."""
    return all(_is_plain(match[1]) for match in ACTION.finditer(text))


def literal(text: str) -> str:
    """What the template writes of its own: everything outside its actions."""
    return ACTION.sub("\n", text)


def _is_plain(action: str) -> bool:
    if _COMMENT.fullmatch(action):
        return True
    joined = " ".join(_TOKEN.findall(action))
    if _LOOPS.fullmatch(joined) or _LAST.fullmatch(joined):
        return True
    return all(_is_known(part) for part in _COMPARED.sub(_without_roles, joined).split(" ") if part)


def _without_roles(match: re.Match[str]) -> str:
    """Nothing where a role is compared with roles' names; the comparison as it is where with anything else."""
    texts = re.findall(r'"\w+"', match[0])
    return "" if all(_ROLE.fullmatch(text) for text in texts) else match[0]


def _is_known(part: str) -> bool:
    field = part.removeprefix("$")
    return (
        part in _WORDS
        or _VARIABLE.fullmatch(part) is not None
        or part == "."
        or (field.startswith(".") and field[1:] in _FIELDS)
    )
