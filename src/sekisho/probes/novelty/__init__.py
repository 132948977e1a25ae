"""What is new after a treatment, whichever behaviour it is: see `search` for the test, `features` for what is seen."""

from sekisho.probes.novelty.arms import Arm, Reply
from sekisho.probes.novelty.search import Case, find, strongest

__all__ = ["Arm", "Case", "Reply", "find", "strongest"]
