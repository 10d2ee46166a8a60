"""Files that appear whole, durably and with a checksum, or not at all."""

from mobilenet_tf.files.atomic import (
    digest,
    is_of_full_disk,
    make_folder,
    remove_leftovers,
    remove_unowned,
    rename,
    replacing,
    scratch_folder,
    synchronise,
    write,
)
from mobilenet_tf.files.locks import locked
from mobilenet_tf.files.text import read_json, read_lines

__all__ = [
    "digest",
    "is_of_full_disk",
    "locked",
    "make_folder",
    "read_json",
    "read_lines",
    "remove_leftovers",
    "remove_unowned",
    "rename",
    "replacing",
    "scratch_folder",
    "synchronise",
    "write",
]
