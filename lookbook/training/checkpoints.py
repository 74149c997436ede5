"""Trainings that were killed go on from one of their last finished epochs.

After an epoch everything that the next one depends on is written to one file, with its hash:
weights, the optimizer's variables, the state of every random generator in the model, what early
stopping remembers, and the curves so far. The order of the pictures and their augmentation follow
from seed and epoch. Where epochs are short, most are not written: an epoch of a small set takes
little longer than writing does. The file is removed when what came of the training is saved.
"""

import hashlib
import json
import logging
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lookbook.foundation.arithmetic import of_networks
from lookbook.foundation.files import remove, sealing, unsealing

CHECKPOINTS = Path("models/.checkpoints")
SECONDS_APART = 5.0  # at least, from one writing to the next: what a kill costs, and an epoch

logger = logging.getLogger(__name__)


class Checkpoint(keras.callbacks.Callback):
    """Keeps a training's state on disk, and brings it back.

    Attributes:
        epoch: How many epochs are finished.
        rows: The figures of each of them.
        stopped: Whether early stopping has ended the training.
        resumed: Whether an earlier run did a part of it.
    """

    def __init__(self, name: str, identity: str, stopping: keras.callbacks.EarlyStopping | None):
        """Find the state of an earlier training.

        Args:
            name: Of the training; the file is called so.
            identity: What makes two trainings the same one, as a hash. The state of any other
                training is not used.
            stopping: Its state is kept as well.
        """
        super().__init__()
        self.path = CHECKPOINTS / f"{name}.state"
        self.identity = identity
        self.stopping = stopping
        self.epoch, self.rows, self.stopped, self.resumed = 0, [], False, False
        self._due = time.monotonic()
        self._state, self._arrays = self._read()
        if self._state:
            self.resumed = True
            self.epoch, self.stopped = self._state["epoch"], self._state["stopped"]
            self.rows = self._state["rows"]
            logger.info("going on after epoch %d, where the last training ended", self.epoch)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Set the model, its optimizer and early stopping to the state that was found."""
        if not self._state:
            return
        for place, variable in enumerate(self._variables()):
            variable.assign(self._arrays[f"variable_{place}"])
        if self.stopping:
            self.stopping.wait = self._state["wait"]
            self.stopping.best, self.stopping.best_epoch = self._state["best"]
            self.stopping.best_weights = [
                self._arrays[f"best_{place}"] for place in range(len(self.model.get_weights()))
            ]
        self._state, self._arrays = {}, {}  # as large as the model and its optimizer

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Write the state, if it is time or the training has ended."""
        self.epoch = epoch + 1
        self.rows.append({name: float(value) for name, value in logs.items()})
        has_ended = self.model.stop_training or self.epoch == self.params["epochs"]
        if has_ended or time.monotonic() >= self._due:
            self._write()
            self._due = time.monotonic() + SECONDS_APART

    def _write(self) -> None:
        state = {
            "identity": self.identity,
            "epoch": self.epoch,
            "rows": self.rows,
            "stopped": self.model.stop_training,
        }
        best = []
        if self.stopping:
            state["wait"] = self.stopping.wait
            state["best"] = [float(self.stopping.best), self.stopping.best_epoch]
            best = self.stopping.best_weights
        arrays = {f"variable_{place}": v.numpy() for place, v in enumerate(self._variables())}
        arrays |= {f"best_{place}": weights for place, weights in enumerate(best)}
        with sealing(self.path) as file:
            np.savez(file, allow_pickle=False, state=json.dumps(state), **arrays)

    def _variables(self) -> list[keras.Variable]:
        return self.model.variables + self.model.optimizer.variables

    def _read(self) -> tuple[dict, dict[str, np.ndarray]]:
        try:
            with unsealing(self.path) as file, np.load(file, allow_pickle=False) as arrays:
                state = json.loads(str(arrays["state"]))
                if state["identity"] == self.identity:
                    return state, dict(arrays)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read (%s); starting anew", self.path, error)
        return {}, {}


def discard(name: str) -> None:
    """Remove the states of a stage's trainings, once its model is saved."""
    for path in CHECKPOINTS.glob(f"{name}*.state"):
        remove(path)


def identity_of(model: keras.Model, *settings: object) -> str:
    """Return a hash of what a training's result depends on.

    That is: the network with its first weights, the settings, this project's code, the versions of
    Keras and TensorFlow, and the arithmetic that they use.

    Args:
        model: Before training.
        settings: Anything whose `repr` tells it from others, data by their hash.
    """
    digest = hashlib.sha256()
    for part in (model.to_json(), settings, keras.__version__, tf.__version__, of_networks()):
        digest.update(repr(part).encode())
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).data)
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.split(".")[0] == "lookbook" and file:
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()
