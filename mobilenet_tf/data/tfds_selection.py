"""Which splits and features of a TFDS data set are used."""

from __future__ import annotations

import dataclasses
import re

from mobilenet_tf.data.dataset import DatasetMetadata, is_named


@dataclasses.dataclass(frozen=True)
class Selection:
    """Splits and features of a TFDS data set; see `from_tfds` for the attributes."""

    train_split: str | None = None
    evaluation_split: str | None = None
    image_key: str | None = None
    label_key: str | None = None
    limit: int | None = None
    to_rgb: bool = False
    unlabelled: bool = False
    single_label: bool = False

    def check_file(
        self,
        path: str,
        metadata: DatasetMetadata,
        name: str,
        base_resolution: int | None,
    ) -> None:
        """Check that a file of decoded arrays holds what is requested.

        Args:
            path: Of the file, for the error.
            metadata: Of the file.
            name: TFDS name, `name`, `name/config` or `name/config:version`.
            base_resolution: As requested; None accepts any.

        Raises:
            ValueError: It holds something else.
        """
        requested = {
            "limit": self.limit,
            "image_key": self.image_key,
            "label_key": self.label_key,
            "to_rgb": self.to_rgb,
            "unlabelled": self.unlabelled,
        }
        if not is_named(metadata.name, name):
            requested["name"] = name
        version = name.partition(":")[2]
        if re.fullmatch(r"\d+\.\d+\.\d+", version):  # TFDS has wildcards too
            requested["version"] = version
        if base_resolution is not None:
            requested["base_resolution"] = base_resolution
        for role in ("train_split", "evaluation_split"):
            if getattr(self, role) is not None:
                requested[role] = getattr(self, role)
        for key, value in requested.items():
            held = getattr(metadata, key)
            if key.endswith("_split") and self.limit is not None:
                held = re.sub(r"\[:\d+\]$", "", held)  # the limit is compared itself
            if held != value:
                raise ValueError(
                    f"arrays file {path!r} holds {key} {held!r}, but {value!r} was "
                    "requested; choose another file or delete it"
                )
        if self.single_label and metadata.multi_label:
            raise ValueError(
                f"arrays file {path!r} holds a multi-label data set, but "
                "single_label=True needs one class per image"
            )
