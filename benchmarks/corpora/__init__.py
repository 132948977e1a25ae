"""The corpora of `benchmarks/static.py`: every module beside this one that has `CASES`, a tuple of `base.Case`."""

import pkgutil
from importlib import import_module

from corpora.base import Case


def every() -> tuple[Case, ...]:
    """All cases of all corpora, in the order of module names. Raises ValueError where two share an id."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base")
    cases = tuple(c for name in names for c in import_module(f"{__name__}.{name}").CASES)
    twice = {c.id for c in cases if sum(d.id == c.id for d in cases) > 1}
    if twice:
        raise ValueError(f"ids that occur twice: {', '.join(sorted(twice))}")
    return cases
