import os
import random
import time
from pathlib import Path

import numpy as np
import pytest

from lookbook.foundation.files import ABANDONED
from lookbook.foundation.places import cache_folder
from lookbook.networks.architectures import build_feature_extractor
from lookbook.splits.spec import read_spec
from lookbook.splits.split import Split
from lookbook.training.augmentation import Augmentation
from lookbook.transfer import features
from lookbook.transfer.bases import load_base
from lookbook.transfer.features import Extractor, Features, _is_whole, _write


@pytest.fixture
def extractor(processed):
    base = load_base("fashion_mnist_cnn", weights="auto", width="auto", image_size=28)
    return Extractor(build_feature_extractor(read_spec(), base))


def counted(split):
    """Count which pictures are looked at."""
    seen, images = [], split.images
    split.images = lambda indices: seen.extend(indices.tolist()) or images(indices)
    return seen


def test_each_picture_goes_through_the_base_once(extractor):
    validation = Split("validation")
    expected = extractor.model.predict_on_batch(validation.images(np.array([5, 7])))
    seen = counted(validation)
    first = Features(extractor, validation)
    again = Features(extractor, validation)
    assert seen == list(range(len(validation)))
    for found in (first, again):
        np.testing.assert_allclose(found.images(np.array([5, 7])), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found.targets(np.arange(3)), validation.labels[:3])


def test_other_weights_pictures_or_views_are_other_features(extractor):
    validation = Split("validation")
    kept = {Features(extractor, validation).fingerprint()}
    kept.add(Features(extractor, Split("test")).fingerprint())
    turned = Augmentation(20, 0, 0)
    for seed in (1, 2):
        kept.add(
            Features(extractor, validation, views=2, augmentation=turned, seed=seed).fingerprint()
        )
    weights = extractor.model.get_weights()
    extractor.model.set_weights([weights[0] * 2, *weights[1:]])
    kept.add(Features(Extractor(extractor.model), validation).fingerprint())
    assert len(kept) == 5
    assert {path.name for path in cache_folder("features").iterdir()} == kept


def test_views_are_augmented_after_the_first(extractor):
    validation = Split("validation")
    count = len(validation)
    plain = Features(extractor, validation)
    views = Features(extractor, validation, views=3, augmentation=Augmentation(20, 0, 0), seed=1)
    assert len(views) == 3 * count
    rows = np.arange(count)
    np.testing.assert_array_equal(views.images(rows), plain.images(rows))
    for view in (1, 2):
        assert np.abs(views.images(rows + view * count) - plain.images(rows)).max() > 0.01
        np.testing.assert_array_equal(views.targets(rows + view * count), validation.labels)
    assert np.abs(views.images(rows + count) - views.images(rows + 2 * count)).max() > 0.01


def test_many_features_are_kept_in_shards(extractor, monkeypatch):
    monkeypatch.setattr(features, "SHARD_BYTES", 4 * 224 * 100)
    validation = Split("validation")
    found = Features(extractor, validation)
    folder = cache_folder("features") / found.fingerprint()
    assert len(list(folder.iterdir())) == -(-len(validation) // 100)
    rows = np.array([0, 99, 100, 250, 3, 101])
    expected = extractor.model.predict_on_batch(validation.images(rows))
    np.testing.assert_allclose(found.images(rows), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.read(rows), found.images(rows))
    mean, variance = found.moments()
    everything = found.images(np.arange(len(validation)))
    np.testing.assert_allclose(mean, everything.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variance, everything.var(axis=0), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("damage", ["cut", "missing", "empty", "header", "bit"])
def test_damaged_features_are_made_again(extractor, damage, caplog):
    validation = Split("validation")
    found = Features(extractor, validation)
    expected = found.images(np.arange(5))
    (file,) = (cache_folder("features") / found.fingerprint()).iterdir()
    content = file.read_bytes()
    file.unlink()
    if damage == "cut":
        file.write_bytes(content[:-400])
    elif damage == "empty":
        file.touch()
    elif damage in ("header", "bit"):
        damaged = bytearray(content)
        damaged[30 if damage == "header" else 5000] ^= 1
        file.write_bytes(damaged)
    np.testing.assert_array_equal(Features(extractor, validation).images(np.arange(5)), expected)
    assert file.read_bytes() == content
    told = [line for line in caplog.messages if "damaged; computing the features anew" in line]
    assert len(told) == (damage != "missing")


def test_every_flipped_bit_of_kept_features_is_noticed(tmp_path):
    folder = tmp_path / "features/kept"
    _write(folder, iter([np.arange(600, dtype=np.float32).reshape(20, 30)]), 30)
    assert _is_whole(folder, 20, 30)
    (file,) = folder.iterdir()
    whole, rng = file.read_bytes(), random.Random(0)
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        assert not _is_whole(folder, 20, 30)


def test_a_stop_leaves_nothing_half_written(extractor, monkeypatch):
    validation = Split("validation")
    monkeypatch.setattr(validation, "images", lambda indices: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Features(extractor, validation)
    assert not list(cache_folder("features").iterdir())


def test_the_least_recently_used_are_forgotten(extractor, monkeypatch):
    first = Features(extractor, Split("validation")).fingerprint()
    time.sleep(0.02)
    second = Features(extractor, Split("test")).fingerprint()
    time.sleep(0.02)
    Features(extractor, Split("validation"))  # used again
    size = sum(file.stat().st_size for file in (cache_folder("features") / first).iterdir())
    monkeypatch.setattr(features, "KEPT_BYTES", 2.5 * size)
    time.sleep(0.02)
    third = Features(extractor, Split("test"), views=2, augmentation=None).fingerprint()
    kept = {path.name for path in Path(cache_folder("features")).iterdir()}
    assert third in kept
    assert second not in kept


def test_what_a_kill_has_left_half_written_is_forgotten_after_a_day(extractor):
    for name, age in (("old", 2 * ABANDONED), ("new", 0)):
        folder = cache_folder("features") / f".partial-{name}"
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    Features(extractor, Split("validation"))
    assert [path.name for path in cache_folder("features").glob(".partial-*")] == [".partial-new"]
