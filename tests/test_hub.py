"""Upload to and download from a hub that runs on loopback."""

import json
import re
import sys
import zipfile

import keras
import numpy as np
import pytest
import shared_fixtures
import timm_layout
from conftest import ROOT
from fake_hub import FakeHub

import mobilenet_tf
from mobilenet_tf import export, hub
from mobilenet_tf.models import hub_files

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")
SMALL = {"alpha": 0.25, "base_resolution": 64, "classes": 3}


@pytest.fixture
def fake(monkeypatch, tmp_path):
    fake = FakeHub()
    template = f"{fake.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "ENDPOINT", fake.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
    yield fake
    fake.server.shutdown()


@pytest.fixture(scope="module")
def exported(small, tmp_path_factory):
    pytest.importorskip("ai_edge_litert")
    path = tmp_path_factory.mktemp("exported") / "small.tflite"
    export.litert(small, path)
    return path


def assert_same_weights(model, other):
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_round_trip(fake, small, exported):
    name = mobilenet_tf.push_to_hub(
        small,
        "somebody/small",
        files=[exported],
        labels=["rose", "tulip", "daisy"],
        data_description="tf_flowers",
        metrics={"accuracy": 0.75},
        measured_on="40 photographs",
        license="mit",
    )
    commit, files = fake.repositories["somebody/small"][-1]
    assert name == f"hf://somebody/small@{commit}"
    assert set(files) == {
        *("model.keras", "README.md", "small.tflite", "small.tflite.json")
    }
    assert files["small.tflite"] == exported.read_bytes()
    card = huggingface_hub.ModelCard(files["README.md"].decode())
    assert card.data.license == "mit"
    assert card.data.library_name == "keras"
    assert card.data.datasets == ["tf_flowers"]
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.75)
    assert result.dataset_name == "40 photographs"
    report = json.loads(files["small.tflite.json"])
    assert f"`small.tflite`: {report['format']} verified on 16 crops" in card.text
    (usage,) = re.findall("```python\n(.*?)```", card.text, re.DOTALL)
    names = {}
    exec(usage, names)
    assert_same_weights(names["model"], small)


def test_a_pinned_revision(fake, small):
    first = hub.push_to_hub(small, "somebody/small")
    changed = keras.models.clone_model(small)
    second = hub.push_to_hub(changed, "hf://somebody/small")
    assert first != second
    assert_same_weights(mobilenet_tf.load_model(first), small)
    assert_same_weights(mobilenet_tf.load_model("hf://somebody/small"), changed)
    pinned = mobilenet_tf.build(**shared_fixtures.SMALL, weights=first)
    assert_same_weights(pinned, small)


def test_squeezenet(fake):
    keras.utils.set_random_seed(0)
    small = {"version": "1.1", "resolution": 32, "classes": 3}
    model = mobilenet_tf.build_squeezenet(**small)
    name = hub.push_to_hub(model, "somebody/squeezed")
    loaded = mobilenet_tf.build_squeezenet(**small, weights=name)
    assert_same_weights(loaded, model)
    with pytest.raises(ValueError, match=r"weights must be of version '1\.0'"):
        mobilenet_tf.build_squeezenet(weights=name)


def test_weights_of_timm(fake, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    state = timm_layout.tensors()
    config = {"architecture": "mobilenetv1_025", "pretrained_cfg": {"mean": [0.5] * 3}}
    files = {
        "model.safetensors": safetensors.save(state),
        "config.json": json.dumps(config).encode(),
    }
    fake.commit("timm/small", files)
    model = mobilenet_tf.build(**SMALL, weights="timm/small")
    np.testing.assert_array_equal(
        model.get_layer("classifier").get_weights()[0], state["classifier.weight"].T
    )
    config["pretrained_cfg"]["mean"] = [0.4] * 3
    fake.commit("timm/small", {"config.json": json.dumps(config).encode()})
    with pytest.raises(ValueError, match="input scale of mean"):
        mobilenet_tf.build(**SMALL, weights="hf://timm/small")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("hf://somebody/nothing", "cannot be downloaded: .*"),
        ("hf://somebody/empty@v2", "hf://somebody/empty@v2 cannot be downloaded"),
        ("hf://somebody/empty", "has no file model.keras that can be downloaded"),
        ("hf://somebody", "must be named hf://USER/NAME or .*, got 'hf://somebody'"),
        ("hf://a/../b", "must be named"),
    ],
)
def test_what_is_not_there(fake, source, match):
    fake.commit("somebody/empty", {"README.md": b""})
    with pytest.raises(ValueError, match=match):
        mobilenet_tf.load_model(source)


def test_offline(fake, small, monkeypatch):
    name = hub.push_to_hub(small, "somebody/small")
    mobilenet_tf.load_model(name)
    fake.server.shutdown()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert_same_weights(mobilenet_tf.load_model(name), small)
    with pytest.raises(ValueError, match="somebody/other"):
        mobilenet_tf.load_model("hf://somebody/other")


def test_code_in_a_file_is_refused(fake, tmp_path):
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x + 1)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "model.keras")
    fake.commit(
        "somebody/evil", {"model.keras": (tmp_path / "model.keras").read_bytes()}
    )
    with pytest.raises(ValueError, match="cannot be read"):
        mobilenet_tf.load_model("hf://somebody/evil")


def test_a_damaged_file(fake, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    content = (tmp_path / "model.keras").read_bytes()
    fake.commit("somebody/damaged", {"model.keras": content})
    with pytest.raises(ValueError, match="model file 'hf://somebody/damaged' cannot"):
        mobilenet_tf.load_model("hf://somebody/damaged")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"repo_id": "small"}, "must be named"),
        ({"repo_id": "a/b@c"}, "repo_id must have no revision"),
        ({"metrics": {"accuracy": 1.0}}, "metrics and measured_on need each other"),
        ({"metrics": {"accuracy": "1"}, "measured_on": "x"}, r"metrics\['accuracy'\]"),
        ({"files": ["model.bin"]}, "files must be .tflite or .onnx files"),
        ({"files": ["nothing.tflite"]}, "reports beside them"),
        ({"labels": ["one"]}, "labels must be 3 names"),
        ({"license": ""}, "license must be a non-empty string"),
    ],
)
def test_bad_arguments_upload_nothing(fake, small, arguments, match):
    with pytest.raises(ValueError, match=match):
        hub.push_to_hub(small, **{"repo_id": "somebody/small", **arguments})
    assert fake.repositories == {}


def test_huggingface_hub_is_missing(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for call in (
        lambda: hub.push_to_hub(small, "somebody/small"),
        lambda: mobilenet_tf.load_model("hf://somebody/small"),
        lambda: mobilenet_tf.build(weights="timm/mobilenetv1_100"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'mobilenet_tf\[hub\]'"):
            call()


def test_names(tmp_path, monkeypatch):
    name = hub_files.parse("hf://timm/mobilenetv1_100.ra4_e3600_r224_in1k@refs/pr/1")
    assert name.repo_id == "timm/mobilenetv1_100.ra4_e3600_r224_in1k"
    assert name.revision == "refs/pr/1"
    assert hub_files.is_hub_name("timm/x")
    (tmp_path / "timm").mkdir()
    (tmp_path / "timm" / "x").touch()
    monkeypatch.chdir(tmp_path)
    assert not hub_files.is_hub_name("timm/x")
    assert not hub_files.is_hub_name(tmp_path)


@pytest.mark.thorough
def test_the_page_about_it(fake, tmp_path, monkeypatch):
    """Runs the code of docs/weights_and_sharing.md against the fake hub."""
    safetensors = pytest.importorskip("safetensors.numpy")
    pytest.importorskip("ai_edge_litert")
    state = timm_layout.tensors(alpha=1, classes=1000)
    files = {"model.safetensors": safetensors.save(state), "config.json": b"{}"}
    fake.commit("timm/mobilenetv1_100.ra4_e3600_r224_in1k", files)
    page = (ROOT / "docs" / "weights_and_sharing.md").read_text()
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "weights_and_sharing.md", "exec"), names)
    assert_same_weights(names["again"], names["model"])
    assert_same_weights(names["tuned"], names["model"])
