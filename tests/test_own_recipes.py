"""Networks that a table trains with a recipe of their own, or on fewer images."""

import ast
import dataclasses
import shlex

import pytest
from conftest import ROOT, parse_flags

import mobilenet_tf
from experiments import learning_curves, training_recipes
from experiments.explorer import knobs, repeat
from experiments.harness import Config
from experiments.report import conditions
from experiments.trials import records
from experiments.trials.trial import Trial
from mobilenet_tf.training.recipes import RECIPES

(COMMITTED, *_) = records.read(ROOT / "experiments" / "results" / "imagenette112.jsonl")
FILES = (
    "mobilenet_0.25_128_keras_applications.weights.h5",
    "mobilenet_0.5_160_keras_applications.weights.h5",
)
CURVES = learning_curves.experiment.rows_of(Config(mobilenet_weights=FILES))
TECHNIQUES = training_recipes.experiment.rows_of(Config())


def trial(row):
    data = COMMITTED["data"]
    return Trial(row.network, RECIPES["modern"], data, seed=0, precision="float32")


def record(row, top1=0.8):
    """What a trained row would be recorded as."""
    trained = trial(row)
    return {
        **COMMITTED,
        **trained.config,
        "network_key": row.network.key,
        "key": trained.key,
        "experiment": "learning_curves" if row in CURVES else "training_recipes",
        "metrics": {"top1": top1},
        "correct": None,
    }


def curve(*top1s):
    """Records of the rows, with these accuracies in percent."""
    rows = CURVES[: len(top1s)]
    return [record(row, top1 / 100) for row, top1 in zip(rows, top1s, strict=True)]


def named(rows, *words):
    return next(row for row in rows if all(word in row.network.label for word in words))


def test_two_files_make_two_curves():
    labels = [row.network.label for row in CURVES]
    assert len(labels) == len(set(labels)) == 16
    assert labels[0] == "0.25 MobileNet, fine-tuned, 10 images a class"
    assert labels[-1] == "0.5 MobileNet, scratch, all images"
    assert [row.network.resolution for row in CURVES] == [128] * 8 + [160] * 8


@pytest.mark.parametrize(
    ("gains", "holds"), [((30, 20, 10, 5), True), ((30, 20, 25, 5), False)]
)
def test_claim_that_weights_help_less_the_more_images(gains, holds):
    claims = learning_curves.experiment.claims_of(CURVES)
    assert len(claims) == 10
    results = curve(*(top1 for gain in gains for top1 in (60 + gain, 60)))
    sentence = claims[4].sentence(CURVES, results, "top1")
    assert ("holds on this data" in sentence) == holds
    assert "open: 8 of 8" in claims[9].sentence(CURVES, results, "top1")


def test_conditions_say_the_epochs_of_each_network():
    results = curve(80, 70, 81, 71, 82, 72, 83, 73)
    said = "for 20 to 200 epochs, one seed of each network."
    assert conditions.in_short(CURVES[:8], results).endswith(said)
    assert "`modern`, 20 to 200 epochs, float32" in conditions.in_full(results)


def test_figure_has_a_panel_for_each_alpha(tmp_path):
    results = [record(row) for row in CURVES]
    (draw,) = learning_curves.experiment.figures
    (figure,) = draw(CURVES, results, tmp_path / "curves")
    drawn = figure.svg.read_text()
    assert drawn.count("<!-- training images of a class -->") == 2
    assert "alpha 0.25." in drawn
    assert "alpha 0.5." in drawn


def test_several_files_where_one_is_meant():
    one = Config(mobilenet_weights=FILES[:1])
    assert (one.mobilenet_file, Config().mobilenet_file) == (FILES[0], None)
    with pytest.raises(ValueError, match="mobilenet_weights must be one file here"):
        Config(mobilenet_weights=FILES).mobilenet_file  # noqa: B018


@pytest.mark.parametrize(
    ("row", "recipe", "epochs", "images"),
    [
        (CURVES[0], "fine_tune", 200, 10),
        (CURVES[3], "modern", 100, 50),
        (CURVES[7], "modern", 20, "all"),
        (named(TECHNIQUES, "0.25 ", ", mixup"), "modern, mixup 0.2", 30, "all"),
    ],
)
def test_knobs_name_the_recipe_that_trained(row, recipe, epochs, images):
    values = knobs.of(record(row))
    shown = (values["recipe"], values["epochs"], values["images_per_class"])
    assert shown == (recipe, epochs, images)
    label = knobs.label(values, 112)
    assert ("images a class" in label) == (images != "all")


@pytest.mark.parametrize("row", [*CURVES[:4], *TECHNIQUES[:9]])
def test_python_and_command_repeat_the_training(row, experiment_flags):
    made = record(row)
    lines = repeat.lines(made)
    fits = [node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.Call)]
    (given,) = [
        call.args[-1]
        for call in fits
        if getattr(call.func, "attr", "") in ("fit", "distil")
        and ast.unparse(call.args[0]) == "model"
    ]
    scope = {"mt": mobilenet_tf, "replace": dataclasses.replace}
    recipe = eval(ast.unparse(given), scope)
    recipe = RECIPES[recipe] if isinstance(recipe, str) else recipe
    expected = trial(row).training_recipe
    keywords = [keyword for call in fits for keyword in call.keywords]
    (epochs,) = [k.value.value for k in keywords if k.arg == "epochs"] or [
        recipe.epochs
    ]
    changed = dataclasses.replace(recipe, name=expected.name, epochs=epochs)
    assert changed == expected
    few = row.network.images_per_class
    assert (f"few_of_each_class(data, {few})" in lines) == (few is not None)

    command, _ = repeat.command(made, 1)
    _, _, module, *flags = shlex.split(command)
    assert module == f"experiments.{made['experiment']}"
    parse_flags(*flags)
    config = Config.from_flags(experiment_flags)
    script = {"learning_curves": learning_curves, "training_recipes": training_recipes}
    (network,) = script[made["experiment"]].experiment.networks(config)
    assert network.key == row.network.key
