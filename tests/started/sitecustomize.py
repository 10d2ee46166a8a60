"""What every Python does first that a test starts.

Keras imports scikit-learn, and TensorFlow imports JAX, wherever they are installed,
which takes 1.4 seconds of each process. Here they are, as oracles of other tests; a
user who has installed the package alone has neither.
"""

import os
import sys

sys.modules["sklearn"] = None  # an import of it is an ImportError
if os.environ.get("KERAS_BACKEND") != "jax":
    sys.modules["jax"] = None
