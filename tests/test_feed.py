"""What Keras' `fit` is given."""

import keras
import numpy as np
import pytest

from mobilenet_tf.training.feed import feed

tf = pytest.importorskip("tensorflow")
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends take a generator"
)


def batches(last=None):
    """Endless batches in the structure of a training; an error after `last`."""
    rng = np.random.default_rng(0)
    index = 0
    while index != last:
        images = rng.integers(0, 256, (4, 8, 3, 8), "uint8")
        yield (images, rng.random((4, 4))), rng.random((4, 2)).astype("float32")
        index += 1
    raise ValueError("batch 3 is damaged")


def leaves(batch):
    (images, crops), targets = batch
    return [keras.ops.convert_to_numpy(leaf) for leaf in (images, crops, targets)]


def test_batches_arrive_as_they_are():
    with feed(batches()) as fed:
        for given, expected, _ in zip(fed, batches(), range(5), strict=False):
            for array, own in zip(leaves(given), leaves(expected), strict=True):
                assert array.dtype == own.dtype
                np.testing.assert_array_equal(array, own)


@pytest.mark.parametrize("last", [0, 3])
def test_an_error_of_the_batches_is_raised_as_it_is(last):
    with (
        pytest.raises(ValueError, match=r"^batch 3 is damaged$"),
        feed(batches(last)) as fed,
    ):
        for _ in fed:
            pass


def test_an_error_of_the_training_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError), feed(batches()):
        raise ZeroDivisionError


@tensorflow_only
def test_nothing_waits_for_a_thread_that_tunes():
    with feed(batches()) as fed:
        assert fed.options().autotune.enabled is False


@tensorflow_only
def test_the_c_library_keeps_memory():
    def kernels(make):
        with tf.Graph().as_default() as graph:
            make()
        return str(graph.as_graph_def())

    def own():
        with feed(batches()):
            pass

    def of_tensorflow():
        signature = tf.TensorSpec((), "float32")
        tf.data.Dataset.from_generator(lambda: iter([1.0]), output_signature=signature)

    assert "GeneratorDataset" in kernels(of_tensorflow)
    assert "GeneratorDataset" not in kernels(own)
