"""The weights of a trusted base by name, for perturbations that move along (candidate - base).

Runs inside the child process; torch and safetensors are imported late. Only safetensors are opened here: a base
as GGUF has other names and is loaded by `models.engine` first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol, final

from sekisho.errors import ModelError
from sekisho.models.perturb import Array

PATTERN: Final = "*.safetensors"


class Weights(Protocol):
    """Looks up a tensor."""

    def get(self, name: str) -> Array | None:
        """The tensor in float32, None if there is none of that name."""
        ...


@final
class Folder:
    """The safetensors of a folder, read one tensor at a time."""

    def __init__(self, folder: Path, prefix: str) -> None:
        """`prefix` is what some files put before every name and others leave out. Raises ModelError."""
        from safetensors import SafetensorError, safe_open

        self._prefix = f"{prefix}." if prefix else ""
        files = sorted(folder.glob(PATTERN))
        if not files:
            raise ModelError(f"the base {folder.name} has no safetensors")
        self._files: dict[str, Any] = {}
        for file in files:
            try:
                opened: Any = safe_open(file, framework="pt")
            except SafetensorError as error:
                raise ModelError(f"the base's {file.name} cannot be read: {error}") from error
            self._files.update(dict.fromkeys(opened.keys(), opened))

    def get(self, name: str) -> Array | None:
        """The tensor in float32, None if there is none of that name."""
        spellings = (name, name.removeprefix(self._prefix), self._prefix + name)
        found = next((s for s in spellings if s in self._files), None)
        if found is None:
            return None
        tensor: Array = self._files[found].get_tensor(found).float().numpy()
        return tensor


@final
class Loaded:
    """The parameters of a model in memory."""

    def __init__(self, model: Any) -> None:
        self._parameters: Mapping[str, Any] = dict(model.named_parameters())

    def get(self, name: str) -> Array | None:
        """The tensor in float32, None if there is none of that name."""
        found = self._parameters.get(name)
        if found is None:
            return None
        tensor: Array = found.detach().float().numpy()
        return tensor
