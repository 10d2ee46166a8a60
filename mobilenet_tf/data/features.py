"""Which features of a TFDS data set are images, and what is said of them.

An image has a class, or any number of attributes, or nothing is said of it.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf
import tensorflow_datasets as tfds

_KINDS = "ClassLabel, a sequence of ClassLabel, or a dictionary of booleans"


@dataclasses.dataclass(frozen=True)
class Labels:
    """A label feature of a TFDS data set.

    Attributes:
        key: Name of the feature; None where the images have no labels.
        names: Names of the classes or attributes in index order.
        multi_label: Whether an image has any number of them instead of one.
    """

    key: str | None = None
    names: tuple[str, ...] = ()
    multi_label: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the labels of one image: a number, or 0 or 1 for each attribute."""
        return (len(self.names),) if self.multi_label else ()

    def of(self, example: dict) -> tf.Tensor:
        """The int64 labels of an example; -1 where it has none."""
        if self.key is None:
            return tf.constant(-1, tf.int64)
        value = example[self.key]
        if not self.multi_label:
            return tf.cast(value, tf.int64)
        if isinstance(value, dict):
            return tf.stack([tf.cast(value[name], tf.int64) for name in self.names])
        present = tf.one_hot(value, len(self.names), dtype=tf.int64)
        return tf.minimum(tf.reduce_sum(present, axis=0), 1)  # one may come twice


def image_feature(
    name: str, features: tfds.features.FeaturesDict, given: str | None = None
) -> str:
    """The name of the image feature.

    Raises:
        ValueError: `given` is no image feature, or nothing is given and there is none,
            or there are several and none is called "image".
    """
    kind = tfds.features.Image
    found = [key for key, feature in features.items() if isinstance(feature, kind)]
    return _only("image", "Image", name, features, found, given)


def label_feature(
    name: str,
    features: tfds.features.FeaturesDict,
    given: str | None = None,
    unlabelled: bool = False,
) -> Labels:
    """What is said of the images.

    Raises:
        ValueError: `given` holds no labels, or images without labels are asked for; or
            nothing is given and there are none, or there are several and none is called
            "label".
    """
    if unlabelled:
        if given is not None:
            raise ValueError(
                f"label_key must be None where unlabelled is True, got {given!r}"
            )
        return Labels()
    readable = {key: _labels(key, feature) for key, feature in features.items()}
    readable = {key: one for key, one in readable.items() if one is not None}
    classes = [key for key, one in readable.items() if not one.multi_label]
    found = [*readable] if given is not None or not classes else classes
    return readable[_only("label", _KINDS, name, features, found, given)]


def _only(role, kind, name, features, found, given):
    """The feature that is given, the only one found, or the one called as its role."""
    if given is not None:
        if given not in found:
            raise ValueError(
                f"{role}_key must be one of the {role} features of {name!r} "
                f"({', '.join(found) or 'none'}), got {given!r}"
            )
        return given
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(
            f"data set {name!r} has no {role} feature ({kind}); its features are "
            f"{', '.join(features)}"
        )
    if role in found:
        return role
    raise ValueError(
        f"data set {name!r} has several {role} features ({', '.join(found)}); choose "
        f"one with --{role}_key"
    )


def _labels(key, feature):
    """The labels that a feature holds, if any."""
    if isinstance(feature, tfds.features.ClassLabel):
        return Labels(key, tuple(feature.names))
    if isinstance(feature, tfds.features.Sequence):
        one = _labels(key, feature.feature)
        if one and not one.multi_label:
            return dataclasses.replace(one, multi_label=True)
    if isinstance(feature, tfds.features.FeaturesDict):
        parts = feature.values()  # a nested one has dictionaries as type and shape
        if parts and all(one.tf_dtype == tf.bool and one.shape == () for one in parts):
            return Labels(key, tuple(feature), multi_label=True)
    return None
