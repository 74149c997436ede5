import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from support import BROWSERS, change_spec, rows_of
from untrained import ALL, MADE, softmax_regression

from lookbook.evaluation.learning_curve import fingerprint_of
from lookbook.evaluation.predictions import prediction_file, read_predictions
from lookbook.foundation.params import load_params
from lookbook.networks.saving import save_keras
from lookbook.splits.spec import Scaling, Spec
from lookbook.splits.split import Split
from lookbook.splits.writing import SplitWriter
from stages import baseline, evaluate, export


@pytest.fixture
def trained(processed, run_main, monkeypatch):
    """A project copy whose ladder has the linear model and an untrained dense one."""
    assert run_main(baseline.main)[0] == 0
    save_keras(softmax_regression(Split("train").spec), Path("models/train_ann.keras"))
    Path("metrics/train_ann.json").write_text('{"repeatable": "everywhere"}')
    monkeypatch.setattr(evaluate, "RUNGS", MADE[:2])


def test_every_model_gets_the_same_figures(ladder):
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    assert list(metrics) == [*ALL, "majority_class"]
    figures = [{name for name in metrics[model] if name != "answers"} for model in metrics]
    assert all(entry == figures[0] for entry in figures)
    assert metrics["baseline"]["accuracy"] > 0.9
    assert metrics["train_ann"]["accuracy"] < 0.4
    assert 0.09 < metrics["majority_class"]["accuracy"] < 0.11
    assert metrics["baseline"]["file_bytes"] == Path("models/baseline.npz").stat().st_size
    assert metrics["baseline"]["parameters"] == metrics["train_ann"]["parameters"] == 7850
    assert metrics["baseline"]["operations"] == 15680 <= metrics["train_ann"]["operations"]
    table = Path("metrics/ladder.md").read_text()
    lines = table.splitlines()
    assert lines[0].startswith("- train_ann against baseline: worse: -0.")
    assert lines[3].startswith("- Validation data pick baseline, which is right on 0.9")
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert rows[2:] == [*ALL, "majority_class"]


def test_what_each_model_says_is_kept(ladder):
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    for name in ALL:
        for split in ("validation", "test"):
            predictions = read_predictions(prediction_file(name, split), name)
            predictions.check_about(Split(split))
            assert predictions.class_names == list("0123456789")
            np.testing.assert_array_equal(predictions.labels, Split(split).labels)
        right = predictions.right.mean()
        assert right == pytest.approx(metrics[name]["accuracy"], abs=1e-6)
    test = Split("test")
    network = keras.models.load_model("models/train_cnn.keras")
    expected = network.predict_on_batch(test.images(np.arange(8)))
    said = read_predictions(prediction_file("train_cnn", "test"), "").probabilities[:8]
    np.testing.assert_allclose(said, expected, atol=1e-6)


def test_confusion_tables_have_a_row_a_picture(ladder):
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    confusion = pd.read_csv("metrics/confusion/baseline.csv", dtype=str)
    assert list(confusion.columns) == ["actual", "predicted"]
    right = (confusion["actual"] == confusion["predicted"]).mean()
    assert right == pytest.approx(metrics["baseline"]["accuracy"], abs=1e-6)
    recall = confusion[confusion["actual"] == "3"]["predicted"].eq("3").mean()
    assert recall == pytest.approx(metrics["baseline"]["classes"]["3"]["recall"], abs=1e-6)


def test_the_galleries_are_there(ladder):
    kinds = [("mistakes", ALL), ("confused", ALL), ("focus", ("train_cnn", "train_transfer"))]
    expected = {f"{name}_{kind}.png" for kind, names in kinds for name in names}
    assert {path.name for path in Path("metrics/galleries").iterdir()} == expected


def test_the_page_holds_the_results_and_names_no_other_host(ladder):
    page = Path("metrics/report.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    assert '<span id="picked">Linear baseline</span>' in page
    assert f'<data id="figure" value="{metrics["baseline"]["accuracy"]}">' in page
    assert [row[0] for row in rows_of(page, "results")[1:-1]] == [rung.title for rung in MADE]
    assert page.count('<table class="heat') == len(MADE)
    assert page.count("<h3>Where it looked</h3>") == 2
    assert "validation_size: 0.2" in page
    md5 = hashlib.md5(Path("models/train_cnn.keras").read_bytes()).hexdigest()
    assert md5 in page
    assert Path("metrics/report.html").stat().st_size < 3_000_000


def test_the_same_run_is_the_same_bytes(ladder, run_main, monkeypatch):
    monkeypatch.setattr(evaluate, "RUNGS", MADE)
    before = {path: path.read_bytes() for path in Path("metrics").rglob("*") if path.is_file()}
    assert run_main(evaluate.main)[0] == 0
    assert {path: path.read_bytes() for path in before} == before


def test_the_page_has_the_learning_curve_of_these_data_alone(ladder, run_main, monkeypatch):
    page, file = Path("metrics/report.html"), Path("metrics/learning_curve.json")
    assert "How many more photos?" not in page.read_text()
    shares = [{"photos": n, "accuracy": a, "fitted": a, "deviation": None}
              for n, a in ((500, 0.9), (1000, 0.95))]  # fmt: skip
    ahead = [{"photos": 2000, "accuracy": 0.96, "low": 0.95, "high": 0.97}]
    splits = {name: Split(name).fingerprint() for name in ("train", "validation")}
    params = load_params()
    figures = {
        "network": "train_cnn",
        "fingerprint": fingerprint_of("train_cnn", params, splits),
        "sentence": "Twice as many photos: <more>.",
        "shares": shares,
        "forecast": ahead,
    }

    def written():
        monkeypatch.setattr(evaluate, "RUNGS", MADE[:1])
        assert run_main(evaluate.main)[0] == 0
        return page.read_text()

    file.write_text(json.dumps(figures))
    shown = written()
    assert "How many more photos?" in shown
    assert "Twice as many photos: &lt;more&gt;." in shown
    assert ">2,000</text>" in shown
    file.write_text(json.dumps(figures | {"fingerprint": "of other data"}))
    assert "How many more photos?" not in written()


CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


def browse(page):
    """Open a page in a browser without a window; return its content and what its console said."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    done = subprocess.run(
        [CHROMIUM, *options, "--virtual-time-budget=5000", "--dump-dom", page.absolute().as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_a_browser_shows_the_page_and_complains_of_nothing(ladder):
    page = Path("metrics/report.html")
    content, complaints = browse(page)
    assert len(rows_of(content, "results")) == len(MADE) + 2
    assert complaints == []
    broken = page.read_text().replace("</body>", "<script>missing()</script></body>")
    Path("broken.html").write_text(broken)
    assert "Content Security Policy" in "".join(browse(Path("broken.html"))[1])


def keep(folder, name, kept):
    """Write a split anew with some of its pictures, chosen by their labels."""
    split = Split(name)
    rows = np.flatnonzero(kept(split.labels))
    columns = split.index().iloc[rows][["id", "source", "label"]]
    images = split.images(rows)
    shutil.rmtree(folder / name)
    writer = SplitWriter(folder / name, split.image_shape)
    writer.append(list(images), list(columns.itertuples(index=False, name=None)))
    writer.finish()
    counts = split.spec.counts | {name: len(rows)}
    change_spec(folder, counts=counts)


def test_a_class_without_test_pictures_is_said_and_has_no_figures(trained, processed, run_main):
    keep(processed, "test", lambda labels: labels != 3)
    code, err = run_main(evaluate.main)
    assert code == 0, err
    classes = json.loads(Path("metrics/evaluate.json").read_text())["baseline"]["classes"]
    assert list(classes) == list("012456789")
    assert (
        "- No test pictures of 3: there are no figures for them"
        in Path("metrics/ladder.md").read_text()
    )
    page = Path("metrics/report.html").read_text()
    assert "No test pictures of 3: there are no figures" in page
    assert ">nan<" not in page


def test_of_a_small_and_unequal_set_both_are_said(trained, processed, set_params, run_main):
    set_params(**{"baseline.max_iter": 5, "baseline.folds": 2})
    for name in ("train", "validation", "test"):
        keep(processed, name, lambda labels: (labels != 3) | (np.cumsum(labels == 3) % 4 == 1))
    keep(processed, "test", lambda labels: np.arange(len(labels)) < 120)
    for stage in (baseline, evaluate):
        code, err = run_main(stage.main)
        assert code == 0, err
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    figures, crossed = metrics["baseline"], json.loads(baseline.METRICS.read_text())["repeated_cv"]
    shown = f"{figures['balanced_accuracy']:.4f}"
    text = Path("metrics/ladder.md").read_text()
    page = Path("metrics/report.html").read_text()
    reason = " of 3. The headline figure is therefore balanced accuracy, in which every class"
    for words in (
        reason,
        f"Validation data pick baseline, whose balanced accuracy is "
        f"{figures['validation_balanced_accuracy']:.4f} on them, and {shown} (0.",
        f"The test split has only 120 pictures: baseline {shown} (0.",
        f"the other {crossed['pictures']}: {crossed['balanced_accuracy']:.4f} (0.",
    ):
        assert words in text
    assert reason in page
    assert "There are only 120 test pictures. Linear baseline: cross-validation of the" in page
    assert f'<data id="figure" value="{figures["balanced_accuracy"]}">' in page
    assert metrics["majority_class"]["balanced_accuracy"] == 0.1
    assert "McNemar" not in page
    assert "a permutation test in which every class counts alike" in page
    assert "Balanced accuracy against cost" in page


def truncate(path):
    path.write_bytes(path.read_bytes()[:-50])


def other_shape(path):
    spec = Spec(list("0123456789"), (8, 8, 1), Scaling("none", [1.0], [0.0]), False, {}, {})
    save_keras(softmax_regression(spec), path)


def other_classes(path):
    spec = Spec(["a", "b"], (28, 28, 1), Scaling("none", [1.0], [0.0]), False, {}, {})
    save_keras(softmax_regression(spec), path)


def without_numbers(path):
    network = keras.models.load_model(path)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel * np.nan, bias])
    save_keras(network, path)


def linear_of_other_shape(path):
    with np.load(path, allow_pickle=False) as arrays:
        content = dict(arrays)
    np.savez(path, **content | {"coef": content["coef"][:, :64]})


@pytest.mark.parametrize(
    ("name", "fault", "sentence"),
    [
        ("baseline.npz", lambda path: path.unlink(), "a whole model file at models/baseline.npz"),
        ("baseline.npz", truncate, "a whole model file at models/baseline.npz"),
        ("baseline.npz", lambda path: path.write_bytes(b""), "a whole model file at models/base"),
        ("baseline.npz", linear_of_other_shape, "a model for 10 classes and pictures of shape"),
        ("train_ann.keras", lambda path: path.unlink(), "a whole model file at models/train_ann"),
        ("train_ann.keras", truncate, "a whole model file at models/train_ann"),
        (
            "train_ann.keras",
            other_shape,
            "a model for 10 classes and pictures of shape (28, 28, 1)",
        ),
        ("train_ann.keras", other_classes, "Received: a model of 2 classes"),
        ("train_ann.keras", without_numbers, "Received: NaN for 359 of 359 validation pictures"),
    ],
)
def test_each_fault_of_a_model_has_a_sentence(trained, run_main, name, fault, sentence):
    fault(Path("models", name))
    code, err = run_main(evaluate.main)
    assert code == 2
    assert sentence in err
    assert f"dvc repro {Path(name).stem}" in err
    assert not Path("metrics/evaluate.json").exists()
    assert not Path("metrics/ladder.md").exists()


def test_a_model_that_brings_code_is_refused(trained, run_main):
    inputs = keras.Input((28, 28, 1))
    x = keras.layers.Lambda(lambda pixels: pixels * 2)(inputs)
    outputs = keras.layers.Dense(10)(keras.layers.Flatten()(x))
    keras.Model(inputs, outputs).save("models/train_ann.keras")
    code, err = run_main(evaluate.main)
    assert code == 2
    assert "Expected a whole model file at models/train_ann.keras" in err


def test_only_evaluate_opens_the_test_split(project):
    for script in Path("stages").glob("*.py"):
        opens = 'Split("test")' in script.read_text()
        assert opens == (script.stem in ("evaluate", "export")), script


def test_export_opens_no_label_of_a_test_picture(ladder, run_main, monkeypatch):
    monkeypatch.setattr(export, "RUNGS", MADE[:1])
    for path in Path("data/processed/test").glob("labels-*"):
        path.unlink()
    code, err = run_main(export.main)
    assert code == 0, err


def test_once_test_labels_are_changed_every_figure_says_so(trained, run_main, processed):
    assert run_main(evaluate.main)[0] == 0
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    assert not any("relabelled_test" in entry for entry in metrics.values())
    assert "changed" not in Path("metrics/ladder.md").read_text()
    assert 'id="relabelled"' not in Path("metrics/report.html").read_text()
    change_spec(processed, relabelled={"train": 5, "validation": 0, "test": 2})
    code, err = run_main(evaluate.main)
    assert code == 0, err
    metrics = json.loads(Path("metrics/evaluate.json").read_text())
    assert {entry["relabelled_test"] for entry in metrics.values()} == {2}
    lines = Path("metrics/ladder.md").read_text().splitlines()
    assert lines[0].startswith("- 2 of the test labels were changed or dropped in a review")
    assert any("test accuracy (2 labels changed)" in line for line in lines)
    assert "(2 labels changed in a review)" in Path("metrics/ladder.svg").read_text()
    page = Path("metrics/report.html").read_text()
    assert '<li id="relabelled">2 of the test labels were changed' in page
