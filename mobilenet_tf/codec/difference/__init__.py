"""The difference between two files of networks, for updates over the air.

The new network is coded with the old one as context: weights that stayed cost nothing,
and of the others only how far they are from what the old ones predict.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

from mobilenet_tf import files
from mobilenet_tf.codec.container import MAGIC as CODEC_MAGIC
from mobilenet_tf.codec.difference import container, layouts, planning, running
from mobilenet_tf.codec.difference.container import Difference
from mobilenet_tf.codec.difference.expansion import Expander

MAX_BYTES = 1 << 28


@dataclasses.dataclass(frozen=True)
class DeltaReport:
    """Sizes of an update.

    Attributes:
        old_bytes: Size of the old file.
        new_bytes: Size of the new file.
        delta_bytes: Size of the difference.
        tensor_bytes: Those of `delta_bytes` that hold tensors.
    """

    old_bytes: int
    new_bytes: int
    delta_bytes: int
    tensor_bytes: int


def delta(
    old: str | os.PathLike,
    new: str | os.PathLike,
    output: str | os.PathLike,
    max_bytes: int = MAX_BYTES,
) -> DeltaReport:
    """Write what changed between two files of networks.

    Both files are of the codec, or `.keras` files, or LiteRT files of this package.
    Other files, and two files of different kinds, are compared as bytes: the
    difference is correct, but larger.

    Args:
        old: The file that devices have.
        new: The file that they are to get.
        output: The difference, which appears by rename and replaces what is there.
        max_bytes: The largest new file, or tensors of a codec file, in bytes; as
            `apply`.

    Returns:
        The sizes.

    Raises:
        ImportError: The files are LiteRT files, and ai-edge-litert is not installed.
        ValueError: A file does not exist, or the new one is too large.
    """
    before, after = _read("old", old), _read("new", new)
    expander = Expander(max_bytes)
    content = _encode(before, after, expander)
    stream = len(container.unpack(content, max_bytes).stream)
    files.write(output, content)
    return DeltaReport(len(before), len(after), len(content), stream)


def apply(
    old: str | os.PathLike,
    delta: str | os.PathLike,
    output: str | os.PathLike,
    max_bytes: int = MAX_BYTES,
) -> None:
    """Rebuild the new file, equal byte by byte, from the old one and a difference.

    Args:
        old: The file that the difference was made for.
        delta: The difference.
        output: The new file, which appears by rename and replaces what is there.
        max_bytes: A difference whose new file, or tensors of a codec file, take more
            is refused before they take memory.

    Raises:
        ValueError: `old` is another file than the difference was made for, or the
            difference is damaged; nothing is written.
    """
    content, before = _read("delta", delta), _read("old", old)
    try:
        difference = container.unpack(content, max_bytes)
    except ValueError as error:
        raise ValueError(f"{str(delta)!r} cannot be applied: {error}") from error
    if (digest := hashlib.sha256(before).digest()) != difference.old:
        raise ValueError(
            f"old must be the file that {str(delta)!r} was made for, of SHA-256 "
            f"{difference.old.hex()}, got {str(old)!r} of {digest.hex()}"
        )
    try:
        unfolds = difference.form == container.UNFOLDED
        after = _decode(difference, before, Expander(max_bytes, unfolds))
    except ValueError as error:
        raise ValueError(f"{str(delta)!r} cannot be applied: {error}") from error
    files.write(output, after)


def _encode(old, new, expander):
    """A difference with the tensors of codec files, or of the files as they are."""
    forms = _expanded(old, expander), _expanded(new, expander)
    # Another encoder may have written the new file.
    if None not in forms and expander.pack(forms[1]) == new:
        places = [layouts.of_shapes(form, expander.shapes(form)) for form in forms]
        content = _packed(container.UNFOLDED, old, new, *forms, *places)
        if len(content) < len(new):
            return content
    places = [layouts.find(file) for file in (old, new)]
    return _packed(container.PLAIN, old, new, old, new, *places)


def _packed(form, old, new, before, after, *places):
    """A difference of two files in the form `before` and `after`, verified."""
    script, stream = running.encode(
        planning.plan(before, after, *places), before, after
    )
    if running.decode(script, stream, before, len(after)) != after:
        raise RuntimeError("the difference does not give the new file; please report")
    hashes = hashlib.sha256(old).digest(), hashlib.sha256(new).digest()
    return container.pack(Difference(form, *hashes, len(after), script, stream))


def _expanded(content, expander):
    """A file of the codec, expanded; None for another or a damaged one."""
    if not content.startswith(CODEC_MAGIC):
        return None
    try:
        return expander.expand(content)
    except ValueError:
        return None


def _decode(difference, old, expander):
    plain = difference.form == container.PLAIN
    before = old if plain else expander.expand(old)
    after = running.decode(
        difference.script, difference.stream, before, difference.size
    )
    if not plain:
        after = expander.pack(after)
    if hashlib.sha256(after).digest() != difference.new:
        raise ValueError("the new file's SHA-256 is wrong: it is damaged")
    return after


def _read(name, path):
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{name} must be an existing file, got {str(path)!r}")
    return path.read_bytes()
