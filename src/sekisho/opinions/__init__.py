"""Second opinions: other people's scanners, each run in a confined child, their answers kept with their version.

An alarm of theirs holds a model; their silence counts for nothing, and their absence is said.
To add one: write its `Tool` in `tools.py`, and its cases in tests/opinions/.
"""

from sekisho.opinions.adapter import ask
from sekisho.opinions.base import CHECK, Opinion, Remark, Tool
from sekisho.opinions.findings import judge
from sekisho.opinions.tools import CORE, NAMES, parse_names

__all__ = ["CHECK", "CORE", "NAMES", "Opinion", "Remark", "Tool", "ask", "judge", "parse_names"]
