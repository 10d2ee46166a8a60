"""Going back to the network that was in place before the last update."""

from __future__ import annotations

import os

from mobilenet_tf import files
from mobilenet_tf.update import self_test
from mobilenet_tf.update.device import Device, Outcome
from mobilenet_tf.update.errors import UpdateError, as_update_errors


def go_back(path: str | os.PathLike) -> Outcome:
    """Put the previous network into place again, once it has passed its self-test.

    It must be the very file that was in place, by its SHA-256. One that was put there
    by hand has no self-test of its own: it must run on the image of the network that
    is in place now, and may give any class.

    The file that was in place is not installed again, unless `install(retry=True)`
    asks for it; a newer version is.

    Args:
        path: The network's file.

    Raises:
        ImportError: What runs the network's file is not installed.
        UpdateError: There is no previous network, it is damaged, or it fails its
            self-test. The network in place stays.
        ValueError: The path is not legal.
    """
    device = Device(path)
    with as_update_errors(), device.opened():
        if not device.previous.exists():
            raise UpdateError(f"there is no previous network of {device.path}")
        digest, current = files.digest(device.previous), device.digest()
        if digest == current:
            raise UpdateError(f"the previous network is in place: {device.path}")
        state = device.state
        # Every update writes down what is in place before it replaces that.
        if digest not in state.versions:
            raise UpdateError(
                f"the previous network is refused: {device.previous} is not the file "
                f"that was in place, but damaged or another (SHA-256 {digest})"
            )
        _test(device, digest)
        if current is not None:
            state.refused[current] = "the device went back from it"
        device.write_state()
        files.rename(device.previous, device.path)
        version = state.versions[digest]
        return Outcome(True, version, f"went back to version {version}")


def _test(device: Device, digest: str) -> None:
    """Run the previous network's self-test, or see that it runs where it has none."""
    tests = device.state.tests
    if not tests:  # nor is there an image: the network in place was removed
        return
    own = tests.get(digest)
    image, expected, label = own or next(iter(tests.values()))
    picture = device.tests / f"{image}.png"
    try:
        self_test.run(device.previous, picture, expected if own else None, label)
    except self_test.SelfTestError as error:
        raise UpdateError(f"the previous network is refused: {error}") from None
