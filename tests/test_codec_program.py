"""The codec's command line."""

import re
import subprocess
import sys
import zipfile

import keras
import pytest
from compressible import clustered, same_bits
from conftest import ROOT
from test_codec import small, with_kernels

from mobilenet_tf import codec

PROGRAM = "mobilenet_tf.codec.__main__"


def test_command_line(run_program, tmp_path):
    model = with_kernels(small(), clustered)
    model.save(tmp_path / "model.keras")
    encoded, again = tmp_path / "model.mntc", tmp_path / "again.keras"
    shown = run_program(
        PROGRAM, "encode", tmp_path / "model.keras", f"--output={encoded}"
    )
    assert f"{encoded.stat().st_size:,} bytes" in shown
    run_program(PROGRAM, "decode", encoded, f"--output={again}")
    same_bits(model, keras.models.load_model(again))
    for given, message in (
        (["encode"], "must be encode | decode | inspect"),
        (["decode", encoded, "--output=."], "output must not exist"),
    ):
        with pytest.raises(SystemExit, match=re.escape(message)):
            run_program(PROGRAM, *given)
    inspected = subprocess.run(
        [sys.executable, "-m", "mobilenet_tf.codec", "inspect", encoded],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    assert "stem/kernel" in inspected.stdout and "codebook" in inspected.stdout


def test_the_command_line_names_the_file(run_program, tmp_path):
    whole, torn = tmp_path / "model.keras", tmp_path / "torn.keras"
    small().save(whole)
    torn.write_bytes(whole.read_bytes()[:-100])
    emptied = tmp_path / "emptied.keras"
    with zipfile.ZipFile(emptied, "w") as archive:
        archive.writestr("metadata.json", "{}")
    missing = tmp_path / "missing.keras"
    output = f"--output={tmp_path / 'output'}"
    encoded = tmp_path / "model.mntc"
    codec.save(small(), encoded)
    for name, path, message in (
        ("decode", whole, "cannot be loaded: it must begin with"),
        ("inspect", whole, "it must begin with"),
        ("inspect", missing, "No such file"),
        ("encode", missing, "No such file"),
        ("encode", torn, "a .keras file must be a zip archive"),
        ("encode", emptied, "Keras cannot load it"),
    ):
        with pytest.raises(SystemExit) as stopped:
            run_program(PROGRAM, name, path, output)
        assert message in str(stopped.value)
        assert str(stopped.value).count(str(path)) == 1
    for name, path in (("encode", whole), ("decode", encoded), ("inspect", encoded)):
        with pytest.raises(SystemExit, match=r"1,000\)? weights"):
            run_program(PROGRAM, name, path, output, "--max_weights=1000")
