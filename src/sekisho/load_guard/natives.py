"""Entry points of loaders that open files in native code, which Python's audit events do not show."""

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


@dataclass(frozen=True)
class Entry:
    """A callable and its arguments that are paths."""

    module: str
    name: str
    """`function`, or `Class.method`."""
    arguments: tuple[tuple[int, str], ...]
    """Position, `self` not counted, and name."""


def _one(module: str, name: str, argument: str, position: int = 0) -> Entry:
    return Entry(module, name, ((position, argument),))


ENTRIES: Final = (
    _one("safetensors._safetensors_rust", "safe_open", "filename"),
    _one("safetensors._safetensors_rust", "_safe_open_handle", "filename"),
    _one("safetensors", "safe_open", "filename"),
    _one("tokenizers", "Tokenizer.from_file", "path"),
    _one("sentencepiece", "SentencePieceProcessor.Load", "model_file"),
    _one("sentencepiece", "SentencePieceProcessor.LoadFromFile", "arg"),
    _one("torch", "from_file", "filename"),
    _one("torch.storage", "UntypedStorage.from_file", "filename"),
    _one("torch.jit._serialization", "load", "f"),
    _one("torch._C", "PyTorchFileReader", "name_or_buffer"),
    _one("torch._C", "import_ir_module", "filename", 1),
    _one("llama_cpp.llama", "Llama.__init__", "model_path"),
    _one("llama_cpp.llama_cpp", "llama_model_load_from_file", "path_model"),
    _one("llama_cpp.llama_cpp", "llama_load_model_from_file", "path_model"),
    _one("llama_cpp.llama_cpp", "llama_adapter_lora_init", "path_lora", 1),
    _one("onnxruntime.capi.onnxruntime_inference_collection", "InferenceSession.__init__", "path_or_bytes"),
    _one("ctranslate2", "Generator.__init__", "model_path"),
    _one("ctranslate2", "Translator.__init__", "model_path"),
    _one("h5py._hl.files", "File.__init__", "name"),
    _one("openvino", "Core.read_model", "model"),
    _one("mlx.core", "load", "file"),
)
"""By the documentation of each library; what is not listed here is not seen when it opens files natively."""

Check = Callable[[Any], None]


def guard(check: Check) -> None:
    """Put the check before every entry point, of modules loaded already and of those to come."""
    for entry in ENTRIES:
        if entry.module in sys.modules:
            _wrap(sys.modules[entry.module], entry, check)
    sys.meta_path.insert(0, _Finder(check))


@final
class _Finder:
    """Lets the other finders find, and wraps what their loaders load."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._modules = frozenset(e.module for e in ENTRIES)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> "ModuleSpec | None":
        if name not in self._modules:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self._check)  # type: ignore[assignment]  # no ABC: its import is slow
                return spec
        return None


@final
class _Loader:
    """Another loader, with the check put in after it has run."""

    def __init__(self, inner: Any, check: Check) -> None:
        self._inner, self._check = inner, check

    def create_module(self, spec: "ModuleSpec") -> ModuleType | None:
        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        for entry in ENTRIES:
            if entry.module == module.__name__:
                _wrap(module, entry, self._check)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # resources and sources are asked of the loader, too


def _wrap(module: ModuleType, entry: Entry, check: Check) -> None:
    owner: Any = module
    *outer, last = entry.name.split(".")
    for part in outer:
        owner = getattr(owner, part, None)
    original = getattr(owner, last, None)
    if original is None or getattr(original, "_sekisho_guarded", False):
        return
    made = _checked(original, entry, check, bound=bool(outer) and not _static(owner, last))
    try:
        setattr(owner, last, staticmethod(made) if outer and _static(owner, last) else made)
    except (AttributeError, TypeError):
        return  # a type that cannot be changed; the folder is checked when its configuration is read
    if not outer:
        _everywhere(last, original, made)


def _static(owner: Any, name: str) -> bool:
    """Called without an object of the class: a static method, or one that has its class already."""
    if any(isinstance(vars(c).get(name), staticmethod) for c in owner.__mro__):
        return True
    return isinstance(getattr(getattr(owner, name), "__self__", None), type)


def _checked(original: Any, entry: Entry, check: Check, *, bound: bool) -> Any:
    @functools.wraps(original, updated=())
    def call(*arguments: Any, **named: Any) -> Any:
        given = arguments[1:] if bound else arguments
        for position, name in entry.arguments:
            if name in named:
                check(named[name])
            elif position < len(given):
                check(given[position])
        return original(*arguments, **named)

    call._sekisho_guarded = True  # type: ignore[attr-defined]  # noqa: SLF001  a mark of our own
    return call


def _everywhere(name: str, original: Any, made: Any) -> None:
    """Modules that took the name from another before the guard came."""
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is original:
            setattr(module, name, made)
