"""One script per table or figure of a paper."""

import sys

# Before a script imports Keras: it chooses the kernels of TensorFlow.
from mobilenet_tf import processor

# Python documents that argv[0] is "-m" while `python -m` imports a package.
if sys.argv[0] == "-m":
    processor.import_quietly("keras")
