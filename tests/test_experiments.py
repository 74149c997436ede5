"""Experiments as people run them, through DVC, on a tiny configuration."""

import json
import re
import sys
import time

import pytest
import yaml
from support import run

LONGEST = 300  # seconds to wait for the queue


def params(folder):
    return yaml.safe_load((folder / "params.yaml").read_text())


def experiments(folder):
    """Return all that `dvc exp show` knows of each experiment."""
    rows = json.loads(run("dvc", "exp", "show", "--json", cwd=folder).stdout)
    return [
        experiment
        for row in rows
        for group in row.get("experiments") or []
        for experiment in group["revs"]
    ]


def shown(folder):
    """Return the names of all experiments."""
    return {experiment["name"] for experiment in experiments(folder) if experiment["name"]}


def wait_for_queue(folder):
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        status = run("dvc", "queue", "status", cwd=folder).stdout
        if not re.search(r"Queued|Running", status):
            return status
        time.sleep(1)
    return pytest.fail(f"the queue did not end:\n{status}")


@pytest.mark.slow
def test_one_after_the_other_compared_and_kept(finished):
    again = run("dvc", "repro", cwd=finished)
    assert "Data and pipelines are up to date." in again.stdout
    page = (finished / "metrics/report.html").read_text()
    command = re.search(r"git log --oneline -S \w+ -- dvc.lock", page)[0]
    assert run(*command.split(), cwd=finished).stdout.endswith(" results\n")

    run("dvc", "exp", "run", "-S", "train_ann.epochs=2", "-n", "longer", cwd=finished)
    curves = (finished / "metrics/curves/train_ann.csv").read_text().splitlines()
    assert len(curves) == 3
    assert "train_ann.epochs" in run("dvc", "params", "diff", cwd=finished).stdout
    difference = json.loads(run("dvc", "metrics", "diff", "--json", cwd=finished).stdout)
    assert "metrics/train_ann.json" in difference
    assert "metrics/train_cnn.json" not in difference
    compared = run(sys.executable, "-m", "lookbook", "compare", cwd=finished).stdout
    assert re.search(r"^train_ann (better|worse|within noise): ", compared, re.MULTILINE)
    assert "train_cnn within noise: +0.0000" in compared

    # Back to the commit, then to the experiment again by its name, as a branch, and saved by hand.
    run("git", "checkout", "-q", ".", cwd=finished)
    run("dvc", "checkout", "-q", cwd=finished)
    assert params(finished)["train_ann"]["epochs"] == 1
    run("dvc", "exp", "apply", "longer", cwd=finished)
    assert params(finished)["train_ann"]["epochs"] == 2
    assert "up to date" in run("dvc", "repro", cwd=finished).stdout
    run("git", "checkout", "-q", ".", cwd=finished)
    run("dvc", "checkout", "-q", cwd=finished)
    compared = run(sys.executable, "-m", "lookbook", "compare", "longer", cwd=finished).stdout
    assert "train_ann" in compared
    run("dvc", "exp", "branch", "longer", "kept", cwd=finished)
    at_branch = run("git", "show", "kept:params.yaml", cwd=finished).stdout
    assert yaml.safe_load(at_branch)["train_ann"]["epochs"] == 2
    run("dvc", "exp", "save", "-n", "by-hand", cwd=finished)
    assert {"longer", "by-hand"} <= shown(finished)


@pytest.mark.slow
def test_a_grid_in_the_background_and_one_aside(finished):
    grid = ["-S", "train_ann.dropout=0.1,0.2", "-S", "train_ann.learning_rate=1e-4"]
    run("dvc", "exp", "run", "--queue", *grid, cwd=finished)
    assert run("dvc", "queue", "status", cwd=finished).stdout.count("Queued") == 2
    run("dvc", "queue", "start", cwd=finished)
    status = wait_for_queue(finished)
    assert status.count("Success") == 2, status
    run("dvc", "exp", "run", "--temp", "-S", "train_ann.epochs=2", "-n", "aside", cwd=finished)
    assert not run("git", "status", "--short", cwd=finished).stdout
    assert len(shown(finished)) == 3
    table = run("dvc", "exp", "show", "--csv", "--only-changed", cwd=finished).stdout
    assert "aside" in table
    rates = [row["learning_rate"] for row in learning_rates(finished)]
    assert rates.count(1e-4) == 2


def learning_rates(folder):
    """Return the dense network's parameters in each experiment, as numbers."""
    return [
        experiment["data"]["params"]["params.yaml"]["data"]["train_ann"]
        for experiment in experiments(folder)
    ]


@pytest.mark.slow
def test_plots_hold_curves_charts_and_galleries(finished):
    plots = run("dvc", "plots", "show", "-o", "plots", cwd=finished)
    page = (finished / "plots/index.html").read_text()
    for title in (
        "Dense network, accuracy by epoch",
        "Transfer, loss by epoch",
        "Dense network, test",
        "samples.png",
        "class_counts.svg",
        "ladder.svg",
        "reliability.svg",
        "train_cnn_focus.png",
        "baseline_mistakes.png",
    ):
        assert title in page, plots.stdout
