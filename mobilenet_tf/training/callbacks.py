"""Keras callbacks of a training: validation, progress, and those of the user."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras

from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.training.evaluation import measure

_REFRESH_SECONDS = 0.2


class AcrossStages(keras.callbacks.Callback):
    """The user's callbacks, for which a training of several stages is one training.

    A recipe with growing input sides calls Keras' `fit` once for each side; a CSV file
    or an event file is to be opened once all the same.

    Args:
        callbacks: The user's.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        super().__init__()
        self._callbacks = list(callbacks)
        self._running = False

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        for callback in self._callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        for callback in self._callbacks:
            callback.set_params(params)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if not self._running:
            self._running = True
            for callback in self._callbacks:
                callback.on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        for callback in self._callbacks:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        for callback in self._callbacks:
            callback.on_train_batch_end(batch, logs)

    def finish(self) -> None:
        """End the training of all stages."""
        if self._running:
            self._running = False
            for callback in self._callbacks:
                callback.on_train_end({})


class Validation(keras.callbacks.Callback):
    """Adds "val_loss" and "val_top1" to the logs of each epoch.

    Args:
        data: Its evaluation split is evaluated.
        central_fraction: See `mobilenet_tf.training.evaluate`.
    """

    def __init__(self, data: DataSet, central_fraction: float):
        super().__init__()
        self._data, self._central_fraction = data, central_fraction

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        evaluation = measure(
            self.model,
            self._data.evaluation,
            self._data.classes,
            self._central_fraction,
            self._data.multi_label,
        )
        assert logs is not None
        logs["val_loss"] = evaluation.loss
        accuracy = evaluation.mean_ap if self._data.multi_label else evaluation.top1
        logs["val_top1"] = accuracy


class Display(keras.callbacks.Callback):
    """A line after each epoch, and on a terminal one that grows during the epoch.

    Args:
        epochs: Epochs of the whole training.
        report: Called with each line.
    """

    def __init__(self, epochs: int, report: Callable[[str], None]):
        super().__init__()
        self._epochs, self._report = epochs, report
        self._terminal = sys.stdout if sys.stdout.isatty() else None
        self._epoch, self._shown = 0, 0.0
        self._epoch_started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._epoch_started = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        now = time.monotonic()
        if self._terminal is None or now - self._shown < _REFRESH_SECONDS:
            return
        self._shown = now
        done = 100 * (batch + 1) / self.params["steps"]
        line = f"{self._title()}  {done:3.0f} %  {_measures(logs or {})}"
        self._terminal.write(f"\r{line}\x1b[K")
        self._terminal.flush()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        now = time.monotonic()
        if self._terminal is not None:
            self._terminal.write("\r\x1b[K")
        left, seconds = self._epochs - epoch - 1, now - self._epoch_started
        line = f"{self._title()}  {_measures(logs or {})}  {seconds:.0f} s"
        if left:
            line += f", about {_duration(seconds * left)} left"
        self._report(line)

    def _title(self) -> str:
        width = len(str(self._epochs))
        return f"epoch {self._epoch + 1:{width}}/{self._epochs}"


def _measures(logs: dict[str, float]) -> str:
    text = f"loss {logs['loss']:.3f}  accuracy {100 * logs['top1']:5.1f} %"
    if "val_top1" in logs:
        text += f"  validation {100 * logs['val_top1']:5.1f} %"
    return text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
