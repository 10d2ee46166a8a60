"""Publishing updates: roll-outs in stages, keys, what is kept, wrong arguments."""

import re

import fleet as fleets
import pytest
import tiny_litert
from conftest import ROOT

from mobilenet_tf import update
from mobilenet_tf.cli import program
from mobilenet_tf.update import deltas, releases

# The fixtures `fleet` and `prepared_fleet`.
pytest_plugins = (fleets.__name__,)
pytestmark = pytest.mark.usefixtures("self_tests_in_process")


def test_a_roll_out_in_stages(fleet):
    fleet.repository().set_rollout(0.25)
    networks = releases.read(
        next(fleet.repository_path.glob("targets/*.releases.json")).read_bytes()
    )
    names = [f"device {number}" for number in range(1000)]
    first = {n for n in names if networks["flowers"].offered("flowers", n).version == 2}
    assert 200 < len(first) < 300
    inside, outside = min(first), min(set(names) - first)
    assert fleet.install(device_id=outside).message == "up to date: version 1"
    assert fleet.install(device_id=inside).version == 2
    fleet.repository().set_rollout(0)  # stopped: who has it keeps it
    assert not fleet.install(device_id=inside).changed and fleet.best() == "rose"
    networks["flowers"].set_rollout(0.5)
    second = {
        n for n in names if networks["flowers"].offered("flowers", n).version == 2
    }
    assert first < second
    # Another version begins with other devices.
    positions = [
        {n for n in names if releases._position("flowers", version, n) < 0.25}
        for version in (2, 3)
    ]
    assert 30 < len(positions[0] & positions[1]) < 100


def test_files_that_nobody_needs_are_deleted(fleet):
    for seed in (3, 4, 5):
        fleet.publish("rose", seed, delta_count=2)
    names = {path.name.partition(".")[2] for path in fleet.repository_path.rglob("*")}
    assert {"4.tflite", "5.tflite", "4-5.delta", "3-5.delta"} <= names
    assert not {"1.tflite", "2.tflite", "3.tflite", "1-2.delta"} & names
    assert "by whole file" in fleet.install().message  # from version 1


def test_a_delta_that_devices_refuse_is_not_published(tmp_path):
    """Its pieces take more than the new file until they are compressed."""
    old, new, delta = (tmp_path / name for name in ("old", "new", "delta"))
    old.write_bytes(bytes(range(256)))
    new.write_bytes(b"rose " * 400)
    lines = []
    made = deltas.make(old, new, delta, lines.append)
    if made:
        deltas.apply(old, delta, tmp_path / "again", new.stat().st_size)
    assert not made and not delta.exists()
    assert len(lines) == 1 and "no delta from old: it needs more than" in lines[0]
    new.write_bytes(old.read_bytes() * 8 + b"rose")
    assert deltas.make(old, new, delta, lines.append)
    deltas.apply(old, delta, tmp_path / "again", new.stat().st_size)


def test_an_old_file_as_a_new_version(fleet):
    fleet.install()
    fleet.publish("daisy", 1)
    outcome = fleet.install()
    assert outcome.version == 3 and fleet.best() == "daisy"
    with pytest.raises(ValueError, match="must be a new file, got version 3"):
        fleet.publish("daisy", 1)


def test_several_networks(fleet):
    fleet.publish("tulip", 7, name="tulips")
    with pytest.raises(ValueError, match="flowers, tulips; got None"):
        fleet.install()
    fleet.path = fleet.path.with_name("tulips.tflite")
    assert fleet.install(name="tulips").version == 1 and fleet.best() == "tulip"


def test_keys_with_a_password(fleet, monkeypatch):
    monkeypatch.setenv("MOBILENET_TF_KEYS_PASSWORD", "secret")
    fleet.repository().rotate_key("timestamp")
    monkeypatch.delenv("MOBILENET_TF_KEYS_PASSWORD")
    with pytest.raises(ValueError, match="is MOBILENET_TF_KEYS_PASSWORD set"):
        fleet.repository().renew()
    monkeypatch.setenv("MOBILENET_TF_KEYS_PASSWORD", "secret")
    fleet.repository().renew()
    assert fleet.install().changed
    for path in fleet.keys.glob("*.pem"):
        assert path.stat().st_mode & 0o077 == 0


def test_keys_in_several_places(fleet):
    offline = fleet.folder / "offline"
    offline.mkdir()
    for role in ("root", "targets"):
        (path,) = fleet.keys.glob(f"{role}.*")
        path.rename(offline / path.name)
    fleet.repository().renew()
    with pytest.raises(ValueError, match=r"keys must hold targets\.\w+\.pem, which"):
        fleet.publish("tulip", 3)
    with pytest.raises(ValueError, match=r"keys must hold root\.\w+\.pem, which"):
        fleet.repository().rotate_key("timestamp")
    both = update.Repository(
        fleet.repository_path, [fleet.keys, offline], report=fleet.lines.append
    )
    both.rotate_key("targets")
    assert fleet.install().changed


def test_renewal_signs_what_is_half_over(fleet):
    short = update.Lifetimes(targets=0.001, snapshot=0.001)
    fleet.publish("tulip", 3, lifetimes=short)
    names = fleet.repository_path / "metadata"
    before = {path.name for path in names.iterdir()}
    fleet.repository().renew()
    assert {path.name for path in names.iterdir()} - before == {
        "4.targets.json" if "3.targets.json" not in before else "5.targets.json",
        "4.snapshot.json" if "3.snapshot.json" not in before else "5.snapshot.json",
    }
    before = {path.name for path in names.iterdir()}
    fleet.repository().renew()
    assert {path.name for path in names.iterdir()} == before
    assert fleet.install().version == 3


def test_wrong_arguments_of_publishing(fleet, tmp_path):
    file, image = fleet.folder / "flowers.tflite", fleet.photograph
    repository = fleet.repository()
    before = {path for path in fleet.folder.rglob("*") if path.is_file()}
    for arguments, more, message in (
        ((tmp_path / "no.tflite", image, "rose"), {}, "path must be an existing file"),
        ((image, image, "rose"), {}, "ending in .keras or .tflite"),
        ((file, file, "rose"), {}, "image .* cannot be read"),
        ((file, image, "oak"), {}, "expected must be a class, one of daisy, rose, tu"),
        ((file, image, 3), {}, "expected must be a class"),
        ((file, image, "tulip"), {}, "gives the class rose, expected 'tulip'"),
        ((file, image, "rose"), {"rollout": 2}, r"rollout must be a number in \[0, 1"),
        ((file, image, "rose"), {"delta_count": -1}, "delta_count must be an integer"),
        ((file, image, "rose"), {"name": "a/b"}, "name must be a word without '/'"),
        ((file, image, "rose"), {}, "path must be a new file, got version 2"),
    ):
        with pytest.raises(ValueError, match=message):
            repository.publish(*arguments, **more)
    with pytest.raises(ValueError, match="role must be one of 'root', 'targets'"):
        repository.rotate_key("mirror")
    with pytest.raises(ValueError, match="timestamp lifetime must be a number > 0"):
        update.Lifetimes(timestamp=0)
    with pytest.raises(ValueError, match="keys must lie outside of the folder"):
        update.Repository(tmp_path, [tmp_path / "keys"])
    elsewhere = update.Repository(tmp_path / "other", [fleet.keys])
    with pytest.raises(ValueError, match="must be the repository of the keys"):
        elsewhere.publish(file, image, "rose")
    with pytest.raises(ValueError, match="folder must be a repository"):
        elsewhere.renew()
    after = {path for path in fleet.folder.rglob("*") if path.is_file()}
    assert after - before <= {fleet.keys / "lock"}


def test_the_commands(fleet, capsys):
    flags = [f"--repository={fleet.repository_path}", f"--keys={fleet.keys}"]
    image, network = f"--image={fleet.photograph}", fleet.folder / "new.tflite"
    network.write_bytes(tiny_litert.network("tulip", 3))
    program.main(["publish", str(network), *flags, image, "--expected=tulip"])
    assert "published: version 3 of 'flowers', " in capsys.readouterr().out
    for action in ("--renew", "--rotate=snapshot", "--rollout=1/2", "--rollout=1"):
        program.main(["publish", *flags, action])
    url, device = f"--url={fleet.server.url}", str(fleet.path)
    program.main(["update", device, url])
    assert "updated: version 1 -> 3, by delta, " in capsys.readouterr().out
    program.main(["update", device, "--back"])
    assert capsys.readouterr().out == "went back to version 1\n"
    with pytest.raises(SystemExit) as stopped:
        program.main(["update", device, "--back"])
    assert str(stopped.value.code).startswith("mobilenet_tf update: there is no prev")


def test_the_guide(prepared_fleet, tmp_path, monkeypatch, capsys):
    """Runs the code of docs/updating_a_fleet.md, with a folder as the server."""
    monkeypatch.chdir(tmp_path)
    for name, best in (("flowers", "rose"), ("flowers_2", "rose")):
        content = tiny_litert.network(best, len(name))
        (tmp_path / f"{name}.tflite").write_bytes(content)
    (tmp_path / "rose.jpg").write_bytes((prepared_fleet / "photo.png").read_bytes())
    (tmp_path / "device").mkdir()
    (tmp_path / "1.root.json").symlink_to("server/metadata/1.root.json")
    page = (ROOT / "docs" / "updating_a_fleet.md").read_text()
    assert page.count('"https://example.org/networks"') == 1
    page = page.replace("https://example.org/networks", (tmp_path / "server").as_uri())
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "updating_a_fleet.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "updated: version 0 -> 1, by whole file" in printed
    assert "published: version 2 of 'flowers'" in printed
    assert "the key of timestamp is replaced" in printed
