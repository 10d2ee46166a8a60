"""Layers that compute the same as stock ones, faster, on the TensorFlow backend.

They exist in the training clone alone: `build` returns and files hold stock layers.
"""

import functools
from typing import Any

import keras

from mobilenet_tf import processor


def class_for(layer: keras.layers.Layer) -> type[keras.layers.Layer]:
    """The class that computes what a stock layer does, the fastest on this backend.

    It follows from the layer, the backend, the kernels and the processor alone, so
    that a training that is resumed rounds as it did before.
    """
    kind = type(layer)
    if keras.backend.backend() != "tensorflow":
        return kind
    if kind is keras.layers.BatchNormalization:
        return _fused_batch_normalization()
    if kind is keras.layers.Conv2D and layer.groups > 1:
        return SplitConv2D
    if is_pointwise(layer) and _matrix_products_are_faster():
        return MatrixProductConv2D
    return kind


def is_pointwise(layer: keras.layers.Layer) -> bool:
    """Whether a layer is a stock 1x1 convolution with strides 1, channels last."""
    return (
        type(layer) is keras.layers.Conv2D
        and (*layer.kernel_size, *layer.strides, layer.groups) == (1, 1, 1, 1, 1)
        and layer.data_format == "channels_last"
    )


def _matrix_products_are_faster() -> bool:
    """Whether TensorFlow multiplies matrices faster than it convolves with 1x1 kernels.

    TensorFlow's own kernels compute the input gradient of a convolution slowly on any
    processor; of oneDNN's, those for AVX2 do, and those for AVX-512 do not
    (`python -m benchmarks.training_throughput`).
    """
    return (
        processor.kernels() == "eigen" or "avx512" not in processor.describe().features
    )


class MatrixProductConv2D(keras.layers.Conv2D):
    """Stock 1x1 convolution with strides 1, as a matrix product."""

    def call(self, inputs: Any) -> Any:
        rows = keras.ops.reshape(inputs, (-1, inputs.shape[-1]))
        kernel = keras.ops.reshape(self.kernel, self.kernel.shape[-2:])
        outputs = keras.ops.matmul(rows, kernel)
        if self.use_bias:
            outputs = keras.ops.add(outputs, self.bias)
        shape = keras.ops.shape(inputs)[:-1]
        outputs = keras.ops.reshape(outputs, (*shape, self.filters))
        return self.activation(outputs) if self.activation is not None else outputs


class SplitConv2D(keras.layers.Conv2D):
    """Stock grouped convolution, its groups one after the other."""

    def call(self, inputs: Any) -> Any:
        return split_convolution(self, inputs)


def split_convolution(layer: Any, inputs: Any) -> Any:
    """What a grouped convolution of Keras or tf_keras gives.

    TensorFlow computes a grouped convolution on a CPU through XLA, seven times slower
    than one without groups; its parts together are about as fast as that.
    """
    outputs = [
        keras.ops.conv(
            part,
            kernel,
            layer.strides,
            layer.padding,
            dilation_rate=layer.dilation_rate,
        )
        for part, kernel in zip(
            keras.ops.split(inputs, layer.groups, axis=-1),
            keras.ops.split(layer.kernel, layer.groups, axis=-1),
            strict=True,
        )
    ]
    outputs = keras.ops.concatenate(outputs, axis=-1)
    if layer.use_bias:
        outputs += layer.bias
    return layer.activation(outputs)


@functools.cache
def _fused_batch_normalization():
    """The layer's class; it can be made only where TensorFlow is installed."""
    import tensorflow as tf

    class FusedBatchNormalization(keras.layers.BatchNormalization):
        """Stock batch normalisation over NHWC, its training pass in one kernel.

        Keras 3 computes the batch statistics in separate operations, and their moving
        averages in others; `FusedBatchNormV3` computes all of them and the
        normalisation in one kernel, the gradient in another
        (`python -m benchmarks.training_throughput`).
        """

        def call(self, inputs, training=None, mask=None):
            if not training or not self.trainable:
                return super().call(inputs, training=training, mask=mask)
            # The kernel averages unbiased variances, which are n / (n - 1) times those
            # that Keras averages.
            biased = _share_without_one(inputs)
            outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=tf.cast(inputs, tf.float32),
                scale=self.gamma,
                offset=self.beta,
                mean=self.moving_mean,
                variance=self.moving_variance / biased,
                epsilon=self.epsilon,
                exponential_avg_factor=1 - self.momentum,
                is_training=True,
            )
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance * biased)
            return tf.cast(outputs, self.compute_dtype)

    def _share_without_one(inputs):
        """(n - 1) / n of the n values of each channel; 1 if there is one value."""
        if inputs.shape.is_fully_defined():
            count = float(inputs.shape[:-1].num_elements())
            return max(count - 1, 1.0) / count
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        return tf.maximum(count - 1, 1.0) / count

    return FusedBatchNormalization
