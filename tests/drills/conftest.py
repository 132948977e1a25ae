"""Recipes written as a user would write them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.drills import recipe
from sekisho.drills.recipe import Recipe


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Recipe]:
    """Write a recipe into a file and read it."""

    def write_and_read(content: str | bytes | dict, name: str = "mine.toml") -> Recipe:
        path = tmp_path / name
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return recipe.read(path)

    return write_and_read
