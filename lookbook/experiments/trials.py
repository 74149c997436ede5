"""One trial: a stage run with other settings in a clone, watched, and kept as a DVC experiment."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import remove
from lookbook.foundation.params import PARAMS
from lookbook.foundation.processes import STAGE
from lookbook.foundation.stopwatch import TIMES
from lookbook.ladder.rungs import rung
from lookbook.revisions.reruns import clone, run
from lookbook.revisions.revision import Revision

LOOK = 0.2  # seconds between two looks at the curves
GRACE = 10  # seconds for a process that is told to end
# DVC as a process that ends with whoever has started it: it takes itself for a stage of ours.
DVC = (
    "from lookbook.foundation.processes import end_with_parent; end_with_parent(); "
    "from dvc.cli import main; raise SystemExit(main())"
)
WATCHED = (sys.executable, "-c", DVC)

Watch = Callable[[int, float], bool]  # from an epoch and its validation accuracy: go on?

_at_a_time = threading.Lock()  # Keras has one state a process, a repository one of its refs


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        epochs: How many it went through.
        seconds: That it took, with all around the training.
        right: Which validation pictures its model has right, bool of shape (n,); None if it was
            pruned, or failed.
        operations: Of its model for a picture.
        failure: Why it failed, in a sentence; '' if it did not.
    """

    epochs: int
    seconds: float
    right: np.ndarray | None = None
    operations: int = 0
    failure: str = ""


class Place(Protocol):
    """Where trials run, one after the other: a clone here, or a worker elsewhere."""

    def try_out(self, name: str, settings: dict, watch: Watch) -> Outcome:
        """Run a trial; end it early when `watch` returns False.

        Args:
            name: Of its experiment.
            settings: As params.yaml has them.
            watch: Called with each epoch and its validation accuracy, in order. What it decides
                must depend on them alone.
        """


@dataclass
class Clone:
    """A clone of this repository at HEAD, which shares its cache, in a folder of its own.

    Attributes:
        folder: Where it is.
        stage: That trials run.
        ended: Set when all trials are to end.
    """

    folder: Path
    stage: str
    ended: threading.Event = field(default_factory=threading.Event)

    def prepare(self) -> Outcome:
        """Make the clone, and run the stage with the settings that it has at HEAD.

        Raises:
            LookbookError: If that fails.
        """
        start = time.monotonic()
        revision = Revision("HEAD")
        clone(revision, self.folder)
        code, said = self._repro(lambda *_: True)
        if code:
            raise LookbookError(
                f"Expected {self.stage} to run with its settings in {PARAMS}. Received: "
                f"{_reason(said)}. Mend its cause, then search."
            )
        self._git("add", "--all")
        self.baseline = revision.commit
        self._start = self._git("write-tree")  # what every trial starts from
        return self._measured(start)

    @property
    def seconds(self) -> float | None:
        """How long the last training in it took; None if there was none."""
        try:
            return json.loads((self.folder / TIMES).read_text(encoding="utf-8"))[self.stage]
        except (FileNotFoundError, LookupError):
            return None

    def try_out(self, name: str, settings: dict, watch: Watch) -> Outcome:
        """Run a trial; see `Place`."""
        start = time.monotonic()
        self._git("read-tree", "--reset", "-u", self._start)
        write_settings(self.folder / PARAMS, settings)
        code, said = self._repro(watch)
        if code == 0:
            outcome = self._measured(start)
        else:  # what is there is of no model
            remove(self.folder / rung(self.stage).metrics)
            remove(self.folder / "models/.checkpoints")
            remove(self.folder / ".dvc/tmp/rwlock")  # which a DVC that was ended leaves
            failure = _reason(said) if code else ""
            epochs = len(self._curves())
            outcome = Outcome(epochs, time.monotonic() - start, failure=failure)
        if not (code and self.ended.is_set()):  # else it was interrupted
            self._keep(name)
        return outcome

    def _repro(self, watch: Watch) -> tuple[int | None, str]:
        """Run the stage; return the exit code, None if `watch` has ended it, and what was said."""
        for path in (rung(self.stage).file, rung(self.stage).metrics, self._curves_file):
            remove(self.folder / path)
        log = self.folder / ".dvc/tmp/trial.log"
        log.parent.mkdir(exist_ok=True)
        environment = os.environ | {
            STAGE: "search",
            "DVC_SITE_CACHE_DIR": str(log.parent.absolute() / "site"),
        }
        seen, goes_on = 0, True
        with log.open("wb") as said:
            process = subprocess.Popen(
                [*WATCHED, "repro", self.stage],
                cwd=self.folder, env=environment, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
            try:
                while goes_on:
                    is_over = process.poll() is not None  # before the last look, not after
                    for epoch, accuracy in self._curves()[seen:]:
                        seen, goes_on = epoch, watch(epoch, accuracy)
                        if not goes_on:
                            break
                    if is_over or self.ended.wait(LOOK):
                        break
            finally:
                _end(process)
        text = log.read_text(encoding="utf-8", errors="replace")
        return (process.returncode if goes_on else None), text

    @property
    def _curves_file(self) -> Path:
        return Path("metrics/curves", f"{self.stage}.csv")

    def _curves(self) -> list[tuple[int, float]]:
        """Return each epoch so far with its validation accuracy; the file is replaced as a whole.

        Epochs are numbered from 1, without a gap.
        """
        try:
            with (self.folder / self._curves_file).open(encoding="utf-8", newline="") as file:
                return [
                    (int(row["epoch"]), float(row["val_accuracy"])) for row in csv.DictReader(file)
                ]
        except FileNotFoundError:
            return []

    def _measured(self, start: float) -> Outcome:
        with _at_a_time:
            right, operations = answers(self.folder, self.stage)
        epochs = len(self._curves())
        return Outcome(epochs, time.monotonic() - start, right=right, operations=operations)

    def _keep(self, name: str) -> None:
        """Let the user's repository have what differs from HEAD as an experiment.

        One that has no figures has none of them in it, and `dvc repro` makes them.
        """
        self._git("add", "--all")
        tree = self._git("write-tree")
        message = f"dvc: commit experiment {name}"
        made = self._git("commit-tree", tree, "-p", self.baseline, "-m", message)
        ref = f"refs/exps/{self.baseline[:2]}/{self.baseline[2:]}/{name}"
        with _at_a_time:
            self._git("push", "--quiet", "--force", "origin", f"{made}:{ref}")

    def _git(self, *words: str) -> str:
        who = ("-c", "user.name=lookbook search", "-c", "user.email=search@lookbook.invalid")
        return run("git", *who, *words, cwd=self.folder).strip()


def answers(folder: Path, stage: str) -> tuple[np.ndarray, int]:
    """Return which validation pictures a stage's model has right, and what a picture costs it.

    Args:
        folder: Of a clone in which the stage has run.
        stage: The stage.

    Returns:
        bool of shape (n,), and floating-point operations.
    """
    import keras
    import tensorflow as tf

    from lookbook.ladder.models import load_model, predict
    from lookbook.splits.split import Split

    tf.config.set_visible_devices([], "GPU")  # which the trainings have
    path = folder / rung(stage).file
    validation = Split("validation", folder / "data/processed")
    model = load_model(path)
    right = predict(model, validation, path).argmax(axis=1) == validation.labels
    operations = model.operations
    keras.utils.clear_session()
    return right, operations


def write_settings(path: Path, settings: dict) -> None:
    """Change settings of params.yaml; its comments stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken anew
    content = yaml.load(path.read_text(encoding="utf-8"))
    _change(content, settings)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _change(content: dict, settings: dict) -> None:
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _change(content[key], value)
        else:
            content[key] = value
            if isinstance(value, list):
                content[key] = CommentedSeq(value)
                content[key].fa.set_flow_style()


def _end(process: subprocess.Popen) -> None:
    """End a process and those that it has started, if they run."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, kind)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue


def _reason(said: str) -> str:
    """Return what a stage has said of its failure, or else DVC, as the end of a sentence."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    errors += [line for line in lines if line.startswith("ERROR: ")]
    return (errors or lines[-1:] or ["no word"])[0].removeprefix("error: ").rstrip(".")
