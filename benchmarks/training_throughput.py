"""Training steps per second against keras.applications and PyTorch.

    python -m benchmarks.training_throughput

Every contender trains the same network on the same fixed batch, batch size 64, SGD with
momentum, cross-entropy. Rounds are interleaved, so that whatever else the machine does
meets all of them alike; printed are medians over the rounds. PyTorch takes part where
torch is installed, in channels_last, in this same process and with as many threads.

The limit is what TensorFlow reaches on this processor in a product of two float32
matrices of 2048 x 2048, measured in the same rounds. A training step counts as three
forward passes (outputs, input gradients, kernel gradients), two operations a mult-add.
"""

import statistics
import time

import keras
import numpy as np
from absl import app, flags

import mobilenet_tf
from benchmarks.report import publish
from mobilenet_tf import processor
from mobilenet_tf.analysis import cost, table
from mobilenet_tf.training import fused_sgd
from mobilenet_tf.training.clone import training_clone, without_crop
from mobilenet_tf.training.precision import PRECISIONS

flags.DEFINE_list("alphas", ["1.0", "0.25"], "Width multipliers.")
flags.DEFINE_integer("side", 112, "Input side in pixels.", 32)
flags.DEFINE_integer("batch_size", 64, "Images in a step.", 1)
flags.DEFINE_integer("rounds", 9, "Rounds that count.", 1)
flags.DEFINE_integer("steps", 3, "Steps of each contender in a round.", 1)

CLASSES = 10
LIMIT_SIDE = 2048
LIMIT = "matrix product"


def ours(alpha, images, labels, precision):
    """Our training step, without the crop, which the peers do not do either."""
    side = images.shape[1]
    model = mobilenet_tf.build(alpha, classes=CLASSES, base_resolution=side)
    body = without_crop(training_clone(model, side, precision=precision))
    return _keras_step(body, images, labels, fused_sgd.sgd, from_logits=True)


def keras_applications(alpha, images, labels):
    """`keras.applications.MobileNet`, compiled the same way."""
    model = keras.applications.MobileNet(
        images.shape[1:], alpha, weights=None, classes=CLASSES
    )
    sgd = keras.optimizers.SGD
    return _keras_step(model, images, labels, sgd, from_logits=False)


def pytorch(alpha, images, labels):
    """The same network in PyTorch, channels_last; None where there is no torch."""
    try:
        import torch
    except ImportError:
        return None
    from benchmarks.torch_mobilenet import mobilenet

    model = mobilenet(alpha, CLASSES).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    inputs = inputs.to(memory_format=torch.channels_last)
    targets = torch.from_numpy(labels.argmax(1))

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()

    return step


def matrix_product():
    """One product of two large float32 matrices."""
    import tensorflow as tf

    matrix = tf.random.stateless_normal((LIMIT_SIDE, LIMIT_SIDE), (0, 1))
    return lambda: tf.matmul(matrix, matrix).numpy()


def measure(contenders, rounds, steps):
    """Median steps per second of each contender, rounds interleaved."""
    for step in contenders.values():
        step()  # traces and compiles
        step()
    speeds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, step in contenders.items():
            start = time.perf_counter()
            for _ in range(steps):
                step()
            speeds[name].append(steps / (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in speeds.items()}


def _keras_step(model, images, labels, sgd, from_logits):
    model.compile(
        sgd(0.1, momentum=0.9),
        keras.losses.CategoricalCrossentropy(from_logits=from_logits),
    )
    return lambda: model.train_on_batch(images, labels)


def main(_):
    values = flags.FLAGS
    rng = np.random.default_rng(0)
    shape = (values.batch_size, values.side, values.side, 3)
    images = rng.uniform(-1, 1, shape).astype("float32")
    labels = np.eye(CLASSES, dtype="float32")[rng.integers(CLASSES, size=shape[0])]
    tables = []
    for alpha in map(float, values.alphas):
        contenders = {
            f"ours, {precision}": ours(alpha, images, labels, precision)
            for precision in PRECISIONS
        }
        contenders["keras.applications"] = keras_applications(alpha, images, labels)
        contenders["PyTorch channels_last"] = pytorch(alpha, images, labels)
        contenders[LIMIT] = matrix_product()
        present = {name: step for name, step in contenders.items() if step}
        speeds = measure(present, values.rounds, values.steps)
        tables.append(_table(alpha, speeds, values.side, values.batch_size))
    setting = f"{values.side} px, batch size {values.batch_size}; medians."
    publish(
        "training_throughput",
        "\n\n".join([*tables, setting]),
        values.documents,
        processor.describe().kind,
    )


def _table(alpha, speeds, side, batch_size):
    """Images per second, ratios to ours, and shares of the limit."""
    limit = speeds.pop(LIMIT) * 2 * LIMIT_SIDE**3
    model = mobilenet_tf.build(alpha, classes=CLASSES, base_resolution=side)
    operations = 3 * 2 * cost.mult_adds(model) * batch_size
    exact, fast = (speeds[f"ours, {name}"] for name in PRECISIONS[:2])
    rows = [
        (
            name,
            f"{speed * batch_size:.0f}",
            f"{exact / speed:.2f}",
            f"{fast / speed:.2f}",
            f"{100 * operations * speed / limit:.0f} %",
        )
        for name, speed in speeds.items()
    ]
    columns = (
        f"alpha {alpha:g}",
        "images/s",
        *(f"{precision} / this" for precision in PRECISIONS[:2]),
        f"of {limit / 1e9:.0f} GFLOP/s",
    )
    return table.render(columns, rows)


if __name__ == "__main__":
    app.run(main)
