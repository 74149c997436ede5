"""Features, predictions, answers: the same bytes here and on workers, whatever becomes of them."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import write_photos
from untrained import small_cnn

from lookbook.cluster import connecting
from lookbook.foundation import arithmetic
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder
from lookbook.ladder.models import load_model, look_at
from lookbook.networks.architectures import build_feature_extractor
from lookbook.networks.saving import save_keras
from lookbook.splits import split as splits
from lookbook.splits.split import Split
from lookbook.training.augmentation import Augmentation
from lookbook.transfer.bases import load_base
from lookbook.transfer.features import Extractor, Features


@pytest.fixture
def train(processed, monkeypatch):
    """The training pictures of digits, in many blocks."""
    monkeypatch.setattr(splits, "BLOCK_ROWS", 50)
    return Split("train")


def extractor(train):
    base = load_base("fashion_mnist_cnn", weights="auto", width="auto", image_size=28)
    return Extractor(build_feature_extractor(train.spec, base))


def features(train, between=None, **settings):
    """Return the bytes of the features of a split, made anew."""
    shutil.rmtree(cache_folder("features"), ignore_errors=True)
    images, seen = train.images, []

    def counted(rows):
        seen.append(rows)
        if between:
            between(len(seen))
        return images(rows)

    train.images = counted
    Features(extractor(train), train, **settings)
    train.images = images
    (folder,) = cache_folder("features").iterdir()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def here(function, *arguments, **settings):
    """Return what a function says without a cluster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(connecting.ADDRESS)
        return function(*arguments, **settings)


@pytest.mark.slow
def test_features_are_the_same_though_a_worker_is_killed(cluster, train):
    views = {"views": 2, "augmentation": Augmentation(20, 0.1, 0.1), "seed": 3}
    expected = here(features, train, **views)
    worker = cluster.worker("--no-nanny")
    assert features(train, **views) == expected

    def halfway(block):
        if block == 12:
            cluster.worker("--no-nanny")
        if block == 25:
            cluster.kill(worker)

    assert features(train, halfway, **views) == expected


@pytest.mark.slow
def test_a_worker_with_one_core_makes_the_same_or_is_refused(cluster, train, monkeypatch):
    expected = here(features, train)
    one = cluster.worker("--no-nanny", before=["taskset", "--cpu-list", "0"])
    assert features(train) == expected
    for name in arithmetic.OF_TENSORFLOW:  # as hardware.repeatable=machine has it
        monkeypatch.delenv(name)
    with pytest.raises(LookbookError) as error:
        features(train)
    said = str(error.value)
    assert f"Received: {one.address} on " in said
    assert f"the number of threads is 1 (here {len(os.sched_getaffinity(0))})" in said
    assert said.endswith("Set hardware.repeatable to everywhere, or take other workers.")
    assert not list(cache_folder("features").iterdir())


@pytest.mark.slow
def test_a_lost_scheduler_leaves_no_features(cluster, train):
    cluster.worker("--no-nanny")

    def halfway(block):
        if block == 12:
            cluster.kill(cluster.scheduler)

    with pytest.raises(LookbookError, match="until the end. Received: it was lost"):
        features(train, halfway)
    assert not list(cache_folder("features").iterdir())


def test_predictions_are_the_same(cluster, train):
    path = Path("models/train_cnn.keras")
    save_keras(small_cnn(train.spec), path)
    model = load_model(path)

    def said():
        return [part.tobytes() for part in look_at(model, train, path, lambda f: f.sum(axis=1))]

    expected = here(said)
    for _ in range(2):
        cluster.worker("--no-nanny")
    assert said() == expected


def test_a_model_for_other_pictures_has_its_sentence(cluster, train):
    path = Path("models/train_cnn.keras")
    save_keras(small_cnn(train.spec), path)
    model = load_model(path)
    cluster.worker("--no-nanny")
    rows = train.images(np.arange(3))[:, :20]
    train.images = lambda indices: rows[: len(indices)]
    with pytest.raises(LookbookError, match="Expected models/train_cnn.keras to be a model for"):
        look_at(model, train, path, len)


@pytest.mark.parametrize("options", [(), ("--sort-into", "sorted")])
def test_answers_are_the_same(cluster, lookbook, export, tmp_path, options):
    export(tmp_path / "models/export/light.tflite")
    write_photos(tmp_path / "album", {"a": 60, "b": 60})
    (tmp_path / "album/a/bad.jpg").write_bytes(b"no picture")
    (tmp_path / "album/b/gone.png").symlink_to(tmp_path / "nowhere")

    def table():
        code, _, err = lookbook("predict", "album", "--output", "a.csv", "--force", *options)
        sorted_into = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.glob("sorted/*/*")}
        shutil.rmtree(tmp_path / "sorted", ignore_errors=True)
        return code, (tmp_path / "a.csv").read_bytes(), sorted_into, err

    expected = here(table)
    assert len(expected[1].splitlines()) == 123 and bool(expected[2]) == bool(options)
    for _ in range(2):
        cluster.worker("--no-nanny")
    *same, err = table()
    assert expected[3] in err
    assert same == list(expected[:3])
