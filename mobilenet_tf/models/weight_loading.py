"""Weights from a file into a network of ours.

A Keras 3 weights file holds the variables of the n-th layer of a class under
`layers/{class}_{n}/vars`, a Keras 2 file by the layers' names, in order. So a network
whose layers come in the same order as ours, such as `keras.applications.MobileNet`, is
read whatever its layers are called.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import keras

from mobilenet_tf.models import merged, timm_weights, weights_file
from mobilenet_tf.models.weights_file import StoredWeights, bad, next_key, spelled

SUFFIXES = (".h5", ".keras")
CLASSIFIERS = ("classifier", "conv10")  # of MobileNet and of SqueezeNet


def check(weights: str | PathLike | None, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Raise ValueError unless `weights` is None or a file of a known kind."""
    if weights is None:
        return
    legal = " or ".join(suffixes)
    if not isinstance(weights, str | PathLike) or not str(weights).endswith(suffixes):
        raise ValueError(
            f"weights must be None or the path of a {legal} file, got {weights!r}"
        )
    if not Path(weights).is_file():
        raise ValueError(f"weights must be an existing file, got {str(weights)!r}")


def read(path: str | PathLike) -> StoredWeights:
    """Read a weights file.

    Args:
        path: A `.h5` or `.keras` file written by Keras 2 or 3, from our network or
            `keras.applications`', whose classifier is a 1x1 convolution; or a
            `.safetensors` file of timm.

    Raises:
        ImportError: It is timm's, and safetensors is not installed.
        ValueError: The file is damaged, no weights file, or a weight is not finite.
    """
    if str(path).endswith(timm_weights.SUFFIX):
        return StoredWeights(path, timm_weights.read(path))
    return weights_file.read(path)


def load(
    model: keras.Model,
    weights: StoredWeights,
    advice: Callable[[int], str] | None = None,
) -> None:
    """Load the weights of the same network into a model.

    They are checked as a whole before the first weight is changed. A classifier of
    another number of classes, or where the model has none, is left out, with a warning.

    Args:
        model: A flat functional model.
        weights: What `read` has read.
        advice: Gives the argument to change, from the number of filters of the file's
            first convolution, where the model has another number.

    Warns:
        UserWarning: The classifier is left out, or batch normalisation is merged.

    Raises:
        ValueError: They are of another network.
    """
    path, stored = weights.path, weights.arrays
    _check_additions(model, weights)
    values, used = [], set()
    for layer, key in _keyed(model):
        own = [tuple(variable.shape) for variable in layer.weights]
        arrays = stored.get(key)
        if arrays is None and isinstance(layer, keras.layers.Dense):
            arrays = _convolution_as_dense(stored)
            used.add(_last_convolution(stored))
        used.add(key)
        shapes = [array.shape for array in arrays or ()]
        if shapes == own:
            values.append((layer, arrays))
        elif layer.name in CLASSIFIERS and (
            not arrays or shapes[0][:-1] == own[0][:-1]
        ):
            what = f"of {shapes[0][-1]} classes is left out" if shapes else "is missing"
            own_stays = f"that of {own[0][-1]} classes in {model.name!r} keeps its "
            cure = f"; pass classes={shapes[0][-1]} to load it" if shapes else ""
            _warn(path, f"{what}; {own_stays}initial weights{cure}")
        else:
            reason = f"it has {shapes or 'nothing'} for {layer.name!r} {own}"
            if advice and key == "conv2d" and shapes and shapes[0][:-1] == own[0][:-1]:
                reason += f"; {advice(shapes[0][-1])}"
            raise bad(path, reason)
    if left := sorted(set(stored) - used):
        if not all(_may_be_classifier(stored, key) for key in left):
            raise bad(path, f"{model.name!r} has no layers for {', '.join(left)}")
        classes = stored[left[-1]][0].shape[-1]
        _warn(path, f"of {classes} classes is left out: {model.name!r} has none")
    for layer, arrays in values:
        layer.set_weights(arrays)
    if merged.is_merged(model):
        warnings.warn(
            f"batch normalisation in {str(path)!r} is merged into the convolutions "
            "(mean 0, variance 1), and training would destroy it: call "
            "mobilenet_tf.training.recalibrate_batch_norm(model, images) first; "
            "mobilenet_tf.training.fit does so itself",
            stacklevel=3,
        )


def _warn(path, what):
    warnings.warn(f"the classifier in {str(path)!r} {what}", stacklevel=4)


def _check_additions(model, weights):
    """Reject a file of another bypass, if it tells: simple bypass has no weights."""
    additions = sum(kind == "Add" for kind, _ in weights.layers)
    own = sum(isinstance(layer, keras.layers.Add) for layer in model.layers)
    if weights.layers and additions != own:
        reason = f"it has {additions} additions, {model.name!r} {own}"
        raise bad(weights.path, reason)


def _keyed(model):
    """The layers with weights, each with the key that Keras gives it in a file."""
    counts: dict[str, int] = {}
    for layer in model.layers:
        key = next_key(counts, spelled(type(layer).__name__))
        if layer.weights:
            yield layer, key


def _convolution_as_dense(stored):
    """The last convolution's kernel `(1, 1, in, out)` and bias, as of a dense layer."""
    kernel, *bias = stored[_last_convolution(stored)]
    return [kernel.reshape(kernel.shape[-2:]), *bias] if bias else None


def _may_be_classifier(stored, key):
    kernel, *bias = stored[key]
    last = kernel.ndim == 2 or key == _last_convolution(stored)
    return last and bool(bias) and kernel.shape[:-2] in ((), (1, 1))


def _last_convolution(stored):
    return max(
        (key for key in stored if key.startswith("conv2d")),
        key=lambda key: int(key.removeprefix("conv2d").removeprefix("_") or 0),
    )
