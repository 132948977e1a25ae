"""Where a model stands on its way in, and which steps are allowed; after provenance research, the article's own order."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """From the request to retirement."""

    REQUESTED = "requested"
    RECEIVED = "received"
    STATIC = "static"
    BEHAVIOUR = "behaviour"
    DRILL = "drill"
    DECIDED = "decided"
    PILOT = "pilot"
    PRODUCTION = "production"
    RE_TEST = "re-test"
    RETIRED = "retired"


_S = State
STEPS: Final[Mapping[State | None, frozenset[State]]] = MappingProxyType(
    {
        None: frozenset({_S.REQUESTED}),
        _S.REQUESTED: frozenset({_S.RECEIVED, _S.RETIRED}),
        _S.RECEIVED: frozenset({_S.STATIC, _S.RETIRED}),
        _S.STATIC: frozenset({_S.BEHAVIOUR, _S.DECIDED, _S.RETIRED}),
        _S.BEHAVIOUR: frozenset({_S.DRILL, _S.DECIDED, _S.RETIRED}),
        _S.DRILL: frozenset({_S.DECIDED, _S.RETIRED}),
        _S.DECIDED: frozenset({_S.PILOT, _S.RE_TEST, _S.RETIRED}),
        _S.PILOT: frozenset({_S.PRODUCTION, _S.RE_TEST, _S.RETIRED}),
        _S.PRODUCTION: frozenset({_S.RE_TEST, _S.RETIRED}),
        _S.RE_TEST: frozenset({_S.STATIC, _S.BEHAVIOUR, _S.DRILL, _S.RETIRED}),
        _S.RETIRED: frozenset({_S.REQUESTED}),
    }
)
"""From each state, those that may follow; a re-test begins with the files, or with what changed."""

APPROVED: Final = frozenset({State.PILOT, State.PRODUCTION})
"""States that somebody other than the requester must have approved, after the newest decision."""
