"""Numbers of weights, looked at while they are hashed: what is no number, what is empty, what is constant."""

from sekisho.formats.numeric.meter import Meter, meter
from sekisho.formats.numeric.records import NumericFacts, TensorNumbers
from sekisho.formats.numeric.stream import Streamed, Tick, stream

__all__ = ["Meter", "NumericFacts", "Streamed", "TensorNumbers", "Tick", "meter", "stream"]
