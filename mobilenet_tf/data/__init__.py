"""Images to train and evaluate on: from a folder, from TFDS, or from arrays."""

from mobilenet_tf.data.array_source import from_arrays
from mobilenet_tf.data.dataset import DataSet, DatasetMetadata
from mobilenet_tf.data.folder_source import from_folder
from mobilenet_tf.data.photographs import image_files, read_image
from mobilenet_tf.data.tfds_source import from_tfds

__all__ = [
    "DataSet",
    "DatasetMetadata",
    "from_arrays",
    "from_folder",
    "from_tfds",
    "image_files",
    "read_image",
]
