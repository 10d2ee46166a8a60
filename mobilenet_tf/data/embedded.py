"""The embedded data set: `tfds.load("vignettes")` without a download.

Importing this module registers the builder with TensorFlow Datasets. Preparing it draws
every picture with `mobilenet_tf.data.rendering`, in less than a minute.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from mobilenet_tf.data import rendering

DESCRIPTION = """\
Drawn fractals, attractors of three or four affine maps, in colours, places and turns
that say nothing. Sixteen families of four classes each, whose members differ in their
maps by little. Made to show in minutes what the width and the resolution multiplier of
MobileNet trade away.
"""

# Drawing takes a minute: what has not changed for an hour belongs to no process.
LEFT_SECONDS = 3600


class Vignettes(tfds.core.GeneratorBasedBuilder):
    """Synthetic pictures, 56x56 RGB, with the classes of `rendering.CLASSES`."""

    VERSION = tfds.core.Version("4.1.0")
    RELEASE_NOTES: ClassVar = {
        "4.1.0": "Twice as many validation pictures, so that chance decides less.",
        "4.0.0": "Fractals, which a wide network tells apart better than a narrow one; "
        "the cloth of 3.0.0 was learned as well by three quarters of the width.",
    }

    # Called with the split, the images drawn so far, and the images in all.
    on_progress: ClassVar[Callable[[str, int, int], None]] = staticmethod(
        lambda split, drawn, total: None
    )

    def _info(self) -> tfds.core.DatasetInfo:
        shape = (rendering.SIDE, rendering.SIDE, 3)
        return tfds.core.DatasetInfo(
            builder=self,
            description=DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=shape, encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=rendering.CLASSES),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        remove_leftovers(Path(self.data_path).parent)
        return {split: self._generate_examples(split) for split in rendering.SPLITS}

    def _generate_examples(self, split):
        for index in range(rendering.SPLITS[split]):
            image, label = rendering.example(split, index)
            yield index, {"image": image, "label": label}
            self.on_progress(split, index + 1, rendering.SPLITS[split])


def remove_leftovers(folder: Path) -> None:
    """Remove what processes have left that were killed while they drew.

    Args:
        folder: Of all versions of the data set.
    """
    for left in folder.glob("incomplete.*"):  # as TFDS names what is not finished
        with contextlib.suppress(OSError):  # another process has finished it meanwhile
            written = (path.stat().st_mtime for path in (left, *left.rglob("*")))
            if max(written) < time.time() - LEFT_SECONDS:
                shutil.rmtree(left)


@contextlib.contextmanager
def progress_reported(report: Callable[[str, int, int], None]) -> Iterator[None]:
    """Report the drawing of the data set inside the block, instead of TFDS' bars.

    Args:
        report: Called with the split, the images drawn so far, and the images in all.
    """
    before = Vignettes.on_progress
    tfds.disable_progress_bar()
    Vignettes.on_progress = staticmethod(report)
    try:
        yield
    finally:
        Vignettes.on_progress = staticmethod(before)
        tfds.enable_progress_bar()
