"""The range coder, with one interface for both directions.

The model of some numbers is written once: it passes the coder a block of symbols with
their probabilities, and updates its counts with the symbols that it gets back. The
encoder returns the symbols that it was given, the decoder those that it reads.

Probabilities must come out of additions, multiplications and divisions alone, which
IEEE 754 fixes to the last bit: `exp` and `log` differ between processors, and a
difference of one bit would garble all that follows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mobilenet_tf.packages import require

(constriction,) = require(
    "constriction", purpose="the codec", command="pip install constriction"
)
# Submodules of a compiled package, which `import` does not find.
model, queue = constriction.stream.model, constriction.stream.queue

_WORD = 12  # bits of an integer that are coded as one symbol


class Coder(Protocol):
    """Shared operations of `Encoder` and `Decoder`."""

    def bits(self, values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Code truth values, each of which is true with its own probability.

        Args:
            values: bool, of any shape. A decoder uses the shape alone.
            probabilities: float64 in (0, 1), of the same shape.

        Returns:
            The truth values that were written or read, bool of the same shape.
        """

    def symbols(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Code numbers from 0, each with a probability in proportion to its weight.

        Args:
            values: Integers `(n,)`. A decoder uses the shape alone.
            weights: Positive float64 `(number of symbols,)`. A single symbol takes no
                bytes.

        Returns:
            The numbers that were written or read, int64 `(n,)`.
        """

    def integers(self, values: np.ndarray, bits: int) -> np.ndarray:
        """Code numbers below `2**bits`, all with the same probability.

        Args:
            values: int64 `(n,)`. A decoder uses the shape alone.
            bits: At least 0.

        Returns:
            The numbers that were written or read, int64 `(n,)`.
        """


class Encoder:
    """Turns symbols into bytes."""

    def __init__(self) -> None:
        self._queue = queue.RangeEncoder()

    def bits(self, values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        family = model.Bernoulli(perfect=False)
        flat = np.ascontiguousarray(values, "int32").ravel()
        self._queue.encode(flat, family, np.ascontiguousarray(probabilities).ravel())
        return values

    def symbols(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if len(weights) > 1:
            family = model.Categorical(weights, perfect=False)
            self._queue.encode(np.ascontiguousarray(values, "int32"), family)
        return values

    def integers(self, values: np.ndarray, bits: int) -> np.ndarray:
        for low, width in _words(bits):
            word = (values >> low) & ((1 << width) - 1)
            self._queue.encode(word.astype("int32"), model.Uniform(1 << width))
        return values

    def content(self) -> bytes:
        """The encoded bytes."""
        return self._queue.get_compressed().astype("<u4").tobytes()


class Decoder:
    """Turns bytes into symbols; of the `values` it is given, the shape alone counts.

    Args:
        content: What an encoder wrote. Other bytes mostly give other symbols.

    Raises:
        ValueError: By all methods, for bytes that no encoder has written.
    """

    def __init__(self, content: bytes) -> None:
        words = np.frombuffer(content, "<u4").astype("uint32")
        self._queue = queue.RangeDecoder(words)
        self._length = len(words)
        # All that is read is encoded again, which gives the legal length of a stream.
        self._encoded_again = queue.RangeEncoder()

    def bits(self, values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        family = model.Bernoulli(perfect=False)
        flat = np.ascontiguousarray(probabilities).ravel()
        return self._decode(family, flat).reshape(values.shape).astype(bool)

    def symbols(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        if len(weights) == 1:
            return np.zeros(len(values), "int64")
        family = model.Categorical(weights, perfect=False)
        return self._decode(family, count=len(values))

    def integers(self, values: np.ndarray, bits: int) -> np.ndarray:
        numbers = np.zeros(len(values), "int64")
        for low, width in _words(bits):
            word = self._decode(model.Uniform(1 << width), count=len(values))
            numbers |= word << low
        return numbers

    def _decode(self, family, *parameters, count=None):
        try:
            symbols = self._queue.decode(family, *parameters or (count,))
        except AssertionError as error:  # constriction's, for an impossible state
            raise ValueError("a stream holds symbols that no encoder writes") from error
        self._encoded_again.encode(symbols, family, *parameters)
        # One word more is the encoder's unfinished end.
        if self._encoded_again.num_words() > self._length + 1:
            raise ValueError("a stream ends before the last weight of its tensor")
        return symbols.astype("int64")

    def finish(self) -> None:
        """Check that the stream has no more and no fewer words than it needs.

        Raises:
            ValueError: It has.
        """
        needed = self._encoded_again.num_words()
        if needed != self._length:
            raise ValueError(f"a stream must have {needed} words, got {self._length}")


def _words(bits):
    """Positions and widths of the words that an integer is cut into."""
    return [(low, min(_WORD, bits - low)) for low in range(0, bits, _WORD)]


def blocks(count: int, size: int) -> list[slice]:
    """Slices of at most a size that cover a count: models learn after each."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
