"""What a training ran on: packages, machine, threads and the states of the random generators."""

import hashlib
import os
import platform
import random
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

DECIDING: Final = (
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_VISIBLE_DEVICES",
    "HF_HUB_OFFLINE",
    "KMP_AFFINITY",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
    "TOKENIZERS_PARALLELISM",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)
"""Environment variables that can change results; no other is written down."""
_INSTALLED: Final = re.compile(r"([A-Za-z0-9._-]+?)-([^-]+)\.dist-info")


def packages() -> dict[str, str]:
    """Every installed package and its version, by the names of their metadata folders: the library lock."""
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = [p.name for p in Path(place or ".").iterdir()]
        except OSError:
            continue  # a zip file, or a folder that is not there
        for name in names:
            if match := _INSTALLED.fullmatch(name):
                found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
    return dict(sorted(found.items()))


def digest(locked: Mapping[str, str]) -> str:
    """sha256 over `name==version` lines."""
    text = "".join(f"{name}=={version}\n" for name, version in sorted(locked.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def machine() -> dict[str, Any]:
    """Processor, accelerators, threads and switches of the numerics."""
    torch = sys.modules.get("torch")
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_bytes": _memory(),
        "python": platform.python_version(),
        "environment": {k: os.environ[k] for k in DECIDING if k in os.environ},
        **(_torch(torch) if torch is not None else {}),
    }


def seeds() -> dict[str, Any]:
    """States of the generators, as digests; of torch, the seed it was given, too."""
    found: dict[str, Any] = {"python_state": _short(repr(random.getstate()).encode())}
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        name, keys, *rest = numpy.random.get_state()
        found["numpy_state"] = _short(repr((name, rest)).encode() + keys.tobytes())
    if torch is not None:
        found["torch_seed"] = int(torch.initial_seed())
        found["torch_state"] = _short(torch.get_rng_state().numpy().tobytes())
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            found["cuda_states"] = [_short(s.numpy().tobytes()) for s in torch.cuda.get_rng_state_all()]
    return found


def _torch(torch: Any) -> dict[str, Any]:
    cuda = torch.cuda.is_available()
    return {
        "accelerators": [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
        if cuda
        else [],
        "cuda": str(torch.version.cuda or ""),
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "vector_units": torch.backends.cpu.get_cpu_capability(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
        "matmul_precision": torch.get_float32_matmul_precision(),
    }


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            found = next((line for line in file if line.startswith("model name")), "")
    except OSError:
        found = ""
    return found.partition(":")[2].strip() or platform.processor()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0  # not told on this system


def _short(state: bytes) -> str:
    return hashlib.sha256(state).hexdigest()
