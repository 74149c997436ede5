import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import write_idx
from PIL import Image

from lookbook.cards import CARDS
from lookbook.splits import Split, read_spec
from stages import download, preprocess

# Of the splits of digits with the default parameters, on every machine.
DIGEST = "3c899768ba98b42981f482e5bea1cb50659a01cbd180e2a6eb5f8b0815574455"


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
    enlarged = Image.fromarray(pixels).resize((28, 28), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(Split("test").images(np.arange(1))[0, ..., 0], enlarged)


def test_metrics_count_classes_and_twins(small, run_main):
    train, test = random_pictures(40), random_pictures(10, seed=1)
    test[3] = train[5]
    labels = np.arange(40) % 2
    small(train, labels, test, labels[:10])
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["pictures"] == {"train": 32, "validation": 8, "test": 10}
    assert metrics()["classes"] == {
        "train": {"a": 16, "b": 16},
        "validation": {"a": 4, "b": 4},
        "test": {"a": 5, "b": 5},
    }
    both = metrics()["pictures_in_both"]
    assert both["train_validation"] == 0
    assert both["train_test"] + both["validation_test"] == 1


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
        scaled = Split("train").scaled_rows()
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
    small(random_pictures(10), labels, random_pictures(10), labels)
    code, err = run_main(preprocess.main)
    assert code == 1
    assert "Expected at least 2 pictures of every class" in err
    assert "1 of 'b'" in err
    assert not Path("data/processed").exists()


def test_a_fault_late_in_a_file_leaves_the_old_splits(small, run_main):
    labels = np.arange(10) % 2
    small(random_pictures(10), labels, random_pictures(10), labels)
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
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))\n"
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
    assert set(metrics()["pictures_in_both"].values()) == {0}
    assert list(metrics()["classes"]["test"]) == read_spec().class_names
