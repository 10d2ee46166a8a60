"""The trials that a storage has."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.sweep.storage import (
    Storage,
    StorageError,
    model_name,
    record_name,
    snapshot_name,
)
from experiments.sweep.workdir import Workdir
from experiments.trials.trial import Trial
from mobilenet_tf import files
from mobilenet_tf.files import checked_json


class Stored:
    """Which trials a storage has, once it has all that this command knows of them.

    What the working directory has of them is copied to the storage, and the records of
    the storage to the working directory.

    Args:
        storage: Where nodes write.
        workdir: That of the command.
        trials: The grid.

    Raises:
        StorageError: The storage cannot be read or written, or a record of it is
            damaged.
    """

    def __init__(self, storage: Storage, workdir: Workdir, trials: Sequence[Trial]):
        storage.remove_partials()
        self._names = storage.names("records") | storage.names("trials")
        for name in self._names:
            path = workdir.path / name
            if path.match("records/*.json") and not path.exists():
                files.write(path, _record(storage, name))
        for trial in filter(workdir.done, trials):
            # The record says that a trial is done: it comes last.
            for name in (model_name(trial.key), record_name(trial.key)):
                path = workdir.path / name
                if name not in self._names and path.exists():
                    storage.write(name, path.read_bytes())
                    self._names.add(name)
        for trial in trials:
            # A process was killed after it had written the record.
            if self.usable(trial) and snapshot_name(trial.key) in self._names:
                storage.remove(snapshot_name(trial.key))

    def done(self, trial: Trial) -> bool:
        """See `experiments.sweep.grid.Finished`."""
        return record_name(trial.key) in self._names

    def usable(self, trial: Trial) -> bool:
        """See `experiments.sweep.grid.Finished`."""
        return self.done(trial) and model_name(trial.key) in self._names


def _record(storage, name):
    """The content of a storage's record, if it is not damaged."""
    content = storage.read(name) or b""
    try:
        checked_json.loads(content)
    except ValueError as error:
        raise StorageError(
            f"{name!r} of storage {storage.url!r} is damaged ({error}); delete it, and "
            "the network is trained again"
        ) from error
    return content
