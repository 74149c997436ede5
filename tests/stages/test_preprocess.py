import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support import read_card, write_card, write_idx

from lookbook.preprocessing.twins import TWIN
from lookbook.shallow.inputs import split_inputs
from lookbook.splits.spec import read_spec
from lookbook.splits.split import Split
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
        write_card("small", read_card("mnist") | {"classes": ["a", "b"]})
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
        "SHA256SUMS",
        "dropped.csv",
        "duplicates.csv",
        "near_blank.csv",
        "near_duplicates.csv",
        "relabelled.csv",
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
        assert metrics()["dropped"] == {TWIN: 1}
        assert read_spec().dropped == {TWIN: 1}
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
        scaled = split_inputs([Split("train")], 1)
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
    assert code == 2
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
    assert code == 2
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
    assert done.returncode == 2
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


def photo(seed, side=24):
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((side, side)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def archive(set_params):
    """A function that puts an archive of these members into data/raw, and chooses its card."""

    def make(members, **reader):
        Path("data/raw").mkdir(parents=True)
        with zipfile.ZipFile("data/raw/photos.zip", "w") as file:
            for name, content in members.items():
                file.writestr(name, content)
        reader = {"kind": "images", "channels": 3} | reader
        card = read_card("cats_vs_dogs")
        write_card("small", card | {"classes": ["cat", "dog"], "reader": reader})
        set_params(dataset="small", **{"preprocess.image_size": 16})

    return make


def pets(count=60):
    return {f"p/{('Cat', 'Dog')[i % 2]}/{i}.jpg": photo(i) for i in range(count)}


BAD = {
    "p/Cat/empty.jpg": b"",
    "p/Dog/cut.jpg": photo(99, side=200)[:-900],
    "p/Dog/page.jpg": b"<html>",
    "p/Cat/Thumbs.db": b"x",
    "p/cover.jpg": photo(98),
    "readme.txt": b"x",
}


def test_unreadable_pictures_are_listed_and_counted(archive, set_params, run_main):
    archive(pets() | BAD)
    set_params(**{"preprocess.max_unreadable": 0.05})
    code, err = run_main(preprocess.main)
    assert code == 0, err
    dropped = pd.read_csv("data/processed/dropped.csv")
    assert dict(dropped.itertuples(index=False)) == {
        "p/Cat/empty.jpg": "empty",
        "p/Dog/cut.jpg": "truncated or damaged",
        "p/Dog/page.jpg": "not a picture",
        "p/Cat/Thumbs.db": "not a picture's name",
        "p/cover.jpg": "in no class folder",
        "readme.txt": "not a picture's name",
    }
    assert metrics()["dropped"] == dropped["reason"].value_counts().to_dict() == read_spec().dropped
    assert sum(metrics()["pictures"].values()) == 60
    sources = [s for name in ("train", "validation", "test") for s in Split(name).index()["source"]]
    assert sorted(sources) == sorted(pets())


@pytest.mark.parametrize(
    ("share", "reader", "code"),
    [
        (0.04, {}, 2),
        (0.05, {}, 0),
        (0.04, {"max_unreadable": 0.05}, 2),
        ("auto", {"max_unreadable": 0.05}, 0),
        ("auto", {"max_unreadable": 0.04}, 2),
    ],
)
def test_too_many_unreadable_pictures_stop_the_stage(
    archive, set_params, run_main, share, reader, code
):
    archive(pets() | BAD, **reader)
    set_params(**{"preprocess.max_unreadable": share})
    received, err = run_main(preprocess.main)
    assert received == code
    if code:
        assert (
            "Expected at most 4.0% of the pictures to be unreadable. Received: 3 of 63 (4.8%)"
            in err
        )
        assert "p/Cat/empty.jpg (empty), p/Dog/cut.jpg (truncated or damaged)" in err
        assert "raise preprocess.max_unreadable" in err
        assert not Path("data/processed").exists()


@pytest.mark.parametrize("known", [3, 4])
def test_another_number_than_the_known_one_is_said(archive, run_main, caplog, known):
    plain = {f"p/Cat/no-{i}.jpg": photo(i + 500).replace(b"JFIF", b"JFXX") for i in range(3)}
    archive(pets() | plain, needs_jfif=True, max_unreadable=0.08, unreadable=known)
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["dropped"] == {"no JFIF marker": 3}
    assert ("3 pictures could not be used; expected 4" in caplog.text) == (known == 4)


def test_published_split_folders_are_kept(archive, run_main):
    counts = {"train": 20, "validation": 5, "test": 6}
    names = [
        f"{split}/{name}/{i}.jpg"
        for split in counts
        for name in ("cat", "dog")
        for i in range(counts[split])
    ]
    members = {name: photo(seed) for seed, name in enumerate(names)}
    archive(members)
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["pictures"] == {"train": 40, "validation": 10, "test": 12}


def test_a_class_that_loses_all_its_pictures_is_named(archive, set_params, run_main):
    broken = {f"p/Dog/{i}.jpg": b"" for i in range(10)}
    archive({name: content for name, content in pets().items() if "Cat" in name} | broken)
    set_params(**{"preprocess.max_unreadable": 0.9})
    code, err = run_main(preprocess.main)
    assert code == 2
    assert "Expected pictures of every class in the train split. Received: none of 'dog'" in err


def test_near_twins_are_dropped_on_demand(archive, set_params, run_main):
    members = pets()
    archive(members)
    assert run_main(preprocess.main)[0] == 0
    source = Split("test").index()["source"].iloc[0]
    known = Split("train").index()["source"].iloc[0]
    again = io.BytesIO()
    Image.open(io.BytesIO(members[known])).save(again, "JPEG", quality=60)
    members[source] = again.getvalue()
    shutil.rmtree("data/raw")
    for kind, dropped in (("exact", 0), ("near", 1)):
        archive(members)
        set_params(**{"preprocess.drop_twins": kind})
        assert run_main(preprocess.main)[0] == 0
        shutil.rmtree("data/raw")
        assert metrics()["near_duplicates"]["train_test"]["pictures"] == 1 - dropped
        assert len(Split("train")) == 36 - dropped
        assert (known in Split("train").index()["source"].tolist()) == (not dropped)


@pytest.fixture
def sample(project, set_params, mirror):
    """A function that chooses a sample of the mirror in place of the published set."""

    def choose(name, dataset, image_size, **changes):
        card = read_card(dataset)
        path = mirror / f"samples/{name}_sample.zip"
        card["files"] = [{"name": path.name, "bytes": path.stat().st_size, "sha256": "0" * 64}]
        write_card(dataset, card)
        Path("data/raw").mkdir()
        Path("data/raw", path.name).symlink_to(path)
        set_params(dataset=dataset, **{"preprocess.image_size": image_size}, **changes)

    return choose


def test_the_cats_sample(sample, run_main):
    sample("cats_vs_dogs", "cats_vs_dogs", 160)
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["pictures"] == {"train": 2400, "validation": 800, "test": 800}
    assert metrics()["classes"]["test"] == {"cat": 400, "dog": 400}
    assert metrics()["sizes"]["width_max"] == metrics()["sizes"]["height_max"] == 256
    assert metrics()["near_duplicates"]["train_test"]["share"] < 0.01


def test_the_flowers_sample(sample, run_main):
    classes = ["dandelion", "daisy", "tulip", "sunflower", "rose"]
    write_card("tf_flowers", read_card("tf_flowers") | {"classes": classes})
    sample("flowers", "tf_flowers", 64, **{"preprocess.drop_twins": "none"})
    code, err = run_main(preprocess.main)
    assert code == 0, err
    classes = [
        sum(counts) for counts in zip(*map(dict.values, metrics()["classes"].values()), strict=True)
    ]
    assert classes == [1052, 764, 984, 733, 784]
    assert metrics()["duplicates"]["conflicting_labels"] > 0


def test_the_letters_sample_shows_how_much_a_random_validation_split_leaks(sample, run_main):
    sample("sign_letters", "sign_language_mnist", 28)
    code, err = run_main(preprocess.main)
    assert code == 0, err
    assert metrics()["pictures"] == {"train": 21964, "validation": 5491, "test": 6000}
    assert set(metrics()["classes"]["test"].values()) == {250}
    near = metrics()["near_duplicates"]
    assert near["train_validation"]["share"] > 0.9 > 2 * near["train_test"]["share"]


@pytest.mark.slow
def test_memory_grows_with_the_list_of_pictures_only(sample, mirror):
    sample("cats_vs_dogs", "cats_vs_dogs", 160)
    once = peak_megabytes()
    path = mirror / "samples/cats_vs_dogs_sample.zip"
    Path("data/raw", path.name).unlink()
    with (
        zipfile.ZipFile(path) as published,
        zipfile.ZipFile(Path("data/raw", path.name), "w") as repeated,
    ):
        names = published.namelist()
        for name in names:
            for number in range(10):
                folder, _, file = name.rpartition("/")
                repeated.writestr(f"{folder}/{number}-{file}", published.read(name))
    ten_times = peak_megabytes()
    assert once < 700
    assert ten_times < 700
    # A picture's name, likeness and place take 1 to 1.5 KB; its pixels would take 75.
    assert ten_times - once < 9 * len(names) * 2.5 / 1024


def peak_megabytes():
    """Run the stage in a process of its own and return its peak."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell a process's own peak")
    code = (
        "import stages.preprocess as stage; stage.main(); print(open('/proc/self/status').read())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"VmHWM:\s+(\d+) kB", done.stdout)[1]) / 1024
