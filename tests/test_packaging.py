"""The wheel: its contents, and its use from an environment of its own."""

import os
import re
import shutil
import site
import subprocess
import sys
import zipfile

import flowers
import pytest
from conftest import ROOT

import mobilenet_tf
from mobilenet_tf.models.mobilenet import BLOCKS

# A network of two blocks, and one epoch in place of 20.
SHORT = """
import functools
import mobilenet_tf
from mobilenet_tf.models.mobilenet import BLOCKS
from mobilenet_tf.training import RECIPES, recipes
mobilenet_tf.build = functools.partial(mobilenet_tf.build, blocks=BLOCKS[:2])
RECIPES["fine_tune"] = recipes.named("fine_tune", epochs=1)
"""
BUILD_PRODUCTS = (".*", "build", "runs", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the checkout without network access."""
    pytest.importorskip("setuptools", "77")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*BUILD_PRODUCTS))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    pip(sys.executable, "wheel", *options, "--wheel-dir", folder, source)
    (path,) = folder.glob("*.whl")
    return path


def pip(python, *arguments):
    command = [sys.executable, "-m", "pip", "--python", python, *arguments]
    subprocess.run(list(map(str, command)), check=True)


def test_contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    folders = {name.partition("/")[0] for name in files}
    version = mobilenet_tf.__version__
    assert folders == {"mobilenet_tf", f"mobilenet_tf-{version}.dist-info"}
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mobilenet_tf").rglob("*.py")
    }
    data = {
        "mobilenet_tf/py.typed",
        "mobilenet_tf/codec/FORMAT.md",
        "mobilenet_tf/models/imagenet_classes.txt",
    }
    assert {name for name in files if name.startswith("mobilenet_tf/")} == (
        modules | data
    )


def empty_environment(folder):
    """A new environment in a folder, and its Python."""
    environment = folder / "environment"
    create = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    subprocess.run(create, check=True)
    return environment, environment / "bin" / "python"


def run_first_snippet(environment, tmp_path):
    """The README's first snippet from another folder; the network is small."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    folder = tmp_path / "elsewhere"
    flowers.photographs(folder)
    small = mobilenet_tf.build(0.5, 5 / 7, include_top=False, blocks=BLOCKS[:2])
    flowers.published_weights(tmp_path / "keras", small)
    result = subprocess.run(
        [
            environment / "bin" / "python",
            "-c",
            f"{SHORT}{snippet}\nprint(mt.__file__)\n",
        ],
        cwd=folder,
        env={**os.environ, "KERAS_HOME": str(tmp_path / "keras")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].startswith(str(environment))
    assert (folder / "photos.tflite").is_file()
    assert (environment / "bin" / "mobilenet_tf").is_file()


def test_first_snippet_of_the_readme_runs_elsewhere(wheel, tmp_path):
    """Installed beside the packages of this environment."""
    environment, python = empty_environment(tmp_path)
    pip(python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    run_first_snippet(environment, tmp_path)


@pytest.mark.thorough
def test_the_same_with_what_the_wheel_asks_for_alone(wheel, tmp_path):
    """All other packages come from the index, as a newcomer's do."""
    environment, python = empty_environment(tmp_path)
    pip(python, "install", "--quiet", f"{wheel}[export]")
    run_first_snippet(environment, tmp_path)


def test_version_of_the_citation():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {mobilenet_tf.__version__}\n" in citation
