import argparse
import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from support import ROOT, run

from lookbook.commands import verify
from lookbook.evaluation.predictions import prediction_file
from lookbook.foundation.lock_file import outputs
from lookbook.networks.saving import save_keras
from lookbook.revisions import verification
from lookbook.revisions.verification import READERS, Finding, difference, judge, machine, promises


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.0]), 0),
        (np.array([0.5, 0.5]), np.array([0.6, 0.4]), 0.1),
        (np.array([300.0, 400.0]), np.array([303.0, 404.0]), 0.01),
        (np.array(["a", "b", "c", "d"]), np.array(["a", "b", "c", "e"]), 0.25),
        (np.array([3, 4]), np.array([3, 5]), 0.5),
        (np.zeros(2), np.zeros(3), np.inf),
        (np.zeros(0), np.zeros(0), 0),
    ],
)
def test_how_far_apart_arrays_are(old, new, expected):
    assert difference(old, new) == pytest.approx(expected)


class Recorded:
    """In place of a revision: a folder."""

    def __init__(self, folder):
        self.folder = folder

    def read(self, path):
        file = self.folder / path
        return file.read_bytes() if file.exists() else None


@pytest.fixture
def both(tmp_path):
    """A function that writes a file twice by a function, and judges the second by the first."""

    def judged(name, write, old, new, tolerance=0.02):
        for folder, content in (("old", old), ("new", new)):
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder / name, content)
        return judge(name, Recorded(tmp_path / "old"), tmp_path / "new", tolerance)

    return judged


def write_text(path, content):
    path.write_text(content)


def write_network(path, shift):
    inputs = keras.Input((4,), name="pixels")
    outputs = keras.layers.Dense(2, name="dense")(inputs)
    model = keras.Model(inputs, outputs, name="model")
    model.set_weights([np.ones((4, 2)) + shift, np.zeros(2)])
    save_keras(model, path)


def write_arrays(path, shift):
    np.savez(path, coef=np.ones(4) + shift, classes=np.arange(3))


def write_parquet(path, shift):
    pd.DataFrame({"id": ["a", "b"], "p_x": np.float32([0.5, 0.5]) + shift}).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.keras", write_network), ("a.npz", write_arrays), ("a.parquet", write_parquet)],
)
def test_arrays_are_judged_by_the_tolerance(both, name, write):
    assert both(name, write, 0.0, 0.0) == Finding(name, "identical")
    close = both(name, write, 0.0, 0.01)
    assert close.verdict == "within tolerance"
    assert close.detail.startswith("0.01 at most, in ")
    assert both(name, write, 0.0, 0.1).verdict == "drifted"
    assert both(name, write, 0.0, 0.1, tolerance=0.2).verdict == "within tolerance"


def test_figures_and_tables_are_judged_by_the_tolerance(both):
    old, new = '{"a": {"b": 0.5, "c": 3}}', '{"a": {"b": 0.51, "c": 3}}'
    assert both("a.json", write_text, old, new).detail == "0.01 at most, in a.b"
    new = '{"a": {"b": 0.5, "c": 4}}'
    assert both("a.json", write_text, old, new) == Finding("a.json", "drifted", "1 at most, in a.c")
    assert both("a.json", write_text, old, "{}") == Finding("a.json", "drifted", "other entries")
    rows = "actual,predicted\n" + "cat,cat\n" * 99
    found = both("a.csv", write_text, rows + "cat,dog\n", rows + "cat,cat\n")
    assert (found.verdict, found.detail) == ("within tolerance", "0.01 at most, in predicted")


def test_what_was_drawn_is_not_judged(both):
    assert both("a.svg", write_text, "<svg>1</svg>", "<svg>2</svg>").verdict == "differs"


def test_what_is_not_at_hand_is_said(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    found = judge("a.json", Recorded(tmp_path / "none"), tmp_path, 0.02)
    assert found.verdict == "differs"
    assert "dvc pull" in found.detail


def test_every_kind_of_number_file_of_the_pipeline_has_a_reader():
    drawn = {".svg", ".png", ".html", ".md", ".txt"}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    outs = [out for stage in stages for out in stage["outs"]]
    files = [*map(Path, outs), prediction_file("model", "test"), Path("metrics.json")]
    assert {file.suffix for file in files} - drawn - {""} == set(READERS)


def test_seeds_are_those_of_sections_whatever_the_data_set_is_called(tmp_path):
    (tmp_path / "params.yaml").write_text("dataset: seeds\nhardware: {}\nbaseline: {seed: 7}\n")
    assert machine(tmp_path).endswith("- seeds: baseline 7")


@pytest.mark.parametrize(
    ("recorded", "here", "identical", "said"),
    [
        ("everywhere", "everywhere", True, "any x86-64 Linux with AVX2, networks included. Kept."),
        ("everywhere", "everywhere", False, "Not kept, unless versions or outputs were changed."),
        ("everywhere", "machine", False, "Of Linux on aarch64 nothing more was promised."),
        ("machine", "everywhere", False, "Of Linux on aarch64 nothing more was promised."),
    ],
)
def test_what_was_promised_is_said(tmp_path, monkeypatch, recorded, here, identical, said):
    for folder, promised in (("old", recorded), ("new", here)):
        (tmp_path / folder / "metrics").mkdir(parents=True)
        for name in ("train_ann", "train_cnn", "train_transfer"):
            metrics = tmp_path / folder / f"metrics/{name}.json"
            metrics.write_text(json.dumps({"repeatable": promised}))
    monkeypatch.setattr(verification, "processor", lambda: "Linux on aarch64")
    sentence = promises(Recorded(tmp_path / "old"), tmp_path / "new", identical)
    assert sentence.startswith("Promised: the same bytes on ")
    assert sentence.endswith(said)


def verified(folder, *words):
    return run(sys.executable, "-m", "lookbook", "verify", *words, cwd=folder, check=False)


def test_an_unknown_revision_has_a_sentence(repository):
    done = verified(repository, "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected a Git revision")


@pytest.mark.slow
def test_results_are_verified_and_changed_ones_are_found(finished):
    done = verified(finished, "--exact")
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(outputs(Path("dvc.lock").read_bytes()))
    assert f"{count} of {count} identical" in done.stdout
    assert done.stdout.rstrip().endswith("Kept.")
    assert "train_cnn 42" in done.stdout
    assert not run("git", "status", "--short", cwd=finished).stdout

    metrics = Path("metrics/evaluate.json")
    figures = json.loads(metrics.read_text())
    figures["train_ann"]["accuracy"] += 0.05
    metrics.write_text(json.dumps(figures))
    lock = Path("dvc.lock").read_text()
    recorded = re.search(r"path: metrics/evaluate.json\n.*\n      md5: (\w+)", lock)[1]
    Path("dvc.lock").write_text(lock.replace(recorded, "ab" * 16))
    run("git", "commit", "-qam", "made up", cwd=finished)
    done = verified(finished)
    assert done.returncode == 1
    assert re.search(r"metrics/evaluate.json +\| drifted +\| 0.05 at most", done.stdout)
    assert "train_ann: expected a test accuracy of" in done.stdout
    assert f"{count - 1} of {count} identical" in done.stdout


def test_names_of_what_was_made_command_no_terminal(monkeypatch, capsys):
    found = [verification.Finding("metrics/\x1b[2J.csv", "differs", "1 at most, in p_\u202e|x")]
    monkeypatch.setattr("lookbook.revisions.revision.Revision", lambda name: name)
    monkeypatch.setattr("lookbook.revisions.reruns.rerun", lambda *arguments: None)
    monkeypatch.setattr(verification, "compare_outputs", lambda *arguments: found)
    monkeypatch.setattr(verification, "failed", lambda *arguments: ["\x1b[31m drifted"])
    monkeypatch.setattr(verification, "machine", lambda folder: "- machine: ours")
    monkeypatch.setattr(verification, "promises", lambda *arguments: "Promised: nothing.")
    assert verify.run(argparse.Namespace(revision="HEAD", tolerance=0.02, exact=False)) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert r"p_\\u202e\|x" in said
    assert r"\x1b[31m drifted" in said
