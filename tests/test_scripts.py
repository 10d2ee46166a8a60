"""Every script of experiments/: the first command of its docstring, as a dry run."""

import importlib
import re
import shlex

import pytest
from conftest import ROOT, parse_flags

from experiments.harness import Experiment, program
from mobilenet_tf.data.rendering import EMBEDDED

SCRIPTS = [
    path.stem
    for path in sorted((ROOT / "experiments").glob("*.py"))
    if not path.stem.startswith("_")
]


def first_command(module):
    """The options of the first command; what is in brackets is left out."""
    text = re.search(r"python -m (.*?[^\\])\n", module.__doc__, re.DOTALL)[1]
    name, *options = shlex.split(re.sub(r"\[.*?\]", "", text.replace("\\\n", " ")))
    assert name == module.__name__
    return options


@pytest.mark.parametrize("script", SCRIPTS)
def test_command_of_the_docstring(script, tmp_path, capsys, experiment_flags):
    module = importlib.import_module(f"experiments.{script}")
    experiment = module.experiment
    parse_flags(*first_command(module), "--dry_run", f"--workdir={tmp_path}")
    config = experiment.config.from_flags(experiment_flags)
    program.main(experiment, config)
    output = capsys.readouterr().out
    for part in getattr(experiment, "parts", ()) or (experiment,):
        assert f"**{part.title}**" in output
    assert "\n|--" in output
    if isinstance(experiment, Experiment) and config.dataset == EMBEDDED:
        networks = [row.network for row in experiment.rows_of(config) if row.trained]
        own = [network for network in networks if not network.weights]
        # One of each kind: all have been counted at the paper's resolution.
        for network in {(net.build, len(net.steps)): net for net in own}.values():
            network.check(classes=12, resolution=64)
    assert not list(tmp_path.rglob("*.json"))
