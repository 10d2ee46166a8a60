"""One script per table or figure of a paper."""

# Before a script imports Keras: it chooses the kernels of TensorFlow.
from mobilenet_tf import processor

processor.import_quietly("keras")
