"""The arguments that all exports share, and their checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypedDict

import keras
import numpy as np

from mobilenet_tf import arguments
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.export.images import Examples
from mobilenet_tf.export.network import Network
from mobilenet_tf.models import keras_file


class Options(TypedDict, total=False):
    """Keyword arguments of every export, beside its own.

    Attributes:
        input_range: The model's inputs for black and for white, such as (-1, 1). None
            reads them from its graph, where that determines them.
        labels: Names of the classes in index order; None means those of `data`, else
            the WordNet ids for 1000 classes, else the numbers.
        data: The data set that the model was trained on, of `mobilenet_tf.data`. The
            file is verified, and the accuracy of model and file measured, on its
            evaluation split: on all images, or on 400 drawn at random. For int8, 200
            images of its training split calibrate the file.
        images: Real images to verify the file on, uint8 `(H, W, 3)` of any sizes; None
            means those of `data`, else 16 crops of one photograph that comes with
            matplotlib.
        classes: The true classes of `images`, for the accuracy of model and file. The
            images must not be training images then.
        data_description: What the weights were trained on, for the model card; None
            means the name of `data`.
    """

    input_range: tuple[float, float] | None
    labels: Sequence[str] | None
    data: DataSet | None
    images: Sequence[np.ndarray] | None
    classes: Sequence[int] | None
    data_description: str | None


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A model and the images that its file is verified on, both checked.

    Attributes:
        network: What is exported.
        examples: The images.
        data: The data set that the model was trained on, if it was given.
        data_description: What the weights were trained on; None where not known.
    """

    network: Network
    examples: Examples
    data: DataSet | None
    data_description: str | None


def prepare(export: str, model: keras.Model, options: Options) -> Prepared:
    """Check the shared arguments of an export.

    Args:
        export: Name of the function, for messages.
        model: What is exported.
        options: The keyword arguments that the function was given.

    Raises:
        TypeError: There is no such keyword argument.
        ValueError: An argument does not fit the model or the others.
    """
    arguments.keywords(export, options, Options.__annotations__)
    data, labels = options.get("data"), options.get("labels")
    network = Network.of(model, labels, options.get("input_range"))
    if data is not None:
        network = _with_class_names(network, data, labels)
        if labels is None and not data.unlabelled:
            keras_file.check_class_names(model, data.class_names)
    images, classes = options.get("images"), options.get("classes")
    if images is None and data is not None:
        if classes is not None:
            raise ValueError("classes must be those of images=; data has its own")
        examples = Examples.of_data_set(data, classifies=network.head is not None)
    else:
        examples = Examples.of(images, classes, network.labels)
    description = options.get("data_description")
    if description is None and data is not None:
        description = data.metadata.name
    return Prepared(network, examples, data, description)


def _with_class_names(
    network: Network, data: DataSet, labels: Sequence[str] | None
) -> Network:
    """The network with the class names of its data set where it has no others."""
    if isinstance(data, str):
        raise ValueError(
            f"data must be a data set of mobilenet_tf.data, got {data!r}; pass text "
            "for the model card as data_description="
        )
    arguments.instance("data", data, DataSet)
    if network.head is None or data.unlabelled:
        return network
    if network.head.classes != data.classes:
        raise ValueError(
            f"data must have the {network.head.classes} classes of the model, got "
            f"{data.classes}"
        )
    names = data.class_names if labels is None else labels
    return dataclasses.replace(network, labels=list(names))
