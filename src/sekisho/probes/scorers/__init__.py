"""Scorers, one file each. To add one: write the file, name it here, add its cases."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sekisho.probes.scorers.base import AbstractScorer
from sekisho.probes.scorers.canary import Canary
from sekisho.probes.scorers.compliance import Compliance
from sekisho.probes.scorers.expected_answer import ExpectedAnswer
from sekisho.probes.scorers.novel_span import NovelSpan
from sekisho.probes.scorers.refusal import Refusal

SCORERS: Final[Mapping[str, AbstractScorer]] = MappingProxyType(
    {
        "canary": Canary(),
        "compliance": Compliance(),
        "expected-answer": ExpectedAnswer(),
        "novel-span": NovelSpan(),
        "refusal": Refusal(),
    }
)
"""Every scorer a suite may name."""
