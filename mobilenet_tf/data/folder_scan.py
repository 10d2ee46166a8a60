"""The photographs of a folder: their classes, whether they can be read, duplicates."""

from __future__ import annotations

import dataclasses
import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

from mobilenet_tf.data.photographs import image_files, readable
from mobilenet_tf.data.splitting import listed
from mobilenet_tf.data.threads import map_in_threads

TRAINING_FOLDERS = ("train", "training")  # in any case of letters
EVALUATION_FOLDERS = ("validation", "val", "valid", "test", "testing")  # the first
ClassFiles = dict[str, list[Path]]  # the image files of each class, by its name


@dataclasses.dataclass(frozen=True)
class Listing:
    """Photographs of one split, or of a folder that is not split yet.

    Attributes:
        name: Name of the folder.
        class_names: Names of the classes in index order.
        files: Paths of the photographs, class by class.
        labels: Class of each.
        digests: SHA-256 of each file's content.
    """

    name: str
    class_names: tuple[str, ...]
    files: list[Path]
    labels: list[int]
    digests: list[str]

    def at(self, rows: list[int]) -> Listing:
        """Some of the photographs."""
        return dataclasses.replace(
            self,
            files=[self.files[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            digests=[self.digests[row] for row in rows],
        )


def scan(
    folder: Path, skip_unreadable: bool, class_names: Sequence[str] | None = None
) -> list[Listing]:
    """List the photographs of a folder of classes, or of `train/` and `validation/`.

    Args:
        folder: The folder.
        skip_unreadable: Leave out files that cannot be read, with a warning.
        class_names: Names of the classes in index order, of which the folder may lack
            some; None means the names of its folders, all with photographs.

    Returns:
        One listing, or those of training and of evaluation.

    Raises:
        ValueError: See `from_folder`.
    """
    parts = _split_folders(folder)
    classes = [_classes(part) for part in parts]
    if class_names is None:
        _check_classes(parts, classes)
        _check_not_empty(parts, classes)
    else:
        classes = [
            _known_classes(part, each, class_names)
            for part, each in zip(parts, classes, strict=True)
        ]
    classes = _readable(classes, skip_unreadable)
    if class_names is None:
        _check_not_empty(parts, classes)
    listings = [_listing(*each) for each in zip(parts, classes, strict=True)]
    if len(listings) == 1:
        _warn_of_two_classes(listings[0])
    else:
        _check_no_overlap(*listings)
    return listings


def _listing(folder: Path, classes: ClassFiles) -> Listing:
    files = [file for part in classes.values() for file in part]
    labels = [label for label, part in enumerate(classes.values()) for _ in part]
    digests = list(map_in_threads(digest, files))
    return Listing(folder.name, tuple(classes), files, labels, digests)


def _visible_folders(folder: Path) -> list[Path]:
    return sorted(
        each
        for each in folder.iterdir()
        if each.is_dir() and not each.name.startswith((".", "__MACOSX"))
    )


def _split_folders(folder: Path) -> list[Path]:
    """The folders of training and evaluation, or the folder itself."""
    folders = _visible_folders(folder)
    by_name = {each.name.casefold(): each for each in folders}
    training = [by_name[name] for name in TRAINING_FOLDERS if name in by_name]
    evaluation = [by_name[name] for name in EVALUATION_FOLDERS if name in by_name]
    parts = [*training[:1], *evaluation[:1]]
    if len(parts) < 2:
        return [folder]
    others = [
        each.name
        for each in folders
        if each not in parts and each.name.casefold() not in EVALUATION_FOLDERS
    ]
    if others:
        raise ValueError(
            f"beside {parts[0].name}/ and {parts[1].name}/ there must be no other "
            f"folders in {str(folder)!r}, got {', '.join(others)}"
        )
    return parts


def _classes(folder: Path) -> ClassFiles:
    """The image files of each class, by its name."""
    stray = [str(file) for file in image_files(folder) if file.parent == folder]
    if stray:
        raise ValueError(
            f"photographs must lie in a folder that is named by their class, but "
            f"these do not:{listed(stray)}"
        )
    return {each.name: image_files(each) for each in _visible_folders(folder)}


def _check_classes(parts: list[Path], classes: list[ClassFiles]) -> None:
    if len(classes[0]) < 2:
        raise ValueError(
            f"{str(parts[0])!r} must hold at least two folders, one per class, got "
            f"{', '.join(classes[0]) or 'none'}"
        )
    different = sorted(set(classes[0]) ^ set(classes[-1]))
    if different:
        raise ValueError(
            f"{str(parts[0])!r} and {str(parts[-1])!r} must hold the same classes, but "
            f"only one of them has {', '.join(different)}"
        )


def _known_classes(
    folder: Path, classes: ClassFiles, class_names: Sequence[str]
) -> ClassFiles:
    """The files of each known class, none where the folder lacks the class."""
    unknown = sorted(set(classes) - set(class_names))
    if unknown:
        raise ValueError(
            f"the folders in {str(folder)!r} must be classes of the network, but these "
            f"are not:{listed(unknown)}"
        )
    if not any(classes.values()):
        raise ValueError(f"there are no photographs in {str(folder)!r}")
    return {name: classes.get(name, []) for name in class_names}


def _check_not_empty(parts: list[Path], classes: list[ClassFiles]) -> None:
    empty = [
        str(part / name)
        for part, each in zip(parts, classes, strict=True)
        for name, files in each.items()
        if not files
    ]
    if empty:
        raise ValueError(
            f"each class must have images, but these do not:{listed(empty)}"
        )


def _readable(classes: list[ClassFiles], skip: bool) -> list[ClassFiles]:
    """The classes without the files that cannot be read, which are an error or not."""
    everything = [file for each in classes for files in each.values() for file in files]
    kept = set(readable(everything, skip, stacklevel=4))
    return [
        {name: [file for file in files if file in kept] for name, files in each.items()}
        for each in classes
    ]


def digest(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _check_no_overlap(train: Listing, evaluation: Listing) -> None:
    """Raise where a validation photograph is a training photograph too."""
    known = dict(zip(train.digests, train.files, strict=True))
    pairs = [
        f"{file} equals {known[digest]}"
        for digest, file in zip(evaluation.digests, evaluation.files, strict=True)
        if digest in known
    ]
    if pairs:
        raise ValueError(
            f"{len(pairs)} photographs of {evaluation.name}/ are in {train.name}/ too; "
            f"remove one of each:{listed(pairs)}"
        )


def _warn_of_two_classes(listing: Listing) -> None:
    """Warn of equal files in different classes: one of the labels is wrong."""
    first: dict[str, tuple[Path, int]] = {}
    pairs = []
    for file, label, digest in zip(
        listing.files, listing.labels, listing.digests, strict=True
    ):
        other, other_label = first.setdefault(digest, (file, label))
        if label != other_label:
            pairs.append(f"{file} equals {other}")
    if pairs:
        warnings.warn(
            f"{len(pairs)} photographs lie in two classes:{listed(pairs)}", stacklevel=4
        )
