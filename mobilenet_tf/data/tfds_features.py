"""The image feature and the label feature of a TFDS data set.

An image has one class, or any number of attributes (multi-label), or no label.
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
        key: Name of the feature; None for unlabelled images.
        names: Names of the classes or attributes in index order.
        multi_label: Whether images have any number of attributes instead of one class.
    """

    key: str | None = None
    names: tuple[str, ...] = ()
    multi_label: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image's labels: () for a class, (attributes,) for multi-label."""
        return (len(self.names),) if self.multi_label else ()

    def of(self, example: dict) -> tf.Tensor:
        """The int64 labels of an example; -1 where it is unlabelled."""
        if self.key is None:
            return tf.constant(-1, tf.int64)
        value = example[self.key]
        if not self.multi_label:
            return tf.cast(value, tf.int64)
        if isinstance(value, dict):
            return tf.stack([tf.cast(value[name], tf.int64) for name in self.names])
        present = tf.one_hot(value, len(self.names), dtype=tf.int64)
        return tf.minimum(tf.reduce_sum(present, axis=0), 1)  # a label may be repeated


def image_feature(
    name: str, features: tfds.features.FeaturesDict, given: str | None = None
) -> str:
    """The name of the image feature.

    Raises:
        ValueError: `given` is no image feature, or nothing is given and there is none,
            or there are several and none is called "image".
    """
    kind = tfds.features.Image
    images = [key for key, feature in features.items() if isinstance(feature, kind)]
    return _choose("image", "Image", name, features, images, given)


def label_feature(
    name: str,
    features: tfds.features.FeaturesDict,
    given: str | None = None,
    unlabelled: bool = False,
) -> Labels:
    """The label feature.

    Args:
        name: Of the data set, for errors.
        features: Of the data set.
        given: Name of the feature; None means the only ClassLabel, or else the only
            multi-label feature, or the one called "label".
        unlabelled: Leave the labels out.

    Raises:
        ValueError: `given` is no label feature, or is given although `unlabelled`; or
            nothing is given and there is none, or there are several and none is called
            "label".
    """
    if unlabelled:
        if given is not None:
            raise ValueError(
                f"label_key must be None where unlabelled is True, got {given!r}"
            )
        return Labels()
    labels = {
        key: parsed
        for key, feature in features.items()
        if (parsed := _labels(key, feature)) is not None
    }
    single = [key for key, parsed in labels.items() if not parsed.multi_label]
    candidates = single if single and given is None else list(labels)
    return labels[_choose("label", _KINDS, name, features, candidates, given)]


def _choose(
    role: str,
    kind: str,
    name: str,
    features: tfds.features.FeaturesDict,
    candidates: list[str],
    given: str | None,
) -> str:
    """The feature that is given, the only candidate, or the one named by its role."""
    if given is not None:
        if given not in candidates:
            raise ValueError(
                f"{role}_key must be one of the {role} features of {name!r} "
                f"({', '.join(candidates) or 'none'}), got {given!r}"
            )
        return given
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise ValueError(
            f"data set {name!r} has no {role} feature ({kind}); its features are "
            f"{', '.join(features)}"
        )
    if role in candidates:
        return role
    raise ValueError(
        f"data set {name!r} has several {role} features ({', '.join(candidates)}); "
        f"choose one with {role}_key="
    )


def _labels(key: str, feature: tfds.features.FeatureConnector) -> Labels | None:
    """The labels that a feature holds; None where it is no label feature."""
    if isinstance(feature, tfds.features.ClassLabel):
        return Labels(key, tuple(feature.names))
    if isinstance(feature, tfds.features.Sequence):
        element = _labels(key, feature.feature)
        if element and not element.multi_label:
            return dataclasses.replace(element, multi_label=True)
    if isinstance(feature, tfds.features.FeaturesDict):
        parts = feature.values()  # a nested part has dictionaries as type and shape
        if parts and all(
            part.tf_dtype == tf.bool and part.shape == () for part in parts
        ):
            return Labels(key, tuple(feature), multi_label=True)
    return None
