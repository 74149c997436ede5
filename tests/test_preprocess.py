import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import write_idx
from PIL import Image

from lookbook.cards import CARDS
from lookbook.linear import split_inputs
from lookbook.splits import Split, read_spec
from stages import download, preprocess

# Of the splits of digits with the default parameters, on every machine.
DIGEST = "07bf0fca672b402ded2e5595c5c727d00fe6a4902d4eb99304c12e263ebe432f"


@pytest.fixture
def small(set_params):
    """A function that puts an IDX set with a published test split into data/raw, and chooses it."""

    def make(train, train_labels, test, test_labels):
        raw = Path("data/raw")
        raw.mkdir(parents=True)
        for prefix, images, labels in (("train", train, train_labels), ("t10k", test, test_labels)):
            write_idx(raw / f"{prefix}-images-idx3-ubyte.gz", images)
            write_idx(raw / f"{prefix}-labels-idx1-ubyte.gz", labels)
        cards = yaml.safe_load(CARDS.read_text())
        cards["small"] = cards["mnist"] | {"classes": ["a", "b"]}
        CARDS.write_text(yaml.safe_dump(cards))
        set_params(dataset="small", **{"preprocess.image_size": 8})

    return make


def random_pictures(count, side=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side), dtype=np.uint8)


def metrics():
    return json.loads(Path("metrics/preprocess.json").read_text())


def test_digits_follow_the_data_contract(processed):
    spec = read_spec()
    assert spec.class_names == list("0123456789")
    assert spec.image_shape == (28, 28, 1)
    assert spec.counts == {"train": 1079, "validation": 359, "test": 359}
    ids = []
    for name, count in spec.counts.items():
        split = Split(name)
        index = split.index()
        assert len(split) == len(index) == count
        assert index["label"].tolist() == split.labels.tolist()
        ids += index["id"].tolist()
    assert len(set(ids)) == 1797
    assert not list(Path("data").glob(".partial-*"))
    assert sorted(path.name for path in processed.iterdir()) == [
        "dropped.csv",
        "duplicates.csv",
        "near_blank.csv",
        "near_duplicates.csv",
        "sizes.csv",
        "spec.json",
        "test",
        "train",
        "validation",
    ]


def test_digits_have_the_same_bytes_everywhere(processed):
    digest = hashlib.sha256()
    for path in sorted(processed.rglob("*-*")):
        digest.update(path.read_bytes())
    assert digest.hexdigest() == DIGEST


def test_an_id_is_the_hash_of_the_decoded_pixels(processed):
    from sklearn.datasets import load_digits

    row = Split("test").index().iloc[0]
    number = int(row["source"].split(":")[1])
    pixels = np.floor(load_digits().images[number] * 255 / 16 + 0.5).astype(np.uint8)
    assert row["id"] == hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    enlarged = np.int64(Image.fromarray(pixels).resize((28, 28), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(Split("test").images(np.arange(1))[0, ..., 0], enlarged, atol=1)


@pytest.mark.parametrize(("kind", "train"), [("exact", 31), ("none", 32)])
def test_metrics_count_classes_and_twins(small, set_params, run_main, kind, train):
    pictures, test = random_pictures(40), random_pictures(10, seed=1)
    labels = np.arange(40) % 2
    small(pictures, labels, test, labels[:10])
    set_params(**{"preprocess.drop_twins": kind})
    assert run_main(preprocess.main)[0] == 0
    number = int(Split("train").index()["source"].iloc[7].split(":")[1])
    test[3] = pictures[number]  # now a training picture has a twin
    write_idx(Path("data/raw/t10k-images-idx3-ubyte.gz"), test)
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["pictures"] == {"train": train, "validation": 8, "test": 10}
    assert metrics()["classes"]["validation"] == {"a": 4, "b": 4}
    assert sum(metrics()["classes"]["train"].values()) == len(Split("train")) == train
    dropped = pd.read_csv("data/processed/dropped.csv")
    duplicates = pd.read_csv("data/processed/duplicates.csv")
    source = f"train-images-idx3-ubyte.gz:{number}"
    if kind == "exact":
        assert dropped["source"].tolist() == [source]
        assert metrics()["dropped"] == {preprocess.TWIN: 1}
        assert read_spec().dropped == {preprocess.TWIN: 1}
        assert metrics()["duplicates"]["train_test"] == 0
        assert not len(duplicates)
        assert source not in Split("train").index()["source"].tolist()
    else:
        assert metrics()["duplicates"]["train_test"] == 1
        assert metrics()["duplicates"]["conflicting_labels"] == 2 * (number % 2 == 0)
        assert source in duplicates["source"].tolist()
        assert metrics()["dropped"] == {}


@pytest.mark.parametrize("scaling", ["unit", "symmetric", "standard", "none"])
def test_scaling_changes_the_description_and_not_the_pixels(
    processed, set_params, run_main, scaling
):
    before = (processed / "train/images-00000.npy").read_bytes()
    set_params(**{"preprocess.scaling": scaling, "preprocess.one_hot": True})
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert read_spec().scaling.name == scaling
    assert read_spec().one_hot
    assert (processed / "train/images-00000.npy").read_bytes() == before
    if scaling == "standard":
        scaled = split_inputs(Split("train"), 1)
        np.testing.assert_allclose([scaled.mean(), scaled.std()], [0, 1], atol=1e-3)


def test_hash_splits_of_digits(processed, set_params, run_main):
    set_params(**{"preprocess.split": "hash"})
    code, err = run_main(preprocess.main)
    assert code == 0, err
    for name, low, high in (("train", 0, 0), ("validation", 0.2, 0.4), ("test", 0.0, 0.2)):
        positions = Split(name).index()["id"].map(lambda text: int(text, 16) / 2**64)
        if name != "train":
            assert positions.between(low, high).all()


def test_a_class_too_small_for_the_splits_is_named(small, run_main):
    labels = np.array([0] * 9 + [1])
    small(random_pictures(10), labels, random_pictures(10, seed=1), labels)
    code, err = run_main(preprocess.main)
    assert code == 1
    assert "Expected at least 2 pictures of every class" in err
    assert "1 of 'b'" in err
    assert not Path("data/processed").exists()


def test_a_fault_late_in_a_file_leaves_the_old_splits(small, run_main):
    labels = np.arange(10) % 2
    small(random_pictures(10), labels, random_pictures(10, seed=1), labels)
    assert run_main(preprocess.main)[0] == 0
    old = {path: path.read_bytes() for path in Path("data/processed").rglob("*.npy")}
    write_idx(Path("data/raw/t10k-labels-idx1-ubyte.gz"), labels + 1)
    code, err = run_main(preprocess.main)
    assert code == 1
    assert "Received: a label 2" in err
    assert {path: path.read_bytes() for path in Path("data/processed").rglob("*.npy")} == old


def test_a_full_disk_has_a_sentence_and_leaves_nothing(project, run_main):
    run_main(download.main)
    code = (
        "import resource; from stages import preprocess\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, 10**5))\n"
        "preprocess.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Expected to be able to read and write the pipeline's files. Received: [Errno" in (
        done.stderr
    )
    assert "Traceback" not in done.stderr
    assert not Path("data/processed").exists()
    assert not list(Path("data").glob(".partial-*"))


@pytest.mark.parametrize(
    ("name", "train_counts", "test_counts"),
    [
        (
            "mnist",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        ),
        ("fashion_mnist", [6000] * 10, [1000] * 10),
    ],
)
def test_the_published_sets_have_their_exact_counts(
    set_params, run_main, monkeypatch, mirror, name, train_counts, test_counts
):
    monkeypatch.setenv("LOOKBOOK_MIRROR", str(mirror))
    set_params(dataset=name)
    for main in (download.main, preprocess.main):
        code, err = run_main(main)
        assert code == 0, err
    classes = {split: list(counts.values()) for split, counts in metrics()["classes"].items()}
    assert classes["test"] == test_counts
    assert np.add(classes["train"], classes["validation"]).tolist() == train_counts
    assert sum(classes["validation"]) == 12000
    assert set(metrics()["duplicates"].values()) == {0}
    assert list(metrics()["classes"]["test"]) == read_spec().class_names
