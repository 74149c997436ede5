import numpy as np
import pandas as pd
import pytest

from lookbook import splits
from lookbook.errors import LookbookError
from lookbook.splits import Scaling, Spec, Split, SplitWriter, read_spec, scaling_for, write_spec

SHAPE = (4, 5, 3)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, *SHAPE), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])


def write(folder, *, one_hot=False, scaling=None):
    writer = SplitWriter(folder / "train", SHAPE, len(IMAGES))
    for block in np.split(IMAGES, [3, 4]):
        writer.append(block)
    index = pd.DataFrame(
        {"id": [f"{i:016x}" for i in range(10)], "source": [f"a, {i}" for i in range(10)]}
    )
    writer.finish(index.assign(label=LABELS))
    scaling = scaling or Scaling("unit", [1 / 255] * 3, [0.0] * 3)
    write_spec(folder, Spec(["a", "b", "c"], SHAPE, scaling, one_hot, {"train": 10}, {}))
    return Split("train", folder)


@pytest.fixture(params=[None, 200, 60], ids=["one shard", "three a shard", "one a shard"])
def shard_bytes(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(splits, "SHARD_BYTES", request.param + splits.HEADER_BYTES)
    return splits.SHARD_BYTES


def test_what_is_written_is_read(tmp_path, shard_bytes):
    split = write(tmp_path)
    assert len(split) == 10
    everything = np.arange(10)
    np.testing.assert_array_equal(split.images(everything), IMAGES)
    some = np.array([9, 0, 3, 3, 7])
    np.testing.assert_array_equal(split.images(some), IMAGES[some])
    np.testing.assert_array_equal(split.targets(some), LABELS[some])
    assert split.images(some).dtype == np.uint8
    index = split.index()
    assert list(index.columns) == ["id", "source", "label"]
    assert index["id"].iloc[9] == f"{9:016x}"
    assert index["source"].iloc[9] == "a, 9"
    assert index["label"].tolist() == LABELS.tolist()


def test_shards_are_plain_npy_files_under_the_limit(tmp_path, shard_bytes):
    write(tmp_path)
    shards = sorted((tmp_path / "train").glob("images-*.npy"))
    assert all(path.stat().st_size <= shard_bytes for path in shards)
    whole = np.concatenate([np.load(path, allow_pickle=False) for path in shards])
    np.testing.assert_array_equal(whole, IMAGES)
    rewritten = tmp_path / "rewritten.npy"
    np.save(rewritten, np.load(shards[0]))
    assert shards[0].read_bytes() == rewritten.read_bytes()


def test_one_hot_targets(tmp_path):
    targets = write(tmp_path, one_hot=True).targets(np.array([1, 2]))
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 1, 0], [0, 0, 1]]


def value_counts(images):
    counts = [np.bincount(images[..., c].ravel(), minlength=256) for c in range(3)]
    return np.array(counts)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unit", IMAGES / 255),
        ("symmetric", IMAGES / 127.5 - 1),
        ("none", IMAGES),
        ("standard", (IMAGES - IMAGES.mean((0, 1, 2))) / IMAGES.std((0, 1, 2))),
    ],
)
def test_scalings_are_their_formulas(tmp_path, name, expected):
    scaling = scaling_for(name, value_counts(IMAGES))
    np.testing.assert_allclose(scaling.apply(IMAGES), expected, rtol=0, atol=1e-5)
    assert scaling.apply(IMAGES).dtype == np.float32
    split = write(tmp_path, scaling=scaling)
    assert split.spec == read_spec(tmp_path)
    assert split.spec.scaling == scaling
    np.testing.assert_allclose(split.scaled_rows(), expected.reshape(10, -1), atol=1e-5)


def test_standard_scaling_of_a_single_colour_does_not_divide_by_zero():
    scaling = scaling_for("standard", value_counts(np.full_like(IMAGES, 7)))
    assert scaling.apply(np.full(SHAPE, 7, np.uint8)).tolist() == np.zeros(SHAPE).tolist()


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "fault", "sentence"),
    [
        ("spec.json", lambda path: path.unlink(), "Expected the description of the splits in"),
        ("spec.json", lambda path: path.write_text("{}"), "Expected the description of the splits"),
        ("train/images-00000.npy", lambda path: path.unlink(), "Expected a whole shard in"),
        ("train/images-00000.npy", cut, "Expected a whole shard in"),
        ("train/labels-00000.npy", lambda path: np.save(path, LABELS), "Received: int64"),
        ("train/labels-00000.npy", lambda path: np.save(path, np.int32([1])), "Received: (10, 1)"),
    ],
)
def test_each_damage_has_a_sentence(tmp_path, name, fault, sentence):
    write(tmp_path)
    fault(tmp_path / name)
    with pytest.raises(LookbookError) as error:
        Split("train", tmp_path)
    assert sentence in str(error.value)
    assert "dvc repro preprocess" in str(error.value)
