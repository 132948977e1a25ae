"""The load guard: no model is opened in this process that the project's `sekisho.lock` does not name.

`install(lock)` before any loader is imported, or `sekisho load-guard -- python serve.py`. Needs nothing but the
standard library. SECURITY.md says what it cannot stop: code that means to get around it, and native code on its own.
"""

from sekisho.load_guard.guard import Guard
from sekisho.load_guard.hook import install
from sekisho.load_guard.lockfile import Lock, Model, find, read

__all__ = ["Guard", "Lock", "Model", "find", "install", "read"]
