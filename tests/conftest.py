"""Property tests run alike everywhere: no time limits on a shared machine, the same examples each time."""

from hypothesis import settings

settings.register_profile("same-everywhere", deadline=None, derandomize=True, database=None)
settings.load_profile("same-everywhere")
