"""The two packages on the other side, imported so that they change nothing here."""

import os

import tensorflow as tf

from mobilenet_tf.packages import require

# The toolkit sets a variable that makes tf.keras, once somebody uses it, the older
# package for the whole process. So tf.keras is used now, and the variable taken back.
_USED = tf.keras.layers
_BEFORE = os.environ.get("TF_USE_LEGACY_KERAS")

# The toolkit's own requirements would put NumPy 1 in the place of NumPy 2 (BUILD.md).
require(
    "tensorflow_model_optimization",
    "tf_keras",
    purpose="training a compressed network",
    command="pip install dm-tree six 'tf_keras>=2.19,<2.22' && "
    "pip install --no-deps tensorflow-model-optimization==0.8.0",
)
import tensorflow_model_optimization as tfmot  # noqa: E402
import tf_keras  # noqa: E402
from tensorflow_model_optimization.python.core.clustering.keras.cluster_config import (  # noqa: E402
    GradientAggregation,
)
from tensorflow_model_optimization.python.core.clustering.keras.clustering_algorithm import (  # noqa: E402, E501
    ClusteringAlgorithm,
)

# Of the toolkit's two functions of this name, the one that can keep zeros.
from tensorflow_model_optimization.python.core.clustering.keras.experimental.cluster import (  # noqa: E402, E501
    cluster_weights,
)

if _BEFORE is None:
    os.environ.pop("TF_USE_LEGACY_KERAS", None)

__all__ = [
    "ClusteringAlgorithm",
    "GradientAggregation",
    "cluster_weights",
    "tf_keras",
    "tfmot",
]
