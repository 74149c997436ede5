"""Trials on the workers of a Dask cluster; what comes of them becomes experiments here."""

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from distributed import Client

from lookbook.cluster.connecting import workers
from lookbook.cluster.launching import launched
from lookbook.cluster.networks import conditions
from lookbook.cluster.program import Program
from lookbook.cluster.sending import check, reaching
from lookbook.cluster.worker import environment
from lookbook.experiments.trials import (
    Clone,
    Curves,
    Outcome,
    Watch,
    answers,
    curves_of,
    reason_of,
    with_settings,
)
from lookbook.foundation.files import sha256_of
from lookbook.foundation.params import PARAMS, load_params
from lookbook.foundation.schema import read_yaml

PIPELINE = Path("dvc.yaml")
UNSENT = Path("data/processed/test")  # which nobody opens in a search


@dataclass(frozen=True)
class Worker:
    """A worker of a cluster. Nothing need be there but Lookbook.

    Attributes:
        client: Of the cluster.
        address: Of the worker. If it is lost, another one takes what it had to do.
        clone: Which takes in what comes of trials; several workers share it.
        params: What params.yaml holds at HEAD.
        program: The stage, without its settings.
        files: Where the program's files are, by their SHA-256.
    """

    client: Client
    address: str
    clone: Clone
    params: str
    program: Program
    files: dict[str, Path]

    def try_out(self, name: str, settings: dict, watch: Watch) -> Outcome:
        """Run a trial; see `lookbook.experiments.trials.Place`.

        Raises:
            LookbookError: If the worker could make other bytes, or lacks space, or the scheduler is
                lost, or all workers are.
        """
        start = time.monotonic()
        curves = Curves(watch)
        params = with_settings(self.params, settings).encode()
        ended = launched(
            self.client,
            self.address,
            self.program._replace(contents={PARAMS.as_posix(): params}),
            self.files,
            curves.go_on,
            self.clone.ended,
        )
        right, operations, failure = None, 0, ""
        made: dict[str, bytes] = {}
        if ended and ended.code:
            failure = reason_of(ended.said)
        elif ended and curves.go_on(ended.files[self.program.watched]):
            (right, operations), made = ended.conclusion, ended.files
        if not self.clone.ended.is_set():  # else it was interrupted
            self.clone.take_in(name, settings, made)
        return Outcome(curves.epochs, time.monotonic() - start, right, operations, failure)


def on_cluster(client: Client, clone: Clone) -> list[Worker]:
    """Return the workers of a cluster, as places for the trials of a clone's stage.

    Raises:
        LookbookError: If some of them could make other bytes.
    """
    repeatable = load_params(clone.folder / PARAMS).hardware.repeatable
    conditions_there = partial(conditions, repeatable)
    expected = conditions_there()
    check(client, conditions_there, expected)
    stage = read_yaml(clone.folder / PIPELINE)["stages"][clone.stage]
    inputs = {path: sha256_of(clone.folder / path) for path in _inputs(clone.folder, stage["deps"])}
    program = Program(
        words=tuple(stage["cmd"].split()[1:]),  # after `python`
        files={path.as_posix(): file for path, file in inputs.items()},
        contents={},
        watched=curves_of(clone.stage).as_posix(),
        results=tuple(_path(entry) for entry in [*stage["outs"], *stage["metrics"]]),
        conclude=pickle.dumps(partial(answers, stage=clone.stage)),
        conditions=pickle.dumps(conditions_there),
        expected=expected,
        environment=environment(),
    )
    files = {file: clone.folder / path for path, file in inputs.items()}
    params = (clone.folder / PARAMS).read_text(encoding="utf-8")
    with reaching():
        addresses = workers(client)
    return [Worker(client, address, clone, params, program, files) for address in addresses]


def _inputs(folder: Path, deps: list[str]) -> Iterator[Path]:
    """Yield the paths of the files that a stage depends on, in a folder."""
    for dep in deps:
        found = [folder / dep] if (folder / dep).is_file() else sorted((folder / dep).rglob("*"))
        for path in found:
            inside = path.relative_to(folder)
            is_sent = "__pycache__" not in inside.parts and not inside.is_relative_to(UNSENT)
            if path.is_file() and is_sent:
                yield inside


def _path(entry: str | dict) -> str:
    """Return the path of an output, with or without options."""
    return entry if isinstance(entry, str) else next(iter(entry))
