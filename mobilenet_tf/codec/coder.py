"""The range coder, behind one face for both directions.

A model of some numbers is written once: it asks the coder for a block of symbols and
learns from what it gets. The encoder hands back the symbols that it was given, the
decoder those that it reads. Probabilities must come out of additions, multiplications
and divisions alone, which IEEE 754 fixes to the last bit: `exp` and `log` differ
between processors, and one bit of difference would garble all that follows.
"""

from __future__ import annotations

import numpy as np

try:
    import constriction
except ImportError as error:
    raise ImportError(
        "compressed networks are coded by constriction; "
        "pip install 'mobilenet_tf[compression]'"
    ) from error

# Submodules of a compiled package, which `import` does not find.
model, queue = constriction.stream.model, constriction.stream.queue

_WORD = 12  # bits that are written at once without a model


class Encoder:
    """Takes symbols, gives bytes."""

    def __init__(self):
        self._queue = queue.RangeEncoder()

    def bits(self, values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Truth values, of which each is true with its own probability."""
        family = model.Bernoulli(perfect=False)
        flat = np.ascontiguousarray(values, "int32").ravel()
        self._queue.encode(flat, family, np.ascontiguousarray(probabilities).ravel())
        return values

    def symbols(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Numbers from 0, each as likely as its positive weight says."""
        if len(weights) > 1:
            family = model.Categorical(weights, perfect=False)
            self._queue.encode(np.ascontiguousarray(values, "int32"), family)
        return values

    def integers(self, values: np.ndarray, bits: int) -> np.ndarray:
        """Numbers below `2**bits`, all equally likely."""
        for low, width in _words(bits):
            word = (values >> low) & ((1 << width) - 1)
            self._queue.encode(word.astype("int32"), model.Uniform(1 << width))
        return values

    def content(self) -> bytes:
        """All that was written."""
        return self._queue.get_compressed().astype("<u4").tobytes()


class Decoder:
    """Takes bytes, gives the symbols: of `values` the shape alone counts.

    Args:
        content: What an encoder wrote. Other bytes mostly give other symbols.
    """

    def __init__(self, content: bytes):
        words = np.frombuffer(content, "<u4").astype("uint32")
        self._queue = queue.RangeDecoder(words)
        self._amount = len(words)
        # All that is read is written once more: it tells where a stream has to end.
        self._again = queue.RangeEncoder()

    def bits(self, values, probabilities):
        family = model.Bernoulli(perfect=False)
        flat = np.ascontiguousarray(probabilities).ravel()
        return self._decode(family, flat).reshape(values.shape).astype(bool)

    def symbols(self, values, weights):
        if len(weights) == 1:
            return np.zeros(len(values), "int64")
        family = model.Categorical(weights, perfect=False)
        return self._decode(family, count=len(values))

    def integers(self, values, bits):
        found = np.zeros(len(values), "int64")
        for low, width in _words(bits):
            word = self._decode(model.Uniform(1 << width), count=len(values))
            found |= word << low
        return found

    def _decode(self, family, *parameters, count=None):
        try:
            found = self._queue.decode(family, *parameters or (count,))
        except AssertionError as error:  # constriction's, of what no encoder writes
            raise ValueError("a stream holds what is never written") from error
        self._again.encode(found, family, *parameters)
        if self._again.num_words() > self._amount + 1:  # one more is the unfinished end
            raise ValueError("a stream ends before the last weight of its tensor")
        return found.astype("int64")

    def finish(self) -> None:
        """Check that the stream has no more and no fewer words than it needs.

        Raises:
            ValueError: It has.
        """
        needed = self._again.num_words()
        if needed != self._amount:
            raise ValueError(f"a stream must have {needed} words, got {self._amount}")


def _words(bits):
    """Positions and widths of the words that a number is cut into."""
    return [(low, min(_WORD, bits - low)) for low in range(0, bits, _WORD)]


def blocks(count: int, size: int) -> list[slice]:
    """Slices of at most a size that cover a count: models learn after each."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
