"""One script per table or figure of a paper."""

# Before a script imports Keras: it chooses the kernels of TensorFlow.
import mobilenet_tf  # noqa: F401
