import numpy as np
import pytest

from lookbook.splits.shards import Shards
from lookbook.training import shuffling
from lookbook.training.augmentation import Augmentation
from lookbook.training.batches import training_chunks
from lookbook.training.shuffling import shuffled, shuffled_chunks

SHAPE = (4, 5, 1)
COUNT = 1003


class Stored:
    """Pictures in files of 100, each of one grey that tells its row; it notes what is read."""

    def __init__(self, folder):
        rows = np.arange(COUNT)
        pixels = np.broadcast_to(
            (rows % 251).astype(np.uint8)[:, None, None, None], (COUNT, *SHAPE)
        )
        parts = np.split(pixels, range(100, COUNT, 100))
        paths = [folder / f"{n:02}.npy" for n in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            np.save(path, part)
        self.shards = Shards(paths, [len(part) for part in parts], SHAPE, np.uint8)
        self.reads = []

    def __len__(self):
        return COUNT

    def images(self, indices):
        assert len(indices) == 1, "gathered from all over the files"
        return self.shards.take(indices)

    def read(self, indices):
        self.reads.append(indices)
        return self.shards.read(indices)

    def targets(self, indices):
        return indices.astype(np.int32)

    def fingerprint(self):
        return ""


@pytest.fixture
def small(monkeypatch):
    """Windows of 200 pictures of 20 bytes, in runs of 5."""
    monkeypatch.setattr(shuffling, "LARGE_BYTES", 20 * COUNT - 1)
    monkeypatch.setattr(shuffling, "WINDOW_BYTES", 20 * 200)
    monkeypatch.setattr(shuffling, "RUN_BYTES", 20 * 5)


def epochs(stored, number, **options):
    """Return the first epochs of training chunks, each as a list of (pictures, targets)."""
    chunks, an_epoch = training_chunks(stored, batch_size=16, seed=5, max_batches=2, **options)
    taken = [(x.numpy(), y.numpy()) for x, y in chunks.take(number * an_epoch)]
    return [taken[start : start + an_epoch] for start in range(0, len(taken), an_epoch)]


def rows(epoch):
    return np.concatenate([targets for _, targets in epoch])


def test_what_fits_is_one_permutation():
    rng, reference = np.random.default_rng([5, 3]), np.random.default_rng([5, 3])
    (order,) = shuffled(rng, 1000, shuffling.LARGE_BYTES // 1000, 32)
    np.testing.assert_array_equal(order, reference.permutation(1000))
    assert rng.random() == reference.random()


def test_what_is_larger_comes_in_windows_of_runs_from_all_over(small):
    windows = shuffled(np.random.default_rng(0), COUNT, 20, 32)
    assert [len(window) for window in windows] == [192] * 5 + [43]
    np.testing.assert_array_equal(np.sort(np.concatenate(windows)), np.arange(COUNT))
    for window in windows[:-1]:
        starts = np.unique(window // 5)
        assert len(starts) <= 192 // 5 + 2  # two runs may go on in another window
        assert np.diff(starts).max() < 40 and np.ptp(starts) > 120  # of 201
        assert not np.array_equal(window, np.sort(window))


def test_the_order_of_windows_is_known(small):
    """It is a function of seed, epoch, count, size and constants, and stays so."""
    first, *_ = shuffled(np.random.default_rng([5, 0]), COUNT, 20, 32)
    assert first[:8].tolist() == [998, 89, 230, 235, 680, 88, 737, 204]


def test_a_window_is_never_less_than_a_chunk(small):
    assert [len(w) for w in shuffled(np.random.default_rng(0), COUNT, 20, 512)] == [512, 491]


def test_pictures_larger_than_a_run_come_one_by_one(small):
    windows = shuffled(np.random.default_rng(0), COUNT, 1000, 2)
    np.testing.assert_array_equal(np.sort(np.concatenate(windows)), np.arange(COUNT))
    assert {len(window) for window in windows} == {4, 3}


def test_an_epoch_has_every_picture_once_with_its_target(small, tmp_path):
    stored = Stored(tmp_path)
    first, second = epochs(stored, 2)
    for epoch in (first, second):
        assert [len(targets) for _, targets in epoch] == [32] * 31 + [11]
        np.testing.assert_array_equal(np.sort(rows(epoch)), np.arange(COUNT))
        for images, targets in epoch:
            np.testing.assert_array_equal(images[:, 0, 0, 0], targets % 251)
    assert rows(first).tolist() != rows(second).tolist()
    reads = np.concatenate(stored.reads[:6])
    np.testing.assert_array_equal(np.sort(reads), np.arange(COUNT))


def test_only_the_next_window_is_read_ahead(small, tmp_path):
    stored = Stored(tmp_path)
    chunks = shuffled_chunks(stored, chunk_size=32, seed=0, first_epoch=0)
    for number in range(30):
        next(chunks)
        assert len(stored.reads) <= number // 6 + 2
    chunks.close()


@pytest.mark.parametrize(
    "augmentation", [None, Augmentation(10, 0.1, 0.1)], ids=["plain", "varied"]
)
def test_a_training_may_begin_with_a_later_epoch(small, tmp_path, augmentation):
    stored = Stored(tmp_path)
    options = {"augmentation": augmentation}
    _, second, third = epochs(stored, 3, **options)
    later = epochs(stored, 2, first_epoch=1, **options)
    for received, expected in zip(later, (second, third), strict=True):
        for (images, targets), (same_images, same_targets) in zip(received, expected, strict=True):
            np.testing.assert_array_equal(images, same_images)
            np.testing.assert_array_equal(targets, same_targets)


def test_a_file_that_vanishes_ends_the_training(small, tmp_path):
    stored = Stored(tmp_path)
    (tmp_path / "07.npy").unlink()
    with pytest.raises(FileNotFoundError):
        next(shuffled_chunks(stored, chunk_size=32, seed=0, first_epoch=0))
