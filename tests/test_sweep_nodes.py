"""Which nodes of a Ray cluster train, what they are sent, and where files come to."""

import importlib.util
import shutil

import nodes as ray_nodes
import pytest
import runs
from nodes import EPOCHS, FLAGS
from runs import finish, wait_for

pytest_plugins = (runs.__name__, ray_nodes.__name__)
# Ray reads its environment when it is imported: that is left to the fixture.
pytestmark = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs ray")


@pytest.fixture
def old_keras(tmp_path):
    """A folder in which Python finds an old version of Keras."""
    installed = tmp_path / "packages" / "keras-1.2.3.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: keras\nVersion: 1.2.3"
    )
    return str(installed.parent)


@pytest.mark.thorough
def test_a_node_that_joins_later_is_asked_too(nodes, start, whole, old_keras):
    added = [nodes.add()]
    process = start(*FLAGS, nodes.flag)
    wait_for(process, f"epoch 2/{EPOCHS}")
    added.append(nodes.add(PYTHONPATH=old_keras))
    output = finish(process)
    assert output.count("a node cannot train: 127.0.0.1 has keras 1.2.3 instead") == 1
    whole()
    nodes.remove(*added)


@pytest.mark.thorough
def test_nodes_that_cannot_train(nodes, start, squares, old_keras):
    """One error each, before any training."""
    node = nodes.add(PYTHONPATH=old_keras)
    process = start("--epochs=1", nodes.flag)
    output, errors = process.communicate(timeout=300)
    assert "error: nodes cannot train: 127.0.0.1 has keras 1.2.3 instead" in errors
    assert "Traceback" not in errors and "epoch" not in output
    process = start("--epochs=1", nodes.flag, "--trial_cpus=7")
    _, errors = process.communicate(timeout=300)
    assert "no node of the cluster has room for a trial, which takes 7 CPU" in errors
    nodes.remove(node)


@pytest.mark.thorough
def test_a_data_set_that_is_streamed(nodes, start, squares, tmp_path):
    """Each node has it on its own disk, or has not."""
    shutil.copytree(squares, tmp_path / "tfds")
    node = nodes.add()
    flags = ("--epochs=1", "--only=^0.25", "--data_mode=stream", nodes.flag)
    # A path that leads somewhere else in each process.
    data = ("--dataset=squares", "--data_dir=/proc/self/cwd/tfds")
    output, errors = start(*flags, data=data).communicate(timeout=300)
    assert "error: nodes cannot train: 127.0.0.1: --dataset must be a TFDS d" in errors
    assert "epoch 1" not in output
    data = ("--dataset=squares", "--data_dir=tfds")
    assert finish(start(*flags, data=data)).count(" done: top-1") == 1
    nodes.remove(node)


@pytest.mark.thorough
def test_code_is_sent_and_files_come_to_a_storage(nodes, start, tmp_path):
    """The node has another version of the package, and no module of the experiment."""
    old = tmp_path / "packages" / "mobilenet_tf"
    old.mkdir(parents=True)
    (old / "__init__.py").write_text("raise ImportError('an old version')")
    node = nodes.add(PYTHONPATH=str(old.parent))
    storage = tmp_path / "storage"
    flags = ("--epochs=1", "--only=^0.25", f"--storage={storage}", nodes.flag)
    assert finish(start(*flags)).count(" done: top-1") == 1
    assert [path.suffix for path in (storage / "trials").iterdir()] == [".keras"]
    # Another working directory is given the record, and trains nothing.
    output = finish(start(*flags, workdir="other"))
    assert "epoch 1/1" not in output and "| 0.25 " in output
    assert len(list((tmp_path / "other" / "records").iterdir())) == 1
    nodes.remove(node)
