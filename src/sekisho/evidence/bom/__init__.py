"""The bill of materials of a model: CycloneDX 1.7 JSON, written here and only checked by libraries.

The reference library for Python drops model cards, data and formulation without a word (as of 11.12), so it validates
in the tests and writes nothing. What nobody knows is spelled out as `unknown`; what was measured here, read from a
file and claimed by the supplier is told apart by `citations`.
"""

from sekisho.evidence.bom.making import build, to_json
from sekisho.evidence.bom.references import dangling
from sekisho.evidence.bom.subject import Base, Subject

__all__ = ["Base", "Subject", "build", "dangling", "to_json"]
