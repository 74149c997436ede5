"""The report on a change, in a repository of its own with two branches, offline."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from support import change_spec, run

from lookbook.evaluation.predictions import prediction_file, predictions_for, write_predictions
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import write_metrics
from lookbook.foundation.lock_file import outputs
from lookbook.revisions.revision import Revision
from lookbook.splits.split import Split
from lookbook.splits.sums import write_sums

RECORDED = {"evaluate": {"cmd": "echo", "outs": ["metrics/predictions"]}}


def say(model, test, wrong):
    """Keep predictions for a model that has the first `wrong` pictures of the split wrong."""
    probabilities = np.full((len(test), 10), 0.01)
    said = test.labels.copy()
    said[:wrong] = (said[:wrong] + 1) % 10
    probabilities[np.arange(len(test)), said] = 0.91
    write_predictions(prediction_file(model, "test"), predictions_for(test, probabilities))


def commit(message):
    run("dvc", "commit", "-q", "-f", cwd=Path.cwd())
    run("git", "add", "-A", cwd=Path.cwd())
    run("git", "commit", "-qm", message, cwd=Path.cwd())


@pytest.fixture
def branches(processed):
    """A repository whose branch `main` is worse than the work tree's branch `change`."""
    folder, test = Path.cwd(), Split("test")
    (folder / "dvc.yaml").write_text(
        yaml.safe_dump({"stages": RECORDED, "metrics": ["metrics/evaluate.json"]})
    )
    shutil.rmtree("data/own")  # a pipeline of its own, not wanted here
    run("git", "init", "-q", "-b", "main", cwd=folder)
    say("train_ann", test, wrong=60)
    say("train_cnn", test, wrong=20)
    write_metrics(Path("metrics/evaluate.json"), {"train_ann": {"accuracy": 0.8}})
    commit("main")
    run("git", "checkout", "-qb", "change", cwd=folder)
    say("train_ann", test, wrong=20)
    say("train_cnn", test, wrong=22)
    write_metrics(Path("metrics/evaluate.json"), {"train_ann": {"accuracy": 0.9}})
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("hidden: [512, 256]", "hidden: [64]"))
    commit("change")
    return folder


@pytest.fixture
def compared(lookbook):
    """A function that runs the command; returns its exit code, stderr and the report."""

    def call(*words):
        code, _, err = lookbook("compare", *words)
        report = Path("comparison/report.md")
        return code, err, report.read_text() if report.exists() else ""

    return call


def test_each_model_gets_a_verdict_and_its_galleries(branches, compared):
    code, err, report = compared("main")
    assert code == 0, err
    lines = report.splitlines()
    assert lines[0] == "## Against main"
    assert "- **train_ann** better: +0.1114" in report
    assert "40 pictures put right, 0 put wrong" in report
    assert "- **train_cnn** within noise: -0.0056" in report
    assert "### Fixed by train_ann: 40" in lines
    assert "### Broken by train_cnn: 2" in lines
    assert {path.name for path in Path("comparison").iterdir()} == {
        "report.html", "report.md", "train_ann_fixed.png", "train_cnn_broken.png",
    }  # fmt: skip
    assert "![fixed by train_ann](train_ann_fixed.png)" in lines
    page = Path("comparison/report.html").read_text()
    assert '<h2>Dense network: <strong class="better">better</strong></h2>' in page
    assert (
        "<p>+11 points (+8 to +14), p &lt; 0.001; 40 pictures put right, 0 put wrong.</p>" in page
    )
    assert "<h2>Convolutional network: 2 pictures put wrong</h2>" in page
    index = Split("test").index()
    label = int(index["label"][20])
    row = f"| {index['id'][20]} | {index['source'][20]} | {label} | {label} | {(label + 1) % 10} |"
    assert row in lines
    assert "train_ann.accuracy" in report
    assert "| 0.8 " in report
    assert "train_ann.hidden" in report


def test_of_unequal_classes_the_verdict_is_about_balanced_accuracy(branches, compared, monkeypatch):
    monkeypatch.setattr("lookbook.foundation.classes.UNEQUAL", 1)  # those of digits hardly are
    test = Split("test")
    code, err, report = compared("main")
    assert code == 0, err
    assert "\nThe classes are unequal: " in report
    put_right = np.bincount(test.labels[20:60], minlength=10) / np.bincount(test.labels)
    assert f"- **train_ann** better: {put_right.mean():+.4f} (" in report
    assert "p = 0.0001;" in report  # McNemar's test is not simulated, and gives 2e-12


def test_galleries_of_an_earlier_comparison_do_not_stay(branches, compared):
    compared("main")
    compared("HEAD")
    left = {path.name for path in Path("comparison").iterdir()}
    assert left == {"report.html", "report.md"}


def test_links_to_galleries_can_lead_elsewhere(branches, compared):
    report = compared("main", "--images-at", "https://example.com/x/")[2]
    assert "](https://example.com/x/train_ann_fixed.png)" in report


@pytest.mark.parametrize(
    ("revision", "gate", "code"),
    [
        ("main", ["train_ann", "train_cnn"], 0),
        ("change", ["train_ann"], 0),
        ("main", ["train_rnn"], 2),
    ],
)
def test_a_gate_lets_through_what_is_not_worse(branches, compared, revision, gate, code):
    received, err, _ = compared(revision, "--gate", *gate)
    assert received == code
    assert ("Received: train_rnn" in err) == (code == 2)


def test_a_gate_stops_what_is_significantly_worse(branches, compared):
    run("git", "checkout", "-q", "main", cwd=branches)
    run("dvc", "checkout", "-q", cwd=branches)
    assert compared("change", "--gate", "train_cnn")[0] == 0
    code, _, report = compared("change", "--gate", "train_cnn", "train_ann")
    assert code == 1
    assert "- **train_ann** worse: -0.1114" in report


def test_other_test_data_are_said_and_not_compared(branches, compared, processed):
    index = processed / "test/index-00000.csv"
    lines = index.read_text().splitlines()
    lines[1] = "0" * 16 + lines[1][16:]
    index.write_text("\n".join(lines) + "\n")
    write_sums(processed)
    for model in ("train_ann", "train_cnn"):
        say(model, Split("test"), wrong=300)
    code, err, report = compared("main", "--gate", "train_ann")
    assert code == 0, err
    said = (
        "The test data differ, so the models are not compared: 359 pictures of 10 classes at main"
    )
    assert report.splitlines()[2].startswith(said)
    assert "358 in both" in report
    assert "worse" not in report


def test_predictions_of_other_pictures_than_the_splits_have_a_sentence(branches, compared):
    say("train_ann", Split("validation"), wrong=0)
    code, err, report = compared("main")
    assert code == 2
    assert "Expected predictions for the 359 pictures of data/processed/test" in err
    assert "No verdict. Expected predictions" in report


def test_results_that_are_not_those_of_the_work_tree_are_said(branches, compared):
    assert "up to date" not in compared("main")[2]
    run("git", "checkout", "-q", "main", cwd=branches)  # and `dvc checkout` forgotten
    code, _, report = compared("change")
    assert code == 0
    assert "What is compared here is not up to date: evaluate. Run `dvc repro`, or" in report
    assert "- **train_ann** within noise: +0.0000" in report
    run("dvc", "checkout", "-q", cwd=branches)
    assert "up to date" not in compared("change")[2]


def test_models_that_came_or_went_are_named(branches, compared):
    prediction_file("train_ann", "test").rename(prediction_file("train_rnn", "test"))
    code, err, report = compared("main")
    assert code == 0, err
    assert "train_rnn is new: main has no predictions of it." in report
    assert "train_ann is gone: only main has predictions of it." in report


def test_an_unknown_revision_has_a_sentence(branches, compared):
    code, err, _ = compared("nowhere")
    assert code == 2
    assert "Expected a Git revision" in err
    assert "'nowhere'" in err


@pytest.mark.parametrize("revision", ["HEAD:params.yaml", "HEAD:lookbook", "HEAD^{tree}"])
def test_a_file_of_a_revision_is_none(repository, revision):
    with pytest.raises(LookbookError, match="Received: .*, a file or a folder of one. Name the"):
        Revision(revision)


@pytest.mark.parametrize(
    "lock",
    [
        b"stages:\n  a:\n    outs:\n    - path: x\n      md5: 1\n    - pa",
        b"<<<<<<< HEAD\nstages: {}\n=======\n",
        b"stages: [1]\n",
        b"stages: {a: {outs: [7]}}\n",
        b"\xff\xfe",
    ],
)
def test_half_a_lock_file_has_a_sentence(lock):
    with pytest.raises(
        LookbookError, match="Expected a whole dvc.lock. Received: .*doctor --repair"
    ):
        outputs(lock)


def test_a_revision_without_predictions_has_a_sentence(branches, compared):
    run("git", "rm", "-q", "--cached", "dvc.lock", cwd=branches)
    run("git", "commit", "-qm", "no lock", cwd=branches)
    code, err, _ = compared("HEAD")
    assert code == 2
    assert "Expected predictions at HEAD. Received: a dvc.lock without them." in err


def test_no_predictions_here_has_a_sentence(branches, compared):
    shutil.rmtree("metrics/predictions")
    code, err, _ = compared("main")
    assert code == 2
    assert "Expected predictions in metrics/predictions. Received: none. Run `dvc repro`" in err


@pytest.mark.parametrize("remote", [False, True])
def test_data_that_are_nowhere_have_a_sentence_and_those_of_a_remote_are_used(
    branches, compared, remote, tmp_path_factory
):
    shelf = tmp_path_factory.mktemp("shelf")
    run("dvc", "remote", "add", "-q", "-d", "shelf", str(shelf), cwd=branches)
    if remote:
        for branch in ("main", "change"):
            run("git", "checkout", "-q", branch, cwd=branches)
            run("dvc", "push", "-q", cwd=branches)
    shutil.rmtree(".dvc/cache")
    code, err, report = compared("main")
    if remote:
        assert code == 0, err
        assert "- **train_ann** better" in report
    else:
        assert code == 2
        assert "Received: neither has them. Run `dvc fetch --all-commits metrics/pred" in err
        assert "train_ann.accuracy" in report  # what Git knows is reported all the same


def test_predictions_that_nobody_stored_are_made_anew(processed):
    folder, test = Path.cwd(), Split("test")
    copied = {"cmd": "cp -r kept metrics/predictions", "deps": ["kept"]}
    stages = {"evaluate": copied | {"outs": ["metrics/predictions"]}}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    run("git", "init", "-q", "-b", "main", cwd=folder)
    for branch, wrong in (("main", 60), ("change", 0)):
        run("git", "checkout", "-qB", branch, cwd=folder)
        say("train_ann", test, wrong)
        shutil.rmtree("kept", ignore_errors=True)
        shutil.copytree("metrics/predictions", "kept")
        commit(branch)
    shutil.rmtree(".dvc/cache")
    command = [sys.executable, "-m", "lookbook", "compare", "main"]
    assert run(*command, cwd=folder, check=False).returncode == 2
    done = run(*command, "--run", cwd=folder)
    assert done.stdout.startswith("train_ann better: +0.1671")
    assert "cp -r kept metrics/predictions" in done.stderr
    assert run("git", "status", "--short", cwd=folder).stdout == ""
    assert run(*command, cwd=folder).stdout == done.stdout  # the cache has them now


def test_bars_and_markup_in_names_stay_text(branches, compared, processed):
    names = json.loads((processed / "spec.json").read_text())["class_names"]
    change_spec(processed, class_names=[f"a|<img src=x>{name}" for name in names])
    for model, wrong in (("train_ann", 0), ("train_cnn", 0)):
        say(model, Split("test"), wrong)
    commit("names")
    say("train_ann", Split("test"), 1)
    report = compared("HEAD")[2]
    assert "### Broken by train_ann: 1" in report
    assert r"| a\|&lt;img src=x&gt;" in report
    assert "<img" not in report
