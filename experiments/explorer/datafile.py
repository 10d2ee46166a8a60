"""The data of the explorer, made from records: `data.json` and `details.json`.

`explorer/schema.json` describes both. `data.json` is all that the first view needs:
networks with their knobs, accuracies and costs, and what others published.
`details.json` has each network's layers, and how it is made; texts, and columns of
numbers of layers, that several networks share are there once, and are named by their
index.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.explorer import architectures, knobs, published, repeat
from experiments.explorer.costs import COSTS, costs_of
from experiments.explorer.distinct import Distinct
from experiments.report import arenas
from experiments.trials import records
from experiments.trials.binding import digest
from experiments.trials.trial import CONFIG

VERSION = 2
_COMMIT = 7  # digits of a commit's hash that the page shows


def read(locations: Sequence[Path], results: Path) -> tuple[dict, dict]:
    """Both files from all records of the given folders.

    Args:
        locations: Folders or files of records.
        results: Folder of committed results, for the records of microcontrollers; they
            are left out where it has none.

    Returns:
        The contents of `data.json` and of `details.json`.

    Raises:
        ValueError: A file of records is damaged, or there are no records.
    """
    trained = [record for record in records.read(*locations) if "network" in record]
    if not trained:
        names = ", ".join(map(str, locations))
        raise ValueError(f"no records of trained networks are in {names}")
    has_arenas = arenas.path(results).exists()
    footprints = arenas.read(results) if has_arenas else []
    networks, details = [], {}
    texts: Distinct[str] = Distinct()
    columns: Distinct[tuple[int, ...]] = Distinct()
    for seeds in _by_network(trained):
        shape = _architecture(seeds[0])
        network = _entry(seeds, shape, footprints)
        networks.append(network)
        details[network["id"]] = {
            **_detail(seeds, texts),
            "layers": shape and _layers(shape, texts, columns),
        }
    _distinguish(networks)
    networks.sort(key=lambda network: (network["dataset"], network["label"]))
    data = {
        "version": VERSION,
        "datasets": _datasets(trained),
        "knobs": _knobs(networks),
        "costs": [
            {"key": key, "title": title, "unit": unit}
            for key, (title, unit) in COSTS.items()
        ],
        "networks": networks,
        "published": published.points(),
        "latencies": published.latency_lists(footprints),
        "boards": published.memory(),
    }
    return data, {
        "version": VERSION,
        "networks": details,
        "columns": columns.listed(),
        "texts": texts.listed(),
    }


# Appended, in this order, to the labels of networks that have the same one.
_DISTINCTIONS = {
    "recipe": "recipe {}",
    "base_resolution": "{} px at rho 1",
    "epochs": "{} epochs",
    "precision": "{}",
}


def _distinguish(networks) -> None:
    """Make the labels of a data set's networks different, where they are the same."""
    for knob, form in _DISTINCTIONS.items():
        same = collections.defaultdict(list)
        for network in networks:
            same[network["dataset"], network["label"]].append(network)
        for group in same.values():
            if len({network["knobs"][knob] for network in group}) > 1:
                for network in group:
                    network["label"] += ", " + form.format(network["knobs"][knob])


def identity(record: Mapping[str, Any]) -> str:
    """Ten hexadecimal digits for all that a record's seeds have in common."""
    return digest({name: record[name] for name in CONFIG if name != "seed"})[:10]


def _by_network(trained) -> list[list[dict]]:
    """Records that differ in the seed alone, in the order of their seeds."""
    groups = collections.defaultdict(list)
    for record in trained:
        groups[identity(record)].append(record)
    return [
        sorted(seeds, key=lambda record: record["seed"])
        for _, seeds in sorted(groups.items())
    ]


def _entry(seeds, shape, footprints) -> dict[str, Any]:
    """A network as the first view shows it."""
    record = seeds[0]
    costs, estimated = costs_of(seeds, shape, footprints)
    values, side = knobs.of(record), record["cost"]["side"]
    return {
        "id": identity(record),
        "label": knobs.label(values, side),
        "dataset": _dataset_name(record["data"]),
        "side": side,
        "seeds": [other["seed"] for other in seeds],
        "top1": [round(other["metrics"]["top1"], 5) for other in seeds],
        "knobs": values,
        "costs": costs,
        "estimated": estimated,
    }


def _detail(seeds, texts: Distinct[str]) -> dict[str, Any]:
    """How a network is made, and what made it."""
    record = seeds[0]
    python = repeat.lines(record)
    last_seed = max(other["seed"] for other in seeds)
    command, remark = repeat.command(record, last_seed + 1)
    return {
        "table": record["experiment"],
        "remark": texts.index(remark),
        "command": command and texts.indices(command.split(" ")),
        "python": python and texts.indices(python.split("\n")),
        "commits": sorted({(other["commit"] or "")[:_COMMIT] for other in seeds}),
        "device": texts.index(record["device"]),
        "minutes": round(sum(other["seconds"] for other in seeds) / 60, 1),
    }


def _layers(
    shape: architectures.Architecture,
    texts: Distinct[str],
    columns: Distinct[tuple[int, ...]],
) -> list[int]:
    """Columns of the layers: names and kinds, which are texts, then their numbers.

    A width or a resolution multiplier leaves most of them as they are.
    """
    layers = shape.layers
    return columns.indices(
        [
            tuple(texts.index(layer.name) for layer in layers),
            tuple(texts.index(layer.kind) for layer in layers),
            tuple(layer.mult_adds for layer in layers),
            tuple(layer.weights for layer in layers),
            tuple(layer.activations for layer in layers),
        ]
    )


def _architecture(record) -> architectures.Architecture | None:
    """The layers of a network, where its steps left them as they were built."""
    network = architectures.rebuilt(record["network"])
    if network is None:
        return None
    data = record["data"]
    shape = architectures.counted(
        network, len(data["class_names"]), data["base_resolution"]
    )
    return shape if shape.mult_adds == record["cost"]["mult_adds"] else None


def _datasets(trained) -> list[dict[str, Any]]:
    """Each data set once; accuracies are compared within one."""
    sets = {}
    for record in trained:
        data = record["data"]
        sets[_dataset_name(data)] = {
            "name": _dataset_name(data),
            "images": data["evaluation_size"],
            "classes": len(data["class_names"]),
            "split": data["evaluation_split"],
        }
    return [sets[name] for name in sorted(sets)]


def _dataset_name(data) -> str:
    """Name, version and what was chosen of it."""
    name = f"{data['name']} {data['version']}"
    if data["limit"]:
        name += f", {data['limit']} images"
    return name


def _knobs(networks) -> list[dict[str, Any]]:
    """Every knob of any network, in the order of `knobs.TITLES`, then by name.

    The most frequent value of a knob is its default, and is left out of the networks:
    that halves the file.
    """
    names = {name for network in networks for name in network["knobs"]}
    known = [name for name in knobs.TITLES if name in names]
    described = []
    for name in (*known, *sorted(names - set(known))):
        values = [network["knobs"].get(name) for network in networks]
        default, _ = collections.Counter(values).most_common(1)[0]
        for network, value in zip(networks, values, strict=True):
            network["knobs"][name] = value
            if value == default:
                del network["knobs"][name]
        title, about = knobs.TITLES.get(name, (name.replace("_", " "), ""))
        described.append(
            {"key": name, "title": title, "about": about, "default": default}
        )
    return described
