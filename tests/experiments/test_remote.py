"""Trials on the workers of a cluster are those of this machine, whatever is lost."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clusters import SECONDS
from support import run
from trials_kept import at, listed, working_in

from lookbook.cluster import connecting
from lookbook.experiments.remote import on_cluster
from lookbook.experiments.trials import Clone
from lookbook.foundation.errors import LookbookError

KEPT = ("dvc.lock", "params.yaml", "metrics/train_ann.json")
COMMAND = [sys.executable, "-m", "lookbook", "search", "train_ann", "--trials"]


def search(*words, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *words], text=True, **pipes, **options)


@pytest.fixture
def scratch(tmp_path_factory):
    """Where workers work."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def worker(cluster, scratch):
    """A function that starts a worker."""

    def start(**options):
        return cluster.worker("--no-nanny", "--local-directory", str(scratch), **options)

    return start


def all_ends_below(folder):
    end = time.monotonic() + SECONDS
    while working := [p for p in working_in(folder) if "stages.train_ann" in p.cmdline()]:
        assert time.monotonic() < end, working
        time.sleep(0.2)


@pytest.mark.slow
def test_trials_there_are_those_of_here(committed, worker, scratch):
    started = worker()
    clone = Clone(committed / ".dvc/tmp/search/one", "train_ann")
    clone.prepare()
    (place,) = on_cluster(connecting.connected(), clone)
    assert place.address == started.address
    assert "data/processed/train/labels-00000.npy" in place.program.files
    assert not [path for path in place.program.files if path.startswith("data/processed/test")]

    settings = {"train_ann": {"hidden": [64], "epochs": 3, "learning_rate": 0.01}}
    found = {}
    for where, trial_of in (("there", place), ("here", clone)):
        shutil.rmtree(".dvc/cache/runs")  # else it would not train again
        seen = []
        outcome = trial_of.try_out(
            where, settings, lambda *row, seen=seen: seen.append(row) or True
        )
        files = [at(where, path, committed) for path in KEPT]
        assert all(files)
        assert not outcome.failure
        found[where] = seen, outcome.epochs, outcome.right.tolist(), outcome.operations, files
    assert found["there"] == found["here"]

    outcome = place.try_out("poor", {"train_ann": {"epochs": 4000}}, lambda epoch, _: epoch < 3)
    assert (outcome.right, outcome.failure, outcome.epochs) == (None, "", 3)
    assert not at("poor", "metrics/train_ann.json", committed)
    assert "epochs: 4000" in at("poor", "params.yaml", committed)
    all_ends_below(scratch)
    outcome = place.try_out("wrong", {"train_ann": {"dropout": 2}}, lambda *_: True)
    assert outcome.right is None
    assert outcome.failure.startswith("Expected train_ann.dropout to be less than 1")
    assert set(listed(committed)) == {"there", "here", "poor", "wrong"}
    assert not run("git", "status", "--short", cwd=committed).stdout


@pytest.mark.parametrize("repeatable", ["everywhere", "machine"])
def test_a_worker_with_other_cores_is_refused_where_they_count(
    project, worker, set_params, repeatable
):
    set_params(**{"hardware.repeatable": repeatable})
    one = worker(before=["taskset", "--cpu-list", "0"])
    (project / "data/processed").mkdir()
    clone, client = Clone(project, "train_ann"), connecting.connected()
    if repeatable == "everywhere":
        assert [place.address for place in on_cluster(client, clone)] == [one.address]
    else:
        with pytest.raises(LookbookError, match="the number of threads is 1 .here") as error:
            on_cluster(client, clone)
        assert f"Received: {one.address} on " in str(error.value)


@pytest.mark.slow
def test_lost_workers_and_schedulers_are_got_over(committed, cluster, worker, monkeypatch):
    first = worker()
    worker()
    process = search("8")
    lines = iter(process.stdout.readline, "")
    assert "8 trials of train_ann to come, 2 at a time" in "".join(
        line for line, _ in zip(lines, range(2), strict=False)
    )
    next(line for line in lines if "on validation pictures" in line)
    cluster.kill(first)
    for _ in range(2):
        assert "on validation pictures" in next(lines)
    cluster.kill(cluster.scheduler)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert "; its dashboard: http" in said.splitlines()[0]
    assert said.splitlines()[-1].startswith("error: Expected the Dask scheduler at tcp://")
    assert not list(Path(".dvc/tmp/search").iterdir())

    monkeypatch.delenv(connecting.ADDRESS)
    again = run(*COMMAND, "8", cwd=committed)
    assert 0 < again.stdout.count("on validation pictures; ") <= 5
    assert "8 trials: 8 finished" in again.stdout or "pruned" in again.stdout
    (folder,) = Path("search").iterdir()
    assert set(listed(committed)) == {f"{folder.name}-{number:03}" for number in range(8)}


@pytest.mark.slow
def test_ctrl_c_ends_trials_on_workers(committed, worker, scratch):
    worker()
    process = search("50")
    next(line for line in process.stdout if "trials of train_ann to come" in line)
    end = time.monotonic() + SECONDS
    while not working_in(scratch):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing half-written was kept" in said
    all_ends_below(scratch)
    assert not list(Path(".dvc/tmp/search").iterdir())
    assert not listed(committed)
    assert json.loads(run("dvc", "status", "--json", cwd=committed).stdout)  # DVC is not blocked
