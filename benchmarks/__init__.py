"""Speed against peers; each prints a ratio measured in one run, interleaved."""

# Before a benchmark imports Keras: it chooses the kernels of TensorFlow.
from mobilenet_tf import processor

processor.import_quietly("keras")
