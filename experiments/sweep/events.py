"""What a training reports while it runs.

Imports nothing heavy: the process that passes events on does without Keras.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Event:
    """An epoch of a trial, or its end.

    Attributes:
        trial: Key of the trial.
        epoch: Epochs finished.
        top1: Accuracy as a fraction: of the training data, or, at the end, of the
            validation data.
        loss: Training loss; None at the end.
        seconds: Seconds of training; None before the end.
    """

    trial: str
    epoch: int
    top1: float
    loss: float | None = None
    seconds: float | None = None

    @property
    def done(self) -> bool:
        """Whether the trial has a record."""
        return self.seconds is not None
