"""The fused optimizer step is that of Keras."""

import keras
import numpy as np
import pytest

from mobilenet_tf.training import fused_sgd

RATE = keras.optimizers.schedules.CosineDecay(
    0.0, 20, warmup_target=0.1, warmup_steps=5
)


def trained(kind, **arguments):
    """The weights and the optimizer's variables after some steps on random numbers."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    outputs = keras.layers.Dense(4, activation="relu", name="hidden")(inputs)
    outputs = keras.layers.BatchNormalization()(outputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(outputs))
    optimizer = kind(RATE, momentum=0.9, **arguments)
    if arguments.get("weight_decay"):
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, loss="mse")
    rng = np.random.default_rng(0)
    images, targets = rng.normal(size=(80, 6)), rng.normal(size=(80, 2))
    model.fit(images, targets, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights(), [
        keras.ops.convert_to_numpy(value) for value in optimizer.variables
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"nesterov": True},
        {"nesterov": True, "weight_decay": 0.05},
        {"nesterov": True, "weight_decay": 0.05, "use_ema": True},
    ],
    ids=["plain", "nesterov", "decay", "average"],
)
def test_parity_with_keras(arguments):
    expected = trained(keras.optimizers.SGD, **arguments)
    got = trained(fused_sgd.sgd, **arguments)
    for ours, theirs in zip(got, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_decay_takes_part():
    """Else the parity of decayed weights would show nothing."""
    with_decay = trained(fused_sgd.sgd, weight_decay=0.05)[0][0]
    assert np.abs(with_decay - trained(fused_sgd.sgd)[0][0]).max() > 1e-3
