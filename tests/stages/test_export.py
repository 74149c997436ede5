import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from untrained import ALL, MADE

from lookbook.evaluation.doubt import load_doubt
from lookbook.evaluation.predictions import prediction_file, read_predictions
from lookbook.exporting import network
from lookbook.foundation.files import sha256_of
from lookbook.inference.card import read_card
from lookbook.inference.classifier import Classifier
from lookbook.inference.single import with_batch_of_one
from lookbook.splits.split import Split
from lookbook.transfer.bases import base_card
from stages import evaluate, export


@pytest.fixture(scope="session")
def exported(evaluated, tmp_path_factory):
    """A project copy that has exported models, the networks among them untrained."""
    folder = tmp_path_factory.mktemp("exported") / "project"
    shutil.copytree(evaluated, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(export, "RUNGS", MADE)
        export.main()
    return folder


@pytest.fixture
def shelf(project, exported):
    """The project copy with all that was exported."""
    shutil.copytree(exported, project, dirs_exist_ok=True)


def test_every_file_says_what_was_measured(shelf):
    proofs = json.loads(export.METRICS.read_text())
    assert list(proofs) == list(ALL)
    count = len(Split("test"))
    for proof in proofs.values():
        assert proof["pictures"] == count
        assert proof["largest_difference"] <= 1e-5
        assert proof["largest_difference_single"] <= 1e-5


def test_a_card_has_what_was_measured(shelf):
    figures = json.loads(Path("metrics/evaluate.json").read_text())
    for name, file in ALL.items():
        card = read_card(export.EXPORTED / f"{name}.tflite")
        doubt = load_doubt(name)
        assert card.accuracy["figure"] == figures[name]["accuracy"]
        assert card.class_names == list("0123456789")
        assert card.most_strangeness == doubt.most_strangeness
        assert card.temperature == pytest.approx(figures[name]["temperature"], abs=1e-5)
        assert card.model_sha256 == sha256_of(file)
        assert card.is_picked == (name == "baseline")  # the others are untrained
        assert card.licences["data"] == "CC BY 4.0"
    assert base_card("fashion_mnist_cnn").licence in card.licences["base"]


def test_pictures_as_files_get_the_predictions_of_evaluate(shelf, tmp_path):
    test, rows = Split("test"), np.arange(60)
    paths = [tmp_path / f"{row}.png" for row in rows]
    for path, pixels in zip(paths, test.images(rows), strict=True):
        Image.fromarray(pixels[..., 0]).save(path)
    for name in ALL:
        said = read_predictions(prediction_file(name, "test"), name)
        classifier = Classifier(export.EXPORTED / f"{name}.tflite")
        answered = classifier.predict(paths)
        found = np.stack([list(one.probabilities.values()) for one in answered])
        assert found.argmax(axis=1).tolist() == said.predicted[:60].tolist()
        words = {-1: "unsure", -2: "none of these"} | dict(enumerate(said.class_names))
        expected = [words[answer] for answer in load_doubt(name).answers(said)[:60].tolist()]
        assert [one.answer for one in answered] == expected


def test_the_same_run_is_the_same_bytes(shelf, run_main, monkeypatch):
    monkeypatch.setattr(export, "RUNGS", MADE)
    before = {path: path.read_bytes() for path in export.EXPORTED.iterdir()}
    assert run_main(export.main)[0] == 0
    assert {path: path.read_bytes() for path in export.EXPORTED.iterdir()} == before


def test_strangeness_takes_at_most_300_kilobytes(shelf):
    for rung in MADE[1:]:
        bare = Path(f"models/{rung.name}.keras").stat().st_size
        assert (export.EXPORTED / f"{rung.name}.tflite").stat().st_size < bare + 400_000


def test_only_the_picked_one_where_asked(shelf, set_params, run_main, monkeypatch):
    monkeypatch.setattr(export, "RUNGS", MADE)
    set_params(**{"export.models": "picked"})
    assert run_main(export.main)[0] == 0
    assert {path.name for path in export.EXPORTED.iterdir()} == {"README.md", "baseline.tflite"}


def test_half_the_size_is_proved_too(shelf, set_params, run_main, monkeypatch):
    monkeypatch.setattr(export, "RUNGS", MADE[:1])
    whole = (export.EXPORTED / "baseline.tflite").stat().st_size
    set_params(**{"export.weights": "float16"})
    code, err = run_main(export.main)
    assert code == 0, err
    assert (export.EXPORTED / "baseline.tflite").stat().st_size < 0.6 * whole
    assert read_card(export.EXPORTED / "baseline.tflite").weights == "float16"
    assert 1e-6 < json.loads(export.METRICS.read_text())["baseline"]["largest_difference"] < 0.02


def test_the_model_card_can_be_read_by_hubs(shelf):
    text = (export.EXPORTED / "README.md").read_text()
    _, header, body = text.split("---\n", 2)
    known = yaml.safe_load(header)
    assert known["pipeline_tag"] == "image-classification"
    assert [entry["name"] for entry in known["model-index"]] == list(ALL)
    figures = json.loads(Path("metrics/evaluate.json").read_text())["baseline"]
    assert f"{figures['accuracy']:.4f}" in body
    assert "lookbook predict" in body
    assert "CC BY 4.0" in body


def wrong_scaling(monkeypatch):
    plain = network.answering_network

    def scaled(name, model, doubt, image_shape):
        model.scaling = dataclasses.replace(model.scaling, scale=model.scaling.scale / 2)
        return plain(name, model, doubt, image_shape)

    monkeypatch.setattr(export, "answering_network", scaled)
    return "Expected the exported baseline to say what was measured"


def turned_pixels(monkeypatch):
    plain = Split.images
    monkeypatch.setattr(Split, "images", lambda self, rows: plain(self, rows)[:, :, ::-1].copy())
    return "the predictions of 359 pictures. Received:"


def stale_file(monkeypatch):
    with np.load("models/baseline.npz", allow_pickle=False) as arrays:
        content = dict(arrays)
    np.savez("models/baseline.npz", **content | {"coef": content["coef"] * 1.0005})
    return "probabilities that differ by at most 1e-05. Received: a difference of"


def other_thresholds(monkeypatch):
    plain = export.card_of

    def changed(*arguments, **named):
        return dataclasses.replace(plain(*arguments, **named), most_strangeness=1e9)

    monkeypatch.setattr(export, "card_of", changed)
    return "the most_strangeness "


def other_strangeness(monkeypatch):
    plain = network._strange
    monkeypatch.setattr(network, "_strange", lambda *arguments: 3 * plain(*arguments))
    return "the answers to 359 pictures. Received:"


def other_order(monkeypatch):
    name = prediction_file("baseline", "test")
    said = read_predictions(name, "")
    monkeypatch.setattr(
        export,
        "read_predictions",
        lambda *_: dataclasses.replace(said, ids=said.ids[::-1]),
    )
    return "predictions for the 359 pictures of data/processed/test"


def only_many_at_once(monkeypatch):
    other = with_batch_of_one(Path("models/export/train_ann.tflite").read_bytes())
    monkeypatch.setattr("lookbook.exporting.proof.with_batch_of_one", lambda _: other)
    return "(one at a time)"


@pytest.mark.parametrize(
    "fault",
    [
        wrong_scaling,
        turned_pixels,
        stale_file,
        other_thresholds,
        other_strangeness,
        other_order,
        only_many_at_once,
    ],
)
def test_each_fault_fails_the_stage_and_nothing_is_exported(shelf, run_main, monkeypatch, fault):
    monkeypatch.setattr(export, "RUNGS", MADE[:1])
    before = {path: path.read_bytes() for path in export.EXPORTED.iterdir()}
    sentence = fault(monkeypatch)
    code, err = run_main(export.main)
    assert code == 2
    assert sentence in err
    assert {path: path.read_bytes() for path in export.EXPORTED.iterdir()} == before


def test_what_evaluate_left_out_is_named(shelf, run_main, monkeypatch):
    monkeypatch.setattr(export, "RUNGS", MADE[:1])
    Path("models/doubt/baseline.npz").unlink()
    code, err = run_main(export.main)
    assert code == 2
    assert "what evaluate found out about baseline in models/doubt/baseline.npz" in err
    assert evaluate.METRICS.exists()
