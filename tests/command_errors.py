"""The error of a command that fails, for the tests of the command line."""

import pytest

from mobilenet_tf.cli import program


def error(capsys, *arguments):
    """What follows "error: " in the one line that a failing command prints."""
    with pytest.raises(SystemExit) as stopped:
        program.main(list(map(str, arguments)))
    assert stopped.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    (line,) = (line for line in lines if line.startswith("mobilenet_tf"))
    return line.partition("error: ")[2]
