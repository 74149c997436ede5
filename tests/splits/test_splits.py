import hashlib

import numpy as np
import pytest
from support import run

from lookbook.foundation.errors import LookbookError
from lookbook.preprocessing.scaling import scaling_for
from lookbook.splits import writing
from lookbook.splits.spec import Scaling, Spec, read_spec, write_spec
from lookbook.splits.split import Split
from lookbook.splits.sums import SUMS, write_sums
from lookbook.splits.writing import SplitWriter

SHAPE = (4, 5, 3)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, *SHAPE), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0])


COUNTS = {"train": 10, "validation": 0, "test": 0}
IDS = [f"{i * 2**60 % 2**64:016x}" for i in range(10)]


def write(folder, *, one_hot=False, scaling=None, images=IMAGES):
    writer = SplitWriter(folder / "train", SHAPE)
    rows = [(IDS[i], f"a, {i}", int(LABELS[i])) for i in range(10)]
    for block in np.split(np.arange(10), [3, 4]):
        writer.append(list(images[block]), [rows[i] for i in block])
    writer.finish()
    scaling = scaling or Scaling("unit", [1 / 255] * 3, [0.0] * 3)
    write_spec(folder, Spec(["a", "b", "c"], SHAPE, scaling, one_hot, COUNTS, {}))
    write_sums(folder)
    return Split("train", folder)


@pytest.fixture(params=[None, 200, 60], ids=["one shard", "three a shard", "one a shard"])
def shard_bytes(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(writing, "SHARD_BYTES", request.param + writing.HEADER_BYTES)
    return writing.SHARD_BYTES


def test_what_is_written_is_read(tmp_path, shard_bytes):
    split = write(tmp_path)
    assert len(split) == 10
    everything = np.arange(10)
    np.testing.assert_array_equal(split.images(everything), IMAGES)
    some = np.array([9, 0, 3, 3, 7])
    np.testing.assert_array_equal(split.images(some), IMAGES[some])
    np.testing.assert_array_equal(split.targets(some), LABELS[some])
    assert split.images(some).dtype == np.uint8
    np.testing.assert_array_equal(split.read(some), IMAGES[some])
    index = split.index()
    assert list(index.columns) == ["id", "source", "label"]
    assert index["id"].tolist() == IDS
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
    scaling = scaling_for(name, write(tmp_path / "raw"))
    np.testing.assert_allclose(scaling.apply(IMAGES), expected, rtol=0, atol=1e-5)
    assert scaling.apply(IMAGES).dtype == np.float32
    split = write(tmp_path, scaling=scaling)
    assert split.spec == read_spec(tmp_path)
    assert split.spec.scaling == scaling


def test_standard_scaling_of_a_single_colour_does_not_divide_by_zero(tmp_path):
    scaling = scaling_for("standard", write(tmp_path, images=np.full_like(IMAGES, 7)))
    assert scaling.apply(np.full(SHAPE, 7, np.uint8)).tolist() == np.zeros(SHAPE).tolist()


def shards_of(folder, ids):
    writer = SplitWriter(folder, (1, 1, 1))
    for picture_id in ids:
        pixels = np.full((1, 1, 1), int(picture_id, 16) % 256, np.uint8)
        writer.append([pixels], [(picture_id, "", 0)])
    writer.finish()
    return {path.read_bytes() for path in folder.glob("index-*")}


def test_a_new_picture_changes_its_own_shard_and_seldom_another(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "SHARD_BYTES", 100 + writing.HEADER_BYTES)
    ids = [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(2000)]
    before = shards_of(tmp_path / "before", ids)
    assert 2000 / 100 < len(before) < 2000 / 25
    changed = []
    for place in range(0, 2000, 100):
        more = [*ids[:place], "0123456789abcdef", *ids[place:]]
        changed.append(len(shards_of(tmp_path / str(place), more) - before))
    assert min(changed) == 1
    assert np.mean(changed) < 2


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "fault", "sentence"),
    [
        ("spec.json", lambda path: path.unlink(), "Expected the description of the splits in"),
        ("spec.json", lambda path: path.write_text("{}"), "Expected the description of the splits"),
        ("train/images-00000.npy", lambda path: path.unlink(), "Expected 10 pictures in"),
        ("train/images-00000.npy", cut, "Expected a whole shard in"),
        ("train/labels-00000.npy", lambda path: np.save(path, LABELS), "Received: int64"),
        ("train/labels-00000.npy", lambda path: np.save(path, np.int32([1])), "10 labels in"),
    ],
)
def test_what_was_written_wrong_has_a_sentence(tmp_path, name, fault, sentence):
    write(tmp_path)
    fault(tmp_path / name)
    write_sums(tmp_path)
    with pytest.raises(LookbookError) as error:
        assert len(Split("train", tmp_path).labels)
    assert sentence in str(error.value)
    assert "dvc repro preprocess" in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["spec.json", "train/images-00000.npy", "train/labels-00000.npy", "train/index-00000.csv"],
)
def test_every_flipped_bit_of_a_split_is_noticed(tmp_path, name):
    write(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    for bit in RNG.choice(8 * len(content), 40, replace=False).tolist():
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(LookbookError, match="dvc repro preprocess"):
            assert len(Split("train", tmp_path).index()) == len(Split("train", tmp_path).labels)
    path.write_bytes(content)
    assert len(Split("train", tmp_path).index()) == 10


def test_the_hashes_are_those_that_sha256sum_reads(tmp_path):
    split = write(tmp_path)
    assert run("sha256sum", "-c", SUMS, cwd=tmp_path).returncode == 0
    (tmp_path / SUMS).unlink()
    assert len(split) == 10
    with pytest.raises(LookbookError, match="Expected the hashes of the splits"):
        Split("train", tmp_path)
