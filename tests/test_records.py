"""Records: collected once, named as today, and checked as they are read."""

import dataclasses
import json

import pytest
from test_reporting import RESULTS, network, record

from experiments.harness import Step, Teacher
from experiments.trials import records, settings
from experiments.trials.normalization import normalized
from experiments.trials.provenance import provenance
from mobilenet_tf.compression import cluster
from mobilenet_tf.training.recipes import RECIPES


def test_records_are_collected_once(tmp_path):
    source, target = tmp_path / "records", tmp_path / "results" / "all.jsonl"
    for result in RESULTS:
        records.write(source / f"{result['key']}.json", result)
    assert records.collect(source, target) == 3
    first = target.read_text().splitlines()
    changed = {**RESULTS[0], "metrics": {"top1": 0.0}}
    records.write(source / f"{RESULTS[0]['key']}.json", changed)
    records.write(source / "new.json", record(0.25, 0, 0.7))
    assert records.collect(source, target) == 1
    lines = target.read_text().splitlines()
    assert len(lines) == 4 and set(first) < set(lines)  # what is written stays
    top1s = {r["key"]: r["metrics"]["top1"] for r in records.read(target, source)}
    assert top1s == {
        "1.0-1.0-0": 0.871, "1.0-1.0-1": 0.865, "0.5-1.0-0": 0.84, "0.25-1.0-0": 0.7
    }  # fmt: skip


def test_records_on_the_command_line(tmp_path, capsys):
    records.write(tmp_path / "records" / "one.json", RESULTS[0])
    target = tmp_path / "all.jsonl"
    records.main(["records", str(tmp_path / "records"), str(target)])
    assert "1 records added" in capsys.readouterr().out
    for arguments in ([], ["records", "no_such_folder"], [str(tmp_path)] * 2):
        with pytest.raises(SystemExit, match="records: error: the arguments must be"):
            records.main(["records", *arguments, *([str(target)] * (arguments == []))])


def test_damaged_record(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(RESULTS[0])[:-5])
    with pytest.raises(ValueError, match=r"one.json' is damaged"):
        records.read(tmp_path)


def test_provenance_names_commit_and_device():
    facts = provenance()
    assert facts["backend"] == "tensorflow"
    assert facts["versions"]["keras"].startswith("3.")
    assert facts["device"]
    assert set(facts) >= {"commit", "dirty"}
    assert facts["kernels"] in ("onednn", "eigen")


def test_old_records_have_the_keys_of_today():
    """Builders have moved, and defaults were not spelled out alike."""
    old = [
        {
            **record(0.5, 0, 0.8),
            "network": {"builder": "mobilenet_tf.mobilenet.build", "arguments": given},
        }
        for given in ({"alpha": 0.5}, {"alpha": 0.5, "rho": 1.0})
    ]
    keys = {normalized(result)["network_key"] for result in old}
    assert keys == {network(0.5).key}
    teacher = {"network": old[0]["network"], "temperature": 4.0}
    student = {**old[0], "network": {**old[1]["network"], "teacher": teacher}}
    result = normalized(student)
    assert result["network"]["teacher"]["network"] == network(0.5).config
    assert result["network_key"] not in keys


def test_a_step_is_one_however_it_is_written():
    """In records of all ages, and in the networks of today; so are teachers."""

    def key(given):
        step = {"function": "cluster", "arguments": given, "recipe": recipe}
        result = record(0.5, 0, 0.8)
        result["network"] = {**network(0.5).config, "steps": [step]}
        return normalized(result)["network_key"]

    recipe = RECIPES["compress"].to_json()
    today = dataclasses.replace(
        network(0.5), steps=(Step(cluster, {"clusters": 16}, RECIPES["compress"]),)
    )
    spelled = ({"clusters": 16}, {"depthwise": True, "skip": [], "clusters": 16})
    assert {key(given) for given in spelled} == {today.key}
    assert key({"clusters": 16, "depthwise": False}) != today.key
    keys = {
        dataclasses.replace(network(0.5), teacher=Teacher(network(1.0), given)).key
        for given in ({}, {"temperature": 4}, {"temperature": 4.0, "weight": 0.9})
    }
    assert len(keys) == 1
    assert settings.changed("distil", {"weight": 0.9, "temperature": 2}) == {
        "temperature": 2.0
    }
    assert settings.bound("of_a_user", {"n": 1}) == {"n": 1}
