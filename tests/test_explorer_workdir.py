"""The explorer's page of a working directory that an experiment wrote."""

import hashlib
import json

import pytest
import tiny_experiment

from experiments.explorer import datafile, networks
from experiments.harness import Config, program

pytest.importorskip("ai_edge_litert")


def test_trained_networks_are_exported_with_their_records(
    stripes_file, tmp_path, monkeypatch
):
    workdir, page, lines = tmp_path / "runs", tmp_path / "page", []
    config = Config(
        dataset="stripes",
        arrays=str(stripes_file),
        workdir=str(workdir),
        results=str(tmp_path / "committed"),
        recipe="short",
        epochs=1,
        only="^0.25$",
    )
    program.main(tiny_experiment.experiment, config)
    data, _ = datafile.read([workdir / "records"], tmp_path)
    (shown,) = data["networks"]

    monkeypatch.setattr(networks, "_CALIBRATION_CROPS", 8)  # for the time it takes
    sources = list(networks.trained(workdir, tmp_path))
    manifest = networks.write(page, sources, lines.append)
    (entry,) = manifest["networks"]
    assert entry["record"] == shown["id"]
    assert entry["side"] == shown["side"]
    record = json.loads(next((workdir / "records").glob("*.json")).read_text())
    assert entry["labels"] == record["data"]["class_names"]
    assert [file["format"] for file in entry["files"]] == ["float32", "int8"]
    for file in entry["files"]:
        content = (page / file["file"]).read_bytes()
        assert file["bytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    # Its images are in a file of arrays alone: the page is made, and this is said.
    assert "verified on crops of one photograph" in lines[0]

    lines.clear()
    assert networks.write(page, sources, lines.append) == manifest
    assert not lines  # what is exported already is kept
