"""A search: Optuna proposes settings, places try them out, and a journal remembers it all."""

import fcntl
import hashlib
import json
import logging
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from lookbook.experiments.space import SPACE, Choices, Parameter, Space
from lookbook.experiments.trials import Outcome, Place
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.intervals import mean_share

DIGITS = 6  # of a proposed number, which people read
STARTING = 10  # trials of chance before the model of what is good decides
UNPRUNED = 5  # finished trials before one is pruned
WARM_UP = 1 / 3  # of the epochs of the settings at HEAD, in which no trial is pruned
FAILURES = 3  # in a row, after which it is no matter of settings

logger = logging.getLogger("search")


@dataclass(frozen=True)
class Tried:
    """A trial that is over.

    Attributes:
        name: Of its experiment.
        state: `finished`, `pruned` or `failed`.
        settings: By the parameters' names.
        epochs: It went through.
        seconds: It took.
        last: Validation accuracy of its last epoch; NaN if it had none.
        right: Which validation pictures it has right, bool of shape (n,), if it is finished.
        operations: Of its model for a picture.
        failure: Why it failed.
    """

    name: str
    state: str
    settings: dict[str, Any]
    epochs: int
    seconds: float
    last: float
    right: np.ndarray | None
    operations: int
    failure: str

    def figure(self, classes: np.ndarray | None) -> float:
        """Return its figure on the validation pictures; NaN if it is not finished.

        Args:
            classes: int of shape (n,), if every class is to count alike.
        """
        return math.nan if self.right is None else mean_share(self.right, classes).figure


class Search:
    """The trials of a stage at a commit, with a space and a seed; on disk, so that it can go on.

    With one place the trials are the same each time, also if it is stopped and goes on: what is
    proposed depends on the seed, the trial's number and the trials before, and whether a trial is
    pruned on its curves and those of the trials before.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        space: Space,
        *,
        seed: int,
        baseline: Outcome,
        classes: np.ndarray | None = None,
    ):
        """Open the journal of the search, or begin one.

        Args:
            name: Of the search; those of its trials begin so.
            folder: Of the search. Nobody else works with it: see `held`.
            space: What to try.
            seed: Of all that is proposed.
            baseline: What came of the settings that there are.
            classes: Of the validation pictures, int (n,), if every class is to count alike.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.name, self.space, self.seed = name, space, seed
        assert baseline.right is not None
        self.baseline, self.before, self.classes = baseline, baseline.right, classes
        journal = folder / "journal.log"
        _mend(journal)
        self._lock = threading.Lock()
        self._study = optuna.create_study(
            study_name=name,
            direction="maximize",
            storage=JournalStorage(JournalFileBackend(str(journal))),
            sampler=optuna.samplers.RandomSampler(seed),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=UNPRUNED,
                n_warmup_steps=math.ceil(WARM_UP * baseline.epochs),
            ),
            load_if_exists=True,
        )
        self._waiting = [
            Trial(self._study, trial._trial_id)
            for trial in self._study.get_trials()
            if not trial.state.is_finished()
        ]

    def run(
        self,
        trials: int,
        places: Sequence[Place],
        tell: Callable[[Tried], None],
        ended: threading.Event,
    ) -> None:
        """Run trials, one at a time in each place, until there are so many.

        Args:
            trials: How many there are to be, with those of earlier runs.
            places: Where to run them.
            tell: Called with each trial that is over.
            ended: Set here when something fails, for the places to end their trials.

        Raises:
            LookbookError: If several fail, one after the other.
        """
        self._study.set_user_attr("workers", max(self.workers, len(places)))

        def work(place: Place) -> None:
            try:
                while not ended.is_set() and (trial := self._next(trials)):
                    self._try(trial, place, tell, ended)
            except BaseException:
                ended.set()
                raise

        with ThreadPoolExecutor(len(places)) as pool:
            futures = [pool.submit(work, place) for place in places]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                ended.set()
                raise

    @property
    def workers(self) -> int:
        """The most places that it has run in at once."""
        return self._study.user_attrs.get("workers", 0)

    def tried(self) -> list[Tried]:
        """Return all trials that are over, in the order of their numbers."""
        return [
            self._told(trial) for trial in self._study.get_trials() if trial.state.is_finished()
        ]

    def importances(self) -> dict[str, float]:
        """Return which share of the differences between finished trials each setting accounts for.

        By the variances of a random forest (Hutter, Hoos and Leyton-Brown, ICML 2014), largest
        first; nothing where the trials are fewer than `STARTING`, or all alike.
        """
        finished = self._study.get_trials(states=(TrialState.COMPLETE,))
        if len(finished) < STARTING or len({trial.value for trial in finished}) == 1:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self.seed)
        return optuna.importance.get_param_importances(self._study, evaluator=evaluator)

    def _next(self, trials: int) -> Trial | None:
        """Return a trial to run: one that was interrupted, or a new one; None if all are there."""
        with self._lock:
            trial = self._waiting.pop(0) if self._waiting else None
            if trial is None:
                if len(self._study.get_trials(deepcopy=False)) >= trials:
                    return None
                trial = self._study.ask()
            for place, parameter in enumerate(self.space.parameters):
                # Anew for each, so that it does not matter what was proposed before a kill.
                self._study.sampler = optuna.samplers.TPESampler(
                    n_startup_trials=STARTING, seed=_seed(self.seed, trial.number, place)
                )
                _propose(trial, parameter)
            return trial

    def _try(
        self, trial: Trial, place: Place, tell: Callable[[Tried], None], ended: threading.Event
    ) -> None:
        known = self._study.get_trials(deepcopy=False)[trial.number].intermediate_values
        reported = max(known, default=0)  # before it was interrupted
        pruned = False

        def watch(epoch: int, accuracy: float) -> bool:
            nonlocal pruned
            with self._lock:
                if epoch > reported:
                    trial.report(accuracy, epoch)
                if epoch >= reported:  # Optuna asks about the last that was reported
                    pruned = trial.should_prune()
            return not pruned

        settings = self.space.settings(self._values(trial.params))
        outcome = place.try_out(self._name(trial.number), settings, watch)
        if ended.is_set() and outcome.right is None and not pruned:
            return  # interrupted, and not over
        with self._lock:
            self._tell(trial, outcome, pruned=pruned)
            over = self.tried()
            tell(next(one for one in over if one.name == self._name(trial.number)))
            _check_failures(over)

    def _name(self, number: int) -> str:
        return f"{self.name}-{number:03}"

    def _tell(self, trial: Trial, outcome: Outcome, *, pruned: bool) -> None:
        trial.set_user_attr("seconds", round(outcome.seconds, 1))
        trial.set_user_attr("epochs", outcome.epochs)
        if pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif outcome.right is None:
            trial.set_user_attr("failure", outcome.failure)
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            trial.set_user_attr("operations", outcome.operations)
            trial.set_user_attr("right", np.packbits(outcome.right).tobytes().hex())
            self._study.tell(trial, mean_share(outcome.right, self.classes).figure)

    def _told(self, trial: FrozenTrial) -> Tried:
        states = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned"}
        attributes = trial.user_attrs
        right = None
        if "right" in attributes:
            packed = np.frombuffer(bytes.fromhex(attributes["right"]), np.uint8)
            right = np.unpackbits(packed, count=len(self.before)).astype(bool)
        values = trial.intermediate_values
        return Tried(
            name=self._name(trial.number),
            state=states.get(trial.state, "failed"),
            settings=self._values(trial.params),
            epochs=attributes.get("epochs", 0),
            seconds=attributes.get("seconds", 0.0),
            last=values[max(values)] if values else math.nan,
            right=right,
            operations=attributes.get("operations", 0),
            failure=attributes.get("failure", ""),
        )

    def _values(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return what Optuna proposes as params.yaml has it, in the order of search.yaml."""
        return {
            parameter.name: _value(parameter, params[parameter.name])
            for parameter in self.space.parameters
            if parameter.name in params
        }


def identity(*parts: object) -> str:
    """Return seven hex digits of what makes two searches the same one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:7]


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from working with a folder, until the block ends or this process does.

    Raises:
        LookbookError: If another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LookbookError(
                f"Expected no other run of the search in {folder}. Received: one that works. "
                "Wait for it, or end it."
            ) from None
        yield


def _mend(journal: Path) -> None:
    """Take away what a kill has left: a line half written, and the lock of who wrote it."""
    for path in journal.parent.glob("journal.log.lock*"):
        path.unlink()
    if journal.is_file():
        content = journal.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(journal, whole)


def _check_failures(over: list[Tried]) -> None:
    last = over[-FAILURES:]
    if len(last) == FAILURES and all(trial.state == "failed" for trial in last):
        raise LookbookError(
            f"Expected trials to succeed. Received: {FAILURES} failures in a row; the last: "
            f"{last[-1].failure}. Mend the cause, or narrow {SPACE}, and run it again."
        )


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _propose(trial: Trial, parameter: Parameter) -> None:
    name, values = parameter.name, parameter.values
    if isinstance(values, Choices):
        trial.suggest_categorical(name, [json.dumps(choice) for choice in values.choices])
    elif parameter.is_whole:
        step = 1 if values.step is None else int(values.step)
        trial.suggest_int(name, int(values.low), int(values.high), log=values.log, step=step)
    else:
        trial.suggest_float(name, values.low, values.high, log=values.log, step=values.step)


def _value(parameter: Parameter, proposed: Any) -> Any:
    if isinstance(parameter.values, Choices):
        return json.loads(proposed)
    return proposed if parameter.is_whole else float(f"{proposed:.{DIGITS}g}")
