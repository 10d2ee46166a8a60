"""Updates over the air: a folder of signed static files, and the client of a device.

    from mobilenet_tf import update

    # Where networks are made:
    repository = update.Repository("server", keys=["keys"])
    repository.publish("flowers.tflite", image="rose.jpg", expected="rose")

    # On each device:
    url = "https://example.org/server"
    update.install("flowers.tflite", url, trusted_root="1.root.json")
    update.go_back("flowers.tflite")

The Update Framework (https://theupdateframework.io) signs and verifies. Nothing here
imports Keras or TensorFlow, unless the network is a `.keras` file.
"""

try:
    import securesystemslib as _securesystemslib  # noqa: F401
    import tuf as _tuf  # noqa: F401
    from cryptography import hazmat as _hazmat  # noqa: F401
except ImportError as error:
    raise ImportError(
        "updates need tuf, securesystemslib and cryptography; pip install "
        "'mobilenet_tf[update]'"
    ) from error

from mobilenet_tf.update.client import install
from mobilenet_tf.update.device import Outcome
from mobilenet_tf.update.errors import UpdateError
from mobilenet_tf.update.going_back import go_back
from mobilenet_tf.update.releases import Release
from mobilenet_tf.update.repository import Repository
from mobilenet_tf.update.signing import Lifetimes

__all__ = [
    "Lifetimes",
    "Outcome",
    "Release",
    "Repository",
    "UpdateError",
    "go_back",
    "install",
]
