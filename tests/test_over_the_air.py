"""The measurement of updates: stories, keys of rows, and a run that was killed."""

import dataclasses

import keras
import numpy as np
import pytest
from compressible import QUICK
from conftest import outputs_of
from tiny_experiment import tiny

pytest.importorskip("constriction")
pytest.importorskip("bsdiff4")
pytest.importorskip("hdiffpatch")
pytest.importorskip("zstandard")

from experiments import over_the_air
from experiments.sweep.workdir import Workdir
from experiments.trials import published_weights
from experiments.trials.network import Network
from experiments.updates import (
    costs,
    differences,
    examples,
    measurement,
    networks,
    requantization,
    stories,
    tables,
)
from mobilenet_tf import training
from mobilenet_tf.data.arrays import ArraySplit
from mobilenet_tf.data.dataset import DataSet
from mobilenet_tf.export.images import resized


@pytest.fixture(scope="module")
def three(stripes):
    """The stripes under three labels."""

    def relabelled(split):
        labels = np.arange(split.size) % 3
        return ArraySplit(dataclasses.replace(split.contents, labels=labels))

    metadata = dataclasses.replace(stripes.metadata, class_names=("a", "b", "c"))
    return DataSet(relabelled(stripes.train), relabelled(stripes.evaluation), metadata)


def field(data, story="a class is added", form="8 bits", **changes):
    """A network of the field whose recipes differ in nothing but `changes`."""
    network = Network("tiny", tiny, {"alpha": 0.25})
    recipe = dataclasses.replace(QUICK, epochs=1, **changes)
    trained = networks.FieldNetwork(network, recipe, recipe)
    before, after = (
        change(data)
        for change in (stories.STORIES[story].before, stories.STORIES[story].after)
    )
    return measurement.Field("tiny", trained, story, form, before, after)


def test_a_row_is_known_by_all_that_determines_it(three):
    data = dataclasses.replace(
        three, metadata=dataclasses.replace(three.metadata, limit=96)
    )
    name = "classifier"
    keys = {
        field(three).key(name),
        field(three).key("normalization"),
        field(data).key(name),
        field(three, story="the photographs drift").key(name),
        field(three, form="32 values").key(name),
        field(three, learning_rate=0.02).key(name),
    }
    assert len(keys) == 6 and field(three).key(name) in keys
    bases = [field(one).network.trial(one).key for one in (three, data)]
    assert bases[0] != bases[1]


def test_a_class_is_left_out(three):
    fewer = stories.without_last_class(three)
    assert fewer.classes == 2 and set(fewer.train.contents.labels) == {0, 1}
    assert fewer.train.size == fewer.metadata.train_size == 64


def test_photographs_drift_equally_in_every_call(three):
    first, second = (stories.drifted(three) for _ in range(2))
    images = first.train.contents.images
    np.testing.assert_array_equal(images, second.train.contents.images)
    before = three.train.contents.images
    assert abs(images.mean() / before.mean() - stories.LIGHT) < 0.01
    assert first.metadata.name == "stripes, drifted"
    rows = [array.mean((0, 2, 3)).std() for array in (before, images)]
    assert rows[1] < 0.5 * rows[0]  # out of focus
    streamed = dataclasses.replace(three, train=object())
    with pytest.raises(ValueError, match="data_mode must be 'arrays'"):
        stories.drifted(streamed)


def test_new_classes_begin_at_zero_with_their_own_bias():
    def build(classes):
        head = keras.layers.Dense(classes, bias_initializer="ones")
        return keras.Sequential([keras.Input((4,)), head])

    grown = stories.grown(build(2), lambda: build(3))
    kernel, bias = grown.get_weights()
    assert (kernel[:, :2] != 0).all() and not kernel[:, 2].any()
    assert bias.tolist() == [1, 1, 1]


def test_names_of_networks(tmp_path):
    file = tmp_path / "weights.h5"
    file.touch()
    parsed = networks.parse(
        [f"mobilenet_0.25={file}", "mobilenet_1.0", "squeezenet_1.0"], 3, None
    )
    assert [one.first.epochs for one in parsed.values()] == [3, 3, 3]
    assert [one.again.epochs for one in parsed.values()] == [2, 2, 2]
    assert parsed["mobilenet_0.25"].network.weights == file
    assert parsed["mobilenet_1.0"].first.name == "modern"  # from scratch
    for name, message in (
        ("alexnet", "networks must be of mobilenet_ALPHA"),
        ("mobilenet_1.0=missing", "networks must name existing files, got 'missing'"),
    ):
        with pytest.raises(ValueError, match=message):
            networks.parse([name], None, None)


def test_costs_are_those_of_the_papers():
    sizes = {cost.name: cost for cost in costs.whole_files()}
    assert sizes["AlexNet"].float32_bytes == 243_860_896
    assert sizes["SqueezeNet 1.0"].classifier_bytes == 512 * 1000 + 4 * 1000


def test_networks_that_go_to_8_bits(tmp_path):
    file = tmp_path / "weights.h5"
    file.touch()
    found = requantization.check([f"squeezenet_1.0={file}", "mobilenet_1.0"], 3)
    assert found["squeezenet_1.0"] == str(file)
    assert found["mobilenet_1.0"].first.epochs == 3
    for name, message in (
        (f"alexnet={file}", "requantize must be of mobilenet_ALPHA_SIDE=FILE, "),
        ("mobilenet_1.0_64=missing", "must name existing files, got 'missing'"),
        ("alexnet", "networks must be of mobilenet_ALPHA"),
    ):
        with pytest.raises(ValueError, match=message):
            requantization.check([name], None)


def test_a_trained_network_goes_to_8_bits(three, tmp_path, monkeypatch, eagerly):
    pytest.importorskip("ai_edge_litert")
    kinds = dict(requantization.FILES)
    monkeypatch.setattr(requantization, "FILES", kinds)
    network = {"tiny": field(three).network}
    arguments = three, None, network, tmp_path, tmp_path / "runs"
    for _ in range(2):  # what is measured has a record
        requantization.measure_all(*arguments)
        records = differences.read(tmp_path, requantization.RECORDS)
        kinds |= dict.fromkeys(kinds)
    trained = network["tiny"].trained(three, Workdir(tmp_path / "runs"))
    known = training.evaluate(trained, three)
    assert [found["file"] for found in records] == ["codec", "LiteRT"]
    for found in records:
        assert found["trained"] == network["tiny"].trial(three).config
        assert 0 < found["ways"]["codec.delta"]["bytes"] < found["file_bytes"]
        assert found["top1_before"] == pytest.approx(known.top1, abs=0.03)
        assert abs(found["top1"] - known.top1) < 0.1
    assert records[0]["top1_before"] == known.top1


def test_published_weights_are_evaluated_on_imagenet(three, tmp_path, monkeypatch):
    """On photographs of any size, here with classes that the network gives them."""
    kinds = {"codec": requantization.FILES["codec"]}
    monkeypatch.setattr(requantization, "FILES", kinds)
    model = tiny(0.25, base_resolution=32)
    build = published_weights.__name__ + ".build"
    monkeypatch.setattr(build, lambda name, weights: model)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40, n, 3), "uint8") for n in range(30, 46)]
    scores = outputs_of(model, resized(pictures, 32) / np.float32(127.5) - 1)
    classes = [int(best) for best in scores.argmax(1)]
    classes[0] = (classes[0] + 1) % 1000
    monkeypatch.setattr(
        examples, "real_photographs", lambda *_: (pictures, classes, pictures[:3])
    )
    photographs = examples.Examples.of_imagenet("photographs", None)
    sources = {"mobilenet_0.25_32": str(tmp_path / "weights.h5")}
    requantization.measure_all(three, photographs, sources, tmp_path, tmp_path)
    (found,) = differences.read(tmp_path, requantization.RECORDS)
    assert found["top1_before"] == 15 / 16
    assert 0 < found["top1"] <= 1
    assert found["data"]["imagenet_validation_images"] == 16
    config = over_the_air.UpdateConfig(results=str(tmp_path))
    page = "\n".join(map(str, over_the_air.content(config)))
    assert "| Top-1 % in float32 | in 8 bits |" in page and "93.8" in page
    assert "Top-1 is on the 16 photographs of ImageNet's validation set" in page


def test_a_killed_run_goes_on_with_the_next_row(three, tmp_path, monkeypatch):
    trainings = {"normalization": {"part": "normalization"}}
    monkeypatch.setattr(measurement, "TRAININGS", trainings)
    monkeypatch.setattr(measurement, "FORMS", {"8 bits": measurement.FORMS["8 bits"]})
    one = stories.STORIES["a class is added"]
    monkeypatch.setattr(measurement, "STORIES", {"a class is added": one})
    trained = {"tiny": field(three).network}
    arguments = three, trained, tmp_path / "results", tmp_path / "runs"
    measurement.measure_all(*arguments)
    records = differences.read(tmp_path / "results", measurement.RECORDS)
    base = list((tmp_path / "runs" / "trials").glob("*.keras"))
    before = base[0].read_bytes()

    trainings["classifier"] = {"part": "classifier"}
    measurement.measure_all(*arguments)
    both = differences.read(tmp_path / "results", measurement.RECORDS)
    assert both[:1] == records and both[1]["training"] == "classifier"
    assert base[0].read_bytes() == before and len(base) == 1
    for found in both:
        assert found["config"]["data"]["class_names"] == ["a", "b", "c"]
        assert 0 < found["ways"]["codec.delta"]["bytes"] < found["file_bytes"]
        assert tables.smallest_other(found) <= found["file_bytes"]

    monkeypatch.undo()
    config = over_the_air.UpdateConfig(results=str(tmp_path / "results"))
    page = "\n".join(map(str, over_the_air.content(config)))
    assert "A class is added; stripes at 32 px:" in page and "normalization" in page
