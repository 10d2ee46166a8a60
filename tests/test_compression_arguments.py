"""Arguments that the steps of compression reject, before any work."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import QUICK, SYMMETRIC, copy_of, grouped, quiet

import mobilenet_tf
from mobilenet_tf.compression import low_rank, remove_channels, reports, steps
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.models.layer_schema import ACTIVATIONS
from mobilenet_tf.training import RECIPES, loop

bridge = pytest.importorskip("mobilenet_tf.compression.tfmot")
BAD = [
    (steps.prune, {"sparsity": 1.0}, r"sparsity must be a number in \[0, 1\), got 1.0"),
    (steps.prune, {"sparsity": -0.1}, "sparsity must be"),
    (steps.prune, {"sparsity": float("nan")}, "sparsity must be"),
    (steps.prune, {"sparsity": 0.5, "begin": 0.6, "end": 0.5}, "end must be .* after"),
    (steps.prune, {"sparsity": {"conv9": 0.5}}, "sparsity must be one of 'stem'"),
    (steps.prune, {"sparsity": {"stem": 1}}, r"sparsity must be a number in \[0, 1\)"),
    (steps.prune, {"sparsity": 0.5, "skip": ["conv9"]}, "skip must be one of 'stem'"),
    (steps.prune, {"sparsity": 0.5, "skip": "stem"}, "collection of names, got 'stem'"),
    (steps.cluster, {"clusters": 1}, "clusters must be an integer >= 2, got 1"),
    (steps.cluster, {"clusters": 257}, "clusters must be at most 256"),
    (steps.cluster, {"clusters": 250}, "at most the .* distinct values of 'stem'"),
]


@pytest.mark.parametrize(("step", "given", "message"), BAD)
def test_bad_arguments(trained, stripes, step, given, message):
    with pytest.raises(ValueError, match=message):
        step(trained, stripes, QUICK, **given)


STEPS = [
    (steps.prune, {"sparsity": 0.5}),
    (steps.cluster, {"clusters": 8}),
    (steps.quantize, {}),
]


TUNED = [(remove_channels, {"fraction": 0.25}), (low_rank, {"fraction": 0.5})]


@pytest.mark.parametrize(("step", "given"), STEPS)
def test_data_recipe_and_keywords_are_checked_before_the_model(step, given, stripes):
    with pytest.raises(ValueError, match=r"recipe must be one of .*, got 'modem'"):
        step(None, stripes, "modem", **given)
    with pytest.raises(ValueError, match=r"recipe must be a Recipe, got 3"):
        step(None, stripes, 3, **given)
    with pytest.raises(ValueError, match=r"data must be a DataSet, got 'stripes'"):
        step(None, "stripes", QUICK, **given)
    with pytest.raises(TypeError, match=rf"^{step.__name__}\(\) got .* 'sed'; .* seed"):
        step(None, stripes, QUICK, sed=1, **given)
    if step is not steps.cluster:
        with pytest.raises(ValueError, match=r"data must be a DataSet, got None"):
            step(None, None, **given)


@pytest.mark.parametrize(("step", "given"), STEPS + TUNED)
def test_models_reports_and_labels_are_checked_before_training(
    trained, step, given, stripes
):
    def rejects(message, model=trained, data=stripes, **more):
        def trained_first(progress):
            raise AssertionError("training came before the error")

        with pytest.raises((TypeError, ValueError), match=message):
            step(model, data, QUICK, on_epoch=trained_first, **given, **more)

    rejects("model must be a Model, got 'model.keras'", "model.keras")
    rejects("report must be a function, got None", report=None)
    rejects("unexpected keyword argument 'skpi'", skpi=["stem"])
    if step is not low_rank:  # MobileNet has no fully connected layer
        frozen = copy_of(trained)
        frozen.get_layer("stem").trainable = False
        rejects("model must be trainable, but its layer 'stem' is frozen", frozen)
        labels = np.full(len(stripes.evaluation.contents), -1)
        images = dataclasses.replace(stripes.evaluation.contents, labels=labels)
        unlabelled = dataclasses.replace(stripes, evaluation=ArraySplit(images))
        rejects("without labels cannot be evaluated", data=unlabelled)
        grey = keras.Input((32, 32, 1))
        x = keras.layers.Conv2D(2, 3)(grey)
        grey = keras.Model(grey, keras.layers.GlobalAveragePooling2D()(x))
        rejects(r"must take \(batch, side, side, 3\)", grey)
        rejects("input_range must be given for", grouped())
        rejects(r"input_range must be \(black, white\)", input_range=(1, 0))
        ended = keras.layers.Activation("sigmoid")(trained.output)
        rejects("must not end in sigmoid", keras.Model(trained.input, ended))


@pytest.mark.parametrize(
    ("step", "given", "recipe"),
    [
        *((step, given, ()) for step, given in STEPS + TUNED[:1]),
        (*STEPS[0], ("compress",)),
    ],
)
def test_the_default_recipe(trained, stripes, step, given, recipe, monkeypatch):
    class StopError(Exception):
        pass

    def stop(task, data, recipe, **more):
        assert recipe is RECIPES["compress"]
        raise StopError

    monkeypatch.setattr(loop, "run", stop)
    with pytest.raises(StopError):
        step(trained, stripes, *recipe, **given)


@pytest.mark.parametrize(("step", "given"), TUNED)
def test_keywords_are_checked_without_data(trained, step, given):
    with pytest.raises(TypeError, match="unexpected keyword argument 'skpi'; those"):
        step(trained, skpi=["stem"], **given)


def test_activations_that_the_toolkit_lacks(stripes, no_work):
    def ending_in(activation):
        image = keras.Input((32, 32, 3))
        x = keras.layers.Conv2D(2, 3, activation=activation, name="conv")(image)
        return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))

    for activation in ("hard_sigmoid", "hard_silu", "celu"):
        with pytest.raises(
            ValueError, match=f"'conv' has the .* {activation!r}, which"
        ):
            steps.cluster(
                ending_in(activation),
                stripes,
                QUICK,
                clusters=4,
                input_range=SYMMETRIC,
            )
    x = np.linspace(-9, 9, 2 * 32 * 32 * 3).reshape(2, 32, 32, 3).astype("float32")
    for activation in ACTIVATIONS:
        model = ending_in(activation)
        try:
            crossed = bridge.to_tf_keras(model)
        except ValueError:
            continue
        np.testing.assert_allclose(crossed(x), model(x), atol=1e-5, rtol=1e-5)


def test_a_snapshot_of_another_step(trained, stripes, tmp_path, eagerly):
    snapshot = {"snapshot_path": tmp_path / "snapshot.npz", "report": quiet}
    once = dataclasses.replace(QUICK, epochs=1)
    steps.prune(trained, stripes, once, sparsity=0.5, **snapshot)
    with pytest.raises(ValueError, match="is of another training"):
        steps.prune(trained, stripes, once, sparsity=0.9, **snapshot)
    other = copy_of(trained)
    other.set_weights([array / 2 for array in other.get_weights()])
    with pytest.raises(ValueError, match="is of another training"):
        steps.prune(other, stripes, once, sparsity=0.5, **snapshot)


def test_weights_that_are_not_finite_are_an_error(trained, stripes, eagerly):
    wild = dataclasses.replace(QUICK, learning_rate=1e30, epochs=1)
    with pytest.raises(ValueError, match=r"are not finite after the training; recipe"):
        remove_channels(trained, stripes, wild, fraction=0.25, report=quiet)


@pytest.fixture
def no_work(monkeypatch):
    """Evaluating or training fails the test."""
    monkeypatch.setattr(reports, "accuracy", pytest.fail)
    monkeypatch.setattr(loop, "run", pytest.fail)


def test_models_that_do_not_fit(stripes, no_work):
    other = mobilenet_tf.build(0.25, base_resolution=32, classes=5)
    with pytest.raises(ValueError, match="model has 5 classes, the data set 2"):
        steps.prune(other, stripes, QUICK, sparsity=0.5)
    inner = keras.Input((32, 32, 3))
    shuffled = mobilenet_tf.build(
        0.25,
        base_resolution=32,
        classes=2,
        block=mobilenet_tf.models.blocks.shuffled_separable,
    )
    with pytest.raises(ValueError, match="only these can be written"):
        steps.quantize(shuffled, stripes, QUICK)
    x = keras.layers.Conv2D(2, 3, name="conv")(inner)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.BatchNormalization(name="scale")(x)
    normalised = keras.Model(inner, x)
    with pytest.raises(ValueError, match="'scale' is a BatchNormalization"):
        steps.quantize(normalised, stripes, QUICK, input_range=SYMMETRIC)
    with pytest.raises(ValueError, match="data must be given where a recipe is"):
        steps.cluster(other, None, "compress", clusters=8)


def test_a_clustered_network_is_not_pruned(trained, stripes):
    shared = steps.cluster(trained, clusters=8, skip=["stem"], report=quiet)
    with pytest.raises(
        ValueError, match=r"before cluster, or .* got 8 values .* 'block1_"
    ):
        steps.prune(shared, stripes, QUICK, sparsity=0.5, report=quiet)
