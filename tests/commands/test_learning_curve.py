import json
from pathlib import Path

import pytest
from support import change_spec

from lookbook.commands.learning_curve import CHART
from lookbook.evaluation.learning_curve import FILE


def test_the_curve_of_the_head_is_left_and_said(processed, lookbook, monkeypatch):
    monkeypatch.setattr("lookbook.planning.measuring.EFFORTS", (0.5, 0.5))
    monkeypatch.setattr("lookbook.planning.shares.SMALLEST", 2)
    code, out, err = lookbook("learning_curve")
    assert code == 0, err
    figures = json.loads(FILE.read_text())
    assert out.startswith("Twice as many training photos (2,")
    assert figures["sentence"] in out
    photos = [share["photos"] for share in figures["shares"]]
    assert photos == sorted(photos)
    accuracies = [share["accuracy"] for share in figures["shares"]]
    assert accuracies[0] < accuracies[-1] - 0.02
    assert accuracies[-1] > 0.9
    assert ">now</text>" in CHART.read_text()
    left = FILE.read_bytes(), CHART.read_bytes()
    assert lookbook("learning_curve")[0] == 0
    assert (FILE.read_bytes(), CHART.read_bytes()) == left


@pytest.mark.slow
def test_the_curve_of_the_network_says_first_how_long_it_takes(
    processed, lookbook, set_params, monkeypatch, caplog
):
    set_params(**{"train_cnn.blocks": [[4]], "train_cnn.max_map": 0, "train_cnn.dense_units": 0})
    set_params(**{"train_cnn.epochs": 1})
    monkeypatch.setattr("lookbook.planning.shares.SMALLEST", 1)
    Path("metrics/times.json").write_text('{"train_cnn": 80.0}')
    with caplog.at_level("INFO"):
        code, _, err = lookbook("learning_curve", "--network", "train_cnn")
    assert code == 0, err
    assert caplog.messages[0].startswith("3 trainings, each as long as one of train_cnn or less")
    assert "4 minutes at most" in caplog.messages[0]
    figures = json.loads(FILE.read_text())
    assert figures["network"] == "train_cnn"
    assert [share["draws"] for share in figures["shares"]] == [2, 1]
    assert not list(Path("models").rglob("*.npz"))


@pytest.mark.parametrize("given", [["--network", "train_ann"], ["pets"]])
def test_another_network_is_refused(lookbook, given):
    code, _, err = lookbook("learning_curve", *given)
    assert code == 2
    assert err.startswith("error: Expected the arguments that `lookbook learning_curve -h` lists.")


def test_without_splits_there_is_no_curve(lookbook):
    before = FILE.read_bytes()
    code, _, err = lookbook("learning_curve")
    assert code == 2
    assert err.startswith("error: Expected the description of the splits in data/processed/spec")
    assert "Run `dvc repro preprocess`." in err
    assert FILE.read_bytes() == before


def test_ctrl_c_leaves_what_was_there(processed, lookbook, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = FILE.read_bytes()
    monkeypatch.setattr("lookbook.planning.measuring.fitted", interrupted)
    code, _, err = lookbook("learning_curve")
    assert code == 130
    assert "interrupted" in err
    assert FILE.read_bytes() == before
    assert not CHART.exists()
    assert not list(Path().rglob(".partial-*"))


def test_without_validation_data_there_is_no_curve(processed, lookbook):
    for path in (processed / "validation").iterdir():
        path.unlink()
    counts = json.loads((processed / "spec.json").read_text())["counts"]
    change_spec(processed, counts=counts | {"validation": 0})
    code, _, err = lookbook("learning_curve")
    assert code == 2
    assert "Set preprocess.validation_size above 0." in err
