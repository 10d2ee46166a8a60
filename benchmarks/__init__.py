"""Speed against peers; each prints a ratio measured in one run, interleaved."""

# Before a benchmark imports Keras: it chooses the kernels of TensorFlow.
import mobilenet_tf  # noqa: F401
