"""What every Python process does first that a test starts.

Keras imports scikit-learn, and TensorFlow imports JAX, wherever they are installed,
which takes 1.4 seconds of each process. Other tests compare with them; for a process
that a test starts they are not installed, as for a user of the package alone.
"""

import os
import sys
from importlib.machinery import PathFinder

ABSENT = {"sklearn"}
if os.environ.get("KERAS_BACKEND") != "jax":
    ABSENT.add("jax")


class OtherPackages(PathFinder):
    """Finds all packages but those."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in ABSENT else super().find_spec(name, path, target)


sys.meta_path = [
    OtherPackages if finder is PathFinder else finder for finder in sys.meta_path
]
