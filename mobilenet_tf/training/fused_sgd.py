"""SGD that computes the same as Keras' own, faster, on the TensorFlow backend."""

import functools
from typing import Any

import keras


def sgd(learning_rate: Any, **arguments: Any) -> keras.optimizers.SGD:
    """`keras.optimizers.SGD` with momentum, in the fastest form on this backend.

    Args:
        learning_rate: A number or a schedule.
        arguments: Those of `keras.optimizers.SGD`, with a momentum above 0.
    """
    kind = keras.optimizers.SGD
    if keras.backend.backend() == "tensorflow":
        kind = _fused_sgd()
    return kind(learning_rate, **arguments)


@functools.cache
def _fused_sgd():
    """The optimizer's class; it can be made only where TensorFlow is installed."""
    import tensorflow as tf

    class FusedSGD(keras.optimizers.SGD):
        """Stock SGD with momentum, the step of a variable in one kernel.

        Keras computes it in a dozen operations, each of which reads and writes the
        whole variable, and the learning rate again for each variable that decays.
        """

        def _apply_weight_decay(self, variables):
            """Nothing: `update_step` does it, where the learning rate is known."""

        def update_step(self, gradient, variable, learning_rate):
            rate = tf.cast(learning_rate, variable.dtype)
            if self.weight_decay and self._use_weight_decay(variable):
                variable.assign(variable * (1 - rate * self.weight_decay))
            momentums = self.momentums[self._get_variable_index(variable)]
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=momentums.value.handle,
                lr=rate,
                grad=tf.cast(gradient, variable.dtype),
                momentum=tf.cast(self.momentum, variable.dtype),
                use_nesterov=self.nesterov,
            )

    return FusedSGD
