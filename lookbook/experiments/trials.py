"""One trial: a stage run with other settings in a clone, watched, and kept as a DVC experiment."""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import remove
from lookbook.foundation.params import PARAMS
from lookbook.foundation.processes import STAGE, end
from lookbook.foundation.stopwatch import TIMES
from lookbook.ladder.rungs import rung
from lookbook.revisions.reruns import DVC, clone, run
from lookbook.revisions.revision import Revision

LOOK = 0.2  # seconds between two looks at the curves
# DVC as a process that ends with whoever has started it: it takes itself for a stage of ours.
ENDING = (
    "from lookbook.foundation.processes import end_with_parent; end_with_parent(); "
    "from dvc.cli import main; raise SystemExit(main())"
)
WATCHED = (sys.executable, "-c", ENDING)

Watch = Callable[[int, float], bool]  # from an epoch and its validation accuracy: go on?

_at_a_time = threading.Lock()  # Keras has one state a process, a repository one of its refs


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        epochs: How many were watched.
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
    """Where trials run, one after the other: a clone here, or a worker of a cluster."""

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
    _taking_in: threading.Lock = field(default_factory=threading.Lock, init=False)

    def prepare(self) -> Outcome:
        """Make the clone, and run the stage with the settings that it has at HEAD.

        Raises:
            LookbookError: If that fails.
        """
        start = time.monotonic()
        revision = Revision("HEAD")
        clone(revision, self.folder)
        curves = Curves(lambda *_: True)
        code, said = self._repro(curves)
        if code:
            raise LookbookError(
                f"Expected {self.stage} to run with its settings in {PARAMS}. Received: "
                f"{reason_of(said)}. Mend its cause, then search."
            )
        self._git("add", "--all")
        self.baseline = revision.commit
        self._start = self._git("write-tree")  # what every trial starts from
        right, operations = self._answers()
        return Outcome(curves.epochs, time.monotonic() - start, right, operations)

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
        self._set(settings)
        curves = Curves(watch)
        code, said = self._repro(curves)
        right, operations = (None, 0) if code != 0 else self._answers()
        failure = reason_of(said) if code else ""
        if not (code and self.ended.is_set()):  # else it was interrupted
            self._keep(name, is_whole=code == 0)
        return Outcome(curves.epochs, time.monotonic() - start, right, operations, failure)

    def take_in(self, name: str, settings: dict, made: Mapping[str, bytes]) -> None:
        """Keep a trial that was run elsewhere as an experiment.

        Args:
            name: Of the experiment.
            settings: As params.yaml has them.
            made: What the stage has left, by its path; nothing if it has not come to an end.
        """
        with self._taking_in:
            self._set(settings)
            self._clear()
            for path, content in made.items():
                remove(self.folder / path)  # which is a link to the cache
                (self.folder / path).write_bytes(content)
            if made:
                command = [*DVC, "commit", "--quiet", "--force", self.stage]
                run(*command, cwd=self.folder, environment=self._environment)
            self._keep(name, is_whole=bool(made))

    def _set(self, settings: dict) -> None:
        self._git("read-tree", "--reset", "-u", self._start)
        path = self.folder / PARAMS
        path.write_text(with_settings(path.read_text(encoding="utf-8"), settings), encoding="utf-8")

    def _clear(self) -> None:
        for path in (rung(self.stage).file, rung(self.stage).metrics, curves_of(self.stage)):
            remove(self.folder / path)

    @property
    def _environment(self) -> dict[str, str]:
        """The variables of DVC here, whose own files go with the clone."""
        return os.environ | {"DVC_SITE_CACHE_DIR": str((self.folder / ".dvc/tmp/site").absolute())}

    def _repro(self, curves: "Curves") -> tuple[int | None, str]:
        """Run the stage; return the exit code, None if it was ended early, and what was said."""
        self._clear()
        log = self.folder / ".dvc/tmp/trial.log"
        log.parent.mkdir(exist_ok=True)
        goes_on = True
        with log.open("wb") as said:
            process = subprocess.Popen(
                [*WATCHED, "repro", self.stage],
                cwd=self.folder, env=self._environment | {STAGE: "search"},
                stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
            try:
                while goes_on:
                    is_over = process.poll() is not None  # before the last look, not after
                    with contextlib.suppress(FileNotFoundError):
                        goes_on = curves.go_on((self.folder / curves_of(self.stage)).read_bytes())
                    if is_over or self.ended.wait(LOOK):
                        break
            finally:
                end(process)
        text = log.read_text(encoding="utf-8", errors="replace")
        return (process.returncode if goes_on else None), text

    def _answers(self) -> tuple[np.ndarray, int]:
        import tensorflow as tf

        with _at_a_time:
            tf.config.set_visible_devices([], "GPU")  # which the trainings have
            return answers(self.folder, stage=self.stage)

    def _keep(self, name: str, *, is_whole: bool) -> None:
        """Let the user's repository have what differs from HEAD as an experiment.

        One that is not whole has no figures, and `dvc repro` makes them.
        """
        if not is_whole:  # what is there is of no model
            remove(self.folder / rung(self.stage).metrics)
            remove(self.folder / "models/.checkpoints")
            remove(self.folder / ".dvc/tmp/rwlock")  # which a DVC that was ended leaves
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


class Curves:
    """Hands each epoch of a training to a watch, once and in order.

    Attributes:
        epochs: How many it has handed over.
    """

    def __init__(self, watch: Watch):
        """Begin with the first epoch."""
        self.epochs, self._watch = 0, watch

    def go_on(self, content: bytes) -> bool:
        """Return whether the training is to go on.

        Args:
            content: Of the file with its curves so far: a row an epoch, from 1 on without a gap.
        """
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        for row in rows[self.epochs :]:
            self.epochs = int(row["epoch"])
            if not self._watch(self.epochs, float(row["val_accuracy"])):
                return False
        return True


def curves_of(stage: str) -> Path:
    """Return where a stage leaves its curves."""
    return Path("metrics/curves", f"{stage}.csv")


def answers(folder: Path, *, stage: str) -> tuple[np.ndarray, int]:
    """Return which validation pictures a stage's model has right, and what a picture costs it.

    Args:
        folder: Of a clone in which the stage has run.
        stage: The stage.

    Returns:
        bool of shape (n,), and floating-point operations.
    """
    import keras

    from lookbook.ladder.models import load_model, predict
    from lookbook.splits.split import Split

    path = folder / rung(stage).file
    validation = Split("validation", folder / "data/processed")
    model = load_model(path)
    right = predict(model, validation, path).argmax(axis=1) == validation.labels
    operations = model.operations
    keras.utils.clear_session()
    return right, operations


def with_settings(params: str, settings: dict) -> str:
    """Return params.yaml with some settings changed; its comments stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken anew
    content = yaml.load(params)
    _change(content, settings)
    changed = io.StringIO()
    yaml.dump(content, changed)
    return changed.getvalue()


def _change(content: dict, settings: dict) -> None:
    for key, value in settings.items():
        if isinstance(value, dict) and isinstance(content.get(key), dict):
            _change(content[key], value)
        else:
            content[key] = value
            if isinstance(value, list):
                content[key] = CommentedSeq(value)
                content[key].fa.set_flow_style()


def reason_of(said: str) -> str:
    """Return what a stage has said of its failure, or else DVC, as the end of a sentence."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    errors += [line for line in lines if line.startswith("ERROR: ")]
    return (errors or lines[-1:] or ["no word"])[0].removeprefix("error: ").rstrip(".")
