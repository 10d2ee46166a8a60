"""The difference of two files gives the new one byte by byte, in few bytes."""

import hashlib

import keras
import numpy as np
import pytest
from compressible import clustered, pruned
from test_codec import quantized, with_kernels

import mobilenet_tf

pytest.importorskip("constriction")

from mobilenet_tf import codec
from mobilenet_tf.codec.difference import layouts
from mobilenet_tf.models import architecture, graph, weight_shapes

SUFFIXES = (".mntc", ".keras")


def build(classes=3):
    keras.utils.set_random_seed(0)
    return mobilenet_tf.build(
        0.25, base_resolution=32, classes=classes, blocks=((64, 2), (128, 2))
    )


def changed(model, change):
    copy = keras.models.clone_model(model)
    copy.set_weights([change(np.array(array)) for array in model.get_weights()])
    return copy


def moved(array):
    return array + 0.02 * array.std() * np.random.default_rng(1).normal(
        size=array.shape
    ).astype("float32")


def of_classifier(array):
    return array * 1.01 + 0.01 if array.shape[-1] == 3 else array


def save(model, path):
    if path.suffix == ".mntc":
        codec.save(model, path)
    else:
        mobilenet_tf.save_model(model, path)
    return path


def round_trip(folder, old, new):
    delta, again = folder / "delta.mntd", folder / "again"
    report = codec.delta(old, new, delta)
    codec.apply(old, delta, again)
    assert again.read_bytes() == new.read_bytes()
    sizes = report.old_bytes, report.new_bytes, report.delta_bytes
    assert sizes == tuple(path.stat().st_size for path in (old, new, delta))
    return report


def same(model):
    return model


FORMS = {
    "8 bits": lambda model: with_kernels(changed(model, np.copy), quantized),
    "clustered": lambda model: with_kernels(changed(model, np.copy), clustered),
    "pruned": lambda model: with_kernels(changed(model, np.copy), pruned),
}
# Largest share of the new codec file, for weights that moved by 2 % of their spread.
SHARES = {"8 bits": 0.5, "clustered": 0.45, "pruned": 0.95}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("form", FORMS)
def test_retrained(form, suffix, tmp_path):
    first, second = build(), changed(build(), moved)
    old = save(FORMS[form](first), tmp_path / f"old{suffix}")
    new = save(FORMS[form](second), tmp_path / f"new{suffix}")
    report = round_trip(tmp_path, old, new)
    whole = save(FORMS[form](second), tmp_path / "whole.mntc").stat().st_size
    # A .keras file has some hundred addresses and dates beside its weights.
    extra = 0 if suffix == ".mntc" else 700
    assert report.delta_bytes < SHARES[form] * whole + extra


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_what_changed_takes_bytes(suffix, tmp_path):
    old = save(build(), tmp_path / f"old{suffix}")
    new = save(changed(build(), of_classifier), tmp_path / f"new{suffix}")
    report = round_trip(tmp_path, old, new)
    assert report.tensor_bytes < 340  # 99 of 5,000 weights
    copy = tmp_path / f"copy{suffix}"
    copy.write_bytes(old.read_bytes())
    assert round_trip(tmp_path, old, copy).delta_bytes < 130


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("position", [0, 1, 3])
def test_a_class_is_added_anywhere(suffix, position, tmp_path):
    model, wider = build(), build(classes=4)

    def grow(array, shape):
        if array.shape == shape:
            return array
        return np.insert(array, position, 0.125, axis=-1)

    weights = zip(model.get_weights(), wider.get_weights(), strict=True)
    wider.set_weights([grow(array, other.shape) for array, other in weights])
    old = save(model, tmp_path / f"old{suffix}")
    new = save(wider, tmp_path / f"new{suffix}")
    assert round_trip(tmp_path, old, new).tensor_bytes < 200


def test_quantization_of_float_weights_takes_half_of_the_file_or_less(tmp_path):
    old = save(build(), tmp_path / "old.mntc")
    new = save(FORMS["8 bits"](build()), tmp_path / "new.mntc")
    report = round_trip(tmp_path, old, new)
    assert report.delta_bytes < 0.5 * report.new_bytes


def test_files_of_different_kinds_and_networks(tmp_path):
    paths = [save(build(), tmp_path / f"a{suffix}") for suffix in SUFFIXES]
    other = mobilenet_tf.build(0.25, base_resolution=32, classes=2, blocks=((64, 1),))
    paths.append(save(other, tmp_path / "b.mntc"))
    for old in paths:
        for new in paths:
            report = round_trip(tmp_path, old, new)
            assert report.delta_bytes < 1.01 * report.new_bytes + 200


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"", b""), (b"", b"new"), (b"old", b""), (b"same" * 99, b"same" * 99)],
)
def test_any_bytes(old, new, tmp_path):
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "new").write_bytes(new)
    round_trip(tmp_path, tmp_path / "old", tmp_path / "new")


def test_bytes_that_moved(tmp_path):
    rng = np.random.default_rng(0)
    old = rng.bytes(20_000)
    new = bytearray(old[:9000] + rng.bytes(50) + old[9000:])
    new[::500] = bytes(len(new[::500]))
    (tmp_path / "old").write_bytes(old)
    (tmp_path / "new").write_bytes(new)
    report = round_trip(tmp_path, tmp_path / "old", tmp_path / "new")
    assert report.delta_bytes < 500


def test_another_base_is_refused_before_anything_is_written(tmp_path):
    old, new = (save(build(n), tmp_path / f"{n}.mntc") for n in (3, 4))
    delta, output = tmp_path / "delta.mntd", tmp_path / "output"
    codec.delta(old, new, delta)
    output.write_bytes(b"before")
    digest = hashlib.sha256(new.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=rf"old must be the file .* {digest}$"):
        codec.apply(new, delta, output)
    assert output.read_bytes() == b"before"


def test_files_that_do_not_exist(tmp_path):
    path, output = tmp_path / "missing", tmp_path / "output"
    for name, call in (("old", codec.delta), ("delta", codec.apply)):
        with pytest.raises(ValueError, match=f"{name} must be an existing file"):
            call(path, path, output)
    assert not output.exists()


@pytest.fixture(scope="module")
def litert_files(tmp_path_factory):
    """A network and its update as LiteRT files, in float32 and in int8."""
    pytest.importorskip("ai_edge_litert")
    from mobilenet_tf import export

    folder, files = tmp_path_factory.mktemp("litert"), {}
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype="uint8")
    for version, model in (("old", build()), ("new", changed(build(), of_classifier))):
        for quantization in (None, "int8"):
            path = folder / f"{version}-{quantization}.tflite"
            more = {"representative_images": images[:3]} if quantization else {}
            export.litert(
                model, path, quantization, images=images[3:], min_agreement=0, **more
            )
            files[version, quantization] = path
    return files


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [(None, None, 0.15), ("int8", "int8", 0.25), (None, "int8", 0.75)],
)
def test_litert(litert_files, tmp_path, before, after, share):
    old, new = litert_files["old", before], litert_files["new", after]
    names = {place.name for place in layouts.find(new.read_bytes())}
    assert {"0/weights", "0/bias"} <= names
    report = round_trip(tmp_path, old, new)
    assert report.delta_bytes < share * report.new_bytes


SHAPED = {
    "mobilenet": build,
    "squeezenet": lambda: mobilenet_tf.build_squeezenet(resolution=64, classes=3),
    "other layers": lambda: keras.Sequential(
        [
            keras.Input((9, 9, 4)),
            keras.layers.Conv2D(6, (3, 2), groups=2, use_bias=False),
            keras.layers.SeparableConv2D(5, 3, depth_multiplier=2),
            keras.layers.BatchNormalization(scale=False),
            keras.layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    ),
}


@pytest.mark.parametrize("name", SHAPED)
def test_shapes_of_weights_are_those_of_the_network(name):
    model = graph.flatten(SHAPED[name]())
    description = architecture.describe(model)
    assert weight_shapes.of_architecture(description, model.count_params()) == [
        (layer.name, tuple(weight.shape))
        for layer in model.layers
        for weight in layer.weights
    ]
    with pytest.raises(ValueError, match="at most"):
        weight_shapes.of_architecture(description, model.count_params() - 1)
