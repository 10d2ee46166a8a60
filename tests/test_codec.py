"""Compressed networks come back bit by bit."""

import heads
import keras
import numpy as np
import pytest
from compressible import clustered, pruned, same_bits
from conftest import outputs_of

import mobilenet_tf

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec import tensors
from mobilenet_tf.export.tflite import int8
from mobilenet_tf.models import architecture


def small(**options):
    options = {"classes": 3, "base_resolution": 32} | options
    return mobilenet_tf.build(0.25, **options)


def of_two_blocks(**options):
    return small(blocks=((64, 2), (128, 2)), **options)


def with_kernels(model, change):
    model.set_weights([change(w) if w.ndim > 1 else w for w in model.get_weights()])
    return model


def quantized(weights):
    channels = np.moveaxis(weights, -1 if weights.shape[-1] > 1 else -2, 0)
    scales = int8.best_scales(channels)
    rounded = int8.rounded(channels, scales).astype("float32")
    rounded *= scales.reshape(-1, *[1] * (weights.ndim - 1))
    return np.moveaxis(rounded, 0, -1 if weights.shape[-1] > 1 else -2)


# How the weights of a network are changed before it is written.
CHANGES = {
    "as built": (),
    "pruned": (pruned,),
    "clustered": (clustered,),
    "pruned and clustered": (pruned, clustered),
    "int8": (quantized,),
}
NETWORKS = {
    "features": lambda: small(include_top=False),
    "squeezenet": lambda: mobilenet_tf.build_squeezenet(
        bypass="complex", classes=3, resolution=64
    ),
    "squeezenet 1.1": lambda: mobilenet_tf.build_squeezenet(
        "1.1", border="valid", classes=3, resolution=64, include_top=False
    ),
}


def changed(model, name):
    for change in CHANGES[name]:
        with_kernels(model, change)
    return model


@pytest.mark.parametrize("name", (*CHANGES, *NETWORKS))
def test_round_trip(name, tmp_path):
    model = NETWORKS[name]() if name in NETWORKS else changed(of_two_blocks(), name)
    path = tmp_path / "model.mntc"
    assert codec.save(model, path) == path.stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == ["model.mntc"]
    loaded = codec.load(path)
    same_bits(model, loaded)
    assert [layer.name for layer in loaded.layers] == [
        layer.name for layer in model.layers
    ]
    images = np.random.default_rng(0).uniform(-1, 1, (2, *model.input_shape[1:]))
    np.testing.assert_array_equal(outputs_of(model, images), outputs_of(loaded, images))


def test_bytes_follow_what_the_weights_hold():
    names = ("as built", "int8", "clustered", "pruned and clustered")
    model = small()
    original, weights = model.get_weights(), model.count_params()
    size = {}
    for name in names:
        model.set_weights(original)
        size[name] = len(codec.encode(changed(model, name)))
    assert 3.0 < size["as built"] / weights < 3.6  # 27 to 28 bits of float32
    assert size["int8"] / weights < 1.2
    assert size["clustered"] / weights < 0.8
    assert size["pruned and clustered"] / weights < 0.45


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3.4e38],
        [0.0] * 9,
        [-0.0] * 9,
        [1.5],
        [0.25] * 300 + [-0.5] * 300,
        [1.0, 2.0] * 40 + [0.0] * 1000,
        list(np.linspace(-1, 1, 1000)),
    ],
)
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1), (1, 1, -1, 1)])
def test_any_floats(values, shape):
    array = np.array(values, "float32").reshape(shape)
    kind, content = tensors.encode(array, tensors.Models())
    decoded = tensors.decode(kind, content, array.shape, tensors.Models())
    np.testing.assert_array_equal(decoded.view("uint32"), array.view("uint32"))


def test_the_authors_squeezenet(shared):
    """xz makes 559,656 bytes of the authors' file."""
    path = shared / "weights" / "squeezenet_v1.0_deep_compression.net"
    model = mobilenet_tf.build_squeezenet(weights=path)
    content = codec.encode(model)
    assert len(content) < 528_000
    same_bits(model, codec.decode(content))


def test_weights_into_a_network_of_the_same_architecture(tmp_path):
    path = tmp_path / "model.mntc"
    model = of_two_blocks(name="first")
    codec.save(model, path)
    other = of_two_blocks(name="second")
    codec.load_weights(other, path)
    same_bits(model, other)
    wider = of_two_blocks(classes=4)
    before = [array.copy() for array in wider.get_weights()]
    message = r"another architecture than .*: Dense .* against Dense .*'units': 4"
    with pytest.raises(ValueError, match=message):
        codec.load_weights(wider, path)
    for array, unchanged in zip(wider.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, unchanged)


def test_names_that_keras_gives_do_not_matter(tmp_path):
    def build():
        image = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(4, 3)(image)
        x = keras.layers.Add()([x, keras.layers.ReLU()(x)])
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(image, keras.layers.Dense(2)(x))

    first, second = build(), build()
    codec.save(first, tmp_path / "first.mntc")
    codec.load_weights(second, tmp_path / "first.mntc")
    same_bits(first, second)


@pytest.mark.parametrize("build", [*heads.HEADS.values(), heads.inputs_in_a_list])
def test_other_models_are_written_flat_and_functional(build, tmp_path):
    path = tmp_path / "model.mntc"
    model = build()
    codec.save(model, path)
    side = model.input_shape[1]
    images = np.random.default_rng(0).uniform(0, 255, (2, side, side, 3))
    expected = outputs_of(model, images)
    np.testing.assert_array_equal(outputs_of(codec.load(path), images), expected)
    other = build()
    codec.load_weights(other, path)
    same_bits(model, other)


def test_networks_too_large_to_load_are_not_saved(tmp_path):
    path = tmp_path / "model.mntc"
    with pytest.raises(ValueError, match=r"at most max_weights \(1,000\) weights, got"):
        codec.save(small(), path, max_weights=1000)
    assert not path.exists()


def test_a_layer_that_cannot_be_written():
    images = keras.Input((8, 8, 3))
    model = keras.Model(images, keras.layers.UpSampling2D(name="up")(images))
    with pytest.raises(ValueError, match="layer 'up' is a UpSampling2D"):
        codec.encode(model)
    lambda_layer = keras.layers.Lambda(lambda x: x, output_shape=(8, 8, 3))
    with pytest.raises(ValueError, match="is a Lambda"):
        codec.encode(keras.Model(images, lambda_layer(images)))


def test_weights_that_keras_adds_to_a_layer_are_refused():
    quantised, adapted = small(), small()
    quantised.quantize("int8")
    adapted.get_layer("classifier").enable_lora(4)
    for model in (quantised, adapted):
        with pytest.raises(ValueError, match=r"must have the float32 weights of its"):
            codec.encode(model)


def test_settings_that_are_not_defaults_come_back():
    model = of_two_blocks(activation="relu", dropout=0.25)
    loaded = codec.decode(codec.encode(model))
    assert architecture.describe(loaded) == architecture.describe(model)
