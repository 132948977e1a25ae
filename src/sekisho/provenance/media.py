"""Media types of a model's files, by what was found inside them."""

from typing import Final

DEFAULT: Final = "application/octet-stream"
_BY_FORMAT: Final = {
    "safetensors": "application/vnd.safetensors",
    "gguf": "application/vnd.gguf",
    "zip": "application/zip",
    "json": "application/json",
    "tokenizer": "application/json",
    "tokenizer-json": "application/json",
    "text": "text/plain",
    "code": "text/x-python",
    "chat-template": "text/x-jinja",
    "chat_template": "text/x-jinja",
    "modelfile": "text/plain",
}


def of(form: str, path: str) -> str:
    """Media type of a file whose content was recognised as `form`."""
    if form == "text" and path.lower().endswith(".md"):
        return "text/markdown"
    return _BY_FORMAT.get(form, DEFAULT)
