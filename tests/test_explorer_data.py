"""The data of the explorer: what the records say, and commands that repeat them."""

import ast
import importlib
import json
import shlex
import types

import pytest
from conftest import ROOT, parse_flags

import mobilenet_tf
from experiments.explorer import architectures, datafile, knobs, repeat, site
from experiments.published import latencies
from experiments.trials import records
from experiments.trials.network import Network

RESULTS = ROOT / "experiments" / "results"
RECORDS = [record for record in records.read(RESULTS) if "network" in record]
PAGE_BYTES = 300_000
SCHEMA = json.loads((ROOT / "explorer" / "schema.json").read_text())


def check(content, part):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(content, {**SCHEMA, "$ref": f"#/$defs/{part}"})


@pytest.fixture(scope="module")
def made():
    """`data.json` and `details.json` of the committed records."""
    data, details = datafile.read([RESULTS], RESULTS)
    return json.loads(json.dumps(data)), json.loads(json.dumps(details))


def python(details, identity):
    """The Python lines of a network, as the page shows them."""
    lines = details["networks"][identity]["python"]
    return "\n".join(details["texts"][index] for index in lines)


def command(details, identity):
    """The command of a network, as the page shows it."""
    words = details["networks"][identity]["command"]
    return " ".join(details["texts"][index] for index in words)


def by_id():
    return {datafile.identity(record): record for record in RECORDS}


def test_files_are_as_the_schema_says(made):
    data, details = made
    check(data, "data")
    check(details, "details")
    assert set(details["networks"]) == {network["id"] for network in data["networks"]}


def test_every_record_is_shown_with_its_numbers(made):
    shown = {network["id"]: network for network in made[0]["networks"]}
    assert sum(len(network["seeds"]) for network in shown.values()) == len(RECORDS)
    for record in RECORDS:
        network = shown[datafile.identity(record)]
        index = network["seeds"].index(record["seed"])
        top1 = record["metrics"]["top1"]
        assert network["top1"][index] == pytest.approx(top1, abs=1e-5)
        assert network["costs"]["mult_adds"] == record["cost"]["mult_adds"]
        assert network["costs"]["file_bytes"] > 0
        assert network["side"] == record["cost"]["side"]


def test_page_is_small(made):
    """All that the page reads but the runtime, the networks and their manifest."""
    modules = site.SOURCE / "node_modules"
    if not modules.is_dir():
        pytest.skip("needs the page's libraries: npm ci in explorer")
    files = [path for name, path in site.libraries(modules).items() if "d3-" in name]
    files += [site.SOURCE / name for name in ("index.html", "icon.svg")]
    files += [*site.SOURCE.glob("style/*.css"), *site.SOURCE.glob("src/**/*.js")]
    total = sum(path.stat().st_size for path in files)
    total += sum(len(json.dumps(content, separators=(",", ":"))) for content in made)
    assert total < PAGE_BYTES


def test_labels_tell_networks_apart(made):
    labels = [(n["dataset"], n["label"]) for n in made[0]["networks"]]
    assert len(set(labels)) == len(labels)


def test_knobs_without_their_defaults_say_all(made):
    data, _ = made
    defaults = {knob["key"]: knob["default"] for knob in data["knobs"]}
    shown = {network["id"]: network for network in data["networks"]}
    for identity, record in by_id().items():
        values = defaults | shown[identity]["knobs"]
        expected = knobs.of(record)
        assert {key: values[key] for key in expected} == expected
        assert all(values[key] is None for key in set(values) - set(expected))


def test_commands_train_what_is_shown(made, experiment_flags):
    _, details = made
    for identity, record in by_id().items():
        assert details["networks"][identity]["command"], record["label"]
        program, option, module, *flags = shlex.split(command(details, identity))
        assert (program, option) == ("python", "-m")
        experiment = importlib.import_module(module).experiment
        parse_flags(*flags)
        config = experiment.config.from_flags(experiment_flags)
        (network,) = experiment.networks(config)
        assert record["network_key"] in [trained.key for trained in network.lineage]
        assert config.training_recipe.to_json() == record["recipe"]
        assert (config.dataset, config.base_resolution, config.precision) == (
            record["data"]["name"],
            record["data"]["base_resolution"],
            record["precision"],
        )


def test_python_builds_what_is_shown(made):
    """Networks that the page's data are made of were counted with them."""
    _, details = made
    for identity, record in by_id().items():
        detail = details["networks"][identity]
        if detail["layers"] is None:
            continue
        tree = ast.parse(python(details, identity))
        call = next(
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and node.targets[0].id == "model"
        )
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        classes = len(record["data"]["class_names"])
        scope = {"mt": mobilenet_tf, "data": types.SimpleNamespace(classes=classes)}
        exec(ast.unparse(ast.Module(imports, [])), scope)
        assert not call.args
        arguments = {
            keyword.arg: eval(ast.unparse(keyword.value), scope)
            for keyword in call.keywords
            if keyword.arg != "weights"
        }
        assert arguments.pop("classes") == classes
        (side,) = arguments.keys() & {"resolution", "base_resolution"}
        side = arguments.pop(side)
        network = Network("", eval(ast.unparse(call.func), scope), arguments)
        counted = architectures.counted(network, classes, side)
        assert counted.mult_adds == record["cost"]["mult_adds"]


def test_python_names_what_the_library_has(made):
    _, details = made
    for identity in details["networks"]:
        for node in ast.walk(ast.parse(python(details, identity))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = {"mt": mobilenet_tf}.get(node.value.id)
                assert owner is None or hasattr(owner, node.attr)
            if isinstance(node, ast.Attribute) and node.attr in (
                *("prune", "cluster", "quantize", "remove_channels", "low_rank"),
            ):
                assert hasattr(mobilenet_tf.compression, node.attr)


def test_layers_add_up(made):
    data, details = made
    for shared in (details["columns"], details["texts"]):  # each is there once
        assert len(shared) == len(set(map(str, shared)))
    for network in data["networks"]:
        indices = details["networks"][network["id"]]["layers"]
        if indices is not None:
            columns = [details["columns"][index] for index in indices]
            assert len({len(column) for column in columns}) == 1
            assert sum(columns[2]) == network["costs"]["mult_adds"]
            assert sum(columns[3]) == network["costs"]["parameters"]


def test_published_numbers(made):
    data, _ = made
    points = {point["label"]: point for point in data["published"]}
    assert points["1.0 MobileNet-224"]["costs"]["mult_adds"] == 568_740_352
    assert points["0.25 MobileNet-128"]["top1"] == 0.429
    first = latencies.LATENCIES[0]
    phones = data["latencies"][0]
    assert phones["devices"][0][1:] == [first.mobilenet, first.squeezenet]
    assert list(phones["mult_adds"]) == ["MobileNet", "SqueezeNet"]
    assert phones["mult_adds"]["MobileNet"] == 568_740_352
    names = [name for part in data["latencies"] for name, *_ in part["devices"]]
    assert len(set(names)) == len(names)


def test_a_working_directory_makes_its_own_data(tmp_path):
    record = dict(RECORDS[0], experiment="mine")
    record["network"] = {"builder": "mine.network", "arguments": {"depth": 3}}
    records.write(tmp_path / "records" / "mine.json", record)
    data, details = datafile.read([tmp_path / "records"], tmp_path)
    (network,) = data["networks"]
    detail = details["networks"][network["id"]]
    assert (detail["command"], detail["python"], detail["layers"]) == (None, None, None)
    assert network["costs"]["mult_adds"] == record["cost"]["mult_adds"]
    check(data, "data")
    check(details, "details")


def test_records_that_are_missing_or_damaged(tmp_path):
    with pytest.raises(ValueError, match=f"no records of trained .*{tmp_path}"):
        datafile.read([tmp_path], tmp_path)
    (tmp_path / "damaged.json").write_text("{")
    with pytest.raises(ValueError, match=r"damaged\.json' is damaged"):
        datafile.read([tmp_path], tmp_path)


def test_no_record_imports_other_modules():
    network = {"builder": "os.system", "arguments": {}}
    assert architectures.builder(network) is None
    assert architectures.rebuilt(network) is None
    network = {"builder": "mobilenet_tf.models.none.build", "arguments": {}}
    assert architectures.builder(network) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5 / 7, "5 / 7"),
        (0.25, "0.25"),
        (1.0, "1.0"),
        ((1.0,), "(1.0,)"),
        ({"a": 1 / 3}, '{"a": 1 / 3}'),
        ([[64, 2]], "[[64, 2]]"),
    ],
)
def test_literals(value, text):
    assert repeat.literal(value) == text
    assert eval(text) == value
