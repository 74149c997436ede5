import numpy as np
import pytest
import tensorflow as tf

from lookbook.foundation.params import load_params
from lookbook.splits.spec import Scaling, Spec
from lookbook.training import batches as module
from lookbook.training.augmentation import Augmentation, transformed
from lookbook.training.batches import (
    _shares,
    chunk_batches,
    evaluation_batches,
    training_chunks,
)


class Pictures:
    """A source whose pictures and targets tell their row."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def images(self, indices):
        return np.broadcast_to(indices[:, None, None, None] % 256, (len(indices), 4, 5, 1)).astype(
            np.uint8
        )

    def targets(self, indices):
        return indices.astype(np.int32)

    def fingerprint(self):
        return str(self.count)


def rows(dataset):
    return [int(row) for _, targets in dataset for row in targets]


def epochs(number, *args, **options):
    """Return the first epochs of training chunks, each as a list of (pictures, targets)."""
    chunks, an_epoch = training_chunks(*args, **options)
    assert chunks.cardinality() == tf.data.INFINITE_CARDINALITY
    taken = list(chunks.take(number * an_epoch))
    return [taken[start : start + an_epoch] for start in range(0, len(taken), an_epoch)]


@pytest.mark.parametrize("count", [1, 7, 64, 131])
def test_an_epoch_has_every_picture_once(monkeypatch, count):
    monkeypatch.setattr("lookbook.splits.split.BLOCK_BYTES", 1000)  # 50 pictures
    ordered, _ = evaluation_batches(Pictures(count))
    assert rows(ordered) == list(range(count))
    assert ordered.cardinality() == len(list(ordered)) == -(-count // 50)
    monkeypatch.setattr(module, "CHUNK_BATCHES", 5)
    for chunks in epochs(3, Pictures(count), batch_size=4, seed=0):
        assert len(chunks) == -(-count // 20)
        shuffled = rows(chunks)
        assert sorted(shuffled) == list(range(count))
        assert count < 7 or shuffled != list(range(count))


def test_no_thread_of_tensorflows_tunes_what_is_fixed():
    """Waiting for that thread at the end of an epoch can take as long as the epoch."""
    for dataset in (
        evaluation_batches(Pictures(10))[0],
        training_chunks(Pictures(10), batch_size=4, seed=0)[0],
    ):
        assert dataset.options().autotune.enabled is False


def test_large_pictures_make_small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 3 * 4 * 20)  # a picture has 20 bytes
    assert chunk_batches(Pictures(100), 4) == 3
    [chunks] = epochs(1, Pictures(100), batch_size=4, seed=0)
    assert [len(targets) for _, targets in chunks] == [12] * 8 + [4]
    monkeypatch.setattr(module, "CHUNK_BYTES", 1)
    assert chunk_batches(Pictures(100), 4) == 1


def test_pictures_stay_with_their_targets():
    [chunks] = epochs(1, Pictures(300), batch_size=8, seed=0)
    for images, targets in chunks:
        np.testing.assert_array_equal(images[:, 0, 0, 0], targets % 256)
        assert images.dtype == np.uint8


def test_the_order_follows_seed_and_epoch():
    first, second = map(rows, epochs(2, Pictures(100), batch_size=8, seed=5))
    assert first != second
    assert [*map(rows, epochs(2, Pictures(100), batch_size=8, seed=5))] == [first, second]
    [other] = epochs(1, Pictures(100), batch_size=8, seed=6)
    assert rows(other) != first


def test_the_order_is_a_permutation_of_all():
    for number, epoch in enumerate(map(rows, epochs(2, Pictures(100), batch_size=8, seed=5))):
        assert epoch == np.random.default_rng([5, number]).permutation(100).tolist()


@pytest.mark.parametrize("count", [1, 2, 8, 10, 11])
@pytest.mark.parametrize("devices", [2, 3])
def test_devices_get_shares_of_one_size_in_turn(count, devices):
    rows = np.arange(count, dtype=np.int32)
    shares = list(_shares(lambda: iter([(rows + 100, rows)]), devices))
    assert len(shares) == devices
    assert {len(part) for share in shares for part in share[:3]} == {-(-count // devices)}
    assert {float(size) for *_, size in shares} == {count}
    for images, targets, _, _ in shares:
        np.testing.assert_array_equal(images, targets + 100)
    real = np.concatenate([targets[is_real] for _, targets, is_real, _ in shares])
    np.testing.assert_array_equal(real, rows)


def test_a_training_may_begin_with_a_later_epoch():
    first, second = map(rows, epochs(2, Pictures(100), batch_size=8, seed=5))
    [later] = epochs(1, Pictures(100), batch_size=8, seed=5, first_epoch=1)
    assert rows(later) == second != first


def test_a_chunk_may_be_a_single_batch():
    [batches] = epochs(1, Pictures(100), batch_size=8, seed=5, max_batches=1)
    assert [len(targets) for _, targets in batches] == [8] * 12 + [4]


def test_augmented_pictures_are_repeatable():
    def epoch():
        augmentation = Augmentation(10, 0.1, 0.1)
        [chunks] = epochs(1, Pictures(50), batch_size=8, seed=5, augmentation=augmentation)
        return [(images.numpy(), targets.numpy()) for images, targets in chunks]

    for (images, targets), (same_images, same_targets) in zip(epoch(), epoch(), strict=True):
        np.testing.assert_array_equal(images, same_images)
        np.testing.assert_array_equal(targets, same_targets)
        # A picture of a single colour stays what it is.
        np.testing.assert_array_equal(images[:, 0, 0, 0], targets % 256)


def slow_reference(image, rotation, zoom, move_x, move_y):
    """Move, turn and enlarge a picture pixel by pixel, from where each one comes."""
    height, width = image.shape
    x0, y0 = (width - 1) / 2, (height - 1) / 2
    result = np.zeros_like(image, dtype=np.float64)
    for row in range(height):
        for column in range(width):
            dx, dy = column - x0 - move_x, row - y0 - move_y
            x = x0 + (np.cos(rotation) * dx - np.sin(rotation) * dy) / zoom
            y = y0 + (np.sin(rotation) * dx + np.cos(rotation) * dy) / zoom
            result[row, column] = bilinear(image, x, y)
    return result


def bilinear(image, x, y):
    def pixel(column, row):
        row, column = (
            np.clip(row, 0, image.shape[0] - 1),
            np.clip(column, 0, image.shape[1] - 1),
        )
        return float(image[int(row), int(column)])

    left, top = np.floor(x), np.floor(y)
    upper = (left + 1 - x) * pixel(left, top) + (x - left) * pixel(left + 1, top)
    lower = (left + 1 - x) * pixel(left, top + 1) + (x - left) * pixel(left + 1, top + 1)
    return (top + 1 - y) * upper + (y - top) * lower


@pytest.mark.parametrize("augmentation", [(30, 0, 0), (0, 0.3, 0), (0, 0, 0.2), (20, 0.2, 0.1)])
def test_the_transform_is_the_slow_reference(augmentation):
    rotation, zoom, shift = augmentation
    images = np.random.default_rng(1).integers(0, 256, (6, 9, 12, 3), dtype=np.uint8)
    transforms = Augmentation(*augmentation).draw(np.random.default_rng(2), 6, 9, 12)
    assert transforms.shape == (6, 2, 3)
    received = transformed(images, transforms)
    rng = np.random.default_rng(2)
    angles = np.deg2rad(rng.uniform(-rotation, rotation, 6))
    zooms = rng.uniform(1 - zoom, 1 + zoom, 6)
    moves_x = rng.uniform(-shift, shift, 6) * 12
    moves_y = rng.uniform(-shift, shift, 6) * 9
    for i in range(6):
        for channel in range(3):
            expected = slow_reference(
                images[i, ..., channel], angles[i], zooms[i], moves_x[i], moves_y[i]
            )
            # Rounded; a coordinate's last digits decide between neighbours up to 255 apart.
            np.testing.assert_allclose(received[i, ..., channel], expected, atol=0.52)


def test_many_pictures_are_transformed_as_few_are():
    images = np.random.default_rng(1).integers(0, 256, (200, 9, 12, 3), dtype=np.uint8)
    transforms = Augmentation(20, 0.2, 0.1).draw(np.random.default_rng(2), 200, 9, 12)
    together = transformed(images, transforms)
    for one in range(200):
        alone = transformed(images[one : one + 1], transforms[one : one + 1])
        np.testing.assert_array_equal(together[one], alone[0])


def test_no_augmentation_is_the_identity():
    images = np.random.default_rng(1).integers(0, 256, (3, 9, 12, 1), dtype=np.uint8)
    assert not Augmentation(0, 0, 0)
    transforms = Augmentation(0, 0, 0).draw(np.random.default_rng(2), 3, 9, 12)
    np.testing.assert_array_equal(transformed(images, transforms), images)


@pytest.mark.parametrize("shape", [(28, 28, 1), (40, 30, 3)])
def test_erasing_covers_a_rectangle_of_half_of_the_pictures(shape):
    height, width, _ = shape
    grey = np.full((2000, *shape), 77, np.uint8)
    changed = Augmentation(0, 0, 0, erase=0.4).apply(np.random.default_rng(0), grey)
    # Noise has the old value in one pixel of 256, or of 256 ** 3.
    shares, ratios, middles = [], [], []
    for picture in changed:
        rows, columns = np.nonzero((picture != 77).any(axis=2))
        if not len(rows):
            continue
        inside = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (inside != 77).any(axis=2).mean() > 0.9
        assert 50 < inside.mean() < 205 or inside.size < 60
        shares.append(len(inside) * len(inside[0]) / (height * width))
        ratios.append((len(inside) / height) / (len(inside[0]) / width))
        middles.append([rows.mean() / (height - 1), columns.mean() / (width - 1)])
    assert len(shares) / len(grey) == pytest.approx(0.5, abs=0.04)
    assert 0.3 < max(shares) <= 0.4 and np.mean(shares) == pytest.approx(0.2, abs=0.03)
    assert np.median(ratios) == pytest.approx(1, abs=0.15) and max(ratios) > 2.5 > 0.4 > min(ratios)
    np.testing.assert_allclose(np.mean(middles, axis=0), 0.5, atol=0.03)


def test_nearly_all_may_be_erased_and_nothing_is_by_default():
    grey = np.full((200, 5, 7, 1), 77, np.uint8)
    changed = Augmentation(0, 0, 0, erase=1.0).apply(np.random.default_rng(0), grey)
    assert 0.6 < (changed != 77).mean(axis=(1, 2, 3)).max() <= 1
    assert (Augmentation(5, 0, 0).apply(np.random.default_rng(0), grey) == 77).all()


def test_erasing_changes_no_transform():
    pictures = np.random.default_rng(1).integers(0, 256, (300, 9, 12, 3), dtype=np.uint8)
    moved = Augmentation(20, 0.1, 0.1).apply(np.random.default_rng(2), pictures)
    both = Augmentation(20, 0.1, 0.1, erase=0.3).apply(np.random.default_rng(2), pictures)
    assert 0.8 < (moved == both).all(axis=3).mean() < 1


def test_a_larger_zoom_shows_the_picture_larger():
    image = np.zeros((1, 11, 11, 1), np.uint8)
    image[0, 4:7, 4:7] = 255
    transform = np.array([[[1 / 2, 0, 2.5], [0, 1 / 2, 2.5]]], np.float32)
    drawn = Augmentation(0, 0, 0).draw(np.random.default_rng(0), 1, 11, 11)
    assert drawn[0].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert transformed(image, transform).sum() > 2 * image.sum()


def test_half_of_the_pictures_are_mirrored_where_that_is_allowed():
    images = np.random.default_rng(1).integers(0, 256, (400, 5, 6, 1), dtype=np.uint8)
    transforms = Augmentation(0, 0, 0, flip=True).draw(np.random.default_rng(2), 400, 5, 6)
    received = transformed(images, transforms)
    mirrored = (received == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (received == images).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 160 < mirrored.sum() < 240


def test_the_card_says_whether_to_flip_where_nobody_else_does(project):
    settings = load_params().train_cnn.augmentation
    assert settings.flip == "auto"
    scaling = Scaling("unit", [1 / 255], [0.0])
    for flips in (False, True):
        spec = Spec(["a", "b"], (4, 4, 1), scaling, False, {}, {}, flips)
        assert Augmentation.of(settings, spec).flip is flips
        for asked in (False, True):
            told = settings.model_copy(update={"flip": asked})
            assert Augmentation.of(told, spec).flip is asked


def test_a_turned_and_mirrored_picture_is_the_mirror_image_of_the_turned_one():
    images = np.random.default_rng(1).integers(0, 256, (50, 9, 9, 1), dtype=np.uint8)
    both = Augmentation(20, 0.1, 0.1, flip=True).draw(np.random.default_rng(3), 50, 9, 9)
    turned = Augmentation(20, 0.1, 0.1).draw(np.random.default_rng(3), 50, 9, 9)
    changed = (both != turned).any(axis=(1, 2))
    assert 10 < changed.sum() < 40
    expected = transformed(images, turned)[changed][:, :, ::-1]
    np.testing.assert_allclose(transformed(images, both)[changed], expected, atol=1)


def test_pictures_are_transformed_alike_on_any_number_of_cores(monkeypatch):
    images = np.random.default_rng(1).integers(0, 256, (50, 9, 12, 3), dtype=np.uint8)
    transforms = Augmentation(10, 0.1, 0.1).draw(np.random.default_rng(2), 50, 9, 12)
    expected = np.concatenate(
        [transformed(images[row : row + 1], transforms[row : row + 1]) for row in range(50)]
    )
    monkeypatch.setattr("lookbook.training.augmentation.BYTES_AT_ONCE", 7 * images[0].nbytes)
    for cores in (1, 3):
        monkeypatch.setattr("lookbook.foundation.parallel.core_count", lambda cores=cores: cores)
        np.testing.assert_array_equal(transformed(images, transforms), expected)
    assert transformed(images[:0], transforms[:0]).shape == (0, 9, 12, 3)
